# shellcheck shell=bash
# SPDX-License-Identifier: Apache-2.0
# Sourced by run.sh: docker, with a daemon of its own that has kogg as default runtime.

ENGINE_CGROUPS='docker'
IMAGE=localhost/bb:latest NETWORK=--network=none BRIDGE=bridge
# Of a program that is missing, `docker exec` says 126 before version 28.
EXEC_NO_FILE=126
APPARMOR_DEFAULT=docker-default APPARMOR_MISSING="no AppArmor profile 'kogg-nonesuch' is loaded"
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

# BuildKit in docker 20.10 runs `runc` from the search path, whatever the default runtime is. A daemon whose containerd
# isn't there after fifteen seconds ends, which on a slow machine takes another try.
start_daemon()
{
	for _ in 1 2 3; do
		PATH=$D/bin:$PATH dockerd --config-file "$D/daemon.json" --data-root "$D/data" --exec-root "$VOLATILE/exec" \
			--pidfile "$D/pid" -H "unix://$D/docker.sock" --default-runtime kogg "$@" \
			--exec-opt "native.cgroupdriver=$CGROUP_DRIVER" --storage-driver overlay2 --experimental >>"$D/log" 2>&1 &
		disown
		wait_for has_answered $! engine version
		! engine version >/dev/null 2>&1 || return 0
	done
	wait_for false
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
	rm -f "$D/pid" # a daemon's before a reboot
	mkdir -p "$D/bin"
	ln -sf "$KOGG" "$D/bin/runc"
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

compose()
{
	if docker compose version >/dev/null 2>&1; then
		engine compose "$@"
	else
		docker-compose -H "unix://$D/docker.sock" "$@"
	fi
}

# Two services, of which the second waits for the first to be healthy; they share a network and a volume.
compose_project()
{
	mkdir -p "$D/project"
	cat >"$D/project/docker-compose.yml" <<-EOF
	services:
	  first:
	    image: $IMAGE
	    command: sh -c 'echo ready >/shared/state; exec sleep 1000'
	    volumes: ["shared:/shared"]
	    healthcheck: {test: ["CMD", "grep", "ready", "/shared/state"], interval: 200ms}
	    mem_limit: 64m
	  second:
	    image: $IMAGE
	    command: sh -c 'cat /shared/state; ping -c 1 first && echo reached; exec sleep 1000'
	    depends_on: {first: {condition: service_healthy}}
	    volumes: ["shared:/shared:ro"]
	    cap_drop: [SYS_ADMIN]
	    read_only: true
	volumes: {shared: {}}
	EOF
	cd "$D/project" && compose up -d && sleep 1 && says ready compose logs second && says reached compose logs second &&
		says hi compose exec -T first echo hi && compose up -d --scale second=3 &&
		[ "$(compose ps -q | wc -l)" -eq 4 ] && compose restart -t 0 second && compose stop -t 0
	local status=$?
	compose down -t 0 -v || return
	return $status
}

# containerd must not be there any more, or a daemon that is started at once takes it for one that can be used.
kill_daemon()
{
	local containerd
	containerd=$(cat "$VOLATILE/exec/containerd/containerd.pid")
	kill -9 "$(cat "$D/pid")" "$containerd"
	while [ -e "/proc/$containerd/exe" ]; do
		sleep .1
	done
	rm -f "$D/pid" "$VOLATILE/exec/containerd/containerd.pid"
}

# killed_in DELAY COMMAND...: dockerd and its containerd are killed while they serve the command, and started again.
killed_in()
{
	local delay=$1
	shift
	"$@" &
	sleep "$delay"
	kill_daemon
	wait $!
	start_daemon
}

# A daemon that comes back first stops what ran, and would wait for a program that doesn't obey SIGTERM.
run_cut()
{
	engine run -d "$NETWORK" --stop-signal KILL --name cut "$IMAGE" sleep 1000
}

# A container that the daemon had not written down yet it forgets, with any runtime; kogg must be able to remove that.
delete_forgotten()
{
	local state
	for state in $(find "$VOLATILE/exec" -path '*/moby/*/state.json'); do
		state=${state%/state.json}
		"$KOGG" --root "${state%/*}" delete --force "${state##*/}" || return
	done
}

# Whatever the daemon was at: when it is back it can tell what there is, and remove that.
daemon_killed_in_create()
{
	local delay
	for delay in .05 .15 .25 .4; do
		killed_in $delay run_cut
		engine ps -a
		[ -z "$(engine ps -aq)" ] || remove cut || return
	done
	delete_forgotten && engine run --rm "$NETWORK" --name cut "$IMAGE" true
}

daemon_killed_in_exec()
{
	local delay
	for delay in .02 .05 .1 .2; do
		run_cut || return
		killed_in $delay engine exec cut sleep 1000
		engine start cut && says hi engine exec cut echo hi && remove cut || return
	done
}

daemon_killed_in_delete()
{
	local delay
	for delay in .01 .03 .06 .1; do
		run_cut || return
		killed_in $delay engine rm -f cut
		[ -z "$(engine ps -aq)" ] || remove cut || return
	done
	engine run --rm "$NETWORK" --name cut "$IMAGE" true
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

leave_running()
{
	check left-running -- engine run -d "$NETWORK" --restart always --name left "$IMAGE" sleep 1000
	check left-exec -- says hi engine exec left echo hi
	check left-once -- engine run -d "$NETWORK" --name once "$IMAGE" sleep 1000
}

run_cases_after_reboot()
{
	check is-back -- says running engine inspect -f '{{.State.Status}}' left
	check exec -- says hi engine exec left echo hi
	check has-ended -- says exited engine inspect -f '{{.State.Status}}' once
	check start -- engine start once
	check remove -- remove left once
	run_says run hi "$IMAGE" echo hi
}

run_cases()
{
	check runtime-is-kogg -- says kogg engine info -f '{{.DefaultRuntime}}'
	run_life_cases
	check update-pids -- with limited -- engine update --pids-limit 100 limited
	check healthcheck -- health
	check_checkpoint with frozen --security-opt seccomp=unconfined -- checkpoint_restore
	run_option_cases
	check build-buildkit -- build_with_buildkit
	run log-none --log-driver none "$IMAGE" true
	run runtime-by-name --runtime kogg "$IMAGE" true
	run_says domainname dd --domainname dd "$IMAGE" cat /proc/sys/kernel/domainname
	check swarm -- swarm_service
	check compose -- compose_project
	check info -- engine info
	run_fault_cases
	check shim-killed -- shim_killed
	check daemon-killed-in-create -- daemon_killed_in_create
	check daemon-killed-in-exec -- daemon_killed_in_exec
	check daemon-killed-in-delete -- daemon_killed_in_delete
	check live-restore -- live_restore
	check daemon-restart -- daemon_restart
	check userns-remap -- remapped
}
