#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""config.md, "POSIX-platform Hooks", and runtime.md, "Lifecycle": when, where and how hooks run, and what failing means."""
import json
import os
import pathlib
import re
import signal
import subprocess
import time

import harness
from harness import Bundle, Container, Runtime, cases, expect, expect_in, settle
from machine import reap

KINDS = ('prestart', 'createRuntime', 'createContainer', 'startContainer', 'poststart', 'poststop')
IN_CREATE = KINDS[:3]
OF_RUNTIME = ('prestart', 'createRuntime', 'poststart', 'poststop')


def shell(script, **more):
    return {'path': '/bin/busybox', 'args': ['sh', '-c', script], **more}


class Hooked:
    """A bundle with hooks that write into a directory which all of them reach by the same path."""

    def __init__(self):
        self.bundle = Bundle()
        self.log = self.bundle.path / 'log'
        self.log.mkdir(mode=0o777)
        self.log.chmod(0o777)
        self.bundle.config['mounts'].append({'destination': str(self.log), 'type': 'bind', 'source': str(self.log),
                                             'options': ['rbind', 'rw']})
        self.bundle.config['hooks'] = {}

    def add(self, kind, script, **more):
        """The script may use $log; startContainer hooks find it at the same path inside."""
        self.bundle.config['hooks'].setdefault(kind, []).append(shell(f'log={self.log}; {script}', **more))
        return self

    def read(self, name):
        path = self.log / name
        return path.read_text() if path.exists() else None

    def lines(self):
        return (self.read('order') or '').split()


def probing(kind):
    """A hook that is the probe, and what it wrote."""
    hooked = Hooked()
    program = '/bin/probe' if kind == 'startContainer' else str(hooked.bundle.path / 'probe')
    if kind != 'startContainer':
        os.link(harness.template / 'bin/probe', program)
    hooked.bundle.config['hooks'] = {kind: [{'path': program, 'args': ['hook', '--hook', str(hooked.log / 'seen')]}]}
    return hooked


def life(hooked, *options):
    """Create, start, end and delete; returns what the probe saw and the container's id and pid."""
    with Container(Runtime(), hooked.bundle) as container:
        container.create(*options)
        container.start()
        seen = container.ask()
        container.finish()
        container.delete()
    return seen, container


# Moment

def test_order():
    hooked = Hooked()
    for kind in reversed(KINDS):
        for number in (1, 2):
            hooked.add(kind, f'echo {kind}-{number} >> $log/order')
    seen_after = {}
    with Container(Runtime(), hooked.bundle) as container:
        container.create()
        seen_after['create'] = hooked.lines()
        container.start()
        seen_after['start'] = hooked.lines()
        container.ask()
        container.finish()
        seen_after['stop'] = hooked.lines()
        container.delete()
    def both(*kinds):
        return [f'{k}-{n}' for k in kinds for n in (1, 2)]
    expect(seen_after['create'], both(*IN_CREATE), 'hooks run by create')
    expect(seen_after['start'], both(*KINDS[:5]), 'hooks run by start')
    expect(seen_after['stop'], both(*KINDS[:5]), 'hooks when the process ended')
    expect(hooked.lines(), both(*KINDS), 'hooks run by delete')


def test_poststart_is_after_the_exec():
    """The program's name is there, not the runtime's, each of twenty times."""
    for _ in range(20):
        hooked = Hooked().add('poststart', 'p=$(tr -d "\\n" | sed "s/.*\\"pid\\": *\\([0-9]*\\).*/\\1/"); '
                              'cat /proc/$p/comm > $log/comm')
        life(hooked)
        expect(hooked.read('comm'), 'probe\n', 'name of the process')


def test_run_runs_all_hooks():
    hooked = Hooked()
    hooked.bundle.config['process']['args'] = ['true']
    for kind in KINDS:
        hooked.add(kind, f'echo {kind} >> $log/order')
    answer = harness.run_program(Runtime(), hooked.bundle)
    expect(answer.status, 0, repr(answer))
    expect(hooked.lines(), list(KINDS), 'hooks')


# Where they run, and what they are given

