#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""config.md, "Mounts": every option word on new file systems and on binds, propagation, targets, hostile roots."""
import os
import pathlib
import subprocess

import compare
import harness
from harness import Bundle, Container, Runtime, cases, expect, expect_in, expect_tree
from machine import (CAP_SYS_PTRACE, MS_BIND, MS_NODEV, MS_NOSUID, MS_RDONLY, MS_REMOUNT, MS_SHARED,
                  PR_CAPBSET_DROP, check_call, libc, mount)

WORDS = compare.MOUNT_WORDS


def kind_of(*kinds):
    return [(word,) for word, (kind, _, _) in WORDS.items() if kind in kinds]


def inside(bundle, *requests, warnings=0, runtime=None):
    """What the probe sees, and the mounts by path."""
    with Container(runtime or Runtime(), bundle) as container:
        answer = container.try_create()
        assert answer.status == 0, repr(answer)
        expect([r['level'] for r in answer.records()], ['warning'] * warnings, f'levels of {answer.log_text!r}')
        container.start()
        seen = container.ask(*requests)
        container.finish()
        container.delete()
    table = {}
    for line in seen['mounts']:
        entry = compare.parse_mount(line)
        table.setdefault(entry['path'], []).append(entry)
    return seen, table


def with_mounts(*mounts):
    bundle = Bundle()
    bundle.config['mounts'] += mounts
    return bundle


def tmpfs(path, *options):
    return {'destination': path, 'type': 'tmpfs', 'source': 'tmpfs', 'options': list(options)}


def bind(path, source, *options):
    return {'destination': path, 'type': 'bind', 'source': str(source), 'options': list(options)}


def source_tree():
    """A directory with another mount below it, to bind recursively."""
    source = harness.tmp / 'source'
    (source / 'below').mkdir(parents=True)
    harness.temporary_mount('tmpfs', source / 'below', 'tmpfs')
    (source / 'below/file').write_text('text')
    return source


def check_words(entry, words, which=('flag', 'recursive', 'super', 'propagation')):
    """The options of the mount are what the last word of each kind wants."""
    wanted = {}
    for word in words:
        kind, shows, hides = WORDS[word]
        if kind in which:
            compare.forget_other_times(word, wanted)
            wanted |= {w: (word, True) for w in shows} | {w: (word, False) for w in hides}
    present = set(entry['options']) | set(entry['super']) - {'rw', 'ro'} | set(entry['tags'])
    for shown, (word, is_there) in wanted.items():
        assert (shown in present) == is_there, \
            f'{entry["path"]}: {word}: {shown!r} is {"missing" if is_there else "there"} in {sorted(present)}'


# Every word

@cases(*kind_of('flag', 'super', 'none', 'recursive'))
def test_word_on_a_new_file_system(word):
    _, table = inside(with_mounts(tmpfs('/data', word)))
    check_words(table['/data'][-1], [word])


@cases(*kind_of('flag', 'none'))
def test_word_on_a_bind(word):
    source = harness.tmp / 'source'
    source.mkdir()
    _, table = inside(with_mounts(bind('/data', source, 'bind', word)))
    check_words(table['/data'][-1], [word])


@cases(*kind_of('super'))
def test_superblock_word_on_a_bind(word):
    """Belongs to the file system, which the bind shares with the host: it must stay as it is. Those that ask for
    something that is not so by default get a warning.
    """
    source = harness.tmp / 'source'
    source.mkdir()
    before = [line.split(' - ')[1] for line in open('/proc/self/mountinfo') if f' {harness.tmp} ' in line]
    asks = word in ('dirsync', 'iversion', 'lazytime', 'mand', 'sync')
    inside(with_mounts(bind('/data', source, 'bind', word)), warnings=1 if asks else 0)
    after = [line.split(' - ')[1] for line in open('/proc/self/mountinfo') if f' {harness.tmp} ' in line]
    expect(after, before, 'the host\'s file system')


@cases(*kind_of('recursive'))
def test_recursive_word_on_a_bind(word):
    _, table = inside(with_mounts(bind('/data', source_tree(), 'rbind', word)))
    check_words(table['/data'][-1], [word])
    check_words(table['/data/below'][-1], [word])


