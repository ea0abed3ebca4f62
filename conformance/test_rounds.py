#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""What many rounds of create, start and delete leave of control groups, mounts, descriptors and processes: nothing."""
import os
import pathlib

import harness
from cgroup_files import with_resources
from harness import Runtime, expect
from machine import cgroup_mounts, controller_home, mount_table, orphans, reap

ROUNDS = int(os.environ.get('KOGG_TEST_ROUNDS', '200'))
MEGABYTE = 1 << 20

# By controller: all limits that every kernel with it knows.
LIMITS = {
    'memory': {'memory': {'limit': 64 * MEGABYTE, 'swap': 96 * MEGABYTE, 'reservation': 32 * MEGABYTE}},
    'cpu': {'cpu': {'shares': 512, 'quota': 50000, 'period': 100000}},
    'cpuset': {'cpu': {'cpus': '0', 'mems': '0'}},
    'pids': {'pids': {'limit': 20}},
    'hugetlb': {'hugepageLimits': [{'pageSize': '2MB', 'limit': 0}]},
}


def all_limits():
    resources = {}
    for controller, members in LIMITS.items():
        if controller_home(controller)[0]:
            for name, value in members.items():
                resources[name] = resources[name] | value if isinstance(resources.get(name), dict) else value
    return resources


def groups():
    """All directories of this test in all hierarchies."""
    return sorted(path for where in set(cgroup_mounts().values())
                  for top in pathlib.Path(where).glob(f'kogg-test-{os.getpid()}*') for path, _, _ in os.walk(top))


def own_processes():
    """Those of the whole host that execute the program under test; they alone could hold its descriptors."""
    found = []
    for process in pathlib.Path('/proc').glob('[0-9]*'):
        try:
            found += [process.name] if os.path.samefile(process / 'exe', harness.KOGG) else []
        except OSError:
            pass  # it has ended, or is a thread of the kernel
    return found


def everything():
    return groups(), mount_table(), own_processes(), orphans()


def test_rounds():
    runtime, bundle = Runtime(), with_resources(**all_limits())
    bundle.config['process']['args'] = ['sleep', '1000']
    bundle.save()
    runtime.ok('create', '--bundle', bundle.path, 'first')  # makes what stays: the state root, the top group
    runtime.ok('delete', '--force', 'first')
    reap()
    before = everything(), os.listdir(runtime.root)
    for i in range(ROUNDS):
        runtime.ok('create', '--bundle', bundle.path, f'c{i}')
        runtime.ok('start', f'c{i}')
        runtime.ok('delete', '--force', f'c{i}')
        reap()
    expect((everything(), os.listdir(runtime.root)), before, 'groups, mounts, processes and states')


def test_failing_rounds():
    """The same for containers that can't be made."""
    runtime, bundle = Runtime(), with_resources(unified={'nonesuch.max': '1'})
    bundle.save()
    runtime.fails('create', '--bundle', bundle.path, 'first')
    before = everything(), os.listdir(runtime.root)
    for i in range(max(ROUNDS // 10, 1)):
        runtime.fails('create', '--bundle', bundle.path, f'c{i}')
    expect((everything(), os.listdir(runtime.root)), before, 'groups, mounts, processes and states')


harness.main(__name__)
