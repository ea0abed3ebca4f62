# shellcheck shell=bash
# SPDX-License-Identifier: Apache-2.0
# Sourced by run.sh: single tests, as lines of TAP.

count=0 failures=0

is_wanted()
{
	[[ $1 =~ $pattern || $1 == no-* ]]
}

# check NAME [STATUS] -- COMMAND...: the command, which may be a function, ends with the exit status, 0 by default.
check()
{
	local name=$1 wanted=0 status
	shift
	[ "$1" = -- ] || { wanted=$1; shift; }
	shift
	is_wanted "$name" || return 0
	# shellcheck disable=SC2046 # one word a function
	export -f $(compgen -A function)
	# shellcheck disable=SC2016 # for the inner shell
	timeout -k 5 "$LIMIT" bash -c '"$@"' check "$@" >"$D/output" 2>&1 </dev/null
	status=$?
	count=$((count + 1))
	if [ $status -eq "$wanted" ]; then
		echo "ok $count - $engine_name $name"
	else
		failures=$((failures + 1))
		echo "not ok $count - $engine_name $name"
		echo "# exit status $status in the place of $wanted"
		tail -8 "$D/output" | cut -c1-400 | sed 's/^/# /'
	fi
}

# skip NAME REASON
skip()
{
	is_wanted "$1" || return 0
	count=$((count + 1))
	echo "ok $count - $engine_name $1 # SKIP $2"
}

finish()
{
	echo "1..$count"
	[ $failures -eq 0 ]
}

# For the cases: the command succeeds, and its output holds the text.
says()
{
	local text=$1 output
	shift
	output=$("$@" 2>&1) || { printf '%s\n' "$output"; return 1; }
	# On a busy machine docker may lose all that a container says which ends at once, with whatever runtime.
	[ -n "$output" ] || [ "$engine_name" != docker ] || output=$("$@" 2>&1)
	printf '%s\n' "$output"
	[[ $output == *"$text"* ]]
}

# The command fails, and its output holds the text.
refuses()
{
	local text=$1 output
	shift
	! output=$("$@" 2>&1) && [[ $output == *"$text"* ]]
	local status=$?
	printf '%s\n' "$output"
	return $status
}

# says, on a terminal of its own.
says_on_terminal()
{
	local text=$1
	shift
	says "$text" script -qec "$(printf '%q ' "$@")" /dev/null
}

# check_checkpoint COMMAND...: where both kogg and criu can.
check_checkpoint()
{
	if ! "$KOGG" checkpoint --help >/dev/null 2>&1; then
		skip checkpoint "kogg has no checkpoint and restore yet"
	elif ! { command -v criu && criu check; } >/dev/null 2>&1; then
		skip checkpoint "criu can't checkpoint on this kernel"
	else
		check checkpoint -- "$@"
	fi
}

is_cgroup2()
{
	[ "$(stat -f -c %T /sys/fs/cgroup)" = cgroup2fs ]
}
