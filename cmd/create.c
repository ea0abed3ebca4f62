/* SPDX-License-Identifier: Apache-2.0 */
/* kogg create: all of a container but its program. */
#include "cmd/command.h"

static const struct option_row options[] = {
	COMMAND_CREATE_OPTIONS,
	OPTION_SWITCH("detach", 'd', struct container_options, detach, NULL),
	{ 0 },
};

static int run(const struct command_call *call, int *ret_exit_status, struct error *err)
{
	struct container_options wanted = *(const struct container_options *)call->values;

	(void)ret_exit_status;
	if (!wanted.bundle)
		wanted.bundle = ".";
	return container_create(call->runtime, call->args[0], &wanted, err);
}

const struct command command_create = {
	.name = "create",
	.arguments = "ID",
	.summary = "make a container that waits to be started",
	.options = options,
	.values_size = sizeof(struct container_options),
	.min_args = 1,
	.max_args = 1,
	.enters_container = true,
	.run = run,
};
