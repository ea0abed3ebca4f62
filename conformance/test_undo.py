#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""runtime.md, "Errors": what a failed create or run has made in the root file system and in volumes is gone again."""
import contextlib
import os
import subprocess

import harness
from harness import Bundle, Runtime, cases, expect, expect_in, expect_tree

MAPPING = [{'containerID': 0, 'hostID': 100000, 'size': 65536}]


def bind(destination, source, *options):
    return {'destination': destination, 'type': 'bind', 'source': str(source), 'options': ['rbind', *options]}


def tmpfs(destination, *options):
    return {'destination': destination, 'type': 'tmpfs', 'source': 'tmpfs', 'options': list(options)}


def script(bundle, text):
    """A hook that runs TEXT with ROOT set."""
    path = bundle.path / 'hook'
    path.write_text(f'#!/bin/sh\nROOT={bundle.rootfs}\n{text}\n')
    path.chmod(0o755)
    return str(path)


# Where it fails

def no_program(bundle):
    bundle.config['process']['args'] = ['/nonesuch']


def no_file_system(bundle):
    bundle.config['mounts'].append({'destination': '/new/late', 'type': 'nonesuch', 'source': 'x'})


def no_sysctl(bundle):
    bundle.config['linux']['sysctl'] = {'net.ipv4.nosuch': '1'}


def failing_hook(kind):
    def change(bundle):
        bundle.config['hooks'] = {kind: [{'path': '/bin/true'}, {'path': '/bin/false'}]}
    return change


def killed(bundle):
    """The first process dies without a word, in the middle of its work; as a namespace's own it could not be killed."""
    linux = bundle.config['linux']
    linux['namespaces'] = [n for n in linux['namespaces'] if n['type'] != 'pid']
    bundle.config['hooks'] = {'createContainer': [{'path': script(bundle, 'kill -9 $PPID')}]}


def dead_listener(bundle):
    """The runtime fails when the first process has done all."""
    bundle.config['linux']['seccomp'] = {
        'defaultAction': 'SCMP_ACT_ALLOW', 'listenerPath': str(bundle.path / 'nobody'),
        'syscalls': [{'names': ['mkdir'], 'action': 'SCMP_ACT_NOTIFY'}]}


FAILURES = {
    'program': no_program, 'file system': no_file_system, 'sysctl': no_sysctl, 'prestart': failing_hook('prestart'),
    'createRuntime': failing_hook('createRuntime'), 'createContainer': failing_hook('createContainer'),
    'killed': killed, 'listener': dead_listener,
}


# What is made

def targets(bundle):
    """Directories and files, some through a link, some on a file system of the container's own."""
    source = bundle.path / 'file'
    source.write_text('text')
    (bundle.rootfs / 'link').symlink_to('new/behind')
    (bundle.rootfs / 'new/behind').mkdir(parents=True)
    (bundle.rootfs / 'etc/stub').symlink_to('../run/system/resolve/stub')
    bundle.config['mounts'] += [tmpfs('/new/deep/dir'), bind('/new/deep/file', source), bind('/etc/resolv.conf', source),
                                bind('/link/file', source), bind('/etc/stub', source), tmpfs('/new/deep/dir/own'), bind('/dev/new', source),
                                tmpfs('/new/deep/../up')]


def behind_what_is_copied_up(bundle):
    """A link on a file system of the container's own leads back to the image."""
    targets(bundle)
    (bundle.rootfs / 'etc/linked').symlink_to('../new/behind')
    bundle.config['mounts'].insert(0, tmpfs('/etc', 'tmpcopyup'))
    bundle.config['mounts'] += [tmpfs('/etc/linked/deep/dir'), tmpfs('/etc/own/dir')]


def readonly(bundle):
    targets(bundle)
    bundle.config['root']['readonly'] = True


def user_namespace(bundle):
    targets(bundle)
    bundle.config['linux'] |= {'uidMappings': MAPPING, 'gidMappings': MAPPING}
    bundle.config['linux']['namespaces'].append({'type': 'user'})
    subprocess.run(['chown', '-hR', '100000:100000', bundle.rootfs], check=True)


def dev_of_the_image(bundle):
    """Devices and links stay in the root where nothing is mounted on /dev."""
    bundle.config['mounts'] = [m for m in bundle.config['mounts'] if not m['destination'].startswith('/dev')]
    bundle.config['linux']['devices'] = [{'path': '/dev/net/tun', 'type': 'c', 'major': 10, 'minor': 200},
                                         {'path': '/srv/null', 'type': 'c', 'major': 1, 'minor': 3}]


def dev_of_the_image_in_a_user_namespace(bundle):
    user_namespace(bundle)
    bundle.config['mounts'] = [m for m in bundle.config['mounts'] if not m['destination'].startswith('/dev')]


def volume(bundle):
    """A target in a volume is made in the host's directory."""
    (bundle.rootfs / 'volume').mkdir()
    (bundle.rootfs / 'source').mkdir()
    bundle.config['mounts'] += [bind('/volume', bundle.rootfs / 'source'), tmpfs('/volume/new/deep')]


def working_directory(bundle):
    bundle.config['process']['cwd'] = '/new/made/here'


def working_directory_in_a_readonly_root(bundle):
    working_directory(bundle)
    bundle.config['root']['readonly'] = True


def working_directory_in_a_readonly_tmpfs(bundle):
    bundle.config['mounts'].append(tmpfs('/made/scratch', 'ro'))
    bundle.config['process']['cwd'] = '/made/scratch/new/here'


def no_mount_namespace(bundle):
    linux = bundle.config['linux']
    linux['namespaces'] = [n for n in linux['namespaces'] if n['type'] != 'mount']
    linux['maskedPaths'] = linux['readonlyPaths'] = bundle.config['mounts'] = []


