/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The mount type "cgroup" (config.md, "Mounts"; cgroups(7)), which stands for
 * what the host has: on a v2 host one cgroup2 mount, else a tmpfs with a
 * directory for each hierarchy, v2 at its name among them, and links from each
 * controller to the hierarchy it shares with others.
 *
 * What the container sees in each is its own group, as the root of a cgroup
 * namespace or as a bind, never the host's tree.
 */
#ifndef KOGG_LIBCONTAINER_KERNEL_CGROUP_MOUNT_H
#define KOGG_LIBCONTAINER_KERNEL_CGROUP_MOUNT_H

#include <stdbool.h>
#include <stddef.h>

#include "base/error.h"
#include "libcontainer/kernel/cgroup.h"
#include "libspec/mount_options.h"

struct cgroup_mount {
	const struct cgroup_hierarchy *hierarchies; /* none: no groups were made */
	size_t n_hierarchies;
	bool has_namespace;               /* the caller is in the container's cgroup namespace */
	const char *source;               /* as mountinfo will show it; NULL: "cgroup" */
	const char *label;                /* SELinux context of the tmpfs, or NULL */
	struct mount_attributes here;     /* of each mount */
	const struct spec_strings *words; /* options for the cgroup2 file system; may be NULL */
};

/*
 * Mounts all of that on the directory TARGET_FD. Where there is a tmpfs, it
 * stays writable and RET_TMPFS is its root, for the caller to own and to make
 * read-only in the end; else RET_TMPFS is -1. Without any hierarchy the groups are
 * the caller's, with a namespace of its own, or the host's tree: read-only.
 */
int cgroup_mount_make(const struct cgroup_mount *cgroup_mount, int target_fd, int *ret_tmpfs,
	struct error *err) must_check;

#endif
