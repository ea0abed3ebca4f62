#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""config-linux.md, "Control groups": every member of linux.resources, in the kernel's files or refused by name.

What a host can't do is refused with the member's JSON pointer; so each row holds on v1, hybrid and v2 hosts.
"""
import os
import pathlib
import re

import harness
from cgroup_files import Line, Refused, check_files, check_refusal, group_of, need, settings, with_resources
from harness import Container, Runtime, Skip, cases, expect, expect_in
from machine import CGROUP_TOP, cgroup_mounts, controller_home, group_files

MEGABYTE = 1 << 20
PAGE = os.sysconf('SC_PAGE_SIZE')
V1_UNLIMITED = str((1 << 63) // PAGE * PAGE - PAGE)
NO_FORM = 'has no counterpart in cgroup v2'


def check_member(bundle, pointer, controller, v1, v2):
    """
    Creates the container. V1 and V2 are what must come of it where that version has the controller: file and text,
    a list of such for kernels with different files, or the words of the error. {} asks nothing of the host.
    """
    version, where = controller_home(controller)
    choices = {1: v1, 2: v2}.get(version)
    if isinstance(choices, Refused):
        choices = f"write '{choices}"
    if version == 0 and v2 == {}:
        choices = {}
    elif version == 0:
        choices = v2 if type(v2) is str else f"controller '{controller}'"
        pointer = f'{pointer.split("/")[0]}/.*'  # the first of them that wants the controller
    if isinstance(choices, dict):
        choices = [choices]
    with Container(Runtime(), bundle) as container:
        answer = container.try_create()
        if isinstance(choices, str):
            check_refusal(answer, pointer, choices)
            return
        files = group_files(where) if where else set()
        wanted = next((c for c in choices if set(c) <= files), None)
        if wanted is None:
            check_refusal(answer, pointer, f"no cgroup file '({'|'.join(n for c in choices for n in c)})'")
            return
        expect(answer.status, 0, repr(answer))
        if wanted:
            container.start()
            check_files(group_of(bundle, where), wanted)


# One member a row: pointer, resources, controller, and what is in force on v1 and on v2

def memory(**members):
    return {'memory': members}


def cpu(**members):
    return {'cpu': members}


def pages(value):
    return str(value // PAGE * PAGE)


@cases(
    ('memory/limit', memory(limit=32 * MEGABYTE), {'memory.limit_in_bytes': '33554432'}, {'memory.max': '33554432'}),
    ('memory/limit', memory(limit=32 * MEGABYTE + 1), {'memory.limit_in_bytes': '33554432'}, {'memory.max': '33554432'}),
    ('memory/limit', memory(limit=-1), {'memory.limit_in_bytes': V1_UNLIMITED}, {'memory.max': 'max'}),
    ('memory/reservation', memory(reservation=16 * MEGABYTE), {'memory.soft_limit_in_bytes': '16777216'},
     {'memory.low': '16777216'}),
    ('memory/reservation', memory(reservation=-1), {'memory.soft_limit_in_bytes': V1_UNLIMITED}, {'memory.low': 'max'}),
    ('memory/swap', memory(limit=32 * MEGABYTE, swap=48 * MEGABYTE), {'memory.memsw.limit_in_bytes': '50331648'},
     {'memory.max': '33554432', 'memory.swap.max': '16777216'}),
    ('memory/swap', memory(limit=32 * MEGABYTE, swap=32 * MEGABYTE), {'memory.memsw.limit_in_bytes': '33554432'},
     {'memory.swap.max': '0'}),
    ('memory/swap', memory(limit=32 * MEGABYTE, swap=-1), {'memory.memsw.limit_in_bytes': V1_UNLIMITED},
     {'memory.swap.max': 'max'}),
    ('memory/swap', memory(limit=-1, swap=-1), {'memory.memsw.limit_in_bytes': V1_UNLIMITED},
     {'memory.max': 'max', 'memory.swap.max': 'max'}),
    ('memory/swap', memory(limit=64 * MEGABYTE, swap=32 * MEGABYTE), 'must not be below', 'must not be below'),
    ('memory/swap', memory(swap=32 * MEGABYTE), Refused('33554432'), 'needs memory.limit'),
    ('memory/kernelTCP', memory(kernelTCP=16 * MEGABYTE), {'memory.kmem.tcp.limit_in_bytes': '16777216'}, NO_FORM),
    ('memory/swappiness', memory(swappiness=0), {'memory.swappiness': '0'}, NO_FORM),
    ('memory/swappiness', memory(swappiness=100), {'memory.swappiness': '100'}, NO_FORM),
    ('memory/disableOOMKiller', memory(disableOOMKiller=True), {'memory.oom_control': Line('oom_kill_disable 1')}, NO_FORM),
    ('memory/disableOOMKiller', memory(disableOOMKiller=False), {'memory.oom_control': Line('oom_kill_disable 0')}, {}),
    ('memory/useHierarchy', memory(useHierarchy=True), {'memory.use_hierarchy': '1'}, {}),
    ('memory/useHierarchy', memory(useHierarchy=False), Refused("0' to cgroup file 'memory.use_hierarchy'"), NO_FORM),
    ('memory/checkBeforeUpdate', memory(checkBeforeUpdate=True, limit=32 * MEGABYTE),
     {'memory.limit_in_bytes': '33554432'}, {'memory.max': '33554432'}),
)
def test_memory(pointer, resources, v1, v2):
    if resources['memory'].get('swap') and controller_home('memory')[0] == 2:
        if 'memory.swap.max' not in group_files(controller_home('memory')[1]):
            raise Skip('this kernel does not account swap')
    check_member(with_resources(**resources), pointer, 'memory', v1, v2)


def test_memory_kernel():
    """A limit that kernels since Linux 5.16 take and don't keep: v1 warns, v2 refuses."""
    bundle = with_resources(memory={'kernel': 64 * MEGABYTE})
    if controller_home('memory')[0] != 1:
        check_refusal(Runtime().call('create', '--bundle', bundle.save().path, 'x'), 'memory/kernel', NO_FORM)
        return
    with Container(Runtime(), bundle) as container:
        answer = container.try_create()
        expect(answer.status, 0, repr(answer))
        kept = (group_of(bundle, controller_home('memory')[1]) / 'memory.kmem.limit_in_bytes').read_text()
        if int(kept) != 64 * MEGABYTE:
            expect_in('memory/kernel', answer.log_text, 'the warning')
            expect([r['level'] for r in answer.records()], ['warning'], 'levels')


