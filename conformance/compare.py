# SPDX-License-Identifier: Apache-2.0
"""Compares what a config asked with what the probe and the host saw, property by property.

A comparer is a generator of problems, registered with the JSON pointers that it answers for ("*" stands for
one component, "**" for the rest). A config member that no comparer answers for is a problem of its own, so
that no property can go unchecked. A comparer sees nothing but a Case, which is plain JSON: the self-test of
engine_configs.py changes recorded cases and wants every change to be noticed.
"""
import pathlib
import re

import compare_cgroup
import compare_seccomp

COMPARERS = []

# What cannot be seen from the outcome, and why.
UNSEEN = {
    '/ociVersion': 'decides only whether the config is taken at all',
    '/process/capabilities/effective/*': 'execve(2) makes it anew from bounding and inheritable, or ambient',
    '/process/capabilities/permitted/*': 'execve(2) makes it anew from bounding and inheritable, or ambient',
    '/process/user/username': 'ignored on Linux',
    '/linux/seccomp/architectures/*': 'the probe is a program of the native architecture',
    '/linux/seccomp/flags/*': 'the kernel tells no flags of a loaded filter',
    '/linux/resources/memory/checkBeforeUpdate': 'only steers updates',
    '/linux/resources/memory/kernel': 'without effect since Linux 5.16',
    '/linux/resources/memory/useHierarchy': 'fixed to 1 since Linux 5.11',
    '/mounts/*/uidMappings/*/size': 'of a mapping only the first ID is looked at',
    '/mounts/*/gidMappings/*/size': 'of a mapping only the first ID is looked at',
    '/process/execCPUAffinity/**': 'only for exec; the tests of exec look at it',
    '/root/path': 'compared as the source of the root mount',
}


class Case:
    """config: as run. seen: the probe's line. host: what the driver saw outside."""

    def __init__(self, config, seen, host):
        self.config, self.seen, self.host = config, seen, host
        self.process = config.get('process', {})
        self.linux = config.get('linux', {})
        self.mounts = [parse_mount(line) for line in seen['mounts']]

    def answer(self, request):
        return self.seen['answers'].get(request)

    def namespace(self, kind):
        return next((n for n in self.linux.get('namespaces', []) if n['type'] == kind), None)

    def mappings(self, member):
        """Of the container's user namespace; none without one."""
        user = self.namespace('user')
        if not user:
            return []
        return [self.host['joined_mapping']] if user.get('path') else self.linux.get(member, [])

    def mounted_at(self, path):
        return [m for m in self.mounts if m['path'] == path]


def compares(*pointers):
    def register(function):
        COMPARERS.append((function.__name__.strip('_').replace('_', ' '), pointers, function))
        return function
    return register


def raw(text):
    """As the probe prints it: bytes as Latin-1."""
    return text.encode().decode('latin-1')


def parse_mount(line):
    """A line of proc_pid_mountinfo(5)."""
    left, right = line.split(' - ')
    _, _, _, root, path, options, *tags = left.split(' ')
    fstype, source, super_options = right.split(' ')[:3]

    def unescape(text):
        return re.sub(r'\\(\d{3})', lambda m: chr(int(m[1], 8)), text)
    return {'root': unescape(root), 'path': unescape(path), 'options': options.split(','),
            'tags': [t.split(':')[0] for t in tags], 'type': fstype, 'source': source,
            'super': super_options.split(',')}


def load_words():
    table = {}
    for line in pathlib.Path(__file__).with_name('mount_options.tsv').read_text().splitlines():
        if not line.startswith('#') and not line.startswith('word\t'):
            word, kind, shows, hides = line.split('\t')
            table[word] = (kind, [w for w in shows.split(',') if w != '-'], [w for w in hides.split(',') if w != '-'])
    return table


MOUNT_WORDS = load_words()


def differ(what, actual, wanted):
    if actual != wanted:
        yield f'{what}: {actual!r}, not {wanted!r}'


# The process

