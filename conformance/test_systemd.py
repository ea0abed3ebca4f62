#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""The systemd cgroup driver: scopes, their limits and properties, what a reload keeps, and what is left. For guests."""
import json
import os
import pathlib
import pwd
import re
import shutil
import statistics
import subprocess
import sys
import tempfile
import time

import harness
from harness import Bundle, Container, Runtime, Skip, cases, expect, expect_in, serial

MEGABYTE = 1 << 20
SLICE = 'koggtest.slice'
PREFIX = f'kt{os.getpid()}'
USER = 'koggtest'


def systemctl(*args):
    return subprocess.run(['systemctl', '--no-pager', *args], stdout=subprocess.PIPE, text=True, check=True).stdout


def show(unit, *names):
    """Property -> text of a unit."""
    lines = systemctl('show', unit, '-p', ','.join(names)).splitlines()
    return dict(line.split('=', 1) for line in lines)


def units():
    lines = systemctl('list-units', '--all', '--plain', '--no-legend', f'{PREFIX}-*', 'kogg-*').splitlines()
    return [line.split()[0] for line in lines]


def runtime():
    return Runtime('--systemd-cgroup')


def scope_bundle(**resources):
    """A bundle whose group is a scope of its own; its unit's name."""
    bundle = Bundle()
    name = f'c{serial()}'
    bundle.config['linux']['cgroupsPath'] = f'{SLICE}:{PREFIX}:{name}'
    bundle.config['linux']['resources'] |= resources
    return bundle, f'{PREFIX}-{name}.scope'


def group_of(unit, slices=(SLICE,)):
    return pathlib.Path('/sys/fs/cgroup', *slices, unit)


def expect_files(unit, **wanted):
    """memory_max='1' is what the file memory.max must hold."""
    for name, value in wanted.items():
        text = (group_of(unit) / name.replace('__', '-').replace('_', '.')).read_text().strip()
        expect(text, value, f'{name} of {unit}')


def expect_gone(unit):
    expect(show(unit, 'LoadState')['LoadState'], 'not-found', f'load state of {unit}')
    expect(group_of(unit).exists(), False, f'the group of {unit} is there')


# What is in force, and what a reload leaves of it

LIMITS = {
    'memory': {'limit': 64 * MEGABYTE, 'swap': 96 * MEGABYTE, 'reservation': 32 * MEGABYTE},
    'cpu': {'shares': 512, 'quota': 50000, 'period': 100000, 'cpus': '0', 'mems': '0'},
    'pids': {'limit': 33},
    'unified': {'memory.high': str(48 * MEGABYTE)},
}
IN_FORCE = {'memory_max': str(64 * MEGABYTE), 'memory_swap_max': str(32 * MEGABYTE), 'memory_low': str(32 * MEGABYTE),
            'memory_high': str(48 * MEGABYTE), 'cpu_weight': '59', 'cpu_max': '50000 100000', 'cpuset_cpus': '0',
            'cpuset_mems': '0', 'pids_max': '33'}


def device_bundle():
    """With three nodes, of which the group allows null (as always) and kmsg."""
    rules = [{'allow': False, 'access': 'rwm'}, {'allow': True, 'type': 'c', 'major': 1, 'minor': 11, 'access': 'r'}]
    bundle, unit = scope_bundle(**LIMITS, devices=rules)
    bundle.config['linux']['devices'] = [{'path': f'/dev/x{n}', 'type': t, 'major': a, 'minor': i} for n, t, a, i in
                                         (('null', 'c', 1, 3), ('kmsg', 'c', 1, 11), ('loop0', 'b', 7, 0))]
    for names in bundle.config['process']['capabilities'].values():
        names[:] = ['CAP_SYSLOG', 'CAP_DAC_OVERRIDE', 'CAP_SYS_ADMIN']
    return bundle, unit


def expect_devices(container):
    answers = container.ask('read /dev/xnull', 'read /dev/xkmsg', 'read /dev/xloop0')['answers']
    denied = [name for name, answer in answers.items() if answer.get('error') == 'EPERM']
    expect(denied, ['read /dev/xloop0'], 'devices that are denied')


