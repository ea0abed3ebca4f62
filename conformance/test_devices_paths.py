#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""config-linux.md, "Devices", "Default Devices", "Masked Paths", "Readonly Paths"; config.md, "Runtime filesystems"."""
import os
import subprocess

import compare
import harness
from harness import Bundle, Container, Runtime, Skip, cases, expect, expect_in
from machine import MS_BIND, MS_RDONLY, MS_REMOUNT, cgroup_mounts, mount


def seen_of(bundle, *requests):
    with Container(Runtime(), bundle) as container:
        seen = container.run(*requests)
        container.finish()
        container.delete()
    return seen


def with_linux(**members):
    bundle = Bundle()
    for name, value in members.items():
        bundle.config['linux'][name] = bundle.config['linux'].get(name, []) + value
    return bundle


def refused(bundle, pointer):
    runtime = Runtime()
    record = runtime.fails('create', '--bundle', bundle.save().path, 'refused')
    assert record.get('pointer', '').startswith(pointer), f'pointer of {record}'
    expect(runtime.ids(), [], 'states')
    return record


def outside_file():
    outside = harness.tmp / 'outside'
    outside.mkdir()
    (outside / 'file').write_text('host')
    return outside


def attempt(bundle):
    """A create that may be refused or succeed; what matters is looked at outside."""
    with Container(Runtime(), bundle) as container:
        answer = container.try_create()
        if answer.status != 0:
            answer.error()


# Devices

def test_default_devices_and_links():
    seen = seen_of(Bundle())['devices']
    for name, number in compare.DEFAULT_DEVICES.items():
        expect([seen[name].get(k) for k in ('type', 'device', 'mode', 'uid', 'gid')], ['char', number, 0o666, 0, 0], name)
    for name, target in compare.DEFAULT_LINKS.items():
        expect(seen[name].get('target'), target, name)
    expect('console' in seen, False, 'console without a terminal')


def test_default_devices_work():
    bundle = Bundle()
    script = '''echo x > /dev/null; head -c 3 /dev/zero | od -An -tx1
head -c 1 /dev/urandom | wc -c; head -c 1 /dev/random | wc -c; head -c 2 /dev/full | od -An -tx1
echo x 2>/dev/null > /dev/full || echo full; echo ok > /dev/stdout; ls -l /dev/fd/ > /dev/null && echo fd'''
    bundle.config['process']['args'] = ['sh', '-c', f'{{ {script}; }} | cat']  # a pipe, which /dev/stdout can open
    answer = harness.run_program(Runtime(), bundle)
    expect(answer.out.split(), '00 00 00 1 1 00 00 full ok fd'.split(), 'output')


@cases(
    ('char', {'type': 'c', 'major': 1, 'minor': 3, 'fileMode': 0o640, 'uid': 5, 'gid': 6}, ['char', '1:3', 0o640, 5, 6]),
    ('unbuffered', {'type': 'u', 'major': 1, 'minor': 5}, ['char', '1:5', 0o666, 0, 0]),
    ('block', {'type': 'b', 'major': 7, 'minor': 1, 'fileMode': 0o600}, ['block', '7:1', 0o600, 0, 0]),
    ('fifo', {'type': 'p', 'fileMode': 0o622}, ['fifo', None, 0o622, 0, 0]),
    ('fifo with numbers', {'type': 'p', 'major': 8, 'minor': 666}, ['fifo', None, 0o666, 0, 0]),
    ('mode with its type', {'type': 'c', 'major': 1, 'minor': 3, 'fileMode': 0o020600}, ['char', '1:3', 0o600, 0, 0]),
    ('large numbers', {'type': 'c', 'major': 510, 'minor': 70000}, ['char', '510:70000', 0o666, 0, 0]),
)
def test_device(name, device, wanted):
    for path in ('/dev/made', '/dev/deep/er/made', '/made'):
        seen = seen_of(with_linux(devices=[device | {'path': path}]), f'stat {path}')['answers'][f'stat {path}']
        expect([seen.get(k) for k in ('type', 'device', 'mode', 'uid', 'gid')], wanted, path)


