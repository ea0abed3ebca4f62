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
	bool is_private; /* an instance of our own, on which nobody can mount */
};

/* Nothing is opened yet. */
#define PROCFS_INIT       \
	{                 \
		-1, false \
	}

/*
 * Opens PATH, relative to the root of procfs: "sys/net/ipv4/ip_forward",
 * "thread-self/attr/exec", "self/oom_score_adj", "17/uid_map". Returns a
 * close-on-exec descriptor that the caller owns.
 *
 * The first call makes the handle: the caller's /proc, where that is the root
 * of a procfs, for a private instance costs the kernel an RCU grace period
 * when it goes. Where a mount lies in the way or /proc is read-only, a private
 * instance is made after all (fsopen(2), or a clone of /proc).
 */
int procfs_open(struct procfs *procfs, const char *path, int flags, struct error *err) must_check;

/*
 * Makes the handle now, while /proc is the host's: for those who will need it
 * after a change of root or mount namespace.
 */
int procfs_prepare(struct procfs *procfs, struct error *err) must_check;

/* Writes VALUE to an existing file with one write(2). */
int procfs_write(struct procfs *procfs, const char *path, const char *value, struct error *err)
	must_check;

void procfs_release(struct procfs *procfs);

#endif
