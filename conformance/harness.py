# SPDX-License-Identifier: Apache-2.0
"""What the conformance tests share: the runtime as a program, bundles, containers, and leftovers.

A test file defines functions named test_*, and ends with `harness.main(__name__)`. A test fails by an
AssertionError and is skipped by Skip. After each test the harness looks for what the runtime left behind
(mounts, cgroups, states, processes); finding any fails the test.

KOGG names the runtime and KOGG_PROBE the probe; both default to the folder build/ of the source tree.
KOGG_TEST_CGROUPS=v2 shows the tests a host that has nothing but the unified hierarchy.
The tests run in a mount namespace of their own and as subreaper, so that they see every orphan.
"""
import inspect
import json
import os
import pathlib
import re
import resource
import select
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
import traceback
import tty

from machine import (CGROUP_TOP, CLONE_NEWNS, MS_PRIVATE, MS_REC, MS_SHARED, PR_SET_CHILD_SUBREAPER,
                  cgroup_leftovers, cgroup_mounts, cgroups_are_v2, check_call, describe, libc, mount, mount_table,
                  orphans, reap, remove_cgroups, umount, whereabouts)

SOURCE = pathlib.Path(__file__).resolve().parent.parent
KOGG = os.environ.get('KOGG', str(SOURCE / 'build/cmd/kogg'))
PROBE = os.environ.get('KOGG_PROBE', str(SOURCE / 'build/conformance/probe'))
BUSYBOX = os.environ.get('KOGG_BUSYBOX', '/bin/busybox')
# For strace: the leak checker of a sanitized build cannot look at a process that is traced already.
TRACEABLE = ['-E', ':'.join(filter(None, ('ASAN_OPTIONS=detect_leaks=0', os.environ.get('ASAN_OPTIONS'))))]
NO_TEST = 77  # the exit status by which meson knows a skipped test


class Skip(Exception):
    """This test cannot be run here; the text says why."""


# Temporary files: one tmpfs, shared, so that slave and shared mounts can be told from private ones.

tmp = None  # pathlib.Path; made by main()
template = None
_serial = 0


def serial():
    global _serial
    _serial += 1
    return _serial


APPLETS = '''cat chmod chown cp date dd df echo env false find grep head hostname id ifconfig ip kill ln ls
md5sum mkdir mkfifo mknod mount mv nproc od printenv ps pwd readlink rm rmdir sed sh sleep sort stat sync tail
test touch true tty umount uname wc'''.split()


def make_template(path):
    for name in ('bin', 'dev', 'etc', 'proc', 'root', 'run', 'sbin', 'sys', 'tmp', 'usr', 'var'):
        (path / name).mkdir(parents=True)
    (path / 'tmp').chmod(0o1777)
    shutil.copy(BUSYBOX, path / 'bin/busybox')
    shutil.copy(PROBE, path / 'bin/probe')
    for applet in APPLETS:
        (path / 'bin' / applet).symlink_to('busybox')
    (path / 'etc/passwd').write_text('root:x:0:0:root:/root:/bin/sh\nuser:x:1000:1000:user:/home/user:/bin/sh\n')
    (path / 'etc/group').write_text('root:x:0:\nuser:x:1000:\n')


def make_rootfs(path):
    """A fresh busybox root with the probe at /bin/probe; files are shared with the template by hard links."""
    shutil.copytree(template, path, symlinks=True, copy_function=os.link)
    for name in ('etc/passwd', 'etc/group'):
        text = (path / name).read_bytes()
        (path / name).unlink()
        (path / name).write_bytes(text)
    return path


DEFAULT_CAPABILITIES = ['CAP_AUDIT_WRITE', 'CAP_CHOWN', 'CAP_KILL', 'CAP_NET_BIND_SERVICE']
DEFAULT_MASKED = ['/proc/acpi', '/proc/kcore', '/proc/keys', '/proc/timer_list', '/proc/scsi', '/sys/firmware']
DEFAULT_READONLY = ['/proc/bus', '/proc/fs', '/proc/irq', '/proc/sys', '/proc/sysrq-trigger']


