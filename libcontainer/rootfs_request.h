/* SPDX-License-Identifier: Apache-2.0 */
/* What the container's file system is made from; see rootfs.h. */
#ifndef KOGG_LIBCONTAINER_ROOTFS_REQUEST_H
#define KOGG_LIBCONTAINER_ROOTFS_REQUEST_H

#include <stdbool.h>
#include <stddef.h>

#include "libcontainer/kernel/cgroup.h"
#include "libcontainer/kernel/path_in_root.h"
#include "libcontainer/network.h"
#include "libspec/spec.h"

struct rootfs_request {
	const struct spec *spec;
	const char *path;            /* absolute host path of the root directory */
	const char *bundle;          /* absolute; relative bind sources count from it */
	bool has_mount_namespace;    /* a new or joined one; else chroot(2) only and no mounts */
	bool is_mount_namespace_new; /* false: joined */
	bool no_pivot;
	bool in_user_namespace;    /* devices by bind then; mknod(2) is not possible */
	bool has_cgroup_namespace; /* a new one, or one to join that is not the host's */
	const struct cgroup_hierarchy *hierarchies; /* of the container's groups; may be NULL */
	size_t n_hierarchies;
	const char *notify_dir; /* host directory to bind read-only at /run/notify; NULL: none */
	const struct path_witness *witness; /* of what is made and outlives the container */
	const int *sync;                    /* the pair of sync_open() */
	struct network *network;            /* to be joined on the way; or NULL */
};

#endif
