#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""config-linux.md, "Control groups": device rules, membership, removal. Works on v1, hybrid and v2 hosts."""
import json
import os
import pathlib
import re
import shutil
import subprocess
import time

import harness
import machine
from harness import Bundle, Container, Runtime, Skip, cases, expect, expect_in
from machine import CGROUP_TOP, all_cpus, cgroup_mounts, cgroups_are_v2, controller_home, is_guest, own_cgroups, reap


def with_resources(**members):
    bundle = Bundle()
    bundle.config['linux']['resources'] |= members
    return bundle


def refused(bundle, pointer=None):
    runtime = Runtime()
    record = runtime.fails('create', '--bundle', bundle.save().path, 'refused')
    assert pointer is None or record.get('pointer', '').startswith(pointer), f'pointer of {record}'
    assert 'no such file' not in record['msg'], record['msg']
    expect(runtime.ids(), [], 'states')
    return record


def groups_named(name):
    """The directories of that name in any hierarchy."""
    return sorted(str(p) for where in cgroup_mounts().values() for p in [pathlib.Path(where, name)] if p.exists())


# Devices

def device_rule(allow, kind=None, major=None, minor=None, access='rwm'):
    rule = {'allow': allow, 'access': access}
    return rule | {k: v for k, v in (('type', kind), ('major', major), ('minor', minor)) if v is not None}


@cases(
    ('denied by default', None, {'null': True, 'loop0': False}),
    ('all denied', [device_rule(False)], {'null': True, 'tty': True, 'loop0': False, 'kmsg': False}),
    ('one allowed', [device_rule(False), device_rule(True, 'c', 1, 11, 'r')], {'kmsg': True, 'loop0': False}),
    ('all allowed', [device_rule(True)], {'kmsg': True, 'loop0': True}),
    ('a major allowed', [device_rule(False), device_rule(True, 'b', 7)], {'loop0': True, 'kmsg': False}),
    ('allowed, then denied', [device_rule(True), device_rule(False)], {'kmsg': False, 'null': True}),
)
def test_device_rules(name, rules, wanted):
    """By what opening the nodes brings: EPERM is the group's word."""
    numbers = {'null': ('c', 1, 3), 'tty': ('c', 5, 0), 'kmsg': ('c', 1, 11), 'loop0': ('b', 7, 0)}
    bundle = with_resources()
    del bundle.config['linux']['resources']['devices']
    if rules is not None:
        bundle.config['linux']['resources']['devices'] = rules
    bundle.config['linux']['devices'] = [{'path': f'/dev/x{n}', 'type': t, 'major': a, 'minor': i}
                                         for n, (t, a, i) in numbers.items()]
    capabilities = bundle.config['process']['capabilities']
    for name_of_set in capabilities:
        capabilities[name_of_set] = ['CAP_SYSLOG', 'CAP_DAC_OVERRIDE', 'CAP_SYS_ADMIN']
    with Container(Runtime(), bundle) as container:
        answers = container.run(*(f'read /dev/x{n}' for n in wanted if n != 'tty'))['answers']
        for device, is_allowed in wanted.items():
            if device != 'tty':
                is_denied = answers[f'read /dev/x{device}'].get('error') == 'EPERM'
                expect(not is_denied, is_allowed, f'{device} ({answers[f"read /dev/x{device}"]})')
        container.finish()
        container.delete()


@cases(('letter', {'allow': True, 'access': 'x'}, '/access'), ('type', {'allow': True, 'type': 'z'}, '/type'),
       ('no allow', {'access': 'r'}, '/allow'))
def test_wrong_device_rule(name, rule, end):
    refused(with_resources(devices=[rule]), f'/linux/resources/devices/0{end}')


def test_device_rules_in_devices_list():
    if cgroups_are_v2():
        raise Skip('cgroup v2 has no devices.list')
    rules = [device_rule(False), device_rule(True, 'c', 10, 229, 'rw'), device_rule(True, 'b', 8, None, 'r')]
    bundle = with_resources(devices=rules)
    with Container(Runtime(), bundle) as container:
        container.create()
        group = pathlib.Path(cgroup_mounts()['devices'] + bundle.config['linux']['cgroupsPath'])
        lines = (group / 'devices.list').read_text().splitlines()
    expect(lines[:2], ['c 10:229 rw', 'b 8:* r'], 'first lines of devices.list')


# Membership and removal

