#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
#
# Installs what the tests need, builds, and runs them all. The last line is
#
#   N passed, N failed, N skipped
#
# and every skip says why before it. Needs root: most of a container runtime can't be tested without.
#
# usage: tools/test.sh [--sanitize | --full] [MESON-TEST-ARGUMENT...]
#   --sanitize  builds with AddressSanitizer and UndefinedBehaviorSanitizer, in a directory of its own
#   --full      the same tests with gcc, with the sanitizers, builds with clang and with -O3, the systemd driver and
#               configs of engines in guests, and real engines (docs/ENGINES.md)
set -eu
cd "$(dirname "$0")/.."
. tools/packages.sh

usage()
{
	sed -n '4,13s/^# \{0,1\}//p' "$0"
	exit "$1"
}

# Runs the tests of the build directory $1 and leaves their log $2 there; what failed is for count_tests.py to say.
run_tests()
{
	directory=$1 name=$2
	shift 2
	meson test -C "$directory" --no-rebuild --logbase "$name" "$@" </dev/null || true
	logs="$logs $directory/meson-logs/$name.json"
}

# The guest of conformance/lab. The tests that need it say that it is missing.
make_guest()
{
	# shellcheck disable=SC2086 # one word a package
	need_packages $LAB_PACKAGES && conformance/lab/build.sh build/lab || echo "there is no guest" >&2
}

test_default()
{
	build build
	make_guest
	run_tests build testlog "$@"
}

test_sanitized()
{
	build build-sanitize -Db_sanitize=address,undefined -Db_lundef=false
	export ASAN_OPTIONS=detect_stack_use_after_return=0:abort_on_error=1
	export UBSAN_OPTIONS=halt_on_error=1:print_stacktrace=1
	run_tests build-sanitize testlog "$@"
}

# Suites in guests that take minutes.
test_guests()
{
	# shellcheck disable=SC2086 # one word a package
	need_packages $FULL_PACKAGES || echo "some guests lack what they need" >&2
	run_tests build guests --suite full
}

# Real engines with kogg as their runtime; each sees to it that nothing of it reaches the machine.
test_engines()
{
	# shellcheck disable=SC2086 # one word a package
	need_packages $ENGINE_PACKAGES
	conformance/engines/newest.sh --make build/newest || echo "there is no root of the newest engines" >&2
	conformance/engines/guest.sh --make build/engines-guest || echo "there is no guest with engines" >&2
	run_tests build engines --suite engines
}

mode=default
case ${1-} in
--sanitize | --full) mode=${1#--}; shift ;;
-h | --help) usage 0 ;;
esac
[ "$(id -u)" -eq 0 ] || { echo "tools/test.sh: needs root, run it with sudo" >&2; exit 1; }

# shellcheck disable=SC2086 # one word a package
need_packages $BUILD_PACKAGES $RUN_PACKAGES $TEST_PACKAGES
logs=
case $mode in
default) test_default "$@" ;;
sanitize) test_sanitized "$@" ;;
full)
	test_default "$@"
	test_guests
	test_sanitized "$@"
	CC=clang build build-clang
	build build-release -Dbuildtype=release
	test_engines
	;;
esac
# shellcheck disable=SC2086 # one word a log
exec python3 tools/count_tests.py $logs
