#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Runs the configs that engines wrote and compares what is in force with what they asked.

usage: engine_configs.py [PATTERN]

engine_configs.tsv says of each file where it runs, what may be rewritten, and what must come out. The probe stands
at the path of the program that the config names, so that nothing else of the config changes. At the end the
comparison itself is tested: every change to a recorded config or result must be noticed.

The configs are found in KOGG_SHARED, or in the folder shared/ beside the source tree; those below configs/
are the project's own. KOGG_PLACE says what machine this is ("host" by default, see the table's head).
"""
import copy
import functools
import json
import os
import pathlib
import re
import resource
import shutil
import subprocess
import sys

import compare
import compare_cgroup
import compare_seccomp
import harness
import machine
from harness import Bundle, Container, Runtime, Skip, expect, expect_tree
from machine import Namespaces

HERE = pathlib.Path(__file__).parent
SHARED = pathlib.Path(os.environ.get('KOGG_SHARED', harness.SOURCE.parent / 'shared'))
PLACE = os.environ.get('KOGG_PLACE', 'host')
RECORDER = '''#!/bin/busybox sh
[ -e "$0.state" ] && echo "ran twice" >> "$0.state"
/bin/busybox cat >> "$0.state"
for argument; do echo "$argument"; done > "$0.args"
/bin/busybox tr '\\0' '\\n' < /proc/self/environ > "$0.env" 2>/dev/null
'''
BIND_FILES = {'hostname', 'hosts', 'resolv.conf', 'localtime', '.containerenv', 'termination-log', 'passwd', 'group'}

# Of a user namespace that is joined, which the config says nothing of.
JOINED_MAPPING = {'containerID': 0, 'hostID': 100000, 'size': 65536}

RLIMITS = 'CPU FSIZE DATA STACK CORE RSS NPROC NOFILE MEMLOCK AS LOCKS SIGPENDING MSGQUEUE NICE RTPRIO RTTIME'.split()

recorded = []  # (name, config, seen, host) of every config in force


def load_table():
    rows = []
    for line in (HERE / 'engine_configs.tsv').read_text().splitlines():
        if not line.startswith('#') and not line.startswith('file\t'):
            rows.append(dict(zip(('file', 'kind', 'place', 'rewrites', 'result'), line.split('\t'))))
    return rows


# Rewriting

class Rewrite:
    """A config made fit for this machine; the only places where config members change."""

    def __init__(self, config, bundle, allowed):
        self.config, self.bundle, self.allowed = config, bundle, allowed
        self.bind_roots, self.joined, self.hook_paths = {}, {}, []
        self.helper = None

    def note(self, what):
        assert what in self.allowed, f'{what} had to be rewritten, which the table does not allow'

    def apply(self):
        self.config['root']['path'] = 'rootfs'
        self.bind_sources()
        self.cgroups_path()
        self.namespace_paths()
        self.hooks()
        return self

    def bind_sources(self):
        for index, mount in enumerate(self.config.get('mounts', [])):
            if not compare.is_bind(mount):
                continue
            self.note('bind sources')
            source = self.bundle.path / f'source{index}'
            destination = pathlib.PurePosixPath(mount['destination'])
            if str(destination) == self.config['process']['args'][0]:
                os.link(harness.template / 'bin/probe', source)
            elif destination.name in BIND_FILES or destination.parts[1] == 'etc':
                source.write_text(f'{destination.name} of the test\n')
            else:
                source.mkdir(mode=0o1777)
            mount['source'] = str(source)
            self.bind_roots[str(source)] = '/' + str(source.relative_to(harness.tmp))

    def cgroups_path(self):
        path = self.config['linux'].get('cgroupsPath')
        if path:
            self.note('cgroup path')
            name = re.split('[/:]', path)[-1]
            self.config['linux']['cgroupsPath'] = f'/{harness.CGROUP_TOP}/{name}'

    def namespace_paths(self):
        wanted = [n for n in self.config['linux'].get('namespaces', []) if n.get('path')]
        if not wanted:
            return
        self.note('namespace paths')
        options = {'network': '--net', 'ipc': '--ipc', 'uts': '--uts', 'cgroup': '--cgroup', 'mount': '--mount',
                   'user': '--user'}
        self.helper = Namespaces(*(options[n['type']] for n in wanted))
        if 'user' in (n['type'] for n in wanted):
            self.helper.map_ids(JOINED_MAPPING)
        for namespace in wanted:
            link = compare.LINKS[namespace['type']]
            namespace['path'] = self.helper.path(link)
            self.joined[namespace['path']] = self.helper.inode(link)

    def hooks(self):
        for kind, entries in self.config.get('hooks', {}).items():
            for index, hook in enumerate(entries):
                self.note('hook paths')
                inside = kind == 'startContainer'
                outside_path = (self.bundle.rootfs / 'tmp' if inside else self.bundle.path) / f'{kind}-{index}'
                outside_path.write_text(RECORDER)
                outside_path.chmod(0o755)
                hook['path'] = f'/tmp/{kind}-{index}' if inside else str(outside_path)
                self.hook_paths.append((kind, hook['path'], outside_path))

    def close(self):
        if self.helper:
            self.helper.__exit__()


def place_probe(rootfs, process):
    """Puts the probe where execvp(3) will find the program of the config."""
    program = process['args'][0]
    if '/' in program:
        target = rootfs / program.lstrip('/')
    else:
        path = dict(e.split('=', 1) for e in process.get('env', [])).get('PATH', '/bin')
        found = [d for d in path.split(':') if (rootfs / d.lstrip('/') / program).is_symlink()]
        target = rootfs / (found or path.split(':'))[0].lstrip('/') / program
    target.parent.mkdir(parents=True, exist_ok=True)
    target.unlink(missing_ok=True)
    os.link(harness.template / 'bin/probe', target)


# Looking from outside

def read_cgroup_files(pid):
    """All readable files of the groups that PID is in, but for those of the root groups."""
    files, mounts = {}, machine.cgroup_mounts()
    for line in pathlib.Path(f'/proc/{pid}/cgroup').read_text().splitlines():
        _, names, path = line.split(':', 2)
        where = mounts.get(names.split(',')[0].removeprefix('name='))
        if where is None or path == '/':
            continue
        for entry in pathlib.Path(where + path).iterdir():
            if entry.is_file() and '.' in entry.name and not entry.name.startswith('cgroup.'):
                try:
                    files[entry.name] = entry.read_text()
                except OSError:
                    pass  # write-only, or of a device that is gone
    return files


@functools.cache
def natural_calls():
    """What the probe's harmless calls answer without a filter: as root, and without any capability."""
    requests = ''.join(f'syscall {name}\n' for name in compare_seccomp.CALLS) + 'go\n'
    found = {name: set() for name in compare_seccomp.CALLS}
    for wrapper in ([], ['setpriv', '--bounding-set=-all', '--inh-caps=-all']):
        result = subprocess.run([*wrapper, harness.PROBE], input=requests, stdout=subprocess.PIPE, text=True, check=True)
        for name, answer in json.loads(result.stdout)['answers'].items():
            found[name.split()[1]].add(answer)
    return {name: sorted(answers) for name, answers in found.items()}


