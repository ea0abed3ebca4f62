# SPDX-License-Identifier: Apache-2.0
"""Every system call of a command in turn: the process killed before it, or the call failing with each error.

After a kill `delete --force` must leave nothing, and the ID is good for another container. After an error the
command has either done all it should, which the probe inside confirms, or says what is wrong and has undone what
it did; and nothing may hang.
"""
import json
import os
import re
import signal
import subprocess

import harness
from cgroup_files import settings
from harness import Bundle, Container, serial
from machine import controller_home
from trials import ERRORS, LIMIT, Ground, Runtime, figures, judge_message, read_points, settle, timed_row, tracer

ID = 'faulty'
MAPPING = [{'containerID': 0, 'hostID': 100000, 'size': 65536}]


KEYRING = r'"session_keyring": "[^"]*"'


# Containers that make the commands do much

def plain():
    return Bundle()


def full():
    """Hooks, a filter, limits, mounts that have to be made room for."""
    bundle = Bundle()
    source = bundle.path / 'file'
    source.write_text('text')
    bundle.config['mounts'] += [
        {'destination': '/new/dir', 'type': 'tmpfs', 'source': 'tmpfs', 'options': ['nosuid', 'size=64k']},
        {'destination': '/new/file', 'type': 'bind', 'source': str(source), 'options': ['rbind', 'ro']}]
    linux = bundle.config['linux']
    linux['resources'] |= {'pids': {'limit': 50}, 'memory': {'limit': 64 << 20}, 'cpu': {'shares': 512}}
    linux['sysctl'] = {'net.ipv4.ip_forward': '1'}
    linux['namespaces'].append({'type': 'cgroup'})
    linux['seccomp'] = {'defaultAction': 'SCMP_ACT_ALLOW', 'syscalls': [
        {'names': ['mount', 'umount2', 'ptrace'], 'action': 'SCMP_ACT_ERRNO', 'errnoRet': 1}]}
    linux['devices'] = [{'path': '/dev/fuse', 'type': 'c', 'major': 10, 'minor': 229, 'fileMode': 0o600}]
    bundle.config['hooks'] = {kind: [{'path': '/bin/true'}] for kind in (
        'prestart', 'createRuntime', 'createContainer', 'poststart', 'poststop')}
    return bundle


def mapped():
    """New user and time namespaces, so that a process stands between the runtime and the first one; a terminal."""
    bundle = Bundle()
    linux = bundle.config['linux']
    linux |= {'uidMappings': MAPPING, 'gidMappings': MAPPING, 'timeOffsets': {'boottime': {'secs': 7}}}
    linux['namespaces'] += [{'type': 'user'}, {'type': 'time'}]
    bundle.config['process']['terminal'] = True
    subprocess.run(['chown', '-hR', '100000:100000', bundle.rootfs], check=True)
    return bundle


# What the program in a container sees, without what differs between two containers of one config

def without_chance(report):
    own = {name: os.readlink(f'/proc/self/ns/{name}') for name in report['namespaces']}
    report['namespaces'] = {name: link == own[name] for name, link in report['namespaces'].items()}
    report['mounts'] = [re.sub(r'^\d+ \d+ \S+ |(shared|master):\d+', '', line) for line in report['mounts']]
    report['descriptors'] = {fd: {key: seen.get(key) for key in ('type', 'flags', 'is_terminal')}
                             for fd, seen in report['descriptors'].items()}
    for name in ('pid', 'ppid', 'sid', 'pgid', 'controlling_terminal'):
        report.pop(name, None)
    return re.sub(r'(kogg-test-\d+)-\d+', r'\1', json.dumps(report, sort_keys=True))


def difference(seen, wanted):
    """The first place where two long texts differ."""
    at = next((i for i, (a, b) in enumerate(zip(seen, wanted)) if a != b), min(len(seen), len(wanted)))
    return f'...{seen[max(0, at - 60):at + 60]!r} instead of {wanted[max(0, at - 60):at + 60]!r}'


