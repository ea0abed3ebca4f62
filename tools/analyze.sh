#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
#
# Looks for mistakes without running anything: gcc -fanalyzer and cppcheck; clang-tidy and clang's static analyzer when
# asked for. Any finding fails. What is none is explained where it is suppressed: in .clang-tidy, below, or in the source.
#
# What clang can't know of other files base/error.h tells it.
#
# usage: tools/analyze.sh [gcc] [cppcheck] [tidy] [scan]     (default: gcc cppcheck)
set -eu
cd "$(dirname "$0")/.."
. tools/packages.sh

sources()
{
	git ls-files 'base/*.c' 'cmd/*.c' 'hooks/*.c' 'libspec/*.c' 'libcontainer/*.c' | grep -v -e /tests/ -e /fuzz/
}

# A build directory of its own, made with the options that follow its name.
configure()
{
	directory=$1
	shift
	[ -f "$directory/build.ninja" ] || meson setup "$directory" -Dtests=disabled "$@" >/dev/null
}

# gcc 12 knows neither the cleanup attribute (leaks), nor reallocarray(3), which it takes for free(3) (deallocation,
# double free, uninitialized contents), nor that a function of another file always returns -1 (null arguments after
# error_set()). What these checks would find is for clang's analyzer.
analyze_gcc()
{
	configure build-analyze-gcc
	meson configure build-analyze-gcc "-Dc_args=-fanalyzer -Wno-analyzer-malloc-leak -Wno-analyzer-file-leak \
		-Wno-analyzer-double-free -Wno-analyzer-mismatching-deallocation -Wno-analyzer-null-argument \
		-Wno-analyzer-use-of-uninitialized-value"
	ninja -C build-analyze-gcc cmd/kogg
}

analyze_tidy()
{
	CC=clang configure build-analyze-clang
	ninja -C build-analyze-clang cmd/kogg >/dev/null # for what is generated
	sources | grep -v sealed_exe_entry.c | xargs -P "$(nproc)" -n 4 clang-tidy --quiet -p build-analyze-clang
}

analyze_scan()
{
	rm -rf build-analyze-scan
	scan-build --use-cc=clang meson setup build-analyze-scan -Dtests=disabled >/dev/null
	scan-build --status-bugs --use-cc=clang -disable-checker deadcode.DeadStores -disable-checker valist.Uninitialized \
		-disable-checker unix.Malloc ninja -C build-analyze-scan cmd/kogg
}

# Nor does cppcheck know the cleanup attribute (memleak, resourceLeak), nor assembly.
analyze_cppcheck()
{
	sources | grep -v sealed_exe_entry.c | xargs cppcheck --quiet --error-exitcode=1 --std=c11 --enable=warning,portability -j "$(nproc)" -I . \
		-D_GNU_SOURCE -D__x86_64__ --suppress=memleak --suppress=resourceLeak --suppress=missingInclude \
		--suppress=unmatchedSuppression --inline-suppr
}

# shellcheck disable=SC2086 # one word a package
need_packages $BUILD_PACKAGES clang clang-tidy clang-tools cppcheck git
failed=
for tool in ${*:-gcc cppcheck}; do
	echo "== $tool"
	"analyze_$tool" || failed="$failed $tool"
done
[ -z "$failed" ] || { echo "findings:$failed" >&2; exit 1; }
echo "no findings"
