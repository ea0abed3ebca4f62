# shellcheck shell=bash
# SPDX-License-Identifier: Apache-2.0
# Sourced by podman.sh and docker.sh: what the two have in common. They define engine() and
# remove(), IMAGE, NETWORK (an option), BRIDGE (a name) and EXEC_NO_FILE (an exit status).

# run NAME ARGUMENT...: a container that must succeed.
run()
{
	local name=$1
	shift
	check "$name" -- engine run --rm "$NETWORK" "$@"
}

# run_says NAME TEXT ARGUMENT...: and whose output holds the text.
run_says()
{
	local name=$1 text=$2
	shift 2
	check "$name" -- says "$text" engine run --rm "$NETWORK" "$@"
}

remove_of_running()
{
	engine run -d "$NETWORK" --name removed "$IMAGE" sleep 1000 && remove removed
}

# with NAME OPTIONS -- COMMAND...: runs the command while the named container sleeps, which is then removed.
with()
{
	local name=$1 options=() status
	shift
	while [ "$1" != -- ]; do
		options+=("$1")
		shift
	done
	shift
	engine run -d "$NETWORK" --name "$name" "${options[@]}" "$IMAGE" sleep 1000 || return
	"$@"
	status=$?
	remove "$name" || return
	return $status
}

share_namespaces()
{
	engine run --rm --network container:shared --pid container:shared --ipc container:shared "$IMAGE" ps | grep sleep
}

# ends_as NAME "exited STATUS": the engine learns of an end a little later.
ends_as()
{
	for _ in $(seq 100); do
		[ "$(engine inspect -f '{{.State.Status}} {{.State.ExitCode}}' "$1")" != "$2" ] || return 0
		sleep .1
	done
	engine inspect -f '{{.State.Status}} {{.State.ExitCode}}' "$1"
	return 1
}

restart_policy()
{
	engine run -d "$NETWORK" --restart=on-failure:1 --name restarted "$IMAGE" sh -c 'exit 3' || return
	for _ in $(seq 50); do
		[ "$(engine inspect -f '{{.State.ExitCode}} {{.RestartCount}} {{.State.Status}}' restarted)" = '3 1 exited' ] &&
			break
		sleep .2
	done
	says '3 1 exited' engine inspect -f '{{.State.ExitCode}} {{.RestartCount}} {{.State.Status}}' restarted
	local status=$?
	remove restarted
	return $status
}

# 100 MB in lines of 1000 bytes; the last line must arrive, and the log must have it all.
long_log()
{
	local status
	engine run "$NETWORK" --name talker "$IMAGE" sh -c 'yes $(printf %0999d 1) | head -c 100000000; echo the end' |
		tail -1 | grep 'the end' && [ "$(engine logs talker | wc -c)" -eq 100000008 ]
	status=$?
	remove talker || return
	return $status
}

# Fifty containers started at once: all end well, and the engine has none left.
fifty_at_once()
{
	local i pids=() bad=0
	for i in $(seq 50); do
		engine run --rm "$NETWORK" --name "many$i" "$IMAGE" true &
		pids+=($!)
	done
	for i in "${pids[@]}"; do
		wait "$i" || bad=$((bad + 1))
	done
	echo "$bad failed"
	[ $bad -eq 0 ] && [ -z "$(engine ps -aq --filter name=many)" ]
}

many_exit_at_once()
{
	local i
	for i in $(seq 10); do
		[ "$(engine run --rm "$NETWORK" "$IMAGE" echo "$i")" = "$i" ] || return
	done
}

copy_both_ways()
{
	echo copied >"$D/copied" && engine cp "$D/copied" c2:/tmp/copied &&
		engine exec c2 grep copied /tmp/copied && engine cp c2:/etc/passwd - >/dev/null
}

wait_for_status()
{
	engine run -d "$NETWORK" --name waited "$IMAGE" sh -c 'sleep 1; exit 9' && says 9 engine wait waited
	local status=$?
	remove waited || return
	return $status
}

follow_log()
{
	engine run -d "$NETWORK" --name followed "$IMAGE" sh -c 'echo one; sleep 1; echo two' &&
		says $'one\ntwo' engine logs -f followed
	local status=$?
	remove followed || return
	return $status
}

own_signal()
{
	engine run -d "$NETWORK" --stop-signal USR1 --name signalled "$IMAGE" \
		sh -c 'trap "exit 42" USR1; while :; do sleep .1; done' || return
	sleep .5
	engine stop -t 10 signalled && ends_as signalled 'exited 42'
	local status=$?
	remove signalled || return
	return $status
}