def test_limits_and_devices_survive_a_reload():
    bundle, unit = device_bundle()
    with Container(runtime(), bundle) as container:
        container.create().start()
        expect_files(unit, **IN_FORCE)
        expect_devices(container)
        systemctl('daemon-reload')
        expect_files(unit, **IN_FORCE)
        expect_devices(container)
        container.finish()
        container.delete()
    expect_gone(unit)


def test_unit():
    """Its slice, its description, and that it is ours to divide."""
    bundle, unit = scope_bundle()
    with Container(runtime(), bundle) as container:
        container.create()
        seen = show(unit, 'Slice', 'Delegate', 'Transient', 'ActiveState', 'Description')
        expect(seen, {'Slice': SLICE, 'Delegate': 'yes', 'Transient': 'yes', 'ActiveState': 'active',
                      'Description': f'kogg container {container.id}'}, 'properties')
        group = pathlib.Path(f'/proc/{container.pid}/cgroup').read_text().strip()
        expect(group, f'0::/{SLICE}/{unit}', 'the group of the process')
        members = (group_of(unit) / 'cgroup.procs').read_text().split()
        expect(members, [str(container.pid)], 'processes of the scope')
        expect_files(unit, pids_max='max')  # and not DefaultTasksMax


@cases(('no path', None, 'system.slice/kogg-{id}.scope'), ('empty slice', ':{p}:one', 'system.slice/{p}-one.scope'),
       ('no prefix', 'koggtest.slice::{p}-two', 'koggtest.slice/{p}-two.scope'),
       ('slice in a slice', 'koggtest-a.slice:{p}:three', 'koggtest.slice/koggtest-a.slice/{p}-three.scope'))
def test_path(name, path, wanted):
    bundle, _ = scope_bundle()
    if path is None:
        del bundle.config['linux']['cgroupsPath']
    else:
        bundle.config['linux']['cgroupsPath'] = path.format(p=PREFIX)
    with Container(runtime(), bundle) as container:
        container.create()
        group = pathlib.Path(f'/proc/{container.pid}/cgroup').read_text().strip()
        expect(group, '0::/' + wanted.format(p=PREFIX, id=container.id), 'the group of the process')


@cases(('memory', 3 * MEGABYTE), ('tasks', 0))
def test_tight_limit(name, limit):
    """kogg's own way into the scope needs less than the container will have."""
    resources = {'memory': {'limit': limit, 'swap': limit}} if name == 'memory' else {'pids': {'limit': limit}}
    bundle, unit = scope_bundle(**resources)
    bundle.config['process']['args'] = ['sh', '-c', 'exit 9']
    expect(harness.run_program(runtime(), bundle).status, 9, 'exit status')
    expect_gone(unit)


def test_annotations():
    bundle, unit = scope_bundle()
    bundle.config['annotations'] = {'org.systemd.property.TimeoutStopUSec': 'uint64 7000000',
                                    'org.systemd.property.Description': "'a name of its own'",
                                    'org.systemd.property.TasksMax': 'uint64 44'}
    with Container(runtime(), bundle) as container:
        container.create()
        seen = show(unit, 'TimeoutStopUSec', 'Description', 'TasksMax')
        expect(seen, {'TimeoutStopUSec': '7s', 'Description': 'a name of its own', 'TasksMax': '44'}, 'properties')


# Operations

def test_update():
    bundle, unit = scope_bundle(memory={'limit': 64 * MEGABYTE}, cpu={'shares': 512})
    with Container(runtime(), bundle) as container:
        container.create().start()
        Runtime.ok(container.runtime, 'update', '--memory', str(40 * MEGABYTE), '--memory-swap', str(40 * MEGABYTE),
                   '--cpu-quota', '20000', '--pids-limit', '21', container.id)
        wanted = {'memory_max': str(40 * MEGABYTE), 'memory_swap_max': '0', 'cpu_max': '20000 100000', 'pids_max': '21',
                  'cpu_weight': '59'}
        expect_files(unit, **wanted)
        systemctl('daemon-reload')
        expect_files(unit, **wanted)


