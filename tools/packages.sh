# shellcheck shell=sh disable=SC2034 # sourced; its variables are for the tools
# SPDX-License-Identifier: Apache-2.0
# Sourced by the other tools: what they need of Debian, and how it gets here.

BUILD_PACKAGES="gcc libc6-dev meson ninja-build pkg-config libjansson-dev libseccomp-dev libcap-ng-dev
	libsystemd-dev"
RUN_PACKAGES="busybox-static util-linux uidmap"
TEST_PACKAGES="check clang clang-format universal-ctags shellcheck python3 python3-jsonschema iproute2 git strace procps
	e2fsprogs"
LAB_PACKAGES="qemu-system-x86 cpio kmod busybox-static"
# Three engines, and what stands around cri-o and images; tools/test.sh --full.
ENGINE_PACKAGES="podman conmon catatonit netavark containerd docker.io docker-compose containernetworking-plugins iptables
	umoci skopeo python3-grpcio python3-protobuf protobuf-compiler mmdebstrap e2fsprogs"
# What guests take that the host may lack; tools/test.sh --full.
FULL_PACKAGES="systemd-sysv dbus dbus-user-session libpam-systemd apparmor"

# Installs those of the named packages that are missing; silent when none is.
need_packages()
{
	missing=
	for package in "$@"; do
		case $(dpkg-query -W -f '${db:Status-Status}' "$package" 2>/dev/null) in
		installed) ;;
		*) missing="$missing $package" ;;
		esac
	done
	[ -n "$missing" ] || return 0
	echo "installing:$missing"
	# shellcheck disable=SC2086 # one word a package
	DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends $missing >/dev/null 2>&1 ||
		{ apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq \
			--no-install-recommends $missing >/dev/null; } ||
		{ echo "cannot install:$missing" >&2; return 1; }
}

# Makes or updates the build directory $1 with the meson options that follow, and builds all, or $targets. Quiet unless
# it fails.
build()
{
	directory=$1
	shift
	log=$(mktemp)
	if [ -f "$directory/build.ninja" ]; then
		set -- meson configure "$directory" "$@"
	else
		set -- meson setup "$directory" "$@"
	fi
	# shellcheck disable=SC2086 # one word a target
	if ! { "$@" && ninja -C "$directory" ${targets-}; } >"$log" 2>&1; then
		cat "$log" >&2
		rm -f "$log"
		return 1
	fi
	rm -f "$log"
}
