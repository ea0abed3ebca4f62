/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What control files held before they were written, so that a change that
 * fails half-way can be taken back.
 *
 * Knows the forms that such files have in common (one value; a line for each
 * device), not what any of them means.
 */
#ifndef KOGG_LIBCONTAINER_KERNEL_CGROUP_JOURNAL_H
#define KOGG_LIBCONTAINER_KERNEL_CGROUP_JOURNAL_H

#include <stdbool.h>
#include <stddef.h>

#include "base/arena.h"
#include "libcontainer/kernel/cgroup_file.h"

struct cgroup_journal_entry {
	int dir_fd; /* of the group; borrowed */
	const char *file;
	const char *before; /* to be written to have it back; NULL: no such value is known */
	const char *value;  /* that was written; NULL: none, the file goes with the next one */
};

struct cgroup_journal {
	struct cgroup_journal_entry *items;
	size_t count, capacity;
	struct arena arena;
};

#define cleanup_journal __attribute__((cleanup(cgroup_journal_release)))

void cgroup_journal_release(struct cgroup_journal *journal);

/*
 * Writes VALUE to FILE as cgroup_file_write() does, and notes how to take that
 * back. A file that can't be read takes commands: there is nothing to go back to.
 */
int cgroup_journal_write(struct cgroup_journal *journal, int dir_fd, const char *file,
	const char *value, struct error *err) must_check;

/*
 * Notes what FILE holds as what it is to hold, for when somebody else is about
 * to write it. One that can't be read is left alone.
 */
int cgroup_journal_keep(
	struct cgroup_journal *journal, int dir_fd, const char *file, struct error *err) must_check;

/* Writes all of it once more, for when somebody else has written meanwhile. */
int cgroup_journal_redo(const struct cgroup_journal *journal, struct error *err) must_check;

/* Takes all of it back, the last first. What can't be is said in a warning. */
void cgroup_journal_undo(struct cgroup_journal *journal);

/*
 * What takes back VALUE in FILE, which held PRESENT; false when there is no
 * such value. For the unit tests.
 */
bool cgroup_journal_find(const char *file, const char *value, const char *present,
	char ret_before[static CGROUP_VALUE_MAX]);

#endif
