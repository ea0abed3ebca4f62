#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""What goes wrong while a container is made or started: who says so, in which words, and what stays behind."""
import os
import pathlib
import re
import resource
import shutil
import signal
import subprocess

import harness
import machine
from attacks import STRACE
from cgroup_files import need
from harness import Bundle, Container, Runtime, Skip, cases, expect, expect_in, expect_tree, file_bundle, run_program
from machine import children, describe, orphans


# Programs that cannot be executed

@cases(
    ('not in PATH', ['nonesuch'], 'executable file not found in $PATH'),
    ('absolute', ['/nonesuch'], 'no such file or directory'),
    ('a directory', ['/etc'], 'is a directory: permission denied'),
    ('no exec bit', ['/etc/passwd'], 'permission denied'),
)
def test_program_fails_at_create(name, args, text):
    runtime, bundle = Runtime(), Bundle()
    bundle.config['process']['args'] = args
    tree = bundle.save().tree()
    record = runtime.fails('create', '--bundle', bundle.path, 'broken')
    expect_in(text, record['msg'], 'message')
    expect_in(args[0], record['msg'], 'message names the program')
    expect(runtime.ids(), [], 'states')
    expect_tree(bundle, tree)


@cases(
    ('argument', {'args': ['true', 'a', 'x' * 0x20000]}, '/process/args/2', 'args/2 takes 131073 bytes'),
    ('variable', {'env': ['PATH=/bin', 'A=' + 'x' * 0x20000]}, '/process/env/1', 'env/1 takes 131075 bytes'),
    ('arguments', {'args': ['true', *['x' * 0xffff] * 200]}, '/process/args', 'args takes 13108'),
    ('variables', {'env': ['PATH=/bin', *(f'A{i:03}=' + 'x' * 0xffff for i in range(200))]}, '/process/env', 'env 13109'),
)
def test_more_than_a_program_can_be_given(name, members, pointer, hint):
    """Not all is the fault of the first argument, the program."""
    runtime, bundle = Runtime(), file_bundle()
    bundle.config['process'].update(args=['true'])
    bundle.config['process'].update(members)
    runtime.ok('create', '--bundle', bundle.save().path, 'large')
    record = runtime.fails('start', 'large')
    expect((record['errno'], record['pointer']), ('E2BIG', pointer), 'errno and pointer')
    expect_in(hint, record['hint'], 'hint')
    runtime.ok('delete', 'large')


def test_program_that_vanishes_before_start():
    """The exec fails in start, and start must say so."""
    runtime, bundle = Runtime(), Bundle()
    with Container(runtime, bundle) as container:
        container.create()
        (bundle.rootfs / 'bin/probe').unlink()
        expect_in('no such file or directory', runtime.fails('start', container.id)['msg'], 'message')
        container.wait_status('stopped')
        container.delete()


@cases(('run', 0), ('create', 0), ('create', 300))
def test_limit_on_the_size_of_files(command, limit):
    """Of the caller's: what can't be written is an error, and no end of the runtime."""
    runtime, bundle = Runtime(), file_bundle()
    limits = (limit, resource.getrlimit(resource.RLIMIT_FSIZE)[1])
    with runtime.start_call(command, '--bundle', bundle.save().path, 'small', stderr=subprocess.PIPE, text=True,
                            preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, limits)) as call:
        words = call.communicate(timeout=30)[1]
    expect(call.returncode, 1, 'status')
    expect_in('file too large', words, 'message')
    expect(runtime.ids(), [], 'states')


# First processes that end without a word

def killing(*calls):
    """A bundle whose filter kills for these system calls; it is loaded before capabilities are dropped."""
    bundle = file_bundle()
    bundle.config['process']['noNewPrivileges'] = False
    bundle.config['linux']['seccomp'] = {'defaultAction': 'SCMP_ACT_ALLOW', 'syscalls': [
        {'names': list(calls), 'action': 'SCMP_ACT_KILL_PROCESS'}]}
    return bundle.save()


