/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Values on their way into the files of one controller.
 *
 * Some files bound each other (quota and burst, limit and limit with swap), so
 * the order that works depends on what they hold: what the kernel refuses as
 * invalid is tried again after the others.
 */
#ifndef KOGG_LIBCONTAINER_KERNEL_CGROUP_BATCH_H
#define KOGG_LIBCONTAINER_KERNEL_CGROUP_BATCH_H

#include <stdbool.h>
#include <stddef.h>

#include "base/arena.h"
#include "base/error.h"
#include "libcontainer/kernel/cgroup_journal.h"
#include "libcontainer/kernel/cgroup_layout.h"

struct cgroup_write {
	const char *member; /* of linux.resources: "/memory/limit" */
	const char *file;
	const char *value;
	const char *other_file;  /* to use where FILE is missing, or NULL */
	const char *other_value; /* NULL: VALUE */
	const char *hint;        /* why no file may be there, or NULL */
	bool may_be_missing;     /* where there is no file, the kernel does this anyway */
	bool is_done;
};

struct cgroup_batch {
	struct cgroup_write *items;
	size_t count, capacity;
	bool has_failed;
	struct cgroup_journal
		*journal; /* of a group in use, whose present values matter; or NULL */
	struct arena arena;
};

#define cleanup_batch __attribute__((cleanup(cgroup_batch_release)))

/* Whether there is nothing to write. One that lacks memory is not empty: writing it fails. */
static inline bool cgroup_batch_is_empty(const struct cgroup_batch *batch)
{
	return !batch->count && !batch->has_failed;
}

void cgroup_batch_release(struct cgroup_batch *batch);

/* Adds a copy of WRITE. Its strings must outlive the batch. */
void cgroup_batch_add(struct cgroup_batch *batch, const struct cgroup_write *write);

/* A string that lives as long as the batch, for use in a struct cgroup_write. */
const char *cgroup_batch_format(struct cgroup_batch *batch, const char *fmt, ...) printf_like(2, 3);

/* The pointer of member NAME of the object at pointer OBJECT, as long-lived. */
const char *cgroup_batch_join(struct cgroup_batch *batch, const char *object, const char *name);

/*
 * Writes all of it, and keeps its journal, if there is one; what is written when
 * a write fails stays. The first value that the kernel does not take is the
 * error, with PREFIX and its member as the JSON pointer.
 */
int cgroup_batch_write(struct cgroup_batch *batch, struct cgroup_place *place, const char *prefix,
	struct error *err) must_check;

#endif
