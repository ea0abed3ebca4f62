#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Between the caller's terminal or streams and a container's terminal: exec --tty and run in the foreground."""
import contextlib
import fcntl
import hashlib
import json
import os
import pathlib
import pty
import re
import select
import shlex
import signal
import subprocess
import sys
import termios
import threading
import time

import harness
from harness import Bundle, Container, Runtime, cases, expect

FLOOD = int(os.environ.get('KOGG_TEST_FLOOD', '100')) << 20  # an emulated processor needs minutes for so much
PATTERN = bytes(b for b in range(256) if b != 0x0a) + b'\n'
BOTH_COMMANDS = (('exec',), ('run',))


def expect_idle(used, limit):
    """Processor time, in seconds; an emulated processor takes more of it (KOGG_TEST_SLOWNESS)."""
    limit *= float(os.environ.get('KOGG_TEST_SLOWNESS', '1'))
    assert used < limit, f'{used} s of processor time, more than {limit}'


def digest(data):
    return hashlib.md5(data).hexdigest()


class Call:
    """`exec --tty` or `run` of a shell script on a container's terminal, with streams of the test's choice."""

    def __init__(self, kind, args, **popen):
        bundle = Bundle()
        self.runtime = Runtime()
        self.kind, self.container = kind, None
        if kind == 'exec':
            self.container = Container(self.runtime, bundle)
            self.container.create().start().ask()
            command = ['exec', '--tty', self.container.id, *args]
        else:
            bundle.config['process'].update(terminal=True, args=list(args))
            bundle.save()
            command = ['run', '--bundle', str(bundle.path), 'relayed']
        self.process = self.start(command, popen)

    def start(self, command, popen):
        return self.runtime.start_call(*command, **popen)

    def wait(self, timeout=20):
        """The exit status and the processor time that the runtime used."""
        deadline = time.monotonic() + timeout
        while True:
            pid, status, usage = os.wait4(self.process.pid, os.WNOHANG)
            if pid:
                self.process.returncode = os.waitstatus_to_exitcode(status)
                return self.process.returncode, usage.ru_utime + usage.ru_stime
            assert time.monotonic() < deadline, f'{self.kind} has not ended after {timeout} s'
            time.sleep(0.01)

    def close(self):
        if self.process.returncode is None:
            self.process.kill()
            self.process.wait()
        for stream in (self.process.stdin, self.process.stdout):
            if stream:
                with contextlib.suppress(OSError):
                    stream.close()
        if self.container:
            self.runtime.ok('delete', '--force', self.container.id)
            self.container.close()
        elif 'relayed' in self.runtime.ids():
            self.runtime.ok('delete', '--force', 'relayed')

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()


class Job(Call):
    """The same, typed into an interactive shell of the caller's, which is what is waited for and closed."""

    PROMPT = rb'caller> '

    def start(self, command, popen):
        self.typed = shlex.join(self.runtime.command(*command)).encode() + b'\r'
        return subprocess.Popen(['/bin/sh', '-i'], env={**os.environ, 'PS1': 'caller> ', 'ENV': ''}, **popen)

    def type_command(self, screen):
        screen.wait_for(self.PROMPT)
        screen.type(self.typed)

    def pid(self):
        """Of the runtime."""
        return int(pathlib.Path(f'/proc/{self.process.pid}/task/{self.process.pid}/children').read_text())


def sh(script):
    return ['sh', '-c', script]


# A person at a terminal

def set_size(fd, rows, columns):
    fcntl.ioctl(fd, termios.TIOCSWINSZ, b''.join(n.to_bytes(2, sys.byteorder) for n in (rows, columns, 0, 0)))


class Screen:
    """The caller's terminal: its master is the person's side."""

    def __init__(self):
        self.master, self.slave = pty.openpty()
        set_size(self.master, 24, 80)
        self.saved = termios.tcgetattr(self.slave)
        self.flags = fcntl.fcntl(self.slave, fcntl.F_GETFL)
        self.text = b''

    def popen(self):
        return {'stdin': self.slave, 'stdout': self.slave, 'stderr': self.slave, 'start_new_session': True,
                'preexec_fn': lambda: fcntl.ioctl(0, termios.TIOCSCTTY, 0)}

    def wait_for(self, pattern, timeout=10):
        """Takes the output up to a match of PATTERN."""
        deadline = time.monotonic() + timeout
        while not (match := re.search(pattern, self.text)):
            left = deadline - time.monotonic()
            assert left > 0 and select.select([self.master], [], [], left)[0], f'no {pattern!r} in {self.text!r}'
            self.text += os.read(self.master, 65536)
        self.text = self.text[match.end():]
        return match

    def type(self, text):
        os.write(self.master, text)

    def expect_restored(self):
        expect(termios.tcgetattr(self.slave), self.saved, 'modes of the caller\'s terminal')
        expect(fcntl.fcntl(self.slave, fcntl.F_GETFL), self.flags, 'flags of the caller\'s descriptor')

    def hang_up(self):
        if self.master >= 0:
            os.close(self.master)
        self.master = -1

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.hang_up()
        os.close(self.slave)


