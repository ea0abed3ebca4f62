/* SPDX-License-Identifier: Apache-2.0 */
#include "libcontainer/creation_start.h"

#include "base/clock.h"
#include "libcontainer/creation.h"
#include "libcontainer/creation_failure.h"
#include "libcontainer/runtime_hooks.h"
#include "libcontainer/start.h"
#include "libcontainer/sync.h"

/*
 * From now on the program may give the names of its devices to others, which the
 * host is not to get; and their namespace ends with the container, not with us.
 */
static int release_first(struct creation *creation, int64_t deadline, struct error *err)
{
	if (start_release(
		    &creation->own_side, &creation->first, deadline, creation->interrupts, err) < 0)
		return -1;
	net_devices_release(&creation->net_devices);
	return creation_set_ready(creation, err);
}

/* In a hook, perhaps. */
static bool was_interrupted(const struct creation *creation)
{
	return creation->interrupts && creation->interrupts->signal;
}

/*
 * The container runs by now, and others may have it: the hooks themselves, which may
 * call the runtime. Whoever has deleted it when one of them fails has left nothing to
 * undo, and somebody else may have its name.
 */
static int run_poststart(struct creation *creation, struct error *err)
{
	struct error lock_err = { 0 };

	creation->state.status = STATE_RUNNING;
	state_dir_unlock(&creation->dir);
	if (runtime_hooks_run(creation->spec, SPEC_HOOK_POSTSTART, &creation->state, err) == 0)
		return 0;
	if (state_dir_relock(&creation->dir, &lock_err) == 0)
		return -1;
	creation_commit(creation);
	if (lock_err.kind != ERROR_NOT_FOUND)
		error_hint(err, "the container is left as it is: %s", lock_err.text);
	return -1;
}

int creation_start(struct creation *creation, struct error *err)
{
	int64_t deadline = creation->file.has_start_hooks ? CLOCK_NO_DEADLINE : sync_deadline();

	/* The end of the result shows only when no writer is left but the process. */
	start_channel_close(&creation->init_side);
	if (release_first(creation, deadline, err) == 0) {
		if (run_poststart(creation, err) == 0)
			return 0;
	} else if (err->kind == ERROR_STATE) {
		(void)creation_explain_death(creation->spec,
			creation_count_kills(creation->file.cgroup, &creation->kills),
			&creation->first, err);
	}
	if (err->kind == ERROR_HOOK || was_interrupted(creation))
		creation->has_run_hooks = true;
	spec_document_locate(creation->bundle.document, err);
	return -1;
}
