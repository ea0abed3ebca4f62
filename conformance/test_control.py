#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""What is done to all processes of a container through its control groups: pause, resume, ps, kill."""
import contextlib
import json
import os
import pathlib
import re
import select
import signal
import subprocess
import tempfile
import time

import harness
from attacks import STRACE, delayed
from cgroup_files import group_of
from harness import Bundle, Container, Runtime, cases, expect, expect_in, settle, shell_bundle
from machine import cgroup_mounts, cgroups_are_v2, reap


def shell(script, own_pids=True):
    """A container of a shell script; standard input and output are pipes."""
    bundle = Bundle()
    bundle.config['process']['args'] = ['sh', '-c', script]
    if not own_pids:
        linux = bundle.config['linux']
        linux['namespaces'] = [n for n in linux['namespaces'] if n['type'] != 'pid']
    return Container(Runtime(), bundle)


def freezer(container):
    """The file and the text by which the kernel says that all processes stand still."""
    mounts = cgroup_mounts()
    if 'freezer' in mounts:
        return group_of(container.bundle, mounts['freezer']) / 'freezer.state', 'FROZEN'
    return group_of(container.bundle, mounts['']) / 'cgroup.events', 'frozen 1'


def is_silent(container, seconds=0.3):
    """Whether nothing comes from the container, having taken what is under way."""
    while select.select([container.stdout], [], [], 0)[0]:
        os.read(container.stdout, 1 << 16)
    return not select.select([container.stdout], [], [], seconds)[0]


TICKING = 'while :; do echo tick; sleep 0.01; done'


# pause and resume

def test_pause():
    """The kernel has confirmed it when the command is back; state says paused; resume goes on where it was."""
    with shell(TICKING) as container:
        container.create().start()
        container.read_line()
        for _ in range(3):
            container.runtime.ok('pause', container.id)
            file, text = freezer(container)
            expect_in(text, file.read_text(), file.name)
            expect(container.runtime.state(container.id)['status'], 'paused', 'status')
            expect(container.runtime.state(container.id)['pid'], container.pid, 'pid')
            expect(is_silent(container), True, 'silence')
            container.runtime.ok('resume', container.id)
            assert text not in file.read_text(), f'{file.name} after resume'
            expect(container.runtime.state(container.id)['status'], 'running', 'status')
            expect(is_silent(container, 10), False, 'silence')


def test_pause_of_what_forks():
    """A process that was forked while others were stopped is caught as well."""
    with shell('echo; while :; do sh -c "sleep 0.001 & sleep 0.002 & wait" & wait; done') as container:
        container.create().start()
        container.read_line()
        for _ in range(10):
            container.runtime.ok('pause', container.id)
            file, text = freezer(container)
            expect_in(text, file.read_text(), file.name)
            container.runtime.ok('resume', container.id)


def test_pause_of_nested_groups():
    with shell(TICKING) as container:
        container.create()
        group = freezer(container)[0].parent / 'below'
        group.mkdir()
        (group / 'cgroup.procs').write_text(str(container.pid))
        container.start()
        container.read_line()
        container.runtime.ok('pause', container.id)
        expect(is_silent(container), True, 'silence')
        container.runtime.ok('resume', container.id)


@cases(('pause twice', 'pause', 'paused already'), ('start', 'start', 'paused'), ('delete', 'delete', 'paused'))
def test_command_when_paused(name, command, text):
    with shell(TICKING) as container:
        container.create().start()
        container.runtime.ok('pause', container.id)
        expect_in(text, container.runtime.fails(command, container.id)['msg'], 'message')
        expect(container.runtime.state(container.id)['status'], 'paused', 'status')


def test_pause_before_start():
    """Who waits for start can be paused as well, and then neither starts nor is lost."""
    with shell(TICKING) as container:
        container.create()
        container.runtime.ok('pause', container.id)
        expect(container.runtime.state(container.id)['status'], 'paused', 'status')
        expect_in('paused', container.runtime.fails('start', container.id)['msg'], 'message')
        container.runtime.ok('resume', container.id)
        expect(container.runtime.state(container.id)['status'], 'created', 'status')
        container.start()
        container.read_line()


