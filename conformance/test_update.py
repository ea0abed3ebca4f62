#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""update: new limits for a container, by flags and by JSON; what is not named stays.

What a host can't do is refused with the member's JSON pointer; so each row holds on v1, hybrid and v2 hosts.
"""
import json
import pathlib
import re
import tempfile

import harness
from cgroup_files import (Refused, check_files, check_refusal, device_programs, group_of, need, settings,
                          with_resources)
from harness import Bundle, Container, Runtime, Skip, cases, expect, expect_in
from machine import all_cpus, cgroup_mounts, controller_home, group_files

MEGABYTE = 1 << 20
V1_UNLIMITED = str((1 << 63) - 4096)
NO_FORM = 'has no counterpart in cgroup v2'


def update(container, resources, *options):
    """Resources from standard input, as containerd and cri-o give them."""
    with tempfile.TemporaryFile(dir=harness.tmp) as file:
        file.write(json.dumps(resources).encode() if isinstance(resources, dict) else resources)
        file.seek(0)
        return container.runtime.call('update', *options, '--resources', '-', container.id, stdin=file)


def check_update(answer, container, pointer, controller, v1, v2):
    """As check_member() of test_resources, for what `update` has answered."""
    version, where = controller_home(controller)
    choices = {1: v1, 2: v2}.get(version)
    if isinstance(choices, Refused):
        choices = f"write '{choices}"
    if version == 0:
        choices = v2 if type(v2) is str else f"controller '{controller}'"
        pointer = f'{pointer.split("/")[0]}/.*'
    if isinstance(choices, str):
        check_refusal(answer, pointer, choices, '')
        return
    wanted = next((c for c in ([choices] if isinstance(choices, dict) else choices) if set(c) <= group_files(where)), None)
    if wanted is None:
        check_refusal(answer, pointer, 'no cgroup file', '')
    else:
        expect((answer.status, answer.out), (0, ''), repr(answer))
        check_files(group_of(container.bundle, where), wanted)


@cases(
    ('memory', ['--memory', '32M'], 'memory/limit', 'memory', {'memory.limit_in_bytes': '33554432'}, {'memory.max': '33554432'}),
    ('memory in bytes', ['--memory', '33554432'], 'memory/limit', 'memory', {'memory.limit_in_bytes': '33554432'},
     {'memory.max': '33554432'}),
    ('no memory limit', ['--memory', '-1'], 'memory/swap', 'memory',
     {'memory.limit_in_bytes': V1_UNLIMITED, 'memory.memsw.limit_in_bytes': V1_UNLIMITED},
     {'memory.max': 'max', 'memory.swap.max': 'max'}),
    ('swap', ['--memory', '32M', '--memory-swap', '48M'], 'memory/swap', 'memory', {'memory.memsw.limit_in_bytes': '50331648'},
     {'memory.max': '33554432', 'memory.swap.max': '16777216'}),
    ('reservation', ['--memory-reservation', '16m'], 'memory/reservation', 'memory', {'memory.soft_limit_in_bytes': '16777216'},
     {'memory.low': '16777216'}),
    ('shares', ['--cpu-share', '512'], 'cpu/shares', 'cpu', {'cpu.shares': '512'}, {'cpu.weight': '59'}),
    ('quota', ['--cpu-quota', '50000'], 'cpu/quota', 'cpu', {'cpu.cfs_quota_us': '50000', 'cpu.cfs_period_us': '100000'},
     {'cpu.max': '50000 100000'}),
    ('period', ['--cpu-period', '50000'], 'cpu/period', 'cpu', {'cpu.cfs_period_us': '50000'}, {'cpu.max': 'max 50000'}),
    ('quota and burst', ['--cpu-quota=50000', '--cpu-burst=20000'], 'cpu/burst', 'cpu', {'cpu.cfs_burst_us': '20000'},
     {'cpu.max.burst': '20000'}),
    ('idle', ['--cpu-idle', '1'], 'cpu/idle', 'cpu', {'cpu.idle': '1'}, {'cpu.idle': '1'}),
    ('rt period', ['--cpu-rt-period', '500000'], 'cpu/realtimePeriod', 'cpu', {'cpu.rt_period_us': '500000'}, NO_FORM),
    ('rt runtime', ['--cpu-rt-runtime', '1000'], 'cpu/realtimeRuntime', 'cpu',
     "write '1000' to|no cgroup file 'cpu.rt_runtime_us'", NO_FORM),
    ('cpus', ['--cpuset-cpus', '0'], 'cpu/cpus', 'cpuset', {'cpuset.cpus': '0'}, {'cpuset.cpus': '0'}),
    ('mems', ['--cpuset-mems', '0'], 'cpu/mems', 'cpuset', {'cpuset.mems': '0'}, {'cpuset.mems': '0'}),
    ('pids', ['--pids-limit', '40'], 'pids/limit', 'pids', {'pids.max': '40'}, {'pids.max': '40'}),
    ('no pids limit', ['--pids-limit', '-1'], 'pids/limit', 'pids', {'pids.max': 'max'}, {'pids.max': 'max'}),
    ('no pids', ['--pids-limit', '0'], 'pids/limit', 'pids', {'pids.max': '0'}, {'pids.max': '0'}),
    ('blkio weight', ['--blkio-weight', '500'], 'blockIO/weight', 'io',
     [{'blkio.weight': '500'}, {'blkio.bfq.weight': '500'}], [{'io.bfq.weight': 'default 500'}, {'io.weight': 'default 4950'}]),
)
def test_flag(name, options, pointer, controller, v1, v2):
    bundle = Bundle()
    with Container(Runtime(), bundle) as container:
        container.create()
        check_update(container.runtime.call('update', container.id, *options), container, pointer, controller, v1, v2)


@cases(
    ('hugepages', {'hugepageLimits': [{'pageSize': '2MB', 'limit': 4 * MEGABYTE}]}, 'hugepageLimits/0', 'hugetlb',
     {'hugetlb.2MB.limit_in_bytes': '4194304'}, {'hugetlb.2MB.max': '4194304', 'hugetlb.2MB.rsvd.max': '4194304'}),
    ('no such pages', {'hugepageLimits': [{'pageSize': '3MB', 'limit': 0}]}, 'hugepageLimits/0', 'hugetlb',
     'hugetlb.3MB', 'hugetlb.3MB'),
    ('memory', {'memory': {'limit': 32 * MEGABYTE, 'swap': 32 * MEGABYTE}}, 'memory/limit', 'memory',
     {'memory.limit_in_bytes': '33554432', 'memory.memsw.limit_in_bytes': '33554432'},
     {'memory.max': '33554432', 'memory.swap.max': '0'}),
    ('swappiness', {'memory': {'swappiness': 7}}, 'memory/swappiness', 'memory', {'memory.swappiness': '7'}, NO_FORM),
    ('cpus', {'cpu': {'cpus': '9999'}}, 'cpu/cpus', 'cpuset', Refused('9999'), Refused('9999')),
    ('pids', {'pids': {'limit': 12}}, 'pids/limit', 'pids', {'pids.max': '12'}, {'pids.max': '12'}),
    ('class', {'network': {'classID': 5}}, 'network/classID', 'net_cls', {'net_cls.classid': '5'}, NO_FORM),
)
def test_json(name, resources, pointer, controller, v1, v2):
    with Container(Runtime(), Bundle()) as container:
        container.create().start()
        answer = update(container, resources)
        check_update(answer, container, pointer, controller, v1, v2)
        if answer.status:
            expect(answer.error()['line'], 1, 'line')


def test_json_from_a_file():
    need('pids')
    path = harness.tmp / 'resources.json'
    path.write_text('{"pids": {"limit": 21}}')
    with Container(Runtime(), Bundle()) as container:
        container.create()
        container.runtime.ok('update', f'--resources={path}', container.id)
        check_files(group_of(container.bundle, controller_home('pids')[1]), {'pids.max': '21'})


def test_json_counts_before_flags():
    """As with runc: with --resources nothing else is looked at."""
    need('pids')
    with Container(Runtime(), Bundle()) as container:
        container.create()
        expect(update(container, {'pids': {'limit': 21}}, '--pids-limit', '5').status, 0, 'status')
        check_files(group_of(container.bundle, controller_home('pids')[1]), {'pids.max': '21'})


def test_unified():
    with Container(Runtime(), Bundle()) as container:
        container.create()
        answer = update(container, {'unified': {'cgroup.max.depth': '6'}})
        if '' in cgroup_mounts():
            expect(answer.status, 0, repr(answer))
            check_files(group_of(container.bundle, cgroup_mounts()['']), {'cgroup.max.depth': '6'})
        else:
            check_refusal(answer, 'unified', 'no cgroup v2', '')
        answer = update(container, {'unified': {'cgroup.freeze': '1'}})
        expect(answer.error().get('pointer'), '/unified/cgroup.freeze', 'pointer')
        expect(container.runtime.state(container.id)['status'], 'created', 'status')


# What is not named stays

LIMITED = {'memory': {'limit': 64 * MEGABYTE, 'swap': 96 * MEGABYTE, 'reservation': 32 * MEGABYTE},
           'cpu': {'shares': 512, 'quota': 40000, 'period': 80000, 'cpus': '0', 'mems': '0'}, 'pids': {'limit': 50}}
ZEROS = {'memory': {'limit': 0, 'swap': 0, 'reservation': 0, 'kernel': 0, 'kernelTCP': 0},
         'cpu': {'shares': 0, 'quota': 0, 'period': 0, 'realtimeRuntime': 0, 'realtimePeriod': 0, 'cpus': '', 'mems': ''},
         'blockIO': {'weight': 0}, 'hugepageLimits': [], 'unified': {}}
# As CRI and podman 5 send them: no device rule for update, or the container would lose all its devices.
DEVICES = {'devices': [{'allow': False, 'access': 'rwm'}]}


@cases(
    ('nothing', {}, {}), ('zeros of docker', ZEROS, {}), ('devices', DEVICES, {}),
    ('quota', {'cpu': {'quota': 20000}}, {'cpu.cfs_quota_us': '20000', 'cpu.max': '20000 80000'}),
    ('period', {'cpu': {'period': 50000}}, {'cpu.cfs_period_us': '50000', 'cpu.max': '40000 50000'}),
    ('no quota', {'cpu': {'quota': -1}}, {'cpu.cfs_quota_us': '-1', 'cpu.max': 'max 80000'}),
    ('shares', {'cpu': {'shares': 1024}}, {'cpu.shares': '1024', 'cpu.weight': '100'}),
    ('memory', {'memory': {'limit': 80 * MEGABYTE}}, {'memory.limit_in_bytes': '83886080', 'memory.max': '83886080'}),
    ('swap', {'memory': {'swap': 128 * MEGABYTE}}, {'memory.memsw.limit_in_bytes': '134217728', 'memory.swap.max': '67108864'}),
    ('both up', {'memory': {'limit': 128 * MEGABYTE, 'swap': 160 * MEGABYTE}},
     {'memory.limit_in_bytes': '134217728', 'memory.max': '134217728',
      'memory.memsw.limit_in_bytes': '167772160'}),
    ('both down', {'memory': {'limit': 32 * MEGABYTE, 'swap': 64 * MEGABYTE}},
     {'memory.limit_in_bytes': '33554432', 'memory.max': '33554432', 'memory.memsw.limit_in_bytes': '67108864'}),
    ('pids', {'pids': {'limit': -1}}, {'pids.max': 'max'}),
)
def test_partial(name, resources, changes):
    for controller in ('memory', 'cpu', 'cpuset', 'pids'):
        need(controller)
    bundle = with_resources(**LIMITED)
    with Container(Runtime(), bundle) as container:
        container.create().start()
        before = {k: v.strip() for k, v in settings(bundle).items()}
        answer = update(container, resources)
        expect((answer.status, answer.err), (0, ''), repr(answer))
        after = {k: v.strip() for k, v in settings(bundle).items()}
        wanted = before | {k: v for k, v in changes.items() if k in before}
        wrong = [f'{k}: {after[k]}, not {wanted[k]}' for k in wanted if after.get(k) != wanted[k]]
        expect(wrong, [], 'settings')


@cases(('nothing', {}), ('zeros of docker', ZEROS), ('devices', DEVICES))
def test_nothing_needs_no_controller(name, resources):
    with Container(Runtime(), Bundle()) as container:
        container.create()
        expect(update(container, resources).status, 0, 'status')


def test_devices_stay():
    """In force are create's rules, as one program on v2, however often update comes with some."""
    with Container(Runtime(), Bundle()) as container:
        container.create()
        version, where = controller_home('devices')
        if version == 1:
            group = group_of(container.bundle, where)
            before = (group / 'devices.list').read_text()
        else:
            group = group_of(container.bundle, cgroup_mounts()[''])
            before = device_programs(group)
            expect(len(before), 1, 'programs')
        for _ in range(10):
            expect(update(container, DEVICES).status, 0, 'status')
        after = (group / 'devices.list').read_text() if version == 1 else device_programs(group)
        expect(after, before, 'device rules')


