#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Twenty-six bundles with one defect each: what the runtime says of it, and where it points.

A defect is refused at create with the JSON pointer of the member, unless the spec wants it ignored or warned of;
then the container runs. A refusal leaves nothing, which the harness looks at.
"""
import json
import os
import re

import harness
from harness import Bundle, Container, Runtime, Skip, cases, expect, expect_in, expect_tree


def refused(bundle, pointer, *phrases):
    """The record of a create that must fail: POINTER (a pattern) exactly, and each phrase in its text or its hint."""
    runtime = Runtime()
    tree = bundle.save().tree()
    record = runtime.fails('create', '--bundle', bundle.path, 'broken')
    assert re.fullmatch(pointer, record.get('pointer', '')), \
        f'pointer {record.get("pointer")!r}, not {pointer!r}, of {record["msg"]!r}'
    said = record['msg'] + '\n' + record.get('hint', '')
    for phrase in phrases:
        expect_in(phrase, said, 'message')
    expect(runtime.ids(), [], 'states')
    expect_tree(bundle, tree)
    return record


def runs(bundle, *warnings):
    """A container that runs in spite of the defect, with these phrases in warnings and no others."""
    with Container(Runtime(), bundle) as container:
        answer = container.try_create()
        assert answer.status == 0, repr(answer)
        records = answer.records()
        expect([r['level'] for r in records], ['warning'] * len(warnings), f'levels of {answer.log_text!r}')
        for phrase, record in zip(warnings, records):
            expect_in(phrase, record['msg'], 'warning')
        container.take_console()
        container.start()
        seen = container.ask()
        container.finish()
        container.delete()
    return seen


def changed(*path, value):
    """A bundle whose config has VALUE at that path of keys; a value of None takes the member away."""
    bundle = Bundle()
    place = bundle.config
    for key in path[:-1]:
        place = place[key] if isinstance(place, list) else place.setdefault(key, {})
    if value is None:
        del place[path[-1]]
    else:
        place[path[-1]] = value
    return bundle


def with_mount(mount):
    bundle = Bundle()
    bundle.config['mounts'].append(mount)
    return bundle, len(bundle.config['mounts']) - 1


def need_check():
    if Runtime().call('check', '--help').status != 0:
        raise Skip('this build has no command check')


def test_01_stray_comma():
    bundle = Bundle()
    text = json.dumps(bundle.config, indent=1).replace('"cwd": "/"', '"cwd": "/",,')
    bundle.config = text
    line = next(i for i, t in enumerate(text.splitlines(), 1) if ',,' in t)
    column = text.splitlines()[line - 1].index(',,') + 2
    record = Runtime().fails('create', '--bundle', bundle.save().path, 'broken')
    found = re.search(r'config\.json:(\d+):(\d+)', record['msg'])
    assert found, f'no config.json:LINE:COLUMN in {record["msg"]!r}'
    expect(int(found[1]), line, f'line in {record["msg"]!r}')
    assert abs(int(found[2]) - column) <= 1, f'column {found[2]}, not {column}: {record["msg"]!r}'
    expect_in('expected', record['msg'], 'message')


def test_02_unknown_member_is_ignored():
    runs(changed('linux', 'rootPropagation', value='shared'))


def test_03_string_for_a_number():
    record = refused(changed('process', 'user', 'uid', value='0'), '/process/user/uid',
                     'expected an unsigned integer', 'found a string')
    assert re.search(r'config\.json:\d+:\d+', record['msg']), f'no config.json:LINE:COLUMN in {record["msg"]!r}'


def test_04_unknown_capability_warns():
    bundle = Bundle()
    bundle.config['process']['capabilities']['bounding'].append('CAP_FOO')
    runs(bundle, 'CAP_FOO')


def test_05_missing_program():
    record = refused(changed('process', 'args', value=['/bin/nonesuch']), '/process/args(/0)?',
                     'no such file or directory', '/bin/nonesuch')
    assert 'exec' in record['msg'], record['msg']


def test_05_missing_program_in_path():
    refused(changed('process', 'args', value=['nonesuch']), '/process/args(/0)?', 'executable file not found in $PATH',
            'nonesuch')


def test_06_missing_root():
    bundle = changed('root', 'path', value='nowhere')
    refused(bundle, '/root/path', str(bundle.path / 'nowhere'))


def test_07_unknown_mount_option():
    bundle, index = with_mount({'destination': '/data', 'type': 'bind', 'source': '/etc', 'options': ['rbind', 'rro0']})
    refused(bundle, f'/mounts/{index}/options/1', 'unknown', 'rro0', 'did you mean', 'rro')


def test_08_unknown_namespace():
    refused(changed('linux', 'namespaces', 1, 'type', value='netwrok'), '/linux/namespaces/1/type', 'netwrok',
            'did you mean', 'network')


def test_09_relative_destination():
    bundle, _ = with_mount({'destination': 'data', 'type': 'tmpfs', 'source': 'tmpfs'})
    seen = runs(bundle, 'data')
    expect([m.split()[4] for m in seen['mounts'] if m.split()[4].endswith('data')], ['/data'], 'mounts')


def test_10_unknown_syscall_is_ignored():
    bundle = changed('linux', 'seccomp', value={
        'defaultAction': 'SCMP_ACT_ALLOW', 'architectures': ['SCMP_ARCH_X86_64'],
        'syscalls': [{'names': ['nonesuch_syscall', 'swapon'], 'action': 'SCMP_ACT_ERRNO'}]})
    expect(runs(bundle)['status']['Seccomp'], '2', 'seccomp mode')


def test_11_unknown_seccomp_action():
    refused(changed('linux', 'seccomp', value={'defaultAction': 'SCMP_ACT_ALOW'}), '/linux/seccomp/defaultAction',
            'SCMP_ACT_ALOW', 'did you mean', 'SCMP_ACT_ALLOW')


def test_12_unknown_rlimit():
    bundle = Bundle()
    bundle.config['process']['rlimits'].append({'type': 'RLIMIT_FOO', 'soft': 1, 'hard': 1})
    refused(bundle, '/process/rlimits/1/type', 'RLIMIT_FOO')


def test_13_relative_cwd():
    refused(changed('process', 'cwd', value='tmp'), '/process/cwd', 'must be absolute')


@cases(*((kind,) for kind in ('prestart', 'createRuntime', 'createContainer')))
def test_14_hook_whose_program_is_missing(kind):
    refused(changed('hooks', value={kind: [{'path': '/nonesuch/hook'}]}), f'/hooks/{kind}/0/path', '/nonesuch/hook')


def test_15_hook_that_fails():
    hook = {'path': '/bin/sh', 'args': ['sh', '-c', 'echo the reason >&2; exit 3']}
    bundle = changed('hooks', value={'createRuntime': [{'path': '/bin/true'}, hook]})
    record = refused(bundle, '/hooks/createRuntime/1(/path)?', 'createRuntime', '1', '/bin/sh', 'status 3', 'the reason')
    assert re.search(r'\d+ ?(m?s\b|milliseconds|seconds)', record['msg']), f'no duration in {record["msg"]!r}'


def test_16_unknown_sysctl():
    record = refused(changed('linux', 'sysctl', value={'net.ipv4.nosuch': '1'}), r'/linux/sysctl/net\.ipv4\.nosuch',
                     'the kernel has none of that name')
    assert 'no such file' not in record['msg'], record['msg']


def test_17_missing_bind_source():
    bundle, index = with_mount({'destination': '/data', 'type': 'bind', 'source': '/etc/nonesuch/below', 'options': ['bind']})
    record = refused(bundle, f'/mounts/{index}/source', '/etc/nonesuch')
    assert 'no such file' not in record['msg'], record['msg']


def test_18_apparmor_profile_without_apparmor():
    if os.path.exists('/sys/kernel/security/apparmor'):
        raise Skip('this kernel has AppArmor')
    refused(changed('process', 'apparmorProfile', value='some-profile'), '/process/apparmorProfile',
            'this kernel has no AppArmor')


def script(bundle, text):
    file = bundle.rootfs / 'bin/script'
    file.write_bytes(text)
    file.chmod(0o755)


def failed_start(text):
    """The record of a container whose script the kernel does not execute: create or start says why."""
    runtime, bundle = Runtime(), changed('process', 'args', value=['/bin/script'])
    script(bundle, text)
    with Container(runtime, bundle) as container:
        answer = container.try_create()
        if answer.status == 0:
            answer = runtime.call('start', container.id)
        return answer.error()


def test_19_script_without_interpreter_line():
    message = failed_start(b'echo hello\n')['msg']
    for phrase in ('/bin/script', 'text file', '#!'):
        expect_in(phrase, message, 'message')


def test_20_script_whose_interpreter_is_missing():
    message = failed_start(b'#!/usr/bin/nonesuch -x\necho hello\n')['msg']
    for phrase in ('/bin/script', '/usr/bin/nonesuch', 'interpreter', 'no such file or directory'):
        expect_in(phrase, message, 'message')


def test_20_script_with_a_carriage_return():
    message = failed_start(b'#!/bin/sh\r\necho hello\r\n')['msg']
    expect_in('/bin/script', message, 'message')
    expect_in('carriage return', message, 'message')


def test_21_tiny_memory_limit():
    bundle = changed('linux', 'resources', 'memory', value={'limit': 4096, 'swap': 4096})
    record = refused(bundle, '/linux/resources/memory/limit')
    said = record['msg'] + '; ' + record.get('hint', '')
    assert re.search(r'at least|minimum', said) and re.search(r'\d{4,}|\d+ ?[KM]i?B', said), f'no minimum in {said!r}'


@cases(*((version,) for version in ('9.9.9', '2.0.0', 'invalid', '1', '1.0', '')))
def test_22_unknown_version(version):
    refused(changed('ociVersion', value=version), '/ociVersion')


def test_22_the_known_versions_are_named():
    refused(changed('ociVersion', value='9.9.9'), '/ociVersion', 'this build takes 1.x')


@cases(*((version,) for version in ('1.0.0', '1.0.2-dev', '1.2.1', '1.3.0', '1.9.0+build')))
def test_22_known_version(version):
    runs(changed('ociVersion', value=version))


def test_23_missing_version():
    refused(changed('ociVersion', value=None), '/ociVersion', 'required, but missing')


def test_24_empty_args():
    refused(changed('process', 'args', value=[]), '/process/args', 'must not be empty')


def test_25_masked_paths_without_mount_namespace():
    bundle = Bundle()
    bundle.config['linux']['namespaces'] = [n for n in bundle.config['linux']['namespaces'] if n['type'] != 'mount']
    bundle.config['mounts'] = []
    del bundle.config['linux']['readonlyPaths']
    refused(bundle, '/linux/maskedPaths', 'needs a mount namespace')


def test_26_mappings_without_user_namespace():
    mapping = [{'containerID': 0, 'hostID': 100000, 'size': 65536}]
    bundle = changed('linux', 'uidMappings', value=mapping)
    bundle.config['linux']['gidMappings'] = mapping
    refused(bundle, '/linux/uidMappings', 'needs a user namespace')


@cases(
    (2, {'linux': {'rootPropagation': 'shared'}}, '/linux/rootPropagation', 'rootfsPropagation'),
    (4, {'process': {'capabilities': {'bounding': ['CAP_FOO']}}}, '/process/capabilities/bounding/0', 'CAP_FOO'),
    (9, {'mounts': [{'destination': 'data', 'type': 'tmpfs'}]}, '/mounts/0/destination', 'data'),
    (14, {'hooks': {'createRuntime': [{'path': '/nonesuch'}]}}, '/hooks/createRuntime/0/path', '/nonesuch'),
)
def test_check_notes(number, change, pointer, phrase):
    need_check()
    bundle = Bundle()
    for name, value in change.items():
        bundle.config[name] = {**bundle.config[name], **value} if isinstance(bundle.config.get(name), dict) else value
    answer = Runtime().call('check', '--bundle', bundle.save().path)
    expect_in(pointer, answer.out + answer.err, 'output')
    expect_in(phrase, answer.out + answer.err, 'output')


# The rest of the reader's duties, from outside

def broken_text(bundle):
    return json.dumps(bundle.config)


@cases(
    ('duplicate name', lambda t: t.replace('"hostname":', '"hostname": "x", "hostname":', 1)),
    ('text after the end', lambda t: t + ' {}'),
    ('NUL in a string', lambda t: t.replace('conformance', 'confor\\u0000mance', 1)),
    ('nesting', lambda t: t[:-1] + ', "x": ' + '[' * 5000 + ']' * 5000 + '}'),
    ('empty file', lambda t: ''),
    ('an array', lambda t: '[]'),
    ('cut short', lambda t: t[:-1]),
    ('not UTF-8', lambda t: t.replace('conformance', 'confor\udcffmance', 1)),
    ('a fraction for an integer', lambda t: t.replace('"uid": 0', '"uid": 0.0', 1)),
    ('a negative ID', lambda t: t.replace('"uid": 0', '"uid": -1', 1)),
    ('an ID above 32 bits', lambda t: t.replace('"uid": 0', '"uid": 4294967296', 1)),
)
def test_text(name, change):
    bundle = Bundle()
    bundle.config = change(broken_text(bundle)).encode(errors='surrogateescape')
    runtime = Runtime()
    record = runtime.fails('create', '--bundle', bundle.save().path, 'broken')
    expect_in('config.json', record['msg'], 'message')
    expect(runtime.ids(), [], 'states')


def test_huge_file():
    bundle = Bundle()
    bundle.config = broken_text(bundle) + ' ' * (64 << 20)
    expect_in('config.json', Runtime().fails('create', '--bundle', bundle.save().path, 'broken')['msg'], 'message')


def test_missing_config():
    record = Runtime().fails('create', '--bundle', Bundle().path, 'broken')
    expect_in('config.json', record['msg'], 'message')
    assert 'no such file' not in record['msg'], record['msg']


harness.main(__name__)
