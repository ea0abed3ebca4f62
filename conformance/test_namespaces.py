#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""config-linux.md, "Namespaces", "User namespace mappings", "Offset for Time Namespace", "Sysctl"; host names."""
import json
import os
import pathlib
import subprocess
import time

import compare
import harness
from attacks import STRACE, delayed
from harness import Bundle, Container, Runtime, cases, expect, expect_in
from machine import Namespaces

LINKS = compare.LINKS
OPTIONS = {'pid': '--pid', 'network': '--net', 'mount': '--mount', 'ipc': '--ipc', 'uts': '--uts', 'cgroup': '--cgroup',
           'time': '--time', 'user': '--user'}
MAPPING = [{'containerID': 0, 'hostID': 100000, 'size': 65536}]


def own(link):
    return os.readlink(f'/proc/self/ns/{link}')


def seen_of(bundle, *requests):
    with Container(Runtime(), bundle) as container:
        seen = container.run(*requests)
        container.finish()
        container.delete()
    return seen


def set_namespace(bundle, kind, path=None):
    linux = bundle.config['linux']
    linux['namespaces'] = [n for n in linux['namespaces'] if n['type'] != kind]
    linux['namespaces'].append({'type': kind} | ({'path': path} if path else {}))


def drop_namespace(bundle, *kinds):
    linux = bundle.config['linux']
    linux['namespaces'] = [n for n in linux['namespaces'] if n['type'] not in kinds]


def user_bundle():
    bundle = Bundle()
    set_namespace(bundle, 'user')
    bundle.config['linux'] |= {'uidMappings': MAPPING, 'gidMappings': MAPPING}
    subprocess.run(['chown', '-hR', '100000:100000', bundle.rootfs], check=True)
    return bundle


def refused(bundle, pointer, phrase=''):
    runtime = Runtime()
    record = runtime.fails('create', '--bundle', bundle.save().path, 'refused')
    assert record.get('pointer', '').startswith(pointer), f'pointer of {record}'
    expect_in(phrase, record['msg'] + record.get('hint', ''), 'message')
    expect(runtime.ids(), [], 'states')
    return record


# New, inherited, joined

@cases(*((kind,) for kind in LINKS if kind != 'user'))
def test_new(kind):
    bundle = Bundle()
    set_namespace(bundle, kind)
    assert seen_of(bundle)['namespaces'][LINKS[kind]] != own(LINKS[kind]), 'the host\'s'


@cases(('pid',), ('network',), ('ipc',), ('uts',), ('cgroup',), ('time',))
def test_inherited(kind):
    bundle = Bundle()
    drop_namespace(bundle, kind)
    bundle.config.pop('hostname')
    expect(seen_of(bundle)['namespaces'][LINKS[kind]], own(LINKS[kind]), 'namespace')


@cases(('network',), ('ipc',), ('uts',), ('cgroup',))
def test_joined(kind):
    bundle = Bundle()
    with Namespaces(OPTIONS[kind]) as others:
        set_namespace(bundle, kind, others.path(LINKS[kind]))
        expect(seen_of(bundle)['namespaces'][LINKS[kind]], others.inode(LINKS[kind]), 'namespace')


def test_joined_pid_namespace():
    """Its first process lives on; the container's is another one in it."""
    bundle = Bundle()
    with Namespaces('--pid', '--fork', '--kill-child') as others:
        path = f'/proc/{others.process.pid}/ns/pid_for_children'
        set_namespace(bundle, 'pid', path)
        with Container(Runtime(), bundle) as container:
            seen = container.run()
            expect(seen['namespaces']['pid'], os.readlink(path), 'namespace')
            assert seen['pid'] > 1, f'pid {seen["pid"]}'
            container.finish()
            container.delete()


def test_joined_time_namespace():
    bundle = Bundle()
    with Namespaces('--time', '--fork', '--kill-child', '--boottime', '5000') as others:
        path = f'/proc/{others.process.pid}/ns/time_for_children'
        set_namespace(bundle, 'time', path)
        expect(seen_of(bundle)['namespaces']['time'], os.readlink(path), 'namespace')


def test_joined_user_namespace():
    """The other namespaces belong to it, and its mappings hold."""
    bundle = Bundle()
    subprocess.run(['chown', '-hR', '100000:100000', bundle.rootfs], check=True)
    with Namespaces('--user') as others:
        others.map_ids(MAPPING[0])
        set_namespace(bundle, 'user', others.path('user'))
        seen = seen_of(bundle)
        expect(seen['namespaces']['user'], others.inode('user'), 'namespace')
        expect((seen['uids'], seen['uid_map'].split()), ([0] * 3, ['0', '100000', '65536']), 'ids')


