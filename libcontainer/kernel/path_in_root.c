/* SPDX-License-Identifier: Apache-2.0 */
#include "libcontainer/kernel/path_in_root.h"

#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "base/cleanup.h"
#include "libcontainer/kernel/syscalls.h"

/* EAGAIN: a rename below ROOT raced with the walk (openat2(2), RESOLVE_IN_ROOT). */
#define RACE_RETRIES 32

/* How many links the kernel follows in one path (path_resolution(7)). */
#define LINKS_MAX 40

static const unsigned resolve_of_rule[] = {
	[PATH_IN_ROOT] = RESOLVE_IN_ROOT | RESOLVE_NO_MAGICLINKS,
	[PATH_NO_LINKS] = RESOLVE_IN_ROOT | RESOLVE_NO_MAGICLINKS | RESOLVE_NO_SYMLINKS,
	[PATH_BENEATH] =
		RESOLVE_BENEATH | RESOLVE_NO_MAGICLINKS | RESOLVE_NO_SYMLINKS | RESOLVE_NO_XDEV,
};

/* Cuts the first component off *PATH, without its slashes. Returns its length, 0 at the end. */
static size_t next_component(const char **path, const char **ret_component)
{
	*path += strspn(*path, "/");
	*ret_component = *path;
	*path += strcspn(*path, "/");
	return (size_t)(*path - *ret_component);
}

int path_mount_id(int fd, uint64_t *ret_id)
{
	struct statx st;

	if (statx(fd, "", AT_EMPTY_PATH, STATX_MNT_ID, &st) < 0)
		return -1;
	if (!(st.stx_mask & STATX_MNT_ID)) {
		errno = ENOSYS;
		return -1;
	}
	*ret_id = st.stx_mnt_id;
	return 0;
}

/* One step of the walk: NAME in DIR_FD, which may not be a link, nor the way up. */
static int open_component(int dir_fd, const char *name, int flags, enum path_rule rule)
{
	cleanup_fd int fd = -1;
	uint64_t here, there;
	struct stat st;

	if (!strcmp(name, "..")) {
		errno = EXDEV;
		return -1;
	}
	fd = openat(dir_fd, name, flags | O_NOFOLLOW | O_CLOEXEC);
	if (fd < 0 || fstat(fd, &st) < 0)
		return -1;
	if (S_ISLNK(st.st_mode)) {
		errno = ELOOP;
		return -1;
	}
	if (rule == PATH_BENEATH) {
		if (path_mount_id(dir_fd, &here) < 0 || path_mount_id(fd, &there) < 0)
			return -1;
		if (here != there) {
			errno = EXDEV;
			return -1;
		}
	}
	return take_fd(&fd);
}

/* For want of openat2(2): never follows a link, so no component needs to be trusted. */
static int walk_without_links(int root_fd, const char *path, int flags, enum path_rule rule)
{
	cleanup_fd int dir = openat(root_fd, ".", O_PATH | O_DIRECTORY | O_CLOEXEC);
	const char *rest = path, *component;
	char name[NAME_MAX + 1];
	size_t length;

	while (dir >= 0 && (length = next_component(&rest, &component)) > 0) {
		bool is_last = rest[strspn(rest, "/")] == '\0';
		int next;

		if (length > NAME_MAX) {
			errno = ENAMETOOLONG;
			return -1;
		}
		memcpy(name, component, length);
		name[length] = '\0';
		next = open_component(dir, name, is_last ? flags : O_PATH, rule);
		if (next < 0 || is_last)
			return next;
		close_at(&dir);
		dir = next;
	}
	return dir < 0 ? -1 : openat(dir, ".", flags | O_CLOEXEC);
}

int path_tell(const struct path_witness *witness, int dir_fd, const char *name, struct error *err)
{
	return witness ? witness->tell(witness->context, dir_fd, name, err) : 0;
}

int path_try_open(int root_fd, const char *path, int flags, enum path_rule rule)
{
	const struct open_how how = {
		.flags = (unsigned)flags | O_CLOEXEC,
		.resolve = resolve_of_rule[rule],
	};
	int fd = -1;

	for (int i = 0; i < RACE_RETRIES; i++) {
		fd = sys_openat2(root_fd, path, &how);
		if (fd >= 0 || errno != EAGAIN)
			break;
	}
	if (fd >= 0 || (errno != ENOSYS && errno != EPERM))
		return fd;
	fd = walk_without_links(root_fd, path, flags, rule);
	if (fd < 0 && ((errno == ELOOP && rule == PATH_IN_ROOT) ||
			      (errno == EXDEV && rule != PATH_BENEATH)))
		errno = ENOSYS;
	return fd;
}

