/* SPDX-License-Identifier: Apache-2.0 */
#include "libcontainer/handle.h"

#include <errno.h>
#include <signal.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/log.h"
#include "libcontainer/kernel/intel_rdt.h"
#include "libcontainer/kernel/pidfd.h"
#include "libcontainer/runtime_hooks.h"

/* SIGKILL has no effect only on what waits for the kernel, on dead storage say. */
#define DEATH_TIMEOUT_MS 10000

static enum state_status status_of_living(const struct handle *handle)
{
	/* What is paused is so before it was started, too: nothing else can be done with it. */
	if (handle->file.cgroup && cgroup_is_frozen(handle->file.cgroup))
		return STATE_PAUSED;
	if (state_dir_is_waiting(&handle->dir))
		return STATE_CREATED;
	/* Killed before its start, it lets go of the FIFO a moment before its end shows. */
	if (!state_dir_is_started(&handle->dir) && pidfd_is_doomed(handle->file.pid))
		return STATE_STOPPED;
	return STATE_RUNNING;
}

static int find_status(struct handle *handle, struct error *err)
{
	handle->status = STATE_STOPPED;
	if (handle->file.pid && pidfd_open_verified(handle->file.pid, handle->file.start_time,
					&handle->pidfd, err) < 0)
		return -1;
	if (handle->pidfd >= 0 && handle->file.is_ready)
		handle->status = status_of_living(handle);
	return 0;
}

/* What a creator has not finished is his while he holds the lock; when he is gone, it has stopped.
 */
static int load_now(struct handle *handle, struct error *err)
{
	if (state_file_load(handle->dir.fd, &handle->file, err) < 0)
		return -1;
	if (!handle->file.is_ready && !handle->is_locked) {
		if (state_dir_is_busy(&handle->dir)) {
			handle->status = STATE_CREATING;
			return 0;
		}
		/* He may have finished between the two looks. */
		state_file_release(&handle->file);
		if (state_file_load(handle->dir.fd, &handle->file, err) < 0)
			return -1;
	}
	return find_status(handle, err);
}

/*
 * A container exists from its first state.json on until delete takes that away.
 * What is there before and after is the creator's or the deleter's, who hold
 * the lock but for one moment, when there is nothing yet.
 */
static bool is_half_made(const struct state_dir *dir)
{
	return state_dir_is_busy(dir) || !state_dir_is_current(dir) || !state_dir_has_begun(dir);
}

static int load(struct handle *handle, struct error *err)
{
	if (load_now(handle, err) == 0)
		return 0;
	if (!handle->is_locked && err->sys_errno == ENOENT) {
		*err = (struct error){ 0 };
		if (is_half_made(&handle->dir))
			return state_dir_not_found(handle->dir.id, err);
		/* Its creator may have finished between the two looks. */
		state_file_release(&handle->file);
		if (load_now(handle, err) == 0)
			return 0;
	}
	error_hint(err, "'kogg delete --force' removes what is left of the container");
	return error_wrap(err, "container '%s'", handle->dir.id);
}

int handle_open(
	struct handle *ret_handle, const struct runtime *runtime, const char *id, struct error *err)
{
	*ret_handle = (struct handle)HANDLE_CLOSED;
	if (container_id_check(id, err) < 0 ||
		state_dir_open(&ret_handle->dir, runtime->root, id, err) < 0)
		return -1;
	return load(ret_handle, err);
}

static int lock(struct handle *handle, enum state_dir_lock lock, const struct runtime *runtime,
	const char *id, struct error *err)
{
	*handle = (struct handle)HANDLE_CLOSED;
	if (container_id_check(id, err) < 0 ||
		state_dir_lock(&handle->dir, lock, runtime->root, id, err) < 0)
		return -1;
	handle->is_locked = true;
	if (load(handle, err) == 0)
		return 0;
	/* Its creator has only just begun, and waits for the lock: there is nothing yet. */
	if (err->sys_errno != ENOENT || state_dir_has_begun(&handle->dir))
		return -1;
	*err = (struct error){ 0 };
	return state_dir_not_found(id, err);
}

int handle_lock(
	struct handle *ret_handle, const struct runtime *runtime, const char *id, struct error *err)
{
	return lock(ret_handle, STATE_DIR_EXCLUSIVE, runtime, id, err);
}

int handle_share(
	struct handle *ret_handle, const struct runtime *runtime, const char *id, struct error *err)
{
	return lock(ret_handle, STATE_DIR_SHARED, runtime, id, err);
}

int handle_relock(struct handle *handle, struct error *err)
{
	if (state_dir_relock(&handle->dir, err) < 0)
		return -1;
	if (handle->pidfd >= 0)
		handle->status = status_of_living(handle);
	return 0;
}

