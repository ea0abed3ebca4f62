#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Without privilege: a normal user, with and without delegated cgroups, and root of a user namespace."""
import json
import os
import pathlib
import shutil
import socket

import harness
from harness import Bundle, Runtime, Skip, cases, expect, expect_in
from machine import CGROUP_TOP, MS_BIND, MS_REC, cgroup_mounts, controller_home

UID = 54321
SUBIDS = 200000


def extend(path, line):
    """A file of the host with one line more, for this test alone."""
    copy = harness.tmp / f'f{harness.serial()}'
    copy.write_text(pathlib.Path(path).read_text() + line + '\n')
    copy.chmod(0o644)
    harness.temporary_mount(copy, path, flags=MS_BIND)


def give_ids(line):
    for path in ('/etc/subuid', '/etc/subgid'):
        if not shutil.which('newuidmap') or not os.path.exists(path):
            raise Skip('the package uidmap is not installed')
        extend(path, line)


class User(Runtime):
    """A user whom no account of the host has, and the runtime as called by that user, without --root."""

    def __init__(self):
        super().__init__()
        self.home = harness.tmp / f'u{harness.serial()}'
        self.home.mkdir()
        self.program = self.home / 'kogg'
        shutil.copy(harness.KOGG, self.program)
        self.run_dir = self.home / 'run'
        self.run_dir.mkdir(mode=0o700)
        os.chown(self.run_dir, UID, UID)
        self.root = self.run_dir / 'kogg'
        self.env = {'PATH': os.environ['PATH'], 'XDG_RUNTIME_DIR': str(self.run_dir)}
        extend('/etc/passwd', f'koggtest:x:{UID}:{UID}::/:/bin/sh')
        extend('/etc/group', f'koggtest:x:{UID}:')
        give_ids(f'koggtest:{SUBIDS}:65536')

    def command(self, *args, log=None):
        options = []
        if log:
            log.touch()
            os.chown(log, UID, UID)
            options = ['--log', str(log), '--log-format', 'json']
        return ['setpriv', f'--reuid={UID}', f'--regid={UID}', '--clear-groups', str(self.program),
                *options, *self.global_options, *map(str, args)]

    def own(self, bundle):
        for directory, dirs, files in os.walk(bundle.path):
            for name in ['.', *dirs, *files]:
                path = os.path.join(directory, name)
                if name != 'busybox' and name != 'probe':  # shared with the other bundles
                    os.lchown(path, UID, UID)
        return bundle.save()


def mappings(first=SUBIDS):
    return [{'containerID': 0, 'hostID': UID, 'size': 1}, {'containerID': 1, 'hostID': first, 'size': 65535}]


def user_bundle(caller, change=lambda config: None, **members):
    """As engines configure it: own id as root, the subordinate ids for the rest, no cgroup of its own."""
    bundle = Bundle()
    linux = bundle.config['linux']
    linux['namespaces'].append({'type': 'user'})
    linux['uidMappings'], linux['gidMappings'] = mappings(), mappings()
    del linux['cgroupsPath']
    bundle.config['process'].update(members)
    change(bundle.config)
    return caller.own(bundle)


def run(user, bundle, *options):
    return user.call('run', '--bundle', bundle.path, *options, 'mine')


# A normal user

def test_spec_of_a_user():
    """`kogg spec --rootless` gives a config that runs as it is."""
    user = User()
    bundle = Bundle()
    user.own(bundle)
    (bundle.path / 'config.json').unlink()
    user.ok('spec', '--rootless', '--bundle', bundle.path)
    bundle.config = json.loads((bundle.path / 'config.json').read_text())
    bundle.config['process'].update(terminal=False, args=['sh', '-c', 'id -u; cat /proc/self/uid_map'])
    answer = run(user, user.own(bundle))
    expect((answer.status, answer.err), (0, ''), repr(answer))
    expect(answer.out.split(), ['0', '0', str(UID), '1'], 'uid and map')


def test_subordinate_ids():
    user = User()
    bundle = user_bundle(user, args=['sh', '-c', 'id; cat /proc/self/uid_map; stat -c %u:%g /etc/passwd'],
                         user={'uid': 5, 'gid': 6, 'additionalGids': [7]})
    answer = run(user, bundle)
    expect((answer.status, answer.err), (0, ''), repr(answer))
    expect_in('uid=5 gid=6 groups=7', answer.out, 'ids')
    expect_in('0:0', answer.out, 'owner of the root file system')


