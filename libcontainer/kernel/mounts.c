/* SPDX-License-Identifier: Apache-2.0 */
#include "libcontainer/kernel/mounts.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/statvfs.h>

#include "base/cleanup.h"
#include "libcontainer/kernel/path_in_root.h"

/* Of bookworm's <sys/mount.h> and older ones. */
#ifndef MS_NOSYMFOLLOW
#	define MS_NOSYMFOLLOW 256
#endif

/* What statvfs(3), mount_setattr(2) and mount(2) call the same thing. */
static const struct {
	uint64_t attribute;
	unsigned long statvfs;
	unsigned long flag;
} names_of_flags[] = {
	{ MOUNT_ATTR_RDONLY, ST_RDONLY, MS_RDONLY },
	{ MOUNT_ATTR_NOSUID, ST_NOSUID, MS_NOSUID },
	{ MOUNT_ATTR_NODEV, ST_NODEV, MS_NODEV },
	{ MOUNT_ATTR_NOEXEC, ST_NOEXEC, MS_NOEXEC },
	{ MOUNT_ATTR_NOATIME, ST_NOATIME, MS_NOATIME },
	{ MOUNT_ATTR_STRICTATIME, 0, MS_STRICTATIME },
	{ MOUNT_ATTR_NODIRATIME, ST_NODIRATIME, MS_NODIRATIME },
	{ MOUNT_ATTR_NOSYMFOLLOW, 0x2000 /* ST_NOSYMFOLLOW, not in glibc 2.36 */, MS_NOSYMFOLLOW },
};

bool mounts_is_call_missing(int sys_errno)
{
	return sys_errno == ENOSYS || sys_errno == EPERM;
}

unsigned long mounts_flags_of_attributes(uint64_t attributes)
{
	unsigned long flags = attributes & MOUNT_ATTR__ATIME ? 0 : MS_RELATIME;

	for (size_t i = 0; i < array_size(names_of_flags); i++) {
		if (attributes & names_of_flags[i].attribute)
			flags |= names_of_flags[i].flag;
	}
	return flags;
}

int mounts_read_attributes(int fd, uint64_t *ret_attributes)
{
	struct statvfs fs;
	uint64_t attributes = 0;

	if (fstatvfs(fd, &fs) < 0)
		return -1;
	for (size_t i = 0; i < array_size(names_of_flags); i++) {
		if (fs.f_flag & names_of_flags[i].statvfs)
			attributes |= names_of_flags[i].attribute;
	}
	if (!(fs.f_flag & (ST_NOATIME | ST_RELATIME)))
		attributes |= MOUNT_ATTR_STRICTATIME;
	*ret_attributes = attributes;
	return 0;
}

void mounts_path_of_fd(int fd, char ret_path[static MOUNTS_FD_PATH_MAX])
{
	snprintf(ret_path, MOUNTS_FD_PATH_MAX, "/proc/thread-self/fd/%d", fd);
}

int mounts_clone(int dir_fd, const char *path, bool is_recursive, struct mounts_tree *ret_tree)
{
	unsigned empty = path[0] ? 0 : AT_EMPTY_PATH;
	unsigned recursive = is_recursive ? AT_RECURSIVE : 0;
	struct mounts_tree tree = { .is_clone = true, .is_recursive = is_recursive };

	tree.fd = open_tree(dir_fd, path, OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC | empty | recursive);
	if (tree.fd < 0 && mounts_is_call_missing(errno)) {
		tree.is_clone = false;
		tree.fd = empty ? fcntl(dir_fd, F_DUPFD_CLOEXEC, 0)
				: openat(dir_fd, path, O_PATH | O_CLOEXEC);
	}
	if (tree.fd < 0)
		return -1;
	*ret_tree = tree;
	return 0;
}

/* A mount point is a directory exactly when the mount's root is; the kernel says EINVAL. */
static int fail_to_attach(int mount_fd, int target_fd)
{
	int sys_errno = errno;
	struct stat mount_st, target_st;

	if (sys_errno == EINVAL && fstat(mount_fd, &mount_st) == 0 &&
		fstat(target_fd, &target_st) == 0 &&
		S_ISDIR(mount_st.st_mode) != S_ISDIR(target_st.st_mode))
		sys_errno = ENOTDIR;
	errno = sys_errno;
	return -1;
}

int mounts_attach_fd(int mount_fd, int target_fd)
{
	char from[MOUNTS_FD_PATH_MAX], to[MOUNTS_FD_PATH_MAX];
	int moved = move_mount(
		mount_fd, "", target_fd, "", MOVE_MOUNT_F_EMPTY_PATH | MOVE_MOUNT_T_EMPTY_PATH);

	if (moved < 0 && mounts_is_call_missing(errno)) {
		mounts_path_of_fd(mount_fd, from);
		mounts_path_of_fd(target_fd, to);
		moved = mount(from, to, NULL, MS_MOVE, NULL);
	}
	return moved < 0 ? fail_to_attach(mount_fd, target_fd) : 0;
}