def test_update_is_exact():
    """systemd knows quotas in whole percents and writes them when it pleases: what was asked for comes last."""
    bundle, unit = scope_bundle()
    with Container(runtime(), bundle) as container:
        container.create().start()
        for quota in range(15500, 15600, 10):
            container.runtime.ok('update', '--cpu-quota', quota, container.id)
            expect_files(unit, cpu_max=f'{quota} 100000')


SMALL = {'memory': {'limit': 64 * MEGABYTE, 'swap': 64 * MEGABYTE}}
HALF = {'cpu': {'quota': 50000, 'period': 100000}}


def update_by_file(container, resources):
    path = harness.tmp / 'resources.json'
    path.write_text(json.dumps(resources))
    container.runtime.ok('update', '--resources', path, container.id)


@cases(('size with a suffix', {'unified': {'memory.max': '64M', 'memory.low': '1m'}}, None,
        {'memory_max': str(64 * MEGABYTE), 'memory_low': str(MEGABYTE)}),
       ('lone period', HALF, {'cpu': {'period': 200000}}, {'cpu_max': '50000 200000'}),
       ('lone swap', SMALL, {'memory': {'swap': 96 * MEGABYTE}}, {'memory_swap_max': str(32 * MEGABYTE)}),
       ('no limit', SMALL, {'memory': {'limit': -1}}, {'memory_max': 'max', 'memory_swap_max': 'max'}),
       ('idle', {}, {'cpu': {'idle': 1}}, {'cpu_idle': '1'}),
       ('idle by file', {'unified': {'cpu.idle': '1'}}, None, {'cpu_idle': '1'}),
       ('idle no more', {'cpu': {'idle': 1}}, {'cpu': {'idle': 0}}, {'cpu_idle': '0', 'cpu_weight': '100'}),
       ('not idle anyway', {'cpu': {'shares': 512}}, {'cpu': {'idle': 0}}, {'cpu_idle': '0', 'cpu_weight': '59'}),
       ('idle no more by file', {'unified': {'cpu.idle': '1'}}, {'unified': {'cpu.idle': '0'}}, {'cpu_idle': '0'}))
def test_update_leaves_the_rest(name, resources, change, wanted):
    """systemd writes all files of a unit, whatever one is updated: it knows the others too."""
    bundle, unit = scope_bundle(**resources)
    with Container(runtime(), bundle) as container:
        container.create().start()
        if change:
            update_by_file(container, change)
        expect_files(unit, **wanted)
        container.runtime.ok('update', '--pids-limit', '20', container.id)
        expect_files(unit, pids_max='20', **wanted)
        systemctl('daemon-reload')
        expect_files(unit, pids_max='20', **wanted)


def test_update_leaves_what_systemd_has_no_words_for():
    """Also what somebody else has written."""
    bundle, unit = scope_bundle(unified={'memory.oom.group': '1', 'cpu.max': '15550 1000000'})
    others = {'memory_high': str(48 * MEGABYTE), 'memory_swap_max': str(16 * MEGABYTE)}
    with Container(runtime(), bundle) as container:
        container.create().start()
        for name, value in others.items():
            (group_of(unit) / name.replace('_', '.')).write_text(value)
        wanted = {'memory_oom_group': '1', 'cpu_max': '15550 1000000', **others}
        for option in (['--cpuset-cpus', '0'], ['--pids-limit', '20'], ['--memory-reservation', str(MEGABYTE)]):
            container.runtime.ok('update', *option, container.id)
            expect_files(unit, **wanted)
        expect_files(unit, cpuset_cpus='0', pids_max='20', memory_low=str(MEGABYTE))


def test_update_that_fails():
    """Neither the files nor the unit are changed."""
    bundle, unit = scope_bundle(**LIMITS)
    with Container(runtime(), bundle) as container:
        container.create().start()
        properties = ['MemoryMax', 'CPUQuotaPerSecUSec', 'TasksMax', 'MemorySwapMax']
        before = show(unit, *properties)
        resources = {'memory': {'limit': 80 * MEGABYTE, 'swap': 80 * MEGABYTE}, 'cpu': {'quota': 20000},
                     'pids': {'limit': 21}, 'unified': {'cgroup.max.depth': 'nonsense'}}
        path = harness.tmp / 'resources.json'
        path.write_text(json.dumps(resources))
        record = container.runtime.fails('update', '--resources', path, container.id)
        expect(record['pointer'], '/unified/cgroup.max.depth', 'pointer')
        expect_files(unit, **IN_FORCE)
        expect(show(unit, *properties), before, 'properties')