def test_delete_of_paused_before_start():
    with shell(TICKING) as container:
        container.create()
        container.runtime.ok('pause', container.id)
        container.runtime.ok('delete', '--force', container.id)
        container.is_made = False
        expect(container.runtime.ids(), [], 'states')


@cases(('resume of running', 'resume', True, 'not paused'), ('resume of stopped', 'resume', False, 'not paused'),
       ('pause of stopped', 'pause', False, 'not running'))
def test_wrong_state(name, command, is_running, text):
    with Container(Runtime(), Bundle()) as container:
        container.run()
        if not is_running:
            container.finish()
        expect_in(text, container.runtime.fails(command, container.id)['msg'], 'message')


@cases(('pause',), ('resume',), ('ps',))
def test_unknown(command):
    expect_in('does not exist', Runtime().fails(command, 'nobody')['msg'], 'message')


@cases(('kill', ['kill', 'ID', 'KILL']), ('kill all', ['kill', '--all', 'ID', '9']), ('delete', ['delete', '--force', 'ID']))
def test_end_of_paused(name, command):
    """SIGKILL ends what stands still: on v1 only what is thawed takes it."""
    with shell(TICKING) as container:
        container.create().start()
        container.runtime.ok('pause', container.id)
        container.runtime.ok(*(container.id if word == 'ID' else word for word in command))
        if 'delete' in command:
            container.is_made = False
            expect(container.runtime.ids(), [], 'states')
        else:
            container.wait_status('stopped')


def test_signal_to_paused_waits():
    """Any other signal comes when it goes on."""
    with shell('trap "echo got; exit" TERM; echo; while :; do sleep 0.01; done') as container:
        container.create().start()
        container.read_line()
        container.runtime.ok('pause', container.id)
        container.runtime.ok('kill', container.id, 'TERM')
        expect(is_silent(container), True, 'silence')
        container.runtime.ok('resume', container.id)
        expect(container.read_line(), 'got', 'output')
        container.wait_status('stopped')


def blocks(pid, number):
    status = pathlib.Path(f'/proc/{pid}/status').read_text()
    return bool(int(re.search(r'^SigBlk:\s*(\w+)', status, re.M)[1], 16) & 1 << number - 1)


@cases(('INT', signal.SIGINT), ('TERM', signal.SIGTERM), ('HUP', signal.SIGHUP))
def test_exec_interrupted_when_paused(name, number):
    """As long as there is no program to forward a signal to, that ends the command, and what it has begun."""
    with shell('exec sleep 1000') as container:
        container.create().start()
        container.runtime.ok('pause', container.id)
        with container.runtime.start_call('exec', '--ignore-paused', container.id, 'sh', '-c', 'echo ran',
                                          stdout=subprocess.PIPE, stderr=subprocess.PIPE) as call:
            assert settle(lambda: blocks(call.pid, signal.SIGUSR1)), 'signals are not waited for'
            time.sleep(0.1)
            expect(call.poll(), None, 'status before')
            call.send_signal(signal.SIGUSR1)
            call.send_signal(signal.SIGWINCH)
            time.sleep(0.2)
            expect(call.poll(), None, 'status after signals that are for the program')
            call.send_signal(number)
            try:
                expect(call.wait(5), 128 + number, 'status')
            finally:
                call.kill()
                container.runtime.ok('resume', container.id)
            # What a v1 freezer has held ends only now, and its output with it.
            expect_in(f'interrupted by signal {int(number)}', call.stderr.read().decode(), 'message')
            expect(call.stdout.read(), b'', 'output')
        assert settle(lambda: json.loads(container.runtime.ok('ps', '--format', 'json', container.id).out)
                      == [container.pid]), 'a process is left'


# ps