build_image()
{
	mkdir -p "$D/context"
	printf 'FROM %s\nRUN echo x >/built && test "$(cat /built)" = x\nRUN ["/bin/true"]\n' "$IMAGE" >"$D/context/Dockerfile"
	engine build --no-cache --network none -t localhost/built "$D/context" && engine run --rm "$NETWORK" localhost/built cat /built
}

run_life_cases()
{
	run_says run hi "$IMAGE" echo hi
	check run-exit7 7 -- engine run --rm "$NETWORK" "$IMAGE" sh -c 'exit 7'
	check run-not-found 127 -- engine run --rm "$NETWORK" "$IMAGE" nonesuch
	check run-no-file 127 -- engine run --rm "$NETWORK" "$IMAGE" /nonesuch
	check run-no-file-message -- refuses 'exec: "/nonesuch": no such file or directory' engine run --rm "$NETWORK" "$IMAGE" /nonesuch
	check run-directory 126 -- engine run --rm "$NETWORK" "$IMAGE" /etc
	check run-not-executable 126 -- engine run --rm "$NETWORK" "$IMAGE" /etc/passwd
	check run-bad-option 125 -- engine run --rm "$NETWORK" --nonesuch "$IMAGE" true
	check run-tty -- says_on_terminal /dev/pts/0 bash -c 'engine run --rm $NETWORK -it $IMAGE tty'
	check run-stdin -- says through bash -c 'echo through | engine run -i --rm $NETWORK $IMAGE cat'
	check run-d -- engine run -d "$NETWORK" --name c2 "$IMAGE" \
		sh -c 'trap "exit 0" TERM; while :; do echo tick; sleep 1; done'
	check exec -- says hi engine exec c2 echo hi
	check exec-exit5 5 -- engine exec c2 sh -c 'exit 5'
	check exec-stdin -- says through bash -c 'echo through | engine exec -i c2 cat'
	check exec-user -- says 'uid=1000(user) gid=1000(user)' engine exec -u 1000:1000 c2 id
	check exec-cwd-env -- says '/tmp b' engine exec -w /tmp -e A=b c2 sh -c 'echo $PWD $A'
	check exec-privileged -- engine exec --privileged c2 grep Cap /proc/self/status
	check exec-tty -- says_on_terminal /dev/pts/ bash -c 'engine exec -it c2 tty'
	check exec-detached -- engine exec -d c2 sleep 100
	check exec-no-file "$EXEC_NO_FILE" -- engine exec c2 /nonesuch
	check exec-directory 126 -- engine exec c2 /etc
	check exec-not-executable 126 -- engine exec c2 /etc/passwd
	check top -- says 'sleep 100' engine top c2
	check stats -- engine stats --no-stream c2
	check logs -- says tick engine logs c2
	check inspect -- says running engine inspect c2
	check copy -- copy_both_ways
	check pause -- engine pause c2
	check paused -- says paused engine inspect -f '{{.State.Status}}' c2
	check unpause -- engine unpause c2
	check update-memory -- engine update --memory 128m --memory-swap 128m c2
	check update-cpu -- engine update --cpu-shares 512 --cpu-quota 50000 --cpu-period 100000 c2
	check kill-signal -- engine kill -s CONT c2
	check stop -- engine stop -t 5 c2
	check stopped -- ends_as c2 'exited 0'
	check start -- engine start c2
	check restart -- engine restart -t 2 c2
	check kill -- engine kill c2
	check killed -- ends_as c2 'exited 137'
	check remove -- engine rm c2
	check remove-running -- remove_of_running
	check wait -- wait_for_status
	check logs-follow -- follow_log
	check stop-signal -- own_signal
	check restart-policy -- restart_policy
	check build -- build_image
}

# The limit is one of the scope that systemd has for the container.
scope_is_limited()
{
	local unit
	unit=$(grep -o '[^/]*\.scope' "/proc/$(engine inspect -f '{{.State.Pid}}' scoped)/cgroup") &&
		says 67108864 systemctl show -P MemoryMax "$unit" && engine update -m 96m --memory-swap 96m scoped &&
		says 100663296 systemctl show -P MemoryMax "$unit"
}

