# SPDX-License-Identifier: Apache-2.0
"""The machine as the conformance tests see it: mounts, control groups, namespaces, orphaned processes."""
import ctypes
import glob
import os
import pathlib
import signal
import subprocess
import time

CGROUP_TOP = f'kogg-test-{os.getpid()}'

CLONE_NEWNS, CLONE_NEWNET, CLONE_NEWUTS, CLONE_NEWIPC = 0x20000, 0x40000000, 0x4000000, 0x8000000
CLONE_NEWUSER, CLONE_NEWPID, CLONE_NEWCGROUP, CLONE_NEWTIME = 0x10000000, 0x20000000, 0x2000000, 0x80
MS_RDONLY, MS_NOSUID, MS_NODEV, MS_NOEXEC, MS_REMOUNT = 1, 2, 4, 8, 32
MS_BIND, MS_MOVE, MS_REC, MS_PRIVATE, MS_SLAVE, MS_SHARED = 4096, 8192, 16384, 1 << 18, 1 << 19, 1 << 20
MNT_DETACH = 2
PR_SET_CHILD_SUBREAPER = 36
PR_CAPBSET_DROP, CAP_SYS_PTRACE = 24, 19

libc = ctypes.CDLL(None, use_errno=True)


def check_call(result, what):
    if result < 0:
        error = ctypes.get_errno()
        raise OSError(error, f'{what}: {os.strerror(error)}')
    return result


def mount(source, target, fstype=None, flags=0, data=None):
    def text(value):
        return None if value is None else os.fsencode(str(value))
    check_call(libc.mount(text(source), text(target), text(fstype), ctypes.c_ulong(flags), text(data)),
               f'mount {target}')


def umount(target, flags=MNT_DETACH):
    check_call(libc.umount2(os.fsencode(str(target)), flags), f'umount {target}')


def mount_table():
    return [line.split(' - ')[0].split(' ')[4] for line in
            pathlib.Path('/proc/self/mountinfo').read_text().splitlines()]


# Namespaces that a test owns, for joining by path

class Namespaces:
    """A process that only holds new namespaces; path('net') names one of them."""

    def __init__(self, *options):
        self.process = subprocess.Popen(['unshare', *options, '--', '/bin/busybox', 'sh', '-c', 'echo; exec sleep 1000'],
                                        stdin=subprocess.DEVNULL, stdout=subprocess.PIPE)
        self.process.stdout.readline()

    def path(self, name):
        return f'/proc/{self.process.pid}/ns/{name}'

    def map_ids(self, mapping):
        """Gives its user namespace, which has none yet, one mapping of users and groups."""
        text = f'{mapping["containerID"]} {mapping["hostID"]} {mapping["size"]}'
        for name in ('uid_map', 'gid_map'):
            pathlib.Path(f'/proc/{self.process.pid}/{name}').write_text(text)

    def inode(self, name):
        return os.readlink(self.path(name))

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.kill()
        self.process.wait()
        self.process.stdout.close()


# Control groups of the host

def cgroup_mounts():
    """Controller or name -> mount point; '' is the unified hierarchy. What another mount hides is left out."""
    result = {}
    for line in pathlib.Path('/proc/self/mountinfo').read_text().splitlines():
        left, right = line.split(' - ')
        fstype, _, options = right.split(' ')[:3]
        if left.split(' ')[4] == '/sys/fs/cgroup':
            result.clear()
        if fstype == 'cgroup2':
            result.setdefault('', left.split(' ')[4])
        elif fstype == 'cgroup':
            for word in options.split(','):
                if word not in ('rw', 'ro') and not word.startswith(('release_agent', 'xattr', 'clone_children')):
                    result.setdefault(word.removeprefix('name='), left.split(' ')[4])
    return result


def cgroups_are_v2():
    """Whether there is nothing but the unified hierarchy."""
    return cgroup_mounts().get('') == '/sys/fs/cgroup'


def controller_home(name):
    """Where the controller is that v2 calls NAME: (1, mount), (2, mount), or (0, None) if nowhere."""
    mounts = cgroup_mounts()
    v1_name = {'io': 'blkio'}.get(name, name)
    if v1_name in mounts:
        return 1, pathlib.Path(mounts[v1_name])
    unified = pathlib.Path(mounts.get('', '/nonexistent'))
    if unified.exists() and name in (unified / 'cgroup.controllers').read_text().split():
        return 2, unified
    return 0, None


