#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Other users of the host: names in the state's root, and files at the paths that a command is given."""
import json
import os
import shutil
import subprocess

import harness
from attacks import hostile_bundle
from harness import Container, Runtime, cases, expect, expect_in

STRANGER = 1000


def forged_state(runtime, name, pid):
    """A state directory of another user, which says that PID is the container's process."""
    runtime.root.mkdir(mode=0o1777)
    runtime.root.chmod(0o1777)  # as /tmp
    with Container(runtime, hostile_bundle()) as model:
        model.create()
        shutil.copytree(runtime.root / model.id, runtime.root / name, symlinks=True,
                        copy_function=lambda a, b: shutil.copy(a, b) if os.path.isfile(a) else os.mkfifo(b))
    state = runtime.root / name / 'state.json'
    start_time = int(open(f'/proc/{pid}/stat').read().rsplit(')', 1)[1].split()[19])
    text, members = state.read_text(), {}
    while text:  # it grows by one object after the other, the last one counts
        more, end = json.JSONDecoder().raw_decode(text)
        members, text = members | more, text[end:].lstrip()
    state.write_text(json.dumps(members | {'id': name, 'pid': pid, 'startTime': start_time}))
    for path in (runtime.root / name).iterdir():
        os.chown(path, STRANGER, STRANGER)
    os.chown(runtime.root / name, STRANGER, STRANGER)


@cases(('delete', ['delete', '--force', 'forged']), ('kill', ['kill', 'forged', 'KILL']), ('pause', ['pause', 'forged']),
       ('exec', ['exec', 'forged', '/bin/true']), ('start', ['start', 'forged']), ('state', ['state', 'forged']))
def test_state_of_another_user(name, args):
    """In a root like /tmp, what another user put there is no container, and its process is not touched."""
    runtime = Runtime()
    with subprocess.Popen(['sleep', '1000']) as victim:
        try:
            forged_state(runtime, 'forged', victim.pid)
            answer = runtime.call(*args)
            assert answer.status != 0, repr(answer)
            expect_in('written by others', answer.err, 'message')
            expect(victim.poll(), None, 'the victim')
        finally:
            victim.kill()
    shutil.rmtree(runtime.root)


def test_delete_by_a_wrong_pid():
    """By a state that names another process the container looks stopped: delete --force still ends it."""
    runtime = Runtime()
    with Container(runtime, hostile_bundle()) as container:
        container.create().start().ask()
        state = runtime.root / container.id / 'state.json'
        with state.open('a') as file:
            file.write(json.dumps({'pid': os.getpid(), 'startTime': 1}))
        expect(runtime.state(container.id)['status'], 'stopped', 'status')
        runtime.ok('delete', '--force', container.id)
        container.is_made = False
        assert harness.settle(lambda: not os.path.exists(f'/proc/{container.pid}')), 'it lives on'


def test_delete_without_proc():
    """What can't be asked for the container's process does not say that it is gone: it stays known, and lives on."""
    with Container(Runtime(), hostile_bundle()) as container:
        container.create().start().ask()
        hide = ['unshare', '-m', 'sh', '-c', 'umount -l /proc && exec "$@"', 'sh']
        # Not fails(): a sanitizer has its own complaints on standard error when there is no /proc.
        answer = container.runtime.call('delete', '--force', container.id, wrapper=hide)
        expect_in("/stat': not found", answer.log_text, 'log')
        expect(container.runtime.state(container.id)['status'], 'running', 'status')


def test_filters_of_another_user():
    """A filter that another user keeps ready is not what the container gets."""
    runtime = Runtime()
    runtime.root.mkdir()
    runtime.root.chmod(0o1777)
    bundle = hostile_bundle()
    bundle.config['linux']['seccomp'] = {'defaultAction': 'SCMP_ACT_ALLOW', 'syscalls': [
        {'names': ['mkdir', 'mkdirat'], 'action': 'SCMP_ACT_ERRNO', 'errnoRet': 71}]}
    with Container(runtime, bundle) as container:
        container.run()
    cache = runtime.root / '.filters'
    for path in cache.iterdir() if cache.exists() else ():
        path.write_bytes(path.read_bytes()[::-1])
        os.chown(path, STRANGER, STRANGER)
    cache.mkdir(exist_ok=True)
    os.chown(cache, STRANGER, STRANGER)
    before = sorted(p.stat().st_mtime_ns for p in cache.iterdir())
    with Container(runtime, bundle) as container:
        seen = container.run('syscall mkdir')['answers']
    expect(seen['syscall mkdir'], 'EPROTO', 'mkdir')
    expect(sorted(p.stat().st_mtime_ns for p in cache.iterdir()), before, 'the other user\'s files')


