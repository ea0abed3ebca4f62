#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Images and volumes that bend the paths which create acts on: links, races, and things in the way."""
import os
import shutil
import subprocess

import harness
from attacks import HOSTILE, delayed, hostile_bundle, link
from harness import Container, Runtime, cases, expect, expect_in
from machine import MS_BIND

# How often a race is run. Each run takes some ten exchanges, so that both of the names are met.
ROUNDS = 12


def outside():
    """A directory of the host that no container may touch, and its look."""
    path = harness.tmp / 'outside'
    (path / 'below').mkdir(parents=True)
    for name in ('file', 'passwd', 'below/file'):
        (path / name).write_text('host')
        (path / name).chmod(0o640)
    return path


def look_of(path):
    found = {}
    for base, dirs, files in os.walk(path):
        for name in dirs + files:
            st = os.lstat(f'{base}/{name}')
            content = open(f'{base}/{name}').read() if name in files else None
            found[f'{base}/{name}'] = (st.st_mode, st.st_uid, st.st_gid, st.st_rdev, content)
    return found


class Untouched:
    """with Untouched() as path: nothing of what is at PATH changes, nor do the mounts of the host."""

    def __enter__(self):
        self.path = outside()
        self.before, self.mounts = look_of(self.path), harness.mount_table()
        return self.path

    def __exit__(self, kind, *_):
        if kind is None:
            expect(look_of(self.path), self.before, 'the host\'s files')
            expect(harness.mount_table(), self.mounts, 'the host\'s mounts')


class Exchange:
    """Exchanges two names without end."""

    def __init__(self, a, b):
        self.names = [str(a), str(b)]

    def __enter__(self):
        self.process = subprocess.Popen([HOSTILE, 'exchange', *self.names], stdout=subprocess.PIPE)
        expect(self.process.stdout.readline(), b'begun\n', 'the exchange')

    def __exit__(self, *_):
        assert self.process.poll() is None, 'the exchange has ended'
        self.process.kill()
        self.process.wait()
        self.process.stdout.close()


def mounted(destination, fstype='tmpfs', source='tmpfs', *options):
    return {'destination': destination, 'type': fstype, 'source': str(source), 'options': list(options)}


def bind(destination, source, *options):
    return mounted(destination, 'bind', source, 'rbind', *options)


def without_mounts(config, *destinations):
    config['mounts'] = [m for m in config['mounts'] if not m['destination'].startswith(destinations)]


def links_out(target, depth=8):
    """What a link that should lead out of the root may look like."""
    return {'absolute': str(target), 'dots': '../' * depth + str(target)[1:], 'proc': f'/proc/1/root{target}',
            'self': f'/proc/self/root{target}'}


def try_create(runtime, bundle, look=None, **options):
    """Creates, starts and deletes; what LOOK sees of the container, or the error's record."""
    with Container(runtime, bundle) as container:
        answer = container.try_create(**options)
        if answer.status:
            return answer.error()
        container.pid = runtime.state(container.id)['pid']
        container.take_console()
        seen = look(container.start()) if look else None
        container.runtime.ok('delete', '--force', container.id)
        container.is_made = False
        container.close()
    return seen


# Races: a component of the path is a directory and a link to the host's, in turn

def volume(target):
    """A volume that a hostile container shares: 'a' is a directory, 'b' a link out; both can be exchanged."""
    path = harness.tmp / f'volume{harness.serial()}'
    (path / 'a/below').mkdir(parents=True)
    (path / 'a/file').write_text('inside')
    (path / 'a/dangling').symlink_to('../a/new/made')
    (path / 'b').symlink_to(target)
    return path


