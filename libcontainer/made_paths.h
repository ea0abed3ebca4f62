/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a container's first process makes in the root file system (mount
 * points, devices, links, the working directory), and how a creation that
 * fails takes it back.
 *
 * The process tells of each as it makes it, with a descriptor of the directory
 * it is in: it may die any time, and later a path may mean something else. The
 * runtime removes them when the process, and with it the mounts on them, is
 * gone. A name is removed only where it stands for the very file that was made,
 * and that is still empty, so whoever shares the directory loses nothing of
 * his own. What is on a file system of the container's own is not told of, and
 * in a root that an earlier container has completed there is nothing to tell.
 *
 * The kernel takes away the mounts of others on a name that is removed
 * (unlink(2), rmdir(2), Linux 3.18): a container that shares the root and was
 * made meanwhile would lose the mount on a target that this one had made.
 */
#ifndef KOGG_LIBCONTAINER_MADE_PATHS_H
#define KOGG_LIBCONTAINER_MADE_PATHS_H

#include <stdbool.h>
#include <stddef.h>

#include "libcontainer/kernel/path_in_root.h"
#include "libcontainer/sync.h"

/* Each one kept costs the runtime a descriptor, of which it has about 1000. */
#define MADE_PATHS_MAX 256

struct made_paths {
	const int *socket;     /* the first process's end of the sync pair */
	bool becomes_readonly; /* the root, or a tmpfs on it, before everything is done */
	size_t count;
	size_t n_forgotten; /* beyond MADE_PATHS_MAX */
	struct made_path {
		int dir; /* O_PATH */
		struct sync_made made;
	} * items;
};

/* The first process's side: the witness that tells SOCKET. MADE must outlive it. */
struct path_witness made_paths_witness(struct made_paths *made);

/* The runtime's side: keeps what a SYNC_MADE said, and takes DIR_FD. */
int made_paths_keep(struct made_paths *made, const struct sync_made *item, int dir_fd,
	struct error *err) must_check;

/* Removes them, the last first; what can't be removed is a warning. */
void made_paths_remove(struct made_paths *made);

/* Lets go of them; what was made stays. */
void made_paths_release(struct made_paths *made);

#endif