PROMPT = rb'ready> '
SHELL = sh('PS1="rea""dy> " exec busybox sh -i')  # what is typed is no prompt


@cases(*BOTH_COMMANDS)
def test_interactive_shell(kind):
    with Screen() as screen:
        set_size(screen.master, 31, 97)
        with Call(kind, SHELL, **screen.popen()) as call:
            screen.wait_for(PROMPT)
            modes = termios.tcgetattr(screen.slave)
            expect(modes[3] & (termios.ICANON | termios.ECHO | termios.ISIG), 0, 'modes of a raw terminal')
            screen.type(b'echo hel""lo\r')
            screen.wait_for(rb'\nhello\r\n')
            screen.type(b'busybox stty size\r')
            screen.wait_for(rb'\n31 97\r\n')
            set_size(screen.master, 40, 133)
            screen.type(b'busybox stty size\r')
            screen.wait_for(rb'\n40 133\r\n' + PROMPT)
            screen.type(b'sleep 1000\r')
            time.sleep(0.3)
            screen.type(b'\x03')
            screen.wait_for(PROMPT)
            screen.type(b'echo st""atus $?\r')
            screen.wait_for(rb'status 130\r\n' + PROMPT)
            screen.type(b'sleep 1000\r')
            time.sleep(0.3)
            screen.type(b'\x1a')
            screen.wait_for(rb'Stopped.*\n' + PROMPT)
            screen.type(b'fg\r')
            time.sleep(0.3)
            screen.type(b'\x03')
            screen.wait_for(PROMPT)
            screen.type(b'exit 7\r')
            expect(call.wait()[0], 7, 'status')
        screen.expect_restored()


def expect_raw(screen, is_raw):
    flags = termios.tcgetattr(screen.slave)[3] & (termios.ICANON | termios.ECHO | termios.ISIG)
    expect(flags == 0, is_raw, f'whether the terminal is raw (flags {flags})')


def state_of(pid):
    return pathlib.Path(f'/proc/{pid}/stat').read_text().rpartition(')')[2].split()[0]


@cases(*[(kind, name) for kind in ('exec', 'run') for name in ('TSTP', 'STOP')])
def test_stopped_by_the_callers_shell(kind, name):
    """The caller gets the terminal back as it was, and fg takes it again, with the size that it has then."""
    with Screen() as screen, Job(kind, SHELL, **screen.popen()) as job:
        job.type_command(screen)
        screen.wait_for(PROMPT)
        expect_raw(screen, True)
        screen.type(b'(sleep 1; echo st""ill there) &\r')
        screen.wait_for(PROMPT)
        os.kill(job.pid(), getattr(signal, f'SIG{name}'))
        screen.wait_for(rb'Stopped')
        screen.wait_for(job.PROMPT)
        expect(state_of(job.pid()), 'T', 'state of the runtime')
        if name == 'TSTP':  # nobody can do anything about SIGSTOP
            expect_raw(screen, False)
            screen.type(b'echo cal""ler\r')
            screen.wait_for(rb'caller\r?\n' + job.PROMPT)
        set_size(screen.master, 43, 119)
        screen.type(b'fg\n')
        screen.wait_for(rb'still there')
        expect_raw(screen, True)
        screen.type(b'busybox stty size\r')
        screen.wait_for(rb'\n43 119\r\n')
        screen.wait_for(PROMPT)
        screen.type(b'exit 7\r')
        screen.wait_for(job.PROMPT)
        expect_raw(screen, False)
        screen.type(b'echo st""atus $?\r')
        screen.wait_for(rb'status 7\r?\n' + job.PROMPT)
        screen.type(b'exit\r')
        expect(job.wait()[0], 0, 'status of the caller\'s shell')


