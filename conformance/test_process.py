#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""config.md, "Process", and config-linux.md: every attribute the program starts with."""
import errno
import json
import os
import pathlib
import socket
import subprocess

import compare
import compare_seccomp
import harness
from cgroup_files import group_of
from harness import Bundle, Container, Runtime, Skip, cases, expect, expect_in, run_program
from machine import cgroup_mounts

POSSIBLE = int(next(line.split()[1] for line in open('/proc/self/status') if line.startswith('CapBnd')), 16)


def seen_with(change, *requests, options=(), warnings=0):
    """What the probe sees in a container whose config CHANGE has been applied to."""
    bundle = Bundle()
    change(bundle.config)
    with Container(Runtime(), bundle) as container:
        answer = container.try_create(*options)
        assert answer.status == 0, repr(answer)
        expect([r['level'] for r in answer.records()], ['warning'] * warnings, f'levels of {answer.log_text!r}')
        container.take_console()
        container.start()
        seen = container.ask(*requests)
        container.finish()
        container.delete()
    return seen


def refused(change, pointer, phrase=''):
    bundle, runtime = Bundle(), Runtime()
    change(bundle.config)
    record = runtime.fails('create', '--bundle', bundle.save().path, 'refused')
    expect(record.get('pointer'), pointer, f'pointer of {record["msg"]!r}')
    expect_in(phrase, record['msg'] + record.get('hint', ''), 'message')
    expect(runtime.ids(), [], 'states')
    return record


def process(**members):
    return lambda config: config['process'].update(members)


# User

def test_ids_and_groups():
    seen = seen_with(process(user={'uid': 1000, 'gid': 1001, 'additionalGids': [7, 5]}))
    expect((seen['uids'], seen['gids']), ([1000] * 3, [1001] * 3), 'ids')
    expect(sorted(seen['groups']), [5, 7], 'groups')


def test_groups_of_the_caller_are_dropped():
    bundle = Bundle()
    bundle.config['process']['args'] = ['id', '-G']
    answer = run_program(Runtime(), bundle, extra_groups=[4242])
    expect(answer.out.split(), ['0'], 'groups')


def test_largest_ids():
    seen = seen_with(process(user={'uid': 2**32 - 2, 'gid': 2**32 - 2}))
    expect((seen['uids'][0], seen['gids'][0]), (2**32 - 2, 2**32 - 2), 'ids')


@cases(('uid', {'uid': 2**32 - 1, 'gid': 0}), ('gid', {'uid': 0, 'gid': 2**32 - 1}))
def test_id_that_means_none(name, user):
    """-1 as a 32-bit number makes setresuid(2) keep the old id: root."""
    refused(process(user=user), f'/process/user/{name}')


@cases((None, 0o022), (0, 0), (0o77, 0o77), (0o777, 0o777))
def test_umask(mask, wanted):
    user = {'uid': 0, 'gid': 0} | ({} if mask is None else {'umask': mask})
    expect(seen_with(process(user=user))['umask'], wanted, 'umask')


# Arguments, environment, directory

def test_arguments_are_bytes():
    args = ['/bin/probe', '', ' ', 'a\nb', 'ü', '--help', '"']
    expect(seen_with(process(args=args))['argv'], [compare.raw(a) for a in args], 'argv')


def environment(seen):
    return dict(e.split('=', 1) for e in seen['env'])


def test_environment_is_only_the_configs():
    seen = seen_with(process(env=['PATH=/bin', 'A=1', 'A=2', 'E=', 'HOME=/h']))
    expect(environment(seen), {'PATH': '/bin', 'A': '2', 'E': '', 'HOME': '/h'}, 'environment')


@cases((0, '/root'), (1000, '/home/user'), (4711, '/'))
def test_home_comes_from_passwd(uid, home):
    expect(environment(seen_with(process(user={'uid': uid, 'gid': 0})))['HOME'], home, 'HOME')


def test_hostile_passwd():
    """A huge or strange passwd file can at most cost the container its HOME."""
    for text in (b'x' * (1 << 20), b'root:x:0:0:root:/a\nb:', b'\0' * 4096, b'root:x:00:0::/evil:', b':' * 999):
        bundle = Bundle()
        (bundle.rootfs / 'etc/passwd').write_bytes(text)
        with Container(Runtime(), bundle) as container:
            assert environment(container.run()).get('HOME', '').startswith('/'), 'no HOME'
            container.finish()
            container.delete()


