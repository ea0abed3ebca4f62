#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Objects that are read by themselves, for exec and update: what is wrong with them, and where."""

import harness
from harness import Bundle, Container, Runtime, cases, expect, expect_in


def place(text, mark):
    """LINE:COLUMN of MARK in TEXT."""
    before = text[:text.index(mark)]
    return f'{before.count(chr(10)) + 1}:{len(before) - before.rfind(chr(10))}'


def expect_refusal(record, file, text, mark, pointer, phrase):
    where = f'{file}:{place(text, mark)}: {pointer}: ' if pointer else f'{file}:{place(text, mark)}: '
    expect_in(where, record['msg'], 'message')
    expect_in(phrase, record['msg'], 'message')
    expect(record.get('pointer', ''), pointer, f'pointer of {record["msg"]!r}')


# The text of a process.json, what is at the place of the error, the pointer, and a part of the message.
PROCESSES = cases(
    ('syntax', '{"args": ["true"],\n "cwd": }', '}', '', 'expected a value'),
    ('type', '{"args": ["true"],\n "cwd": 1}', '1}', '/cwd', 'expected a string, found an integer'),
    ('missing', '\n{"args": ["true"]}', '{', '/cwd', 'required, but missing'),
    ('word', '{"args": ["true"], "cwd": "/",\n "rlimits": [{"type": "RLIMIT_FOO", "soft": 1, "hard": 1}]}',
     '"RLIMIT_FOO', '/rlimits/0/type', "unknown word 'RLIMIT_FOO'"),
    # found later, by the process itself
    ('program', '{"cwd": "/",\n  "args": ["nonesuch"]}', '"nonesuch', '/args/0', 'executable file not found'),
    ('folder', '{"args": ["true"],\n\t"cwd": "/bin/busybox"}', '"/bin/b', '/cwd', '/bin/busybox'),
)


@PROCESSES
def test_exec(_name, text, mark, pointer, phrase):
    bundle = Bundle()
    with Container(Runtime(), bundle) as container:
        container.run()
        file = bundle.path / 'process.json'
        file.write_text(text)
        answer = container.runtime.call('exec', '--process', file, container.id)
        assert answer.status != 0, repr(answer)
        expect_refusal(answer.error(), file, text, mark, pointer, phrase)
        container.finish()
        container.delete()


RESOURCES = cases(
    ('syntax', '{"memory": {"limit": 1,}}', '}}', '', 'expected a member name'),
    ('type', '{"memory":\n {"limit": "1"}}', '"1"', '/memory/limit', 'expected an integer, found a string'),
    ('range', '{"pids":\n {"limit": 9223372036854775808}}', '922', '/pids/limit', '9223372036854775808'),
    ('whole config', '{"root": {"path": "x"},\n "ociVersion": "1.0.0"}', '"1.0', '/ociVersion', 'linux.resources'),
    ('part of one', '{"linux": {"resources": {"pids": {"limit": 7}}}}', '{"res', '/linux', 'linux.resources'),
    ('member', '{"resources": {"pids": {"limit": 7}}}', '{"pids', '/resources', 'linux.resources'),
    # found later, by the kernel
    ('kernel', '{"cpu":\n {"cpus": "9999"}}', '"9999', '/cpu/cpus', '9999'),
)


@RESOURCES
def test_update(_name, text, mark, pointer, phrase):
    bundle = Bundle()
    with Container(Runtime(), bundle) as container:
        container.run()
        file = bundle.path / 'resources.json'
        file.write_text(text)
        with open(file) as stdin:
            for name, argument in ((file, file), ('standard input', '-')):
                answer = container.runtime.call('update', '--resources', argument, container.id, stdin=stdin)
                assert answer.status != 0, repr(answer)
                expect_refusal(answer.error(), name, text, mark, pointer, phrase)
        container.finish()
        container.delete()


harness.main(__name__)
