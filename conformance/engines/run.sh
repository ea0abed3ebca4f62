#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
#
# Drives one real engine through the ways in which it calls a runtime, with kogg as the only one: whoever runs
# runc or crun gets a failure, and the last tests look for that. Prints TAP.
#
# usage: conformance/engines/run.sh podman|docker|containerd|crio [PATTERN]
#   PATTERN  an extended regular expression: only the cases whose name it matches
# environment: KOGG names the program (build/cmd/kogg); LIMIT is how long one case may take (60 seconds);
#   CGROUP_DRIVER is cgroupfs, or systemd, for a guest only; KEEP=yes shows the end of the engine's log;
#   SECURITY is the security module, apparmor or selinux, that guest.sh has put in force, for cases of its own;
#   REBOOT=before leaves containers running and the engine's data in the file system image DISK, for REBOOT=after to
#   see what the engine makes of them (reboot.sh)
#
# Needs root and the engine's packages (ENGINE_PACKAGES in tools/packages.sh). Everything happens in mount, network
# and PID namespaces of its own, with /run and the engine's data on file systems that end with them: bridges,
# firewall rules, sockets, shims and states never reach the machine. Only control groups do, and are removed. With
# systemd, which must know the processes, there is no PID namespace.
set -u

here=$(cd "$(dirname "$0")" && pwd)
source_root=$(cd "$here/../.." && pwd)
engine_name=${1-} pattern=${2-.}
export PATH=/usr/sbin:/usr/bin:/sbin:/bin SHELL=/bin/bash
export LIMIT=${LIMIT:-60} CGROUP_DRIVER=${CGROUP_DRIVER:-cgroupfs}

# shellcheck source=conformance/engines/check.sh
. "$here/check.sh"

skip_all()
{
	echo "1..0 # SKIP $1"
	exit 77
}

# Is each of the programs $1... there?
need_programs()
{
	local program
	for program; do
		command -v "$program" >/dev/null || skip_all "$program is not installed"
	done
}

# cgroup v1: podman makes plain directories in the place of controllers that are not mounted; on a tmpfs of ours.
hide_cgroup_root()
{
	local top=/sys/fs/cgroup copy entry
	[ "$(stat -f -c %T $top)" = tmpfs ] || return 0
	copy=$(mktemp -d)
	mount -t tmpfs kogg-engines "$copy"
	for entry in "$top"/*; do
		if [ -L "$entry" ]; then
			cp -P "$entry" "$copy/"
		elif mountpoint -q "$entry"; then
			mkdir "$copy/${entry##*/}"
			mount --bind "$entry" "$copy/${entry##*/}"
		fi
	done
	mount --move "$copy" $top
	rmdir "$copy"
}

# A runtime that isn't kogg says so in the file foreign-calls, and fails.
forbid_other_runtimes()
{
	local program path
	# shellcheck disable=SC2016 # for that program
	printf '#!/bin/sh\necho "$0 $*" >>%s/foreign-calls\nexit 1\n' "$D" >"$D/forbidden"
	chmod +x "$D/forbidden"
	for program in runc crun; do
		for path in /usr/sbin /usr/bin /usr/local/sbin /usr/local/bin; do
			[ ! -f "$path/$program" ] || mount --bind "$D/forbidden" "$path/$program"
		done
	done
}

# The option for a file system whose root has the type $1, as the policy would have it, where SELinux is.
labelled()
{
	[ "${SECURITY-}" != selinux ] || echo "-o rootcontext=system_u:object_r:$1:s0"
}

# Nothing in /run is to be found, but systemd and its bus where they are needed.
hide_run()
{
	local copy=$D/run directory
	mkdir "$copy"
	mount --rbind /run "$copy"
	# shellcheck disable=SC2046 # one word an option
	mount -t tmpfs $(labelled var_run_t) kogg-engines /run
	[ "$CGROUP_DRIVER" != systemd ] || for directory in systemd dbus; do
		mkdir /run/$directory
		mount --rbind "$copy/$directory" /run/$directory
	done
	umount -l "$copy"
	rmdir "$copy"
}

make_private()
{
	if [ -n "${DISK-}" ]; then
		mount -o loop "$DISK" "$D"
	else
		# shellcheck disable=SC2046 # one word an option
		mount -t tmpfs $(labelled container_var_lib_t) kogg-engines "$D"
	fi
	hide_cgroup_root
	hide_run
	for path in /etc/docker /etc/containerd /var/lib/cni /var/lib/containers /var/lib/docker /var/lib/containerd; do
		[ ! -d $path ] || mount -t tmpfs kogg-engines $path
	done
	forbid_other_runtimes
	mount --make-rshared /
	ip link set lo up
}

wait_for()
{
	local end=$((SECONDS + LIMIT))
	until "$@" >/dev/null 2>&1; do
		sleep .1
		if [ $SECONDS -ge $end ]; then
			tail -20 "$D/log" | sed 's/^/# /'
			echo "Bail out! $engine_name does not come up"
			exit 1
		fi
	done
}

