#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Control groups that can't be made, vanish, or can't be removed: a clear word, and nothing left behind."""
import contextlib
import os
import pathlib
import shutil
import subprocess
import time

import harness
from cgroup_files import group_of, with_resources
from fuse_server import SilentServer
from harness import Bundle, Container, Runtime, Skip, cases, expect, expect_in
from machine import CGROUP_TOP, cgroup_mounts, cgroups_are_v2, reap


def hierarchies():
    return [pathlib.Path(where) for where in sorted(set(cgroup_mounts().values()))]


def our_groups():
    return sorted(path for where in hierarchies() for path, _, _ in os.walk(where / CGROUP_TOP))


def in_view(script):
    """A wrapper that runs the command in a mount namespace which SCRIPT has changed."""
    return ['unshare', '-m', '--propagation', 'private', 'sh', '-ec', script + '; exec "$@"', 'sh']


def refused(bundle, *texts, runtime=None, **options):
    """The record of a create that fails with all of TEXTS in message or hint."""
    runtime = runtime or Runtime()
    before = our_groups()
    tree = bundle.tree()
    record = runtime.fails('create', '--bundle', bundle.save().path, 'refused', **options)
    for text in texts:
        expect_in(text, f'{record["msg"]} {record.get("hint", "")}', 'message and hint')
    for words in ('no such file', 'does not exist', 'operation not permitted', 'permission denied'):
        assert words not in record['msg'], f'{record["msg"]!r} has words that engines take for something else'
    expect(runtime.ids(), [], 'states')
    expect(our_groups(), before, 'groups')
    harness.expect_tree(bundle, tree)
    return record


# Hierarchies that can't be used

def test_read_only_hierarchies():
    view = in_view(f'for m in {" ".join(map(str, hierarchies()))}; do mount -o remount,bind,ro $m; done')
    refused(Bundle(), 'make cgroup', 'read-only file system', '--cgroup-manager disabled', wrapper=view)


def test_no_hierarchies():
    refused(Bundle(), "no cgroup hierarchy is mounted at '/sys/fs/cgroup'", '--cgroup-manager disabled',
            wrapper=in_view('mount -t tmpfs none /sys/fs/cgroup'))


def test_no_file_system():
    """/sys itself is not there, as in a chroot."""
    refused(Bundle(), 'no cgroup hierarchy', wrapper=in_view('mount -t tmpfs none /sys'))


def test_disabled_needs_none():
    runtime = Runtime('--cgroup-manager', 'disabled')
    with Container(runtime, Bundle()) as container:
        expect(container.try_create(wrapper=in_view('mount -t tmpfs none /sys/fs/cgroup')).status, 0, 'status')


@contextlib.contextmanager
def for_user(uid):
    """A bundle, and a runtime, that an unprivileged user can use."""
    harness.tmp.chmod(0o1777)
    bundle, runtime = Bundle(), Runtime()
    linux = bundle.config['linux']
    linux['namespaces'] += [{'type': 'user'}]
    linux['uidMappings'] = linux['gidMappings'] = [{'containerID': 0, 'hostID': uid, 'size': 1}]
    bundle.config['mounts'] = [m for m in bundle.config['mounts'] if m['destination'] in ('/proc', '/dev')]
    bundle.config['process']['capabilities'] = {}
    runtime.root.mkdir()
    for path in (bundle.path, runtime.root, bundle.rootfs):
        os.chown(path, uid, uid)
    try:
        yield bundle, runtime
    finally:
        harness.tmp.chmod(0o755)


AS_USER = ['setpriv', '--reuid', '1234', '--regid', '1234', '--clear-groups']


def test_groups_of_others():
    """A subtree that is not delegated to the caller."""
    with for_user(1234) as (bundle, runtime):
        record = refused(bundle, 'make cgroup', 'delegated', '--cgroup-manager disabled', runtime=runtime, wrapper=AS_USER)
    expect(record['code'], 'unsupported', 'code')


def test_delegated_group():
    """On v2 a user who has a subtree, and is in it, makes groups there."""
    if not cgroups_are_v2():
        raise Skip('v1 has no safe delegation')
    top = pathlib.Path('/sys/fs/cgroup', CGROUP_TOP, 'delegated')
    (top / 'me').mkdir(parents=True)
    try:
        for path in (top, *top.glob('cgroup.*'), top / 'me', *(top / 'me').glob('cgroup.*')):
            os.chown(path, 1234, 1234)
        enter = ['sh', '-ec', f'echo 0 > {top}/me/cgroup.procs; exec "$@"', 'sh', *AS_USER]
        with for_user(1234) as (bundle, runtime), Container(runtime, bundle) as container:
            bundle.config['linux']['cgroupsPath'] = f'/{CGROUP_TOP}/delegated/container'
            answer = container.try_create(wrapper=enter)
            expect(answer.status, 0, repr(answer))
            expect((top / 'container/cgroup.procs').read_text().split() != [], True, 'the group has a process')
            container.runtime.ok('delete', '--force', container.id, wrapper=enter)
            container.is_made = False
            expect((top / 'container').exists(), False, 'the group is there')
    finally:
        (top / 'me').rmdir()
        top.rmdir()


