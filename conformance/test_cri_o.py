#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""The calls of cri-o: conmon for create and exec, the rest directly, with the environment and options it gives."""
import json
import os
import re
import select
import shutil
import subprocess
import time

import harness
from harness import Bundle, Runtime, Skip, expect, expect_in, serial, shell_bundle

# cri-o passes PATH and XDG_RUNTIME_DIR, and no HOME.
ENVIRONMENT = {'PATH': '/usr/sbin:/usr/bin:/sbin:/bin', 'XDG_RUNTIME_DIR': '/run'}
LOOP = 'echo started; echo problem >&2; trap "exit 3" TERM; while :; do sleep .1; done'


class Pod:
    """One container under a conmon; the runtime has a root, as cri-o's configuration gives it."""

    def __init__(self, bundle, *options):
        if not shutil.which('conmon'):
            raise Skip('conmon is not installed')
        self.runtime = Runtime(env=ENVIRONMENT)
        self.bundle, self.options = bundle.save(), options
        self.id = f'{os.getpid():x}{serial():x}'.ljust(64, '0')
        self.dir = harness.tmp / f'conmon{serial()}'
        for name in ('exits', 'attach', 'persist'):
            (self.dir / name).mkdir(parents=True)
        self.log = self.dir / 'log'

    def conmon(self, *args):
        """Starts a conmon, and gives the end of the pipe in which it reports."""
        reports, theirs = os.pipe()
        begin, ours = os.pipe()
        process = subprocess.Popen(
            ['conmon', '-c', self.id, '-n', 'k8s_c_pod_default_0', '-r', harness.KOGG, '--log-level', 'info',
             '--runtime-arg', f'--root={self.runtime.root}', *map(str, args)],
            env={**ENVIRONMENT, '_OCI_SYNCPIPE': str(theirs), '_OCI_STARTPIPE': str(begin)},
            pass_fds=(theirs, begin), stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL)
        os.close(theirs)
        os.close(begin)
        os.write(ours, b'\0')
        os.close(ours)
        expect(process.wait(10), 0, "status of conmon's parent")
        return os.fdopen(reports)

    def report(self, reports):
        assert select.select([reports], [], [], 10)[0], 'conmon reports nothing'
        return json.loads(reports.readline())

    def create(self):
        with self.conmon('-b', self.bundle.path, '-u', self.id, '-p', self.dir / 'pid', '-P', self.dir / 'conmon-pid',
                         '-l', self.log, '--exit-dir', self.dir / 'exits', '--persist-dir', self.dir / 'persist',
                         '--socket-dir-path', self.dir / 'attach', *self.options) as reports:
            return self.report(reports)

    def exec_sync(self, *command, user=None):
        """cri-o's ExecSync: one report, of the exit status; the output is in the log."""
        spec, log = self.dir / f'process{serial()}', self.dir / f'log{serial()}'
        process = {**self.bundle.config['process'], 'args': list(command), 'terminal': False}
        if user:
            process['user'] = user
        spec.write_text(json.dumps(process))
        with self.conmon('-e', '--exec-process-spec', spec, '-p', self.dir / f'pid{serial()}', '-l', log,
                         '--socket-dir-path', self.dir / 'attach') as reports:
            answer = self.report(reports)
        return answer, log.read_text() if log.exists() else ''

    def wait_for(self, condition, what, timeout=10):
        end = time.monotonic() + timeout
        while not condition():
            assert time.monotonic() < end, what
            time.sleep(.02)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.runtime.call('delete', '--force', self.id)
        pid_file = self.dir / 'conmon-pid'
        if pid_file.exists():
            conmon = f'/proc/{pid_file.read_text().strip()}'
            self.wait_for(lambda: not os.path.exists(conmon) or ' Z ' in open(f'{conmon}/stat').read(),
                          'conmon does not end')