def test_pause_and_exec():
    bundle, unit = scope_bundle()
    with Container(runtime(), bundle) as container:
        container.create().start()
        container.runtime.ok('pause', container.id)
        expect(container.runtime.state(container.id)['status'], 'paused', 'status')
        expect_files(unit, cgroup_freeze='1')
        container.runtime.ok('resume', container.id)
        expect(container.runtime.state(container.id)['status'], 'running', 'status')
        answer = container.runtime.ok('exec', container.id, 'cat', '/proc/self/cgroup')
        expect(answer.out.strip(), f'0::/{SLICE}/{unit}', 'the group of the added process')


def test_kill_all():
    bundle, unit = scope_bundle()
    bundle.config['process']['args'] = ['sh', '-c', 'sleep 1000 & echo; wait']
    with Container(runtime(), bundle) as container:
        container.create().start()
        container.read_line()
        container.runtime.ok('kill', '--all', container.id, 'KILL')
        container.wait_status('stopped')
        container.delete()
    expect_gone(unit)


def test_delete_without_the_option():
    """As containerd's shim does when it cleans up: the state knows the driver."""
    bundle, unit = scope_bundle()
    with Container(runtime(), bundle) as container:
        container.create().start()
        container.runtime.global_options = []
        container.runtime.ok('delete', '--force', container.id)
        container.is_made = False
    expect_gone(unit)


def test_scope_that_somebody_killed():
    """Somebody else ends the container, and an empty scope goes by itself: delete finds no unit."""
    bundle, unit = scope_bundle()
    with Container(runtime(), bundle) as container:
        container.create().start()
        systemctl('kill', '--signal=KILL', unit)
        container.wait_status('stopped')
        container.delete()
    expect_gone(unit)


def test_rounds_leave_nothing():
    before = sorted(p.name for p in group_of('').iterdir()) if group_of('').exists() else None
    own = runtime()
    for number in range(20):
        bundle, _ = scope_bundle(**LIMITS)
        with Container(own, bundle) as container:
            container.create()
            if number % 2:
                container.start()
    expect(units(), [], 'units')
    if group_of('').exists():
        after = sorted(p.name for p in group_of('').iterdir())
        expect([n for n in after if n.endswith('.scope') and n not in (before or [])], [], 'groups')


# What goes wrong

def refused(bundle, unit):
    own = runtime()
    record = own.fails('create', '--bundle', bundle.save().path, 'refused')
    expect(own.ids(), [], 'states')
    expect_gone(unit)
    return record


def test_unknown_property():
    bundle, unit = scope_bundle()
    bundle.config['annotations'] = {'org.systemd.property.NoSuchThing': '1'}
    expect_in('NoSuchThing', refused(bundle, unit)['msg'], 'message')


def test_job_that_fails():
    """The error has the job's end and the unit's result, and the failed unit is forgotten."""
    bundle, unit = scope_bundle()
    bundle.config['annotations'] = {'org.systemd.property.Requisite': "['sleep.target']",
                                    'org.systemd.property.After': "['sleep.target']"}
    message = refused(bundle, unit)['msg']
    for part in (unit, 'job dependency', "result '"):
        expect_in(part, message, 'message')


def test_unit_that_exists():
    bundle, unit = scope_bundle()
    subprocess.run(['systemd-run', '--quiet', '--scope', f'--slice={SLICE}', f'--unit={unit}', 'sh', '-c',
                    'exec sleep 1000 & '], check=True)
    try:
        own = runtime()
        message = own.fails('create', '--bundle', bundle.save().path, 'refused')['msg']
        assert unit in message, message
        expect(show(unit, 'ActiveState')['ActiveState'], 'active', 'state of the unit that was there')
        expect(own.ids(), [], 'states')
    finally:
        systemctl('stop', unit)


