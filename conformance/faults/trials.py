# SPDX-License-Identifier: Apache-2.0
"""What the fault trials share: the tracer, what must not stay behind, and the figures."""
import collections
import errno
import os
import pathlib
import re
import signal
import subprocess
import sys
import tempfile
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent))

import harness
from harness import settle
from machine import cgroup_leftovers, describe, mount_table, orphans, reap, remove_cgroups, whereabouts

TAMPER = os.environ.get('KOGG_TAMPER', str(harness.SOURCE / 'build/conformance/tamper'))
FLOCK = 73  # the system call's number, where the tracer works
LIMIT = 60  # seconds for one call, far more than any takes

PID_FILE = 'pid'  # in the bundle; its name is the caller's choice, and the file his

Point = collections.namedtuple('Point', 'process call name')


class Figures:
    """Counts by the name of a trial, and what went wrong in full."""

    def __init__(self):
        self.rows = {}
        self.problems = []

    def add(self, row, point, problems):
        tried, bad = self.rows.get(row, (0, 0))
        self.rows[row] = (tried + 1, bad + bool(problems))
        for problem in problems:
            self.problems.append(f'{row}: {point}: {problem}')
            print(f'# {self.problems[-1]}', flush=True)

    def add_many(self, row, count):
        """As many that were tried and went well."""
        tried, bad = self.rows.get(row, (0, 0))
        self.rows[row] = (tried + count, bad)

    def show(self, row, points, seconds):
        tried, bad = self.rows.get(row, (0, 0))
        print(f'{"not ok" if bad else "ok"} - {row}: {points} points, {tried} tried, {tried - bad} survived, '
              f'{bad} leaked or wrong ({seconds:.0f} s)', flush=True)

    def end(self):
        tried, bad = (sum(column) for column in zip(*self.rows.values())) if self.rows else (0, 0)
        print(f'# {tried} tried, {tried - bad} survived, {bad} leaked or wrong')
        return 1 if bad else 0


figures = Figures()


class timed_row:
    """Prints the row's figures at the end of a with block; points is set inside."""

    def __init__(self, row):
        self.row, self.points = row, 0

    def __enter__(self):
        self.begin = time.monotonic()
        return self

    def __exit__(self, kind, error, trace):
        if kind is None:
            figures.show(self.row, self.points, time.monotonic() - self.begin)


def tracer(report, point=None, what=None, attach=0):
    """The words before a command that has its calls listed, or one of them tampered with."""
    words = [TAMPER, '--report', str(report)]
    if attach:
        words += ['--attach', str(attach)]
    if point:
        words += ['--at', f'{point.process}:{point.call}', *([what] if isinstance(what, str) else what)]
    return [*words, '--']


def read_points(report):
    points = []
    for line in pathlib.Path(report).read_text().splitlines():
        process, call, name = line.split()
        points.append(Point(int(process), int(call), name))
    return points


class Ground:
    """What is there between two trials: whatever else is there after one was left by it."""

    def __init__(self, runtime, bundle):
        self.runtime, self.bundle = runtime, bundle
        self.mounts = mount_table()
        self.files = sorted(os.listdir(bundle.path))
        self.descriptors = len(os.listdir('/proc/self/fd'))

    def strangers(self):
        """Files in the state root that are neither a container's nor a whole cached filter."""
        root = self.runtime.root
        if not root.exists():
            return []
        return [str(path) for path in root.rglob('*') if path.name.startswith('.') and path.name != '.filters']

    def left(self):
        """What was left, as words; it is removed."""
        found = [f'process {pid}: {describe(pid)}' for pid in orphans()]
        for pid in orphans():
            os.kill(pid, 9)
        for target in reversed(mount_table()[len(self.mounts):]):
            found.append(f'mount {target}')
            harness.umount(target)
        groups = cgroup_leftovers()
        found += [f'cgroup {group}' for group in groups]
        remove_cgroups(groups)
        found += [f'state {name}' for name in self.runtime.ids()]
        for name in self.runtime.ids():
            self.runtime.call('delete', '--force', name)
        found += [f'file {path}' for path in self.strangers()]
        for name in sorted(os.listdir(self.bundle.path)):
            if name not in self.files:
                (self.bundle.path / name).unlink()
                found += [f'file {name}'] if name != PID_FILE else []
        extra = len(os.listdir('/proc/self/fd')) - self.descriptors
        return found + ([f'{extra} descriptors'] if extra > 0 else [])


