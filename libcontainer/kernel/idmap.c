/* SPDX-License-Identifier: Apache-2.0 */
#include "libcontainer/kernel/idmap.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/file.h"
#include "base/quote.h"
#include "base/spawn.h"
#include "base/text.h"

/* 340 lines of three numbers in columns of 10. */
#define MAP_READ_MAX (IDMAP_RANGES_MAX * 64)

/* A write to a map file must be shorter than a page (user_namespaces(7)). */
#define MAP_TEXT_MAX 4095

/* newuidmap(1) reads /etc/subuid, perhaps by a name service: that may be slow. */
#define HELPER_TIMEOUT_MS 30000

/* What is different between the two maps. */
struct kind {
	const char *file;
	const char *member;
	const char *const *helpers; /* no PATH is searched for what is setuid root */
};

static const char *const uid_helpers[] = { "/usr/bin/newuidmap", "/bin/newuidmap",
	"/usr/local/bin/newuidmap", "/run/wrappers/bin/newuidmap", NULL };
static const char *const gid_helpers[] = { "/usr/bin/newgidmap", "/bin/newgidmap",
	"/usr/local/bin/newgidmap", "/run/wrappers/bin/newgidmap", NULL };

static const struct kind uid_kind = { "uid_map", "uidMappings", uid_helpers };
static const struct kind gid_kind = { "gid_map", "gidMappings", gid_helpers };

static int write_text(const struct spec_id_mappings *ids, struct text *ret_text, struct error *err)
{
	if (ids->count > IDMAP_RANGES_MAX)
		return error_set(err, ERROR_SPEC, "%zu ranges are more than the kernel's %d",
			ids->count, IDMAP_RANGES_MAX);
	for (size_t i = 0; i < ids->count; i++)
		text_appendf(ret_text, "%" PRIu32 " %" PRIu32 " %" PRIu32 "\n",
			ids->items[i].container_id, ids->items[i].host_id, ids->items[i].size);
	if (text_check(ret_text, err) < 0)
		return -1;
	if (ret_text->length > MAP_TEXT_MAX)
		return error_set(err, ERROR_SPEC,
			"%zu ranges take %zu characters, more than the kernel's %d", ids->count,
			ret_text->length, MAP_TEXT_MAX);
	return 0;
}

static int write_file(pid_t pid, const char *file, const char *value, struct error *err)
{
	char path[48];

	snprintf(path, sizeof(path), "/proc/%d/%s", (int)pid, file);
	return file_write_at(AT_FDCWD, path, value, err);
}

/* The path of the first helper that is there, or NULL. */
static const char *find_helper(const struct kind *kind)
{
	for (size_t i = 0; kind->helpers[i]; i++)
		if (access(kind->helpers[i], X_OK) == 0)
			return kind->helpers[i];
	return NULL;
}

/* Turns "0 1000 1\n..." into the words that the helper wants, in place. */
static void split(char *text, const char **words, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		words[i] = text;
		text += strcspn(text, " \n");
		*text++ = '\0';
	}
}

static int fail_helper(const char *helper, const struct spawn_result *result, struct error *err)
{
	cleanup_text struct text line = { 0 };

	if (result->has_timed_out)
		return error_set(err, ERROR_SYSTEM, "'%s' did not end in time", helper);
	if (result->signal)
		return error_set(
			err, ERROR_SYSTEM, "'%s' was ended by signal %d", helper, result->signal);
	quote_append(&line, result->output, strcspn(result->output, "\n"));
	error_set(err, ERROR_SYSTEM, "'%s' exited with status %d: %s", helper, result->exit_status,
		line.data ?: "");
	return error_hint(err, "the ranges must be the user's own in /etc/subuid and /etc/subgid");
}

static int run_helper(const struct kind *kind, pid_t pid, struct text *map,
	const struct spec_id_mappings *ids, struct error *err)
{
	const char *argv[2 + 3 * IDMAP_RANGES_MAX + 1];
	const char *helper = find_helper(kind);
	struct spawn_result result;
	char number[16];

	if (!helper) {
		error_set(err, ERROR_UNSUPPORTED,
			"mapping these IDs without privilege takes %s(1), which is not installed",
			strrchr(kind->helpers[0], '/') + 1);
		return error_hint(err, "it is in the package uidmap or shadow-utils");
	}
	snprintf(number, sizeof(number), "%d", (int)pid);
	argv[0] = helper;
	argv[1] = number;
	split(map->data, argv + 2, 3 * ids->count);
	argv[2 + 3 * ids->count] = NULL;
	if (spawn_run(&(struct spawn_request){ .path = helper,
			      .argv = argv,
			      .umask = 022,
			      .timeout_ms = HELPER_TIMEOUT_MS },
		    &result, err) < 0)
		return -1;
	if (result.has_timed_out || result.signal || result.exit_status != 0)
		return fail_helper(helper, &result, err);
	return 0;
}

static bool is_own_gid_alone(const struct spec_id_mappings *gids)
{
	return gids->count == 1 && gids->items[0].size == 1 && gids->items[0].host_id == getegid();
}

static int explain(const struct error *cause, struct error *err)
{
	*err = *cause;
	if (cause->sys_errno == EINVAL)
		error_hint(err, "ranges must not be empty or overlap, and IDs from outside must "
				"exist in the runtime's own user namespace");
	else if (cause->sys_errno == EPERM)
		error_hint(err, "each range must lie within one range of the runtime's own user "
				"namespace (/proc/self/uid_map)");
	return -1;
}

static int write_map(
	const struct kind *kind, pid_t pid, const struct spec_id_mappings *ids, struct error *err)
{
	cleanup_text struct text map = { 0 };
	struct error cause = { 0 };

	if (ids->count == 0)
		return 0;
	if (write_text(ids, &map, err) < 0)
		return -1;
	if (write_file(pid, kind->file, map.data, &cause) == 0)
		return 0;
	if (cause.sys_errno != EPERM || geteuid() == 0)
		return explain(&cause, err);
	if (kind == &gid_kind && is_own_gid_alone(ids)) {
		/* Who could leave a group could get at what the group is kept from. */
		if (write_file(pid, "setgroups", "deny", err) < 0)
			return -1;
		return write_file(pid, kind->file, map.data, err);
	}
	return run_helper(kind, pid, &map, ids, err);
}

int idmap_write(pid_t pid, const struct spec_id_mappings *uids, const struct spec_id_mappings *gids,
	const char *pointer, struct error *err)
{
	if (write_map(&gid_kind, pid, gids, err) < 0)
		return error_point(err, "%s/%s", pointer, gid_kind.member);
	if (write_map(&uid_kind, pid, uids, err) < 0)
		return error_point(err, "%s/%s", pointer, uid_kind.member);
	return 0;
}

int idmap_find_outer(pid_t pid, uid_t uid, uid_t *ret_uid, struct error *err)
{
	cleanup_text struct text map = { 0 };
	uint32_t inside, outside, size;
	char path[48];
	int used;

	snprintf(path, sizeof(path), "/proc/%d/uid_map", (int)pid);
	if (file_read_at(AT_FDCWD, path, MAP_READ_MAX, &map, err) < 0)
		return -1;
	for (const char *line = map.data ?: ""; sscanf(line, "%" SCNu32 "%" SCNu32 "%" SCNu32 "%n",
							&inside, &outside, &size, &used) == 3;
		line += used) {
		if (uid < inside || uid - inside >= size)
			continue;
		*ret_uid = outside + (uid - inside);
		return 0;
	}
	return error_set(err, ERROR_SPEC, "user %" PRIu32 " is not mapped", uid);
}
