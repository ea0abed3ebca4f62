#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""events and stats: the counters of a container in runc's form, and word of processes killed for lack of memory."""
import contextlib
import json
import os
import select
import subprocess
import time

import harness
from cgroup_files import group_of, need, with_resources
from harness import Bundle, Container, Runtime, Skip, cases, expect, expect_in
from machine import cgroup_mounts, controller_home

MEGABYTE = 1 << 20


def shell(script, **resources):
    """A bundle whose process is a shell script; standard input and output are pipes."""
    bundle = with_resources(**resources)
    bundle.config['process']['args'] = ['sh', '-c', script]
    return bundle


def stats_of(container):
    answer = container.runtime.ok('events', '--stats', container.id)
    lines = answer.out.splitlines()
    expect(len(lines), 1, f'lines of {answer.out!r}')
    event = json.loads(lines[0])
    expect((sorted(event), event['type'], event['id']), (['data', 'id', 'type'], 'stats', container.id), 'event')
    return event['data']


def numbers(value, path=''):
    """All numbers below VALUE with their paths."""
    if isinstance(value, dict):
        for key, item in value.items():
            yield from numbers(item, f'{path}.{key}')
    elif isinstance(value, list):
        for item in value:
            yield from numbers(item, path + '[]')
    elif isinstance(value, (int, float)):
        yield path, value


# Statistics

def test_form():
    """The members that go-runc decodes, whatever controllers there are; whole numbers but for averages."""
    with Container(Runtime(), Bundle()) as container:
        container.run()
        data = stats_of(container)
    expect(set(data) - {'cpuset'}, {'cpu', 'memory', 'pids', 'blkio', 'hugetlb', 'intel_rdt', 'network_interfaces'}, 'members')
    expect(set(data['cpu']['usage']) >= {'total', 'kernel', 'user'}, True, f'cpu.usage {data["cpu"]}')
    for name in ('usage', 'swap', 'kernel', 'kernelTCP'):
        expect(set(data['memory'][name]) >= {'limit', 'failcnt'}, True, f'memory.{name} {data["memory"]}')
    expect((data['intel_rdt'], data['network_interfaces']), ({}, None), 'intel_rdt and network_interfaces')
    for path, number in numbers(data):
        assert '.avg' in path or (isinstance(number, int) and -1 <= number < 1 << 63), f'{path} is {number}'


def test_cpu_time():
    """In nanoseconds, whether v1 or v2 counts; there is always somebody who does."""
    with Container(Runtime(), shell('read x; i=0; while [ $i -lt 200000 ]; do i=$((i+1)); done; echo done; read x')) as container:
        container.create().start()
        before = stats_of(container)['cpu']['usage']
        container.say('')
        container.read_line(60)
        after = stats_of(container)['cpu']['usage']
        spent = after['total'] - before['total']
        assert 10 ** 7 < spent < 10 ** 11, f'{spent} ns of CPU time'
        assert after['user'] > before['user'], f'user time {before} {after}'
        if 'cpuacct' in cgroup_mounts():
            expect(len(after['percpu']) >= os.sysconf('SC_NPROCESSORS_ONLN'), True, f'percpu {after}')
            assert after['total'] <= sum(after['percpu']) < after['total'] + 10 ** 8, f'percpu, which is read later {after}'


def test_throttling():
    need('cpu')
    script = 'i=0; while [ $i -lt 20000 ]; do i=$((i+1)); done; echo done; read x'
    with Container(Runtime(), shell(script, cpu={'quota': 1000, 'period': 10000})) as container:
        container.create().start()
        container.read_line(60)
        throttling = stats_of(container)['cpu']['throttling']
        assert throttling['periods'] >= throttling['throttledPeriods'] > 0, throttling
        assert throttling['throttledTime'] > 10 ** 6, throttling


def test_memory():
    need('memory')
    script = 'head -c 8388608 /dev/zero > /dev/shm/x; echo done; read x'
    with Container(Runtime(), shell(script, memory={'limit': 64 * MEGABYTE})) as container:
        container.create().start()
        container.read_line(30)
        memory = stats_of(container)['memory']
        usage = memory['usage']
        assert 8 * MEGABYTE <= usage['usage'] <= 64 * MEGABYTE, usage
        assert usage['max'] >= usage['usage'], usage
        expect(usage['limit'], 64 * MEGABYTE, 'limit')
        assert memory['cache'] >= 8 * MEGABYTE, memory['cache']
        assert len(memory['raw']) > 10, memory['raw']
        if 'usage' in memory['swap']:
            assert memory['swap']['usage'] >= usage['usage'] - MEGABYTE, f'swap counts memory, too: {memory}'


