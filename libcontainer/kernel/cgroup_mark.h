/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Whose a group is, said by the group itself: an extended attribute (xattr(7)) of
 * its directory. A group that is there and empty may be taken by a container of
 * which the one that has left it knows nothing.
 *
 * Only root may set it, and nobody in a user namespace ("trusted"): what is in the
 * container does not get to say whose its group is.
 */
#ifndef KOGG_LIBCONTAINER_KERNEL_CGROUP_MARK_H
#define KOGG_LIBCONTAINER_KERNEL_CGROUP_MARK_H

#include <stdbool.h>

struct cgroup;

/* Longer ones are not set. */
#define CGROUP_MARK_MAX 64

/* Says that the group is OWNER's from now on. Without the right to, it stays as it is. */
void cgroup_mark_set(struct cgroup *cgroup, const char *owner);

/* Whether the group says that it is another's. One that says nothing is not. */
bool cgroup_mark_is_foreign(struct cgroup *cgroup, const char *owner);

#endif
