#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""exec into a container whose processes and image attack the runtime that comes in."""
import json
import os
import pathlib
import re
import shutil
import subprocess

import compare
import harness
from attacks import STRACE, delayed, hostile_bundle, link
from cgroup_files import leave_group, let_through
from harness import Bundle, Container, Runtime, cases, expect, expect_in, run_program

# Descriptors (CVE-2016-9962, CVE-2024-21626)

def test_program_is_a_link_to_a_descriptor():
    """In the image, /bin/tool leads through whatever the runtime has open to a program of the host."""
    shutil.copy(harness.BUSYBOX, harness.tmp / 'true')  # beside the state directories
    bundle = hostile_bundle()
    links = {f'/bin/true{number}.{i}': f'/proc/self/fd/{number}/{up}' for number in range(3, 48)
             for i, up in enumerate(('../true', '../../true', f'../../../../../../..{harness.BUSYBOX}'))}
    for path, target in links.items():
        link(bundle, path[1:], target)
    with Container(Runtime(), bundle) as container:
        container.run()
        for path, target in links.items():
            answer = container.runtime.call('exec', container.id, path)
            expect(answer.status, 255, f'status of {target}: {answer!r}')
            expect_in('no such file or directory', answer.err, target)


@cases(('exec',), ('create',))
def test_cwd_is_a_descriptor(command):
    numbers = range(3, 64)
    if command == 'create':
        for number in (3, 5, 7, 9, 11, 13):
            bundle = hostile_bundle(lambda config: config['process'].update(cwd=f'/proc/self/fd/{number}'))
            runtime = Runtime()
            expect(runtime.fails('create', '--bundle', bundle.save().path, 'refused').get('pointer'),
                   '/process/cwd', 'pointer')
        return
    with Container(Runtime(), hostile_bundle()) as container:
        container.run()
        for number in numbers:
            for path in (f'/proc/self/fd/{number}', f'/proc/self/fd/{number}/..'):
                answer = container.runtime.call('exec', '--cwd', path, container.id, '/bin/pwd')
                assert answer.status == 255, repr(answer)


def test_container_without_its_first_thread():
    """It runs, though nothing can be joined by way of what has ended: not even then is it said to have stopped."""
    with Container(Runtime(), hostile_bundle(args=['/bin/hostile', 'thread'])) as container:
        container.create().start()
        expect(container.read_line(), 'threads', 'its word')
        assert harness.settle(lambda: not os.path.exists(f'/proc/{container.pid}/exe')), 'its first thread is there'
        expect(container.runtime.state(container.id)['status'], 'running', 'status')
        answer = container.runtime.call('exec', container.id, '/bin/true')
        expect(answer.status, 255, 'exit status')
        assert 'stopped' not in answer.err, answer.err


def test_link_to_a_descriptor_as_cwd():
    """The cwd is an innocent path of the config; the image makes it a link."""
    bundle = hostile_bundle()
    with Container(Runtime(), bundle) as container:
        container.run()
        for number in range(3, 64):
            link(bundle, f'work{number}', f'/proc/self/fd/{number}')
            answer = container.runtime.call('exec', '--cwd', f'/work{number}', container.id, '/bin/pwd')
            assert answer.status == 255, repr(answer)


# What a process inside can have of the runtime (CVE-2016-9962, CVE-2019-5736)

def watch_exec(change=lambda config: None, call='setsid', flags=(), confined=()):
    """What `hostile watch` got of an exec that waits one second before CALL, which it makes inside."""
    bundle = hostile_bundle(change, ['/bin/hostile', 'watch', '20'])
    with Container(Runtime(), bundle) as container:
        container.create().start()
        expect(container.read_line(), 'watching', 'the watcher')
        answer = container.runtime.call('exec', *flags, container.id, '/bin/true',
                                        wrapper=[*delayed(call, 1), *confined])
        seen = json.loads(container.read_line(30))
        assert seen, f'no process of the runtime was seen; {answer!r}'
        expect(answer.status, 0, f'status of {answer!r}')
    return seen


