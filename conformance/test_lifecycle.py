#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""The operations and states of runtime.md, and what engines rely on in each: messages, exit codes, files, stdio."""
import fcntl
import json
import os
import pathlib
import pwd
import re
import signal
import socket
import subprocess
import threading
import time

import harness
from harness import Bundle, Container, Runtime, cases, expect, expect_in, file_bundle, run_program, shell_bundle
from machine import reap


# States

def test_states_from_create_to_delete():
    runtime = Runtime()
    with Container(runtime, Bundle()) as container:
        container.create()
        state = runtime.state(container.id)
        expect(state['status'], 'created', 'status after create')
        expect(state['id'], container.id, 'id')
        expect(state['bundle'], str(container.bundle.path), 'bundle')
        expect(state['ociVersion'].split('.')[0], '1', 'major version')
        assert state['pid'] > 0 and os.path.exists(f'/proc/{state["pid"]}'), f'pid {state["pid"]} is no process'
        container.start()
        container.ask()
        running = runtime.state(container.id)
        expect(running['status'], 'running', 'status after start')
        expect(running['pid'], state['pid'], 'pid after start')
        stopped = container.finish()
        expect(stopped['pid'], 0, 'pid when stopped')
        container.delete()
        expect_in('does not exist', runtime.fails('state', container.id)['msg'], 'state after delete')


def test_state_has_what_engines_read():
    runtime, bundle = Runtime(), Bundle()
    bundle.config['annotations'] = {'org.example.a': 'b', 'empty': ''}
    with Container(runtime, bundle) as container:
        container.create()
        answer = runtime.ok('state', container.id)
        state = json.loads(answer.out)
        expect(state['annotations'], bundle.config['annotations'], 'annotations')
        expect(state['rootfs'], str(bundle.rootfs), 'rootfs')
        assert re.fullmatch(r'\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{1,9}Z', state['created']), state['created']
        expect(isinstance(state['owner'], str), True, 'owner is a string')
        listed = json.loads(runtime.ok('list', '--format', 'json').out)
        expect([entry['id'] for entry in listed], [container.id], 'ids in the list')
        expect({k: listed[0][k] for k in ('status', 'pid', 'bundle')}, {k: state[k] for k in ('status', 'pid', 'bundle')},
               'list entry')
        expect(listed[0]['owner'], pwd.getpwuid(os.getuid()).pw_name, 'owner in the list')


def test_list_when_empty():
    runtime = Runtime()
    runtime.root.mkdir()
    answer = runtime.ok('list', '--format=json')
    assert json.loads(answer.out) in (None, []), repr(answer)
    expect(runtime.ok('list', '-q').out, '', 'quiet list')


def test_list_of_a_missing_root():
    """One that was named is to be there, so that a misspelled one is seen; the default need not (as with runc)."""
    runtime = Runtime()
    record = runtime.fails('list')
    expect_in(str(runtime.root), record['msg'], 'message')


def test_list_table_and_quiet():
    runtime = Runtime()
    with Container(runtime, Bundle()) as container:
        container.create()
        expect(runtime.ok('list', '--quiet').out, container.id + '\n', 'quiet list')
        head, line = runtime.ok('list').out.splitlines()
        expect(head.split(), ['ID', 'PID', 'STATUS', 'BUNDLE', 'CREATED', 'OWNER'], 'columns')
        expect(line.split()[:4], [container.id, str(container.pid), 'created', str(container.bundle.path)], 'line')
        expect(line.split()[-1], pwd.getpwuid(os.getuid()).pw_name, 'owner')


def test_stopped_state_does_not_change():
    runtime = Runtime()
    with Container(runtime, Bundle()) as container:
        container.run()
        before = container.finish()
        runtime.fails('kill', container.id, 'TERM')
        expect(runtime.state(container.id), before, 'state after a failing kill')


def test_config_is_read_once():
    """What create has read stays in force, whatever becomes of config.json."""
    runtime = Runtime()
    with Container(runtime, Bundle()) as container:
        container.create()
        (container.bundle.path / 'config.json').write_text('{"ociVersion": "9"}')
        container.start()
        expect(container.ask()['hostname'], 'conformance', 'hostname')
        (container.bundle.path / 'config.json').unlink()
        container.finish()
        container.delete()


