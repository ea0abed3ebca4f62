# SPDX-License-Identifier: Apache-2.0
"""State that is not as it was written: cut at every length, noise, a full or read-only file system below --root.

`state` and `list` still end well or say what is wrong, and `delete --force` leaves nothing of the container.
"""
import os
import random
import signal

import harness
from harness import Bundle, Container
from machine import MS_RDONLY, MS_REMOUNT, mount, umount
from trials import LIMIT, Ground, Runtime, figures, judge_message, timed_row

ID = 'damaged'


def ask(runtime, container):
    """state, list and delete --force of a container whose directory is damaged."""
    problems = []
    state = runtime.call('state', ID, timeout=LIMIT)
    if state.status:
        problems += judge_message(state)
    listed = runtime.call('list', timeout=LIMIT)
    if listed.status:
        problems.append(f'{listed!r}')
    elif state.status and ID not in listed.out + listed.err + listed.log_text:
        problems.append(f'list is silent about it: {listed!r}')
    deleted = runtime.call('delete', '--force', ID, timeout=LIMIT)
    if deleted.status:
        problems.append(f'{deleted!r}')
    container.close()
    return problems


def noises(text, stride):
    """TEXT cut at every length, and with bytes that are not its own."""
    for length in range(0, len(text), stride):
        yield f'cut at {length}', text[:length]
    chance = random.Random(7)
    for seed in range(0, 200, stride):
        size = chance.randrange(1, 2000)
        yield f'noise {seed}', chance.randbytes(size)
        place = chance.randrange(len(text))
        yield f'byte {place} changed', text[:place] + chance.randbytes(1) + text[place + 1:]
    yield 'digits', b'9' * 1000
    yield 'brackets', b'[' * 100000
    yield 'an array', b'[]'
    yield 'a deep object', b'{"format":1,"x":' + b'[' * 100 + b']' * 100 + b'}'
    yield 'many objects', b'{}' * 100000


def damage_file(name, stride):
    """A damaged state hides which process and groups there are; the process has ended before it."""
    runtime, bundle = Runtime(), Bundle().save()
    row = f'{name} damaged'
    ground = Ground(runtime, bundle)
    with timed_row(row) as timed:
        container = Container(runtime, bundle, ID).create()
        text = (runtime.root / ID / name).read_bytes()
        runtime.ok('delete', '--force', ID)
        container.close()
        damages = list(noises(text, stride))
        timed.points = len(damages)
        for what, content in damages:
            container = Container(runtime, bundle, ID).create()
            path = runtime.root / ID / name
            path.write_bytes(content)
            if name == 'state.json':
                # Only the file knew of them; that is what delete's warning says.
                os.kill(container.pid, signal.SIGKILL)
            problems = ask(runtime, container)
            found = [what for what in ground.left() if name != 'state.json' or not what.startswith('cgroup')]
            figures.add(row, what, problems + [f'left {what}' for what in found])


def replaced_members():
    """A state whose last object gives some member another value."""
    for cgroup in ('5', '{}', '{"hierarchies":5}', '{"hierarchies":[5]}', '{"hierarchies":[{"name":"' + 'x' * 300 +
                   '","path":"/a","v2":false,"made":1}]}', '{"hierarchies":[{"name":"","path":"/..","v2":true,"made":1}]}'):
        yield f'cgroup {cgroup[:40]}', f'{{"cgroup":{cgroup}}}'
    yield 'many cgroups', '{"cgroup":{"hierarchies":[' + ','.join(
        ['{"name":"","path":"/a","v2":true,"made":1}'] * 100) + ']}}'
    yield 'annotations', '{"annotations":{"a":5}}'
    yield 'pid of nobody', '{"pid":2147483647,"startTime":1}'
    yield 'pid of init', '{"pid":1,"startTime":1}'
    yield 'negative pid', '{"pid":-1}'


def damage_members():
    """The container runs on; where its cgroup is known still, delete --force ends it."""
    runtime, bundle = Runtime(), Bundle().save()
    ground = Ground(runtime, bundle)
    with timed_row('state.json replaced') as timed:
        for what, text in replaced_members():
            timed.points += 1
            container = Container(runtime, bundle, ID).create()
            with (runtime.root / ID / 'state.json').open('a') as file:
                file.write(text)
            if 'pid of' not in what:
                os.kill(container.pid, signal.SIGKILL)
            problems = ask(runtime, container)
            found = [left for left in ground.left() if 'pid of' in what or not left.startswith('cgroup')]
            figures.add('state.json replaced', what, problems + [f'left {left}' for left in found])