def inherited():
    """What a container gets from this process where its config is silent."""
    status = pathlib.Path('/proc/self/status').read_text()
    limits = {name: [v if v >= 0 else 2**64 - 1 for v in resource.getrlimit(number)]
              for number, name in enumerate(RLIMITS)}
    mounts = machine.cgroup_mounts()
    return {
        'bounding': re.search(r'^CapBnd:\s*(\w+)', status, re.M)[1],
        'rlimits': limits,
        'oom_score_adj': int(pathlib.Path('/proc/self/oom_score_adj').read_text()),
        'namespaces': {link: os.readlink(f'/proc/self/ns/{link}') for link in compare.LINKS.values()},
        'uid_map': [list(map(int, line.split())) for line in open('/proc/self/uid_map')],
        'gid_map': [list(map(int, line.split())) for line in open('/proc/self/gid_map')],
        'hostname': os.uname().nodename,
        'domainname': pathlib.Path('/proc/sys/kernel/domainname').read_text().strip(),
        'own_cgroup': machine.own_cgroups(),
        'cgroup_version': 2 if mounts.get('') == '/sys/fs/cgroup' else 1,
        'hierarchies': sorted({pathlib.Path(where).name for name, where in mounts.items() if name}),
    }


def host_facts(config, bundle, rewrite, container):
    """The Case's third part, but for what is known only after delete."""
    state = container.runtime.state(container.id)
    paths = config['linux'].get('maskedPaths', []) + config['linux'].get('readonlyPaths', [])
    passwd = {1000: '/home/user', 0: '/root'}
    return {
        **inherited(),
        'natural_calls': natural_calls(),
        'joined': rewrite.joined if rewrite else {},
        'joined_mapping': JOINED_MAPPING,
        'bind_roots': rewrite.bind_roots if rewrite else {},
        'rootfs': '/' + str(bundle.rootfs.relative_to(harness.tmp)),
        'submounted': [],
        'existing': [p for p in paths if os.path.lexists(p)],
        'home': passwd.get(config['process'].get('user', {}).get('uid', 0), '/'),
        'state': state,
        'process_cgroup': pathlib.Path(f'/proc/{state["pid"]}/cgroup').read_text().splitlines(),
        'cgroup_files': read_cgroup_files(state['pid']),
        'hooks': [],
        'is_exec': False,
        'outer_filters': 0,
    }


