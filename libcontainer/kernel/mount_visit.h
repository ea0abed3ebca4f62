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

#include "base/error.h"

/* Where the visitor comes from. */
struct mount_visit {
	int namespace_fd, directory;
};

/*
 * Enters the mount namespace NAMESPACE_FD, at its root. The caller has one thread
 * and shares its directories with nobody (CLONE_FS). Returns 1 when it has no
 * right to, or a root directory that is not its namespace's: paths would mean
 * something else there. Then, and on failure, nothing is changed; otherwise
 * mount_visit_end() must follow.
 */
int mount_visit_begin(struct mount_visit *ret_visit, int namespace_fd, struct error *err)
	must_check;

/* Comes back, to the working directory, too. */
int mount_visit_end(struct mount_visit *visit, struct error *err) must_check;

#endif