int path_fail_to_open(const char *path, struct error *err)
{
	if (errno == ENOSYS)
		return error_set(err, ERROR_UNSUPPORTED,
			"open '%s' in the root file system: to follow its symbolic links or '..' needs openat2(2), which is not available",
			path);
	return error_set_errno(err, "open '%s' in the root file system", path);
}

int path_open_in_root(int root_fd, const char *path, int flags, struct error *err)
{
	int fd = path_try_open(root_fd, path, flags, PATH_IN_ROOT);

	return fd < 0 ? path_fail_to_open(path, err) : fd;
}

/* Why PATH, which has a component NAME in DIR_FD, could be neither made nor opened. */
static int fail_at_component(int dir_fd, const char *name, const char *path, struct error *err)
{
	int sys_errno = errno;
	char link[PATH_MAX];
	ssize_t length = readlinkat(dir_fd, name, link, sizeof(link) - 1);

	if (length >= 0) {
		link[length] = '\0';
		return error_set(err, ERROR_SYSTEM,
			"make '%s' in the root file system: '%s' is a symbolic link to '%s', which leads nowhere",
			path, name, link);
	}
	errno = sys_errno;
	return error_set_errno(err, "make '%s' in the root file system: '%s'", path, name);
}

/* Makes NAME in DIR_FD. That somebody else was faster (EEXIST) is fine. */
static int make_component(int dir_fd, const char *name, mode_t type, bool *ret_is_new)
{
	int made = type == S_IFDIR ? mkdirat(dir_fd, name, 0755)
				   : mknodat(dir_fd, name, S_IFREG | 0644, 0);

	*ret_is_new = made == 0;
	return made < 0 && errno != EEXIST ? -1 : 0;
}

/* Opens what was made, or what stands there instead, as long as that is no link. */
static int open_made(int dir_fd, const char *name, mode_t type)
{
	return path_try_open(
		dir_fd, name, O_PATH | (type == S_IFDIR ? O_DIRECTORY : 0), PATH_BENEATH);
}

/*
 * Opens the longest part of PATH that exists. RET_REST is what is missing; the
 * caller has found the whole path to be missing already.
 */
static int open_existing_part(
	int root_fd, const char *path, enum path_rule rule, const char **ret_rest)
{
	char prefix[PATH_MAX];
	size_t length = strlen(path);
	int fd;

	do {
		while (length > 0 && path[length - 1] == '/')
			length--;
		while (length > 0 && path[length - 1] != '/')
			length--;
		memcpy(prefix, path, length);
		prefix[length] = '\0';
		fd = path_try_open(root_fd, length ? prefix : ".", O_PATH | O_DIRECTORY, rule);
	} while (fd < 0 && errno == ENOENT && length > 0);
	*ret_rest = path + length;
	return fd;
}

/* Makes what REST names below *DIR_FD, which is replaced by the last directory on the way. */
static int make_components(int *dir_fd, const char *rest, mode_t type, const char *path,
	const struct path_witness *witness, struct error *err)
{
	const char *component;
	char name[NAME_MAX + 1];
	size_t length;
	int fd = -1;

	while ((length = next_component(&rest, &component)) > 0) {
		mode_t wanted = rest[strspn(rest, "/")] ? S_IFDIR : type;
		bool is_new;

		if (length > NAME_MAX)
			return error_set(err, ERROR_SPEC, "'%s' has a name that is too long", path);
		memcpy(name, component, length);
		name[length] = '\0';
		if (make_component(*dir_fd, name, wanted, &is_new) < 0)
			return fail_at_component(*dir_fd, name, path, err);
		if (is_new && path_tell(witness, *dir_fd, name, err) < 0)
			return -1;
		fd = open_made(*dir_fd, name, wanted);
		if (fd < 0)
			return fail_at_component(*dir_fd, name, path, err);
		close_at(dir_fd);
		*dir_fd = fd;
	}
	return 0;
}

static int fail_to_open(const char *path, enum path_rule rule, struct error *err)
{
	if (errno == ELOOP && rule == PATH_NO_LINKS)
		return error_set(err, ERROR_SYSTEM,
			"'%s' has a symbolic link in it, which is not allowed here", path);
	return path_fail_to_open(path, err);
}

int path_make_missing_in_root(int root_fd, const char *path, mode_t type, enum path_rule rule,
	const struct path_witness *witness, struct error *err)
{
	cleanup_fd int fd = -1;
	const char *rest;

	if (strlen(path) >= PATH_MAX)
		return error_set(err, ERROR_SPEC, "'%.64s...' is too long for a path", path);
	fd = open_existing_part(root_fd, path, rule, &rest);
	if (fd < 0)
		return fail_to_open(path, rule, err);
	return make_components(&fd, rest, type, path, witness, err) < 0 ? -1 : take_fd(&fd);
}

/*
 * PATH, whose part before REST exists, and where the link at REST leads: that
 * comes from "/" or from the part before. False when it is no link, and where
 * the new path would be too long.
 */