def test_entry_without_equals_sign():
    refused(process(env=['PATH=/bin', 'NOTHING']), '/process/env/1')


def test_program_is_found_with_the_configs_path():
    bundle = Bundle()
    (bundle.rootfs / 'opt').mkdir()
    os.link(harness.template / 'bin/probe', bundle.rootfs / 'opt/tool')
    bundle.config['process'].update(args=['tool'], env=['PATH=/nowhere:/opt'])
    with Container(Runtime(), bundle) as container:
        expect(container.run()['argv'], ['tool'], 'argv')
        container.finish()
        container.delete()


def test_relative_program_counts_from_cwd():
    seen = seen_with(process(args=['./probe'], cwd='/bin'))
    expect((seen['argv'], seen['cwd']), (['./probe'], '/bin'), 'argv and cwd')


def test_missing_cwd_is_made():
    seen = seen_with(process(cwd='/new/deep', user={'uid': 1000, 'gid': 1000}), 'stat /new/deep')
    expect(seen['cwd'], '/new/deep', 'cwd')


def shut_out_others():
    os.umask(0o077)


@cases(('run', 'run'), ('exec', 'exec'))
def test_umask_of_the_caller(name, command):
    """What is made for the user, he can enter."""
    bundle = Bundle()
    path = '/new/deep'
    process(cwd=path, user={'uid': 1000, 'gid': 1000})(bundle.config)
    bundle.config['linux']['devices'] = [{'path': '/dev/mine', 'type': 'c', 'major': 1, 'minor': 3}]
    modes = ['stat', '-c', '%a %n', os.path.dirname(path), path, '/dev/mine', '/proc/self/cwd/.']
    wanted = [f'755 {os.path.dirname(path)}', f'755 {path}', '666 /dev/mine', '755 /proc/self/cwd/.']
    with Container(Runtime(preexec_fn=shut_out_others), bundle) as container:
        if command == 'run':
            container.bundle.config['process']['args'] = modes
            expect(run_program(container.runtime, bundle).out.splitlines(), wanted, 'modes')
            return
        container.run()
        expect(container.runtime.ok('exec', '--cwd', path, container.id, *modes).out.splitlines(), wanted, 'modes')
        groups = [group_of(bundle, mount) for mount in cgroup_mounts().values()]
        expect({oct(group.stat().st_mode & 0o777) for group in groups if group.exists()}, {'0o755'}, 'modes of groups')


def test_cwd_that_is_a_file():
    refused(process(cwd='/etc/passwd'), '/process/cwd')


@cases(('/proc/self/fd/0',), ('/proc/self/fd/3',), ('/proc/self/fd/7',), ('/proc/1/fd/5',), ('/proc/self/cwd',))
def test_cwd_does_not_lead_out(path):
    """CVE-2024-21626: a directory of the host through a descriptor of the runtime."""
    bundle = Bundle()
    bundle.config['process']['cwd'] = path
    with Container(Runtime(), bundle) as container:
        answer = container.try_create()
        if answer.status == 0:
            container.start()
            cwd = container.ask('read ../../../../../etc/hostname')['cwd']
            assert cwd.startswith('/') and '(unreachable)' not in cwd, cwd


# Capabilities

def capabilities(**sets):
    return process(capabilities=sets)


def mask(*names):
    return f'{sum(1 << compare.CAPABILITIES.index(n.removeprefix("CAP_")) for n in names):016x}'


EMPTY = f'{0:016x}'


@cases(('absent', None), ('empty', {}))
def test_no_capabilities(name, sets):
    def change(config):
        config['process'].pop('capabilities')
        if sets is not None:
            config['process']['capabilities'] = sets
    expect(seen_with(change)['capabilities'], {n: EMPTY for n in
           ('bounding', 'effective', 'permitted', 'inheritable', 'ambient')}, 'capabilities')


