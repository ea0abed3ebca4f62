/* SPDX-License-Identifier: Apache-2.0 */
#include "libcontainer/neighbours.h"

#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "base/cleanup.h"
#include "libcontainer/container.h"
#include "libcontainer/kernel/cgroup_mark.h"

/*
 * By the state directory, which no other container has as long as it is there,
 * whatever --root that is of; what the file in it says may be damaged.
 */
static bool name_owner(const struct state_dir *dir, char ret_owner[static CGROUP_MARK_MAX])
{
	struct stat st;

	if (fstat(dir->fd, &st) < 0)
		return false;
	snprintf(ret_owner, CGROUP_MARK_MAX, "%llx %llx", (unsigned long long)st.st_dev,
		(unsigned long long)st.st_ino);
	return true;
}

void neighbours_mark(const struct state_dir *dir, struct cgroup *cgroup)
{
	char owner[CGROUP_MARK_MAX];

	if (name_owner(dir, owner))
		cgroup_mark_set(cgroup, owner);
}

static int check_mark(const struct handle *handle, struct error *err)
{
	char owner[CGROUP_MARK_MAX];

	if (!name_owner(&handle->dir, owner) || !cgroup_mark_is_foreign(handle->file.cgroup, owner))
		return 0;
	return error_set(err, ERROR_STATE,
		"container '%s' has stopped, and a container of another root is in its cgroup",
		handle->dir.id);
}

static int check_one(const struct handle *handle, const struct handle *other, struct error *err)
{
	bool is_alive = other->pidfd >= 0 || other->status == STATE_CREATING;

	if (!is_alive || !strcmp(handle->dir.id, other->dir.id) || !other->file.cgroup ||
		!cgroup_holds(handle->file.cgroup, other->file.cgroup))
		return 0;
	return error_set(err, ERROR_STATE,
		"container '%s' has stopped, and container '%s' is in its cgroup", handle->dir.id,
		other->dir.id);
}

int neighbours_check(const struct handle *handle, const struct runtime *runtime, struct error *err)
{
	cleanup_free pid_t *pids = NULL;
	size_t count;
	char **ids;
	int result = 0;

	if (cgroup_pids(handle->file.cgroup, &pids, &count, err) < 0)
		return -1;
	if (!count)
		return 0;
	if (container_list(runtime, &ids, err) < 0)
		return -1;
	for (char **id = ids; *id && result == 0; id++) {
		cleanup_handle struct handle other = HANDLE_CLOSED;

		/* One that can't be read, or is gone already, says nothing. */
		if (handle_open(&other, runtime, *id, &(struct error){ 0 }) == 0)
			result = check_one(handle, &other, err);
	}
	container_list_free(ids);
	return result < 0 ? -1 : check_mark(handle, err);
}