def test_joined_all_of_another_container():
    """As the containers of a pod."""
    runtime = Runtime()
    with Container(runtime, Bundle()) as first, Container(runtime, Bundle()) as second:
        links = first.run()['namespaces']
        for kind in ('pid', 'network', 'ipc', 'uts'):
            set_namespace(second.bundle, kind, f'/proc/{first.pid}/ns/{LINKS[kind]}')
        second.bundle.config.pop('hostname')
        seen = second.run()
        for kind in ('pid', 'network', 'ipc', 'uts'):
            expect(seen['namespaces'][LINKS[kind]], links[LINKS[kind]], kind)
        expect(seen['hostname'], 'conformance', 'hostname of the first')
        second.finish()
        second.delete()
        first.finish()
        first.delete()


@cases(('network', 'ipc'), ('ipc', 'uts'), ('pid', 'net'), ('mount', 'ipc'), ('user', 'uts'))
def test_path_of_another_type(kind, link):
    with Namespaces('--net', '--ipc', '--uts') as others:
        bundle = Bundle()
        set_namespace(bundle, kind, others.path(link))
        refused(bundle, f'/linux/namespaces/{len(bundle.config["linux"]["namespaces"]) - 1}')


@cases(('a file', '/etc/passwd'), ('missing', '/nonesuch'), ('relative', 'ns/net'))
def test_path_that_is_no_namespace(name, path):
    bundle = Bundle()
    set_namespace(bundle, 'network', path)
    record = refused(bundle, f'/linux/namespaces/{len(bundle.config["linux"]["namespaces"]) - 1}')
    assert 'no such file' not in record['msg'], record['msg']


def test_type_twice():
    bundle = Bundle()
    bundle.config['linux']['namespaces'].append({'type': 'pid'})
    refused(bundle, f'/linux/namespaces/{len(bundle.config["linux"]["namespaces"]) - 1}')


# What belongs to them

def test_loopback_is_up():
    bundle = Bundle()
    bundle.config['process']['args'] = ['ip', 'addr', 'show', 'lo']
    answer = harness.run_program(Runtime(), bundle)
    expect_in('LOOPBACK,UP', answer.out, 'ip addr')
    expect_in('127.0.0.1/8', answer.out, 'ip addr')


def test_process_is_the_first():
    expect(seen_of(Bundle())['pid'], 1, 'pid')


@cases(('hostname',), ('domainname',))
def test_names(member):
    bundle = Bundle()
    bundle.config[member] = 'x' * 64
    expect(seen_of(bundle)[member], 'x' * 64, member)
    expect(os.uname().nodename == 'x' * 64, False, 'the host\'s name changed')


@cases(('hostname', 'x' * 65), ('domainname', 'x' * 65))
def test_long_names(member, name):
    bundle = Bundle()
    bundle.config[member] = name
    refused(bundle, f'/{member}')


@cases(('hostname',), ('domainname',))
def test_names_need_a_uts_namespace(member):
    bundle = Bundle()
    bundle.config.pop('hostname')
    bundle.config[member] = 'name'
    drop_namespace(bundle, 'uts')
    refused(bundle, f'/{member}')


# User namespaces

def test_user_namespace():
    seen = seen_of(user_bundle(), 'stat /bin', 'stat /dev/null', 'stat /proc/1/stat')
    expect(seen['uid_map'].split(), ['0', '100000', '65536'], 'uid_map')
    expect(seen['gid_map'].split(), ['0', '100000', '65536'], 'gid_map')
    expect((seen['uids'], seen['answers']['stat /bin']['uid']), ([0] * 3, 0), 'ids')
    expect(seen['answers']['stat /dev/null'].get('device'), '1:3', '/dev/null')


def test_user_namespace_with_other_user():
    bundle = user_bundle()
    bundle.config['process']['user'] = {'uid': 1000, 'gid': 1000, 'additionalGids': [5]}
    seen = seen_of(bundle)
    expect((seen['uids'], seen['gids'], seen['groups']), ([1000] * 3, [1000] * 3, [5]), 'ids')


