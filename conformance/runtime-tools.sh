#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
#
# Runs the validation programs of opencontainers/runtime-tools against kogg and says of each
#
#   pass NAME | fail NAME: the first line that was not ok | known NAME: why it can't pass
#
# with, at the end, "N passed, N failed, N known". What is expected of each program, and why, stands in
# runtime-tools.tsv beside this file. The programs use the default state directory and the control groups
# /cgrouptest and /testdir; they run in a mount namespace with a state directory of their own, and what they
# leave in the hierarchies is removed. Needs root.
#
# usage: conformance/runtime-tools.sh DIR [PATTERN]
#   DIR      a source tree of runtime-tools in which `make runtimetest validation-executables` was run
#   PATTERN  an extended regular expression: only the programs whose name it matches
# environment: KOGG names the program (build/cmd/kogg); LIMIT is how long one program may take (60 seconds)
set -u

here=$(cd "$(dirname "$0")" && pwd)
table=$here/runtime-tools.tsv
tab=$(printf '\t')

die()
{
	echo "runtime-tools.sh: $1" >&2
	exit 2
}

# Prints what is wrong in the output $1. A program fails by a line of TAP, or by a diagnostic in place of any.
find_fault()
{
	grep -m1 '^not ok' "$1" || { ! grep -q '^ok ' "$1" && grep -m1 '"error":' "$1"; }
}

# Runs the program $1 once; its output is left in $out.
run_once()
{
	timeout -k 5 "$LIMIT" "validation/$1/$1.t" >"$out" 2>&1 </dev/null
	status=$?
	clean_cgroups
	[ "$status" -eq 0 ] && ! find_fault "$out" >/dev/null
}

# Says in a few words what was wrong in $out.
first_fault()
{
	[ "$status" -ne 124 ] || { echo "no end after $LIMIT s"; return; }
	find_fault "$out" || tail -1 "$out"
}

# Races in the test itself: three runs, and the majority counts.
run_majority()
{
	wins=0
	for _ in 1 2 3; do
		! run_once "$1" || wins=$((wins + 1))
	done
	[ $wins -ge 2 ]
}

# Removes the control groups named as the suite's own that were not there before.
clean_cgroups()
{
	list_cgroups | grep -vxF -f "$before" | sort -r | while read -r group; do
		rmdir "$group" 2>/dev/null
	done
}

list_cgroups()
{
	find /sys/fs/cgroup -maxdepth 5 -depth -type d \( -name cgrouptest -o -name testdir \
		-o -path '*/testdir/*' -o -path '*/cgrouptest/*' \) 2>/dev/null
}

# Did the last run fail with as many lines as $1 says, and with the text that follows the number?
is_known_fault()
{
	[ "$(grep -c '^not ok' "$out")" -eq "${1%% *}" ] && grep -qF -- "${1#* }" "$out"
}

judge()
{
	name=$1 expected=$2 fault=$3 reason=$4
	case $expected in
	race) run_majority "$name" ;;
	*) run_once "$name" ;;
	esac && { passed=$((passed + 1)); echo "pass $name"; return; }
	case $expected in
	pass | race) ;;
	*) is_known_fault "$fault" && { known=$((known + 1)); echo "known $name: $expected: $reason"; return; } ;;
	esac
	failed=$((failed + 1))
	echo "fail $name: $(first_fault)"
}

[ "${IN_NAMESPACE-}" = yes ] || {
	[ $# -ge 1 ] || { sed -n '3,18p' "$0" | cut -c3-; exit 2; }
	[ "$(id -u)" -eq 0 ] || die "needs root"
	IN_NAMESPACE=yes exec unshare --mount --propagation private "$0" "$@"
}

RUNTIME=$(realpath "${KOGG:-$here/../build/cmd/kogg}")
LIMIT=${LIMIT:-60}
pattern=${2-.}
export RUNTIME
[ -x "$RUNTIME" ] || die "$RUNTIME: not built"
cd "$1" || exit 2
[ -x runtimetest ] || die "$1 holds no runtimetest; is it built?"
{ mkdir -p /run/kogg && mount -t tmpfs runtime-tools /run/kogg; } || die "no state directory of its own"

scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
trap 'exit 1' HUP INT TERM
out=$scratch/out before=$scratch/before
export TMPDIR="$scratch"
{ echo; list_cgroups; } >"$before"
passed=0 failed=0 known=0
while IFS=$tab read -r name expected fault reason; do
	case $name in '' | \#*) continue ;; esac
	echo "$name" | grep -qE "$pattern" || continue
	[ -x "validation/$name/$name.t" ] || { failed=$((failed + 1)); echo "fail $name: not built"; continue; }
	judge "$name" "$expected" "$fault" "$reason"
done <"$table"
for program in validation/*/*.t; do
	grep -q "^$(basename "$program" .t)$tab" "$table" || echo "unknown $(basename "$program" .t): not in runtime-tools.tsv"
done
echo "$passed passed, $failed failed, $known known"
[ "$failed" -eq 0 ]