int handle_want_running(const struct handle *handle, struct error *err)
{
	if (handle->status == STATE_RUNNING || handle->status == STATE_PAUSED)
		return 0;
	return error_set(err, ERROR_STATE, "container not running: '%s' is %s", handle->dir.id,
		state_status_word(handle->status));
}

int handle_want_cgroup(const struct handle *handle, struct error *err)
{
	if (cgroup_has_group(handle->file.cgroup))
		return 0;
	return error_set(
		err, ERROR_UNSUPPORTED, "container '%s' has no cgroup of its own", handle->dir.id);
}

void handle_describe(const struct handle *handle, struct state *ret_state)
{
	const struct state_file *file = &handle->file;

	*ret_state = (struct state){
		.id = file->id,
		.status = handle->status,
		.has_pid = true,
		.pid = handle->status == STATE_STOPPED ? 0 : file->pid,
		.bundle = file->bundle,
		.rootfs = file->rootfs,
		.created = file->created,
		.owner = "",
		.annotations = file->annotations,
	};
}

static int explain_survival(struct handle *handle, struct error *err)
{
	char listed[256];

	cgroup_describe_pids(handle->file.cgroup, listed, sizeof(listed));
	error_set(err, ERROR_STATE, "process %d has not ended %d s after SIGKILL%s%s",
		(int)handle->file.pid, DEATH_TIMEOUT_MS / 1000,
		listed[0] ? "; processes and states: " : "", listed);
	return error_hint(err,
		"one in state D waits for storage, or a file system's server; delete "
		"it again when that has answered");
}

static int end_processes(struct handle *handle, struct error *err)
{
	bool has_exited = true;

	if (handle->pidfd >= 0) {
		if (pidfd_signal(handle->pidfd, SIGKILL, &has_exited, err) < 0)
			return -1;
		/* A v1 freezer holds even what is to die, also before it was started. */
		if (handle->status != STATE_RUNNING && handle->file.cgroup &&
			cgroup_is_frozen(handle->file.cgroup) &&
			cgroup_thaw(handle->file.cgroup, err) < 0)
			return -1;
		if (pidfd_wait_exit(handle->pidfd, DEATH_TIMEOUT_MS, &has_exited, err) < 0)
			return -1;
	}
	if (!has_exited)
		return explain_survival(handle, err);
	/* With a PID namespace of its own all others went with the first. */
	if (handle->file.cgroup && !handle->file.has_own_pid_namespace)
		return cgroup_kill(handle->file.cgroup, err);
	return 0;
}

int handle_load_spec(const struct handle *handle, struct spec_document **ret_document,
	const struct spec **ret_spec, struct error *err)
{
	if (spec_load_kept(handle->dir.fd, "config.json", ret_document, ret_spec, err) < 0)
		return state_dir_blame(&handle->dir, err);
	return 0;
}

/* Only when the state says that it matters. */
static int load_spec(
	struct handle *handle, struct spec_document **document, const struct spec **spec)
{
	struct error err = { 0 };

	if (handle_load_spec(handle, document, spec, &err) == 0)
		return 0;
	log_warning("poststop hooks are left out: %s", err.text);
	return -1;
}

static void remove_rdt(const struct handle *handle, const struct spec *spec)
{
	const struct state_file *file = &handle->file;
	struct error err = { 0 };

	if (intel_rdt_remove(spec->platform.intel_rdt, file->id, &file->rdt, &err) < 0)
		log_warning("%s", err.text);
}

int handle_destroy(struct handle *handle, struct error *err)
{
	struct spec_document *document = NULL;
	const struct spec *spec = NULL;
	struct state state;
	int result = -1;

	if (end_processes(handle, err) < 0)
		return -1;
	if (handle->file.cgroup && cgroup_remove(handle->file.cgroup, err) < 0)
		return -1;
	if (handle->file.has_poststop || handle->file.rdt.has_group ||
		handle->file.rdt.has_monitoring)
		(void)load_spec(handle, &document, &spec);
	if (spec)
		remove_rdt(handle, spec);
	result = state_dir_remove(&handle->dir, err);
	if (result == 0 && spec && handle->file.has_poststop) {
		handle->status = STATE_STOPPED;
		handle_describe(handle, &state);
		state.has_pid = false;
		runtime_hooks_run_poststop(spec, &state);
	}
	spec_document_free(document);
	return result;
}

void handle_close(struct handle *handle)
{
	close_at(&handle->pidfd);
	state_file_release(&handle->file);
	state_dir_close(&handle->dir);
	*handle = (struct handle)HANDLE_CLOSED;
}
