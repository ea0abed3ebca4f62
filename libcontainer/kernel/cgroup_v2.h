/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Groups in the v2 hierarchy (cgroups(7); Documentation/admin-guide/
 * cgroup-v2.rst).
 *
 * Knows nothing of limits but which controllers they need.
 */
#ifndef KOGG_LIBCONTAINER_KERNEL_CGROUP_V2_H
#define KOGG_LIBCONTAINER_KERNEL_CGROUP_V2_H

#include "libcontainer/kernel/cgroup_ops.h"

extern const struct cgroup_ops cgroup_v2_ops;

/*
 * Turns the wanted controllers on for the group, from the hierarchy's root
 * down, where they are off. Statistics want some, too: those are turned on
 * where that is possible. The error names the ancestor that lacks one.
 */
int cgroup_v2_enable(const struct cgroup_place *place, const struct cgroup_wants *wants,
	struct error *err) must_check;

/*
 * Gives the group to a container that manages it itself (config-linux.md,
 * "Cgroup Ownership"): its directory and the files that the kernel lists in
 * /sys/kernel/cgroup/delegate. GID may be (gid_t)-1, for no change.
 */
int cgroup_v2_delegate(struct cgroup_place *place, uid_t uid, gid_t gid, struct error *err)
	must_check;

#endif