def test_ambient_reaches_a_user():
    caps = ['CAP_NET_BIND_SERVICE', 'CAP_KILL']
    def change(config):
        config['process']['user'] = {'uid': 1000, 'gid': 1000}
        config['process']['capabilities'] = {n: caps for n in ('bounding', 'effective', 'permitted')}
        config['process']['capabilities'] |= {'inheritable': caps, 'ambient': caps[:1]}
    seen = seen_with(change)['capabilities']
    expect(seen, {'bounding': mask(*caps), 'inheritable': mask(*caps), 'ambient': mask(caps[0]),
                  'permitted': mask(caps[0]), 'effective': mask(caps[0])}, 'capabilities')


def test_inheritable_is_only_what_is_asked():
    """CVE-2022-29162: inheritable capabilities that nobody asked raise users through file capabilities."""
    expect(seen_with(lambda config: None)['capabilities']['inheritable'], EMPTY, 'inheritable')


def test_impossible_capabilities_warn():
    """Permitted outside bounding, ambient outside inheritable, effective outside permitted."""
    seen = seen_with(capabilities(bounding=['CAP_KILL'], permitted=['CAP_KILL'], effective=['CAP_KILL', 'CAP_CHOWN'],
                                  ambient=['CAP_KILL']), warnings=2)
    expect(seen['capabilities']['bounding'], mask('CAP_KILL'), 'bounding')
    expect(seen['capabilities']['ambient'], EMPTY, 'ambient')


def test_capability_that_the_caller_lacks_warns():
    missing = compare.capability_names(~POSSIBLE & (1 << 41) - 1)
    if not missing:
        raise Skip('the caller has all capabilities')
    names = [missing[0], 'CAP_KILL']
    seen = seen_with(capabilities(bounding=names, permitted=names, effective=names), warnings=1)
    expect(seen['capabilities']['bounding'], mask('CAP_KILL'), 'bounding')


@cases((True, 1), (False, 0), (None, 0))
def test_no_new_privileges(asked, wanted):
    def change(config):
        config['process'].pop('noNewPrivileges')
        if asked is not None:
            config['process']['noNewPrivileges'] = asked
    expect(seen_with(change)['no_new_privs'], wanted, 'no_new_privs')


# Limits

ALL_LIMITS = [('AS', 1 << 40), ('CORE', 0), ('CPU', 5000), ('DATA', 1 << 39), ('FSIZE', 1 << 38), ('LOCKS', 77),
              ('MEMLOCK', 65536), ('MSGQUEUE', 4096), ('NICE', 0), ('NOFILE', 333), ('NPROC', 4444), ('RSS', 1 << 37),
              ('RTPRIO', 0), ('RTTIME', 123456), ('SIGPENDING', 99), ('STACK', 4 << 20)]


def test_all_rlimits():
    limits = [{'type': f'RLIMIT_{n}', 'soft': v, 'hard': v} for n, v in ALL_LIMITS]
    seen = seen_with(process(rlimits=limits))['rlimits']
    expect(seen, {n: [v, v] for n, v in ALL_LIMITS}, 'rlimits')


def test_infinite_rlimit():
    seen = seen_with(process(rlimits=[{'type': 'RLIMIT_CPU', 'soft': 10, 'hard': 2**64 - 1}]))
    expect(seen['rlimits']['CPU'], [10, 2**64 - 1], 'RLIMIT_CPU')


def test_rlimit_twice():
    limit = {'type': 'RLIMIT_NOFILE', 'soft': 1, 'hard': 1}
    refused(process(rlimits=[limit, limit]), '/process/rlimits/1')


def test_soft_above_hard():
    refused(process(rlimits=[{'type': 'RLIMIT_NOFILE', 'soft': 2, 'hard': 1}]), '/process/rlimits/0/soft')


def test_no_descriptor_to_look_for_home():
    limits = [{'type': 'RLIMIT_CORE', 'soft': 0, 'hard': 0}, {'type': 'RLIMIT_NOFILE', 'soft': 0, 'hard': 0}]
    record = refused(process(rlimits=limits), '/process/rlimits/1', 'too many open files')
    expect_in('HOME', record['hint'], 'hint')