RACES = {
    'tmpfs': lambda config, source: config['mounts'].append(mounted('/volume/a/below')),
    'new tmpfs': lambda config, source: config['mounts'].append(mounted('/volume/a/new/er')),
    'bind': lambda config, source: config['mounts'].append(bind('/volume/a/below', source)),
    'new bind': lambda config, source: config['mounts'].append(bind('/volume/a/new', source)),
    'file': lambda config, source: config['mounts'].append(bind('/volume/a/file', source / 'x')),
    'new file': lambda config, source: config['mounts'].append(bind('/volume/a/made', source / 'x')),
    'dangling link': lambda config, source: config['mounts'].append(bind('/volume/a/dangling', source / 'x')),
    'read-only': lambda config, source: config['mounts'].append(bind('/volume/a/below', source, 'ro')),
    'up and down': lambda config, source: config['mounts'].append(mounted('/volume/a/below/../../a/below')),
    'copied up': lambda config, source: config['mounts'].append(mounted('/volume/a', 'tmpfs', 'tmpfs', 'tmpcopyup')),
    'cgroup': lambda config, source: config['mounts'].append(mounted('/volume/a/below', 'cgroup', 'cgroup', 'ro')),
    'device': lambda config, source: config['linux'].update(
        devices=[{'path': '/volume/a/made', 'type': 'c', 'major': 1, 'minor': 3, 'uid': 7, 'gid': 7}]),
    'deep device': lambda config, source: config['linux'].update(
        devices=[{'path': '/volume/a/new/made', 'type': 'p', 'uid': 7, 'gid': 7}]),
    'masked file': lambda config, source: config['linux'].update(maskedPaths=['/volume/a/file']),
    'masked directory': lambda config, source: config['linux'].update(maskedPaths=['/volume/a/below']),
    'read-only path': lambda config, source: config['linux'].update(readonlyPaths=['/volume/a/below']),
    'cwd': lambda config, source: config['process'].update(cwd='/volume/a/new/cwd'),
}


@cases(*((f'{name}, {how}', name, how) for name in RACES for how in ('absolute', 'dots')))
def test_race(title, name, how):
    """CVE-2021-30465, CVE-2024-45310"""
    source = harness.tmp / 'source'
    source.mkdir()
    (source / 'x').write_text('source')
    with Untouched() as target:
        shared = volume(links_out(target)[how])
        bundle = hostile_bundle()
        bundle.config['mounts'].append(bind('/volume', shared))
        RACES[name](bundle.config, source)
        runtime = Runtime()
        with Exchange(shared / 'a', shared / 'b'):
            for _ in range(ROUNDS):
                try_create(runtime, bundle)


@cases(*((f'{name}, {call}', name, call) for name, call in (
    ('tmpfs', 'mount'), ('new tmpfs', 'mkdirat'), ('bind', 'move_mount'), ('new file', 'mknodat'), ('file', 'move_mount'),
    ('dangling link', 'mkdirat'), ('dangling link', 'mknodat'), ('device', 'mknodat'), ('device', 'fchownat'), ('masked file', 'move_mount'), ('read-only path', 'move_mount'),
    ('copied up', 'openat'), ('cwd', 'mkdirat'))))
def test_race_is_certain(title, name, call):
    """The same with a tracer that holds the call which would go wrong until the names have been exchanged often."""
    source = harness.tmp / 'source'
    source.mkdir()
    (source / 'x').write_text('source')
    with Untouched() as target:
        shared = volume(target)
        bundle = hostile_bundle()
        bundle.config['mounts'] = [m for m in bundle.config['mounts'] if m['destination'] == '/proc']
        bundle.config['mounts'].append(bind('/volume', shared))
        RACES[name](bundle.config, source)
        runtime = Runtime()
        bundle.config['process']['args'] = ['/bin/true']
        with Exchange(shared / 'a', shared / 'b'):
            for _ in range(3):
                # Not create: the tracer would stay with the container.
                harness.run_program(runtime, bundle, wrapper=delayed(call, 0.01))


def test_copy_up_of_what_is_exchanged():
    """Nothing of the host is copied into the container, whichever of its names was a link at what moment."""
    with Untouched() as target:
        bundle = hostile_bundle()
        data = bundle.rootfs / 'data'
        (data / 'directory').mkdir(parents=True)
        (data / 'file').write_text('inside')
        link(bundle, 'data/link', f'../../../../../../..{target}/file')
        link(bundle, 'data/below', f'../../../../../../..{target}/below')
        bundle.config['mounts'].append(mounted('/data', 'tmpfs', 'tmpfs', 'tmpcopyup'))
        bundle.config['process']['args'] = ['sh', '-c', 'cat /data/* /data/*/*; true']
        with Exchange(data / 'file', data / 'link'), Exchange(data / 'directory', data / 'below'):
            for _ in range(ROUNDS):
                answer = harness.run_program(Runtime(), bundle, wrapper=delayed('openat', 0.003))
                assert 'host' not in answer.out, repr(answer)