def test_killed_init_is_stopped():
    runtime = Runtime()
    with Container(runtime, Bundle()) as container:
        container.run()
        os.kill(container.pid, signal.SIGKILL)
        container.wait_status('stopped')
        container.delete()


# Wrong order

def in_state(runtime, status):
    container = Container(runtime, Bundle())
    if status != 'unknown':
        container.create()
    if status in ('running', 'stopped'):
        container.start()
        container.ask()
    if status == 'stopped':
        container.finish()
    return container


@cases(
    ('state of unknown', 'unknown', ['state'], 'does not exist'),
    ('start of unknown', 'unknown', ['start'], 'does not exist'),
    ('kill of unknown', 'unknown', ['kill', None, 'KILL'], 'does not exist'),
    ('kill all of unknown', 'unknown', ['kill', '--all', None, '9'], 'does not exist'),
    ('delete of unknown', 'unknown', ['delete'], 'does not exist'),
    ('start of running', 'running', ['start'], 'cannot start an already running container'),
    ('start of stopped', 'stopped', ['start'], 'cannot start a container that has stopped'),
    ('kill of stopped', 'stopped', ['kill', None, 'TERM'], 'container not running'),
    ('delete of running', 'running', ['delete'], 'that is not stopped: running'),
)
def test_wrong_order(name, status, words, text):
    """Status 1, one record, the phrase that callers look for, and no effect."""
    runtime = Runtime()
    with in_state(runtime, status) as container:
        before = runtime.call('state', container.id).out
        args = [container.id if word is None else word for word in words]
        args = args if container.id in args else [*args, container.id]
        answer = runtime.call(*args)
        expect(answer.status, 1, 'exit status')
        expect(answer.out, '', 'stdout')
        expect_in(text, answer.error()['msg'], 'message')
        expect(runtime.call('state', container.id).out, before, 'state afterwards')


def test_only_unknown_containers_do_not_exist():
    """containerd takes these words for "done already", whatever else the message says."""
    runtime = Runtime()
    with in_state(runtime, 'stopped') as container:
        for args in (('kill', container.id, 'TERM'), ('start', container.id)):
            message = runtime.fails(*args)['msg']
            assert 'does not exist' not in message, message


def test_create_of_a_known_id():
    runtime = Runtime()
    with in_state(runtime, 'running') as container:
        before = runtime.state(container.id)
        other = Bundle().save()
        record = runtime.fails('create', '--bundle', other.path, container.id)
        expect_in('already', record['msg'], 'message')
        expect(runtime.state(container.id), before, 'state of the first')
        expect(container.ask()['hostname'], 'conformance', 'the first still answers')


@cases(('create',), ('start',), ('state',), ('delete',), ('kill',), ('run',))
def test_without_id(command):
    answer = Runtime().call(command)
    assert answer.status != 0, repr(answer)


@cases(*((name,) for name in ('.', '..', '../x', 'a/b', '', 'a b', '.hidden', 'a\nb', 'x' * 201, 'ä')))
def test_bad_id(name):
    runtime, bundle = Runtime(), file_bundle().save()
    runtime.fails('create', '--bundle', bundle.path, name)
    expect(runtime.ids(), [], 'states')


@cases(('_a',), ('+a',), ('a.b',), ('A-0',), ('x' * 200,))
def test_good_id(name):
    runtime = Runtime()
    bundle = Bundle()
    bundle.config['linux']['cgroupsPath'] = f'/{harness.CGROUP_TOP}/id'
    with Container(runtime, bundle, name=name) as container:
        container.run()
        container.finish()
        container.delete()


def test_id_with_a_dash_needs_two_dashes():
    runtime, bundle = Runtime(), file_bundle().save()
    runtime.fails('create', '--bundle', bundle.path, '-dash')
    runtime.ok('create', '--bundle', bundle.path, '--', '-dash')
    runtime.ok('delete', '--', '-dash')


# kill and delete

@cases(('KILL',), ('SIGKILL',), ('kill',), ('9',), ('SigKill',))
def test_kill_words(word):
    runtime = Runtime()
    with in_state(runtime, 'running') as container:
        runtime.ok('kill', container.id, word)
        container.wait_status('stopped')
        container.delete()


