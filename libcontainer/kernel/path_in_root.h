/* SPDX-License-Identifier: Apache-2.0 */
/* Opening paths that a container image controls. */
#ifndef KOGG_LIBCONTAINER_KERNEL_PATH_IN_ROOT_H
#define KOGG_LIBCONTAINER_KERNEL_PATH_IN_ROOT_H

#include "base/error.h"

/*
 * Opens PATH with ROOT_FD as "/": absolute symlinks and ".." stay below it.
 * Returns a descriptor that the caller owns.
 */
int path_open_in_root(int root_fd, const char *path, int flags, struct error *err) must_check;

#endif
