/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What bind mounts and the root show: clones of the host's mounts, opened when
 * and where they can be.
 *
 * Usually that is in the container's new mount namespace, one after the other
 * as they are attached. It is earlier for two kinds. In the parent, what the
 * mapped root of a user namespace may not open or map. In the child before its
 * namespace is cut off from the host's, what shall stay a peer of the host's
 * mount.
 */
#ifndef KOGG_LIBCONTAINER_MOUNT_SOURCES_H
#define KOGG_LIBCONTAINER_MOUNT_SOURCES_H

#include "libcontainer/kernel/mounts.h"
#include "libcontainer/rootfs_request.h"

/* Zero is the empty value. */
struct mount_sources {
	int *fds; /* clones; -1 where none was opened early. NULL: none at all */
	size_t count;
};

/* The sources are the bind mounts of /mounts by their index, and two more. */
size_t mount_sources_root(const struct rootfs_request *request);
size_t mount_sources_notify(const struct rootfs_request *request);

/* In the parent: those for which the child may lack the rights. */
int mount_sources_open_in_parent(struct mount_sources *sources,
	const struct rootfs_request *request, struct error *err) must_check;

/* In the child, before root_switch_isolate(): those that stay connected to the host. */
int mount_sources_open_peers(struct mount_sources *sources, const struct rootfs_request *request,
	struct error *err) must_check;

/*
 * Gives source INDEX to the caller, as opened early or opened now. The error
 * names the component that is missing.
 */
int mount_sources_take(struct mount_sources *sources, const struct rootfs_request *request,
	size_t index, struct mounts_tree *ret_tree, struct error *err) must_check;

/* What the mounts of the host become in the container: MS_PRIVATE or MS_SLAVE. */
unsigned long mount_sources_isolation(const struct rootfs_request *request);

void mount_sources_release(struct mount_sources *sources);

#endif
