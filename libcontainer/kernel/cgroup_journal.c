/* SPDX-License-Identifier: Apache-2.0 */
#include "libcontainer/kernel/cgroup_journal.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/attributes.h"
#include "base/log.h"

/* What a device has that no line of the file names; the first row that fits counts. */
static const struct {
	const char *word; /* in the file's name */
	const char *value;
} defaults[] = {
	{ "weight", "default" },
	{ "blkio.throttle.", "0" },
	{ "io.max", "rbps=max wbps=max riops=max wiops=max" },
	{ "io.latency", "target=0" },
};

/* What the kernel changes along with a file: a group that idles no more has the default weight. */
static const struct {
	const char *file, *other;
} related[] = {
	{ "cpu.idle", "cpu.shares" },
	{ "cpu.idle", "cpu.weight" },
};

void cgroup_journal_release(struct cgroup_journal *journal)
{
	free(journal->items);
	arena_release(&journal->arena);
	*journal = (struct cgroup_journal){ 0 };
}

/* The line of TEXT whose first word is the LENGTH bytes at KEY; NULL without one. */
static const char *find_line(const char *text, const char *key, size_t length)
{
	for (; *text; text += *text == '\n') {
		if (strncmp(text, key, length) == 0 && strcspn(text, " \n") == length)
			return text;
		text += strcspn(text, "\n");
	}
	return NULL;
}

static void copy_line(const char *line, char ret_before[static CGROUP_VALUE_MAX])
{
	snprintf(ret_before, CGROUP_VALUE_MAX, "%.*s", (int)strcspn(line, "\n"), line);
}

static bool find_default(const char *file, const char *device, size_t length,
	char ret_before[static CGROUP_VALUE_MAX])
{
	for (size_t i = 0; i < array_size(defaults); i++)
		if (strstr(file, defaults[i].word)) {
			snprintf(ret_before, CGROUP_VALUE_MAX, "%.*s %s", (int)length, device,
				defaults[i].value);
			return true;
		}
	return false;
}

/* A value of one word, in a file that shows more than it takes. */
static bool find_main_value(const char *present, char ret_before[static CGROUP_VALUE_MAX])
{
	static const char *const keys[] = { "default", "oom_kill_disable" };

	for (size_t i = 0; i < array_size(keys); i++) {
		const size_t length = strlen(keys[i]);
		const char *line = find_line(present, keys[i], length);

		if (line && line[length] == ' ') {
			copy_line(line + length + 1, ret_before);
			return true;
		}
	}
	return false;
}

bool cgroup_journal_find(const char *file, const char *value, const char *present,
	char ret_before[static CGROUP_VALUE_MAX])
{
	size_t length = strcspn(value, " \n");
	const char *line = find_line(present, value, length);
	bool has_key = value[length] == ' ';

	if (has_key && line) {
		copy_line(line, ret_before);
		return true;
	}
	if (has_key && memchr(value, ':', length))
		return find_default(file, value, length, ret_before);
	if (find_main_value(present, ret_before))
		return true;
	if (strchr(present, '\n'))
		return false;
	/* An empty write would be none. */
	snprintf(ret_before, CGROUP_VALUE_MAX, "%s", present[0] ? present : "\n");
	return true;
}

static int add(
	struct cgroup_journal *journal, const struct cgroup_journal_entry *entry, struct error *err)
{
	if (journal->count == journal->capacity) {
		size_t capacity = journal->capacity ? journal->capacity * 2 : 16;
		struct cgroup_journal_entry *items =
			reallocarray(journal->items, capacity, sizeof(*items));

		if (!items)
			return error_set_errno(err, "keep a journal of cgroup files");
		journal->items = items;
		journal->capacity = capacity;
	}
	journal->items[journal->count++] = *entry;
	return 0;
}

/* BEFORE and VALUE may be NULL. */
static int note(struct cgroup_journal *journal, int dir_fd, const char *file, const char *before,
	const char *value, struct error *err)
{
	const struct cgroup_journal_entry entry = {
		.dir_fd = dir_fd,
		.file = arena_copy(&journal->arena, file),
		.before = before ? arena_copy(&journal->arena, before) : NULL,
		.value = value ? arena_copy(&journal->arena, value) : NULL,
	};

	if (!entry.file || (before && !entry.before) || (value && !entry.value)) {
		errno = ENOMEM;
		return error_set_errno(err, "keep a journal of cgroup files");
	}
	return add(journal, &entry, err);
}

