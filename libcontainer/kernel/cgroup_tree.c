/* SPDX-License-Identifier: Apache-2.0 */
#include "libcontainer/kernel/cgroup_tree.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/pidfd.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/cleanup.h"

int64_t cgroup_tree_now_ms(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

void cgroup_pids_release(struct cgroup_pids *pids)
{
	free(pids->items);
	*pids = (struct cgroup_pids){ 0 };
}

static int append_pid(struct cgroup_pids *pids, pid_t pid, struct error *err)
{
	if (pids->count == CGROUP_PIDS_MAX)
		return error_set(
			err, ERROR_SYSTEM, "more than %u processes in the cgroup", CGROUP_PIDS_MAX);
	if (pids->count == pids->capacity) {
		size_t capacity = pids->capacity ? pids->capacity * 2 : 16;
		pid_t *items = reallocarray(pids->items, capacity, sizeof(*items));

		if (!items)
			return error_set_errno(err, "list the cgroup's processes");
		pids->items = items;
		pids->capacity = capacity;
	}
	pids->items[pids->count++] = pid;
	return 0;
}

/* Parses the numbers in TEXT; a number cut at the end of a chunk goes on in PARTIAL. */
static int append_numbers(
	struct cgroup_pids *pids, const char *text, size_t size, pid_t *partial, struct error *err)
{
	for (size_t i = 0; i < size; i++) {
		if (text[i] >= '0' && text[i] <= '9') {
			*partial = *partial * 10 + (text[i] - '0');
			continue;
		}
		/* 0 is a process of an outer PID namespace, which cannot be named. */
		if (*partial > 0 && append_pid(pids, *partial, err) < 0)
			return -1;
		*partial = 0;
	}
	return 0;
}

bool cgroup_tree_is_gone(int sys_errno)
{
	return sys_errno == ENOENT || sys_errno == ENODEV;
}

static int read_pids(int dir_fd, struct cgroup_pids *pids, struct error *err)
{
	cleanup_fd int fd = openat(dir_fd, "cgroup.procs", O_RDONLY | O_CLOEXEC);
	char chunk[4096];
	pid_t partial = 0;
	ssize_t n;

	if (fd < 0)
		return cgroup_tree_is_gone(errno) ? 0 : error_set_call(err, "open", "cgroup.procs");
	while ((n = read(fd, chunk, sizeof(chunk))) != 0) {
		if (n < 0 && errno == EINTR)
			continue;
		/* EOPNOTSUPP: a threaded group, whose processes its domain lists (v2). */
		if (n < 0)
			return cgroup_tree_is_gone(errno) || errno == EOPNOTSUPP
				       ? 0
				       : error_set_call(err, "read", "cgroup.procs");
		if (append_numbers(pids, chunk, (size_t)n, &partial, err) < 0)
			return -1;
	}
	return 0;
}

/* cgroupfs keeps the link count of directories: 2, and one for each group below. */
static bool has_children(int dir_fd)
{
	struct stat st;

	return fstat(dir_fd, &st) == 0 && st.st_nlink != 2;
}

/* The names of the groups in one directory, one behind the other, each with its NUL. */
struct level {
	char *names;
	size_t size, next, last;
};

struct walk {
	struct level *levels;
	size_t depth, capacity, seen;
	int fd; /* the directory that levels[depth - 1] lists */
};

static void walk_release(struct walk *walk)
{
	for (size_t i = 0; i < walk->depth; i++)
		free(walk->levels[i].names);
	free(walk->levels);
	close_at(&walk->fd);
}

static int append_name(struct level *level, size_t *capacity, const char *name, struct error *err)
{
	size_t length = strlen(name) + 1;

	if (level->size + length > *capacity) {
		char *names = realloc(level->names, *capacity * 2 + 1024);

		if (!names)
			return error_set_errno(err, "list groups below the cgroup");
		level->names = names;
		*capacity = *capacity * 2 + 1024;
	}
	memcpy(level->names + level->size, name, length);
	level->size += length;
	return 0;
}

static int list_names(struct walk *walk, struct level *level, struct error *err)
{
	int fd = openat(walk->fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	cleanup_dir DIR *dir = fd < 0 ? NULL : fdopendir(fd);
	const struct dirent *entry;
	size_t capacity = 0;

	if (!dir) {
		close_at(&fd);
		return errno == ENOENT ? 0 : error_set_errno(err, "open a group of the container");
	}
	while (errno = 0, (entry = readdir(dir))) {
		if (entry->d_type != DT_DIR || entry->d_name[0] == '.')
			continue;
		if (walk->seen++ == CGROUP_TREE_MAX)
			return error_set(err, ERROR_SYSTEM,
				"the container has made more than %d cgroups", CGROUP_TREE_MAX);
		if (append_name(level, &capacity, entry->d_name, err) < 0)
			return -1;
	}
	return errno ? error_set_errno(err, "list groups below the cgroup") : 0;
}

/* Makes FD, which is taken over, the directory to go on in. */
static int walk_down(struct walk *walk, int fd, struct error *err)
{
	struct level *level;

	close_at(&walk->fd);
	walk->fd = fd;
	if (walk->depth == walk->capacity) {
		size_t capacity = walk->capacity * 2 + 8;
		struct level *levels = reallocarray(walk->levels, capacity, sizeof(*levels));

		if (!levels)
			return error_set_errno(err, "list groups below the cgroup");
		walk->levels = levels;
		walk->capacity = capacity;
	}
	level = &walk->levels[walk->depth++];
	*level = (struct level){ 0 };
	return has_children(fd) ? list_names(walk, level, err) : 0;
}

/* Back to the parent. The count of levels keeps ".." from leaving the container's group. */
static int walk_up(struct walk *walk, struct error *err)
{
	int fd;

	free(walk->levels[--walk->depth].names);
	if (walk->depth == 0)
		return 0;
	fd = openat(walk->fd, "..", O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0)
		return error_set_errno(err, "return to the parent of a group of the container");
	close_at(&walk->fd);
	walk->fd = fd;
	return 0;
}

static const char *next_name(struct walk *walk)
{
	struct level *level = &walk->levels[walk->depth - 1];
	char *name = level->names + level->next;

	if (level->next >= level->size)
		return NULL;
	level->last = level->next;
	level->next += strlen(name) + 1;
	return name;
}

/* What next_name() gave last at this level. */
static const char *last_name(const struct walk *walk)
{
	const struct level *level = &walk->levels[walk->depth - 1];

	return level->names + level->last;
}

static int open_group(int dir_fd, const char *name)
{
	return openat(dir_fd, name, O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
}

int cgroup_tree_pids(int dir_fd, struct cgroup_pids *ret_pids, struct error *err)
{
	__attribute__((cleanup(walk_release))) struct walk walk = { .fd = -1 };
	int fd = -1;

	if (read_pids(dir_fd, ret_pids, err) < 0)
		return -1;
	if (!has_children(dir_fd))
		return 0;
	fd = open_group(dir_fd, ".");
	if (fd < 0)
		return cgroup_tree_is_gone(errno)
			       ? 0
			       : error_set_errno(err, "open the container's cgroup");
	if (walk_down(&walk, fd, err) < 0)
		return -1;
	while (walk.depth > 0) {
		const char *name = next_name(&walk);

		fd = name ? open_group(walk.fd, name) : -1;
		if (!name && walk_up(&walk, err) < 0)
			return -1;
		if (fd < 0)
			continue;
		if (walk_down(&walk, fd, err) < 0 || read_pids(fd, ret_pids, err) < 0)
			return -1;
	}
	return 0;
}

/* The letter behind the command's last parenthesis in /proc/PID/stat (proc(5)); '?' if gone. */
static char state_of(pid_t pid)
{
	char path[64], line[512];
	cleanup_fd int fd = -1;
	const char *end;
	ssize_t n;

	snprintf(path, sizeof(path), "/proc/%d/stat", (int)pid);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	n = fd < 0 ? -1 : read(fd, line, sizeof(line) - 1);
	if (n <= 0)
		return '?';
	line[n] = '\0';
	end = strrchr(line, ')');
	return end && end[1] == ' ' && end[2] ? end[2] : '?';
}

void cgroup_tree_describe(const struct cgroup_pids *pids, char *ret_text, size_t size)
{
	size_t used = 0;

	ret_text[0] = '\0';
	for (size_t i = 0; i < pids->count; i++) {
		int n = snprintf(ret_text + used, size - used, "%s%d (%c)", i ? ", " : "",
			(int)pids->items[i], state_of(pids->items[i]));

		if (n < 0 || used + (size_t)n + sizeof(", ...") >= size) {
			snprintf(ret_text + used, size - used, ", ...");
			return;
		}
		used += (size_t)n;
	}
}

static int compare_pids(const void *left, const void *right)
{
	pid_t a = *(const pid_t *)left, b = *(const pid_t *)right;

	return (a > b) - (a < b);
}

static void sort_pids(struct cgroup_pids *pids)
{
	if (pids->count)
		qsort(pids->items, pids->count, sizeof(*pids->items), compare_pids);
}

/* PIDS is sorted. */
static bool has_pid(const struct cgroup_pids *pids, pid_t pid)
{
	return pids->count &&
	       bsearch(&pid, pids->items, pids->count, sizeof(pid), compare_pids) != NULL;
}

/* How many pidfds are open at a time. */
#define PIDFD_BATCH 64

static void close_pidfds(struct pollfd *polls, size_t count)
{
	for (size_t i = 0; i < count; i++)
		close_at(&polls[i].fd);
}

/* Those that have ended meanwhile have none. EINVAL, later ENOENT: the number is a thread's now. */
static int open_pidfds(const pid_t *pids, size_t count, struct pollfd *ret_polls, struct error *err)
{
	for (size_t i = 0; i < count; i++) {
		ret_polls[i] = (struct pollfd){ .fd = pidfd_open(pids[i], 0), .events = POLLIN };
		if (ret_polls[i].fd >= 0 || errno == ESRCH || errno == EINVAL || errno == ENOENT)
			continue;
		error_set_errno(err, "open process %d of the cgroup", (int)pids[i]);
		close_pidfds(ret_polls, i);
		return -1;
	}
	return 0;
}

/*
 * A number may be given to another process at any time. One that is listed
 * before and after its descriptor was opened is, by that descriptor, a member
 * of the group or was born in it.
 */
static int signal_batch(int dir_fd, const pid_t *pids, size_t count, int signal, struct error *err)
{
	cleanup_pids struct cgroup_pids after = { 0 };
	struct pollfd polls[PIDFD_BATCH];
	int result;

	if (open_pidfds(pids, count, polls, err) < 0)
		return -1;
	result = cgroup_tree_pids(dir_fd, &after, err);
	sort_pids(&after);
	for (size_t i = 0; result == 0 && i < count; i++)
		if (polls[i].fd >= 0 && has_pid(&after, pids[i]) &&
			pidfd_send_signal(polls[i].fd, signal, NULL, 0) < 0 && errno != ESRCH)
			result = error_set_errno(err, "send signal %d to process %d of the cgroup",
				signal, (int)pids[i]);
	close_pidfds(polls, count);
	return result;
}

static int signal_batches(
	int dir_fd, const pid_t *pids, size_t count, int signal, struct error *err)
{
	for (size_t i = 0; i < count; i += PIDFD_BATCH) {
		size_t size = count - i < PIDFD_BATCH ? count - i : PIDFD_BATCH;

		if (signal_batch(dir_fd, pids + i, size, signal, err) < 0)
			return -1;
	}
	return 0;
}

int cgroup_tree_signal(int dir_fd, int signal, struct error *err)
{
	cleanup_pids struct cgroup_pids listed = { 0 };

	if (cgroup_tree_pids(dir_fd, &listed, err) < 0)
		return -1;
	return signal_batches(dir_fd, listed.items, listed.count, signal, err);
}

/* Kills those that are not in KILLED, adds them there, and says how many they were. */
static int kill_round(int dir_fd, struct cgroup_pids *killed, size_t *ret_count, struct error *err)
{
	cleanup_pids struct cgroup_pids listed = { 0 };
	size_t fresh = 0;

	if (cgroup_tree_pids(dir_fd, &listed, err) < 0)
		return -1;
	for (size_t i = 0; i < listed.count; i++)
		if (!has_pid(killed, listed.items[i]))
			listed.items[fresh++] = listed.items[i];
	if (signal_batches(dir_fd, listed.items, fresh, SIGKILL, err) < 0)
		return -1;
	for (size_t i = 0; i < fresh; i++)
		if (append_pid(killed, listed.items[i], err) < 0)
			return -1;
	sort_pids(killed);
	*ret_count = fresh;
	return 0;
}

/* Only processes that fork faster than we kill need more than two. */
#define KILL_ROUNDS 100

int cgroup_tree_kill(int dir_fd, struct error *err)
{
	cleanup_pids struct cgroup_pids killed = { 0 };
	size_t count = 1;

	for (int i = 0; i < KILL_ROUNDS && count > 0; i++)
		if (kill_round(dir_fd, &killed, &count, err) < 0)
			return -1;
	if (count > 0)
		return error_set(err, ERROR_SYSTEM,
			"kill the cgroup's processes: they fork faster than they are killed");
	return 0;
}

/* Waits until some of PIDS have ended; unlike cgroup.events this comes without delay. */
static void wait_exits(const struct cgroup_pids *pids, int64_t deadline_ms)
{
	struct pollfd polls[PIDFD_BATCH];
	size_t count = pids->count < PIDFD_BATCH ? pids->count : PIDFD_BATCH;
	struct error ignored = { 0 };

	if (open_pidfds(pids->items, count, polls, &ignored) < 0)
		return;
	for (size_t i = 0; i < count; i++) {
		int64_t left = deadline_ms - cgroup_tree_now_ms();

		if (polls[i].fd >= 0 && left > 0)
			poll(&polls[i], 1, (int)left);
	}
	close_pidfds(polls, count);
}

/*
 * Processes on their way out are no longer listed and yet hold the group for
 * a moment. v2 tells when it is over, if up to 10 ms late; v1 does not.
 */
static void wait_unpopulated(int dir_fd)
{
	cleanup_fd int fd = openat(dir_fd, "cgroup.events", O_RDONLY | O_CLOEXEC);
	char events[256];
	ssize_t n = fd < 0 ? -1 : read(fd, events, sizeof(events) - 1);

	if (n > 0) {
		struct pollfd waiting = { .fd = fd, .events = POLLPRI };

		events[n] = '\0';
		if (strstr(events, "populated 1"))
			poll(&waiting, 1, 10);
	}
	sched_yield();
}

/* Removes what can be removed of the groups below DIR_FD, children before parents. */
static int remove_children(int dir_fd, struct error *err)
{
	__attribute__((cleanup(walk_release))) struct walk walk = { .fd = -1 };
	int fd = has_children(dir_fd) ? open_group(dir_fd, ".") : -1;

	if (fd < 0)
		return 0;
	if (walk_down(&walk, fd, err) < 0)
		return -1;
	while (walk.depth > 0) {
		const char *name = next_name(&walk);

		if (name && unlinkat(walk.fd, name, AT_REMOVEDIR) < 0 && errno == EBUSY) {
			fd = open_group(walk.fd, name);
			if (fd >= 0 && walk_down(&walk, fd, err) < 0)
				return -1;
		}
		if (name)
			continue;
		if (walk_up(&walk, err) < 0)
			return -1;
		/* What was just emptied; if it holds processes, the caller waits for them. */
		if (walk.depth > 0)
			unlinkat(walk.fd, last_name(&walk), AT_REMOVEDIR);
	}
	return 0;
}

/* One attempt; *RET_IS_GONE says whether it has succeeded. */
static int try_remove(const char *path, int64_t deadline_ms, bool *ret_is_gone, struct error *err)
{
	cleanup_pids struct cgroup_pids pids = { 0 };
	cleanup_fd int fd = -1;
	char listed[512];

	*ret_is_gone = rmdir(path) == 0 || errno == ENOENT;
	if (*ret_is_gone)
		return 0;
	if (errno != EBUSY && errno != ENOTEMPTY)
		return error_set_call(err, "remove cgroup", path);
	fd = open(path, O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0)
		return cgroup_tree_is_gone(errno) ? 0 : error_set_call(err, "open cgroup", path);
	if (remove_children(fd, err) < 0 || cgroup_tree_pids(fd, &pids, err) < 0)
		return -1;
	if (cgroup_tree_now_ms() >= deadline_ms) {
		cgroup_tree_describe(&pids, listed, sizeof(listed));
		return error_set(err, ERROR_SYSTEM,
			"remove cgroup '%s': processes are left in it: %s", path,
			pids.count ? listed : "none that can be listed");
	}
	if (pids.count)
		wait_exits(&pids, deadline_ms);
	else if (rmdir(path) < 0 && errno == EBUSY)
		wait_unpopulated(fd);
	return 0;
}

int cgroup_tree_remove(const char *path, int64_t deadline_ms, struct error *err)
{
	bool is_gone = false;

	while (!is_gone)
		if (try_remove(path, deadline_ms, &is_gone, err) < 0)
			return -1;
	return 0;
}
