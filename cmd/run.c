/* SPDX-License-Identifier: Apache-2.0 */
/* kogg run: create, start, wait, delete. */
#include "cmd/command.h"

static const struct option_row options[] = {
	COMMAND_CREATE_OPTIONS,
	OPTION_SWITCH("detach", 'd', struct container_options, detach,
		"return when the container's program has started"),
	OPTION_SWITCH("keep", 0, struct container_options, keep,
		"do not delete the container when its program has ended"),
	OPTION_SWITCH("no-subreaper", 0, struct container_options, no_subreaper,
		"do not become the parent of the container's orphans"),
	{ 0 },
};

static int run(const struct command_call *call, int *ret_exit_status, struct error *err)
{
	struct container_options wanted = *(const struct container_options *)call->values;

	if (!wanted.bundle)
		wanted.bundle = ".";
	return container_run(call->runtime, call->args[0], &wanted, ret_exit_status, err);
}

const struct command command_run = {
	.name = "run",
	.arguments = "ID",
	.summary = "create a container, start it, and delete it when it has ended",
	.options = options,
	.values_size = sizeof(struct container_options),
	.min_args = 1,
	.max_args = 1,
	.enters_container = true,
	.run = run,
};
