/* SPDX-License-Identifier: Apache-2.0 */
#include "libcontainer/state_dir.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <unistd.h>

#include "base/cleanup.h"

#define CONFIG      "config.json"
#define FIFO_START  "start"
#define FIFO_RESULT "result"

#define CACHE_NAME ".filters"

#define DIR_FLAGS (O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW)

/* A caller without privilege, in whose environment nothing says where else to look. */
static int fail_root(const char *op, const char *root, struct error *err)
{
	bool is_refused = errno == EACCES;

	error_set_call(err, op, root);
	if (is_refused)
		error_hint(err, "XDG_RUNTIME_DIR or --root can name a directory of the caller's");
	return -1;
}

/* mkdir -p; the last directory is the runtime's own and nobody else's. */
static int make_root(const char *root, struct error *err)
{
	char path[4096];
	size_t length = strlen(root);

	if (mkdir(root, 0700) == 0 || errno == EEXIST)
		return 0;
	if (errno != ENOENT || length >= sizeof(path))
		return fail_root("mkdir", root, err);
	memcpy(path, root, length + 1);
	for (char *p = strchr(path + 1, '/'); p; p = strchr(p + 1, '/')) {
		*p = '\0';
		if (mkdir(path, 0711) < 0 && errno != EEXIST)
			return fail_root("mkdir", path, err);
		*p = '/';
	}
	if (mkdir(root, 0700) < 0 && errno != EEXIST)
		return fail_root("mkdir", root, err);
	return 0;
}

