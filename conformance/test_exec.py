#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""exec: another program in a container, no less confined than the container's own."""
import contextlib
import json
import os
import pathlib
import select
import signal
import subprocess
import time
import tty

import harness
from cgroup_files import leave_group, let_through, need
from harness import Bundle, Container, Runtime, Skip, cases, expect, expect_in
from machine import Namespaces, all_cpus, cgroup_mounts, controller_home


@contextlib.contextmanager
def running(change=lambda config: None, *options, runtime=None):
    """A container with the probe in it, and what the probe saw."""
    bundle = Bundle()
    change(bundle.config)
    with Container(runtime or Runtime(), bundle) as container:
        container.seen = container.create(*options).start().ask()
        yield container
        container.finish()
        container.delete()


def process(**members):
    return lambda config: config['process'].update(members)


def exec_in(container, *args, **options):
    return container.runtime.call('exec', *args, **options)


def seen_by_exec(container, *flags, requests=(), **options):
    """What the probe sees when it is exec'd."""
    with open(harness.tmp / f'in{harness.serial()}', 'w+') as requested:
        requested.write(''.join(f'{r}\n' for r in requests))
        requested.seek(0)
        answer = exec_in(container, *flags, container.id, '/bin/probe', stdin=requested, **options)
    expect(answer.status, 0, f'status of {answer!r}')
    expect(answer.err, '', 'stderr')
    return json.loads(answer.out)


def process_file(container, **members):
    path = harness.tmp / f'p{harness.serial()}'
    path.write_text(json.dumps(container.bundle.config['process'] | members))
    return path


def seen_by_process(container, **members):
    answer = exec_in(container, '--process', process_file(container, **members), container.id)
    expect(answer.status, 0, f'status of {answer!r}')
    return json.loads(answer.out)


def environment(seen):
    return dict(e.split('=', 1) for e in seen['env'])


# Where it is

NEW_CGROUP = {'type': 'cgroup'}
NEW_USER = {'type': 'user'}


def own_user_namespace(config):
    config['linux']['namespaces'].append(NEW_USER)
    config['linux']['uidMappings'] = config['linux']['gidMappings'] = [
        {'containerID': 0, 'hostID': 100000, 'size': 65536}]


def all_namespaces(config):
    own_user_namespace(config)
    config['linux']['namespaces'] += [NEW_CGROUP, {'type': 'time'}]
    config['linux']['timeOffsets'] = {'monotonic': {'secs': 1000}}


def no_pid_namespace(config):
    config['linux']['namespaces'] = [n for n in config['linux']['namespaces'] if n['type'] != 'pid']


@cases(
    ('as engines make them', lambda config: None),
    ('with cgroup', lambda config: config['linux']['namespaces'].append(NEW_CGROUP)),
    ('with time', lambda config: config['linux']['namespaces'].append({'type': 'time'})),
    ('with user', own_user_namespace),
    ('all eight', all_namespaces),
    ('without pid', no_pid_namespace),
)
def test_namespaces(name, change):
    with running(change) as container:
        seen = seen_by_exec(container)
        expect(seen['namespaces'], container.seen['namespaces'], 'namespaces')
        expect(seen['cgroup'], container.seen['cgroup'], 'cgroups')
        for member in ('uid_map', 'gid_map', 'setgroups', 'time_offsets', 'uids', 'gids', 'hostname', 'mounts'):
            expect(seen.get(member), container.seen.get(member), member)


def test_joined_namespaces():
    with Namespaces('--net', '--ipc', '--uts') as others:
        def change(config):
            for namespace in config['linux']['namespaces']:
                if namespace['type'] in ('network', 'ipc', 'uts'):
                    name = {'network': 'net'}.get(namespace['type'], namespace['type'])
                    namespace['path'] = others.path(name)
        with running(change) as container:
            seen = seen_by_exec(container)
            expect(seen['namespaces'], container.seen['namespaces'], 'namespaces')
            expect(seen['namespaces']['net'], others.inode('net'), 'network namespace')


def group_of(container, name):
    return pathlib.Path(cgroup_mounts()[name] + container.bundle.config['linux']['cgroupsPath'])


