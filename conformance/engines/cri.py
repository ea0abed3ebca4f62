#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Speaks to a container runtime interface as a kubelet does, with kogg as the runtime handler.

usage: cri.py SOCKET CGROUP_PARENT [STEP]   runs the one step, or what all of them stand on
       cri.py SOCKET CGROUP_PARENT leave-pod FILE | take-left-pod FILE
                                            leaves a pod for whoever comes later; uses and removes it
       cri.py SOCKET CGROUP_PARENT profile TEXT
                                            what a container says of its confinement is the text
       cri.py --list                        prints the steps, each with the version of containerd that has it

Needs python3-grpcio, and cri_pb2.py from `protoc --python_out` of cri.proto in the search path. Each step makes a pod
sandbox of its own and removes it.
"""
import contextlib
import pathlib
import subprocess
import sys
import tempfile
import time
import uuid

import stream

STEPS = {}
HANDLER = 'kogg'
IMAGE = 'localhost/bb:latest'
FIRST_ID = 200000  # outside; 0 inside
LOOP = ['sh', '-c', "echo started; trap 'exit 3' TERM; while :; do sleep .2; done"]


def step(function, since=1):
    function.since = since
    STEPS[function.__name__.replace('_', '-')] = function
    return function


def step_since_2(function):
    return step(function, 2)


def expect(actual, wanted, what):
    if actual != wanted:
        raise AssertionError(f'{what}: {actual!r} in the place of {wanted!r}')


class Client:
    def __init__(self, socket, cgroup_parent):
        self.channel = grpc.insecure_channel('unix://' + socket)
        self.cgroup_parent = cgroup_parent
        self.logs = pathlib.Path(tempfile.mkdtemp())

    def call(self, name, **members):
        method = self.channel.unary_unary(
            f'/runtime.v1.RuntimeService/{name}', request_serializer=lambda request: request.SerializeToString(),
            response_deserializer=getattr(cri, name + 'Response').FromString)
        return method(getattr(cri, name + 'Request')(**members), timeout=30)

    def wait_for_end(self, container):
        for _ in range(100):
            status = self.call('ContainerStatus', container_id=container).status
            if status.state == cri.CONTAINER_EXITED:
                return status
            time.sleep(.1)
        raise AssertionError('it runs on')

    def sandbox_config(self, network, pid):
        config = cri.PodSandboxConfig(log_directory=str(self.logs), dns_config=cri.DNSConfig(servers=['127.0.0.1']))
        # A pod in the host's network has no hostname of its own.
        config.hostname = '' if network == cri.NODE else 'pod'
        config.metadata.name, config.metadata.namespace = 'pod', 'default'
        config.metadata.uid = str(uuid.uuid4())
        config.linux.cgroup_parent = self.cgroup_parent
        context = config.linux.security_context
        context.namespace_options.network, context.namespace_options.pid = network, pid
        context.seccomp.profile_type = cri.SecurityProfile.RuntimeDefault
        config.linux.resources.cpu_shares = 512
        return config

    def remove(self, pod):
        self.call('StopPodSandbox', pod_sandbox_id=pod)
        self.call('RemovePodSandbox', pod_sandbox_id=pod)

    @contextlib.contextmanager
    def sandbox(self, network=None, pid=None, sysctls=None, change=lambda config: None):
        config = self.sandbox_config(cri.POD if network is None else network, cri.CONTAINER if pid is None else pid)
        config.linux.sysctls.update(sysctls or {})
        change(config)
        pod = self.call('RunPodSandbox', config=config, runtime_handler=HANDLER).pod_sandbox_id
        try:
            yield Pod(self, pod, config)
        finally:
            self.remove(pod)


class Pod:
    def __init__(self, client, identity, config):
        self.client, self.identity, self.config = client, identity, config

    def container(self, command=LOOP, change=lambda config: None):
        config = cri.ContainerConfig(command=command, log_path='log')
        config.metadata.name = 'c'
        config.image.image = config.image.user_specified_image = IMAGE
        resources = config.linux.resources
        resources.cpu_period, resources.cpu_quota, resources.cpu_shares = 100000, 50000, 512
        resources.memory_limit_in_bytes, resources.oom_score_adj = 64 << 20, 900
        context = config.linux.security_context
        context.namespace_options.CopyFrom(self.config.linux.security_context.namespace_options)
        context.seccomp.profile_type = cri.SecurityProfile.RuntimeDefault
        context.no_new_privs = True
        context.masked_paths.extend(['/proc/kcore', '/proc/keys', '/sys/firmware'])
        context.readonly_paths.append('/proc/sys')
        change(config)
        container = self.client.call('CreateContainer', pod_sandbox_id=self.identity, config=config,
                                     sandbox_config=self.config).container_id
        self.client.call('StartContainer', container_id=container)
        return container

    def wait_for_log(self, text):
        for _ in range(100):
            if text in (self.client.logs / 'log').read_text():
                return
            time.sleep(.1)
        raise AssertionError(f'{text!r} does not appear in the log')

    def execute(self, container, *command, timeout=10):
        return self.client.call('ExecSync', container_id=container, cmd=command, timeout=timeout)


@step
def container(client):
    with client.sandbox() as pod:
        identity = pod.container()
        status = client.call('ContainerStatus', container_id=identity).status
        expect(status.state, cri.CONTAINER_RUNNING, 'state')


@step
def exec_sync(client):
    with client.sandbox() as pod:
        answer = pod.execute(pod.container(), 'sh', '-c', 'echo out; echo err >&2; exit 4')
        expect((answer.exit_code, answer.stdout, answer.stderr), (4, b'out\n', b'err\n'), 'answer')


@step
def exec_sync_timeout(client):
    with client.sandbox() as pod:
        identity = pod.container()
        try:
            answer = pod.execute(identity, 'sleep', '100', timeout=1)
            expect((answer.exit_code, answer.stderr), (-1, b'command timed out'), 'answer of cri-o')
        except grpc.RpcError as error:
            expect(error.code(), grpc.StatusCode.DEADLINE_EXCEEDED, 'code')
        expect(b'sleep 100' in pod.execute(identity, 'ps').stdout, False, 'the command is left')


@step
def exec_of_missing_program(client):
    with client.sandbox() as pod:
        try:
            pod.execute(pod.container(), '/nonesuch')
            raise AssertionError('no error')
        except grpc.RpcError as error:
            expect('no such file or directory' in error.details(), True, error.details())


@step
def missing_program(client):
    with client.sandbox() as pod:
        try:
            pod.container(['/nonesuch'])
            raise AssertionError('no error')
        except grpc.RpcError as error:
            details = error.details().replace('\\', '')  # cri-o quotes the line
            expect('exec: "/nonesuch": no such file or directory' in details, True, details)


@step
def execute_with_stream(client):
    with client.sandbox() as pod:
        answer = client.call('Exec', container_id=pod.container(), stdin=True, stdout=True, stderr=True,
                             cmd=['sh', '-c', 'read line; echo "got $line"; echo problem >&2; exit 6'])
        connection = stream.Stream(answer.url)
        connection.send(stream.STDIN, b'words\n')
        received = connection.read_all()
        expect(received[stream.STDOUT], b'got words\n', 'output')
        expect(received[stream.STDERR], b'problem\n', 'errors')
        expect(b'"ExitCode","message":"6"' in received[stream.STATUS], True, received[stream.STATUS])


@step
def execute_on_terminal(client):
    with client.sandbox() as pod:
        answer = client.call('Exec', container_id=pod.container(), stdin=True, stdout=True, tty=True, cmd=['sh'])
        connection = stream.Stream(answer.url)
        connection.send(stream.RESIZE, b'{"Width":91,"Height":33}')
        connection.send(stream.STDIN, b'sleep .5; stty size; tty; exit\n')
        output = connection.read_all()[stream.STDOUT]
        expect((b'33 91' in output, b'/dev/pts/' in output), (True, True), output)


@step
def attach(client):
    def ask(config):
        config.tty = config.stdin = True
    with client.sandbox() as pod:
        identity = pod.container(['sh'], ask)
        connection = stream.Stream(client.call('Attach', container_id=identity, stdin=True, stdout=True, tty=True).url)
        connection.send(stream.STDIN, b'echo $((40 + 2)) is it\n')
        connection.wait_for(stream.STDOUT, b'42 is it')
        connection.send(stream.STDIN, b'exit 5\n')
        expect(client.wait_for_end(identity).exit_code, 5, 'exit status')


@step
def update(client):
    with client.sandbox() as pod:
        identity = pod.container()
        resources = cri.LinuxContainerResources(memory_limit_in_bytes=96 << 20, cpu_quota=70000, cpu_period=100000,
                                                cpu_shares=1024)
        client.call('UpdateContainerResources', container_id=identity, linux=resources)
        limit = pod.execute(identity, 'sh', '-c', 'cat /sys/fs/cgroup/memory.max '
                            '/sys/fs/cgroup/memory/memory.limit_in_bytes 2>/dev/null').stdout
        expect(limit, b'100663296\n', 'memory limit')


@step
def stats(client):
    with client.sandbox() as pod:
        answer = client.call('ContainerStats', container_id=pod.container()).stats
        expect(answer.cpu.usage_core_nano_seconds.value > 0, True, 'cpu time')
        expect(answer.memory.working_set_bytes.value > 0, True, 'memory')


@step
def log(client):
    with client.sandbox() as pod:
        identity = pod.container()
        client.call('ReopenContainerLog', container_id=identity)
        pod.wait_for_log('started')


def restrict(config):
    context = config.linux.security_context
    context.readonly_rootfs = True
    context.run_as_user.value, context.run_as_group.value = 1000, 1000
    context.supplemental_groups.append(2000)
    context.capabilities.drop_capabilities.append('ALL')
    context.capabilities.add_capabilities.append('NET_BIND_SERVICE')
    config.mounts.add(container_path='/data', host_path='/tmp', readonly=True)
    config.envs.add(key='A', value='b')
    config.devices.add(container_path='/dev/xfuse', host_path='/dev/fuse', permissions='rwm')


@step
def restricted(client):
    with client.sandbox() as pod:
        identity = pod.container(['sleep', '1000'], restrict)
        expect(pod.execute(identity, 'id').stdout, b'uid=1000(user) gid=1000(user) groups=1000(user),2000\n', 'id')
        for command in ('touch /x', 'touch /data/x', 'mount -t tmpfs x /tmp'):
            expect(pod.execute(identity, 'sh', '-c', command).exit_code, 1, command)
        expect(pod.execute(identity, 'sh', '-c', 'echo $A; ls /dev/xfuse').stdout, b'b\n/dev/xfuse\n', 'rest')


@step
def terminal(client):
    def ask(config):
        config.tty = config.stdin = True
    with client.sandbox() as pod:
        pod.container(['sh', '-c', 'tty; sleep 1000'], ask)
        pod.wait_for_log('/dev/pts/0')


@step
def stop(client):
    with client.sandbox() as pod:
        identity = pod.container()
        time.sleep(.5)
        client.call('StopContainer', container_id=identity, timeout=5)
        status = client.call('ContainerStatus', container_id=identity).status
        expect((status.exit_code, status.state), (3, cri.CONTAINER_EXITED), 'status')
        client.call('RemoveContainer', container_id=identity)


@step
def stop_of_the_deaf(client):
    with client.sandbox() as pod:
        identity = pod.container(['sleep', '1000'])
        client.call('StopContainer', container_id=identity, timeout=1)
        expect(client.call('ContainerStatus', container_id=identity).status.exit_code, 137, 'exit status')


@step
def out_of_memory(client):
    with client.sandbox() as pod:
        identity = pod.container(['dd', 'if=/dev/zero', 'of=/dev/null', 'bs=128M', 'count=1'])
        status = client.wait_for_end(identity)
        expect((status.exit_code, status.reason), (137, 'OOMKilled'), 'status')


@step
def sysctls(client):
    with client.sandbox(sysctls={'net.ipv4.ip_unprivileged_port_start': '80'}) as pod:
        answer = pod.execute(pod.container(), 'cat', '/proc/sys/net/ipv4/ip_unprivileged_port_start')
        expect(answer.stdout, b'80\n', 'sysctl')


@step
def pod_pid_namespace(client):
    with client.sandbox(network=cri.NODE, pid=cri.POD) as pod:
        pod.container(['sleep', '4321'])
        answer = pod.execute(pod.container(change=lambda config: setattr(config.metadata, 'name', 'd')), 'ps')
        expect(b'sleep 4321' in answer.stdout, True, 'the other container is seen')


@step
def node_pid_namespace(client):
    with client.sandbox(network=cri.NODE, pid=cri.NODE) as pod:
        expect(b'run.sh' in pod.execute(pod.container(), 'ps').stdout, True, 'the host is seen')


@step_since_2
def handler_features(client):
    """What `kogg features` says arrives where a kubelet looks for it."""
    for handler in client.call('Status').runtime_handlers:
        if handler.name == HANDLER:
            features = handler.features
            expect((features.recursive_read_only_mounts, features.user_namespaces), (True, True), 'features')
            return
    raise AssertionError('no such handler')


def map_users(target):
    for member in (target.uids, target.gids):
        member.add(host_id=FIRST_ID, container_id=0, length=65536)


def ask_for_user_namespace(config):
    options = config.linux.security_context.namespace_options.userns_options
    options.mode = cri.POD
    map_users(options)


@step_since_2
def user_namespace(client):
    with client.sandbox(change=ask_for_user_namespace) as pod:
        identity = pod.container()
        for name in ('uid_map', 'gid_map'):
            answer = pod.execute(identity, 'cat', f'/proc/self/{name}')
            expect(answer.stdout.split(), [b'0', str(FIRST_ID).encode(), b'65536'], name)
        answer = pod.execute(identity, 'sh', '-c', 'id -u; echo x >/tmp/x && stat -c %u /tmp/x; stat -c %u /bin')
        expect(answer.stdout, b'0\n0\n0\n', 'owners')


@step_since_2
def user_namespace_volume(client):
    """What root owns on the host is root's inside, and the other way round."""
    volume = pathlib.Path(tempfile.mkdtemp())
    (volume / 'ours').touch()

    def mount(config):
        entry = config.mounts.add(container_path='/data', host_path=str(volume))
        for member in (entry.uidMappings, entry.gidMappings):
            member.add(host_id=FIRST_ID, container_id=0, length=65536)
    with client.sandbox(change=ask_for_user_namespace) as pod:
        answer = pod.execute(pod.container(change=mount), 'sh', '-c', 'touch /data/theirs; stat -c %u /data/*')
        expect(answer.stdout, b'0\n0\n', f'owners inside; {answer.stderr}')
        expect([file.stat().st_uid for file in volume.iterdir()], [0, 0], 'owners outside')


