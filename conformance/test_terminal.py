#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""config.md, process.terminal and consoleSize; the console socket that engines hand over."""
import fcntl
import os
import pty
import select
import subprocess
import sys
import termios
import threading
import time

import harness
from attacks import delayed
from harness import Bundle, Container, Runtime, cases, expect, expect_in


def terminal_bundle(**members):
    bundle = Bundle()
    bundle.config['process'].update(terminal=True, **members)
    return bundle


def size_of(fd):
    data = fcntl.ioctl(fd, termios.TIOCGWINSZ, b'\0' * 8)
    return int.from_bytes(data[0:2], sys.byteorder), int.from_bytes(data[2:4], sys.byteorder)


def test_terminal_arrives_before_start():
    with Container(Runtime(), terminal_bundle()) as container:
        container.create()
        assert container.terminal_name, 'no name with the terminal'
        assert os.isatty(container.console.master), 'what arrived is no terminal'
        seen = container.start().ask('stat /dev/console')
        for fd in '012':
            expect(seen['descriptors'][fd]['is_terminal'], 1, f'descriptor {fd} is a terminal')
        expect(sorted(seen['descriptors']), ['0', '1', '2'], 'descriptors')
        expect(isinstance(seen['controlling_terminal'], int), True, 'controlling terminal')
        expect((seen['session'], seen['pid']), (1, 1), 'session leader')
        expect(seen['answers']['stat /dev/console'].get('device'), seen['descriptors']['0']['device'], '/dev/console')
        container.finish()
        container.delete()


def test_terminal_is_of_the_containers_devpts():
    with Container(Runtime(), terminal_bundle()) as container:
        container.create()
        seen = container.start().ask('stat /dev/pts/0')
        expect(seen['answers']['stat /dev/pts/0'].get('device'), seen['descriptors']['0']['device'], '/dev/pts/0')
        assert seen['descriptors']['0']['target'] in ('/dev/pts/0', '/dev/console'), seen['descriptors']['0']
        container.finish()
        container.delete()


@cases((40, 132), (1, 1), (65535, 65535))
def test_size(height, width):
    with Container(Runtime(), terminal_bundle(consoleSize={'height': height, 'width': width})) as container:
        container.create()
        expect(size_of(container.console.master), (height, width), 'size at the master')
        expect(container.start().ask()['terminal_size'], [height, width], 'size inside')
        container.finish()
        container.delete()


def test_size_beyond_what_the_kernel_holds():
    runtime = Runtime()
    bundle = terminal_bundle(consoleSize={'height': 65536, 'width': 80})
    console = harness.Console()
    try:
        record = runtime.fails('create', '--bundle', bundle.save().path, '--console-socket', console.path, 'refused')
    finally:
        console.close()
    expect(record.get('pointer'), '/process/consoleSize/height', 'pointer')


def test_size_without_terminal_is_ignored():
    bundle = Bundle()
    bundle.config['process']['consoleSize'] = {'height': 10, 'width': 10}
    with Container(Runtime(), bundle) as container:
        expect(container.run()['terminal_size'], [], 'size')
        container.finish()
        container.delete()


def test_owner_of_the_terminal():
    bundle = terminal_bundle(user={'uid': 1000, 'gid': 1000})
    with Container(Runtime(), bundle) as container:
        container.create()
        seen = container.start().ask('write /dev/console')
        expect(seen['descriptors']['0']['uid'], 1000, 'owner')
        expect(seen['answers']['write /dev/console'], 'ok', 'opening /dev/console')
        container.finish()
        container.delete()


def test_interrupt_reaches_the_program():
    bundle = terminal_bundle(args=['sh', '-c', 'trap "echo got it; exit 4" INT; echo ready; while :; do sleep 0.05; done'])
    with Container(Runtime(), bundle) as container:
        container.create()
        settings = termios.tcgetattr(container.console.master)
        settings[3] |= termios.ISIG
        termios.tcsetattr(container.console.master, termios.TCSANOW, settings)
        container.start()
        expect_in('ready', container.read_line(), 'first line')
        os.write(container.stdin, b'\x03')
        expect_in('got it', container.read_line(), 'second line')
        container.wait_status('stopped')
        container.delete()


def test_hang_up_when_the_master_is_closed():
    bundle = terminal_bundle(args=['sh', '-c', 'trap "exit 3" HUP; echo ready; while :; do sleep 0.05; done'])
    with Container(Runtime(), bundle) as container:
        container.create().start()
        container.read_line()
        container.close()
        container.wait_status('stopped')
        container.delete()


def test_much_output():
    """All bytes arrive, in order."""
    bundle = terminal_bundle(args=['sh', '-c', 'i=0; while [ $i -lt 20000 ]; do echo line $i; i=$((i+1)); done'])
    with Container(Runtime(), bundle) as container:
        container.create().start()
        text, master = b'', container.console.master
        while select.select([master], [], [], 10)[0]:
            try:
                chunk = os.read(master, 65536)
            except OSError:
                break
            if not chunk:
                break
            text += chunk
        lines = text.replace(b'\r', b'').splitlines()
        expect((len(lines), lines[0], lines[-1]), (20000, b'line 0', b'line 19999'), 'lines')
        container.wait_status('stopped')
        container.delete()


# Refused

def test_terminal_without_console_socket():
    runtime, bundle = Runtime(), terminal_bundle().save()
    record = runtime.fails('create', '--bundle', bundle.path, 'refused')
    expect_in('--console-socket', record['msg'] + record.get('hint', ''), 'message')
    expect(runtime.ids(), [], 'states')


def test_console_socket_without_terminal():
    runtime, bundle = Runtime(), Bundle().save()
    console = harness.Console()
    try:
        record = runtime.fails('create', '--bundle', bundle.path, '--console-socket', console.path, 'refused')
    finally:
        console.close()
    expect_in('terminal', record['msg'], 'message')


