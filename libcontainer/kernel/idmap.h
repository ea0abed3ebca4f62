/* SPDX-License-Identifier: Apache-2.0 */
/*
 * User and group ID mappings of a user namespace (user_namespaces(7)).
 *
 * Kernel facility: /proc/PID/{uid_map,gid_map,setgroups}, newuidmap(1).
 * Knows nothing of containers or processes other than the one named.
 */
#ifndef KOGG_LIBCONTAINER_KERNEL_IDMAP_H
#define KOGG_LIBCONTAINER_KERNEL_IDMAP_H

#include <sys/types.h>

#include "base/error.h"
#include "libspec/spec_types.h"

/* Most ranges of one map that the kernel takes (Linux 4.15). */
#define IDMAP_RANGES_MAX 340

/*
 * Writes both maps of the user namespace that PID, a child of the caller, was
 * born in. The kernel takes a map only once and only whole. When it does not
 * take them from an unprivileged caller, newuidmap(1) and newgidmap(1) are
 * asked, or the caller's own single ID is mapped with setgroups denied. Errors
 * point at POINTER's members: "/linux" for /linux/uidMappings and gidMappings,
 * "/mounts/3" for those of a mount.
 */
int idmap_write(pid_t pid, const struct spec_id_mappings *uids, const struct spec_id_mappings *gids,
	const char *pointer, struct error *err) must_check;

/* The caller's number for the user that PID's user namespace knows as UID. */
int idmap_find_outer(pid_t pid, uid_t uid, uid_t *ret_uid, struct error *err) must_check;

#endif
