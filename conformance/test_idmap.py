#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""config.md, mounts with uidMappings, gidMappings and the words idmap and ridmap, beside a user namespace."""
import os

import harness
from harness import Bundle, Container, Runtime, cases, expect, expect_in
from machine import MS_SHARED, mount

FIRST = 100000


def mapping(*ranges):
    return [{'containerID': inside, 'hostID': outside, 'size': size} for inside, outside, size in ranges]


def user_bundle(mount):
    """A container whose ids begin at FIRST, with a root file system of its own ids."""
    bundle = Bundle()
    linux = bundle.config['linux']
    linux['namespaces'].append({'type': 'user'})
    linux['uidMappings'] = linux['gidMappings'] = mapping((0, FIRST, 65536))
    bundle.config['mounts'].append({'destination': '/data', 'type': 'bind', **mount})
    for directory, dirs, files in os.walk(bundle.rootfs):
        os.chown(directory, FIRST, FIRST)
    return bundle


def mappable():
    """An empty mount where IDs can be mapped: of a tmpfs since Linux 6.3."""
    path = harness.tmp / f'source{harness.serial()}'
    path.mkdir()
    if [int(n) for n in os.uname().release.split('.')[:2]] < [6, 3]:
        harness.temporary_image(path)
    else:
        harness.temporary_mount('tmpfs', path, 'tmpfs')
    return path


def source():
    """Files of the host's root and of user 7."""
    path = mappable()
    for name, owner in (('zero', 0), ('seven', 7), ('beyond', 70000)):
        (path / name).write_text(name)
        os.chown(path / name, owner, owner)
    return str(path)


def owners(bundle):
    with Container(Runtime(), bundle) as container:
        seen = container.run('stat /data/zero', 'stat /data/seven', 'stat /data/beyond', 'write /data/zero')
        container.finish()
        container.delete()
    answers = seen['answers']
    return [answers[f'stat /data/{name}']['uid'] for name in ('zero', 'seven', 'beyond')], answers['write /data/zero']


@cases(('idmap',), ('ridmap',))
def test_by_the_containers_mappings(word):
    """The word alone takes those of the container."""
    uids, writing = owners(user_bundle({'source': source(), 'options': ['rbind', word]}))
    expect(uids, [0, 7, 65534], 'owners')
    expect(writing, 'ok', 'writing')


def test_by_mappings_of_its_own():
    """From what the file system has to what it is outside the container."""
    ids = mapping((0, FIRST + 7, 1), (7, FIRST, 1))
    uids, writing = owners(user_bundle(
        {'source': source(), 'options': ['bind', 'idmap'], 'uidMappings': ids, 'gidMappings': ids}))
    expect(uids, [7, 0, 65534], 'owners')


def test_without_mapping():
    uids, writing = owners(user_bundle({'source': source(), 'options': ['bind']}))
    expect(uids, [65534, 65534, 65534], 'owners')
    assert writing != 'ok', 'the container can write to what the host\'s root owns'


def test_many_ranges():
    ids = mapping(*[(2 * i, FIRST + 2 * i, 1) for i in range(300)])
    uids, _ = owners(user_bundle(
        {'source': source(), 'options': ['bind', 'idmap'], 'uidMappings': ids, 'gidMappings': ids}))
    expect(uids, [0, 65534, 65534], 'owners')


def test_stays_a_peer_of_the_hosts():
    """Without a user namespace an ID-mapped mount may be shared with the host as any other."""
    path = mappable()
    mount(None, path, flags=MS_SHARED)
    bundle = Bundle()
    bundle.config['linux']['rootfsPropagation'] = 'rshared'
    ids = mapping((0, FIRST, 65536))
    for name, words in (('shared', ['rshared']), ('slave', ['rslave']), ('none', [])):
        bundle.config['mounts'].append({'destination': f'/{name}', 'type': 'bind', 'source': str(path),
                                        'options': ['rbind', 'idmap', *words], 'uidMappings': ids, 'gidMappings': ids})
    with Container(Runtime(), bundle) as container:
        lines = {line.split()[4]: line for line in container.run()['mounts']}
        container.finish()
        container.delete()
    host = next(line for line in open('/proc/self/mountinfo') if line.split()[4] == str(path))
    group = host.split('shared:')[1].split()[0]
    links = {name: (f'shared:{group} ' in lines[f'/{name}'], f'master:{group} ' in lines[f'/{name}'])
             for name in ('shared', 'slave', 'none')}
    expect(links, {'shared': (True, False), 'slave': (False, True), 'none': (False, True)}, 'peer, slave of the host')


@cases(('proc', '/proc/sys'), ('sysfs', '/sys/class'))
def test_file_system_that_can_not(fstype, path):
    runtime = Runtime()
    bundle = user_bundle({'source': path, 'options': ['bind', 'idmap']})
    record = runtime.fails('create', '--bundle', bundle.save().path, 'refused')
    expect(record.get('pointer'), f'/mounts/{len(bundle.config["mounts"]) - 1}/source', f'pointer of {record["msg"]!r}')
    expect_in(f"'{fstype}'", record['msg'], 'message')
    expect_in(os.uname().release, record.get('hint', ''), 'hint')
    expect(runtime.ids(), [], 'states')


@cases(
    ('overlap', mapping((0, 5000, 10), (5, 6000, 10)), '/uidMappings/1'),
    ('empty', mapping((0, 5000, 0)), '/uidMappings/0/size'),
)
def test_bad_mappings(name, ids, pointer):
    runtime = Runtime()
    bundle = user_bundle({'source': source(), 'options': ['bind', 'idmap'], 'uidMappings': ids, 'gidMappings': ids})
    record = runtime.fails('create', '--bundle', bundle.save().path, 'refused')
    expect(record.get('pointer'), f'/mounts/{len(bundle.config["mounts"]) - 1}{pointer}', 'pointer')


def test_without_anything_to_map_by():
    runtime, bundle = Runtime(), Bundle()
    bundle.config['mounts'].append(
        {'destination': '/data', 'type': 'bind', 'source': source(), 'options': ['bind', 'idmap']})
    record = runtime.fails('create', '--bundle', bundle.save().path, 'refused')
    expect_in('/mounts/', record.get('pointer', ''), 'pointer')


harness.main(__name__)
