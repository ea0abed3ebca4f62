#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""exec many times, at once, and into containers that end: nothing stays behind, nothing is in the wrong place."""
import contextlib
import os
import pathlib
import subprocess
import threading
import time

import harness
from harness import Bundle, Container, Runtime, expect, expect_in
from machine import cgroup_mounts


def groups_below(path):
    return sorted(str(p) for where in cgroup_mounts().values() for p in pathlib.Path(where + path).rglob('*') if p.is_dir())


def processes_of(container):
    return sorted(int(p) for p in container.runtime.ok('ps', '--format', 'json', container.id).out.strip('[]\n ').split(','))


def zombies():
    found = []
    for status in pathlib.Path('/proc').glob('[0-9]*/stat'):
        with contextlib.suppress(OSError):
            text = status.read_text()
            if text.rsplit(')', 1)[1].split()[:2] == ['Z', str(os.getpid())] and '(kogg' in text:
                found.append(text)
    return found


def test_a_thousand_in_a_row():
    """A hundred on an emulated processor."""
    with Container(Runtime(), Bundle()) as container:
        container.run()
        path = container.bundle.config['linux']['cgroupsPath']
        groups, processes = groups_below(path), processes_of(container)
        descriptors = len(os.listdir(f'/proc/{container.pid}/fd'))
        for _ in range(int(1000 / float(os.environ.get('KOGG_TEST_SLOWNESS', '1')))):
            process = container.runtime.start_call('exec', container.id, 'true')
            expect(process.wait(30), 0, 'status')
        expect(groups_below(path), groups, 'groups')
        expect(processes_of(container), processes, 'processes')
        expect(len(os.listdir(f'/proc/{container.pid}/fd')), descriptors, 'descriptors of the container')
        expect(zombies(), [], 'zombies')
        container.finish()
        container.delete()


def test_a_hundred_at_once():
    with Container(Runtime(), Bundle()) as container:
        container.run()
        path = container.bundle.config['linux']['cgroupsPath']
        groups, processes = groups_below(path), processes_of(container)
        calls = [container.runtime.start_call('exec', container.id, 'sh', '-c', f'exit {i}') for i in range(100)]
        expect([call.wait(60) for call in calls], list(range(100)), 'statuses')
        expect(groups_below(path), groups, 'groups')
        expect(processes_of(container), processes, 'processes')
        expect(zombies(), [], 'zombies')
        container.finish()
        container.delete()


# Containers that end meanwhile

MARK = 'kogg-test-exec'


class Executor(threading.Thread):
    """Calls exec over and over, until stopped; keeps each answer that is not as it may be."""

    def __init__(self, runtime, name, marker):
        super().__init__()
        self.runtime, self.name_of_container, self.marker = runtime, name, marker
        self.is_over = False
        self.problems, self.counts = [], {'done': 0, 'refused': 0}

    def run(self):
        script = f'[ -e /{self.marker} ] || exit 99; exit 0'
        while not self.is_over:
            answer = subprocess.run(self.runtime.command('exec', self.name_of_container, '/bin/busybox', 'sh', '-c', script),
                                    stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False, timeout=60)
            self.judge(answer)

    def judge(self, answer):
        if answer.returncode == 0 and not answer.stderr:
            self.counts['done'] += 1
        elif answer.returncode == 137 and not answer.stderr:
            self.counts['done'] += 1  # it ran, and ended with the container
        elif answer.returncode == 255 and any(phrase in answer.stderr for phrase in (
                'cannot exec in a container that is stopped', 'cannot exec in a container that is creating',
                'does not exist')):
            self.counts['refused'] += 1
        else:
            self.problems.append(f'status {answer.returncode}: {answer.stderr.strip()}')


def marked_bundle():
    bundle = Bundle()
    bundle.config['process']['args'] = ['sleep', '1000']
    (bundle.rootfs / MARK).touch()
    return bundle.save()


def exec_while(act, rounds, change=lambda config: None):
    """Executors beside ROUNDS of ACT(runtime, bundle, name)."""
    runtime, bundle = Runtime(), marked_bundle()
    change(bundle.config)
    bundle.save()
    executors = [Executor(runtime, 'raced', MARK) for _ in range(3)]
    for executor in executors:
        executor.start()
    try:
        for i in range(rounds):
            act(runtime, bundle, 'raced', i)
    finally:
        for executor in executors:
            executor.is_over = True
        for executor in executors:
            executor.join()
    problems = [p for e in executors for p in e.problems]
    assert not problems, '\n'.join(sorted(set(problems)))
    done = sum(e.counts['done'] for e in executors)
    refused = sum(e.counts['refused'] for e in executors)
    assert done and refused, f'{done} done, {refused} refused: that was no race'


def start_and_delete(runtime, bundle, name, i):
    runtime.ok('run', '--detach', '--bundle', bundle.path, name)
    time.sleep(0.02 * (i % 7))
    runtime.ok('delete', '--force', name)


def test_deleted_and_made_again():
    exec_while(start_and_delete, 40)


def test_deleted_without_a_pid_namespace():
    def change(config):
        config['linux']['namespaces'] = [n for n in config['linux']['namespaces'] if n['type'] != 'pid']
    exec_while(start_and_delete, 25, change)


def test_killed():
    def act(runtime, bundle, name, i):
        runtime.ok('run', '--detach', '--bundle', bundle.path, name)
        time.sleep(0.02 * (i % 7))
        runtime.ok('kill', name, 'KILL')
        time.sleep(0.05)
        runtime.ok('delete', '--force', name)
    exec_while(act, 25)


def test_number_that_was_used_again():
    """The pid in the state is another process's now: the state's start time tells."""
    runtime, bundle = Runtime(), marked_bundle()
    runtime.ok('run', '--detach', '--bundle', bundle.path, 'reused')
    path = runtime.root / 'reused/state.json'
    pid = runtime.state('reused')['pid']
    runtime.ok('kill', 'reused', 'KILL')
    deadline = time.monotonic() + 10
    while runtime.state('reused')['status'] != 'stopped' and time.monotonic() < deadline:
        time.sleep(0.01)
    path.write_text(path.read_text().replace(str(pid), str(os.getpid())))
    answer = runtime.call('exec', 'reused', 'true')
    expect(answer.status, 255, 'status')
    expect_in('stopped', answer.error()['msg'], 'message')
    runtime.ok('delete', '--force', 'reused')


harness.main(__name__)
