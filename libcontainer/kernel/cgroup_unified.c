/* SPDX-License-Identifier: Apache-2.0 */
#include "libcontainer/kernel/cgroup_unified.h"

#include <stdio.h>
#include <string.h>

static int check_key(const struct spec_resources *resources, const char *key, struct error *err)
{
	if (key[0] && key[0] != '.' && !strchr(key, '/'))
		return 0;
	error_set(err, ERROR_SPEC, "'%s' is not the name of a cgroup file", key);
	return error_point(err, "%s/unified", resources->pointer);
}

/* Each line is a command of its own to the kernel. An empty value is one empty line. */
static void collect_lines(const struct spec_pair *pair, struct cgroup_batch *batch)
{
	const char *member = cgroup_batch_join(batch, "/unified", pair->key);
	const char *line = pair->value;

	do {
		int length = (int)strcspn(line, "\n");

		if (length || !pair->value[0])
			cgroup_batch_add(batch,
				&(struct cgroup_write){ .member = member,
					.file = pair->key,
					.value = cgroup_batch_format(batch, "%.*s\n", length, line),
					.hint = "the kernel does not know it, or its controller is "
						"a cgroup v1 one here" });
		line += length + (line[length] == '\n');
	} while (*line);
}

int cgroup_unified_collect(
	const struct spec_resources *resources, struct cgroup_batch *batch, struct error *err)
{
	const struct spec_map *unified = &resources->unified;

	for (size_t i = 0; i < unified->count; i++) {
		if (check_key(resources, unified->items[i].key, err) < 0)
			return -1;
		if (strcmp(unified->items[i].key, "memory.max") != 0)
			collect_lines(&unified->items[i], batch);
	}
	for (size_t i = 0; i < unified->count; i++)
		if (strcmp(unified->items[i].key, "memory.max") == 0)
			collect_lines(&unified->items[i], batch);
	return 0;
}

int cgroup_unified_want(
	const char *file, const char *pointer, struct cgroup_wants *wants, struct error *err)
{
	size_t length = strcspn(file, ".");
	struct cgroup_want *want = &wants->items[wants->count];

	if (length == strlen("cgroup") && memcmp(file, "cgroup", length) == 0)
		return 0;
	for (size_t i = 0; i < wants->count; i++)
		if (strlen(wants->items[i].controller) == length &&
			memcmp(wants->items[i].controller, file, length) == 0)
			return 0;
	if (length == 0 || length >= sizeof(want->controller) || wants->count == CGROUP_WANTS_MAX) {
		error_set(err, ERROR_SPEC, "'%s' belongs to no controller", file);
		return error_point(err, "%s", pointer);
	}
	memcpy(want->controller, file, length);
	want->controller[length] = '\0';
	snprintf(want->pointer, sizeof(want->pointer), "%s", pointer);
	wants->count++;
	return 0;
}
