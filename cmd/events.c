/* SPDX-License-Identifier: Apache-2.0 */
/* kogg events: counters and out-of-memory kills, one JSON object a line. */
#include "libcontainer/events.h"

#include <stdlib.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "cmd/command.h"
#include "cmd/duration.h"
#include "libspec/json_dump.h"

#define INTERVAL_MS_DEFAULT 5000

struct events_options {
	const char *interval;
	bool stats;
};

static const struct option_row options[] = {
	OPTION_STRING("interval", 0, "DURATION", struct events_options, interval,
		"time between counters: 5s (default), 1.5s, 1m30s"),
	OPTION_SWITCH("stats", 0, struct events_options, stats, "print the counters once and end"),
	{ 0 },
};

/* Takes DATA, which may be NULL, over. */
static int print_event(const char *type, const char *id, json_t *data, struct error *err)
{
	json_t *event = json_pack("{s:s, s:s, s:o*}", "type", type, "id", id, "data", data);
	struct text line = { 0 };

	if (json_dump_text(event, JSON_COMPACT, &line, err) < 0) {
		text_release(&line);
		return -1;
	}
	text_append(&line, "\n");
	return command_print(&line, err);
}

static int print_stats(const struct command_call *call, struct error *err)
{
	json_t *stats;

	if (container_stats(call->runtime, call->args[0], &stats, err) < 0)
		return -1;
	return print_event("stats", call->args[0], stats, err);
}

/* A container that ends at the very moment of a tick is no failure. */
static int print_tick(const struct command_call *call, struct error *err)
{
	if (print_stats(call, err) == 0)
		return 0;
	if (err->kind != ERROR_STATE && err->kind != ERROR_NOT_FOUND)
		return -1;
	*err = (struct error){ 0 };
	return 0;
}

static int follow(const struct command_call *call, struct container_watch *watch,
	int64_t interval_ms, struct error *err)
{
	int64_t next = clock_now_ms() + interval_ms;

	for (;;) {
		int64_t left = next - clock_now_ms();
		enum container_event event;

		if (container_watch_wait(watch, left > 0 ? left : 0, &event, err) < 0)
			return -1;
		if (event == CONTAINER_EVENT_END)
			return 0;
		if (event == CONTAINER_EVENT_OOM &&
			print_event("oom", call->args[0], NULL, err) < 0)
			return -1;
		/* v2's memory.events wakes for more than kills. */
		if (event != CONTAINER_EVENT_NONE || clock_now_ms() < next)
			continue;
		if (print_tick(call, err) < 0)
			return -1;
		next += interval_ms;
	}
}

static int read_interval(const char *text, int64_t *ret_ms, struct error *err)
{
	*ret_ms = INTERVAL_MS_DEFAULT;
	if (text && (duration_parse(text, ret_ms) < 0 || *ret_ms == 0))
		return error_set(err, ERROR_USAGE,
			"option '--interval': '%s' is not a duration such as 5s or 100ms", text);
	return 0;
}

static int run(const struct command_call *call, int *ret_exit_status, struct error *err)
{
	const struct events_options *wanted = call->values;
	struct container_watch *watch;
	int64_t interval_ms;
	int result;

	(void)ret_exit_status;
	if (read_interval(wanted->interval, &interval_ms, err) < 0)
		return -1;
	if (wanted->stats)
		return print_stats(call, err);
	if (container_watch_open(call->runtime, call->args[0], &watch, err) < 0)
		return -1;
	result = follow(call, watch, interval_ms, err);
	container_watch_free(watch);
	return result;
}

const struct command command_events = {
	.name = "events",
	.arguments = "ID",
	.summary = "print counters and out-of-memory kills as they come",
	.options = options,
	.values_size = sizeof(struct events_options),
	.min_args = 1,
	.max_args = 1,
	.run = run,
};