@cases(('execve',), ('write',))
def test_filter_that_kills_the_first_process(call):
    record = Runtime().fails('run', '--bundle', killing(call).path, 'filtered')
    expect_in('SIGSYS', record['msg'], 'message')
    expect(record['pointer'], '/linux/seccomp', 'pointer')


def test_filter_that_kills_in_start():
    """Nobody's child any more, but the kernel tells by which signal it died."""
    runtime = Runtime()
    runtime.ok('create', '--bundle', killing('execve').path, 'filtered')
    record = runtime.fails('start', 'filtered')
    expect_in('signal 31 (SIGSYS) when it was to become the program', record['msg'], 'message')
    expect_in('the seccomp profile has to allow execve(2)', record['hint'], 'hint')
    runtime.ok('delete', 'filtered')


# What is denied, by default or in particular; the end that shows.
DENIALS = cases(
    ('everything', {'defaultAction': 'SCMP_ACT_ERRNO'}, 'SIGSEGV'),
    ('write', {'defaultAction': 'SCMP_ACT_ALLOW', 'syscalls': [{'names': ['write', 'sendmsg'], 'action': 'SCMP_ACT_ERRNO'}]},
     'status 1'))


@DENIALS
def test_filter_that_denies_calls_of_the_first_process(name, profile, end):
    """It can say nothing: that there is a profile is all that is known."""
    bundle = file_bundle()
    bundle.config['linux']['seccomp'] = profile
    bundle.config['process']['noNewPrivileges'] = True
    record = Runtime().fails('create', '--bundle', bundle.save().path, 'filtered')
    expect_in(end, record['msg'], 'message')
    expect_in('seccomp profile, which has to allow read(2), write(2), execve(2)', record['hint'], 'hint')
    expect(record['pointer'], '/linux/seccomp', 'pointer')


@cases(('EPERM', 1), ('ENOSYS', 38))
def test_filter_that_denies_execve(name, number):
    bundle = file_bundle()
    bundle.config['linux']['seccomp'] = {'defaultAction': 'SCMP_ACT_ALLOW', 'syscalls': [
        {'names': ['execve'], 'action': 'SCMP_ACT_ERRNO', 'errnoRet': number}]}
    runtime = Runtime()
    runtime.ok('create', '--bundle', bundle.save().path, 'filtered')
    record = runtime.fails('start', 'filtered')
    expect((record['errno'], record['pointer']), (name, '/process/args/0'), 'errno and pointer')
    expect_in('the seccomp profile may be what denies execve(2)', record['hint'], 'hint')
    runtime.ok('delete', 'filtered')


def test_first_process_that_is_reaped_before_start_looks():
    """Killed in its hook, and waited for by its parent while `start` sleeps: nobody can be asked what became of it."""
    runtime, bundle = Runtime(), Bundle()
    bundle.config['hooks'] = {'startContainer': [
        {'path': '/bin/sh', 'args': ['sh', '-c', 'echo > /hook; exec sleep 60']}]}
    with Container(runtime, bundle) as container:
        container.create()
        with subprocess.Popen(runtime.command('start', container.id), stdin=subprocess.DEVNULL,
                              stderr=subprocess.PIPE, text=True) as start:
            try:
                assert harness.settle((bundle.rootfs / 'hook').exists), 'the hook has not run'
                start.send_signal(signal.SIGSTOP)
                os.kill(container.pid, signal.SIGKILL)
                assert harness.settle(lambda: not os.path.exists(f'/proc/{container.pid}')), 'it has not ended'
            finally:
                start.send_signal(signal.SIGCONT)
            _, message = start.communicate(timeout=10)
        expect(start.returncode, 1, 'status of start')
        expect_in('before it became the program', message, 'message')