@cases(('writable by all', 0o777, 0), ('writable by a group', 0o770, 0), ('of another user', 0o700, STRANGER))
def test_root_of_others(name, mode, owner):
    runtime = Runtime()
    runtime.root.mkdir()
    runtime.root.chmod(mode)
    os.chown(runtime.root, owner, owner)
    record = runtime.fails('create', '--bundle', hostile_bundle().save().path, 'refused')
    expect_in('written by others', record['msg'], 'message')
    expect(runtime.ids(), [], 'states')


def test_name_is_a_link():
    """An ID whose directory is a link to another container's is neither, also for delete."""
    runtime = Runtime()
    with Container(runtime, hostile_bundle()) as container:
        container.run()
        (runtime.root / 'alias').symlink_to(container.id)
        for args in (['state', 'alias'], ['kill', 'alias', 'KILL'], ['delete', '--force', 'alias'],
                     ['exec', 'alias', '/bin/true']):
            answer = runtime.call(*args)
            assert answer.status != 0, repr(answer)
        answer = runtime.call('create', '--bundle', hostile_bundle().save().path, 'alias')
        expect_in('exists already', answer.err, 'message')
        expect(runtime.state(container.id)['status'], 'running', 'status')
        (runtime.root / 'alias').unlink()


@cases(*((name,) for name in ('..', '.', 'a/b', '../x', '/etc', 'a\nb', '', '.filters')))
def test_name_that_is_a_path(name):
    runtime = Runtime()
    bundle = hostile_bundle().save()
    for args in (['create', '--bundle', bundle.path, '--', name], ['delete', '--force', '--', name],
                 ['state', '--', name], ['kill', '--', name, 'KILL']):
        assert runtime.call(*args).status != 0, args
    expect(runtime.ids(), [], 'states')


def test_state_is_private():
    runtime = Runtime()
    old = os.umask(0)
    try:
        with Container(runtime, hostile_bundle()) as container:
            container.create()
            for path in (runtime.root, runtime.root / container.id):
                expect(oct(path.stat().st_mode & 0o777), oct(0o700), str(path))
            for path in (runtime.root / container.id).iterdir():
                expect(oct(path.stat().st_mode & 0o777), oct(0o600), str(path))
    finally:
        os.umask(old)


@cases(('link', lambda path, target: path.symlink_to(target)), ('hard link', lambda path, target: os.link(target, path)),
       ('FIFO', lambda path, target: os.mkfifo(path)))
def test_pid_file_is_something_else(name, make):
    """Replaced as a whole: what it led to stays as it is, and nothing waits for a reader."""
    target, pid_file = harness.tmp / 'target', harness.tmp / 'pid'
    target.write_text('host')
    make(pid_file, target)
    with Container(Runtime(), hostile_bundle()) as container:
        container.create('--pid-file', pid_file)
        expect(int(pid_file.read_text()), container.pid, 'the pid')
        assert not pid_file.is_symlink(), 'still a link'
    expect(target.read_text(), 'host', 'the target')


@cases(('link to nothing', lambda path: path.symlink_to('/nonesuch')), ('file', lambda path: path.write_text('x')),
       ('FIFO', os.mkfifo), ('directory', lambda path: path.mkdir()))
def test_console_socket_is_something_else(name, make):
    path = harness.tmp / 'console'
    make(path)
    bundle = hostile_bundle()
    bundle.config['process']['terminal'] = True
    runtime = Runtime()
    record = runtime.fails('create', '--bundle', bundle.save().path, '--console-socket', path, 'refused', timeout=15)
    expect_in(str(path), record['msg'], 'message')
    expect(runtime.ids(), [], 'states')


harness.main(__name__)
