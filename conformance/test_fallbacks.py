#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""New system calls that an older kernel lacks, or that a sandbox's filter denies: a fallback that keeps everything in
force, or a refusal that names the call. Never a container with less than its config asks.
"""
import ctypes
import errno
import json
import os
import struct

import compare
import engine_configs
import harness
from engine_configs import Rewrite, host_facts, own_root, place_probe
from harness import Bundle, Container, Runtime, cases, expect, expect_tree
from machine import libc

NUMBERS = {
    'pidfd_send_signal': 424, 'open_tree': 428, 'move_mount': 429, 'fsopen': 430, 'fsconfig': 431, 'fsmount': 432,
    'pidfd_open': 434, 'clone3': 435, 'close_range': 436, 'openat2': 437, 'faccessat2': 439, 'mount_setattr': 442,
}
ERRNOS = ('ENOSYS', 'EPERM')
PR_SET_SECCOMP, SECCOMP_MODE_FILTER = 22, 2
BPF_LD_W_ABS, BPF_JEQ_K, BPF_RET_K = 0x20, 0x15, 0x06
SECCOMP_RET_ERRNO, SECCOMP_RET_ALLOW = 0x50000, 0x7fff0000

# Where nothing older is safe, or nothing older can do what the config asks.
MAY_REFUSE = {'openat2', 'mount_setattr', 'open_tree', 'fsopen', 'fsconfig', 'fsmount', 'pidfd_open', 'pidfd_send_signal'}
SINGLE = ('clone3', 'mount_setattr', 'close_range', 'openat2', 'fsopen', 'fsconfig', 'fsmount', 'open_tree', 'move_mount',
          'faccessat2', 'pidfd_open', 'pidfd_send_signal')
MOUNT_CALLS = ('open_tree', 'move_mount', 'fsopen', 'fsconfig', 'fsmount', 'mount_setattr')


def denial(names, code):
    """A function for the child about to be the runtime: these calls then give the errno CODE."""
    program = [(BPF_LD_W_ABS, 0, 0, 0)]
    for name in names:
        program += [(BPF_JEQ_K, 0, 1, NUMBERS[name]), (BPF_RET_K, 0, 0, SECCOMP_RET_ERRNO | code)]
    program.append((BPF_RET_K, 0, 0, SECCOMP_RET_ALLOW))
    code_bytes = ctypes.create_string_buffer(b''.join(struct.pack('HBBI', *line) for line in program))
    header = ctypes.create_string_buffer(struct.pack('HxxxxxxP', len(program), ctypes.addressof(code_bytes)))

    def load():
        if libc.prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, header, 0, 0) != 0:
            os._exit(126)
    load.keep = (code_bytes, header)
    return load


def read_config(name):
    return json.loads((engine_configs.HERE / 'configs' / f'{name}.json').read_text())


def names_call(record, names):
    said = record['msg'] + ' ' + record.get('hint', '') + ' ' + record.get('op', '')
    return any(name in said for name in names)


def try_config(name, calls, code, may_refuse):
    """All that the config asks is in force under the filter, or the runtime says which call it lacks."""
    bundle = Bundle(read_config(name))
    rewrite = Rewrite(bundle.config, bundle, ['bind sources', 'cgroup path']).apply()
    own_root(bundle)
    place_probe(bundle.rootfs, bundle.config['process'])
    tree = bundle.save().tree()
    runtime = Runtime(preexec_fn=denial(calls, code))
    with Container(runtime, bundle) as container:
        answer = container.try_create()
        if answer.status != 0:
            record = answer.error()
            assert names_call(record, calls), f'the refusal names none of {calls}: {record["msg"]}'
            assert may_refuse, f'refused, though there is a fallback: {record["msg"]}'
            assert 'operation not permitted' not in record['msg'], record['msg']
            expect(runtime.ids(), [], 'states')
            expect_tree(bundle, tree)
            return
        container.pid = runtime.state(container.id)['pid']
        container.take_console()
        container.start()
        seen = container.ask(*compare.requests(bundle.config))
        host = host_facts(bundle.config, bundle, rewrite, container) | {'outer_filters': 1}
        container.finish()
        container.delete()
    problems = compare.compare(bundle.config, seen, host)
    assert not problems, '\n'.join(problems)


CONFIGS = ('own-process', 'own-mounts', 'own-namespaces', 'own-resources', 'own-terminal')


@cases(*((f'{call} {code}, {name}', call, code, name) for call in SINGLE for code in ERRNOS for name in CONFIGS))
def test_one_call(title, call, code, name):
    try_config(name, [call], getattr(errno, code), call in MAY_REFUSE)


@cases(*((f'{code}, {name}', code, name) for code in ERRNOS for name in CONFIGS))
def test_no_new_mount_calls(title, code, name):
    try_config(name, MOUNT_CALLS, getattr(errno, code), True)


@cases(*((code,) for code in ERRNOS))
def test_all_new_calls(code):
    """As on a kernel from before 5.0: whatever comes, it is no weaker container."""
    try_config('own-process', list(NUMBERS), getattr(errno, code), True)


@cases(*((call,) for call in SINGLE))
def test_plain_container(call):
    """What a simple container needs is older than any of these calls, except where nothing older is safe.

    Its masked paths have their tmpfs from mount(2) where there is no fsopen(2).
    """
    bundle = Bundle()
    bundle.config['process']['args'] = ['sh', '-c', 'exit 5']
    answer = harness.run_program(Runtime(preexec_fn=denial([call], errno.ENOSYS)), bundle)
    if answer.status != 5:
        assert call in ('pidfd_open', 'pidfd_send_signal'), repr(answer)
        assert names_call(answer.error(), [call]), repr(answer)


@cases(*((code,) for code in ERRNOS))
def test_links_without_openat2(code):
    """Nothing older follows an image's links without leaving its root."""
    bundle = Bundle()
    (bundle.rootfs / 'link').symlink_to('/usr')
    bundle.config['mounts'].append({'destination': '/link/below', 'type': 'bind', 'source': '/etc', 'options': ['bind']})
    tree = bundle.save().tree()
    runtime = Runtime(preexec_fn=denial(['openat2'], getattr(errno, code)))
    record = runtime.fails('create', '--bundle', bundle.path, 'links')
    assert names_call(record, ['openat2']), record
    expect(record['pointer'], f'/mounts/{len(bundle.config["mounts"]) - 1}/destination', 'pointer')
    expect_tree(bundle, tree)


@cases(*((code,) for code in ERRNOS))
def test_recursive_read_only_without_mount_setattr(code):
    """mount(2) knows no recursive remount; without it, mounts below would stay writable."""
    bundle = Bundle()
    bundle.config['mounts'].append({'destination': '/mnt', 'type': 'bind', 'source': '/etc', 'options': ['rbind', 'rro']})
    runtime = Runtime(preexec_fn=denial(['mount_setattr'], getattr(errno, code)))
    record = runtime.fails('create', '--bundle', bundle.save().path, 'rro')
    assert names_call(record, ['mount_setattr']), record


@cases(*((call, code) for call in ('pidfd_open', 'pidfd_send_signal') for code in ERRNOS))
def test_pidfds(call, code):
    """They are older than the oldest kernel; a sandbox that denies them is named."""
    runtime = Runtime()
    with Container(runtime, Bundle()) as container:
        container.run()
        runtime.preexec_fn = denial([call], getattr(errno, code))
        answer = runtime.call('kill', container.id, 'KILL')
        runtime.preexec_fn = None
        if answer.status != 0:
            assert names_call(answer.error(), [call]), f'the refusal does not name it: {answer!r}'


harness.main(__name__)