def add_capabilities(*names):
    def change(config):
        for which in config['process']['capabilities'].values():
            which += names
    return change


def lead_out(seen):
    """The descriptors of the runtime's process that are files; the first three are the caller's to give."""
    return {fd: where for fd, where in seen['fds'].items() if int(fd) > 2 and where.startswith('/')}


@cases(('setsid', 'setsid', ()), ('setgroups', 'setgroups', ()), ('chdir', 'chdir', ()), ('capset', 'capset', ()),
       ('with a cwd', 'chdir', ('--cwd', '/bin')), ('as another user', 'capset', ('--user', '0:5')))
def test_runtime_cannot_be_traced(name, call, flags):
    """Same user, no CAP_SYS_PTRACE: from its first moment inside, nothing of it is to be had."""
    seen = watch_exec(call=call, flags=flags)
    expect(seen['fds'], {}, 'descriptors that can be followed')
    for what in ('getfd', 'memory'):
        expect(seen[what], 'EPERM', what)
    for what in ('maps', 'environ', 'root', 'cwd', 'exe_held', 'mem'):
        expect(seen[what], 'EACCES', what)


@cases(('setsid',), ('chdir',))
def test_equal_cannot_trace(call):
    """A process inside with all that the runtime itself has: only that it is not dumpable is in the way."""
    own = int(re.search(r'CapPrm:\s*(\w+)', pathlib.Path('/proc/self/status').read_text())[1], 16)
    names = [name for name in compare.capability_names(own) if name != 'CAP_SYS_PTRACE']
    seen = watch_exec(add_capabilities(*names), call,
                      confined=['setpriv', '--bounding-set=-sys_ptrace', '--inh-caps=-sys_ptrace'])
    expect(seen['fds'], {}, 'descriptors that can be followed')
    expect([seen['getfd'], seen['memory']], ['EPERM', 'EPERM'], 'what a tracer would have')


@cases(('setsid', 'setsid'), ('chdir', 'chdir'), ('execve', 'capset'))
def test_tracer_gets_nothing_of_the_host(name, call):
    """With CAP_SYS_PTRACE it may look: no descriptor leads out, and the executable can't be written."""
    seen = watch_exec(add_capabilities('CAP_SYS_PTRACE', 'CAP_DAC_OVERRIDE'), call)
    expect(seen['may_list'], 'ok', 'listing descriptors')
    expect(lead_out(seen), {}, 'descriptors to files of the host')
    expect(seen['root'], '/', 'root')
    expect(seen['exe_held'], 'ok', 'opening the executable')
    expect(seen['exe_write'], 'EROFS', 'writing the executable')


# What a process needs to become the program, beside what that has.
SETTING_UP = {'CAP_CHOWN', 'CAP_DAC_OVERRIDE', 'CAP_FOWNER', 'CAP_SETGID', 'CAP_SETUID', 'CAP_SETPCAP', 'CAP_SYS_CHROOT',
              'CAP_SYS_NICE', 'CAP_SYS_RESOURCE'}


@cases(('no filter', True, False, set()), ('no_new_privs', True, True, set()), ('a filter', False, True, {'CAP_SYS_ADMIN'}))
def test_tracer_gets_few_capabilities(name, no_new_privileges, has_filter, more):
    """From its birth inside it has what the program gets, and what it takes to get there."""
    def change(config):
        add_capabilities('CAP_SYS_PTRACE', 'CAP_SYSLOG')(config)
        config['process']['noNewPrivileges'] = no_new_privileges
        if has_filter:
            config['linux']['seccomp'] = {'defaultAction': 'SCMP_ACT_ALLOW', 'syscalls': [
                {'names': ['kexec_load'], 'action': 'SCMP_ACT_ERRNO'}]}
    seen = watch_exec(change, 'sendmsg')
    wanted = SETTING_UP | more | {'CAP_SYS_PTRACE', 'CAP_SYSLOG', *harness.DEFAULT_CAPABILITIES}
    own = re.search(r'CapBnd:\s*(\w+)', pathlib.Path('/proc/self/status').read_text())[1]
    wanted &= set(compare.capability_names(int(own, 16)))
    for which in ('CapPrm', 'CapEff', 'CapBnd'):
        expect(sorted(compare.capability_names(int(seen[which], 16))), sorted(wanted), which)


