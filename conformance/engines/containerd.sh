# shellcheck shell=bash
# SPDX-License-Identifier: Apache-2.0
# Sourced by run.sh: containerd, driven by ctr and through its CRI socket as a kubelet would.

ENGINE_CGROUPS='default|k8s.io'
IMAGE=localhost/bb:latest
export IMAGE

engine_programs()
{
	echo containerd ctr protoc
}

engine_version()
{
	containerd --version | awk '{ print $1, $3 }'
}

engine()
{
	ctr --address "$D/containerd.sock" "$@"
}

config_version()
{
	containerd --version | sed 's/.* v\?\([0-9]*\)\..*/\1/'
}

# The kubelet's part of the configuration, in the words of version 1 and of 2; then contrib/'s, for the runtime.
write_config()
{
	local plugin=io.containerd.grpc.v1.cri version=2 pause='sandbox_image = "localhost/pause:latest"' images=
	local cni='bin_dir = "/usr/lib/cni"'
	if [ "$(config_version)" -ge 2 ]; then
		plugin=io.containerd.cri.v1.runtime version=3 pause= cni='bin_dirs = ["/usr/lib/cni"]'
		images='[plugins."io.containerd.cri.v1.images".pinned_images]
  sandbox = "localhost/pause:latest"'
	fi
	cat >"$D/config.toml" <<EOF
version = $version
root = "$D/root"
state = "$D/state"
[grpc]
  address = "$D/containerd.sock"
[ttrpc]
  address = "$D/containerd.sock.ttrpc"
$images
[plugins."$plugin"]
  restrict_oom_score_adj = true
  $pause
  [plugins."$plugin".cni]
    $cni
    conf_dir = "$D/cni"
  [plugins."$plugin".containerd]
    default_runtime_name = "kogg"
EOF
	sed "s|/usr/bin/kogg|$KOGG|" "$source_root/contrib/containerd/containerd-$((version - 1)).toml" >>"$D/config.toml"
	[ "$CGROUP_DRIVER" != systemd ] || sed -i 's/SystemdCgroup = false/SystemdCgroup = true/' "$D/config.toml"
	cat >"$D/cni/10-test.conflist" <<'EOF'
{"cniVersion":"0.4.0","name":"test","plugins":[{"type":"bridge","bridge":"test0","isGateway":true,
"ipam":{"type":"host-local","ranges":[[{"subnet":"10.88.77.0/24"}]]}}]}
EOF
}

# With --uidmap, ctr 1.6 forgets --runc-binary, and the shim runs `runc` from the search path.
start_daemon()
{
	PATH=$D/bin:$PATH containerd -c "$D/config.toml" >>"$D/log" 2>&1 &
	echo $! >"$D/daemon"
	disown
	wait_for engine version
}

start_engine()
{
	mkdir -p "$D/bin" "$D/cni" "$D/cri"
	ln -sf "$KOGG" "$D/bin/runc"
	write_config
	start_daemon
	engine image import "$D/bb.tar" >/dev/null
	for image in bb pause; do
		engine -n k8s.io image import "$D/$image.tar" >/dev/null
	done
	protoc -I "$here" --python_out="$D/cri" "$here/cri.proto"
}

remove_all()
{
	local namespace id
	for namespace in default k8s.io; do
		for id in $(engine -n $namespace task ls -q); do
			engine -n $namespace task rm -f "$id"
		done
	done >/dev/null 2>&1
}

stop_engine()
{
	kill "$(cat "$D/daemon")"
}

# run_task OPTION... IMAGE ID...: systemd's driver has to be named, and wants a slice and a scope in the place of a path.
run_task()
{
	local driver=()
	[ "$CGROUP_DRIVER" != systemd ] || driver=(--runc-systemd-cgroup --cgroup "$CGROUP_PARENT:ctr:$BASHPID-$RANDOM")
	engine run --runc-binary "$KOGG" "${driver[@]}" "$@"
}