static bool follow_link(int dir_fd, char path[static PATH_MAX], const char *rest)
{
	char name[NAME_MAX + 1], link[PATH_MAX], next[PATH_MAX];
	const char *component, *end = rest;
	size_t length = next_component(&end, &component);
	ssize_t link_length;
	int written;

	if (length > NAME_MAX)
		return false;
	memcpy(name, component, length);
	name[length] = '\0';
	link_length = readlinkat(dir_fd, name, link, sizeof(link));
	if (link_length < 0)
		return false;
	written = snprintf(next, sizeof(next), "%.*s%.*s%s",
		link[0] == '/' ? 0 : (int)(rest - path), path, (int)link_length, link, end);
	if (written < 0 || (size_t)written >= sizeof(next))
		return false;
	memcpy(path, next, (size_t)written + 1);
	return true;
}

int path_open_existing_part(
	int root_fd, const char *path, char ret_rest[static PATH_MAX], struct error *err)
{
	char current[PATH_MAX];
	const char *rest;

	if (strlen(path) >= PATH_MAX)
		return error_set(err, ERROR_SPEC, "'%.64s...' is too long for a path", path);
	memcpy(current, path, strlen(path) + 1);
	for (int i = 0; i < LINKS_MAX; i++) {
		cleanup_fd int dir = open_existing_part(root_fd, current, PATH_IN_ROOT, &rest);

		if (dir < 0)
			return path_fail_to_open(path, err);
		if (follow_link(dir, current, rest))
			continue;
		memcpy(ret_rest, rest, strlen(rest) + 1);
		return take_fd(&dir);
	}
	errno = ELOOP;
	return path_fail_to_open(path, err);
}

int path_make_below(int dir_fd, const char *rest, mode_t type, const char *path,
	const struct path_witness *witness, struct error *err)
{
	cleanup_fd int fd = dir_fd;

	return make_components(&fd, rest, type, path, witness, err) < 0 ? -1 : take_fd(&fd);
}

int path_make_in_root(int root_fd, const char *path, mode_t type, enum path_rule rule,
	const struct path_witness *witness, struct error *err)
{
	int fd = path_try_open(root_fd, path, O_PATH, rule);

	if (fd >= 0)
		return fd;
	if (errno != ENOENT)
		return fail_to_open(path, rule, err);
	return path_make_missing_in_root(root_fd, path, type, rule, witness, err);
}

int path_make_parent_in_root(int root_fd, const char *path, const struct path_witness *witness,
	char ret_name[static NAME_MAX + 1], struct error *err)
{
	char parent[PATH_MAX];
	size_t end = strlen(path), start;

	while (end > 0 && path[end - 1] == '/')
		end--;
	for (start = end; start > 0 && path[start - 1] != '/';)
		start--;
	if (end == start || end - start > NAME_MAX || start >= sizeof(parent) - 1 ||
		(end - start == 1 && path[start] == '.') ||
		(end - start == 2 && path[start] == '.' && path[start + 1] == '.'))
		return error_set(err, ERROR_SPEC, "'%s' names no file in a directory", path);

	memcpy(ret_name, path + start, end - start);
	ret_name[end - start] = '\0';
	memcpy(parent, path, start);
	memcpy(parent + start, start ? "" : "/", start ? 1 : 2);
	return path_make_in_root(root_fd, parent, S_IFDIR, PATH_IN_ROOT, witness, err);
}

/* The next component that says something: not "", not ".". */
static size_t next_real_component(const char **path, const char **ret_component)
{
	size_t length;

	do {
		length = next_component(path, ret_component);
	} while (length == 1 && (*ret_component)[0] == '.');
	return length;
}

bool path_is_below(const char *path, const char *parent, const char **ret_rest)
{
	const char *wanted, *found;
	size_t length;

	while ((length = next_real_component(&parent, &wanted)) > 0) {
		if (next_real_component(&path, &found) != length || memcmp(found, wanted, length))
			return false;
	}
	if (ret_rest)
		*ret_rest = path + strspn(path, "/");
	return true;
}

int path_clean(const char *path, char ret_path[static PATH_MAX])
{
	const char *name;
	size_t end = 0, length;

	if (strlen(path) >= PATH_MAX - 1) {
		errno = ENAMETOOLONG;
		return -1;
	}
	while ((length = next_real_component(&path, &name)) > 0) {
		if (length == 2 && !memcmp(name, "..", 2)) {
			while (end > 0 && ret_path[--end] != '/')
				;
			continue;
		}
		ret_path[end++] = '/';
		memcpy(ret_path + end, name, length);
		end += length;
	}
	if (end == 0)
		ret_path[end++] = '/';
	ret_path[end] = '\0';
	return 0;
}
