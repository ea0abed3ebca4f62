/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The directory of a container's group in one hierarchy: made with its
 * parents, opened, removed (mkdir(2) and rmdir(2) as cgroups(7) has them).
 *
 * The same for v1 and v2; knows no controller's files.
 */
#ifndef KOGG_LIBCONTAINER_KERNEL_CGROUP_PLACE_H
#define KOGG_LIBCONTAINER_KERNEL_CGROUP_PLACE_H

#include "libcontainer/kernel/cgroup_layout.h"

/* Room for a mount and a path in it. */
#define CGROUP_FULL_PATH_MAX (CGROUP_PATH_MAX + 512)

/* The group's absolute path, without the last UP components. */
void cgroup_place_full_path(
	const struct cgroup_place *place, unsigned up, char ret_path[static CGROUP_FULL_PATH_MAX]);

/* The number of components in the group's path. */
unsigned cgroup_place_depth(const struct cgroup_place *place);

/* A borrowed descriptor (O_PATH) for the group, opened at the first call. */
int cgroup_place_open(struct cgroup_place *place, struct error *err) must_check;

/* Whether the group's directory is there. */
bool cgroup_place_exists(const struct cgroup_place *place);

/*
 * Makes the group with the parents that it lacks, and sets .made and .is_new
 * accordingly. On failure what was made is removed. Without the right to make it, the error's kind
 * is ERROR_UNSUPPORTED.
 */
int cgroup_place_make(struct cgroup_place *place, struct error *err) must_check;

/* Removes those parents of the group that are the container's own and empty. */
void cgroup_place_remove_parents(const struct cgroup_place *place);

#endif