def hierarchies_of(container):
    """Mount points of the hierarchies in which the container has a group."""
    return {where for name, where in cgroup_mounts().items() if group_of(container, name).is_dir()}


def container_lines(container, subgroup):
    """Only hierarchies in which the container has a group can have it below."""
    path = container.bundle.config['linux']['cgroupsPath']
    return [f'{line}/{subgroup}' if line.endswith(path) else line for line in container.seen['cgroup']]


def test_subgroup():
    with running() as container:
        groups = [pathlib.Path(where + container.bundle.config['linux']['cgroupsPath'], 'inner')
                  for where in hierarchies_of(container)]
        for group in groups:
            group.mkdir()
            for name in ('cpuset.cpus', 'cpuset.mems'):  # those of v1 are empty at first
                if (group / name).exists() and not (group / name).read_text().strip():
                    (group / name).write_text((group.parent / name).read_text())
        seen = seen_by_exec(container, '--cgroup', 'inner')
        expect(sorted(seen['cgroup']), sorted(container_lines(container, 'inner')), 'cgroups')
        expect(seen_by_exec(container, '--cgroup', '/')['cgroup'], container.seen['cgroup'], 'cgroups with "/"')


def test_subgroup_of_one_controller():
    controllers = [n for n in ('pids', 'memory') if n in cgroup_mounts()]
    if not controllers:
        raise Skip('there is no v1 hierarchy')
    name = controllers[0]
    with running() as container:
        (group_of(container, name) / 'inner').mkdir()
        seen = seen_by_exec(container, '--cgroup', f'{name}:inner')
        wanted = [line + '/inner' if name in line.split(':')[1].split(',') else line
                  for line in container.seen['cgroup']]
        expect(seen['cgroup'], wanted, 'cgroups')


def test_first_process_has_left_its_group():
    """An init that enables controllers has to move below, and then nobody can enter the group itself."""
    with running(let_through) as container:
        leave_group(container)
        wanted = pathlib.Path(f'/proc/{container.pid}/cgroup').read_text().splitlines()
        assert any(line.endswith('/inner') for line in wanted), wanted
        expect(seen_by_exec(container)['cgroup'], wanted, 'cgroups')


@cases(
    ('missing', 'nothere', "cgroup 'nothere'"),
    ('outside', '../..', "'../..'"),
    ('unknown controller', 'nosuch:x', "controller 'nosuch'"),
)
def test_bad_subgroup(name, word, phrase):
    with running() as container:
        answer = exec_in(container, '--cgroup', word, container.id, 'true')
        expect(answer.status, 255, 'status')
        message = answer.error()['msg']
        expect_in('--cgroup', message, 'message')
        assert 'no such file' not in message, message


# How it is confined

FILTER = {'defaultAction': 'SCMP_ACT_ALLOW', 'architectures': ['SCMP_ARCH_X86_64'],
          'syscalls': [{'names': ['getcwd'], 'action': 'SCMP_ACT_ERRNO', 'errnoRet': 42}]}


def test_confined_as_the_container():
    def change(config):
        config['process'].update(
            user={'uid': 1000, 'gid': 1001, 'additionalGids': [7], 'umask': 0o27}, oomScoreAdj=321,
            rlimits=[{'type': 'RLIMIT_NOFILE', 'hard': 555, 'soft': 44}, {'type': 'RLIMIT_CORE', 'hard': 0, 'soft': 0}],
            scheduler={'policy': 'SCHED_BATCH', 'nice': 7}, ioPriority={'class': 'IOPRIO_CLASS_BE', 'priority': 6})
        config['process']['capabilities']['ambient'] = ['CAP_KILL']
        config['process']['capabilities']['inheritable'] = ['CAP_KILL', 'CAP_CHOWN']
        config['linux']['seccomp'] = FILTER
        config['linux']['personality'] = {'domain': 'LINUX32'}
    with running(change) as container:
        seen = seen_by_exec(container, requests=['syscall getcwd'])
        for member in ('uids', 'gids', 'groups', 'umask', 'capabilities', 'securebits', 'no_new_privs', 'dumpable',
                       'rlimits', 'scheduler', 'io_priority', 'personality', 'oom_score_adj', 'cwd', 'env', 'label'):
            expect(seen.get(member), container.seen.get(member), member)
        for member in ('Seccomp', 'Seccomp_filters', 'SigBlk', 'SigIgn', 'CapBnd'):
            expect(seen['status'].get(member), container.seen['status'].get(member), member)
        expect(sorted(seen['descriptors']), ['0', '1', '2'], 'descriptors')


