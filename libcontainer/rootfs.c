/* SPDX-License-Identifier: Apache-2.0 */
#include "libcontainer/rootfs.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/mount.h>
#include <sys/stat.h>

#include "base/cleanup.h"
#include "libcontainer/kernel/devices.h"
#include "libcontainer/kernel/hidden_paths.h"
#include "libcontainer/kernel/path_in_root.h"
#include "libcontainer/kernel/root_switch.h"

int rootfs_open_mapped(
	struct rootfs *rootfs, const struct rootfs_request *request, struct error *err)
{
	return mount_sources_open_mapped(&rootfs->sources, request, err);
}

static int fail_at_root(const struct rootfs_request *request, const char *op, struct error *err)
{
	error_set_call(err, op, request->path);
	return error_point(err, "/root/path");
}

/*
 * Where the root is attached: on its own directory, so that hooks find the
 * container's tree there by the path they are told. Only a mapped root that
 * can't reach that gets it over "/".
 */
static int open_place(const struct rootfs_request *request, struct error *err)
{
	int fd = open(request->path, O_PATH | O_DIRECTORY | O_CLOEXEC);

	if (fd < 0 && errno == EACCES && request->in_user_namespace)
		fd = open("/", O_PATH | O_DIRECTORY | O_CLOEXEC);
	return fd < 0 ? fail_at_root(request, "open", err) : fd;
}

/*
 * The root's own propagation while it is set up: with rslave, the default, it
 * stays a slave of the host's mount, and is to be one; else it is private.
 */
static int attach_root(struct rootfs *rootfs, struct error *err)
{
	const struct rootfs_request *request = rootfs->request;
	unsigned long asked = request->spec->platform.rootfs_propagation;
	const struct mounts_change private = { .propagation = MS_PRIVATE };
	cleanup_tree struct mounts_tree tree = MOUNTS_NO_TREE;
	cleanup_fd int place = open_place(request, err);

	if (place < 0)
		return -1;
	if (mount_sources_take(&rootfs->sources, request, mount_sources_root(request), &tree, err) <
		0)
		return error_point(err, "/root/path");
	if (mounts_attach(&tree, place) < 0)
		return fail_at_root(request, "bind", err);
	if (asked && !(asked & MS_SLAVE) && mounts_alter(tree.fd, &private, err) < 0)
		return error_point(err, "/linux/rootfsPropagation");
	rootfs->root = take_fd(&tree.fd);
	return 0;
}

static int mount_all(struct rootfs *rootfs, struct error *err)
{
	const struct rootfs_request *request = rootfs->request;

	if (mount_sources_open_peers(&rootfs->sources, request, err) < 0 ||
		root_switch_isolate(mount_sources_isolation(request), err) < 0 ||
		mount_sources_ask(&rootfs->sources, request, err) < 0 ||
		attach_root(rootfs, err) < 0)
		return -1;
	return mount_entries_make(&rootfs->mounts, request, &rootfs->sources, rootfs->root, err);
}

static int open_bare_root(struct rootfs *rootfs, struct error *err)
{
	rootfs->root = open(rootfs->request->path, O_PATH | O_DIRECTORY | O_CLOEXEC);
	return rootfs->root < 0 ? fail_at_root(rootfs->request, "open", err) : 0;
}

/* Points at the last mount on PATH, if there is one. */
static bool point_at_mount(const struct rootfs *rootfs, const char *path, struct error *err)
{
	const struct spec *spec = rootfs->request->spec;
	const char *rest;

	for (size_t i = spec->n_mounts; i-- > 0;) {
		if (!path_is_below(path, spec->mounts[i].destination, &rest) || *rest)
			continue;
		error_point(err, "/mounts/%zu/destination", i);
		return true;
	}
	return false;
}

/* Those of the config have a pointer of their own. */
static int explain_device(const struct rootfs *rootfs, struct error *err)
{
	if (err->pointer[0] || !err->path[0] || point_at_mount(rootfs, err->path, err))
		return -1;
	if (err->sys_errno == EROFS && !point_at_mount(rootfs, "/dev", err)) {
		error_point(err, "/root/path");
		error_hint(err,
			"the default devices are made in /dev, for which a tmpfs can be mounted there");
	}
	return -1;
}

/* The owner of a directory that nobody else may search may have no ID in the container. */
static int explain(const struct rootfs *rootfs, struct error *err)
{
	cleanup_fd int fd = -1;

	if (err->sys_errno != EACCES || rootfs->root < 0)
		return -1;
	fd = openat(rootfs->root, ".", O_PATH | O_CLOEXEC);
	if (fd >= 0 || errno != EACCES)
		return -1;
	*err = (struct error){ 0 };
	error_hint(err,
		"in a user namespace a directory of somebody else has to let others search it (chmod o+x)");
	return fail_at_root(rootfs->request, "search the root directory", err);
}

static int make_devices(const struct rootfs *rootfs, struct error *err)
{
	const struct rootfs_request *request = rootfs->request;
	unsigned options = 0;

	if (rootfs->mounts.has_bound_dev)
		return 0;
	if (request->has_mount_namespace)
		options |= request->in_user_namespace ? DEVICES_BIND : DEVICES_MAY_BIND;
	if (rootfs->mounts.has_proc)
		options |= DEVICES_LINK_TO_PROC;
	if (rootfs->mounts.has_devpts)
		options |= DEVICES_LINK_TO_PTMX;
	if (rootfs->mounts.has_fleeting_dev)
		options |= DEVICES_DEV_IS_FLEETING;
	if (devices_make(rootfs->root, &request->spec->platform, options, request->witness, err) <
		0)
		return explain_device(rootfs, err);
	return 0;
}

