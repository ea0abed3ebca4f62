/* SPDX-License-Identifier: Apache-2.0 */
#include "libcontainer/kernel/cgroup_batch.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "libcontainer/kernel/cgroup_file.h"
#include "libcontainer/kernel/cgroup_place.h"
#include "libspec/json_path.h"

void cgroup_batch_release(struct cgroup_batch *batch)
{
	free(batch->items);
	arena_release(&batch->arena);
	*batch = (struct cgroup_batch){ 0 };
}

void cgroup_batch_add(struct cgroup_batch *batch, const struct cgroup_write *write)
{
	if (batch->count == batch->capacity) {
		size_t capacity = batch->capacity ? batch->capacity * 2 : 16;
		struct cgroup_write *items = reallocarray(batch->items, capacity, sizeof(*items));

		if (!items) {
			batch->has_failed = true;
			return;
		}
		batch->items = items;
		batch->capacity = capacity;
	}
	batch->items[batch->count++] = *write;
}

const char *cgroup_batch_format(struct cgroup_batch *batch, const char *fmt, ...)
{
	cleanup_free char *value = NULL;
	char *copy = NULL;
	va_list args;

	va_start(args, fmt);
	if (vasprintf(&value, fmt, args) < 0)
		value = NULL;
	va_end(args);
	if (value)
		copy = arena_copy(&batch->arena, value);
	batch->has_failed |= !copy;
	return copy ?: "";
}

const char *cgroup_batch_join(struct cgroup_batch *batch, const char *object, const char *name)
{
	char pointer[sizeof(((struct error *)NULL)->pointer)];

	json_path_join(object, name, pointer, sizeof(pointer));
	return cgroup_batch_format(batch, "%s", pointer);
}

static int write_file(struct cgroup_journal *journal, int dir_fd, const char *file,
	const char *value, struct error *err)
{
	return journal ? cgroup_journal_write(journal, dir_fd, file, value, err)
		       : cgroup_file_write(dir_fd, file, value, err);
}

/* Writes to the first of the two files that is there. */
static int write_one(struct cgroup_journal *journal, int dir_fd, const struct cgroup_write *write,
	struct error *err)
{
	struct error failure = { 0 };

	if (write_file(journal, dir_fd, write->file, write->value, &failure) == 0)
		return 0;
	if (failure.sys_errno == ENOENT && write->other_file) {
		failure = (struct error){ 0 };
		if (write_file(journal, dir_fd, write->other_file,
			    write->other_value ?: write->value, &failure) == 0)
			return 0;
	}
	*err = failure;
	return -1;
}

/* What the kernel says EINVAL or ERANGE to does not say what it takes. */
static const struct {
	const char *file;
	const char *takes;
} ranges[] = {
	{ "cpu.cfs_burst_us", "it takes at most the quota, and without a quota none" },
	{ "cpu.cfs_period_us", "it takes 1000 to 1000000 microseconds" },
	{ "cpu.cfs_quota_us",
		"it takes -1 or at least 1000 microseconds, which must not be a larger part of "
		"the period than the cgroup above has" },
	{ "cpu.max", "it takes a quota of at least 1000 microseconds, and a period of 1000 to "
		     "1000000" },
	{ "cpu.max.burst", "it takes at most the quota, and without a quota none" },
	{ "cpuset.cpus", "it takes a list such as 0-3,7 of CPUs that the cgroup above has" },
	{ "cpuset.mems", "it takes a list such as 0-1 of memory nodes that the cgroup above has" },
	{ "memory.memsw.limit_in_bytes",
		"it is memory and swap together, and takes no less than the memory limit, "
		"without which it can't be set" },
	{ "pids.max", "it takes at most 4194304" },
};

static const char *find_range(const struct cgroup_write *write, int sys_errno)
{
	bool is_set = !strncmp(write->file, "cpuset.", 7);

	/* v1's cpuset says EACCES of what the group above does not have. */
	if (sys_errno != EINVAL && sys_errno != ERANGE && !(is_set && sys_errno == EACCES))
		return NULL;
	for (size_t i = 0; i < array_size(ranges); i++)
		if (!strcmp(write->file, ranges[i].file))
			return ranges[i].takes;
	return NULL;
}

static int explain(int dir_fd, const struct cgroup_write *write, const struct cgroup_place *place,
	struct error *err)
{
	const char *range = find_range(write, err->sys_errno);

	/* The one open(2) that can fail so while the group is there. */
	if (err->sys_errno == ENOENT && cgroup_file_exists(dir_fd, "cgroup.procs")) {
		*err = (struct error){ 0 };
		error_set(err, ERROR_UNSUPPORTED, "the kernel has no cgroup file '%s' in '%s%s'",
			write->file, place->mount, place->path);
		err->sys_errno = ENOENT;
		return write->hint ? error_hint(err, "%s", write->hint) : -1;
	}
	if (err->sys_errno == EBUSY)
		error_hint(err, "%s",
			strncmp(write->file, "cpuset.", 7)
				? "the present use is above the limit"
				: "a cgroup below has some of what would be taken away");
	if (range)
		error_hint(err, "%s", range);
	return error_wrap(err, "cgroup '%s%s'", place->mount, place->path);
}

/* Writes what is left; what is refused as invalid stays, and the first of these is kept. */
static int write_pass(struct cgroup_batch *batch, int dir_fd, struct cgroup_write **ret_refused,
	size_t *ret_written, struct error *err)
{
	*ret_refused = NULL;
	*ret_written = 0;
	for (size_t i = 0; i < batch->count; i++) {
		struct cgroup_write *write = &batch->items[i];
		struct error failure = { 0 };

		if (write->is_done)
			continue;
		write->is_done = write_one(batch->journal, dir_fd, write, &failure) == 0 ||
				 (failure.sys_errno == ENOENT && write->may_be_missing);
		*ret_written += write->is_done;
		if (write->is_done || *ret_refused)
			continue;
		*ret_refused = write;
		*err = failure;
		if (failure.sys_errno != EINVAL)
			return -1;
	}
	return *ret_refused ? -1 : 0;
}

int cgroup_batch_write(struct cgroup_batch *batch, struct cgroup_place *place, const char *prefix,
	struct error *err)
{
	int dir_fd = cgroup_place_open(place, err);
	struct cgroup_write *refused = NULL;
	struct error failure;
	size_t written;

	if (dir_fd < 0)
		return -1;
	if (batch->has_failed) {
		errno = ENOMEM;
		return error_set_errno(err, "collect the limits of cgroup '%s'", place->path);
	}
	do {
		failure = (struct error){ 0 };
		if (write_pass(batch, dir_fd, &refused, &written, &failure) == 0)
			return 0;
	} while (written > 0 && failure.sys_errno == EINVAL);
	*err = failure;
	explain(dir_fd, refused, place, err);
	return error_point(err, "%s%s", prefix, refused->member);
}