def test_path():
    bundle = Bundle()
    bundle.config['linux']['cgroupsPath'] = f'/{CGROUP_TOP}/a/b'
    with Container(Runtime(), bundle) as container:
        seen = container.run()
        for line in seen['cgroup']:
            _, names, path = line.split(':', 2)
            if not names if cgroups_are_v2() else names not in ('', 'name=systemd'):
                expect(path, f'/{CGROUP_TOP}/a/b', f'group in {names or "v2"}')
        container.finish()
        container.delete()
    expect([g for g in groups_named(f'{CGROUP_TOP}/a/b')], [], 'groups left')


def test_relative_path_lies_below_the_callers():
    bundle = Bundle()
    bundle.config['linux']['cgroupsPath'] = f'{CGROUP_TOP}-relative'
    with Container(Runtime(), bundle) as container:
        lines = container.run()['cgroup']
        assert any(line.endswith(f'/{CGROUP_TOP}-relative') for line in lines), lines
        container.finish()
        container.delete()


@cases(('..',), ('/../x',), ('/a/../../x',))
def test_path_that_climbs(path):
    bundle = Bundle()
    bundle.config['linux']['cgroupsPath'] = path
    refused(bundle, '/linux/cgroupsPath')


@cases(('cgroup.procs',), ('cgroup.procs/x',), ('tasks/x',), ('cgroup.freeze/x',))
def test_path_of_a_file(path):
    """Wherever one of that name is there; nothing of what leads there is left."""
    if path == 'tasks/x' and cgroups_are_v2() or path == 'cgroup.freeze/x' and '' not in cgroup_mounts():
        raise Skip('no hierarchy has such a file')
    bundle = Bundle()
    bundle.config['linux']['cgroupsPath'] = f'/{CGROUP_TOP}-file/b/{path}'
    record = refused(bundle, '/linux/cgroupsPath')
    expect_in('a file of its parent', record['msg'], 'message')
    expect(groups_named(f'{CGROUP_TOP}-file'), [], 'groups left')


def test_missing_path():
    bundle = Bundle()
    del bundle.config['linux']['cgroupsPath']
    with Container(Runtime(), bundle) as container:
        lines = container.run()['cgroup']
        assert any(line.endswith('/' + container.id) for line in lines), lines
        container.finish()
        container.delete()


def test_group_that_holds_processes():
    """Found before anything is made: the group and its process are named, and it survives."""
    name = f'{CGROUP_TOP}/busy'
    controller = 'pids' if 'pids' in cgroup_mounts() else ''
    group = pathlib.Path(cgroup_mounts()[controller], name)
    group.mkdir(parents=True)
    other = subprocess.Popen(['sleep', '100'])
    try:
        (group / 'cgroup.procs').write_text(str(other.pid))
        bundle = Bundle()
        bundle.config['linux']['cgroupsPath'] = '/' + name
        record = refused(bundle, '/linux/cgroupsPath')
        expect_in(str(other.pid), record['msg'] + record.get('hint', ''), 'message')
        expect(group.exists() and other.poll() is None, True, 'the group and its process are there')
    finally:
        other.kill()
        other.wait()
        group.rmdir()


def test_frozen_group():
    if cgroups_are_v2():
        group = pathlib.Path('/sys/fs/cgroup', CGROUP_TOP, 'frozen')
        file, frozen, thawed = group / 'cgroup.freeze', '1', '0'
    else:
        group = pathlib.Path(cgroup_mounts()['freezer'], CGROUP_TOP, 'frozen')
        file, frozen, thawed = group / 'freezer.state', 'FROZEN', 'THAWED'
    group.mkdir(parents=True)
    try:
        file.write_text(frozen)
        bundle = Bundle()
        bundle.config['linux']['cgroupsPath'] = f'/{CGROUP_TOP}/frozen'
        record = refused(bundle, '/linux/cgroupsPath')
        expect_in('frozen', record['msg'], 'message')
    finally:
        file.write_text(thawed)
        group.rmdir()


