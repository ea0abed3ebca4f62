/* SPDX-License-Identifier: Apache-2.0 */
#include "libcontainer/kernel/cgroup_entry.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>

#include "base/cleanup.h"

static int set_entry(
	struct cgroup *cgroup, struct cgroup_place *place, const char *path, struct error *err)
{
	place->entry = arena_copy(&cgroup->arena, path);
	if (!place->entry) {
		place->entry = "";
		errno = ENOMEM;
		return error_set_errno(err, "choose a cgroup");
	}
	close_at(&place->entry_fd);
	place->entry_fd = -1;
	return 0;
}

static int choose(
	struct cgroup *cgroup, const char *controllers, const char *path, struct error *err)
{
	char whole[CGROUP_PATH_MAX] = "";
	bool is_found = false;

	if (cgroup_layout_append(whole, path, err) < 0)
		return -1;
	for (size_t i = 0; i < cgroup->n_places; i++) {
		struct cgroup_place *place = &cgroup->places[i];

		if (controllers && !cgroup_layout_has_controller(place, controllers))
			continue;
		if (set_entry(cgroup, place, whole, err) < 0)
			return -1;
		is_found = true;
	}
	if (!is_found)
		return error_set(err, ERROR_USAGE, "no cgroup hierarchy has the controller '%s'",
			controllers ?: "");
	return 0;
}

int cgroup_entry_choose(struct cgroup *cgroup, const char *word, struct error *err)
{
	const char *colon = strchr(word, ':');
	char controllers[NAME_MAX + 1];

	if (!colon)
		return choose(cgroup, NULL, word, err);
	if ((size_t)(colon - word) >= sizeof(controllers))
		return error_set(err, ERROR_USAGE, "cgroup '%.64s...': too many controllers", word);
	snprintf(controllers, sizeof(controllers), "%.*s", (int)(colon - word), word);
	return choose(cgroup, controllers[0] ? controllers : NULL, colon + 1, err);
}

int cgroup_entry_follow(struct cgroup *cgroup, pid_t pid, struct error *err)
{
	cleanup_text struct text groups = { 0 };
	struct cgroup_place *place = cgroup_layout_find_v2(cgroup);
	char path[CGROUP_PATH_MAX];
	const char *below;

	if (!place)
		return 0;
	if (cgroup_layout_read_proc(pid, &groups, err) < 0 ||
		cgroup_layout_find_path(place, groups.data ?: "", path, err) < 0)
		return -1;
	/* The mount may show only a part of the hierarchy: the group's path is at the end then. */
	below = strstr(path, place->path);
	if (!below || below[strlen(place->path)] != '/')
		return error_set(err, ERROR_STATE, "process %d is not below cgroup '%s'", (int)pid,
			place->path);
	return set_entry(cgroup, place, below + strlen(place->path), err);
}