# A container that lives as long as its program: c ID [OPTION...] [-- COMMAND...]
c()
{
	local id=$1 options=()
	shift
	while [ $# -gt 0 ] && [ "$1" != -- ]; do
		options+=("$1")
		shift
	done
	shift
	run_task --rm "${options[@]}" "$IMAGE" "$id" "${@:-true}"
}

detached()
{
	run_task -d "$IMAGE" "$@"
}

remove()
{
	engine task rm -f "$1"
	engine container rm "$1"
}

run()
{
	local name=$1
	shift
	check "$name" -- c "c-$name" "$@"
}

# ctr loses what a program writes in its last moments, with any runtime; so the program is followed by another.
run_says()
{
	local name=$1 text=$2 options=()
	shift 2
	while [ "$1" != -- ]; do
		options+=("$1")
		shift
	done
	shift
	# shellcheck disable=SC2016 # for the inner shell
	check "$name" -- says "$text" c "c-$name" "${options[@]}" -- sh -c '"$@"; sleep .5' sh "$@"
}

ends_soon()
{
	for _ in $(seq 50); do
		engine task ls | grep -q "^$1 .*STOPPED" && return
		sleep .1
	done
	return 1
}

checkpoint()
{
	detached frozen sleep 1000 && engine task checkpoint --image-path "$D/image" frozen &&
		engine task checkpoint --exit frozen
	local status=$?
	remove frozen
	return $status
}

shim_killed()
{
	detached orphan sleep 1000 || return
	kill -9 "$(pgrep -f 'containerd-shim.*-id orphan')"
	sleep 1
	remove orphan
	! engine container ls -q | grep orphan
}

# Containers run on while containerd is away.
daemon_restart()
{
	detached alive sleep 1000 || return
	kill -9 "$(cat "$D/daemon")"
	sleep .5
	start_daemon
	says hi engine task exec --exec-id x alive sh -c 'echo hi; sleep .5'
	local status=$?
	remove alive
	return $status
}

# So do pods.
cri_daemon_killed()
{
	cri leave-pod "$D/left" || return
	kill -9 "$(cat "$D/daemon")"
	start_daemon
	wait_for cri
	cri take-left-pod "$D/left"
}

# killed_in DELAY COMMAND...: containerd is killed while it serves the command, and started again.
killed_in()
{
	local delay=$1 client
	shift
	"$@" &
	client=$!
	sleep "$delay"
	kill -9 "$(cat "$D/daemon")"
	# A client whose process runs may wait for the end of its output.
	for _ in $(seq 20); do
		kill -0 $client || break
		sleep .1
	done
	start_daemon
}

# Of what containerd has not written down it knows nothing when it is back, with any runtime: a task whose shim had not
# answered. Then kogg must be able to remove the container.
remove_cut()
{
	remove cut
	if [ -e /run/containerd/runc/default/cut ]; then
		"$KOGG" --root /run/containerd/runc/default delete --force cut || return
	fi
	for shim in $(pgrep -f 'containerd-shim.*-id cut'); do
		kill -9 "$shim"
	done
	# Killed between its snapshot and its record, a container leaves the former.
	! engine snapshots ls | grep -q '^cut ' || engine snapshots rm cut || return
	# The bundle of a shim that came up too late is removed at the next start.
	[ ! -e "$D/state/io.containerd.runtime.v2.task/default/cut" ] || killed_in 0 true
	! engine container ls -q | grep cut
}

daemon_killed_in_create()
{
	local delay
	for delay in .02 .05 .08 .12 .16 .2; do
		killed_in $delay detached cut sleep 1000
		remove_cut || return
	done
	c cut -- true
}

daemon_killed_in_exec()
{
	local delay
	for delay in .02 .04 .06 .1; do
		detached cut sleep 1000 || return
		killed_in $delay engine task exec --exec-id x cut sleep 1000
		says hi engine task exec --exec-id y cut sh -c 'echo hi; sleep .5' && remove_cut || return
	done
	c cut -- true
}

daemon_killed_in_delete()
{
	local delay
	for delay in .01 .02 .04 .06 .1; do
		detached cut sleep 1000 || return
		killed_in $delay engine task rm -f cut
		remove_cut || return
	done
	c cut -- true
}

# 100 MB in lines of 1000 bytes, to the client.
long_output()
{
	[ "$(c talker -- sh -c 'yes $(printf %0999d 1) | head -c 100000000; sleep .5' | wc -c)" -eq 100000000 ]
}

fifty_at_once()
{
	local i pids=() bad=0
	for i in $(seq 50); do
		engine run --rm --runc-binary "$KOGG" "$IMAGE" "many$i" true &
		pids+=($!)
	done
	for i in "${pids[@]}"; do
		wait "$i" || bad=$((bad + 1))
	done
	echo "$bad failed"
	[ $bad -eq 0 ] && ! engine container ls -q | grep many
}

run_apparmor_cases()
{
	local default="--apparmor-default-profile kogg-engines"
	# shellcheck disable=SC2086 # two words
	{
		run_says apparmor-default 'kogg-engines (enforce)' $default -- cat $PROFILE
		check apparmor-exec -- confined_exec $default
		run apparmor-no-mount $default --cap-add CAP_SYS_ADMIN -- sh -c '! mount -t tmpfs x /tmp'
	}
	check apparmor-load -- load_profile
	run_says apparmor-own 'kogg-own (enforce)' --apparmor-profile kogg-own -- sh -c \
		"cat $PROFILE && cat /etc/group && ! cat /etc/passwd"
	check apparmor-missing -- refuses "no AppArmor profile 'kogg-nonesuch' is loaded" \
		c c-missing --apparmor-profile kogg-nonesuch
	check apparmor-cri -- cri profile 'cri-containerd.apparmor.d (enforce)'
}

confined_exec()
{
	run_task -d "$@" "$IMAGE" confined sleep 1000 &&
		says 'kogg-engines (enforce)' engine task exec --exec-id x confined sh -c "cat $PROFILE; sleep .5"
	local status=$?
	remove confined || return
	return $status
}

cri()
{
	PYTHONPATH=$D/cri python3 "$here/cri.py" "$D/containerd.sock" "$CGROUP_PARENT" "$@"
}

run_task_cases()
{
	check run-d -- detached c2 sh -c 'trap exit\ 0 TERM; while :; do sleep 1; done'
	check exec -- says hi engine task exec --exec-id e1 c2 sh -c 'echo hi; sleep .5'
	check exec-exit5 5 -- engine task exec --exec-id e5 c2 sh -c 'exit 5'
	check exec-user -- says 'uid=1000(user)' engine task exec --exec-id e6 --user 1000 --cwd /tmp c2 sh -c 'id; sleep .5'
	check exec-tty -- says_on_terminal /dev/pts/ bash -c 'engine task exec -t --exec-id e2 c2 sh -c "tty; sleep .5"'
	check exec-detached -- engine task exec -d --exec-id e3 c2 sleep 100
	check exec-no-file 1 -- engine task exec --exec-id e4 c2 /nonesuch
	check exec-no-file-message -- refuses 'no such file or directory' engine task exec --exec-id e7 c2 /nonesuch
	check ps -- engine task ps c2
	check metrics -- engine task metrics c2
	check pause -- engine task pause c2
	check paused -- says PAUSED engine task ls
	check resume -- engine task resume c2
	check_checkpoint checkpoint
	check kill-term -- engine task kill -s TERM c2
	check killed -- ends_soon c2
	check kill-of-stopped 1 -- engine task kill -s KILL c2
	check remove -- remove c2
	check run-again -- detached c4 sleep 1000
	check remove-running -- remove c4
}

run_option_cases()
{
	check run-tty -- says_on_terminal /dev/pts/0 bash -c 'engine run --rm -t --runc-binary $KOGG $IMAGE c-tty tty'
	run privileged --privileged
	check read-only 1 -- c c-ro --read-only -- touch /x
	run seccomp --seccomp
	run cap-add --cap-add=CAP_SYS_ADMIN -- mount -t tmpfs x /tmp
	run cap-drop --cap-drop=CAP_MKNOD -- sh -c '! mknod /tmp/x c 1 3'
	run_says device '10, 229' --device=/dev/fuse -- ls -l /dev/fuse
	run mount --mount=type=bind,src=/tmp,dst=/data,options=rbind:ro -- sh -c '! touch /data/x'
	run net-host --net-host
	run_says memory 67108864 --memory-limit=67108864 --mount=type=cgroup,src=cgroup,dst=/sys/fs/cgroup,options=ro -- \
		sh -c 'cat /sys/fs/cgroup/memory/memory.limit_in_bytes /sys/fs/cgroup/memory.max 2>/dev/null; true'
	run cpus --cpus=0.5
	run_says cgroup /kogg-engines/own --cgroup=/kogg-engines/own -- cat /proc/self/cgroup
	run join-network --with-ns=network:/proc/1/ns/net
	run new-privileges --allow-new-privs
	check rootfs -- says hi engine run --rm --runc-binary "$KOGG" --rootfs "$D/rootfs" c-rootfs \
		/bin/sh -c 'echo hi; sleep .5'
	run_says uidmap 'uid=0' --uidmap=0:100000:65536 --gidmap=0:100000:65536 -- id
	run pid-file --pid-file="$D/pid"
	run_says env-cwd '/tmp b' --env=A=b --label=x=y --cwd=/tmp -- sh -c 'echo $PWD $A'
}

run_cri_cases()
{
	local step since
	check cri -- cri
	while read -r step since; do
		if [ "$(config_version)" -ge "$since" ]; then
			check "cri-$step" -- cri "$step"
		else
			skip "cri-$step" "containerd has it since version $since"
		fi
	done < <("$here/cri.py" --list)
}

leave_running()
{
	check left-running -- detached left sleep 1000
	check left-exec -- says hi engine task exec --exec-id x left sh -c 'echo hi; sleep .5'
}

# containerd finds the bundle of a task that ended with the machine.
run_cases_after_reboot()
{
	check is-known -- says left engine container ls
	check no-exec 1 -- engine task exec --exec-id x left true
	engine task rm -f left >/dev/null 2>&1
	check start -- engine task start -d left
	check exec -- says hi engine task exec --exec-id x left sh -c 'echo hi; sleep .5'
	check remove -- remove left
	run_says run hi -- echo hi
	check cri -- cri
}

run_cases()
{
	run_says run hi -- echo hi
	check run-exit7 7 -- c c-7 -- sh -c 'exit 7'
	check run-no-file 1 -- c c-no -- /nonesuch
	check run-no-file-message -- refuses 'exec: "/nonesuch": no such file or directory' c c-no -- /nonesuch
	check run-not-executable-message -- refuses 'permission denied' c c-no -- /etc/passwd
	run_task_cases
	run_option_cases
	run_cri_cases
	check fifty-at-once -- fifty_at_once
	check log-100MB -- long_output
	check shim-killed -- shim_killed
	check daemon-killed-in-create -- daemon_killed_in_create
	check daemon-killed-in-exec -- daemon_killed_in_exec
	check daemon-killed-in-delete -- daemon_killed_in_delete
	check daemon-restart -- daemon_restart
	check cri-daemon-killed -- cri_daemon_killed
	check all-removed -- test -z "$(engine container ls -q)"
}