def default_config():
    """As engines write it, with the probe as the process; tests change it before use."""
    def mounted(destination, fstype, source, *options):
        return {'destination': destination, 'type': fstype, 'source': source, 'options': list(options)}
    return {
        'ociVersion': '1.3.0',
        'process': {
            'terminal': False, 'user': {'uid': 0, 'gid': 0}, 'args': ['/bin/probe'], 'cwd': '/',
            'env': ['PATH=/usr/sbin:/usr/bin:/sbin:/bin'],
            'capabilities': {name: list(DEFAULT_CAPABILITIES) for name in ('bounding', 'effective', 'permitted')},
            'rlimits': [{'type': 'RLIMIT_NOFILE', 'hard': 1024, 'soft': 1024}],
            'noNewPrivileges': True,
        },
        'root': {'path': 'rootfs'},
        'hostname': 'conformance',
        'mounts': [
            mounted('/proc', 'proc', 'proc'),
            mounted('/dev', 'tmpfs', 'tmpfs', 'nosuid', 'strictatime', 'mode=755', 'size=65536k'),
            mounted('/dev/pts', 'devpts', 'devpts', 'nosuid', 'noexec', 'newinstance', 'ptmxmode=0666',
                    'mode=0620', 'gid=5'),
            mounted('/dev/shm', 'tmpfs', 'shm', 'nosuid', 'noexec', 'nodev', 'mode=1777', 'size=65536k'),
            mounted('/dev/mqueue', 'mqueue', 'mqueue', 'nosuid', 'noexec', 'nodev'),
            mounted('/sys', 'sysfs', 'sysfs', 'nosuid', 'noexec', 'nodev', 'ro'),
        ],
        'linux': {
            'cgroupsPath': f'/{CGROUP_TOP}/c{serial()}',
            'resources': {'devices': [{'allow': False, 'access': 'rwm'}]},
            'namespaces': [{'type': t} for t in ('pid', 'network', 'ipc', 'uts', 'mount')],
            'maskedPaths': list(DEFAULT_MASKED), 'readonlyPaths': list(DEFAULT_READONLY),
        },
    }


class Bundle:
    """A directory with config.json and, unless ROOTFS is false, a busybox root at rootfs/."""

    def __init__(self, config=None, rootfs=True):
        self.path = tmp / f'b{serial()}'
        self.path.mkdir()
        self.config = default_config() if config is None else config
        self.rootfs = self.path / 'rootfs'
        if rootfs:
            make_rootfs(self.rootfs)

    def save(self):
        if isinstance(self.config, (str, bytes)):
            text = self.config if isinstance(self.config, bytes) else self.config.encode()
            (self.path / 'config.json').write_bytes(text)
        else:
            (self.path / 'config.json').write_text(json.dumps(self.config, indent=1))
        return self

    def tree(self):
        """Every path below the root with its type: to see what a failed create left in it."""
        return sorted(f'{d}/{n}' for d, dirs, files in os.walk(self.rootfs) for n in dirs + files)


def shell_bundle(*script):
    """A bundle whose process is a shell script instead of the probe."""
    bundle = Bundle()
    bundle.config['process']['args'] = ['sh', '-c', '\n'.join(script)]
    return bundle


def file_bundle():
    """A bundle that has never run, with a process that ends at once."""
    return shell_bundle('exit 0')


class Answer:
    """How one call of the runtime ended."""

    def __init__(self, args, status, out, err, log):
        self.args, self.status, self.out, self.err, self.log_text = args, status, out, err, log

    def records(self):
        """The log's records."""
        return [json.loads(line) for line in self.log_text.splitlines()]

    def error(self):
        """The one error record that a failing call leaves, checked for its form."""
        assert self.status != 0, f'{self.args}: succeeded, but an error was expected'
        records = self.records()
        assert len(records) == 1, f'{self.args}: {len(records)} log records, not 1: {self.log_text!r}'
        record = records[0]
        assert record.get('level') == 'error', f'level {record.get("level")!r}'
        assert re.fullmatch(r'\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:\d\d)', record.get('time', '')), \
            f'time is not RFC 3339: {record.get("time")!r}'
        shown = re.sub(r'[\x00-\x1f\x7f]', lambda m: f'\\x{ord(m[0]):02x}', record['msg'])
        assert self.err.strip() in (record['msg'], shown), f'stderr {self.err!r} is not msg {record["msg"]!r}'
        cause(record)
        return record

    def __repr__(self):
        return f'{" ".join(self.args)}: status {self.status}, out {self.out!r}, err {self.err!r}'