def test_plain_words_do_not_recurse():
    _, table = inside(with_mounts(bind('/data', source_tree(), 'rbind', 'ro', 'nosuid')))
    check_words(table['/data'][-1], ['ro', 'nosuid'])
    check_words(table['/data/below'][-1], ['rw', 'suid'])


def test_bind_is_not_recursive_and_rbind_is():
    source = source_tree()
    _, table = inside(with_mounts(bind('/one', source, 'bind'), bind('/all', source, 'rbind'),
                                  bind('/both', source, 'rbind', 'bind')))
    expect([p for p in table if p.startswith(('/one/', '/all/', '/both/'))], ['/all/below', '/both/below'], 'mounts below')


@cases(*((setting, clearing) for setting, clearing in (
    ('ro', 'rw'), ('nosuid', 'suid'), ('nodev', 'dev'), ('noexec', 'exec'), ('noatime', 'atime'), ('sync', 'async'),
    ('nodiratime', 'diratime'), ('nosymfollow', 'symfollow'), ('strictatime', 'nostrictatime'),
    ('noatime', 'relatime'), ('noatime', 'strictatime'), ('lazytime', 'nolazytime'))))
def test_last_word_wins(setting, clearing):
    _, table = inside(with_mounts(tmpfs('/cleared', setting, clearing), tmpfs('/set', clearing, setting)))
    check_words(table['/cleared'][-1], [setting, clearing])
    check_words(table['/set'][-1], [clearing, setting])


@cases(('rro', 'rrw'), ('rnosuid', 'rsuid'), ('rnodev', 'rdev'), ('rnoexec', 'rexec'), ('rnoatime', 'ratime'),
       ('rnosymfollow', 'rsymfollow'), ('rnoatime', 'rstrictatime'))
def test_last_recursive_word_wins(setting, clearing):
    source = source_tree()
    _, table = inside(with_mounts(bind('/cleared', source, 'rbind', setting, clearing),
                                  bind('/set', source, 'rbind', clearing, setting)))
    for end in ('', '/below'):
        check_words(table['/cleared' + end][-1], [setting, clearing])
        check_words(table['/set' + end][-1], [clearing, setting])


@cases(*kind_of('propagation'))
def test_propagation_word(word):
    source = source_tree()
    mount(None, source / 'below', flags=MS_SHARED)
    _, table = inside(with_mounts(bind('/data', source, 'rbind', word)))
    check_words(table['/data'][-1], [word])
    if word.startswith('r'):
        check_words(table['/data/below'][-1], [word])


def test_propagation_of_a_new_file_system():
    _, table = inside(with_mounts(tmpfs('/shared', 'shared'), tmpfs('/private', 'private'),
                                  tmpfs('/unbindable', 'unbindable')))
    for word in ('shared', 'private', 'unbindable'):
        check_words(table[f'/{word}'][-1], [word])


def test_remount():
    """Alters what is mounted there already."""
    again = {'destination': '/data', 'type': 'tmpfs', 'source': 'tmpfs', 'options': ['remount', 'ro', 'noexec']}
    _, table = inside(with_mounts(tmpfs('/data'), again))
    expect(len(table['/data']), 1, 'mounts at /data')
    check_words(table['/data'][-1], ['ro', 'noexec'])


@cases((['defaults'],), ([''],), ([],), (None,))
def test_words_that_mean_nothing(options):
    entry = tmpfs('/data')
    if options is None:
        del entry['options']
    else:
        entry['options'] = options
    _, table = inside(with_mounts(entry))
    expect(table['/data'][-1]['options'], ['rw', 'relatime'], 'options')


@cases(('size=1m', 'size=1024k'), ('nr_inodes=77', 'nr_inodes=77'), ('uid=5', 'uid=5'), ('mode=0701', 'mode=701'))
def test_data_words(word, shown):
    _, table = inside(with_mounts(tmpfs('/data', 'nosuid', word)))
    expect_in(shown, table['/data'][-1]['super'], 'options of the file system')


def test_data_on_a_bind_warns():
    source = harness.tmp / 'source'
    source.mkdir()
    inside(with_mounts(bind('/data', source, 'bind', 'size=1m')), warnings=1)


def block(source):
    return {'destination': '/data', 'type': 'ext4', 'source': source}