@cases(('of the same users', 0), ('of others', 100000))
def test_new_container_cannot_be_traced(name, first):
    """Of one that joins its PID namespace a process inside sees the first step, and its user owns that one's users."""
    others = Bundle()
    ids = [{'containerID': 0, 'hostID': first, 'size': 65536}]
    subprocess.run(['chown', '-hR', f'{first}:{first}', others.rootfs], check=True)
    with Container(Runtime(), hostile_bundle(args=['/bin/hostile', 'watch', '20'])) as container:
        container.create().start()
        expect(container.read_line(), 'watching', 'the watcher')
        others.config['mounts'] = [m for m in others.config['mounts'] if m['destination'] == '/dev']
        others.config['linux'] |= {
            'namespaces': [*({'type': kind} for kind in ('user', 'mount', 'ipc', 'uts')),
                           {'type': 'pid', 'path': f'/proc/{container.pid}/ns/pid'}],
            'uidMappings': ids, 'gidMappings': ids, 'maskedPaths': [], 'readonlyPaths': []}
        others.config['process']['args'] = ['true']
        # Before the first process's birth is told, until when it does nothing.
        answer = run_program(container.runtime, others, wrapper=delayed('sendmsg', 1))
        expect(answer.status, 0, f'status of {answer!r}')
        seen = json.loads(container.read_line(30))
    expect(seen['fds'], {}, 'descriptors that can be followed')
    expect([seen['getfd'], seen['memory'], seen['mem']], ['EPERM', 'EPERM', 'EACCES'], 'what a tracer would have')


def test_everything_of_the_runtime_stays_as_it_was():
    """CVE-2019-5736 as it was published: the program is a script whose interpreter is the runtime itself."""
    def content():
        with open(harness.KOGG, 'rb') as file:
            return file.read()
    before = content()
    bundle = hostile_bundle()
    tool = bundle.rootfs / 'bin/tool'
    tool.write_text('#!/proc/self/exe\n')
    tool.chmod(0o755)
    with Container(Runtime(), bundle) as container:
        container.run()
        answer = container.runtime.call('exec', container.id, '/bin/tool')
        assert answer.status != 0, repr(answer)
        script = 'exec 3</proc/self/exe; for i in 1 2 3; do echo x >/proc/self/fd/3 && echo written; done'
        tool.write_text(f'#!/bin/sh\n{script}\n')
        expect_in('written', container.runtime.call('exec', container.id, '/bin/tool').out + 'written', 'sanity')
    expect(content() == before, True, 'the runtime\'s file is as it was')


def test_replaced_programs():
    """The container's first process has put links, directories, FIFOs and devices in place of the programs."""
    bundle = hostile_bundle()
    replaced = {'loop': lambda path: path.symlink_to('loop'), 'directory': lambda path: path.mkdir(),
                'fifo': os.mkfifo, 'gone': lambda path: None,
                'socket': lambda path: os.mknod(path, 0o140755), 'empty': lambda path: path.touch(0o755),
                'zero': lambda path: os.mknod(path, 0o020777, os.makedev(1, 5)),
                'script loop': lambda path: (path.write_text(f'#!/bin/{path.name}\n'), path.chmod(0o755))}
    with Container(Runtime(), bundle) as container:
        container.run()
        for name, make in replaced.items():
            make(bundle.rootfs / 'bin' / name)
            answer = container.runtime.call('exec', container.id, f'/bin/{name}')
            expect(answer.status, 255, f'{name}: status of {answer!r}')
        (bundle.rootfs / 'etc/passwd').unlink()
        os.mkfifo(bundle.rootfs / 'etc/passwd')
        expect(container.runtime.ok('exec', container.id, '/bin/pwd').out, '/\n', 'with a FIFO as passwd file')


