#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""config-linux.md, "Seccomp", SCMP_ACT_NOTIFY: an agent outside answers for system calls of the container's processes."""
import contextlib
import fcntl
import os
import pathlib
import signal
import socket
import struct
import subprocess
import threading

import harness
from attacks import delayed
from harness import Bundle, Container, Runtime, cases, expect, expect_in, settle

NOTIF_RECV, NOTIF_SEND = 0xc0502100, 0xc0182101  # of linux/seccomp.h
NOTIF_SIZE = 80
FLAG_CONTINUE = 1


class Agent:
    """Takes what comes, until it is to hang up, and lets every system call pass that it is asked about until it is mute."""

    def __init__(self):
        self.is_there = True
        self.is_mute = False
        self.asked = threading.Event()  # when it is mute
        self.path = harness.tmp / f'agent{harness.serial()}'
        self.socket = socket.socket(socket.AF_UNIX)
        self.socket.bind(str(self.path))
        self.socket.listen(16)
        self.answered = set()  # numbers of system calls
        self.received = 0
        threading.Thread(target=self.accept, daemon=True).start()

    def __enter__(self):
        return self

    def __exit__(self, kind, error, trace):
        self.socket.shutdown(socket.SHUT_RDWR)
        self.socket.close()

    def accept(self):
        with contextlib.suppress(OSError):
            while True:
                connection, _ = self.socket.accept()
                with connection:
                    if self.is_there:
                        self.take(connection)

    def take(self, connection):
        _, fds, _, _ = socket.recv_fds(connection, 65536, 4)
        self.received += 1
        for fd in fds:
            threading.Thread(target=self.answer, args=(fd,), daemon=True).start()

    def answer(self, listener):
        """Until no process of the filter is left (seccomp_unotify(2))."""
        with contextlib.suppress(OSError):
            while True:
                request = bytearray(NOTIF_SIZE)
                fcntl.ioctl(listener, NOTIF_RECV, request)
                number, _, _, call = struct.unpack_from('QIIi', request)
                if self.is_mute:
                    self.asked.set()
                    continue
                self.answered.add(call)
                fcntl.ioctl(listener, NOTIF_SEND, struct.pack('QqiI', number, 0, 0, FLAG_CONTINUE))
        os.close(listener)


def notifying(agent, *names):
    bundle = Bundle()
    bundle.config['linux']['seccomp'] = {
        'defaultAction': 'SCMP_ACT_ALLOW', 'listenerPath': str(agent.path),
        'syscalls': [{'names': list(names), 'action': 'SCMP_ACT_NOTIFY'}]}
    return bundle


@cases(('at once', []), ('late', delayed('pidfd_getfd', 0.3)))
def test_exec(name, wrapper):
    """The listener is taken before the program begins, which may need it, and may end at once."""
    with Agent() as agent, Container(Runtime(), notifying(agent, 'mkdir')) as container:
        container.create().start().ask()
        for i in range(10):
            container.runtime.ok('exec', container.id, 'true', wrapper=wrapper)
        container.runtime.ok('exec', container.id, 'mkdir', '/tmp/made', wrapper=wrapper)
        assert (container.bundle.rootfs / 'tmp/made').is_dir(), 'the program made nothing'
        expect(agent.received, 12, 'listeners')
        expect(len(agent.answered), 1, 'kinds of calls that were asked about')


def test_reading_is_asked_about():
    """What the runtime's process itself does under the filter is answered as well."""
    with Agent() as agent, Container(Runtime(), notifying(agent, 'read')) as container:
        container.create().start().ask()
        expect(container.runtime.ok('exec', container.id, 'cat', '/etc/group').out,
               (container.bundle.rootfs / 'etc/group').read_text(), 'output')
        expect(agent.received, 2, 'listeners')


@cases(('create',), ('exec',))
def test_agent_that_hangs_up(command):
    """Nothing runs that nobody answers for, and who is to blame is said."""
    with Agent() as agent, Container(Runtime(), notifying(agent, 'mkdir')) as container:
        args = ['create', '--bundle', container.bundle.save().path, container.id]
        if command == 'exec':
            container.create().start().ask()
            args = ['exec', container.id, 'mkdir', '/tmp/made']
        agent.is_there = False
        record = container.runtime.fails(*args, wrapper=delayed('sendmsg', 0.5))
        expect(record.get('pointer'), '/linux/seccomp/listenerPath', 'pointer')
        expect_in('broken pipe', record['msg'], 'message')
        expect((container.bundle.rootfs / 'tmp/made').exists(), False, 'whether the program ran')


def test_interrupted_when_frozen():
    """What waits in execve(2) can be ended by a signal, also where a v1 freezer keeps its process."""
    with Agent() as agent, Container(Runtime(), notifying(agent, 'execve')) as container:
        container.create().start().ask()
        agent.is_mute = True
        with container.runtime.start_call('exec', container.id, 'true', stderr=subprocess.PIPE) as call:
            try:
                assert agent.asked.wait(10), 'no execve(2) comes'
                pid = pathlib.Path(f'/proc/{call.pid}/task/{call.pid}/children').read_text().strip()
                container.runtime.ok('pause', container.id)
                call.send_signal(signal.SIGTERM)
                expect(call.wait(5), 128 + signal.SIGTERM, 'status')
            finally:
                call.kill()
                container.runtime.call('resume', container.id)
            # What a v1 freezer has held ends only now.
            expect_in('interrupted by signal 15', call.stderr.read().decode(), 'message')
        # settle() collects it, before which the container's PID namespace can't end.
        assert settle(lambda: not pathlib.Path(f'/proc/{pid}').exists()), 'the process is left'


harness.main(__name__)
