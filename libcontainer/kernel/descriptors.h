/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Which descriptors the container's process gets (close_range(2)).
 *
 * No descriptor of the host may reach it: through one to a directory it could
 * walk out of its root (CVE-2024-21626).
 */
#ifndef KOGG_LIBCONTAINER_KERNEL_DESCRIPTORS_H
#define KOGG_LIBCONTAINER_KERNEL_DESCRIPTORS_H

#include <stddef.h>

#include "base/error.h"

/* The first descriptor that is not one of standard input, output and error. */
#define DESCRIPTORS_FIRST 3U

/* Most that --preserve-fds may name. */
#define DESCRIPTORS_PRESERVED_MAX 1024U

/*
 * Fails unless COUNT descriptors from DESCRIPTORS_FIRST on are open, and the
 * caller's caller's: one of this program's own, as of its log, is none.
 */
int descriptors_check_preserved(unsigned count, struct error *err) must_check;

/* Has all descriptors from FIRST on close at execve(2). */
int descriptors_mark_from(unsigned first, struct error *err) must_check;

/*
 * Closes all descriptors from FIRST on, but for the COUNT of KEEP, which may
 * be in any order and hold -1 and numbers below FIRST.
 */
int descriptors_close_from(unsigned first, const int *keep, size_t count, struct error *err)
	must_check;

#endif