# Memory below its use

def hungry():
    """A container that holds 24 MiB in its /dev/shm."""
    need('memory')
    bundle = Bundle()
    bundle.config['process']['args'] = ['sh', '-c', 'head -c 25165824 /dev/zero > /dev/shm/x && echo ready; sleep 1000']
    container = Container(Runtime(), bundle)
    container.create().start()
    container.read_line(30)
    return container


def test_check_before_update():
    """On v1 the kernel refuses on its own what it can't reclaim; on v2 it would kill, so the use is looked at."""
    with hungry() as container:
        memory = {'limit': 8 * MEGABYTE, 'swap': 8 * MEGABYTE, 'checkBeforeUpdate': True}
        record = check_refusal(update(container, {'memory': memory}), 'memory/.*', '', '')
        expect_in('present use', record['msg'] + record.get('hint', ''), 'message')
        group = group_of(container.bundle, controller_home('memory')[1])
        check_files(group, {'memory.max': 'max'} if controller_home('memory')[0] == 2
                    else {'memory.limit_in_bytes': V1_UNLIMITED})
        expect(container.runtime.state(container.id)['status'], 'running', 'status')


def test_limit_below_use():
    """Without the check the kernel decides, and on v2, where it may kill, there is one warning."""
    with hungry() as container:
        answer = update(container, {'memory': {'limit': 8 * MEGABYTE, 'swap': 8 * MEGABYTE}})
        if controller_home('memory')[0] == 1:
            expect_in('present use', answer.error()['hint'], 'hint')
        else:
            expect(answer.status, 0, repr(answer))
            expect([r['level'] for r in answer.records()], ['warning'], f'records of {answer.log_text}')
            expect_in('present use', answer.log_text, 'log')


