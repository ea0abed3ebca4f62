/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Groups in a v1 hierarchy (cgroups(7); Documentation/admin-guide/cgroup-v1/
 * cpusets.rst and freezer-subsystem.rst).
 *
 * Knows nothing of limits.
 */
#ifndef KOGG_LIBCONTAINER_KERNEL_CGROUP_V1_H
#define KOGG_LIBCONTAINER_KERNEL_CGROUP_V1_H

#include "libcontainer/kernel/cgroup_ops.h"

/* Freezing is for the place of the freezer controller only. */
extern const struct cgroup_ops cgroup_v1_ops;

#endif