# What engines look for in messages (base/quote.c).
PHRASES = ('no such file or directory|permission denied|operation not permitted|executable file not found|open executable|'
           'is a directory|not a directory|does not exist|no such process|invalid process|container not running|'
           'process already finished')


def cause(record):
    """The message of an error without the hint, which stands behind it for the users of engines."""
    hint = record.get('hint')
    if hint is None:
        return record['msg']
    assert record['msg'].endswith(f'; {hint}'), f'message {record["msg"]!r} without its hint {hint!r}'
    assert not re.search(PHRASES, hint, re.I), f'the hint {hint!r} has words that mean something to engines'
    return record['msg'].removesuffix(f'; {hint}')


class Runtime:
    """The program under test with a state directory of its own."""

    def __init__(self, *global_options, env=None, preexec_fn=None):
        self.root = tmp / f'r{serial()}'
        self.global_options = list(global_options)
        self.env, self.preexec_fn = env, preexec_fn

    def command(self, *args, log=None):
        options = ['--log', str(log), '--log-format', 'json'] if log else []
        return [KOGG, '--root', str(self.root), *options, *self.global_options, *map(str, args)]

    def start_call(self, *args, log=None, **popen):
        popen.setdefault('stdin', subprocess.DEVNULL)
        if self.env is not None:
            popen.setdefault('env', self.env)
        return subprocess.Popen(self.command(*args, log=log), **popen)

    def wait(self, process, timeout):
        return process.wait(timeout)

    def call(self, *args, timeout=30, wrapper=(), **popen):
        """Runs one command to its end; stdout and stderr go through files, so that a child may keep them."""
        log = tmp / f'log{serial()}'
        with tempfile.TemporaryFile(dir=tmp) as out, tempfile.TemporaryFile(dir=tmp) as err:
            popen = {'stdin': subprocess.DEVNULL, 'stdout': out, 'stderr': err, 'env': self.env,
                     'preexec_fn': self.preexec_fn, **popen}
            process = subprocess.Popen([*wrapper, *self.command(*args, log=log)], **popen)
            try:
                status = self.wait(process, timeout)
            except subprocess.TimeoutExpired:
                where = '\n'.join(whereabouts(process.pid))
                process.kill()
                process.wait()
                raise AssertionError(f'{" ".join(map(str, args))}: no end after {timeout} s\n{where}') from None
            out.seek(0)
            err.seek(0)
            text = log.read_text() if log.exists() else ''
            if log.exists():
                log.unlink()
            return Answer(list(map(str, args)), status, out.read().decode(errors='replace'),
                          err.read().decode(errors='replace'), text)

    def ok(self, *args, **options):
        answer = self.call(*args, **options)
        assert answer.status == 0, repr(answer)
        return answer

    def fails(self, *args, **options):
        """The log record of a call that must fail."""
        return self.call(*args, **options).error()

    def state(self, name):
        return json.loads(self.ok('state', name).out)

    def ids(self):
        return sorted(n for n in os.listdir(self.root) if n[0] != '.') if self.root.exists() else []


class Console:
    """A console socket and the terminal that arrives there."""

    def __init__(self):
        self.path = tmp / f's{serial()}'
        self.listener = socket.socket(socket.AF_UNIX)
        self.listener.bind(str(self.path))
        self.listener.listen(1)
        self.listener.settimeout(10)
        self.master = -1

    def receive(self):
        """Takes the one message; returns its payload, the terminal's name."""
        connection, _ = self.listener.accept()
        with connection:
            connection.settimeout(0.3)
            payload, fds, _, _ = socket.recv_fds(connection, 4096, 4)
            self.master = fds[0] if fds else -1
            try:
                rest = connection.recv(1)
            except TimeoutError:
                raise AssertionError('the console socket stays connected after its message') from None
        assert len(fds) == 1, f'{len(fds)} descriptors in the console message, not 1'
        assert rest == b'', 'more than one message on the console socket'
        return payload.decode()

    def close(self):
        self.listener.close()
        if self.master >= 0:
            os.close(self.master)
            self.master = -1
        self.path.unlink(missing_ok=True)