def test_cpuset_of_a_group_below():
    """v1 refuses to take from a group what one in it has."""
    version, where = controller_home('cpuset')
    if version != 1:
        raise Skip('v2 lets the groups below have what is left')
    if len(all_cpus()) < 2:
        raise Skip('needs two CPUs')
    bundle = with_resources(cpu={'cpus': '0-1'})
    with Container(Runtime(), bundle) as container:
        container.create().start()
        below = group_of(bundle, where) / 'below'
        below.mkdir()
        (below / 'cpuset.cpus').write_text('1')
        record = check_refusal(update(container, {'cpu': {'cpus': '0'}}), 'cpu/cpus', '', '')
        expect(record.get('hint'), 'a cgroup below has some of what would be taken away', 'hint')


# What is refused

@cases(
    ('memory', ['--memory', 'much'], 'memory'), ('below -1', ['--memory', '-2'], 'memory'),
    ('quota', ['--cpu-quota', '1.5'], 'cpu-quota'), ('shares', ['--cpu-share', '-1'], 'cpu-share'),
    ('idle', ['--cpu-idle', '2'], 'cpu-idle'), ('weight', ['--blkio-weight', '9'], 'blkio-weight'),
    ('weight above', ['--blkio-weight', '1001'], 'blkio-weight'), ('pids', ['--pids-limit', 'x'], 'pids-limit'),
    ('l3', ['--l3-cache-schema', 'L3:0=f\nMB:0=5'], 'l3-cache-schema'), ('bandwidth', ['--mem-bw-schema', '0=20'], 'mem-bw-schema'),
    ('swap below memory', ['--memory', '64M', '--memory-swap', '32M'], 'memory-swap'),
    ('unknown', ['--memory-swapp', '1'], 'memory-swapp'), ('no value', ['--memory'], 'memory'),
)
def test_wrong_flag(name, options, word):
    with Container(Runtime(), Bundle()) as container:
        container.create()
        before = settings(container.bundle)
        record = container.runtime.fails('update', container.id, *options)
        expect_in(f'--{word}', record['msg'], 'message')
        expect(settings(container.bundle), before, 'settings')


