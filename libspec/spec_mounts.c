/* SPDX-License-Identifier: Apache-2.0 */
#include "libspec/spec_mounts.h"

#include <string.h>

#include "libspec/json_reader.h"
#include "libspec/spec_forms.h"
#include "libspec/spec_id_mappings.h"

/* MS_BIND is what makes a bind mount; the kernel has no file systems of these names. */
static bool is_no_file_system(const char *type)
{
	return !strcmp(type, "bind") || !strcmp(type, "rbind") || !strcmp(type, "none");
}

static int check_type(struct json_reader *reader, const struct spec_mount *mount)
{
	if (mount->parsed.is_bind || mount->parsed.is_remount)
		return 0;
	if (mount->type && !is_no_file_system(mount->type))
		return 0;
	if (mount_options_look_for_bind(reader, &mount->options) < 0)
		return -1;
	if (!mount->type)
		return json_reader_fail_at(
			reader, "type", "required unless options hold bind or rbind");
	return json_reader_fail_at(reader, "type",
		"'%s' is no file system, options must hold bind or rbind", mount->type);
}

/* config.md, "Mounts": one comes with the other. IDs are mapped before a mount is attached. */
static int check_mappings(struct json_reader *reader, const struct spec_mount *mount)
{
	bool has_uid = mount->uid_mappings.count > 0, has_gid = mount->gid_mappings.count > 0;

	if (has_uid && !has_gid)
		return json_reader_fail_at(reader, "gidMappings", "required with uidMappings");
	if (has_gid && !has_uid)
		return json_reader_fail_at(reader, "uidMappings", "required with gidMappings");
	if (mount->parsed.is_remount && mount->parsed.has_idmap)
		return json_reader_fail_at(reader, has_uid ? "uidMappings" : "options",
			"a remount can't map the IDs of what is mounted already");
	return 0;
}

static int finish_mount(struct json_reader *reader, json_t *node, void *object)
{
	struct spec_mount *mount = object;

	(void)node;
	if (mount_options_read(reader, &mount->options, &mount->parsed) < 0)
		return -1;
	/* With mappings the word says no more than whether they go for all mounts below. */
	if (mount->uid_mappings.count > 0)
		mount->parsed.has_idmap = true;
	if (check_type(reader, mount) < 0 || check_mappings(reader, mount) < 0)
		return -1;
	if (mount->parsed.is_bind && !mount->parsed.is_remount && !mount->source)
		return json_reader_fail_at(reader, "source", "required for a bind mount");
	/* Deprecated but legal: it counts from "/". */
	if (mount->destination[0] != '/')
		json_reader_warn_at(reader, "destination", "'%s' is not absolute and counts from /",
			mount->destination);
	return 0;
}

static const struct json_field mount_fields[] = {
	FIELD_STRING("destination", struct spec_mount, destination, .is_required = true,
		.check = spec_forms_not_empty),
	FIELD_STRING("type", struct spec_mount, type, .is_empty_absent = true),
	FIELD_STRING("source", struct spec_mount, source, .is_empty_absent = true),
	FIELD_STRINGS("options", struct spec_mount, options),
	FIELD_OBJECTS("uidMappings", struct spec_mount, uid_mappings.items, uid_mappings.count,
		struct spec_id_mapping, &spec_id_mappings_table),
	FIELD_OBJECTS("gidMappings", struct spec_mount, gid_mappings.items, gid_mappings.count,
		struct spec_id_mapping, &spec_id_mappings_table),
	FIELD_END,
};

const struct json_table spec_mount_table = {
	.fields = mount_fields,
	.size = sizeof(struct spec_mount),
	.finish = finish_mount,
};