run_option_cases()
{
	[ "$CGROUP_DRIVER" != systemd ] || check systemd-scope -- with scoped -m 64m --memory-swap 64m -- scope_is_limited
	run_says init 'init --' --init "$IMAGE" ps
	run privileged --privileged "$IMAGE" true
	run read-only --read-only "$IMAGE" sh -c '! touch /x'
	run_says seccomp-default 'Seccomp:	2' "$IMAGE" grep Seccomp: /proc/self/status
	run_says seccomp-unconfined 'Seccomp:	0' --security-opt seccomp=unconfined "$IMAGE" grep Seccomp: /proc/self/status
	run seccomp-file --security-opt seccomp="$D/seccomp.json" "$IMAGE" sh -c '! mkdir /tmp/x'
	run_says no-new-privileges 'NoNewPrivs:	1' --security-opt no-new-privileges "$IMAGE" grep NoNewPrivs /proc/self/status
	run label-disable --security-opt label=disable "$IMAGE" true
	run cap-add --cap-add SYS_ADMIN --cap-add NET_ADMIN "$IMAGE" mount -t tmpfs x /tmp
	run_says cap-drop 'CapEff:	0000000000000000' --cap-drop ALL "$IMAGE" grep CapEff /proc/self/status
	run_says device '10, 229' --device /dev/fuse:/dev/xfuse:rwm "$IMAGE" ls -l /dev/xfuse
	run device-rule --device-cgroup-rule 'c 42:* rmw' "$IMAGE" true
	run_says tmpfs size=1024k --tmpfs /tmp:rw,size=1m,mode=1777 "$IMAGE" mount
	run_says ulimit 512 --ulimit nofile=512:1024 --ulimit core=0 --ulimit nproc=1000 "$IMAGE" sh -c 'ulimit -n'
	run_says sysctl 1 --sysctl net.ipv4.ip_forward=1 --sysctl kernel.shm_rmid_forced=1 "$IMAGE" cat /proc/sys/net/ipv4/ip_forward
	run_says pid-host run.sh --pid host "$IMAGE" ps
	run ipc-host --ipc host "$IMAGE" true
	run_says uts-host "$(hostname)" --uts host "$IMAGE" hostname
	check namespaces-of-other -- with shared --ipc shareable -- share_namespaces
	check net-none -- says LOOPBACK engine run --rm --network none "$IMAGE" ip addr
	check net-host -- engine run --rm --network host "$IMAGE" true
	check net-bridge -- says eth0 engine run --rm --network "$BRIDGE" -p 127.0.0.1:8081:80 "$IMAGE" ip addr
	run_says volumes /data3 -v /tmp:/data:ro -v vol1:/root -v "$D/rootfs:/data2:rw,rslave" \
		--mount type=tmpfs,destination=/data3,tmpfs-size=65536 "$IMAGE" mount
	run volume-read-only -v /tmp:/data:ro "$IMAGE" sh -c '! touch /data/x'
	run volume-shared -v /tmp:/data:rshared "$IMAGE" true
	run_says memory 67108864 -m 64m --memory-swap 128m --memory-reservation 32m --oom-score-adj 500 "$IMAGE" \
		sh -c 'cat /sys/fs/cgroup/memory/memory.limit_in_bytes /sys/fs/cgroup/memory.max 2>/dev/null; true'
	run cpu --cpus 0.5 --cpuset-cpus 0 --cpuset-mems 0 "$IMAGE" true
	run cpu-shares --cpu-shares 512 --pids-limit 50 "$IMAGE" true
	run blkio --device-read-bps "$BLOCK_DEVICE:1mb" --device-write-iops "$BLOCK_DEVICE:100" "$IMAGE" true
	run_says cgroup-parent kogg-engines --cgroupns host --cgroup-parent "$CGROUP_PARENT" "$IMAGE" cat /proc/self/cgroup
	run_says cgroupns-private ':/' --cgroupns private "$IMAGE" cat /proc/self/cgroup
	run cgroupns-host --cgroupns host "$IMAGE" cat /proc/self/cgroup
	run_says user 'uid=1000(user) gid=1000(user) groups=42,1000(user)' -u 1000:1000 --group-add 42 "$IMAGE" id
	run_says user-name 'uid=1000(user)' -u user "$IMAGE" id
	run_says workdir /tmp -w /tmp -e A=b --add-host a:127.0.0.9 --shm-size 1m --stop-signal INT -l x=y "$IMAGE" pwd
	run_says hostname hh --hostname hh "$IMAGE" hostname
	run unmask-all --security-opt systempaths=unconfined "$IMAGE" true
	check out-of-memory 137 -- engine run --rm "$NETWORK" -m 16m --memory-swap 16m "$IMAGE" \
		dd if=/dev/zero of=/dev/null bs=64M count=1
}

run_fault_cases()
{
	check exit-at-once -- many_exit_at_once
	check fifty-at-once -- fifty_at_once
	check log-100MB -- long_log
	check all-removed -- test -z "$(engine ps -aq)"
}
