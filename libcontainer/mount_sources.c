/* SPDX-License-Identifier: Apache-2.0 */
#include "libcontainer/mount_sources.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>

#include "base/cleanup.h"
#include "libcontainer/kernel/mount_idmap.h"

/* "/mounts/18446744073709551615" */
#define POINTER_MAX 32

size_t mount_sources_root(const struct rootfs_request *request)
{
	return request->spec->n_mounts;
}

size_t mount_sources_notify(const struct rootfs_request *request)
{
	return request->spec->n_mounts + 1;
}

unsigned long mount_sources_isolation(const struct rootfs_request *request)
{
	unsigned long asked = request->spec->platform.rootfs_propagation;

	return (asked & MS_REC) && (asked & (MS_PRIVATE | MS_UNBINDABLE)) ? MS_PRIVATE : MS_SLAVE;
}

/* The bind mount with that index; NULL for others, and for the root and the notify directory. */
static const struct spec_mount *find_bind(const struct rootfs_request *request, size_t index)
{
	const struct spec_mount *mount;

	if (index >= request->spec->n_mounts)
		return NULL;
	mount = &request->spec->mounts[index];
	return mount->parsed.is_bind && !mount->parsed.is_remount ? mount : NULL;
}

static bool is_mapped(const struct spec_mount *mount)
{
	return mount->parsed.has_idmap || mount->uid_mappings.count > 0;
}

static bool is_recursive(const struct rootfs_request *request, size_t index)
{
	const struct spec_mount *mount = find_bind(request, index);

	return mount ? mount->parsed.is_recursive : index == mount_sources_root(request);
}

/* Relative sources count from the bundle. */
static int make_path(const struct rootfs_request *request, size_t index,
	char ret_path[static PATH_MAX], struct error *err)
{
	const struct spec_mount *mount = find_bind(request, index);
	const char *path = mount ? mount->source : request->notify_dir;
	int length;

	if (index == mount_sources_root(request))
		path = request->path;
	if (path[0] == '/')
		length = snprintf(ret_path, PATH_MAX, "%s", path);
	else
		length = snprintf(ret_path, PATH_MAX, "%s/%s", request->bundle, path);
	if (length < 0 || length >= PATH_MAX)
		return error_set(err, ERROR_SPEC, "source '%.64s...' is too long for a path", path);
	return 0;
}

/* The first component of PATH that can't be had is what the user wants to hear of. */
static int fail_to_open(const char *path, struct error *err)
{
	int sys_errno = errno;
	char prefix[PATH_MAX];

	for (size_t end = 1; path[end - 1]; end++) {
		cleanup_fd int fd = -1;

		if (path[end] != '/' && path[end] != '\0')
			continue;
		snprintf(prefix, sizeof(prefix), "%.*s", (int)end, path);
		fd = open(prefix, O_PATH | O_CLOEXEC);
		if (fd < 0 && errno == sys_errno && path[end])
			return error_set_errno(err, "source '%s': '%s'", path, prefix);
	}
	errno = sys_errno;
	error_set_errno(err, "source '%s'", path);
	if (sys_errno == EINVAL)
		error_hint(err,
			"in a user namespace a bind of a directory with locked mounts below it must be "
			"'rbind'; unbindable mounts can't be bound at all");
	return -1;
}

static int clone_now(const struct rootfs_request *request, size_t index,
	struct mounts_tree *ret_tree, struct error *err)
{
	char path[PATH_MAX];

	if (make_path(request, index, path, err) < 0)
		return -1;
	if (mounts_clone(AT_FDCWD, path, is_recursive(request, index), ret_tree) < 0)
		return fail_to_open(path, err);
	return 0;
}

int mount_sources_take(struct mount_sources *sources, const struct rootfs_request *request,
	size_t index, struct mounts_tree *ret_tree, struct error *err)
{
	if (index < sources->count && sources->fds[index] >= 0) {
		*ret_tree = (struct mounts_tree){
			.fd = take_fd(&sources->fds[index]),
			.is_clone = true,
			.is_recursive = is_recursive(request, index),
		};
		return 0;
	}
	if (clone_now(request, index, ret_tree, err) < 0)
		return index < request->spec->n_mounts
			       ? error_point(err, "/mounts/%zu/source", index)
			       : -1;
	return 0;
}

static int make_room(
	struct mount_sources *sources, const struct rootfs_request *request, struct error *err)
{
	size_t count = request->spec->n_mounts + 2;

	if (sources->fds)
		return 0;
	sources->fds = malloc(count * sizeof(sources->fds[0]));
	if (!sources->fds)
		return error_set_errno(err, "open the sources of mounts");
	sources->count = count;
	memset(sources->fds, -1, count * sizeof(sources->fds[0]));
	return 0;
}

