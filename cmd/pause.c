/* SPDX-License-Identifier: Apache-2.0 */
/* kogg pause and kogg resume: freeze and thaw. */
#include "cmd/command.h"

static int run_pause(const struct command_call *call, int *ret_exit_status, struct error *err)
{
	(void)ret_exit_status;
	return container_pause(call->runtime, call->args[0], err);
}

static int run_resume(const struct command_call *call, int *ret_exit_status, struct error *err)
{
	(void)ret_exit_status;
	return container_resume(call->runtime, call->args[0], err);
}

const struct command command_pause = {
	.name = "pause",
	.arguments = "ID",
	.summary = "freeze all processes of a container",
	.options = command_no_options,
	.min_args = 1,
	.max_args = 1,
	.run = run_pause,
};

const struct command command_resume = {
	.name = "resume",
	.arguments = "ID",
	.summary = "let the processes of a paused container go on",
	.options = command_no_options,
	.min_args = 1,
	.max_args = 1,
	.run = run_resume,
};