def traced_create(runtime, bundle, *options):
    """Only the runtime's own process is traced; its last words go to a file."""
    report = harness.tmp / f'report{harness.serial()}'
    words = [STRACE, *harness.TRACEABLE, '-qq', '-o', str(report), '-e', 'trace=openat', *options,
             *runtime.command('create', '--bundle', bundle.path, 'begun')]
    return report, subprocess.Popen(words, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)


def waits_to_read(pid):
    number = {'x86_64': '0', 'aarch64': '63'}.get(os.uname().machine)
    if not number:
        raise Skip('the number of read(2) is not known here')
    return pathlib.Path(f'/proc/{pid}/syscall').read_text().split()[0] == number


def test_killed_create_with_a_first_process_that_is_ready():
    """While it is on no record it ends with the runtime, though it has done all that it has to do."""
    runtime, bundle = Runtime('--cgroup-manager', 'disabled'), file_bundle()
    del bundle.config['linux']['cgroupsPath']
    bundle.config['linux']['namespaces'] = [{'type': name} for name in ('pid', 'ipc', 'uts', 'mount')]
    bundle.save()
    report, whole = traced_create(runtime, bundle)
    expect(whole.wait(30), 0, 'status')
    before = next(i for i, line in enumerate(report.read_text().splitlines()) if re.search(r'/proc/\d+/stat"', line))
    runtime.ok('delete', '--force', 'begun')
    _, held = traced_create(runtime, bundle, '-e', f'inject=openat:delay_enter=60000000:when={before + 1}')
    try:
        assert harness.settle(lambda: any(map(children, children(held.pid)))), 'no first process'
        creator, = children(held.pid)
        first, = children(creator)
        assert harness.settle(lambda: waits_to_read(first)), 'the first process does not wait'
        expect(f'"pid":{first},' in (runtime.root / 'begun/state.json').read_text(), False, 'whether it is on record')
        os.kill(creator, signal.SIGKILL)
    finally:
        held.kill()  # it would sit out the delay
        held.wait()
    runtime.ok('delete', '--force', 'begun')
    expect([describe(pid) for pid in orphans()], [], 'processes')


def test_create_whose_name_another_create_has_taken():
    """Deleted when it had made no more than its directory; what has that name then is another's."""
    runtime, bundle = Runtime(), Bundle()
    words = [STRACE, *harness.TRACEABLE, '-qq', '-o', '/dev/null', '-e', 'trace=mkdirat',
             '-e', 'inject=mkdirat:delay_exit=2000000:when=1',
             *runtime.command('create', '--bundle', Bundle().save().path, 'taken')]
    with Container(runtime, bundle, 'taken') as container, subprocess.Popen(
            words, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True) as late:
        assert harness.settle((runtime.root / 'taken').exists), 'it has made no directory'
        runtime.ok('delete', '--force', 'taken')
        container.create()
        _, message = late.communicate(timeout=30)
        expect_in("container 'taken' was deleted while it was created", message, 'message')
        expect(late.returncode, 1, 'status')
        expect(runtime.state('taken')['status'], 'created', 'status of the other')
        container.start()


def test_profile_that_libseccomp_never_compiles():
    """Two rules for one call, each with two conditions: libseccomp 2.5.4 goes round in circles, and another may not."""
    def on(index, op, value):
        return {'index': index, 'op': f'SCMP_CMP_{op}', 'value': value}
    runtime, bundle = Runtime(), file_bundle()
    bundle.config['linux']['seccomp'] = {
        'defaultAction': 'SCMP_ACT_ALLOW', 'architectures': ['SCMP_ARCH_X86', 'SCMP_ARCH_X32'], 'syscalls': [
            {'names': ['ipc'], 'action': 'SCMP_ACT_KILL', 'args': [on(0, 'NE', 0), on(3, 'EQ', 9)]},
            {'names': ['ipc'], 'action': 'SCMP_ACT_LOG', 'args': [on(0, 'NE', 0), on(4, 'NE', 0)]}]}
    answer = runtime.call('run', '--bundle', bundle.save().path, 'endless', timeout=300)
    if answer.status:
        expect_in('does not come to an end', answer.error()['msg'], 'message')
    expect(runtime.ids(), [], 'states')


