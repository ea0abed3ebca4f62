/* SPDX-License-Identifier: Apache-2.0 */
#include "libcontainer/runtime_hooks.h"

#include <unistd.h>

#include "base/log.h"
#include "base/text.h"
#include "hooks/hooks.h"

int runtime_hooks_run(const struct spec *spec, enum spec_hook_kind kind, const struct state *state,
	struct error *err)
{
	const struct spec_hook_list *list = &spec->hooks.lists[kind];
	cleanup_text struct text json = { 0 };
	struct hooks_request request = {
		.kind = kind,
		.default_env = (const char *const *)environ,
		/* After a delete the bundle may be gone. */
		.cwd = kind == SPEC_HOOK_POSTSTOP ? NULL : state->bundle,
	};

	if (!list->count)
		return 0;
	state_write(state, 0, &json);
	if (text_check(&json, err) < 0)
		return -1;
	request.state = json.data;
	if (kind != SPEC_HOOK_POSTSTOP)
		return hooks_run(list, &request, err);
	hooks_run_all(list, &request);
	return 0;
}

void runtime_hooks_run_poststop(const struct spec *spec, const struct state *state)
{
	struct error err = { 0 };

	if (runtime_hooks_run(spec, SPEC_HOOK_POSTSTOP, state, &err) < 0)
		log_warning("poststop hooks: %s", err.text);
}
