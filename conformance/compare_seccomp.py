# SPDX-License-Identifier: Apache-2.0
"""What a seccomp profile of a config makes of the probe's harmless system calls."""
import ctypes
import errno
import functools

libseccomp = ctypes.CDLL('libseccomp.so.2')
libseccomp.seccomp_syscall_resolve_num_arch.restype = ctypes.c_char_p

AF_UNIX, AF_NETLINK, AF_ALG, AF_VSOCK = 1, 16, 38, 40
CLONE_NEWUSER, CLONE_NEWNS, CLONE_FS, SIGCHLD = 0x10000000, 0x20000, 0x200, 17
CLONE_CHILD_SETTID, CLONE_CHILD_CLEARTID = 0x1000000, 0x200000

# The probe's name of a call -> the call's name or number, and those of its arguments that profiles look at.
CALLS = {name: (name, {}) for name in '''add_key adjtimex bpf chroot clock_adjtime clone3 delete_module fanotify_init
fsopen get_mempolicy getcwd init_module io_uring_setup kcmp kexec_load keyctl mbind mkdir mkdirat mount
mount_setattr move_pages name_to_handle_at open_by_handle_at openat2 perf_event_open pidfd_getfd pivot_root
process_vm_readv ptrace quotactl reboot request_key set_mempolicy_home_node setns settimeofday swapon sync sysfs
syslog umount2 uselib userfaultfd ustat vmsplice'''.split()}
CALLS |= {
    'clone_newuser': ('clone', {0: CLONE_NEWUSER | CLONE_FS | SIGCHLD}),
    'clone_newns': ('clone', {0: CLONE_NEWNS | CLONE_FS | SIGCHLD}),
    'mknod_fifo': ('mknod', {}),
    'personality_0': ('personality', {0: 0}),
    'personality_adc': ('personality', {0: 0xadc}),
    'personality_linux32': ('personality', {0: 8}),
    'socket_alg': ('socket', {0: AF_ALG, 1: 0x7fff, 2: 0}),
    'socket_audit': ('socket', {0: AF_NETLINK, 1: 3, 2: 9}),
    'socket_unix': ('socket', {0: AF_UNIX, 1: 0x7ff, 2: 0}),
    'socket_vsock': ('socket', {0: AF_VSOCK, 1: 0x7ff, 2: 0}),
    'unshare_bad': ('unshare', {0: 1}),
    'number_452': (452, {}), 'number_500': (500, {}), 'number_4095': (4095, {}),  # newer than many profiles
}

OPERATORS = {
    'SCMP_CMP_NE': lambda a, v, w: a != v, 'SCMP_CMP_LT': lambda a, v, w: a < v,
    'SCMP_CMP_LE': lambda a, v, w: a <= v, 'SCMP_CMP_EQ': lambda a, v, w: a == v,
    'SCMP_CMP_GE': lambda a, v, w: a >= v, 'SCMP_CMP_GT': lambda a, v, w: a > v,
    'SCMP_CMP_MASKED_EQ': lambda a, v, w: a & v == w,
}


def outcome(action, errno_ret):
    """The probe's word for it, or None where the call goes through to the kernel."""
    if action == 'SCMP_ACT_ERRNO':
        return errno.errorcode.get(errno.EPERM if errno_ret is None else errno_ret, str(errno_ret))
    if action in ('SCMP_ACT_ALLOW', 'SCMP_ACT_LOG'):
        return None
    return 'Bad system call'


@functools.cache
def number(call):
    """Of the machine's own architecture; below 0 where it has none, or libseccomp knows none."""
    return call if isinstance(call, int) else libseccomp.seccomp_syscall_resolve_name(call.encode())


def names_up_to(last):
    """Of the machine's own architecture."""
    names = (libseccomp.seccomp_syscall_resolve_num_arch(0, call) for call in range(last + 1))
    return [name.decode() for name in names if name]


def is_newer(profile, call):
    """Whether CALL has a higher number than all that PROFILE, which denies by default, knows."""
    known = [number(name) for rule in profile.get('syscalls', []) for name in rule['names']]
    return (profile['defaultAction'] not in ('SCMP_ACT_ALLOW', 'SCMP_ACT_LOG', 'SCMP_ACT_TRACE')
            and number(call) > max(known, default=-1) >= 0)


def verdicts(profile, call, arguments):
    """All outcomes that the rules which match allow; more than one where they contradict each other."""
    found = set()
    if is_newer(profile, call):
        return {'ENOSYS'}
    for rule in profile.get('syscalls', []):
        if number(call) < 0 or number(call) not in map(number, rule['names']):
            continue
        if all(OPERATORS[a['op']](arguments.get(a['index'], 0), a['value'], a.get('valueTwo', 0))
               for a in rule.get('args') or []):
            found.add(outcome(rule['action'], rule.get('errnoRet')))
    return found or {outcome(profile['defaultAction'], profile.get('defaultErrnoRet'))}


def compare(profile, answers, natural):
    """NATURAL: what each call answers without a filter, with and without privileges."""
    # The probe tries each in a child, made by fork(3).
    fork = verdicts(profile, 'clone', {0: CLONE_CHILD_SETTID | CLONE_CHILD_CLEARTID | SIGCHLD})
    for name, (call, arguments) in CALLS.items():
        seen = answers.get(f'syscall {name}')
        allowed = set()
        for verdict in verdicts(profile, call, arguments):
            allowed |= {verdict} if verdict else set(natural[name])
        if fork != {None}:
            allowed = {'no child'} | (allowed if None in fork else set())
        if seen not in allowed:
            yield f'{name}: {seen}, not {" or ".join(sorted(allowed))}'
