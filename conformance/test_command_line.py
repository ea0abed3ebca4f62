#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The command line: how options are spelled, what wrong calls are told, logs, and the commands about kogg itself."""
import json
import re
import subprocess
import harness
from harness import Bundle, Container, Runtime, cases, expect, expect_in, file_bundle


@cases(('--bundle', 'B', 'ID'), ('--bundle=B', 'ID'), ('-bundle', 'B', 'ID'), ('-bundle=B', 'ID'), ('-b', 'B', 'ID'),
       ('-b=B', 'ID'), ('ID', '--bundle', 'B'), ('ID', '-b=B'), ('--no-pivot=false', '--bundle=B', '--', 'ID'),
       ('-no-new-keyring', '--preserve-fds=0', '-b', 'B', '-pid-file', 'PIDFILE', 'ID'),
       ('--detach', '--pidfd-socket=', '--console-socket', '', '--bundle', 'B', 'ID'))
def test_spelling_of_options_of_create(*words):
    runtime, bundle = Runtime(), file_bundle().save()
    places = {'B': str(bundle.path), 'PIDFILE': str(bundle.path / 'pid'), 'ID': 'spelled'}
    args = ['='.join(places.get(part, part) for part in word.split('=')) for word in words]
    answer = runtime.ok('create', *args)
    expect(answer.out + answer.err, '', 'output')
    expect(runtime.state('spelled')['bundle'], str(bundle.path), 'bundle')
    expect((bundle.path / 'pid').exists(), 'PIDFILE' in words, 'a pid file')
    runtime.ok('delete', 'spelled')


@cases(('--config=CONFIG',), ('-f', 'CONFIG'), ('--config', 'other/config.json'))
def test_another_config(*words):
    """A name is seen from the bundle, wherever the caller is; the container's own copy is what counts afterwards."""
    runtime, bundle = Runtime(), file_bundle().save()
    (bundle.path / 'other').mkdir()
    other = (bundle.path / 'config.json').rename(bundle.path / 'other/config.json')
    runtime.fails('create', '--bundle', bundle.path, 'configured')
    args = [word.replace('CONFIG', str(other)) for word in words]
    runtime.ok('create', '--bundle', bundle.path, *args, 'configured')
    other.unlink()
    runtime.ok('start', 'configured')
    runtime.ok('delete', '--force', 'configured')


@cases(('missing', None, "open 'other.json'"), ('broken', '{"ociVersion":\n 1}', 'other.json:2:2: /ociVersion'))
def test_another_config_that_is_wrong(_, text, message):
    runtime, bundle = Runtime(), file_bundle().save()
    if text:
        (bundle.path / 'other.json').write_text(text)
    record = runtime.fails('create', '--bundle', bundle.path, '--config', 'other.json', 'configured')
    expect_in(message, record['msg'], 'message')


@cases(
    ('unknown option', 1, ['create', '--bogus', 'x'], "unknown option '--bogus'"),
    ('no value', 1, ['create', '--pid-file'], 'needs a value'),
    ('no number', 1, ['create', '--preserve-fds', '-1', 'x'], "'-1' is not a number"),
    ('closed descriptors', 1, ['create', '--preserve-fds', '3', 'x'], 'is not open'),
    ('no truth', 1, ['create', '--no-pivot=maybe', 'x'], 'neither true nor false'),
    ('console without terminal', 1, ['create', '--console-socket', '/x', 'x'], 'process.terminal is not true'),
    ('two IDs', 1, ['create', 'x', 'y'], 'takes exactly 1 argument'),
    ('a bundle that is missing', 1, ['create', '--bundle', '/nowhere', 'x'], "'/nowhere'"),
    ('a command that is unknown', 3, ['creat', 'x'], "No help topic for 'creat'"),
)
def test_wrong_calls(name, status, args, text):
    runtime, bundle = Runtime(), file_bundle().save()
    answer = runtime.call(*args, cwd=bundle.path)
    expect(answer.status, status, 'exit status')
    expect_in(text, answer.error()['msg'], 'message')
    expect(runtime.ids(), [], 'states')


def test_hint_for_a_dash():
    """What is no option may be an ID; what is wrong with an option's value has nothing to do with that."""
    runtime = Runtime()
    expect_in('--', runtime.fails('state', '-x').get('hint', ''), 'hint for an ID with a dash')
    expect('hint' in runtime.fails('create', '--preserve-fds', 'many', 'x'), False, 'a hint for a value')


@cases((['state', 'x', '--root', '/x'], 'comes before the command'), (['kill', '-9', 'x'], 'kill ID 9'),
       (['create', '-debug', 'x'], 'comes before the command'), (['create', '--pidfile=x', 'x'], "'--pid-file'"),
       (['creat', 'x'], "did you mean 'create'"), (['nonesuch', 'x'], None), (['kill', '-s', '9', 'x'], 'kill ID 9'))
