/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Copying a directory's contents into a file system that is about to cover it:
 * the mount option tmpcopyup.
 *
 * The contents are the image's: links are copied and never followed, nothing
 * but regular files and directories is opened. /proc has to be the host's.
 */
#ifndef KOGG_LIBCONTAINER_KERNEL_COPY_UP_H
#define KOGG_LIBCONTAINER_KERNEL_COPY_UP_H

#include "base/error.h"

/* Deepest tree, and most bytes of one extended attribute, that are copied. */
#define COPY_UP_DEPTH_MAX 64
#define COPY_UP_XATTR_MAX 65536

/*
 * Copies all that is in FROM_FD, which may be O_PATH, to the empty directory
 * TO_FD: modes, owners, times and extended attributes, hard links as separate
 * files. What other mounts hold is not copied. TO_FD itself gets of FROM_FD's mode,
 * user and group those that WANTED names: STATX_MODE, STATX_UID, STATX_GID. The
 * caller's umask is 0.
 */
int copy_up(int from_fd, int to_fd, unsigned wanted, struct error *err) must_check;

#endif
