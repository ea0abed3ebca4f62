/* SPDX-License-Identifier: Apache-2.0 */
#include "libcontainer/kernel/mount_explain.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>

#include "base/file.h"
#include "base/number.h"

#define MOUNTINFO_MAX (32U << 20)

/* As many names as a hint has room for. */
#define NAMES_MAX 160

/* Appends the mount point in LINE, a line of mountinfo, if it is below PREFIX. */
static void append_if_below(
	const char *line, const char *prefix, char names[static NAMES_MAX], size_t *used)
{
	const char *point = line;
	size_t length;

	for (int field = 0; point && field < 4; field++) {
		point = strchr(point, ' ');
		point = point ? point + 1 : NULL;
	}
	if (!point || strncmp(point, prefix, strlen(prefix)))
		return;
	length = strcspn(point, " \n");
	if (*used + length + 2 < NAMES_MAX)
		*used += (size_t)snprintf(names + *used, NAMES_MAX - *used, "%s%.*s",
			*used ? " " : "", (int)length, point);
}

void mount_explain_revealing(const char *type, struct error *err)
{
	bool is_proc = !strcmp(type, "proc");
	cleanup_text struct text info = { 0 };
	struct error ignored = { 0 };
	char names[NAMES_MAX] = "";
	size_t used = 0;

	if (file_read_at(AT_FDCWD, "/proc/self/mountinfo", MOUNTINFO_MAX, &info, &ignored) < 0)
		return;
	for (const char *line = info.data; line && *line;) {
		append_if_below(line, is_proc ? "/proc/" : "/sys/", names, &used);
		line = strchr(line, '\n');
		line = line ? line + 1 : NULL;
	}
	if (used && is_proc) {
		error_hint(err,
			"a new proc would show what is covered here (mount too revealing): %s",
			names);
	} else if (is_proc) {
		error_hint(err,
			"a user namespace can mount proc only with a PID namespace of its own");
	} else {
		error_hint(err,
			"a user namespace can mount sysfs only with a network namespace of its own; a bind "
			"of the host's /sys can take its place");
	}
}

static bool is_mapped(uint32_t id, const struct spec_id_mappings *mappings)
{
	for (size_t i = 0; i < mappings->count; i++) {
		const struct spec_id_mapping *range = &mappings->items[i];

		if (id >= range->container_id && id - range->container_id < range->size)
			return true;
	}
	return false;
}

void mount_explain_ids(
	const struct spec_mount *mount, const struct spec_linux *platform, struct error *err)
{
	const struct {
		const char *key;
		const char *member;
		const struct spec_id_mappings *mappings;
	} kinds[] = {
		{ "uid=", "uidMappings", &platform->uid_mappings },
		{ "gid=", "gidMappings", &platform->gid_mappings },
	};

	for (size_t i = 0; i < mount->parsed.data.count; i++) {
		const char *word = mount->parsed.data.items[i];

		for (size_t k = 0; k < array_size(kinds); k++) {
			uint32_t id;

			if (!strncmp(word, kinds[k].key, strlen(kinds[k].key)) &&
				kinds[k].mappings->count > 0 &&
				number_parse_u32(word + strlen(kinds[k].key), &id) == 0 &&
				!is_mapped(id, kinds[k].mappings))
				error_hint(err, "option '%s': the ID is not in /linux/%s", word,
					kinds[k].member);
		}
	}
}