/* SCRATCH is room for one value. */
static int note_related(struct cgroup_journal *journal, int dir_fd, const char *file,
	char scratch[static CGROUP_VALUE_MAX], struct error *err)
{
	for (size_t i = 0; i < array_size(related); i++) {
		struct error ignored = { 0 };

		if (strcmp(file, related[i].file) == 0 &&
			cgroup_file_read(dir_fd, related[i].other, scratch, &ignored) == 0 &&
			note(journal, dir_fd, related[i].other, scratch, NULL, err) < 0)
			return -1;
	}
	return 0;
}

/* It takes commands, or is not there, which the write will say. */
static bool has_nothing_to_read(int sys_errno)
{
	return sys_errno == EINVAL || sys_errno == EOPNOTSUPP || sys_errno == EACCES ||
	       sys_errno == EPERM || sys_errno == ENOENT;
}

static int note_present(struct cgroup_journal *journal, int dir_fd, const char *file,
	const char *value, struct error *err)
{
	char present[CGROUP_VALUE_MAX], before[CGROUP_VALUE_MAX];
	struct error failure = { 0 };
	bool is_known = cgroup_file_read(dir_fd, file, present, &failure) == 0;

	if (has_nothing_to_read(failure.sys_errno))
		return 0;
	if (!is_known && failure.sys_errno) {
		*err = failure;
		return -1;
	}
	is_known = is_known && cgroup_journal_find(file, value, present, before);
	if (note_related(journal, dir_fd, file, present, err) < 0)
		return -1;
	return note(journal, dir_fd, file, is_known ? before : NULL, value, err);
}

int cgroup_journal_write(struct cgroup_journal *journal, int dir_fd, const char *file,
	const char *value, struct error *err)
{
	size_t count = journal->count;

	if (note_present(journal, dir_fd, file, value, err) < 0)
		return -1;
	if (cgroup_file_write(dir_fd, file, value, err) == 0)
		return 0;
	journal->count = count;
	return -1;
}

int cgroup_journal_keep(
	struct cgroup_journal *journal, int dir_fd, const char *file, struct error *err)
{
	char present[CGROUP_VALUE_MAX], value[CGROUP_VALUE_MAX];
	struct error failure = { 0 };

	if (cgroup_file_read(dir_fd, file, present, &failure) < 0) {
		if (!failure.sys_errno || has_nothing_to_read(failure.sys_errno))
			return 0;
		*err = failure;
		return -1;
	}
	if (!cgroup_journal_find(file, "", present, value))
		return 0;
	return note(journal, dir_fd, file, value, value, err);
}

int cgroup_journal_redo(const struct cgroup_journal *journal, struct error *err)
{
	for (size_t i = 0; i < journal->count; i++) {
		const struct cgroup_journal_entry *entry = &journal->items[i];

		if (entry->value &&
			cgroup_file_write(entry->dir_fd, entry->file, entry->value, err) < 0)
			return -1;
	}
	return 0;
}

/* What is related may have come back by itself, and then takes no value. */
static bool is_back(const struct cgroup_journal_entry *entry)
{
	char present[CGROUP_VALUE_MAX], before[CGROUP_VALUE_MAX];
	struct error ignored = { 0 };

	return cgroup_file_read(entry->dir_fd, entry->file, present, &ignored) == 0 &&
	       cgroup_journal_find(entry->file, entry->before, present, before) &&
	       strcmp(before, entry->before) == 0;
}

void cgroup_journal_undo(struct cgroup_journal *journal)
{
	while (journal->count) {
		const struct cgroup_journal_entry *entry = &journal->items[--journal->count];
		struct error failure = { 0 };

		if (!entry->before)
			error_set(&failure, ERROR_UNSUPPORTED, "its form is unknown");
		else if (cgroup_file_write(entry->dir_fd, entry->file, entry->before, &failure) ==
				 0 ||
			 is_back(entry))
			continue;
		log_warning(
			"cgroup file '%s' is not as it was before: %s", entry->file, failure.text);
	}
}