int rootfs_prepare(struct rootfs *rootfs, const struct rootfs_request *request, struct error *err)
{
	mode_t mask = umask(0);
	int result;

	rootfs->request = request;
	result =
		request->has_mount_namespace ? mount_all(rootfs, err) : open_bare_root(rootfs, err);
	if (result == 0)
		result = make_devices(rootfs, err);
	umask(mask);
	return result < 0 ? explain(rootfs, err) : 0;
}

int rootfs_bind_console(struct rootfs *rootfs, int slave_fd, struct error *err)
{
	if (!rootfs->request->has_mount_namespace)
		return error_set(err, ERROR_SPEC, "/dev/console needs a mount namespace");
	return devices_bind_console(rootfs->root, slave_fd,
		rootfs->mounts.has_fleeting_dev ? NULL : rootfs->request->witness, err);
}

/*
 * rshared and runbindable go for every mount in the container but those that
 * ask for something else. The root itself must wait: pivot_root(2) refuses a
 * shared one.
 */
static int propagate_deep(struct rootfs *rootfs, struct error *err)
{
	unsigned long asked = rootfs->request->spec->platform.rootfs_propagation;
	const struct mounts_change deep = { .propagation = asked & ~MS_REC, .is_recursive = true };
	const struct mounts_change private = { .propagation = MS_PRIVATE };

	if (!(asked & MS_REC) || !(asked & (MS_SHARED | MS_UNBINDABLE)))
		return 0;
	if (mounts_alter(rootfs->root, &deep, err) < 0 ||
		mount_entries_propagate(&rootfs->mounts, err) < 0 ||
		mounts_alter(rootfs->root, &private, err) < 0)
		return error_point(err, "/linux/rootfsPropagation");
	return 0;
}

/*
 * process.cwd, when it is missing: later the root or a tmpfs may be read-only.
 * What else is wrong with it shows when the process goes there.
 */
static int make_cwd(const struct rootfs *rootfs, struct error *err)
{
	const struct spec_process *process = rootfs->request->spec->process;
	struct error cause = { 0 };
	cleanup_fd int cwd = -1;
	mode_t mask;

	if (!process)
		return 0;
	cwd = path_try_open(rootfs->root, process->cwd, O_PATH, PATH_IN_ROOT);
	if (cwd >= 0 || errno != ENOENT)
		return 0;
	/* The caller's may keep the user out of it. */
	mask = umask(0);
	cwd = path_make_missing_in_root(rootfs->root, process->cwd, S_IFDIR, PATH_IN_ROOT,
		rootfs->request->witness, &cause);
	umask(mask);
	/* On NFS say, only the user may be let in. */
	if (cwd >= 0 || cause.sys_errno == EACCES || cause.sys_errno == EPERM)
		return 0;
	*err = cause;
	return error_point(err, "%s/cwd", process->pointer);
}

int rootfs_hide(struct rootfs *rootfs, struct error *err)
{
	const struct mounts_change readonly = { .attributes.set = MOUNT_ATTR_RDONLY };
	const struct spec *spec = rootfs->request->spec;

	if (make_cwd(rootfs, err) < 0)
		return -1;
	if (!rootfs->request->has_mount_namespace)
		return 0;
	/* First: what hides them are clones, which are what they were then. */
	if (mount_entries_make_readonly(&rootfs->mounts, err) < 0 ||
		hidden_paths_make_readonly(rootfs->root, &spec->platform.readonly_paths, err) < 0 ||
		hidden_paths_mask(rootfs->root, &spec->platform.masked_paths,
			spec->platform.mount_label, err) < 0 ||
		propagate_deep(rootfs, err) < 0)
		return -1;
	if (spec->root.readonly && mounts_alter(rootfs->root, &readonly, err) < 0) {
		error_point(err, "/root/readonly");
		return error_wrap(err, "make the root file system read-only");
	}
	return 0;
}

static int change_root(const struct rootfs *rootfs, struct error *err)
{
	if (!rootfs->request->has_mount_namespace)
		return root_switch_chroot(rootfs->root, err);
	if (rootfs->request->no_pivot)
		return root_switch_move(rootfs->root, rootfs->request->path, err);
	return root_switch_pivot(rootfs->root, err);
}

int rootfs_switch(struct rootfs *rootfs, struct error *err)
{
	unsigned long asked = rootfs->request->spec->platform.rootfs_propagation & ~MS_REC;

	if (change_root(rootfs, err) < 0)
		return -1;
	if (rootfs->request->has_mount_namespace && (asked & (MS_SHARED | MS_UNBINDABLE)) &&
		mount(NULL, "/", NULL, asked, NULL) < 0) {
		error_set_errno(err, "set the root's propagation");
		return error_point(err, "/linux/rootfsPropagation");
	}
	return 0;
}

void rootfs_release(struct rootfs *rootfs)
{
	mount_entries_release(&rootfs->mounts);
	mount_sources_release(&rootfs->sources);
	procfs_release(&rootfs->procfs);
	close_at(&rootfs->root);
	rootfs->root = -1;
}