def overlay(*options):
    return {'destination': '/data', 'type': 'overlay', 'source': 'overlay', 'options': list(options)}


@cases((tmpfs('/data', 'nosuch'), '/options/0', "'nosuch'"),
       (bind('/data', '/etc', 'bind', 'nosuch'), '/options/1', "'nosuch'"),
       (tmpfs('/data', 'ro', 'size=nonsense'), '/options/1', "'size'"),
       (tmpfs('/data', 'ro,nosuid'), '/options/0', 'an entry of its own'),
       ({'destination': '/data', 'type': 'nosuchfs', 'source': 'x'}, '', "'nosuchfs'"),
       (block('/dev/nosuch'), '', "of '/dev/nosuch': not found"), (block('/etc/hosts'), '', "of '/etc/hosts': "),
       (overlay('lowerdir=/etc:/gone'), '/options/0', "'/gone': not found"),
       (overlay('ro', 'lowerdir=/etc', 'upperdir=/gone/u', 'workdir=/w'), '/options/2', "'/gone/u': not found"),
       (bind('/etc/passwd', '/etc', 'rbind'), '', "bind '/etc', a directory, on a file: not a directory"),
       (bind('/tmp', '/etc/hosts', 'rbind'), '', "bind '/etc/hosts', a file, on a directory: not a directory"),
       (tmpfs('/'), '/destination', "'/' itself"), (tmpfs('/proc'), '/destination', 'only a procfs'),
       (tmpfs('/proc/sys'), '/destination', 'below /proc'), (bind('/proc', '/etc', 'bind'), '/destination', 'only a procfs'))
def test_refused(entry, end, text):
    bundle, runtime = with_mounts(entry), Runtime()
    record = runtime.fails('create', '--bundle', bundle.save().path, 'refused')
    if entry['type'] in ('ext4', 'overlay') and 'may not know' in record['msg']:
        raise harness.Skip(f'a kernel without {entry["type"]}')
    wanted = f'/mounts/{len(bundle.config["mounts"]) - 1}'
    expect(record.get('pointer'), wanted + end, 'pointer')
    expect_in(text, record['msg'], 'message')
    expect(runtime.ids(), [], 'states')


# ID mappings

MAP = [{'containerID': 0, 'hostID': 5000, 'size': 100}]


@cases(('idmap',), ('ridmap',), (None,))
def test_idmapped_bind(word):
    source = source_tree()
    entry = bind('/data', source, 'rbind', *([word] if word else [])) | {'uidMappings': MAP, 'gidMappings': MAP}
    seen, table = inside(with_mounts(entry), 'stat /data', 'stat /data/below')
    expect('idmapped' in table['/data'][-1]['options'], True, 'idmapped')
    expect(seen['answers']['stat /data']['uid'], 5000, 'owner')
    expect('idmapped' in table['/data/below'][-1]['options'], word == 'ridmap', 'idmapped below')


def test_one_map_is_not_enough():
    source = harness.tmp / 'source'
    source.mkdir()
    bundle = with_mounts(bind('/data', source, 'bind', 'idmap') | {'uidMappings': MAP})
    Runtime().fails('create', '--bundle', bundle.save().path, 'refused')


# Sources and targets

def test_targets_are_made():
    source = harness.tmp / 'source'
    source.write_text('text')
    bundle = with_mounts(tmpfs('/new/directory'), bind('/new/file', source, 'bind'))
    seen, _ = inside(bundle, 'stat /new/directory', 'read /new/file')
    expect(seen['answers']['stat /new/directory']['type'], 'directory', 'type')
    expect(seen['answers']['read /new/file']['text'], 'text', 'contents')


def test_relative_source_counts_from_the_bundle():
    bundle = with_mounts(bind('/data', 'source', 'bind'))
    (bundle.path / 'source').mkdir()
    (bundle.path / 'source/file').write_text('text')
    seen, _ = inside(bundle, 'read /data/file')
    expect(seen['answers']['read /data/file'].get('text'), 'text', 'contents')


def test_order():
    """A later mount covers an earlier one, and may lie in it."""
    bundle = with_mounts(tmpfs('/a', 'size=1m'), tmpfs('/a/b', 'size=2m'), tmpfs('/a', 'size=3m'))
    _, table = inside(bundle)
    expect([e['super'] for e in table['/a']][-1][1], 'size=3072k', 'topmost at /a')