@compares('/process/args/*')
def args(case):
    yield from differ('argv', case.seen['argv'], [raw(a) for a in case.process['args']])


@compares('/process/env/*')
def env(case):
    wanted = dict(raw(e).split('=', 1) for e in case.process.get('env', []))
    wanted.setdefault('HOME', case.host['home'])
    actual = dict(e.split('=', 1) for e in case.seen['env'])
    yield from differ('environment', actual, wanted)


@compares('/process/cwd')
def cwd(case):
    yield from differ('working directory', case.seen['cwd'], raw(case.process['cwd']))


@compares('/process/user/uid', '/process/user/gid')
def user(case):
    wanted = case.process.get('user', {})
    yield from differ('uids', case.seen['uids'], [wanted.get('uid', 0)] * 3)
    yield from differ('gids', case.seen['gids'], [wanted.get('gid', 0)] * 3)


@compares('/process/user/additionalGids/*')
def groups(case):
    wanted = case.process.get('user', {}).get('additionalGids', [])
    yield from differ('groups', sorted(case.seen['groups']), sorted(set(wanted)))


@compares('/process/user/umask')
def umask(case):
    yield from differ('umask', case.seen['umask'], case.process.get('user', {}).get('umask', 0o022))


CAPABILITIES = '''CHOWN DAC_OVERRIDE DAC_READ_SEARCH FOWNER FSETID KILL SETGID SETUID SETPCAP LINUX_IMMUTABLE
NET_BIND_SERVICE NET_BROADCAST NET_ADMIN NET_RAW IPC_LOCK IPC_OWNER SYS_MODULE SYS_RAWIO SYS_CHROOT SYS_PTRACE
SYS_PACCT SYS_ADMIN SYS_BOOT SYS_NICE SYS_RESOURCE SYS_TIME SYS_TTY_CONFIG MKNOD LEASE AUDIT_WRITE AUDIT_CONTROL
SETFCAP MAC_OVERRIDE MAC_ADMIN SYSLOG WAKE_ALARM BLOCK_SUSPEND AUDIT_READ PERFMON BPF CHECKPOINT_RESTORE'''.split()


def capability_names(mask):
    return [f'CAP_{name}' for number, name in enumerate(CAPABILITIES) if mask >> number & 1]


def capability_set(names, possible):
    known = [n for n in names if n.removeprefix('CAP_') in CAPABILITIES]
    return sum({1 << CAPABILITIES.index(n.removeprefix('CAP_')) for n in known}) & possible


@compares('/process/capabilities/bounding/*', '/process/capabilities/inheritable/*',
          '/process/capabilities/ambient/*', '/process/capabilities/effective/*',
          '/process/capabilities/permitted/*')
def capabilities(case):
    """What execve(2) makes of the sets of the config (capabilities(7), "Transformation")."""
    asked = case.process.get('capabilities') or {}
    possible = int(case.host['bounding'], 16)
    sets = {name: capability_set(asked.get(name, []), possible)
            for name in ('bounding', 'inheritable', 'ambient', 'permitted', 'effective')}
    sets['ambient'] &= sets['inheritable'] & sets['permitted']
    if case.process.get('user', {}).get('uid', 0) == 0:
        sets['permitted'] = sets['bounding'] | sets['inheritable'] | sets['ambient']
    else:
        sets['permitted'] = sets['ambient']
    sets['effective'] = sets['permitted']
    for name, wanted in sets.items():
        yield from differ(f'{name} capabilities', case.seen['capabilities'][name], f'{wanted:016x}')


@compares('/process/noNewPrivileges')
def no_new_privileges(case):
    yield from differ('no_new_privs', case.seen['no_new_privs'], int(case.process.get('noNewPrivileges', False)))


@compares('/process/rlimits/*/type', '/process/rlimits/*/soft', '/process/rlimits/*/hard')
def rlimits(case):
    wanted = dict(case.host['rlimits'])
    for limit in case.process.get('rlimits', []):
        wanted[limit['type'].removeprefix('RLIMIT_')] = [limit['soft'], limit['hard']]
    for name, pair in wanted.items():
        yield from differ(f'RLIMIT_{name}', case.seen['rlimits'][name], pair)