def test_device_replaces_a_default_one():
    device = {'path': '/dev/null', 'type': 'c', 'major': 1, 'minor': 3, 'fileMode': 0o600, 'uid': 7}
    seen = seen_of(with_linux(devices=[device]))['devices']['null']
    expect([seen['device'], seen['mode'], seen['uid']], ['1:3', 0o600, 7], '/dev/null')


def test_existing_file_that_is_something_else():
    """DEV-005 of the text: an error, the file is not touched."""
    bundle = with_linux(devices=[{'path': '/made', 'type': 'c', 'major': 1, 'minor': 3}])
    (bundle.rootfs / 'made').write_text('mine')
    refused(bundle, '/linux/devices/0')
    expect((bundle.rootfs / 'made').read_text(), 'mine', 'the file')


def test_existing_device_that_matches():
    bundle = with_linux(devices=[{'path': '/made', 'type': 'c', 'major': 1, 'minor': 3}])
    os.mknod(bundle.rootfs / 'made', 0o020666, os.makedev(1, 3))
    expect(seen_of(bundle, 'stat /made')['answers']['stat /made'].get('device'), '1:3', 'device')


@cases(
    ('type', {'path': '/dev/x', 'type': 'z', 'major': 1, 'minor': 3}, '/linux/devices/0/type'),
    ('no major', {'path': '/dev/x', 'type': 'c', 'minor': 3}, '/linux/devices/0'),
    ('relative', {'path': 'dev/x', 'type': 'c', 'major': 1, 'minor': 3}, '/linux/devices/0/path'),
    ('no path', {'type': 'c', 'major': 1, 'minor': 3}, '/linux/devices/0/path'),
    ('negative major', {'path': '/dev/x', 'type': 'c', 'major': -1, 'minor': 3}, '/linux/devices/0/major'),
)
def test_wrong_device(name, device, pointer):
    refused(with_linux(devices=[device]), pointer)


@cases(('as it is', {'fileMode': 0o666}, True), ('nothing said', {}, True), ('mode', {'fileMode': 0o600}, False),
       ('owner', {'fileMode': 0o666, 'uid': 5}, False))
def test_without_the_right_to_make_nodes(name, attributes, is_bound):
    """They are bound from the host's, unless that would give other rights than the config does."""
    node = harness.tmp / 'null'  # the host's, in our mount namespace
    os.mknod(node, 0o020666, os.makedev(1, 3))
    node.chmod(0o666)
    harness.temporary_mount(node, '/dev/null', flags=MS_BIND)
    bundle = with_linux(devices=[{'path': '/dev/null', 'type': 'c', 'major': 1, 'minor': 3} | attributes])
    bundle.config['process']['args'] = ['grep', '-c', ' /dev/null ', '/proc/self/mountinfo']
    answer = harness.run_program(Runtime(), bundle, wrapper=['setpriv', '--bounding-set', '-mknod'])
    if is_bound:
        expect(answer.out, '1\n', repr(answer))
    else:
        expect(answer.error().get('pointer'), '/linux/devices/0', 'pointer')


@cases(('all', [{'allow': False, 'access': 'rwm'}]), ('one more', [{'allow': True, 'type': 'c', 'major': 1, 'minor': 11, 'access': 'r'}]))
def test_rules_without_the_right_to_make_them(name, rules):
    """Whoever lacks the capability is not sent to look for a group that forbids."""
    if 'devices' not in cgroup_mounts():
        raise Skip('on cgroup v2 CAP_BPF is enough')
    bundle = Bundle()
    bundle.config['linux'].setdefault('resources', {})['devices'] = rules
    answer = harness.run_program(Runtime(), bundle, wrapper=['setpriv', '--bounding-set', '-sys_admin'])
    record = answer.error()
    expect_in('/linux/resources/devices', record.get('pointer', ''), 'pointer')
    expect_in('CAP_SYS_ADMIN', record.get('hint', ''), 'hint')


