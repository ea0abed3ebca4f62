#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Fails when a C file is not as clang-format leaves it. usage: check_format.sh SOURCE_ROOT
set -eu
cd "$1"
command -v clang-format >/dev/null || { echo "clang-format is not installed"; exit 77; }
find base libspec hooks libcontainer cmd conformance -name '*.[ch]' -exec clang-format --dry-run -Werror {} +
