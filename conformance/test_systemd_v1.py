#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""The systemd cgroup driver on a host with v1 hierarchies, alone or beside v2: what systemd makes, and what kogg adds.

For guests; test_systemd is the same on pure v2, and test_systemd_calls has what goes wrong.
"""
import os
import pathlib
import subprocess

import harness
from cgroup_files import check_files, settings
from harness import Bundle, Container, Runtime, cases, expect
from machine import cgroup_mounts, cgroups_are_v2

MEGABYTE = 1 << 20
SLICE = 'koggtest.slice'
PREFIX = f'kt{os.getpid()}'

LIMITS = {'memory': {'limit': 64 * MEGABYTE}, 'cpu': {'shares': 512, 'quota': 50000, 'period': 100000, 'cpus': '0', 'mems': '0'},
          'pids': {'limit': 33}}
IN_FORCE = {'memory': {'memory.limit_in_bytes': str(64 * MEGABYTE)}, 'pids': {'pids.max': '33'},
            'cpu': {'cpu.shares': '512', 'cpu.cfs_quota_us': '50000', 'cpu.cfs_period_us': '100000'},
            'cpuset': {'cpuset.cpus': '0', 'cpuset.mems': '0'}}


def systemctl(*args):
    return subprocess.run(['systemctl', '--no-pager', *args], stdout=subprocess.PIPE, text=True, check=True).stdout


def show(unit, *names):
    return dict(line.split('=', 1) for line in systemctl('show', unit, '-p', ','.join(names)).splitlines())


def unit_bundle(**resources):
    bundle = Bundle()
    name = f'c{harness.serial()}'
    bundle.config['linux']['cgroupsPath'] = f'{SLICE}:{PREFIX}:{name}'
    bundle.config['linux']['resources'] |= resources
    return bundle, f'{PREFIX}-{name}.scope'


def runtime():
    return Runtime('--systemd-cgroup')


def group(controller, unit):
    return pathlib.Path(cgroup_mounts()[controller], SLICE, unit)


def hierarchies():
    return sorted(set(cgroup_mounts().values()))


def expect_in_force(unit, wanted):
    for controller, files in wanted.items():
        check_files(group(controller, unit), files)


def test_life():
    """The process is in the unit's group in every hierarchy; afterwards there is none of them, and no unit."""
    bundle, unit = unit_bundle()
    with Container(runtime(), bundle) as container:
        container.create()
        check_files(group('pids', unit), {'pids.max': 'max'})
        for where in hierarchies():
            members = pathlib.Path(where, SLICE, unit, 'cgroup.procs').read_text().split()
            expect(members, [str(container.pid)], f'processes in {where}')
        expect(show(unit, 'ActiveState', 'Slice', 'Transient'),
               {'ActiveState': 'active', 'Slice': SLICE, 'Transient': 'yes'}, 'the unit')
        container.start()
        own = pathlib.Path(f'/proc/{container.pid}/cgroup').read_text()
        expect(container.runtime.ok('exec', container.id, 'cat', '/proc/self/cgroup').out, own, 'groups of an exec')
        container.runtime.ok('pause', container.id)
        expect(container.runtime.state(container.id)['status'], 'paused', 'status')
        container.runtime.ok('resume', container.id)
        container.finish()
        container.delete()
    expect([w for w in hierarchies() if pathlib.Path(w, SLICE, unit).exists()], [], 'groups that are left')
    expect(show(unit, 'LoadState')['LoadState'], 'not-found', 'load state')


def test_limits_survive_a_reload():
    bundle, unit = unit_bundle(**LIMITS)
    with Container(runtime(), bundle) as container:
        container.create().start()
        expect_in_force(unit, IN_FORCE)
        systemctl('daemon-reload')
        expect_in_force(unit, IN_FORCE)


def test_devices_survive_a_reload():
    rules = [{'allow': False, 'access': 'rwm'}, {'allow': True, 'type': 'c', 'major': 1, 'minor': 11, 'access': 'r'}]
    bundle, unit = unit_bundle(devices=rules)
    with Container(runtime(), bundle) as container:
        container.create().start()
        listed = set((group('devices', unit) / 'devices.list').read_text().splitlines())
        assert 'c 1:11 r' in listed and 'c 1:3 rwm' in listed and 'a *:* rwm' not in listed, listed
        systemctl('daemon-reload')
        again = set((group('devices', unit) / 'devices.list').read_text().splitlines())
        expect(again, listed, 'rules after a reload')


@cases(('too few', 1, 2), ('too many', 262145, 262144))
def test_shares_out_of_range(name, given, wanted):
    """The nearest, as without systemd."""
    bundle, unit = unit_bundle(cpu={'shares': given})
    with Container(runtime(), bundle) as container:
        container.create().start()
        expect_in_force(unit, {'cpu': {'cpu.shares': str(wanted)}})
        container.runtime.ok('update', '--cpu-share', given, container.id)
        expect_in_force(unit, {'cpu': {'cpu.shares': str(wanted)}})


