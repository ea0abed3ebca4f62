/* SPDX-License-Identifier: Apache-2.0 */
/* Paths as configs, states and errors have them: two of them, each a line of the input. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "libcontainer/kernel/cgroup_layout.h"
#include "libcontainer/kernel/path_in_root.h"
#include "libspec/json_path.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void demand(int is_true)
{
	if (!is_true)
		__builtin_trap();
}

/* Whether PATH has a component "..". */
static bool goes_up(const char *path)
{
	for (const char *at = strstr(path, ".."); at; at = strstr(at + 1, ".."))
		if ((at == path || at[-1] == '/') && (at[2] == '/' || !at[2]))
			return true;
	return false;
}

/* What is appended stays below, and is as it would be written again. */
static void check_cgroup_path(const char *path)
{
	char once[CGROUP_PATH_MAX] = "/base", twice[CGROUP_PATH_MAX] = "";
	struct error err = { 0 };

	if (cgroup_layout_append(once, path, &err) < 0) {
		demand(err.kind != ERROR_NONE);
		return;
	}
	demand(!goes_up(path) && !strncmp(once, "/base", 5) && (once[5] == '/' || !once[5]));
	demand(!strstr(once, "//") && cgroup_layout_append(twice, once, &err) == 0);
	demand(!strcmp(once, twice));
}

static void check_below(const char *path, const char *parent)
{
	const char *rest = NULL;

	if (!path_is_below(path, parent, &rest))
		return;
	demand(rest >= path && rest <= path + strlen(path));
	demand(path_is_below(path, path, NULL));
}

/* A pointer is the same again when it has gone through a path. */
static void check_pointer(const char *text)
{
	char *pointer = strdup(text);
	char first[512], second[512];
	struct json_path path;

	demand(pointer != NULL);
	json_path_parse(pointer, &path);
	json_path_format(&path, first, sizeof(first));
	demand(path.depth <= JSON_DEPTH_MAX && strlen(first) < sizeof(first));
	free(pointer);
	if (strlen(first) + 1 == sizeof(first))
		return; /* cut */
	pointer = strdup(first);
	demand(pointer != NULL);
	json_path_parse(pointer, &path);
	json_path_format(&path, second, sizeof(second));
	demand(!strcmp(first, second));
	free(pointer);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	cleanup_free char *text = malloc(size + 1);
	char *second;

	demand(text != NULL);
	memcpy(text, data, size);
	text[size] = '\0';
	second = strchr(text, '\n');
	if (second)
		*second++ = '\0';
	check_cgroup_path(text);
	check_pointer(text);
	check_below(text, second ? second : "/dev");
	return 0;
}