def test_without_new_privileges_forbidden():
    with running(process(noNewPrivileges=False)) as container:
        expect(seen_by_exec(container)['no_new_privs'], 0, 'no_new_privs')
        expect(seen_by_exec(container, '--no-new-privs')['no_new_privs'], 1, 'no_new_privs by flag')


def test_programs_outside_are_hidden():
    """CVE-2019-5736: the container can't get at the runtime's own file by /proc/PID/exe."""
    with running() as container:
        answer = exec_in(container, container.id, 'sh', '-c', 'readlink /proc/self/exe; ls -l /proc/1/exe')
        expect_in('/bin/busybox', answer.out, 'the program')
        assert 'kogg' not in answer.out, answer.out


@cases(('initial', {'initial': '0'}, [0]), ('final', {'final': '1'}, [1]), ('both', {'initial': '0', 'final': '1'}, [1]),
       ('blanks', {'final': '0, 1'}, [0, 1]))
def test_affinity(name, affinity, wanted):
    cpus = all_cpus()
    if len(cpus) < 2:
        raise Skip('needs two CPUs')
    with running(process(execCPUAffinity=affinity)) as container:
        expect(container.seen['affinity'], cpus, 'affinity of the first process')
        seen = seen_by_exec(container)['affinity']
        if 'final' in affinity:
            expect(seen, wanted, 'affinity')
        else:  # entering a cpuset may widen it again
            assert seen in (wanted, container.seen['affinity']), seen


@cases(('letters', 'x'), ('backwards', '3-1'), ('too many', '99999'), ('open end', '1-'))
def test_bad_affinity(name, cpus):
    with running() as container:
        path = process_file(container, execCPUAffinity={'final': cpus})
        answer = exec_in(container, '--process', path, container.id)
        expect(answer.status, 255, 'status')
        expect(answer.error().get('pointer'), '/execCPUAffinity/final', 'pointer')


def test_class_of_service():
    """What is exec'd goes to the container's resctrl group; few machines have one, so only that it is looked for."""
    with running() as container:
        saved = container.runtime.root / container.id / 'config.json'
        config = json.loads(saved.read_text())
        config['linux']['intelRdt'] = {'closID': 'kogg-test'}
        saved.write_text(json.dumps(config))
        trace = harness.tmp / f'trace{harness.serial()}'
        strace = ['strace', *harness.TRACEABLE, '-f', '-qq', '-o', str(trace), '-e', 'trace=openat,clone3,execve']
        seen_by_exec(container, wrapper=strace)
        lines = trace.read_text().splitlines()
    births = [i for i, line in enumerate(lines) if 'clone3(' in line]
    looks = [i for i, line in enumerate(lines) if '"/sys/fs/resctrl"' in line]
    assert len(looks) == 1 and births[0] < looks[0] < births[-1], f'looks in lines {looks}, births in {births}'


# The process file, and flags

def test_process_file():
    with running() as container:
        seen = seen_by_process(
            container, args=['/bin/probe', 'x'], cwd='/tmp', env=['PATH=/bin', 'A=b'], noNewPrivileges=False,
            user={'uid': 5, 'gid': 6, 'additionalGids': [8]}, rlimits=[{'type': 'RLIMIT_NOFILE', 'hard': 99, 'soft': 9}],
            capabilities={'bounding': ['CAP_KILL']}, oomScoreAdj=7, execCPUAffinity={'final': '0'})
        expect(seen['argv'], ['/bin/probe', 'x'], 'argv')
        expect(seen['cwd'], '/tmp', 'cwd')
        expect(environment(seen).get('A'), 'b', 'A')
        expect((seen['uids'], seen['gids'], seen['groups']), ([5] * 3, [6] * 3, [8]), 'ids')
        expect(seen['rlimits']['NOFILE'], [9, 99], 'limit')
        expect(seen['capabilities']['bounding'], f'{1 << 5:016x}', 'bounding set')
        expect(seen['no_new_privs'], 0, 'no_new_privs')
        expect(seen['oom_score_adj'].strip(), '7', 'oom_score_adj')
        expect(seen['affinity'], [0], 'affinity')