def hook_records(rewrite):
    records = []
    for kind, path, file in rewrite.hook_paths:
        state, arguments, environment = (file.with_name(file.name + end) for end in ('.state', '.args', '.env'))
        if state.exists():
            records.append((state.stat().st_mtime_ns, {
                'kind': kind, 'path': path, 'state': json.loads(state.read_text()),
                'args': arguments.read_text().splitlines(), 'env': environment.read_text().splitlines()}))
    return [record for _, record in sorted(records, key=lambda r: r[0])]


# The three kinds

def run_config(row, text):
    bundle = Bundle(json.loads(text))
    rewrite = Rewrite(bundle.config, bundle, row['rewrites'].split(', '))
    try:
        rewrite.apply()
        own_root(bundle)
        with Container(Runtime(), bundle) as container:
            if row['result'].startswith('error: '):
                expect_error(container, bundle, row['result'].removeprefix('error: '))
                return
            place_probe(bundle.rootfs, bundle.config['process'])
            seen = container.run(*compare.requests(bundle.config))
            host = host_facts(bundle.config, bundle, rewrite, container)
            container.finish()
            container.delete()
        host['hooks'] = hook_records(rewrite)
    finally:
        rewrite.close()
    judge(row, bundle.config, seen, host)


def own_root(bundle):
    """With a user namespace engines give the root to its first user."""
    mappings = bundle.config['linux'].get('uidMappings')
    if any(n['type'] == 'user' and n.get('path') for n in bundle.config['linux'].get('namespaces', [])):
        mappings = [JOINED_MAPPING]
    if mappings:
        owner = mappings[0]['hostID']
        subprocess.run(['chown', '-hR', f'{owner}:{owner}', bundle.rootfs], check=True)


def normal_text(text, container):
    """A message without what differs from run to run and from machine to machine."""
    text = text.replace(container.id, 'ID').replace(str(container.bundle.path), 'BUNDLE')
    text = re.sub(r'(config|process)\.json:\d+:\d+', r'\1.json:LINE:COLUMN', text)
    return re.sub(r'from \d+ to', 'from HARD to', text)


def expect_error(container, bundle, text):
    tree = bundle.save().tree()
    expect(normal_text(harness.cause(container.try_create().error()), container), text, 'error')
    expect_tree(bundle, tree)


def judge(row, config, seen, host):
    problems = compare.compare(config, seen, host)
    assert not problems, '\n'.join(problems)
    recorded.append((row['file'], config, seen, host))


def need_command(name):
    if subprocess.run([harness.KOGG, name, '--help'], capture_output=True, check=False).returncode != 0:
        raise Skip(f'this build has no command {name}')


def default_container(process=None):
    """A container whose limits leave room for whatever a process or an update asks."""
    bundle = Bundle()
    for name in ('bounding', 'effective', 'permitted'):
        bundle.config['process']['capabilities'][name] = compare.capability_names(int(inherited()['bounding'], 16))
    bundle.config['linux']['resources']['memory'] = {'limit': 256 << 20, 'swap': 256 << 20}
    if process:
        place_probe(bundle.rootfs, process)
    return bundle


