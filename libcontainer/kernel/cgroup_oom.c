/* SPDX-License-Identifier: Apache-2.0 */
#include "libcontainer/kernel/cgroup_oom.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "libcontainer/kernel/cgroup_file.h"
#include "libcontainer/kernel/cgroup_layout.h"
#include "libcontainer/kernel/cgroup_place.h"

static const char *file_of(const struct cgroup_oom_watch *watch)
{
	return watch->poll_events == POLLPRI ? "memory.events" : "memory.oom_control";
}

/* Both files have the line "oom_kill N" (v1: since Linux 4.13). */
static int read_count(const struct cgroup_oom_watch *watch, uint64_t *ret_count, bool *ret_is_gone,
	struct error *err)
{
	char value[CGROUP_VALUE_MAX];
	struct error failure = { 0 };

	*ret_count = 0;
	*ret_is_gone = false;
	if (cgroup_file_read_fd(watch->count_fd, file_of(watch), value, &failure) == 0) {
		cgroup_file_find(value, "oom_kill", ret_count);
		return 0;
	}
	*ret_is_gone = failure.sys_errno == ENODEV;
	if (*ret_is_gone)
		return 0;
	*err = failure;
	return -1;
}

/* "EVENTFD FILE" in cgroup.event_control asks v1 to signal each time. */
static int register_eventfd(int dir_fd, struct cgroup_oom_watch *watch, struct error *err)
{
	char request[64];

	watch->poll_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	if (watch->poll_fd < 0)
		return error_set_errno(err, "make an eventfd");
	snprintf(request, sizeof(request), "%d %d", watch->poll_fd, watch->count_fd);
	return cgroup_file_write(dir_fd, "cgroup.event_control", request, err);
}

/* v1 counts in each group what was killed in that one alone, v2 also what was in those below. */
static int open_count(struct cgroup_place *place, int dir_fd, struct cgroup_oom_watch *watch)
{
	char path[CGROUP_PATH_MAX + sizeof("/memory.oom_control")];

	watch->poll_events = place->is_v2 ? POLLPRI : POLLIN;
	snprintf(path, sizeof(path), "%s/%s", place->is_v2 ? "" : place->entry, file_of(watch));
	watch->count_fd = openat(dir_fd, path + 1, O_RDONLY | O_CLOEXEC);
	return watch->count_fd < 0 ? -1 : 0;
}

static struct cgroup_place *find_place(struct cgroup *cgroup)
{
	return cgroup_layout_find_v1(cgroup, "memory") ?: cgroup_layout_find_v2(cgroup);
}

static int open_watch(struct cgroup_place *place, struct cgroup_oom_watch *watch, struct error *err)
{
	int dir_fd = cgroup_place_open(place, err);
	bool is_gone;

	if (dir_fd < 0)
		return -1;
	if (open_count(place, dir_fd, watch) < 0) {
		if (errno == ENOENT)
			return error_set(err, ERROR_UNSUPPORTED,
				"cgroup '%s%s' has no memory controller", place->mount,
				place->path);
		return error_set_call(err, "open", file_of(watch));
	}
	if (!place->is_v2 && register_eventfd(dir_fd, watch, err) < 0)
		return -1;
	if (place->is_v2)
		watch->poll_fd = watch->count_fd;
	return read_count(watch, &watch->count, &is_gone, err);
}

int cgroup_oom_watch_open(
	struct cgroup *cgroup, struct cgroup_oom_watch *ret_watch, struct error *err)
{
	struct cgroup_oom_watch watch = CGROUP_OOM_WATCH_CLOSED;
	struct cgroup_place *place = find_place(cgroup);

	if (!place)
		return error_set(err, ERROR_UNSUPPORTED, "the container has no memory cgroup");
	if (open_watch(place, &watch, err) < 0) {
		cgroup_oom_watch_close(&watch);
		return -1;
	}
	*ret_watch = watch;
	return 0;
}

/* v1 counts by signals, also where the killer is off; a last one comes when the group goes. */
static uint64_t read_signals(const struct cgroup_oom_watch *watch)
{
	uint64_t signals;

	return read(watch->poll_fd, &signals, sizeof(signals)) == sizeof(signals) ? signals : 0;
}

int cgroup_oom_watch_read(
	struct cgroup_oom_watch *watch, uint64_t *ret_count, bool *ret_is_gone, struct error *err)
{
	bool is_v2 = watch->poll_fd == watch->count_fd;
	uint64_t count, told = watch->count;

	if (read_count(watch, &count, ret_is_gone, err) < 0)
		return -1;
	watch->count = count;
	*ret_count = is_v2 ? count - told : read_signals(watch);
	if (*ret_is_gone)
		*ret_count = 0;
	return 0;
}

void cgroup_oom_count_open(struct cgroup *cgroup, struct cgroup_oom_watch *ret_watch)
{
	struct cgroup_place *place = cgroup ? find_place(cgroup) : NULL;
	struct error ignored = { 0 };
	int dir_fd = place ? cgroup_place_open(place, &ignored) : -1;
	bool is_gone;

	*ret_watch = CGROUP_OOM_WATCH_CLOSED;
	if (dir_fd < 0 || open_count(place, dir_fd, ret_watch) < 0)
		return;
	if (read_count(ret_watch, &ret_watch->count, &is_gone, &ignored) < 0)
		cgroup_oom_watch_close(ret_watch);
}

uint64_t cgroup_oom_count_kills(const struct cgroup_oom_watch *watch)
{
	struct error ignored = { 0 };
	uint64_t count;
	bool is_gone;

	if (watch->count_fd < 0 || read_count(watch, &count, &is_gone, &ignored) < 0)
		return 0;
	return count > watch->count ? count - watch->count : 0;
}

bool cgroup_oom_may_be_old(struct cgroup *cgroup)
{
	const struct cgroup_place *place = cgroup ? find_place(cgroup) : NULL;

	return place && !place->made;
}

uint64_t cgroup_oom_kills(struct cgroup *cgroup)
{
	struct cgroup_oom_watch watch;
	uint64_t count;

	if (cgroup_oom_may_be_old(cgroup))
		return 0;
	cgroup_oom_count_open(cgroup, &watch);
	count = watch.count;
	cgroup_oom_watch_close(&watch);
	return count;
}

void cgroup_oom_watch_close(struct cgroup_oom_watch *watch)
{
	if (watch->poll_fd != watch->count_fd)
		close_at(&watch->poll_fd);
	close_at(&watch->count_fd);
	*watch = CGROUP_OOM_WATCH_CLOSED;
}