@compares('/process/oomScoreAdj')
def oom_score_adj(case):
    wanted = case.process.get('oomScoreAdj', case.host['oom_score_adj'])
    yield from differ('oom_score_adj', case.seen['oom_score_adj'], str(wanted))


POLICIES = ['SCHED_OTHER', 'SCHED_FIFO', 'SCHED_RR', 'SCHED_BATCH', 'SCHED_ISO', 'SCHED_IDLE', 'SCHED_DEADLINE']


@compares('/process/scheduler/**')
def scheduler(case):
    asked = case.process.get('scheduler')
    if not asked:
        return
    seen = case.seen['scheduler']
    yield from differ('policy', seen['policy'], POLICIES.index(asked['policy']))
    for name in ('nice', 'priority'):
        yield from differ(name, seen[name], asked.get(name, 0))
    if asked['policy'] == 'SCHED_DEADLINE':
        for name in ('runtime', 'deadline', 'period'):
            yield from differ(name, seen[name], asked.get(name, 0))


@compares('/process/ioPriority/class', '/process/ioPriority/priority')
def io_priority(case):
    asked = case.process.get('ioPriority')
    if asked:
        kind = ['', 'IOPRIO_CLASS_RT', 'IOPRIO_CLASS_BE', 'IOPRIO_CLASS_IDLE'].index(asked['class'])
        yield from differ('ioprio', case.seen['io_priority'], kind << 13 | asked.get('priority', 0))


@compares('/linux/personality/domain', '/linux/personality/flags/*')
def personality(case):
    domain = case.linux.get('personality', {}).get('domain', 'LINUX')
    yield from differ('personality', case.seen['personality'], {'LINUX': 0, 'LINUX32': 8}.get(domain))


@compares('/linux/memoryPolicy/**')
def memory_policy(case):
    asked = case.linux.get('memoryPolicy')
    if asked:
        modes = ['DEFAULT', 'PREFERRED', 'BIND', 'INTERLEAVE', 'LOCAL', 'PREFERRED_MANY', 'WEIGHTED_INTERLEAVE']
        flags = {'MPOL_F_STATIC_NODES': 1 << 15, 'MPOL_F_RELATIVE_NODES': 1 << 14, 'MPOL_F_NUMA_BALANCING': 1 << 13}
        wanted = modes.index(asked['mode'].removeprefix('MPOL_')) | sum(flags[f] for f in asked.get('flags', []))
        yield from differ('memory policy', case.seen['memory_policy'], wanted)
        nodes = sum(1 << n for n in compare_cgroup.parse_list(asked.get('nodes', '')))
        yield from differ('memory nodes', case.seen['memory_nodes'], nodes)


@compares('/process/terminal', '/process/consoleSize/width', '/process/consoleSize/height')
def terminal(case):
    wanted = int(case.process.get('terminal', False))
    for fd in '012':
        seen = case.seen['descriptors'].get(fd, {})
        yield from differ(f'descriptor {fd} is a terminal', seen.get('is_terminal'), wanted)
    if wanted:
        size = case.process.get('consoleSize', {'height': 0, 'width': 0})
        yield from differ('terminal size', case.seen['terminal_size'], [size['height'], size['width']])
        yield from differ('controlling terminal', isinstance(case.seen['controlling_terminal'], int), True)
    if wanted and not case.host['is_exec']:
        yield from differ('/dev/console', case.answer('stat /dev/console').get('type'), 'char')


@compares()
def descriptors(case):
    yield from differ('open descriptors', sorted(case.seen['descriptors']), ['0', '1', '2'])


@compares('/process/apparmorProfile')
def apparmor(case):
    asked = case.process.get('apparmorProfile')
    label = case.seen['apparmor_label'] or case.seen['label'] or ''
    if asked and asked != 'unconfined':
        yield from differ('AppArmor profile', label.split(' (')[0], asked)