/* The user namespace whose mapping MOUNT is to have: its own, or the container's. */
static int open_mapping(const struct rootfs_request *request, size_t index, struct error *err)
{
	const struct spec_linux *platform = &request->spec->platform;
	const struct spec_mount *mount = &request->spec->mounts[index];
	const struct spec_namespace *user = spec_find_namespace(request->spec, CLONE_NEWUSER);
	char pointer[POINTER_MAX] = "/linux";

	if (mount->uid_mappings.count > 0) {
		snprintf(pointer, sizeof(pointer), "/mounts/%zu", index);
		return mount_idmap_open_namespace(
			&mount->uid_mappings, &mount->gid_mappings, pointer, err);
	}
	if (user && user->path) {
		int fd = open(user->path, O_RDONLY | O_CLOEXEC);

		return fd < 0 ? error_set_call(err, "open", user->path) : fd;
	}
	return mount_idmap_open_namespace(
		&platform->uid_mappings, &platform->gid_mappings, pointer, err);
}

static int map(const struct rootfs_request *request, size_t index, int tree_fd, struct error *err)
{
	const struct mount_options *options = &request->spec->mounts[index].parsed;
	cleanup_fd int mapping = open_mapping(request, index, err);
	/* Mappings without the word, or with idmap, are for the mount itself. */
	bool is_deep = options->has_idmap && options->is_idmap_recursive;

	return mapping < 0 ? -1 : mount_idmap_apply(tree_fd, mapping, is_deep, err);
}

/*
 * The clone is a peer of the host's mounts still. In a namespace that another
 * user owns, that must end (mount_namespaces(7), "Restrictions"). Returns 1
 * where there is no mount_setattr(2) to end it with.
 */
static int cut_off(const struct rootfs_request *request, int tree_fd, struct error *err)
{
	struct mount_attr attr = { .propagation = mount_sources_isolation(request) };

	if (mount_setattr(tree_fd, "", AT_EMPTY_PATH | AT_RECURSIVE, &attr, sizeof(attr)) == 0)
		return 0;
	return mounts_is_call_missing(errno) ? 1 : error_set_errno(err, "set mount propagation");
}

static int open_in_parent(struct mount_sources *sources, const struct rootfs_request *request,
	size_t index, struct error *err)
{
	const struct spec_mount *mount = find_bind(request, index);
	cleanup_tree struct mounts_tree tree = MOUNTS_NO_TREE;
	int result;

	if (clone_now(request, index, &tree, err) < 0)
		return -1;
	/* Without the new mount interface the child tries for itself, by mount(2). */
	result = tree.is_clone ? cut_off(request, tree.fd, err) : 1;
	if (result < 0)
		return -1;
	if (mount && is_mapped(mount) && !tree.is_clone)
		return error_set(err, ERROR_UNSUPPORTED,
			"an ID-mapped mount needs open_tree(2), which is not available");
	if (mount && is_mapped(mount) && map(request, index, tree.fd, err) < 0)
		return -1;
	if (result == 0)
		sources->fds[index] = take_fd(&tree.fd);
	return 0;
}

static bool is_for_parent(const struct rootfs_request *request, size_t index)
{
	const struct spec_mount *mount = find_bind(request, index);

	if (mount && is_mapped(mount))
		return true;
	/* In a joined mount namespace paths may mean something else than here. */
	if (!request->in_user_namespace || !request->is_mount_namespace_new)
		return false;
	if (index == mount_sources_notify(request))
		return request->notify_dir;
	return mount || index == mount_sources_root(request);
}

int mount_sources_open_in_parent(
	struct mount_sources *sources, const struct rootfs_request *request, struct error *err)
{
	size_t count = request->has_mount_namespace ? request->spec->n_mounts + 2 : 0;

	for (size_t i = 0; i < count; i++) {
		if (!is_for_parent(request, i))
			continue;
		if (make_room(sources, request, err) < 0)
			return -1;
		if (open_in_parent(sources, request, i, err) == 0)
			continue;
		if (i >= request->spec->n_mounts)
			return -1;
		error_point(err, "/mounts/%zu/source", i);
		return error_wrap(err, "mount '%s'", request->spec->mounts[i].destination);
	}
	return 0;
}

int mount_sources_open_peers(
	struct mount_sources *sources, const struct rootfs_request *request, struct error *err)
{
	if (!(request->spec->platform.rootfs_propagation & MS_SHARED))
		return 0;
	for (size_t i = 0; i < request->spec->n_mounts; i++) {
		const struct spec_mount *mount = find_bind(request, i);
		cleanup_tree struct mounts_tree tree = MOUNTS_NO_TREE;

		if (!mount || !(mount->parsed.propagation & MS_SHARED))
			continue;
		if (make_room(sources, request, err) < 0)
			return -1;
		if (sources->fds[i] >= 0)
			continue;
		if (network_join(request->network, err) < 0)
			return -1;
		if (clone_now(request, i, &tree, err) < 0) {
			error_point(err, "/mounts/%zu/source", i);
			return error_wrap(err, "mount '%s'", mount->destination);
		}
		if (!tree.is_clone)
			return error_set(err, ERROR_UNSUPPORTED,
				"mount '%s': shared with the host needs open_tree(2), which is not available",
				mount->destination);
		sources->fds[i] = take_fd(&tree.fd);
	}
	return 0;
}

void mount_sources_release(struct mount_sources *sources)
{
	for (size_t i = 0; i < sources->count; i++)
		close_at(&sources->fds[i]);
	free(sources->fds);
	*sources = (struct mount_sources){ 0 };
}