def test_stopped_without_a_terminal_of_its_own():
    """Ctrl-Z typed to `run` of a container without a terminal. The program goes on, so it must not read what the shell is to."""
    script = 'echo ready; until [ -e /go ]; do sleep .05; done; read x; echo "got $x"; exit 5'
    with Screen() as screen, Job('run', sh(script), **screen.popen()) as job:
        bundle = next(harness.tmp.glob('b*/config.json'))
        config = json.loads(bundle.read_text())
        config['process']['terminal'] = False
        bundle.write_text(json.dumps(config))
        job.type_command(screen)
        screen.wait_for(rb'ready')
        screen.type(b'\x1a')
        screen.wait_for(rb'Stopped')
        screen.wait_for(job.PROMPT)
        expect(state_of(job.pid()), 'T', 'state of the runtime')
        screen.type(b'fg\r')
        assert harness.settle(lambda: state_of(job.pid()) == 'S'), 'the runtime does not go on'
        (bundle.parent / 'rootfs/go').touch()
        screen.type(b'line\r')
        screen.wait_for(rb'got line')
        screen.wait_for(job.PROMPT)
        screen.type(b'echo st""atus $?\r')
        screen.wait_for(rb'status 5\r?\n' + job.PROMPT)
        screen.type(b'exit\r')
        job.wait()


@cases(*BOTH_COMMANDS)
def test_stop_that_no_shell_could_continue(kind):
    """Without a caller's shell, SIGTSTP is the container's alone."""
    with Screen() as screen, Call(kind, sh('trap "echo got it" TSTP; echo ready; until read x; do :; done; echo "got $x"; exit 4'), **screen.popen()) as call:
        screen.wait_for(rb'ready')
        call.process.send_signal(signal.SIGTSTP)
        screen.wait_for(rb'got it')
        expect_raw(screen, True)
        screen.type(b'line\r')
        screen.wait_for(rb'got line')
        expect(call.wait()[0], 4, 'status')


@cases(*BOTH_COMMANDS)
def test_size_changes_reach_the_program(kind):
    script = 'trap "busybox stty size; exit 6" WINCH; echo ready; while :; do sleep 0.05; done'
    with Screen() as screen, Call(kind, sh(script), **screen.popen()) as call:
        screen.wait_for(rb'ready')
        set_size(screen.master, 21, 77)
        screen.wait_for(rb'21 77')
        expect(call.wait()[0], 6, 'status')


@cases(*[(kind, name) for kind in ('exec', 'run') for name in ('TERM', 'HUP', 'INT', 'QUIT', 'USR1')])
def test_restored_after_a_signal(kind, name):
    number = getattr(signal, f'SIG{name}')
    with Screen() as screen:
        with Call(kind, sh(f'trap "exit 42" {name}; echo ready; while :; do sleep 0.05; done'), **screen.popen()) as call:
            screen.wait_for(rb'ready')
            call.process.send_signal(number)
            expect(call.wait()[0], 42, 'status')
        screen.expect_restored()


@cases(*BOTH_COMMANDS)
def test_restored_when_the_program_is_missing(kind):
    with Screen() as screen:
        with Call(kind, ['/nonesuch'], **screen.popen()) as call:
            screen.wait_for(rb'no such file or directory')
            expect(call.wait()[0], 255 if kind == 'exec' else 1, 'status')
        screen.expect_restored()


@cases(*BOTH_COMMANDS)
def test_restored_when_the_program_is_killed(kind):
    with Screen() as screen:
        with Call(kind, sh('echo ready; exec sleep 1000'), **screen.popen()) as call:
            screen.wait_for(rb'ready')
            call.runtime.ok('kill', call.container.id if call.container else 'relayed', 'KILL')
            expect(call.wait()[0], 137, 'status')
        screen.expect_restored()


@cases(*BOTH_COMMANDS)
def test_hung_up_terminal(kind):
    """The person is gone, and the program gets SIGHUP (which PID 1 has to catch, or is immune to)."""
    script = 'trap "exit 9" HUP; echo ready; while :; do sleep 0.05; done'
    with Screen() as screen, Call(kind, sh(script), **screen.popen()) as call:
        screen.wait_for(rb'ready')
        screen.hang_up()
        status, used = call.wait()
        expect(status, 9, 'status')
        expect_idle(used, 0.5)


@cases(*BOTH_COMMANDS)
def test_hung_up_while_it_writes(kind):
    with Screen() as screen, Call(kind, sh('while echo xxxxxxxxxxxxxxxxxxx; do :; done; exit 9'), **screen.popen()) as call:
        screen.wait_for(rb'xxx')
        screen.hang_up()
        status, used = call.wait()
        assert status in (9, 128 + signal.SIGHUP), f'status {status}'
        expect_idle(used, 5)


# Programs at the other end