# Links in the image, where the config names them

@cases(*((how,) for how in ('absolute', 'dots', 'proc', 'self')))
def test_every_name_that_create_makes_is_a_link_out(how):
    """CVE-2026-41579, CVE-2026-88264, CVE-2025-24965: whatever is made in the root, is made in the root."""
    with Untouched() as target:
        for name in ('null', 'zero', 'full', 'random', 'urandom', 'tty', 'ptmx', 'fd', 'stdin', 'core', 'console', 'shm',
                     'mqueue', 'pts', '.krun_config.json', 'notify'):
            bundle = hostile_bundle()
            without_mounts(bundle.config, '/dev')
            place = bundle.rootfs / ('dev' if name[0] != '.' else '.') / name
            place.symlink_to(links_out(target / 'made')[how])
            if name == 'notify':
                shutil.rmtree(bundle.rootfs / 'run')
                (bundle.rootfs / 'run').symlink_to(links_out(target)[how])
            try_create(Runtime(), bundle)


@cases(*((f'{directory}, {how}', directory, how) for directory in ('dev', 'proc', 'sys', 'etc', 'run', 'tmp')
         for how in ('absolute', 'dots', 'proc')))
def test_directory_is_a_link_out(title, directory, how):
    with Untouched() as target:
        for is_mounted, has_volume in ((True, True), (False, True), (False, False)):
            bundle = hostile_bundle()
            if not is_mounted:
                without_mounts(bundle.config, '/' + directory)
            if has_volume:
                bundle.config['mounts'].append(bind(f'/{directory}/volume', target / 'below', 'ro'))
            shutil.rmtree(bundle.rootfs / directory)
            (bundle.rootfs / directory).symlink_to(links_out(target)[how])
            try_create(Runtime(), bundle)


@cases(*((f'{name}, {how}', name, how) for name in ('console', 'pts', 'ptmx') for how in ('absolute', 'dots', 'proc')))
def test_terminal_is_a_link_out(title, name, how):
    """CVE-2025-52565"""
    with Untouched() as target:
        for removed in ('/dev', '/dev/pts'):
            bundle = hostile_bundle()
            bundle.config['process']['terminal'] = True
            bundle.config['mounts'] = [m for m in bundle.config['mounts'] if m['destination'] not in ('/dev', removed)]
            (bundle.rootfs / 'dev' / name).symlink_to(links_out(target / 'made')[how])
            try_create(Runtime(), bundle)


@cases(('directory', lambda path: path.mkdir()), ('FIFO', os.mkfifo), ('file', lambda path: path.write_text('x')),
       ('device', lambda path: os.mknod(path, 0o020666, os.makedev(1, 5))),
       ('socket', lambda path: os.mknod(path, 0o140666)),
       ('hard link', lambda path: os.link(path.parent.parent / 'etc/passwd', path)))
def test_console_is_something_else(name, make):
    """It is covered, or in the way: never waited for, never changed."""
    bundle = hostile_bundle()
    bundle.config['process']['terminal'] = True
    bundle.config['mounts'] = [m for m in bundle.config['mounts'] if m['destination'] not in ('/dev', '/dev/shm')]
    (bundle.rootfs / 'dev/pts').mkdir()
    make(bundle.rootfs / 'dev/console')
    before = os.lstat(bundle.rootfs / 'dev/console')
    seen = try_create(Runtime(), bundle, lambda container: container.ask('stat /dev/console')['answers'])
    after = os.lstat(bundle.rootfs / 'dev/console')
    expect((after.st_mode, after.st_uid, after.st_rdev), (before.st_mode, before.st_uid, before.st_rdev), 'the file')
    if 'msg' not in seen:
        expect(seen['stat /dev/console']['device'].split(':')[0], '136', '/dev/console')


