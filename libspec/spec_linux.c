/* SPDX-License-Identifier: Apache-2.0 */
#include "libspec/spec_linux.h"

#include <linux/mempolicy.h>
#include <sched.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/personality.h>
#include <sys/stat.h>

#include "libspec/json_reader.h"
#include "libspec/spec_forms.h"
#include "libspec/spec_id_mappings.h"

#define NANOSECONDS_MAX 999999999
#define MAJOR_MAX       0xfff /* 12 bits, include/linux/kdev_t.h */
#define MINOR_MAX       0xfffff
#define FILE_MODE_MAX   0777

/* Not in glibc 2.36's <sched.h> before _GNU_SOURCE of 2.37; Linux 5.6. */
#ifndef CLONE_NEWTIME
#	define CLONE_NEWTIME 0x00000080
#endif

/* Linux 6.9 */
#define MPOL_WEIGHTED_INTERLEAVE_VALUE 6

const struct spec_word spec_namespace_words[] = {
	{ "pid", CLONE_NEWPID },
	{ "network", CLONE_NEWNET },
	{ "mount", CLONE_NEWNS },
	{ "ipc", CLONE_NEWIPC },
	{ "uts", CLONE_NEWUTS },
	{ "user", CLONE_NEWUSER },
	{ "cgroup", CLONE_NEWCGROUP },
	{ "time", CLONE_NEWTIME },
	{ NULL, 0 },
};

/* The recursive forms are not in the text, yet engines write them and peers take them. */
const struct spec_word spec_propagation_words[] = {
	{ "shared", MS_SHARED },
	{ "slave", MS_SLAVE },
	{ "private", MS_PRIVATE },
	{ "unbindable", MS_UNBINDABLE },
	{ "rshared", MS_SHARED | MS_REC },
	{ "rslave", MS_SLAVE | MS_REC },
	{ "rprivate", MS_PRIVATE | MS_REC },
	{ "runbindable", MS_UNBINDABLE | MS_REC },
	{ NULL, 0 },
};

const struct spec_word spec_memory_policy_mode_words[] = {
	{ "MPOL_DEFAULT", MPOL_DEFAULT },
	{ "MPOL_PREFERRED", MPOL_PREFERRED },
	{ "MPOL_BIND", MPOL_BIND },
	{ "MPOL_INTERLEAVE", MPOL_INTERLEAVE },
	{ "MPOL_LOCAL", MPOL_LOCAL },
	{ "MPOL_PREFERRED_MANY", MPOL_PREFERRED_MANY },
	{ "MPOL_WEIGHTED_INTERLEAVE", MPOL_WEIGHTED_INTERLEAVE_VALUE },
	{ NULL, 0 },
};

const struct spec_word spec_memory_policy_flag_words[] = {
	{ "MPOL_F_NUMA_BALANCING", MPOL_F_NUMA_BALANCING },
	{ "MPOL_F_RELATIVE_NODES", MPOL_F_RELATIVE_NODES },
	{ "MPOL_F_STATIC_NODES", MPOL_F_STATIC_NODES },
	{ NULL, 0 },
};

static const struct spec_word device_type_words[] = {
	{ "c", S_IFCHR },
	{ "u", S_IFCHR },
	{ "b", S_IFBLK },
	{ "p", S_IFIFO },
	{ NULL, 0 },
};

static const struct spec_word personality_words[] = {
	{ "LINUX", PER_LINUX },
	{ "LINUX32", PER_LINUX32 },
	{ NULL, 0 },
};

static const struct json_field namespace_fields[] = {
	FIELD_WORD("type", struct spec_namespace, flag, spec_namespace_words, .is_required = true),
	FIELD_STRING("path", struct spec_namespace, path, .is_empty_absent = true,
		.check = spec_forms_absolute),
	FIELD_END,
};

static const struct json_table namespace_table = {
	.fields = namespace_fields,
	.size = sizeof(struct spec_namespace),
};

static int finish_time_offset(struct json_reader *reader, json_t *node, void *object)
{
	const struct spec_time_offset *offset = object;

	(void)node;
	if (strcmp(offset->clock, "boottime") != 0 && strcmp(offset->clock, "monotonic") != 0)
		return json_reader_fail(
			reader, "unknown clock, expected one of 'boottime', 'monotonic'");
	return 0;
}

static const struct json_field time_offset_fields[] = {
	FIELD_I64("secs", struct spec_time_offset, seconds, INT64_MIN, INT64_MAX),
	FIELD_U32("nanosecs", struct spec_time_offset, nanoseconds, 0, NANOSECONDS_MAX),
	FIELD_END,
};

