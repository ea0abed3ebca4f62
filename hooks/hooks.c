/* SPDX-License-Identifier: Apache-2.0 */
#include "hooks/hooks.h"

#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/quote.h"
#include "base/spawn.h"

#define HOOK_UMASK 0022

/* What a message may hold of a hook's output, and of its path. */
#define OUTPUT_TEXT_MAX 1024
#define PATH_TEXT_MAX   200

/* The end of LINE that a message has room for, not beginning inside a character. */
static const char *tail_of(const struct text *line)
{
	const char *tail = line->data;

	if (line->length <= OUTPUT_TEXT_MAX)
		return tail;
	tail += line->length - OUTPUT_TEXT_MAX;
	while (((unsigned char)*tail & 0xc0) == 0x80)
		tail++;
	return tail;
}

static void describe_end(const struct spawn_result *result, char *ret_text, size_t size)
{
	long long ms = (long long)result->duration_ms;

	if (result->has_timed_out)
		snprintf(ret_text, size, "timed out, killed after %lld ms", ms);
	else if (result->signal)
		snprintf(ret_text, size, "killed by signal %d (SIG%s) after %lld ms",
			result->signal, sigabbrev_np(result->signal) ?: "RT", ms);
	else
		snprintf(ret_text, size, "exit status %d after %lld ms", result->exit_status, ms);
}

static int report_failure(const struct spawn_result *result, struct error *err)
{
	cleanup_text struct text line = { 0 };
	char end[80];

	describe_end(result, end, sizeof(end));
	quote_append(&line, result->output, result->output_size);
	if (line.length)
		error_set(err, ERROR_HOOK, "%s; its output ended with: %s", end, tail_of(&line));
	else
		error_set(err, ERROR_HOOK, "%s; it wrote nothing", end);
	return -1;
}

static int64_t timeout_ms_of(const struct spec_hook *hook)
{
	if (!hook->timeout.is_set)
		return 0;
	return hook->timeout.value > INT64_MAX / 1000 ? INT64_MAX : hook->timeout.value * 1000;
}

static int run_program(
	const struct spec_hook *hook, const struct hooks_request *request, struct error *err)
{
	const char *const path_only[] = { hook->path, NULL };
	const struct spawn_request program = {
		.path = hook->path,
		.argv = hook->args.count ? hook->args.items : path_only,
		.env = hook->env.items ? hook->env.items : request->default_env,
		.cwd = request->cwd,
		.umask = HOOK_UMASK,
		.input = request->state,
		.input_size = strlen(request->state),
		.timeout_ms = timeout_ms_of(hook),
	};
	struct spawn_result result;

	if (spawn_run(&program, &result, err) < 0)
		return -1;
	if (!result.has_timed_out && result.exit_status == 0)
		return 0;
	return report_failure(&result, err);
}

static int run_hook(const struct spec_hook *hook, const struct hooks_request *request, size_t index,
	struct error *err)
{
	const char *kind = spec_word_of(spec_hook_words, request->kind);
	bool is_path;

	if (run_program(hook, request, err) == 0)
		return 0;
	is_path = strcmp(err->op, "execute") == 0;
	err->kind = ERROR_HOOK;
	snprintf(err->path, sizeof(err->path), "%s", hook->path);
	error_point(err, "/hooks/%s/%zu%s", kind, index, is_path ? "/path" : "");
	error_phase(err, "hooks");
	return error_wrap(err, "run %s hook %zu '%.*s'", kind, index, PATH_TEXT_MAX, hook->path);
}

int hooks_run(
	const struct spec_hook_list *list, const struct hooks_request *request, struct error *err)
{
	for (size_t i = 0; i < list->count; i++)
		if (run_hook(&list->items[i], request, i, err) < 0)
			return -1;
	return 0;
}

void hooks_run_all(const struct spec_hook_list *list, const struct hooks_request *request)
{
	for (size_t i = 0; i < list->count; i++) {
		struct error err = { 0 };

		if (run_hook(&list->items[i], request, i, &err) < 0)
			log_warning("%s", err.text);
	}
}

int64_t hooks_put_off(const struct spec_hook_list *list, int64_t deadline)
{
	for (size_t i = 0; i < list->count; i++) {
		const struct spec_i64 *timeout = &list->items[i].timeout;
		int64_t ms;

		if (!timeout->is_set || __builtin_mul_overflow(timeout->value, 1000, &ms) ||
			__builtin_add_overflow(deadline, ms, &deadline))
			return CLOCK_NO_DEADLINE;
	}
	return deadline;
}