# The weights that shares become, as runc since 1.3.2, crun since 1.23 and youki since 0.5.7 have them.
WEIGHTS = {1: 1, 2: 1, 10: 4, 50: 10, 100: 17, 102: 17, 128: 21, 204: 29, 256: 35, 512: 59, 1000: 99, 1023: 100, 1024: 100,
           1025: 101, 2048: 174, 4096: 303, 8192: 532, 10240: 639, 65536: 3023, 131072: 5478, 262144: 10000, 300000: 10000}


@cases(*((f'{shares} is {weight}', shares, weight) for shares, weight in WEIGHTS.items()))
def test_cpu_shares(name, shares, weight):
    clamped = str(max(2, min(shares, 262144)))
    check_member(with_resources(cpu={'shares': shares}), 'cpu/shares', 'cpu', {'cpu.shares': clamped},
                 {'cpu.weight': str(weight)})


@cases(
    ('cpu/quota', cpu(quota=50000, period=200000), {'cpu.cfs_quota_us': '50000', 'cpu.cfs_period_us': '200000'},
     {'cpu.max': '50000 200000'}),
    ('cpu/quota', cpu(quota=20000), {'cpu.cfs_quota_us': '20000', 'cpu.cfs_period_us': '100000'},
     {'cpu.max': '20000 100000'}),
    ('cpu/quota', cpu(quota=-1), {'cpu.cfs_quota_us': '-1'}, {'cpu.max': 'max 100000'}),
    ('cpu/quota', cpu(quota=10), Refused("10' to cgroup file 'cpu.cfs_quota_us'"), Refused("10' to cgroup file 'cpu.max'")),
    ('cpu/period', cpu(period=50000), {'cpu.cfs_quota_us': '-1', 'cpu.cfs_period_us': '50000'}, {'cpu.max': 'max 50000'}),
    ('cpu/period', cpu(period=1), Refused("1' to cgroup file 'cpu.cfs_period_us'"),
     Refused("max 1' to cgroup file 'cpu.max'")),
    ('cpu/burst', cpu(quota=50000, burst=20000), {'cpu.cfs_burst_us': '20000'},
     {'cpu.max': '50000 100000', 'cpu.max.burst': '20000'}),
    ('cpu/idle', cpu(idle=1), {'cpu.idle': '1', 'cpu.shares': '3'}, {'cpu.idle': '1', 'cpu.weight': '0'}),
    ('cpu/idle', cpu(idle=0), {'cpu.idle': '0'}, {'cpu.idle': '0'}),
)
def test_cpu(pointer, resources, v1, v2):
    check_member(with_resources(**resources), pointer, 'cpu', v1, v2)


