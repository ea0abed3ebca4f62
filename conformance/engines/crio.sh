# shellcheck shell=bash
# SPDX-License-Identifier: Apache-2.0
# Sourced by run.sh: cri-o, driven through its CRI socket as a kubelet would. Debian doesn't have it.

ENGINE_CGROUPS='crio-.*'

engine_programs()
{
	echo crio pinns conmon podman protoc
}

engine_version()
{
	crio --version 2>/dev/null | sed -n 's/^crio version/cri-o/p'
}

# What a node's configuration has beside contrib/'s file; some machines withhold what the default asks for.
write_config()
{
	mkdir -p "$D/conf" "$D/cni" "$D/exits" "$D/attach" "$D/cri"
	sed "s|/usr/bin/kogg|$KOGG|" "$source_root/contrib/cri-o/50-kogg.conf" >"$D/conf/50-kogg.conf"
	echo '{"default":[{"type":"insecureAcceptAnything"}]}' >"$D/policy.json"
	cat >"$D/crio.conf" <<EOF
[crio]
root = "$D/root"
runroot = "$D/runroot"
storage_driver = "overlay"
log_dir = "$D/logs"
version_file = "$D/version"
version_file_persist = "$D/version-persist"
clean_shutdown_file = "$D/clean"
[crio.api]
listen = "$D/crio.sock"
[crio.runtime]
default_runtime = "kogg"
cgroup_manager = "$CGROUP_DRIVER"
conmon_cgroup = "pod"
pinns_path = "$(command -v pinns)"
namespaces_dir = "$D/namespaces"
container_exits_dir = "$D/exits"
container_attach_socket_dir = "$D/attach"
[crio.image]
pause_image = "localhost/pause:latest"
signature_policy = "$D/policy.json"
[crio.network]
network_dir = "$D/cni"
plugin_dirs = ["/usr/lib/cni"]
EOF
	cat >"$D/cni/10-test.conflist" <<'EOF'
{"cniVersion":"0.4.0","name":"test","plugins":[{"type":"bridge","bridge":"test0","isGateway":true,
"ipam":{"type":"host-local","ranges":[[{"subnet":"10.88.77.0/24"}]]}}]}
EOF
}

cri()
{
	PYTHONPATH=$D/cri python3 "$here/cri.py" "$D/crio.sock" "$CGROUP_PARENT" "$@"
}

start_daemon()
{
	crio --config "$D/crio.conf" --config-dir "$D/conf" >>"$D/log" 2>&1 &
	echo $! >"$D/daemon"
	disown
	wait_for cri
}

start_engine()
{
	local image
	write_config
	for image in bb pause; do
		podman --root "$D/root" --runroot "$D/runroot" --storage-driver overlay load -qi "$D/$image.tar" >/dev/null
	done
	protoc -I "$here" --python_out="$D/cri" "$here/cri.proto"
	start_daemon
}

# A pod survives the daemon, and can be used and removed by the next.
daemon_killed()
{
	cri leave-pod "$D/left" || return
	kill -9 "$(cat "$D/daemon")"
	rm -f "$D/crio.sock"
	start_daemon
	cri take-left-pod "$D/left"
}

# Each step removes what it made.
remove_all()
{
	:
}

stop_engine()
{
	kill "$(cat "$D/daemon")"
}

# cri-o gives the first process of a pod an oom_score_adj that takes CAP_SYS_RESOURCE (24).
may_protect_pods()
{
	[ $((0x$(sed -n 's/^CapEff:\t//p' /proc/self/status) >> 24 & 1)) -eq 1 ]
}

run_cases()
{
	local step
	check cri -- cri
	while read -r step _; do
		if [ "$step" = pod-pid-namespace ] && ! may_protect_pods; then
			skip "cri-$step" "cri-o's pods of that kind need CAP_SYS_RESOURCE"
		else
			check "cri-$step" -- cri "$step"
		fi
	done < <("$here/cri.py" --list)
	check daemon-killed -- daemon_killed
	# cri-o knows a handler crun by itself, and asks that for its version.
	[ ! -e "$D/foreign-calls" ] || sed -i '\|^/usr/s\?bin/crun --version$|d' "$D/foreign-calls"
}
