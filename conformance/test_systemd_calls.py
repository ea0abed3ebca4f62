#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""The systemd cgroup driver against a systemd of our own: what it says of one that refuses, fails, or never answers.

Also a host with v1 hierarchies, where systemd makes some groups of a unit and kogg the others. The real one is in
test_systemd.
"""
import json
import os
import pathlib
import shutil
import signal
import subprocess
import threading
import time

import harness
from cgroup_files import check_files, need, settings
from fake_systemd import FakeSystemd, ending, hanging_up, never_ending, refusing, silent
from harness import Bundle, Container, Runtime, Skip, cases, expect, expect_in
from machine import cgroup_mounts

UNIT = f'kt{os.getpid()}-one.scope'
SLICE = f'koggtest{os.getpid()}.slice'  # without a dash, it is at the top


def hierarchies():
    return [pathlib.Path(where) for where in sorted(set(cgroup_mounts().values()))]


def made_by_systemd():
    """The hierarchies in which systemd itself makes a unit's group."""
    mounts = cgroup_mounts()
    return [pathlib.Path(mounts[name]) for name in ('', 'systemd') if name in mounts]


def bundle_of_unit(**resources):
    bundle = Bundle()
    bundle.config['linux']['cgroupsPath'] = f'{SLICE}:kt{os.getpid()}:one'
    bundle.config['linux']['resources'] |= resources
    return bundle.save()


def systemd(**options):
    """The fake one, at the place of the host's."""
    if not os.access(pathlib.Path(harness.KOGG).parent / 'kogg-systemd', os.X_OK):
        raise Skip('kogg is built without systemd')
    harness.temporary_mount('tmpfs', '/run', 'tmpfs')
    return FakeSystemd('/run', [where / SLICE / UNIT for where in made_by_systemd()], **options)


def remove_slices():
    for where in hierarchies():
        if (where / SLICE).exists():
            (where / SLICE).rmdir()


def left():
    return [str(where / SLICE / UNIT) for where in hierarchies() if (where / SLICE / UNIT).exists()]


def runtime():
    return Runtime('--systemd-cgroup')


def test_life():
    """create to delete; in each hierarchy, whoever makes the group there, the process is in it, and limits are in force."""
    bundle = bundle_of_unit(**({'pids': {'limit': 33}} if 'pids' in cgroup_mounts() else {}))
    try:
        with systemd() as fake, Container(runtime(), bundle) as container:
            container.create()
            expect(fake.members(), ['Subscribe', 'StartTransientUnit'], 'calls of create')
            groups = pathlib.Path(f'/proc/{container.pid}/cgroup').read_text().splitlines()
            for where in hierarchies():
                members = (where / SLICE / UNIT / 'cgroup.procs').read_text().split()
                expect(members, [str(container.pid)], f'processes in {where}')
            elsewhere = [g for g in groups if not g.endswith(f':/{SLICE}/{UNIT}')]
            named = [g for g in elsewhere if g.split(':')[1] and g.split(':')[1].split(',')[0] not in cgroup_mounts()
                     and g.split(':')[1].removeprefix('name=') not in cgroup_mounts()]
            expect(elsewhere, named, 'groups of another name')
            container.start()
            added = container.runtime.ok('exec', container.id, 'cat', '/proc/self/cgroup').out.splitlines()
            expect(added, groups, 'groups of an exec')
            if 'pids' in cgroup_mounts():
                check_files(pathlib.Path(cgroup_mounts()['pids'], SLICE, UNIT), {'pids.max': '33'})
                container.runtime.ok('update', '--pids-limit', '22', container.id)
                check_files(pathlib.Path(cgroup_mounts()['pids'], SLICE, UNIT), {'pids.max': '22'})
                expect(fake.members()[2:], ['SetUnitProperties', 'Ping'], 'calls of update')
            container.runtime.ok('pause', container.id)
            container.runtime.ok('resume', container.id)
            container.runtime.ok('delete', '--force', container.id)
            container.is_made = False
            expect(fake.members()[-3:], ['Subscribe', 'StopUnit', 'ResetFailedUnit'], 'calls of delete')
            expect(left(), [], 'groups that are left')
    finally:
        remove_slices()


