#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""/proc and /sys replaced by the image, by volumes, by the container itself: labels, masks and sysctls hold or fail."""
import json
import os
import pathlib
import shutil
import signal
import socket

import harness
from attacks import hostile_bundle, link
from harness import Container, Runtime, cases, expect, expect_in, expect_tree

MASKED, READONLY = '/proc/version', '/proc/sys'


def bind(destination, source, *options):
    return {'destination': destination, 'type': 'bind', 'source': str(source), 'options': ['rbind', *options]}


def tmpfs(destination):
    return {'destination': destination, 'type': 'tmpfs', 'source': 'tmpfs', 'options': []}


def fake_proc(path):
    """What a hostile image would like the runtime to write to."""
    for name in ('self', 'thread-self', '1'):
        (path / name / 'attr/apparmor').mkdir(parents=True)
        for file in ('attr/exec', 'attr/apparmor/exec', 'attr/keycreate', 'oom_score_adj', 'setgroups'):
            (path / name / file).write_text('fake')
    (path / 'sys/net/ipv4').mkdir(parents=True)
    (path / 'sys/net/ipv4/ip_forward').write_text('fake')
    (path / 'version').write_text('fake')
    return path


def is_untouched(path):
    return all(file.read_text() == 'fake' for file in path.rglob('*') if file.is_file())


def replace(path, make):
    shutil.rmtree(path)
    make(path)


# Each gets a bundle and a directory with a fake procfs on the host.
REPLACEMENTS = {
    'nothing': lambda b, fake: None,
    'link to a fake': lambda b, fake: (fake_proc(b.rootfs / 'fake'), replace(b.rootfs / 'proc', lambda p: p.symlink_to('fake'))),
    'link out': lambda b, fake: replace(b.rootfs / 'proc', lambda p: p.symlink_to(fake)),
    'link to root': lambda b, fake: replace(b.rootfs / 'proc', lambda p: p.symlink_to('/')),
    'link to itself': lambda b, fake: replace(b.rootfs / 'proc', lambda p: p.symlink_to('proc')),
    'link to sys': lambda b, fake: replace(b.rootfs / 'proc', lambda p: p.symlink_to('sys')),
    'file': lambda b, fake: replace(b.rootfs / 'proc', lambda p: p.write_text('fake')),
    'FIFO': lambda b, fake: replace(b.rootfs / 'proc', os.mkfifo),
    'volume after': lambda b, fake: b.config['mounts'].append(bind('/proc', fake)),
    'volume before': lambda b, fake: b.config['mounts'].insert(0, bind('/proc', fake)),
    'volume over a part': lambda b, fake: b.config['mounts'].append(bind('/proc/sys', fake / 'sys')),
    'volume over self': lambda b, fake: b.config['mounts'].append(bind('/proc/self', fake / 'self')),
    'volume over 1/attr': lambda b, fake: b.config['mounts'].append(bind('/proc/1/attr', fake / '1/attr')),
    'tmpfs': lambda b, fake: b.config['mounts'].append(tmpfs('/proc')),
    'tmpfs with slashes': lambda b, fake: b.config['mounts'].append(tmpfs('//proc/.//')),
    'tmpfs with dots': lambda b, fake: b.config['mounts'].append(tmpfs('/etc/../proc')),
    'tmpfs by a link': lambda b, fake: (link(b, 'p', 'proc'), b.config['mounts'].append(tmpfs('/p'))),
    'tmpfs by a deep link': lambda b, fake: (link(b, 'p', '/etc/../q'), link(b, 'q', 'proc/'), b.config['mounts'].append(tmpfs('/p'))),
    'part by a link': lambda b, fake: (link(b, 'p', '/proc/sys'), b.config['mounts'].append(bind('/p', fake / 'sys'))),
    'part by self': lambda b, fake: (link(b, 'p', 'proc/self/cwd/proc/1/attr'), b.config['mounts'].append(bind('/p', fake / '1/attr'))),
    'file by a link': lambda b, fake: (link(b, 'p', '/proc/sysrq-trigger'), b.config['mounts'].append(bind('/p', fake / 'version'))),
    'volume over everything': lambda b, fake: b.config['mounts'].append(bind('/', fake)),
    'everything by dots': lambda b, fake: b.config['mounts'].append(bind('/etc/..', fake)),
    'everything by a link': lambda b, fake: (link(b, 'all', '/'), b.config['mounts'].append(bind('/all', fake))),
    'a part of procfs': lambda b, fake: b.config['mounts'].append(bind('/proc', '/proc/sys')),
    'procfs of a process': lambda b, fake: b.config['mounts'].append(bind('/proc', f'/proc/{os.getpid()}')),
    'a tree with a procfs in it': lambda b, fake: b.config['mounts'].append(bind('/proc', '/', 'ro')),
}


