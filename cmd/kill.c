/* SPDX-License-Identifier: Apache-2.0 */
/* kogg kill: send a signal. */
#include <signal.h>

#include "cmd/command.h"
#include "cmd/signals.h"

struct kill_options {
	bool all;
};

static const struct option_row options[] = {
	OPTION_SWITCH("all", 'a', struct kill_options, all,
		"signal all its processes; one that has stopped is no error"),
	{ 0 },
};

/* "kill ID -9" is how people write it, and as it is no option, it is an argument. */
static int run(const struct command_call *call, int *ret_exit_status, struct error *err)
{
	const struct kill_options *wanted = call->values;
	const char *text = call->n_args > 1 ? call->args[1] : NULL;
	int signal = SIGTERM;

	(void)ret_exit_status;
	if (text && signals_parse(text[0] == '-' ? text + 1 : text, &signal, err) < 0)
		return -1;
	return container_kill(call->runtime, call->args[0], signal, wanted->all, err);
}

const struct command command_kill = {
	.name = "kill",
	.arguments = "ID [SIGNAL]",
	.summary = "send a signal (default: TERM) to a container's program",
	.options = options,
	.values_size = sizeof(struct kill_options),
	.min_args = 1,
	.max_args = 2,
	.place = OPTIONS_KNOWN_AFTERWARDS,
	.option_hint = "the signal comes behind the ID, as in: kill ID 9 (an ID that "
		       "begins with a dash needs -- before it)",
	.run = run,
};
