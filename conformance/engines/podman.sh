# shellcheck shell=bash
# SPDX-License-Identifier: Apache-2.0
# Sourced by run.sh: podman, rootful. It has no daemon.

# With those of pods: podman removes them, but not from the hierarchies that it doesn't know (name=systemd, unified).
ENGINE_CGROUPS='libpod_parent(/[0-9a-f]{64})?|conmon'
IMAGE=localhost/bb:latest NETWORK=--network=none BRIDGE=bridge EXEC_NO_FILE=127
APPARMOR_DEFAULT='containers-default-[0-9.]*' APPARMOR_MISSING='profile "kogg-nonesuch" specified but not loaded'
export IMAGE NETWORK PODMAN_IGNORE_CGROUPSV1_WARNING=yes

# shellcheck source=conformance/engines/cli_cases.sh
. "$here/cli_cases.sh"

engine_programs()
{
	echo podman conmon catatonit setpriv newuidmap
}

engine_version()
{
	podman --version
}

engine()
{
	podman --root "$D/root" --runroot "$VOLATILE/runroot" --tmpdir "$VOLATILE/tmp" --storage-driver overlay \
		--network-config-dir "$D/net" "$@"
}

# Without the ten seconds that podman gives a container that ignores SIGTERM.
remove()
{
	engine rm -f -t 0 "$@"
}

# What the machine withholds must not be asked for: some lack CAP_SYS_RESOURCE.
configure()
{
	local nofile processes
	nofile=$(ulimit -Hn)
	processes=$(ulimit -Hu)
	{ [ "$processes" != unlimited ] && [ "$processes" -le 32768 ]; } || processes=32768
	cp -rT /etc/containers "$D/etc"
	mkdir -p "$D/etc/containers.conf.d"
	mount --bind "$D/etc" /etc/containers
	sed "s|/usr/bin/kogg|$KOGG|" "$source_root/contrib/podman/50-kogg.conf" >/etc/containers/containers.conf.d/50-kogg.conf
	cat >/etc/containers/containers.conf.d/60-test.conf <<EOF
[containers]
log_driver = "k8s-file"
default_ulimits = ["nofile=$nofile:$nofile", "nproc=$processes:$processes"]
[engine]
cgroup_manager = "$CGROUP_DRIVER"
events_logger = "file"
runtime = "kogg"
EOF
	echo containers:200000:131072 >"$D/subid"
	for file in /etc/subuid /etc/subgid; do
		[ -e $file ] && mount --bind "$D/subid" $file
	done
}

start_engine()
{
	mkdir -p "$D/net" "$VOLATILE/tmp" "$D/hooks"
	: >"$D/log"
	configure
	cat >"$D/hooks/h.json" <<'EOF'
{"version":"1.0.0","hook":{"path":"/bin/true","args":["true","x"]},"when":{"always":true},
"stages":["prestart","createRuntime","createContainer","startContainer","poststart","poststop"]}
EOF
	cat >"$D/pod.yaml" <<'EOF'
{"apiVersion":"v1","kind":"Pod","metadata":{"name":"kp"},"spec":{"containers":[{"name":"a",
"image":"localhost/bb:latest","command":["sleep","1000"],"imagePullPolicy":"Never",
"resources":{"limits":{"memory":"64Mi","cpu":"500m"}},
"securityContext":{"capabilities":{"drop":["ALL"]},"readOnlyRootFilesystem":true}}]}}
EOF
	echo s3cret >"$D/secret"
	engine secret inspect lab >/dev/null 2>&1 || engine secret create lab "$D/secret" >/dev/null
	engine load -qi "$D/bb.tar" >/dev/null
}

remove_all()
{
	engine rm -af -t 0 >/dev/null 2>&1
	engine pod rm -af -t 0 >/dev/null 2>&1
}

stop_engine()
{
	:
}

health()
{
	with ill --health-cmd 'echo ok' --health-interval 1h -- engine healthcheck run ill
}

checkpoint_restore()
{
	engine container checkpoint frozen && engine container restore frozen
}

in_pod()
{
	engine pod create --name p1 --infra-image "$IMAGE" --infra-command 'sleep 1000' --share pid,ipc,uts --network none &&
		says sleep engine run --rm --pod p1 "$IMAGE" ps && engine pod pause p1 && engine pod unpause p1 &&
		engine pod stop -t 0 p1
	local status=$?
	engine pod rm -f -t 0 p1 || return
	return $status
}

play_kube()
{
	engine tag "$IMAGE" localhost/podman-pause:latest
	engine play kube --network none "$D/pod.yaml" && says kp engine pod ps && engine play kube --down "$D/pod.yaml"
}