def test_tmpcopyup():
    bundle = with_mounts(tmpfs('/etc', 'tmpcopyup'))
    (bundle.rootfs / 'etc/deep').mkdir()
    (bundle.rootfs / 'etc/deep/file').write_text('text')
    os.chown(bundle.rootfs / 'etc/deep/file', 12, 34)
    (bundle.rootfs / 'etc/link').symlink_to('/elsewhere')
    seen, table = inside(bundle, 'read /etc/deep/file', 'stat /etc/deep/file', 'stat /etc/link')
    expect(table['/etc'][-1]['type'], 'tmpfs', 'type')
    expect(seen['answers']['read /etc/deep/file'].get('text'), 'text', 'contents')
    expect(seen['answers']['stat /etc/deep/file'].get('uid'), 12, 'owner')
    expect(seen['answers']['stat /etc/link'].get('target'), '/elsewhere', 'link')


@cases(([], [0o751, 3, 4]), (['mode=0700'], [0o700, 3, 4]), (['uid=7'], [0o751, 7, 4]), (['gid=8'], [0o751, 3, 8]),
       (['gid=8', 'mode=0700', 'uid=7'], [0o700, 7, 8]))
def test_tmpcopyup_and_what_is_asked_for(options, wanted):
    """The directory that is covered says only what the options don't."""
    bundle = with_mounts(tmpfs('/data', 'tmpcopyup', *options))
    data = bundle.rootfs / 'data'
    data.mkdir()
    data.chmod(0o751)
    os.chown(data, 3, 4)
    seen, _ = inside(bundle, 'stat /data')
    expect([seen['answers']['stat /data'][k] for k in ('mode', 'uid', 'gid')], wanted, 'mode, user and group')


def in_user_namespace(bundle):
    bundle.config['linux']['namespaces'].append({'type': 'user'})
    for member in ('uidMappings', 'gidMappings'):
        bundle.config['linux'][member] = [{'containerID': 0, 'hostID': 100000, 'size': 65536}]
    subprocess.run(['chown', '-hR', '100000:100000', bundle.rootfs], check=True)
    return bundle


def locked_source():
    """What the host has read-only, nosuid and nodev, with a part of it covered."""
    real, source = harness.tmp / 'real', harness.tmp / 'source'
    (real / 'below').mkdir(parents=True)
    (real / 'below/secret').write_text('text')
    for path in (real, real / 'below'):
        path.chmod(0o777)
    source.mkdir()
    harness.temporary_mount(real, source, flags=MS_BIND)
    mount(None, source, flags=MS_BIND | MS_REMOUNT | MS_RDONLY | MS_NOSUID | MS_NODEV)
    harness.temporary_mount('tmpfs', source / 'below', 'tmpfs')
    return real, source


@cases((['ro'], 0), (['rw'], 1), (['rw', 'nosuid'], 1), (['exec', 'suid', 'dev'], 1), (['rrw'], 1),
       (['ro', 'noatime'], 1), (['rnodiratime', 'rw'], 2))
def test_locked_flags_are_kept(words, warnings):
    """The host's flags stay where the user namespace can't take them away, whatever the words ask for."""
    real, source = locked_source()
    bundle = in_user_namespace(with_mounts(bind('/data', source, 'rbind', *words)))
    seen, table = inside(bundle, 'write /data', warnings=warnings)
    check_words(table['/data'][-1], ['ro', 'nosuid', 'nodev'])
    expect((seen['answers']['write /data'], sorted(os.listdir(real))), ('EROFS', ['below']), 'writing')


def test_what_the_host_has_locked_stays_so():
    """Also for a process that may mount in its user namespace: neither flags nor covering mounts go."""
    real, source = locked_source()
    bundle = in_user_namespace(with_mounts(bind('/data', source, 'rbind')))
    bundle.config['process']['capabilities'] = dict.fromkeys(('bounding', 'effective', 'permitted'), ['CAP_SYS_ADMIN'])
    bundle.config['process']['args'] = ['sh', '-c', 'mount -t tmpfs none /tmp && echo may mount;'
                                        'mount -o remount,bind,rw /data && touch /data/file;'
                                        'umount /data/below && cat /data/below/secret;'
                                        'umount -l /data/below && cat /data/below/secret']
    answer = Runtime().call('run', '--bundle', bundle.save().path, f'kogg-test-{os.getpid()}-locked')
    expect(answer.out, 'may mount\n', 'the output')
    expect(sorted(os.listdir(real)), ['below'], 'files of the host')


