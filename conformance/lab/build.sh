#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
#
# Makes what run.sh boots, in the directory OUT:
#
#   vmlinuz      Debian's cloud kernel: all cgroup controllers, AppArmor, SELinux
#   modules/     its modules
#   initrd       busybox, the modules that a root file system takes, and init
#   root.ext4    with --image: a Debian root with systemd, and in root.made what it was made of
#
# The kernel's package is fetched by apt and unpacked, not installed; one that is there already is kept. So is an image
# that was made in the same way of the same packages.
#
# usage: build.sh OUT [--image [SUITE]]
#   --image   also make root.ext4, by mmdebstrap from SUITE (bookworm); packages: LAB_PACKAGES=a,b,c. The files of a
#             root with an SELinux policy get its labels
set -eu
lab=$(cd "$(dirname "$0")" && pwd)

# What is loaded before the root file system is there.
MODULES="virtio_pci virtio_console virtio_blk virtiofs overlay ext4"

IMAGE_PACKAGES=systemd-sysv,dbus,dbus-user-session,libpam-systemd,udev,kmod,busybox-static,apparmor,iproute2,procps
IMAGE_PACKAGES=$IMAGE_PACKAGES,util-linux,uidmap,libjansson4,libseccomp2,libcap-ng0,python3-minimal,strace

# Units that only cost time.
IMAGE_MASKED="apt-daily.timer apt-daily-upgrade.timer dpkg-db-backup.timer fstrim.timer e2scrub_all.timer
	e2scrub_reap.service getty@tty1.service"

usage()
{
	sed -n '4,17s/^# \{0,1\}//p' "$0"
	exit 2
}

die()
{
	echo "build.sh: $*" >&2
	exit 1
}

download_kernel()
{
	package=$(apt-cache depends linux-image-cloud-amd64 | sed -n 's/.*Depends: \(linux-image-[0-9].*\)/\1/p' | head -n 1)
	[ -n "$package" ] || return 1
	(cd "$temporary" && apt-get -o APT::Sandbox::User=root download -qq "$package")
}

# Unpacks the kernel's package to OUT.
get_kernel()
{
	download_kernel 2>/dev/null || { apt-get update -qq && download_kernel; } || die "cannot fetch a kernel"
	dpkg -x "$temporary"/linux-image-*.deb "$temporary/kernel"
	version=$(ls "$temporary/kernel/lib/modules")
	depmod -b "$temporary/kernel" "$version"
	rm -rf "$out/modules"
	mv "$temporary/kernel/lib/modules" "$out/modules"
	mv "$temporary/kernel/boot/vmlinuz-$version" "$out/vmlinuz"
}

# Modules are named by the order in which to load them, so that the guest needs no depmod.
copy_modules()
{
	mkdir -p "$temporary/root/lib"
	ln -s "$out/modules" "$temporary/root/lib/modules"
	for module in $MODULES; do
		modprobe -d "$temporary/root" -S "$version" --show-depends "$module" 2>/dev/null || true
	done | awk '$1 == "insmod" && !seen[$2]++ { print $2 }' >"$temporary/list"
	number=100
	while read -r file; do
		number=$((number + 1))
		name=$1/$number-$(basename "$file")
		case $file in
		*.xz) xz -dc "$file" >"${name%.xz}" ;;
		*.zst) zstd -qdc "$file" >"${name%.zst}" ;;
		*) cp "$file" "$name" ;;
		esac
	done <"$temporary/list"
}

make_initrd()
{
	root=$temporary/initrd
	mkdir -p "$root/bin" "$root/modules" "$root/dev" "$root/proc" "$root/sys" "$root/lower" "$root/upper" "$root/new"
	cp /bin/busybox "$root/bin/busybox"
	install -m 755 "$lab/init" "$root/init"
	copy_modules "$root/modules"
	(cd "$root" && find . | cpio -o -H newc -R 0:0 --quiet) >"$temporary/initrd.cpio"
	mv "$temporary/initrd.cpio" "$out/initrd"
}

# What an image is made of: suite, packages, and this file.
describe_image()
{
	echo "$1 $packages $(sha256sum <"$lab/build.sh")"
}

# setfiles(8) looks for mounts in /proc.
label_files()
{
	contexts=/etc/selinux/default/contexts/files/file_contexts
	[ -e "$1$contexts" ] || return 0
	# shellcheck disable=SC2016 # for the inner shell
	unshare -m sh -c 'mount -t proc proc "$1/proc" && exec chroot "$1" setfiles -F "$2" /' sh "$1" $contexts
}

make_image()
{
	root=$temporary/image
	mmdebstrap --quiet --variant=minbase --include="$packages" \
		--aptopt='Apt::Install-Recommends "false"' --dpkgopt='path-exclude=/usr/share/doc/*' \
		--dpkgopt='path-exclude=/usr/share/man/*' --dpkgopt='path-exclude=/usr/share/locale/*' "$1" "$root"
	echo lab >"$root/etc/hostname"
	chroot "$root" useradd -m -u 1000 -s /bin/sh user
	for unit in $IMAGE_MASKED; do
		ln -sf /dev/null "$root/etc/systemd/system/$unit"
	done
	mkdir -p "$root/lib/modules"
	cp -a "$out/modules/." "$root/lib/modules"
	label_files "$root"
	size=$(du -sm "$root" | cut -f 1)
	mke2fs -q -t ext4 -d "$root" -O ^has_journal -m 0 "$temporary/root.ext4" "$((size * 5 / 4 + 256))M"
	rm -f "$out/root.made"
	mv "$temporary/root.ext4" "$out/root.ext4"
	describe_image "$1" >"$out/root.made"
}

[ $# -ge 1 ] || usage
mkdir -p "$1"
out=$(cd "$1" && pwd)
shift
[ "$(dpkg --print-architecture)" = amd64 ] || die "only made for amd64"
temporary=$(mktemp -d "$out/build-XXXXXX")
trap 'rm -rf "$temporary"' EXIT

[ -e "$out/vmlinuz" ] || get_kernel
version=$(ls "$out/modules")
make_initrd
if [ "${1-}" = --image ]; then
	suite=${2:-bookworm}
	packages=${LAB_PACKAGES:-$IMAGE_PACKAGES}
	describe_image "$suite" | cmp -s - "$out/root.made" || make_image "$suite"
fi
