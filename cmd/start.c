/* SPDX-License-Identifier: Apache-2.0 */
/* kogg start: let the created container's program run. */
#include "cmd/command.h"

static int run(const struct command_call *call, int *ret_exit_status, struct error *err)
{
	(void)ret_exit_status;
	return container_start(call->runtime, call->args[0], err);
}

const struct command command_start = {
	.name = "start",
	.arguments = "ID",
	.summary = "start the program of a created container",
	.options = command_no_options,
	.min_args = 1,
	.max_args = 1,
	.run = run,
};