@cases(
    ('no arguments', {'args': []}, '/args'),
    ('relative directory', {'cwd': 'tmp'}, '/cwd'),
    ('wrong type', {'user': {'uid': '0', 'gid': 0}}, '/user/uid'),
    ('unknown limit', {'rlimits': [{'type': 'RLIMIT_FOO', 'hard': 1, 'soft': 1}]}, '/rlimits/0/type'),
    ('missing program', {'args': ['/nonesuch']}, '/args/0'),
    ('unknown AppArmor profile', {'apparmorProfile': 'kogg-nonesuch'}, '/apparmorProfile'),
    ('unknown SELinux label', {'selinuxLabel': 'a:b:c'}, '/selinuxLabel'),
)
def test_bad_process_file(name, members, pointer):
    with running() as container:
        path = process_file(container, **members)
        answer = exec_in(container, '--process', path, container.id)
        expect(answer.status, 255, 'status')
        expect(answer.error().get('pointer'), pointer, f'pointer of {answer.err!r}')


def test_process_file_that_is_none():
    with running() as container:
        for text in ('', '[]', '{', 'x' * 10):
            path = harness.tmp / 'bad.json'
            path.write_text(text)
            answer = exec_in(container, '--process', path, container.id)
            expect(answer.status, 255, 'status')
            expect_in('bad.json', answer.error()['msg'], 'message')
        answer = exec_in(container, '--process', '/nonesuch.json', container.id)
        expect(answer.status, 255, 'status')
        message = answer.error()['msg']
        expect_in('/nonesuch.json', message, 'message')
        assert 'no such file' not in message, 'engines take it for a missing command'


def test_flags():
    with running() as container:
        seen = seen_by_exec(container, '--cwd', '/tmp', '--env', 'A=1,2', '-e', 'B=', '--user', '1000:1001',
                            '-g', '7', '--additional-gids', '8', '--cap', 'CAP_SYS_PTRACE')
        expect(seen['cwd'], '/tmp', 'cwd')
        expect((seen['uids'], seen['gids'], sorted(seen['groups'])), ([1000] * 3, [1001] * 3, [7, 8]), 'ids')
        expect({n: environment(seen).get(n) for n in 'AB'}, {'A': '1,2', 'B': ''}, 'environment')
        wanted = int(container.seen['capabilities']['bounding'], 16) | 1 << 19
        expect(seen['capabilities']['bounding'], f'{wanted:016x}', 'bounding set')
        expect(seen['capabilities']['ambient'], f'{0:016x}', 'ambient set')
        expect(environment(seen)['HOME'], '/home/user', 'HOME')


def test_groups_are_added():
    with running(process(user={'uid': 0, 'gid': 0, 'additionalGids': [5]})) as container:
        expect(sorted(seen_by_exec(container, '-g', '7')['groups']), [5, 7], 'groups')
        seen = seen_by_exec(container, '--user', '1000')
        expect((seen['uids'][0], seen['gids'][0]), (1000, 0), 'ids')


@cases(*[(user,) for user in (
    '4294967296', '-1', ' 1', '1 ', '+1', '0x1', '1:', ':1', '1:-1', '1:4294967295', '4294967295', 'root', '1:2:3',
    '0000000000000000000001', '18446744073709551616')])
def test_bad_user(user):
    with running() as container:
        answer = exec_in(container, f'--user={user}', container.id, 'true')
        expect(answer.status, 255, f'status of {user!r}')
        expect_in('--user', answer.error()['msg'], 'message')