class Trial:
    """One command on one container. A subclass says what comes before it and what it should have done."""
    name = None       # of the command
    options = ()      # behind the ID
    attaches = False  # to the container's first process

    def __init__(self, kind):
        self.kind, self.row = kind, f'{self.name} {kind.__name__}'
        self.runtime, self.bundle = Runtime(), kind()
        self.bundle.save()
        self.ground = Ground(self.runtime, self.bundle)
        self.wanted = None  # what a probe reports when nothing fails
        self.point = None   # the one that fails now

    def prepare(self):
        """Brings the container to where the command begins."""
        self.container = Container(self.runtime, self.bundle, ID)

    def command(self):
        return [self.name, *self.before, ID, *self.options]

    before = ()

    def call(self, point=None, what=None):
        report = harness.tmp / f'report{serial()}'
        pid = self.container.pid if self.attaches else 0
        answer = self.issue(tracer(report, point, what, pid))
        answer.points = read_points(report)
        report.unlink()
        return answer

    def issue(self, wrapper):
        return self.runtime.call(*self.command(), wrapper=wrapper, timeout=LIMIT)

    def done(self, answer):
        """What is wrong with a container after a command that claims success."""
        raise NotImplementedError

    def undone(self, answer):
        """What is wrong with a container after a command that failed."""
        return []

    def compare(self, text):
        seen = without_chance(json.loads(text))
        if self.wanted is None:
            self.wanted = seen
        if self.with_fallbacks(seen) == self.wanted:
            return []
        return [f'the container differs: {difference(seen, self.wanted)}']

    def with_fallbacks(self, seen):
        """What a container may look like instead, by the headers of devices.c and keyring.c."""
        if self.point and self.point.name == 'mknodat':  # a device is the host's, bound
            seen = re.sub(r'"/\w+ /dev/\w+ [^"]* - devtmpfs [^"]*", ', '', seen, count=1)
        elif self.point and self.point.name == 'keyctl':  # the caller's session keyring stays
            seen = re.sub(KEYRING, re.search(KEYRING, self.wanted)[0], seen)
        return seen

    def clean(self):
        """delete --force, which must succeed, and what stays."""
        answer = self.runtime.call('delete', '--force', ID, timeout=LIMIT)
        self.container.is_made = False
        self.container.close()
        problems = [] if answer.status == 0 else [f'cannot be deleted: {answer!r}']
        return problems + [f'left {what}' for what in self.ground.left()]

    def reuse(self):
        """Whether the ID is good for another container."""
        container = Container(self.runtime, self.bundle, ID)
        answer = container.try_create()
        self.container = container
        if answer.status:
            return [f'cannot be created again: {answer!r}']
        if container.console:
            container.take_console()
        return []

    def queries(self):
        """state and list of whatever is there."""
        problems = []
        for args in (('list', '--format', 'json'), ('state', ID)):
            answer = self.runtime.call(*args, timeout=LIMIT)
            if answer.status < 0 or (answer.status and args[0] == 'list' and self.runtime.root.exists()):
                problems.append(f'{answer!r}')
            elif answer.status:
                problems += judge_message(answer)
        return problems

    def guarded(self, function, *args):
        try:
            return function(*args)
        except (AssertionError, OSError) as error:
            return [str(error)]

    def list_points(self):
        """The points of an undisturbed call, which must do what it should."""
        self.prepare()
        answer = self.call()
        problems = [f'{answer!r}'] if answer.status else self.done(answer)
        problems += self.clean()
        assert not problems, f'{self.row}: {problems}'
        return answer.points

    def fallible(self, points):
        return [point for point in points if point.name not in SURE]

    def kill(self, point):
        self.prepare()
        answer = self.guarded(self.call, point, 'kill')
        problems = answer if isinstance(answer, list) else []
        if not problems and point.process > 0 and answer.status > 0 and answer.status != 137:
            problems += judge_message(answer)
        problems += self.guarded(self.queries) + self.clean() + self.reuse() + self.clean()
        figures.add(f'{self.row}: killed', point, problems)

    def fail(self, point, error):
        self.point = point
        self.prepare()
        answer = self.guarded(self.call, point, f'error={ERRORS[error]}')
        if isinstance(answer, list):
            problems = answer
        elif not answer.points or answer.points[0].name in SURE:
            return self.clean()  # another call was there this time, or none
        elif answer.status == 0:
            problems = self.guarded(self.done, answer)
        else:
            problems = [] if died_at_start(answer, point) else judge_message(answer)
            problems += self.guarded(self.undone, answer)
        figures.add(f'{self.row}: {error}', point, problems + self.clean())