class Runtime(harness.Runtime):
    """As on a machine with an init that waits for every orphan at once."""

    def wait(self, process, timeout):
        deadline, delay = time.monotonic() + timeout, 0.0005
        while process.poll() is None:
            if time.monotonic() > deadline:
                raise subprocess.TimeoutExpired(process.args, timeout)
            reap()
            time.sleep(delay)
            delay = min(delay * 2, 0.02)
        return process.returncode


# Commands that run beside others

class End:
    def __init__(self, args, status, err):
        self.args, self.status, self.err = args, status, err

    def __repr__(self):
        return f'{" ".join(self.args)}: status {self.status}, err {self.err!r}'


class Begun:
    """A command that goes on by itself; its words go through a file, which a container may keep open."""

    def __init__(self, runtime, args, wrapper=()):
        self.runtime, self.args = runtime, list(map(str, args))
        self.words = tempfile.TemporaryFile(dir=harness.tmp)
        self.process = subprocess.Popen([*wrapper, *runtime.command(*args)], stdin=subprocess.DEVNULL,
                                        stdout=subprocess.DEVNULL, stderr=self.words)

    def has_ended(self):
        return self.process.poll() is not None

    def waits_for_lock(self):
        try:
            return pathlib.Path(f'/proc/{self.process.pid}/syscall').read_text().split()[0] == str(FLOCK)
        except (OSError, IndexError):
            return False

    def finish(self, timeout=LIMIT):
        try:
            status = self.runtime.wait(self.process, timeout)
        except subprocess.TimeoutExpired:
            where = '\n'.join(whereabouts(self.process.pid))
            self.process.kill()
            self.process.wait()
            raise AssertionError(f'{" ".join(self.args)}: no end after {timeout} s\n{where}') from None
        self.words.seek(0)
        with self.words:
            return End(self.args, status, self.words.read().decode(errors='replace'))


class Held:
    """A command under the tracer that is held before a call, or has ended without making that."""

    def __init__(self, begun):
        self.begun = begun
        assert settle(self.has_stopped, LIMIT), f'{begun.args}: neither held nor ended'

    def has_stopped(self):
        return os.waitid(os.P_PID, self.begun.process.pid, os.WSTOPPED | os.WEXITED | os.WNOHANG | os.WNOWAIT) is not None

    def go_on(self):
        self.begun.process.send_signal(signal.SIGCONT)


# What an error says

VAGUE = r'unexpected message|malformed|success|no error|unknown error|errno 0|\(null\)'


def judge_message(answer):
    """What is wrong with the words of a call that failed."""
    try:
        message = answer.error()['msg']
    except AssertionError as error:
        # Without its log file the program has only standard error.
        message = answer.err.strip()
        if answer.log_text or not message:
            return [f'status {answer.status}: {error}; stderr {answer.err!r}']
    if re.search(VAGUE, message, re.I):
        return [f'vague: {message!r}']
    return []


ERRORS = {name: getattr(errno, name) for name in ('EINTR', 'ENOMEM', 'ENOSPC', 'EIO', 'EMFILE', 'EPERM', 'ENOSYS')}

__all__ = ['ERRORS', 'Begun', 'Ground', 'Held', 'LIMIT', 'Point', 'Runtime', 'figures', 'judge_message', 'read_points', 'settle',
           'timed_row', 'tracer']