@cases(
    ('group', ['--additional-gids=-1'], '--additional-gids'),
    ('large group', ['-g', '4294967296'], '--additional-gids'),
    ('no group', ['-g', '4294967295'], '--additional-gids'),
    ('environment', ['--env', 'A'], '--env'),
    ('environment without a name', ['--env', '=A'], '--env'),
    ('relative directory', ['--cwd', 'tmp'], '--cwd'),
    ('capability', ['--cap', 'CAP_FOO'], '--cap'),
    ('preserved descriptors', ['--preserve-fds', '-1'], '--preserve-fds'),
    ('closed descriptors', ['--preserve-fds', '9'], '--preserve-fds'),
    ('too many descriptors', ['--preserve-fds', '4294967295'], '--preserve-fds'),
    ('option', ['--nonesuch'], '--nonesuch'),
    ('terminal nobody takes', ['--detach', '--tty'], '--console-socket'),
    ('socket for no terminal', ['--console-socket', '/x'], '--console-socket'),
    ('socket that is none', ['--tty', '--console-socket', '/etc/passwd'], "--console-socket: connect '/etc/passwd'"),
    ('socket that is missing', ['--tty', '--console-socket', '/nonesuch'], "--console-socket: connect '/nonesuch': not found"),
    ('pidfd socket that is none', ['--pidfd-socket', '/etc/passwd'], "--pidfd-socket: connect '/etc/passwd'"),
    ('pid file in no directory', ['--pid-file', '/nonesuch/pid'], '/nonesuch/pid'),
    ('profile', ['--apparmor', 'kogg-nonesuch'], '--apparmor'),
    ('label', ['--process-label', 'a:b:c'], '--process-label'),
)
def test_bad_flag(name, flags, phrase):
    with running() as container:
        answer = exec_in(container, *flags, container.id, 'true')
        expect(answer.status, 255, 'status')
        message = answer.error()['msg']
        expect_in(phrase, message, 'message')
        assert 'no such file' not in message, 'engines take it for a missing command'


@cases(*[(flag,) for flag in (
    '--cwd=/', '--env=A=b', '--user=1', '-g=1', '--cap=CAP_KILL', '--no-new-privs', '--apparmor=x', '--process-label=x')])
def test_flag_beside_a_process_file(flag):
    """It would be without effect, and perhaps meant to confine."""
    with running() as container:
        answer = exec_in(container, flag, '--process', process_file(container), container.id)
        expect(answer.status, 255, 'status')
        expect_in('--process', answer.error()['msg'], 'message')


# Programs that can't be executed (what engines read out of the message is kept)

def write_program(path, data, mode=0o755):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(data)
    path.chmod(mode)


def foreign_elf():
    """As busybox, for another machine: e_machine is at byte 18."""
    data = bytearray(pathlib.Path(harness.BUSYBOX).read_bytes()[:4096])
    data[18:20] = (183 if data[18] != 183 else 62).to_bytes(2, 'little')
    return bytes(data)


PROGRAMS = {
    'no-interpreter': (b'#!/nonesuch/sh -e\necho\n', 0o755),
    'carriage-return': (b'#!/bin/sh\r\necho\r\n', 0o755),
    'no-exec-bit': (b'#!/bin/sh\n', 0o644),
    'no-shebang': (b'echo hello\n', 0o755),
    'empty': (b'', 0o755),
}


@cases(
    ('missing', ['/nonesuch'], ['no such file or directory', '/nonesuch']),
    ('not in PATH', ['nonesuch'], ['executable file not found in $PATH', 'nonesuch']),
    ('empty name', [''], ['executable file not found in $PATH']),
    ('below a file', ['/etc/passwd/x'], ['no such file or directory', 'a file']),
    ('directory', ['/etc'], ['is a directory', '/etc']),
    ('no exec bit', ['/opt/no-exec-bit'], ['permission denied', 'no-exec-bit']),
    ('missing interpreter', ['/opt/no-interpreter'], ['no such file or directory', '/nonesuch/sh']),
    ('carriage return', ['/opt/carriage-return'], ['no such file or directory', 'carriage return']),
    ('no shebang', ['/opt/no-shebang'], ['exec format error', '#!']),
    ('empty file', ['/opt/empty'], ['exec format error', 'empty']),
    ('other machine', ['/opt/foreign'], ['exec format error', 'aarch64' if os.uname().machine == 'x86_64' else 'x86_64']),
    ('mounted noexec', ['/noexec/script'], ['permission denied', 'noexec']),
    ('dangling link', ['/opt/dangling'], ['no such file or directory', '/opt/dangling']),
    ('loop of links', ['/opt/loop'], ['symbolic links']),
)
def test_program(name, args, phrases):
    bundle = Bundle()
    for file, (data, mode) in PROGRAMS.items():
        write_program(bundle.rootfs / 'opt' / file, data, mode)
    write_program(bundle.rootfs / 'opt/foreign', foreign_elf())
    (bundle.rootfs / 'opt/dangling').symlink_to('/nonesuch')
    (bundle.rootfs / 'opt/loop').symlink_to('loop')
    bundle.config['mounts'].append({'destination': '/noexec', 'type': 'tmpfs', 'source': 'tmpfs', 'options': ['noexec']})
    for profile in (None, FILTER):  # with a filter the look at the file comes before the execve(2)
        if profile:
            bundle.config['linux']['seccomp'] = profile
        with Container(Runtime(), bundle) as container:
            container.create().start().ask()
            write_program(pathlib.Path(f'/proc/{container.pid}/root/noexec/script'), b'#!/bin/sh\n')
            answer = exec_in(container, container.id, *args)
            expect(answer.status, 255, 'status')
            record = answer.error()
            for phrase in phrases:
                expect_in(phrase, record['msg'] + record.get('hint', ''), 'message')
            expect(record.get('pointer'), None, 'pointer: there is no such place')
            container.finish()
            container.delete()


