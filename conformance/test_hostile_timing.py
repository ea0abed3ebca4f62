#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Races that are won for certain: the tracer holds a process before one system call while the attacker does his part."""
import os
import pathlib
import signal
import subprocess
import sys
import threading

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent / 'faults'))

import harness
from attacks import HOSTILE
from harness import Bundle, Runtime, Skip, expect, expect_in, file_bundle, settle, shell_bundle
from machine import describe, orphans
from trials import TAMPER, Begun, Held, read_points, tracer

ID = 'timed'
PF_EXITING = 4  # of the flags in /proc/PID/stat (include/linux/sched.h)


def find_point(runtime, args, choose, attach=0):
    """The point of a command that CHOOSE picks of all; the command is carried out."""
    if not os.access(TAMPER, os.X_OK):
        raise Skip('the tracer does not know this architecture')
    report = harness.tmp / f'report{harness.serial()}'
    Begun(runtime, args, tracer(report, attach=attach)).finish()
    return choose(read_points(report))


def hold(runtime, args, point, attach=0):
    return Held(Begun(runtime, args, tracer(harness.tmp / f'report{harness.serial()}', point, 'hold', attach)))


# A device node that somebody exchanges before it gets its owner

def device_bundle():
    bundle = Bundle()
    bundle.config['linux']['devices'] = [
        {'path': '/var/node', 'type': 'c', 'major': 10, 'minor': 229, 'fileMode': 0o600, 'uid': 7, 'gid': 7}]
    return bundle.save()


def node_points(points):
    """Of the first process: from what makes the node to what gives it away."""
    last = max(i for i, point in enumerate(points) if point.name == 'fchownat')
    first = max(i for i, point in enumerate(points[:last]) if point.name == 'mknodat')
    return [point for point in points[first + 1:last + 1] if point.process == points[last].process]


def test_device_node_is_exchanged():
    """Never does a file get another owner that has taken the node's name, whenever it does so."""
    runtime, bundle = Runtime(), device_bundle()
    args = ('create', '--bundle', bundle.path, ID)
    points = find_point(runtime, args, node_points)
    runtime.ok('delete', '--force', ID)
    node, victim = bundle.rootfs / 'var/node', bundle.rootfs / 'etc/passwd'
    assert len(points) > 1, points
    for point in points:
        node.unlink(missing_ok=True)
        held = hold(runtime, args, point)
        assert node.is_char_device(), f'{point}: no node is there yet'
        node.unlink()
        os.link(victim, node)
        held.go_on()
        held.begun.finish()
        runtime.call('delete', '--force', ID)
        expect(victim.stat().st_uid, 0, f'owner of the file that was put there, {point}')


# A file that becomes a special one while tmpcopyup looks at it

def copying_points(points):
    """Of the first process: from the new file system to its being attached."""
    made = next(i for i, point in enumerate(points) if point.name == 'fsmount')
    attached = next(i for i, point in enumerate(points) if i > made and point.name == 'move_mount')
    return [point for point in points[made + 1:attached + 1] if point.process == points[made].process]


def test_file_to_copy_becomes_special():
    """Whenever that happens it is not opened, which for a device may do something. Who waits for a reader sees it."""
    runtime, bundle = Runtime(), Bundle()
    bundle.config['mounts'].append({'destination': '/data', 'type': 'tmpfs', 'options': ['tmpcopyup']})
    victim, special = bundle.save().rootfs / 'data/file', harness.tmp / 'special'
    victim.parent.mkdir()
    victim.write_text('text')
    args = ('create', '--bundle', bundle.path, ID)
    points = find_point(runtime, args, copying_points)
    runtime.ok('delete', '--force', ID)
    assert len(points) > 5, points
    for point in points:
        victim.unlink()
        victim.write_text('text')
        os.mkfifo(special)
        writer = threading.Thread(target=lambda: os.close(os.open(special, os.O_WRONLY)))
        held = hold(runtime, args, point)
        writer.start()
        os.link(special, victim.parent / 'new')
        os.rename(victim.parent / 'new', victim)
        held.go_on()
        held.begun.finish()
        runtime.call('delete', '--force', ID)
        was_opened = not writer.is_alive()
        os.close(os.open(special, os.O_RDONLY | os.O_NONBLOCK))
        writer.join()
        special.unlink()
        expect(was_opened, False, f'the special file was opened, {point}')