@cases(('35',), ('RTMIN+1',), ('SIGRTMIN+1',), ('sigrtmin+1',), ('RTMAX-29',), ('-35',))
def test_kill_words_of_real_time_signals(word):
    runtime, bundle = Runtime(), shell_bundle('trap "echo got it; exit" 35', 'echo', 'while :; do sleep 0.02; done')
    with Container(runtime, bundle) as container:
        container.create().start()
        container.read_line()
        runtime.ok('kill', container.id, word)
        expect(container.read_line(), 'got it', 'line')
        container.wait_status('stopped')


def test_kill_is_term_by_default():
    runtime, bundle = Runtime(), shell_bundle('trap "exit 5" TERM', 'echo', 'while :; do sleep 0.1; done')
    with Container(runtime, bundle) as container:
        container.create().start()
        container.read_line()
        runtime.ok('kill', container.id)
        container.wait_status('stopped')


def test_kill_zero_only_asks():
    runtime = Runtime()
    with in_state(runtime, 'running') as container:
        runtime.ok('kill', container.id, '0')
        container.ask()
        container.finish()
        runtime.fails('kill', container.id, '0')


def test_kill_of_an_unknown_signal():
    runtime = Runtime()
    with in_state(runtime, 'running') as container:
        expect_in('unknown signal', runtime.fails('kill', container.id, 'FOO')['msg'], 'message')
        container.ask()


def test_kill_of_created():
    runtime = Runtime()
    with in_state(runtime, 'created') as container:
        runtime.ok('kill', container.id, 'KILL')
        container.wait_status('stopped')
        runtime.fails('start', container.id)
        container.delete()


def test_kill_all_of_stopped_is_fine():
    """containerd's shim sends it for every container that has ended."""
    runtime = Runtime()
    with in_state(runtime, 'stopped') as container:
        answer = runtime.ok('kill', '--all', container.id, '9')
        expect(answer.out + answer.err, '', 'output')


@cases(('--all',), ('-a',), ('KILL', '-a'), ('-9', '-all'), ('-all=true', '--', '-KILL'))
def test_kill_all_behind_the_id(*words):
    """As with all, one that has stopped is no error, without it it is."""
    runtime = Runtime()
    with in_state(runtime, 'stopped') as container:
        runtime.ok('kill', container.id, *words)
        runtime.fails('kill', container.id, '9', '--all=false')
        expect_in('at most 2', runtime.fails('kill', container.id, '9', '9', '-a')['msg'], 'message')


def test_delete_of_created_kills():
    runtime = Runtime()
    with in_state(runtime, 'created') as container:
        container.delete()
        reap()
        assert not os.path.exists(f'/proc/{container.pid}'), 'the process lives'


def test_delete_force_of_running():
    runtime = Runtime()
    with in_state(runtime, 'running') as container:
        answer = runtime.ok('delete', '--force', container.id)
        expect(answer.out + answer.err, '', 'output')
        container.is_made = False


def test_delete_waits_for_what_was_killed():
    """As one types the two: the process has not ended yet when kill returns."""
    runtime = Runtime()
    for _ in range(20):
        with Container(runtime, shell_bundle('while :; do :; done')) as container:
            container.create()
            container.start()
            runtime.ok('kill', container.id, 'KILL')
            runtime.ok('delete', container.id)


def test_delete_force_of_unknown_is_silent():
    answer = Runtime().ok('delete', '--force', 'unknown')
    expect(answer.out + answer.err + answer.log_text, '', 'output')


def test_delete_then_delete_force():
    """Engines send both for every container."""
    runtime = Runtime()
    with in_state(runtime, 'stopped') as container:
        container.delete()
        runtime.ok('delete', '--force', container.id)


def test_options_after_the_id():
    runtime = Runtime()
    with in_state(runtime, 'running') as container:
        runtime.ok('delete', container.id, '--force')
        container.is_made = False


def test_forked_processes_end_with_the_container():
    """Without a pid namespace the cgroup tells what belongs to the container."""
    runtime, bundle = Runtime(), shell_bundle('sleep 1000 &', 'sleep 1000 &', 'echo', 'wait')
    bundle.config['linux']['namespaces'] = [n for n in bundle.config['linux']['namespaces'] if n['type'] != 'pid']
    with Container(runtime, bundle) as container:
        container.create().start()
        container.read_line()
        runtime.ok('kill', container.id, 'KILL')
        container.wait_status('stopped')
        container.delete()