class Container:
    """One container of a bundle whose process is the probe; deletes itself at the end of a with block."""

    def __init__(self, runtime, bundle, name=None, global_options=()):
        self.runtime, self.bundle = runtime, bundle
        self.id = name or f'kogg-test-{os.getpid()}-{serial()}'
        self.stdin = self.stdout = -1
        self.console = None
        self.theirs = ()
        self.pending = b''
        self.pid = 0
        self.is_made = False

    def __enter__(self):
        return self

    def __exit__(self, kind, error, trace):
        if self.is_made:
            answer = self.runtime.call('delete', '--force', self.id)
            if kind is None:
                assert answer.status == 0, repr(answer)
        self.close()

    def close(self):
        for fd in (self.stdin, self.stdout):
            if fd >= 0:
                os.close(fd)
        self.stdin = self.stdout = -1
        if self.console:
            self.console.close()
            self.console = None

    def open_stdio(self):
        """Pipes or a console socket for the container; self.popen is what the runtime's call is given."""
        self.popen, self.theirs = {}, ()
        if self.bundle.config['process'].get('terminal'):
            self.console = Console()
            return
        theirs_in, self.stdin = os.pipe()
        self.stdout, theirs_out = os.pipe()
        self.theirs = (theirs_in, theirs_out)
        self.popen = {'stdin': theirs_in, 'stdout': theirs_out}

    def close_theirs(self):
        """Closes this side's copies of the container's ends."""
        for fd in self.theirs:
            os.close(fd)
        self.theirs = ()

    def take_console(self):
        """Receives the terminal, if there is one, and uses it for stdin and stdout."""
        if self.console:
            self.terminal_name = self.console.receive()
            tty.setraw(self.console.master)
            self.stdin, self.stdout = os.dup(self.console.master), os.dup(self.console.master)

    def try_create(self, *options, **popen):
        """The runtime's answer to create."""
        self.bundle.save()
        self.open_stdio()
        if self.console:
            options = (*options, '--console-socket', self.console.path)
        try:
            answer = self.runtime.call('create', '--bundle', self.bundle.path, *options, self.id,
                                       **{**self.popen, **popen})
        finally:
            self.close_theirs()
        self.is_made = answer.status == 0
        return answer

    def create(self, *options, **popen):
        answer = self.try_create(*options, **popen)
        assert answer.status == 0, repr(answer)
        assert answer.out == '' and answer.err == '', f'create printed something: {answer!r}'
        self.take_console()
        if self.stdout >= 0:
            assert not select.select([self.stdout], [], [], 0)[0], 'create wrote to the container\'s stdout'
        self.pid = self.runtime.state(self.id)['pid']
        return self

    def start(self):
        self.runtime.ok('start', self.id)
        return self

    def read_line(self, timeout=10):
        deadline = time.monotonic() + timeout
        while b'\n' not in self.pending:
            left = deadline - time.monotonic()
            if left <= 0 or not select.select([self.stdout], [], [], left)[0]:
                raise AssertionError(f'no answer from the container in {timeout} s; so far {self.pending[:200]!r}')
            try:
                chunk = os.read(self.stdout, 1 << 16)
            except OSError:  # EIO: the terminal's other side is closed
                chunk = b''
            if not chunk:
                raise AssertionError(f'the container ended without an answer; so far {self.pending[:200]!r}')
            self.pending += chunk
        line, self.pending = self.pending.split(b'\n', 1)
        return line.decode()

    def say(self, *lines):
        os.write(self.stdin, ''.join(f'{line}\n' for line in lines).encode())

    def ask(self, *requests):
        """What the probe says of itself, with the member `answers` by request."""
        self.say(*requests, 'go')
        return json.loads(self.read_line())

    def run(self, *requests):
        """Create, start, ask."""
        return self.create().start().ask(*requests)

    def finish(self, status=0):
        """Makes the probe exit and waits until the runtime sees it."""
        self.say(f'exit {status}')
        return self.wait_status('stopped')

    def wait_status(self, status, timeout=10):
        deadline = time.monotonic() + timeout
        while True:
            reap()
            state = self.runtime.state(self.id)
            if state['status'] == status:
                return state
            assert time.monotonic() < deadline, f'still {state["status"]}, not {status}, after {timeout} s'
            time.sleep(0.01)

    def delete(self):
        answer = self.runtime.ok('delete', self.id)
        assert answer.out == '' and answer.err == '', f'delete printed something: {answer!r}'
        self.is_made = False
        self.close()