@compares('/process/selinuxLabel')
def selinux(case):
    if case.process.get('selinuxLabel'):
        yield from differ('SELinux label', (case.seen['label'] or '').rstrip('\0'), case.process['selinuxLabel'])


@compares('/linux/seccomp/defaultAction', '/linux/seccomp/defaultErrnoRet', '/linux/seccomp/syscalls/**',
          '/linux/seccomp/architectures/*', '/linux/seccomp/flags/*', '/linux/seccomp/listenerPath',
          '/linux/seccomp/listenerMetadata')
def seccomp(case):
    profile = case.linux.get('seccomp')
    filters = case.host['outer_filters'] + (1 if profile else 0)
    yield from differ('seccomp mode', case.seen['status'].get('Seccomp'), '2' if filters else '0')
    yield from differ('seccomp filters', case.seen['status'].get('Seccomp_filters'), str(filters))
    if profile:
        yield from compare_seccomp.compare(profile, case.seen['answers'], case.host['natural_calls'])


# Namespaces

LINKS = {'pid': 'pid', 'network': 'net', 'mount': 'mnt', 'ipc': 'ipc', 'uts': 'uts', 'user': 'user',
         'cgroup': 'cgroup', 'time': 'time'}


@compares('/linux/namespaces/*/type', '/linux/namespaces/*/path')
def namespaces(case):
    for kind, link in LINKS.items():
        asked, seen = case.namespace(kind), case.seen['namespaces'].get(link)
        host = case.host['namespaces'].get(link)
        if asked is None:
            yield from differ(f'{kind} namespace of the host', seen, host)
        elif asked.get('path'):
            yield from differ(f'{kind} namespace joined', seen, case.host['joined'].get(asked['path']))
        elif seen == host or seen in case.host['joined'].values():
            yield f'{kind} namespace: {seen} is not a new one'


@compares('/linux/uidMappings/**', '/linux/gidMappings/**')
def id_mappings(case):
    for member, name in (('uidMappings', 'uid_map'), ('gidMappings', 'gid_map')):
        if case.namespace('user'):
            wanted = [[m['containerID'], m['hostID'], m['size']] for m in case.mappings(member)]
        else:
            wanted = case.host[name]
        seen = [list(map(int, line.split())) for line in (case.seen[name] or '').splitlines()]
        yield from differ(name, seen, wanted)


@compares('/linux/timeOffsets/**')
def time_offsets(case):
    asked = case.linux.get('timeOffsets', {})
    for line in (case.seen['time_offsets'] or '').splitlines() if asked else ():
        clock, *numbers = line.split()
        wanted = asked.get(clock, {})
        yield from differ(f'offset of {clock}', list(map(int, numbers)),
                          [wanted.get('secs', 0), wanted.get('nanosecs', 0)])


@compares('/hostname')
def hostname(case):
    yield from differ('hostname', case.seen['hostname'], case.config.get('hostname', case.host['hostname']))


@compares('/domainname')
def domainname(case):
    wanted = case.config.get('domainname', case.linux.get('sysctl', {}).get('kernel.domainname'))
    if wanted is None:
        wanted = case.host['domainname']
    yield from differ('domainname', case.seen['domainname'], wanted)


@compares('/linux/sysctl/*')
def sysctl(case):
    for name, wanted in case.linux.get('sysctl', {}).items():
        path = name if '/' in name else name.replace('.', '/')
        seen = case.answer(f'read /proc/sys/{path}') or {}
        yield from differ(name, seen.get('text', seen.get('error', '')).split(), wanted.split())


@compares('/linux/netDevices/**')
def net_devices(case):
    seen = [line.split(':')[0].strip() for line in case.seen['network_devices'][2:]]
    for name, device in case.linux.get('netDevices', {}).items():
        if (device.get('name') or name) not in seen:
            yield f'network device {name}: not among {seen}'


# The root file system