def test_group_frozen_meanwhile():
    """Its create would wait for a first process that can't go on: delete --force lets it."""
    path = f'/{CGROUP_TOP}/ice'
    file, word = f'/sys/fs/cgroup{path}/cgroup.freeze', '1'
    if not cgroups_are_v2():
        file, word = f'{cgroup_mounts()["freezer"]}{path}/freezer.state', 'FROZEN'
    bundle = Bundle()
    bundle.config['linux']['cgroupsPath'] = path
    bundle.config['hooks'] = {'createRuntime': [{'path': '/bin/sh', 'args': ['sh', '-c', f'echo {word} > {file}']}]}
    runtime = Runtime()
    call = runtime.start_call('create', '--bundle', bundle.save().path, 'ice', stdout=subprocess.DEVNULL)
    try:
        assert harness.settle(lambda: pathlib.Path(file).exists() and pathlib.Path(file).read_text().strip() == word), 'frozen'
        runtime.ok('delete', '--force', 'ice', timeout=60)
        call.wait(10)
        expect(runtime.ids(), [], 'states')
    finally:
        if pathlib.Path(file).exists():
            pathlib.Path(file).write_text({'1': '0'}.get(word, 'THAWED'))
        call.kill()
        call.wait()


def test_empty_group_is_used():
    group = pathlib.Path(cgroup_mounts().get('pids', cgroup_mounts().get('')), CGROUP_TOP, 'empty')
    group.mkdir(parents=True)
    bundle = Bundle()
    bundle.config['linux']['cgroupsPath'] = f'/{CGROUP_TOP}/empty'
    with Container(Runtime(), bundle) as container:
        container.run()
        container.finish()
        container.delete()
    if group.exists():
        group.rmdir()  # it was there before


def test_groups_made_by_the_container_are_removed():
    bundle = Bundle()
    with Container(Runtime(), bundle) as container:
        container.run()
        for where in sorted(set(cgroup_mounts().values())):
            group = pathlib.Path(where + bundle.config['linux']['cgroupsPath'])
            if group.exists():
                (group / 'below/deeper').mkdir(parents=True)
        container.finish()
        container.delete()


def test_processes_left_in_the_group_are_killed():
    """With a process that survives its container, because it shares the host's pid namespace."""
    bundle = Bundle()
    linux = bundle.config['linux']
    linux['namespaces'] = [n for n in linux['namespaces'] if n['type'] != 'pid']
    bundle.config['process']['args'] = ['sh', '-c', 'sleep 1000 & echo; exit 0']
    runtime = Runtime()
    with Container(runtime, bundle) as container:
        container.create().start()
        container.read_line()
        container.wait_status('stopped')
        container.delete()
    reap()


@cases(('delete', '', True, ['delete', '--force', 'ID']), ('delete, one below', '/below', True, ['delete', '--force', 'ID']),
       ('delete, by the shared namespace', '', False, ['delete', 'ID']), ('kill', '', True, ['kill', '--all', 'ID', 'USR1']),
       ('kill with KILL', '', False, ['kill', 'ID', 'KILL']))
def test_another_in_the_group_is_spared(name, below, has_namespace, words):
    """A group that a container has left may be another's by now, whom nothing that is done to the first one ends."""
    runtime, path = Runtime(), f'/{CGROUP_TOP}/shared'
    bundles = [Bundle(), Bundle()]
    for bundle, where in zip(bundles, (path, path + below)):
        linux = bundle.config['linux']
        linux['cgroupsPath'] = where
        if not has_namespace:
            linux['namespaces'] = [n for n in linux['namespaces'] if n['type'] != 'pid']
    with Container(runtime, bundles[0]) as first:
        first.run()
        first.finish()
        args = [first.id if word == 'ID' else word for word in words]
        with Container(runtime, bundles[1]) as second:
            second.run()
            expect_in(f"container '{second.id}' is in its cgroup", runtime.fails(*args)['msg'], 'message')
            expect(runtime.state(second.id)['status'], 'running', 'status')
            second.finish()
            second.delete()
        first.delete()


@cases(('delete', True, ['delete', '--force', 'ID']), ('delete, by the shared namespace', False, ['delete', 'ID']),
       ('kill', True, ['kill', '--all', 'ID', 'KILL']))
def test_another_of_another_root_is_spared(name, has_namespace, words):
    """The one that is in the group now is not listed where the first one is."""
    bundles, theirs = [Bundle(), Bundle()], Runtime()
    for bundle in bundles:
        linux = bundle.config['linux']
        linux['cgroupsPath'] = f'/{CGROUP_TOP}/shared'
        if not has_namespace:
            linux['namespaces'] = [n for n in linux['namespaces'] if n['type'] != 'pid']
    with Container(Runtime(), bundles[0]) as first:
        first.run()
        first.finish()
        args = [first.id if word == 'ID' else word for word in words]
        with Container(theirs, bundles[1], first.id) as second:
            second.run()
            expect_in('a container of another root is in its cgroup', first.runtime.fails(*args)['msg'], 'message')
            expect(theirs.state(second.id)['status'], 'running', 'status')
            second.finish()
            second.delete()
        first.delete()