def group_files(where):
    """The names of the files in a new group at the top of a hierarchy."""
    group = where / f'{CGROUP_TOP}-look'
    group.mkdir()
    names = {path.name for path in group.iterdir()}
    group.rmdir()
    return names


def is_guest():
    """Whether this is a guest of lab/, where nothing that a test does to the host lasts."""
    return 'lab.root=' in pathlib.Path('/proc/cmdline').read_text()


def own_cgroups():
    """Controller or name -> the path of this process's own group."""
    result = {}
    for line in pathlib.Path('/proc/self/cgroup').read_text().splitlines():
        _, names, path = line.split(':', 2)
        for name in names.split(','):
            result[name.removeprefix('name=')] = path
    return result


def cgroup_leftovers():
    """Groups of this test run that exist, except the one at the top."""
    found = []
    own = own_cgroups()
    for name, where in cgroup_mounts().items():
        bases = {pathlib.Path(where), pathlib.Path(where + own.get(name, '/'))}
        for base in bases:
            for group in base.glob(f'kogg-test-{os.getpid()}*'):
                found += [pathlib.Path(d) for d, _, _ in os.walk(group) if d != str(group)]
                if group.name != CGROUP_TOP:
                    found.append(group)
    return sorted(set(found), reverse=True)


def remove_cgroups(groups):
    for group in groups:
        for _ in range(100):
            try:
                group.rmdir()
                break
            except OSError:
                for pid in (group / 'cgroup.procs').read_text().split() if group.exists() else ():
                    os.kill(int(pid), signal.SIGKILL)
                time.sleep(0.01)
                reap()


# Processes

exit_statuses = {}  # pid -> wait status of orphans that came to us


def all_cpus():
    """Those that this process may run on, if it asks for it: its own mask may be narrower."""
    own = os.sched_getaffinity(0)
    os.sched_setaffinity(0, range(1024))
    cpus = sorted(os.sched_getaffinity(0))
    os.sched_setaffinity(0, own)
    return cpus


def children(pid='self'):
    """Of every thread; none of a process that has ended."""
    found = []
    for path in glob.glob(f'/proc/{pid}/task/*/children'):
        try:
            found += map(int, pathlib.Path(path).read_text().split())
        except (FileNotFoundError, ProcessLookupError):  # a thread that has just ended; another has its children
            continue
    return found


def reap():
    """Collects the exit statuses of containers that were orphaned to us."""
    for pid in children():
        try:
            result = os.waitid(os.P_PID, pid, os.WEXITED | os.WNOHANG | os.WNOWAIT)
        except ChildProcessError:
            continue
        if result and pid not in started_pids():
            _, exit_statuses[pid] = os.waitpid(pid, 0)


_popen_init = subprocess.Popen.__init__
_started = []


def _remember(self, *args, **kwargs):
    _popen_init(self, *args, **kwargs)
    _started.append(self)


subprocess.Popen.__init__ = _remember


def started_pids():
    """Children that a test started and still has to wait for itself."""
    _started[:] = [p for p in _started if p.returncode is None]
    return {p.pid for p in _started}


def orphans():
    """Processes that the runtime left to us, zombies reaped."""
    deadline = time.monotonic() + 1
    while True:
        reap()
        left = [pid for pid in children() if pid not in started_pids()]
        if not left or time.monotonic() > deadline:
            return left
        time.sleep(0.01)


def whereabouts(pid):
    """A line for a process and for each below it: its state, and the system call and the place in the kernel it waits in."""
    where = pathlib.Path(f'/proc/{pid}')
    try:
        state = (where / 'stat').read_text().rsplit(')', 1)[1].split()[0]
        call, place = (where / 'syscall').read_text().split()[0], (where / 'wchan').read_text()
        below = children(pid)
    except OSError as error:
        return [f'{pid}: {error}']
    return [f'{pid} ({state}) {describe(pid)[:100]}: call {call}, {place}',
            *(line for child in below for line in whereabouts(child))]


def describe(pid):
    try:
        return pathlib.Path(f'/proc/{pid}/cmdline').read_bytes().replace(b'\0', b' ').decode(errors='replace')
    except OSError:
        return '?'