@cases(('new',), ('joined',))
def test_oom_score_in_a_user_namespace(name):
    """The file belongs to a user that is not mapped there."""
    bundle = user_bundle()
    bundle.config['process']['oomScoreAdj'] = 700
    with Namespaces('--user') as others:
        others.map_ids(MAPPING[0])
        if name == 'joined':
            set_namespace(bundle, 'user', others.path('user'))
            del bundle.config['linux']['uidMappings'], bundle.config['linux']['gidMappings']
        with Container(Runtime(), bundle) as container:
            expect(container.run()['oom_score_adj'], '700', 'oom_score_adj')
            process = {'user': {'uid': 0, 'gid': 0}, 'args': ['cat', '/proc/self/oom_score_adj'], 'cwd': '/',
                       'env': ['PATH=/bin'], 'oomScoreAdj': 800}
            file = bundle.path / 'process.json'
            file.write_text(json.dumps(process))
            expect(container.runtime.ok('exec', '--process', file, container.id).out, '800\n', 'exec')
            container.finish()
            container.delete()


def test_processes_of_a_user_namespace_are_others_outside():
    with Container(Runtime(), user_bundle()) as container:
        container.run()
        expect(os.stat(f'/proc/{container.pid}').st_uid, 100000, 'owner outside')
        container.finish()
        container.delete()


def test_many_mappings():
    """340 is the kernel's limit (user_namespaces(7)); helpers elsewhere stop at five. All in 4095 characters."""
    bundle = user_bundle()
    many = [{'containerID': i, 'hostID': 10000 + 2 * i, 'size': 1} for i in range(340)]
    bundle.config['linux'] |= {'uidMappings': many, 'gidMappings': many}
    expect(len(seen_of(bundle)['uid_map'].splitlines()), 340, 'lines of uid_map')


def test_user_outside_the_mappings():
    bundle = user_bundle()
    bundle.config['process']['user'] = {'uid': 70000, 'gid': 0}
    Runtime().fails('create', '--bundle', bundle.save().path, 'refused')


@cases(('without mappings', lambda linux: (linux.pop('uidMappings'), linux.pop('gidMappings'))),
       ('without a namespace', lambda linux: linux.update(
           namespaces=[n for n in linux['namespaces'] if n['type'] != 'user'])),
       ('only users', lambda linux: linux.pop('gidMappings')))
def test_incomplete_user_namespace(name, change):
    bundle = user_bundle()
    change(bundle.config['linux'])
    record = Runtime().fails('create', '--bundle', bundle.save().path, 'refused')
    assert record.get('pointer', '').startswith('/linux/'), record


# Time

def test_time_offsets():
    bundle = Bundle()
    set_namespace(bundle, 'time')
    bundle.config['linux']['timeOffsets'] = {'boottime': {'secs': 86400, 'nanosecs': 1}, 'monotonic': {'secs': 3600}}
    seen = seen_of(bundle, 'read /proc/uptime')
    offsets = {line.split()[0]: line.split()[1:] for line in seen['time_offsets'].splitlines()}
    expect(offsets, {'boottime': ['86400', '1'], 'monotonic': ['3600', '0']}, 'offsets')
    uptime = float(seen['answers']['read /proc/uptime']['text'].split()[0])
    assert abs(uptime - 86400 - time.clock_gettime(time.CLOCK_BOOTTIME)) < 30, f'uptime {uptime}'


@cases(
    ('no namespace', {'boottime': {'secs': 1}}, False, '/linux/timeOffsets'),
    ('clock', {'realtime': {'secs': 1}}, True, '/linux/timeOffsets/realtime'),
    ('nanoseconds', {'boottime': {'nanosecs': 1000000000}}, True, '/linux/timeOffsets/boottime'),
)
def test_wrong_time_offsets(name, offsets, has_namespace, pointer):
    bundle = Bundle()
    if has_namespace:
        set_namespace(bundle, 'time')
    bundle.config['linux']['timeOffsets'] = offsets
    refused(bundle, pointer)


# Sysctl

@cases(('net.ipv4.ip_forward', '1'), ('net/ipv4/ip_forward', '1'), ('kernel.shmmni', '4001'),
       ('kernel.msgmax', '9000'), ('kernel.sem', '250\t32000\t32\t129'), ('fs.mqueue.msg_max', '12'),
       ('kernel.domainname', 'dd'))