def test_profile_with_little_processor_time():
    """A limit of the caller's that is lower than the compiler's own is not to be raised, and is no reason to fail."""
    bundle = file_bundle()
    bundle.config['linux']['seccomp'] = {'defaultAction': 'SCMP_ACT_ALLOW', 'syscalls': [
        {'names': ['ptrace'], 'action': 'SCMP_ACT_ERRNO'}]}
    Runtime().ok('run', '--bundle', bundle.save().path, 'limited',
                 preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_CPU, (3, 3)))


@cases(('run',), ('create',))
def test_too_little_memory(command):
    bundle = file_bundle()
    bundle.config['linux']['resources']['memory'] = {'limit': 4096}
    record = Runtime().fails(command, '--bundle', bundle.save().path, 'tiny')
    expect(record['pointer'], '/linux/resources/memory/limit', 'pointer')
    expect_in('for lack of memory', record['msg'], 'message')


EATER = 'tail -c 33554432 /dev/zero'
TIGHT = {'limit': 8 << 20, 'swap': 8 << 20}


@cases(('with a limit', {'memory': TIGHT}), ('without', {}))
def test_kill_of_another_in_the_same_group(name, resources):
    """The group was there, and what lived in it before has been killed for lack of memory."""
    need('memory')
    def run(script, **members):
        bundle = Bundle()
        bundle.config['process']['args'] = ['sh', '-c', script]
        linux = bundle.config['linux']
        linux['namespaces'] = [n for n in linux['namespaces'] if n['type'] != 'pid']  # it kills itself
        linux['cgroupsPath'] = path
        linux['resources'] |= members
        return run_program(Runtime(), bundle, timeout=60)
    path = Bundle(rootfs=False).config['linux']['cgroupsPath']
    group = pathlib.Path(str(machine.controller_home('memory')[1]) + path)
    group.mkdir(parents=True)
    try:
        expect_in('for lack of memory', run(f'exec {EATER}', memory=TIGHT).log_text, 'log of the one before')
        answer = run('kill -KILL $$', **resources)
        expect((answer.status, answer.log_text), (137, ''), 'status and log')
        expect_in('for lack of memory', run(f'exec {EATER}', memory=TIGHT).log_text, 'log of the one behind')
    finally:
        group.rmdir()


def fails_late(bundle, text, *delays):
    """On v2 limits are written while the first process works. These calls of `create` are delayed, and it fails with TEXT."""
    if not shutil.which('strace'):
        raise harness.Skip('there is no strace to delay a system call')
    if machine.controller_home('memory')[0] != 2:
        raise harness.Skip('memory is no v2 controller here')
    runtime, tree = Runtime(), bundle.save().tree()
    command = ['strace', *harness.TRACEABLE, '-qq', '-o', '/dev/null', *delays, harness.KOGG, '--root', runtime.root,
               'create', '--bundle', bundle.path, 'late']
    result = subprocess.run(command, capture_output=True, text=True, check=False)
    expect(result.returncode, 1, 'status')
    expect_in(text, result.stderr, 'message')
    expect(runtime.ids(), [], 'states')
    expect_tree(bundle, tree)


def test_too_little_memory_when_all_is_done():
    """The first process has done its work: it is killed by the limit, and has no more to say."""
    bundle = file_bundle()
    bundle.config['linux']['resources']['memory'] = {'limit': 4096}
    # A new one would be waited for until the runtime is at its limits.
    bundle.config['linux']['namespaces'] = [n for n in bundle.config['linux']['namespaces'] if n['type'] != 'network']
    fails_late(bundle, 'for lack of memory', '-e', 'inject=clone3:delay_exit=2000000')


