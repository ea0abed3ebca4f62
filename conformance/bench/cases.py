# SPDX-License-Identifier: Apache-2.0
"""The cases of the benchmark. Each measures all subjects in turn, run by run, so that noise hits them alike."""
import os
import json
import pathlib
import re
import shutil
import statistics
import subprocess
import time
from dataclasses import dataclass, field

import subjects as s
from machine import cgroup_mounts


QUIET = {'stdin': subprocess.DEVNULL, 'stdout': subprocess.DEVNULL, 'stderr': subprocess.DEVNULL}


@dataclass
class Bench:
    """What the cases share."""
    launcher: object
    runtimes: list       # of s.Runtime, kogg first
    floor: s.Floor
    removal: pathlib.Path  # the program of removal.c
    bundles: s.Bundles
    cgroups: pathlib.Path  # the directory of CGROUP_TOP in the hierarchy that this view shows, or None on v1
    filter: pathlib.Path   # libseccomp's program of the engine's profile, or None
    profile: dict          # that profile, or None
    count: int
    pause_ms: int
    log: object
    results: dict = field(default_factory=dict)  # case -> subject -> [microseconds]
    notes: list = field(default_factory=list)

    def record(self, case, subject, microseconds):
        self.results.setdefault(case, {}).setdefault(subject, []).append(microseconds)

    def note(self, text):
        self.notes.append(text)
        self.log(text)

    def able(self, bundle, case):
        """The runtimes that can run BUNDLE here; why others can't is noted."""
        able = []
        for runtime in self.runtimes:
            runs, message = runtime.can_run(bundle)
            if runs:
                able.append(runtime)
            else:
                self.note(f'{case}: {runtime.name} cannot run it here: {message}')
        return able


def run_true(bench, case, bundle, floor_options=None, before=None):
    """`run true`, the floor beside it where FLOOR_OPTIONS are given; BEFORE(runtime) is called, untimed, before each."""
    able = bench.able(bundle, case)
    for _ in range(bench.count):
        if floor_options is not None and bench.cgroups:
            bench.record(case, 'floor', bench.launcher.run(bench.floor.run(*floor_options), bench.pause_ms).wall)
        for runtime in able:
            if before:
                before(runtime)
            cost = bench.launcher.run(runtime.call('run', '--bundle', bundle, 'bench'), bench.pause_ms)
            bench.record(case, runtime.name, cost.wall)


def run_cases(bench):
    run_true(bench, 'run true', bench.bundles.make('run'), ())
    run_true(bench, 'run true, 40 bind mounts', bench.bundles.make('binds', s.with_binds), ('-b', s.BINDS))
    run_true(bench, 'run true, user namespace', bench.bundles.make('userns', s.with_user_namespace), ('-u',))


def drop_filter_cache(runtime):
    """A cold start: no compiled filter is kept from before, wherever the runtime keeps it."""
    for path in runtime.root.glob('.*'):
        shutil.rmtree(path, ignore_errors=True)
    shutil.rmtree('/run/crun/.cache', ignore_errors=True)
    shutil.rmtree(runtime.root / '.cache', ignore_errors=True)


