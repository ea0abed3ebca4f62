/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The container's file system, in the order in which its parts depend on each
 * other (config.md, "Root", "Mounts"; config-linux.md).
 *
 * In the child, after it is in its namespaces (the cgroup namespace too):
 *
 *   rootfs_prepare      propagation, root, mounts, devices, links
 *   (hooks)
 *   rootfs_bind_console only with a terminal
 *   rootfs_hide         the working directory; read-only and masked paths, what had to stay
 *                       writable till now
 *   rootfs_switch       the root becomes "/"
 *
 * rootfs_hide() comes before rootfs_switch() so that all mounting is done while
 * /proc and /dev of the host are still at hand, and by descriptors alone.
 */
#ifndef KOGG_LIBCONTAINER_ROOTFS_H
#define KOGG_LIBCONTAINER_ROOTFS_H

#include "base/error.h"
#include "libcontainer/kernel/procfs.h"
#include "libcontainer/mount_entries.h"
#include "libcontainer/mount_sources.h"
#include "libcontainer/rootfs_request.h"

/* What is open between the steps. Start with ROOTFS_INIT. */
struct rootfs {
	const struct rootfs_request *request;
	int root;             /* O_PATH, the container's "/"; valid from rootfs_prepare() on */
	struct procfs procfs; /* for the caller's use, too */
	struct mount_sources sources;
	struct mount_entries mounts;
};

#define ROOTFS_INIT                               \
	{                                         \
		.root = -1, .procfs = PROCFS_INIT \
	}

/*
 * In the parent, before it clones the child: opens and maps the sources of
 * ID-mapped mounts, which the child inherits with ROOTFS, all close-on-exec. The
 * parent calls rootfs_release() once the child runs. REQUEST must outlive ROOTFS.
 */
int rootfs_open_mapped(
	struct rootfs *rootfs, const struct rootfs_request *request, struct error *err) must_check;

/*
 * Makes the whole tree: /mounts in their order, then the devices and links in
 * /dev. Leaves umask(2) as it was and the working
 * directory anywhere.
 */
int rootfs_prepare(struct rootfs *rootfs, const struct rootfs_request *request, struct error *err)
	must_check;

/*
 * Binds a pseudoterminal's slave on /dev/console. SLAVE_FD must be of a devpts
 * mounted in this mount namespace: open it below rootfs->root.
 */
int rootfs_bind_console(struct rootfs *rootfs, int slave_fd, struct error *err) must_check;

/*
 * Makes the working directory if it is missing; then, with a mount namespace, hides
 * masked paths and makes read-only what is to be so, the root as the last.
 */
int rootfs_hide(struct rootfs *rootfs, struct error *err) must_check;

/*
 * pivot_root(2), or with no_pivot MS_MOVE and chroot(2), or without a mount
 * namespace chroot(2) alone; then linux.rootfsPropagation. The working
 * directory is "/" afterwards and nothing of the old root is reachable.
 */
int rootfs_switch(struct rootfs *rootfs, struct error *err) must_check;

/* Closes what is open; what was mounted stays. */
void rootfs_release(struct rootfs *rootfs);

#endif