def test_parents_of_others_survive():
    """Deleting takes away the container's group only, not the engine's above it with other members."""
    sibling = [pathlib.Path(where, CGROUP_TOP, 'parent/sibling') for where in sorted(set(cgroup_mounts().values()))]
    for path in sibling:
        path.mkdir(parents=True)
    try:
        bundle = Bundle()
        bundle.config['linux']['cgroupsPath'] = f'/{CGROUP_TOP}/parent/mine'
        with Container(Runtime(), bundle) as container:
            container.run()
            container.finish()
            container.delete()
        expect([p.exists() for p in sibling], [True] * len(sibling), 'siblings')
    finally:
        for path in sibling:
            path.rmdir()
            path.parent.rmdir()


def test_moved_process_is_still_deleted():
    """A process that somebody moved to a foreign group: it is killed, the foreign group stays."""
    controller = 'pids' if 'pids' in cgroup_mounts() else ''
    foreign = pathlib.Path(cgroup_mounts()[controller], CGROUP_TOP, 'foreign')
    foreign.mkdir(parents=True)
    try:
        runtime = Runtime()
        with Container(runtime, Bundle()) as container:
            container.create()
            (foreign / 'cgroup.procs').write_text(str(container.pid))
            container.start()
            container.ask()
            container.finish()
            container.delete()
        expect(foreign.exists(), True, 'the foreign group is there')
    finally:
        reap()
        foreign.rmdir()


def test_namespace_shows_the_group_as_root():
    bundle = Bundle()
    bundle.config['linux']['namespaces'].append({'type': 'cgroup'})
    with Container(Runtime(), bundle) as container:
        paths = {line.split(':', 2)[2] for line in container.run()['cgroup']}
        expect(paths, {'/'}, 'groups seen inside')
        container.finish()
        container.delete()


def cgroup_mount(*options, source='cgroup', destination='/sys/fs/cgroup'):
    return {'destination': destination, 'type': 'cgroup', 'source': source, 'options': ['nosuid', 'noexec', *options]}


# Mount, whether there is a cgroup namespace of its own, the process's user, the id that user 0 is mapped to; owner
@cases(
    ('writable', cgroup_mount('rw'), True, 1000, None, 1000), ('no word', cgroup_mount(), True, 1000, None, 1000),
    ('mapped', cgroup_mount('rw'), True, 7, 100000, 100007), ('read-only', cgroup_mount('ro'), True, 1000, None, 0),
    ('no mount', None, True, 1000, None, 0), ('no namespace', cgroup_mount('rw'), False, 1000, None, 0),
    ('another source', cgroup_mount('rw', source='x'), True, 1000, None, 0),
    ('another place', cgroup_mount('rw', destination='/mnt'), True, 1000, None, 0),
)
def test_ownership(name, mount, has_namespace, uid, first_id, owner):
    """config-linux.md, "Cgroup ownership": the directory and what the kernel lists for delegation, never on v1."""
    bundle = Bundle()
    linux = bundle.config['linux']
    if has_namespace:
        linux['namespaces'].append({'type': 'cgroup'})
    if mount:
        bundle.config['mounts'].append(mount)
    if first_id:
        linux['namespaces'].append({'type': 'user'})
        linux['uidMappings'] = linux['gidMappings'] = [{'containerID': 0, 'hostID': first_id, 'size': 65536}]
    bundle.config['process']['user'] = {'uid': uid, 'gid': uid}
    with Container(Runtime(), bundle) as container:
        container.create()
        group = pathlib.Path(cgroup_mounts().get('', cgroup_mounts().get('pids')) + linux['cgroupsPath'])
        if not cgroups_are_v2():
            owner = 0
        delegated = pathlib.Path('/sys/kernel/cgroup/delegate').read_text().split()
        for path in [group, *group.iterdir()]:
            wanted = owner if path == group or path.name in delegated else 0
            expect((path.stat().st_uid, path.stat().st_gid), (wanted, 0), f'owner of {path}')