@cases(('a link out', '/dev/made'), ('a link in the way', '/link/made'))
def test_device_does_not_leave_the_root(name, path):
    outside = outside_file()
    bundle = with_linux(devices=[{'path': path, 'type': 'c', 'major': 1, 'minor': 3}])
    (bundle.rootfs / 'link').symlink_to(outside)
    bundle.config['mounts'] = [m for m in bundle.config['mounts'] if not m['destination'].startswith('/dev')]
    (bundle.rootfs / 'dev/made').symlink_to(outside / 'device')
    attempt(bundle)
    expect(sorted(os.listdir(outside)), ['file'], 'the host\'s directory')


def test_console_is_a_link():
    """CVE-2026-88264: without a /dev mount, the console's target made on the host."""
    outside = outside_file()
    bundle = Bundle()
    bundle.config['process']['terminal'] = True
    bundle.config['mounts'] = [m for m in bundle.config['mounts'] if m['destination'] not in ('/dev', '/dev/shm')]
    (bundle.rootfs / 'dev/console').symlink_to(outside / 'console')
    attempt(bundle)
    expect(sorted(os.listdir(outside)), ['file'], 'the host\'s directory')


def test_null_is_a_link():
    """CVE-2025-31133, CVE-2026-88265: the root's /dev/null as source of masks or for stdio."""
    outside = outside_file()
    bundle = with_linux(maskedPaths=['/etc/passwd'])
    bundle.config['mounts'] = [m for m in bundle.config['mounts'] if not m['destination'].startswith('/dev')]
    (bundle.rootfs / 'dev/null').symlink_to(outside / 'file')
    before = os.stat(outside / 'file')
    with Container(Runtime(), bundle) as container:
        answer = container.try_create()
        if answer.status == 0:
            container.start()
            seen = container.ask('stat /etc/passwd')
            expect(seen['answers']['stat /etc/passwd'].get('device'), '1:3', 'what masks /etc/passwd')
    after = os.stat(outside / 'file')
    expect((after.st_uid, after.st_mode, (outside / 'file').read_text()), (before.st_uid, before.st_mode, 'host'), 'file')


def test_owner_of_the_hosts_null():
    """The caller's /dev/null as stdio must not be given to the container's user."""
    before = os.stat('/dev/null')
    bundle = Bundle()
    bundle.config['process'].update(user={'uid': 1000, 'gid': 1000}, args=['true'])
    with open('/dev/null', 'r+b') as null:
        harness.run_program(Runtime(), bundle, stdin=null, stdout=null, stderr=null)
    after = os.stat('/dev/null')
    expect((after.st_uid, after.st_gid, after.st_mode), (before.st_uid, before.st_gid, before.st_mode), '/dev/null')


def test_dev_of_the_host():
    """A bound /dev is used as it is."""
    bundle = Bundle()
    bundle.config['mounts'] = [m for m in bundle.config['mounts'] if not m['destination'].startswith('/dev')]
    source = harness.tmp / 'dev'
    source.mkdir()
    os.mknod(source / 'null', 0o020666, os.makedev(1, 3))
    bundle.config['mounts'].append({'destination': '/dev', 'type': 'bind', 'source': str(source), 'options': ['rbind']})
    attempt(bundle)
    expect(sorted(os.listdir(source)), ['null'], 'the host\'s directory')


# Volumes that end up on /dev, and what the image's own holds

def volume():
    """A user's directory with the names of what the runtime makes in /dev."""
    path = harness.tmp / 'volume'
    path.mkdir()
    for name in ('core', 'fd', 'ptmx', 'stdin'):
        (path / name).write_text('precious')
    return path


