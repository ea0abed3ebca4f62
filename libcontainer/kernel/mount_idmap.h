/* SPDX-License-Identifier: Apache-2.0 */
/*
 * ID-mapped mounts (mount_setattr(2), MOUNT_ATTR_IDMAP, Linux 5.12).
 *
 * The kernel takes the mapping from a user namespace, so one is made for it by
 * a process that lives no longer than that takes. Both need rights over the
 * host's mounts: they are for the parent, before it clones the container.
 */
#ifndef KOGG_LIBCONTAINER_KERNEL_MOUNT_IDMAP_H
#define KOGG_LIBCONTAINER_KERNEL_MOUNT_IDMAP_H

#include <stdbool.h>

#include "base/error.h"
#include "libspec/spec_types.h"

/*
 * Makes a user namespace with these mappings. Returns a descriptor of it, which
 * the caller owns. Errors point at POINTER's members (idmap_write()).
 */
int mount_idmap_open_namespace(const struct spec_id_mappings *uids,
	const struct spec_id_mappings *gids, const char *pointer, struct error *err) must_check;

/*
 * Maps the detached clone TREE_FD, with all mounts below it if IS_RECURSIVE.
 * The error names the file system when it is one that can't be mapped.
 */
int mount_idmap_apply(int tree_fd, int namespace_fd, bool is_recursive, struct error *err)
	must_check;

#endif