def unified_flags():
    """Of the file system, which all its mounts have in common."""
    lines = [line.split() for line in pathlib.Path('/proc/self/mounts').read_text().splitlines()]
    return {word for line in lines if line[2] == 'cgroup2' for word in line[3].split(',')}


@cases(
    ("the caller's", 'cgroup', '/proc/self/ns/cgroup'), ("the caller's, cgroup2", 'cgroup2', '/proc/self/ns/cgroup'),
    ('of process 1', 'cgroup', '/proc/1/ns/cgroup'),
)
def test_joined_namespace_of_the_host(name, fstype, path):
    """What is mounted is the container's group, not all of them; and the host's mount keeps its flags."""
    # On a host the caller has one of his own, in which a mount has no power over the flags.
    wrapper = [] if is_guest() else ['unshare', '--cgroup']
    if wrapper and path.startswith('/proc/1/'):
        raise Skip('would change this host if the runtime were wrong: only in a guest')
    if wrapper and 'nsdelegate' in unified_flags():
        raise Skip('with nsdelegate nobody moves into a group outside his namespace')
    if not cgroups_are_v2():
        raise Skip('only with v2 alone')
    bundle = Bundle()
    bundle.config['linux']['namespaces'].append({'type': 'cgroup', 'path': path})
    bundle.config['mounts'].append(cgroup_mount('ro') | {'type': fstype})
    flags = unified_flags()
    with Container(Runtime(), bundle) as container:
        container.create(wrapper=wrapper)
        group = pathlib.Path(f'/proc/{container.pid}/root/sys/fs/cgroup')
        expect((group / 'cgroup.procs').read_text().split(), [str(container.pid)], 'processes of the group')
        assert not (group / CGROUP_TOP).exists(), 'the container sees the root of the hierarchy'
        expect(unified_flags(), flags, 'flags of the hierarchy')
        container.start()
        container.finish()
        container.delete()


def test_disabled_manager():
    """podman's --cgroups=disabled: the container stays where the caller is."""
    bundle = Bundle()
    with Container(Runtime('--cgroup-manager', 'disabled'), bundle) as container:
        lines = container.run()['cgroup']
        own = own_cgroups()
        for line in lines:
            _, names, path = line.split(':', 2)
            expect(path, own[names.split(',')[0].removeprefix('name=')], f'group in {names or "v2"}')
        container.finish()
        container.delete()


@cases(('cgroup', False), ('cgroup', True), ('cgroup2', False), ('cgroup2', True))
def test_disabled_manager_and_mount(fstype, has_namespace):
    """What is mounted then holds groups of the caller's, which are not the container's to change."""
    bundle = Bundle()
    if has_namespace:
        bundle.config['linux']['namespaces'].append({'type': 'cgroup'})
    bundle.config['mounts'].append(cgroup_mount('rw') | {'type': fstype})
    with Container(Runtime('--cgroup-manager', 'disabled'), bundle) as container:
        container.create()
        lines = pathlib.Path(f'/proc/{container.pid}/mountinfo').read_text().splitlines()
        mounts = {line.split()[4]: line.split()[5].split(',') for line in lines}
        mounts = {path: words for path, words in mounts.items() if path.startswith('/sys/fs/cgroup')}
        expect([path for path, words in mounts.items() if 'ro' not in words], [], f'writable among {mounts}')
        assert mounts, lines
        container.start()
        container.finish()
        container.delete()


def test_folder_without_a_hierarchy():
    """podman on v1 leaves plain folders for controllers that nobody mounted: they are no hierarchies."""
    if cgroups_are_v2():
        raise Skip('only where controllers have folders')
    folder = pathlib.Path('/sys/fs/cgroup/net_cls')
    if folder.exists():
        raise Skip('net_cls is there')
    machine.mount('tmpfs', '/mnt', 'tmpfs')  # in the tests' own mount namespace: nobody else sees the folder
    try:
        (pathlib.Path('/mnt') / 'net_cls').mkdir()
        for path in sorted(pathlib.Path('/sys/fs/cgroup').iterdir()):
            (pathlib.Path('/mnt') / path.name).mkdir(exist_ok=True)
            machine.mount(path, f'/mnt/{path.name}', flags=machine.MS_BIND)
        machine.mount('/mnt', '/sys/fs/cgroup', flags=machine.MS_BIND | machine.MS_REC)
        refused(with_resources(network={'classID': 1}), '/linux/resources/network')
        expect(list(folder.iterdir()), [], 'what was made in the plain folder')
    finally:
        machine.umount('/sys/fs/cgroup')
        machine.umount('/mnt')