@compares('/root/readonly', '/root/path', '/linux/rootfsPropagation')
def root(case):
    found = case.mounted_at('/')
    if not found:
        yield 'no root mount'
        return
    readonly = case.config['root'].get('readonly', False)
    yield from differ('read-only root', 'ro' in found[-1]['options'], readonly)
    yield from differ('source of the root', found[-1]['root'], case.host['rootfs'])
    yield from compare_propagation('/', found[-1], case.linux.get('rootfsPropagation', 'rslave'))


def compare_propagation(path, seen, word):
    _, shows, hides = MOUNT_WORDS.get(word, (None, ['a known word'], []))
    for tag in shows:
        if tag not in seen['tags']:
            yield f'{path}: {word} asked, but {tag!r} is not among its tags {seen["tags"]}'
    for tag in hides:
        if tag in seen['tags']:
            yield f'{path}: {word} asked, but {tag!r} is among its tags'


def forget_other_times(word, wanted):
    """Of noatime, relatime, strictatime and the words that clear them only the last counts."""
    shown = {'noatime', 'relatime'}
    if shown & set(MOUNT_WORDS[word][1] + MOUNT_WORDS[word][2]):
        for key in shown & set(wanted):
            del wanted[key]


def normal_data(word):
    """A data word of the config as the kernel shows it."""
    key, value = word.split('=', 1)
    if key in ('mode', 'ptmxmode'):
        return f'{key}={int(value, 8):o}' if key == 'mode' else f'{key}={int(value, 8):03o}'
    if key == 'size':
        factor = {'k': 1, 'm': 1024, 'g': 1 << 20}.get(value[-1].lower())
        kilobytes = int(value[:-1]) * factor if factor else int(value) // 1024
        return f'size={kilobytes}k'
    if key == 'hidepid':
        return 'hidepid=' + {'1': 'noaccess', '2': 'invisible', '4': 'ptraceable'}.get(value, value)
    return word


def outside_id(case, word):
    """uid= and gid= as the kernel shows them: as numbers of the first user namespace."""
    key, value = word.split('=', 1)
    member = {'uid': 'uidMappings', 'gid': 'gidMappings'}.get(key)
    for mapping in case.mappings(member) if member else ():
        if 0 <= int(value) - mapping['containerID'] < mapping['size']:
            return f'{key}={int(value) - mapping["containerID"] + mapping["hostID"]}'
    return word


def compare_options(case, mount, seen):
    path = mount['destination']
    last = {}
    for word in mount.get('options', []):
        kind, shows, hides = MOUNT_WORDS.get(word, ('', [], []))
        if kind in ('flag', 'recursive', 'super', 'idmap'):
            forget_other_times(word, last)
            for shown in shows:
                last[shown] = (word, kind, True)
            for hidden in hides:
                last[hidden] = (word, kind, False)
        elif kind == 'propagation':
            last['propagation'] = (word, kind, True)
        elif '=' in word and not is_bind(mount):
            yield from compare_data(case, path, outside_id(case, normal_data(word)), seen)
        elif not kind and word not in ('', 'newinstance'):
            yield f'{path}: no expectation for the word {word!r}'
    for shown, (word, kind, is_set) in last.items():
        if kind == 'propagation':
            yield from compare_propagation(path, seen, word)
        elif (shown in seen['super' if kind == 'super' else 'options']) != is_set:
            yield f'{path}: {word} asked, but its options are {seen["options"]} {seen["super"]}'
    unasked = {'nosuid', 'nodev', 'noexec', 'noatime', 'nodiratime', 'nosymfollow', 'ro'} & set(seen['options'])
    for word in sorted(unasked - set(last)):
        yield f'{path}: has {word}, which nobody asked'


def compare_data(case, path, word, seen):
    if word.startswith('mode=') and seen['type'] == 'tmpfs':
        mode = (case.answer(f'stat {path}') or {}).get('mode', 0)
        yield from differ(f'{path}: mode', f'mode={mode:o}', word)
    elif word not in seen['super'] and word.replace('=0', '=') not in seen['super']:
        yield f'{path}: {word} is not among {seen["super"]}'