@cases(*((kind,) for kind in KINDS))
def test_namespaces(kind):
    hooked = probing(kind)
    seen, _ = life(hooked)
    hook = json.loads(hooked.read('seen'))
    for link in ('mnt', 'net', 'ipc', 'uts', 'pid'):
        wanted = os.readlink(f'/proc/self/ns/{link}') if kind in OF_RUNTIME else seen['namespaces'][link]
        if link in hook['namespaces']:
            expect(hook['namespaces'][link], wanted, f'{link} namespace')


@cases(*((kind,) for kind in KINDS))
def test_state_on_stdin(kind):
    hooked = probing(kind)
    hooked.bundle.config['annotations'] = {'org.example.key': 'value'}
    _, container = life(hooked)
    state = json.loads(json.loads(hooked.read('seen'))['stdin'])
    expect(state['ociVersion'].split('.')[0], '1', 'major version')
    expect((state['id'], state['bundle']), (container.id, str(hooked.bundle.path)), 'id and bundle')
    expect(state['annotations'], {'org.example.key': 'value'}, 'annotations')
    status = {'poststart': 'running', 'poststop': 'stopped'}.get(kind, 'created')
    expect(state['status'], status, 'status')
    if kind == 'poststop':
        expect('pid' in state, False, 'pid in the state')
    else:
        expect(state['pid'], container.pid if kind in OF_RUNTIME else 1, 'pid')


@cases(*((kind,) for kind in KINDS))
def test_arguments_and_environment(kind):
    hooked = probing(kind)
    hook = hooked.bundle.config['hooks'][kind][0]
    hook['args'] += ['0', 'two words', '']
    hook['env'] = ['A=1', 'B=']
    life(hooked)
    seen = json.loads(hooked.read('seen'))
    expect(seen['argv'], hook['args'], 'argv')
    expect(sorted(seen['env']), ['A=1', 'B='], 'environment')


@cases(('createRuntime', 'runtime'), ('prestart', 'runtime'), ('poststart', 'runtime'), ('poststop', 'runtime'),
       ('createContainer', 'empty'), ('startContainer', 'process'))
def test_environment_when_absent(kind, which):
    hooked = probing(kind)
    hooked.bundle.config['process']['env'] = ['PATH=/bin', 'OF=process']
    runtime = Runtime(env={'PATH': os.environ['PATH'], 'OF': 'runtime'})
    with Container(runtime, hooked.bundle) as container:
        container.run()
        container.finish()
        container.delete()
    env = dict(e.split('=', 1) for e in json.loads(hooked.read('seen'))['env'])
    expect(env.get('OF', 'empty'), which, 'environment')


def test_empty_environment_is_empty():
    hooked = probing('createRuntime')
    hooked.bundle.config['hooks']['createRuntime'][0]['env'] = []
    life(hooked)
    expect(json.loads(hooked.read('seen'))['env'], [], 'environment')


def test_arguments_when_absent():
    hooked = Hooked()
    script = hooked.bundle.path / 'script'
    script.write_text(f'#!/bin/busybox sh\necho $# "$0" > {hooked.log}/args\n')
    script.chmod(0o755)
    hooked.bundle.config['hooks'] = {'createRuntime': [{'path': str(script)}]}
    life(hooked)
    expect(hooked.read('args'), f'0 {script}\n', 'arguments')


@cases(*((kind,) for kind in KINDS))
def test_descriptors(kind):
    """A hook has 0, 1 and 2, and nothing of the runtime's."""
    hooked = probing(kind)
    life(hooked)
    open_ones = sorted(json.loads(hooked.read('seen'))['descriptors'])
    expect(open_ones, ['0', '1', '2'], 'descriptors')


@cases(*((kind,) for kind in KINDS))
def test_signals(kind):
    hooked = probing(kind)
    life(hooked)
    status = json.loads(hooked.read('seen'))['status']
    expect((status.get('SigBlk'), status.get('SigIgn')), ('0' * 16, '0' * 16), 'signals')


@cases(*((kind,) for kind in KINDS))
def test_directory_and_umask(kind):
    hooked = probing(kind)
    life(hooked)
    seen = json.loads(hooked.read('seen'))
    wanted = {'createContainer': str(hooked.bundle.rootfs), 'startContainer': '/', 'poststop': os.getcwd()}
    expect((seen['cwd'], seen['umask']), (wanted.get(kind, str(hooked.bundle.path)), 0o022), 'directory and umask')


