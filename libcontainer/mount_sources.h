/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What bind mounts and the root show: clones of the host's mounts, opened when
 * and where they can be.
 *
 * Usually that is in the container's new mount namespace, one after the other
 * as they are attached. There are three exceptions. What is ID-mapped is opened
 * in the parent, for the mapping. What shall stay a peer of the host's mount is
 * opened in the child before its namespace is cut off from the host's. And what
 * the mapped root of a user namespace may not open or map, the parent opens in
 * the child's mount namespace, where what is to stay as the host has it is
 * locked.
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

/* In the parent before the birth: ID-mapped ones, without a user namespace. */
int mount_sources_open_mapped(struct mount_sources *sources, const struct rootfs_request *request,
	struct error *err) must_check;

/* In the child, before root_switch_isolate(): those that stay connected to the host. */
int mount_sources_open_peers(struct mount_sources *sources, const struct rootfs_request *request,
	struct error *err) must_check;

/*
 * With a user namespace and a mount namespace of its own: asks the runtime for
 * all. In the child, after root_switch_isolate().
 */
int mount_sources_ask(struct mount_sources *sources, const struct rootfs_request *request,
	struct error *err) must_check;

/*
 * In the parent, when the child has asked: opens them in NAMESPACE_FD, the child's
 * mount namespace, and sends them to SOCKET. Sends none when it may not, as when it
 * is not root, or has no namespace to open them in (-1): the child tries then.
 */
int mount_sources_serve(const struct rootfs_request *request, int namespace_fd, int socket,
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