def test_what_create_has_warned_of():
    """Later commands read the same config and keep quiet; what exec brings itself is warned of."""
    bundle = Bundle()
    (harness.tmp / 'there').mkdir(exist_ok=True)
    bundle.config['mounts'].append({'destination': 'data', 'type': 'bind', 'source': str(harness.tmp / 'there'),
                                    'options': ['bind', 'mode=755']})
    bundle.config['process']['capabilities']['bounding'].append('CAP_NONE')
    bundle.config['hooks'] = {kind: [{'path': '/bin/true'}] for kind in ('poststart', 'poststop')}
    with Container(Runtime(), bundle) as container:
        answer = container.try_create()
        expect(sum(r['level'] == 'warning' for r in answer.records()), 3, f'warnings of {answer.log_text}')
        expect(container.runtime.call('start', container.id).log_text, '', 'log of start')
        container.ask()
        answer = container.runtime.call('exec', container.id, 'sh', '-c', 'echo err >&2')
        expect((answer.status, answer.err, answer.log_text), (0, 'err\n', ''), 'status, standard error and log of exec')
        own = bundle.path / 'process.json'
        own.write_text(json.dumps(bundle.config['process'] | {'args': ['true']}))
        answer = container.runtime.call('exec', '--process', own, container.id)
        expect((answer.status, [r['level'] for r in answer.records()]), (0, ['warning']), 'status and log of its own')
        expect_in("'CAP_NONE'", answer.log_text, 'log')
        container.finish()
        expect(container.runtime.call('delete', container.id).log_text, '', 'log of delete')
        container.is_made = False


# Files and stdio

def test_pid_file_holds_only_the_number():
    runtime = Runtime()
    with Container(runtime, Bundle()) as container:
        file = container.bundle.path / 'pid'
        container.create('--pid-file', file)
        expect(file.read_text(), str(container.pid), 'pid file')


def test_pid_file_is_relative_to_the_caller():
    runtime = Runtime()
    with Container(runtime, Bundle()) as container:
        directory = harness.tmp / 'caller'
        directory.mkdir()
        container.create('--pid-file', 'pid', cwd=directory)
        expect((directory / 'pid').read_text(), str(container.pid), 'pid file')


def test_pid_file_that_cannot_be_written():
    runtime = Runtime()
    with Container(runtime, Bundle()) as container:
        answer = container.try_create('--pid-file', harness.tmp / 'missing/pid')
        answer.error()
        expect(runtime.ids(), [], 'states')


def test_bundle_is_the_current_directory_by_default():
    runtime, bundle = Runtime(), Bundle().save()
    runtime.ok('create', 'here', cwd=bundle.path)
    expect(runtime.state('here')['bundle'], str(bundle.path), 'bundle')
    runtime.ok('delete', 'here')


def test_stdio_is_the_callers():
    """Exactly the descriptors that create was given, with their offsets and flags."""
    runtime, bundle = Runtime(), shell_bundle('cat; echo out; echo err >&2')
    (bundle.path / 'in').write_text('from stdin\n')
    bundle.save()
    with open(bundle.path / 'in') as stdin, open(bundle.path / 'out', 'w+') as out, open(bundle.path / 'err', 'w+') as err:
        runtime.ok('create', '--bundle', bundle.path, 'stdio', stdin=stdin, stdout=out, stderr=err)
        runtime.ok('start', 'stdio')
        deadline = time.monotonic() + 5
        while runtime.state('stdio')['status'] != 'stopped' and time.monotonic() < deadline:
            reap()
            time.sleep(0.01)
    runtime.ok('delete', 'stdio')
    expect((bundle.path / 'out').read_text(), 'from stdin\nout\n', 'stdout')
    expect((bundle.path / 'err').read_text(), 'err\n', 'stderr')


def test_no_descriptor_of_the_caller_reaches_the_container():
    runtime = Runtime()
    with Container(runtime, Bundle()) as container:
        stray = os.open('/etc', os.O_RDONLY)
        os.set_inheritable(stray, True)
        try:
            container.create(close_fds=False)
        finally:
            os.close(stray)
        expect(sorted(container.start().ask()['descriptors']), ['0', '1', '2'], 'descriptors')


