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
#include "base/fd.h"
#include "libcontainer/kernel/mount_idmap.h"
#include "libcontainer/kernel/mount_visit.h"
#include "libcontainer/sync.h"

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

/* The runtime opens them when the first process is there; see mount_visit.h. */
static bool are_asked_for(const struct rootfs_request *request)
{
	return request->in_user_namespace && request->is_mount_namespace_new;
}

static bool is_asked_for(const struct rootfs_request *request, size_t index)
{
	if (!are_asked_for(request))
		return false;
	if (index == mount_sources_notify(request))
		return request->notify_dir;
	return index == mount_sources_root(request) || find_bind(request, index);
}

/* Whether what is mounted later on the host's side shall be seen on ours, and the reverse. */
static bool stays_peer(const struct rootfs_request *request, size_t index)
{
	const struct spec_mount *mount = find_bind(request, index);

	return request->spec->platform.rootfs_propagation & MS_SHARED && mount &&
	       mount->parsed.propagation & MS_SHARED;
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

/* The clone is a peer of the host's mount still. */
static int cut_off(const struct rootfs_request *request, int tree_fd, struct error *err)
{
	struct mount_attr attr = { .propagation = mount_sources_isolation(request) };

	if (mount_setattr(tree_fd, "", AT_EMPTY_PATH | AT_RECURSIVE, &attr, sizeof(attr)) == 0)
		return 0;
	return error_set_errno(err, "set mount propagation by mount_setattr(2)");
}

static int fail_without_clone(struct error *err)
{
	return error_set(err, ERROR_UNSUPPORTED,
		"an ID-mapped mount needs open_tree(2), which is not there, or not for this user");
}

static int clone_mapped(struct mount_sources *sources, const struct rootfs_request *request,
	size_t index, struct error *err)
{
	cleanup_tree struct mounts_tree tree = MOUNTS_NO_TREE;

	if (request->in_user_namespace)
		return error_set(err, ERROR_UNSUPPORTED,
			"an ID-mapped mount in a user namespace needs a new mount namespace");
	if (clone_now(request, index, &tree, err) < 0)
		return -1;
	if (!tree.is_clone)
		return fail_without_clone(err);
	if (map(request, index, tree.fd, err) < 0)
		return -1;
	if (!stays_peer(request, index) && cut_off(request, tree.fd, err) < 0)
		return -1;
	sources->fds[index] = take_fd(&tree.fd);
	return 0;
}

static int point(const struct rootfs_request *request, size_t index, struct error *err)
{
	if (index >= request->spec->n_mounts)
		return -1;
	error_point(err, "/mounts/%zu/source", index);
	return error_wrap(err, "mount '%s'", request->spec->mounts[index].destination);
}

int mount_sources_open_mapped(
	struct mount_sources *sources, const struct rootfs_request *request, struct error *err)
{
	size_t count = request->has_mount_namespace ? request->spec->n_mounts : 0;

	for (size_t i = 0; i < count; i++) {
		const struct spec_mount *mount = find_bind(request, i);

		if (!mount || !is_mapped(mount) || is_asked_for(request, i))
			continue;
		if (make_room(sources, request, err) < 0)
			return -1;
		if (clone_mapped(sources, request, i, err) < 0)
			return point(request, i, err);
	}
	return 0;
}

/* With the runtime in the container's mount namespace. Returns 1 without open_tree(2). */
static int clone_all(
	struct mount_sources *sources, const struct rootfs_request *request, struct error *err)
{
	for (size_t i = 0; i < sources->count; i++) {
		cleanup_tree struct mounts_tree tree = MOUNTS_NO_TREE;

		if (!is_asked_for(request, i))
			continue;
		if (clone_now(request, i, &tree, err) < 0)
			return point(request, i, err);
		if (!tree.is_clone)
			return 1;
		sources->fds[i] = take_fd(&tree.fd);
	}
	return 0;
}

/* Returns 1, too, when the runtime may not go there; what was opened before is of no use. */
static int clone_there(struct mount_sources *sources, const struct rootfs_request *request,
	int namespace_fd, struct error *err)
{
	struct error late = { 0 };
	struct mount_visit visit;
	int result = namespace_fd < 0 ? 1 : mount_visit_begin(&visit, namespace_fd, err);

	if (result)
		return result;
	result = clone_all(sources, request, err);
	if (mount_visit_end(&visit, &late) == 0)
		return result;
	return result < 0 ? -1 : error_adopt(err, &late);
}

static int map_all(const struct mount_sources *sources, const struct rootfs_request *request,
	bool are_cloned, struct error *err)
{
	for (size_t i = 0; i < request->spec->n_mounts; i++) {
		const struct spec_mount *mount = find_bind(request, i);

		if (!mount || !is_mapped(mount))
			continue;
		if (!are_cloned)
			fail_without_clone(err);
		else if (map(request, i, sources->fds[i], err) == 0)
			continue;
		return point(request, i, err);
	}
	return 0;
}

/* In the order of their indices, as many as a message carries, and none at last. */
static int send_all(const struct mount_sources *sources, int socket, struct error *err)
{
	int batch[FD_SEND_MAX];
	size_t n = 0;

	for (size_t i = 0; i < sources->count; i++) {
		if (sources->fds[i] >= 0)
			batch[n++] = sources->fds[i];
		if (n < FD_SEND_MAX)
			continue;
		if (sync_send_fds(socket, SYNC_SOURCES, batch, n, err) < 0)
			return -1;
		n = 0;
	}
	if (n > 0 && sync_send_fds(socket, SYNC_SOURCES, batch, n, err) < 0)
		return -1;
	return sync_send_fds(socket, SYNC_SOURCES, NULL, 0, err);
}

int mount_sources_serve(
	const struct rootfs_request *request, int namespace_fd, int socket, struct error *err)
{
	struct mount_sources sources = { 0 };
	int result;

	if (!are_asked_for(request))
		return error_set(
			err, ERROR_SYSTEM, "the first process asked for mounts it makes itself");
	if (make_room(&sources, request, err) < 0)
		return -1;
	result = clone_there(&sources, request, namespace_fd, err);
	if (result > 0)
		mount_sources_release(&sources);
	if (result >= 0)
		result = map_all(&sources, request, result == 0, err);
	if (result == 0)
		result = send_all(&sources, socket, err);
	mount_sources_release(&sources);
	return result;
}

/*
 * Those that come are all, or none where the runtime could not open them either.
 * It may lack the right to look for the namespace of one that is not dumpable, so
 * that comes along, unless there is no procfs.
 */
int mount_sources_ask(
	struct mount_sources *sources, const struct rootfs_request *request, struct error *err)
{
	cleanup_fd int namespace_fd = -1;
	int batch[FD_SEND_MAX];
	size_t next = 0, n;

	if (!are_asked_for(request))
		return 0;
	namespace_fd = open("/proc/self/ns/mnt", O_RDONLY | O_CLOEXEC);
	if (make_room(sources, request, err) < 0 ||
		sync_send(request->sync[1], SYNC_SOURCES, 0, namespace_fd, err) < 0)
		return -1;
	do {
		if (sync_take_fds(request->sync[1], SYNC_SOURCES, batch, &n, err) < 0)
			return -1;
		for (size_t i = 0; i < n; i++) {
			while (next < sources->count && !is_asked_for(request, next))
				next++;
			if (next == sources->count)
				return error_set(
					err, ERROR_SYSTEM, "the runtime sent too many mounts");
			sources->fds[next++] = batch[i];
		}
	} while (n > 0);
	return 0;
}

int mount_sources_open_peers(
	struct mount_sources *sources, const struct rootfs_request *request, struct error *err)
{
	/* What another user owns can be no peer of the host's (mount_namespaces(7)). */
	if (are_asked_for(request))
		return 0;
	for (size_t i = 0; i < request->spec->n_mounts; i++) {
		const struct spec_mount *mount = find_bind(request, i);
		cleanup_tree struct mounts_tree tree = MOUNTS_NO_TREE;

		if (!stays_peer(request, i))
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