def traced_create(calls, bundle=None):
    """The lines of strace(1) of a create, with paths for descriptors."""
    if not shutil.which('strace'):
        raise Skip('strace is not installed')
    trace = harness.tmp / 'trace'
    with Container(Runtime(), bundle or Bundle()) as container:
        command = ['strace', *harness.TRACEABLE, '-f', '-y', '-qq', '-s', '256', '-o', str(trace), '-e', f'trace={calls}']
        # The traced tracee of what stays would keep strace waiting: it ends with the container.
        container.bundle.config['process']['args'] = ['sleep', '1000']
        container.bundle.save()
        process = subprocess.Popen([*command, *container.runtime.command('create', '--bundle', container.bundle.path,
                                                                        container.id)],
                                   stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL)
        deadline = time.monotonic() + 20
        while container.runtime.call('state', container.id).status or container.runtime.state(container.id)['status'] != 'created':
            assert time.monotonic() < deadline, 'it is not created'
            time.sleep(0.05)
        container.runtime.ok('delete', '--force', container.id)
        process.wait(20)
    return trace.read_text().splitlines()


def test_born_in_the_group():
    """On v2 the first process is never anywhere else: nothing moves it."""
    if '' not in cgroup_mounts():
        raise Skip('there is no v2 hierarchy')
    lines = traced_create('clone3,write,openat')
    births = [line for line in lines if 'clone3(' in line and 'CLONE_INTO_CGROUP' in line]
    expect(len(births), 1, f'births in a cgroup in {[line for line in lines if "clone3(" in line]}')
    where = re.escape(cgroup_mounts()[''] + '/' + CGROUP_TOP)
    moves = [line for line in lines if re.search(rf'write\(\d+<{where}/[^>]*(cgroup\.procs|tasks|cgroup\.threads)>', line)]
    expect(moves, [], 'moves')


def test_one_write_a_hierarchy():
    """On v1 the first process enters each group by one write of its own."""
    places = {where for name, where in cgroup_mounts().items() if name}
    if not places:
        raise Skip('there is no v1 hierarchy')
    lines = traced_create('write')
    moves = [match[1] for line in lines if (match := re.search(r'write\(\d+<(\S*?)/' + CGROUP_TOP + r'/\S*/(?:cgroup\.procs|tasks)>', line))]
    expect(sorted(moves), sorted(places), 'hierarchies of the moves')


def test_memory_policy_is_in_the_cpuset():
    """The kernel looks at the group's nodes when the policy is set, so they have to be written by then."""
    if not controller_home('cpuset')[1]:
        raise Skip('needs the controller cpuset')
    bundle = with_resources(cpu={'mems': '0'})
    bundle.config['linux']['memoryPolicy'] = {'mode': 'MPOL_BIND', 'nodes': '0', 'flags': []}
    lines = traced_create('clone3,write,set_mempolicy', bundle)
    births = [i for i, line in enumerate(lines) if 'clone3(' in line]
    writes = [i for i, line in enumerate(lines) if re.search(CGROUP_TOP + r'\S*/cpuset\.mems>, "0', line)]
    policies = [i for i, line in enumerate(lines) if 'set_mempolicy(MPOL_BIND' in line]
    assert births and policies and any(i < births[0] for i in writes), f'births {births}, writes {writes}, policies {policies}'


@cases(
    ('no limit', {}, []), ('cpus', {'cpus': '0-1'}, []), ('stage process', {'cpus': '0-1'}, [{'type': 'time'}]),
    ('no group', {}, None),
)
def test_affinity_of_the_caller(name, cpu, namespaces):
    """As from a unit with CPUAffinity=: since Linux 6.2 the mask would survive the move into a cpuset."""
    wanted = all_cpus()
    if len(wanted) < 2:
        raise Skip('needs two CPUs')
    if cpu and not controller_home('cpuset')[1]:
        raise Skip('needs the controller cpuset')
    if cpu:
        wanted = [0, 1]
    options = []
    if namespaces is None:
        options, wanted = ['--cgroup-manager', 'disabled'], [1]
    bundle = with_resources(cpu=cpu)
    bundle.config['linux']['namespaces'] += namespaces or []
    with Container(Runtime(*options, preexec_fn=lambda: os.sched_setaffinity(0, {1})), bundle) as container:
        expect(container.run()['affinity'], wanted, 'affinity of the first process')
        answer = container.runtime.ok('exec', container.id, '/bin/probe')
        expect(json.loads(answer.out)['affinity'], wanted, "affinity of exec's process")
        container.finish()
        container.delete()


