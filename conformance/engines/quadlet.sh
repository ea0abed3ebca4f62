#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
#
# podman under systemd on cgroup v2, as servers have it: units that quadlet makes, the systemd driver, and a normal user
# with a manager of his own. Prints TAP. For the guest that guest.sh boots: it changes the machine that it runs on.
#
# usage: guest.sh LAB quadlet [PATTERN]
set -u

here=$(cd "$(dirname "$0")" && pwd)
source_root=$(cd "$here/../.." && pwd)
engine_name=podman pattern=${1-.}

# shellcheck source=conformance/engines/check.sh
. "$here/check.sh"

engine()
{
	podman --cgroup-manager systemd "$@"
}

configure()
{
	mkdir -p /etc/containers/containers.conf.d /etc/containers/systemd
	sed "s|/usr/bin/kogg|$KOGG|" "$source_root/contrib/podman/50-kogg.conf" >/etc/containers/containers.conf.d/50-kogg.conf
	printf '[engine]\nruntime = "kogg"\nevents_logger = "file"\n[containers]\nlog_driver = "k8s-file"\n' \
		>/etc/containers/containers.conf.d/60-test.conf
	for program in runc crun; do
		[ ! -e /usr/bin/$program ] || mount --bind /bin/false /usr/bin/$program
	done
	cat >/etc/containers/systemd/sleeper.container <<-EOF
	[Container]
	Image=localhost/bb:latest
	ContainerName=sleeper
	Exec=sh -c 'trap "exit 0" TERM; while :; do sleep .1; done'
	Network=none
	Volume=shelf.volume:/data
	PodmanArgs=--memory=64m
	ReadOnly=true
	[Service]
	Restart=always
	EOF
	printf '[Volume]\n' >/etc/containers/systemd/shelf.volume
	systemctl daemon-reload
}

main_pid()
{
	engine inspect -f '{{.State.Pid}}' sleeper
}

# systemd starts it again when it dies.
comes_back()
{
	local before
	before=$(main_pid)
	kill -9 "$before"
	for _ in $(seq 100); do
		[ "$(main_pid 2>/dev/null)" = "$before" ] || [ -z "$(main_pid 2>/dev/null)" ] || return 0
		sleep 1
	done
	return 1
}

# Podman splits the unit's own group, where the limit then stands.
in_units_group()
{
	local group
	group=$(sed -n 's/^0:://p' "/proc/$(main_pid)/cgroup")
	echo "$group"
	[[ $group == /system.slice/sleeper.service/* ]] && [ "$(cat "/sys/fs/cgroup$group/memory.max")" = 67108864 ]
}

users()
{
	runuser -u user -- env HOME=/home/user XDG_RUNTIME_DIR=/run/user/1000 \
		DBUS_SESSION_BUS_ADDRESS=unix:path=/run/user/1000/bus sh -c 'cd && exec "$@"' sh "$@"
}

user_manager()
{
	loginctl enable-linger user
	for _ in $(seq 100); do
		[ ! -S /run/user/1000/bus ] || break
		sleep 1
	done
	grep -q '^user:' /etc/subuid || echo user:200000:65536 | tee -a /etc/subuid >>/etc/subgid
	chmod 644 "$D/bb.tar" && users podman load -qi "$D/bb.tar"
}

users_limit()
{
	local group status
	users podman --cgroup-manager systemd run -d --network none --memory 64m --name limited localhost/bb:latest \
		sleep 1000 || return
	group=$(sed -n 's/^0:://p' "/proc/$(users podman inspect -f '{{.State.Pid}}' limited)/cgroup")
	echo "$group"
	[[ $group == */user@1000.service/* ]] && [ "$(cat "/sys/fs/cgroup$group/memory.max")" = 67108864 ]
	status=$?
	users podman rm -f -t 0 limited || return
	return $status
}

users_quadlet()
{
	users sh -c 'mkdir -p .config/containers/systemd && printf "[Container]\nImage=localhost/bb:latest\nContainerName=mine\nExec=sleep 1000\nNetwork=none\nUserNS=keep-id\n" >.config/containers/systemd/mine.container' &&
		users systemctl --user daemon-reload && users systemctl --user start mine &&
		says 'uid=1000' users podman exec mine id && users systemctl --user stop mine && [ -z "$(users podman ps -aq)" ]
}

run_cases()
{
	check quadlet-start -- systemctl start sleeper
	check quadlet-runtime -- says kogg engine inspect -f '{{.OCIRuntime}}' sleeper
	check quadlet-exec -- says hi engine exec sleeper echo hi
	check quadlet-cgroup -- in_units_group
	check quadlet-restart -- systemctl restart sleeper
	check quadlet-comes-back -- comes_back
	check quadlet-stop -- systemctl stop sleeper
	check quadlet-removed -- test -z "$(engine ps -aq)"
	check user-manager -- user_manager
	check user-run -- says 'uid=0' users podman run --rm --network none localhost/bb:latest id
	check user-keep-id -- says 'uid=1000' users podman run --rm --network none --userns keep-id localhost/bb:latest id
	check user-limit -- users_limit
	check user-quadlet -- users_quadlet
	check no-state-left -- test -z "$(find /run -path '*kogg*' -name state.json)"
}

D=/run/quadlet
mkdir -p $D
export D
"$here/image.sh" "$D/bb.tar" localhost/bb:latest
configure
podman load -qi "$D/bb.tar" >/dev/null
echo "# $(podman --version) with systemd, Linux $(uname -r | cut -d- -f1), cgroup v2"
run_cases
finish
