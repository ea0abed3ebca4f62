/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Which groups below the container's a further process goes to (cgroups(7)).
 *
 * Moves nothing.
 */
#ifndef KOGG_LIBCONTAINER_KERNEL_CGROUP_ENTRY_H
#define KOGG_LIBCONTAINER_KERNEL_CGROUP_ENTRY_H

#include "libcontainer/kernel/cgroup_layout.h"

/* WORD is "[CONTROLLER[,CONTROLLER...]:]PATH"; without controllers it is for all hierarchies. */
int cgroup_entry_choose(struct cgroup *cgroup, const char *word, struct error *err) must_check;

/* Takes the v2 group that PID is in. */
int cgroup_entry_follow(struct cgroup *cgroup, pid_t pid, struct error *err) must_check;

#endif
