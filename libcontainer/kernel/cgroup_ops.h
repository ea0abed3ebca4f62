/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What can be done with a container's group in one hierarchy, and is done
 * differently on v1 and v2.
 */
#ifndef KOGG_LIBCONTAINER_KERNEL_CGROUP_OPS_H
#define KOGG_LIBCONTAINER_KERNEL_CGROUP_OPS_H

#include "libcontainer/kernel/cgroup_layout.h"

struct cgroup_ops {
	/* Makes a group that was just created fit for processes. */
	int (*prepare)(struct cgroup *cgroup, struct cgroup_place *place, struct error *err);

	/* Opens what a new process needs to get in. */
	int (*open_entry)(struct cgroup_place *place, struct error *err);

	/* The caller, single-threaded, goes in by what open_entry() opened. */
	int (*enter)(const struct cgroup_place *place, struct error *err);

	/* Returns when the kernel has confirmed, or may leave some processes in each state. */
	int (*set_frozen)(struct cgroup_place *place, bool is_frozen, struct error *err);

	/* Whether a group is stopped, by itself or with one above. False where none can be. */
	bool (*is_frozen)(int dir_fd);

	/* Kills all processes in the group and below. */
	int (*kill)(struct cgroup_place *place, struct error *err);
};

/* How long the kernel may take to stop or resume all processes. */
#define CGROUP_FREEZE_TIMEOUT_MS 10000

#endif
