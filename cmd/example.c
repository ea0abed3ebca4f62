/* SPDX-License-Identifier: Apache-2.0 */
#include "cmd/example.h"

#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "cmd/config_example.h" /* made by meson.build */
#include "libspec/json_dump.h"

static int add_namespace(json_t *linux_part, const char *type)
{
	json_t *namespaces = json_object_get(linux_part, "namespaces");

	return json_array_append_new(namespaces, json_pack("{s:s}", "type", type));
}

static void remove_namespace(json_t *linux_part, const char *type)
{
	json_t *namespaces = json_object_get(linux_part, "namespaces"), *entry;
	size_t i;

	json_array_foreach (namespaces, i, entry) {
		if (strcmp(json_string_value(json_object_get(entry, "type")), type) == 0) {
			json_array_remove(namespaces, i);
			return;
		}
	}
}

static bool has_prefix(const json_t *string, const char *prefix)
{
	return strncmp(json_string_value(string), prefix, strlen(prefix)) == 0;
}

/* IDs other than the caller's do not exist in his user namespace. */
static void remove_id_options(json_t *mount)
{
	json_t *options = json_object_get(mount, "options");

	for (size_t i = json_array_size(options); i > 0; i--) {
		const json_t *option = json_array_get(options, i - 1);

		if (has_prefix(option, "gid=") || has_prefix(option, "uid="))
			json_array_remove(options, i - 1);
	}
}

/*
 * sysfs can only be mounted by who owns the network namespace, and that is the
 * host's here (user_namespaces(7)): bind it instead.
 */
static int fit_mounts(json_t *config)
{
	json_t *mounts = json_object_get(config, "mounts");

	for (size_t i = json_array_size(mounts); i > 0; i--) {
		json_t *mount = json_array_get(mounts, i - 1);

		remove_id_options(mount);
		if (has_prefix(json_object_get(mount, "destination"), "/sys"))
			json_array_remove(mounts, i - 1);
	}
	return json_array_append_new(mounts,
		json_pack("{s:s, s:s, s:s, s:[s,s,s,s,s]}", "destination", "/sys", "type", "none",
			"source", "/sys", "options", "rbind", "nosuid", "noexec", "nodev", "ro"));
}

static int map_id(json_t *linux_part, const char *member, json_int_t id)
{
	return json_object_set_new(linux_part, member,
		json_pack("[{s:i, s:I, s:i}]", "containerID", 0, "hostID", id, "size", 1));
}

static int make_rootless(json_t *config, const struct example_request *request)
{
	json_t *linux_part = json_object_get(config, "linux");

	remove_namespace(linux_part, "network");
	json_object_del(linux_part, "resources");
	if (add_namespace(linux_part, "user") < 0 ||
		map_id(linux_part, "uidMappings", request->uid) < 0 ||
		map_id(linux_part, "gidMappings", request->gid) < 0)
		return -1;
	return fit_mounts(config);
}

static int fit(json_t *config, const struct example_request *request)
{
	if (request->is_rootless && make_rootless(config, request) < 0)
		return -1;
	if (request->has_cgroup_namespace)
		return add_namespace(json_object_get(config, "linux"), "cgroup");
	return 0;
}

/* One tab a level, which jansson can't write, from the one blank it can. */
static void append_with_tabs(const char *json, struct text *ret_text)
{
	while (json[0]) {
		size_t depth = strspn(json, " "), length = strcspn(json + depth, "\n");

		for (size_t i = 0; i < depth; i++)
			text_append(ret_text, "\t");
		json += depth;
		text_append_bytes(ret_text, json, length);
		text_append(ret_text, "\n");
		json += length + (json[length] == '\n');
	}
}

int example_write(const struct example_request *request, struct text *ret_text, struct error *err)
{
	json_t *config = json_loadb(config_example, sizeof(config_example), 0, NULL);
	cleanup_text struct text json = { 0 };

	if (config && fit(config, request) < 0) {
		json_decref(config);
		config = NULL;
	}
	if (json_dump_text(config, JSON_INDENT(1), &json, err) < 0)
		return -1;
	append_with_tabs(json.data, ret_text);
	return text_check(ret_text, err);
}