def test_poststop_hook_without_the_bundle():
    hooked, mark = Hooked(), harness.tmp / f'mark{harness.serial()}'
    hooked.add('poststop', f'echo >{mark}')
    with Container(Runtime(), hooked.bundle) as container:
        container.run()
        container.finish()
        hooked.bundle.path.rename(f'{hooked.bundle.path}-elsewhere')
        container.delete()
    assert mark.exists(), 'no poststop hook'


def test_start_container_is_not_privileged():
    """It runs as the program will: a hook must not be a way to more rights inside."""
    hooked = probing('startContainer')
    hooked.bundle.config['process']['user'] = {'uid': 1000, 'gid': 1000}
    life(hooked)
    seen = json.loads(hooked.read('seen'))
    expect((seen['uids'], seen['capabilities']['effective']), ([1000] * 3, '0' * 16), 'rights')


def test_output_is_not_the_containers():
    hooked = Hooked()
    for kind in ('prestart', 'createRuntime', 'createContainer', 'startContainer', 'poststart'):
        hooked.add(kind, 'echo out; echo err >&2')
    with Container(Runtime(), hooked.bundle) as container:
        container.create()
        container.start()
        expect(container.ask()['hostname'], 'conformance', 'first line of the container')
        container.finish()
        container.delete()


@cases(*((kind,) for kind in KINDS))
def test_hook_that_reads_nothing(kind):
    """It ends without reading the state: that is no failure, nor a signal for the runtime."""
    for _ in range(10):
        hooked = Hooked()
        hooked.bundle.config['hooks'] = {kind: [{'path': '/bin/true'}]}
        hooked.bundle.config['annotations'] = {f'k{i}': 'x' * 1000 for i in range(100)}
        life(hooked)


def test_hook_that_leaves_a_process():
    """Which keeps the hook's stdout open: the runtime must not wait for it."""
    hooked = Hooked().add('createRuntime', 'sleep 2 & exit 0')
    began = time.monotonic()
    with Container(Runtime(), hooked.bundle) as container:
        container.create()
        took = time.monotonic() - began
    time.sleep(max(0.0, 2.2 - (time.monotonic() - began)))
    assert took < 1.5, f'create took {took:.1f} s'


# Failure

def failing_create(hooked):
    runtime = Runtime()
    tree = hooked.bundle.save().tree()
    record = runtime.fails('create', '--bundle', hooked.bundle.path, 'failing')
    expect(runtime.ids(), [], 'states')
    added = set(hooked.bundle.tree()) - set(tree)
    expect([p for p in added if not p.startswith(str(hooked.bundle.rootfs) + '/tmp')], [], 'new paths in the root')
    return record


@cases(*((kind,) for kind in IN_CREATE))
def test_failing_create_hook(kind):
    """Error, the container is destroyed, poststop hooks run; later hooks do not."""
    hooked = Hooked().add(kind, 'echo the reason >&2; exit 3').add(kind, 'echo later >> $log/order')
    hooked.add('poststop', 'echo poststop >> $log/order')
    record = failing_create(hooked)
    assert record.get('pointer', '').startswith(f'/hooks/{kind}/0'), record
    for phrase in (kind, 'status 3', 'the reason'):
        expect_in(phrase, record['msg'], 'message')
    expect(hooked.lines(), ['poststop'], 'hooks that ran after it')


@cases(
    ('carriage return', b'#!/bin/sh\r\necho\r\n', 0o755, 'its "#!" line ends with a carriage return after \'/bin/sh\''),
    ('interpreter', b'#!/bin/none\n', 0o755, "it is a script whose interpreter '/bin/none' is missing"),
    ('no #! line', b'echo\n', 0o755, 'it is a text file without a "#!" line'),
    ('mode', b'#!/bin/sh\n', 0o644, 'the file has no execute permission for anyone'),
    ('directory', None, 0o755, 'it names a directory'),
)
def test_hook_that_cannot_be_executed(name, content, mode, reason):
    """It says why as the container's own program does, on the host and inside."""
    for kind in ('createRuntime', 'startContainer'):
        runtime, bundle = Runtime(), Bundle()
        path = bundle.rootfs / 'hook'
        if content is None:
            path.mkdir()
        else:
            path.write_bytes(content)
        path.chmod(mode)
        seen = '/hook' if kind == 'startContainer' else str(path)
        bundle.config['hooks'] = {kind: [{'path': seen}]}
        record = runtime.fails('run', '--bundle', bundle.save().path, 'hooked')
        expect(record['pointer'], f'/hooks/{kind}/0/path', 'pointer')
        expect_in(f"execute '{seen}': {reason}", record['msg'], 'message')
        assert not re.search(harness.PHRASES, record['msg']), record['msg']


