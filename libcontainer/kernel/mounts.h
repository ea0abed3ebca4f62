/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Mounts, cloned, attached and altered by descriptor (open_tree(2),
 * move_mount(2), mount_setattr(2)). New file systems are filesystem's.
 *
 * open_tree(2), move_mount(2) or mount_setattr(2) may be missing (the latter
 * before Linux 5.12, any of them by a sandbox's filter); then mount(2) is given
 * /proc/thread-self/fd/N. That is safe as long as /proc is the host's, so all
 * of this must happen before the root is changed.
 *
 * A clone that is closed without having been attached costs the kernel an RCU
 * grace period: clone only what will be attached.
 */
#ifndef KOGG_LIBCONTAINER_KERNEL_MOUNTS_H
#define KOGG_LIBCONTAINER_KERNEL_MOUNTS_H

#include <stdbool.h>
#include <stdint.h>

#include "base/error.h"
#include "libspec/mount_options.h"

/* What may be attached: a clone, or where the kernel has none, the source itself. */
struct mounts_tree {
	int fd;
	bool is_clone;
	bool is_recursive;
};

#define MOUNTS_NO_TREE   \
	{                \
		.fd = -1 \
	}

#define cleanup_tree __attribute__((cleanup(mounts_tree_close)))

/*
 * Clones the mount at PATH from DIR_FD down, with the mounts below it if
 * IS_RECURSIVE; "" is DIR_FD itself. Leaves errno for callers that explain a
 * missing source.
 */
int mounts_clone(int dir_fd, const char *path, bool is_recursive, struct mounts_tree *ret_tree)
	must_check;

/*
 * Attaches TREE to TARGET_FD. Afterwards tree->fd is the root of the mount. -1
 * and errno: ENOTDIR when one is a directory and the other is not.
 */
int mounts_attach(struct mounts_tree *tree, int target_fd) must_check;

/* The same for a mount that filesystem_open() made. */
int mounts_attach_fd(int mount_fd, int target_fd) must_check;

/* Clones SOURCE_FD, alone or with all below it, and attaches the clone to TARGET_FD. */
int mounts_bind(int source_fd, int target_fd, bool is_recursive, struct mounts_tree *ret_tree)
	must_check;

/*
 * Opens the mount that processes find where MOUNT_FD, the root of a mount, is:
 * that itself, or a clone that covers it. -1 and errno when it is neither, or
 * nothing can be found there any more.
 */
int mounts_open_top(int mount_fd) must_check;

/* What mounts_alter() does; a propagation of 0 leaves that alone. */
struct mounts_change {
	struct mount_attributes attributes;
	unsigned long propagation; /* MS_SHARED, MS_SLAVE, MS_PRIVATE or MS_UNBINDABLE */
	bool is_recursive;         /* of all mounts below, too */
};

/* Changes an attached mount, or a clone where mount_setattr(2) is there. */
int mounts_alter(int mount_fd, const struct mounts_change *change, struct error *err) must_check;

/* MOUNT_ATTR_* as the flags of mount(2) that mean the same. */
unsigned long mounts_flags_of_attributes(uint64_t attributes);

/* The attributes of the mount that FD is on. -1 and errno on failure. */
int mounts_read_attributes(int fd, uint64_t *ret_attributes) must_check;

/* Room for a descriptor's path, "/proc/thread-self/fd/2147483647". */
#define MOUNTS_FD_PATH_MAX 40

/* The path by which mount(2) takes FD, as long as /proc is the host's. */
void mounts_path_of_fd(int fd, char ret_path[static MOUNTS_FD_PATH_MAX]);

/* Whether ERRNO says that a system call is not there: by the kernel, or by a sandbox. */
bool mounts_is_call_missing(int sys_errno);

void mounts_tree_close(struct mounts_tree *tree);

#endif