@cases(('cpu/cpus', cpu(cpus='0'), {'cpuset.cpus': '0'}), ('cpu/mems', cpu(mems='0'), {'cpuset.mems': '0'}),
       ('cpu/cpus', cpu(cpus='9999'), Refused("9999' to cgroup file 'cpuset.cpus'")))
def test_cpuset(pointer, resources, files):
    check_member(with_resources(**resources), pointer, 'cpuset', files, files)


@cases(('cpu/realtimeRuntime', cpu(realtimeRuntime=1000), 'cpu.rt_runtime_us', '1000'),
       ('cpu/realtimePeriod', cpu(realtimePeriod=500000), 'cpu.rt_period_us', '500000'))
def test_realtime(pointer, resources, name, text):
    """At the top of the hierarchy, because the kernel gives no more than the group above has, and that has nothing."""
    bundle = with_resources(**resources)
    bundle.config['linux']['cgroupsPath'] = f'/{CGROUP_TOP}-realtime'
    check_member(bundle, pointer, 'cpu', {name: text}, NO_FORM)


@cases((0,), (1,), (33,), (-1,))
def test_pids(limit):
    """0 would keep init from being born: it is written once that has nothing left to fork."""
    text = 'max' if limit < 0 else str(limit)
    check_member(with_resources(pids={'limit': limit}), 'pids/limit', 'pids', {'pids.max': text}, {'pids.max': text})


def test_pids_without_a_limit():
    """OPTIONAL since 1.3.0: no limit."""
    bundle = with_resources(pids={})
    with Container(Runtime(), bundle) as container:
        container.create()
        version, where = controller_home('pids')
        if version:
            check_files(group_of(bundle, where), {'pids.max': 'max'})


# Block I/O

def block_device():
    for path in sorted(pathlib.Path('/sys/block').iterdir()):
        if not path.name.startswith(('loop', 'ram', 'zram')):
            return [int(n) for n in (path / 'dev').read_text().split(':')]
    raise Skip('there is no block device')


@cases((10, 1), (100, 910), (500, 4950), (1000, 10000))
def test_io_weight(weight, converted):
    check_member(with_resources(blockIO={'weight': weight}), 'blockIO/weight', 'io',
                 [{'blkio.weight': str(weight)}, {'blkio.bfq.weight': str(weight)}],
                 [{'io.bfq.weight': Line(f'default {weight}')}, {'io.weight': Line(f'default {converted}')}])


@cases(('leaf weight', {'leafWeight': 500}, 'blockIO/leafWeight', 'blkio.leaf_weight'),
       ('device', {'weightDevice': [{'major': 1, 'minor': 1, 'leafWeight': 500}]}, 'blockIO/weightDevice/0/leafWeight',
        'blkio.leaf_weight_device'))