def listed(container):
    return sorted(json.loads(container.runtime.ok('ps', '--format', 'json', container.id).out))


def status_of_child(pid):
    """Of its only one; nothing as long as there is none."""
    with contextlib.suppress(OSError):
        child = pathlib.Path(f'/proc/{pid}/task/{pid}/children').read_text().strip()
        return pathlib.Path(f'/proc/{child}/status').read_text()
    return ''


def test_exec_interrupted_after_a_warning():
    """Its process has said something, and then nothing any more."""
    with shell('exec sleep 1000') as container:
        container.create().start()
        path = container.bundle.path / 'process.json'
        # Its next word would be that there is no such program.
        path.write_text(json.dumps(container.bundle.config['process'] | {
            'args': ['/nonesuch'], 'capabilities': {'bounding': ['CAP_FOO']}}))
        # A tracer beside the call, which is the runtime then. umask(2) comes right after what is warned of.
        wrapper = delayed('umask', 2)
        command = container.runtime.command('exec', '--process', path, container.id)
        with tempfile.TemporaryFile() as err:
            call = subprocess.Popen([wrapper[0], '-D', *wrapper[1:], *command], stdin=subprocess.DEVNULL, stderr=err)
            try:
                assert settle(lambda: 'CapBnd:\t0000000000000000' in status_of_child(call.pid)), 'it does not come so far'
                call.send_signal(signal.SIGINT)
                expect(call.wait(10), 128 + signal.SIGINT, 'status')
            finally:
                call.kill()
                call.wait()
            err.seek(0)
            text = err.read().decode()
        expect_in('CAP_FOO', text, 'warning')
        expect_in('interrupted by signal 2', text, 'message')


def test_ps():
    with shell('sleep 100 & sleep 100 & echo; read x') as container:
        container.create()
        expect(listed(container), [container.pid], 'pids when created')
        container.start()
        container.read_line()
        pids = listed(container)
        expect(len(pids), 3, f'number of {pids}')
        expect_in(container.pid, pids, 'pids')
        lines = container.runtime.ok('ps', container.id).out.splitlines()
        column = lines[0].split().index('PID')
        expect(sorted(int(line.split()[column]) for line in lines[1:]), pids, 'the table')
        lines = container.runtime.ok('ps', container.id, '-e', '-o', 'pid,args').out.splitlines()
        expect((len(lines), lines[0].split()), (4, ['PID', 'COMMAND']), 'the table as asked for')
        assert settle(lambda: any(line.split(None, 1)[1] == 'sleep 100' for line in
                                  container.runtime.ok('ps', container.id, '-e', '-o', 'pid,args').out.splitlines())), 'no sleep'
        expect_in('PID', container.runtime.fails('ps', container.id, '-e', '-o', 'args')['msg'], 'message')
        expect_in('--format', container.runtime.fails('ps', '--format', 'xml', container.id)['msg'], 'message')


def test_ps_that_fails():
    """Its words stand in one line, without those that mean something to engines."""
    folder = harness.tmp / f'ps{harness.serial()}'
    folder.mkdir()
    (folder / 'ps').write_text('#!/bin/sh\nexec >&2\necho error: Permission denied\necho usage\nexit 2\n')
    (folder / 'ps').chmod(0o755)
    bundle = Bundle()
    with Container(Runtime(env={**os.environ, 'PATH': str(folder)}), bundle) as container:
        container.create()
        msg = container.runtime.fails('ps', container.id)['msg']
        expect(msg, 'ps failed with status 2: error: Permission\u00a0denied\\nusage', 'message')


