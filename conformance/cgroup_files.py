# SPDX-License-Identifier: Apache-2.0
"""The files of a container's control groups, for the tests of limits."""
import ctypes
import os
import pathlib
import re
import struct

from harness import Bundle, Skip, expect, expect_in
from machine import cgroup_mounts, check_call, controller_home, libc


class Line(str):
    """A file must have this line."""


class Refused(str):
    """The kernel refuses to have this written."""


def with_resources(**members):
    bundle = Bundle()
    bundle.config['linux']['resources'] |= members
    return bundle


def group_of(bundle, where):
    return pathlib.Path(str(where) + bundle.config['linux']['cgroupsPath'])


def let_through(config):
    """Lets the container's group of v2 have a controller."""
    mount = cgroup_mounts().get('')
    if not mount:
        raise Skip('there is no cgroup v2')
    group = pathlib.Path(mount + os.path.dirname(config['linux']['cgroupsPath']))
    group.mkdir(exist_ok=True)
    controllers = (group / 'cgroup.controllers').read_text().split()
    if not controllers:
        raise Skip('no controller is enabled for groups below the root')
    (group / 'cgroup.subtree_control').write_text(f'+{controllers[0]}')


def leave_group(container):
    """The first process goes to a group below, whose directory is returned, and enables a controller."""
    group = group_of(container.bundle, cgroup_mounts()[''])
    (group / 'inner').mkdir()
    (group / 'inner/cgroup.procs').write_text(str(container.pid))
    controller = (group / 'cgroup.controllers').read_text().split()[0]
    (group / 'cgroup.subtree_control').write_text(f'+{controller}')
    return group / 'inner'


def check_refusal(answer, pointer, text, base='/linux/resources'):
    """An error at the member, which says TEXT; both are regular expressions."""
    record = answer.error()
    assert re.fullmatch(f'{base}/{pointer}', record.get('pointer', '')), f'pointer of {record}, not {pointer}'
    assert re.search(text, record['msg']), f'{text!r} is not in {record["msg"]!r}'
    assert not re.search('no such file|does not exist|operation not permitted|permission denied', record['msg']), \
        f'{record["msg"]!r} has words that engines take for something else'
    return record


def check_files(group, wanted):
    for name, text in wanted.items():
        content = (group / name).read_text()
        if isinstance(text, Line):
            expect_in(str(text), content.splitlines(), f'lines of {name}')
        else:
            expect(content.strip(), text, name)


def settings(bundle):
    """The settings of the container's groups: what is writable and no counter."""
    found = {}
    for where in sorted(set(cgroup_mounts().values())):
        group = group_of(bundle, where)
        for path in group.iterdir() if group.exists() else ():
            if re.search(r'(limit_in_bytes|max|low|weight|shares|_us|swappiness|cpus|mems|idle|depth)$', path.name):
                try:
                    found[path.name] = path.read_text()
                except OSError:
                    pass  # write-only
    return found


def need(controller):
    if not controller_home(controller)[0]:
        raise Skip(f'there is no controller {controller}')


SYS_BPF = {'x86_64': 321, 'aarch64': 280}
BPF_PROG_QUERY, BPF_CGROUP_DEVICE = 16, 6


def device_programs(group):
    """The ids of the programs that guard the devices of a v2 group."""
    if os.uname().machine not in SYS_BPF:
        raise Skip('the number of bpf(2) is not known here')
    ids = (ctypes.c_uint32 * 64)()
    fd = os.open(group, os.O_RDONLY | os.O_DIRECTORY)
    try:
        query = ctypes.create_string_buffer(struct.pack('=IIIIQI', fd, BPF_CGROUP_DEVICE, 0, 0, ctypes.addressof(ids), 64), 64)
        check_call(libc.syscall(SYS_BPF[os.uname().machine], BPF_PROG_QUERY, query, 64), 'bpf')
        return list(ids[:struct.unpack_from('=I', query, 24)[0]])
    finally:
        os.close(fd)
