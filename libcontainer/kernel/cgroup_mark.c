/* SPDX-License-Identifier: Apache-2.0 */
#include "libcontainer/kernel/cgroup_mark.h"

#include <string.h>
#include <sys/xattr.h>

#include "libcontainer/kernel/cgroup_place.h"

#define ATTRIBUTE "trusted.kogg.owner"

/* Where the container's processes are looked up and killed; false: it has no group. */
static bool find_path(struct cgroup *cgroup, char ret_path[static CGROUP_FULL_PATH_MAX])
{
	const struct cgroup_place *place = cgroup_layout_main(cgroup);

	if (place)
		cgroup_place_full_path(place, 0, ret_path);
	return place;
}

void cgroup_mark_set(struct cgroup *cgroup, const char *owner)
{
	char path[CGROUP_FULL_PATH_MAX];
	size_t length = strlen(owner);

	if (length <= CGROUP_MARK_MAX && find_path(cgroup, path))
		(void)!setxattr(path, ATTRIBUTE, owner, length, 0);
}

bool cgroup_mark_is_foreign(struct cgroup *cgroup, const char *owner)
{
	char path[CGROUP_FULL_PATH_MAX], found[CGROUP_MARK_MAX];
	ssize_t n = find_path(cgroup, path) ? getxattr(path, ATTRIBUTE, found, sizeof(found)) : -1;

	return n > 0 && ((size_t)n != strlen(owner) || memcmp(found, owner, (size_t)n) != 0);
}