@cases(('last', 'args,pid'), ('in the middle', 'args,pid,args'), ('first', 'pid,args'), ('among numbers', 'args,ppid,pid,vsz'))
def test_ps_with_blanks_before_the_pid(name, columns):
    """Arguments with blanks, and with numbers that are pids of others."""
    with shell('sh -c "sleep 100; : $1 $1 $1" & sh -c "sleep 100; : 1 2 3" & echo; read x') as container:
        container.bundle.config['process']['args'] += ['sh', str(os.getpid())]
        container.create().start()
        container.read_line()
        deadline = time.monotonic() + 5
        while len(listed(container)) < 5 and time.monotonic() < deadline:
            time.sleep(0.01)  # until both shells have forked
        pids = listed(container)
        expect(len(pids), 5, f'number of {pids}')
        lines = container.runtime.ok('ps', container.id, '-e', '-o', columns).out.splitlines()
        expect(len(lines), 1 + len(pids), f'lines of {lines}')
        expect(sum('sleep 100' in line for line in lines[1:]), 5, f'commands in {lines}')


def test_ps_of_nested_groups():
    with shell('sleep 100 & echo $!; read x') as container:
        container.create().start()
        container.read_line()
        pids = listed(container)
        other = next(pid for pid in pids if pid != container.pid)
        mounts = cgroup_mounts()
        for where in {mounts.get('', mounts.get('freezer')), mounts.get('freezer', mounts.get(''))}:
            group = group_of(container.bundle, where) / 'below/deeper'
            group.mkdir(parents=True)
            (group / 'cgroup.procs').write_text(str(other))
        expect(listed(container), pids, 'pids')


def test_ps_of_stopped():
    with Container(Runtime(), Bundle()) as container:
        container.run()
        container.finish()
        expect(listed(container), [], 'pids')


@cases(('pause', 'pause'), ('ps', 'ps'))
def test_disabled(name, command):
    with Container(Runtime('--cgroup-manager', 'disabled'), Bundle()) as container:
        container.run()
        expect_in('no cgroup of its own', container.runtime.fails(command, container.id)['msg'], 'message')


# kill

def alive(pids):
    """Those that have not ended, zombies not counted."""
    found = []
    for pid in pids:
        try:
            state = pathlib.Path(f'/proc/{pid}/stat').read_text().rpartition(')')[2].split()[0]
        except OSError:
            continue
        if state not in 'ZX':
            found.append(pid)
    return found


def expect_dead(pids):
    deadline = time.monotonic() + 10
    while alive(pids):
        reap()
        assert time.monotonic() < deadline, f'{alive(pids)} of {pids} are alive'
        time.sleep(0.01)


def test_kill_all_reaches_all():
    """--all with any signal; each process answers for itself."""
    child = 'sh -c \'trap "echo child; exit" USR1; echo ready; while :; do sleep 0.01; done\' &'
    with shell(f'trap "echo parent" USR1; {child} {child} while :; do sleep 0.01; done') as container:
        container.create().start()
        expect([container.read_line() for _ in range(2)], ['ready'] * 2, 'output')
        time.sleep(0.1)
        container.runtime.ok('kill', '--all', container.id, 'USR1')
        expect(sorted(container.read_line() for _ in range(3)), ['child', 'child', 'parent'], 'answers')


@cases(('first only', ['TERM'], 2), ('all', ['--all', 'KILL'], 0), ('KILL', ['KILL'], 0))
def test_kill_with_shared_pids(name, words, left):
    """Without a PID namespace of its own nothing ends with the first process: SIGKILL goes to the whole group."""
    with shell('sleep 1000 & sleep 1000 & echo; exec sleep 1000', own_pids=False) as container:
        container.create().start()
        container.read_line()
        pids = listed(container)
        expect(len(pids), 3, 'processes')
        options = [w for w in words if w[0] == '-']
        container.runtime.ok('kill', *options, container.id, words[-1])
        if left:
            expect_dead([container.pid])
            expect(len(alive(pids)), left, 'processes that are left')
        else:
            expect_dead(pids)
        container.wait_status('stopped')


