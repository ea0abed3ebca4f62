/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The places in a container's root where something may be mounted, and those
 * where nothing may: "/" itself, and /proc and what is below it, which the
 * runtime and the container's security depend on (CVE-2019-16884,
 * CVE-2019-19921, CVE-2023-28642).
 */
#ifndef KOGG_LIBCONTAINER_KERNEL_MOUNT_TARGET_H
#define KOGG_LIBCONTAINER_KERNEL_MOUNT_TARGET_H

#include <stdbool.h>
#include <sys/types.h>

#include "base/error.h"
#include "libcontainer/kernel/path_in_root.h"

/* Where a mount is to go. */
struct mount_place {
	int root;         /* descriptor of the container's "/" */
	const char *path; /* in there */
	mode_t type;      /* made as this when missing: S_IFDIR, S_IFREG */
	bool may_have_links;
	const struct path_witness *witness;      /* of what is made; may be NULL */
	const struct path_witness *link_witness; /* of what is made where links have led */
};

struct mount_target {
	int fd;       /* O_PATH */
	bool is_new;  /* was made for this mount */
	bool is_proc; /* is /proc, and not below it */
};

#define MOUNT_TARGET_CLOSED \
	{                   \
		.fd = -1    \
	}

#define cleanup_target __attribute__((cleanup(mount_target_close)))

/*
 * Opens PLACE, made when missing. Refuses the root, and what is below /proc but
 * for the few files that lxcfs provides, however links and ".." lead there. To
 * /dev, /proc and /sys no link is followed, nor below the latter two, but for
 * those on a mount that is on /sys. Where a link leads nowhere, that is made,
 * but not below /proc and /sys.
 */
int mount_target_open(const struct mount_place *place, struct mount_target *ret_target,
	struct error *err) must_check;

/* Fails when TARGET is /proc and SOURCE_FD (-1: something new) is not the root of a procfs. */
int mount_target_check_proc(const struct mount_target *target, int source_fd, struct error *err)
	must_check;

void mount_target_close(struct mount_target *target);

#endif