def test_calls_that_need_no_systemd():
    """One connection for each command that has to ask; none for the others, nor for other containers."""
    with systemd() as fake:
        own = Runtime('--cgroup-manager', 'systemd')
        try:
            with Container(own, bundle_of_unit()) as container:
                container.create()
                expect(len(fake.connections), 1, 'connections of create')
                container.start()
                for command in (['state', container.id], ['list'], ['pause', container.id], ['resume', container.id],
                                ['exec', container.id, 'true'], ['ps', '--format', 'json', container.id],
                                ['events', '--stats', container.id], ['kill', container.id, 'CONT'], ['features']):
                    own.ok(*command)
                expect(len(fake.connections), 1, 'connections of commands that ask nothing')
                own.ok('delete', '--force', container.id)
                container.is_made = False
                expect(len(fake.connections), 2, 'connections with delete')
            with Container(Runtime(), Bundle()) as container:
                container.create().start()
            expect(len(fake.connections), 2, 'connections of another driver')
        finally:
            remove_slices()


def test_without_the_program():
    """As a build without systemd has it: features and the error say so."""
    alone = harness.tmp / 'alone'
    alone.mkdir()
    shutil.copy(harness.KOGG, alone / 'kogg')
    if os.path.exists('/usr/local/libexec/kogg-systemd') or os.path.exists('/usr/libexec/kogg-systemd'):
        raise Skip('it is installed')
    features = json.loads(subprocess.run([alone / 'kogg', 'features'], stdout=subprocess.PIPE, check=True).stdout)
    expect((features['linux']['cgroup']['systemd'], features['linux']['cgroup']['systemdUser']), (False, False), 'features')
    result = subprocess.run([alone / 'kogg', '--root', harness.tmp / 'state', '--systemd-cgroup', 'create', '--bundle',
                             bundle_of_unit().path, 'refused'], stderr=subprocess.PIPE, text=True, check=False)
    expect(result.returncode, 1, 'status')
    expect_in("the program 'kogg-systemd' is not installed", result.stderr, 'message')
    expect(left(), [], 'groups')


def test_update_that_systemd_refuses():
    """What had been written by then is as it was."""
    need('pids')
    bundle = bundle_of_unit(pids={'limit': 33})
    refuse = refusing('org.freedesktop.DBus.Error.AccessDenied', 'Not for you.')
    try:
        with systemd(answers={'SetUnitProperties': refuse}) as fake, Container(runtime(), bundle) as container:
            container.create()
            bundle.config['linux']['cgroupsPath'] = f'/{SLICE}/{UNIT}'
            before = settings(bundle)
            record = container.runtime.fails('update', '--pids-limit', '22', container.id)
            expect(record['msg'], f"systemd unit '{UNIT}': Not for you", 'message')
            expect(settings(bundle), before, 'settings')
            assert 'SetUnitProperties' in fake.members(), fake.members()
    finally:
        remove_slices()


# What systemd writes into the files of a unit that it knows no limits of.
REWRITTEN = {'cpu.shares': '1024', 'cpu.cfs_quota_us': '-1', 'memory.limit_in_bytes': '-1', 'pids.max': 'max',
             'cpu.weight': '100', 'cpu.max': 'max', 'memory.high': 'max', 'memory.max': 'max', 'memory.oom.group': '0'}


def rewrite(*_):
    for where in hierarchies():
        for name, value in REWRITTEN.items():
            if (where / SLICE / UNIT / name).exists():
                (where / SLICE / UNIT / name).write_text(value)


@cases(('done', False), ('refused', True))
def test_update_leaves_the_rest(name, is_refused):
    """systemd writes all the files of a unit, if it was told of one limit."""
    need('pids')
    need('cpu')
    bundle = bundle_of_unit(pids={'limit': 33}, cpu={'shares': 512, 'quota': 15500, 'period': 100000})
    refuse = refusing('org.freedesktop.DBus.Error.Failed', 'Half done.')

    def answer(connection, call):
        rewrite()
        return is_refused and refuse(connection, call)
    try:
        with systemd(answers={'SetUnitProperties': answer}), Container(runtime(), bundle) as container:
            container.create()
            bundle.config['linux']['cgroupsPath'] = f'/{SLICE}/{UNIT}'
            before = settings(bundle)
            if is_refused:
                container.runtime.fails('update', '--pids-limit', '22', container.id)
            else:
                container.runtime.ok('update', '--pids-limit', '22', container.id)
            expect(settings(bundle), before | {'pids.max': '33\n' if is_refused else '22\n'}, 'settings')
    finally:
        remove_slices()