def without_tracing():
    """What root in a container of docker's has not, and without which the files of others in procfs are closed."""
    check_call(libc.prctl(PR_CAPBSET_DROP, CAP_SYS_PTRACE, 0, 0, 0), 'prctl')


@cases((None,), (without_tracing,))
def test_source_that_only_the_host_may_reach(preexec):
    """A bind whose way leads through a directory that the container's root may not search."""
    hidden = harness.tmp / 'hidden'
    (hidden / 'data').mkdir(parents=True)
    (hidden / 'data/file').write_text('text')
    hidden.chmod(0o700)
    bundle = in_user_namespace(with_mounts(*(bind(f'/data{i}', hidden / 'data', 'rbind') for i in range(300))))
    seen, _ = inside(bundle, 'read /data0/file', 'read /data299/file', runtime=Runtime(preexec_fn=preexec))
    for name in ('read /data0/file', 'read /data299/file'):
        expect(seen['answers'][name].get('text'), 'text', name)


def test_readonly_root():
    bundle = with_mounts(tmpfs('/tmp'))
    bundle.config['root']['readonly'] = True
    seen, table = inside(bundle, 'write /', 'write /bin', 'write /tmp', 'write /etc/passwd')
    expect(seen['answers'], {'write /': 'EROFS', 'write /bin': 'EROFS', 'write /tmp': 'ok',
                             'write /etc/passwd': 'EROFS'}, 'writing')
    check_words(table['/'][-1], ['ro'])


@cases(('shared',), ('slave',), ('private',), ('unbindable',), ('rshared',), ('rslave',), ('rprivate',), (None,))
def test_rootfs_propagation(word):
    bundle = Bundle()
    if word:
        bundle.config['linux']['rootfsPropagation'] = word
    _, table = inside(bundle)
    check_words(table['/'][-1], [word or 'rslave'])


@cases(('rshared', 'private'), ('rshared', 'slave'), ('runbindable', 'private'), ('runbindable', 'shared'))
def test_own_propagation_below_a_readonly_path(of_all, own):
    """What a mount asks for is in force where processes find it: in the clone that lies over it."""
    source = harness.tmp / 'source'
    source.mkdir()
    harness.temporary_mount('tmpfs', source, 'tmpfs')
    mount(None, source, flags=MS_SHARED)
    bundle = with_mounts(bind('/run/data', source, 'bind', own))
    bundle.config['linux'].update(rootfsPropagation=of_all, readonlyPaths=['/run'])
    _, table = inside(bundle)
    check_words(table['/run/data'][-1], [own])


def test_mounts_of_the_host_arrive_with_rslave():
    """What the host mounts below a slave appears, and what the container mounts does not leave it."""
    source = harness.tmp / 'source'
    (source / 'later').mkdir(parents=True)
    bundle = with_mounts(bind('/slave', source, 'rbind', 'rslave'), bind('/private', source, 'rbind', 'rprivate'))
    with Container(Runtime(), bundle) as container:
        container.run()
        mount('tmpfs', source / 'later', 'tmpfs')
        paths = [line.split()[4] for line in container.ask()['mounts']]
        expect([p for p in paths if p.endswith('later')], ['/slave/later'], 'mounts that arrived')
        harness.umount(source / 'later')
        container.finish()
        container.delete()


def test_nothing_reaches_the_host():
    before = harness.mount_table()
    with Container(Runtime(), with_mounts(tmpfs('/data'))) as container:
        container.run()
        expect(harness.mount_table(), before, 'mounts of the host')


def test_no_pivot():
    with Container(Runtime(), Bundle()) as container:
        container.create('--no-pivot').start()
        seen = container.ask('list /')
        expect('bin' in seen['answers']['list /'], True, '/bin is there')
        container.finish()
        container.delete()