def test_no_limits():
    """The largest number, or for tasks none, as runc has it."""
    with Container(Runtime(), Bundle()) as container:
        container.run()
        data = stats_of(container)
        if controller_home('memory')[0]:
            assert data['memory']['usage']['limit'] >= (1 << 63) - 4096, data['memory']['usage']
        if controller_home('pids')[0]:
            expect(sorted(data['pids']), ['current'], 'members of pids')


def test_pids():
    need('pids')
    with Container(Runtime(), shell('sleep 100 & sleep 100 & echo; read x', pids={'limit': 20})) as container:
        container.create().start()
        container.read_line()
        expect(stats_of(container)['pids'], {'current': 3, 'limit': 20}, 'pids')


def test_block_io():
    need('io')
    with Container(Runtime(), Bundle()) as container:
        container.run()
        blkio = stats_of(container)['blkio']
        for name in ('ioServiceBytesRecursive', 'ioServicedRecursive'):
            for entry in blkio.get(name, ()):
                expect(sorted(entry), ['major', 'minor', 'op', 'value'], f'{name} entry')


def test_hugetlb():
    need('hugetlb')
    bundle = with_resources(hugepageLimits=[{'pageSize': '2MB', 'limit': 0}])
    with Container(Runtime(), bundle) as container:
        container.run()
        expect(stats_of(container)['hugetlb']['2MB']['usage'], 0, 'usage')


def test_pressure():
    """From the v2 group, which hybrid hosts have as well."""
    mounts = cgroup_mounts()
    with Container(Runtime(), Bundle()) as container:
        container.run()
        if '' not in mounts or not (group_of(container.bundle, mounts['']) / 'memory.pressure').exists():
            raise Skip('the kernel counts no pressure here')
        data = stats_of(container)
        for name in ('cpu', 'memory', 'blkio'):
            expect(sorted(data[name]['psi']), ['full', 'some'], f'{name}.psi')
            expect(sorted(data[name]['psi']['some']), ['avg10', 'avg300', 'avg60', 'total'], f'{name}.psi.some')


def test_cpuset():
    need('cpuset')
    with Container(Runtime(), with_resources(cpu={'cpus': '0', 'mems': '0'})) as container:
        container.run()
        cpuset = stats_of(container)['cpuset']
        expect((cpuset['cpus'], cpuset['mems']), ([0], [0]), 'cpuset')


def test_table():
    with Container(Runtime(), Bundle()) as container:
        container.run()
        lines = container.runtime.ok('stats', container.id).out.splitlines()
        titles = [line.split('  ')[0] for line in lines]
        expect_in('CPU TIME', titles, 'titles')
        expect_in('MEMORY LIMIT', titles, 'titles')
        if controller_home('memory')[0]:
            value = next(line for line in lines if line.startswith('MEMORY '))
            assert value.split()[-1] in ('B', 'KiB', 'MiB') and float(value.split()[-2]) > 0, value
        if controller_home('pids')[0]:
            expect(next(line for line in lines if line.startswith('TASKS ')).split()[-1], '1', 'tasks')


@cases((0, '0'), (7, '7'), (-1, 'none'))
def test_limit_of_tasks_in_the_table(limit, shown):
    need('pids')
    bundle = Bundle()
    bundle.config['linux']['resources']['pids'] = {'limit': limit}
    with Container(Runtime(), bundle) as container:
        container.create()
        lines = container.runtime.ok('stats', container.id).out.splitlines()
        expect(next(line for line in lines if line.startswith('TASKS LIMIT ')).split()[-1], shown, 'limit')


# The stream

