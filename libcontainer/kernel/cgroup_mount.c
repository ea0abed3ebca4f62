/* SPDX-License-Identifier: Apache-2.0 */
#include "libcontainer/kernel/cgroup_mount.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/magic.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "libcontainer/kernel/filesystem.h"
#include "libcontainer/kernel/mounts.h"
#include "libcontainer/kernel/path_in_root.h"

#define HOST_MOUNT "/sys/fs/cgroup"

static int mount_v2(const struct cgroup_mount *what, int target_fd, struct error *err)
{
	const struct filesystem fs = {
		.type = "cgroup2",
		.source = what->source ?: "cgroup",
		.here = what->here,
		.words = what->words,
	};

	return filesystem_mount(&fs, target_fd, err);
}

/* The group in its hierarchy as the host mounts it. */
static int bind_group(const struct cgroup_mount *what, const struct cgroup_hierarchy *hierarchy,
	int target_fd, struct error *err)
{
	cleanup_tree struct mounts_tree tree = MOUNTS_NO_TREE;
	char path[PATH_MAX];

	if (snprintf(path, sizeof(path), "%s/%s", hierarchy->mount, hierarchy->path) >=
		(int)sizeof(path))
		return error_set(err, ERROR_SYSTEM, "the cgroup's path is too long");
	if (mounts_clone(AT_FDCWD, path, false, &tree) < 0 || mounts_attach(&tree, target_fd) < 0)
		return error_set_call(err, "bind cgroup", path);
	return mounts_alter(tree.fd, &(struct mounts_change){ .attributes = what->here }, err);
}

static int mount_only_v2(const struct cgroup_mount *what, int target_fd, struct error *err)
{
	struct error cause = { 0 };

	if (what->has_namespace && mount_v2(what, target_fd, &cause) == 0)
		return 0;
	/* EPERM: the user namespace does not own the cgroup namespace. EBUSY: nor its mounts. */
	if (cause.kind == ERROR_NONE || cause.sys_errno == EPERM || cause.sys_errno == EBUSY)
		return bind_group(what, &what->hierarchies[0], target_fd, err);
	*err = cause;
	return -1;
}

/* "cpu" and "cpuacct" lead to "cpu,cpuacct". */
static int link_controllers(int tmpfs_fd, const char *name, struct error *err)
{
	char controller[NAME_MAX + 1];

	if (!strchr(name, ','))
		return 0;
	for (const char *word = name; *word;) {
		size_t length = strcspn(word, ",");

		snprintf(controller, sizeof(controller), "%.*s", (int)length, word);
		if (length > 0 && symlinkat(name, tmpfs_fd, controller) < 0)
			return error_set_call(err, "link cgroup controller", controller);
		word += length + (word[length] == ',');
	}
	return 0;
}

static int mount_hierarchy(const struct cgroup_mount *what,
	const struct cgroup_hierarchy *hierarchy, int tmpfs_fd, struct error *err)
{
	cleanup_fd int target = -1;

	if (mkdirat(tmpfs_fd, hierarchy->name, 0755) < 0)
		return error_set_call(err, "make cgroup directory", hierarchy->name);
	target = path_try_open(tmpfs_fd, hierarchy->name, O_PATH | O_DIRECTORY, PATH_BENEATH);
	if (target < 0)
		return error_set_call(err, "open cgroup directory", hierarchy->name);
	if (bind_group(what, hierarchy, target, err) < 0)
		return -1;
	return link_controllers(tmpfs_fd, hierarchy->name, err);
}

static int open_tmpfs(const struct cgroup_mount *what, struct error *err)
{
	struct filesystem fs = {
		.type = "tmpfs",
		.source = what->source ?: "cgroup",
		.here = what->here,
		.extra = "mode=755",
		.label = what->label,
	};

	fs.here.set &= ~(uint64_t)MOUNT_ATTR_RDONLY;
	return filesystem_open(&fs, err);
}

static int mount_hierarchies(
	const struct cgroup_mount *what, int target_fd, int *ret_tmpfs, struct error *err)
{
	cleanup_fd int tmpfs = open_tmpfs(what, err);

	if (tmpfs < 0)
		return -1;
	if (mounts_attach_fd(tmpfs, target_fd) < 0)
		return error_set_errno(err, "mount a tmpfs for the cgroup hierarchies");
	for (size_t i = 0; i < what->n_hierarchies; i++)
		if (mount_hierarchy(what, &what->hierarchies[i], tmpfs, err) < 0)
			return -1;
	*ret_tmpfs = take_fd(&tmpfs);
	return 0;
}

/* When no groups were made: as they are all of the caller's, nothing may be writable. */
static int mount_without_groups(const struct cgroup_mount *what, int target_fd, struct error *err)
{
	const struct mounts_change readonly = {
		.attributes.set = what->here.set | MOUNT_ATTR_RDONLY,
		.attributes.clear = what->here.clear & ~(uint64_t)MOUNT_ATTR_RDONLY,
		.is_recursive = true,
	};
	cleanup_tree struct mounts_tree tree = MOUNTS_NO_TREE;
	struct statfs fs;

	if (what->has_namespace && statfs(HOST_MOUNT, &fs) == 0 &&
		fs.f_type == CGROUP2_SUPER_MAGIC) {
		struct cgroup_mount own = *what;

		own.here = readonly.attributes;
		return mount_v2(&own, target_fd, err);
	}
	if (mounts_clone(AT_FDCWD, HOST_MOUNT, true, &tree) < 0 ||
		mounts_attach(&tree, target_fd) < 0)
		return error_set_call(err, "bind", HOST_MOUNT);
	return mounts_alter(tree.fd, &readonly, err);
}

int cgroup_mount_make(
	const struct cgroup_mount *cgroup_mount, int target_fd, int *ret_tmpfs, struct error *err)
{
	*ret_tmpfs = -1;
	if (cgroup_mount->n_hierarchies == 0)
		return mount_without_groups(cgroup_mount, target_fd, err);
	if (cgroup_mount->n_hierarchies == 1 && cgroup_mount->hierarchies[0].is_v2 &&
		!cgroup_mount->hierarchies[0].name[0])
		return mount_only_v2(cgroup_mount, target_fd, err);
	return mount_hierarchies(cgroup_mount, target_fd, ret_tmpfs, err);
}