# run

@cases((0,), (7,), (255,))
def test_run_gives_the_exit_status(status):
    answer = run_program(Runtime(), shell_bundle('echo out; echo err >&2', f'exit {status}'))
    expect((answer.status, answer.out, answer.err), (status, 'out\n', 'err\n'), 'status and output')


@cases(('KILL', 137), ('TERM', 143), ('SEGV', 139))
def test_run_of_a_process_that_a_signal_ends(name, status):
    bundle = shell_bundle(f'sh -c "kill -{name} 1"', 'sleep 1')
    bundle.config['linux']['namespaces'] = [n for n in bundle.config['linux']['namespaces'] if n['type'] != 'pid']
    bundle.config['process']['args'] = ['sh', '-c', f'kill -{name} $$']
    expect(run_program(Runtime(), bundle).status, status, 'exit status')


def test_run_forwards_signals():
    runtime, bundle = Runtime(), shell_bundle('trap "echo hup; exit 9" HUP', 'echo ready', 'while :; do sleep 0.05; done')
    bundle.save()
    process = runtime.start_call('run', '--bundle', bundle.path, 'forward', stdout=subprocess.PIPE, text=True)
    expect(process.stdout.readline(), 'ready\n', 'first line')
    process.send_signal(signal.SIGHUP)
    expect(process.communicate(timeout=10)[0], 'hup\n', 'answer to the signal')
    expect(process.returncode, 9, 'exit status')


@cases(('run', 'run'), ('exec', 'exec'))
def test_ignored_signals_are_not_forwarded(name, command):
    """As under nohup, or in the background of a script. The program has its own mind about them."""
    runtime = Runtime()
    script = ['trap "echo hup; exit 9" HUP', 'trap "echo usr1; exit 3" USR1', 'echo ready',
              'while :; do sleep 0.05; done']
    bundle = shell_bundle(*script).save()
    with Container(runtime, shell_bundle('exec sleep 1000')) as container:
        words = ['run', '--bundle', bundle.path, 'ignored']
        if command == 'exec':
            container.create().start()
            words = ['exec', container.id, 'sh', '-c', '\n'.join(script)]
        with runtime.start_call(*words, stdout=subprocess.PIPE, text=True,
                                preexec_fn=lambda: signal.signal(signal.SIGHUP, signal.SIG_IGN)) as process:
            expect(process.stdout.readline(), 'ready\n', 'first line')
            # The first would be forwarded first: signals are read in the order of their numbers.
            process.send_signal(signal.SIGHUP)
            process.send_signal(signal.SIGUSR1)
            expect(process.communicate(timeout=10)[0], 'usr1\n', 'answer to the signals')
            expect(process.returncode, 3, 'exit status')


def test_run_deletes_at_the_end_unless_asked_to_keep():
    runtime, bundle = Runtime(), file_bundle().save()
    runtime.ok('run', '--bundle', bundle.path, 'gone')
    expect(runtime.ids(), [], 'states')
    runtime.ok('run', '--keep', '--bundle', bundle.path, 'kept')
    expect(runtime.state('kept')['status'], 'stopped', 'status')
    runtime.ok('delete', 'kept')


def test_run_detached():
    runtime = Runtime()
    with Container(runtime, Bundle()) as container:
        container.open_stdio()
        container.bundle.save()
        answer = runtime.call('run', '--detach', '--bundle', container.bundle.path, container.id, **container.popen)
        container.close_theirs()
        container.is_made = answer.status == 0
        expect(answer.status, 0, 'exit status')
        expect(container.ask()['hostname'], 'conformance', 'hostname')
        container.finish()


def test_run_reaps_orphans_of_the_container():
    """As subreaper it must not wait for ever, nor leave a zombie, when the first process ends before others."""
    bundle = shell_bundle('sleep 1000 & exit 3')
    bundle.config['linux']['namespaces'] = [n for n in bundle.config['linux']['namespaces'] if n['type'] != 'pid']
    expect(run_program(Runtime(), bundle, timeout=10).status, 3, 'exit status')