@cases(*((kind,) for kind in IN_CREATE))
def test_create_hook_that_a_signal_ends(kind):
    record = failing_create(Hooked().add(kind, 'kill -KILL $$'))
    expect_in('signal 9', record['msg'].lower().replace('sigkill', 'signal 9').replace('killed', 'signal 9'), 'message')


def expect_located(record, pointer):
    """The record of a start: where in the config it is wrong, as run says, and in front of the text as well."""
    expect(record.get('pointer'), pointer, 'pointer')
    assert record['msg'].startswith(f'config.json:{record["line"]}:{record["column"]}: {pointer}: '), record


def test_failing_start_container_hook():
    """start reports it, the container is destroyed, poststop hooks run, poststart hooks do not."""
    hooked = Hooked().add('startContainer', 'echo the reason >&2; exit 3')
    hooked.add('poststart', 'echo poststart >> $log/order').add('poststop', 'echo poststop >> $log/order')
    runtime = Runtime()
    with Container(runtime, hooked.bundle) as container:
        container.create()
        record = runtime.fails('start', container.id)
        expect_located(record, '/hooks/startContainer/0')
        for phrase in ('startContainer', 'status 3', 'the reason'):
            expect_in(phrase, record['msg'], 'message')
        reap()
        answer = runtime.call('state', container.id)
        container.is_made = answer.status == 0
        expect_in('does not exist', answer.err, 'state afterwards')
    expect(hooked.lines(), ['poststop'], 'hooks that ran after it')


def test_interrupted_start_container_hook():
    """A hook without a timeout: `run` ends by a signal, nothing is left, and poststop hooks run."""
    runtime, bundle = Runtime(), Bundle()
    # A file in the root, which the hook sees as well as the test.
    waiting = bundle.rootfs / 'waiting'
    bundle.config['hooks'] = {
        'startContainer': [{'path': '/bin/sh', 'args': ['sh', '-c', 'echo > /waiting; exec sleep 1000']}],
        'poststop': [{'path': '/bin/sh', 'args': ['sh', '-c', f'echo > {bundle.path}/over']}]}
    with runtime.start_call('run', '--bundle', bundle.save().path, 'waits', stderr=subprocess.PIPE) as run:
        try:
            assert settle(waiting.exists), 'the hook does not run'
            run.send_signal(signal.SIGINT)
            expect(run.wait(5), 128 + signal.SIGINT, 'exit status')
        finally:
            run.kill()
        expect_in('interrupted by signal 2 (SIGINT)', run.stderr.read().decode(), 'message')
    expect(runtime.ids(), [], 'states')
    assert (bundle.path / 'over').exists(), 'no poststop hook'


def test_failing_poststart_hook():
    """runtime.md, lifecycle 9: start fails, the container is stopped and destroyed, poststop hooks run."""
    hooked = Hooked().add('poststart', 'exit 3').add('poststop', 'echo poststop >> $log/order')
    runtime = Runtime()
    with Container(runtime, hooked.bundle) as container:
        container.create()
        record = runtime.fails('start', container.id)
        expect_located(record, '/hooks/poststart/0')
        reap()
        answer = runtime.call('state', container.id)
        container.is_made = answer.status == 0
        expect_in('does not exist', answer.err, 'state afterwards')
    expect(hooked.lines(), ['poststop'], 'hooks that ran after it')


def starting(hooked, command, name):
    """The call whose poststart hooks run: start, or run in either way."""
    runtime = hooked.runtime
    hooked.bundle.config['process']['args'] = ['sh', '-c', 'sleep 100']
    hooked.bundle.save()
    if command == 'start':
        runtime.ok('create', '--bundle', hooked.bundle.path, name)
        return ('start', name)
    return (*command.split(), '--bundle', hooked.bundle.path, name)


