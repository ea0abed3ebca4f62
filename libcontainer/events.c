/* SPDX-License-Identifier: Apache-2.0 */
#include "libcontainer/events.h"

#include <errno.h>
#include <poll.h>
#include <stdlib.h>

#include "libcontainer/handle.h"
#include "libcontainer/kernel/cgroup_oom.h"
#include "libcontainer/kernel/cgroup_stats.h"

/* A container that runs and has a cgroup, which is what is counted. */
static int open_running(
	struct handle *handle, const struct runtime *runtime, const char *id, struct error *err)
{
	if (handle_open(handle, runtime, id, err) < 0)
		return -1;
	if (handle->status == STATE_STOPPED || handle->status == STATE_CREATING)
		return error_set(err, ERROR_STATE, "container with id %s is not running", id);
	return handle_want_cgroup(handle, err);
}

int container_stats(
	const struct runtime *runtime, const char *id, json_t **ret_stats, struct error *err)
{
	cleanup_handle struct handle handle = HANDLE_CLOSED;

	if (open_running(&handle, runtime, id, err) < 0)
		return -1;
	return cgroup_stats(handle.file.cgroup, ret_stats, err);
}

struct container_watch {
	struct handle handle;
	struct cgroup_oom_watch oom;
};

/* Without a memory controller nothing can be out of memory; the end still comes. */
static int watch_memory(struct container_watch *watch, struct error *err)
{
	if (cgroup_oom_watch_open(watch->handle.file.cgroup, &watch->oom, err) == 0)
		return 0;
	if (err->kind != ERROR_UNSUPPORTED)
		return -1;
	*err = (struct error){ 0 };
	watch->oom = CGROUP_OOM_WATCH_CLOSED;
	return 0;
}

int container_watch_open(const struct runtime *runtime, const char *id,
	struct container_watch **ret_watch, struct error *err)
{
	struct container_watch *watch = calloc(1, sizeof(*watch));

	if (!watch)
		return error_set(err, ERROR_SYSTEM, "out of memory");
	watch->oom = CGROUP_OOM_WATCH_CLOSED;
	if (open_running(&watch->handle, runtime, id, err) < 0 || watch_memory(watch, err) < 0) {
		container_watch_free(watch);
		return -1;
	}
	*ret_watch = watch;
	return 0;
}

static int read_memory(
	struct container_watch *watch, enum container_event *ret_event, struct error *err)
{
	uint64_t count;
	bool is_gone;

	if (cgroup_oom_watch_read(&watch->oom, &count, &is_gone, err) < 0)
		return -1;
	*ret_event = is_gone ? CONTAINER_EVENT_END
		     : count ? CONTAINER_EVENT_OOM
			     : CONTAINER_EVENT_NONE;
	return 0;
}

int container_watch_wait(struct container_watch *watch, int64_t timeout_ms,
	enum container_event *ret_event, struct error *err)
{
	struct pollfd events[] = {
		{ .fd = watch->oom.poll_fd, .events = watch->oom.poll_events },
		{ .fd = watch->handle.pidfd, .events = POLLIN },
	};
	int timeout = timeout_ms > INT32_MAX ? INT32_MAX : (int)timeout_ms;

	*ret_event = CONTAINER_EVENT_NONE;
	if (poll(events, array_size(events), timeout) < 0)
		return errno == EINTR ? 0 : error_set_errno(err, "wait for events");
	/*
	 * Memory first: it may be what has ended the container, and v2's word of it
	 * comes up to 10 ms late, when the count is there already.
	 */
	if ((events[0].revents || (events[1].revents && watch->oom.count_fd >= 0)) &&
		read_memory(watch, ret_event, err) < 0)
		return -1;
	if (*ret_event == CONTAINER_EVENT_NONE && events[1].revents)
		*ret_event = CONTAINER_EVENT_END;
	return 0;
}

void container_watch_free(struct container_watch *watch)
{
	if (!watch)
		return;
	cgroup_oom_watch_close(&watch->oom);
	handle_close(&watch->handle);
	free(watch);
}
