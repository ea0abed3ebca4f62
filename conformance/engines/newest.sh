#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
#
# Runs run.sh with the newest engines that Debian has, in a root of their own: its packages are sid's. That root is
# the root of a mount namespace, so that pivot_root(2) works in it; of this machine it sees /dev, /sys and the source
# tree, which holds kogg. kogg is this machine's, with the libraries of the other root.
#
# usage: newest.sh --make DIR        makes the root, by mmdebstrap; one that is there already is kept
#        newest.sh DIR ENGINE [PATTERN]
set -eu

here=$(cd "$(dirname "$0")" && pwd)
source_root=$(cd "$here/../.." && pwd)

# What run.sh and its engines need, and kogg's libraries.
PACKAGES=containerd,containernetworking-plugins,docker.io,docker-cli,docker-buildx,docker-compose,podman,conmon
PACKAGES=$PACKAGES,catatonit,netavark,nftables,iptables,iproute2,busybox-static,util-linux,bsdutils,procps,uidmap
PACKAGES=$PACKAGES,ca-certificates,python3-grpcio,python3-protobuf,protobuf-compiler
PACKAGES=$PACKAGES,libjansson4,libseccomp2,libcap-ng0,libsystemd0

skip()
{
	echo "1..0 # SKIP $*"
	exit 77
}

# A release that moves says until when it is valid; a copy of it that is older is as good here.
make_root()
{
	[ ! -e "$1/usr/bin/podman" ] || return 0
	rm -rf "$1.new"
	mmdebstrap --quiet --variant=minbase --include="$PACKAGES" \
		--aptopt='Apt::Install-Recommends "false"' --aptopt='Acquire::Check-Valid-Until "false"' \
		--dpkgopt='path-exclude=/usr/share/doc/*' --dpkgopt='path-exclude=/usr/share/man/*' \
		--dpkgopt='path-exclude=/usr/share/locale/*' sid "$1.new"
	chroot "$1.new" useradd --system containers # whose ids podman --userns=auto takes
	touch "$1.new/etc/subuid" "$1.new/etc/subgid"
	mv "$1.new" "$1"
}

# In a mount namespace of its own: the directory $1 becomes the root.
enter_root()
{
	mount --bind "$1" "$1"
	mount --rbind /dev "$1/dev"
	mount --rbind /sys "$1/sys"
	mount -t proc proc "$1/proc"
	for directory in run tmp; do
		mount -t tmpfs -o mode=1777 newest "$1/$directory"
	done
	mkdir -p "$1/$source_root"
	mount --bind "$source_root" "$1/$source_root"
	cd "$1"
	pivot_root . mnt
	umount -l /mnt
}

case ${1-} in
--make) make_root "$2"; exit ;;
'' | -*) sed -n '4,9s/^# \{0,1\}//p' "$0"; exit 2 ;;
esac
[ "$(id -u)" -eq 0 ] || skip "needs root"
[ -e "$1/usr/bin/podman" ] || skip "there is no root of the newest engines: conformance/engines/newest.sh --make $1 makes one"
[ "${IN_NAMESPACE-}" = yes ] || IN_NAMESPACE=yes exec unshare --mount --propagation private "$0" "$@"
KOGG=$(realpath "${KOGG:-$source_root/build/cmd/kogg}")
export KOGG
enter_root "$(realpath "$1")"
shift
exec "$here/run.sh" "$@"
