/* SPDX-License-Identifier: Apache-2.0 */
#include "libspec/state.h"

#include "libspec/json_writer.h"
#include "libspec/spec.h"

const char *state_status_word(enum state_status status)
{
	static const char *const words[] = {
		[STATE_CREATING] = "creating",
		[STATE_CREATED] = "created",
		[STATE_RUNNING] = "running",
		[STATE_PAUSED] = "paused",
		[STATE_STOPPED] = "stopped",
	};

	return words[status];
}

void state_write(const struct state *state, unsigned indent, struct text *ret_text)
{
	struct json_writer writer = { .text = ret_text, .indent = indent };

	json_writer_open(&writer, NULL, '{');
	json_writer_string(&writer, "ociVersion", SPEC_VERSION_MAX);
	json_writer_string(&writer, "id", state->id);
	if (state->has_pid)
		json_writer_number(&writer, "pid", state->pid);
	json_writer_string(&writer, "status", state_status_word(state->status));
	json_writer_string(&writer, "bundle", state->bundle);
	json_writer_string(&writer, "rootfs", state->rootfs);
	json_writer_string(&writer, "created", state->created);
	if (state->annotations && state->annotations->count > 0) {
		json_writer_open(&writer, "annotations", '{');
		for (size_t i = 0; i < state->annotations->count; i++)
			json_writer_string(&writer, state->annotations->items[i].key,
				state->annotations->items[i].value);
		json_writer_close(&writer, '}');
	}
	json_writer_string(&writer, "owner", state->owner);
	json_writer_close(&writer, '}');
}