def test_rlimit_above_what_the_caller_may():
    if POSSIBLE >> 24 & 1:
        raise Skip('the caller has CAP_SYS_RESOURCE and may raise any limit')
    bundle, runtime = Bundle(), Runtime()
    bundle.config['process']['rlimits'] = [{'type': 'RLIMIT_NOFILE', 'soft': 1 << 20, 'hard': 1 << 20}]
    record = runtime.fails('create', '--bundle', bundle.save().path, 'refused')
    assert record.get('pointer', '').startswith('/process/rlimits/0'), record
    expect_in('RLIMIT_NOFILE', record['msg'], 'message')
    assert 'operation not permitted' not in record['msg'], record['msg']


# Scheduling

@cases(
    ('batch', {'policy': 'SCHED_BATCH', 'nice': 5}, {'policy': 3, 'nice': 5}),
    ('idle', {'policy': 'SCHED_IDLE'}, {'policy': 5}),
    ('other', {'policy': 'SCHED_OTHER', 'nice': 19}, {'policy': 0, 'nice': 19}),
    ('reset on fork', {'policy': 'SCHED_BATCH', 'flags': ['SCHED_FLAG_RESET_ON_FORK']}, {'policy': 3, 'flags': 1}),
)
def test_scheduler(name, asked, wanted):
    seen = seen_with(process(scheduler=asked))['scheduler']
    expect({k: seen[k] for k in wanted}, wanted, 'scheduler')


@cases(
    ('policy', {'policy': 'SCHED_FOO'}, '/process/scheduler/policy'),
    ('flag', {'policy': 'SCHED_OTHER', 'flags': ['SCHED_FLAG_FOO']}, '/process/scheduler/flags/0'),
    ('nice', {'policy': 'SCHED_OTHER', 'nice': 20}, '/process/scheduler/nice'),
)
def test_wrong_scheduler(name, asked, pointer):
    refused(process(scheduler=asked), pointer)


@cases(('IOPRIO_CLASS_BE', 7, 2 << 13 | 7), ('IOPRIO_CLASS_IDLE', 0, 3 << 13))
def test_io_priority(kind, level, wanted):
    seen = seen_with(process(ioPriority={'class': kind, 'priority': level}))
    expect(seen['io_priority'], wanted, 'ioprio')


@cases(('class', {'class': 'IOPRIO_CLASS_FOO', 'priority': 0}), ('priority', {'class': 'IOPRIO_CLASS_BE', 'priority': 8}))
def test_wrong_io_priority(member, asked):
    refused(process(ioPriority=asked), f'/process/ioPriority/{member}')


def test_oom_score_adj():
    expect(seen_with(process(oomScoreAdj=777))['oom_score_adj'], '777', 'oom_score_adj')


def test_oom_score_adj_in_user_namespace():
    """There its file is not its own, which must not matter; docker's userns-remap asks for it always."""
    def change(config):
        process(oomScoreAdj=777)(config)
        config['linux']['namespaces'].append({'type': 'user'})
        config['linux']['uidMappings'] = config['linux']['gidMappings'] = \
            [{'containerID': 0, 'hostID': 100000, 'size': 65536}]
    expect(seen_with(change)['oom_score_adj'], '777', 'oom_score_adj')


def test_oom_score_adj_of_exec():
    """Not the runtime's own, and not what the first process has."""
    bundle = Bundle()
    process(oomScoreAdj=777)(bundle.config)
    with Container(Runtime(), bundle) as container:
        container.run()
        spec = harness.tmp / 'process.json'
        spec.write_text(json.dumps(bundle.config['process'] | {
            'oomScoreAdj': 778, 'args': ['cat', '/proc/self/oom_score_adj']}))
        expect(container.runtime.ok('exec', '--process', spec, container.id).out, '778\n', 'oom_score_adj')


def test_oom_score_adj_inherited():
    expect(seen_with(lambda c: None)['oom_score_adj'], pathlib.Path('/proc/self/oom_score_adj').read_text().strip(),
           'oom_score_adj')


@cases((1001,), (-1001,))
def test_wrong_oom_score_adj(value):
    refused(process(oomScoreAdj=value), '/process/oomScoreAdj')


def test_personality():
    def change(config):
        config['linux']['personality'] = {'domain': 'LINUX32'}
    expect(seen_with(change)['personality'], 8, 'personality')


def test_wrong_personality():
    def change(config):
        config['linux']['personality'] = {'domain': 'LINUX', 'flags': ['ADDR_NO_RANDOMIZE']}
    refused(change, '/linux/personality/flags/0')


