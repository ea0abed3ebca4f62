/* SPDX-License-Identifier: Apache-2.0 */
#include "libcontainer/kernel/cgroup_v1.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "libcontainer/kernel/cgroup_file.h"
#include "libcontainer/kernel/cgroup_place.h"
#include "libcontainer/kernel/cgroup_tree.h"

/*
 * A cpuset without CPUs or memory nodes takes no process, and a new one has
 * none: FILE is filled from the nearest ancestor that has a value
 * (cpusets.rst, "Usage Examples and Syntax").
 */
static int inherit(const struct cgroup_place *place, const char *file, unsigned up,
	char ret_value[static CGROUP_VALUE_MAX], struct error *err)
{
	char path[CGROUP_FULL_PATH_MAX];

	cgroup_place_full_path(place, up, path);
	strncat(path, file, sizeof(path) - strlen(path) - 1);
	/* The container's own, if it was just made, need not be read. */
	ret_value[0] = '\0';
	if (up >= place->made && cgroup_file_read(AT_FDCWD, path, ret_value, err) < 0)
		return -1;
	if (ret_value[0])
		return 0;
	if (up >= cgroup_place_depth(place))
		return error_set(err, ERROR_UNSUPPORTED, "cgroup file '%s' is empty", path);
	if (inherit(place, file, up + 1, ret_value, err) < 0)
		return -1;
	return cgroup_file_write(AT_FDCWD, path, ret_value, err);
}

static int prepare(struct cgroup *cgroup, struct cgroup_place *place, struct error *err)
{
	char value[CGROUP_VALUE_MAX];

	if (place != cgroup_layout_find_v1(cgroup, "cpuset"))
		return 0;
	/* Limits that will be written into a new group are not worth a copy before. */
	if (inherit(place, "/cpuset.cpus", cgroup->has_cpus && place->is_new, value, err) < 0)
		return -1;
	return inherit(place, "/cpuset.mems", cgroup->has_mems && place->is_new, value, err);
}

/*
 * `tasks` and not `cgroup.procs`: a single-threaded process that writes "0"
 * there moves without the kernel's lock on all thread groups, which costs an
 * RCU grace period (cgroup_procs_write_start() in kernel/cgroup/cgroup.c).
 */
static int open_entry(struct cgroup_place *place, struct error *err)
{
	char path[CGROUP_FULL_PATH_MAX], file[CGROUP_FULL_PATH_MAX + CGROUP_PATH_MAX];

	if (place->entry_fd >= 0)
		return 0;
	cgroup_place_full_path(place, 0, path);
	snprintf(file, sizeof(file), "%s%s/tasks", path, place->entry);
	place->entry_fd = open(file, O_WRONLY | O_CLOEXEC);
	return place->entry_fd < 0 ? error_set_call(err, "open", file) : 0;
}

static int enter(const struct cgroup_place *place, struct error *err)
{
	if (cgroup_file_write_fd(place->entry_fd, "tasks", "0", err) < 0)
		return error_wrap(err, "enter cgroup '%s%s'", place->mount, place->path);
	return 0;
}

/*
 * The state can only be read, which is what brings it up to date: the v1 freezer
 * tells nobody of a change (no kernfs_notify(), so neither poll(2) nor
 * inotify(7) wakes; cgroup.event_control knows memory alone; nothing waits for a
 * task to freeze). As a rule the first few reads do, with the processor given
 * to those that are to freeze. What is not frozen after this many waits in the
 * kernel for a device or a lock, and as long as that takes, a pause of 1 ms
 * costs less than a processor: the one wait by the clock in kogg, on v1 only.
 */
#define EAGER_READS 200

static int wait_state(int fd, const char *wanted, struct error *err)
{
	int64_t deadline = cgroup_tree_now_ms() + CGROUP_FREEZE_TIMEOUT_MS;
	char state[CGROUP_VALUE_MAX];

	for (int i = 0; cgroup_tree_now_ms() < deadline; i++) {
		if (cgroup_file_read_fd(fd, "freezer.state", state, err) < 0)
			return -1;
		if (strcmp(state, wanted) == 0)
			return 0;
		if (i < EAGER_READS)
			sched_yield();
		else
			poll(NULL, 0, 1);
		/* A process that was forked meanwhile is only caught by another write. */
		if (i % EAGER_READS == EAGER_READS - 1 &&
			cgroup_file_write_fd(fd, "freezer.state", wanted, err) < 0)
			return -1;
	}
	return error_set(err, ERROR_SYSTEM, "freezer state is still %s after %d seconds", state,
		CGROUP_FREEZE_TIMEOUT_MS / 1000);
}

static int set_frozen(struct cgroup_place *place, bool is_frozen, struct error *err)
{
	const char *state = is_frozen ? "FROZEN" : "THAWED";
	cleanup_fd int fd = -1;
	int dir_fd = cgroup_place_open(place, err);

	if (dir_fd < 0)
		return -1;
	fd = openat(dir_fd, "freezer.state", O_RDWR | O_CLOEXEC);
	if (fd < 0)
		return error_set_call(err, "open", "freezer.state");
	if (cgroup_file_write_fd(fd, "freezer.state", state, err) < 0 ||
		wait_state(fd, state, err) < 0)
		return error_wrap(err, "cgroup '%s%s'", place->mount, place->path);
	return 0;
}

static bool is_frozen(int dir_fd)
{
	struct error ignored = { 0 };
	char state[CGROUP_VALUE_MAX];

	return cgroup_file_read(dir_fd, "freezer.state", state, &ignored) == 0 &&
	       strcmp(state, "THAWED") != 0;
}

/*
 * A frozen process can't fork between being listed and being killed. It takes
 * the signal only when it is thawed. Without a freezer the rounds of
 * cgroup_tree_kill() have to do.
 */
static int kill_all(struct cgroup_place *place, struct error *err)
{
	struct error ignored = { 0 }, cause = { 0 };
	int dir_fd = cgroup_place_open(place, err);
	bool has_freezer;
	int result;

	if (dir_fd < 0)
		return -1;
	has_freezer = cgroup_file_exists(dir_fd, "freezer.state");
	if (has_freezer)
		(void)!set_frozen(place, true, &ignored);
	result = cgroup_tree_kill(dir_fd, err);
	if (!has_freezer || set_frozen(place, false, &cause) == 0 || result < 0)
		return result;
	/* Once they are dead, whoever waits for that removes it. */
	if (cgroup_tree_is_gone(cause.sys_errno))
		return 0;
	*err = cause;
	return -1;
}

const struct cgroup_ops cgroup_v1_ops = {
	.prepare = prepare,
	.open_entry = open_entry,
	.enter = enter,
	.set_frozen = set_frozen,
	.is_frozen = is_frozen,
	.kill = kill_all,
};
