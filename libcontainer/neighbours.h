/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Other containers in the cgroup of one that has stopped: create takes a group
 * that is there and empty, so whoever names it in his config gets it next.
 */
#ifndef KOGG_LIBCONTAINER_NEIGHBOURS_H
#define KOGG_LIBCONTAINER_NEIGHBOURS_H

#include "base/error.h"
#include "libcontainer/handle.h"

/* Says in CGROUP that it is of the container of DIR. */
void neighbours_mark(const struct state_dir *dir, struct cgroup *cgroup);

/*
 * Fails when one that lives is in the group of HANDLE, or below: that group is not
 * to be killed. Those of other roots show by the mark of the group itself.
 */
int neighbours_check(const struct handle *handle, const struct runtime *runtime, struct error *err)
	must_check;

#endif
