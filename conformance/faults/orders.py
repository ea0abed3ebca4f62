# SPDX-License-Identifier: Apache-2.0
"""Two commands on one container, in every order that a lock decides.

The first is held before one of its system calls, each in turn, while the second begins; when that has ended, or waits for
the first, the first goes on. What both answer and what is there afterwards must be as after one of them and then the
other, in either order; or one of them says truly that the other came in between.
"""
import re

import harness
from harness import Bundle, Container
from trials import LIMIT, Begun, Ground, Held, Runtime, figures, read_points, settle, timed_row, tracer

ID = 'ordered'

# What a command says when another comes in between; no order of whole commands has it say so.
BETWEEN = (r"does not exist|was deleted while it was created|has ended|ended before it became the program|start FIFO"
           r"|ended unexpectedly: killed by signal 9|was ended by signal 9")


class Pair:
    """Two commands on a container with the status WHERE."""

    def __init__(self, where, first, second):
        self.where, self.words = where, (first.split(), second.split())
        self.row = f'{first} / {second}, {where}'
        self.runtime, self.bundle = Runtime(), Bundle()
        self.bundle.config['process']['args'] = ['/bin/sleep', '1000']
        self.bundle.save()
        self.ground = Ground(self.runtime, self.bundle)

    def fill_in(self, words):
        places = {'BUNDLE': str(self.bundle.path), 'ID': ID}
        return [places.get(word, word) for word in words]

    def begin(self, index, wrapper=()):
        return Begun(self.runtime, self.fill_in(self.words[index]), wrapper)

    def prepare(self):
        steps = {'absent': (), 'created': ('create',), 'running': ('create', 'start'),
                 'paused': ('create', 'start', 'pause'), 'stopped': ('create', 'start', 'kill')}[self.where]
        for name in steps:
            args = {'create': CREATE, 'kill': KILL}.get(name, f'{name} ID').split()
            end = Begun(self.runtime, self.fill_in(args)).finish()
            assert end.status == 0, repr(end)
        assert settle(lambda: self.status() == self.where), self.status()

    def status(self):
        answer = self.runtime.call('state', ID, timeout=LIMIT)
        if answer.status:
            return 'absent' if 'does not exist' in answer.err else repr(answer)
        return harness.json.loads(answer.out)['status']

    def clean(self):
        answer = self.runtime.call('delete', '--force', ID, timeout=LIMIT)
        problems = [] if answer.status == 0 else [f'cannot be deleted: {answer!r}']
        return problems + [f'left {what}' for what in self.ground.left()]

    def learn(self):
        """What the two orders give: whether each succeeds, and the status afterwards."""
        self.legal, self.statuses = set(), set()
        for order in ((0, 1), (1, 0)):
            self.prepare()
            ends = {}
            for index in order:
                ends[index] = self.begin(index).finish()
                if 'kill' in self.words[index] and ends[index].status == 0:
                    settle(lambda: self.status() in ('stopped', 'absent'))
            self.statuses.add(self.status())
            self.legal.add((ends[0].status == 0, ends[1].status == 0, self.status()))
            problems = self.clean()
            assert not problems, f'{self.row}: {problems}'

    def list_points(self):
        report = harness.tmp / f'report{harness.serial()}'
        self.prepare()
        self.begin(0, tracer(report)).finish()
        self.clean()
        points = [point for point in read_points(report) if point.process == 0]
        report.unlink()
        return points

    def judge(self, ends, status):
        oks = tuple(end.status == 0 for end in ends)
        problems = [f'succeeds with words: {end!r}' for end in ends if end.status == 0 and end.err]
        if (*oks, status) in self.legal:
            return problems
        # Who says that the other came in between has done nothing.
        told = [end.status != 0 and bool(re.search(BETWEEN, end.err)) for end in ends]
        if status in self.statuses and any(
                all(ok == legal[i] or told[i] for i, ok in enumerate(oks)) for legal in self.legal):
            return problems
        return problems + [f'{ends[0]!r}; {ends[1]!r}; then {status}: no order gives that, only {sorted(self.legal)}']

    def both(self, point):
        """The ends of both, and the status afterwards."""
        report = harness.tmp / f'report{harness.serial()}'
        first = Held(self.begin(0, tracer(report, point, 'hold')))
        second = self.begin(1)
        settle(lambda: second.has_ended() or second.waits_for_lock(), seconds=1)
        first.go_on()
        begun = (first.begun, second)
        settle(lambda: all(one.has_ended() for one in begun), seconds=2)
        settle(lambda: self.status() in self.statuses, seconds=2)
        status = self.status()
        if status == 'paused' and not all(one.has_ended() for one in begun):
            # Whose process is frozen before it is the program waits for somebody to resume the container.
            self.runtime.ok('resume', ID)
        return tuple(one.finish() for one in begun), status

    def try_point(self, point):
        self.prepare()
        try:
            problems = self.judge(*self.both(point))
        except AssertionError as error:
            problems = [str(error)]
        figures.add(self.row, point, problems + self.clean())


CREATE, FORCE = 'create --bundle BUNDLE ID', 'delete --force ID'
RUN, KILL, EXEC = 'run --detach --bundle BUNDLE ID', 'kill ID KILL', 'exec ID /bin/true'
UPDATE = 'update --pids-limit 77 ID'
PAIRS = [
    ('absent', CREATE, CREATE), ('absent', CREATE, FORCE), ('absent', CREATE, 'state ID'), ('absent', CREATE, 'list'),
    ('absent', CREATE, 'start ID'), ('absent', CREATE, KILL), ('absent', RUN, CREATE), ('absent', RUN, FORCE),
    ('created', 'start ID', 'start ID'), ('created', 'start ID', FORCE), ('created', 'start ID', KILL),
    ('created', 'start ID', 'pause ID'), ('created', 'start ID', 'state ID'), ('created', 'start ID', EXEC),
    ('running', EXEC, FORCE), ('running', EXEC, EXEC), ('running', EXEC, 'pause ID'), ('running', EXEC, KILL),
    ('running', KILL, FORCE), ('running', KILL, 'pause ID'), ('running', KILL, 'delete ID'),
    ('running', 'pause ID', FORCE), ('running', 'pause ID', 'pause ID'), ('running', 'pause ID', UPDATE),
    ('running', UPDATE, FORCE), ('running', UPDATE, UPDATE), ('running', 'state ID', FORCE), ('running', 'list', FORCE),
    ('running', 'ps ID', FORCE), ('paused', 'resume ID', FORCE), ('paused', 'resume ID', 'pause ID'),
    ('stopped', 'delete ID', 'delete ID'), ('stopped', 'delete ID', CREATE), ('stopped', 'delete ID', 'state ID'),
    ('stopped', 'delete ID', 'list'),
]


def run(stride, pattern=''):
    """Tries each STRIDEth point, beginning anew elsewhere for each pair; both commands of a pair are held in turn."""
    offset = 0
    for where, *words in PAIRS:
        for first, second in dict.fromkeys(((words[0], words[1]), (words[1], words[0]))):
            pair = Pair(where, first, second)
            if not re.search(pattern, pair.row):
                continue
            with timed_row(pair.row) as timed:
                pair.learn()
                points = pair.list_points()
                timed.points = len(points)
                offset += 1
                for point in points[offset % stride::stride]:
                    pair.try_point(point)