@step_since_2
def recursive_read_only(client):
    """Mounts below the volume are read-only too; without the wish they are not."""
    volume = pathlib.Path(tempfile.mkdtemp())
    (volume / 'below').mkdir()
    subprocess.run(['mount', '-t', 'tmpfs', 'below', volume / 'below'], check=True)
    try:
        for wish, status in ((True, 1), (False, 0)):
            def mount(config, wish=wish):
                config.mounts.add(container_path='/data', host_path=str(volume), readonly=True, recursive_read_only=wish)
            with client.sandbox() as pod:
                identity = pod.container(change=mount)
                expect(pod.execute(identity, 'touch', '/data/x').exit_code, 1, 'write to the volume')
                expect(pod.execute(identity, 'touch', '/data/below/x').exit_code, status, 'write below it')
    finally:
        subprocess.run(['umount', volume / 'below'], check=True)


def leave_pod(client, file):
    config = client.sandbox_config(cri.POD, cri.CONTAINER)
    pod = client.call('RunPodSandbox', config=config, runtime_handler=HANDLER).pod_sandbox_id
    container = Pod(client, pod, config).container()
    pathlib.Path(file).write_text(f'{pod} {container}')


def take_left_pod(client, file):
    pod, container = pathlib.Path(file).read_text().split()
    expect(client.call('ContainerStatus', container_id=container).status.state, cri.CONTAINER_RUNNING, 'state')
    answer = client.call('ExecSync', container_id=container, cmd=['echo', 'alive'], timeout=10)
    expect(answer.stdout, b'alive\n', 'output')
    client.remove(pod)


def profile(client, text):
    """What a container and what is executed in it say of their confinement."""
    with client.sandbox() as pod:
        answer = pod.execute(pod.container(), 'cat', '/proc/1/attr/current', '/proc/self/attr/current')
        expect(answer.stdout.decode(), f'{text}\n' * 2, 'profiles')


def main():
    if sys.argv[1:] == ['--list']:
        for name, function in STEPS.items():
            print(name, function.since)
        return
    client = Client(*sys.argv[1:3])
    if len(sys.argv) > 4:
        {'leave-pod': leave_pod, 'take-left-pod': take_left_pod, 'profile': profile}[sys.argv[3]](client, sys.argv[4])
        return
    print(client.call('Version', version='v1'))
    with client.sandbox():
        pass
    if len(sys.argv) > 3:
        STEPS[sys.argv[3]](client)


if __name__ == '__main__':
    if sys.argv[1:] != ['--list']:
        import grpc
        import cri_pb2 as cri
    main()