@cases(*BOTH_COMMANDS)
def test_flood_of_output(kind):
    script = f'echo ready; busybox yes 0123456789abcdefghijklmnopqrstuvwxyz | head -c {FLOOD}'
    line = b'0123456789abcdefghijklmnopqrstuvwxyz\n'
    with Call(kind, sh(script), stdin=subprocess.DEVNULL, stdout=subprocess.PIPE) as call:
        expect(call.process.stdout.readline(), b'ready\n', 'first line')
        got, size = hashlib.md5(), 0
        while chunk := call.process.stdout.read(1 << 20):
            got.update(chunk)
            size += len(chunk)
        expect(call.wait()[0], 0, 'status')
    expect(size, FLOOD, 'bytes')
    expect(got.hexdigest(), digest((line * (FLOOD // len(line) + 1))[:FLOOD]), 'digest')


@cases(*BOTH_COMMANDS)
def test_flood_both_ways(kind):
    """In, through the program, and out again."""
    data = PATTERN * (FLOOD // len(PATTERN))
    script = f'busybox stty raw -echo; echo ready; exec head -c {len(data)}'
    with Call(kind, sh(script), stdin=subprocess.PIPE, stdout=subprocess.PIPE) as call:
        expect(call.process.stdout.readline(), b'ready\n', 'first line')
        def feed():
            with contextlib.suppress(BrokenPipeError):
                call.process.stdin.write(data)
                call.process.stdin.flush()
        feeder = threading.Thread(target=feed)
        feeder.start()
        got, size = hashlib.md5(), 0
        while chunk := call.process.stdout.read(1 << 20):
            got.update(chunk)
            size += len(chunk)
        feeder.join()
        expect(call.wait()[0], 0, 'status')
    expect(size, len(data), 'bytes')
    expect(got.hexdigest(), digest(data), 'digest')


@cases(*BOTH_COMMANDS)
def test_slow_reader(kind):
    """What the program has written before its end arrives, however long that takes, and nobody spins meanwhile."""
    size = 1 << 20
    with Call(kind, sh(f'busybox yes xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx | head -c {size}'), stdin=subprocess.DEVNULL, stdout=subprocess.PIPE) as call:
        text = b''
        for _ in range(30):
            time.sleep(0.05)
            text += os.read(call.process.stdout.fileno(), 4096)
        while chunk := os.read(call.process.stdout.fileno(), 65536):
            text += chunk
        status, used = call.wait()
    expect((status, len(text), text.strip(b'x\n')), (0, size, b''), 'status, size, content')
    expect_idle(used, 0.7)


@cases(*BOTH_COMMANDS)
def test_idle(kind):
    with Call(kind, ['sleep', '3'], stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL) as call:
        status, used = call.wait()
        expect(status, 0, 'status')
        expect_idle(used, 0.5)


@cases(*BOTH_COMMANDS)
def test_idle_with_input_at_its_end(kind):
    """A pipe without a writer is always ready to be read."""
    with Call(kind, ['sleep', '3'], stdin=subprocess.PIPE, stdout=subprocess.DEVNULL) as call:
        call.process.stdin.close()
        status, used = call.wait()
        expect(status, 0, 'status')
        expect_idle(used, 0.5)


@cases(*BOTH_COMMANDS)
def test_closed_reader(kind):
    """As SIGPIPE would without a terminal, the program ends."""
    with Call(kind, sh('while echo x; do :; done; exit 9'), stdin=subprocess.DEVNULL, stdout=subprocess.PIPE) as call:
        call.process.stdout.readline()
        call.process.stdout.close()
        status, used = call.wait()
        assert status in (9, 128 + signal.SIGHUP), f'status {status}'
        expect_idle(used, 5)


@cases(*BOTH_COMMANDS)
def test_end_of_input_is_typed(kind):
    with Call(kind, sh('busybox stty -echo; echo ready; cat; echo end'), stdin=subprocess.PIPE,
              stdout=subprocess.PIPE) as call:
        expect(call.process.stdout.readline(), b'ready\n', 'first line')
        call.process.stdin.write(b'one\ntwo')
        call.process.stdin.close()
        expect(call.process.stdout.read(), b'one\ntwoend\n', 'output')
        expect(call.wait()[0], 0, 'status')


@cases(*BOTH_COMMANDS)
def test_line_ends_of_data(kind):
    with Call(kind, sh('printf "a\\nb\\n"'), stdin=subprocess.DEVNULL, stdout=subprocess.PIPE) as call:
        expect(call.process.stdout.read(), b'a\nb\n', 'output')
        expect(call.wait()[0], 0, 'status')


@cases(*BOTH_COMMANDS)
def test_terminal_kept_open(kind):
    """Another process keeps it open beyond the program's end, and writes on and on."""
    script = '(trap "" HUP; while :; do echo noise; done) & sleep 0.2; exit 3'
    with Call(kind, sh(script), stdin=subprocess.DEVNULL, stdout=subprocess.PIPE) as call:
        call.process.stdout.read()
        expect(call.wait()[0], 3, 'status')


harness.main(__name__)
