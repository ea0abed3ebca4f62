#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
#
# Runs conformance suites in a guest, as one test of meson's: exits with 77 and says why where there is no guest.
#
# usage: test.sh LAB KOGG PROBE "OPTIONS OF run.sh" SUITE...
set -eu
here=$(cd "$(dirname "$0")" && pwd)
source=$(cd "$here/../.." && pwd)

skip()
{
	echo "1..0 # SKIP $*"
	exit 77
}

lab=$1 kogg=$(realpath "$2") probe=$(realpath "$3") options=$4
shift 4
[ "$(id -u)" -eq 0 ] || skip "needs root"
command -v qemu-system-x86_64 >/dev/null || skip "qemu-system-x86_64 is not installed"
[ -e "$lab/initrd" ] || skip "there is no guest: conformance/lab/build.sh $lab makes one"
case $options in
*--systemd*) [ -x /lib/systemd/systemd ] || skip "systemd is not installed" ;;
esac
# shellcheck disable=SC2086 # one word an option
exec "$here/run.sh" --lab "$lab" $options "$source" "$here/suites.sh" "$kogg" "$probe" "$@"