def test_controllers_of_the_group():
    """Also those without limits, for who makes groups in the container."""
    if not cgroups_are_v2():
        raise Skip('only with v2 alone')
    wished = {'cpu', 'cpuset', 'hugetlb', 'io', 'memory', 'misc', 'pids', 'rdma'}
    available = pathlib.Path('/sys/fs/cgroup/cgroup.controllers').read_text().split()
    bundle = Bundle()
    with Container(Runtime(), bundle) as container:
        container.create()
        group = pathlib.Path('/sys/fs/cgroup' + bundle.config['linux']['cgroupsPath'])
        expect(sorted((group / 'cgroup.controllers').read_text().split()), sorted(wished & {*available}), 'controllers')


# cgroup.kill: Linux 6.18 kills who is born into a group when it has been used there or where the maker is

def unified_group(name):
    """A v2 group of this test."""
    if '' not in cgroup_mounts():
        raise Skip('there is no v2 hierarchy')
    group = pathlib.Path(cgroup_mounts()[''], CGROUP_TOP, name)
    group.mkdir(parents=True)
    if not (group / 'cgroup.kill').exists():
        raise Skip('the kernel has no cgroup.kill')
    return group


def lives_and_takes(bundle, runtime):
    """Whether create, exec, and run bring about programs."""
    with Container(runtime, bundle) as container:
        lines = container.run()['cgroup']
        path = bundle.config['linux']['cgroupsPath']
        if not any(n['type'] == 'cgroup' for n in bundle.config['linux']['namespaces']):
            expect_in(f'0::{path}', lines, 'cgroups of the first process')
        answer = container.runtime.ok('exec', container.id, '/bin/probe')
        expect(sorted(json.loads(answer.out)['cgroup']), sorted(lines), "cgroups of exec's process")
        container.finish()
        container.delete()
    bundle.config['process']['args'], bundle.config['process']['terminal'] = ['/bin/probe'], False
    expect(harness.run_program(runtime, bundle).status, 0, 'status of run')


@cases(('', {}, []), ('terminal', {'terminal': True}, []), ('stage', {}, [{'type': 'time'}]))
def test_group_where_all_were_killed(name, process, namespaces):
    group = unified_group('killed')
    try:
        (group / 'cgroup.kill').write_text('1')
        bundle = Bundle()
        bundle.config['linux']['cgroupsPath'] = f'/{CGROUP_TOP}/killed'
        bundle.config['linux']['namespaces'] += namespaces
        bundle.config['process'] |= process
        lives_and_takes(bundle, Runtime())
    finally:
        group.rmdir()


def test_caller_where_all_were_killed():
    group = unified_group('caller')
    try:
        (group / 'cgroup.kill').write_text('1')
        lives_and_takes(Bundle(), Runtime(preexec_fn=lambda: (group / 'cgroup.procs').write_text(str(os.getpid()))))
    finally:
        group.rmdir()


def test_failed_create_kills_nobody():
    """Where there is nobody, cgroup.kill is left alone."""
    group = unified_group('spared')
    try:
        bundle = Bundle()
        bundle.config['linux']['cgroupsPath'] = f'/{CGROUP_TOP}/spared'
        bundle.config['process']['args'] = ['nosuch']
        trace = harness.tmp / 'trace'
        strace = ['strace', *harness.TRACEABLE, '-f', '-qq', '-o', str(trace), '-e', 'trace=openat']
        answer = Runtime().call('create', '--bundle', bundle.save().path, 'spared',
                                wrapper=strace if shutil.which('strace') else [])
        expect_in('nosuch', answer.error()['msg'], 'message')
        if trace.exists():
            expect_in('cgroup.events', trace.read_text(), 'what was opened')
            assert 'cgroup.kill' not in trace.read_text(), 'cgroup.kill was opened'
    finally:
        group.rmdir()


def test_time_of_removal():
    """Deleting does not sleep: the group is empty when the process is."""
    with Container(Runtime(), Bundle()) as container:
        container.run()
        container.finish()
        began = time.monotonic()
        container.delete()
        took = time.monotonic() - began
    assert took < 1, f'delete took {took:.2f} s'


harness.main(__name__)