def test_memory_policy():
    def change(config):
        config['linux']['memoryPolicy'] = {'mode': 'MPOL_BIND', 'nodes': '0', 'flags': ['MPOL_F_STATIC_NODES']}
    seen = seen_with(change)
    expect((seen['memory_policy'], seen['memory_nodes']), (2 | 1 << 15, 1), 'memory policy')


def test_signals_are_as_at_boot():
    """Neither blocked nor ignored ones of the runtime or of its caller."""
    status = seen_with(lambda c: None)['status']
    expect({k: int(status[k], 16) for k in ('SigBlk', 'SigIgn')}, {'SigBlk': 0, 'SigIgn': 0}, 'signals')


# Labels

def test_selinux_label_without_selinux():
    if os.path.exists('/sys/fs/selinux/status'):
        raise Skip('this kernel has SELinux')
    refused(process(selinuxLabel='system_u:system_r:container_t:s0'), '/process/selinuxLabel')


def test_mount_label_without_selinux():
    if os.path.exists('/sys/fs/selinux/status'):
        raise Skip('this kernel has SELinux')
    def change(config):
        config['linux']['mountLabel'] = 'system_u:object_r:container_file_t:s0'
    refused(change, '/linux/mountLabel')


@cases((None,), ('',))
def test_empty_labels_are_none(label):
    members = {'apparmorProfile': label, 'selinuxLabel': label} if label is not None else {}
    seen_with(process(**members))


# Keyring and descriptors

def test_session_keyring_is_new():
    seen = seen_with(lambda c: None)
    description = seen['session_keyring']
    assert description.startswith('keyring;') and not description.endswith('_uid_ses.0'), description


def test_no_new_keyring():
    own = subprocess.run([harness.PROBE], stdin=subprocess.DEVNULL, capture_output=True, text=True, check=True)
    wanted = json.loads(own.stdout)['session_keyring']
    expect(seen_with(lambda c: None, options=['--no-new-keyring'])['session_keyring'], wanted, 'keyring')


def open_at(number, path):
    """Opens PATH as descriptor NUMBER in the child that is about to be the runtime."""
    fd = os.open(path, os.O_RDONLY)
    os.dup2(fd, number, inheritable=True)
    if fd != number:
        os.close(fd)


def test_preserved_descriptors():
    with Container(Runtime(), Bundle()) as container:
        def prepare():
            for number in (3, 4, 5):
                open_at(number, '/etc/hostname')
        container.create('--preserve-fds', 2, preexec_fn=prepare, close_fds=False)
        seen = container.start().ask()['descriptors']
        expect(sorted(seen), ['0', '1', '2', '3', '4'], 'descriptors')
        container.finish()
        container.delete()


@cases((1,), (40,))
def test_preserved_descriptor_that_is_closed(count):
    """The first number is the runtime's log, which is not the caller's."""
    bundle = Bundle().save()
    runtime = Runtime()
    record = runtime.fails('create', '--bundle', bundle.path, '--preserve-fds', count, 'refused')
    expect_in(f'preserved descriptor 0 (of {count}) is not open', record['msg'], 'message')
    expect(runtime.ids(), [], 'states')


def test_listen_fds():
    """sd_listen_fds(3): only when LISTEN_PID is the runtime's own."""
    bundle, runtime = Bundle(), Runtime()
    script = f'exec 3</etc/hostname; LISTEN_FDS=1 LISTEN_PID=$$ exec "$@"'
    with Container(runtime, bundle) as container:
        container.bundle.save()
        container.open_stdio()
        answer = runtime.call('create', '--bundle', bundle.path, container.id, wrapper=['sh', '-c', script, 'sh'],
                              **container.popen)
        container.close_theirs()
        container.is_made = answer.status == 0
        expect(answer.status, 0, f'exit status of {answer!r}')
        container.start()
        seen = container.ask()
        expect(sorted(seen['descriptors']), ['0', '1', '2', '3'], 'descriptors')
        expect({k: environment(seen).get(k) for k in ('LISTEN_FDS', 'LISTEN_PID')},
               {'LISTEN_FDS': '1', 'LISTEN_PID': '1'}, 'environment')
        container.finish()
        container.delete()