static const struct json_table time_offset_table = {
	.fields = time_offset_fields,
	.size = sizeof(struct spec_time_offset),
	.name_offset = FIELD_OFFSET(struct spec_time_offset, clock, const char *),
	.finish = finish_time_offset,
};

static int finish_device(struct json_reader *reader, json_t *node, void *object)
{
	struct spec_device *device = object;

	if (device->type != S_IFIFO && !json_reader_has(node, "major"))
		return json_reader_fail_at(reader, "major", "required, but missing");
	if (device->type != S_IFIFO && !json_reader_has(node, "minor"))
		return json_reader_fail_at(reader, "minor", "required, but missing");
	/* docker writes st_mode as it is, with the type in the high bits. */
	device->file_mode.value &= ~(uint32_t)S_IFMT;
	if (device->file_mode.value > FILE_MODE_MAX)
		return json_reader_fail_at(reader, "fileMode", "%u has more than permission bits",
			device->file_mode.value);
	return 0;
}

static const struct json_field device_fields[] = {
	FIELD_STRING("path", struct spec_device, path, .is_required = true,
		.check = spec_forms_absolute),
	FIELD_WORD("type", struct spec_device, type, device_type_words, .is_required = true),
	FIELD_I64("major", struct spec_device, major, 0, MAJOR_MAX),
	FIELD_I64("minor", struct spec_device, minor, 0, MINOR_MAX),
	FIELD_OPTIONAL_U32("fileMode", struct spec_device, file_mode, 0, UINT32_MAX),
	FIELD_U32("uid", struct spec_device, uid, 0, SPEC_ID_MAX),
	FIELD_U32("gid", struct spec_device, gid, 0, SPEC_ID_MAX),
	FIELD_END,
};

static const struct json_table device_table = {
	.fields = device_fields,
	.size = sizeof(struct spec_device),
	.finish = finish_device,
};

static int finish_net_device(struct json_reader *reader, json_t *node, void *object)
{
	const struct spec_net_device *device = object;
	const char *complaint = spec_forms_interface(device->host_name);

	(void)node;
	return complaint ? json_reader_fail(reader, "%s", complaint) : 0;
}

static const struct json_field net_device_fields[] = {
	FIELD_STRING("name", struct spec_net_device, name, .is_empty_absent = true,
		.check = spec_forms_interface),
	FIELD_END,
};

static const struct json_table net_device_table = {
	.fields = net_device_fields,
	.size = sizeof(struct spec_net_device),
	.name_offset = FIELD_OFFSET(struct spec_net_device, host_name, const char *),
	.finish = finish_net_device,
};

/* set_mempolicy(2): which modes take nodes, and which cannot do without */
static int finish_memory_policy(struct json_reader *reader, json_t *node, void *object)
{
	const struct spec_memory_policy *policy = object;
	const char *mode = spec_word_of(spec_memory_policy_mode_words, policy->mode);
	bool takes_nodes = policy->mode != MPOL_DEFAULT && policy->mode != MPOL_LOCAL;
	const unsigned both = MPOL_F_STATIC_NODES | MPOL_F_RELATIVE_NODES;

	(void)node;
	if (policy->nodes && !takes_nodes)
		return json_reader_fail_at(reader, "nodes", "%s takes none", mode);
	if (!policy->nodes && takes_nodes && policy->mode != MPOL_PREFERRED)
		return json_reader_fail_at(reader, "nodes", "%s needs it", mode);
	if ((policy->flags & both) == both)
		return json_reader_fail_at(reader, "flags",
			"MPOL_F_STATIC_NODES and MPOL_F_RELATIVE_NODES exclude each other");
	return 0;
}

static const struct json_field memory_policy_fields[] = {
	FIELD_WORD("mode", struct spec_memory_policy, mode, spec_memory_policy_mode_words,
		.is_required = true),
	FIELD_STRING("nodes", struct spec_memory_policy, nodes, .is_empty_absent = true,
		.check = spec_forms_list),
	FIELD("flags", FLAGS, struct spec_memory_policy, flags, unsigned,
		.words = spec_memory_policy_flag_words),
	FIELD_END,
};

static const struct json_table memory_policy_table = {
	.fields = memory_policy_fields,
	.size = sizeof(struct spec_memory_policy),
	.finish = finish_memory_policy,
};

/* "/" is the root of the file system, the default class (config-linux.md, "IntelRdt"). */
static const char *check_clos_id(const char *value)
{
	return strcmp(value, "/") ? spec_forms_file_name(value) : NULL;
}

static const char *check_bandwidth(const char *value)
{
	return strncmp(value, "MB:", 3) ? "must begin with MB:" : spec_forms_one_line(value);
}

