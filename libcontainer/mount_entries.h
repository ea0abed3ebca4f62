/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Carrying out /mounts (config.md, "Mounts"): where each goes, of what kind it
 * is, and what must wait until the end.
 */
#ifndef KOGG_LIBCONTAINER_MOUNT_ENTRIES_H
#define KOGG_LIBCONTAINER_MOUNT_ENTRIES_H

#include <stdbool.h>

#include "libcontainer/kernel/mounts.h"
#include "libcontainer/mount_sources.h"
#include "libcontainer/rootfs_request.h"

/* A change that has to wait, and the mount it is for. */
struct mount_late {
	int fd;
	struct mounts_change change;
};

/* Zero is the empty value. */
struct mount_entries {
	const struct rootfs_request *request;
	struct mount_sources *sources;
	int root;                    /* borrowed */
	bool has_proc;               /* a procfs is at /proc */
	bool has_devpts;             /* a devpts is at /dev/pts */
	bool has_bound_dev;          /* /dev is a bind: then it is complete as it is */
	bool has_fleeting_dev;       /* /dev is a new tmpfs: what is made there goes with it */
	uint64_t dev_mount;          /* the new file system at /dev; 0: none, or not known */
	bool is_dev_unknown;         /* there is one, but statx(2) does not tell which */
	size_t current;              /* index of the entry that is being made */
	struct path_witness witness; /* of what is made for that */
	struct mount_late *late;
	size_t n_late;
};

/*
 * Mounts them all below the mount whose root is ROOT_FD, in order, and the
 * notify directory. The caller's umask is 0; its working directory is anywhere
 * afterwards. Errors point into /mounts.
 */
int mount_entries_make(struct mount_entries *entries, const struct rootfs_request *request,
	struct mount_sources *sources, int root_fd, struct error *err) must_check;

/* Makes read-only what had to stay writable until now: a tmpfs, and /dev. */
int mount_entries_make_readonly(struct mount_entries *entries, struct error *err) must_check;

/* Sets once more the propagation that mounts ask for, after that of the root was set on all. */
int mount_entries_propagate(struct mount_entries *entries, struct error *err) must_check;

void mount_entries_release(struct mount_entries *entries);

#endif
