#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Speaks to a container runtime interface as a kubelet does, with kogg as the runtime handler.

usage: cri.py SOCKET CGROUP_PARENT [STEP]   runs the one step, or what all of them stand on
       cri.py --list                        prints the steps

Needs python3-grpcio, and cri_pb2.py from `protoc --python_out` of cri.proto in the search path. Each step makes a pod
sandbox of its own and removes it.
"""
import contextlib
import pathlib
import sys
import tempfile
import time
import uuid

STEPS = {}
HANDLER = 'kogg'
LOOP = ['sh', '-c', "echo started; trap 'exit 3' TERM; while :; do sleep .2; done"]


def step(function):
    STEPS[function.__name__.replace('_', '-')] = function
    return function


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

    @contextlib.contextmanager
    def sandbox(self, network=None, pid=None, sysctls=None):
        config = self.sandbox_config(cri.POD if network is None else network, cri.CONTAINER if pid is None else pid)
        config.linux.sysctls.update(sysctls or {})
        pod = self.call('RunPodSandbox', config=config, runtime_handler=HANDLER).pod_sandbox_id
        try:
            yield Pod(self, pod, config)
        finally:
            self.call('StopPodSandbox', pod_sandbox_id=pod)
            self.call('RemovePodSandbox', pod_sandbox_id=pod)


class Pod:
    def __init__(self, client, identity, config):
        self.client, self.identity, self.config = client, identity, config

    def container(self, command=LOOP, change=lambda config: None):
        config = cri.ContainerConfig(command=command, log_path='log')
        config.metadata.name, config.image.image = 'c', 'localhost/bb:latest'
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
            pod.execute(identity, 'sleep', '100', timeout=1)
            raise AssertionError('no timeout')
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
            expect('exec: "/nonesuch": no such file or directory' in error.details(), True, error.details())


@step
def streaming_urls(client):
    with client.sandbox() as pod:
        identity = pod.container()
        for method in ('Exec', 'Attach'):
            members = {'cmd': ['sh']} if method == 'Exec' else {}
            answer = client.call(method, container_id=identity, stdin=True, stdout=True, stderr=True, **members)
            expect(answer.url.startswith('http'), True, f'{method}: {answer.url}')


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
        for _ in range(50):
            status = client.call('ContainerStatus', container_id=identity).status
            if status.state == cri.CONTAINER_EXITED:
                break
            time.sleep(.1)
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


def main():
    if sys.argv[1:] == ['--list']:
        print(*STEPS, sep='\n')
        return
    client = Client(*sys.argv[1:3])
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
