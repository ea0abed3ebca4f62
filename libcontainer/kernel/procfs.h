/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Files in /proc, through a procfs that a container cannot shape (proc(5),
 * openat2(2)).
 *
 * A container's mounts may put another file system on /proc, or one of its
 * files over another (CVE-2019-16884, CVE-2025-52881). Here nothing is ever
 * opened by a path that starts at "/": a descriptor of a procfs of our own is
 * the start, and no symbolic link, magic link or mount point is crossed below
 * it.
 *
 * Knows nothing of what the files mean.
 */
#ifndef KOGG_LIBCONTAINER_KERNEL_PROCFS_H
#define KOGG_LIBCONTAINER_KERNEL_PROCFS_H

#include <stdbool.h>

#include "base/error.h"

struct procfs {
	int fd;          /* of its root; -1 until it is needed */
	bool is_private; /* nobody else can mount on it */
};

/* Nothing is opened yet. A struct of one process is of no use in another PID namespace. */
#define PROCFS_INIT       \
	{                 \
		-1, false \
	}

/*
 * Opens PATH, relative to the root of procfs: "sys/net/ipv4/ip_forward",
 * "thread-self/attr/exec", "self/oom_score_adj". Returns a close-on-exec
 * descriptor that the caller owns. The first call makes the handle, from
 * fsopen(2), or else from a clone of the caller's own /proc, or else from that
 * /proc itself; where it is not the first, it must precede the change of root.
 */
int procfs_open(struct procfs *procfs, const char *path, int flags, struct error *err) must_check;

/* Writes VALUE to an existing file with one write(2). */
int procfs_write(struct procfs *procfs, const char *path, const char *value, struct error *err)
	must_check;

/*
 * Uses MOUNT_FD, the root of a procfs that the caller has mounted himself, as
 * the handle. That saves a file system instance in the usual case; where
 * something else lies over a file, or the mount is read-only, procfs_open()
 * falls back on an instance of its own. Takes MOUNT_FD over.
 */
void procfs_adopt(struct procfs *procfs, int mount_fd);

void procfs_release(struct procfs *procfs);

#endif