def test_life():
    with Pod(shell_bundle(LOOP)) as pod:
        pid = pod.create()['pid']
        state = pod.runtime.state(pod.id)
        expect((state['status'], state['pid']), ('created', pid), 'state')
        assert re.fullmatch(r'\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z', state['created']), state['created']
        expect((pod.dir / 'pid').read_text(), str(pid), 'pid file')
        pod.runtime.ok('start', pod.id)
        pod.wait_for(lambda: pod.log.exists() and 'problem' in pod.log.read_text(), 'no log')
        expect_in('stdout F started', pod.log.read_text(), 'log')
        expect_in('stderr F problem', pod.log.read_text(), 'log')
        pod.runtime.ok('kill', pod.id, 'TERM')
        pod.wait_for(lambda: (pod.dir / 'exits' / pod.id).exists(), 'no exit file')
        expect((pod.dir / 'exits' / pod.id).read_text(), '3', 'exit status')
        expect(pod.runtime.state(pod.id)['status'], 'stopped', 'status')
        answer = pod.runtime.call('kill', pod.id, '9')
        expect(answer.status, 1, 'status of a late kill')
        expect_in('container not running', answer.err, 'what cri-o takes for "not found"')
        pod.runtime.ok('delete', '--force', pod.id)
        pod.runtime.ok('delete', '--force', pod.id)


def test_create_fails():
    """cri-o shows what the runtime wrote to its stderr, which conmon sends on."""
    bundle = Bundle()
    bundle.config['process']['args'] = ['/nonesuch']
    with Pod(bundle) as pod:
        report = pod.create()
        assert report['pid'] < 0, report
        expect_in('no such file or directory', report['message'], 'message')
        expect(pod.runtime.ids(), [], 'states')


def test_exec_sync():
    with Pod(shell_bundle(LOOP)) as pod:
        pod.create()
        pod.runtime.ok('start', pod.id)
        answer, log = pod.exec_sync('sh', '-c', 'id -u; echo error >&2; exit 4', user={'uid': 1000, 'gid': 1000})
        expect(answer['exit_code'], 4, 'exit status')
        expect_in('stdout F 1000', log, 'log')
        expect_in('stderr F error', log, 'log')
        answer, _ = pod.exec_sync('/nonesuch')
        expect(answer['exit_code'], -1, 'exit status')
        expect_in('no such file or directory', answer['message'], 'message')


def test_attached_exec():
    """For Exec, cri-o runs the runtime itself, with pipes in the place of a terminal."""
    with Pod(shell_bundle(LOOP)) as pod:
        pod.create()
        pod.runtime.ok('start', pod.id)
        spec = pod.dir / 'process'
        spec.write_text(json.dumps({**pod.bundle.config['process'], 'args': ['sh', '-c', 'cat; echo >&2 err; exit 6']}))
        process = pod.runtime.start_call('exec', '--process', spec, pod.id, stdin=subprocess.PIPE,
                                         stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        out, err = process.communicate(b'through\n', timeout=10)
        expect((process.returncode, out, err), (6, b'through\n', b'err\n'), 'answer')


def test_terminal():
    bundle = shell_bundle('tty; stty -a | head -1; exec sleep 1000')
    bundle.config['process']['terminal'] = True
    with Pod(bundle, '-t', '-i') as pod:
        assert pod.create()['pid'] > 0
        pod.runtime.ok('start', pod.id)
        pod.wait_for(lambda: pod.log.exists() and '/dev/pts/0' in pod.log.read_text(), 'no terminal in the log')


def test_pause_update_resume():
    with Pod(shell_bundle(LOOP)) as pod:
        pod.create()
        pod.runtime.ok('start', pod.id)
        pod.runtime.ok('pause', pod.id)
        expect(pod.runtime.state(pod.id)['status'], 'paused', 'status')
        pod.runtime.ok('resume', pod.id)
        resources = {'memory': {'limit': 96 << 20}, 'cpu': {'shares': 512, 'quota': 50000, 'period': 100000},
                     'devices': [{'allow': False, 'access': 'rwm'}]}
        with open(pod.dir / 'resources', 'w+') as file:
            json.dump(resources, file)
            file.seek(0)
            pod.runtime.ok('update', '--resources', '-', pod.id, stdin=file)
        pod.runtime.ok('kill', '-a', pod.id, '9')
        pod.wait_for(lambda: pod.runtime.state(pod.id)['status'] == 'stopped', 'not killed')


def test_features_are_json_on_both_outputs():
    """cri-o reads stdout and stderr together."""
    answer = subprocess.run([harness.KOGG, 'features'], env=ENVIRONMENT, stdout=subprocess.PIPE,
                            stderr=subprocess.STDOUT, timeout=10)
    features = json.loads(answer.stdout)
    for name in ('ociVersionMin', 'ociVersionMax'):
        assert re.fullmatch(r'\d+\.\d+\.\d+.*', features[name]), features[name]
    expect(features['linux']['mountExtensions']['idmap']['enabled'], True, 'idmapped mounts')
    expect_in('rro', features['mountOptions'], 'mount options')


harness.main(__name__)