class Create(Trial):
    name = 'create'

    def prepare(self):
        super().prepare()
        self.tree = self.bundle.tree()

    def issue(self, wrapper):
        self.before = ('--bundle', self.bundle.path, '--pid-file', self.bundle.path / 'pid')
        container = self.container
        container.open_stdio()
        if container.console:
            self.before += ('--console-socket', container.console.path)
        try:
            return self.runtime.call(*self.command(), wrapper=wrapper, timeout=LIMIT, **container.popen)
        finally:
            container.close_theirs()

    def fallible(self, points):
        """Without the first process's waits to be on record and for `start`: create may have ended when they fail."""
        acted = {point.process: point.call for point in points if point.name != 'read'}
        return [point for point in super().fallible(points) if point.name != 'read' or point.call < acted[point.process]]

    def done(self, answer):
        container = self.container
        container.take_console()
        pid = int((self.bundle.path / 'pid').read_text())
        (self.bundle.path / 'pid').unlink()
        state = self.runtime.state(ID)
        problems = [] if (state['status'], state['pid']) == ('created', pid) else [f'state {state}, pid file {pid}']
        container.start()
        return problems + self.compare(json.dumps(container.ask()))

    def undone(self, answer):
        problems = [f'a failed create left {name}' for name in self.runtime.ids()]
        if (self.bundle.path / 'pid').exists():
            problems.append('a failed create left its pid file')
            (self.bundle.path / 'pid').unlink()
        after = self.bundle.tree()
        return problems + [f'a failed create left {path}' for path in after if path not in self.tree]


class CreateAgain(Create):
    """A root that is there, with a compiled filter."""


class Made(Trial):
    """A container that has been created, or started, before the command."""
    starts = True

    def prepare(self):
        super().prepare()
        self.container.create()
        if self.starts:
            self.container.start()
            self.container.ask()


class Start(Made):
    name, starts, attaches = 'start', False, True

    def done(self, answer):
        return self.compare(json.dumps(self.container.ask()))

    def undone(self, answer):
        """It is as it was, or has stopped, or is gone where a poststart hook had failed."""
        if not self.runtime.ids() and self.kind is full:
            return []
        state = self.runtime.state(ID)
        if state['status'] == 'created':
            answer = self.runtime.call('start', ID)
            state = self.runtime.state(ID)
            if answer.status and state['status'] == 'created':
                return [f'neither starts nor stops: {answer!r}']
        if state['status'] == 'running':
            self.container.ask()
            return []
        return [] if state['status'] == 'stopped' else [f'state {state}']


class Run(Create):
    name = 'run'

    def issue(self, wrapper):
        self.options = ()
        answer = super().issue(wrapper)
        return answer

    def command(self):
        return [self.name, '--detach', *self.before, ID]

    def done(self, answer):
        self.container.take_console()
        (self.bundle.path / 'pid').unlink()
        return self.compare(json.dumps(self.container.ask()))


class Exec(Made):
    name, options = 'exec', ('/bin/probe',)

    def issue(self, wrapper):
        if self.bundle.config['process'].get('terminal'):
            self.before = ('--env', 'A=B')
        return super().issue(wrapper)

    def done(self, answer):
        return self.compare(answer.out) if answer.out else [f'no output: {answer!r}']

    def undone(self, answer):
        """The container goes on, and no other process is in it."""
        self.container.ask()
        def count():
            return len(json.loads(self.runtime.ok('ps', '--format', 'json', ID).out))
        return [] if settle(lambda: count() == 1) else [f'{count()} processes']


class Kill(Made):
    name, options = 'kill', ('KILL',)

    def done(self, answer):
        self.container.wait_status('stopped')
        return []

    def undone(self, answer):
        state = self.runtime.state(ID)
        return [] if state['status'] in ('running', 'stopped') else [f'state {state}']