@cases(('missing', None), ('a file', 'text'))
def test_console_socket_that_is_none(name, text):
    path = harness.tmp / 'socket'
    if text:
        path.write_text(text)
    runtime, bundle = Runtime(), terminal_bundle().save()
    record = runtime.fails('create', '--bundle', bundle.path, '--console-socket', path, 'refused')
    expect_in(str(path), record['msg'], 'message')
    assert 'no such file' not in record['msg'], record['msg']
    expect(runtime.ids(), [], 'states')


@cases(('create',), ('exec',))
def test_console_socket_that_hangs_up(command):
    """It is connected to first, and used when the terminal is there: the error says for what."""
    console = harness.Console()
    taker = threading.Thread(target=lambda: console.listener.accept()[0].close())
    taker.start()
    with Container(Runtime(), Bundle()) as container:
        args = ['exec', '--tty', '--detach', '--console-socket', console.path, container.id, 'true']
        if command == 'create':
            container.bundle.config['process']['terminal'] = True
            args = ['create', '--bundle', container.bundle.save().path, '--console-socket', console.path, container.id]
        else:
            container.run()
        record = container.runtime.fails(*args, wrapper=delayed('sendmsg', 0.5))
        taker.join()
        console.close()
    expect_in('/dev/pts/0', record['msg'], 'message')
    expect_in('broken pipe', record['msg'], 'message')


def test_long_console_socket_path():
    """Longer than a socket's address can hold; engines have such paths."""
    directory = harness.tmp / ('d' * 100)
    directory.mkdir()
    console = harness.Console()
    os.rename(console.path, directory / 's')
    console.path = directory / 's'
    runtime, bundle = Runtime(), terminal_bundle().save()
    try:
        answer = runtime.call('create', '--bundle', bundle.path, '--console-socket', console.path, 'long')
        if answer.status == 0:
            console.receive()
            runtime.ok('delete', 'long')
        else:
            answer.error()
    finally:
        console.close()


def test_ptmx_in_the_root_is_hostile():
    """CVE-2025-52565: the terminal must come from a real devpts."""
    bundle = terminal_bundle()
    bundle.config['mounts'] = [m for m in bundle.config['mounts'] if m['destination'] != '/dev/pts']
    runtime = Runtime()
    console = harness.Console()
    try:
        record = runtime.fails('create', '--bundle', bundle.save().path, '--console-socket', console.path, 'refused')
    finally:
        console.close()
    expect_in("needs a devpts file system at '/dev/pts'; /mounts has to hold one", record['msg'], 'message')
    expect(runtime.ids(), [], 'states')


# run in the foreground

def run_on_terminal(bundle, talk):
    """`run` with a terminal of ours; TALK(master, process) does the rest. Returns the exit status."""
    master, slave = pty.openpty()
    runtime = Runtime()
    bundle.save()
    process = runtime.start_call('run', '--bundle', bundle.path, 'foreground', stdin=slave, stdout=slave, stderr=slave,
                                 start_new_session=True, preexec_fn=lambda: fcntl.ioctl(0, termios.TIOCSCTTY, 0))
    try:
        talk(master, process)
        status = process.wait(10)
        settings = termios.tcgetattr(slave)
        assert settings[3] & termios.ECHO and settings[3] & termios.ICANON, 'the caller\'s terminal was left raw'
        return status
    finally:
        if process.poll() is None:
            process.kill()
            process.wait()
        os.close(slave)
        os.close(master)


def read_until(fd, phrase, timeout=10):
    text = b''
    deadline = time.monotonic() + timeout
    while phrase not in text:
        assert select.select([fd], [], [], max(0, deadline - time.monotonic()))[0], f'no {phrase!r} in {text!r}'
        text += os.read(fd, 4096)
    return text


def test_run_relays():
    bundle = terminal_bundle(args=['sh', '-c', 'echo ready; read line; echo "got $line"; exit 5'])
    def talk(master, process):
        read_until(master, b'ready')
        os.write(master, b'hello\r')
        read_until(master, b'got hello')
    expect(run_on_terminal(bundle, talk), 5, 'exit status')


def test_run_passes_the_size_on():
    bundle = terminal_bundle(args=['sh', '-c', 'trap "busybox stty size; exit 6" WINCH; echo ready; '
                                   'i=0; while [ $i -lt 100 ]; do sleep 0.05; i=$((i+1)); done'])
    def talk(master, process):
        read_until(master, b'ready')
        fcntl.ioctl(master, termios.TIOCSWINSZ, b''.join(n.to_bytes(2, sys.byteorder) for n in (21, 77, 0, 0)))
        read_until(master, b'21 77')
    expect(run_on_terminal(bundle, talk), 6, 'exit status')


def test_run_drains_at_the_end():
    bundle = terminal_bundle(args=['sh', '-c', 'i=0; while [ $i -lt 2000 ]; do echo line $i; i=$((i+1)); done'])
    def talk(master, process):
        read_until(master, b'line 1999')
    expect(run_on_terminal(bundle, talk), 0, 'exit status')


def test_run_with_a_terminal_but_without_one_of_its_own():
    """stdin is a pipe: the container still has its terminal."""
    bundle = terminal_bundle(args=['sh', '-c', 'tty'])
    runtime = Runtime()
    bundle.save()
    answer = subprocess.run(runtime.command('run', '--bundle', bundle.path, 'piped'), stdin=subprocess.DEVNULL,
                            capture_output=True, text=True, check=False, timeout=20)
    expect(answer.returncode, 0, f'exit status ({answer.stderr})')
    assert answer.stdout.strip() in ('/dev/pts/0', '/dev/console'), answer.stdout


harness.main(__name__)