def test_update():
    bundle, unit = unit_bundle(**LIMITS)
    with Container(runtime(), bundle) as container:
        container.create().start()
        container.runtime.ok('update', '--memory', 40 * MEGABYTE, '--cpu-quota', '15500', '--pids-limit', '21', container.id)
        wanted = IN_FORCE | {'memory': {'memory.limit_in_bytes': str(40 * MEGABYTE)}, 'pids': {'pids.max': '21'},
                             'cpu': IN_FORCE['cpu'] | {'cpu.cfs_quota_us': '15500'}}
        expect_in_force(unit, wanted)
        expect(show(unit, 'MemoryLimit', 'TasksMax'), {'MemoryLimit': str(40 * MEGABYTE), 'TasksMax': '21'}, 'properties')


DEVICES = [{'allow': False, 'access': 'rwm'}, {'allow': True, 'type': 'c', 'minor': 7, 'access': 'r'}]


def test_update_leaves_the_devices():
    """Not even for a moment is the container denied its own; also those that systemd has no words for."""
    bundle, unit = unit_bundle(devices=DEVICES, **LIMITS)
    bundle.config['process']['args'] = ['sh', '-c', '''trap 'echo "$denied denied"; exit' TERM; denied=0; echo ready
        while :; do echo >/dev/null || denied=$((denied + 1)); done''']
    with Container(runtime(), bundle) as container:
        container.create().start()
        expect(container.read_line(), 'ready', 'output')
        listed = sorted((group('devices', unit) / 'devices.list').read_text().splitlines())
        for limit in range(20, 30):
            container.runtime.ok('update', '--pids-limit', limit, container.id)
            expect(sorted((group('devices', unit) / 'devices.list').read_text().splitlines()), listed, 'rules')
        expect(container.runtime.state(container.id)['status'], 'running', 'status')
        container.runtime.ok('kill', container.id, 'TERM')
        expect(container.read_line(60), '0 denied', 'output')


def test_update_of_one_that_is_paused():
    bundle, unit = unit_bundle(devices=DEVICES, **LIMITS)
    with Container(runtime(), bundle) as container:
        container.create().start()
        listed = sorted((group('devices', unit) / 'devices.list').read_text().splitlines())
        container.runtime.ok('pause', container.id)
        container.runtime.ok('update', '--pids-limit', '20', container.id)
        expect(container.runtime.state(container.id)['status'], 'paused', 'status')
        expect(sorted((group('devices', unit) / 'devices.list').read_text().splitlines()), listed, 'rules')
        expect_in_force(unit, IN_FORCE | {'pids': {'pids.max': '20'}})
        container.runtime.ok('resume', container.id)


def test_update_leaves_the_rest():
    """systemd writes all files of a unit, whatever one is updated, and has quotas in whole percents."""
    bundle, unit = unit_bundle(cpu={'shares': 512, 'quota': 15500, 'period': 100000})
    with Container(runtime(), bundle) as container:
        container.create().start()
        (group('memory', unit) / 'memory.limit_in_bytes').write_text(str(64 * MEGABYTE))
        cpu = {'cpu.shares': '512', 'cpu.cfs_quota_us': '15500', 'cpu.cfs_period_us': '100000'}
        for limit in ('20', '21'):
            container.runtime.ok('update', '--pids-limit', limit, container.id)
            expect_in_force(unit, {'cpu': cpu, 'memory': {'memory.limit_in_bytes': str(64 * MEGABYTE)},
                                   'pids': {'pids.max': limit}})
        container.runtime.ok('update', '--cpu-period', '200000', container.id)
        container.runtime.ok('update', '--pids-limit', '22', container.id)
        expect_in_force(unit, {'cpu': cpu | {'cpu.cfs_period_us': '200000'}})


def test_update_that_fails():
    bundle, unit = unit_bundle(**LIMITS)
    with Container(runtime(), bundle) as container:
        container.create().start()
        bundle.config['linux']['cgroupsPath'] = f'/{SLICE}/{unit}'
        before, properties = settings(bundle), show(unit, 'MemoryLimit', 'TasksMax')
        path = harness.tmp / 'resources.json'
        path.write_text('{"pids": {"limit": 21}, "network": {"priorities": [{"name": "none0", "priority": 1}]}}')
        record = container.runtime.fails('update', '--resources', path, container.id)
        expect(record['pointer'], '/network/priorities/0', 'pointer')
        expect(settings(bundle), before, 'settings')
        expect(show(unit, 'MemoryLimit', 'TasksMax'), properties, 'properties')


def test_rounds_leave_nothing():
    own = runtime()
    for number in range(10):
        bundle, _ = unit_bundle(**LIMITS)
        with Container(own, bundle) as container:
            container.create()
            if number % 2:
                container.start()
    left = [str(p) for where in hierarchies() for p in pathlib.Path(where, SLICE).glob(f'{PREFIX}-*')]
    expect(left, [], 'groups')
    expect(systemctl('list-units', '--all', '--plain', '--no-legend', f'{PREFIX}-*'), '', 'units')


def main():
    if not os.path.exists('/run/systemd/private'):
        harness.skip_all('systemd is not the init here')
    if cgroups_are_v2():
        harness.skip_all('this host has no v1 hierarchies')
    harness.main('__main__')


main()