def test_chroot_without_mount_namespace():
    bundle = Bundle()
    linux = bundle.config['linux']
    linux['namespaces'] = [n for n in linux['namespaces'] if n['type'] not in ('mount', 'pid')]
    del linux['maskedPaths'], linux['readonlyPaths']
    bundle.config['mounts'] = []
    (bundle.rootfs / 'proc').rmdir()
    bundle.config['process']['args'] = ['ls', '/']
    answer = harness.run_program(Runtime(), bundle)
    expect((answer.status, 'bin' in answer.out.split()), (0, True), f'ls of the root: {answer!r}')


def test_mounts_without_mount_namespace():
    bundle = Bundle()
    linux = bundle.config['linux']
    linux['namespaces'] = [n for n in linux['namespaces'] if n['type'] != 'mount']
    del linux['maskedPaths'], linux['readonlyPaths']
    record = Runtime().fails('create', '--bundle', bundle.save().path, 'refused')
    assert record.get('pointer', '').startswith('/mounts'), record
    expect_in('mount namespace', record['msg'] + record.get('hint', ''), 'message')


# Hostile roots

def hostile(change, *mounts):
    bundle = with_mounts(*mounts)
    change(bundle)
    return bundle


def outside_file():
    """A directory of the host that must stay as it is."""
    outside = harness.tmp / 'outside'
    outside.mkdir()
    (outside / 'file').write_text('host')
    return outside


def test_target_through_an_absolute_link():
    """Stays inside: the link is read as one of the root's."""
    outside = outside_file()
    bundle = with_mounts(tmpfs('/link/made'))
    (bundle.rootfs / 'link').symlink_to(outside)
    with Container(Runtime(), bundle) as container:
        answer = container.try_create()
        assert answer.status == 0 or answer.error(), repr(answer)
    expect(sorted(os.listdir(outside)), ['file'], 'the host\'s directory')


@cases(('../' * 20 + 'outside',), ('/proc/1/root',), ('/proc/self/root/proc/1/root',))
def test_target_through_a_climbing_link(target):
    outside = outside_file()
    bundle = with_mounts(tmpfs('/link/new-entry'))
    (bundle.rootfs / 'link').symlink_to(target.replace('outside', str(outside).lstrip('/')))
    runtime = Runtime()
    with Container(runtime, bundle) as container:
        answer = container.try_create()
        assert answer.status == 0 or answer.error(), repr(answer)
    expect(sorted(os.listdir(outside)), ['file'], 'the host\'s directory')
    expect(os.path.exists('/new-entry'), False, 'an entry in the host\'s root')


def test_file_target_is_a_dangling_link():
    outside = outside_file()
    bundle = with_mounts(bind('/etc/made', outside / 'file', 'bind'))
    (bundle.rootfs / 'etc/made').symlink_to(outside / 'new')
    with Container(Runtime(), bundle) as container:
        answer = container.try_create()
        assert answer.status == 0 or answer.error(), repr(answer)
    expect(sorted(os.listdir(outside)), ['file'], 'the host\'s directory')


@cases(('relative', '../run/systemd/resolve/stub-resolv.conf', False), ('absolute', '/run/systemd/resolve/stub-resolv.conf', False),
       ('on a tmpfs', '/run/systemd/resolve/stub-resolv.conf', True))
def test_image_of_a_systemd_resolved_host(name, link, has_tmpfs):
    """The link leads nowhere until somebody makes its target, in the root."""
    source = harness.tmp / 'resolv.conf'
    source.write_text('nameserver 192.0.2.1\n')
    bundle = with_mounts(*([tmpfs('/run')] if has_tmpfs else []), bind('/etc/resolv.conf', source, 'rbind', 'ro'))
    (bundle.rootfs / 'etc/resolv.conf').symlink_to(link)
    with Container(Runtime(), bundle) as container:
        answers = container.run('read /etc/resolv.conf', 'stat /run/systemd/resolve/stub-resolv.conf')['answers']
    expect(answers['read /etc/resolv.conf'], {'text': 'nameserver 192.0.2.1\n'}, 'the file')
    expect(answers['stat /run/systemd/resolve/stub-resolv.conf'].get('type'), 'file', 'where the link leads')