def test_io_leaf_weight(name, members, pointer, file):
    check_member(with_resources(blockIO=members), pointer, 'io', {file: '500'}, NO_FORM)


def test_io_weight_of_a_device():
    """The kernel takes it for devices with the BFQ scheduler; others are refused, and the entry is named."""
    major, minor = block_device()
    bundle = with_resources(blockIO={'weightDevice': [{'major': major, 'minor': minor, 'weight': 200}]})
    version, where = controller_home('io')
    with Container(Runtime(), bundle) as container:
        answer = container.try_create()
        if answer.status:
            pointer = 'blockIO/weightDevice/0' + ('/weight' if version == 1 else '')
            check_refusal(answer, pointer, "cgroup file '(blkio|io)\\.|controller 'io'")
        else:
            name = next(n for n in ('blkio.bfq.weight_device', 'io.bfq.weight', 'io.weight') if n in group_files(where))
            text = f'{major}:{minor} {1 + 190 * 9999 // 990 if name == "io.weight" else 200}'
            check_files(group_of(bundle, where), {name: Line(text)})


THROTTLES = {'throttleReadBpsDevice': ('blkio.throttle.read_bps_device', 1 << 20),
             'throttleWriteBpsDevice': ('blkio.throttle.write_bps_device', 2 << 20),
             'throttleReadIOPSDevice': ('blkio.throttle.read_iops_device', 100),
             'throttleWriteIOPSDevice': ('blkio.throttle.write_iops_device', 200)}


def test_io_throttles():
    major, minor = block_device()
    members = {name: [{'major': major, 'minor': minor, 'rate': rate}] for name, (_, rate) in THROTTLES.items()}
    check_member(with_resources(blockIO=members), 'blockIO/throttleReadBpsDevice/0', 'io',
                 {file: f'{major}:{minor} {rate}' for file, rate in THROTTLES.values()},
                 {'io.max': f'{major}:{minor} rbps=1048576 wbps=2097152 riops=100 wiops=200'})


@cases(*((name,) for name in THROTTLES))
def test_io_throttle_of_no_device(name):
    entries = [{'major': 4095, 'minor': 9, 'rate': 1}]
    check_member(with_resources(blockIO={name: entries}), f'blockIO/{name}/0', 'io', Refused('4095:9'), Refused('4095:9'))


# The rest

def page_size():
    """As the kernel's files spell it; the smallest."""
    sizes = [int(p.name.removeprefix('hugepages-').removesuffix('kB'))
             for p in pathlib.Path('/sys/kernel/mm/hugepages').glob('hugepages-*')]
    if not sizes:
        raise Skip('this kernel has no huge pages')
    kib = min(sizes)
    return f'{kib >> 10}MB' if kib >= 1024 else f'{kib}KB'


@cases((8 * MEGABYTE,), (0,))
def test_hugepages(limit):
    """The reservations, too: else memory is promised that nobody may use."""
    size = page_size()
    check_member(with_resources(hugepageLimits=[{'pageSize': size, 'limit': limit}]), 'hugepageLimits/0', 'hugetlb',
                 {f'hugetlb.{size}.limit_in_bytes': str(limit), f'hugetlb.{size}.rsvd.limit_in_bytes': str(limit)},
                 {f'hugetlb.{size}.max': str(limit), f'hugetlb.{size}.rsvd.max': str(limit)})


def test_hugepages_of_no_size():
    text = "controller 'hugetlb'|no cgroup file 'hugetlb.3MB"
    check_member(with_resources(hugepageLimits=[{'pageSize': '3MB', 'limit': 0}]), 'hugepageLimits/0', 'hugetlb', text, text)


def test_rdma():
    """Without a device of that name the kernel refuses the line, and where it has no controller, that is said."""
    text = "controller 'rdma'|cgroup file 'rdma.max'"
    check_member(with_resources(rdma={'nonesuch0': {'hcaHandles': 3, 'hcaObjects': 10}}), 'rdma/nonesuch0', 'rdma', text, text)


