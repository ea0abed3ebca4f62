#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
#
# Boots the guest that build.sh has made, runs COMMAND in it as root with SHARED, a folder, at the same path and
# writable, prints its output, and exits with its status: 125 when the guest failed, 124 when time ran out. Nothing
# else that the guest writes is kept. The processor is emulated: programs start some twenty times slower than outside.
#
# usage: run.sh [OPTION...] SHARED COMMAND [ARGUMENT...]
#   --lab DIR        where build.sh wrote; build/lab of the source tree
#   --systemd        with this host's systemd as the first process; otherwise there is no init system
#   --image          with the systemd of root.ext4, and that as the root; otherwise the root is this host's own
#   --cgroup WHAT    v2 (default), v1, or hybrid
#   --append WORDS   more kernel parameters ("apparmor=0")
#   --timeout SEC    300;  --memory MB  1024;  --cpus N  1
#   --console FILE   keeps what the kernel has said
set -u
here=$(cd "$(dirname "$0")" && pwd)

usage()
{
	sed -n '4,17s/^# \{0,1\}//p' "$0"
	exit 2
}

lab=$here/../../build/lab
root=host init='' cgroup=v2 append='' limit=300 memory=1024 cpus=1 console=''
while [ $# -gt 0 ]; do
	case $1 in
	--lab) lab=$2; shift ;;
	--systemd) init=/lib/systemd/systemd ;;
	--image) init=/lib/systemd/systemd root=vda ;;
	--cgroup) cgroup=$2; shift ;;
	--append) append=$2; shift ;;
	--timeout) limit=$2; shift ;;
	--memory) memory=$2; shift ;;
	--cpus) cpus=$2; shift ;;
	--console) console=$2; shift ;;
	-*) usage ;;
	*) break ;;
	esac
	shift
done
[ $# -ge 2 ] || usage
share=$(cd "$1" && pwd) || exit 2
shift
[ -e "$lab/initrd" ] || { echo "run.sh: no guest in $lab: run build.sh" >&2; exit 125; }

virtiofsd=
for file in /usr/lib/qemu/virtiofsd /usr/libexec/virtiofsd; do
	[ ! -x $file ] || virtiofsd=$file
done
[ -n "$virtiofsd" ] || { echo "run.sh: virtiofsd is not installed" >&2; exit 125; }

work=$(mktemp -d)
processes=()
# shellcheck disable=SC2317 # called by the trap
clean_up()
{
	for process in "${processes[@]}"; do
		kill "$process" 2>/dev/null
	done
	wait
	[ -z "$console" ] || cp "$work/console" "$console"
	rm -rf "$work"
}
trap clean_up EXIT
trap 'exit 130' INT TERM HUP

# One folder by virtiofs: NAME FOLDER rw|ro CACHE. It is bound in a mount namespace, so that what is mounted below it
# stays out. With the cache "always" programs start ten times faster, but changes outside are not seen.
devices=()
serve()
{
	mkdir "$work/$1"
	# shellcheck disable=SC2016 # for the inner shell
	unshare -m --propagation private sh -c 'mount --bind "$2" "$1" && mount -o "remount,bind,$3" "$1" &&
		exec "$4" --socket-path="$1.socket" -o source="$1" -o sandbox=chroot -o cache="$5" -o xattr --rlimit-nofile=0' \
		sh "$work/$1" "$2" "$3" "$virtiofsd" "$4" >"$work/$1.log" 2>&1 &
	processes+=($!)
	devices+=(-chardev "socket,id=$1,path=$work/$1.socket" -device "vhost-user-fs-pci,chardev=$1,tag=lab$1")
}

await_servers()
{
	local log tries
	for log in "$work"/*.log; do
		tries=0
		while [ ! -S "${log%.log}.socket" ]; do
			sleep 0.02
			tries=$((tries + 1))
			[ $tries -lt 500 ] || { cat "$log" >&2; exit 125; }
		done
	done
}

serve share "$share" rw auto
if [ $root = host ]; then
	serve root / ro always
	serve modules "$lab/modules" ro always
	truncate -s 1M "$work/disk" # for limits on a block device
	devices+=(-drive "file=$work/disk,if=virtio,format=raw")
else
	devices+=(-drive "file=$lab/root.ext4,if=virtio,format=raw,snapshot=on,cache=unsafe")
fi
parameters="console=ttyS0 quiet panic=-1 mitigations=off no_timer_check tsc=reliable random.trust_cpu=1 nokaslr"
parameters="$parameters lab.root=$root lab.share=$share lab.cgroup=$cgroup"
if [ -n "$init" ]; then
	parameters="$parameters lab.init=$init systemd.unit=lab.target systemd.show_status=0 systemd.log_level=warning"
	case $cgroup in
	v1) parameters="$parameters systemd.unified_cgroup_hierarchy=0 systemd.legacy_systemd_cgroup_controller=1" ;;
	hybrid) parameters="$parameters systemd.unified_cgroup_hierarchy=0 systemd.legacy_systemd_cgroup_controller=0" ;;
	esac
fi

# The command is one more archive after the initrd's.
quote()
{
	printf "'%s' " "${1//\'/\'\\\'\'}"
}

{
	printf 'cd '
	quote "$share"
	printf '\nexec '
	for word in "$@"; do quote "$word"; done
	echo
} >"$work/command"
(cat "$lab/initrd" && cd "$work" && echo command | cpio -o -H newc -R 0:0 --quiet) >"$work/initrd" || exit 125
await_servers

# Input that never ends: at its end qemu would close the port.
mkfifo "$work/input"
exec 9<>"$work/input"
: >"$work/status"
timeout --foreground "$limit" qemu-system-x86_64 -accel tcg,thread=multi -cpu max -smp "$cpus" -m "$memory" \
	-machine pc,memory-backend=ram -object "memory-backend-memfd,id=ram,size=${memory}M,share=on" \
	-nodefaults -display none -no-reboot -kernel "$lab/vmlinuz" -initrd "$work/initrd" -append "$parameters $append" \
	-chardev "file,id=console,path=$work/console" -serial chardev:console \
	-device virtio-serial-pci -chardev stdio,id=output,signal=off -device virtserialport,chardev=output,nr=1 \
	-chardev "file,id=status,path=$work/status" -device virtserialport,chardev=status,nr=2 \
	"${devices[@]}" <&9 &
processes=($! "${processes[@]}") # it ends before its servers do
wait $!
ended=$?

status=$(sed -n 's/^status \([0-9]*\)$/\1/p' "$work/status")
[ -z "$status" ] || exit "$status"
echo "run.sh: the guest gave no status (qemu: $ended); its console ends:" >&2
tail -n 30 "$work/console" >&2
[ $ended != 124 ] || exit 124
exit 125
