/* SPDX-License-Identifier: Apache-2.0 */
#include "libcontainer/kernel/procfs.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/magic.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/vfs.h>

#include "base/cleanup.h"
#include "libcontainer/kernel/path_in_root.h"

/* PROC_ROOT_INO of <linux/proc_fs.h>: the root of every procfs, and of nothing else in it. */
#define PROC_ROOT_INODE 1

/* "4194304/task/4194304" and a NUL, with room. */
#define SELF_MAX 64

static bool is_procfs_root(int fd)
{
	struct statfs fs;
	struct stat st;

	return fstatfs(fd, &fs) == 0 && fs.f_type == PROC_SUPER_MAGIC && fstat(fd, &st) == 0 &&
	       st.st_ino == PROC_ROOT_INODE;
}

/* The caller's /proc, which a container may have bent: then -1. */
static int open_visible(void)
{
	cleanup_fd int fd = open("/proc", O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);

	return fd >= 0 && is_procfs_root(fd) ? take_fd(&fd) : -1;
}

static int open_new_instance(void)
{
	cleanup_fd int context = fsopen("proc", FSOPEN_CLOEXEC);

	if (context < 0 || fsconfig(context, FSCONFIG_CMD_CREATE, NULL, NULL, 0) < 0)
		return -1;
	return fsmount(context, FSMOUNT_CLOEXEC, 0);
}

/*
 * An instance on which nobody can mount. Where the kernel gives no new one (in
 * a user namespace, when the visible /proc has parts covered), a clone of the
 * visible mount leaves behind at least what lies on top of it, if it may.
 */
static int open_private(void)
{
	cleanup_fd int fd = open_new_instance();

	if (fd < 0) {
		fd = open_tree(AT_FDCWD, "/proc",
			OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC | AT_SYMLINK_NOFOLLOW);
	}
	return fd >= 0 && is_procfs_root(fd) ? take_fd(&fd) : -1;
}

static void replace(struct procfs *procfs, int fd, bool is_private)
{
	procfs_release(procfs);
	procfs->fd = fd;
	procfs->is_private = is_private;
}

int procfs_prepare(struct procfs *procfs, struct error *err)
{
	int fd;

	if (procfs->fd >= 0)
		return 0;
	fd = open_visible();
	if (fd >= 0) {
		replace(procfs, fd, false);
		return 0;
	}
	fd = open_private();
	if (fd < 0) {
		error_set_errno(err, "open a procfs of our own");
		return error_hint(err, "/proc is no procfs, and a new one can't be mounted");
	}
	replace(procfs, fd, true);
	return 0;
}

/*
 * Puts what the links "self" and "thread-self" say in place of that first
 * component, since a link is never followed on the way. They hold numbers of
 * the PID namespace that the procfs is of, which may not be the caller's.
 */
static int expand_self(int proc_fd, const char *path, char ret_path[static PATH_MAX])
{
	size_t length = strcspn(path, "/");
	char self[SELF_MAX], link[16];
	ssize_t used;

	snprintf(link, sizeof(link), "%.*s", (int)length, path);
	if (strcmp(link, "self") && strcmp(link, "thread-self")) {
		used = snprintf(ret_path, PATH_MAX, "%s", path);
	} else {
		ssize_t n = readlinkat(proc_fd, link, self, sizeof(self) - 1);

		if (n < 0)
			return -1;
		used = snprintf(ret_path, PATH_MAX, "%.*s%s", (int)n, self, path + length);
	}
	if (used < 0 || used >= PATH_MAX) {
		errno = ENAMETOOLONG;
		return -1;
	}
	return 0;
}

static int try_open(const struct procfs *procfs, const char *path, int flags)
{
	char expanded[PATH_MAX];

	if (expand_self(procfs->fd, path, expanded) < 0)
		return -1;
	return path_try_open(procfs->fd, expanded, flags, PATH_BENEATH);
}

/* Another instance may have what this one covers, refuses to write, or leaves out. */
static bool may_private_help(void)
{
	return errno == EXDEV || errno == EROFS || errno == ENOENT;
}

int procfs_open(struct procfs *procfs, const char *path, int flags, struct error *err)
{
	int fd;

	if (procfs_prepare(procfs, err) < 0)
		return -1;
	fd = try_open(procfs, path, flags);
	if (fd < 0 && !procfs->is_private && may_private_help()) {
		int sys_errno = errno;
		int other = open_private();

		if (other >= 0) {
			replace(procfs, other, true);
			fd = try_open(procfs, path, flags);
		} else {
			errno = sys_errno;
		}
	}
	if (fd < 0) {
		char shown[PATH_MAX];

		snprintf(shown, sizeof(shown), "/proc/%s", path);
		return error_set_call(err, "open", shown);
	}
	return fd;
}

int procfs_write(struct procfs *procfs, const char *path, const char *value, struct error *err)
{
	cleanup_fd int fd = procfs_open(procfs, path, O_WRONLY, err);
	size_t length = strlen(value);
	ssize_t written;

	if (fd < 0)
		return -1;
	errno = EIO; /* what a short write, which these files do not do, would mean */
	written = write(fd, value, length);
	if (written != (ssize_t)length)
		return error_set_errno(err, "write '%s' to '/proc/%s'", value, path);
	return 0;
}

void procfs_release(struct procfs *procfs)
{
	close_at(&procfs->fd);
	procfs->fd = -1;
	procfs->is_private = false;
}