def is_bind(mount):
    return mount.get('type') == 'bind' or bool({'bind', 'rbind'} & set(mount.get('options', [])))


def compare_mount(case, mount, seen):
    path = mount['destination']
    if is_bind(mount):
        yield from differ(f'{path}: source', seen['root'], case.host['bind_roots'].get(mount['source']))
    elif mount.get('type') != 'cgroup':
        yield from differ(f'{path}: type', seen['type'], mount['type'])
        yield from differ(f'{path}: source', seen['source'], mount.get('source', 'none'))
    yield from compare_options(case, mount, seen)
    yield from compare_owner(case, mount, seen)


def compare_owner(case, mount, seen):
    """An idmapped mount (mount_setattr(2)); the driver makes all sources as the host's root."""
    for member, name in (('uidMappings', 'uid'), ('gidMappings', 'gid')):
        for mapping in mount.get(member, [])[:1]:
            if 'idmapped' not in seen['options']:
                yield f'{mount["destination"]}: {member} asked, but not idmapped'
            shift = -mapping['containerID']
            wanted = mapping['hostID'] + shift if 0 <= shift < mapping['size'] else 65534
            stat = case.answer(f'stat {mount["destination"]}') or {}
            yield from differ(f'{mount["destination"]}: {name}', stat.get(name), wanted)


@compares('/mounts/*/destination', '/mounts/*/type', '/mounts/*/source', '/mounts/*/options/*',
          '/mounts/*/uidMappings/**', '/mounts/*/gidMappings/**', '/linux/mountLabel')
def mounts(case):
    used = {}
    for mount in case.config.get('mounts', []):
        path = mount['destination'].rstrip('/') or '/'
        found = case.mounted_at(path)
        index = used.get(path, 0)
        used[path] = index + 1
        if index >= len(found):
            yield f'{path}: not mounted'
        elif mount.get('type') == 'cgroup':
            yield from compare_cgroup.compare_mount(case, mount, found[index])
        else:
            yield from compare_mount(case, mount, found[index])
    yield from compare_unasked(case, set(used))


def compare_unasked(case, asked):
    """No mount that the config does not ask for: what is there leaks something."""
    allowed = asked | {'/', '/dev/console'} | set(case.linux.get('maskedPaths', []))
    allowed |= set(case.linux.get('readonlyPaths', []))
    allowed |= {d['path'] for d in case.linux.get('devices', [])} if case.namespace('user') else set()
    allowed |= {f'/dev/{n}' for n in DEFAULT_DEVICES} if case.namespace('user') else set()
    cgroup = [m['destination'] for m in case.config.get('mounts', []) if m.get('type') == 'cgroup']
    below = cgroup + case.host['submounted']
    for mount in case.mounts:
        path = mount['path']
        if path not in allowed and not any(path.startswith(b.rstrip('/') + '/') for b in below):
            yield f'{path}: a mount of {mount["type"]} that the config does not ask for'


@compares('/linux/maskedPaths/*')
def masked_paths(case):
    for path in case.linux.get('maskedPaths', []):
        stat = case.answer(f'stat {path}')
        if stat is None:
            yield f'{path}: the probe was not asked'
        elif stat.get('error') == 'ENOENT':
            if path in case.host['existing']:
                yield f'{path}: gone instead of masked'
        elif stat['type'] == 'directory':
            yield from differ(f'{path}: entries', case.answer(f'list {path}'), [])
            if case.answer(f'write {path}') == 'ok':
                yield f'{path}: can be written'
        else:
            yield from differ(f'{path}: device', stat.get('device'), '1:3')


@compares('/linux/readonlyPaths/*')
def readonly_paths(case):
    for path in case.linux.get('readonlyPaths', []):
        if path in case.linux.get('maskedPaths', []):
            continue
        stat = case.answer(f'stat {path}')
        if stat is None:
            yield f'{path}: the probe was not asked'
        elif stat.get('error') == 'ENOENT':
            if path in case.host['existing']:
                yield f'{path}: gone'
        else:
            if not any('ro' in m['options'] for m in case.mounted_at(path)[-1:]):
                yield f'{path}: no read-only mount'
            if case.answer(f'write {path}') == 'ok':
                yield f'{path}: can be written'