init_then_start()
{
	engine create --name ci "$NETWORK" "$IMAGE" sleep 100 && engine init ci && engine start ci
	local status=$?
	remove ci || return
	return $status
}

# podman splits the group that it is in, which nothing else may be in; as in a unit of systemd.
split_cgroup()
{
	mkdir -p /sys/fs/cgroup/kogg-engines/split || return
	# shellcheck disable=SC2016 # for the inner shell
	bash -c 'echo $$ >/sys/fs/cgroup/kogg-engines/split/cgroup.procs
		engine run --rm $NETWORK --cgroups=split --cgroupns=host $IMAGE cat /proc/self/cgroup'
	local status=$?
	rmdir /sys/fs/cgroup/kogg-engines/split/runtime /sys/fs/cgroup/kogg-engines/split # podman was in the first itself
	return $status
}

pass_descriptors()
{
	exec 3<"$D/secret"
	says s3cret engine "$@" cat /proc/self/fd/3
}

# The options given for the runtime reach it; podman 4.3 forgets them when it cleans up, so that a state is left.
runtime_flags()
{
	engine --runtime-flag "root=$D/states" --runtime-flag debug run --rm --name flagged "$NETWORK" "$IMAGE" true || return
	for id in $("$KOGG" --root "$D/states" list --quiet); do
		"$KOGG" --root "$D/states" delete "$id" || return
	done
	[ -d "$D/states" ]
}

# conmon dies: podman must see that, and remove what is left.
conmon_killed()
{
	local pid
	engine run -d "$NETWORK" --name orphan "$IMAGE" sleep 1000 || return
	pid=$(engine inspect -f '{{.State.ConmonPid}}' orphan)
	kill -9 "$pid" && remove orphan
}

# killed_in DELAY ARGUMENT...: podman dies while it does that.
killed_in()
{
	local delay=$1
	shift
	timeout -s KILL "$delay" bash -c 'engine "$@"' podman "$@"
}

