/* SPDX-License-Identifier: Apache-2.0 */
/* kogg ps: a container's processes, as numbers or as ps(1) shows them. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/quote.h"
#include "base/spawn.h"
#include "cmd/command.h"
#include "cmd/ps_table.h"

/* What ps(1) may print, and how long it may take. */
#define PS_OUTPUT_MAX (16 * 1024 * 1024)
#define PS_TIMEOUT_MS 30000

#define PS_PATH_DEFAULT "/usr/bin:/bin"

struct ps_options {
	const char *format;
};

static const struct option_row options[] = {
	OPTION_STRING(
		"format", 'f', "FORMAT", struct ps_options, format, "table (default) or json"),
	{ 0 },
};

static void write_json(const struct ps_table_pids *pids, struct text *ret_text)
{
	text_append(ret_text, "[");
	for (size_t i = 0; i < pids->count; i++)
		text_appendf(ret_text, "%s%d", i == 0 ? "" : ",", (int)pids->items[i]);
	text_append(ret_text, "]\n");
}

static int find_ps(char *ret_path, size_t size, struct error *err)
{
	const char *path = getenv("PATH");

	if (!path || !path[0])
		path = PS_PATH_DEFAULT;
	while (path[0]) {
		size_t length = strcspn(path, ":");
		int n = snprintf(ret_path, size, "%.*s/ps", (int)length, path);

		if (path[0] == '/' && n > 0 && (size_t)n < size && access(ret_path, X_OK) == 0)
			return 0;
		path += length + (path[length] == ':');
	}
	return error_set(err, ERROR_UNSUPPORTED, "ps is not installed on this host");
}

static int run_ps(const struct command_call *call, struct text *ret_output, struct error *err)
{
	static const char *const all[] = { "ps", "-ef", NULL };
	size_t n_given = call->n_args - 1;
	cleanup_free const char **given = calloc(n_given + 2, sizeof(*given));
	char path[4096];
	cleanup_text struct text line = { 0 };
	struct spawn_result result;
	struct spawn_request request = {
		.path = path,
		.env = (const char *const *)environ,
		.umask = 022,
		.timeout_ms = PS_TIMEOUT_MS,
		.output = ret_output,
		.output_max = PS_OUTPUT_MAX,
	};

	if (!given)
		return error_set(err, ERROR_SYSTEM, "out of memory");
	given[0] = "ps";
	memcpy(given + 1, call->args + 1, n_given * sizeof(*given));
	request.argv = n_given ? given : all;
	if (find_ps(path, sizeof(path), err) < 0 || spawn_run(&request, &result, err) < 0)
		return -1;
	if (!result.has_timed_out && result.exit_status == 0)
		return 0;
	quote_append(&line, result.output, result.output_size);
	return error_set(err, ERROR_SYSTEM, "ps failed with status %d: %s", result.exit_status,
		line.data ?: "");
}

static int write_table(const struct command_call *call, const struct ps_table_pids *pids,
	struct text *ret_text, struct error *err)
{
	cleanup_text struct text output = { 0 };

	if (run_ps(call, &output, err) < 0)
		return -1;
	return ps_table_filter(output.data ?: "", pids, ret_text, err);
}

static int run(const struct command_call *call, int *ret_exit_status, struct error *err)
{
	const struct ps_options *wanted = call->values;
	cleanup_free pid_t *items = NULL;
	struct ps_table_pids pids = { 0 };
	struct text text = { 0 };

	(void)ret_exit_status;
	if (command_check_format(wanted->format, err) < 0 ||
		container_pids(call->runtime, call->args[0], &items, &pids.count, err) < 0)
		return -1;
	pids.items = items;
	if (wanted->format && strcmp(wanted->format, "json") == 0) {
		write_json(&pids, &text);
	} else if (write_table(call, &pids, &text, err) < 0) {
		text_release(&text);
		return -1;
	}
	return command_print(&text, err);
}

const struct command command_ps = {
	.name = "ps",
	.arguments = "ID [PS OPTIONS]",
	.summary = "show the processes of a container",
	.options = options,
	.values_size = sizeof(struct ps_options),
	.min_args = 1,
	.max_args = COMMAND_ARGS_ANY,
	.place = OPTIONS_BEFORE_ARGUMENTS,
	.run = run,
};