def test_network_class():
    check_member(with_resources(network={'classID': 0x100001}), 'network/classID', 'net_cls',
                 {'net_cls.classid': '1048577'}, NO_FORM)


def test_network_priorities():
    pointer = 'network/priorities' + ('/0' if controller_home('net_prio')[0] == 1 else '')
    check_member(with_resources(network={'priorities': [{'name': 'lo', 'priority': 7}]}), pointer, 'net_prio',
                 {'net_prio.ifpriomap': Line('lo 7')}, NO_FORM)


def v2_controllers():
    where = cgroup_mounts().get('')
    return pathlib.Path(where, 'cgroup.controllers').read_text().split() if where else []


@cases(
    ('memory.high', {'memory.high': '50331648'}, {'memory.high': '50331648'}),
    ('pids.max', {'pids.max': '9'}, {'pids.max': '9'}),
    ('cgroup.max.depth', {'cgroup.max.depth': '3'}, {'cgroup.max.depth': '3'}),
    ('hugetlb', {'hugetlb.2MB.max': '2097152'}, {'hugetlb.2MB.max': '2097152'}),
    ('newline', {'cgroup.max.depth': '4\n'}, {'cgroup.max.depth': '4'}),
    ('lines', {'cgroup.max.depth': '4\n5'}, {'cgroup.max.depth': '5'}),
)
def test_unified(name, unified, files):
    key = list(unified)[0]
    controller = key.split('.')[0]
    bundle = with_resources(unified=unified)
    with Container(Runtime(), bundle) as container:
        answer = container.try_create()
        if '' not in cgroup_mounts():
            check_refusal(answer, 'unified', 'no cgroup v2')
        elif controller not in ['cgroup', *v2_controllers()]:
            lines = [line.split() for line in pathlib.Path('/proc/cgroups').read_text().splitlines()]
            is_taken = any(line[0] == controller and line[1] != '0' for line in lines)
            check_refusal(answer, f'unified/{key}', f"controller '{controller}' is not available in cgroup '/sys/fs/cgroup.*"
                          + ('; a v1 hierarchy has taken it' if is_taken else 'a cgroup above needs'))
        else:
            expect(answer.status, 0, repr(answer))
            check_files(group_of(bundle, cgroup_mounts()['']), files)


@cases(
    ('unknown file', {'cgroup.nonesuch': '1'}, '/cgroup.nonesuch', "no cgroup file 'cgroup.nonesuch'"),
    ('unknown controller', {'nonesuch.max': '1'}, '/nonesuch.max', "controller 'nonesuch'"),
    ('no controller', {'x': '1'}, '/x', "'x'"),
    ('refused', {'cgroup.max.depth': 'many'}, '/cgroup.max.depth', "write 'many\n?' to cgroup file 'cgroup.max.depth'"),
    ('tilde', {'cgroup.a~b': '1'}, '/cgroup.a~0b', "no cgroup file 'cgroup.a~b'"),
)
def test_unified_that_cannot_be(name, unified, pointer, text):
    answer = Runtime().call('create', '--bundle', with_resources(unified=unified).save().path, 'x')
    if '' not in cgroup_mounts():
        check_refusal(answer, 'unified', 'no cgroup v2')
    else:
        check_refusal(answer, 'unified' + pointer, text)


def test_unified_comes_last():
    """Its values win over the other members'."""
    for controller, resources, files in (
            ('pids', {'pids': {'limit': 5}, 'unified': {'pids.max': '7'}}, {'pids.max': '7'}),
            ('hugetlb', {'hugepageLimits': [{'pageSize': '2MB', 'limit': 0}], 'unified': {'hugetlb.2MB.max': '2097152'}},
             {'hugetlb.2MB.max': '2097152', 'hugetlb.2MB.rsvd.max': '0'})):
        if controller_home(controller)[0] == 2:
            check_member(with_resources(**resources), '', controller, '', files)
            return
    raise Skip('neither pids nor hugetlb is a v2 controller here')