@cases(('start',), ('run',), ('run --detach',))
def test_poststart_hook_may_call_the_runtime(command):
    """The container runs by then: exec, pause and resume in it, and delete ends it all."""
    hooked = Hooked()
    runtime = hooked.runtime = Runtime()
    kogg = f'{harness.KOGG} --root {runtime.root}'
    hooked.add('poststart', f'{kogg} exec called sh -c "echo inside" >$log/exec && {kogg} pause called && '
               f'{kogg} resume called && {kogg} state called >$log/state && {kogg} delete --force called')
    began = time.monotonic()
    call = starting(hooked, command, 'called')
    status = runtime.call(*call).status
    took = time.monotonic() - began
    expect(status, 128 + signal.SIGKILL if command == 'run' else 0, 'exit status')
    expect(hooked.read('exec'), 'inside\n', 'what exec in the hook wrote')
    expect(json.loads(hooked.read('state'))['status'], 'running', 'status in the hook')
    expect(runtime.ids(), [], 'states')
    assert took < 8, f'took {took:.1f} s'


@cases(('start',), ('run',), ('run --detach',))
def test_delete_during_a_poststart_hook(command):
    """Whose failure then is the answer, and nothing of another container of that name is touched."""
    hooked = Hooked()
    runtime = hooked.runtime = Runtime()
    hooked.add('poststart', 'echo >$log/runs; read x <$log/gate; exit 3')
    hooked.add('poststop', 'echo poststop >>$log/order')
    os.mkfifo(hooked.log / 'gate')
    log = harness.tmp / f'log{harness.serial()}'
    other = harness.shell_bundle('sleep 100')
    other.config['linux']['cgroupsPath'] = hooked.bundle.config['linux']['cgroupsPath']
    with runtime.start_call(*starting(hooked, command, 'gone'), log=log, stdout=subprocess.DEVNULL,
                            stderr=subprocess.DEVNULL) as call:
        try:
            assert settle((hooked.log / 'runs').exists), 'the hook does not run'
            runtime.ok('delete', '--force', 'gone', timeout=8)
            expect(runtime.ids(), [], 'states after delete')
            expect(hooked.lines(), ['poststop'], 'hooks run by delete')
            runtime.ok('create', '--bundle', other.save().path, 'gone', stdout=subprocess.DEVNULL)
            (hooked.log / 'gate').write_text('\n')
            expect(call.wait(10), 1, 'exit status')
        finally:
            call.kill()
    records = [json.loads(line) for line in log.read_text().splitlines()]
    expect([(r['level'], r['pointer'], 'hint' in r) for r in records], [('error', '/hooks/poststart/0', False)], 'records')
    expect(hooked.lines(), ['poststop'], 'hooks afterwards')
    expect(runtime.state('gone')['status'], 'created', 'status of the other container')
    runtime.ok('start', 'gone')
    runtime.ok('delete', '--force', 'gone')


@cases(('start',), ('run',), ('run --detach',))
def test_failing_poststart_hook_that_has_paused(command):
    """What it leaves frozen is ended all the same, and at once."""
    hooked = Hooked()
    runtime = hooked.runtime = Runtime()
    hooked.add('poststart', f'{harness.KOGG} --root {runtime.root} pause paused || exit 4; exit 3')
    hooked.add('poststop', 'echo poststop >>$log/order')
    began = time.monotonic()
    record = runtime.fails(*starting(hooked, command, 'paused'))
    took = time.monotonic() - began
    expect_in('exit status 3', record['msg'], 'message')
    expect(runtime.ids(), [], 'states')
    expect(hooked.lines(), ['poststop'], 'hooks')
    assert took < 6, f'took {took:.1f} s'


def test_failing_poststop_hook_warns():
    """All others run, and delete succeeds."""
    hooked = Hooked().add('poststop', 'exit 3').add('poststop', 'echo second >> $log/order')
    runtime = Runtime()
    with Container(runtime, hooked.bundle) as container:
        container.run()
        container.finish()
        answer = runtime.ok('delete', container.id)
        container.is_made = False
        expect([r['level'] for r in answer.records()], ['warning'], f'levels of {answer.log_text!r}')
        expect_in('poststop', answer.records()[0]['msg'], 'warning')
    expect(hooked.lines(), ['second'], 'hooks')


