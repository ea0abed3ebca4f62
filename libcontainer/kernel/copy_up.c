/* SPDX-License-Identifier: Apache-2.0 */
#include "libcontainer/kernel/copy_up.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdbool.h>
#include <string.h>
#include <sys/sendfile.h>
#include <sys/stat.h>
#include <sys/xattr.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "libcontainer/kernel/mounts.h"

/* Of the names of all extended attributes of a file (XATTR_LIST_MAX). */
#define NAMES_MAX 65536

/* What sendfile(2) moves at once at most; it is less than 2 GiB. */
#define CHUNK (1U << 30)

/* Owner last but one: chown(2) takes set-user-ID bits away. */
static int copy_metadata(int from_fd, int to_fd, const struct stat *st)
{
	const struct timespec times[] = { st->st_atim, st->st_mtim };
	cleanup_free char *names = malloc(NAMES_MAX);
	cleanup_free char *value = malloc(COPY_UP_XATTR_MAX);
	ssize_t length = names ? flistxattr(from_fd, names, NAMES_MAX) : -1;

	if (!names || !value || (length < 0 && errno != ENOTSUP))
		return -1;
	for (const char *name = names; name < names + length; name += strlen(name) + 1) {
		ssize_t size = fgetxattr(from_fd, name, value, COPY_UP_XATTR_MAX);

		/* tmpfs has no user.* before Linux 6.6, and labels are its own. */
		if (size < 0 || (fsetxattr(to_fd, name, value, (size_t)size, 0) < 0 &&
					errno != ENOTSUP && errno != EPERM))
			return -1;
	}
	if (fchown(to_fd, st->st_uid, st->st_gid) < 0 || fchmod(to_fd, st->st_mode & 07777) < 0 ||
		futimens(to_fd, times) < 0)
		return -1;
	return 0;
}

/*
 * Opens NAME if it is still what it was seen to be. Only what was checked is
 * opened: to open a device may do something. O_NONBLOCK: nobody's lease on a
 * file is waited for (fcntl(2), F_SETLEASE).
 */
static int open_same(int dir_fd, const char *name, const struct stat *seen)
{
	cleanup_fd int fd = openat(dir_fd, name, O_PATH | O_NOFOLLOW | O_CLOEXEC);
	char path[MOUNTS_FD_PATH_MAX];
	struct stat st;

	if (fd < 0 || fstat(fd, &st) < 0)
		return -1;
	if (st.st_ino != seen->st_ino || st.st_dev != seen->st_dev ||
		(st.st_mode & S_IFMT) != (seen->st_mode & S_IFMT)) {
		errno = ESTALE;
		return -1;
	}
	mounts_path_of_fd(fd, path);
	return open(path, O_RDONLY | O_NONBLOCK | O_CLOEXEC);
}

