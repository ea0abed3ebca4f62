/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Scope-bound ownership.
 *
 * A variable declared with one of these owns its resource until the end of
 * its block. take_fd() and take_ptr() move the resource out, to a caller or
 * into a longer-lived struct, and leave the variable empty.
 */
#ifndef KOGG_BASE_CLEANUP_H
#define KOGG_BASE_CLEANUP_H

#include <dirent.h>
#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

#define cleanup_free __attribute__((cleanup(free_at)))
#define cleanup_fd   __attribute__((cleanup(close_at)))
#define cleanup_dir  __attribute__((cleanup(closedir_at)))

static inline void free_at(void *owner)
{
	free(*(void **)owner);
}

/*
 * Keeps errno, so that an error path may end a scope before it reports.
 * Never retries: after EINTR Linux has already released the descriptor, and
 * a second close could hit one that another thread just opened (close(2)).
 */
static inline void close_at(int *owner)
{
	int saved_errno = errno;

	if (*owner >= 0)
		close(*owner);
	errno = saved_errno;
}

static inline void closedir_at(DIR **owner)
{
	int saved_errno = errno;

	if (*owner)
		closedir(*owner);
	errno = saved_errno;
}

static inline int take_fd(int *owner)
{
	int fd = *owner;

	*owner = -1;
	return fd;
}

/* Evaluates to the pointer's own type, so no cast hides a mistake. */
#define take_ptr(owner)                          \
	({                                       \
		__typeof__(owner) taken = owner; \
		owner = NULL;                    \
		taken;                           \
	})

#endif