def test_no_room_for_groups():
    """cgroup.max.descendants of an ancestor."""
    if '' not in cgroup_mounts():
        raise Skip('there is no v2 hierarchy')
    parent = pathlib.Path(cgroup_mounts()[''], CGROUP_TOP, 'full')
    parent.mkdir(parents=True)
    try:
        (parent / 'cgroup.max.descendants').write_text('0')
        bundle = Bundle()
        bundle.config['linux']['cgroupsPath'] = f'/{CGROUP_TOP}/full/mine'
        refused(bundle, 'make cgroup', 'cgroup.max.descendants')
    finally:
        parent.rmdir()


def test_frozen_ancestor():
    """What would be born below it would never run, and create would never end."""
    if cgroups_are_v2():
        parent, file, frozen, thawed = pathlib.Path('/sys/fs/cgroup', CGROUP_TOP, 'ice'), 'cgroup.freeze', '1', '0'
    else:
        parent = pathlib.Path(cgroup_mounts()['freezer'], CGROUP_TOP, 'ice')
        file, frozen, thawed = 'freezer.state', 'FROZEN', 'THAWED'
    parent.mkdir(parents=True)
    try:
        (parent / file).write_text(frozen)
        bundle = Bundle()
        bundle.config['linux']['cgroupsPath'] = f'/{CGROUP_TOP}/ice/below/mine'
        refused(bundle, str(parent), 'frozen')
        expect([p.name for p in parent.iterdir() if p.is_dir()], [], 'groups below')
    finally:
        (parent / file).write_text(thawed)
        parent.rmdir()


@cases(('freezer',), ('pids',))
def test_group_in_use_in_one_hierarchy(name):
    """Processes in any of them are seen before a group is made in another."""
    if name not in cgroup_mounts():
        raise Skip(f'{name} is no v1 hierarchy')
    group = pathlib.Path(cgroup_mounts()[name], CGROUP_TOP, 'busy/below')
    group.mkdir(parents=True)
    other = subprocess.Popen(['sleep', '100'])
    try:
        (group / 'cgroup.procs').write_text(str(other.pid))
        bundle = Bundle()
        bundle.config['linux']['cgroupsPath'] = f'/{CGROUP_TOP}/busy'
        refused(bundle, str(group.parent), f'{other.pid} (S)')
        others = [p for p in hierarchies() if p != pathlib.Path(cgroup_mounts()[name])]
        expect([str(p) for p in others if (p / CGROUP_TOP / 'busy').exists()], [], 'groups made')
    finally:
        other.kill()
        other.wait()
        group.rmdir()
        group.parent.rmdir()


# Ids and paths

@cases(('..',), ('.',), ('a/b',), ('/a',), ('../a',), ('',), ('a b',), ('a\nb',), ('.a',), ('x' * 201,), ('é',))
def test_id_like_a_path(name):
    """Refused by every command before it looks for anything."""
    runtime = Runtime()
    bundle = Bundle().save()
    for command in (['create', '--bundle', bundle.path], ['run', '--bundle', bundle.path], ['start'], ['state'], ['kill'],
                    ['delete'], ['delete', '--force'], ['pause'], ['update', '--pids-limit', '1'], ['events'], ['ps']):
        record = runtime.fails(*command, name)
        expect_in('id', record['msg'].lower(), f'message of {command[0]}')
    expect(runtime.ids(), [], 'states')


@cases(('deep', '/'.join(['d'] * 1500)), ('long', 'x' * 300))
def test_path_too_long(name, path):
    bundle = Bundle()
    bundle.config['linux']['cgroupsPath'] = f'/{CGROUP_TOP}/{path}'
    record = refused(bundle, 'too long')
    expect(record['pointer'], '/linux/cgroupsPath', 'pointer')


# Removal

def test_group_removed_under_us():
    """The process was moved away and the groups are gone: everything still answers, and delete works."""
    with Container(Runtime(), Bundle()) as container:
        container.run()
        for where in hierarchies():
            group = group_of(container.bundle, where)
            if group.exists():
                (where / CGROUP_TOP).mkdir(exist_ok=True)
                (where / 'cgroup.procs').write_text(str(container.pid))
                group.rmdir()
        expect(container.runtime.state(container.id)['status'], 'running', 'status')
        expect(container.runtime.ok('ps', '--format', 'json', container.id).out.strip(), '[]', 'ps')
        for command in (['pause'], ['update', '--pids-limit', '5'], ['events', '--stats']):
            record = container.runtime.fails(*command, container.id)
            assert 'cgroup' in record['msg'] and 'no such file' not in record['msg'], record
        container.runtime.ok('kill', container.id, 'KILL')
        container.wait_status('stopped')
        container.delete()