@cases(('null', '1:3'), ('zero', '1:5'))
def test_default_device_is_another(name, number):
    """A device of the image under the name of a default one is not taken for it."""
    bundle = hostile_bundle()
    without_mounts(bundle.config, '/dev')
    os.mknod(bundle.rootfs / 'dev' / name, 0o020666, os.makedev(1, 1))
    record = try_create(Runtime(), bundle, lambda container: {})
    expect_in('something else', record.get('msg', ''), 'message')


# Masked and read-only paths

def test_masks_below_masks():
    """A path below a masked one, before and after it, and the masked one's own link and doubled name."""
    for paths in (['/data', '/data/sub', '/data/sub/key'], ['/data/sub/key', '/data/sub', '/data'],
                  ['/data//sub/', '/data/./sub/key', '/link'], ['/data/sub/../sub/key', '/data/sub']):
        bundle = hostile_bundle()
        bundle.config['linux']['maskedPaths'] = paths
        (bundle.rootfs / 'data/sub').mkdir(parents=True)
        (bundle.rootfs / 'data/sub/key').write_text('secret')
        link(bundle, 'link', 'data/sub/key')
        answers = try_create(Runtime(), bundle,
                             lambda c: c.ask('read /data/sub/key', 'read /link', 'write /data/sub')['answers'])
        assert 'secret' not in str(answers), (paths, answers)


def test_masks_of_procfs():
    """Links of procfs itself: the process's own files stay, what is masked is masked by every name."""
    bundle = hostile_bundle()
    bundle.config['linux']['maskedPaths'] = ['/proc/self/../version', '/proc/1/mounts', '/proc/net', '/proc/sys/kernel']
    answers = try_create(Runtime(), bundle,
                         lambda c: c.ask('read /proc/version', 'list /proc/sys/kernel', 'list /proc/net')['answers'])
    expect(answers.get('read /proc/version'), {'text': ''}, '/proc/version')
    expect(answers.get('list /proc/sys/kernel'), [], '/proc/sys/kernel')


def test_masked_file_cannot_be_changed():
    """What covers it is the host's null device: its mode, owner and times are not the container's to change."""
    # In our mount namespace another node is the host's, lest a runtime that fails here spoils the real one.
    node = harness.tmp / 'null'
    os.mknod(node, 0o020666, os.makedev(1, 3))
    node.chmod(0o666)
    harness.temporary_mount(node, '/dev/null', flags=MS_BIND)
    before = os.stat('/dev/null')
    bundle = hostile_bundle()
    bundle.config['linux']['maskedPaths'] = ['/etc/passwd']
    for which in bundle.config['process']['capabilities'].values():
        which += ['CAP_FOWNER', 'CAP_DAC_OVERRIDE']
    bundle.config['process']['args'] = ['sh', '-c', '''chmod 600 /etc/passwd; chown 5:5 /etc/passwd
touch -d @0 /etc/passwd; true''']
    harness.run_program(Runtime(), bundle)
    after = os.stat('/dev/null')
    expect((after.st_mode, after.st_uid, after.st_gid, int(after.st_mtime)),
           (before.st_mode, before.st_uid, before.st_gid, int(before.st_mtime)), '/dev/null')


# Mounts over each other, and hooks that change the root

def test_mounts_cover_each_other():
    """Each mount goes where the ones before have put its path; the last one is seen."""
    source = harness.tmp / 'source'
    (source / 'below').mkdir(parents=True)
    (source / 'below/file').write_text('source')
    bundle = hostile_bundle()
    bundle.config['mounts'] += [bind('/a/b', source), mounted('/a'), bind('/a/b', source, 'ro'),
                                mounted('/a/b/below', 'tmpfs', 'tmpfs', 'ro'), bind('/a/b/below/../below', source / 'below', 'ro')]
    bundle.config['linux'] |= {'maskedPaths': ['/a/b/below/file'], 'readonlyPaths': ['/a']}
    answers = try_create(Runtime(), bundle, lambda c: c.ask(
        'read /a/b/below/file', 'write /a', 'write /a/b', 'write /a/b/below')['answers'])
    expect(answers, {'read /a/b/below/file': {'text': ''}, 'write /a': 'EROFS', 'write /a/b': 'EROFS',
                     'write /a/b/below': 'EROFS'}, 'answers')
    expect((source / 'below/file').read_text(), 'source', 'the source')


