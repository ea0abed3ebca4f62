/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Making a directory the root of a process (pivot_root(2), mount_namespaces(7)).
 *
 * Knows nothing of what is mounted below it.
 */
#ifndef KOGG_LIBCONTAINER_KERNEL_ROOT_SWITCH_H
#define KOGG_LIBCONTAINER_KERNEL_ROOT_SWITCH_H

#include "base/error.h"

/*
 * Makes every mount of the caller's namespace a slave of the host's, or private,
 * as PROPAGATION says: what is mounted from here on stays inside, and no mount
 * on the way to the new root is shared, which pivot_root(2) would refuse.
 */
int root_switch_isolate(unsigned long propagation, struct error *err) must_check;

/*
 * Makes the mount whose root is ROOT_FD the root of the namespace and detaches
 * the old one. The mount is not shared, and attached. The working directory is
 * "/" afterwards, as in the two below.
 */
int root_switch_pivot(int root_fd, struct error *err) must_check;

/*
 * For a root that can't be pivoted away, as an initramfs: moves the mount over
 * "/" and changes root. The old mounts stay below it, so those of procfs and
 * sysfs, by which a nested user namespace could get rid of masks, are taken
 * away or covered first. PATH is where ROOT_FD lies in the old root.
 */
int root_switch_move(int root_fd, const char *path, struct error *err) must_check;

/* chroot(2) alone: no mount namespace, so nothing is hidden from CAP_SYS_CHROOT. */
int root_switch_chroot(int root_fd, struct error *err) must_check;

#endif