static int open_root(const char *root, struct error *err)
{
	struct stat st;
	int fd = open(root, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	if (fd < 0)
		return fail_root("open", root, err);
	/* Whoever may write there could put another container's names in, or take ours away. */
	if (fstat(fd, &st) < 0 || (st.st_uid != geteuid() && st.st_uid != 0) ||
		(st.st_mode & (S_IWGRP | S_IWOTH) && !(st.st_mode & S_ISVTX))) {
		close(fd);
		return error_set(err, ERROR_SYSTEM,
			"state root '%s' belongs to or can be written by others", root);
	}
	return fd;
}

int state_dir_not_found(const char *id, struct error *err)
{
	return error_set(err, ERROR_NOT_FOUND, "container '%s' does not exist", id);
}

/*
 * Not in the root of another user, and in one like /tmp not made by one: what
 * is read there says which processes to kill.
 */
static bool is_ours_alone(int fd)
{
	struct stat st;

	return fstat(fd, &st) == 0 && st.st_uid == geteuid() && !(st.st_mode & (S_IWGRP | S_IWOTH));
}

/* What is called NAME in the directory, which is "" for the directory itself. */
static void name_path(const struct state_dir *dir, const char *name, char ret_path[static PATH_MAX])
{
	snprintf(ret_path, PATH_MAX, "%s/%s%s%s", dir->root, dir->id, name[0] ? "/" : "", name);
}

/* OP on the directory itself failed with errno. */
static int fail(const struct state_dir *dir, const char *op, struct error *err)
{
	int sys_errno = errno;
	char path[PATH_MAX];

	name_path(dir, "", path);
	errno = sys_errno;
	return error_set_call(err, op, path);
}

int state_dir_blame(const struct state_dir *dir, struct error *err)
{
	char path[PATH_MAX];

	if (err->path[0] && err->path[0] != '/') {
		name_path(dir, err->path, path);
		if (snprintf(err->path, sizeof(err->path), "%s", path) < 0)
			err->path[0] = '\0';
	}
	return error_wrap(err, "state directory '%s/%s'", dir->root, dir->id);
}

/* OP on what is called NAME in the directory failed with errno. */
static int fail_in(const struct state_dir *dir, const char *op, const char *name, struct error *err)
{
	error_set_call(err, op, name);
	return state_dir_blame(dir, err);
}

static int open_dir(struct state_dir *dir, const char *root, const char *id, struct error *err)
{
	*dir = (struct state_dir)STATE_DIR_CLOSED;
	dir->root = root;
	dir->id = id;
	dir->root_fd = open(root, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (dir->root_fd < 0)
		return errno == ENOENT ? state_dir_not_found(id, err)
				       : error_set_call(err, "open", root);
	dir->fd = openat(dir->root_fd, id, DIR_FLAGS);
	if (dir->fd < 0)
		return errno == ENOENT ? state_dir_not_found(id, err)
				       : fail(dir, "open state directory", err);
	if (!is_ours_alone(dir->fd))
		return error_set(err, ERROR_SYSTEM,
			"state directory '%s/%s' belongs to or can be written by others", root, id);
	return 0;
}

/* Whether the directory still has its name: a delete may have won the lock first. */
static int compare_with_name(const struct state_dir *dir, bool *ret_is_current, struct error *err)
{
	struct stat held, named;

	if (fstat(dir->fd, &held) < 0)
		return fail(dir, "stat state directory", err);
	if (fstatat(dir->root_fd, dir->id, &named, AT_SYMLINK_NOFOLLOW) < 0) {
		*ret_is_current = false;
		return errno == ENOENT ? 0 : fail(dir, "stat state directory", err);
	}
	*ret_is_current = held.st_dev == named.st_dev && held.st_ino == named.st_ino;
	return 0;
}

bool state_dir_is_current(const struct state_dir *dir)
{
	struct error ignored = { 0 };
	bool is_current = false;

	return compare_with_name(dir, &is_current, &ignored) == 0 && is_current;
}

static void on_alarm(int signal)
{
	(void)signal; /* only there to interrupt flock(2) */
}

/* flock(2) with a deadline: it has none of its own, but a signal ends it. */
static int lock_within(int fd, int operation, unsigned seconds)
{
	struct itimerval timer = { .it_value.tv_sec = seconds, .it_interval.tv_usec = 100000 };
	struct sigaction action = { .sa_handler = on_alarm }, old_action;
	struct itimerval none = { 0 };
	sigset_t alarm, mask;
	int result, saved_errno;

	if (flock(fd, operation | LOCK_NB) == 0)
		return 0;
	if (errno != EWOULDBLOCK)
		return -1;
	sigemptyset(&alarm);
	sigaddset(&alarm, SIGALRM);
	sigaction(SIGALRM, &action, &old_action);
	sigprocmask(SIG_UNBLOCK, &alarm, &mask);
	setitimer(ITIMER_REAL, &timer, NULL);
	result = flock(fd, operation);
	saved_errno = errno;
	setitimer(ITIMER_REAL, &none, NULL);
	sigprocmask(SIG_SETMASK, &mask, NULL);
	sigaction(SIGALRM, &old_action, NULL);
	errno = saved_errno;
	return result;
}

/* Not by readdir(3), which takes 32 KiB of memory for two names. */
static int look_whether_empty(const struct state_dir *dir, bool *ret_is_empty, struct error *err)
{
	char buffer[1024] __attribute__((aligned(8)));
	ssize_t size;

	*ret_is_empty = true;
	while ((size = getdents64(dir->fd, buffer, sizeof(buffer))) > 0)
		for (ssize_t at = 0; at < size;) {
			const struct dirent64 *entry = (const void *)(buffer + at);

			/* Not every file system lists these. */
			*ret_is_empty &=
				!strcmp(entry->d_name, ".") || !strcmp(entry->d_name, "..");
			at += entry->d_reclen;
		}
	return size < 0 ? fail(dir, "read state directory", err) : 0;
}

/*
 * Opens and locks the directory that was just made, unless a delete has come
 * in between: another create may have made one of that name since, which is
 * whose first locks it while it is empty.
 */
static int take_new(struct state_dir *dir, bool *ret_is_ours, struct error *err)
{
	*ret_is_ours = false;
	dir->fd = openat(dir->root_fd, dir->id, DIR_FLAGS);
	if (dir->fd < 0)
		return errno == ENOENT ? 0 : fail(dir, "open state directory", err);
	/* Whoever looks whether it is locked holds the lock for a moment. */
	if (lock_within(dir->fd, LOCK_EX, STATE_DIR_LOCK_SECONDS) < 0)
		return fail(dir, "lock state directory", err);
	if (compare_with_name(dir, ret_is_ours, err) < 0)
		return -1;
	return *ret_is_ours ? look_whether_empty(dir, ret_is_ours, err) : 0;
}

int state_dir_create(struct state_dir *ret_dir, const char *root, const char *id, struct error *err)
{
	bool is_ours;

	*ret_dir = (struct state_dir)STATE_DIR_CLOSED;
	ret_dir->root = root;
	ret_dir->id = id;
	if (make_root(root, err) < 0)
		return -1;
	ret_dir->root_fd = open_root(root, err);
	if (ret_dir->root_fd < 0)
		return -1;
	if (mkdirat(ret_dir->root_fd, id, 0700) < 0)
		return errno == EEXIST ? error_set(err, ERROR_STATE,
						 "container with ID '%s' exists already", id)
				       : fail(ret_dir, "make state directory", err);
	if (take_new(ret_dir, &is_ours, err) == 0)
		return is_ours ? 0
			       : error_set(err, ERROR_STATE,
					 "container '%s' was deleted while it was created", id);
	/* Only if it is empty, and so ours or that of another who has only just begun. */
	unlinkat(ret_dir->root_fd, id, AT_REMOVEDIR);
	return -1;
}

int state_dir_open(struct state_dir *ret_dir, const char *root, const char *id, struct error *err)
{
	return open_dir(ret_dir, root, id, err);
}

static int lock(const struct state_dir *dir, enum state_dir_lock lock, struct error *err)
{
	int operation = lock == STATE_DIR_SHARED ? LOCK_SH : LOCK_EX;
	bool is_current;

	if (lock_within(dir->fd, operation, STATE_DIR_LOCK_SECONDS) < 0)
		return errno == EINTR
			       ? error_set(err, ERROR_STATE,
					 "container '%s' is busy: another command has held it for %d s",
					 dir->id, STATE_DIR_LOCK_SECONDS)
			       : fail(dir, "lock state directory", err);
	if (compare_with_name(dir, &is_current, err) < 0)
		return -1;
	return is_current ? 0 : state_dir_not_found(dir->id, err);
}

int state_dir_lock(struct state_dir *ret_dir, enum state_dir_lock kind, const char *root,
	const char *id, struct error *err)
{
	return open_dir(ret_dir, root, id, err) < 0 ? -1 : lock(ret_dir, kind, err);
}

int state_dir_relock(const struct state_dir *dir, struct error *err)
{
	return lock(dir, STATE_DIR_EXCLUSIVE, err);
}

void state_dir_unlock(const struct state_dir *dir)
{
	flock(dir->fd, LOCK_UN);
}

bool state_dir_is_busy(const struct state_dir *dir)
{
	/* A second open file description, so that our own lock is not given up. */
	cleanup_fd int fd = openat(dir->fd, ".", DIR_FLAGS);

	return fd >= 0 && flock(fd, LOCK_SH | LOCK_NB) < 0 && errno == EWOULDBLOCK;
}

/* Not faccessat(3): a sandbox that denies faccessat2(2) would have every file missing. */
static bool has_file(const struct state_dir *dir, const char *name)
{
	struct stat st;

	return fstatat(dir->fd, name, &st, AT_SYMLINK_NOFOLLOW) == 0;
}

bool state_dir_has_begun(const struct state_dir *dir)
{
	return has_file(dir, FIFO_RESULT) || has_file(dir, CONFIG);
}

int state_dir_make_fifos(const struct state_dir *dir, struct error *err)
{
	if (mkfifoat(dir->fd, FIFO_START, 0600) < 0)
		return fail_in(dir, "mkfifo", FIFO_START, err);
	if (mkfifoat(dir->fd, FIFO_RESULT, 0600) < 0)
		return fail_in(dir, "mkfifo", FIFO_RESULT, err);
	return 0;
}

bool state_dir_is_waiting(const struct state_dir *dir)
{
	cleanup_fd int fd =
		openat(dir->fd, FIFO_START, O_WRONLY | O_NONBLOCK | O_CLOEXEC | O_NOFOLLOW);

	if (fd >= 0)
		return true;
	/* Without a reader, or the FIFO, it does not; for want of a descriptor nobody knows. */
	return errno != ENXIO && has_file(dir, FIFO_START);
}

bool state_dir_is_started(const struct state_dir *dir)
{
	return !has_file(dir, FIFO_START);
}

int state_dir_set_started(const struct state_dir *dir, struct error *err)
{
	if (unlinkat(dir->fd, FIFO_START, 0) < 0)
		return fail_in(dir, "unlink", FIFO_START, err);
	return 0;
}

int state_dir_open_start(const struct state_dir *dir, int flags)
{
	return openat(dir->fd, FIFO_START, flags | O_CLOEXEC | O_NOFOLLOW);
}

int state_dir_open_result(const struct state_dir *dir, int flags)
{
	return openat(dir->fd, FIFO_RESULT, flags | O_CLOEXEC | O_NOFOLLOW);
}

int state_dir_open_cache(const struct state_dir *dir)
{
	cleanup_fd int fd = -1;

	if (mkdirat(dir->root_fd, CACHE_NAME, 0700) < 0 && errno != EEXIST)
		return -1;
	fd = openat(dir->root_fd, CACHE_NAME, DIR_FLAGS);
	return fd >= 0 && is_ours_alone(fd) ? take_fd(&fd) : -1;
}

/* Empties the directory DIR_FD. What is no file has to be empty. */
static int remove_files(int dir_fd)
{
	cleanup_dir DIR *dir = NULL;
	cleanup_fd int fd = openat(dir_fd, ".", DIR_FLAGS);
	struct dirent *entry;

	if (fd < 0)
		return -1;
	dir = fdopendir(fd);
	if (!dir)
		return -1;
	take_fd(&fd);
	while (errno = 0, (entry = readdir(dir))) {
		if (!strcmp(entry->d_name, ".") || !strcmp(entry->d_name, ".."))
			continue;
		if (unlinkat(dir_fd, entry->d_name, 0) < 0 && errno == EISDIR &&
			unlinkat(dir_fd, entry->d_name, AT_REMOVEDIR) < 0)
			return -1;
	}
	return errno ? -1 : 0;
}

/*
 * What few containers have, or this version never makes: the directory of the
 * notify socket, a killed writer's files, or a later version's.
 */
static int remove_strangers(int dir_fd)
{
	cleanup_fd int notify = openat(dir_fd, "notify", DIR_FLAGS);

	if (notify >= 0 && remove_files(notify) < 0)
		return -1;
	return remove_files(dir_fd);
}

int state_dir_remove(const struct state_dir *dir, struct error *err)
{
	static const char *const names[] = { "state.json", CONFIG, FIFO_START, FIFO_RESULT };

	/* The usual names without a look at the directory, for speed. */
	for (size_t i = 0; i < array_size(names); i++)
		unlinkat(dir->fd, names[i], 0);
	if (unlinkat(dir->root_fd, dir->id, AT_REMOVEDIR) == 0)
		return 0;
	if (errno == ENOTEMPTY && remove_strangers(dir->fd) == 0 &&
		unlinkat(dir->root_fd, dir->id, AT_REMOVEDIR) == 0)
		return 0;
	return fail(dir, "remove state directory", err);
}

void state_dir_close(struct state_dir *dir)
{
	close_at(&dir->fd);
	close_at(&dir->root_fd);
	*dir = (struct state_dir)STATE_DIR_CLOSED;
}