static int copy_file(int from_dir, int to_dir, const char *name, const struct stat *st)
{
	cleanup_fd int from = open_same(from_dir, name, st);
	cleanup_fd int to = -1;
	ssize_t n;

	if (from < 0)
		return -1;
	to = openat(to_dir, name, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	if (to < 0)
		return -1;
	do {
		n = sendfile(to, from, NULL, CHUNK);
	} while (n > 0 || (n < 0 && errno == EINTR));
	return n < 0 ? -1 : copy_metadata(from, to, st);
}

/* For links and special files, which are not opened. */
static int copy_owner(int to_dir, const char *name, const struct stat *st)
{
	const struct timespec times[] = { st->st_atim, st->st_mtim };

	if (fchownat(to_dir, name, st->st_uid, st->st_gid, AT_SYMLINK_NOFOLLOW) < 0)
		return -1;
	return utimensat(to_dir, name, times, AT_SYMLINK_NOFOLLOW);
}

static int copy_link(int from_dir, int to_dir, const char *name, const struct stat *st)
{
	char target[PATH_MAX];
	ssize_t length = readlinkat(from_dir, name, target, sizeof(target) - 1);

	if (length < 0)
		return -1;
	target[length] = '\0';
	if (symlinkat(target, to_dir, name) < 0)
		return -1;
	return copy_owner(to_dir, name, st);
}

static int copy_special(int to_dir, const char *name, const struct stat *st)
{
	if (mknodat(to_dir, name, st->st_mode & (S_IFMT | 0777), st->st_rdev) < 0)
		return -1;
	return copy_owner(to_dir, name, st);
}

/* Takes FROM_FD over. */
static int copy_directory(int from_fd, int to_fd, dev_t device, unsigned depth, struct error *err);

static int copy_subdirectory(int from_dir, int to_dir, const char *name, const struct stat *st,
	unsigned depth, struct error *err)
{
	cleanup_fd int from = open_same(from_dir, name, st);
	cleanup_fd int to = -1;

	if (depth == 0) {
		errno = ELOOP;
		return -1;
	}
	if (from < 0 || mkdirat(to_dir, name, 0700) < 0)
		return -1;
	to = openat(to_dir, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (to < 0)
		return -1;
	/* The metadata come last: what is put into a directory changes its times. */
	if (copy_directory(fcntl(from, F_DUPFD_CLOEXEC, 0), to, st->st_dev, depth - 1, err) < 0)
		return -1;
	return copy_metadata(from, to, st);
}

/*
 * Whether NAME, in a directory of DEVICE, is the root of another mount. Its own
 * device says nothing where the kernel says that (Linux 5.8): the files of an
 * overlay have those of its layers.
 */
static bool is_mount_point(int dir_fd, const char *name, const struct stat *seen, dev_t device)
{
	struct statx st;

	if (statx(dir_fd, name, AT_SYMLINK_NOFOLLOW | AT_NO_AUTOMOUNT, 0, &st) == 0 &&
		(st.stx_attributes_mask & STATX_ATTR_MOUNT_ROOT))
		return st.stx_attributes & STATX_ATTR_MOUNT_ROOT;
	return seen->st_dev != device;
}

static int copy_entry(
	int from_dir, int to_dir, const char *name, dev_t device, unsigned depth, struct error *err)
{
	struct stat st;
	int result;

	if (fstatat(from_dir, name, &st, AT_SYMLINK_NOFOLLOW | AT_NO_AUTOMOUNT) < 0)
		return error_set_call(err, "copy up", name);
	if (is_mount_point(from_dir, name, &st, device))
		return 0;
	if (S_ISDIR(st.st_mode))
		result = copy_subdirectory(from_dir, to_dir, name, &st, depth, err);
	else if (S_ISREG(st.st_mode))
		result = copy_file(from_dir, to_dir, name, &st);
	else if (S_ISLNK(st.st_mode))
		result = copy_link(from_dir, to_dir, name, &st);
	else
		result = copy_special(to_dir, name, &st);
	return result < 0 ? error_set_call(err, "copy up", name) : 0;
}

static int copy_directory(int from_fd, int to_fd, dev_t device, unsigned depth, struct error *err)
{
	cleanup_dir DIR *dir = from_fd < 0 ? NULL : fdopendir(from_fd);
	const struct dirent *entry;

	if (!dir) {
		close_at(&from_fd);
		return error_set_errno(err, "copy up a directory");
	}
	while (errno = 0, (entry = readdir(dir))) {
		if (!strcmp(entry->d_name, ".") || !strcmp(entry->d_name, ".."))
			continue;
		if (copy_entry(dirfd(dir), to_fd, entry->d_name, device, depth, err) < 0)
			return -1;
	}
	return errno ? error_set_errno(err, "copy up a directory") : 0;
}

/* The directory itself: its mode and owner, as far as WANTED has them. */
static int copy_own(int to_fd, const struct stat *st, unsigned wanted)
{
	uid_t uid = wanted & STATX_UID ? st->st_uid : (uid_t)-1;
	gid_t gid = wanted & STATX_GID ? st->st_gid : (gid_t)-1;

	if (fchown(to_fd, uid, gid) < 0)
		return -1;
	return wanted & STATX_MODE ? fchmod(to_fd, st->st_mode & 07777) : 0;
}

int copy_up(int from_fd, int to_fd, unsigned wanted, struct error *err)
{
	cleanup_fd int from = openat(from_fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	cleanup_fd int to = openat(to_fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	struct stat st;

	if (from < 0 || to < 0 || fstat(from, &st) < 0)
		return error_set_errno(err, "copy up a directory");
	if (copy_directory(fcntl(from, F_DUPFD_CLOEXEC, 0), to, st.st_dev, COPY_UP_DEPTH_MAX, err) <
		0)
		return -1;
	if (copy_own(to, &st, wanted) < 0)
		return error_set_errno(err, "copy up a directory's mode");
	return 0;
}
