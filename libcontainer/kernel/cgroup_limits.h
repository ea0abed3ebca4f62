/* SPDX-License-Identifier: Apache-2.0 */
/*
 * linux.resources, each controller's part into the hierarchy that has it.
 *
 * Knows neither files nor formats.
 */
#ifndef KOGG_LIBCONTAINER_KERNEL_CGROUP_LIMITS_H
#define KOGG_LIBCONTAINER_KERNEL_CGROUP_LIMITS_H

#include "libcontainer/kernel/cgroup_layout.h"
#include "libspec/spec_resources.h"

/*
 * Notes what RESOURCES need of groups that are yet to be made, and refuses
 * what no hierarchy of this host can do.
 */
int cgroup_limits_plan(struct cgroup *cgroup, const struct spec_resources *resources,
	struct error *err) must_check;

/*
 * Writes all of them, memory last but for the unified ones; for a new group a
 * task limit of 0, with which nothing could be born in it, as 1.
 */
int cgroup_limits_write(struct cgroup *cgroup, const struct spec_resources *resources,
	struct error *err) must_check;

/* The same for a group in use, for whose sake controllers are enabled if need be. */
int cgroup_limits_update(struct cgroup *cgroup, const struct spec_resources *resources,
	struct error *err) must_check;

#endif