/*
 * Opens what lies on top of TARGET_FD, which has to be the root of a mount of
 * what SOURCE_FD is: the path the kernel gives for TARGET_FD, which has no links
 * in it, may be somebody else's by now.
 */
static int open_on_top(int target_fd, int source_fd)
{
	cleanup_fd int root = open("/", O_PATH | O_DIRECTORY | O_CLOEXEC), fd = -1;
	char link[MOUNTS_FD_PATH_MAX], path[PATH_MAX];
	struct statx top, source;
	ssize_t length;

	mounts_path_of_fd(target_fd, link);
	length = readlink(link, path, sizeof(path) - 1);
	if (length < 0)
		return -1;
	path[length] = '\0';
	fd = root < 0 ? -1 : path_try_open(root, path, O_PATH, PATH_NO_LINKS);
	if (fd < 0 || statx(fd, "", AT_EMPTY_PATH, STATX_INO, &top) < 0 ||
		statx(source_fd, "", AT_EMPTY_PATH, STATX_INO, &source) < 0)
		return -1;
	if (!(top.stx_attributes & STATX_ATTR_MOUNT_ROOT) || top.stx_ino != source.stx_ino ||
		top.stx_dev_major != source.stx_dev_major ||
		top.stx_dev_minor != source.stx_dev_minor) {
		errno = ESTALE;
		return -1;
	}
	return take_fd(&fd);
}

int mounts_open_top(int mount_fd)
{
	return open_on_top(mount_fd, mount_fd);
}

/* For want of open_tree(2). */
static int bind_source(struct mounts_tree *tree, int target_fd)
{
	char from[MOUNTS_FD_PATH_MAX], to[MOUNTS_FD_PATH_MAX];
	int top;

	mounts_path_of_fd(tree->fd, from);
	mounts_path_of_fd(target_fd, to);
	if (mount(from, to, NULL, MS_BIND | (tree->is_recursive ? MS_REC : 0), NULL) < 0)
		return -1;
	top = open_on_top(target_fd, tree->fd);
	if (top < 0)
		return -1;
	close(tree->fd);
	tree->fd = top;
	return 0;
}

int mounts_attach(struct mounts_tree *tree, int target_fd)
{
	return tree->is_clone ? mounts_attach_fd(tree->fd, target_fd)
			      : bind_source(tree, target_fd);
}

int mounts_bind(int source_fd, int target_fd, bool is_recursive, struct mounts_tree *ret_tree)
{
	cleanup_tree struct mounts_tree tree = MOUNTS_NO_TREE;

	if (mounts_clone(source_fd, "", is_recursive, &tree) < 0 ||
		mounts_attach(&tree, target_fd) < 0)
		return -1;
	*ret_tree = tree;
	tree.fd = -1;
	return 0;
}

/* For want of mount_setattr(2), which is of Linux 5.12. */
static int alter_by_mount(int mount_fd, const struct mounts_change *change)
{
	char path[MOUNTS_FD_PATH_MAX];
	uint64_t now;

	mounts_path_of_fd(mount_fd, path);
	if (change->attributes.set || change->attributes.clear) {
		if (mounts_read_attributes(mount_fd, &now) < 0)
			return -1;
		now = (now & ~change->attributes.clear) | change->attributes.set;
		if (mount(NULL, path, NULL, MS_REMOUNT | MS_BIND | mounts_flags_of_attributes(now),
			    NULL) < 0)
			return -1;
	}
	if (!change->propagation)
		return 0;
	return mount(
		NULL, path, NULL, change->propagation | (change->is_recursive ? MS_REC : 0), NULL);
}

/* There is no recursive remount; MOUNT_ATTR_NOSYMFOLLOW is of 5.14, MS_NOSYMFOLLOW of 5.10. */
static bool may_mount_do(const struct mounts_change *change)
{
	if (change->is_recursive && (change->attributes.set || change->attributes.clear))
		return false;
	return mounts_is_call_missing(errno) || errno == EINVAL;
}

int mounts_alter(int mount_fd, const struct mounts_change *change, struct error *err)
{
	struct mount_attr attr = {
		.attr_set = change->attributes.set,
		.attr_clr = change->attributes.clear,
		.propagation = change->propagation,
	};
	unsigned recursive = change->is_recursive ? AT_RECURSIVE : 0;

	if (!attr.attr_set && !attr.attr_clr && !attr.propagation)
		return 0;
	if (mount_setattr(mount_fd, "", AT_EMPTY_PATH | recursive, &attr, sizeof(attr)) == 0)
		return 0;
	if (may_mount_do(change) && alter_by_mount(mount_fd, change) == 0)
		return 0;
	if (errno == ENOSYS)
		return error_set(err, ERROR_UNSUPPORTED,
			"recursive mount options need mount_setattr(2), Linux 5.12");
	error_set_errno(err, "set mount attributes by mount_setattr(2)");
	if (err->sys_errno == EPERM)
		error_hint(err,
			"in a user namespace, the ro, nosuid, nodev, noexec and atime options that the "
			"host's mount has can't be taken away");
	return -1;
}

void mounts_tree_close(struct mounts_tree *tree)
{
	close_at(&tree->fd);
	tree->fd = -1;
}
