#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Measures kogg, its peers and the kernel's floor side by side, and saves a table, the raw figures and a plot.

Needs root and an otherwise idle machine. What runs is interleaved run by run, so that noise hits all alike; the
ratios are medians of paired runs.
"""
import argparse
import os
import pathlib
import re
import shutil
import stat
import subprocess
import sys
import tempfile
import time

sys.path[:0] = [str(pathlib.Path(__file__).resolve().parent.parent)]
# pylint: disable=wrong-import-position
import cases
import report
import subjects
from launcher import Launcher
from machine import CLONE_NEWNS, MS_BIND, MS_PRIVATE, MS_REC, check_call, libc, mount, umount

SOURCE = pathlib.Path(__file__).resolve().parents[2]
NO_TEST = 77  # the exit status by which meson knows a skipped test
PROFILE_FILE = 'podman5.8-cpu.json'
GROUPS = {
    'run': cases.run_cases, 'seccomp': cases.seccomp_cases, 'engines': cases.engine_cases,
    'lifecycle': cases.lifecycle_cases, 'removal': cases.removal_cases, 'exec': cases.exec_cases,
    'parallel': cases.parallel_cases, 'many': cases.many_cases,
}


def arguments():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument('--kogg', default=SOURCE / 'build/cmd/kogg', type=pathlib.Path)
    parser.add_argument('--peers', type=pathlib.Path, help='the directory that peers.sh has filled; without it, no peers')
    parser.add_argument('--shared', default=SOURCE.parent / 'shared', type=pathlib.Path,
                        help='where engine-configs/ lies, for the cases with configs and profiles of engines')
    parser.add_argument('--view', choices=('v1', 'v2'), default='v2',
                        help='pure cgroup v2 (default), or v1 without the v2 hierarchy beside it')
    parser.add_argument('--count', type=int, default=80, help='runs of each subject in each case')
    parser.add_argument('--pause', type=int, default=0, metavar='MS', help='idleness before each run')
    parser.add_argument('--only', nargs='+', choices=[*GROUPS, 'memory', 'limit'], help='some groups of cases alone')
    parser.add_argument('--out', type=pathlib.Path, default=pathlib.Path('bench-results'))
    return parser.parse_args()


def build(work, name):
    """The helpers are small and static, and built anew: the benchmark must not depend on the project's options."""
    program = work / name
    subprocess.run(['cc', '-D_GNU_SOURCE', '-O2', '-static', '-o', program, pathlib.Path(__file__).parent / f'{name}.c'],
                   check=True)
    return program


def enter_view(view, work):
    """A mount namespace with the hierarchies of VIEW alone. Returns the directory of our groups on v2, else None."""
    check_call(libc.unshare(CLONE_NEWNS), 'unshare')
    mount(None, '/', None, MS_REC | MS_PRIVATE)
    mount('none', work, 'tmpfs')
    # Peers give their standard input to the container's user: let it not be the host's.
    os.mknod(work / 'null', stat.S_IFCHR, os.makedev(1, 3))
    os.chmod(work / 'null', 0o666)
    mount(work / 'null', '/dev/null', None, MS_BIND)
    if view == 'v1':
        # A directory of ours in its place, since peers leave files in what they find there.
        if os.path.ismount('/sys/fs/cgroup/unified'):
            umount('/sys/fs/cgroup/unified')
            mount('none', '/sys/fs/cgroup/unified', 'tmpfs')
        return None
    mount('none', '/sys/fs/cgroup', 'cgroup2')
    top = pathlib.Path('/sys/fs/cgroup') / subjects.CGROUP_TOP
    top.mkdir()
    return top


def remove_group(directory):
    """What a peer has left may still be ending, and new groups may come below it until it has."""
    for _ in range(50):
        try:
            os.rmdir(directory)
            return
        except OSError:
            for below in [entry.path for entry in os.scandir(directory) if entry.is_dir()]:
                remove_group(below)
            time.sleep(0.1)
    print(f'cannot remove {directory}', file=sys.stderr)


def remove_groups(view):
    tops = [*pathlib.Path('/sys/fs/cgroup').glob(subjects.CGROUP_TOP),
            *pathlib.Path('/sys/fs/cgroup').glob(f'*/{subjects.CGROUP_TOP}')]
    for top in tops:
        if view == 'v1' and top.parent.name == 'unified':
            continue  # ends with our mount namespace
        for directory, _, _ in os.walk(top, topdown=False):
            remove_group(directory)


def find_runtimes(options, work):
    paths = [options.kogg]
    if options.peers:
        paths += sorted(p for p in options.peers.iterdir() if re.fullmatch(r'(crun|runc)-[0-9].*', p.name))
    return [subjects.Runtime(path, work) for path in paths]


def measure(options, work):
    cgroups = enter_view(options.view, work)
    launcher, floor = build(work, 'launcher'), build(work, 'floor')
    rootfs = subjects.make_rootfs(work / 'rootfs')
    bundles = subjects.Bundles(work, rootfs, options.shared)
    config = bundles.engine_config(PROFILE_FILE)
    profile = config and config['linux'].get('seccomp')
    has_filter = profile and subjects.libseccomp_filter(profile, work / 'filter')
    bench = cases.Bench(
        launcher=Launcher(launcher), runtimes=find_runtimes(options, work),
        floor=subjects.Floor(floor, cgroups, rootfs), removal=build(work, 'removal'), bundles=bundles, cgroups=cgroups,
        filter=work / 'filter' if has_filter else None, profile=profile, count=options.count,
        pause_ms=options.pause, log=lambda text: print(text, file=sys.stderr))
    wanted = options.only or [*GROUPS, 'memory', 'limit']
    for name, run in GROUPS.items():
        if name in wanted:
            print(f'{name} …', file=sys.stderr)
            run(bench)
    costs = cases.lifecycle_costs(bench) if 'memory' in wanted else {}
    limits = cases.smallest_limit(bench) if 'limit' in wanted and options.view == 'v1' else {}
    return bench, costs, limits


def save(options, bench, costs, limits):
    options.out.mkdir(parents=True, exist_ok=True)
    report.write_csv(bench.results, options.out / f'{options.view}.csv')
    text = report.write_markdown(bench.results, costs, limits, bench.notes, options.view,
                                 options.out / f'{options.view}.md')
    print(text)
    try:
        report.write_plot(bench.results, options.out / f'{options.view}.svg')
    except ImportError:
        print('no plot: install python3-matplotlib', file=sys.stderr)


def main():
    options = arguments()
    if os.geteuid() != 0:
        print('skipped: making containers needs root')
        sys.exit(NO_TEST)
    options.kogg, options.out = options.kogg.resolve(), options.out.resolve()
    work = pathlib.Path(tempfile.mkdtemp(prefix='kogg-bench-'))
    # As an installation does. What the linker has written piece by piece lies in small pages, which cost 6 % of a start.
    options.out.mkdir(parents=True, exist_ok=True)
    installed = pathlib.Path(tempfile.mkdtemp(prefix='kogg-', dir=options.out))
    options.kogg = pathlib.Path(shutil.copy(options.kogg, installed / 'kogg'))
    try:
        try:
            result = measure(options, work)
        finally:
            remove_groups(options.view)
        save(options, *result)
    finally:
        os.chdir('/')
        umount(work)
        shutil.rmtree(work, ignore_errors=True)
        shutil.rmtree(installed, ignore_errors=True)


if __name__ == '__main__':
    main()
