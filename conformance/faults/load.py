# SPDX-License-Identifier: Apache-2.0
"""Many containers: alive at once, created at once, and one after the other; afterwards there is as much as before."""
import json
import os
import re
import resource
import time

import harness
from harness import Bundle, settle
from machine import CGROUP_TOP, cgroup_leftovers, mount_table, orphans
from trials import LIMIT, Begun, Runtime, figures, timed_row


class Census:
    """What there is of the things that a runtime may leave."""

    def __init__(self, runtime):
        root = runtime.root
        self.counts = {
            'mounts': len(mount_table()),
            'cgroups': len(cgroup_leftovers()),
            'processes': len(orphans()),
            'descriptors': len(os.listdir('/proc/self/fd')),
            'state files': sum(len(files) for _, _, files in os.walk(root)),
            'temporary files': sum(len(files) for _, _, files in os.walk(harness.tmp)),
        }

    def growth_since(self, before):
        return [f'{number - before.counts[name]:+d} {name}' for name, number in self.counts.items()
                if number != before.counts[name]]


class Many:
    """Bundles that share one root file system, which none of them changes."""

    def __init__(self, count):
        self.runtime, self.count = Runtime(), count
        first = Bundle()
        self.bundles = []
        for i in range(count):
            bundle = Bundle(rootfs=False)
            bundle.config['root'] = {'path': str(first.rootfs), 'readonly': True}
            bundle.config['process']['args'] = ['/bin/sleep', '100000']
            # What has a name that is new in each: a place for all.
            bundle.config['linux']['cgroupsPath'] = f'/{CGROUP_TOP}/many{i}'
            self.bundles.append(bundle.save())
        # The first one ever leaves what stays: mount points in the root, the cache of filters.
        self.call('create', 0)
        self.call('delete', 0)
        self.before = Census(self.runtime)

    def words(self, name, i):
        return {'create': ['create', '--bundle', self.bundles[i].path, f'm{i}'], 'start': ['start', f'm{i}'],
                'delete': ['delete', '--force', f'm{i}'],
                'run': ['run', '--bundle', self.bundles[i].path, f'm{i}']}[name]

    def call(self, name, i):
        """Nothing that is wrong, or how the command ended."""
        end = Begun(self.runtime, self.words(name, i)).finish()
        return [] if end.status == 0 and not end.err else [f'{end!r}']

    def grown(self):
        settle(lambda: not Census(self.runtime).growth_since(self.before), seconds=5)
        return [f'growth: {text}' for text in Census(self.runtime).growth_since(self.before)]


def add(row, count, problems):
    for problem in problems:
        figures.add(row, 'load', [problem])
    figures.add_many(row, count - len(problems))


def alive(count):
    """All are there, run, and are listed; the last one is made as fast as the first, within reason."""
    row = f'{count} alive at once'
    with timed_row(row) as timed:
        many, problems, times = Many(count), [], []
        for i in range(count):
            begin = time.monotonic()
            problems += many.call('create', i) + many.call('start', i)
            times.append(time.monotonic() - begin)
        listed = json.loads(many.runtime.ok('list', '--format', 'json', timeout=LIMIT).out)
        running = sum(entry['status'] == 'running' for entry in listed)
        problems += [] if running == count else [f'list shows {running} that run']
        for i in range(count):
            problems += many.call('delete', i)
        tenth = max(1, count // 10)
        print(f'# the first {tenth}: {sum(times[:tenth]) / tenth * 1000:.1f} ms each, the last: '
              f'{sum(times[-tenth:]) / tenth * 1000:.1f} ms each', flush=True)
        timed.points = 3 * count
        add(row, 3 * count, problems + many.grown())


def at_once(count):
    row = f'{count} created at once'
    with timed_row(row) as timed:
        many, problems = Many(count), []
        for name in ('create', 'start', 'delete'):
            begun = [Begun(many.runtime, many.words(name, i)) for i in range(count)]
            ends = [one.finish() for one in begun]
            problems += [f'{end!r}' for end in ends if end.status or end.err]
        timed.points = 3 * count
        add(row, 3 * count, problems + many.grown())


def lives(count):
    """The same container again and again, in both ways, and the largest memory that any command has had."""
    row = f'{count} lives in a row'
    with timed_row(row) as timed:
        many, problems = Many(2), []
        many.bundles[1].config['process']['args'] = ['/bin/true']
        many.bundles[1].save()
        largest = []
        for i in range(count):
            if i % 2:
                problems += many.call('run', 1)
            else:
                problems += many.call('create', 0) + many.call('start', 0) + many.call('delete', 0)
            if i == count // 10:
                largest.append(resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss)
        largest.append(resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss)
        if largest[-1] > largest[0] * 1.1:
            problems.append(f'the largest memory of a command grew from {largest[0]} to {largest[-1]} KiB')
        timed.points = count
        add(row, count, problems + many.grown())


def run(stride, pattern=''):
    scale = 1 if stride == 1 else 20
    for part, count in ((alive, 1000), (at_once, 100), (lives, 10000)):
        if re.search(pattern, part.__name__):
            part(count // (scale * 5 if part is lives and scale > 1 else scale))