def test_many_subordinate_ids():
    """340 ranges, as many as the kernel takes, by newuidmap and newgidmap; in 4095 characters, as it wants them."""
    user = User()
    give_ids('koggtest:20000:1000')
    many = [{'containerID': 0, 'hostID': UID, 'size': 1},
            *({'containerID': i, 'hostID': 20000 + 2 * i, 'size': 1} for i in range(1, 340))]
    bundle = user_bundle(user, lambda config: config['linux'].update(uidMappings=many, gidMappings=many),
                         args=['sh', '-c', 'cat /proc/self/uid_map | wc -l; cat /proc/self/gid_map | wc -l'])
    answer = run(user, bundle)
    expect((answer.status, answer.out.split()), (0, ['340', '340']), repr(answer))


@cases(
    ('foreign', {'uidMappings': mappings(), 'gidMappings': mappings(300000)}, '/linux/gidMappings', 'newgidmap'),
    ('foreign users', {'uidMappings': mappings(300000), 'gidMappings': mappings()}, '/linux/uidMappings', 'newuidmap'),
)
def test_ids_that_are_not_the_users(name, members, pointer, phrase):
    user = User()
    bundle = user_bundle(user, lambda config: config['linux'].update(members))
    answer = run(user, bundle)
    expect(answer.status, 1, 'status')
    record = answer.error()
    expect(record.get('pointer'), pointer, 'pointer')
    expect_in(phrase, record['msg'], 'message')
    expect_in('/etc/subuid', record['hint'], 'hint')
    expect(user.ids(), [], 'states')


def test_without_the_helpers():
    user = User()
    bundle = user_bundle(user)
    for name in ('newuidmap', 'newgidmap'):
        harness.temporary_mount('/dev/null', shutil.which(name), flags=MS_BIND)
    record = run(user, bundle).error()
    expect_in('not installed', record['msg'], 'message')
    expect_in('uidmap', record['hint'], 'hint')


def test_life():
    """State lies in $XDG_RUNTIME_DIR/kogg; all that needs no cgroup works without one."""
    user = User()
    bundle = user_bundle(user, args=['sleep', '1000'])
    user.ok('run', '--detach', '--bundle', bundle.path, 'mine')
    expect(user.ids(), ['mine'], 'states')
    state = user.state('mine')
    expect(state['status'], 'running', 'status')
    expect([row['id'] for row in json.loads(user.ok('list', '--format', 'json').out)], ['mine'], 'list')
    answer = user.ok('exec', '--user', '9:9', 'mine', 'id', '-u')
    expect(answer.out, '9\n', 'uid')
    answer = user.ok('exec', '--tty', 'mine', 'sh', '-c', 'tty; echo done')
    expect_in('done', answer.out, 'output on a terminal')
    record = user.fails('pause', 'mine')
    expect_in('no cgroup', record['msg'], 'message')
    user.ok('kill', 'mine', 'KILL')
    user.ok('delete', '--force', 'mine')
    expect(user.ids(), [], 'states')


@cases(('notified', 'mkdir', 'SCMP_ACT_NOTIFY', ''), ('sendmsg notified', 'sendmsg', 'SCMP_ACT_NOTIFY', "possible for 'sendmsg'"),
       ('sendmsg denied', 'sendmsg', 'SCMP_ACT_ERRNO', 'allow sendmsg(2)'))
def test_seccomp_listener(name, call, action, phrase):
    """The process hands it on, as a normal user may not take it."""
    user = User()
    path = harness.tmp / 'agent'
    rules = [{'names': ['mkdir', 'mkdirat'], 'action': 'SCMP_ACT_NOTIFY'}, {'names': [call], 'action': action}]
    bundle = user_bundle(user, lambda config: config['linux'].update(seccomp={
        'defaultAction': 'SCMP_ACT_ALLOW', 'listenerPath': str(path), 'syscalls': rules}), args=['sleep', '1000'])
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(str(path))
        path.chmod(0o777)
        listener.listen(2)
        listener.settimeout(5)
        answer = user.call('create', '--bundle', bundle.path, 'mine')
        if phrase:
            record = answer.error()
            expect_in(phrase, record['msg'] + record.get('hint', ''), 'message')
            expect(user.ids(), [], 'states')
            return
        expect(answer.status, 0, repr(answer))
        user.ok('start', 'mine')
        for words in ([], ['exec', 'mine', 'true']):
            if words:
                user.ok(*words)
            with listener.accept()[0] as connection:
                text, fds, _, _ = socket.recv_fds(connection, 65536, 4)
            expect((json.loads(text)['state']['id'], len(fds)), ('mine', 1), 'message')
            os.close(fds[0])
        user.ok('delete', '--force', 'mine')


