/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Views of the host's control groups for tests, and groups in them. A view is
 * a mount namespace of the test's own process; groups lie below
 * /kogg-test-cgroup-PID, and the test removes them.
 */
#ifndef KOGG_LIBCONTAINER_KERNEL_TESTS_CGROUP_VIEW_H
#define KOGG_LIBCONTAINER_KERNEL_TESTS_CGROUP_VIEW_H

#include <stdbool.h>
#include <sys/types.h>

#include "libcontainer/kernel/cgroup.h"

enum cgroup_view {
	CGROUP_VIEW_HOST,
	CGROUP_VIEW_V2, /* nothing but cgroup2 at /sys/fs/cgroup */
	CGROUP_VIEWS,
};

/* Why the tests can't be run here, or NULL. */
const char *cgroup_view_obstacle(void);

void cgroup_view_enter(enum cgroup_view view);

/* Whether the present one has nothing but cgroup2. */
bool cgroup_view_is_pure_v2(void);

/* "/kogg-test-cgroup-PID/NAME", static. */
const char *cgroup_view_path(const char *name);

/* The path of FILE ("": the group) where CONTROLLER is; false without it. Static. */
bool cgroup_view_file(
	struct cgroup *cgroup, const char *controller, const char *file, const char **ret_path);

/* A child in the group that runs RUN, by the way that a container's init takes. */
pid_t cgroup_view_spawn(struct cgroup *cgroup, void (*run)(void));

/* Fails the test if a group of it is left in any hierarchy. */
void cgroup_view_assert_clean(void);

#endif