def test_failure_elsewhere_runs_poststop():
    hooked = Hooked().add('createRuntime', 'echo createRuntime >> $log/order')
    hooked.add('poststop', 'echo poststop >> $log/order')
    hooked.bundle.config['linux']['sysctl'] = {'net.ipv4.ip_default_ttl': 'nonsense'}
    failing_create(hooked)
    lines = hooked.lines()
    assert lines in ([], ['createRuntime', 'poststop']), f'hooks: {lines}'


@cases(*((kind,) for kind in KINDS if kind != 'poststop'))
def test_timeout(kind):
    """The hook and what it started are killed when its time is over."""
    hooked = Hooked().add(kind, 'sleep 30 & sleep 30', timeout=1)
    runtime = Runtime()
    began = time.monotonic()
    with Container(runtime, hooked.bundle) as container:
        answer = container.try_create()
        if kind not in IN_CREATE:
            assert answer.status == 0, repr(answer)
            answer = runtime.call('start', container.id)
            container.is_made = runtime.call('state', container.id).status == 0
        record = answer.error()
    took = time.monotonic() - began
    assert record.get('pointer', '').startswith(f'/hooks/{kind}/0'), record
    assert re.search(r'tim(ed|e) ?out.*\b(1 ?s|1\d{3} ?ms)', record['msg']), record['msg']
    assert 0.9 < took < 3, f'took {took:.1f} s'


def test_long_timeout_does_not_wait():
    hooked = Hooked().add('createRuntime', 'exit 0', timeout=1000)
    began = time.monotonic()
    life(hooked)
    assert time.monotonic() - began < 5


def test_stderr_of_a_failing_hook_is_bounded():
    """The last KiB, and no control characters that would break the log or a terminal."""
    script = 'i=0; while [ $i -lt 3000 ]; do echo "line $i" >&2; i=$((i+1)); done; printf "\\033[31mred\\n" >&2; exit 1'
    record = failing_create(Hooked().add('createRuntime', script))
    assert len(record['msg']) < 2000, f'{len(record["msg"])} characters'
    expect_in('red', record['msg'], 'message')
    assert '\033' not in record['msg'], 'an escape character in the message'


# Refused before anything is made

@cases(
    ('relative path', {'path': 'bin/true'}, '/path'),
    ('timeout 0', {'path': '/bin/true', 'timeout': 0}, '/timeout'),
    ('negative timeout', {'path': '/bin/true', 'timeout': -1}, '/timeout'),
    ('no path', {}, '/path'),
)
def test_wrong_hook(name, hook, end):
    for kind in KINDS:
        bundle, runtime = Bundle(), Runtime()
        bundle.config['hooks'] = {kind: [hook]}
        record = runtime.fails('create', '--bundle', bundle.save().path, 'wrong')
        expect(record.get('pointer'), f'/hooks/{kind}/0{end}', f'pointer of {record["msg"]!r}')


def test_config_is_read_once_for_poststop():
    hooked = Hooked().add('poststop', 'echo old >> $log/order')
    with Container(Runtime(), hooked.bundle) as container:
        container.run()
        pathlib.Path(hooked.bundle.path, 'config.json').unlink()
        container.finish()
        container.delete()
    expect(hooked.lines(), ['old'], 'hooks')


@cases(*((kind,) for kind in IN_CREATE))
def test_wrong_profile_is_known_before(kind):
    """The filter is compiled while the container is made, but no hook sees a container that can't be."""
    hooked = Hooked().add(kind, 'echo ran >$log/ran').add('poststop', 'echo ran >$log/ran')
    hooked.bundle.config['linux']['seccomp'] = {'defaultAction': 'SCMP_ACT_NOTIFY'}
    record = Runtime().fails('create', '--bundle', hooked.bundle.save().path, 'wrong')
    expect(record['pointer'], '/linux/seccomp/defaultAction', 'pointer')
    expect(hooked.read('ran'), None, 'what a hook wrote')


harness.main(__name__)
