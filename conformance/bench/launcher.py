# SPDX-License-Identifier: Apache-2.0
"""The launcher (launcher.c) as an object: starts programs and says what each cost."""
import subprocess
from dataclasses import dataclass


@dataclass
class Cost:
    """One program's run. Times in microseconds; RSS in KiB is the peak of the program or of what it waited for."""
    status: int
    wall: float
    cpu: float
    rss: int
    faults: int


class Launcher:
    def __init__(self, program):
        self.process = subprocess.Popen([program], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)

    def run_many(self, args, count, jobs=1, pause_ms=0):
        """COUNT runs of ARGS, JOBS at once. Returns their costs in the order of their ends, and the time for all."""
        self.process.stdin.write('\t'.join([str(jobs), str(count), str(pause_ms), *map(str, args)]) + '\n')
        self.process.stdin.flush()
        costs = []
        while True:
            fields = self.process.stdout.readline().split()
            if not fields:
                raise RuntimeError(f'the launcher has ended at {args}')
            if fields[0] == '=':
                return costs, int(fields[1]) / 1e3
            _, status, wall, user, system, rss, faults = map(int, fields)
            costs.append(Cost(status, wall / 1e3, user + system, rss, faults))

    def run(self, args, pause_ms=0):
        """One run, which must succeed."""
        (cost,), _ = self.run_many(args, 1, pause_ms=pause_ms)
        if cost.status:
            raise RuntimeError(f'{" ".join(map(str, args))}: exit status {cost.status}')
        return cost