def look_of(path):
    return {name: os.lstat(path / name)[:6] for name in os.listdir(path)}


def without_dev(bundle):
    bundle.config['mounts'] = [m for m in bundle.config['mounts'] if not m['destination'].startswith('/dev')]
    bundle.config['mounts'].append({'destination': '/dev/pts', 'type': 'devpts', 'source': 'devpts', 'options': []})
    return bundle


def add_volume(bundle, destination):
    path = volume()
    bundle.config['mounts'].append({'destination': destination, 'type': 'bind', 'source': str(path), 'options': ['rbind']})
    return path


def test_mount_on_a_default_device():
    bundle = Bundle()
    bundle.config['mounts'].append({'destination': '/dev/null', 'type': 'tmpfs', 'source': 'tmpfs'})
    record = refused(bundle, f'/mounts/{len(bundle.config["mounts"]) - 1}/destination')
    expect_in("make device '/dev/null'", record['msg'], 'message')


def test_default_devices_on_a_readonly_root():
    bundle = without_dev(Bundle())
    del bundle.config['mounts'][-1]
    harness.temporary_mount(str(bundle.rootfs), str(bundle.rootfs), flags=MS_BIND)
    mount(None, str(bundle.rootfs), flags=MS_BIND | MS_REMOUNT | MS_RDONLY)
    record = refused(bundle, '/root/path')
    expect_in("'/dev/null': read-only file system", record['msg'], 'message')
    expect_in('tmpfs', record['hint'], 'hint')


@cases(('tmpfs', True), ('image', False))
def test_dev_is_a_link_to_a_volume(name, is_mounted):
    """The user's files are neither replaced by links nor joined by nodes."""
    bundle = Bundle()
    if not is_mounted:
        bundle.config['mounts'] = [m for m in bundle.config['mounts'] if not m['destination'].startswith('/dev')]
    (bundle.rootfs / 'dev').rmdir()
    (bundle.rootfs / 'dev').symlink_to('/data')
    (bundle.rootfs / 'data').mkdir()
    path = add_volume(bundle, '/data')
    before = look_of(path)
    record = refused(bundle, '/mounts/1/destination' if is_mounted else '')
    expect_in("'/dev' has a symbolic link in it", record['msg'], 'message')
    expect(look_of(path), before, 'the volume')


@cases(*((f'{destination}, {"terminal" if terminal else "pipes"}', destination, terminal)
         for destination in ('/data', '/data/x/..', '/tmp/../dev') for terminal in (False, True)))
def test_volume_by_a_link_to_dev(name, destination, terminal):
    """What is on /dev in the end is a bind, which is used as it is."""
    bundle = Bundle()
    (bundle.rootfs / 'data').symlink_to('../dev')
    (bundle.rootfs / 'dev/x').mkdir()
    bundle.config['mounts'] = [m for m in bundle.config['mounts'] if '/dev/' not in m['destination']]
    if destination.startswith('/data/'):
        without_dev(bundle)
    bundle.config['process']['terminal'] = terminal
    path = add_volume(bundle, destination)
    before = look_of(path)
    attempt(bundle)
    after = look_of(path)
    after.pop('console', None)  # the place where the terminal is mounted
    expect(after, before, 'the volume')


