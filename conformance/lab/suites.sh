#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
#
# Runs conformance suites one after the other, in the guest, from copies in memory: what lies in the shared folder is
# slow to start. Prints their lines with the suite's name in them.
#
# usage: suites.sh KOGG PROBE SUITE|NAME=VALUE...
#   NAME=VALUE is set in the environment of the suites that follow it
set -u
conformance=$(cd "$(dirname "$0")/.." && pwd)
copy=/tmp/suites
mkdir -p $copy/build $copy/conformance
cp "$(dirname "$1")"/kogg* "$2" $copy/build 2>/dev/null
cp "$conformance"/*.py "$conformance"/*.tsv $copy/conformance
cp -r "$conformance/configs" $copy/conformance
export KOGG=$copy/build/kogg KOGG_PROBE=$copy/build/probe PYTHONDONTWRITEBYTECODE=1
: "${KOGG_SHARED:=$conformance/../../shared}"
# The processor is emulated, and what the machine does beside it counts as its time.
export KOGG_SHARED KOGG_TEST_SLOWNESS=10 KOGG_TEST_FLOOD=4
shift 2

worst=0
for suite in "$@"; do
	case $suite in
	*=*) export "${suite?}"; continue ;;
	esac
	log=/tmp/suites/$suite.log
	{
		python3 "$copy/conformance/$suite.py" 2>&1
		echo $? >/tmp/suites/status
	} | tee "$log" | sed -u "s/^\(ok\|not ok\) [0-9]* - /&$suite: /"
	status=$(cat /tmp/suites/status)
	case $status in
	0) ;;
	77) echo "ok 1 - $suite # SKIP $(sed -n 's/.*# SKIP //p' "$log" | tail -n 1)" ;;
	*)
		worst=1
		grep -q '^not ok' "$log" || echo "not ok 1 - $suite: ended with status $status"
		;;
	esac
	echo "# $suite: $(cut -d ' ' -f 1 /proc/uptime) s after boot"
done
exit $worst