def test_foreign_listen_fds():
    env = {**os.environ, 'LISTEN_FDS': '1', 'LISTEN_PID': '1'}
    bundle = Bundle()
    with Container(Runtime(env=env), bundle) as container:
        seen = container.run()
        expect(sorted(seen['descriptors']), ['0', '1', '2'], 'descriptors')
        expect('LISTEN_FDS' in environment(seen), False, 'LISTEN_FDS in the environment')
        container.finish()
        container.delete()


def test_pidfd_socket():
    path = harness.tmp / 'pidfd'
    with socket.socket(socket.AF_UNIX) as listener, Container(Runtime(), Bundle()) as container:
        listener.bind(str(path))
        listener.listen(1)
        listener.settimeout(5)
        container.create('--pidfd-socket', path)
        connection, _ = listener.accept()
        with connection:
            _, fds, _, _ = socket.recv_fds(connection, 100, 4)
        expect(len(fds), 1, 'descriptors')
        info = pathlib.Path(f'/proc/self/fdinfo/{fds[0]}').read_text()
        expect_in(f'Pid:\t{container.pid}\n', info, 'fdinfo')
        os.close(fds[0])


def test_notify_socket():
    """sd_notify(3): the program's READY=1 reaches the caller's socket, with the pid that the host knows."""
    path = harness.tmp / 'notify'
    bundle = Bundle()
    bundle.config['process']['args'] = ['/bin/probe']
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as listener:
        listener.bind(str(path))
        listener.settimeout(5)
        runtime = Runtime(env={**os.environ, 'NOTIFY_SOCKET': str(path)})
        with Container(runtime, bundle) as container:
            container.create()
            process = runtime.start_call('start', container.id)
            seen = container.ask()
            inside = environment(seen).get('NOTIFY_SOCKET')
            assert inside, 'no NOTIFY_SOCKET in the container'
            with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as sender:
                sender.connect(f'/proc/{container.pid}/root{inside}')
                sender.send(b'READY=1')
            text = ''
            while 'BARRIER=1' not in text:  # its descriptor is closed unseen, which lets start go on
                text += listener.recv(4096).decode() + '\n'
            expect_in('READY=1', text, 'messages')
            expect_in(f'MAINPID={container.pid}', text, 'messages')
            expect(process.wait(10), 0, 'exit status of start')
            container.finish()
            container.delete()


# Seccomp; engine_configs.py tries the engines' profiles

def filtered(action, **more):
    def change(config):
        config['linux']['seccomp'] = {'defaultAction': 'SCMP_ACT_ALLOW', 'architectures': ['SCMP_ARCH_X86_64'],
                                      'syscalls': [{'names': ['sysfs'], 'action': action, **more}]}
    return change


@cases(
    ('errno', 'SCMP_ACT_ERRNO', {}, 'EPERM'),
    ('errnoRet', 'SCMP_ACT_ERRNO', {'errnoRet': errno.ENOTTY}, 'ENOTTY'),
    ('trap', 'SCMP_ACT_TRAP', {}, 'Bad system call'),
    ('kill', 'SCMP_ACT_KILL', {}, 'Bad system call'),
    ('kill thread', 'SCMP_ACT_KILL_THREAD', {}, 'Bad system call'),
    ('kill process', 'SCMP_ACT_KILL_PROCESS', {}, 'Bad system call'),
    ('log', 'SCMP_ACT_LOG', {}, 'EINVAL'),
    ('trace', 'SCMP_ACT_TRACE', {}, 'ENOSYS'),
)
def test_seccomp_action(name, action, more, wanted):
    seen = seen_with(filtered(action, **more), 'syscall sysfs')
    expect(seen['answers']['syscall sysfs'], wanted, 'sysfs(2)')


@cases(('EQ', 0x7fff, True), ('EQ', 1, False), ('NE', 1, True), ('NE', 0x7fff, False), ('LT', 0x8000, True),
       ('LT', 0x7fff, False), ('LE', 0x7fff, True), ('GE', 0x7fff, True), ('GE', 0x8000, False), ('GT', 0x7ffe, True),
       ('GT', 0x7fff, False))