# A podman that dies before it calls the runtime may leave the mount of /dev/shm behind, and then can't remove it.
remove_cut()
{
	remove -i cut && return
	umount "$D"/root/overlay-containers/*/userdata/shm
	remove -i cut
}

# podman dies in the middle of starting a container. Its next calls must work; a container that it had not written
# down yet it forgets, with any runtime, and kogg must be able to remove that.
killed_in_create()
{
	local delay id
	for delay in .05 .1 .15 .2 .25 .3; do
		killed_in $delay run -d "$NETWORK" --name cut "$IMAGE" sleep 1000
		remove_cut || return
	done
	run_again cut || return
	for id in $("$KOGG" list --quiet); do
		"$KOGG" delete --force "$id" || return
	done
}

killed_in_exec()
{
	local delay
	engine run -d "$NETWORK" --name cut "$IMAGE" sleep 1000 || return
	for delay in .04 .07 .1 .13 .16 .2; do
		killed_in $delay exec cut sleep 1000
		says hi engine exec cut echo hi || return
	done
	remove cut && run_again cut
}

killed_in_delete()
{
	local delay
	for delay in .03 .06 .09 .12 .16 .2; do
		engine run -d "$NETWORK" --name cut "$IMAGE" sleep 1000 || return
		killed_in $delay rm -f -t 0 cut
		remove_cut || return
	done
	run_again cut && [ -z "$(engine ps -aq)" ]
}

run_again()
{
	engine run --rm "$NETWORK" --name "$1" "$IMAGE" true
}

# A normal user with a home, a runtime directory and a range of ids. There may be no controllers for such.
make_user()
{
	mkdir -p "$D/home" "$D/user"
	chown 1000:1000 "$D/home" "$D/user"
	{ grep -v '^[^:]*:[^:]*:1000:' /etc/passwd; echo "someone:x:1000:1000::$D/home:/bin/sh"; } >"$D/passwd"
	{ grep -v '^[^:]*:[^:]*:1000:' /etc/group; echo "someone:x:1000:"; } >"$D/group"
	mount --bind "$D/passwd" /etc/passwd
	mount --bind "$D/group" /etc/group
	echo someone:400000:65536 >>"$D/subid"
	rootless load -qi "$D/bb.tar" >/dev/null
}

rootless()
{
	(cd "$D/home" && exec setpriv --reuid 1000 --regid 1000 --clear-groups --inh-caps=-all env -i PATH="$PATH" \
		HOME="$D/home" XDG_RUNTIME_DIR="$D/user" TMPDIR="$D/home" PODMAN_IGNORE_CGROUPSV1_WARNING=yes \
		podman --cgroup-manager cgroupfs "$@")
}

rootless_life()
{
	rootless run -d "$NETWORK" --name mine "$IMAGE" sleep 1000 && says hi rootless exec mine echo hi &&
		says 'sleep 1000' rootless top mine && rootless restart -t 0 mine && rootless kill mine &&
		says 137 rootless wait mine
	local status=$?
	rootless rm -f -t 0 mine || return
	return $status
}

run_rootless_cases()
{
	check rootless-load -- make_user
	check rootless-run -- says 'uid=0' rootless run --rm "$NETWORK" "$IMAGE" id
	check rootless-life -- rootless_life
	check rootless-no-file 127 -- rootless run --rm "$NETWORK" "$IMAGE" /nonesuch
	check rootless-keep-id -- says 'uid=1000' rootless run --rm "$NETWORK" --userns keep-id "$IMAGE" id
	check rootless-keep-id-file -- says ' 1000 ' rootless run --rm "$NETWORK" --userns keep-id -v "$D/home:/data" "$IMAGE" \
		sh -c 'touch /data/kept && ls -ln /data/kept'
	check rootless-read-only -- rootless run --rm "$NETWORK" --read-only "$IMAGE" sh -c '! touch /x'
	check rootless-init -- says 'init --' rootless run --rm "$NETWORK" --init "$IMAGE" ps
	check rootless-tty -- says_on_terminal /dev/pts/0 bash -c 'rootless run --rm $NETWORK -it $IMAGE sh -c "tty; sleep .5"'
	check rootless-all-removed -- bash -c '[ -z "$(rootless ps -aq)" ]'
}

leave_running()
{
	check left-running -- engine run -d "$NETWORK" --name left "$IMAGE" sleep 1000
	check left-exec -- says hi engine exec left echo hi
}

run_cases_after_reboot()
{
	check is-known -- says left engine ps -a
	check has-ended -- test -z "$(engine ps -q)"
	check no-exec 255 -- engine exec left echo hi
	check start -- engine start left
	check exec -- says hi engine exec left echo hi
	check remove -- remove left
	run_says run hi "$IMAGE" echo hi
}

run_cases()
{
	check runtime-is-kogg -- says "$KOGG" engine info -f '{{.Host.OCIRuntime.Path}}'
	run_life_cases
	check healthcheck -- health
	check_checkpoint with frozen --security-opt seccomp=unconfined -- checkpoint_restore
	run_option_cases
	run_says userns-auto 1000 --userns=auto:size=1000 "$IMAGE" cat /proc/self/uid_map
	run_says uidmap 100000 --uidmap 0:100000:65536 --gidmap 0:100000:65536 "$IMAGE" cat /proc/self/uid_map
	run unmask --security-opt unmask=ALL "$IMAGE" true
	run mask --security-opt mask=/proc/stat "$IMAGE" sh -c '! grep cpu /proc/stat'
	run_says proc-opts hidepid --security-opt proc-opts=hidepid=2 "$IMAGE" mount
	run systemd-always --systemd=always "$IMAGE" mount
	run_says personality i686 --personality LINUX32 "$IMAGE" uname -m
	run annotation --annotation run.oci.keep_original_groups=1 --annotation a.b=c "$IMAGE" true
	run cgroups-disabled --cgroups=disabled "$IMAGE" true
	run cgroups-no-conmon --cgroups=no-conmon "$IMAGE" true
	if is_cgroup2; then
		check cgroups-split -- says kogg-engines/split split_cgroup
	else
		skip cgroups-split 'podman has it for cgroup v2 only'
	fi
	run rootfs --rootfs "$D/rootfs" true
	run_says idmapped-volume ' 0 ' --uidmap 0:100000:65536 --gidmap 0:100000:65536 -v "$D/hooks:/data:idmap" "$IMAGE" ls -ln /data
	run_says umask 0077 --umask 077 --tz local "$IMAGE" sh -c umask
	run hooks --hooks-dir "$D/hooks" "$IMAGE" true
	run_says secret s3cret --secret lab "$IMAGE" cat /run/secrets/lab
	check runtime-flag -- runtime_flags
	run pid-files --conmon-pidfile "$D/conmon-pid" --pidfile "$D/pid" "$IMAGE" true
	check preserve-fds -- pass_descriptors run --rm "$NETWORK" --preserve-fds 1 "$IMAGE"
	check exec-preserve-fds -- with descriptors -- pass_descriptors exec --preserve-fds 1 descriptors
	check pod -- in_pod
	check init-container -- init_then_start
	check play-kube -- play_kube
	check info -- engine info
	run_rootless_cases
	run_fault_cases
	check conmon-killed -- conmon_killed
	check killed-in-create -- killed_in_create
	check killed-in-exec -- killed_in_exec
	check killed-in-delete -- killed_in_delete
}