def another_format(stride):
    """What a later version made is left to that: its process may run."""
    runtime, bundle = Runtime(), Bundle().save()
    ground = Ground(runtime, bundle)
    with timed_row('another format') as timed:
        timed.points = 1
        container = Container(runtime, bundle, ID).create()
        path = runtime.root / ID / 'state.json'
        text = path.read_bytes()
        path.write_bytes(text.replace(b'"format":1', b'"format":7'))
        answers = [runtime.call('state', ID), runtime.call('delete', '--force', ID)]
        problems = [f'{answer!r}' for answer in answers if not answer.status or 'format 7' not in answer.err]
        path.write_bytes(text)
        runtime.call('delete', '--force', ID)
        container.close()
        figures.add('another format', 'format 7', problems + [f'left {what}' for what in ground.left()])


def missing_files(stride):
    runtime, bundle = Runtime(), Bundle().save()
    ground = Ground(runtime, bundle)
    with timed_row('a file missing') as timed:
        for name in ('config.json', 'start', 'result'):
            timed.points += 1
            container = Container(runtime, bundle, ID).create()
            (runtime.root / ID / name).unlink()
            problems = ask(runtime, container)
            figures.add('a file missing', name, problems + [f'left {what}' for what in ground.left()])


def full_root(stride):
    """A file system with room for so many pages and inodes; create says so, and what there is can be deleted."""
    with timed_row('full root') as timed:
        for kind in ('size={}k', 'nr_inodes={}'):
            for amount in range(1, 40, max(1, stride // 8)):
                timed.points += 1
                runtime, bundle = Runtime(), Bundle().save()
                runtime.root.mkdir()
                room = kind.format(amount * 4 if 'size' in kind else amount)
                mount('tmpfs', runtime.root, 'tmpfs', data=room)
                ground = Ground(runtime, bundle)
                container = Container(runtime, bundle, ID)
                answer = container.try_create()
                problems = judge_message(answer) if answer.status else []
                if answer.status and runtime.ids():
                    problems.append(f'a failed create left {runtime.ids()}')
                runtime.call('delete', '--force', ID)
                container.close()
                problems += [f'left {what}' for what in ground.left()]
                figures.add('full root', room, problems)
                umount(runtime.root)


def filled_root(stride):
    """Full once the container is there: everything goes on, and delete works."""
    with timed_row('root filled after create') as timed:
        timed.points = 1
        runtime, bundle = Runtime(), Bundle().save()
        runtime.root.mkdir()
        mount('tmpfs', runtime.root, 'tmpfs', data='size=256k')
        ground = Ground(runtime, bundle)
        container = Container(runtime, bundle, ID).create()
        with open(runtime.root / '.filling', 'wb', buffering=0) as file:
            try:
                while file.write(b'x' * 4096):
                    pass
            except OSError:
                pass
        problems = []
        for args in (('state', ID), ('start', ID), ('list',), ('exec', ID, '/bin/true'), ('pause', ID), ('resume', ID),
                     ('update', '--pids-limit', '50', ID), ('kill', ID, 'KILL'), ('delete', '--force', ID)):
            answer = runtime.call(*args, timeout=LIMIT)
            problems += [f'{answer!r}'] if answer.status else []
        (runtime.root / '.filling').unlink()
        container.close()
        figures.add('root filled after create', 'tmpfs', problems + [f'left {what}' for what in ground.left()])
        umount(runtime.root)


def readonly_root(stride):
    with timed_row('read-only root') as timed:
        timed.points = 2
        runtime, bundle = Runtime(), Bundle().save()
        runtime.root.mkdir()
        mount('tmpfs', runtime.root, 'tmpfs')
        ground = Ground(runtime, bundle)
        container = Container(runtime, bundle, ID).create()
        mount(None, runtime.root, flags=MS_REMOUNT | MS_RDONLY)
        other = Container(runtime, bundle, 'other')
        answer = other.try_create()
        other.close()
        problems = judge_message(answer) if answer.status else ['create succeeded']
        for args in (('state', ID), ('list',), ('kill', ID, 'KILL')):
            answer = runtime.call(*args, timeout=LIMIT)
            problems += [f'{answer!r}'] if answer.status else []
        answer = runtime.call('delete', '--force', ID, timeout=LIMIT)
        problems += judge_message(answer) if answer.status else ['delete succeeded']
        mount(None, runtime.root, flags=MS_REMOUNT)
        answer = runtime.call('delete', '--force', ID, timeout=LIMIT)
        problems += [f'{answer!r}'] if answer.status else []
        container.close()
        figures.add('read-only root', 'tmpfs', problems + [f'left {what}' for what in ground.left()])
        umount(runtime.root)


def run(stride, pattern=''):
    for name in ('state.json', 'config.json'):
        damage_file(name, stride)
    damage_members()
    for part in (another_format, missing_files, full_root, filled_root, readonly_root):
        part(stride)
