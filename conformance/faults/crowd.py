# SPDX-License-Identifier: Apache-2.0
"""Many processes, few containers: commands at random on the same IDs, all at the same time.

Every answer must be one that some order gives in which each command acts at one moment between its begin and its end.
That is decided for each ID by itself, by following all such orders through a model of what a container does.
"""
import collections
import json
import os
import random
import re
import signal
import subprocess
import time

import harness
from harness import Bundle
from machine import PR_SET_CHILD_SUBREAPER, check_call, libc
from trials import LIMIT, Ground, Runtime, figures, timed_row

WORKERS, IDS = 8, 20

Call = collections.namedtuple('Call', 'begin end op name is_ok words')

# What there may be: (has started, is paused, is dying); to be killed takes a moment. Or one of these.
ABSENT, CREATING, STOPPED, CREATED = 'absent', 'creating', 'stopped', (False, False, False)
TAKEN = 'taken'  # its name is, and that is all there is: to all but other creates it does not exist

COMMANDS = {
    'create': ('create', '--bundle', 'BUNDLE', 'ID'), 'start': ('start', 'ID'), 'exec': ('exec', 'ID', '/bin/true'),
    'kill': ('kill', 'ID', 'KILL'), 'pause': ('pause', 'ID'), 'resume': ('resume', 'ID'), 'delete': ('delete', 'ID'),
    'force': ('delete', '--force', 'ID'), 'state': ('state', 'ID'), 'update': ('update', '--pids-limit', '77', 'ID')}
WEIGHTS = {'create': 6, 'start': 4, 'exec': 3, 'kill': 2, 'pause': 2, 'resume': 3, 'delete': 2, 'force': 2, 'state': 3,
           'update': 1}

# What a command may say that fails; what it says has to be true of the container then.
TOLD = {
    'exists already': lambda at: at != ABSENT,
    'is creating': lambda at: at == CREATING,
    'was deleted while it was created': lambda at: True,
    'does not exist': lambda at: at in (ABSENT, TAKEN),
    'is stopped|has stopped|has ended|has been killed|ended by signal 9|ended before it became|killed by signal 9':
        lambda at: at in (STOPPED, ABSENT) or is_alive(at) and at[2],
    'already running': lambda at: is_alive(at) and at[0],
    'paused state|paused container|paused already': lambda at: is_alive(at) and at[1],
    'not paused': lambda at: is_alive(at) and (not at[1] or at[2]),
    'not stopped': lambda at: is_alive(at) and (at[0] or at[1]),
}


def is_alive(at):
    return isinstance(at, tuple)


def follow(at, call):
    """The states that a call may lead to which acts in the state AT and answers as it did."""
    if not call.is_ok:
        return [at] if any(is_true(at) for told, is_true in TOLD.items() if re.search(told, call.words)) else []
    if call.op == 'create':
        return [TAKEN] if at == ABSENT else []
    if at == TAKEN:
        return [at, ABSENT] if call.op == 'force' else []
    if at == CREATING:
        return [at] if call.op == 'state' and call.words == at else []
    if call.op == 'force':
        return [ABSENT]
    if at == ABSENT:
        return []
    if call.op == 'delete':
        return [ABSENT] if at == STOPPED or at[2] or not (at[0] or at[1]) else []
    if call.op == 'state':
        shown = 'stopped' if at == STOPPED else 'paused' if at[1] else 'running' if at[0] else 'created'
        return [at] if call.words == shown or is_alive(at) and at[2] else []
    if at == STOPPED:
        return []
    started, paused, dying = at
    if call.op == 'kill':
        return [(started, paused, True)]
    if call.op == 'start':
        return [(True, paused, dying)] if not started and (not paused or dying) else []
    if call.op == 'pause':
        return [(started, True, dying)] if not paused or dying else []
    if call.op == 'resume':
        return [(started, False, dying)] if paused or dying else []
    return [at] if not paused or dying or call.op == 'update' else []


def goes_on(at, under_way):
    """What happens by itself while the commands UNDER_WAY have not acted yet."""
    if at in (TAKEN, CREATING):
        return [CREATING] if at == TAKEN else [CREATED]
    if not is_alive(at):
        return []
    started, paused, dying = at
    after = []
    if dying:
        after.append(STOPPED)
    # A delete kills first, and thaws.
    if 'force' in under_way or 'delete' in under_way and at == CREATED:
        after += [(started, paused, True), (started, False, True)]
    # A pause that finds it killed has frozen it for a moment, be it before or after that.
    if dying and under_way & {'pause', 'pause in vain'}:
        after.append((started, not paused, True))
    elif 'pause in vain' in under_way:
        after.append((started, True, False))
    return after


def course(call):
    """What goes_on() has to know of a command under way."""
    return 'pause in vain' if call.op == 'pause' and 'has been killed' in call.words else call.op


def with_course(states, pending):
    todo, seen = list(states), set(states)
    while todo:
        done, at = todo.pop()
        under_way = {course(call) for i, call in pending.items() if i not in done}
        new = {(done, after) for after in goes_on(at, under_way)} - seen
        seen |= new
        todo += new
    return seen


def spread(states, pending):
    """All states that are reached when some of the pending calls act, in any order."""
    todo = list(with_course(states, pending))
    seen = set(todo)
    while todo:
        done, at = todo.pop()
        for i, call in pending.items():
            if i in done:
                continue
            new = with_course({(done | {i}, after) for after in follow(at, call)}, pending) - seen
            seen |= new
            todo += new
    return seen