def test_sysctl(name, value):
    path = '/proc/sys/' + (name if '/' in name else name.replace('.', '/'))
    before = pathlib.Path(path).read_text()
    bundle = Bundle()
    bundle.config['linux']['sysctl'] = {name: value}
    seen = seen_of(bundle, f'read {path}')
    expect(seen['answers'][f'read {path}']['text'].split(), value.split(), name)
    expect(pathlib.Path(path).read_text(), before, 'the host\'s value')


@cases(('vm.swappiness', '1'), ('kernel.panic', '1'), ('kernel.core_pattern', '|/evil'), ('fs.file-max', '1'),
       ('kernel.hostname', 'x'), ('../../sysrq-trigger', 'c'), ('net.ipv4...vm.swappiness', '1'),
       ('net/../vm/swappiness', '1'), ('net.ipv4.nosuch', '1'), ('', '1'))
def test_sysctl_that_is_no_ones_own(name, value):
    bundle = Bundle()
    bundle.config['linux']['sysctl'] = {name: value}
    refused(bundle, '/linux/sysctl')


@cases(('net.ipv4.ip_forward', 'network'), ('kernel.shmmni', 'ipc'), ('fs.mqueue.msg_max', 'ipc'),
       ('kernel.domainname', 'uts'))
def test_sysctl_needs_its_namespace(name, kind):
    bundle = Bundle()
    bundle.config.pop('hostname')
    drop_namespace(bundle, kind)
    bundle.config['linux']['sysctl'] = {name: '1'}
    refused(bundle, '/linux/sysctl')


def test_sysctl_of_a_joined_host_namespace():
    """The host's own network namespace by path is still the host's."""
    bundle = Bundle()
    set_namespace(bundle, 'network', '/proc/self/ns/net')
    bundle.config['linux']['sysctl'] = {'net.ipv4.ip_unprivileged_port_start': '1023'}
    before = pathlib.Path('/proc/sys/net/ipv4/ip_unprivileged_port_start').read_text()
    Runtime().fails('create', '--bundle', bundle.save().path, 'refused')
    expect(pathlib.Path('/proc/sys/net/ipv4/ip_unprivileged_port_start').read_text(), before, 'the host\'s value')


def test_sysctl_value_that_the_kernel_refuses():
    bundle = Bundle()
    bundle.config['linux']['sysctl'] = {'net.ipv4.ip_default_ttl': 'nonsense'}
    refused(bundle, '/linux/sysctl/net.ipv4.ip_default_ttl')


# A new network namespace, which is made beside the first process

def disturbing(injection, *options):
    """A wrapper: the runtime's own system calls, not those of its child, meet with INJECTION."""
    return [STRACE, *harness.TRACEABLE, '-qq', '-o', '/dev/null', '-e', f'trace={injection.split(":")[0]}',
            '-e', f'inject={injection}', *options]


def network_bundle():
    bundle = Bundle()
    bundle.config['process']['args'] = ['sh', '-c', 'ls /sys/class/net; ip addr show lo']
    return bundle


def check_network(answer):
    expect(answer.status, 0, repr(answer))
    expect(answer.out.split('\n')[0], 'lo', 'the only interface')
    expect_in('LOOPBACK,UP', answer.out, 'ip addr')


@cases(('late', delayed('unshare', 0.5)), ('not to be left again', disturbing('setns:error=EPERM:when=1')),
       ('no /proc/self/ns', disturbing('openat:error=EACCES', '-P', '/proc/self/ns/net')))
def test_network_namespace_by_whatever_way(name, wrapper):
    """What is mounted is that of the container, and the interface is up, whoever makes it and however late."""
    with Namespaces('--net') as others:
        enter = ['nsenter', f'--net={others.path("net")}']
        subprocess.run([*enter, *'ip link add kt0 type veth peer name kt1'.split()], check=True)
        check_network(harness.run_program(Runtime(), network_bundle(), wrapper=[*enter, *wrapper]))


@cases(('make a network namespace', 'unshare:error=ENOSPC'), ('network namespace', 'setns:error=ENOMEM:when=2'),
       ('bring up', 'ioctl:error=EIO'))
def test_network_namespace_that_fails(phrase, injection):
    """Nothing is left, and nobody is waited for who waits for it."""
    runtime, bundle = Runtime(), network_bundle()
    record = runtime.fails('create', '--bundle', bundle.save().path, 'failing', wrapper=disturbing(injection), timeout=5)
    expect_in(phrase, record['msg'], 'message')
    expect(runtime.ids(), [], 'states')