def devices_bundle(first, *exceptions):
    """With a node that the rules deny to be read."""
    bundle = bundle_of_unit(devices=[{'allow': first, 'access': 'rwm'}, *exceptions])
    bundle.config['linux']['devices'] = [{'path': '/dev/xloop0', 'type': 'b', 'major': 7, 'minor': 0}]
    return bundle.save()


@cases(('running', False, False, False), ('paused', True, False, False), ('refused', False, True, False),
       ('paused and refused', True, True, False), ('all but one', False, False, True))
def test_devices_after_update(name, is_paused, is_refused, is_open):
    """systemd writes v1's list of rules anew, which for a moment denies all: no process sees that, nor what it left."""
    need('devices')
    if 'devices' not in cgroup_mounts() or 'freezer' not in cgroup_mounts():
        raise Skip('devices are not in v1 here')
    group, freezer = (pathlib.Path(cgroup_mounts()[c], SLICE, UNIT) for c in ('devices', 'freezer'))
    bundle = devices_bundle(True, {'allow': False, 'type': 'b', 'major': 7, 'minor': 0, 'access': 'rw'}) if is_open else \
        devices_bundle(False, {'allow': True, 'type': 'c', 'minor': 7, 'access': 'r'})
    seen = []

    def answer(connection, call):
        (group / ('devices.allow' if is_open else 'devices.deny')).write_text('a')
        if not is_open:
            (group / 'devices.allow').write_text('c 1:3 rwm')
        seen.append((freezer / 'freezer.state').read_text())
        return is_refused and refusing('org.freedesktop.DBus.Error.Failed', 'Half done.')(connection, call)
    try:
        with systemd(answers={'SetUnitProperties': answer}), Container(runtime(), bundle) as container:
            container.create().start()
            before = sorted((group / 'devices.list').read_text().splitlines())
            if is_paused:
                container.runtime.ok('pause', container.id)
            (container.runtime.fails if is_refused else container.runtime.ok)('update', '--pids-limit', '22', container.id)
            expect(seen, ['FROZEN\n'], 'states while systemd writes')
            expect((freezer / 'freezer.state').read_text().strip(), 'FROZEN' if is_paused else 'THAWED', 'state')
            expect(sorted((group / 'devices.list').read_text().splitlines()), before, 'rules')
            if is_paused:
                container.runtime.ok('resume', container.id)
            expect(container.ask('read /dev/xloop0')['answers']['read /dev/xloop0'].get('error'), 'EPERM', 'what is denied')
    finally:
        remove_slices()


def v1_freezer():
    if 'devices' not in cgroup_mounts() or 'freezer' not in cgroup_mounts():
        raise Skip('devices are not in v1 here')
    return pathlib.Path(cgroup_mounts()['freezer'], SLICE, UNIT, 'freezer.state')


@cases(('INT', signal.SIGINT), ('TERM', signal.SIGTERM), ('HUP', signal.SIGHUP), ('QUIT', signal.SIGQUIT))
def test_update_interrupted(name, number):
    """The signal waits for the container to go on, with its rules."""
    freezer = v1_freezer()
    devices = pathlib.Path(cgroup_mounts()['devices'], SLICE, UNIT)
    arrived, is_sent, seen = threading.Event(), threading.Event(), []

    def answer(_connection, _call):
        (devices / 'devices.deny').write_text('a')
        seen.append(freezer.read_text())
        arrived.set()
        is_sent.wait(3)
        return False
    try:
        with systemd(answers={'SetUnitProperties': answer}), Container(runtime(), bundle_of_unit()) as container:
            container.create().start()
            before = sorted((devices / 'devices.list').read_text().splitlines())
            with container.runtime.start_call('update', '--pids-limit', '22', container.id) as call:
                expect(arrived.wait(20), True, 'whether systemd was called')
                call.send_signal(number)
                expect(ended_early(call), None, 'status while systemd writes')
                is_sent.set()
                expect(call.wait(20), -number, 'status')
            expect(seen, ['FROZEN\n'], 'states while systemd writes')
            expect(freezer.read_text(), 'THAWED\n', 'state')
            expect(sorted((devices / 'devices.list').read_text().splitlines()), before, 'rules')
    finally:
        remove_slices()


