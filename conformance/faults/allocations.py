# SPDX-License-Identifier: Apache-2.0
"""Every allocation of a command in turn fails, in the runtime and in the container's first process.

What has to hold is what points.py says of a system call that fails. Those of the C library itself are not among them.
"""
import os
import re
import struct

import harness
from points import TRIALS
from trials import figures, judge_message, timed_row

STARVED = os.environ.get('KOGG_STARVED', str(harness.SOURCE / 'build/conformance/kogg_starved'))


class Starvation:
    """A trial of points.py whose command is a copy of the program that lacks memory at one turn."""

    def __init__(self, trial):
        self.trial = trial
        self.file = harness.tmp / f'starve{harness.serial()}'

    def call(self, turn):
        """How the command ended, and how often it asked for memory."""
        self.file.write_bytes(bytes(8))
        runtime, whole = self.trial.runtime, harness.KOGG
        runtime.env = {**os.environ, 'STARVE_FILE': str(self.file), 'STARVE_TURN': str(turn)}
        harness.KOGG = STARVED
        try:
            answer = self.trial.issue(())
        finally:
            harness.KOGG, runtime.env = whole, None
        answer.count = struct.unpack('L', self.file.read_bytes())[0]
        return answer

    def count(self):
        """How many allocations there are; the first time there is more, as in points.py."""
        for _ in range(2):
            self.trial.wanted = None
            self.trial.prepare()
            answer = self.call(0)
            problems = [f'{answer!r}'] if answer.status else self.trial.done(answer)
            problems += self.trial.clean()
            assert not problems, f'{self.trial.row}: {problems}'
        return answer.count

    def fail(self, turn):
        trial = self.trial
        trial.prepare()
        answer = trial.guarded(self.call, turn)
        if isinstance(answer, list):
            problems = answer
        elif answer.status == 0:
            problems = trial.guarded(trial.done, answer)
        else:
            problems = judge_message(answer) + trial.guarded(trial.undone, answer)
        return problems + trial.clean()


def run(stride, pattern=''):
    offset = 0
    for kind, make in TRIALS:
        if not re.search(pattern, f'{make.__name__} {kind.__name__}'):
            continue
        starvation = Starvation(make(kind))
        row = f'{starvation.trial.row}: no memory'
        with timed_row(row) as timed:
            timed.points = starvation.count()
            offset += 1
            for turn in range(1 + offset % stride, timed.points + 1, stride):
                figures.add(row, f'allocation {turn}', starvation.fail(turn))