static const struct json_field intel_rdt_fields[] = {
	FIELD_STRING("closID", struct spec_intel_rdt, clos_id, .is_empty_absent = true,
		.check = check_clos_id),
	FIELD_STRING(
		"l3CacheSchema", struct spec_intel_rdt, l3_cache_schema, .is_empty_absent = true),
	FIELD_STRING("memBwSchema", struct spec_intel_rdt, mem_bw_schema, .is_empty_absent = true,
		.check = check_bandwidth),
	FIELD_STRINGS("schemata", struct spec_intel_rdt, schemata, .check = spec_forms_one_line),
	FIELD_BOOL("enableMonitoring", struct spec_intel_rdt, enable_monitoring),
	FIELD_END,
};

/* The text says SHOULD NOT of line feeds; code and data of L3 may have a line each. */
static int finish_intel_rdt(struct json_reader *reader, json_t *node, void *object)
{
	const struct spec_intel_rdt *rdt = object;

	(void)node;
	if (rdt->l3_cache_schema && strchr(rdt->l3_cache_schema, '\n'))
		json_reader_warn_at(reader, "l3CacheSchema",
			"holds a line feed; more than one line belongs into 'schemata'");
	return 0;
}

static const struct json_table intel_rdt_table = {
	.fields = intel_rdt_fields,
	.size = sizeof(struct spec_intel_rdt),
	.finish = finish_intel_rdt,
};

static const struct json_field personality_fields[] = {
	FIELD("domain", OPTIONAL_WORD, struct spec_linux, personality, struct spec_i64,
		.words = personality_words, .is_required = true),
	/* The spec defines none, and what is not supported is an error. */
	{ .name = "flags", .kind = JSON_KIND_NO_STRINGS },
	FIELD_END,
};

static const struct json_table personality_table = {
	.fields = personality_fields,
	.size = sizeof(struct spec_linux),
};

/* config-linux.md, "Namespaces": two of a type are an error. */
static int finish_linux(struct json_reader *reader, json_t *node, void *object)
{
	struct spec_linux *platform = object;
	unsigned seen = 0;

	platform->has_seccomp = json_reader_has(node, "seccomp");
	for (size_t i = 0; i < platform->n_namespaces; i++) {
		unsigned flag = platform->namespaces[i].flag;

		if (seen & flag)
			return json_reader_fail_item(reader, "namespaces", i, "'%s' is there twice",
				spec_word_of(spec_namespace_words, flag));
		seen |= flag;
	}
	return 0;
}

static const struct json_field linux_fields[] = {
	FIELD_OBJECTS("namespaces", struct spec_linux, namespaces, n_namespaces,
		struct spec_namespace, &namespace_table),
	FIELD_OBJECTS("uidMappings", struct spec_linux, uid_mappings.items, uid_mappings.count,
		struct spec_id_mapping, &spec_id_mappings_table),
	FIELD_OBJECTS("gidMappings", struct spec_linux, gid_mappings.items, gid_mappings.count,
		struct spec_id_mapping, &spec_id_mappings_table),
	FIELD_NAMED_OBJECTS("timeOffsets", struct spec_linux, time_offsets, n_time_offsets,
		struct spec_time_offset, &time_offset_table),
	FIELD_OBJECTS("devices", struct spec_linux, devices, n_devices, struct spec_device,
		&device_table),
	FIELD_NAMED_OBJECTS("netDevices", struct spec_linux, net_devices, n_net_devices,
		struct spec_net_device, &net_device_table),
	FIELD_MAP("sysctl", struct spec_linux, sysctl),
	FIELD_STRING("cgroupsPath", struct spec_linux, cgroups_path, .is_empty_absent = true),
	FIELD_OBJECT_POINTER("resources", struct spec_linux, resources, struct spec_resources,
		&spec_resources_table),
	FIELD("rootfsPropagation", LONG_WORD, struct spec_linux, rootfs_propagation, unsigned long,
		.words = spec_propagation_words, .is_empty_absent = true),
	FIELD_STRINGS("maskedPaths", struct spec_linux, masked_paths, .check = spec_forms_absolute),
	FIELD_STRINGS(
		"readonlyPaths", struct spec_linux, readonly_paths, .check = spec_forms_absolute),
	FIELD_STRING("mountLabel", struct spec_linux, mount_label, .is_empty_absent = true),
	FIELD_SAME_OBJECT("personality", &personality_table),
	FIELD_OBJECT_POINTER("memoryPolicy", struct spec_linux, memory_policy,
		struct spec_memory_policy, &memory_policy_table),
	FIELD_OBJECT_POINTER(
		"intelRdt", struct spec_linux, intel_rdt, struct spec_intel_rdt, &intel_rdt_table),
	FIELD_END,
};

const struct json_table spec_linux_table = {
	.fields = linux_fields,
	.size = sizeof(struct spec_linux),
	.finish = finish_linux,
};