@cases(
    ('core', 'core', lambda path: path.write_text('mine'), None),
    ('core directory', 'core', os.mkdir, None),
    ('ptmx node', 'ptmx', lambda path: os.mknod(path, 0o020666, os.makedev(5, 2)), None),
    ('ptmx file', 'ptmx', lambda path: path.write_text('mine'), "make link '/dev/ptmx': something else"),
    ('fd directory', 'fd', os.mkdir, "make link '/dev/fd': something else"),
)
def test_files_of_the_images_dev(name, file, make, text):
    """A file of the image is not removed for a link; but for core, which no text asks for, that is an error."""
    bundle = without_dev(Bundle())
    make(bundle.rootfs / 'dev' / file)
    (bundle.rootfs / 'dev' / file).chmod(0o666)
    before = os.lstat(bundle.rootfs / 'dev' / file)[:6]
    if text:
        expect_in(text, refused(bundle, '')['msg'], 'message')
    else:
        bundle.config['process']['args'] = ['sh', '-c', 'exec 3<>/dev/ptmx && echo x >/dev/null && ls /dev/pts']
        bundle.config['process']['user'] = {'uid': 1000, 'gid': 1000}
        bundle.config['mounts'][-1]['options'] = ['newinstance', 'ptmxmode=0666']
        answer = harness.run_program(Runtime(), bundle)
        expect(answer.out.split(), ['0', 'ptmx'], repr(answer))
    expect(os.lstat(bundle.rootfs / 'dev' / file)[:6], before, 'the file')


# Masked and read-only paths

def test_masked_file_and_directory():
    bundle = with_linux(maskedPaths=['/etc/passwd', '/etc/secrets', '/missing'])
    (bundle.rootfs / 'etc/secrets').mkdir()
    (bundle.rootfs / 'etc/secrets/key').write_text('secret')
    answers = seen_of(bundle, 'read /etc/passwd', 'stat /etc/passwd', 'list /etc/secrets', 'write /etc/secrets',
                      'stat /missing')['answers']
    expect(answers['read /etc/passwd'], {'text': ''}, 'masked file')
    expect(answers['stat /etc/passwd'].get('device'), '1:3', 'masked file')
    expect(answers['list /etc/secrets'], [], 'masked directory')
    expect(answers['write /etc/secrets'], 'EROFS', 'masked directory')
    expect(answers['stat /missing'], {'error': 'ENOENT'}, 'missing path')


def test_masked_stays_masked_for_root():
    """With all capabilities inside, but for the one that could unmount."""
    bundle = with_linux(maskedPaths=['/etc/passwd'])
    bundle.config['process']['args'] = ['sh', '-c', 'umount /etc/passwd 2>/dev/null; cat /etc/passwd; echo end']
    expect(harness.run_program(Runtime(), bundle).out, 'end\n', 'output')


@cases(('file', 'etc/passwd'), ('directory', 'etc'))
def test_masked_through_a_link(name, target):
    """The link's target is what is hidden, inside the root."""
    bundle = with_linux(maskedPaths=['/link'])
    (bundle.rootfs / 'link').symlink_to('/' + target)
    answers = seen_of(bundle, f'read /{target}', f'list /{target}')['answers']
    if name == 'file':
        expect(answers[f'read /{target}'], {'text': ''}, target)
    else:
        expect(answers[f'list /{target}'], [], target)


def test_mask_is_shared_by_nobody():
    """What one masked directory shows can't be filled through another."""
    bundle = with_linux(maskedPaths=['/one', '/two'])
    for name in ('one', 'two'):
        (bundle.rootfs / name).mkdir()
    answers = seen_of(bundle, 'write /one', 'write /two')['answers']
    expect(set(answers.values()), {'EROFS'}, 'writing')


def test_readonly_paths():
    bundle = with_linux(readonlyPaths=['/etc/passwd', '/data', '/missing'])
    (bundle.rootfs / 'data').mkdir()
    answers = seen_of(bundle, 'write /etc/passwd', 'write /data', 'read /etc/passwd', 'stat /missing',
                      'write /etc')['answers']
    expect([answers[f'write {p}'] for p in ('/etc/passwd', '/data')], ['EROFS'] * 2, 'writing')
    expect(answers['write /etc'], 'ok', 'what is not listed')
    expect_in('root:', answers['read /etc/passwd']['text'], 'reading')
    expect(answers['stat /missing'], {'error': 'ENOENT'}, 'missing path')


