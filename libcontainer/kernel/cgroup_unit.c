/* SPDX-License-Identifier: Apache-2.0 */
#include "libcontainer/kernel/cgroup_unit.h"

#include <stdio.h>
#include <string.h>

#define SLICE_SUFFIX ".slice"

/* What systemd allows in names (systemd.unit(5)), but for "\" and "@". */
#define NAME_CHARACTERS "0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ:-_.+"

static int check_name(const char *name, struct error *err)
{
	if (!name[0] || name[strspn(name, NAME_CHARACTERS)])
		return error_set(err, ERROR_SPEC, "'%s' can't be the name of a systemd unit", name);
	return 0;
}

/* Copies LENGTH bytes of TEXT, or of DEFAULT_TEXT when they are none. */
static int copy_part(char ret_part[static CGROUP_UNIT_NAME_SIZE], const char *text, size_t length,
	const char *default_text, struct error *err)
{
	int n = length ? snprintf(ret_part, CGROUP_UNIT_NAME_SIZE, "%.*s", (int)length, text)
		       : snprintf(ret_part, CGROUP_UNIT_NAME_SIZE, "%s", default_text);

	if (n < 0 || n >= CGROUP_UNIT_NAME_SIZE)
		return error_set(err, ERROR_SPEC, "the name of a systemd unit is too long");
	return 0;
}

/* "a-b.slice" lies in "a.slice": each dash is a level (systemd.slice(5)). */
static int expand_slice(const char *slice, char ret_path[static CGROUP_PATH_MAX], struct error *err)
{
	size_t length = strlen(slice), stem = length - strlen(SLICE_SUFFIX), used = 0;

	if (length <= strlen(SLICE_SUFFIX) || strcmp(slice + stem, SLICE_SUFFIX) != 0 ||
		check_name(slice, &(struct error){ 0 }) < 0)
		return error_set(err, ERROR_SPEC, "'%s' is not the name of a systemd slice", slice);
	ret_path[0] = '\0';
	if (strcmp(slice, "-" SLICE_SUFFIX) == 0)
		return 0;
	for (size_t i = 0; i <= stem; i++) {
		if (i < stem && slice[i] != '-')
			continue;
		if (i == 0 || slice[i - 1] == '-')
			return error_set(
				err, ERROR_SPEC, "'%s' is not the name of a systemd slice", slice);
		if (used + i + sizeof("/" SLICE_SUFFIX) > CGROUP_PATH_MAX)
			return error_set(err, ERROR_SPEC, "systemd slice '%s' is too deep", slice);
		used += (size_t)snprintf(ret_path + used, CGROUP_PATH_MAX - used,
			"/%.*s" SLICE_SUFFIX, (int)i, slice);
	}
	return 0;
}

static int make_name(
	const char *prefix, const char *name, struct cgroup_unit *unit, struct error *err)
{
	int n = snprintf(
		unit->name, sizeof(unit->name), "%s%s%s.scope", prefix, prefix[0] ? "-" : "", name);

	if (n < 0 || (size_t)n >= sizeof(unit->name))
		return error_set(err, ERROR_SPEC, "the name of a systemd unit is too long");
	return check_name(unit->name, err);
}

static int parse(const char *path, const char *id, const char *slice_default,
	struct cgroup_unit *unit, struct error *err)
{
	char prefix[CGROUP_UNIT_NAME_SIZE], name[CGROUP_UNIT_NAME_SIZE];
	const char *first = strchr(path, ':'), *second = first ? strchr(first + 1, ':') : NULL;
	size_t used;

	if (!second || strchr(second + 1, ':') || !second[1]) {
		error_set(err, ERROR_SPEC, "'%s' is not of the form slice:prefix:name", path);
		return error_hint(err, "systemd makes the cgroups; without it any path will do");
	}
	if (copy_part(unit->slice, path, (size_t)(first - path), slice_default, err) < 0 ||
		copy_part(prefix, first + 1, (size_t)(second - first - 1), "", err) < 0 ||
		copy_part(name, second + 1, strlen(second + 1), id, err) < 0 ||
		make_name(prefix, name, unit, err) < 0 ||
		expand_slice(unit->slice, unit->path, err) < 0)
		return -1;
	used = strlen(unit->path);
	if (used + strlen(unit->name) + 2 > sizeof(unit->path))
		return error_set(err, ERROR_SPEC, "systemd slice '%s' is too deep", unit->slice);
	snprintf(unit->path + used, sizeof(unit->path) - used, "/%s", unit->name);
	return 0;
}

int cgroup_unit_parse(const char *cgroups_path, const char *id, const char *slice_default,
	struct cgroup_unit *ret_unit, struct error *err)
{
	char path[CGROUP_UNIT_NAME_SIZE + sizeof("::kogg")];
	struct cgroup_unit unit;

	if (!cgroups_path || !cgroups_path[0]) {
		if (strlen(id) >= CGROUP_UNIT_NAME_SIZE)
			return error_set(err, ERROR_SPEC, "the name of a systemd unit is too long");
		snprintf(path, sizeof(path), ":kogg:%s", id);
		cgroups_path = path;
	}
	if (parse(cgroups_path, id, slice_default, &unit, err) < 0)
		return error_point(err, "/linux/cgroupsPath");
	*ret_unit = unit;
	return 0;
}