def settle(condition, seconds=10):
    """Waits for what is on its way, as an init does that waits for every orphan."""
    end = time.monotonic() + seconds
    while not condition():
        reap()
        if time.monotonic() > end:
            return False
        time.sleep(0.005)
    return True


def run_program(runtime, bundle, *options, timeout=30, **popen):
    """`run` in the foreground; the answer's out and err are the container's."""
    bundle.save()
    return runtime.call('run', '--bundle', bundle.path, *options, f'kogg-test-{os.getpid()}-{serial()}',
                        timeout=timeout, **popen)


# Leftovers

_temporary_mounts = []


def temporary_mount(source, target, *args, **options):
    """A mount of the test's own, which ends with the test."""
    mount(source, target, *args, **options)
    _temporary_mounts.append(target)


def temporary_image(target, megabytes=4):
    """An empty ext4 of the test's own at TARGET, for what a tmpfs can't do."""
    image = tmp / f'image{serial()}'
    with open(image, 'wb') as file:
        file.truncate(megabytes << 20)
    subprocess.run(['modprobe', '-q', 'loop'], check=False)
    for command in (['mke2fs', '-q', '-t', 'ext4', image], ['mount', '-o', 'loop', '-t', 'ext4', image, target]):
        result = subprocess.run(command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, check=False)
        if result.returncode:
            raise Skip(f'no ext4 on a loop device: {result.stderr.decode().strip()}')
    _temporary_mounts.append(target)


def states():
    return [str(path) for root in tmp.glob('r[0-9]*') if root.is_dir()
            for path in root.iterdir() if path.name[0] != '.']  # those are caches


def leftovers(mounts_before, descriptors_before):
    """What a test left behind, as lines; it is removed, so that the next test starts clean."""
    found = [f'process {pid}: {describe(pid)}' for pid in orphans()]
    for pid in orphans():
        os.kill(pid, signal.SIGKILL)
    orphans()
    while _temporary_mounts:
        umount(_temporary_mounts.pop())
    for target in reversed(mount_table()[len(mounts_before):]):
        found.append(f'mount {target}')
        umount(target)
    groups = cgroup_leftovers()
    found += [f'cgroup {group}' for group in groups]
    remove_cgroups(groups)
    found += [f'state {path}' for path in states()]
    for entry in tmp.iterdir():
        if entry != template:
            shutil.rmtree(entry, ignore_errors=True) if entry.is_dir() else entry.unlink()
    extra = len(os.listdir('/proc/self/fd')) - descriptors_before
    if extra > 0:
        found.append(f'{extra} descriptors of the test itself')
    return found


# Running tests

def expect(actual, wanted, what):
    assert actual == wanted, f'{what}: {actual!r}, not {wanted!r}'


def expect_in(part, whole, what):
    assert part in whole, f'{what}: {part!r} is not in {whole!r}'


def expect_tree(bundle, before):
    """The root file system holds what it held BEFORE (of Bundle.tree())."""
    after = bundle.tree()
    base = str(bundle.rootfs)
    changes = [f'+{p.removeprefix(base)}' for p in after if p not in before]
    changes += [f'-{p.removeprefix(base)}' for p in before if p not in after]
    assert not changes, f'the root file system changed: {" ".join(changes)}'


def cases(*rows):
    """Decorator: one test for each row; the row's first item is its name."""
    def mark(function):
        function.rows = rows
        return function
    return mark


class Report:
    def __init__(self):
        self.counts = {'passed': 0, 'failed': 0, 'skipped': 0}

    def line(self, result, name, detail=''):
        self.counts[result] += 1
        number = sum(self.counts.values())
        if result == 'skipped':
            print(f'ok {number} - {name} # SKIP {detail}', flush=True)
        elif result == 'passed':
            print(f'ok {number} - {name}', flush=True)
        else:
            print(f'not ok {number} - {name}', flush=True)
            for text in detail.strip().splitlines():
                print(f'# {text}', flush=True)

    def end(self):
        print(f'1..{sum(self.counts.values())}')
        print(f'# {self.counts["passed"]} passed, {self.counts["failed"]} failed, {self.counts["skipped"]} skipped')
        return 1 if self.counts['failed'] else 0


