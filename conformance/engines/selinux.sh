# shellcheck shell=bash
# SPDX-License-Identifier: Apache-2.0
# Sourced by run.sh where SELinux is in force: what podman does with it.

# Prints a process's own label, in a container.
LABEL="tr -d '\\0' </proc/self/attr/current; echo"
export LABEL

# A type for containers, and two categories that no other container has.
own_categories()
{
	local first second
	first=$(engine run --rm "$NETWORK" "$IMAGE" sh -c "$LABEL")
	second=$(engine run --rm "$NETWORK" "$IMAGE" sh -c "$LABEL")
	printf '%s\n' "$first" "$second"
	[[ $first =~ ^system_u:system_r:container_t:s0:c[0-9]+,c[0-9]+$ ]] && [ "$first" != "$second" ]
}

exec_label()
{
	says "$(engine inspect -f '{{.ProcessLabel}}' labelled)" engine exec labelled sh -c "$LABEL"
}

# mqueue knows no option for a label. /tmp is masked, and can be looked into.
mount_labels()
{
	local label root target mounts
	label=$(engine inspect -f '{{.MountLabel}}' labelled)
	mounts=$(engine exec labelled cat /proc/self/mounts)
	root=/proc/$(engine inspect -f '{{.State.Pid}}' labelled)/root
	printf '%s\n' "$label" "$mounts"
	[[ $label == *:container_file_t:s0:c* ]] || return
	for target in / /dev /dev/pts /dev/shm /data /tmp; do
		grep -F " $target " <<<"$mounts" | grep -F "context=\"$label\"" || { echo "no label on $target"; return 1; }
	done
	engine exec labelled ls /tmp && says "$label" stat -c %C "$root/dev/mqueue"
}

# From here on the policy is in force. Images get the labels that it has for them where podman keeps them.
enforce()
{
	chcon -R -t container_ro_file_t "$D/root/overlay"
	mkdir -p "$D/own" "$D/foreign"
	echo mine >"$D/own/file"
	echo secret >"$D/foreign/file"
	chcon -t container_file_t "$D/foreign"
	chcon -t shadow_t "$D/foreign/file"
	dmesg --clear
	setenforce 1
}

# The root of a container may use what is its own, and neither files of another type nor those of another container.
volumes()
{
	says mine engine run --rm "$NETWORK" -v "$D/own:/own:Z" "$IMAGE" sh -c 'cat /own/file && echo new >/own/other' &&
		refuses 'ermission denied' engine run --rm "$NETWORK" -v "$D/foreign:/foreign" "$IMAGE" cat /foreign/file &&
		refuses 'ermission denied' engine run --rm "$NETWORK" -v "$D/own:/own" "$IMAGE" cat /own/file
}

run_selinux_cases()
{
	check selinux-enforced -- says Enforcing getenforce
	check selinux-container-type -- own_categories
	check selinux-exec -- with labelled -- exec_label
	check selinux-mount-label -- with labelled --tmpfs /data --security-opt mask=/tmp -- mount_labels
	run selinux-disable --security-opt label=disable "$IMAGE" sh -c "$LABEL; ! grep container_t /proc/self/attr/current"
	run_says selinux-type :spc_t:s0:c --security-opt label=type:spc_t "$IMAGE" sh -c "$LABEL"
	run_says selinux-level :container_t:s0:c100,c200 --security-opt label=level:s0:c100,c200 "$IMAGE" sh -c "$LABEL"
	check selinux-unknown-type -- refuses "SELinux knows no label 'system_u:system_r:nonesuch_t:s0:c" \
		engine run --rm "$NETWORK" --security-opt label=type:nonesuch_t "$IMAGE" true
	check selinux-volumes -- volumes
	check selinux-no-denial -- is_empty "$(dmesg | grep 'avc: *denied .* comm="kogg')"
	setenforce 0
}