def test_path_of_the_other_driver():
    bundle, _ = scope_bundle()
    bundle.config['linux']['cgroupsPath'] = '/a/b'
    record = runtime().fails('create', '--bundle', bundle.save().path, 'refused')
    expect(record['pointer'], '/linux/cgroupsPath', 'pointer')


# Without root

def user_manager():
    """Starts the manager of a user of ours, and waits for it."""
    subprocess.run(['useradd', '-m', USER], check=True)
    subprocess.run(['loginctl', 'enable-linger', USER], check=True)
    socket = pathlib.Path(f'/run/user/{pwd.getpwnam(USER).pw_uid}/systemd/private')
    deadline = time.monotonic() + 120
    while not socket.exists():
        assert time.monotonic() < deadline, 'the user manager does not come up'
        time.sleep(0.2)


def user_bundle(cgroups_path):
    if not shutil.which('loginctl'):
        raise Skip('there is no logind')
    user = pwd.getpwnam(USER)
    bundle = Bundle()
    config = bundle.config
    config['process']['args'] = ['sleep', '1000']
    config['linux'] |= {'cgroupsPath': cgroups_path, 'resources': {'memory': {'limit': 64 * MEGABYTE}},
                        'uidMappings': [{'containerID': 0, 'hostID': user.pw_uid, 'size': 1}],
                        'gidMappings': [{'containerID': 0, 'hostID': user.pw_gid, 'size': 1}]}
    config['linux']['namespaces'].append({'type': 'user'})
    config['mounts'] = [m for m in config['mounts'] if m['type'] not in ('devpts', 'mqueue')]
    bundle.save()
    subprocess.run(['chown', '-R', USER, bundle.path], check=True)
    return bundle, user


def call_as(user, *command):
    """Output and errors of a command of the user's, which must succeed."""
    with tempfile.TemporaryFile('w+') as out:  # no pipe: the container keeps what it is given
        result = subprocess.run(['setpriv', f'--reuid={user.pw_uid}', f'--regid={user.pw_gid}', '--clear-groups', 'env', '-i',
                                 f'PATH={os.environ["PATH"]}', f'XDG_RUNTIME_DIR=/run/user/{user.pw_uid}', *map(str, command)],
                                stdin=subprocess.DEVNULL, stdout=out, stderr=out, timeout=120, check=False)
        out.seek(0)
        text = out.read()
    assert result.returncode == 0, f'{command}: {text}'
    return text


def test_rootless():
    """A scope of the user's manager, reached from a group that the user may not leave by himself."""
    bundle, user = user_bundle(f':{PREFIX}:rootless')

    def call(*args):
        return call_as(user, harness.KOGG, '--root', bundle.path / 'state', '--systemd-cgroup', *args)

    call('create', '--bundle', bundle.path, 'rootless')
    try:
        call('start', 'rootless')
        scope = f'/user.slice/{PREFIX}-rootless.scope'
        added = call('exec', 'rootless', 'cat', '/proc/self/cgroup').strip()
        assert added.endswith(f'/user@{user.pw_uid}.service{scope}'), added
        group = pathlib.Path('/sys/fs/cgroup' + added.removeprefix('0::'))
        expect((group / 'memory.max').read_text().strip(), str(64 * MEGABYTE), 'memory.max')
        call('update', '--memory', '40M', '--memory-swap', '40M', '--pids-limit', '9', '--cpu-quota', '15500', 'rootless')
        seen = [(group / name).read_text().strip() for name in ('memory.max', 'pids.max', 'cpu.max')]
        expect(seen, [str(40 * MEGABYTE), '9', '15500 100000'], 'limits after update')
    finally:
        call('delete', '--force', 'rootless')
    expect(group.exists(), False, 'the group is there')