@cases(('run', []), ('the caller', ['--no-subreaper']))
def test_kill_of_run_with_orphans(parent, options):
    """KILL takes the first process along with its group; orphans are run's, unless it is told to leave them."""
    bundle = shell_bundle('(sleep 1000 >&- & echo $!); echo left; sleep 1000')
    bundle.config['linux']['namespaces'] = [n for n in bundle.config['linux']['namespaces'] if n['type'] != 'pid']
    runtime = Runtime()
    with runtime.start_call('run', '--bundle', bundle.save().path, *options, 'orphans', stdout=subprocess.PIPE) as run:
        orphan, _ = (run.stdout.readline().decode().strip() for _ in range(2))
        status = open(f'/proc/{orphan}/status').read()
        # The program may say something before run has noted that it runs.
        assert settle(lambda: runtime.state('orphans')['status'] == 'running'), 'it does not run'
        runtime.ok('kill', 'orphans', 'KILL')
        expect(run.wait(10), 137, 'exit status')
    expect(int(re.search(r'PPid:\t(\d+)', status)[1]), {'run': run.pid, 'the caller': os.getpid()}[parent], 'its parent')


# Where cgroup v2 is beside the controllers, its cgroup.kill spares the freezer.
FREEZER_ONLY = ['unshare', '--mount', 'sh', '-c', 'umount /sys/fs/cgroup/unified 2>/dev/null; exec "$@"', 'sh']


def test_kill_while_run_removes_the_group():
    """Thawed, the processes die, and `run` is faster than `kill` can see that."""
    if cgroups_are_v2():
        raise harness.Skip('cgroup v2 has no freezer that is thawed')
    bundle = shell_bundle('echo; sleep 1000')
    bundle.config['linux']['namespaces'] = [n for n in bundle.config['linux']['namespaces'] if n['type'] != 'pid']
    runtime = Runtime()
    command = runtime.command('run', '--bundle', bundle.save().path, 'slow')
    with subprocess.Popen([*FREEZER_ONLY, *command], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE) as run:
        run.stdout.readline()
        assert settle(lambda: runtime.state('slow')['status'] == 'running'), 'it does not run'
        delays = [STRACE, *harness.TRACEABLE, '-qq', '-o', '/dev/null', '-e', 'trace=write', '-e', 'inject=write:delay_exit=300000']
        runtime.ok('kill', 'slow', 'KILL', wrapper=[*FREEZER_ONLY, *delays])
        expect(run.wait(10), 137, 'exit status')


def test_kill_all_of_stopped_sweeps():
    """What engines call after the end of a container that shares the host's PID namespace."""
    with shell('sleep 1000 & sleep 1000 & echo; exit 0', own_pids=False) as container:
        container.create().start()
        container.read_line()
        container.wait_status('stopped')
        pids = listed(container)
        expect(len(pids), 2, 'processes that are left')
        container.runtime.ok('kill', '--all', container.id, '9')
        expect_dead(pids)


def test_kill_all_in_nested_groups():
    with shell('sleep 1000 & echo; exec sleep 1000', own_pids=False) as container:
        container.create().start()
        container.read_line()
        pids = listed(container)
        mounts = cgroup_mounts()
        for where in {mounts.get('', mounts.get('freezer')), mounts.get('freezer', mounts.get(''))}:
            group = group_of(container.bundle, where) / 'below'
            group.mkdir()
            for pid in pids:
                (group / 'cgroup.procs').write_text(str(pid))
        container.runtime.ok('kill', '--all', container.id, 'KILL')
        expect_dead(pids)


@cases(('all', ['--all']), ('one', []))
def test_kill_of_disabled(name, options):
    """Without a group the first process is all that is known."""
    with Container(Runtime('--cgroup-manager', 'disabled'), Bundle()) as container:
        container.run()
        container.runtime.ok('kill', *options, container.id, 'KILL')
        container.wait_status('stopped')
        if options:
            container.runtime.ok('kill', *options, container.id, 'KILL')


def hook_that_waits(bundle):
    """Has create wait in a hook until the file that is returned is there."""
    flag = bundle.path / 'go'
    script = f'while [ ! -e {flag} ]; do sleep 0.02; done'
    bundle.config['hooks'] = {'createRuntime': [{'path': '/bin/sh', 'args': ['sh', '-c', script], 'timeout': 20}]}
    return flag