def test_root_of_somebody_else():
    """A user whose environment names no directory meets /run, and is told what else there is."""
    user = User()
    user.env.pop('XDG_RUNTIME_DIR')
    elsewhere = harness.tmp / f'r{harness.serial()}'
    elsewhere.mkdir(mode=0o700)
    user.global_options = ['--root', str(elsewhere / 'kogg')]
    record = user.fails('create', '--bundle', user_bundle(user).path, 'x')
    expect_in('XDG_RUNTIME_DIR', record.get('hint', ''), 'hint')


def test_devices_are_the_hosts():
    user = User()
    bundle = user_bundle(user, args=['sh', '-c', 'echo x > /dev/null && head -c 4 /dev/zero | wc -c; stat -c %t:%T /dev/null'])
    answer = run(user, bundle)
    expect((answer.status, answer.out.split()), (0, ['4', '1:3']), repr(answer))


@cases(
    ('limit', lambda config: config['linux']['resources'].update(pids={'limit': 10})),
    ('path', lambda config: config['linux'].update(cgroupsPath=f'/{CGROUP_TOP}/denied')),
)
def test_group_that_is_not_delegated(name, change):
    """What the config asks for is done, or it is an error."""
    user = User()
    record = run(user, user_bundle(user, change)).error()
    expect_in('cgroup', record['msg'], 'message')
    expect_in('delegated', record['hint'], 'hint')
    expect(user.ids(), [], 'states')


class Delegated(User):
    """The user owns a group in each hierarchy and is in one below it, as systemd does it."""

    def __init__(self):
        super().__init__()
        self.path = f'/{CGROUP_TOP}/user{harness.serial()}'
        self.groups = [pathlib.Path(where + self.path) for where in set(cgroup_mounts().values())]
        for group in self.groups:
            for directory in (group, group / 'caller'):
                directory.mkdir(parents=True)
                if directory == group and controller_home('pids') == (2, group.parent.parent):
                    (group.parent / 'cgroup.subtree_control').write_text('+pids')
                self.fill_cpuset(directory)
                for entry in (directory, *directory.iterdir()):
                    if entry == directory or entry.name in ('cgroup.procs', 'tasks', 'cgroup.subtree_control',
                                                            'cgroup.threads'):
                        os.chown(entry, UID, UID)
        self.preexec_fn = self.enter

    @staticmethod
    def fill_cpuset(group):
        """Without CPUs a v1 group takes nobody; in v2 it has its parent's."""
        if (group / 'cgroup.controllers').exists():
            return
        for directory in (group.parent, group):
            for name in ('cpuset.cpus', 'cpuset.mems'):
                if (directory / name).exists() and not (directory / name).read_text().strip():
                    (directory / name).write_text((directory.parent / name).read_text())

    def enter(self):
        for group in self.groups:
            (group / 'caller/cgroup.procs').write_text(str(os.getpid()))

    def release(self):
        for group in self.groups:
            (group / 'caller').rmdir()
            group.rmdir()


