/* SPDX-License-Identifier: Apache-2.0 */
/* kogg state: what is known of a container (runtime.md, "Query State"). */
#include "cmd/command.h"

static int run(const struct command_call *call, int *ret_exit_status, struct error *err)
{
	struct container_view *view;
	struct text text = { 0 };

	(void)ret_exit_status;
	if (container_view(call->runtime, call->args[0], &view, err) < 0)
		return -1;
	state_write(&view->state, 2, &text);
	container_view_free(view);
	return command_print(&text, err);
}

const struct command command_state = {
	.name = "state",
	.arguments = "ID",
	.summary = "print what is known of a container, as JSON",
	.options = command_no_options,
	.min_args = 1,
	.max_args = 1,
	.run = run,
};