def test_rootless_by_directory():
    """Without the driver, from within a scope that the user's manager has delegated; also what needs a group."""
    bundle, user = user_bundle('mine')
    kogg = f'{harness.KOGG} --root {bundle.path}/state'
    script = f'''set -e
        {kogg} run --detach --bundle {bundle.path} rootless </dev/null >/dev/null
        {kogg} exec rootless cat /proc/self/cgroup
        {kogg} update --memory 32M --memory-swap 32M --pids-limit 9 rootless
        group=/sys/fs/cgroup$({kogg} exec rootless cat /proc/self/cgroup | sed s/^0:://)
        cat $group/memory.max $group/pids.max
        {kogg} pause rootless
        cat $group/cgroup.freeze
        {kogg} resume rootless
        {kogg} ps --format json rootless
        {kogg} delete --force rootless
        test ! -e $group'''
    lines = call_as(user, 'systemd-run', '--user', '--quiet', '--scope', '-p', 'Delegate=yes', 'sh', '-c', script).splitlines()
    assert f'/user@{user.pw_uid}.service/' in lines[0] and lines[0].endswith('/mine'), lines
    expect(lines[1:4], [str(32 * MEGABYTE), '9', '1'], 'limits and state')
    expect(len(json.loads(lines[4])), 1, 'processes')


# What it costs

def milliseconds(function):
    began = time.monotonic()
    function()
    return (time.monotonic() - began) * 1000


def one_life(*options):
    bundle, _ = scope_bundle()
    if not options:
        bundle.config['linux']['cgroupsPath'] = f'/{harness.CGROUP_TOP}/c{serial()}'
    own = Runtime(*options)
    bundle.save()

    def life():
        subprocess.run(own.command('create', '--bundle', bundle.path, 'one'), stdin=subprocess.DEVNULL, check=True,
                       stdout=subprocess.DEVNULL)
        subprocess.run(own.command('delete', '--force', 'one'), check=True)
    return milliseconds(life)


# What the driver tells of a container without limits, as busctl(1) takes it.
PROPERTIES = '''7 PIDs au 1 {pid} Delegate b true MemoryAccounting b true CPUAccounting b true IOAccounting b true
DevicePolicy s strict DeviceAllow a(ss) 11 /dev/char/1:3 rwm /dev/char/1:5 rwm /dev/char/1:7 rwm /dev/char/1:8 rwm
/dev/char/1:9 rwm /dev/char/5:0 rwm /dev/char/5:2 rwm /dev/char/10:200 rwm char-pts rwm block-* m char-* m'''


def one_pair(properties):
    """StartTransientUnit and StopUnit, and no more."""
    manager = ['busctl', 'call', 'org.freedesktop.systemd1', '/org/freedesktop/systemd1',
               'org.freedesktop.systemd1.Manager']
    member = subprocess.Popen(['sleep', '1000'])
    unit = f'{PREFIX}-pair{serial()}.scope'

    def pair():
        subprocess.run([*manager, 'StartTransientUnit', 'ssa(sv)a(sa(sv))', unit, 'fail',
                        *properties.format(pid=member.pid).split(), '0'], check=True, stdout=subprocess.DEVNULL)
        subprocess.run([*manager, 'StopUnit', 'ss', unit, 'replace'], check=True, stdout=subprocess.DEVNULL)
    took = milliseconds(pair)
    member.wait()
    return took


def test_cost():
    """What the driver adds, against one pair of calls by busctl(1) for the same unit, in the same minute; medians."""
    rounds = [(one_life('--systemd-cgroup'), one_life(), one_pair(PROPERTIES), one_pair('1 PIDs au 1 {pid}'))
              for _ in range(9)]
    added = statistics.median(r[0] - r[1] for r in rounds)
    pair, bare = (statistics.median(r[i] for r in rounds) for i in (2, 3))
    print(f'# the systemd driver adds {added:.0f} ms; a pair by busctl takes {pair:.0f} ms, {bare:.0f} ms without properties')
    assert added < 1.3 * pair, f'the driver adds {added:.0f} ms, a pair of calls by busctl takes {pair:.0f} ms'


def main():
    if not os.path.exists('/run/systemd/private'):
        harness.skip_all('systemd is not the init here')
    if shutil.which('loginctl') and re.search(sys.argv[1] if len(sys.argv) > 1 else '', 'rootless'):
        user_manager()  # its directory in /run is a mount, which the tests' own namespace would not get
    harness.main('__main__')


main()
