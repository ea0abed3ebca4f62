/* SPDX-License-Identifier: Apache-2.0 */
#include "libspec/spec.h"

#include "libspec/json_reader.h"
#include "libspec/spec_forms.h"
#include "libspec/spec_version.h"

static const char *check_annotation(const char *key)
{
	return *key ? NULL : "an annotation needs a name";
}

static const struct json_field root_fields[] = {
	FIELD_STRING(
		"path", struct spec_root, path, .is_required = true, .check = spec_forms_not_empty),
	FIELD_BOOL("readonly", struct spec_root, readonly),
	FIELD_END,
};

static const struct json_table root_table = {
	.fields = root_fields,
	.size = sizeof(struct spec_root),
};

static const struct json_field config_fields[] = {
	FIELD_OBJECT("root", struct spec, root, struct spec_root, &root_table, .is_required = true),
	FIELD_STRING("hostname", struct spec, hostname, .is_empty_absent = true,
		.check = spec_forms_uts_name),
	FIELD_STRING("domainname", struct spec, domainname, .is_empty_absent = true,
		.check = spec_forms_uts_name),
	FIELD_MAP("annotations", struct spec, annotations, .check = check_annotation),
	FIELD_OBJECTS(
		"mounts", struct spec, mounts, n_mounts, struct spec_mount, &spec_mount_table),
	FIELD_OBJECT_POINTER(
		"process", struct spec, process, struct spec_process, &spec_process_table),
	FIELD_OBJECT("hooks", struct spec, hooks, struct spec_hooks, &spec_hooks_table),
	FIELD_OBJECT("linux", struct spec, platform, struct spec_linux, &spec_linux_table),
	FIELD_END,
};

const struct json_table spec_table = {
	.fields = config_fields,
	.size = sizeof(struct spec),
};

static int finish_version(struct json_reader *reader, json_t *node, void *object)
{
	const struct spec *spec = object;

	(void)node;
	if (!spec_version_is_known(spec->oci_version))
		return json_reader_fail_at(reader, "ociVersion",
			"this build takes 1.x, written as in '1.3.0'; not '%.64s'",
			spec->oci_version);
	return 0;
}

/* Read first: another version may mean something else by all that follows. */
static const struct json_field version_fields[] = {
	FIELD_STRING("ociVersion", struct spec, oci_version, .is_required = true),
	FIELD_END,
};

const struct json_table spec_version_table = {
	.fields = version_fields,
	.size = sizeof(struct spec),
	.finish = finish_version,
};

const struct spec_namespace *spec_find_namespace(const struct spec *spec, unsigned flag)
{
	for (size_t i = 0; i < spec->platform.n_namespaces; i++)
		if (spec->platform.namespaces[i].flag == flag)
			return &spec->platform.namespaces[i];
	return NULL;
}