# Devices

DEFAULT_DEVICES = {'null': '1:3', 'zero': '1:5', 'full': '1:7', 'random': '1:8', 'urandom': '1:9', 'tty': '5:0'}
DEFAULT_LINKS = {'fd': '/proc/self/fd', 'stdin': '/proc/self/fd/0', 'stdout': '/proc/self/fd/1',
                 'stderr': '/proc/self/fd/2', 'core': '/proc/kcore', 'ptmx': 'pts/ptmx'}
TYPES = {'c': 'char', 'u': 'char', 'b': 'block', 'p': 'fifo'}


@compares('/linux/devices/*/path', '/linux/devices/*/type', '/linux/devices/*/major', '/linux/devices/*/minor',
          '/linux/devices/*/fileMode', '/linux/devices/*/uid', '/linux/devices/*/gid')
def devices(case):
    for device in case.linux.get('devices', []):
        path = device['path']
        if path == '/dev/ptmx' and case.mounted_at('/dev/pts'):
            continue  # always the link to the container's own; default_devices() looks at it
        seen = case.answer(f'stat {path}') or {'error': 'the probe was not asked'}
        yield from differ(f'{path}: type', seen.get('type', seen.get('error')), TYPES.get(device['type']))
        if device['type'] != 'p':
            yield from differ(f'{path}: number', seen.get('device'), f'{device["major"]}:{device["minor"]}')
        if not case.namespace('user'):
            yield from differ(f'{path}: mode', seen.get('mode'), device.get('fileMode', 0o666) & 0o777)
            yield from differ(f'{path}: owner', [seen.get('uid'), seen.get('gid')],
                              [device.get('uid', 0), device.get('gid', 0)])


@compares()
def default_devices(case):
    """All of them and nothing else, where /dev is a file system of the container's own."""
    dev = [m for m in case.config.get('mounts', []) if m['destination'].rstrip('/') == '/dev']
    if not dev or is_bind(dev[-1]):
        return
    seen = case.seen['devices']
    own = {d['path'].removeprefix('/dev/').split('/')[0] for d in case.linux.get('devices', [])}
    for name, number in DEFAULT_DEVICES.items():
        if name not in own:
            yield from differ(f'/dev/{name}', [seen.get(name, {}).get(k) for k in ('type', 'device')], ['char', number])
    for name, target in DEFAULT_LINKS.items():
        yield from differ(f'/dev/{name}', seen.get(name, {}).get('target'), target)
    own |= set(DEFAULT_DEVICES) | set(DEFAULT_LINKS)
    own |= {m['destination'].removeprefix('/dev/').split('/')[0] for m in case.config['mounts']
            if m['destination'].startswith('/dev/')}
    own |= {'console'} if case.process.get('terminal') and not case.host['is_exec'] else set()
    yield from differ('names in /dev', sorted(seen), sorted(own))


# Outside the container

@compares('/annotations/*')
def annotations(case):
    yield from differ('annotations in the state', case.host['state'].get('annotations', {}),
                      case.config.get('annotations', {}))


@compares('/hooks/*/*/path', '/hooks/*/*/args/*', '/hooks/*/*/env/*', '/hooks/*/*/timeout')
def hooks(case):
    """All of them ran once, in order, with their arguments, environment and the state on stdin."""
    for kind, entries in case.config.get('hooks', {}).items():
        ran = [r for r in case.host['hooks'] if r['kind'] == kind]
        yield from differ(f'{kind} hooks that ran', [r['path'] for r in ran], [e['path'] for e in entries])
        for entry, record in zip(entries, ran):
            yield from differ(f'{kind} args', record['args'], entry.get('args', [''])[1:])
            if 'env' in entry:
                yield from differ(f'{kind} env', record['env'], entry['env'])
            yield from compare_hook_state(case, kind, record['state'])
            if entry.get('timeout', 1) <= 0:
                yield f'{kind} timeout: not above 0'