@cases(('wide', 500, 1), ('deep', 1, 500), ('both', 20, 25))
def test_nested_groups(name, width, depth):
    """500 of them, as a container with a cgroup manager of its own leaves them."""
    with Container(Runtime(), Bundle()) as container:
        container.create()
        mounts = cgroup_mounts()
        for where in sorted({mounts.get('', mounts.get('pids')), mounts.get('pids', mounts.get(''))}):
            for i in range(width):
                group = group_of(container.bundle, where) / f'g{i}'
                for _ in range(depth):
                    group.mkdir()
                    group = group / 'd'
            container_group = group_of(container.bundle, where)
            (next(container_group.glob('g0')) / 'cgroup.procs').write_text(str(container.pid))
        began = time.monotonic()
        container.runtime.ok('delete', '--force', container.id)
        took = time.monotonic() - began
        container.is_made = False
        expect([str(w) for w in hierarchies() if group_of(container.bundle, w).exists()], [], 'groups left')
    assert took < 20, f'delete took {took:.1f} s'


@contextlib.contextmanager
def silence(*args):
    """A file system that does not answer, and a bundle of a program that asks it."""
    bundle = Bundle()
    mountpoint = bundle.path / 'silent'
    mountpoint.mkdir()
    bundle.config['mounts'].append({'destination': '/silent', 'type': 'bind', 'source': str(mountpoint),
                                    'options': ['bind']})
    bundle.config['process']['args'] = list(args)
    with SilentServer(mountpoint) as server:
        harness.temporary_mount(server.source, mountpoint, 'fuse', data=server.options)
        server.start()
        yield server, bundle


def test_process_that_does_not_freeze():
    """pause gives up in time, names it with its state, and leaves nothing half frozen."""
    with silence('sh', '-c', 'cat /silent/file & while :; do sleep 0.05; done') as (server, bundle):
        with Container(Runtime(), bundle) as container:
            container.create().start()
            server.wait_until_asked()
            began = time.monotonic()
            record = container.runtime.fails('pause', container.id, timeout=60)
            assert 5 < time.monotonic() - began < 30, f'it took {time.monotonic() - began:.1f} s'
            expect_in('after 10 seconds', record['msg'], 'message')
            expect_in(' (D)', record.get('hint', ''), f'hint of {record["msg"]!r}')
            expect(container.runtime.state(container.id)['status'], 'running', 'status')
            server.stop()
            container.runtime.ok('pause', container.id)
            container.runtime.ok('resume', container.id)


def test_process_that_does_not_die():
    """In state D on a file system that does not answer: its number and state are named; later delete succeeds."""
    with silence('cat', '/silent/file') as (server, bundle):
        with Container(Runtime(), bundle) as container:
            container.create().start()
            server.wait_until_asked()
            record = container.runtime.fails('delete', '--force', container.id, timeout=60)
            expect_in(f'{container.pid} (D)', record['msg'], 'message')
            expect(container.runtime.ids(), [container.id], 'states')
            server.stop()
            reap()
            container.runtime.ok('delete', '--force', container.id)
            container.is_made = False
    reap()


def test_no_sleep():
    """Nothing waits by the clock: no sleep, no poll without descriptors, and none that ends by its limit."""
    if not shutil.which('strace'):
        raise Skip('strace is not installed')
    runtime, bundle = Runtime(), with_resources(pids={'limit': 50}) if 'pids' in cgroup_mounts() else Bundle()
    bundle.config['process']['args'] = ['sleep', '1000']
    bundle.save()
    trace = harness.tmp / 'trace'
    wrapper = ['strace', *harness.TRACEABLE, '-f', '-qq', '-o', str(trace),
               '-e', 'trace=nanosleep,clock_nanosleep,poll,ppoll,select,pselect6']
    for command in (['create', '--bundle', bundle.path, 'x'], ['start', 'x'], ['pause', 'x'], ['resume', 'x'],
                    ['kill', '--all', 'x', 'KILL'], ['delete', '--force', 'x']):
        own = wrapper if command[0] not in ('create',) else [w for w in wrapper if w != '-f']
        runtime.ok(*command, wrapper=own)
        lines = [line for line in trace.read_text().splitlines()
                 if 'sleep' in line or '(NULL, 0' in line or '(0, NULL, NULL, NULL' in line
                 or ('(Timeout)' in line and ', 0) = 0 (Timeout)' not in line)]
        expect(lines, [], f'waits of {command[0]}')
    reap()


harness.main(__name__)