@cases(
    ('not JSON', b'{', ''), ('an array', b'[]', ''), ('empty', b'', ''), ('type', b'{"pids": {"limit": "1"}}', '/pids/limit'),
    ('swap below', b'{"memory": {"limit": 2097152, "swap": 1048576}}', '/memory/swap'),
    ('twice', b'{"pids": {"limit": 1}, "pids": {"limit": 2}}', '/pids'),
)
def test_wrong_json(name, text, pointer):
    with Container(Runtime(), Bundle()) as container:
        container.create()
        before = settings(container.bundle)
        record = update(container, text).error()
        expect(record.get('pointer', ''), pointer, f'pointer of {record}')
        expect(settings(container.bundle), before, 'settings')


@cases(('JSON', ['--resources', '/nonexistent/file']), ('no id', []))
def test_wrong_call(name, options):
    record = Runtime().fails('update', *options, *(['x'] if options else []))
    assert 'no such file' not in record['msg'], record


def test_kernel_refusal_names_the_member():
    """The first that is refused; by flags as well."""
    need('cpu')
    with Container(Runtime(), Bundle()) as container:
        container.create()
        record = container.runtime.fails('update', '--cpu-quota', '10', container.id)
        expect(record.get('pointer'), '/cpu/quota', f'pointer of {record}')
        expect_in("write '10", record['msg'], 'message')


