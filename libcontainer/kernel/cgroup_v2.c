/* SPDX-License-Identifier: Apache-2.0 */
#include "libcontainer/kernel/cgroup_v2.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/file.h"
#include "libcontainer/kernel/cgroup_file.h"
#include "libcontainer/kernel/cgroup_place.h"
#include "libcontainer/kernel/cgroup_tree.h"

/*
 * Engines read statistics of the first WISHED_FIRST whether there are limits or not;
 * and who makes groups in the container can limit by all.
 */
static const char *const wished[] = { "cpu", "io", "memory", "pids", "cpuset", "hugetlb", "misc",
	"rdma" };

#define WISHED_FIRST 4

/* One ancestor and its two lists. */
struct ancestor {
	char path[CGROUP_FULL_PATH_MAX];
	char available[CGROUP_VALUE_MAX]; /* cgroup.controllers */
	char enabled[CGROUP_VALUE_MAX];   /* cgroup.subtree_control */
	int fd;
};

static int ancestor_open(
	struct ancestor *ancestor, const struct cgroup_place *place, unsigned up, struct error *err)
{
	close_at(&ancestor->fd);
	cgroup_place_full_path(place, up, ancestor->path);
	ancestor->fd = open(ancestor->path, O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (ancestor->fd < 0)
		return error_set_call(err, "open cgroup", ancestor->path);
	if (cgroup_file_read(ancestor->fd, "cgroup.subtree_control", ancestor->enabled, err) < 0 ||
		cgroup_file_read(ancestor->fd, "cgroup.controllers", ancestor->available, err) < 0)
		return error_wrap(err, "cgroup '%s'", ancestor->path);
	return 0;
}

/* The longest of /proc/cgroups; some 20 lines. */
#define CONTROLLERS_MAX 8192

/*
 * The number of the v1 hierarchy that has CONTROLLER, 0 for none (cgroups(7)). False when
 * it is disabled, or not listed: since Linux 6.15 also one that can only be in v2.
 */
static bool find_hierarchy(const char *controller, unsigned *ret_hierarchy)
{
	const char *name = strcmp(controller, "io") ? controller : "blkio";
	cleanup_text struct text list = { 0 };
	struct error ignored = { 0 };
	char listed[32];
	int is_enabled;

	if (file_read_at(AT_FDCWD, "/proc/cgroups", CONTROLLERS_MAX, &list, &ignored) < 0)
		return false;
	for (const char *line = list.data; line && *line; line += strspn(line, "\n")) {
		if (sscanf(line, "%31s %u %*u %d", listed, ret_hierarchy, &is_enabled) == 3 &&
			!strcmp(listed, name))
			return is_enabled;
		line += strcspn(line, "\n");
	}
	return false;
}

static int explain_missing(
	const struct ancestor *ancestor, const struct cgroup_want *want, struct error *err)
{
	unsigned hierarchy;
	bool is_listed = find_hierarchy(want->controller, &hierarchy);

	error_set(err, ERROR_UNSUPPORTED, "controller '%s' is not available in cgroup '%s'",
		want->controller, ancestor->path);
	if (is_listed && hierarchy)
		return error_hint(err, "a v1 hierarchy has taken it");
	return error_hint(err, "%sa cgroup above needs 'echo +%s > cgroup.subtree_control'",
		is_listed ? "" : "the kernel lacks it or was booted without it, or ",
		want->controller);
}

static int explain_refusal(
	const struct ancestor *ancestor, const struct cgroup_want *want, struct error *err)
{
	int sys_errno = errno;

	if (sys_errno != EBUSY)
		error_set_errno(err, "enable controller '%s' below cgroup '%s'", want->controller,
			ancestor->path);
	else
		error_set(err, ERROR_SYSTEM,
			"enable controller '%s' below cgroup '%s': the cgroup holds processes "
			"itself",
			want->controller, ancestor->path);
	err->kind = ERROR_UNSUPPORTED;
	err->sys_errno = sys_errno;
	if (sys_errno == EBUSY)
		return error_hint(err,
			"a cgroup with limited children can't hold processes: move those of '%.100s' "
			"into a child, or choose another cgroupsPath",
			ancestor->path);
	return error_hint(err, "have it enabled: echo +%s > '%.150s/cgroup.subtree_control'",
		want->controller, ancestor->path);
}

/* "+cpu +io": what is off at ANCESTOR and can be on, with N_WISHED of those that are wished for. */
static void list_missing(const struct ancestor *ancestor, const struct cgroup_wants *wants,
	size_t n_wished, char *ret_list, size_t size)
{
	size_t used = 0;

	ret_list[0] = '\0';
	for (size_t i = 0; i < wants->count + n_wished; i++) {
		const char *name =
			i < wants->count ? wants->items[i].controller : wished[i - wants->count];
		int n;

		if (cgroup_file_has_word(ancestor->enabled, name) ||
			!cgroup_file_has_word(ancestor->available, name))
			continue;
		n = snprintf(ret_list + used, size - used, "+%s ", name);
		used += (size_t)n < size - used ? (size_t)n : 0;
	}
}

/* All that is missing at once has failed: the wanted ones alone decide. */
static int enable_each(
	const struct ancestor *ancestor, const struct cgroup_wants *wants, struct error *err)
{
	for (size_t i = 0; i < wants->count; i++) {
		const struct cgroup_want *want = &wants->items[i];
		struct error failure = { 0 };
		char word[sizeof(want->controller) + 1];

		if (cgroup_file_has_word(ancestor->enabled, want->controller))
			continue;
		snprintf(word, sizeof(word), "+%s", want->controller);
		if (cgroup_file_write(ancestor->fd, "cgroup.subtree_control", word, &failure) == 0)
			continue;
		errno = failure.sys_errno;
		explain_refusal(ancestor, want, err);
		return error_point(err, "%s", want->pointer);
	}
	return 0;
}

/* Of those that are wished for the first N_WISHED. */
static bool enable_at_once(
	const struct ancestor *ancestor, const struct cgroup_wants *wants, size_t n_wished)
{
	char list[(CGROUP_WANTS_MAX + array_size(wished)) * sizeof(wants->items[0].controller)];
	struct error ignored = { 0 };

	list_missing(ancestor, wants, n_wished, list, sizeof(list));
	return !list[0] ||
	       cgroup_file_write(ancestor->fd, "cgroup.subtree_control", list, &ignored) == 0;
}

static int enable_below(
	const struct ancestor *ancestor, const struct cgroup_wants *wants, struct error *err)
{
	for (size_t i = 0; i < wants->count; i++) {
		const struct cgroup_want *want = &wants->items[i];

		if (!cgroup_file_has_word(ancestor->available, want->controller)) {
			explain_missing(ancestor, want, err);
			return error_point(err, "%s", want->pointer);
		}
	}
	if (enable_at_once(ancestor, wants, array_size(wished)) ||
		enable_at_once(ancestor, wants, WISHED_FIRST))
		return 0;
	return enable_each(ancestor, wants, err);
}

/* Whether the group's parent gives it all that is wanted or, of the rest, can be had. */
static bool has_all(const struct ancestor *parent, const struct cgroup_wants *wants)
{
	for (size_t i = 0; i < wants->count; i++)
		if (!cgroup_file_has_word(parent->enabled, wants->items[i].controller))
			return false;
	for (size_t i = 0; i < array_size(wished); i++)
		if (!cgroup_file_has_word(parent->enabled, wished[i]) &&
			cgroup_file_has_word(parent->available, wished[i]))
			return false;
	return true;
}

static int enable(const struct cgroup_place *place, const struct cgroup_wants *wants,
	struct ancestor *ancestor, struct error *err)
{
	if (ancestor_open(ancestor, place, 1, err) < 0)
		return -1;
	if (has_all(ancestor, wants))
		return 0;
	for (unsigned up = cgroup_place_depth(place); up > 0; up--)
		if (ancestor_open(ancestor, place, up, err) < 0 ||
			enable_below(ancestor, wants, err) < 0)
			return -1;
	return 0;
}

int cgroup_v2_enable(
	const struct cgroup_place *place, const struct cgroup_wants *wants, struct error *err)
{
	/* Too large for the stack. */
	cleanup_free struct ancestor *ancestor = calloc(1, sizeof(*ancestor));
	int result;

	if (!ancestor)
		return error_set_errno(err, "enable cgroup controllers");
	ancestor->fd = -1;
	result = enable(place, wants, ancestor, err);
	close_at(&ancestor->fd);
	return result;
}

/* Beside v1 hierarchies there is nothing to enable but what was asked for. */
static int prepare(struct cgroup *cgroup, struct cgroup_place *place, struct error *err)
{
	if (!cgroup->wants.count && cgroup->n_places > 1)
		return 0;
	return cgroup_v2_enable(place, &cgroup->wants, err);
}

static int open_entry(struct cgroup_place *place, struct error *err)
{
	int dir_fd = cgroup_place_open(place, err);

	if (dir_fd < 0 || !place->entry[0])
		return dir_fd < 0 ? -1 : 0;
	close_at(&place->entry_fd);
	place->entry_fd =
		openat(dir_fd, place->entry + 1, O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	return place->entry_fd < 0 ? error_set_call(err, "open cgroup", place->entry) : 0;
}

/* Processes are born there, by clone3(2)'s CLONE_INTO_CGROUP. */
static int enter(const struct cgroup_place *place, struct error *err)
{
	(void)place;
	(void)err;
	return 0;
}

/* Waits until cgroup.events says KEY WANTED; poll(2) wakes at each change (cgroups(7)). */
static int wait_event(int dir_fd, const char *key, uint64_t wanted, struct error *err)
{
	cleanup_fd int fd = openat(dir_fd, "cgroup.events", O_RDONLY | O_CLOEXEC);
	int64_t deadline = cgroup_tree_now_ms() + CGROUP_FREEZE_TIMEOUT_MS;
	struct pollfd waiting = { .fd = fd, .events = POLLPRI };
	char events[CGROUP_VALUE_MAX];

	if (fd < 0)
		return error_set_call(err, "open", "cgroup.events");
	for (;;) {
		int64_t left = deadline - cgroup_tree_now_ms();
		uint64_t number = !wanted;

		if (cgroup_file_read_fd(fd, "cgroup.events", events, err) < 0)
			return -1;
		if (cgroup_file_find(events, key, &number) && number == wanted)
			return 0;
		if (left <= 0)
			return error_set(err, ERROR_SYSTEM,
				"'%s' is still %d in cgroup file 'cgroup.events' after %d seconds",
				key, !wanted, CGROUP_FREEZE_TIMEOUT_MS / 1000);
		poll(&waiting, 1, (int)left);
	}
}

static int set_frozen(struct cgroup_place *place, bool is_frozen, struct error *err)
{
	int dir_fd = cgroup_place_open(place, err);

	if (dir_fd < 0)
		return -1;
	if (cgroup_file_write(dir_fd, "cgroup.freeze", is_frozen ? "1" : "0", err) < 0 ||
		wait_event(dir_fd, "frozen", is_frozen, err) < 0)
		return error_wrap(err, "cgroup '%s%s'", place->mount, place->path);
	return 0;
}

static bool is_frozen(int dir_fd)
{
	struct error ignored = { 0 };
	char events[CGROUP_VALUE_MAX];
	uint64_t frozen = 0;

	return cgroup_file_read(dir_fd, "cgroup.events", events, &ignored) == 0 &&
	       cgroup_file_find(events, "frozen", &frozen) && frozen == 1;
}

/* Frozen processes die of SIGKILL without being thawed, but can't fork meanwhile. */
static int kill_frozen(struct cgroup_place *place, int dir_fd, struct error *err)
{
	struct error ignored = { 0 };
	int result;

	if (cgroup_file_write(dir_fd, "cgroup.freeze", "1", &ignored) < 0)
		ignored = (struct error){ 0 };
	result = cgroup_tree_kill(dir_fd, err);
	if (set_frozen(place, false, &ignored) < 0 && result == 0)
		*err = ignored;
	return ignored.kind == ERROR_NONE ? result : -1;
}

static bool is_empty(int dir_fd)
{
	struct error ignored = { 0 };
	char events[CGROUP_VALUE_MAX];
	uint64_t populated = 1;

	return cgroup_file_read(dir_fd, "cgroup.events", events, &ignored) == 0 &&
	       cgroup_file_find(events, "populated", &populated) && !populated;
}

/*
 * The kernel counts the writes, and Linux 6.18 kills who is born into a group with
 * another count than that of its maker's: a group that stays is to be left as it was.
 */
static int kill_all(struct cgroup_place *place, struct error *err)
{
	struct error failure = { 0 };
	int dir_fd = cgroup_place_open(place, err);

	if (dir_fd < 0)
		return -1;
	if (is_empty(dir_fd))
		return 0;
	if (cgroup_file_write(dir_fd, "cgroup.kill", "1", &failure) == 0)
		return 0;
	/* Linux before 5.14 has no such file. */
	if (failure.sys_errno == ENOENT && cgroup_file_exists(dir_fd, "cgroup.procs"))
		return kill_frozen(place, dir_fd, err);
	*err = failure;
	return -1;
}

/* Of a kernel before 4.20, which has no list. */
#define DELEGATED_FILES "cgroup.procs\ncgroup.subtree_control\ncgroup.threads\n"

#define DELEGATE_MAX 65536

static int give_file(
	struct cgroup_place *place, const char *file, uid_t uid, gid_t gid, struct error *err)
{
	/* The list is for all controllers; this group has some. */
	if (fchownat(place->dir_fd, file, uid, gid, AT_SYMLINK_NOFOLLOW) < 0 && errno != ENOENT)
		return error_set_call(err, "change the owner of cgroup file", file);
	return 0;
}

int cgroup_v2_delegate(struct cgroup_place *place, uid_t uid, gid_t gid, struct error *err)
{
	cleanup_text struct text list = { 0 };
	struct error failure = { 0 };
	int dir_fd = cgroup_place_open(place, err);

	if (dir_fd < 0)
		return -1;
	if (file_read_at(AT_FDCWD, "/sys/kernel/cgroup/delegate", DELEGATE_MAX, &list, &failure) <
		0)
		text_append(&list, DELEGATED_FILES);
	if (text_check(&list, err) < 0)
		return -1;
	if (fchownat(dir_fd, "", uid, gid, AT_EMPTY_PATH) < 0)
		return error_set_call(err, "change the owner of cgroup", place->path);
	for (char *file = list.data; *file;) {
		char *end = file + strcspn(file, "\n");
		bool is_last = !*end;

		*end = '\0';
		if (file[0] && !strchr(file, '/') && give_file(place, file, uid, gid, err) < 0)
			return -1;
		file = is_last ? end : end + 1;
	}
	return 0;
}

const struct cgroup_ops cgroup_v2_ops = {
	.prepare = prepare,
	.open_entry = open_entry,
	.enter = enter,
	.set_frozen = set_frozen,
	.is_frozen = is_frozen,
	.kill = kill_all,
};
