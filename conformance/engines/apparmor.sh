# shellcheck shell=bash
# SPDX-License-Identifier: Apache-2.0
# Sourced by run.sh where AppArmor is in force: what engines do with it. podman and docker define engine(), remove(),
# IMAGE, NETWORK, APPARMOR_DEFAULT (a pattern for the profile that the engine brings) and APPARMOR_MISSING (what is said
# of one that isn't there).

export PROFILE=/proc/self/attr/current

# A profile that denies one file.
load_profile()
{
	apparmor_parser -r <<-'EOF' && grep '^kogg-own (enforce)' /sys/kernel/security/apparmor/profiles
	profile kogg-own flags=(attach_disconnected,mediate_deleted) {
	  file, capability, network, mount, umount, signal, ptrace, unix,
	  deny /etc/passwd rwklx,
	}
	EOF
}

run_apparmor_cases()
{
	# shellcheck disable=SC2153 # the engine's
	local default="grep '^$APPARMOR_DEFAULT (enforce)' $PROFILE"
	run apparmor-default --cap-add SYS_ADMIN "$IMAGE" sh -c "$default && ! mount -t tmpfs x /tmp"
	check apparmor-exec -- with confined -- engine exec confined sh -c "$default"
	run apparmor-no-new-privileges --user 1000 --security-opt no-new-privileges "$IMAGE" sh -c "$default"
	run_says apparmor-privileged unconfined --privileged "$IMAGE" cat $PROFILE
	run apparmor-unconfined --security-opt apparmor=unconfined --cap-add SYS_ADMIN "$IMAGE" \
		sh -c "grep unconfined $PROFILE && mount -t tmpfs x /tmp"
	check apparmor-load -- load_profile
	run_says apparmor-own 'kogg-own (enforce)' --security-opt apparmor=kogg-own "$IMAGE" sh -c \
		"cat $PROFILE /etc/group && ! cat /etc/passwd"
	check apparmor-own-exec -- with owned --security-opt apparmor=kogg-own -- \
		refuses 'Permission denied' engine exec owned cat /etc/passwd
	check apparmor-missing -- refuses "$APPARMOR_MISSING" \
		engine run --rm "$NETWORK" --security-opt apparmor=kogg-nonesuch "$IMAGE" true
}