def test_failure_before_the_network_namespace():
    """What a first process has to say is heard, though it has never read what the runtime has sent."""
    bundle = network_bundle()
    mounts = bundle.config['mounts']
    mounts.insert(0, {'destination': '/early', 'type': 'tmpfs', 'source': 'tmpfs', 'options': ['nonsense=1']})
    delays = [*disturbing('ioctl:delay_exit=500000', '-f'), '-e', 'trace=fsopen,ioctl', '-e', 'inject=fsopen:delay_exit=200000']
    record = Runtime().fails('create', '--bundle', bundle.save().path, 'failing', wrapper=delays)
    expect(record['pointer'], '/mounts/0/options/0', 'pointer')


@cases(('first', 0, None), ('last', None, None), ('shared', None, 'shared'))
def test_binds_of_the_network_namespace(name, place, propagation):
    """What a path in /proc means depends on the namespace: the container's, wherever the mount stands in the list."""
    with Namespaces('--net') as others:
        enter = ['nsenter', f'--net={others.path("net")}']
        subprocess.run([*enter, 'sysctl', '-q', 'net.ipv4.ip_default_ttl=77'], check=True)
        bundle = network_bundle()
        mounts = bundle.config['mounts']
        place = len(mounts) if place is None else place
        binds = [('/ns', '/proc/self/ns/net'), ('/ttl', '/proc/sys/net/ipv4/ip_default_ttl'), ('/dev.txt', '/proc/self/net/dev')]
        mounts[place:place] = [{'destination': to, 'type': 'bind', 'source': source,
                                'options': ['bind', *filter(None, [propagation])]} for to, source in binds]
        if propagation:
            bundle.config['linux']['rootfsPropagation'] = propagation
        bundle.config['process']['args'] = ['sh', '-c', 'stat -c %i /ns; stat -L -c %i /proc/self/ns/net; cat /ttl; wc -l </dev.txt']
        answer = harness.run_program(Runtime(), bundle, wrapper=[*enter, *delayed('unshare', 0.2)])
        expect(answer.status, 0, repr(answer))
        bound, own_one, ttl, lines = answer.out.split()
        expect((bound, ttl, lines), (own_one, '64', '3'), 'what is bound')


def test_network_namespace_ends_with_the_container():
    """run, which has made it, does not keep it."""
    bundle = network_bundle()
    seen = bundle.path / 'seen'
    bundle.config['hooks'] = {'poststop': [{'path': '/bin/sh', 'args': ['sh', '-c', f'ls -l /proc/$PPID/fd >{seen}']}]}
    check_network(harness.run_program(Runtime(), bundle))
    expect_in(' -> ', seen.read_text(), 'descriptors')
    assert 'net:[' not in seen.read_text(), seen.read_text()


def test_net_device_of_the_runtimes_own_namespace():
    """It is found there again, though the runtime has been elsewhere."""
    with Namespaces('--net') as others:
        enter = ['nsenter', f'--net={others.path("net")}']
        subprocess.run([*enter, *'ip link add kt0 type veth peer name kt1'.split()], check=True)
        bundle = network_bundle()
        bundle.config['linux']['netDevices'] = {'kt0': {}}
        answer = harness.run_program(Runtime(), bundle, wrapper=[*enter, *delayed('setns', 0.3)])
        expect(answer.out.split('\n')[:2], ['kt0', 'lo'], 'the interfaces')


# Network devices

def test_net_device_moves():
    """To the container, under its new name and up, and its addresses with it."""
    with Namespaces('--net') as others:
        enter = ['nsenter', f'--net={others.path("net")}']
        for command in ('ip link add kt0 type veth peer name kt1', 'ip addr add 192.0.2.7/24 dev kt0', 'ip link set kt0 up'):
            subprocess.run([*enter, *command.split()], check=True)
        bundle = Bundle()
        bundle.config['linux']['netDevices'] = {'kt0': {'name': 'inside'}}
        bundle.config['process']['args'] = ['ip', 'addr']
        answer = harness.run_program(Runtime(), bundle, wrapper=enter)
        expect(answer.status, 0, repr(answer))
        for phrase in ('inside', '192.0.2.7/24', ',UP'):
            expect_in(phrase, answer.out, 'ip addr')


