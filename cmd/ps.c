/* SPDX-License-Identifier: Apache-2.0 */
/* kogg ps: a container's processes, as numbers or as ps(1) shows them. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/number.h"
#include "base/spawn.h"
#include "cmd/command.h"

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

struct pids {
	pid_t *items;
	size_t count;
};

static bool has_pid(const struct pids *pids, uint64_t pid)
{
	for (size_t i = 0; i < pids->count; i++)
		if ((uint64_t)pids->items[i] == pid)
			return true;
	return false;
}

static void write_json(const struct pids *pids, struct text *ret_text)
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
	if (result.has_timed_out || result.exit_status != 0)
		return error_set(err, ERROR_SYSTEM, "ps failed with status %d: %s",
			result.exit_status, result.output);
	return 0;
}

/* The word of LINE number INDEX, from 0. */
static const char *find_word(const char *line, size_t index, size_t *ret_length)
{
	for (;;) {
		line += strspn(line, " \t");
		*ret_length = strcspn(line, " \t\n");
		if (index == 0 || *ret_length == 0)
			return line;
		line += *ret_length;
		index--;
	}
}

static int find_pid_column(const char *header, size_t *ret_index, struct error *err)
{
	for (size_t i = 0;; i++) {
		size_t length;
		const char *word = find_word(header, i, &length);

		if (length == 0)
			return error_set(err, ERROR_USAGE,
				"the output of ps has no column PID to choose processes by");
		if (length == 3 && memcmp(word, "PID", 3) == 0) {
			*ret_index = i;
			return 0;
		}
	}
}

static bool is_wanted(const char *line, size_t column, const struct pids *pids)
{
	char number[24];
	size_t length;
	const char *word = find_word(line, column, &length);
	uint64_t pid;

	if (length == 0 || length >= sizeof(number))
		return false;
	memcpy(number, word, length);
	number[length] = '\0';
	return number_parse_u64(number, INT32_MAX, &pid) == 0 && has_pid(pids, pid);
}

static int filter(const struct text *output, const struct pids *pids, struct text *ret_text,
	struct error *err)
{
	const char *line = output->data ? output->data : "";
	size_t column = 0;

	if (find_pid_column(line, &column, err) < 0)
		return -1;
	for (bool is_header = true; line[0]; is_header = false) {
		size_t length = strcspn(line, "\n");

		length += line[length] == '\n';
		if (is_header || is_wanted(line, column, pids))
			text_append_bytes(ret_text, line, length);
		line += length;
	}
	return 0;
}

static int write_table(const struct command_call *call, const struct pids *pids,
	struct text *ret_text, struct error *err)
{
	cleanup_text struct text output = { 0 };

	if (run_ps(call, &output, err) < 0)
		return -1;
	return filter(&output, pids, ret_text, err);
}

static int run(const struct command_call *call, int *ret_exit_status, struct error *err)
{
	const struct ps_options *wanted = call->values;
	cleanup_free pid_t *items = NULL;
	struct pids pids = { 0 };
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
	.stops_at_argument = true,
	.run = run,
};
