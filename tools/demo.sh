#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
#
# Builds kogg and takes one container through its whole life, printing each command and its result: create, state,
# start, a look from inside and outside, kill, delete. Leaves nothing behind but the build directory.
#
# usage: tools/demo.sh          (as root; KOGG=PROGRAM shows another build)
set -eu
cd "$(dirname "$0")/.."
. tools/packages.sh

[ "$(id -u)" -eq 0 ] || { echo "tools/demo.sh: needs root, run it with sudo" >&2; exit 1; }

say()
{
	if [ -t 1 ]; then printf '\n\033[1m# %s\033[0m\n' "$*"; else printf '\n# %s\n' "$*"; fi
}

# Prints the command as one would type it, then runs it. kogg stands for the program with its state directory.
show()
{
	printf '$ %s\n' "$*"
	"$@"
}

kogg()
{
	"$program" --root "$dir/state" "$@"
}

# The limit of the controller $2 for the process $1: the file $3 on cgroup v2, $4 on v1.
cgroup_file()
{
	line=$(grep -E "^[0-9]+:([^:]*,)?$2(,[^:]*)?:" "/proc/$1/cgroup" || grep '^0::' "/proc/$1/cgroup")
	for base in "/sys/fs/cgroup/$2" /sys/fs/cgroup; do
		for name in "$3" "$4"; do
			file=$base${line#*:*:}/$name
			[ ! -f "$file" ] || { echo "$file: $(cat "$file")"; return; }
		done
	done
}

clean_up()
{
	"$program" --root "$dir/state" delete --force "$id" >/dev/null 2>&1 || true
	exec 3>&- 4<&-
	rm -rf "$dir"
}

# The container's process: it looks around, then obeys the lines that come through its standard input.
# shellcheck disable=SC2016 # expanded by the shell inside
inside='echo "I am process $$, user $(id -u), on host $(hostname)"
echo "processes I see: $(ps -o pid,args | tail -n +2 | wc -l)"
grep -E "^(CapEff|NoNewPrivs)" /proc/self/status
grep -E " / | /proc | /dev " /proc/self/mounts
touch /new 2>&1
cat /proc/kcore 2>/dev/null | wc -c | sed "s/^/bytes of \/proc\/kcore: /"
echo done; while read -r line; do $line; done'

say "Packages and build"
# shellcheck disable=SC2086 # one word a package
need_packages $BUILD_PACKAGES $RUN_PACKAGES
if [ -z "${KOGG-}" ]; then
	targets=cmd/kogg
	build build
	KOGG=$PWD/build/cmd/kogg
fi
program=$KOGG
id=demo-$$
dir=$(mktemp -d)
chmod 755 "$dir"
trap clean_up EXIT
trap 'exit 130' INT TERM
show "$program" --version

say "A bundle: a busybox root file system and config.json"
mkdir -p "$dir/bundle/rootfs/bin" "$dir/bundle/rootfs/proc" "$dir/bundle/rootfs/dev" "$dir/bundle/rootfs/sys"
cp "$(command -v busybox)" "$dir/bundle/rootfs/bin/busybox"
for applet in sh cat echo grep head hostname id ls mount ps sed sleep tail touch wc; do
	ln -s busybox "$dir/bundle/rootfs/bin/$applet"
done
python=$(command -v python3)
INSIDE=$inside ID=$id "$python" - config.example.json "$dir/bundle/config.json" <<'EOF'
import json, os, sys
config = json.load(open(sys.argv[1]))
config['process'].update(terminal=False, args=['/bin/sh', '-c', os.environ['INSIDE']])
config['root']['readonly'] = True
config['hostname'] = 'demo'
config['linux']['cgroupsPath'] = '/kogg-' + os.environ['ID']
config['linux']['resources'].update(memory={'limit': 64 << 20}, pids={'limit': 32})
json.dump(config, open(sys.argv[2], 'w'), indent=1)
EOF
show ls "$dir/bundle" "$dir/bundle/rootfs"

say "Create: everything is made but the program has not started"
mkfifo "$dir/in" "$dir/out"
exec 3<>"$dir/in" 4<>"$dir/out"
printf '$ kogg create --bundle %s %s\n' "$dir/bundle" "$id"
kogg create --bundle "$dir/bundle" "$id" <&3 >"$dir/out" 2>"$dir/errors" 3>&- 4<&- || { cat "$dir/errors"; exit 1; }
show kogg state "$id"
echo
pid=$(kogg state "$id" | sed -n 's/.*"pid": *\([0-9]*\).*/\1/p')

say "Start: the program looks around inside"
show kogg start "$id"
while read -r line <&4 && [ "$line" != "done" ]; do
	echo "  $line"
done

say "The same process from outside"
show grep -E '^(NSpid|CapEff|CapBnd|NoNewPrivs|Seccomp):' "/proc/$pid/status"
for namespace in pid net mnt uts ipc; do
	printf '%-4s ours %s, its %s\n' $namespace "$(readlink /proc/self/ns/$namespace)" "$(readlink "/proc/$pid/ns/$namespace")"
done
cgroup_file "$pid" memory memory.max memory.limit_in_bytes
cgroup_file "$pid" pids pids.max pids.max
show kogg list

say "Kill and delete"
show kogg kill "$id" KILL
for _ in 1 2 3 4 5 6 7 8 9 10; do
	case $(kogg state "$id") in *'"stopped"'*) break ;; esac
	sleep 0.1
done
show kogg state "$id"
echo
show kogg delete "$id"
printf '$ kogg state %s\n' "$id"
kogg state "$id" || echo "(exit status $?)"