def exec_options(container, bundle):
    """Opens the stdio of a second process; the options that make exec use it."""
    container.open_stdio()
    console = ['--console-socket', container.console.path] if container.console else []
    return [*console, '--detach', '--pid-file', bundle.path / 'pid']


def run_process(row, text):
    need_command('exec')
    process = json.loads(text)
    is_error = row['result'].startswith('error: ')
    bundle = default_container(None if is_error else process)
    runtime = Runtime()
    with Container(runtime, bundle) as first:
        first.run()
        file = bundle.path / 'process.json'
        file.write_text(text)
        with Container(runtime, Bundle({'process': process}, rootfs=False), first.id) as second:
            options = exec_options(second, bundle)
            answer = runtime.call('exec', '--process', file, *options, first.id, **second.popen)
            second.close_theirs()
            if is_error:
                expect(normal_text(harness.cause(answer.error()), first), row['result'].removeprefix('error: '), 'error')
                expect(answer.status, 255, 'exit status')
                return
            assert answer.status == 0, repr(answer)
            second.take_console()
            config = copy.deepcopy(bundle.config)
            config['process'] = process
            seen = second.ask(*compare.requests(config))
            host = host_facts(config, bundle, None, first) | {'is_exec': True}
            second.say('exit 0')
        first.finish()
        first.delete()
    judge(row, config, seen, host)


def run_resources(row, text):
    need_command('update')
    wanted = json.loads(text)
    wanted.pop('devices', None)  # engines send a rule that update must not apply
    bundle = default_container()
    with Container(Runtime(), bundle) as container:
        seen = container.run()
        before = read_cgroup_files(container.pid)
        file = bundle.path / 'resources.json'
        file.write_text(text)
        container.runtime.ok('update', '--resources', file, container.id)
        after = read_cgroup_files(container.pid)
        expect(after.get('devices.list'), before.get('devices.list'), 'devices.list after update')
        host = host_facts(bundle.config, bundle, None, container)
        problems = list(compare_cgroup.compare_resources(wanted, host))
        container.finish()
        container.delete()
    del seen
    assert not problems, '\n'.join(problems)


KINDS = {'config': run_config, 'process': run_process, 'resources': run_resources}


def run_file(row, path):
    if row['place'] != PLACE:
        raise Skip(f'to be run in the {row["place"]}')
    KINDS[row['kind']](row, path.read_text())


# The comparison itself

# Members of the probe's line that no property decides.
INCIDENTAL = re.compile('/(pid|ppid|session|process_group|machine|securebits|dumpable|affinity|session_keyring|label|'
                        'apparmor_label|setgroups|time_offsets|network_devices|terminal_size|memory_policy|'
                        'memory_nodes|io_priority|controlling_terminal|scheduler)(/.*)?|/status/(?!Seccomp).*|'
                        '/descriptors/[^/]*/(?!is_terminal).*|/devices/[^/]*/(mode|uid|gid|size)|'
                        '/answers/(read|stat) .*')


def at(document, pointer):
    """The container of the member and its key."""
    keys = [k.replace('~1', '/').replace('~0', '~') for k in pointer.split('/')[1:]]
    for key in keys[:-1]:
        document = document[int(key)] if isinstance(document, list) else document[key]
    return document, int(keys[-1]) if isinstance(document, list) else keys[-1]


def changed(value):
    if isinstance(value, bool):
        return not value
    if isinstance(value, int):
        return value + 1 if value < 1 << 16 else value - 4096  # memory is limited in pages
    if value is None:
        return 'x'
    return {'rprivate': 'rshared', 'private': 'shared'}.get(value, value + 'x')


def replacements(pointer, value, host):
    """Values that the member must not be taken for."""
    if pointer.startswith('/mounts/') and isinstance(value, str) and pointer.count('/') == 2:
        words = value.split(' ')  # a line of mountinfo: its root, path and options
        options = 'rw' + words[5][2:] if words[5].startswith('ro') else 'ro' + words[5][2:]
        for index, word in ((3, words[3] + 'x'), (4, words[4] + 'x'), (5, options)):
            yield ' '.join(words[:index] + [word] + words[index + 1:])
    elif pointer.startswith('/namespaces/'):
        own = host['namespaces'][pointer.split('/')[2]]
        yield own if own != value else value + 'x'
    elif pointer.startswith('/answers/write '):
        yield 'ok'
    elif pointer.startswith('/answers/list '):
        yield ['something']
    else:
        yield changed(value)