def test_seccomp_operator(word, value, matches):
    rule = {'args': [{'index': 0, 'op': f'SCMP_CMP_{word}', 'value': value}], 'errnoRet': errno.ENOTTY}
    seen = seen_with(filtered('SCMP_ACT_ERRNO', **rule), 'syscall sysfs')
    expect(seen['answers']['syscall sysfs'], 'ENOTTY' if matches else 'EINVAL', 'sysfs(2)')


@cases((True,), (False,))
def test_seccomp_with_and_without_new_privileges(no_new_privileges):
    """Decides when the filter is loaded; also with one that denies what the runtime itself would like to call."""
    def change(config):
        config['process']['noNewPrivileges'] = no_new_privileges
        names = ['getcwd', 'prctl', 'capset', 'setgid', 'setgroups', 'close_range', 'fcntl', 'openat2', 'sendmsg']
        names = [n for n in names if no_new_privileges or n not in ('prctl', 'capset', 'setgid', 'setgroups')]
        config['linux']['seccomp'] = {'defaultAction': 'SCMP_ACT_ALLOW', 'syscalls': [
            {'names': names, 'action': 'SCMP_ACT_ERRNO', 'errnoRet': errno.ENOTTY}]}
    seen = seen_with(change, 'syscall getcwd')
    expect(seen['answers']['syscall getcwd'], 'ENOTTY', 'getcwd(2)')
    expect(seen['status']['Seccomp_filters'], '1', 'filters')


@cases(
    ('errno', 'SCMP_ACT_ERRNO', {}, 'EPERM', 'ENOSYS'),
    ('another errno', 'SCMP_ACT_ERRNO', {'defaultErrnoRet': errno.ENOTTY}, 'ENOTTY', 'ENOSYS'),
    ('ENOSYS', 'SCMP_ACT_ERRNO', {'defaultErrnoRet': errno.ENOSYS}, 'ENOSYS', 'ENOSYS'),
    ('kill', 'SCMP_ACT_KILL_PROCESS', {}, 'Bad system call', 'ENOSYS'),
    ('trap', 'SCMP_ACT_TRAP', {}, 'Bad system call', 'ENOSYS'),
    ('log', 'SCMP_ACT_LOG', {}, 'EINVAL', None),
)
def test_seccomp_newer_calls(name, action, more, denied, newer):
    """What a profile of 2020 does not know answers as on a kernel of then, for C libraries that try it."""
    def change(config):
        config['linux']['seccomp'] = {
            'defaultAction': action, 'architectures': ['SCMP_ARCH_X86_64', 'SCMP_ARCH_X86', 'SCMP_ARCH_X32'],
            'syscalls': [{'names': [n for n in compare_seccomp.names_up_to(439) if n != 'sysfs'],
                          'action': 'SCMP_ACT_ALLOW'}], **more}
    seen = seen_with(change, 'syscall sysfs', *(f'syscall number_{n}' for n in (452, 500, 4095)))['answers']
    expect(seen['syscall sysfs'], denied, 'sysfs(2), which the profile does not name')
    if newer:
        expect(seen['syscall number_452'], newer, 'fchmodat2(2)')
    else:
        expect_in(seen['syscall number_452'], ('EFAULT', 'EBADF', 'ENOSYS'), 'fchmodat2(2), let through')
    expect((seen['syscall number_500'], seen['syscall number_4095']), ('ENOSYS', 'ENOSYS'), '500 and 4095')


# Those of the spec.
ARCHITECTURES = [f'SCMP_ARCH_{word}' for word in '''X86 X86_64 X32 ARM AARCH64 MIPS MIPS64 MIPS64N32 MIPSEL MIPSEL64
MIPSEL64N32 PPC PPC64 PPC64LE S390 S390X PARISC PARISC64 RISCV64 LOONGARCH64 M68K SH SHEB'''.split()]