def by_a_stage(bundle):
    """A process between the runtime and the first one."""
    targets(bundle)
    bundle.config['linux']['namespaces'].append({'type': 'time'})


KINDS = (targets, behind_what_is_copied_up, readonly, user_namespace, dev_of_the_image, dev_of_the_image_in_a_user_namespace, volume,
         working_directory, working_directory_in_a_readonly_root, working_directory_in_a_readonly_tmpfs,
         no_mount_namespace, by_a_stage)


@cases(*((kind.__name__.replace('_', ' '), failure, kind) for kind in KINDS for failure in FAILURES))
def test_create(name, failure, kind):
    bundle = Bundle()
    kind(bundle)
    FAILURES[failure](bundle)
    if kind is no_mount_namespace:
        bundle.config['mounts'] = []
        if failure in ('file system', 'sysctl'):
            no_program(bundle)
    tree = bundle.save().tree()
    record = Runtime().fails('create', '--bundle', bundle.path, 'failing')
    expect_tree(bundle, tree)
    expect([w for w in record.get('warnings', []) if 'stays in' in w], [], 'warnings')


@cases(('startContainer',), ('poststart',), ('exec',))
def test_run(where):
    """run undoes what create would have left."""
    bundle = Bundle()
    targets(bundle)
    working_directory(bundle)
    if where == 'exec':
        (bundle.rootfs / 'bin/broken').write_text('#!/nonesuch\n')
        (bundle.rootfs / 'bin/broken').chmod(0o755)
        bundle.config['process']['args'] = ['/bin/broken']
    else:
        failing_hook(where)(bundle)
    tree = bundle.save().tree()
    Runtime().fails('run', '--detach', '--bundle', bundle.path, 'failing')
    expect_tree(bundle, tree)


@cases(('pid file', '--pid-file', '/nonesuch/pid'), ('pidfd socket', '--pidfd-socket', '/nonesuch/socket'))
def test_options(name, option, value):
    bundle = Bundle()
    targets(bundle)
    tree = bundle.save().tree()
    Runtime().fails('create', '--bundle', bundle.path, option, value, 'failing')
    expect_tree(bundle, tree)


def test_terminal():
    bundle = Bundle()
    dev_of_the_image(bundle)
    bundle.config['mounts'].append({'destination': '/dev/pts', 'type': 'devpts', 'source': 'devpts', 'options': []})
    bundle.config['process'] |= {'terminal': True, 'args': ['/nonesuch']}
    with contextlib.closing(harness.Console()) as console:
        tree = bundle.save().tree()
        Runtime().fails('create', '--bundle', bundle.path, '--console-socket', console.path, 'failing')
        expect_tree(bundle, tree)


def test_success_keeps_them():
    bundle = Bundle()
    targets(bundle)
    answer = harness.run_program(Runtime(), bundle)
    expect(answer.status, 0, repr(answer))
    assert (bundle.rootfs / 'new/deep/dir').is_dir()
    assert (bundle.rootfs / 'etc/resolv.conf').is_file()


def test_second_create_finds_them():
    """What another container has made is not this one's to remove."""
    bundle = Bundle()
    targets(bundle)
    harness.run_program(Runtime(), bundle)
    no_program(bundle)
    tree = bundle.save().tree()
    assert '/new/deep' in ''.join(tree)
    Runtime().fails('create', '--bundle', bundle.path, 'failing')
    expect_tree(bundle, tree)


# What is not ours any more

@cases(
    ('a file in it', 'echo x > $ROOT/new/dir/file', ['new', 'new/dir', 'new/dir/file']),
    ('content', 'echo x > $ROOT/new/file', ['new', 'new/file']),
    ('another directory', 'mv $ROOT/new $ROOT/old; mkdir -p $ROOT/new/dir', ['new', 'new/dir', 'old']),
    ('another file', 'echo > $ROOT/other; mv $ROOT/other $ROOT/new/file', ['new', 'new/file']),
    ('a link', 'rm $ROOT/new/file; ln -s ../etc/passwd $ROOT/new/file', ['new', 'new/file']),
    ('a directory as a link', 'mkdir -p $ROOT/etc/dir; mv $ROOT/new $ROOT/old; ln -s etc $ROOT/new',
     ['etc/dir', 'new', 'old']),
    ('moved', 'mkdir $ROOT/far; mv $ROOT/new $ROOT/far/away', ['far', 'far/away']),
)
def test_changed_meanwhile(name, command, stays):
    """Somebody who shares the root has the same names mean something else: his files stay."""
    bundle = Bundle()
    source = bundle.path / 'file'
    source.write_text('')
    bundle.config['mounts'] += [tmpfs('/new/dir'), bind('/new/file', source)]
    bundle.config['hooks'] = {'createRuntime': [{'path': script(bundle, f'{command}\nexit 1')}]}
    before = bundle.save().tree()
    expect_in('exit status 1', Runtime().fails('create', '--bundle', bundle.path, 'failing')['msg'], 'message')
    new = sorted(set(bundle.tree()) - set(before))
    expect([os.path.relpath(p, bundle.rootfs) for p in new], stays, 'what stays')
    expect(sorted(set(before) - set(bundle.tree())), [], 'what is gone')


def test_many():
    """More than are remembered: the others stay, and that is said."""
    bundle = Bundle()
    bundle.config['mounts'] += [tmpfs(f'/new/{i}') for i in range(300)]
    no_program(bundle)
    record = Runtime().fails('create', '--bundle', bundle.save().path, 'failing')
    left = len(list((bundle.rootfs / 'new').iterdir()))
    assert 0 < left < 100, f'{left} targets left'
    expect(record.get('warnings'), [f'{left} mount points stay in the root file system: only 256 are remembered'],
           'warnings')


harness.main(__name__)