def changes(document, pointer, host):
    """Copies of the document with that one member changed."""
    container, key = at(document, pointer)
    for value in replacements(pointer, container[key], host):
        copied = copy.deepcopy(document)
        container, key = at(copied, pointer)
        container[key] = value
        yield copied


def members(document):
    """What can be changed: all leaves, and lists that should be empty."""
    yield from compare.leaves(document)
    yield from (f'/answers/{name.replace("/", "~1")}' for name, value in document.get('answers', {}).items()
                if value == [])


def is_noticed(config, seen, host):
    try:
        return bool(compare.compare(config, seen, host))
    except (KeyError, ValueError, TypeError, IndexError, AttributeError):
        return True  # the driver counts an exception as a failure, too


def generalise(pointer):
    pointer = re.sub(r'^/answers/(\w+) [^/]*', r'/answers/\1', pointer)
    pointer = re.sub(r'^/devices/[^/]*', '/devices/*', pointer)
    return re.sub(r'/\d+(?=/|$)', '/*', pointer)


def check_changes(which):
    """One noticed change for each kind of member, or its pointer in the returned list."""
    open_pointers, noticed = {}, set()
    for name, config, seen, host in recorded:
        document = config if which == 'config' else seen
        for pointer in members(document):
            kind = generalise(pointer)
            exempt = compare.is_unseen(pointer) if which == 'config' else INCIDENTAL.fullmatch(pointer)
            if exempt or kind in noticed or open_pointers.get(kind, 0) >= 40:
                continue
            good = all(is_noticed(c, seen, host) if which == 'config' else is_noticed(config, c, host)
                       for c in changes(document, pointer, host))
            if good:
                noticed.add(kind)
            else:
                open_pointers[kind] = open_pointers.get(kind, 0) + 1
    return noticed, sorted(set(open_pointers) - noticed)


def check_self(which):
    if not recorded:
        raise Skip('no config was run')
    noticed, missed = check_changes(which)
    assert not missed, 'a change of these is not noticed:\n' + '\n'.join(missed)
    print(f'# {len(noticed)} kinds of member: a change of each is noticed')


def check_table(rows, files):
    """Every file has a row and every row a file."""
    expect(sorted(set(files) - {r['file'] for r in rows}), [], 'files without a row')
    expect(sorted({r['file'] for r in rows} - set(files)), [], 'rows without a file')


PROFILE = 'profile {} flags=(attach_disconnected,mediate_deleted) {{ file, capability, network, signal, ptrace, unix, }}\n'


def load_profiles(files):
    """The AppArmor profiles that the configs name, which engines load; these allow what the probe does."""
    if not shutil.which('apparmor_parser'):
        harness.skip_all('apparmor_parser is not installed')
    names = set(re.findall(r'"apparmorProfile": *"([^"]+)"', ''.join(f.read_text() for f in files)))
    subprocess.run(['apparmor_parser', '--replace', '--skip-cache'], input=''.join(map(PROFILE.format, sorted(names))),
                   text=True, check=True)


def main():
    folder = SHARED / 'engine-configs'
    pattern = sys.argv[1] if len(sys.argv) > 1 else ''
    files = {p.name: p for p in (HERE / 'configs').glob('*.json')}
    if folder.is_dir():
        files |= {p.name: p for p in folder.glob('*.json')}
    harness.setup()
    rows = [row for row in load_table() if PLACE in ('host', row['place'])]
    if 'AppArmor' in PLACE:
        load_profiles(files.values())
    report = harness.Report()
    try:
        if not folder.is_dir():
            report.line('skipped', 'configs that engines wrote', f'{folder} is missing')
        elif not pattern and PLACE == 'host':
            harness.run_test(report, 'the table', check_table, rows, files)
        for row in rows:
            if row['file'] in files and re.search(pattern, row['file']):
                harness.run_test(report, f'{row["file"]} ({row["place"]})', run_file, row, files[row['file']])
        for which in ('config', 'result') if PLACE == 'host' else ():
            harness.run_test(report, f'changes of the {which}', check_self, which)
    finally:
        harness.teardown()
    sys.exit(report.end())


if __name__ == '__main__':
    main()
