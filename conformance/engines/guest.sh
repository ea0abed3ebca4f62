#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
#
# Engines as servers have them: cgroup v2, systemd, its cgroup driver, and a security module in force. Boots the guest of
# conformance/lab with a root of Debian trixie that holds them all, and runs one suite in it. Prints TAP.
#
# usage: guest.sh --make LAB    makes that guest; one that is there already and as it should be is kept
#        guest.sh LAB podman|docker|containerd [PATTERN]    run.sh's cases, and what AppArmor adds to them
#        guest.sh LAB selinux [PATTERN]                     podman where SELinux is
#        guest.sh LAB quadlet [PATTERN]                     quadlet.sh
# environment: KOGG names the program, below the source tree (build/cmd/kogg)
set -u

here=$(cd "$(dirname "$0")" && pwd)
source_root=$(cd "$here/../.." && pwd)
KOGG=$(realpath "${KOGG:-$source_root/build/cmd/kogg}")
PACKAGES=systemd-sysv,dbus,dbus-user-session,libpam-systemd,udev,kmod,busybox-static,iproute2,procps,util-linux,bsdutils
PACKAGES=$PACKAGES,uidmap,libjansson4,libseccomp2,libcap-ng0,libsystemd0,podman,conmon,catatonit,netavark,nftables
PACKAGES=$PACKAGES,docker.io,docker-cli,containerd,iptables,containernetworking-plugins,python3-grpcio,python3-protobuf
PACKAGES=$PACKAGES,protobuf-compiler,apparmor,selinux-policy-default,policycoreutils,selinux-utils

skip_all()
{
	echo "1..0 # SKIP $*"
	exit 77
}

usage()
{
	sed -n '4,12s/^# \{0,1\}//p' "$0"
	exit 2
}

# The suite, in the guest. Programs in memory start faster than those in the shared folder, and a label goes with them.
run_suite()
{
	local suite=$1 pattern=$2
	cp "$KOGG" "$(dirname "$KOGG")/kogg-systemd" /usr/local/bin/
	export KOGG=/usr/local/bin/kogg LIMIT=200 CGROUP_DRIVER=systemd PYTHONDONTWRITEBYTECODE=1
	case $suite in
	quadlet) "$here/quadlet.sh" "$pattern" ;;
	selinux)
		chcon --reference=/usr/bin/crun /usr/local/bin/kogg*
		SECURITY=selinux "$here/run.sh" podman "$pattern"
		;;
	*) SECURITY=apparmor "$here/run.sh" "$suite" "$pattern" ;;
	esac
}

case ${1-} in
--make) LAB_PACKAGES=$PACKAGES exec "$here/../lab/build.sh" "$2" --image trixie ;;
--inside) run_suite "$2" "$3"; exit ;;
esac
lab=${1-} suite=${2-} parameters=apparmor=1
# Without a PATTERN, the cases in which systemd or the security module have a part; the host runs the others, faster.
cases='run|run-d|exec|exec-user|exec-tty|privileged|read-only|memory|systemd-scope|apparmor-.*|selinux-.*'
case $suite in
podman) cases="$cases|pause|paused|unpause|kill|killed|remove|healthcheck|all-removed" ;;
docker) cases="$cases|pause|paused|unpause|update-cpu|stop|stopped|start|kill|killed|remove|healthcheck|all-removed" ;;
containerd) cases="$cases|pause|paused|resume|kill-term|killed|remove|cri|cri-exec-sync|cri-update|all-removed" ;;
selinux) parameters='security=selinux selinux=1 enforcing=0' ;;
quadlet) cases='.*' ;;
*) usage ;;
esac
pattern=${3-^($cases)\$}
[ "$(id -u)" -eq 0 ] || skip_all "needs root"
command -v qemu-system-x86_64 >/dev/null || skip_all "qemu-system-x86_64 is not installed"
[ -e "$lab/root.ext4" ] || skip_all "there is no guest with engines: conformance/engines/guest.sh --make $lab makes one"
grep -qF " $PACKAGES " "$lab/root.made" || skip_all "the guest in $lab lacks packages: guest.sh --make $lab makes it anew"
exec "$here/../lab/run.sh" --lab "$(realpath "$lab")" --image --memory 2048 --timeout 1500 --append "$parameters" \
	"$source_root" env KOGG="$KOGG" "$here/guest.sh" --inside "$suite" "$pattern"