@cases(('shared pids', False, ['KILL']), ('own pids', True, ['KILL']), ('all', True, ['--all', 'KILL']),
       ('all, TERM', False, ['--all', 'TERM']))
def test_kill_during_create(name, own_pids, words):
    """An error without effect (runtime.md, "Kill")."""
    with shell('exit 0', own_pids) as container:
        flag = hook_that_waits(container.bundle)
        command = container.runtime.command('create', '--bundle', container.bundle.save().path, container.id)
        with subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL) as create:
            assert settle(lambda: container.runtime.call('state', container.id).status == 0), 'no state'
            record = container.runtime.fails('kill', *words[:-1], container.id, words[-1])
            flag.touch()
            expect(create.wait(10), 0, 'exit status of create')
            container.is_made = True
        expect_in('container not running', record['msg'], 'message')
        expect_in('is creating', record['msg'], 'message')
        expect(container.runtime.state(container.id)['status'], 'created', 'status')


def test_kill_during_create_in_a_group_of_others():
    """Whose group it is, create finds out before anybody else could take it for the new container's."""
    with shell('echo; sleep 1000') as container:
        container.create().start()
        container.read_line()
        other = Bundle()
        other.config['linux']['cgroupsPath'] = container.bundle.config['linux']['cgroupsPath']
        delays = [STRACE, *harness.TRACEABLE, '-qq', '-o', '/dev/null', '-e', 'trace=renameat',
                  '-e', 'inject=renameat:delay_exit=1000000']
        create = [*delays, *container.runtime.command('create', '--bundle', other.save().path, 'other')]
        with subprocess.Popen(create, stdin=subprocess.DEVNULL, stderr=subprocess.PIPE) as process:
            while process.poll() is None:
                container.runtime.fails('kill', '--all', 'other', 'KILL')
            expect_in('holds processes already', process.stderr.read().decode(), 'message of create')
        expect(container.runtime.state(container.id)['status'], 'running', 'status')


def test_delete_after_create_in_a_group_of_others():
    """What a killed create has left does not say that the group of others was its own."""
    runtime, bundle = Runtime(), Bundle()
    groups = {group_of(bundle, mount) for mount in cgroup_mounts().values()}
    with subprocess.Popen(['sleep', '1000']) as other:
        try:
            for group in groups:
                group.mkdir(parents=True)
                with contextlib.suppress(OSError):  # a cpuset is empty, and takes nobody
                    (group / 'cgroup.procs').write_text(str(other.pid))
            killed = [STRACE, *harness.TRACEABLE, '-qq', '-o', '/dev/null', '-e', 'inject=renameat:signal=KILL']
            answer = runtime.call('create', '--bundle', bundle.save().path, 'other', wrapper=killed)
            runtime.ok('delete', '--force', 'other')
            expect(settle(lambda: other.poll() is not None, 0.2), False, 'end of the other')
        finally:
            other.kill()
            other.wait()
            for group in filter(pathlib.Path.exists, groups):
                group.rmdir()
    expect_in('holds processes already', answer.err, 'message of create')


def test_fork_bomb_ends():
    """Faster than signals to one after the other could be."""
    bomb = 'echo; while :; do sh -c "while :; do sleep 0.001 & done" & sleep 0.1; done'
    with shell(bomb, own_pids=False) as container:
        container.bundle.config['linux']['resources']['pids'] = {'limit': 200}
        if 'pids' not in cgroup_mounts() and 'pids' not in \
                pathlib.Path(cgroup_mounts()[''], 'cgroup.controllers').read_text().split():
            raise harness.Skip('there is no controller pids')
        container.create().start()
        container.read_line()
        time.sleep(0.3)
        container.runtime.ok('delete', '--force', container.id)
        container.is_made = False
    reap()


harness.main(__name__)
