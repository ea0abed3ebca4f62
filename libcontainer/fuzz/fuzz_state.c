/* SPDX-License-Identifier: Apache-2.0 */
/* A state file from any bytes; what is taken has all that the commands count on. */
#include <stdint.h>
#include <string.h>

#include "base/cleanup.h"
#include "libcontainer/state_file.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void demand(int is_true)
{
	if (!is_true)
		__builtin_trap();
}

static void check_state(const struct state_file *state)
{
	demand(state->id && state->bundle && state->rootfs && state->created);
	demand(state->pid >= 0 && state->start_time <= INT64_MAX);
	demand(state->annotations != NULL);
	for (size_t i = 0; i < state->annotations->count; i++)
		demand(state->annotations->items[i].key && state->annotations->items[i].value);
	if (state->cgroup) {
		size_t count;
		const struct cgroup_hierarchy *views = cgroup_hierarchies(state->cgroup, &count);

		/* What is removed lies below a hierarchy's mount point. */
		for (size_t i = 0; i < count; i++)
			demand(views[i].path[0] == '/' && !strstr(views[i].path, "/../") &&
				!strstr(views[i].mount, "/../") && !strchr(views[i].name, '/'));
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	cleanup_text struct text text = { 0 };
	struct state_file state;
	struct error err = { 0 };

	text_append_bytes(&text, data, size);
	if (state_file_parse(&text, &state, &err) == 0)
		check_state(&state);
	else
		demand(err.kind == ERROR_STATE || err.kind == ERROR_UNSUPPORTED);
	demand(text.length == size && !memcmp(text.data, data, size));
	state_file_release(&state);
	return 0;
}