def test_hint_for_an_option(args, text):
    hint = Runtime().fails(*args).get('hint')
    expect(hint is not None and text in hint if text else hint is None, True, f'the hint {hint!r}')


def test_bundle_without_config():
    record = Runtime().fails('create', '--bundle', '/usr/lib', 'x')
    expect_in("bundle '/usr/lib': open 'config.json': not found", record['msg'], 'message')


# Logs

def test_log_is_appended():
    runtime = Runtime()
    log = harness.tmp / 'engine.log'
    log.write_text('{"level":"info","msg":"old","time":"2026-01-01T00:00:00Z"}\n')
    process = subprocess.run(runtime.command('state', 'unknown', log=log), capture_output=True, check=False)
    expect(process.returncode, 1, 'exit status')
    lines = log.read_text().splitlines()
    expect(len(lines), 2, 'lines in the log')
    expect(json.loads(lines[1])['level'], 'error', 'level')


def test_log_text_format():
    runtime = Runtime()
    log = harness.tmp / 'engine.log'
    command = runtime.command('state', 'unknown')
    command[1:1] = ['--log', str(log)]
    subprocess.run(command, capture_output=True, check=False)
    assert re.fullmatch(r'time="[^"]+" level=error msg="(\\"|[^"])*does not exist(\\"|[^"])*"\n', log.read_text()), \
        log.read_text()


def test_structured_error():
    """Beside level, msg and time: what a program can use."""
    record = Runtime().fails('state', 'unknown')
    expect_in('code', record, 'members of the record')


def test_success_leaves_no_log():
    runtime = Runtime()
    with Container(runtime, Bundle()) as container:
        expect(container.try_create().log_text, '', 'log of create')
        expect(runtime.ok('start', container.id).log_text, '', 'log of start')


# Of kogg itself

def test_version():
    answer = subprocess.run([harness.KOGG, '--version'], capture_output=True, text=True, check=True)
    lines = answer.stdout.splitlines()
    assert re.fullmatch(r'kogg version \d+\.\d+\.\d+\S*', lines[0]), lines[0]
    assert lines[1].startswith('commit: '), lines[1]
    expect(lines[2], 'spec: 1.3.0', 'third line')
    expect([line for line in lines[1:] if 'version' in line], [], 'other lines with the word "version"')


def test_help_of_kill():
    """As it is: test_control has the processes, test_lifecycle the stopped container."""
    answer = subprocess.run([harness.KOGG, 'kill', '--help'], capture_output=True, text=True, check=True)
    line = next(line for line in answer.stdout.splitlines() if '--all' in line)
    expect_in('signal all its processes', line, 'help of --all')
    expect_in('stopped is no error', line, 'help of --all')


def test_features():
    answer = subprocess.run([harness.KOGG, 'features'], capture_output=True, text=True, check=True)
    expect(answer.stderr, '', 'stderr')
    features = json.loads(answer.stdout)
    expect(features['ociVersionMax'], '1.3.0', 'ociVersionMax')
    expect(features['linux']['mountExtensions']['idmap']['enabled'], True, 'idmap')
    expect_in('user', features['linux']['namespaces'], 'namespaces')
    expect_in('rro', features['mountOptions'], 'mountOptions')
    expect(sorted(features['hooks']), sorted(['prestart', 'createRuntime', 'createContainer', 'startContainer',
                                              'poststart', 'poststop']), 'hooks')


def test_spec_writes_a_config_that_runs():
    runtime, bundle = Runtime(), Bundle()
    runtime.ok('spec', '--bundle', bundle.path)
    config = json.loads((bundle.path / 'config.json').read_text())
    runtime.fails('spec', '--bundle', bundle.path)
    config['process']['terminal'] = False
    config['process']['args'] = ['sh', '-c', 'exit 6']
    config['linux']['cgroupsPath'] = f'/{harness.CGROUP_TOP}/spec'
    (bundle.path / 'config.json').write_text(json.dumps(config))
    expect(runtime.call('run', '--bundle', bundle.path, 'spec').status, 6, 'exit status')


@cases(('--root=X',), ('--root', 'X'), ('-root', 'X'))
def test_spelling_of_options(*words):
    runtime = Runtime()
    command = [harness.KOGG, *(w.replace('X', str(runtime.root)) for w in words), '--rootless=false',
               '--systemd-cgroup=false', 'delete', '-force', 'unknown']
    expect(subprocess.run(command, check=False).returncode, 0, 'exit status')


harness.main(__name__)
