#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
#
# What engines make of containers that were running when their machine went down without a word: boots the guest of
# conformance/lab twice, with the engine's data on a disk that both see. Prints run.sh's TAP, of both boots as one.
#
# usage: reboot.sh LAB podman|docker|containerd...      (KOGG names the program, below the source tree)
set -u
here=$(cd "$(dirname "$0")" && pwd)
source_root=$(cd "$here/../.." && pwd)

skip()
{
	echo "1..0 # SKIP $*"
	exit 77
}

lab=$(realpath "$1")
shift
KOGG=$(realpath "${KOGG:-$source_root/build/cmd/kogg}")
[ "$(id -u)" -eq 0 ] || skip "needs root"
command -v qemu-system-x86_64 >/dev/null || skip "qemu-system-x86_64 is not installed"
for engine in "$@"; do
	command -v "$engine" >/dev/null || skip "$engine is not installed"
done
[ -e "$lab/initrd" ] || skip "there is no guest: conformance/lab/build.sh $lab makes one"
disks=$(mktemp -d "$lab/reboot-XXXXXX")
trap 'rm -rf "$disks"' EXIT
trap 'exit 1' HUP INT TERM

for engine in "$@"; do
	truncate -s 1G "$disks/$engine"
	mke2fs -q -t ext4 "$disks/$engine"
done
for moment in before after; do
	# shellcheck disable=SC2016 # for the guest
	"$here/../lab/run.sh" --lab "$lab" --memory 3072 --timeout 900 "$source_root" sh -c '
		export KOGG="$1" REBOOT="$2" LIMIT=200
		run=$3 disks=$4
		shift 4
		modprobe loop
		for engine; do
			DISK=$disks/$engine "$run" "$engine"
		done' sh "$KOGG" "$moment" "$here/run.sh" "$disks" "$@" 2>&1 |
		sed -u "s/^\(\(not \)\?ok [0-9]* - [a-z]* \)/\1$moment-reboot-/"
done | tee "$disks/output"
! grep -q -e '^not ok' -e '^run.sh:' -e '^Bail' "$disks/output" &&
	[ "$(grep -c '^ok .* after-reboot-no-state-left' "$disks/output")" -eq $# ]