def test_limit_that_fails_while_mounts_are_made():
    """The process that has just made a directory must still tell of it, and runs no hook after that."""
    bundle = file_bundle()
    bundle.config['linux']['resources']['unified'] = {'memory.high': 'much'}
    # It takes three seconds to make these; the limit comes after two.
    bundle.config['mounts'].insert(0, {'destination': '/deep' + '/er' * 59, 'type': 'tmpfs', 'source': 'tmpfs'})
    hook = bundle.path / 'hook'
    bundle.config['hooks'] = {'createContainer': [{'path': '/bin/busybox', 'args': ['touch', str(hook)]}]}
    fails_late(bundle, 'memory.high', '-f', '-e', 'trace=mkdirat,clone3', '-e', 'inject=mkdirat:delay_exit=50000',
               '-e', 'inject=clone3:delay_exit=2000000')
    assert not hook.exists(), 'a hook has run'


def test_too_few_tasks_above():
    """Not the container's own limit, which holds from its start on."""
    need('pids')
    above = machine.controller_home('pids')[1] / machine.CGROUP_TOP / f'above{harness.serial()}'
    above.mkdir(parents=True)
    try:
        if not (above / 'pids.max').exists():
            raise harness.Skip('the controller pids is not enabled for groups in groups')
        (above / 'pids.max').write_text('1')
        bundle = file_bundle()
        bundle.config['linux']['cgroupsPath'] = f'/{machine.CGROUP_TOP}/{above.name}/few'
        bundle.config['linux']['namespaces'].append({'type': 'time'})
        record = Runtime().fails('create', '--bundle', bundle.save().path, 'few')
        expect(record.get('hint'), 'pids.max of a cgroup above, or RLIMIT_NPROC, is reached', 'hint')
    finally:
        above.rmdir()


@cases((1,), (2,))
def test_too_few_tasks_for_exec(limit):
    """The container's limit is named, where the config says it or update has changed it."""
    need('pids')
    bundle = Bundle()
    bundle.config['linux']['resources']['pids'] = {'limit': limit}
    with Container(Runtime(), bundle) as container:
        container.run()
        record = container.runtime.fails('exec', container.id, 'true')
        expect_in('/linux/resources/pids/limit: clone a process for the container', record['msg'], 'message')
        expect(record['pointer'], '/linux/resources/pids/limit', 'pointer')
        expect_in(f'may have {limit} task', record['hint'], 'hint')
        container.runtime.ok('update', '--pids-limit', '3', container.id)
        container.runtime.ok('exec', container.id, 'true')
        container.runtime.ok('update', '--pids-limit', str(3 - limit), container.id)
        record = container.runtime.fails('exec', container.id, 'true')
        expect(record.get('pointer'), None, 'pointer after an update')
        expect_in(f'may have {3 - limit} task', record['hint'], 'hint after an update')


def test_list_that_cannot_be_read():
    """A directory that can't be read is no empty list."""
    if not shutil.which('strace'):
        raise harness.Skip('there is no strace to make a system call fail')
    runtime, bundle = Runtime(), file_bundle().save()
    runtime.ok('create', '--bundle', bundle.path, 'there')
    result = subprocess.run(['strace', *harness.TRACEABLE, '-o', '/dev/null', '-e', 'inject=getdents64:error=EIO', harness.KOGG,
                             '--root', runtime.root, 'list', '--quiet'], capture_output=True, text=True, check=False)
    runtime.ok('delete', '--force', 'there')
    expect((result.returncode, result.stdout), (1, ''), 'status and output')
    expect_in('read state root', result.stderr, 'message')


def test_create_without_process():
    """Legal (config.md, "Process"); only start needs it."""
    runtime, bundle = Runtime(), Bundle()
    del bundle.config['process']
    bundle.save()
    runtime.ok('create', '--bundle', bundle.path, 'empty')
    runtime.fails('start', 'empty')
    runtime.ok('delete', '--force', 'empty')


# Leftovers of failures; the harness looks for mounts, groups, states and processes after each test

