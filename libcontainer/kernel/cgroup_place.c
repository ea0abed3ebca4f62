/* SPDX-License-Identifier: Apache-2.0 */
#include "libcontainer/kernel/cgroup_place.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

void cgroup_place_full_path(
	const struct cgroup_place *place, unsigned up, char ret_path[static CGROUP_FULL_PATH_MAX])
{
	size_t mount = strlen(place->mount);
	char *slash;

	snprintf(ret_path, CGROUP_FULL_PATH_MAX, "%s%s", place->mount, place->path);
	for (; up > 0 && (slash = strrchr(ret_path + mount, '/')); up--)
		*slash = '\0';
}

unsigned cgroup_place_depth(const struct cgroup_place *place)
{
	unsigned depth = 0;

	for (const char *at = place->path; *at; at++)
		depth += *at == '/' && at[1];
	return depth;
}

int cgroup_place_open(struct cgroup_place *place, struct error *err)
{
	char path[CGROUP_FULL_PATH_MAX];

	if (place->dir_fd >= 0)
		return place->dir_fd;
	cgroup_place_full_path(place, 0, path);
	place->dir_fd = open(path, O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (place->dir_fd < 0)
		return error_set_call(err, "open cgroup", path);
	return place->dir_fd;
}

bool cgroup_place_exists(const struct cgroup_place *place)
{
	char path[CGROUP_FULL_PATH_MAX];

	cgroup_place_full_path(place, 0, path);
	return access(path, F_OK) == 0;
}

static const char *hint_for(int sys_errno)
{
	switch (sys_errno) {
	case EACCES:
	case EPERM:
		return "choose a cgroupsPath in a subtree that is delegated to this user, or turn "
		       "cgroups off with --cgroup-manager disabled";
	case EROFS:
		return "mount the cgroup file system read-write, or turn cgroups off with "
		       "--cgroup-manager disabled";
	case EAGAIN:
		return "an ancestor's cgroup.max.descendants or cgroup.max.depth is reached";
	case ENOSPC:
		return "the hierarchy has no room for another group: are removed ones still held "
		       "by memory that was charged to them?";
	default:
		return NULL;
	}
}

static int explain_failure(const char *path, struct error *err)
{
	int sys_errno = errno;
	const char *hint = hint_for(sys_errno);
	bool is_forbidden = sys_errno == EACCES || sys_errno == EPERM || sys_errno == EROFS;

	error_set_call(err, "make cgroup", path);
	if (is_forbidden)
		err->kind = ERROR_UNSUPPORTED;
	return hint ? error_hint(err, "%s", hint) : -1;
}

/* How many components at the end of the path are not there. */
static unsigned count_missing(const struct cgroup_place *place)
{
	char path[CGROUP_FULL_PATH_MAX];
	size_t mount = strlen(place->mount);
	unsigned missing = 0;

	cgroup_place_full_path(place, 0, path);
	for (; strlen(path) > mount && access(path, F_OK) < 0; missing++)
		*strrchr(path, '/') = '\0';
	return missing;
}

/* Removes COUNT groups, the lowest of which is UP components above the container's. */
static void unmake(const struct cgroup_place *place, unsigned up, unsigned count)
{
	char path[CGROUP_FULL_PATH_MAX];

	for (unsigned i = 0; i < count; i++) {
		cgroup_place_full_path(place, up + i, path);
		rmdir(path);
	}
}

/* Programs of all users look into their group: the caller's umask is not for it. */
static int make_level(const char *path)
{
	mode_t mask = umask(0);
	int result = mkdir(path, 0755);

	umask(mask);
	return result;
}

/* A path may go on into the files of a group. */
static bool is_file(const char *path)
{
	struct stat st;

	return stat(path, &st) == 0 && !S_ISDIR(st.st_mode);
}

static int explain_file(const char *path, struct error *err)
{
	error_set(err, ERROR_SPEC, "make cgroup '%s': a file of its parent's has that name", path);
	err->sys_errno = ENOTDIR;
	return -1;
}

/* Makes the last COUNT components. */
static int make_levels(struct cgroup_place *place, unsigned count, struct error *err)
{
	char path[CGROUP_FULL_PATH_MAX];
	unsigned made = 0;

	for (unsigned up = count; up-- > 0;) {
		cgroup_place_full_path(place, up, path);
		if (make_level(path) == 0) {
			made++;
		} else if (errno != EEXIST || is_file(path)) {
			if (errno == EEXIST)
				explain_file(path, err);
			else
				explain_failure(path, err);
			unmake(place, up + 1, made);
			return -1;
		} else {
			/* Somebody else's by now, and so are those above it. */
			made = 0;
		}
	}
	place->made = made;
	place->is_new = made > 0;
	return 0;
}

/* Another container's delete may remove a parent under our feet. */
#define PARENT_RETRIES 16

int cgroup_place_make(struct cgroup_place *place, struct error *err)
{
	unsigned count = place->made;

	for (int i = 0; i < PARENT_RETRIES; i++) {
		struct error failure = { 0 };

		if (make_levels(place, count, &failure) == 0)
			return 0;
		if (failure.sys_errno != ENOENT || i + 1 == PARENT_RETRIES) {
			*err = failure;
			return -1;
		}
		count = count_missing(place);
	}
	return -1;
}

void cgroup_place_remove_parents(const struct cgroup_place *place)
{
	char path[CGROUP_FULL_PATH_MAX];

	for (unsigned up = 1; up < place->made; up++) {
		cgroup_place_full_path(place, up, path);
		/* Others may have moved in: what is in use stays. */
		if (rmdir(path) < 0 && errno != ENOENT)
			return;
	}
}
