# SPDX-License-Identifier: Apache-2.0
"""What is measured: kogg, its peers, and the floor; and the bundles they are given."""
import json
import os
import pathlib
import re
import shutil
import subprocess

HERE = pathlib.Path(__file__).resolve().parent
CGROUP_TOP = f'kogg-test-bench-{os.getpid()}'
BINDS = 40


class Runtime:
    """An OCI runtime, with a state directory of its own."""

    def __init__(self, path, work):
        self.path = pathlib.Path(path).resolve()
        self.name = self._version()
        self.root = work / f'state-{self.name}'

    def _version(self):
        text = subprocess.run([self.path, '--version'], capture_output=True, text=True, check=True).stdout
        name = self.path.name.split('-')[0]
        return f'{name}-' + re.search(rf'^{name} version (\S+)', text, re.M)[1]

    def call(self, *args):
        return [self.path, '--root', self.root, *args]

    def can_run(self, bundle):
        """Whether a bundle runs at all here; crun refuses hybrid cgroups, for instance."""
        result = subprocess.run(self.call('run', '--bundle', bundle, 'probe'), stdin=subprocess.DEVNULL,
                                capture_output=True, text=True, check=False)
        return result.returncode == 0, (result.stderr.strip().splitlines() or ['no message'])[-1]


class Floor:
    """The kernel's own work for the same container (floor.c)."""
    name = 'floor'

    def __init__(self, path, cgroup, rootfs):
        self.path, self.cgroup, self.rootfs = path, cgroup, rootfs

    def run(self, *options):
        return [self.path, '-c', self.cgroup, *options, self.rootfs, '/bin/true']

    def exec(self, cgroup, pid, *options):
        return [self.path, '-c', cgroup, *options, '-x', pid, '/bin/true']


def make_rootfs(path):
    """A busybox root that containers with and without a user namespace can use."""
    for name in ('bin', 'dev', 'etc', 'proc', 'sys', 'tmp', 'mnt', *(f'mnt/{i}' for i in range(BINDS))):
        (path / name).mkdir(parents=True)
    shutil.copy('/bin/busybox', path / 'bin/busybox')
    for applet in ('sh', 'sleep', 'true'):
        (path / 'bin' / applet).symlink_to('busybox')
    return path


class Bundles:
    """Bundles by name, over one root file system, made from the default config beside this file."""

    def __init__(self, work, rootfs, shared):
        self.work, self.rootfs, self.shared = work, rootfs, shared
        self.default = json.loads((HERE / 'config.json').read_text())

    def make(self, name, change=None, config=None, cgroup=None):
        """The bundle NAME, whose config is the default or CONFIG after CHANGE, with its group at CGROUP."""
        config = json.loads(json.dumps(config or self.default))
        config['root']['path'] = str(self.rootfs)
        config['linux']['cgroupsPath'] = f'/{CGROUP_TOP}/{cgroup or name}'
        if change:
            change(config)
        path = self.work / f'bundle-{name}'
        path.mkdir()
        (path / 'config.json').write_text(json.dumps(config))
        return path

    def engine_config(self, file):
        """A config that an engine wrote, or None where the shared samples are missing."""
        path = self.shared / 'engine-configs' / file
        return json.loads(path.read_text()) if path.exists() else None


def with_sleep(config):
    config['process']['args'] = ['/bin/sleep', '1000']


def with_binds(config):
    for i in range(BINDS):
        config['mounts'].append({'destination': f'/mnt/{i}', 'type': 'bind', 'source': config['root']['path'] + '/etc',
                                 'options': ['rbind', 'ro']})


def with_user_namespace(config):
    config['linux']['namespaces'].append({'type': 'user'})
    config['linux']['uidMappings'] = config['linux']['gidMappings'] = [
        {'containerID': 0, 'hostID': 100000, 'size': 65536}]


def with_seccomp(profile):
    def change(config):
        config['linux']['seccomp'] = profile
    return change


def as_engine_wrote(rootfs, keep_resources):
    """An engine's config, with what only its host has left out: the same rewrites as the conformance tests make."""
    def change(config):
        config['process'].update(terminal=False, args=['/bin/true'])
        config['process'].pop('apparmorProfile', None)
        config['process']['rlimits'] = [r for r in config['process'].get('rlimits', ()) if r['hard'] <= 1024]
        config['process'].setdefault('env', []).append('PATH=/bin')
        config.pop('hooks', None)
        config['mounts'] = [m for m in config['mounts'] if 'bind' not in (m.get('type'), *m.get('options', ()))
                            and 'rbind' not in m.get('options', ())]
        for namespace in config['linux']['namespaces']:
            namespace.pop('path', None)
        if not keep_resources:
            config['linux']['resources'] = {'devices': config['linux']['resources'].get('devices', [])}
        config['root'].update(path=str(rootfs), readonly=True)
    return change


def libseccomp_filter(profile, path):
    """Writes the program that libseccomp makes of PROFILE, as the peers load it, for the floor. False without it."""
    try:
        import seccomp
    except ImportError:
        return False
    actions = {'SCMP_ACT_ALLOW': lambda _: seccomp.ALLOW,
               'SCMP_ACT_ERRNO': lambda errno: seccomp.ERRNO(errno)}
    operators = {'SCMP_CMP_EQ': seccomp.EQ, 'SCMP_CMP_NE': seccomp.NE, 'SCMP_CMP_MASKED_EQ': seccomp.MASKED_EQ,
                 'SCMP_CMP_GE': seccomp.GE, 'SCMP_CMP_GT': seccomp.GT, 'SCMP_CMP_LE': seccomp.LE,
                 'SCMP_CMP_LT': seccomp.LT}
    default = (profile['defaultAction'], profile.get('defaultErrnoRet', 1))
    made = seccomp.SyscallFilter(actions[default[0]](default[1]))
    for name in profile.get('architectures', ()):
        arch = getattr(seccomp.Arch, name.removeprefix('SCMP_ARCH_'))
        if not made.exist_arch(arch):
            made.add_arch(arch)
    for rule in profile['syscalls']:
        action = (rule['action'], rule.get('errnoRet', 1))
        if action == default:
            continue
        for name in rule['names']:
            args = [seccomp.Arg(a['index'], operators[a['op']], a['value'], a.get('valueTwo', 0))
                    for a in rule.get('args') or ()]
            try:
                made.add_rule(actions[action[0]](action[1]), name, *args)
            except (RuntimeError, ValueError):
                continue  # a name that this libseccomp does not know
    with open(path, 'wb') as file:
        made.export_bpf(file)
    return True