@cases(('execve', {'names': ['execve'], 'action': 'SCMP_ACT_KILL_PROCESS', 'args': [
           {'index': 0, 'value': 0, 'op': 'SCMP_CMP_NE'}]}, 'has to allow execve(2)'),
       # With noNewPrivileges, as the container's own process has it, capset(2) comes before the filter.
       ('capset', {'names': ['capset'], 'action': 'SCMP_ACT_KILL_PROCESS'}, 'also capset(2)'))
def test_program_the_filter_forbids(name, rule, hint):
    """Its process can say nothing any more."""
    bundle = Bundle()
    bundle.config['linux']['seccomp'] = {'defaultAction': 'SCMP_ACT_ALLOW', 'syscalls': [rule]}
    bundle.config['process']['noNewPrivileges'] = True
    runtime = Runtime()
    with Container(runtime, bundle) as container:
        container.create()
        path = process_file(container, args=['true'], noNewPrivileges=False)
        answer = exec_in(container, '--process', path, container.id)
        expect(answer.status, 255, 'status')
        expect_in('/linux/seccomp: the process was ended by signal 31', answer.error()['msg'], 'message')
        expect_in(hint, answer.error()['hint'], 'hint')
        runtime.ok('delete', '--force', container.id)
        container.is_made = False


def test_user_that_is_not_mapped():
    with running(own_user_namespace) as container:
        for flags in (['--user', '70000'], ['--user', '0:70000'], ['-g', '70000']):
            answer = exec_in(container, *flags, container.id, 'true')
            expect(answer.status, 255, 'status')
            expect_in('70000', answer.error()['msg'], 'message')


# How it ends

@cases((0, 'exit 0'), (7, 'exit 7'), (255, 'exit 255'), (143, 'kill -TERM $$'), (137, 'kill -KILL $$'))
def test_status(wanted, script):
    with running() as container:
        expect(exec_in(container, container.id, 'sh', '-c', script).status, wanted, 'status')


EATER = 'tail -c 33554432 /dev/zero'
TIGHT = {'limit': 8 << 20, 'swap': 8 << 20}