@cases(*((name,) for name in REPLACEMENTS))
def test_proc(name):
    """CVE-2019-16884, CVE-2019-19921, CVE-2023-27561, CVE-2023-28642, CVE-2025-54867: refused, or as if nothing were."""
    fake = harness.tmp / 'fake'
    fake_proc(fake)
    bundle = hostile_bundle()
    bundle.config['process']['oomScoreAdj'] = 321
    bundle.config['linux'] |= {'maskedPaths': [MASKED], 'readonlyPaths': [READONLY],
                               'sysctl': {'net.ipv4.ip_forward': '1'}}
    REPLACEMENTS[name](bundle, fake)
    runtime = Runtime()
    with Container(runtime, bundle) as container:
        answer = container.try_create()
        assert is_untouched(fake), 'the fake of the host was written to'
        if (bundle.rootfs / 'fake').exists():
            assert is_untouched(bundle.rootfs / 'fake'), 'the fake of the image was written to'
        if answer.status:
            assert answer.error().get('pointer'), f'no pointer in {answer!r}'
            return
        container.start()
        seen = container.ask('read /proc/sys/net/ipv4/ip_forward', f'read {MASKED}', 'read /proc/self/oom_score_adj',
                             f'write {READONLY}/net/ipv4/ip_forward', 'read /proc/self/mountinfo')['answers']
        expect(seen['read /proc/sys/net/ipv4/ip_forward'], {'text': '1\n'}, 'the sysctl')
        expect(seen[f'read {MASKED}'], {'text': ''}, 'the masked path')
        expect(seen['read /proc/self/oom_score_adj'], {'text': '321\n'}, 'the score')
        expect(seen[f'write {READONLY}/net/ipv4/ip_forward'], 'EROFS', 'the read-only path')


def test_which_replacements_are_let_through():
    """So that the test above can't be green because nothing starts, or everything."""
    fake = harness.tmp / 'fake'
    fake_proc(fake)
    through = []
    for name, change in REPLACEMENTS.items():
        bundle = hostile_bundle()
        change(bundle, fake)
        with Container(Runtime(), bundle) as container:
            if container.try_create().status == 0:
                through.append(name)
    expect(through, ['nothing'], 'replacements')


@cases(('link to a directory', lambda p: p.symlink_to('etc')), ('link out', lambda p: p.symlink_to('/sys')),
       ('link to proc', lambda p: p.symlink_to('proc')), ('file', lambda p: p.write_text('x')), ('FIFO', os.mkfifo))
def test_sys(name, make):
    bundle = hostile_bundle()
    replace(bundle.rootfs / 'sys', make)
    runtime = Runtime()
    record = runtime.fails('create', '--bundle', bundle.save().path, 'refused')
    assert record.get('pointer', '').startswith('/mounts/'), record
    expect(runtime.ids(), [], 'states')


@cases(*((destination,) for destination in ('/sys', '/proc', '/sys/', '//./sys', '/etc/../sys', '/sys/fs/cgroup')))
def test_bound_to_a_link_that_is_hidden_later(destination):
    """Masks and read-only paths go by /proc and /sys: were these links, they could miss what a third name shows."""
    top = destination if destination == '/proc' else '/sys'
    bundle = hostile_bundle()
    config = bundle.config
    config['mounts'] = [m for m in config['mounts'] if m['destination'] != top]
    config['linux'] |= {'readonlyPaths': [top + '/kernel', top + '/sys', top + '/fs/cgroup'], 'maskedPaths': []}
    replace(bundle.rootfs / top[1:], lambda p: p.symlink_to('/a/link'))
    (bundle.rootfs / 'a').mkdir()
    (bundle.rootfs / 'b/fs/cgroup').mkdir(parents=True)
    link(bundle, 'a/link', '/b')
    config['mounts'] += [bind(destination, top), tmpfs('/a')]
    if top == '/proc':
        config['linux']['namespaces'] = [n for n in config['linux']['namespaces'] if n['type'] != 'pid']
    record = Runtime().fails('create', '--bundle', bundle.save().path, 'refused')
    expect_in('has a symbolic link in it', record['msg'], 'message')
    expect(config['mounts'][int(record['pointer'].split('/')[2])]['destination'], destination, 'pointer')


@cases(('part of proc', '/proc/sys', 'mounting below /proc is not allowed'),
       ('proc', '../proc', 'only a procfs can be mounted on /proc'), ('root', '/', "nothing can be mounted on '/' itself"),
       ('new in sys', '/sys/new', 'leads by a symbolic link to what is missing below /proc or /sys'))
def test_notify_directory(name, target, text):
    """What the runtime mounts by itself goes no further than what the config asks for."""
    bundle = hostile_bundle()
    link(bundle, 'run/notify', target)
    tree = bundle.save().tree()
    path = harness.tmp / 'notify'
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as service:
        service.bind(str(path))
        runtime = Runtime(env={**os.environ, 'NOTIFY_SOCKET': str(path)})
        record = runtime.fails('create', '--bundle', bundle.path, 'refused')
    expect_in("mount '/run/notify': ", record['msg'], 'message')
    expect_in(text, record['msg'], 'message')
    expect_tree(bundle, tree)