def test_delegated_groups():
    user = Delegated()
    _, where = controller_home('pids')
    def change(config):
        config['linux']['cgroupsPath'] = f'{user.path}/c'
        if where:
            config['linux']['resources']['pids'] = {'limit': 17}
    bundle = user_bundle(user, change, args=['sleep', '1000'])
    user.ok('run', '--detach', '--bundle', bundle.path, 'mine')
    for group in user.groups:
        assert (group / 'c').is_dir(), f'no group {group}/c'
    if where:
        limit = pathlib.Path(str(where) + user.path, 'c/pids.max').read_text()
        expect(limit, '17\n', 'limit')
    groups = pathlib.Path(f'/proc/{user.state("mine")["pid"]}/cgroup').read_text()
    assert f'{user.path}/c\n' in groups, groups
    expect(user.ok('exec', 'mine', 'cat', '/proc/self/cgroup').out, groups, 'groups of an exec')
    user.ok('pause', 'mine')
    expect(user.state('mine')['status'], 'paused', 'status')
    user.ok('resume', 'mine')
    user.ok('delete', '--force', 'mine')
    for group in user.groups:
        assert not (group / 'c').exists(), f'{group}/c is left'
    user.release()


def test_systemd_driver_without_a_manager():
    """The user's manager is asked, not the system's; where there is none, that is said."""
    helper = pathlib.Path(harness.KOGG).parent / 'kogg-systemd'
    if not helper.exists():
        raise Skip('kogg is built without systemd')
    user = User()
    shutil.copy(helper, user.home / helper.name)
    user.global_options = ['--systemd-cgroup']
    bundle = user_bundle(user, lambda config: config['linux'].update(cgroupsPath=':kogg:mine'))
    record = run(user, bundle).error()
    expect_in("systemd unit 'kogg-mine.scope': connect to systemd", record['msg'], 'message')
    expect_in('is systemd running here', record['hint'], 'hint')
    assert 'no such file' not in record['msg'], record['msg']
    expect(user.ids(), [], 'states')


# Hosts that forbid it

@cases(
    ('Debian', 'unprivileged_userns_clone', '0\n', 'kernel.unprivileged_userns_clone'),
    ('AppArmor', 'apparmor_restrict_unprivileged_userns', '1\n', 'kernel.apparmor_restrict_unprivileged_userns'),
)
def test_policy(name, setting, value, phrase):
    """A file stands where the setting would be; the kernel's answer is that in a chroot, which is EPERM too."""
    user = User()
    bundle = user_bundle(user)
    harness.temporary_mount('tmpfs', '/proc/sys/kernel', 'tmpfs', data='mode=0755')
    pathlib.Path('/proc/sys/kernel', setting).write_text(value)
    jail = harness.tmp / f'j{harness.serial()}'
    jail.mkdir()
    harness.temporary_mount('/', jail, flags=MS_BIND | MS_REC)
    user.preexec_fn = lambda: os.chroot(jail)
    record = run(user, bundle).error()
    expect_in(phrase, record.get('hint', ''), f'hint of {record["msg"]!r}')


def test_no_user_namespaces_at_all():
    bundle = Bundle()
    bundle.config['linux']['namespaces'].append({'type': 'user'})
    bundle.config['linux']['uidMappings'] = bundle.config['linux']['gidMappings'] = [
        {'containerID': 0, 'hostID': 0, 'size': 1}]
    runtime = Runtime('--cgroup-manager', 'disabled')
    wrapper = ['unshare', '--user', '--map-root-user', 'sh', '-c',
               'echo 0 > /proc/sys/user/max_user_namespaces && exec "$@"', 'sh']
    record = runtime.call('create', '--bundle', bundle.save().path, 'refused', wrapper=wrapper).error()
    expect_in('user.max_user_namespaces', record.get('hint', ''), f'hint of {record["msg"]!r}')


# Root of a user namespace, as in an engine that runs in a container

IN_USER_NAMESPACE = ['unshare', '--user', '--mount', '--map-root-user', '--map-auto']


def nested(change=lambda config: None, args=('sh', '-c', 'id -u; cat /proc/self/uid_map')):
    """A container without a user namespace of its own, by a runtime in one."""
    give_ids('root:100000:65536')
    bundle, runtime = Bundle(), Runtime()
    bundle.config['process']['args'] = list(args)
    del bundle.config['linux']['cgroupsPath']
    change(bundle.config)
    bundle.save()
    (harness.tmp / 'nested').mkdir(exist_ok=True)
    runtime.root = harness.tmp / 'nested'
    return runtime.call('--cgroup-manager', 'disabled', 'run', '--bundle', bundle.path, 'inner', wrapper=IN_USER_NAMESPACE)


