#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Races that are won for certain: the tracer holds a process before one system call while the attacker does his part."""
import os
import pathlib
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent / 'faults'))

import harness
from harness import Bundle, Runtime, Skip, expect, expect_in, file_bundle, settle
from trials import TAMPER, Begun, Held, read_points, tracer

ID = 'timed'


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


harness.main(__name__)
