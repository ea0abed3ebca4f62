# shellcheck shell=bash
# SPDX-License-Identifier: Apache-2.0
# Sourced by run.sh: docker, with a daemon of its own that has kogg as default runtime.

ENGINE_CGROUPS='docker'
IMAGE=localhost/bb:latest NETWORK=--network=none BRIDGE=bridge
# Of a program that is missing, `docker exec` says 126 before version 28.
EXEC_NO_FILE=126
export IMAGE NETWORK

# shellcheck source=conformance/engines/cli_cases.sh
. "$here/cli_cases.sh"

engine_programs()
{
	echo docker dockerd containerd iptables
}

engine_version()
{
	dockerd --version | sed 's/, build.*//'
}

engine()
{
	docker -H "unix://$D/docker.sock" "$@"
}

remove()
{
	engine rm -f "$@"
}

# BuildKit in docker 20.10 runs `runc` from the search path, whatever the default runtime is.
start_daemon()
{
	PATH=$D/bin:$PATH dockerd --config-file "$D/daemon.json" --data-root "$D/data" --exec-root "$D/exec" \
		--pidfile "$D/pid" -H "unix://$D/docker.sock" --default-runtime kogg "$@" \
		--exec-opt "native.cgroupdriver=$CGROUP_DRIVER" --storage-driver overlay2 --experimental >>"$D/log" 2>&1 &
	disown
	wait_for engine version
}

stop_daemon()
{
	kill "$(cat "$D/pid")"
	for _ in $(seq 300); do
		[ -e "$D/pid" ] || break
		sleep .1
	done
}

start_engine()
{
	[ "$(dockerd --version | grep -o '[0-9]*' | head -1)" -lt 28 ] || EXEC_NO_FILE=127
	mkdir "$D/bin"
	ln -s "$KOGG" "$D/bin/runc"
	sed "s|/usr/bin/kogg|$KOGG|" "$source_root/contrib/docker/daemon.json" >"$D/daemon.json"
	start_daemon
	engine load -qi "$D/bb.tar" >/dev/null
}

remove_all()
{
	# shellcheck disable=SC2046 # one word a container
	engine rm -f $(engine ps -aq) >/dev/null 2>&1
}

stop_engine()
{
	stop_daemon
}

health()
{
	with ill --health-cmd 'echo ok' --health-interval 200ms -- wait_for_health
}

wait_for_health()
{
	for _ in $(seq 50); do
		[ "$(engine inspect -f '{{.State.Health.Status}}' ill)" != healthy ] || return 0
		sleep .1
	done
	return 1
}

checkpoint_restore()
{
	engine checkpoint create frozen k1 && engine start --checkpoint k1 frozen
}

build_with_buildkit()
{
	DOCKER_BUILDKIT=1 engine build --no-cache --network none -t localhost/built2 "$D/context"
}

swarm_service()
{
	engine swarm init --advertise-addr 127.0.0.1 --listen-addr 127.0.0.1:0 || return
	engine service create --name svc --replicas 2 --restart-condition none --no-resolve-image "$IMAGE" sleep 1000 &&
		engine service ls && says 'Running' engine service ps svc && engine service rm svc
	local status=$?
	engine swarm leave --force
	return $status
}

# The daemon is killed and started again: with live restore the container runs on, and can still be used.
live_restore()
{
	stop_daemon
	start_daemon --live-restore
	engine run -d "$NETWORK" --name alive "$IMAGE" sleep 1000 || return
	kill -9 "$(cat "$D/pid")"
	sleep 1
	rm -f "$D/pid"
	start_daemon --live-restore
	says 'running' engine inspect -f '{{.State.Status}}' alive && says hi engine exec alive echo hi
	local status=$?
	remove alive || return
	return $status
}

# Without live restore the containers end with the daemon, and the restart policy brings them back.
daemon_restart()
{
	stop_daemon
	start_daemon
	engine run -d "$NETWORK" --restart always --name back "$IMAGE" \
		sh -c 'trap "exit 0" TERM; while :; do sleep .1; done' || return
	stop_daemon
	start_daemon
	says 'running' engine inspect -f '{{.State.Status}}' back && says hi engine exec back echo hi
	local status=$?
	remove back || return
	return $status
}

shim_killed()
{
	local id
	id=$(engine run -d "$NETWORK" --name orphan "$IMAGE" sleep 1000) || return
	kill -9 "$(pgrep -f "containerd-shim.*-id $id")"
	for _ in $(seq 100); do
		[ "$(engine inspect -f '{{.State.Status}}' orphan)" != exited ] || break
		sleep .1
	done
	says exited engine inspect -f '{{.State.Status}}' orphan && remove orphan
}

remapped()
{
	stop_daemon
	echo nobody:300000:65536 >"$D/subid"
	for file in /etc/subuid /etc/subgid; do
		[ ! -e $file ] || mount --bind "$D/subid" $file
	done
	sed -i 's/^nobody/nogroup/' "$D/subid"
	echo nobody:300000:65536 >>"$D/subid"
	start_daemon --userns-remap nobody:nogroup
	engine load -qi "$D/bb.tar" && says 300000 engine run --rm "$NETWORK" "$IMAGE" cat /proc/self/uid_map
}

run_cases()
{
	check runtime-is-kogg -- says kogg engine info -f '{{.DefaultRuntime}}'
	run_life_cases
	check update-pids -- with limited -- engine update --pids-limit 100 limited
	check healthcheck -- health
	if has_criu; then
		check checkpoint -- with frozen --security-opt seccomp=unconfined -- checkpoint_restore
	else
		skip checkpoint "criu can't checkpoint on this kernel"
	fi
	run_option_cases
	check build-buildkit -- build_with_buildkit
	run log-none --log-driver none "$IMAGE" true
	run runtime-by-name --runtime kogg "$IMAGE" true
	run_says domainname dd --domainname dd "$IMAGE" cat /proc/sys/kernel/domainname
	check swarm -- swarm_service
	check info -- engine info
	run_fault_cases
	check shim-killed -- shim_killed
	check live-restore -- live_restore
	check daemon-restart -- daemon_restart
	check userns-remap -- remapped
}
