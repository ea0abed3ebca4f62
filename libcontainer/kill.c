/* SPDX-License-Identifier: Apache-2.0 */
#include "libcontainer/container.h"

#include <signal.h>

#include "libcontainer/handle.h"
#include "libcontainer/kernel/pidfd.h"
#include "libcontainer/neighbours.h"

static int signal_all(const struct handle *handle, int signal, struct error *err)
{
	struct cgroup *cgroup = handle->file.cgroup;

	return signal == SIGKILL ? cgroup_kill(cgroup, err) : cgroup_signal(cgroup, signal, err);
}

/* Somebody else may have thawed it, and even have deleted the container by now. */
static int thaw(const struct handle *handle, struct error *err)
{
	struct error cause = { 0 };

	if (cgroup_thaw(handle->file.cgroup, &cause) == 0 || !pidfd_is_alive(handle->pidfd))
		return 0;
	*err = cause;
	return -1;
}

/* MAY_BE_GONE: others of its group were killed before, and it most likely with them. */
static int signal_first(struct handle *handle, int signal, bool may_be_gone, struct error *err)
{
	bool has_exited;

	if (pidfd_signal(handle->pidfd, signal, &has_exited, err) < 0)
		return -1;
	if (has_exited && may_be_gone)
		return 0;
	if (has_exited)
		return error_set(err, ERROR_STATE, "container not running: its process has ended");
	/*
	 * A v1 freezer lets nothing die before it is thawed. Who freezes from now on
	 * sees the signal (control.c).
	 */
	if (signal == SIGKILL && handle->file.cgroup && cgroup_is_frozen(handle->file.cgroup))
		return thaw(handle, err);
	return 0;
}

int container_kill(
	const struct runtime *runtime, const char *id, int signal, bool all, struct error *err)
{
	cleanup_handle struct handle handle = HANDLE_CLOSED;
	bool has_group, sweeps;

	if (handle_open(&handle, runtime, id, err) < 0)
		return -1;
	/* Not to be touched yet, its group neither (runtime.md, "Kill"). */
	if (handle.status == STATE_CREATING)
		return handle_want_running(&handle, err);
	/*
	 * Without a PID namespace of its own the others outlive the first process
	 * (--all after its end is how engines sweep them up).
	 */
	has_group = cgroup_has_group(handle.file.cgroup);
	sweeps = has_group && (all || (signal == SIGKILL && !handle.file.has_own_pid_namespace));
	if (sweeps && handle.status == STATE_STOPPED && neighbours_check(&handle, runtime, err) < 0)
		return -1;
	if (sweeps && signal_all(&handle, signal, err) < 0)
		return -1;
	if (handle.status == STATE_STOPPED)
		return all ? 0 : handle_want_running(&handle, err);
	return all && has_group ? 0 : signal_first(&handle, signal, sweeps, err);
}