def test_run_with_a_closed_stdin():
    answer = run_program(Runtime(), shell_bundle('exit 4'), preexec_fn=lambda: os.close(0))
    expect(answer.status, 4, 'exit status')


# Many at once

def test_two_creates_of_one_id():
    """Exactly one wins; the other fails without harm."""
    runtime = Runtime()
    bundles = [Bundle().save() for _ in range(4)]
    answers = []
    threads = [threading.Thread(target=lambda b=b: answers.append(runtime.call('create', '--bundle', b.path, 'same')))
               for b in bundles]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    expect(sorted(a.status for a in answers), [0, 1, 1, 1], 'exit statuses')
    expect(runtime.state('same')['status'], 'created', 'status')
    runtime.ok('delete', 'same')


def test_state_during_create_is_whole():
    """Another command never sees half a state."""
    runtime, bundle = Runtime(), Bundle()
    bundle.config['hooks'] = {'createRuntime': [{'path': '/bin/sleep', 'args': ['sleep', '0.3']}]}
    bundle.save()
    runtime.root.mkdir()  # before the first create, it is missing for `list`, too
    process = runtime.start_call('create', '--bundle', bundle.path, 'slow', stdout=subprocess.DEVNULL)
    seen = set()
    while process.poll() is None:
        answer = runtime.call('state', 'slow')
        if answer.status == 0:
            seen.add(json.loads(answer.out)['status'])
        else:
            expect_in('does not exist', answer.error()['msg'], 'message')
        json.loads(runtime.ok('list', '--format', 'json').out)
        time.sleep(0.01)
    expect(process.returncode, 0, 'exit status of create')
    assert seen <= {'creating', 'created'}, seen
    runtime.ok('delete', 'slow')


@cases(('made', True, 'does not exist'), ('left behind', False, "'kogg delete --force'"))
def test_state_directory_without_state(name, is_locked, text):
    """As create has it before its first record, and delete after the last: only the lock tells them from a wreck."""
    runtime = Runtime()
    directory = runtime.root / 'half'
    directory.mkdir(parents=True)
    os.mkfifo(directory / 'result')
    fd = os.open(directory, os.O_RDONLY)
    try:
        if is_locked:
            fcntl.flock(fd, fcntl.LOCK_EX)
        record = runtime.fails('state', 'half')
        expect_in(text, record['msg'] + record.get('hint', ''), 'message')
        answer = runtime.ok('list', '-q')
        expect((answer.out, bool(answer.log_text)), ('', not is_locked), 'list, and whether it warns')
    finally:
        os.close(fd)
    runtime.ok('delete', '--force', 'half')
    expect(runtime.ids(), [], 'states')


@cases(('directory', os.mkdir), ('FIFO', os.mkfifo))
def test_state_that_is_no_file(name, make):
    runtime = Runtime()
    (runtime.root / 'wrong').mkdir(parents=True)
    (runtime.root / 'wrong/config.json').touch()
    make(runtime.root / 'wrong/state.json')
    expect_in("'kogg delete --force'", runtime.fails('delete', 'wrong')['hint'], 'hint')
    expect_in('its directory was removed', runtime.ok('delete', '--force', 'wrong').log_text, 'warning')
    expect(runtime.ids(), [], 'states')


def test_config_that_is_a_fifo():
    """It might wait for ever; the pipe that /dev/stdin is has a writer."""
    runtime, bundle = Runtime(), file_bundle().save()
    text = (bundle.path / 'config.json').read_bytes()
    (bundle.path / 'config.json').unlink()
    os.mkfifo(bundle.path / 'config.json')
    record = runtime.fails('run', '--bundle', bundle.path, 'piped', timeout=5)
    expect_in("'config.json' is a FIFO, not a regular file", record['msg'], 'message')
    ours, theirs = os.pipe()
    call = runtime.start_call('run', '--bundle', bundle.path, '--config', '/dev/stdin', 'piped', stdin=ours)
    os.close(ours)
    time.sleep(0.2)  # it waits for what has not been written yet
    with os.fdopen(theirs, 'wb') as pipe:
        pipe.write(text)
    expect(call.wait(10), 0, 'exit status')