def failing_late(config):
    """Fails when the container's file system is complete: the last mount cannot be made."""
    config['mounts'].append({'destination': '/new/late', 'type': 'nonesuch', 'source': 'x'})


def failing_hook(kind):
    def change(config):
        config['hooks'] = {kind: [{'path': '/bin/false'}]}
    return change


def failing_sysctl(config):
    config['linux']['sysctl'] = {'net.ipv4.nosuch': '1'}


def failing_limit(config):
    config['linux']['resources']['cpu'] = {'cpus': '999'}


@cases(
    ('a mount', failing_late), ('a sysctl', failing_sysctl), ('a limit', failing_limit),
    ('prestart', failing_hook('prestart')), ('createRuntime', failing_hook('createRuntime')),
    ('createContainer', failing_hook('createContainer')),
)
def test_failed_create_leaves_nothing(name, change):
    runtime, bundle = Runtime(), Bundle()
    bundle.config['mounts'].insert(0, {'destination': '/new/target', 'type': 'tmpfs', 'source': 'tmpfs'})
    change(bundle.config)
    tree = bundle.save().tree()
    pid_file = bundle.path / 'pid'
    runtime.fails('create', '--bundle', bundle.path, '--pid-file', pid_file, 'failing')
    expect(runtime.ids(), [], 'states')
    expect(pid_file.exists(), False, 'a pid file')
    expect_tree(bundle, tree)


@cases(('a mount', failing_late), ('a sysctl', failing_sysctl), ('startContainer', failing_hook('startContainer')),
       ('poststart', failing_hook('poststart')))
def test_failed_run_leaves_nothing(name, change):
    runtime, bundle = Runtime(), file_bundle()
    change(bundle.config)
    bundle.save()
    runtime.fails('run', '--bundle', bundle.path, 'failing')
    expect(runtime.ids(), [], 'states')


# The state directory

def test_state_root_without_room():
    """Its files are called as the bundle's are, and must not be taken for those."""
    texts = set()
    for options in ('size=4k', *(f'nr_inodes={count}' for count in range(1, 6))):
        runtime, bundle = Runtime(), file_bundle().save()
        runtime.root.mkdir(mode=0o700)
        harness.temporary_mount('state', runtime.root, 'tmpfs', data=options)
        record = runtime.fails('create', '--bundle', bundle.path, 'full')
        what = f"state directory '{runtime.root}/full'"
        expect(record['msg'].startswith(what) or record['msg'].startswith(f'make {what}'), True, record['msg'])
        expect(record['path'].startswith(f'{runtime.root}/full'), True, record['path'])
        texts.add(record['msg'].removeprefix(f'{what}: ').split(' ')[0])
    expect(texts, {'make', 'mkfifo', 'create', 'write'}, 'kinds of failure')


def test_state_root_that_became_read_only():
    runtime, bundle = Runtime(), Bundle()
    runtime.root.mkdir(mode=0o700)
    harness.temporary_mount('state', runtime.root, 'tmpfs')
    container = Container(runtime, bundle)
    with container:
        container.create()
        subprocess.run(['mount', '-o', 'remount,ro', runtime.root], check=True)
        try:
            record = runtime.fails('start', container.id)
            expect(record['msg'], f"state directory '{runtime.root}/{container.id}': unlink 'start': "
                   'read-only file system', 'message')
            expect_in(f"make state directory '{runtime.root}/other': ",
                      runtime.fails('create', '--bundle', bundle.path, 'other')['msg'], 'message of create')
        finally:
            subprocess.run(['mount', '-o', 'remount,rw', runtime.root], check=True)


def test_kept_config_that_is_gone():
    runtime, bundle = Runtime(), Bundle()
    with Container(runtime, bundle) as container:
        container.create().start()
        (runtime.root / container.id / 'config.json').unlink()
        record = runtime.fails('exec', container.id, 'true')
        expect(record['msg'], f"state directory '{runtime.root}/{container.id}': open 'config.json': not found", 'message')


harness.main(__name__)
