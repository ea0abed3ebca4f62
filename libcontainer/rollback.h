/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What must be undone when an operation fails halfway.
 *
 * Whatever is made outside the calling process (a directory, a cgroup, a
 * child) is pushed when it is there; rollback_run() undoes the last first,
 * unless rollback_commit() came before. An undo step that fails can only warn:
 * the error that led here is the one to tell.
 */
#ifndef KOGG_LIBCONTAINER_ROLLBACK_H
#define KOGG_LIBCONTAINER_ROLLBACK_H

#include <stddef.h>

#define ROLLBACK_MAX 16

struct rollback {
	size_t count;
	struct rollback_step {
		void (*undo)(void *context);
		void *context;
	} steps[ROLLBACK_MAX];
};

#define cleanup_rollback __attribute__((cleanup(rollback_run)))

/* CONTEXT is borrowed and must outlive the rollback. */
void rollback_push(struct rollback *rollback, void (*undo)(void *context), void *context);
void rollback_commit(struct rollback *rollback);
void rollback_run(struct rollback *rollback);

#endif