class Pause(Made):
    name = 'pause'

    def done(self, answer):
        state = self.runtime.state(ID)
        return [] if state['status'] == 'paused' else [f'state {state}']


class Update(Made):
    name, before = 'update', ('--pids-limit', '77', '--cpu-share', '300')

    def prepare(self):
        super().prepare()
        self.settings = settings(self.bundle)

    def limit(self):
        version, home = controller_home('pids')
        path = self.bundle.config['linux']['cgroupsPath']
        return (home / path.lstrip('/') / 'pids.max').read_text().strip()

    def done(self, answer):
        self.container.ask()
        return [] if self.limit() == '77' else [f'pids.max is {self.limit()}']

    def undone(self, answer):
        """What ends it in the middle leaves what it has done; what only fails, nothing."""
        self.container.ask()
        now = settings(self.bundle) if answer.status > 0 else self.settings
        return [f'{k} is {now[k]}' for k in now if now[k] != self.settings[k]]


class Delete(Made):
    name = 'delete'

    def prepare(self):
        super().prepare()
        os.kill(self.container.pid, signal.SIGKILL)
        self.container.wait_status('stopped')

    def done(self, answer):
        self.container.close()
        return [f'left {what}' for what in self.ground.left()]


class DeleteForce(Made):
    name, before = 'delete', ('--force',)

    def __init__(self, kind):
        super().__init__(kind)
        self.row = f'delete --force {kind.__name__}'

    def done(self, answer):
        self.container.close()
        return [f'left {what}' for what in self.ground.left()]


class State(Made):
    name = 'state'

    def done(self, answer):
        state = json.loads(answer.out)
        return [] if (state['status'], state['pid']) == ('running', self.container.pid) else [f'state {state}']


class List(Made):
    name = 'list'

    def command(self):
        return ['list', '--format', 'json']

    def done(self, answer):
        entries = json.loads(answer.out)
        if entries and (entries[0]['status'], entries[0]['pid']) == ('running', self.container.pid):
            return []
        return [] if answer.log_text else [f'list {entries}, and nothing said']


TRIALS = [(kind, trial) for trial in (Create, Start, Run, Exec, Kill, Update, Pause, Delete, DeleteForce, State, List)
          for kind in (plain, full, mapped)]
SMALL = (Kill, Update, Pause, Delete, State, List)  # whose calls do not depend on the config
TRIALS = [(kind, trial) for kind, trial in TRIALS if kind is full or trial not in SMALL]


# Calls that cannot fail, by their manual pages; and brk(2), since the C library aborts when the second of a pair fails:
# what happens without memory is the business of allocations.py.
SURE = ('exit', 'exit_group', 'rt_sigreturn', 'restart_syscall', 'umask', 'getpid', 'getppid', 'gettid', 'getuid',
        'geteuid', 'getgid', 'getegid', 'set_tid_address', 'brk')

# What the C library does before main(), and what it dies of there when they fail.
STARTS, DEATHS = ('arch_prctl', 'mprotect'), (127, 128 + signal.SIGABRT, 128 + signal.SIGSEGV)


def died_at_start(answer, point):
    return point.name in STARTS and answer.status in DEATHS


def run(stride, pattern=''):
    """Tries each STRIDEth point, beginning anew elsewhere for each kind of trial."""
    offset = 0
    for kind, make in TRIALS:
        if not re.search(pattern, f'{make.__name__} {kind.__name__}'):
            continue
        trial = make(kind)
        trial.list_points()  # the first time there are things to be made that stay, as targets of mounts
        trial.wanted = None
        points = trial.list_points()
        for action in ('killed', *ERRORS):
            row = f'{trial.row}: {action}'
            with timed_row(row) as timed:
                chosen = points if action == 'killed' else trial.fallible(points)
                timed.points = len(chosen)
                offset += 1
                for point in chosen[offset % stride::stride]:
                    try:
                        trial.kill(point) if action == 'killed' else trial.fail(point, action)
                    except (AssertionError, OSError) as error:
                        figures.add(row, point, [f'on the way there: {error}', *trial.clean()])
