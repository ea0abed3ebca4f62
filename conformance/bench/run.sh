#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
#
# The whole benchmark with one command: builds kogg, fetches the peers, and
# measures all in the pure v2 view and in the v1 view.
#
# usage: sudo conformance/bench/run.sh [OPTION-OF-bench.py...]
#
# Results are in bench-results/ (v2.md, v2.csv, v2.svg, and the same of v1).
set -eu
cd "$(dirname "$0")/../.."
. tools/packages.sh
# shellcheck disable=SC2086 # one word a package
need_packages $BUILD_PACKAGES $RUN_PACKAGES python3 python3-matplotlib python3-seccomp strace
build build-bench -Dbuildtype=plain -Doptimization=2 -Dtests=disabled
conformance/bench/peers.sh build-bench/peers
for view in v2 v1; do
	# The modules are Debian's, so its interpreter has to be taken.
	/usr/bin/python3 conformance/bench/bench.py --kogg build-bench/cmd/kogg --peers build-bench/peers --view $view "$@"
done