def compare_hook_state(case, kind, state):
    status = {'poststart': 'running', 'poststop': 'stopped'}.get(kind)
    if kind == 'startContainer':
        status = state.get('status')
    yield from differ(f'{kind} status', state.get('status'), status or 'created')
    yield from differ(f'{kind} id', state.get('id'), case.host['state']['id'])
    yield from differ(f'{kind} bundle', state.get('bundle'), case.host['state']['bundle'])
    yield from differ(f'{kind} annotations', state.get('annotations', {}), case.config.get('annotations', {}))
    if kind in ('prestart', 'createRuntime', 'poststart'):
        yield from differ(f'{kind} pid', state.get('pid'), case.host['state']['pid'])


@compares('/linux/cgroupsPath')
def cgroups_path(case):
    yield from compare_cgroup.compare_path(case)


@compares('/linux/resources/memory/**', '/linux/resources/cpu/**', '/linux/resources/pids/limit',
          '/linux/resources/blockIO/**', '/linux/resources/hugepageLimits/**', '/linux/resources/network/**',
          '/linux/resources/rdma/**', '/linux/resources/unified/*')
def resources(case):
    yield from compare_cgroup.compare_resources(case.linux.get('resources', {}), case.host)


@compares('/linux/resources/devices/*/allow', '/linux/resources/devices/*/type',
          '/linux/resources/devices/*/major', '/linux/resources/devices/*/minor',
          '/linux/resources/devices/*/access')
def device_rules(case):
    yield from compare_cgroup.compare_devices(case.linux.get('resources', {}).get('devices'), case.host)


# The whole

def leaves(value, pointer=''):
    """JSON pointers of all members that are neither objects nor arrays."""
    if isinstance(value, dict):
        for key, item in value.items():
            yield from leaves(item, f'{pointer}/{key.replace("~", "~0").replace("/", "~1")}')
    elif isinstance(value, list):
        for index, item in enumerate(value):
            yield from leaves(item, f'{pointer}/{index}')
    else:
        yield pointer


def pattern(pointer_pattern):
    text = re.escape(pointer_pattern).replace(r'\*\*', '.*').replace(r'\*', '[^/]*')
    return re.compile(text)


CLAIMS = [pattern(p) for _, pointers, _ in COMPARERS for p in pointers]
UNSEEN_PATTERNS = [pattern(p) for p in UNSEEN]


def is_unseen(pointer):
    return any(p.fullmatch(pointer) for p in UNSEEN_PATTERNS)


def unclaimed(config):
    """Members that no comparer answers for."""
    return [p for p in leaves(config) if not is_unseen(p) and not any(c.fullmatch(p) for c in CLAIMS)]


def compare(config, seen, host):
    """All problems, each with the name of the comparer in front."""
    case = Case(config, seen, host)
    problems = [f'{p}: the tests have no comparer for it' for p in unclaimed(config)]
    for name, _, function in COMPARERS:
        problems += [f'{name}: {problem}' for problem in function(case)]
    return problems


def requests(config):
    """What the probe must be asked for the comparers."""
    linux = config.get('linux', {})
    asked = ['stat /dev/console']
    for path in linux.get('maskedPaths', []):
        asked += [f'stat {path}', f'list {path}', f'write {path}']
    for path in linux.get('readonlyPaths', []):
        asked += [f'stat {path}', f'write {path}']
    asked += [f'stat {d["path"]}' for d in linux.get('devices', [])]
    asked += [f'stat {m["destination"]}' for m in config.get('mounts', [])]
    asked += ['read /proc/sys/' + (n if '/' in n else n.replace('.', '/')) for n in linux.get('sysctl', {})]
    if linux.get('seccomp'):
        asked += [f'syscall {name}' for name in compare_seccomp.CALLS]
    return list(dict.fromkeys(asked))
