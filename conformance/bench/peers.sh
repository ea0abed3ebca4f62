#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
#
# Fetches the peers that kogg is measured against: crun and runc of Debian's
# stable release here and of its development branch (sid), the newest that
# Debian offers. Nothing is installed: packages are unpacked into DIR with the
# libraries they need, and programs from sid are pointed at those by patchelf,
# so that they also find them when they execute themselves again.
#
# usage: conformance/bench/peers.sh DIR
#
# Leaves DIR/NAME-VERSION for each, which bench.py takes with --peers DIR.
set -eu
[ $# -eq 1 ] || { sed -n '4,11s/^# \{0,1\}//p' "$0" >&2; exit 2; }
mkdir -p "$1"
directory=$(cd "$1" && pwd)
cd "$(dirname "$0")/../.."
. tools/packages.sh
need_packages patchelf ca-certificates debian-archive-keyring

# The mirror that this machine's own apt uses.
mirror()
{
	sed -n -e 's/^URIs: *\(.*debian\)\/\{0,1\}$/\1/p' -e 's/^deb  *\(\[[^]]*\]  *\)\{0,1\}\([^ ]*debian\)\/\{0,1\} .*/\2/p' \
		/etc/apt/sources.list /etc/apt/sources.list.d/* 2>/dev/null | head -n 1
}

# Downloads the packages $2... of suite $1 with all they depend on, and unpacks them into DIR/$1.
unpack_suite()
{
	suite=$1
	shift
	apt=$directory/apt-$suite
	mkdir -p "$apt/state/lists/partial" "$apt/cache/archives/partial" "$directory/$suite"
	: >"$apt/status"
	echo "deb [signed-by=/usr/share/keyrings/debian-archive-keyring.gpg] $(mirror) $suite main" >"$apt/sources.list"
	cat >"$apt/apt.conf" <<-CONF
		Dir::State "$apt/state";
		Dir::State::status "$apt/status";
		Dir::Cache "$apt/cache";
		Dir::Etc::sourcelist "$apt/sources.list";
		Dir::Etc::sourceparts "-";
		APT::Install-Recommends "false";
		APT::Sandbox::User "root";
	CONF
	APT_CONFIG=$apt/apt.conf apt-get -qq update
	APT_CONFIG=$apt/apt.conf apt-get -qq -y install --download-only "$@" >/dev/null
	for package in "$apt"/cache/archives/*.deb; do
		dpkg-deb -x "$package" "$directory/$suite"
	done
}

# Makes DIR/NAME-VERSION of the program $2 (relative to the suite's root) of suite $1.
take_program()
{
	root=$directory/$1
	name=$(basename "$2")
	# Until bookworm, packages put the C library into /lib and others into /usr/lib.
	loader=$(find "$root" -name 'ld-linux-x86-64.so.2' -type f | head -n 1)
	libraries=$root/usr/lib/x86_64-linux-gnu:$(dirname "$loader")
	cp "$root/$2" "$directory/$name.new"
	if patchelf --print-interpreter "$directory/$name.new" >/dev/null 2>&1; then
		patchelf --set-interpreter "$loader" --set-rpath "$libraries" "$directory/$name.new"
	fi
	version=$("$directory/$name.new" --version | sed -n "s/^$name version \([^ ]*\).*/\1/p" | tail -n 1)
	mv "$directory/$name.new" "$directory/$name-$version"
	echo "$directory/$name-$version"
}

stable=$(. /etc/os-release && echo "$VERSION_CODENAME")
for suite in "$stable" sid; do
	unpack_suite "$suite" crun runc
	take_program "$suite" usr/bin/crun
	take_program "$suite" usr/sbin/runc
done
