/* SPDX-License-Identifier: Apache-2.0 */
/* kogg list: all containers of a root. */
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/arena.h"
#include "base/log.h"
#include "cmd/command.h"
#include "cmd/table.h"

struct list_options {
	const char *format;
	bool quiet;
};

static const struct option_row options[] = {
	OPTION_STRING(
		"format", 'f', "FORMAT", struct list_options, format, "table (default) or json"),
	OPTION_SWITCH("quiet", 'q', struct list_options, quiet, "print only the IDs"),
	{ 0 },
};

enum { COLUMN_ID, COLUMN_PID, COLUMN_STATUS, COLUMN_BUNDLE, COLUMN_CREATED, COLUMN_OWNER, COLUMNS };

/* The list as it grows: lines in TEXT, or cells of a table, which are copies. */
struct list {
	const struct list_options *wanted;
	struct text text;
	struct arena arena;
	const char **cells;
	size_t n_rows;
	const char *owner; /* the name of the user UID, who was the last that was asked for */
	uid_t uid;
};

static bool is_json(const struct list *list)
{
	return list->wanted->format && strcmp(list->wanted->format, "json") == 0;
}

/* As /etc/passwd names it: a static program has no other databases. */
static const char *find_owner(struct arena *arena, uid_t uid)
{
	FILE *file = fopen("/etc/passwd", "re");
	const struct passwd *entry;
	char number[24];
	const char *name = NULL;

	while (file && !name && (entry = fgetpwent(file)))
		if (entry->pw_uid == uid)
			name = arena_copy(arena, entry->pw_name);
	if (file)
		fclose(file);
	snprintf(number, sizeof(number), "#%u", uid);
	return name ? name : arena_copy(arena, number);
}

static const char *owner_name(struct list *list, uid_t uid)
{
	if (!list->owner || list->uid != uid)
		list->owner = find_owner(&list->arena, uid);
	list->uid = uid;
	return list->owner;
}

static int add_row(struct list *list, const struct state *state, struct error *err)
{
	char pid[16];
	const char **row;

	row = reallocarray(list->cells, (list->n_rows + 1) * COLUMNS, sizeof(*row));
	if (!row)
		return error_set(err, ERROR_SYSTEM, "out of memory");
	list->cells = row;
	row += list->n_rows++ * COLUMNS;
	snprintf(pid, sizeof(pid), "%d", (int)state->pid);
	row[COLUMN_ID] = arena_copy(&list->arena, state->id);
	row[COLUMN_PID] = arena_copy(&list->arena, pid);
	row[COLUMN_STATUS] = state_status_word(state->status);
	row[COLUMN_BUNDLE] = arena_copy(&list->arena, state->bundle);
	row[COLUMN_CREATED] = arena_copy(&list->arena, state->created);
	row[COLUMN_OWNER] = state->owner;
	for (size_t i = 0; i < COLUMNS; i++)
		if (!row[i])
			return error_set(err, ERROR_SYSTEM, "out of memory");
	return 0;
}

static int add_header(struct list *list, struct error *err)
{
	static const char *const header[COLUMNS] = { "ID", "PID", "STATUS", "BUNDLE", "CREATED",
		"OWNER" };

	list->cells = calloc(1, sizeof(header));
	if (!list->cells)
		return error_set(err, ERROR_SYSTEM, "out of memory");
	memcpy(list->cells, header, sizeof(header));
	list->n_rows = 1;
	return 0;
}

/* JSON is one line; "null" when there are none, as readers of runc's lists know it. */
static int add_container(struct list *list, const struct container_view *view, struct error *err)
{
	struct state state = view->state;

	if (list->wanted->quiet) {
		text_appendf(&list->text, "%s\n", state.id);
		return 0;
	}
	state.owner = owner_name(list, view->uid);
	if (!state.owner)
		return error_set(err, ERROR_SYSTEM, "out of memory");
	if (!is_json(list))
		return add_row(list, &state, err);
	text_append(&list->text, list->text.length ? "," : "[");
	state_write(&state, 0, &list->text);
	return 0;
}

static void end_list(struct list *list)
{
	if (list->wanted->quiet)
		return;
	if (is_json(list))
		text_append(&list->text, list->text.length ? "]\n" : "null\n");
	else
		table_write(list->cells, list->n_rows, COLUMNS, &list->text);
}

/*
 * Others create and delete meanwhile: who is gone is not missed, who is broken
 * is named. One view at a time, since each holds a descriptor.
 */
static int add_all(const struct runtime *runtime, char **ids, struct list *list, struct error *err)
{
	for (char **id = ids; *id; id++) {
		struct error problem = { 0 };
		struct container_view *view;
		int result;

		if (container_view(runtime, *id, &view, &problem) < 0) {
			if (problem.kind != ERROR_NOT_FOUND)
				log_warning("%s", problem.text);
			continue;
		}
		result = add_container(list, view, err);
		container_view_free(view);
		if (result < 0)
			return -1;
	}
	return 0;
}

static int write_list(const struct runtime *runtime, struct list *list, struct error *err)
{
	char **ids;
	int result;

	if (add_header(list, err) < 0 || container_list(runtime, &ids, err) < 0)
		return -1;
	result = add_all(runtime, ids, list, err);
	container_list_free(ids);
	if (result < 0)
		return -1;
	end_list(list);
	return command_print(&list->text, err);
}

static int run(const struct command_call *call, int *ret_exit_status, struct error *err)
{
	struct list list = { .wanted = call->values };
	int result;

	(void)ret_exit_status;
	if (command_check_format(list.wanted->format, err) < 0)
		return -1;
	result = write_list(call->runtime, &list, err);
	text_release(&list.text);
	arena_release(&list.arena);
	free(list.cells);
	return result;
}

const struct command command_list = {
	.name = "list",
	.arguments = "",
	.summary = "list the containers",
	.options = options,
	.values_size = sizeof(struct list_options),
	.takes_no_id = true,
	.run = run,
};