def judge(calls):
    """The first call whose answer no order gives, or None; CALLS are those on one ID."""
    events = sorted([(call.begin, 0, i) for i, call in enumerate(calls)] + [(call.end, 1, i) for i, call in enumerate(calls)])
    states, pending = {(frozenset(), ABSENT)}, {}
    for _, is_end, i in events:
        if not is_end:
            pending[i] = calls[i]
            continue
        states = {(done - {i}, at) for done, at in spread(states, pending) if i in done}
        if calls[i].op == 'create' and calls[i].is_ok:
            states = {(done, at) for done, at in states if at not in (TAKEN, CREATING)}
        del pending[i]
        if not states:
            return calls[i]
    return None


class Crowd:
    def __init__(self, seconds):
        self.seconds = seconds
        self.runtime, self.bundles = Runtime(), []
        for _ in range(IDS):
            bundle = Bundle()
            bundle.config['process']['args'] = ['/bin/sleep', '1000']
            self.bundles.append(bundle.save())
        self.ground = Ground(self.runtime, self.bundles[0])

    def call(self, op, number):
        """Carries out one command and gives the record of it."""
        name = f'c{number}'
        places = {'ID': name, 'BUNDLE': str(self.bundles[number].path)}
        words = [places.get(word, word) for word in COMMANDS[op]]
        path = harness.tmp / f'out{os.getpid()}'
        with open(path, 'w+', encoding='utf-8', errors='replace') as out, open(f'{path}e', 'w+', encoding='utf-8') as err:
            begin = time.monotonic()
            process = subprocess.Popen(self.runtime.command(*words), stdin=subprocess.DEVNULL, stdout=out, stderr=err)
            status = process.wait(LIMIT * 2)
            end = time.monotonic()
            out.seek(0)
            err.seek(0)
            text, told = out.read(), err.read()
        # The status of a program that exec has run, and that was killed then, is its own.
        is_ok = status == 0 or op == 'exec' and not told
        if is_ok and told:
            return Call(begin, end, op, name, False, f'success, and yet: {told}')
        return Call(begin, end, op, name, is_ok,
                    (json.loads(text)['status'] if op == 'state' else '') if is_ok else told or f'status {status}')

    def work(self, seed, path):
        """One process of the crowd: waits for the orphans of its own calls, as each caller's init does."""
        check_call(libc.prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0), 'prctl')
        chance = random.Random(seed)
        end = time.monotonic() + self.seconds
        with open(path, 'w', encoding='utf-8') as file:
            while time.monotonic() < end:
                op = chance.choices(list(WEIGHTS), WEIGHTS.values())[0]
                file.write(json.dumps(self.call(op, chance.randrange(IDS))) + '\n')
                file.flush()
                harness.reap()

    def start_worker(self, seed):
        path = harness.tmp / f'crowd{seed}'
        pid = os.fork()
        if pid:
            return pid, path
        status = 1
        try:
            self.work(seed, path)
            status = 0
        finally:
            os._exit(status)

    def finish(self, workers):
        """Whoever waits for a container that nobody resumes any more is helped; nobody may wait for anything else."""
        calls, problems = [], []
        end, left = time.monotonic() + self.seconds, dict(workers)
        while left:
            if time.monotonic() > end + LIMIT:
                problems.append(f'{len(left)} processes of the crowd do not end')
                for pid in left:
                    os.kill(pid, signal.SIGKILL)
                    os.waitpid(pid, 0)
                break
            if time.monotonic() > end:
                calls += [self.call('force', number) for number in range(IDS)]
            for pid in list(left):
                if os.waitpid(pid, os.WNOHANG)[0]:
                    del left[pid]
            time.sleep(0.1)
        calls += [self.call('force', number) for number in range(IDS)]
        for _, path in workers:
            calls += [Call(*json.loads(line)) for line in path.read_text().splitlines()]
            path.unlink()
        return calls, problems

    def run(self, seed):
        workers = [self.start_worker(seed + i) for i in range(WORKERS)]
        calls, problems = self.finish(workers)
        for number in range(IDS):
            wrong = judge(sorted(call for call in calls if call.name == f'c{number}'))
            if wrong:
                near = [call for call in calls if call.name == wrong.name and call.end > wrong.begin - 0.3 and
                        call.begin < wrong.end]
                problems.append(f'no order gives {wrong} after: ' + '; '.join(
                    f'{call.begin - wrong.begin:+.4f} to {call.end - wrong.begin:+.4f} {call.op}: '
                    f'{"ok" if call.is_ok else ""} {re.sub(".*msg=", "", call.words).strip()}' for call in sorted(near)))
        return calls, problems + [f'left {what}' for what in self.ground.left()]


def run(stride, pattern=''):
    """Minutes when all is tried, else seconds."""
    seconds = 180 if stride == 1 else 20
    row = f'{WORKERS} at once on {IDS} IDs'
    if not re.search(pattern, row):
        return
    with timed_row(row) as timed:
        seed = random.SystemRandom().randrange(1 << 30)
        print(f'# seed {seed}', flush=True)
        calls, problems = Crowd(seconds).run(seed)
        timed.points = len(calls)
        for problem in problems:
            figures.add(row, f'seed {seed}', [problem])
        figures.add_many(row, len(calls) - len(problems))