# A filter that kills at execve(2), and a parent who is faster than `start`

def test_reaped_by_a_filter_before_start_looks():
    """The kernel tells what has ended it, since Linux 6.15."""
    if tuple(map(int, os.uname().release.split('.')[:2])) < (6, 15):
        raise Skip('this kernel forgets how a process ended that has been reaped')
    runtime, bundle = Runtime(), file_bundle()
    bundle.config['process']['noNewPrivileges'] = False
    bundle.config['linux']['seccomp'] = {'defaultAction': 'SCMP_ACT_ALLOW', 'syscalls': [
        {'names': ['execve'], 'action': 'SCMP_ACT_KILL_PROCESS'}]}
    bundle.save()

    def wait_for_result(points):
        names = [point.name for point in points]
        return points[names.index('poll', names.index('write'))]

    runtime.ok('create', '--bundle', bundle.path, ID)
    point = find_point(runtime, ('start', ID), wait_for_result)
    runtime.ok('delete', '--force', ID)
    runtime.ok('create', '--bundle', bundle.path, ID)
    pid = runtime.state(ID)['pid']
    held = hold(runtime, ('start', ID), point)
    assert settle(lambda: not os.path.exists(f'/proc/{pid}')), 'the first process lives'
    held.go_on()
    end = held.begun.finish()
    expect(end.status, 1, 'status of start')
    expect_in('SIGSYS', end.err, 'message')
    runtime.ok('delete', ID)


# A create that has made its directory, and a delete that finds nothing in it

def test_delete_of_what_has_only_begun():
    """Whoever of them has the lock first, a container that was created is there."""
    runtime, bundle = Runtime(), file_bundle()
    create, delete = ('create', '--bundle', bundle.save().path, ID), ('delete', '--force', ID)

    def before_the_lock(points):
        names = [point.name for point in points]
        return points[names.index('flock', names.index('mkdirat'))]

    def before_the_removal(points):
        """Or before it takes the lock anew."""
        names = [point.name for point in points]
        behind = names.index('flock') + 1
        return points[behind + next(i for i, name in enumerate(names[behind:]) if name in ('flock', 'unlinkat'))]

    create_point = find_point(runtime, create, before_the_lock)
    runtime.ok(*delete)
    (runtime.root / ID).mkdir(mode=0o700)
    delete_point = find_point(runtime, delete, before_the_removal)
    creator = hold(runtime, create, create_point)
    deleter = hold(runtime, delete, delete_point)
    creator.go_on()
    settle(creator.begun.has_ended, 1)
    deleter.go_on()
    expect(deleter.begun.finish().status, 0, 'status of delete')
    end = creator.begun.finish()
    expect((end.status == 0, ID in runtime.ids()), (False, False), f'created, and there ({end.err})')


# A container that ends, and is reaped, while delete looks whether it is about to

def test_reaped_while_delete_looks():
    """It is deleted, whenever that happens."""
    runtime, bundle = Runtime(), Bundle()
    bundle.config['process']['args'] = ['sleep', '1000']
    bundle.save()

    def run():
        runtime.ok('create', '--bundle', bundle.path, ID)
        runtime.ok('start', ID)
        return runtime.state(ID)['pid']

    def looks(points):
        locked = [point.name for point in points].index('flock')
        return [point for point in points[locked:] if point.name in ('openat', 'getdents64', 'poll', 'fstat')]

    run()
    points = find_point(runtime, ('delete', ID), looks)
    assert len(points) > 4, points
    runtime.ok('delete', '--force', ID)
    for point in points:
        pid = run()
        held = hold(runtime, ('delete', ID), point)
        os.kill(pid, 9)
        assert settle(lambda: not os.path.exists(f'/proc/{pid}')), 'the container lives'
        held.go_on()
        end = held.begun.finish()
        runtime.call('delete', '--force', ID)
        expect(end.status, 0, f'status of delete, {point}: {end.err}')


# A child without an exit signal that whoever executed the runtime has left it