def test_failure_comes_before_the_birth_is_told():
    """However late the stage process is, no process is left that a deleted container would wait for."""
    with Container(Runtime(), hostile_bundle()) as container:
        container.run()
        answer = container.runtime.call('exec', container.id, '/bin/missing', wrapper=delayed('sendmsg', 0.3))
        expect(answer.status, 255, f'status of {answer!r}')
        expect_in('/bin/missing', answer.err, 'message')
        container.runtime.ok('delete', '--force', container.id, timeout=5)
        container.is_made = False


# Signals, stops and exhaustion

def test_killed_while_it_joins():
    """Whoever may send signals in the container can end the exec, and nothing more."""
    bundle = hostile_bundle(args=['/bin/sh', '-c', '''echo ready
while :; do for p in /proc/[0-9]*; do
	read name 2>/dev/null <$p/comm && [ "$name" = "kogg:[init]" ] && kill -9 ${p#/proc/}
done; done'''])
    with Container(Runtime(), bundle) as container:
        container.create().start()
        expect(container.read_line(), 'ready', 'the killer')
        answer = container.runtime.call('exec', container.id, '/bin/true', wrapper=delayed('setsid', 1))
        expect(answer.status, 255, f'status of {answer!r}')
        expect_in('ended', answer.err, 'message')
        expect(container.runtime.state(container.id)['status'], 'running', 'status')


