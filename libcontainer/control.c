/* SPDX-License-Identifier: Apache-2.0 */
/* What is done to a running container through its cgroup alone. */
#include "libcontainer/container.h"

#include "libcontainer/handle.h"

int container_pause(const struct runtime *runtime, const char *id, struct error *err)
{
	cleanup_handle struct handle handle = HANDLE_CLOSED;

	if (handle_lock(&handle, runtime, id, err) < 0 || handle_want_cgroup(&handle, err) < 0)
		return -1;
	if (handle.status != STATE_RUNNING && handle.status != STATE_CREATED)
		return handle.status == STATE_PAUSED
			       ? error_set(err, ERROR_STATE, "container '%s' is paused already", id)
			       : handle_want_running(&handle, err);
	return cgroup_freeze(handle.file.cgroup, err);
}

int container_resume(const struct runtime *runtime, const char *id, struct error *err)
{
	cleanup_handle struct handle handle = HANDLE_CLOSED;

	if (handle_lock(&handle, runtime, id, err) < 0 || handle_want_cgroup(&handle, err) < 0)
		return -1;
	if (handle.status == STATE_STOPPED || !cgroup_is_frozen(handle.file.cgroup))
		return error_set(err, ERROR_STATE, "container not paused: '%s' is %s", id,
			state_status_word(handle.status));
	return cgroup_thaw(handle.file.cgroup, err);
}

int container_update(const struct runtime *runtime, const char *id,
	const struct spec_resources *resources, struct error *err)
{
	cleanup_handle struct handle handle = HANDLE_CLOSED;

	if (handle_lock(&handle, runtime, id, err) < 0 || handle_want_cgroup(&handle, err) < 0)
		return -1;
	if (handle.status == STATE_STOPPED)
		return handle_want_running(&handle, err);
	return cgroup_update(handle.file.cgroup, resources, err);
}

int container_pids(const struct runtime *runtime, const char *id, pid_t **ret_pids,
	size_t *ret_count, struct error *err)
{
	cleanup_handle struct handle handle = HANDLE_CLOSED;

	if (handle_open(&handle, runtime, id, err) < 0 || handle_want_cgroup(&handle, err) < 0)
		return -1;
	return cgroup_pids(handle.file.cgroup, ret_pids, ret_count, err);
}
