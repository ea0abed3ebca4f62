/* SPDX-License-Identifier: Apache-2.0 */
/*
 * linux.resources, each controller's part into the hierarchy that has it.
 *
 * Knows neither files nor formats.
 */
#ifndef KOGG_LIBCONTAINER_KERNEL_CGROUP_LIMITS_H
#define KOGG_LIBCONTAINER_KERNEL_CGROUP_LIMITS_H

#include "libcontainer/kernel/cgroup_journal.h"
#include "libcontainer/kernel/cgroup_layout.h"
#include "libspec/spec_resources.h"

/* Whether RESOURCES, which may be NULL, limit anything; device rules are not counted. */
bool cgroup_limits_are_any(const struct spec_resources *resources);

/*
 * Notes what RESOURCES need of groups that are yet to be made, and refuses
 * what no hierarchy of this host can do.
 */
int cgroup_limits_plan(struct cgroup *cgroup, const struct spec_resources *resources,
	struct error *err) must_check;

/*
 * The least task limit with which init can be born: a unit has a process already
 * that keeps it alive, and some containers' init is made by one of its own.
 */
int64_t cgroup_limits_first_tasks(const struct cgroup *cgroup);

/* Whether the task limit is below that, and so can only be written afterwards. */
bool cgroup_limits_is_late(const struct cgroup *cgroup, const struct spec_resources *resources);

/*
 * Writes all of them, memory last but for the unified ones; a task limit that
 * comes late as the least one.
 */
int cgroup_limits_write(struct cgroup *cgroup, const struct spec_resources *resources,
	struct error *err) must_check;

/*
 * The same for a group in use, for whose sake controllers are enabled if need
 * be. JOURNAL, which is for the caller to undo, is kept until one fails.
 */
int cgroup_limits_update(struct cgroup *cgroup, const struct spec_resources *resources,
	struct cgroup_journal *journal, struct error *err) must_check;

#endif