def test_stopped_while_it_joins():
    """A stopped exec does not keep the container from being deleted, nor waits on for ever."""
    bundle = hostile_bundle(args=['/bin/sh', '-c', '''echo ready
while :; do for p in /proc/[0-9]*; do
	read name 2>/dev/null <$p/comm && [ "$name" = "kogg:[init]" ] && kill -STOP ${p#/proc/} && echo stopped
done; done'''])
    with Container(Runtime(), bundle) as container:
        container.create().start()
        expect(container.read_line(), 'ready', 'the stopper')
        command = container.runtime.command('exec', container.id, '/bin/true')
        held = subprocess.Popen([*delayed('setsid', 1), *command], stdin=subprocess.DEVNULL,
                                stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        expect(container.read_line(), 'stopped', 'the exec')
        container.runtime.ok('delete', '--force', container.id, timeout=5)
        container.is_made = False
        out, err = held.communicate(timeout=15)
        expect((held.returncode, out), (255, b''), 'the exec')
        expect_in('stopped', err.decode(), 'message')


# It waits a second, within which what it has found comes to the system call that it is held in.
STOPPER = '''echo ready
while :; do for p in /proc/[0-9]*; do
	read name 2>/dev/null <$p/comm && [ "$name" = "kogg" ] && kill -0 ${p#/proc/} 2>/dev/null && sleep 1 &&
		kill -STOP ${p#/proc/} && echo stopped
done; done'''


def stoppable_bundle():
    """A container that may signal the process that joins it: they share the PID namespace, and it joins the user namespace."""
    def share(config):
        config['linux']['namespaces'] = [n for n in config['linux']['namespaces'] if n['type'] != 'pid']
        config['linux']['namespaces'].append({'type': 'user'})
        config['linux']['uidMappings'] = config['linux']['gidMappings'] = [
            {'containerID': 0, 'hostID': 100000, 'size': 65536}]
        # A new instance of procfs is not to be had in it.
        next(m for m in config['mounts'] if m['destination'] == '/proc').update(
            type='none', source='/proc', options=['rbind', 'nosuid', 'noexec', 'nodev'])
        config['linux']['maskedPaths'] = config['linux']['readonlyPaths'] = []
    return hostile_bundle(share, ['/bin/sh', '-c', STOPPER])


def begin_exec(container, call):
    """An exec in the background whose processes wait for four seconds after each system call CALL."""
    delay = [STRACE, *harness.TRACEABLE, '-f', '-qq', '-o', '/dev/null', '-e', f'trace={call}',
             '-e', f'inject={call}:delay_exit=4000000']
    return subprocess.Popen([*delay, *container.runtime.command('exec', container.id, '/bin/true')],
                            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE)


def test_stage_is_stopped_when_it_has_given_birth():
    """It is waited for by exec, which holds the lock: not for ever."""
    with Container(Runtime(), stoppable_bundle()) as container:
        container.create().start()
        expect(container.read_line(), 'ready', 'the stopper')
        held = begin_exec(container, 'sendmsg')
        expect(container.read_line(), 'stopped', 'the process between')
        out, err = held.communicate(timeout=40)
        expect((held.returncode, out), (255, b''), f'the exec: {err}')
        container.runtime.ok('delete', '--force', container.id, timeout=5)
        container.is_made = False


def test_stage_is_stopped_and_the_container_killed():
    """Nothing is waited for that has nothing to join any more."""
    with Container(Runtime(), stoppable_bundle()) as container:
        container.create().start()
        expect(container.read_line(), 'ready', 'the stopper')
        held = begin_exec(container, 'setns')
        expect(container.read_line(), 'stopped', 'the process between')
        container.runtime.ok('kill', container.id, 'KILL')
        out, err = held.communicate(timeout=20)
        expect((held.returncode, out), (255, b''), f'the exec: {err}')


def test_killed_while_a_group_below_is_frozen():
    """Who has been given his groups may freeze them; when he is killed nobody waits for what came in there."""
    bundle = hostile_bundle()
    let_through(bundle.config)
    with Container(Runtime(), bundle) as container:
        container.run()
        inner = leave_group(container)
        (inner / 'cgroup.freeze').write_text('1')
        with subprocess.Popen(container.runtime.command('exec', container.id, 'true'), stdin=subprocess.DEVNULL,
                              stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
            try:
                assert harness.settle(lambda: len((inner / 'cgroup.procs').read_text().split()) > 1), 'nobody came'
                container.runtime.ok('kill', container.id, 'KILL')
                out, err = process.communicate(timeout=20)
            finally:
                process.kill()
        expect((process.returncode, out), (255, b''), f'exec: {err}')
        expect_in('stopped', err.decode(), 'message')
        container.runtime.ok('delete', container.id, timeout=10)
        container.is_made = False


def test_killed_and_kept_by_a_tracer():
    """A dead process that is traced can't be reaped: its parent does not wait for the tracer for ever."""
    with Container(Runtime(), hostile_bundle(add_capabilities('CAP_SYS_PTRACE'), ['/bin/hostile', 'keep'])) as container:
        container.create().start()
        expect(container.read_line(), 'watching', 'the tracer')
        for _ in range(50):  # it lives for a few milliseconds, and one of them is caught
            answer = container.runtime.call('exec', container.id, '/bin/true', timeout=40)
            if answer.status:
                break
        expect(answer.status, 255, f'status of {answer!r}')
        expect_in('traced', answer.err, 'message')
        # With the container the tracer goes, and an init that waits for every orphan.
        with container.runtime.start_call('delete', '--force', container.id) as deleting:
            harness.settle(lambda: deleting.poll() is not None, 5)
        expect(deleting.returncode, 0, 'status of delete')
        container.is_made = False


def test_forged_messages():
    """Who may trace takes the runtime's socket and speaks for its process: nothing is believed, nothing is changed."""
    def watch(config):
        add_capabilities('CAP_SYS_PTRACE')(config)
    bundle = hostile_bundle(watch, ['/bin/hostile', 'forge', '20'])
    with Container(Runtime(), bundle) as container:
        container.create().start()
        expect(container.read_line(), 'watching', 'the forger')
        answer = container.runtime.call('exec', container.id, '/bin/true', wrapper=delayed('setsid', 1))
        expect(container.read_line(), 'forged', 'the message')
        expect(answer.status, 255, f'status of {answer!r}')
        expect_in('malformed message', answer.err, 'message')
        expect(container.runtime.state(container.id)['status'], 'running', 'status')


def test_no_room_for_another_process():
    """A full cgroup is an error of exec, and the container stays as it was."""
    def limit(config):
        config['linux']['resources']['pids'] = {'limit': 20}
    bundle = hostile_bundle(limit, ['/bin/hostile', 'fill'])
    with Container(Runtime(), bundle) as container:
        container.create().start()
        expect(container.read_line(), 'full', 'the processes')
        answer = container.runtime.call('exec', container.id, '/bin/true')
        expect(answer.status, 255, f'status of {answer!r}')
        expect_in('resource temporarily unavailable', answer.err, 'message')
        expect(container.runtime.state(container.id)['status'], 'running', 'status')


# Keys, users

def test_session_keyring():
    """The keys of whoever calls exec are not the container's."""
    def keyring(*options):
        with Container(Runtime(), hostile_bundle()) as container:
            own = container.create(*options).start().ask()['session_keyring']
            with open(os.devnull) as nothing:
                answer = container.runtime.ok('exec', container.id, '/bin/probe', stdin=nothing)
        return own, json.loads(answer.out)['session_keyring']
    own, added = keyring()
    expect_in(';_ses.kogg-test', added, 'keyring')
    expect(added, own, 'keyring')
    own, added = keyring('--no-new-keyring')
    expect(added, own, 'keyring with --no-new-keyring')


@cases(*((text,) for text in ('-1', '4294967295', '4294967296', '18446744073709551616', ' 1', '1 ', '+1', '0x1', '1:',
                              ':1', '1:-1', '1:4294967296', '1e3', '1:1:1', 'root')))
def test_user_is_a_number(text):
    """CVE-2016-3697, CVE-2026-30892: nothing that is no number becomes uid 0."""
    bundle = hostile_bundle()
    with open(bundle.rootfs / 'etc/passwd', 'a') as passwd:
        passwd.write(f'{text.replace(":", "")}:x:0:0::/:/bin/sh\n')
    with Container(Runtime(), bundle) as container:
        container.run()
        answer = container.runtime.call('exec', f'--user={text}', container.id, '/bin/id', '-u')
        assert answer.status != 0, repr(answer)
        expect(answer.out, '', 'output')


def test_numeric_name_in_passwd():
    """CVE-2016-3697: uid 1000 is uid 1000, whatever the image's passwd file calls so."""
    bundle = hostile_bundle()
    (bundle.rootfs / 'etc/passwd').write_text('1000:x:0:0:root:/root:/bin/sh\n')
    (bundle.rootfs / 'etc/group').write_text('1000:x:0:\n')
    with Container(Runtime(), bundle) as container:
        container.run()
        out = container.runtime.ok('exec', '--user', '1000:1000', container.id, '/bin/probe').out
        seen = json.loads(out)
        expect([seen['uids'], seen['gids']], [[1000] * 3, [1000] * 3], 'IDs')


def test_frozen_container_refuses():
    """crun joins a frozen cgroup and hangs for ever; here it is an error at once, and resume works."""
    with Container(Runtime(), hostile_bundle()) as container:
        container.run()
        container.runtime.ok('pause', container.id)
        answer = container.runtime.call('exec', container.id, '/bin/true', timeout=5)
        expect(answer.status, 255, f'status of {answer!r}')
        expect_in('paused', answer.err, 'message')
        container.runtime.ok('resume', container.id)
        container.runtime.ok('exec', container.id, '/bin/true')


harness.main(__name__)