def test_foreign_child_is_not_taken_for_ours():
    """When the process between dies before it has told of the new one, the other is neither waited for nor ended."""
    runtime, bundle = Runtime(), shell_bundle('sleep 1000')
    args, parent = ('exec', ID, 'true'), [HOSTILE, 'parent']

    def tells_of_birth(points):
        stage = next(point.process for point in points if point.name == 'setns')
        return [point for point in points if point.process == stage and point.name == 'sendmsg'][-1]

    def others():
        return [pid for pid in orphans() if describe(pid).startswith(HOSTILE)]

    def call(point=None):
        report = harness.tmp / f'report{harness.serial()}'
        end = Begun(runtime, args, [*tracer(report, point, 'kill'), *parent]).finish(30)
        return end, read_points(report)

    runtime.ok('create', '--bundle', bundle.save().path, ID)
    runtime.ok('start', ID)
    point = tells_of_birth(call()[1])
    for pid in others():
        os.kill(pid, 9)
    settle(lambda: not others())
    try:
        end, _ = call(point)
        # One that was born in its cgroup, by clone3(2), is made once more.
        assert end.status in (0, 255), repr(end)
        expect(len(others()), 1, f'how many others live: {end.err}')
    finally:
        for pid in others():
            os.kill(pid, 9)
        runtime.ok('delete', '--force', ID)


# A first process that is killed before its start, and whose end takes long

def test_killed_before_start_and_not_yet_dead():
    """It has let go of the FIFO, and its PID namespace does not end: who is in there is dead, but not reaped."""
    runtime, bundle = Runtime(), shell_bundle('sleep 1000')
    runtime.ok('create', '--bundle', bundle.save().path, ID)
    pid = runtime.state(ID)['pid']
    with runtime.start_call('exec', '--pid-file', bundle.path / 'pid', ID, 'sleep', '1000') as adding:
        try:
            assert settle((bundle.path / 'pid').exists), 'no second process'
            adding.send_signal(signal.SIGSTOP)
            os.waitid(os.P_PID, adding.pid, os.WSTOPPED)
            os.kill(pid, signal.SIGKILL)
            assert settle(lambda: int(pathlib.Path(f'/proc/{pid}/stat').read_text().rsplit(')', 1)[1].split()[6]) & PF_EXITING)
            assert settle(lambda: not os.listdir(f'/proc/{pid}/fd')), 'it has files'
            expect(runtime.state(ID)['status'], 'stopped', 'status')
            expect_in('has stopped', runtime.fails('start', ID)['msg'], 'message of start')
        finally:
            adding.send_signal(signal.SIGCONT)
    runtime.ok('delete', ID)


# A number that was listed as the container's, and is given to another process before it gets the signal

def process_with(pid):
    """A process of the host that gets the number PID."""
    for _ in range(100):
        pathlib.Path('/proc/sys/kernel/ns_last_pid').write_text(str(pid - 1))
        process = subprocess.Popen(['sleep', '1000'])
        if process.pid == pid:
            return process
        process.kill()
        process.wait()
    raise Skip(f'the number {pid} is not to be had')


def test_signal_for_all_after_one_has_ended():
    """Who has got the number of a process of the container does not get its signals, whenever that is."""
    if not os.access('/proc/sys/kernel/ns_last_pid', os.W_OK):
        raise Skip('the kernel does not let numbers be chosen')
    runtime, bundle = Runtime(), shell_bundle('sleep 1000 & echo $! > /child; wait; sleep 1000')
    bundle.config['linux']['namespaces'] = [n for n in bundle.config['linux']['namespaces'] if n['type'] != 'pid']
    kill, child = ('kill', '--all', ID, 'USR1'), bundle.save().rootfs / 'child'

    def run():
        child.unlink(missing_ok=True)
        runtime.ok('create', '--bundle', bundle.path, ID)
        runtime.ok('start', ID)
        assert settle(lambda: child.exists() and child.read_text().endswith('\n')), 'no child'
        return int(child.read_text())

    def from_the_list_on(points):
        names = [point.name for point in points]
        first = names.index('pidfd_open', names.index('pidfd_open') + 1)
        return [point for point in points[first - 2:] if point.name in ('openat', 'pidfd_open', 'pidfd_send_signal')]

    run()
    points = find_point(runtime, kill, from_the_list_on)
    runtime.ok('delete', '--force', ID)
    for point in points:
        pid = run()
        held = hold(runtime, kill, point)
        os.kill(pid, 9)
        assert settle(lambda: not os.path.exists(f'/proc/{pid}')), 'the child lives'
        with process_with(pid) as other:
            held.go_on()
            end = held.begun.finish()
            runtime.ok('delete', '--force', ID)
            expect((end.status, other.poll()), (0, None), f'status of kill, and of the other, {point}: {end.err}')
            other.kill()


harness.main(__name__)