@cases(('link', True), ('directory', False))
def test_notify_directory_is_no_place_for_devices(name, is_link):
    """Not even where the image's link has it on /dev."""
    bundle = hostile_bundle()
    bundle.config['mounts'] = [m for m in bundle.config['mounts'] if not m['destination'].startswith('/dev')]
    if is_link:
        link(bundle, 'run/notify', '../dev')
    path = harness.tmp / 'notify'
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as service:
        service.bind(str(path))
        runtime = Runtime(env={**os.environ, 'NOTIFY_SOCKET': str(path)})
        with Container(runtime, bundle) as container:
            names = os.listdir(f'/proc/{container.create().pid}/root/dev')  # start would wait for a message
    expect('null' in names, not is_link, 'devices')


@cases(('file', 'cpuinfo', True), ('deep file', 'sys/kernel/ns_last_pid', True), ('other file', 'sysrq-trigger', False),
       ('below', 'cpuinfo/x', False), ('directory', 'sys', False), ('made', 'made', False),
       ('name that begins so', 'cpuinfo2', False), ('up', 'cpuinfo/../kcore', False), ('self', 'self/cmdline', False))
def test_file_in_proc(name, path, is_allowed):
    """What lxcfs and criu put there, and nothing else."""
    source = harness.tmp / 'lxcfs'
    source.write_text('ours')
    bundle = hostile_bundle()
    bundle.config['linux'] |= {'readonlyPaths': [], 'maskedPaths': []}
    bundle.config['mounts'].append(bind(f'/proc/{path}', source))
    if not os.path.exists(f'/proc/{path}') and is_allowed:
        raise harness.Skip(f'this kernel has no /proc/{path}')
    with Container(Runtime(), bundle) as container:
        answer = container.try_create()
        if not is_allowed:
            assert answer.error().get('pointer', '').startswith('/mounts/'), repr(answer)
            return
        expect(answer.status, 0, repr(answer))
        container.start()
        expect(container.ask(f'read /proc/{path}')['answers'][f'read /proc/{path}'], {'text': 'ours'}, path)


# exec writes to procfs as well, and what is on /proc then is the container's own doing

CAPABLE = ['CAP_SYS_ADMIN', 'CAP_SYS_CHROOT', 'CAP_MKNOD']
COVERS = {
    'tmpfs': 'mount -t tmpfs none /proc',
    'fake': 'mount -t tmpfs none /proc && mkdir -p /proc/self /proc/thread-self && echo fake >/proc/self/oom_score_adj',
    'bind': 'mount --bind /fake /proc',
    'over self': 'mount --bind /fake/self/oom_score_adj /proc/self/oom_score_adj',
    'other file of procfs': 'echo $$ >/pid; mount --bind /proc/$$/oom_score_adj /proc/sys/kernel/hostname',
    'unmounted': 'umount -l /proc',
    'a part': 'mount --bind /proc/sys /proc',
    'another process': 'mount --bind /proc/1 /proc',
    'link': 'umount -l /proc; rmdir /proc; ln -s fake /proc',
    'moved': 'mkdir /m; mount --move /proc /m; mount --bind /fake /proc',
}


@cases(*((name,) for name in COVERS))
def test_exec_with_a_covered_proc(name):
    """CVE-2025-52881: the score is set on the new process itself, or the exec fails."""
    bundle = hostile_bundle()
    fake_proc(bundle.rootfs / 'fake')
    for which in bundle.config['process']['capabilities'].values():
        which += CAPABLE
    bundle.config['process'] |= {'oomScoreAdj': 321, 'args': ['sh', '-c', f'{COVERS[name]} 2>/dev/null; echo $?; sleep 1000']}
    bundle.config['linux'] |= {'readonlyPaths': [], 'maskedPaths': []}
    with Container(Runtime(), bundle) as container:
        container.create().start()
        expect(container.read_line(), '0', 'status of the attack')
        process = harness.tmp / 'process.json'
        process.write_text(json.dumps(bundle.config['process'] | {'args': ['sleep', '999'], 'oomScoreAdj': 654}))
        pid_file = harness.tmp / 'pid'
        answer = container.runtime.call('exec', '--detach', '--pid-file', pid_file, '--process', process, container.id)
        assert is_untouched(bundle.rootfs / 'fake'), 'the fake was written to'
        if answer.status:
            expect_in('/proc', answer.err, 'message')
            return
        pid = int(pid_file.read_text())
        scores = [pathlib.Path(f'/proc/{p}/oom_score_adj').read_text() for p in (pid, container.pid)]
        os.kill(pid, signal.SIGKILL)
        os.waitpid(pid, 0)  # an orphan of the runtime is ours, and a PID namespace waits for all its zombies
        expect(scores, ['654\n', '321\n'], 'the scores of the new process and of the first')


harness.main(__name__)