# More members at once

ZEROS = {'memory': {'limit': 0, 'swap': 0, 'reservation': 0, 'kernel': 0, 'kernelTCP': 0, 'disableOOMKiller': False},
         'cpu': {'shares': 0, 'quota': 0, 'period': 0, 'realtimeRuntime': 0, 'realtimePeriod': 0, 'cpus': '', 'mems': ''},
         'blockIO': {'weight': 0, 'leafWeight': 0, 'weightDevice': [{'major': 8, 'minor': 0, 'weight': 0, 'leafWeight': 0}],
                     'throttleReadBpsDevice': []},
         'hugepageLimits': [], 'rdma': {}, 'unified': {}, 'network': {}}


def test_zeros_of_engines():
    """docker 20 sends 0 for what it leaves alone: nothing changes, and nothing is asked of the host."""
    seen = []
    for members in ({}, ZEROS):
        bundle = with_resources(**members)
        with Container(Runtime(), bundle) as container:
            container.create()
            seen.append(settings(bundle))
    expect(seen[1], seen[0], 'settings')


def test_limits_above_are_not_touched():
    """Only the container's own group is limited, not those on the way to it."""
    need('pids')
    bundle = with_resources(pids={'limit': 9})
    bundle.config['linux']['cgroupsPath'] = f'/{CGROUP_TOP}/above/below'
    with Container(Runtime(), bundle) as container:
        container.create()
        group = group_of(bundle, controller_home('pids')[1])
        expect([(group.parent / 'pids.max').read_text().strip(), (group / 'pids.max').read_text().strip()], ['max', '9'],
               'pids.max')


def test_parent_that_holds_processes():
    """v2 limits no children of a group with processes: the error names that group and says so."""
    if '' not in cgroup_mounts() or not v2_controllers():
        raise Skip('there is no v2 controller')
    controller = v2_controllers()[-1]
    parent = pathlib.Path(cgroup_mounts()[''], CGROUP_TOP, 'parent')
    parent.mkdir(parents=True)
    other = harness.subprocess.Popen(['sleep', '100'])
    try:
        (parent / 'cgroup.procs').write_text(str(other.pid))
        file = f'{controller}.{"2MB." if controller == "hugetlb" else ""}max'
        bundle = with_resources(unified={file: 'max'})
        bundle.config['linux']['cgroupsPath'] = f'/{CGROUP_TOP}/parent/mine'
        record = check_refusal(Runtime().call('create', '--bundle', bundle.save().path, 'x'), f'unified/{file}',
                               f"controller '{controller}' below cgroup '{parent}'.*holds processes")
        expect_in('cgroupsPath', record['hint'], 'hint')
    finally:
        other.kill()
        other.wait()
        parent.rmdir()


# Limits that bite

def test_pids_limit_bites():
    need('pids')
    bundle = with_resources(pids={'limit': 4})
    bundle.config['process']['args'] = ['sh', '-c', 'for i in 1 2 3 4 5 6 7 8; do sleep 5 & done 2>&1; wait']
    answer = harness.run_program(Runtime(), bundle, timeout=15)
    assert 'fork' in answer.out + answer.err, repr(answer)


@cases((0, []), (0, [{'type': 'time'}]), (1, [{'type': 'time'}]))
def test_pids_limit_of_nothing(limit, namespaces):
    """A real limit: the program runs but can't fork; even when a process between has made its first process."""
    need('pids')
    bundle = with_resources(pids={'limit': limit})
    bundle.config['linux']['namespaces'] += namespaces
    bundle.config['process']['args'] = ['sh', '-c', 'echo alive; /bin/true; echo never']
    answer = harness.run_program(Runtime(), bundle, timeout=15)
    expect((answer.out.startswith('alive'), 'never' in answer.out), (True, False), f'output of {answer!r}')


