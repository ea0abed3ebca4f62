# SPDX-License-Identifier: Apache-2.0
"""What linux.resources and linux.cgroupsPath must have made of the host's cgroup files.

host['cgroup_files'] has the contents of the container's files by name; a name that is not there is a file
that the host does not have. host['cgroup_version'] is 1 or 2, and 1 also on hybrid hosts.
"""
import math

PAGE = 4096
V1_MEMORY_MAX = 0x7ffffffffffff000


def parse_list(text):
    """A list of CPUs or nodes ("0-2,5") as numbers."""
    numbers = []
    for part in text.split(',') if text.strip() else ():
        first, _, last = part.partition('-')
        numbers += range(int(first), int(last or first) + 1)
    return sorted(set(numbers))


def differ(what, actual, wanted):
    if actual != wanted:
        yield f'{what}: {actual!r}, not {wanted!r}'


def v1_bytes(value):
    return str(V1_MEMORY_MAX if value < 0 else value // PAGE * PAGE)


def v2_bytes(value):
    return 'max' if value < 0 else str(value // PAGE * PAGE)


def shares_to_weight(shares):
    """The quadratic conversion of runc 1.3.2, crun 1.23 and youki 0.5.7."""
    if shares <= 2:
        return 1
    if shares >= 262144:
        return 10000
    log = math.log2(shares)
    exponent = (log * log + 125 * log) / 612 - 7 / 34
    return math.ceil(round(10 ** exponent, 9))


# Pointer below resources -> (file, the text it must hold). Zero stands for "not set" where NONZERO says so.
V1 = {
    'memory/limit': ('memory.limit_in_bytes', v1_bytes),
    'memory/reservation': ('memory.soft_limit_in_bytes', v1_bytes),
    'memory/swap': ('memory.memsw.limit_in_bytes', v1_bytes),
    'memory/swappiness': ('memory.swappiness', str),
    'memory/kernelTCP': ('memory.kmem.tcp.limit_in_bytes', v1_bytes),
    'cpu/shares': ('cpu.shares', str),
    'cpu/quota': ('cpu.cfs_quota_us', lambda v: str(max(v, -1))),
    'cpu/period': ('cpu.cfs_period_us', str),
    'cpu/burst': ('cpu.cfs_burst_us', str),
    'cpu/idle': ('cpu.idle', str),
    'cpu/realtimePeriod': ('cpu.rt_period_us', str),
    'cpu/realtimeRuntime': ('cpu.rt_runtime_us', str),
    'cpu/cpus': ('cpuset.cpus', str),
    'cpu/mems': ('cpuset.mems', str),
    'pids/limit': ('pids.max', lambda v: 'max' if v < 0 else str(v)),
    'blockIO/weight': ('blkio.bfq.weight', str),
    'network/classID': ('net_cls.classid', str),
}
V2 = {
    'memory/limit': ('memory.max', v2_bytes),
    'memory/reservation': ('memory.low', v2_bytes),
    'cpu/shares': ('cpu.weight', lambda v: str(shares_to_weight(v))),
    'cpu/burst': ('cpu.max.burst', str),
    'cpu/idle': ('cpu.idle', str),
    'cpu/cpus': ('cpuset.cpus', str),
    'cpu/mems': ('cpuset.mems', str),
    'pids/limit': ('pids.max', lambda v: 'max' if v < 0 else str(v)),
    'blockIO/weight': ('io.bfq.weight', lambda v: f'default {v}'),
}
# A zero here means that the engine leaves the setting alone.
NONZERO = {'memory/limit', 'memory/reservation', 'memory/swap', 'memory/kernelTCP', 'cpu/shares', 'cpu/quota',
           'cpu/period', 'blockIO/weight'}
# Engines send these on hosts that have no such file; where it is missing, so is the feature that it would set.
OPTIONAL = {'cpu/realtimePeriod', 'cpu/realtimeRuntime'}

THROTTLES = {
    'throttleReadBpsDevice': ('blkio.throttle.read_bps_device', 'rbps'),
    'throttleWriteBpsDevice': ('blkio.throttle.write_bps_device', 'wbps'),
    'throttleReadIOPSDevice': ('blkio.throttle.read_iops_device', 'riops'),
    'throttleWriteIOPSDevice': ('blkio.throttle.write_iops_device', 'wiops'),
}


def member(resources, pointer):
    for key in pointer.split('/'):
        resources = (resources or {}).get(key)
    return resources


def compare_file(files, name, wanted, pointer):
    if name not in files:
        yield f'{pointer}: the host has no {name}'
    else:
        yield from differ(name, files[name].strip(), wanted)


def compare_resources(resources, host):
    files, is_v1 = host['cgroup_files'], host['cgroup_version'] == 1
    for pointer, (name, convert) in (V1 if is_v1 else V2).items():
        value = member(resources, pointer)
        if value is None or value == '' or (value == 0 and pointer in NONZERO):
            continue
        if pointer in OPTIONAL and name not in files:
            continue
        yield from compare_file(files, name, convert(value), pointer)
    if is_v1:
        yield from compare_v1_oom(resources, files)
    else:
        yield from compare_v2_pairs(resources, files)
    yield from compare_throttles(resources, files, is_v1)
    yield from compare_tables(resources, files, is_v1)


def compare_v1_oom(resources, files):
    disable = member(resources, 'memory/disableOOMKiller')
    if disable is not None:
        lines = dict(line.split() for line in files.get('memory.oom_control', '').splitlines())
        yield from differ('memory.oom_control', lines.get('oom_kill_disable'), str(int(disable)))


def compare_v2_pairs(resources, files):
    limit, swap = member(resources, 'memory/limit'), member(resources, 'memory/swap')
    if swap:
        wanted = 'max' if swap < 0 else v2_bytes(swap - limit if limit and limit > 0 else swap)
        yield from compare_file(files, 'memory.swap.max', wanted, 'memory/swap')
    quota, period = member(resources, 'cpu/quota'), member(resources, 'cpu/period')
    if quota or period:
        wanted = f'{quota if quota and quota > 0 else "max"} {period or 100000}'
        yield from compare_file(files, 'cpu.max', wanted, 'cpu/quota')


def compare_throttles(resources, files, is_v1):
    for pointer, (name, key) in THROTTLES.items():
        for entry in member(resources, f'blockIO/{pointer}') or []:
            device, rate = f'{entry["major"]}:{entry["minor"]}', entry.get('rate', 0)
            lines = files.get(name if is_v1 else 'io.max', '').splitlines()
            if is_v1:
                found = f'{device} {rate}' in lines
            else:
                found = any(line.split()[0] == device and f'{key}={rate}' in line.split() for line in lines)
            if not found:
                yield f'{pointer}: {device} {rate} is not in {lines}'


def compare_tables(resources, files, is_v1):
    for entry in resources.get('hugepageLimits') or []:
        # On a hybrid host the controller may be on either side.
        suffix = 'limit_in_bytes' if is_v1 and 'hugetlb.2MB.limit_in_bytes' in files else 'max'
        yield from compare_file(files, f'hugetlb.{entry["pageSize"]}.{suffix}', str(entry['limit']), 'hugepageLimits')
    for entry in member(resources, 'network/priorities') or []:
        line = f'{entry["name"]} {entry["priority"]}'
        if line not in files.get('net_prio.ifpriomap', '').splitlines():
            yield f'network/priorities: {line!r} is not in net_prio.ifpriomap'
    for name, value in (resources.get('unified') or {}).items():
        yield from compare_file(files, name, value, 'unified')
    for device, entry in (resources.get('rdma') or {}).items():
        if device not in files.get('rdma.max', ''):
            yield f'rdma: {device} {entry} is not in rdma.max'


# Devices

DEFAULT_RULES = ['c *:* m', 'b *:* m', 'c 1:3 rwm', 'c 1:5 rwm', 'c 1:7 rwm', 'c 1:8 rwm', 'c 1:9 rwm', 'c 5:0 rwm',
                 'c 5:2 rwm', 'c 136:* rwm']


def rule_text(rule):
    def number(name):
        return '*' if rule.get(name) is None or rule[name] < 0 else str(rule[name])
    return f'{rule.get("type", "a")} {number("major")}:{number("minor")} {rule.get("access") or "rwm"}'


def allowed_by(lines, kind, major, minor, access):
    """Whether one of the lines of devices.list allows all of ACCESS."""
    for line in lines:
        line_kind, numbers, line_access = line.split()
        line_major, line_minor = numbers.split(':')
        if (line_kind in ('a', kind) and line_major in ('*', major) and line_minor in ('*', minor) and
                set(access) <= set(line_access)):
            return True
    return False


def compare_devices(rules, host):
    """On v1: what the rules, taken in order, allow stands in devices.list, and nothing but that and the defaults."""
    if host['cgroup_version'] != 1 or 'devices.list' not in host['cgroup_files']:
        return
    lines = host['cgroup_files']['devices.list'].splitlines()
    wanted, is_open = [], False
    for rule in rules or [{'allow': False}]:
        text = rule_text(rule)
        if text == 'a *:* rwm':
            wanted, is_open = [], rule['allow']
        elif rule['allow']:
            wanted.append(text)
        else:
            wanted = [w for w in wanted if w != text]
    if is_open:
        yield from differ('devices.list', lines, ['a *:* rwm'])
        return
    for text in wanted + DEFAULT_RULES:
        kind, numbers, access = text.split()
        if not allowed_by(lines, kind, *numbers.split(':'), access):
            yield f'devices.list: {text!r} is not allowed by {lines}'
    for line in lines:
        kind, numbers, access = line.split()
        covered = set()
        for text in wanted + DEFAULT_RULES + ['c 5:1 rwm', 'c 10:200 rwm']:
            other_kind, other_numbers, other_access = text.split()
            if allowed_by([f'{other_kind} {other_numbers} rwm'], kind, *numbers.split(':'), 'r'):
                covered |= set(other_access)
        if not set(access) <= covered:
            yield f'devices.list: {line!r} was not asked for'


# Membership and the mount inside

def compare_path(case):
    asked = case.linux.get('cgroupsPath')
    for line in case.host['process_cgroup']:
        _, names, path = line.split(':', 2)
        wanted = asked or case.host['own_cgroup'].get(names.split(',')[0].removeprefix('name='), '/').rstrip('/') + \
            '/' + case.host['state']['id']
        own = case.host['own_cgroup'].get(names.removeprefix('name='))
        if case.host['cgroup_version'] == 1 and names in ('', 'name=systemd') and path == own:
            continue  # holds no controllers: being there is the runtime's choice
        yield from differ(f'cgroup of {names or "v2"}', path, wanted)
    inside = {line.split(':', 2)[1]: line.split(':', 2)[2] for line in case.seen['cgroup']}
    outside = {line.split(':', 2)[1]: line.split(':', 2)[2] for line in case.host['process_cgroup']}
    if case.namespace('cgroup') and not case.namespace('cgroup').get('path'):
        outside = dict.fromkeys(outside, '/')
    yield from differ('/proc/self/cgroup', inside, outside)


def compare_mount(case, mount, seen):
    """Type "cgroup": cgroup2 on v2 hosts; on v1 a tmpfs with one mount for each hierarchy."""
    path, is_v1 = mount['destination'], case.host['cgroup_version'] == 1
    yield from differ(f'{path}: type', seen['type'] == 'cgroup2', not is_v1)
    readonly = [w for w in mount.get('options', []) if w in ('ro', 'rw')][-1:] == ['ro']
    parts = [seen] if not is_v1 else [m for m in case.mounts if m['path'].startswith(path + '/')]
    names = {m['path'].removeprefix(path + '/') for m in parts}
    if is_v1:
        missing = set(case.host['hierarchies']) - names
        if missing:
            yield f'{path}: no mount for {sorted(missing)}'
    in_namespace = case.namespace('cgroup') is not None
    for part in parts:
        yield from differ(f'{part["path"]}: read-only', 'ro' in part['options'], readonly)
        for word in ('nosuid', 'nodev', 'noexec'):
            if word in mount.get('options', []) and word not in part['options']:
                yield f'{part["path"]}: {word} asked, but its options are {part["options"]}'
        group = '/' if in_namespace else case.linux.get('cgroupsPath', part['root'])
        yield from differ(f'{part["path"]}: group shown', part['root'], group)
