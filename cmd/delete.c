/* SPDX-License-Identifier: Apache-2.0 */
/* kogg delete: remove what create has made. */
#include "cmd/command.h"

struct delete_options {
	bool force;
};

static const struct option_row options[] = {
	OPTION_SWITCH("force", 'f', struct delete_options, force,
		"kill what still runs; an unknown ID is no error"),
	{ 0 },
};

static int run(const struct command_call *call, int *ret_exit_status, struct error *err)
{
	const struct delete_options *wanted = call->values;

	(void)ret_exit_status;
	return container_delete(call->runtime, call->args[0], wanted->force, err);
}

const struct command command_delete = {
	.name = "delete",
	.arguments = "ID",
	.summary = "remove a container that has stopped",
	.options = options,
	.values_size = sizeof(struct delete_options),
	.min_args = 1,
	.max_args = 1,
	.run = run,
};