def run_test(report, name, function, *args):
    mounts, descriptors = mount_table(), len(os.listdir('/proc/self/fd'))
    result, detail = 'passed', ''
    try:
        function(*args)
    except Skip as skip:
        result, detail = 'skipped', str(skip)
    except AssertionError as error:
        result, detail = 'failed', str(error) or traceback.format_exc()
    except Exception:  # a broken test must not hide the others
        result, detail = 'failed', traceback.format_exc()
    try:
        left = leftovers(mounts, descriptors)
    except OSError as error:
        left = [f'cleaning up: {error}']
    if left and result != 'skipped':
        result, detail = 'failed', detail + '\nleft behind:\n' + '\n'.join(left)
    report.line(result, name, detail)


def skip_all(reason):
    print(f'1..0 # SKIP {reason}')
    sys.exit(NO_TEST)


def enter_cgroup_view(view):
    """The v2 hierarchy is always there, mounted or not, if without the controllers that v1 ones have taken."""
    if view == 'v2':
        if cgroups_are_v2():
            skip_all('this host has nothing but cgroup v2 anyway')
        mount('cgroup2', '/sys/fs/cgroup', 'cgroup2')


def setup():
    """Refuses what cannot work, then gives the process its own mount namespace and temporary directory."""
    global tmp, template
    if os.geteuid() != 0:
        skip_all('needs root')
    for path, what in ((KOGG, 'runtime'), (PROBE, 'probe'), (BUSYBOX, 'static busybox')):
        if not os.access(path, os.X_OK):
            sys.exit(f'no {what} at {path}')
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(128 + signal.SIGTERM))  # so that teardown() is reached
    for number in (signal.SIGHUP, signal.SIGINT, signal.SIGQUIT):  # as nohup(1) or a shell's "&" has them ignored
        if signal.getsignal(number) == signal.SIG_IGN:
            signal.signal(number, signal.SIG_DFL)
    os.umask(0o022)
    resource.setrlimit(resource.RLIMIT_CORE, (0, resource.getrlimit(resource.RLIMIT_CORE)[1]))
    check_call(libc.unshare(CLONE_NEWNS), 'unshare')
    mount(None, '/', flags=MS_REC | MS_PRIVATE)
    check_call(libc.prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0), 'prctl')
    enter_cgroup_view(os.environ.get('KOGG_TEST_CGROUPS'))
    tmp = pathlib.Path(tempfile.mkdtemp(prefix='kogg-test-'))
    mount('tmpfs', tmp, 'tmpfs', data='mode=0755')
    mount(None, tmp, flags=MS_SHARED)
    template = tmp / 'template'
    make_template(template)


def teardown():
    for pid in orphans():
        os.kill(pid, signal.SIGKILL)
    orphans()
    remove_cgroups(cgroup_leftovers())
    umount(tmp)
    tmp.rmdir()
    for where in cgroup_mounts().values():
        top = pathlib.Path(where, CGROUP_TOP)
        if top.exists():
            top.rmdir()


def collect(module, pattern):
    for name, function in list(vars(module).items()):
        if not name.startswith('test_') or not inspect.isfunction(function):
            continue
        for row in getattr(function, 'rows', [()]):
            full = name.removeprefix('test_').replace('_', ' ') + (f': {row[0]}' if row else '')
            if re.search(pattern, full):
                yield full, function, row


def main(module_name):
    """Runs the test_* functions of the calling module whose name matches the first argument."""
    if module_name != '__main__':
        return
    pattern = sys.argv[1] if len(sys.argv) > 1 else ''
    tests = list(collect(sys.modules['__main__'], pattern))
    if not tests:
        sys.exit(f'no test is named like {pattern!r} (words stand apart by spaces)')
    setup()
    report = Report()
    try:
        for name, function, row in tests:
            run_test(report, name, function, *row)
    finally:
        teardown()
    sys.exit(report.end())
