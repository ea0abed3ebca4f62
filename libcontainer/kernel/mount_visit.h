/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A stay in the mount namespace of another process (setns(2)).
 *
 * What the kernel locks in the mounts of a user namespace, it locks when they
 * are copied for that (mount_namespaces(7), "Restrictions"). Clones of the
 * host's own mounts would bring none of it along: they have to be of the copies,
 * made by one who may reach them.
 */
#ifndef KOGG_LIBCONTAINER_KERNEL_MOUNT_VISIT_H
#define KOGG_LIBCONTAINER_KERNEL_MOUNT_VISIT_H

#include <sys/types.h>

#include "base/error.h"

/* Where the visitor comes from. */
struct mount_visit {
	int namespace_fd, root, directory;
};

/*
 * Enters the mount namespace of the process PID, a child that is not reaped yet,
 * with that one's root directory. The caller has one thread and shares its
 * directories with nobody (CLONE_FS). Returns 1 when the caller has no right to,
 * and on failure nothing is changed; otherwise mount_visit_end() must follow.
 */
int mount_visit_begin(struct mount_visit *ret_visit, pid_t pid, struct error *err) must_check;

/* Comes back, root and working directory as before. */
int mount_visit_end(struct mount_visit *visit, struct error *err) must_check;

#endif
