#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""README.md's section "By hand", typed at a shell in a terminal: its own lines, so that they stay true; and contrib/."""
import json
import os
import pathlib
import pty
import re
import select
import shutil
import signal
import time
import tomllib

import harness
from harness import Skip, cases, expect, expect_in, serial

PROMPT = 'typed> '


class Shell:
    """An interactive shell on a terminal, with `kogg` in the search path and a state directory of its own."""

    def __init__(self, directory):
        self.directory = directory
        commands = directory / 'commands'
        commands.mkdir()
        self.states = directory / 'states'
        (commands / 'kogg').write_text(f'#!/bin/sh\nexec {harness.KOGG} --root {self.states} "$@"\n')
        (commands / 'sudo').write_text('#!/bin/sh\nexec "$@"\n')
        for command in commands.iterdir():
            command.chmod(0o755)
        self.pid, self.terminal = pty.fork()
        if self.pid == 0:
            os.chdir(directory)
            os.execve('/bin/bash', ['bash', '--norc', '--noediting', '-i'],
                      {'PATH': f'{commands}:/usr/sbin:/usr/bin:/sbin:/bin', 'PS1': PROMPT, 'HOME': str(directory)})
        self.wait_for(PROMPT)

    def wait_for(self, text, seconds=20):
        """Reads on until the text has come; gives what stood before it."""
        seen, end = '', time.monotonic() + seconds
        while text not in seen:
            ready = select.select([self.terminal], [], [], max(0, end - time.monotonic()))[0]
            assert ready, f'{text!r} does not come: {seen!r}'
            seen += os.read(self.terminal, 4096).decode().replace('\r', '')
        return seen[:seen.index(text)]

    def type(self, line, status=0):
        """Types a line and gives what it printed, without the echo."""
        output = self.enter(line)
        expect(self.enter('echo $?').strip(), str(status), f'status of {line!r}, which printed {output!r}')
        return output

    def enter(self, line, until=PROMPT):
        os.write(self.terminal, line.encode() + b'\n')
        return self.wait_for(until).partition('\n')[2]

    def close(self):
        os.kill(self.pid, signal.SIGHUP)
        os.close(self.terminal)
        os.waitpid(self.pid, 0)


def readme_lines(beginning):
    """The commands in README.md's code block of which one begins so, without comments and packages."""
    text = (harness.SOURCE / 'README.md').read_text()
    for block in re.findall(r'```sh\n(.*?)```', text, re.S):
        lines = [line.partition('#')[0].strip() for line in block.splitlines()]
        if any(line.startswith(beginning) for line in lines):
            return [line for line in lines if line and 'apt-get' not in line]
    raise AssertionError(f'README.md has no block with {beginning!r}')


def change_config(path, **process):
    config = json.loads(path.read_text())
    config['process'].update(process)
    config['linux']['cgroupsPath'] = f'/kogg-test-{os.getpid()}/hand{serial()}'
    path.write_text(json.dumps(config))


class Typed:
    """A shell in which README.md's bundle was made."""

    def __enter__(self):
        directory = pathlib.Path(harness.tmp / f'hand{serial()}')
        directory.mkdir()
        self.shell = Shell(directory)
        *making, self.run = readme_lines('sudo kogg run')
        for line in making:
            expect(self.shell.type(line), '', f'output of {line!r}')
        self.config = directory / 'bundle/config.json'
        return self

    def __exit__(self, *_):
        for name in self.states():
            os.system(f'{harness.KOGG} --root {self.shell.states} delete --force {name}')
        self.shell.close()
        shutil.rmtree(self.shell.directory)

    def states(self):
        return [path.name for path in self.shell.states.iterdir()] if self.shell.states.exists() else []


def test_run():
    with Typed() as typed:
        change_config(typed.config)
        shell = typed.shell
        shell.enter(typed.run, until='/ # ')
        expect_in('/dev/', shell.enter('readlink /proc/self/fd/0', until='/ # '), 'terminal inside')
        expect(shell.enter('echo $$', until='/ # '), '1\n', 'process id inside')
        shell.enter('exit 7')
        expect(shell.enter('echo $?').strip(), '7', 'status')
        expect(typed.states(), [], 'states')


def test_steps():
    with Typed() as typed:
        text = (harness.SOURCE / 'README.md').read_text()
        members = json.loads('{' + ','.join(re.findall(r'set `("terminal": .*?)` and\s+`("args": .*?)`', text)[0]) + '}')
        change_config(typed.config, **members)
        create, state, start, listing, execute, kill, delete = readme_lines('sudo kogg create')
        shell = typed.shell
        expect(shell.type(create), '', 'output of create')
        seen = json.loads(shell.type(state))
        expect(seen['status'], 'created', 'status')
        os.kill(seen['pid'], 0)
        expect(shell.type(start), '', 'output of start')
        expect_in('running', shell.type(listing), 'list')
        expect_in('uid=0', shell.type(execute), 'what exec runs')
        expect_in('running', shell.type(start, status=1), 'starting twice')
        expect_in('running', shell.type(delete, status=1), 'deleting what runs')
        expect(shell.type(kill), '', 'output of kill')
        harness.settle(lambda: json.loads(shell.type(state))['status'] == 'stopped')
        expect(json.loads(shell.type(state))['status'], 'stopped', 'status')
        expect_in('not running', shell.type(kill, status=1), 'killing what has stopped')
        expect(shell.type(delete), '', 'output of delete')
        expect_in('does not exist', shell.type(state, status=1), 'state after delete')
        expect(typed.states(), [], 'states')


def test_start_on_terminal_needs_a_console_socket():
    with Typed() as typed:
        change_config(typed.config)
        create = readme_lines('sudo kogg create')[0]
        expect_in('console-socket', typed.shell.type(create, status=1), 'create with a terminal')
        expect(typed.states(), [], 'states')


def shipped(name):
    with open(harness.SOURCE / 'contrib' / name, 'rb') as file:
        return tomllib.load(file)


# That podman's own lists have had; others are the host's, or of other systems.
KNOWN_RUNTIMES = {'crun', 'kata', 'krun', 'runc', 'runsc', 'youki'}


@cases(('json', 'runtime_supports_json'), ('no cgroup', 'runtime_supports_nocgroup'))
def test_podman_keeps_its_own_runtimes(name, member):
    """The lists replace podman's, whose manual file names one of them with an s at its end."""
    ours = shipped('podman/50-kogg.conf')['engine'][member]
    expect_in('kogg', ours, member)
    default = pathlib.Path('/usr/share/containers/containers.conf')
    if not default.exists():
        raise Skip(f'there is no {default}')
    found = re.search(rf'^#? *{member}s? *= *(\[[^]]*\])', default.read_text(), re.M)
    if not found:
        raise Skip(f'{default} says nothing of {member}')
    theirs = tomllib.loads(f'{member} = ' + re.sub(r'\n[# \t]*', ' ', found[1]))[member]
    expect(sorted((set(theirs) & KNOWN_RUNTIMES) - set(ours)), [], f'runtimes that {member} leaves out')


def test_where_engines_look():
    paths = shipped('podman/50-kogg.conf')['engine']['runtimes']['kogg']
    expect(paths, ['/usr/bin/kogg', '/usr/local/bin/kogg'], 'paths for podman')
    runtime = shipped('cri-o/50-kogg.conf')['crio']['runtime']['runtimes']['kogg']
    expect((runtime['runtime_path'], runtime['container_min_memory']), ('/usr/bin/kogg', '512KiB'), 'for cri-o')


harness.main(__name__)
