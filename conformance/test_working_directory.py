#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""process.cwd where it is missing: who makes it, where, and who does not."""

import os
import subprocess

import harness
from harness import Bundle, Container, Runtime, Skip, cases, expect, expect_in
from machine import is_guest


def mount(kind, destination, source, *options):
    return {'destination': destination, 'type': kind, 'source': str(source), 'options': list(options)}


def readonly_root(config):
    config['root']['readonly'] = True
    config['process']['cwd'] = '/new/deep'


def readonly_tmpfs(config):
    config['mounts'].append(mount('tmpfs', '/scratch', 'tmpfs', 'ro'))
    config['process']['cwd'] = '/scratch/new'


def link_that_leads_up(config):
    config['root']['readonly'] = True
    config['process']['cwd'] = '/out/new'


def user_namespace(config):
    readonly_root(config)
    mapping = [{'containerID': 0, 'hostID': 100000, 'size': 65536}]
    config['linux'] |= {'uidMappings': mapping, 'gidMappings': mapping}
    config['linux']['namespaces'].append({'type': 'user'})


@cases(*((change.__name__.replace('_', ' '), change, seen_as) for change, seen_as in (
    (readonly_root, '/new/deep'), (readonly_tmpfs, '/scratch/new'), (link_that_leads_up, '/new'),
    (user_namespace, '/new/deep'))))
def test_made_before_all_is_readonly(name, change, seen_as):
    """As with readOnlyRootFilesystem of Kubernetes and a workingDir that the image lacks."""
    bundle = Bundle()
    os.symlink('../../..', bundle.rootfs / 'out')
    bundle.config['process']['user'] = {'uid': 1000, 'gid': 1000}
    change(bundle.config)
    if change is user_namespace:
        subprocess.run(['chown', '-hR', '100000:100000', bundle.rootfs], check=True)
    with Container(Runtime(), bundle) as container:
        container.create().start()
        seen = container.ask(f'stat {seen_as}', f'write {seen_as}')
        expect(seen['cwd'], seen_as, 'working directory')
        status = seen['answers'][f'stat {seen_as}']
        expect((status['uid'], status['gid'], status['mode'] & 0o777), (0, 0, 0o755), 'owner and mode')
        expect(seen['answers'][f'write {seen_as}'], 'EROFS', 'what is written there')
        container.finish()
        container.delete()


@cases(('readonly', ['ro'], []), ('writable', [], ['new']))
def test_below_a_volume(name, options, made):
    """The host's directory is written to only when the container may."""
    bundle, runtime = Bundle(), Runtime()
    source = harness.tmp / 'volume'
    source.mkdir()
    bundle.config['mounts'].append(mount('bind', '/volume', source, 'bind', *options))
    bundle.config['process']['cwd'] = '/volume/new'
    with Container(runtime, bundle) as container:
        answer = container.try_create()
        expect(answer.status, 0 if made else 1, 'status')
        if not made:
            expect(answer.error().get('pointer'), '/process/cwd', 'pointer')
    expect([entry.name for entry in source.iterdir()], made, 'the volume')


def test_below_a_masked_path():
    bundle = Bundle()
    (bundle.rootfs / 'hidden').mkdir()
    bundle.config['linux']['maskedPaths'] = ['/hidden']
    bundle.config['process']['cwd'] = '/hidden/new'
    record = Runtime().fails('create', '--bundle', bundle.save().path, 'refused')
    expect(record.get('pointer'), '/process/cwd', 'pointer')
    expect(list((bundle.rootfs / 'hidden').iterdir()), [], 'what was made')


def test_without_a_mount_namespace():
    if not is_guest():
        raise Skip('shares the mounts of this host: only in a guest')
    bundle = harness.shell_bundle('pwd')
    bundle.config['mounts'] = []
    bundle.config['process']['cwd'] = '/new/deep'
    bundle.config['linux'] |= {'namespaces': [{'type': 'pid'}], 'maskedPaths': [], 'readonlyPaths': []}
    del bundle.config['hostname']
    with Container(Runtime(), bundle) as container:
        answer = container.runtime.call('run', '--bundle', bundle.save().path, container.id)
    expect((answer.status, answer.out), (0, '/new/deep\n'), f'status and working directory: {answer.err}')
    expect((bundle.rootfs / 'new/deep').is_dir(), True, 'whether it was made')


@cases(('option', '--cwd', ''), ('file', '--process', '/cwd'))
def test_exec_makes_none(name, option, pointer):
    """A slip of the pen must not change the container's files."""
    bundle = Bundle()
    with Container(Runtime(), bundle) as container:
        container.run()
        value = '/nonesuch/deep'
        args = [container.id, 'true']
        if option == '--process':
            (harness.tmp / 'process.json').write_text('{"args": ["true"], "cwd": "/nonesuch/deep"}')
            value, args = harness.tmp / 'process.json', [container.id]
        answer = container.runtime.call('exec', option, value, *args)
        expect(answer.status, 255, 'status')
        record = answer.error()
        expect(record.get('pointer', ''), pointer, 'pointer')
        expect_in('chdir to cwd ("/nonesuch/deep"): no such file or directory', record['msg'], 'message')
        expect((bundle.rootfs / 'nonesuch').exists(), False, 'whether it was made')
        container.finish()
        container.delete()


harness.main(__name__)