@cases(('exec', 'true'), ('exec --detach', 'true'), ('pause',), ('delete --force',))
def test_signal_ends_the_wait_for_the_lock(command, *more):
    runtime = Runtime()
    with in_state(runtime, 'running') as container:
        fd = os.open(runtime.root / container.id, os.O_RDONLY)
        try:
            fcntl.flock(fd, fcntl.LOCK_EX)
            with runtime.start_call(*command.split(), container.id, *more) as call:
                waits = re.compile(rf'-> FLOCK .* {call.pid} ')
                assert harness.settle(lambda: waits.search(pathlib.Path('/proc/locks').read_text())), 'it does not wait'
                call.terminate()
                expect(call.wait(5), -signal.SIGTERM, 'exit status')
        finally:
            os.close(fd)
        expect(runtime.state(container.id)['status'], 'running', 'status afterwards')


@cases(('state',), ('start',), ('kill', 'KILL'), ('delete',), ('delete', '--force'))
def test_state_of_an_unknown_format(command, *more):
    """What another version made is left to it: to forget it would leave its process running with nobody to end it."""
    runtime = Runtime()
    with in_state(runtime, 'created') as container:
        path = runtime.root / container.id / 'state.json'
        text = path.read_text()
        path.write_text(text.replace('"format":1', '"format":99'))
        try:
            options, words = [w for w in more if w[0] == '-'], [w for w in more if w[0] != '-']
            record = runtime.fails(command, *options, container.id, *words)
        finally:
            path.write_text(text)
        expect_in('format 99', record['msg'], 'message')
        expect_in('version of kogg', record['hint'], 'hint')
        expect(runtime.state(container.id)['status'], 'created', 'status afterwards')


def test_state_while_others_create_and_delete():
    runtime, bundle = Runtime(), file_bundle().save()
    runtime.root.mkdir()

    def make_and_delete():
        for _ in range(20):
            runtime.ok('create', '--bundle', bundle.path, 'brief')
            runtime.ok('delete', 'brief')
    thread = threading.Thread(target=make_and_delete)
    thread.start()
    answers = []
    while thread.is_alive():
        answers += [runtime.call('state', 'brief'), runtime.call('list', '-q')]
    for answer in answers:
        if answer.status != 0:
            expect_in('does not exist', answer.error()['msg'], 'message')
        else:
            expect(answer.log_text, '', 'log')


def test_create_that_is_killed_can_be_deleted():
    """A state directory of a dead create must not block its id for ever."""
    runtime, bundle = Runtime(), Bundle()
    bundle.config['hooks'] = {'createRuntime': [{'path': '/bin/sleep', 'args': ['sleep', '1.5']}]}
    bundle.save()
    process = runtime.start_call('create', '--bundle', bundle.path, 'killed', stdout=subprocess.DEVNULL)
    deadline = time.monotonic() + 5
    while time.monotonic() < deadline and not (runtime.ids() and len(os.listdir(runtime.root / 'killed')) > 1):
        time.sleep(0.01)
    time.sleep(0.2)
    process.kill()
    process.wait()
    runtime.ok('delete', '--force', 'killed')
    time.sleep(1.5)  # the hook is nobody's child any more, and ends by itself
    expect(runtime.ids(), [], 'states')


def test_notify_socket_in_the_foreground():
    """What the program says later arrives, too, but not what is about the service; and nobody is refused."""
    path, bundle = harness.tmp / 'notify', shell_bundle('sleep 100')
    runtime = Runtime(env={**os.environ, 'NOTIFY_SOCKET': str(path)})
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as listener, \
            socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as sender:
        listener.bind(str(path))
        listener.settimeout(5)
        process = runtime.start_call('run', '--bundle', bundle.save().path, 'notifies')
        try:
            inside = runtime.root / 'notifies/notify/notify.sock'
            assert harness.settle(inside.exists), 'no socket'
            sender.connect(str(inside))
            for said in (b'READY=1', b'STATUS=busy\nMAINPID=1', b'FDSTORE=1', b'WATCHDOG=1'):
                sender.send(said)
            expect([listener.recv(4096) for _ in range(3)], [b'READY=1', b'STATUS=busy', b'WATCHDOG=1'], 'messages')
        finally:
            runtime.ok('kill', 'notifies', 'KILL')
            process.wait(10)


harness.main(__name__)