@cases(
    ('tmpfs', {'destination': '/run/data', 'type': 'tmpfs', 'options': ['ro']}, '/run'),
    ('tmpfs itself', {'destination': '/run/data', 'type': 'tmpfs', 'options': ['ro']}, '/run/data'),
    ('cgroup', {'destination': '/sys/fs/cgroup', 'type': 'cgroup', 'options': ['ro']}, '/sys'),
)
def test_readonly_mount_below_a_readonly_path(name, entry, path):
    """What becomes read-only at the end is so below a path that is, too."""
    bundle = with_linux(readonlyPaths=[path])
    bundle.config['mounts'].append(entry)
    answers = seen_of(bundle, f'write {entry["destination"]}')['answers']
    expect(set(answers.values()), {'EROFS'}, 'writing')


def test_readonly_keeps_other_flags():
    bundle = with_linux(readonlyPaths=['/data'])
    bundle.config['mounts'].append({'destination': '/data', 'type': 'tmpfs', 'source': 'tmpfs',
                                    'options': ['nosuid', 'nodev', 'noexec', 'noatime']})
    seen = seen_of(bundle)
    last = [compare.parse_mount(line) for line in seen['mounts'] if line.split()[4] == '/data'][-1]
    expect(sorted(last['options']), ['noatime', 'nodev', 'noexec', 'nosuid', 'ro'], 'options')


@cases(('maskedPaths', 'etc'), ('readonlyPaths', 'etc'), ('maskedPaths', ''), ('readonlyPaths', ''))
def test_relative_paths(member, path):
    bundle = Bundle()
    bundle.config['linux'][member] = [path]
    refused(bundle, f'/linux/{member}/0')


@cases(*((f'{member} {path}', member, path) for member in ('maskedPaths', 'readonlyPaths') for path in ('/', '/../..', '/self')))
def test_root_itself(name, member, path):
    """Processes would not see what is mounted over it: that is not to be taken for done."""
    bundle = with_linux(**{member: [path]})
    (bundle.rootfs / 'self').symlink_to('/')
    expect_in('root of the container', refused(bundle, f'/linux/{member}/')['msg'], 'message')


def test_masked_and_readonly():
    """A path in both lists is masked."""
    bundle = with_linux(maskedPaths=['/etc/passwd'], readonlyPaths=['/etc/passwd', '/etc'])
    answers = seen_of(bundle, 'read /etc/passwd', 'write /etc')['answers']
    expect(answers, {'read /etc/passwd': {'text': ''}, 'write /etc': 'EROFS'}, 'answers')


def test_in_a_user_namespace():
    bundle = with_linux(maskedPaths=['/etc/passwd', '/etc/secrets'], devices=[
        {'path': '/dev/xzero', 'type': 'c', 'major': 1, 'minor': 5}])
    (bundle.rootfs / 'etc/secrets').mkdir()
    subprocess.run(['chown', '-hR', '100000:100000', bundle.rootfs], check=True)
    mapping = [{'containerID': 0, 'hostID': 100000, 'size': 65536}]
    bundle.config['linux'] |= {'uidMappings': mapping, 'gidMappings': mapping}
    bundle.config['linux']['namespaces'].append({'type': 'user'})
    host_node = '/dev/xzero'
    made = not os.path.exists(host_node)
    if made:
        os.mknod(host_node, 0o020666, os.makedev(1, 5))
    try:
        seen = seen_of(bundle, 'stat /dev/xzero', 'read /etc/passwd', 'list /etc/secrets', 'write /etc/secrets')
    finally:
        if made:
            os.unlink(host_node)
    expect(seen['answers']['stat /dev/xzero'].get('device'), '1:5', 'device')
    expect(seen['answers']['read /etc/passwd'], {'text': ''}, 'masked file')
    expect(seen['answers']['list /etc/secrets'], [], 'masked directory')
    expect(seen['devices']['null'].get('device'), '1:3', '/dev/null')


harness.main(__name__)