# has_answered PID COMMAND...: the command succeeds, or the process that should serve it has ended.
has_answered()
{
	local process=$1
	shift
	[ ! -e "/proc/$process/exe" ] || "$@"
}

# The control groups below those that the engine makes its containers in.
list_cgroups()
{
	find /sys/fs/cgroup -mindepth 2 -type d 2>/dev/null |
		grep -E "/($ENGINE_CGROUPS|kogg-engines)(/|\$)|/(libpod|docker|ctr|cri-containerd)-[^/]*\.scope\$" | sort
}

is_empty()
{
	printf '%s\n' "$1"
	[ -z "$1" ]
}

check_leftovers()
{
	local left
	check no-other-runtime -- is_empty "$(cat "$D/foreign-calls" 2>/dev/null)"
	left=$(list_cgroups | comm -13 "$D/cgroups" - | grep -vE "/($ENGINE_CGROUPS|kogg-engines)(/conmon|/buildkit)?\$")
	check no-cgroup-left -- is_empty "$left"
	left=$(find /run/containerd/runc /run/kogg "$D" "$VOLATILE" -path '*/state.json' 2>/dev/null)
	check no-state-left -- is_empty "$left"
	list_cgroups | comm -13 "$D/cgroups" - | sort -r | while read -r group; do
		rmdir "$group"
	done
}

# shellcheck source=conformance/engines/apparmor.sh
[ -z "${SECURITY-}" ] || . "$here/$SECURITY.sh"
# shellcheck source=conformance/engines/podman.sh
case $engine_name in
podman | docker | containerd | crio) . "$here/$engine_name.sh" ;;
*) sed -n '4,16p' "$0" | cut -c3-; exit 2 ;;
esac
[ "$(id -u)" -eq 0 ] || skip_all "needs root"
# shellcheck disable=SC2046 # one word a program
need_programs unshare ip script busybox $(engine_programs)
[ "${INSIDE_ENGINES-}" = yes ] || {
	D=$(mktemp -d)
	# Engines write down where their data is, so that it has to be at the same place after a reboot.
	[ -z "${DISK-}" ] || { rmdir "$D"; D=/tmp/kogg-engines; mkdir "$D"; }
	trap 'rm -rf "$D"' EXIT
	trap 'exit 1' HUP INT TERM
	namespaces="--pid --fork --kill-child --mount-proc"
	[ "$CGROUP_DRIVER" != systemd ] || namespaces=
	# shellcheck disable=SC2086 # one word an option
	INSIDE_ENGINES=yes D=$D unshare --mount --net $namespaces --propagation private "$0" "$@"
	exit
}

KOGG=$(realpath "${KOGG:-$source_root/build/cmd/kogg}")
[ -x "$KOGG" ] || { echo "Bail out! $KOGG is not built"; exit 1; }
make_private
# What a reboot takes away.
VOLATILE=$D
[ -z "${DISK-}" ] || VOLATILE=/run/engine
export KOGG D VOLATILE here source_root TMPDIR="$D/work"
mkdir -p "$TMPDIR" "$D/rootfs" "$VOLATILE"
cd "$D" || exit 1 # conmon writes where it was started
BLOCK_DEVICE=/dev/$(lsblk -dn -o NAME -e 1,7,11 | head -1)
export BLOCK_DEVICE CGROUP_PARENT=/kogg-engines
[ "$CGROUP_DRIVER" != systemd ] || CGROUP_PARENT=kogg-engines.slice
cat >"$D/seccomp.json" <<'EOF'
{"defaultAction":"SCMP_ACT_ALLOW","architectures":["SCMP_ARCH_X86_64","SCMP_ARCH_X86","SCMP_ARCH_X32"],
"syscalls":[{"names":["mkdir","mkdirat"],"action":"SCMP_ACT_ERRNO","errnoRet":38}]}
EOF
ROOTFS_TAR=$D/rootfs.tar "$here/image.sh" "$D/bb.tar" localhost/bb:latest
IMAGE_COMMAND='["sleep","1000000"]' "$here/image.sh" "$D/pause.tar" localhost/pause:latest
tar -C "$D/rootfs" -xf "$D/rootfs.tar"
list_cgroups >"$D/cgroups"
case ${SECURITY-} in
apparmor) with=' with systemd and AppArmor' ;;
selinux) with=' with systemd and SELinux' ;;
esac
echo "# $(engine_version)${with-}, Linux $(uname -r | cut -d- -f1), $(stat -f -c %T /sys/fs/cgroup | sed 's/tmpfs/cgroup v1/; s/cgroup2fs/cgroup v2/')"
start_engine
[ "${SECURITY-}" != selinux ] || enforce
case ${REBOOT-} in
before) leave_running; sync "$D"; finish; exit ;;
after) run_cases_after_reboot ;;
*) run_cases; [ -z "${SECURITY-}" ] || "run_${SECURITY}_cases" ;;
esac
remove_all
check_leftovers
stop_engine
[ "${KEEP-}" != yes ] || tail -50 "$D/log" | sed 's/^/# /'
finish