def test_nested():
    answer = nested()
    expect((answer.status, answer.err), (0, ''), repr(answer))
    expect(answer.out.split(), ['0', '0', '0', '1', '1', '100000', '65535'], 'uid and map')


def mapped(*ranges):
    def change(config):
        config['linux']['namespaces'].append({'type': 'user'})
        config['linux']['uidMappings'] = config['linux']['gidMappings'] = [
            {'containerID': inside, 'hostID': outside, 'size': size} for inside, outside, size in ranges]
    return change


def test_nested_with_a_user_namespace():
    answer = nested(mapped((0, 0, 1), (1, 2000, 1000)))
    expect((answer.status, answer.err), (0, ''), repr(answer))
    expect(answer.out.split()[-6:], ['0', '0', '1', '1', '2000', '1000'], 'map')


@cases(('over two ranges', (0, 0, 1000), 'within one range'), ('beyond all', (0, 70000, 10), 'within one range'))
def test_nested_with_impossible_ids(name, ids, phrase):
    record = nested(mapped(ids)).error()
    expect(record.get('pointer'), '/linux/gidMappings', 'pointer')
    expect_in(phrase, record.get('hint', ''), f'hint of {record["msg"]!r}')


@cases(('proc', '/proc/fs', '/mounts/0', 'mount too revealing'), ('sysfs', '/sys/kernel', '/mounts/5', '/sys'))
def test_nested_below_covered(name, covered, pointer, phrase):
    """The kernel lets nobody see by a new mount what is covered in the old one."""
    harness.temporary_mount('tmpfs', covered, 'tmpfs')
    record = nested().error()
    expect(record.get('pointer'), pointer, f'pointer of {record["msg"]!r}')
    expect_in(phrase, record['hint'], 'hint')
    if name == 'proc':
        expect_in(covered, record['hint'], 'hint')


# Mappings, by root

RANGES = [(2 * i, 100000 + 3 * i, 1) for i in range(341)]  # no two touch: the kernel can't join them


@cases(
    ('too many', RANGES, '/linux/uidMappings'),
    ('overlap inside', [(0, 100000, 10), (5, 200000, 10)], '/linux/uidMappings/1'),
    ('overlap outside', [(0, 100000, 10), (50, 100005, 10)], '/linux/uidMappings/1'),
    ('empty range', [(0, 100000, 0)], '/linux/uidMappings/0/size'),
    ('beyond the last id', [(0, 4294967290, 10)], '/linux/uidMappings/0/size'),
    ('none', [], '/linux/uidMappings'),
)
def test_bad_mappings(name, ranges, pointer):
    bundle, runtime = Bundle(), Runtime()
    mapped(*ranges)(bundle.config)
    record = runtime.fails('create', '--bundle', bundle.save().path, 'refused')
    expect(record.get('pointer'), pointer, f'pointer of {record["msg"]!r}')
    expect(runtime.ids(), [], 'states')


@cases(('user', {'uid': 65536, 'gid': 0}, '/process/user/uid'), ('group', {'uid': 0, 'gid': 65536}, '/process/user/gid'),
       ('more groups', {'uid': 0, 'gid': 0, 'additionalGids': [1, 70000]}, '/process/user/additionalGids'))
def test_ids_that_are_not_mapped(name, user, pointer):
    bundle, runtime = Bundle(), Runtime()
    mapped((0, 100000, 65536))(bundle.config)
    bundle.config['process']['user'] = user
    record = runtime.fails('create', '--bundle', bundle.save().path, 'refused')
    assert record.get('pointer', '').startswith(pointer), f'pointer {record.get("pointer")} of {record["msg"]!r}'


@cases(('with mounts', True), ('without', False))
def test_root_directory_of_somebody_else(name, has_mounts):
    """What is wrong with the root directory shows at the first path in it, and is no fault of that."""
    bundle, runtime = Bundle(), Runtime()
    mapped((0, 100000, 65536))(bundle.config)
    if not has_mounts:
        bundle.config['mounts'] = []
    bundle.rootfs.chmod(0o700)
    record = runtime.fails('create', '--bundle', bundle.save().path, 'refused')
    expect(record.get('pointer'), '/root/path', f'pointer of {record["msg"]!r}')
    expect_in(f"search the root directory '{bundle.rootfs}': access denied", record['msg'], 'message')


harness.main(__name__)