@cases(('/proc/kogg/new',), ('/sys/fs/cgroup/kogg-test/new',), ('/to-sys/cgroup/kogg-test/new',))
def test_nothing_is_made_below_proc_and_sys(link):
    source = harness.tmp / 'source'
    source.write_text('text')
    bundle = with_mounts(
        {'destination': '/sys/fs/cgroup', 'type': 'cgroup', 'source': 'cgroup', 'options': []}, bind('/etc/made', source, 'rbind'))
    (bundle.rootfs / 'to-sys').symlink_to('sys/fs')
    (bundle.rootfs / 'etc/made').symlink_to(link)
    tree = bundle.save().tree()
    record = Runtime().fails('create', '--bundle', bundle.path, 'refused')
    expect_in("'/etc/made' leads by a symbolic link to what is missing below /proc or /sys", record['msg'], 'message')
    expect_tree(bundle, tree)


@cases(('/proc',), ('/sys',))
def test_special_target_is_a_link(path):
    """CVE-2019-19921: procfs mounted elsewhere lets labels and masks go astray."""
    bundle = Bundle()
    (bundle.rootfs / path.lstrip('/')).rmdir()
    (bundle.rootfs / path.lstrip('/')).symlink_to('/tmp')
    tree = bundle.save().tree()
    runtime = Runtime()
    runtime.fails('create', '--bundle', bundle.path, 'refused')
    expect_tree(bundle, tree)


def test_mount_over_proc():
    source = harness.tmp / 'source'
    source.mkdir()
    for path in ('/proc', '/proc/sys', '/proc/self/attr'):
        bundle = with_mounts(bind(path, source, 'bind'))
        Runtime().fails('create', '--bundle', bundle.save().path, 'refused')


def test_lxcfs_files_over_proc():
    source = harness.tmp / 'source'
    source.write_text('text')
    bundle = with_mounts(bind('/proc/uptime', source, 'bind'))
    seen, _ = inside(bundle, 'read /proc/uptime')
    expect(seen['answers']['read /proc/uptime'].get('text'), 'text', 'contents')


def test_dev_is_a_link():
    """CVE-2026-41579: devices made in a directory of the host."""
    outside = outside_file()
    bundle = Bundle()
    bundle.config['mounts'] = [m for m in bundle.config['mounts'] if not m['destination'].startswith('/dev')]
    (bundle.rootfs / 'dev').rmdir()
    (bundle.rootfs / 'dev').symlink_to(outside)
    with Container(Runtime(), bundle) as container:
        answer = container.try_create()
        assert answer.status == 0 or answer.error(), repr(answer)
    expect(sorted(os.listdir(outside)), ['file'], 'the host\'s directory')


def test_root_is_a_mount_point_with_locked_flags():
    bundle = Bundle(rootfs=False)
    bundle.rootfs.mkdir()
    harness.temporary_mount(harness.make_rootfs(harness.tmp / 'real'), bundle.rootfs, flags=MS_BIND)
    mount(None, bundle.rootfs, flags=MS_BIND | MS_REMOUNT | MS_NOSUID)
    _, table = inside(bundle)
    check_words(table['/'][-1], ['nosuid'])


def test_root_path_is_a_link():
    bundle = Bundle()
    (bundle.path / 'link').symlink_to(bundle.rootfs)
    bundle.config['root']['path'] = 'link'
    with Container(Runtime(), bundle) as container:
        answer = container.try_create()
        if answer.status == 0:
            container.start()
            container.ask()
        else:
            expect(answer.error().get('pointer'), '/root/path', 'pointer')


def test_cgroup_mount():
    """Read-only and showing only the container's own group."""
    entry = {'destination': '/sys/fs/cgroup', 'type': 'cgroup', 'source': 'cgroup',
             'options': ['nosuid', 'noexec', 'nodev', 'relatime', 'ro']}
    seen, table = inside(with_mounts(entry), 'list /sys/fs/cgroup', 'write /sys/fs/cgroup')
    assert '/sys/fs/cgroup' in table, 'not mounted'
    expect(seen['answers']['write /sys/fs/cgroup'] == 'ok', False, 'can be written')
    for path, entries in table.items():
        if path.startswith('/sys/fs/cgroup/'):
            expect(pathlib.PurePosixPath(entries[-1]['root']).parts[1:2], (harness.CGROUP_TOP,), f'{path}: group')
            check_words(entries[-1], ['ro'])


harness.main(__name__)