# What fails half-way

CHANGED = {'cpu': {'shares': 1024, 'quota': 20000, 'period': 50000, 'cpus': '0', 'mems': '0'}, 'pids': {'limit': 44},
           'memory': {'limit': 80 * MEGABYTE, 'swap': 128 * MEGABYTE, 'reservation': 16 * MEGABYTE}}


BAD_DEVICE = {'blockIO': {'throttleReadBpsDevice': [{'major': 4095, 'minor': 255, 'rate': 5}]}}


@cases(('the last', {'unified': {'cgroup.max.depth': 'nonsense'}}, '/unified.*'),
       ('a device', BAD_DEVICE, '/blockIO/throttleReadBpsDevice/0'),
       ('an interface', {'network': {'priorities': [{'name': 'none0', 'priority': 1}]}}, '/network.*'),
       ('idle with shares', BAD_DEVICE | {'cpu': CHANGED['cpu'] | {'idle': 1}}, '/(blockIO/throttleReadBpsDevice/0|cpu/idle)'))
def test_what_fails_changes_nothing(name, bad, pointer):
    """The limits that were written before the one that is refused are what they were."""
    for controller in ('memory', 'cpu', 'cpuset', 'pids'):
        need(controller)
    bundle = with_resources(**LIMITED)
    with Container(Runtime(), bundle) as container:
        container.create().start()
        before = settings(bundle)
        answer = update(container, CHANGED | bad)
        record = answer.error()
        assert re.fullmatch(pointer, record['pointer']), record
        expect({k: (v, before[k]) for k, v in settings(bundle).items() if v != before[k]}, {}, 'settings that have changed')


