/* SPDX-License-Identifier: Apache-2.0 */
/* kogg stats: the counters of a container, for people. */
#include <stdio.h>

#include "cmd/command.h"
#include "cmd/table.h"
#include "libcontainer/events.h"

#define VALUE_SIZE 64

/* The number at MEMBER of MEMBER of ..., which end with NULL; or NULL. */
static const json_t *number_at(const json_t *stats, const char *const *members)
{
	for (; *members; members++)
		stats = json_object_get(stats, *members);
	return stats;
}

static void format_bytes(const json_t *number, char *ret_text, size_t size)
{
	static const char *const units[] = { "B", "KiB", "MiB", "GiB", "TiB", "PiB" };
	double bytes = json_number_value(number);
	size_t i = 0;

	for (; bytes >= 1024 && i + 1 < array_size(units); i++)
		bytes /= 1024;
	snprintf(ret_text, size, "%.*f %s", i == 0 ? 0 : 1, bytes, units[i]);
}

/* A number too large to be a limit is none. */
#define LIMIT_MAX 1e18

/* The counters have a limit of 0 where no controller of memory is. */
static void format_bytes_limit(const json_t *number, char *ret_text, size_t size)
{
	double limit = json_number_value(number);

	if (limit <= 0 || limit > LIMIT_MAX)
		snprintf(ret_text, size, "none");
	else
		format_bytes(number, ret_text, size);
}

static void format_count(const json_t *number, char *ret_text, size_t size)
{
	snprintf(ret_text, size, "%.0f", json_number_value(number));
}

static void format_count_limit(const json_t *number, char *ret_text, size_t size)
{
	if (!number || json_number_value(number) > LIMIT_MAX)
		snprintf(ret_text, size, "none");
	else
		format_count(number, ret_text, size);
}

static void format_nanoseconds(const json_t *number, char *ret_text, size_t size)
{
	snprintf(ret_text, size, "%.3f s", json_number_value(number) / 1e9);
}

static const struct {
	const char *title;
	const char *members[4]; /* ends with NULL */
	/* NUMBER may be NULL: nothing was counted, there is no limit. */
	void (*format)(const json_t *number, char *ret_text, size_t size);
} rows[] = {
	{ "CPU TIME", { "cpu", "usage", "total" }, format_nanoseconds },
	{ "CPU USER", { "cpu", "usage", "user" }, format_nanoseconds },
	{ "CPU KERNEL", { "cpu", "usage", "kernel" }, format_nanoseconds },
	{ "CPU THROTTLED", { "cpu", "throttling", "throttledTime" }, format_nanoseconds },
	{ "MEMORY", { "memory", "usage", "usage" }, format_bytes },
	{ "MEMORY LIMIT", { "memory", "usage", "limit" }, format_bytes_limit },
	{ "MEMORY PEAK", { "memory", "usage", "max" }, format_bytes },
	{ "MEMORY+SWAP", { "memory", "swap", "usage" }, format_bytes },
	{ "TASKS", { "pids", "current" }, format_count },
	{ "TASKS LIMIT", { "pids", "limit" }, format_count_limit },
};

enum { COLUMN_TITLE, COLUMN_VALUE, COLUMNS };

static void write_stats(const json_t *stats, struct text *ret_text)
{
	const char *cells[array_size(rows) * COLUMNS];
	char values[array_size(rows)][VALUE_SIZE];

	for (size_t i = 0; i < array_size(rows); i++) {
		rows[i].format(number_at(stats, rows[i].members), values[i], VALUE_SIZE);
		cells[i * COLUMNS + COLUMN_TITLE] = rows[i].title;
		cells[i * COLUMNS + COLUMN_VALUE] = values[i];
	}
	table_write(cells, array_size(rows), COLUMNS, ret_text);
}

static int run(const struct command_call *call, int *ret_exit_status, struct error *err)
{
	struct text text = { 0 };
	json_t *stats;

	(void)ret_exit_status;
	if (container_stats(call->runtime, call->args[0], &stats, err) < 0)
		return -1;
	write_stats(stats, &text);
	json_decref(stats);
	return command_print(&text, err);
}

const struct command command_stats = {
	.name = "stats",
	.arguments = "ID",
	.summary = "show the counters of a container",
	.options = command_no_options,
	.min_args = 1,
	.max_args = 1,
	.run = run,
};