def ended_early(call):
    try:
        return call.wait(0.5)
    except subprocess.TimeoutExpired:
        return None


def test_update_when_systemd_is_slow():
    """The container does not stand still for long, and has its rules back in the end."""
    freezer = v1_freezer()
    devices = pathlib.Path(cgroup_mounts()['devices'], SLICE, UNIT)
    seen = []

    def answer(_connection, _call):
        seen.append(freezer.read_text())
        seen.append(harness.settle(lambda: freezer.read_text() == 'THAWED\n'))
        (devices / 'devices.deny').write_text('a')
        return False
    try:
        with systemd(answers={'SetUnitProperties': answer}), Container(runtime(), bundle_of_unit()) as container:
            container.create().start()
            before = sorted((devices / 'devices.list').read_text().splitlines())
            result = container.runtime.ok('update', '--pids-limit', '22', container.id)
            expect(seen, ['FROZEN\n', True], 'states while systemd is at it')
            expect_in('denied its devices for a moment', result.log_text, 'warning')
            expect(freezer.read_text(), 'THAWED\n', 'state')
            expect(sorted((devices / 'devices.list').read_text().splitlines()), before, 'rules')
    finally:
        remove_slices()


@cases(('done', False), ('refused', True))
def test_devices_that_do_not_come_back(name, is_refused):
    """Somebody takes one away from the group above: that is said, whatever systemd says, and the container goes on."""
    if 'devices' not in cgroup_mounts() or 'freezer' not in cgroup_mounts():
        raise Skip('devices are not in v1 here')
    above, freezer = pathlib.Path(cgroup_mounts()['devices'], SLICE), pathlib.Path(cgroup_mounts()['freezer'], SLICE, UNIT)

    def answer(connection, call):
        (above / 'devices.deny').write_text('c 1:5 rwm')
        return is_refused and refusing('org.freedesktop.DBus.Error.Failed', 'Half done.')(connection, call)
    try:
        with systemd(answers={'SetUnitProperties': answer}), Container(runtime(), bundle_of_unit()) as container:
            container.create().start()
            record = container.runtime.fails('update', '--pids-limit', '22', container.id)
            expect_in('Half done' if is_refused else 'restore the device rules', record['msg'], 'message')
            expect_in('restore the device rules' if is_refused else 'the group above', record['hint'], 'hint')
            expect((freezer / 'freezer.state').read_text().strip(), 'THAWED', 'state')
    finally:
        remove_slices()


def test_update_of_one_that_has_groups_below():
    """There nobody can write the list of rules anew, and what is in force stays."""
    if 'devices' not in cgroup_mounts():
        raise Skip('devices are not in v1 here')
    group = pathlib.Path(cgroup_mounts()['devices'], SLICE, UNIT)
    try:
        with systemd(), Container(runtime(), bundle_of_unit()) as container:
            container.create().start()
            (group / 'inner').mkdir()
            before = sorted((group / 'devices.list').read_text().splitlines())
            container.runtime.ok('update', '--pids-limit', '22', container.id)
            expect(sorted((group / 'devices.list').read_text().splitlines()), before, 'rules')
    finally:
        remove_slices()


def refused(fake, *texts):
    own = runtime()
    with fake:
        record = own.fails('create', '--bundle', bundle_of_unit().path, 'refused', timeout=60)
    for text in (f"systemd unit '{UNIT}'", *texts):
        expect_in(text, record['msg'], 'message')
    for phrase in ('no such file', 'does not exist', 'operation not permitted', 'permission denied'):
        assert phrase not in record['msg'].lower(), f'{record["msg"]!r} has words that engines take for something else'
    expect(own.ids(), [], 'states')
    expect(left(), [], 'groups')
    remove_slices()
    return record