@cases(('createRuntime',), ('createContainer',))
def test_hook_replaces_the_root(kind):
    """A hook that lets itself be led puts a link to the host in the root's place: what was opened counts."""
    with Untouched() as target:
        bundle = hostile_bundle()
        (bundle.rootfs / 'mark').write_text('right')
        script = bundle.path / 'hook.sh'
        script.write_text(f'#!/bin/sh\nmv {bundle.rootfs} {bundle.path}/moved && ln -s {target} {bundle.rootfs}\n')
        script.chmod(0o755)
        bundle.config['hooks'] = {kind: [{'path': str(script)}]}
        bundle.config['linux']['maskedPaths'] = ['/file', '/etc/passwd']
        seen = try_create(Runtime(), bundle, lambda c: c.ask('read /mark', 'read /file', 'read /etc/passwd')['answers'])
        if 'msg' not in seen:
            expect(seen, {'read /mark': {'text': 'right'}, 'read /file': {'error': 'ENOENT'},
                          'read /etc/passwd': {'text': ''}}, 'the container\'s root')
            assert (bundle.path / 'moved').is_dir(), 'the hook did not run'


@cases(('createRuntime',), ('createContainer',))
def test_hook_changes_the_root(kind):
    """Links that come late, where the rest of create is about to act."""
    with Untouched() as target:
        bundle = hostile_bundle()
        root = bundle.rootfs
        bundle.config['process'].update(terminal=True, cwd='/made/new')
        without_mounts(bundle.config, '/dev/')
        bundle.config['mounts'].append(mounted('/dev/pts', 'devpts', 'devpts', 'newinstance'))
        without_mounts(bundle.config, '/dev/shm')
        script = bundle.path / 'hook.sh'
        script.write_text(f'''#!/bin/sh
rm -rf {root}/etc {root}/work && ln -s {target} {root}/etc && ln -s {target} {root}/work
''')
        script.chmod(0o755)
        bundle.config['hooks'] = {kind: [{'path': str(script)}]}
        bundle.config['linux'] |= {'maskedPaths': ['/etc/passwd', '/etc/below'], 'readonlyPaths': ['/etc']}
        try_create(Runtime(), bundle)


# Descriptors that the caller has left open (CVE-2024-21626)

def test_descriptors_of_the_caller():
    """An engine that leaves a directory open to the runtime has not given it to the container."""
    def leak():
        for number in (7, 20):
            os.dup2(os.open('/', os.O_RDONLY), number, inheritable=True)
    for cwd in ('/', '/proc/self/fd/7', '/proc/self/fd/20', '/proc/self/fd/7/tmp', '/work'):
        bundle = hostile_bundle()
        link(bundle, 'work', '/proc/self/fd/7')
        bundle.config['process']['cwd'] = cwd
        runtime = Runtime()
        with Container(runtime, bundle) as container:
            answer = container.try_create(preexec_fn=leak, close_fds=False)
            if cwd != '/':
                expect(answer.error().get('pointer'), '/process/cwd', f'pointer for {cwd}')
                continue
            expect(answer.status, 0, f'status of {answer!r}')
            container.start()
            expect(sorted(container.ask()['descriptors']), ['0', '1', '2'], 'descriptors')


def test_long_values():
    """CVE-2021-43784: no length wraps around anywhere."""
    bundle = hostile_bundle()
    bundle.config['process']['env'] += ['A=' + 'x' * 70000, 'B=' + 'y' * 65535, 'C=' + 'z' * 65536]
    bundle.config['annotations'] = {'long': 'a' * 200000}
    bundle.config['linux']['namespaces'].append({'type': 'cgroup'})
    seen = try_create(Runtime(), bundle, lambda c: c.ask())
    own = {name: os.readlink(f'/proc/self/ns/{name}') for name in ('pid', 'net', 'ipc', 'uts', 'mnt', 'cgroup')}
    for name, inode in own.items():
        assert seen['namespaces'][name] != inode, f'{name} is the host\'s'


harness.main(__name__)