def test_memory_limit_bites():
    need('memory')
    bundle = with_resources(memory={'limit': 8 * MEGABYTE, 'swap': 8 * MEGABYTE})
    bundle.config['process']['args'] = ['sh', '-c', 'tail -c 33554432 /dev/zero >/dev/null; echo survived $?']
    answer = harness.run_program(Runtime(), bundle)
    assert 'survived 0' not in answer.out, repr(answer)


@cases((2 * MEGABYTE,), (3 * MEGABYTE,))
def test_small_memory_limit_works(limit):
    """The runtime's own start does not need more than the container will have."""
    need('memory')
    bundle = with_resources(memory={'limit': limit, 'swap': limit})
    bundle.config['process']['args'] = ['sh', '-c', 'exit 9']
    expect(harness.run_program(Runtime(), bundle).status, 9, 'exit status')


# Values that are wrong on any host

@cases(
    ('limit is a string', {'memory': {'limit': '1'}}, 'memory/limit'),
    ('limit below -1', {'memory': {'limit': -2}}, 'memory/limit'), ('shares below 0', {'cpu': {'shares': -1}}, 'cpu/shares'),
    ('burst above quota', {'cpu': {'quota': 1000, 'burst': 2000}}, 'cpu/burst'), ('idle', {'cpu': {'idle': 2}}, 'cpu/idle'),
    ('cpus', {'cpu': {'cpus': 'all'}}, 'cpu/cpus'), ('swappiness', {'memory': {'swappiness': 101}}, 'memory/swappiness'),
    ('weight', {'blockIO': {'weight': 9}}, 'blockIO/weight'), ('heavy', {'blockIO': {'weight': 1001}}, 'blockIO/weight'),
    ('no weight', {'blockIO': {'weightDevice': [{'major': 8, 'minor': 0}]}}, 'blockIO/weightDevice/0'),
    ('rate', {'blockIO': {'throttleReadBpsDevice': [{'major': 8, 'minor': 0}]}}, 'blockIO/throttleReadBpsDevice/0/rate'),
    ('page size', {'hugepageLimits': [{'pageSize': '2M', 'limit': 1}]}, 'hugepageLimits/0/pageSize'),
    ('page limit', {'hugepageLimits': [{'pageSize': '2MB'}]}, 'hugepageLimits/0/limit'),
    ('rdma', {'rdma': {'mlx5_1': {}}}, 'rdma/mlx5_1'), ('class', {'network': {'classID': 1 << 32}}, 'network/classID'),
    ('pids', {'pids': {'limit': 1.5}}, 'pids/limit'), ('unified', {'unified': {'memory.max': 1}}, 'unified/memory.max'),
    ('unified freeze', {'unified': {'cgroup.freeze': '1'}}, 'unified/cgroup.freeze'),
    ('unified slash', {'unified': {'../cgroup.procs': '1'}}, 'unified/..~1cgroup.procs'),
)
def test_wrong_value(name, resources, pointer):
    """Found while reading, whatever the host."""
    record = Runtime().fails('create', '--bundle', with_resources(**resources).save().path, 'x')
    assert record.get('pointer', '').startswith('/linux/resources/' + pointer), record
    assert record.get('line'), record


@cases(
    ('quota', 'cpu', cpu(quota=500), 'at least 1000 microseconds'), ('period', 'cpu', cpu(period=10), '1000 to 1000000'),
    ('pids', 'pids', {'pids': {'limit': 10**12}}, 'at most 4194304'), ('cpus', 'cpuset', cpu(cpus='1-0'), 'such as 0-3,7 of CPUs'),
    ('mems', 'cpuset', cpu(mems='1-0'), 'such as 0-1 of memory nodes'),
)
def test_value_beyond_the_kernels(name, controller, resources, hint):
    """It says only that the argument is invalid, or out of range."""
    if not controller_home(controller)[0]:
        raise Skip(f'there is no controller {controller}')
    record = Runtime().fails('create', '--bundle', with_resources(**resources).save().path, 'x')
    expect_in(hint, record.get('hint', ''), 'hint')


harness.main(__name__)