def test_what_fails_had_changed_something():
    """The same limits without the bad one do change the files: the test above proves something."""
    for controller in ('memory', 'cpu', 'cpuset', 'pids'):
        need(controller)
    bundle = with_resources(**LIMITED)
    with Container(Runtime(), bundle) as container:
        container.create().start()
        before = settings(bundle)
        expect(update(container, CHANGED).status, 0, 'status')
        changed = [k for k, v in settings(bundle).items() if v != before[k]]
        assert len(changed) >= 6, f'only {changed} have changed'


# resctrl

SCHEMAS = ['--l3-cache-schema', 'L3:0=f', '--mem-bw-schema', 'MB:0=20']


def test_schemas_without_a_class():
    with Container(Runtime(), Bundle()) as container:
        container.create()
        record = container.runtime.fails('update', '--pids-limit', '7', *SCHEMAS, container.id)
        expect_in('created without linux.intelRdt', record['msg'], 'message')


def test_schemas_without_resctrl():
    """A host that had it at create and has it no more; nothing else is changed either."""
    if pathlib.Path('/sys/fs/resctrl/schemata').exists():
        raise Skip('this host has resctrl')
    need('pids')
    bundle = with_resources(pids={'limit': 50})
    with Container(Runtime(), bundle) as container:
        container.create()
        saved = container.runtime.root / container.id / 'config.json'
        config = json.loads(saved.read_text())
        config['linux']['intelRdt'] = {'closID': 'kogg-test'}
        saved.write_text(json.dumps(config))
        before = settings(bundle)
        record = container.runtime.fails('update', '--pids-limit', '7', *SCHEMAS, container.id)
        expect(harness.cause(record), "resctrl is not mounted at '/sys/fs/resctrl'", 'message')
        expect(settings(bundle), before, 'settings')


# States

def test_stopped():
    with Container(Runtime(), Bundle()) as container:
        container.run()
        container.finish()
        expect_in('container not running', update(container, {'pids': {'limit': 5}}).error()['msg'], 'message')


def test_unknown():
    expect_in('does not exist', Runtime().fails('update', '--pids-limit', '5', 'nobody')['msg'], 'message')


def test_paused():
    need('pids')
    with Container(Runtime(), Bundle()) as container:
        container.create().start()
        container.runtime.ok('pause', container.id)
        expect(update(container, {'pids': {'limit': 5}}).status, 0, 'status')
        check_files(group_of(container.bundle, controller_home('pids')[1]), {'pids.max': '5'})
        expect(container.runtime.state(container.id)['status'], 'paused', 'status')


def test_disabled():
    """Without a group of its own there is nothing to limit."""
    with Container(Runtime('--cgroup-manager', 'disabled'), Bundle()) as container:
        container.create()
        expect_in('no cgroup of its own', update(container, {'pids': {'limit': 5}}).error()['msg'], 'message')


def test_group_that_is_gone():
    """Somebody has moved the process and removed the group: said so, and the container can still be deleted."""
    need('pids')
    with Container(Runtime(), Bundle()) as container:
        container.create()
        for where in sorted(set(cgroup_mounts().values())):
            group = group_of(container.bundle, where)
            if group.exists():
                pathlib.Path(where, 'cgroup.procs').write_text(str(container.pid))
                group.rmdir()
        record = update(container, {'pids': {'limit': 5}}).error()
        expect_in('cgroup', record['msg'], 'message')
        assert 'no such file' not in record['msg'], record


harness.main(__name__)