@cases(('itself', f'exec {EATER}'), ('a child', f'{EATER}; exit $?'))
def test_killed_for_lack_of_memory(name, script):
    need('memory')
    with running(lambda config: config['linux']['resources'].update(memory=TIGHT)) as container:
        answer = exec_in(container, container.id, 'sh', '-c', script, timeout=60)
        expect(answer.status, 137, 'status')
        expect([r['level'] for r in answer.records()], ['warning'], f'records of {answer.log_text}')
        expect_in('has killed 1 process of the container for lack of memory', answer.log_text, 'log')
        answer = subprocess.run(container.runtime.command('exec', container.id, 'sh', '-c', script), check=False, timeout=60,
                                stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
        expect_in('for lack of memory', answer.stderr, 'standard error without a log')
        answer = exec_in(container, container.id, 'sh', '-c', 'kill -KILL $$')
        expect((answer.status, answer.log_text), (137, ''), 'status and log of another kill later')


def test_killed_for_lack_of_memory_in_a_subgroup():
    """v1 counts only there."""
    if controller_home('memory')[0] != 1:
        raise Skip('memory is no v1 controller here')
    with running() as container:
        inner = group_of(container, 'memory') / 'inner'
        inner.mkdir()
        (inner / 'memory.limit_in_bytes').write_text(str(TIGHT['limit']))
        answer = exec_in(container, '--cgroup', 'memory:inner', container.id, 'sh', '-c', f'exec {EATER}', timeout=60)
        expect(answer.status, 137, 'status')
        expect_in('for lack of memory', answer.log_text, 'log')


def test_no_memory_for_another_process():
    """The container's files have taken all of it: whenever the kernel kills, it is named, and the container stays."""
    need('memory')
    bundle = Bundle()
    bundle.config['process']['args'] = ['sh', '-c', '(echo 1000 >/proc/self/oom_score_adj; exec cat /dev/zero >/dev/shm/full); echo full; while read x; do :; done']
    bundle.config['linux']['resources']['memory'] = TIGHT
    with Container(Runtime(), bundle) as container:
        container.create().start()
        expect(container.read_line(30), 'full', 'the first line')
        version, where = controller_home('memory')
        used = pathlib.Path(str(where) + bundle.config['linux']['cgroupsPath'], 'memory.current' if version == 2
                            else 'memory.usage_in_bytes').read_text().strip()
        container.runtime.ok('update', '--memory', used, '--memory-swap', used, container.id)
        statuses = set()
        for _ in range(10):
            process = process_file(container, args=['true'], oomScoreAdj=1000)
            answer = exec_in(container, '--process', process, container.id)
            statuses.add(answer.status)
            if answer.status:
                expect_in('for lack of memory', answer.log_text, f'log of {answer!r}')
            container.runtime.ok('state', container.id)
        assert statuses <= {0, 137, 255} and statuses != {0}, f'statuses {statuses}'
        expect(container.runtime.state(container.id)['status'], 'running', 'status')


def test_run_killed_for_lack_of_memory():
    need('memory')
    bundle = Bundle()
    bundle.config['process']['args'] = ['sh', '-c', f'exec {EATER}']
    bundle.config['linux']['resources']['memory'] = TIGHT
    answer = harness.run_program(Runtime(), bundle, timeout=60)
    expect(answer.status, 137, 'status')
    expect_in('for lack of memory', answer.log_text, 'log')


def test_own_failure():
    runtime = Runtime()
    answer = runtime.call('exec', 'nonesuch', 'true')
    expect(answer.status, 255, 'status')
    expect_in('does not exist', answer.error()['msg'], 'message')
    expect(runtime.call('exec').status, 255, 'status without arguments')
    with running(runtime=runtime) as container:
        answer = exec_in(container, container.id)
        expect(answer.status, 255, 'status without command')


def test_states():
    with Container(Runtime(), Bundle()) as container:
        container.create()
        expect(exec_in(container, container.id, 'true').status, 0, 'status in a created container')
        container.start()
        container.ask()
        container.runtime.ok('pause', container.id)
        answer = exec_in(container, container.id, 'true')
        expect((answer.status, 'paused' in answer.error()['msg']), (255, True), 'a paused container refuses')
        container.runtime.ok('resume', container.id)
        container.finish()
        answer = exec_in(container, container.id, 'true')
        expect(answer.status, 255, 'status')
        expect_in('stopped', answer.error()['msg'], 'message')
        container.delete()


def test_paused_and_ignored():
    """It is born frozen, and whoever resumes the container can do so."""
    with running() as container:
        container.runtime.ok('pause', container.id)
        call = container.runtime.start_call('exec', '--ignore-paused', container.id, 'sh', '-c', 'exit 9')
        try:
            time.sleep(0.5)
            expect(call.poll(), None, 'status before')
            started = time.monotonic()
            container.runtime.ok('resume', container.id)
            assert time.monotonic() - started < 5, 'resume had to wait for exec'
            expect(call.wait(10), 9, 'status')
        finally:
            call.kill()
            call.wait()


# What it hands over

def read_pid(path):
    text = path.read_text()
    assert text.isdigit(), f'{text!r} is not just a number'
    return int(text)


def test_detach():
    with running() as container:
        pid_file = harness.tmp / 'pid'
        answer = exec_in(container, '--detach', '--pid-file', pid_file, container.id, 'sleep', '1000')
        expect((answer.status, answer.out, answer.err), (0, '', ''), repr(answer))
        pid = read_pid(pid_file)
        expect(os.readlink(f'/proc/{pid}/ns/pid'), os.readlink(f'/proc/{container.pid}/ns/pid'), 'pid namespace')
        os.kill(pid, signal.SIGKILL)


def test_pid_file_of_a_failure():
    """conmon takes a pid file to mean that the program runs."""
    with running() as container:
        pid_file = harness.tmp / 'pid'
        for args in (['/nonesuch'], ['--cwd', '/etc/passwd/x', 'true']):
            flags = args[:-1]
            answer = exec_in(container, '--detach', '--pid-file', pid_file, *flags, container.id, args[-1])
            expect(answer.status, 255, 'status')
            expect(pid_file.exists(), False, 'pid file')


def test_pidfd_socket():
    with running() as container:
        console = harness.Console()
        try:
            call = container.runtime.start_call('exec', '--detach', '--pidfd-socket', console.path, container.id,
                                                'sleep', '1000')
            expect(console.receive(), 'setns', 'payload')
            expect(call.wait(10), 0, 'status')
            assert not select.select([console.master], [], [], 0)[0], 'its process has ended already'
            signal.pidfd_send_signal(console.master, signal.SIGKILL)
            assert select.select([console.master], [], [], 10)[0], 'its process has not ended'
        finally:
            console.close()


def test_console_socket():
    with running() as container:
        console = harness.Console()
        try:
            path = process_file(container, terminal=True, consoleSize={'height': 11, 'width': 22})
            call = container.runtime.start_call('exec', '--detach', '--process', path, '--console-socket', console.path,
                                                container.id)
            assert console.receive(), 'no payload'
            tty.setraw(console.master)
            os.write(console.master, b'go\n')
            text = b''
            while not text.endswith(b'}\n'):
                assert select.select([console.master], [], [], 10)[0], f'no answer; so far {text!r}'
                text += os.read(console.master, 65536)
            seen = json.loads(text[text.index(b'{'):])
            expect(seen['terminal_size'], [11, 22], 'size')
            expect(sorted(seen['descriptors']), ['0', '1', '2'], 'descriptors')
            assert seen['controlling_terminal'] > 2, seen['controlling_terminal']
            expect(seen['session'], seen['pid'], 'session')
            expect(call.wait(10), 0, 'status')
            os.write(console.master, b'exit 0\n')
        finally:
            console.close()


def test_preserved_descriptors():
    with running() as container:
        def prepare():
            for number in (3, 4, 5):
                fd = os.open('/etc/hostname', os.O_RDONLY)
                os.dup2(fd, number, inheritable=True)
                if fd != number:
                    os.close(fd)
        seen = seen_by_exec(container, '--preserve-fds', 2, preexec_fn=prepare, close_fds=False)
        expect(sorted(seen['descriptors']), ['0', '1', '2', '3', '4'], 'descriptors')


def test_signals_are_forwarded():
    script = 'trap "echo usr1; exit 3" USR1; echo ready; while :; do sleep 0.05; done'
    with running() as container:
        call = container.runtime.start_call('exec', container.id, 'sh', '-c', script, stdout=subprocess.PIPE)
        with call:
            expect(call.stdout.readline(), b'ready\n', 'first line')
            call.send_signal(signal.SIGUSR1)
            expect(call.stdout.readline(), b'usr1\n', 'second line')
            expect(call.wait(10), 3, 'status')


def test_orphans_are_not_waited_for():
    """Standard output stays open in the background."""
    with running() as container:
        started = time.monotonic()
        answer = exec_in(container, container.id, 'sh', '-c', 'sleep 1000 & echo $!')
        assert time.monotonic() - started < 20, 'exec waited for what its program left behind'
        expect(answer.status, 0, 'status')
        exec_in(container, container.id, 'kill', answer.out.strip())


harness.main(__name__)