def seccomp_cases(bench):
    if not bench.profile:
        bench.note('seccomp: skipped, there is no engine\'s profile at hand (give --shared)')
        return
    bundle = bench.bundles.make('seccomp', s.with_seccomp(bench.profile))
    options = ('-s', bench.filter) if bench.filter else None
    run_true(bench, 'run true, seccomp, cache warm', bundle, options)
    count, bench.count = bench.count, max(5, bench.count // 4)
    run_true(bench, 'run true, seccomp, cache cold', bundle, options, drop_filter_cache)
    bench.count = count


def engine_cases(bench):
    for engine, file in (('podman', 'podman5.8-cpu.json'), ('containerd', 'containerd2.1-memory.json')):
        config = bench.bundles.engine_config(file)
        if not config:
            bench.note(f'config of {engine}: skipped, {file} is not at hand (give --shared)')
            continue
        view = 'v2' if bench.cgroups else 'v1'
        change = s.as_engine_wrote(bench.bundles.rootfs, keep_resources=view == 'v1')
        run_true(bench, f'run true, config by {engine}, {view}', bench.bundles.make(f'by-{engine}', change, config))


def wait_for_end(pid):
    """Until the process is gone or waits to be reaped."""
    deadline = time.monotonic() + 10
    while time.monotonic() < deadline:
        try:
            if pathlib.Path(f'/proc/{pid}/stat').read_text().rsplit(')', 1)[1].split()[0] == 'Z':
                return
        except OSError:
            return
    raise RuntimeError(f'process {pid} does not end')


def lifecycle_cases(bench):
    bundle = bench.bundles.make('life', s.with_sleep)
    pid_file = bench.bundles.work / 'pid'
    able = bench.able(bench.bundles.make('life-probe', cgroup='life'), 'lifecycle')
    for _ in range(bench.count):
        for runtime in able:
            def timed(name, *args):
                bench.record(name, runtime.name, bench.launcher.run(runtime.call(*args), bench.pause_ms).wall)
            timed('create', 'create', '--bundle', bundle, '--pid-file', pid_file, 'bench')
            timed('start', 'start', 'bench')
            timed('state', 'state', 'bench')
            timed('kill', 'kill', 'bench', 'KILL')
            wait_for_end(int(pid_file.read_text()))
            timed('delete', 'delete', 'bench')
    for _ in range(bench.count):
        for runtime in able:
            steps = (('create', '--bundle', bundle, 'bench'), ('start', 'bench'), ('delete', '--force', 'bench'))
            total = sum(bench.launcher.run(runtime.call(*step), bench.pause_ms).wall for step in steps)
            bench.record('create + start + delete --force', runtime.name, total)


def groups_of(pid):
    """The directories of a process's cgroups."""
    mounts, found = cgroup_mounts(), set()
    for line in pathlib.Path(f'/proc/{pid}/cgroup').read_text().splitlines():
        _, names, path = line.split(':', 2)
        where = mounts.get(names.split(',')[0].removeprefix('name='))
        if where and s.CGROUP_TOP in path:
            found.add(where + path)
    return sorted(found)


def removal_cases(bench):
    """`delete --force` of a container that runs, against the least that anybody has to do for that (removal.c)."""
    case, runtime, hand = 'delete --force of one that runs', bench.runtimes[0], 'floor'
    bundle, pid_file = bench.bundles.make('removal', s.with_sleep), bench.bundles.work / 'pid'

    def make():
        subprocess.run(runtime.call('create', '--bundle', bundle, '--pid-file', pid_file, 'bench'), check=True, **QUIET)
        subprocess.run(runtime.call('start', 'bench'), check=True, **QUIET)

    for _ in range(bench.count):
        make()
        bench.record(case, runtime.name, bench.launcher.run(runtime.call('delete', '--force', 'bench'), bench.pause_ms).wall)
        make()
        pid = int(pid_file.read_text())
        bench.record(case, hand, bench.launcher.run([bench.removal, pid, *groups_of(pid)], bench.pause_ms).wall)
        subprocess.run(runtime.call('delete', '--force', 'bench'), check=True, **QUIET)
    values = bench.results[case]
    more = statistics.median(ours - theirs for ours, theirs in zip(values[runtime.name], values[hand])) / 1e3
    bench.note(f'{case}: {more:.2f} ms more than to kill the process and remove the groups by hand, as a paired median')


def exec_cases(bench):
    plain = bench.bundles.make('exec', s.with_sleep)
    exec_true(bench, 'exec true', plain, ())
    if bench.profile:
        def change(config):
            s.with_sleep(config)
            s.with_seccomp(bench.profile)(config)
        exec_true(bench, 'exec true, seccomp', bench.bundles.make('exec-seccomp', change),
                  ('-s', bench.filter) if bench.filter else None)


def exec_true(bench, case, bundle, floor_options):
    alive = []
    try:
        for runtime in bench.runtimes:
            pid_file = bench.bundles.work / f'pid-{runtime.name}'
            make = runtime.call('create', '--bundle', bundle, '--pid-file', pid_file, 'bench')
            cgroup_of_each(bundle, runtime.name)
            if subprocess.run(make, **QUIET).returncode:
                bench.note(f'{case}: {runtime.name} cannot create the container here')
                continue
            subprocess.run(runtime.call('start', 'bench'), check=True)
            alive.append((runtime, int(pid_file.read_text())))
        for _ in range(bench.count):
            if floor_options is not None and bench.cgroups and alive:
                group = bench.cgroups / f'exec-{alive[0][0].name}'
                bench.record(case, 'floor', bench.launcher.run(
                    bench.floor.exec(group, alive[0][1], *floor_options), bench.pause_ms).wall)
            for runtime, _ in alive:
                cost = bench.launcher.run(runtime.call('exec', 'bench', '/bin/true'), bench.pause_ms)
                bench.record(case, runtime.name, cost.wall)
    finally:
        for runtime, _ in alive:
            subprocess.run(runtime.call('delete', '--force', 'bench'), check=False)


def cgroup_of_each(bundle, name):
    """Containers of several runtimes that live at once need groups of their own."""
    path = bundle / 'config.json'
    config = json.loads(path.read_text())
    config['linux']['cgroupsPath'] = f'/{s.CGROUP_TOP}/exec-{name}'
    path.write_text(json.dumps(config))


PARALLEL = (1, 2, 8, 64)
PARALLEL_RUNS = 200


def parallel_cases(bench):
    def change(config):
        if bench.profile:
            s.with_seccomp(bench.profile)(config)
    for slot in range(max(PARALLEL)):
        bench.bundles.make(f'slot-{slot}', change)
    able = bench.able(bench.bundles.work / 'bundle-slot-0', 'parallel')
    options = ('-s', bench.filter) if bench.filter else ()
    for jobs in PARALLEL:
        for name, args in [('floor', bench.floor.run(*options))] * bool(bench.cgroups) + [
                (r.name, r.call('run', '--bundle', bench.bundles.work / 'bundle-slot-@', 'bench-@')) for r in able]:
            costs, total = bench.launcher.run_many(args, PARALLEL_RUNS, jobs)
            failed = sum(c.status != 0 for c in costs)
            if failed:
                bench.note(f'{jobs} at once: {failed} of {PARALLEL_RUNS} runs of {name} failed')
            for cost in costs:
                bench.record(f'{jobs} at once: each', name, cost.wall)
            bench.record(f'{jobs} at once: all {PARALLEL_RUNS}', name, total)


MANY = 1000
MANY_SAMPLE = 50


def memory_free():
    """KiB, when what was freed has come back, which takes the kernel seconds, and nothing is cached."""
    last = 0
    for _ in range(20):
        pathlib.Path('/proc/sys/vm/drop_caches').write_text('3')
        time.sleep(0.5)
        now = int(re.search(r'^MemFree: *(\d+)', pathlib.Path('/proc/meminfo').read_text(), re.M)[1])
        if abs(now - last) < 1024:
            break
        last = now
    return now


def size_of(path):
    return sum(p.lstat().st_size for p in path.rglob('*') if p.is_file())


def many_cases(bench):
    """1000 created containers alive: is the last made as fast as the first? The floor's is not, either."""
    template = bench.bundles.make('many', s.with_sleep)
    for runtime in bench.able(bench.bundles.make('many-probe', cgroup='many'), 'many'):
        config = json.loads((template / 'config.json').read_text())
        before, made = memory_free(), 0
        try:
            for i in range(MANY):
                config['linux']['cgroupsPath'] = f'/{s.CGROUP_TOP}/many-{i}'
                (template / 'config.json').write_text(json.dumps(config))
                cost = bench.launcher.run(runtime.call('create', '--bundle', template, f'many-{i}'))
                made += 1
                if MANY_SAMPLE <= i < MANY - MANY_SAMPLE:
                    continue
                which = f'the {"first" if i < MANY_SAMPLE else "last"} {MANY_SAMPLE} of {MANY}'
                bench.record(f'create, {which}', runtime.name, cost.wall)
                if bench.cgroups and runtime is bench.runtimes[0]:
                    bench.record(f'run true, beside {which}', 'floor', bench.launcher.run(bench.floor.run()).wall)
            bench.record(f'list of {MANY}', runtime.name, bench.launcher.run(runtime.call('list')).wall)
            bench.note(f'{runtime.name}, {MANY} created containers: {(before - memory_free()) / MANY:.0f} KiB of '
                       f'memory and {size_of(runtime.root) / MANY:.0f} bytes of state each')
        finally:
            bench.launcher.run_many(runtime.call('delete', '--force', 'many-#'), made, 2)


def lifecycle_costs(bench):
    """Peak memory, page faults, and size, for each command alone."""
    bundle = bench.bundles.make('cost', s.with_sleep)
    once = bench.bundles.make('cost-run', cgroup='cost')
    rows = {}
    for runtime in bench.able(once, 'memory'):
        def cost(*args):
            return bench.launcher.run(runtime.call(*args))
        costs = {'create': cost('create', '--bundle', bundle, 'bench'), 'start': cost('start', 'bench'),
                 'state': cost('state', 'bench'), 'exec': cost('exec', 'bench', '/bin/true'),
                 'kill': cost('kill', 'bench', 'KILL')}
        time.sleep(0.2)
        costs['delete'] = cost('delete', 'bench')
        costs['run'] = cost('run', '--bundle', once, 'bench')
        rows[runtime.name] = {name: (c.rss, c.faults, count_calls(runtime, name, bundle, once))
                              for name, c in costs.items()}
        bench.note(f'{runtime.name}: the program has {runtime.path.stat().st_size / 1024:.0f} KiB')
    return rows


# What has to be there before a command can be traced, and the command's own arguments after its name.
CREATE, START, KILL = ('create', '--bundle', '{sleep}', 'count'), ('start', 'count'), ('kill', 'count', 'KILL')
TRACED = {
    'create': ((), CREATE), 'start': ((CREATE,), START), 'state': ((CREATE,), ('state', 'count')),
    'exec': ((CREATE, START), ('exec', 'count', '/bin/true')), 'kill': ((CREATE, START), KILL),
    'delete': ((CREATE, START, KILL), ('delete', 'count')), 'run': ((), ('run', '--bundle', '{true}', 'count')),
}


def count_calls(runtime, command, bundle, once):
    """System calls, processes and bytes read of one command, by strace; None where that is missing."""
    if not shutil.which('strace'):
        return None
    def call(args):
        return runtime.call(*(str(a).format(sleep=bundle, true=once) for a in args))
    log = bundle / 'strace'
    before, traced = TRACED[command]
    for step in before:
        subprocess.run(call(step), **QUIET)
    if command == 'delete':
        time.sleep(0.3)  # until the container has stopped
    with subprocess.Popen(['strace', '-f', '-o', log, *call(traced)], **QUIET) as tracer:
        # strace waits for the container, too, that a traced create leaves.
        if command == 'create':
            while 'created' not in subprocess.run(call(('state', 'count')), capture_output=True, text=True,
                                                  check=False).stdout and tracer.poll() is None:
                time.sleep(0.05)
            time.sleep(0.5)
            counts = summarise_strace(log)
            subprocess.run(call(('delete', '--force', 'count')), **QUIET)
            return counts
    subprocess.run(call(('delete', '--force', 'count')), **QUIET)
    return summarise_strace(log)


def summarise_strace(log):
    calls = read = 0
    processes = set()
    for line in log.read_text(errors='replace').splitlines():
        pid, _, rest = line.partition(' ')
        processes.add(pid)
        if ' resumed>' not in rest and '(' in rest:
            calls += 1
        if rest.lstrip().startswith(('read(', 'pread64(')) and ' = ' in rest:
            size = rest.rsplit(' = ', 1)[1].split()[0]
            read += int(size) if size.isdigit() else 0
    return calls, len(processes), read


LIMITS_KIB = (96, 112, 128, 160, 192, 224, 256, 320, 384, 448, 512, 768, 1024, 2048, 3072, 4096)


def smallest_limit(bench):
    """The smallest memory limit in which `true` starts 5 times of 5."""
    rows = {}
    for runtime in bench.runtimes:
        for kib in LIMITS_KIB:
            def change(config, kib=kib):
                config['linux']['resources']['memory'] = {'limit': kib * 1024}
            bundle = bench.bundles.work / 'bundle-limit'
            shutil.rmtree(bundle, ignore_errors=True)
            bench.bundles.make('limit', change)
            if all(runtime.can_run(bundle)[0] for _ in range(5)):
                rows[runtime.name] = kib
                break
        shutil.rmtree(bench.bundles.work / 'bundle-limit', ignore_errors=True)
    return rows