@contextlib.contextmanager
def events(container, *options):
    """The running command; next_event() reads its output."""
    process = container.runtime.start_call('events', *options, container.id, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    process.pending = b''
    try:
        yield process
    finally:
        process.kill()
        process.wait()
        process.stdout.close()
        process.stderr.close()


def next_event(process, timeout=10):
    """None at the end."""
    deadline = time.monotonic() + timeout
    while b'\n' not in process.pending:
        assert select.select([process.stdout], [], [], max(0, deadline - time.monotonic()))[0], f'no event in {timeout} s'
        chunk = os.read(process.stdout.fileno(), 65536)
        if not chunk:
            return None
        process.pending += chunk
    line, process.pending = process.pending.split(b'\n', 1)
    return json.loads(line)


def wait_until_watching(process):
    """With an interval of an hour nothing is printed; but the watch is there once it waits."""
    deadline = time.monotonic() + 10
    while time.monotonic() < deadline:
        with open(f'/proc/{process.pid}/syscall') as file:
            if file.read().split()[0] in ('7', '271', '73'):  # poll, ppoll; ppoll on arm64
                return
        time.sleep(0.01)
    raise AssertionError('events does not wait')


def test_interval():
    with Container(Runtime(), Bundle()) as container:
        container.run()
        began = time.monotonic()
        with events(container, '--interval', '200ms') as process:
            for _ in range(3):
                event = next_event(process)
                expect((event['type'], event['id']), ('stats', container.id), 'event')
            took = time.monotonic() - began
            assert 0.5 < took < 8, f'three intervals of 200 ms took {took:.2f} s'
            container.finish()
            expect(next_event(process), None, 'what comes after the end')
            expect(process.wait(10), 0, 'status')


def test_end():
    """The stream ends with the container, not at the next interval."""
    with Container(Runtime(), Bundle()) as container:
        container.run()
        with events(container, '--interval', '1h') as process:
            wait_until_watching(process)
            container.finish()
            expect(next_event(process), None, 'events')
            expect(process.wait(10), 0, 'status')


def test_deleted_meanwhile():
    with Container(Runtime(), Bundle()) as container:
        container.run()
        with events(container, '--interval', '1h') as process:
            wait_until_watching(process)
            container.runtime.ok('delete', '--force', container.id)
            container.is_made = False
            expect((next_event(process), process.wait(10)), (None, 0), 'events and status')
    harness.reap()


EATER = 'tail -c 33554432 /dev/zero > /dev/null'


def test_out_of_memory():
    """A process is killed for lack of memory: the word comes at once, each time, and the stream goes on."""
    need('memory')
    bundle = shell(f'while read x; do {EATER}; echo $?; done', memory={'limit': 8 * MEGABYTE, 'swap': 8 * MEGABYTE})
    with Container(Runtime(), bundle) as container:
        container.create().start()
        with events(container, '--interval', '1h') as process:
            wait_until_watching(process)
            for _ in range(2):
                container.say('')
                expect(container.read_line(30), '137', 'status of the eater')
                expect(next_event(process), {'type': 'oom', 'id': container.id}, 'event')
            container.runtime.ok('kill', container.id, 'KILL')
            container.wait_status('stopped')
            expect((next_event(process), process.wait(10)), (None, 0), 'events and status')


def test_out_of_memory_at_the_end():
    """The killed one is the first process: the word still comes before the end."""
    need('memory')
    with Container(Runtime(), shell(f'read x; exec {EATER}', memory={'limit': 8 * MEGABYTE, 'swap': 8 * MEGABYTE})) as container:
        container.create().start()
        with events(container, '--interval', '1h') as process:
            wait_until_watching(process)
            container.say('')
            expect(next_event(process, 30), {'type': 'oom', 'id': container.id}, 'event')
            expect((next_event(process), process.wait(10)), (None, 0), 'the rest and the status')
            container.wait_status('stopped')


def test_reader_that_goes():
    """Nobody reads any more: the command ends."""
    with Container(Runtime(), Bundle()) as container:
        container.run()
        with events(container, '--interval', '50ms') as process:
            next_event(process)
            process.stdout.close()
            process.stdout = open(os.devnull)
            process.wait(10)


@cases(('1.5s',), ('0.5h',), ('500000us',), ('500000000ns',), ('9223372036854775807ns',))
def test_interval_as_go_writes_it(text):
    with Container(Runtime(), Bundle()) as container:
        container.run()
        with events(container, '--interval', text) as process:
            wait_until_watching(process)
            container.finish()
            expect(process.wait(10), 0, 'exit status')
        container.delete()


# Refusals

@cases(('no unit', '5'), ('zero', '0s'), ('below', '-1s'), ('words', 'often'), ('huge', '99999999999999999h'), ('no digit', '.s'),
       ('more than Go has', '9223372036854775808ns'))
def test_wrong_interval(name, text):
    with Container(Runtime(), Bundle()) as container:
        container.create()
        expect_in('--interval', container.runtime.fails('events', f'--interval={text}', container.id)['msg'], 'message')


@cases(('events', ['events', '--stats']), ('stream', ['events']), ('stats', ['stats']))
def test_stopped(name, command):
    with Container(Runtime(), Bundle()) as container:
        container.run()
        container.finish()
        expect_in('not running', container.runtime.fails(*command, container.id)['msg'], 'message')


@cases(('events', ['events', '--stats']), ('stream', ['events']), ('stats', ['stats']))
def test_unknown(name, command):
    expect_in('does not exist', Runtime().fails(*command, 'nobody')['msg'], 'message')


@cases(('events', ['events', '--stats']), ('stream', ['events']), ('stats', ['stats']))
def test_disabled(name, command):
    with Container(Runtime('--cgroup-manager', 'disabled'), Bundle()) as container:
        container.run()
        expect_in('no cgroup of its own', container.runtime.fails(*command, container.id)['msg'], 'message')


harness.main(__name__)
