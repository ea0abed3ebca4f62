/* SPDX-License-Identifier: Apache-2.0 */
#include "libcontainer/kernel/hidden_paths.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/mount.h>
#include <sys/stat.h>

#include "base/cleanup.h"
#include "libcontainer/kernel/devices.h"
#include "libcontainer/kernel/filesystem.h"
#include "libcontainer/kernel/mounts.h"
#include "libcontainer/kernel/path_in_root.h"

/*
 * What covers things: mounts that were made when the first path needed them, and
 * are cloned for the others.
 */
struct covers {
	int null;
	int directory;
	const char *label; /* of the directory */
};

/* Whether both are one directory, reached by one mount. */
static bool is_same_place(int a_fd, int b_fd)
{
	const unsigned wanted = STATX_INO | STATX_MNT_ID;
	struct statx a, b;

	return statx(a_fd, "", AT_EMPTY_PATH, wanted, &a) == 0 &&
	       statx(b_fd, "", AT_EMPTY_PATH, wanted, &b) == 0 && a.stx_ino == b.stx_ino &&
	       a.stx_dev_major == b.stx_dev_major && a.stx_dev_minor == b.stx_dev_minor &&
	       a.stx_mnt_id == b.stx_mnt_id;
}

/* Opens PATH, or gives -1 in RET_FD where there is nothing to hide. */
static int open_target(int root_fd, const char *path, int *ret_fd, struct error *err)
{
	cleanup_fd int target = path_try_open(root_fd, path, O_PATH, PATH_IN_ROOT);

	*ret_fd = -1;
	if (target < 0)
		return errno == ENOENT || errno == ENOTDIR ? 0 : path_fail_to_open(path, err);
	/* Nobody would see what lies over it: processes are below. */
	if (is_same_place(target, root_fd)) {
		error_set(err, ERROR_SPEC, "'%s' is the root of the container", path);
		return error_hint(
			err, "name what lies in it; root.readonly makes all of it read-only");
	}
	*ret_fd = take_fd(&target);
	return 0;
}

/* Clones what is at SOURCE_FD over TARGET_FD. Gives the clone if RET_MOUNT is not NULL. */
static int cover(int source_fd, int target_fd, int *ret_mount)
{
	cleanup_tree struct mounts_tree tree = MOUNTS_NO_TREE;

	if (mounts_bind(source_fd, target_fd, false, &tree) < 0)
		return -1;
	if (ret_mount)
		*ret_mount = take_fd(&tree.fd);
	return 0;
}

static int cover_directory(struct covers *covers, int target_fd, struct error *err)
{
	const char *words[] = { "nr_blocks=1", "nr_inodes=1", NULL };
	const struct filesystem empty_directory = {
		.type = "tmpfs",
		.source = "tmpfs",
		.here.set = MOUNT_ATTR_RDONLY,
		.words = &(const struct spec_strings){ words, 2 },
		.label = covers->label,
	};

	if (covers->directory >= 0)
		return cover(covers->directory, target_fd, NULL);
	covers->directory = filesystem_open(&empty_directory, err);
	if (covers->directory >= 0)
		return mounts_attach_fd(covers->directory, target_fd);
	if (err->kind != ERROR_UNSUPPORTED && err->sys_errno != EPERM)
		return -1;
	/* Without the new mount interface, one for each. */
	*err = (struct error){ 0 };
	return filesystem_mount(&empty_directory, target_fd, err);
}

/* Read-only, or the container's root could change the mode of the host's node. */
static int cover_file(struct covers *covers, int target_fd, struct error *err)
{
	static const struct mounts_change readonly = { .attributes.set = MOUNT_ATTR_RDONLY };
	cleanup_fd int node = -1;

	if (covers->null >= 0)
		return cover(covers->null, target_fd, NULL);
	node = devices_open_null(err);
	if (node < 0 || cover(node, target_fd, &covers->null) < 0)
		return -1;
	return mounts_alter(covers->null, &readonly, err);
}

static int mask(int root_fd, const char *path, struct covers *covers, struct error *err)
{
	cleanup_fd int target = -1;
	struct stat st;
	int result;

	if (open_target(root_fd, path, &target, err) < 0)
		return -1;
	if (target < 0)
		return 0;
	if (fstat(target, &st) < 0)
		return error_set_call(err, "stat", path);
	result = S_ISDIR(st.st_mode) ? cover_directory(covers, target, err)
				     : cover_file(covers, target, err);
	return result < 0 ? error_set_call(err, "mask", path) : 0;
}

int hidden_paths_mask(
	int root_fd, const struct spec_strings *paths, const char *label, struct error *err)
{
	struct covers covers = { .null = -1, .directory = -1, .label = label };
	int result = 0;

	for (size_t i = 0; result == 0 && i < paths->count; i++) {
		result = mask(root_fd, paths->items[i], &covers, err);
		if (result < 0)
			error_point(err, "/linux/maskedPaths/%zu", i);
	}
	close_at(&covers.null);
	close_at(&covers.directory);
	return result;
}

static int make_readonly(int root_fd, const char *path, struct error *err)
{
	static const struct mounts_change readonly = { .attributes.set = MOUNT_ATTR_RDONLY };
	cleanup_tree struct mounts_tree tree = MOUNTS_NO_TREE;
	cleanup_fd int target = -1;

	if (open_target(root_fd, path, &target, err) < 0)
		return -1;
	if (target < 0)
		return 0;
	if (mounts_bind(target, target, true, &tree) < 0)
		return error_set_call(err, "bind", path);
	if (mounts_alter(tree.fd, &readonly, err) < 0)
		return error_wrap(err, "make '%s' read-only", path);
	return 0;
}

int hidden_paths_make_readonly(int root_fd, const struct spec_strings *paths, struct error *err)
{
	for (size_t i = 0; i < paths->count; i++)
		if (make_readonly(root_fd, paths->items[i], err) < 0)
			return error_point(err, "/linux/readonlyPaths/%zu", i);
	return 0;
}