@cases(
    ('refusal', {'StartTransientUnit': refusing('org.freedesktop.systemd1.NoSuchUnit', 'There is no such slice.')},
     'There is no such slice'),
    ('not permitted', {'StartTransientUnit': refusing('a.b', 'Operation not permitted')}, 'Operation\u00a0not permitted'),
    ('denied', {'StartTransientUnit': refusing('a.b', 'Permission denied.')}, 'Permission\u00a0denied'),
    ('no file', {'StartTransientUnit': refusing('a.b', 'No such file or directory')}, 'No\u00a0such file or directory'),
    ('no process', {'StartTransientUnit': refusing('a.b', 'Process with ID 77 does not exist.')}, 'does\u00a0not exist'),
    ('name without words', {'StartTransientUnit': refusing('org.freedesktop.DBus.Error.Failed', '')},
     'org.freedesktop.DBus.Error.Failed'),
    ('failed', {'StartTransientUnit': ending('failed')}, 'job failed', "result 'of the fake'"),
    ('timeout', {'StartTransientUnit': ending('timeout')}, 'job timeout'),
    ('dependency', {'StartTransientUnit': ending('dependency')}, 'job dependency'),
    ('lines', {'StartTransientUnit': refusing('a.b', 'one\ntwo\x1b[m')}, 'one two [m'),
    ('hang-up', {'StartTransientUnit': hanging_up}, 'onnection reset'),
    ('hang-up at once', {'Subscribe': hanging_up}, 'onnection reset'),
)
def test_refused(name, answers, *texts):
    refused(systemd(answers=answers), *texts)


def test_unit_that_had_failed():
    """Its name is freed, and the start tried again, once."""
    seen = []

    def once(connection, call):
        if seen:
            return False
        seen.append(1)
        connection.refuse(call, 'org.freedesktop.systemd1.UnitExists', 'It was there.')
        return True
    try:
        with systemd(answers={'StartTransientUnit': once}) as fake, Container(runtime(), bundle_of_unit()) as container:
            container.create()
            expect(fake.members(), ['Subscribe', 'StartTransientUnit', 'ResetFailedUnit', 'StartTransientUnit'], 'calls')
    finally:
        remove_slices()


@cases(('at the call', {'StartTransientUnit': silent}, 15, 'timed out'), ('at the first', {'Subscribe': silent}, 15, 'timed out'))
def test_never_answers(name, answers, limit, text):
    """With the limit that libsystemd takes from SYSTEMD_BUS_TIMEOUT, for all of its 25 s were too long to test."""
    os.environ['SYSTEMD_BUS_TIMEOUT'] = '2s'
    try:
        began = time.monotonic()
        refused(systemd(answers=answers), text)
        assert time.monotonic() - began < limit, f'it took {time.monotonic() - began:.0f} s'
    finally:
        del os.environ['SYSTEMD_BUS_TIMEOUT']


def test_delete_without_an_answer():
    """The container is gone, if not its unit; the error names that, and another try may succeed."""
    os.environ['SYSTEMD_BUS_TIMEOUT'] = '2s'
    answers = {}
    try:
        with systemd(answers=answers) as fake, Container(runtime(), bundle_of_unit()) as container:
            container.create()
            answers['StopUnit'] = silent
            record = container.runtime.fails('delete', '--force', container.id)
            expect_in(UNIT, record['msg'], 'message')
            expect(container.runtime.ids(), [container.id], 'states')
            answers.clear()
            container.runtime.ok('delete', '--force', container.id)
            container.is_made = False
            expect(left(), [], 'groups')
    finally:
        del os.environ['SYSTEMD_BUS_TIMEOUT']
        remove_slices()


def test_silence():
    """Not even who is there is answered: nobody but kogg itself sees to it that there is an end."""
    began = time.monotonic()
    own = runtime()
    with systemd(is_mute=True):
        record = own.fails('create', '--bundle', bundle_of_unit().path, 'refused', timeout=60)
    expect_in('systemd has not answered in 40 s', record['msg'], 'message')
    assert time.monotonic() - began < 50, f'it took {time.monotonic() - began:.0f} s'
    expect(own.ids(), [], 'states')
    expect(left(), [], 'groups')
    remove_slices()


def test_job_without_an_end():
    began = time.monotonic()
    refused(systemd(answers={'StartTransientUnit': never_ending}), 'timed out')
    assert time.monotonic() - began < 40, f'it took {time.monotonic() - began:.0f} s'


def test_nobody_there():
    if not os.access(pathlib.Path(harness.KOGG).parent / 'kogg-systemd', os.X_OK):
        raise Skip('kogg is built without systemd')
    harness.temporary_mount('tmpfs', '/run', 'tmpfs')
    record = runtime().fails('create', '--bundle', bundle_of_unit().path, 'refused')
    expect_in('is systemd running here', record.get('hint', ''), 'hint')


harness.main(__name__)