@cases(
    ('errno on allow', lambda s: s.update(defaultErrnoRet=1), '/linux/seccomp/defaultErrnoRet'),
    ('errno on a rule', lambda s: s['syscalls'][0].update(action='SCMP_ACT_KILL', errnoRet=1),
     '/linux/seccomp/syscalls/0/errnoRet'),
    ('architecture', lambda s: s.update(architectures=['SCMP_ARCH_FOO']), '/linux/seccomp/architectures/0'),
    ('operator', lambda s: s['syscalls'][0].update(args=[{'index': 0, 'value': 1, 'op': 'SCMP_CMP_FOO'}]),
     '/linux/seccomp/syscalls/0/args/0/op'),
    ('argument index', lambda s: s['syscalls'][0].update(args=[{'index': 6, 'value': 1, 'op': 'SCMP_CMP_EQ'}]),
     '/linux/seccomp/syscalls/0/args/0/index'),
    ('flag', lambda s: s.update(flags=['SECCOMP_FILTER_FLAG_FOO']), '/linux/seccomp/flags/0'),
    ('no names', lambda s: s['syscalls'][0].update(names=[]), '/linux/seccomp/syscalls/0/names'),
    ('metadata alone', lambda s: s.update(listenerMetadata='x'), '/linux/seccomp/listenerMetadata'),
)
def test_wrong_seccomp(name, change_profile, pointer):
    def change(config):
        filtered('SCMP_ACT_ERRNO')(config)
        change_profile(config['linux']['seccomp'])
    refused(change, pointer)


def test_seccomp_architectures():
    """A config may name those that features lists, all at once, and none of the others that the spec has."""
    listed = json.loads(subprocess.run([harness.KOGG, 'features'], capture_output=True, check=True).stdout)
    listed = listed['linux']['seccomp']['archs']

    def change(*words):
        def change_config(config):
            filtered('SCMP_ACT_ERRNO')(config)
            config['linux']['seccomp']['architectures'] = list(words)
        return change_config
    seen = seen_with(change(*listed), 'syscall sysfs')
    expect(seen['answers']['syscall sysfs'], 'EPERM', 'sysfs(2)')
    for word in set(ARCHITECTURES) - set(listed):
        refused(change(word), '/linux/seccomp/architectures/0', 'architecture')


@cases(('capset', 'capset', False, True), ('prctl with inheritable capabilities', 'prctl', True, True),
       ('prctl without', 'prctl', False, False))
def test_notified_call_of_the_runtime(name, call, is_inheritable, is_refused):
    """Without no_new_privs capabilities are dropped after the filter is loaded, when there is no agent yet."""
    path = harness.tmp / 'agent'
    bundle = Bundle()
    bundle.config['process']['noNewPrivileges'] = False
    if is_inheritable:
        bundle.config['process']['capabilities']['inheritable'] = ['CAP_CHOWN']
    bundle.config['linux']['seccomp'] = {'defaultAction': 'SCMP_ACT_ALLOW', 'listenerPath': str(path),
                                         'syscalls': [{'names': [call], 'action': 'SCMP_ACT_NOTIFY'}]}
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(str(path))
        listener.listen(1)
        runtime = Runtime()
        answer = runtime.call('create', '--bundle', bundle.save().path, 'notified', timeout=10)
        runtime.ok('delete', '--force', 'notified')
    if not is_refused:
        expect(answer.status, 0, repr(answer))
        return
    expect_in(f"SCMP_ACT_NOTIFY is not possible for '{call}'", answer.error()['msg'], 'message')
    expect(answer.error()['pointer'], '/linux/seccomp/syscalls', 'pointer')


def test_seccomp_listener():
    """The agent gets one message: the container process state, and the listener's descriptor."""
    path = harness.tmp / 'agent'
    bundle = Bundle()
    filtered('SCMP_ACT_NOTIFY')(bundle.config)
    bundle.config['linux']['seccomp'] |= {'listenerPath': str(path), 'listenerMetadata': 'hello'}
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(str(path))
        listener.listen(1)
        listener.settimeout(5)
        with Container(Runtime(), bundle) as container:
            container.create().start()
            connection, _ = listener.accept()
            with connection:
                text, fds, _, _ = socket.recv_fds(connection, 65536, 4)
            message = json.loads(text)
            expect(len(fds), 1, 'descriptors')
            os.close(fds[0])
            expect((message['fds'], message['metadata'], message['pid']), (['seccompFd'], 'hello', container.pid),
                   'message')
            expect(message['state']['id'], container.id, 'id in the state')
            container.ask()
            container.finish()
            container.delete()


harness.main(__name__)