def test_net_device_comes_back_when_create_fails():
    """From the container of a create that fails later, and with it the other device that had moved before."""
    with Namespaces('--net') as others:
        enter = ['nsenter', f'--net={others.path("net")}']
        for command in ('ip link add kt0 type veth peer name kt1', 'ip addr add 192.0.2.7/24 dev kt0', 'ip link set kt0 up'):
            subprocess.run([*enter, *command.split()], check=True)
        bundle = Bundle()
        bundle.config['linux']['netDevices'] = {'kt0': {'name': 'inside'}, 'kt1': {}}
        bundle.config['hooks'] = {'createRuntime': [{'path': '/bin/false'}]}
        Runtime().fails('create', '--bundle', bundle.save().path, 'failing', wrapper=enter)
        shown = subprocess.run([*enter, 'ip', 'addr'], check=True, capture_output=True, text=True).stdout
        for phrase in ('kt0@kt1', 'kt1@kt0', '192.0.2.7/24'):
            expect_in(phrase, shown, 'ip addr')


def test_net_device_of_a_program_does_not_come_back():
    """Once the program runs, another device may bear the name: the host does not get that when run fails later."""
    with Namespaces('--net') as others, Namespaces('--net') as joined:
        enter = ['nsenter', f'--net={others.path("net")}']
        subprocess.run([*enter, *'ip link add kt0 type veth peer name kt1'.split()], check=True)
        bundle = harness.shell_bundle('ip link set inside down', 'ip link set inside name hidden',
                                      'ip link add inside type veth && echo > /done', 'sleep 1000')
        for names in bundle.config['process']['capabilities'].values():
            names.append('CAP_NET_ADMIN')
        next(n for n in bundle.config['linux']['namespaces'] if n['type'] == 'network')['path'] = joined.path('net')
        bundle.config['linux']['netDevices'] = {'kt0': {'name': 'inside'}}
        wait = f'until [ -e {bundle.rootfs}/done ]; do sleep 0.01; done; exit 1'
        bundle.config['hooks'] = {'poststart': [{'path': '/bin/sh', 'args': ['sh', '-c', wait], 'timeout': 10}]}
        Runtime().fails('run', '--bundle', bundle.save().path, 'failing', wrapper=enter)
        expect((bundle.rootfs / 'done').exists(), True, 'the program has done its part')
        shown = subprocess.run([*enter, 'ip', 'link'], check=True, capture_output=True, text=True).stdout
        assert 'kt0' not in shown, shown


def test_net_device_of_another_does_not_come_instead():
    """Who is in a joined namespace gives the name of what has moved to a device of his own: the host gets back its own."""
    with Namespaces('--net') as others, Namespaces('--net') as joined:
        enter, inside = (['nsenter', f'--net={namespaces.path("net")}'] for namespaces in (others, joined))
        for command in ('ip link add kt0 type veth peer name kt1', 'ip link set kt0 address 02:00:00:00:00:07',
                        'ip addr add 192.0.2.7/24 dev kt0'):
            subprocess.run([*enter, *command.split()], check=True)
        bundle = Bundle()
        next(n for n in bundle.config['linux']['namespaces'] if n['type'] == 'network')['path'] = joined.path('net')
        bundle.config['linux']['netDevices'] = {'kt0': {'name': 'inside'}}
        exchange = ('ip link set inside down', 'ip link set inside name hidden', 'ip link add inside type veth')
        script = ' && '.join(f'{" ".join(inside)} {command}' for command in exchange) + f'; echo $? > {bundle.path}/done; exit 1'
        bundle.config['hooks'] = {'createRuntime': [{'path': '/bin/sh', 'args': ['sh', '-c', script],
                                                     'env': ['PATH=/usr/sbin:/usr/bin:/sbin:/bin']}]}
        Runtime().fails('create', '--bundle', bundle.save().path, 'failing', wrapper=enter)
        expect((bundle.path / 'done').read_text(), '0\n', 'the exchange')
        shown = subprocess.run([*enter, 'ip', 'addr', 'show', 'kt0'], check=True, capture_output=True, text=True).stdout
        for phrase in ('02:00:00:00:00:07', '192.0.2.7/24'):
            expect_in(phrase, shown, 'ip addr')


@cases(('missing', {'nonesuch0': {}}), ('long name', {'lo': {'name': 'x' * 16}}))
def test_wrong_net_device(name, devices):
    bundle = Bundle()
    bundle.config['linux']['netDevices'] = devices
    refused(bundle, '/linux/netDevices')


def test_net_device_needs_a_namespace():
    bundle = Bundle()
    drop_namespace(bundle, 'network')
    bundle.config['linux']['netDevices'] = {'lo': {}}
    refused(bundle, '/linux/netDevices')


harness.main(__name__)
