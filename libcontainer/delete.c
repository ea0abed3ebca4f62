/* SPDX-License-Identifier: Apache-2.0 */
#include "libcontainer/container.h"

#include <stdbool.h>

#include "base/log.h"
#include "libcontainer/handle.h"
#include "libcontainer/kernel/pidfd.h"
#include "libcontainer/neighbours.h"

#define END_TIMEOUT_MS 1000

/*
 * What a killed create or a full disk has left: a directory whose state can't
 * be read, so that nothing but itself is known to belong to it.
 */
static int remove_wreck(const struct state_dir *dir, struct error *err)
{
	struct error why = *err;
	bool has_begun = state_dir_has_begun(dir);

	*err = (struct error){ 0 };
	if (state_dir_remove(dir, err) < 0)
		return -1;
	if (has_begun)
		log_warning("%s; its directory was removed, a cgroup or a process may be left",
			why.text);
	return 0;
}

/*
 * Whether it is the state that is wrong, and not the machine that can't read it
 * just now, or a version that does not understand it: what is named there, a
 * process that runs perhaps, would be lost.
 */
static bool is_wreck(const struct state_dir *dir, const struct error *err)
{
	if (err->kind == ERROR_UNSUPPORTED)
		return false;
	/* What else is missing may be /proc, say. */
	return err->kind != ERROR_SYSTEM || !state_file_exists(dir->fd);
}

/* What was killed just now, as by 'kogg kill ID KILL', is given the moment that this takes. */
static int await_end(struct handle *handle, struct error *err)
{
	bool has_exited = false;

	if (handle->status != STATE_RUNNING)
		return 0;
	/* In this order: the number of who has been reaped may be that of another, who is not. */
	if (!pidfd_is_doomed(handle->file.pid) && pidfd_is_alive(handle->pidfd))
		return 0;
	if (pidfd_wait_exit(handle->pidfd, END_TIMEOUT_MS, &has_exited, err) < 0)
		return -1;
	if (has_exited)
		handle->status = STATE_STOPPED;
	return 0;
}

/*
 * By a pid that is wrong in the state a container that lives looks stopped. Its
 * cgroup was its alone when it was made, and tells.
 */
static int end_unknown(
	const struct handle *handle, const struct runtime *runtime, bool force, struct error *err)
{
	struct cgroup *cgroup = handle->file.cgroup;

	if (handle->pidfd >= 0 || !cgroup || (!force && handle->file.has_own_pid_namespace))
		return 0;
	return neighbours_check(handle, runtime, err) < 0 ? -1 : cgroup_kill(cgroup, err);
}

/* Whose creator waits for a first process that somebody has frozen. */
static bool thaw_half_made(const struct runtime *runtime, const char *id)
{
	cleanup_handle struct handle handle = HANDLE_CLOSED;
	struct error ignored = { 0 };

	return handle_open(&handle, runtime, id, &ignored) == 0 &&
	       handle.status == STATE_CREATING && handle.file.cgroup &&
	       cgroup_is_frozen(handle.file.cgroup) &&
	       cgroup_thaw(handle.file.cgroup, &ignored) == 0;
}

/* With FORCE also what would be busy for as long as it is frozen. */
static int lock(struct handle *ret_handle, const struct runtime *runtime, const char *id,
	bool force, struct error *err)
{
	if (handle_lock(ret_handle, runtime, id, err) == 0)
		return 0;
	if (!force || err->kind != ERROR_STATE || ret_handle->is_locked ||
		!thaw_half_made(runtime, id))
		return -1;
	*err = (struct error){ 0 };
	handle_close(ret_handle);
	return handle_lock(ret_handle, runtime, id, err);
}

int container_delete(const struct runtime *runtime, const char *id, bool force, struct error *err)
{
	cleanup_handle struct handle handle = HANDLE_CLOSED;

	if (container_id_check(id, err) < 0)
		return -1;
	if (lock(&handle, runtime, id, force, err) < 0) {
		/* What is locked is there, if only as an empty directory. */
		if (err->kind == ERROR_NOT_FOUND && force && !handle.is_locked) {
			*err = (struct error){ 0 };
			return 0;
		}
		if (!force || !handle.is_locked || !is_wreck(&handle.dir, err))
			return -1;
		/* Still locked: its creator would make a container of it in between. */
		return remove_wreck(&handle.dir, err);
	}
	if (!force && await_end(&handle, err) < 0)
		return -1;
	if (!force && (handle.status == STATE_RUNNING || handle.status == STATE_PAUSED))
		return error_set(err, ERROR_STATE,
			"cannot delete container '%s' that is not stopped: %s", id,
			state_status_word(handle.status));
	if (end_unknown(&handle, runtime, force, err) < 0)
		return -1;
	return handle_destroy(&handle, err);
}
