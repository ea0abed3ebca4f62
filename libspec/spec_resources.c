/* SPDX-License-Identifier: Apache-2.0 */
#include "libspec/spec_resources.h"

#include <string.h>

#include "base/attributes.h"
#include "libspec/json_reader.h"
#include "libspec/spec_forms.h"

#define SWAPPINESS_MAX 100
#define WEIGHT_MIN     10
#define WEIGHT_MAX     1000

#define ACCESS_ALL (SPEC_DEVICE_READ | SPEC_DEVICE_WRITE | SPEC_DEVICE_MKNOD)

static const struct spec_word device_rule_words[] = {
	{ "a", 'a' },
	{ "b", 'b' },
	{ "c", 'c' },
	{ NULL, 0 },
};

/* Letters of an access string, to SPEC_DEVICE_* bits; 0 for another letter. */
static unsigned access_bit(char letter)
{
	switch (letter) {
	case 'r':
		return SPEC_DEVICE_READ;
	case 'w':
		return SPEC_DEVICE_WRITE;
	case 'm':
		return SPEC_DEVICE_MKNOD;
	default:
		return 0;
	}
}

static const char *check_access(const char *value)
{
	return value[strspn(value, "rwm")] ? "must be made of the letters r, w and m" : NULL;
}

/* -1 is "all", as runc has it from before the member could be left out. */
static void read_wildcard(struct spec_i64 *number)
{
	if (number->value < 0)
		*number = (struct spec_i64){ 0 };
}

static int finish_device_rule(struct json_reader *reader, json_t *node, void *object)
{
	const char *access = json_string_value(json_object_get(node, "access"));
	struct spec_device_rule *rule = object;

	(void)reader;
	if (!rule->type)
		rule->type = 'a';
	for (; access && *access; access++)
		rule->access |= access_bit(*access);
	if (!rule->access)
		rule->access = ACCESS_ALL;
	read_wildcard(&rule->major);
	read_wildcard(&rule->minor);
	return 0;
}

/* One less than what cgroup v1 takes for every number (security/device_cgroup.c). */
#define RULE_NUMBER_MAX (UINT32_MAX - 1)

static const struct json_field device_rule_fields[] = {
	FIELD_BOOL("allow", struct spec_device_rule, allow, .is_required = true),
	FIELD("type", CHAR_WORD, struct spec_device_rule, type, char, .words = device_rule_words,
		.is_empty_absent = true),
	FIELD_OPTIONAL_I64("major", struct spec_device_rule, major, -1, RULE_NUMBER_MAX),
	FIELD_OPTIONAL_I64("minor", struct spec_device_rule, minor, -1, RULE_NUMBER_MAX),
	FIELD_CHECKED("access", check_access),
	FIELD_END,
};

static const struct json_table device_rule_table = {
	.fields = device_rule_fields,
	.size = sizeof(struct spec_device_rule),
	.finish = finish_device_rule,
};

static const struct json_field memory_fields[] = {
	FIELD_OPTIONAL_I64("limit", struct spec_memory, limit, -1, INT64_MAX),
	FIELD_OPTIONAL_I64("reservation", struct spec_memory, reservation, -1, INT64_MAX),
	FIELD_OPTIONAL_I64("swap", struct spec_memory, swap, -1, INT64_MAX),
	FIELD_OPTIONAL_I64("kernel", struct spec_memory, kernel, -1, INT64_MAX),
	FIELD_OPTIONAL_I64("kernelTCP", struct spec_memory, kernel_tcp, -1, INT64_MAX),
	FIELD_OPTIONAL_U64("swappiness", struct spec_memory, swappiness, 0, SWAPPINESS_MAX),
	FIELD_OPTIONAL_BOOL("disableOOMKiller", struct spec_memory, disable_oom_killer),
	FIELD_OPTIONAL_BOOL("useHierarchy", struct spec_memory, use_hierarchy),
	FIELD_OPTIONAL_BOOL("checkBeforeUpdate", struct spec_memory, check_before_update),
	FIELD_END,
};

/* SWAP is memory and swap together; 0 and -1 are no limits. */
static int finish_memory(struct json_reader *reader, json_t *node, void *object)
{
	const struct spec_memory *memory = object;

	(void)node;
	if (memory->swap.value > 0 && memory->swap.value < memory->limit.value)
		return json_reader_fail_at(reader, "swap", "must not be below limit");
	return 0;
}

static const struct json_table memory_table = {
	.fields = memory_fields,
	.size = sizeof(struct spec_memory),
	.finish = finish_memory,
};

static int finish_cpu(struct json_reader *reader, json_t *node, void *object)
{
	const struct spec_cpu *cpu = object;

	(void)node;
	if (cpu->quota.value > 0 && cpu->burst.value > (uint64_t)cpu->quota.value)
		return json_reader_fail_at(reader, "burst", "must not be above quota");
	return 0;
}

static const struct json_field cpu_fields[] = {
	FIELD_OPTIONAL_U64("shares", struct spec_cpu, shares, 0, UINT64_MAX),
	FIELD_OPTIONAL_I64("quota", struct spec_cpu, quota, INT64_MIN, INT64_MAX),
	FIELD_OPTIONAL_U64("burst", struct spec_cpu, burst, 0, UINT64_MAX),
	FIELD_OPTIONAL_U64("period", struct spec_cpu, period, 0, UINT64_MAX),
	FIELD_OPTIONAL_I64(
		"realtimeRuntime", struct spec_cpu, realtime_runtime, INT64_MIN, INT64_MAX),
	FIELD_OPTIONAL_U64("realtimePeriod", struct spec_cpu, realtime_period, 0, UINT64_MAX),
	FIELD_STRING(
		"cpus", struct spec_cpu, cpus, .is_empty_absent = true, .check = spec_forms_cpuset),
	FIELD_STRING(
		"mems", struct spec_cpu, mems, .is_empty_absent = true, .check = spec_forms_cpuset),
	FIELD_OPTIONAL_I64("idle", struct spec_cpu, idle, 0, 1),
	FIELD_END,
};

static const struct json_table cpu_table = {
	.fields = cpu_fields,
	.size = sizeof(struct spec_cpu),
	.finish = finish_cpu,
};

/* docker writes a weight of 0 where it has none to set. */
static int check_weight(struct json_reader *reader, const char *name, const struct spec_u32 *weight)
{
	if (weight->value > 0 && weight->value < WEIGHT_MIN)
		return json_reader_fail_at(
			reader, name, "%u is not in %d..%d", weight->value, WEIGHT_MIN, WEIGHT_MAX);
	return 0;
}

static int finish_weight_device(struct json_reader *reader, json_t *node, void *object)
{
	const struct spec_weight_device *device = object;

	(void)node;
	if (!device->weight.is_set && !device->leaf_weight.is_set)
		return json_reader_fail(reader, "needs weight or leafWeight");
	if (check_weight(reader, "weight", &device->weight) < 0)
		return -1;
	return check_weight(reader, "leafWeight", &device->leaf_weight);
}

static const struct json_field weight_device_fields[] = {
	FIELD_I64("major", struct spec_weight_device, major, 0, UINT32_MAX, .is_required = true),
	FIELD_I64("minor", struct spec_weight_device, minor, 0, UINT32_MAX, .is_required = true),
	FIELD_OPTIONAL_U32("weight", struct spec_weight_device, weight, 0, WEIGHT_MAX),
	FIELD_OPTIONAL_U32("leafWeight", struct spec_weight_device, leaf_weight, 0, WEIGHT_MAX),
	FIELD_END,
};

static const struct json_table weight_device_table = {
	.fields = weight_device_fields,
	.size = sizeof(struct spec_weight_device),
	.finish = finish_weight_device,
};

static const struct json_field throttle_fields[] = {
	FIELD_I64("major", struct spec_throttle_device, major, 0, UINT32_MAX, .is_required = true),
	FIELD_I64("minor", struct spec_throttle_device, minor, 0, UINT32_MAX, .is_required = true),
	FIELD_U64("rate", struct spec_throttle_device, rate, 0, UINT64_MAX, .is_required = true),
	FIELD_END,
};

static const struct json_table throttle_table = {
	.fields = throttle_fields,
	.size = sizeof(struct spec_throttle_device),
};

static int finish_block_io(struct json_reader *reader, json_t *node, void *object)
{
	const struct spec_block_io *block_io = object;

	(void)node;
	if (check_weight(reader, "weight", &block_io->weight) < 0)
		return -1;
	return check_weight(reader, "leafWeight", &block_io->leaf_weight);
}

#define FIELD_THROTTLE(name, list)                                        \
	FIELD_OBJECTS(name, struct spec_block_io, list.items, list.count, \
		struct spec_throttle_device, &throttle_table)

static const struct json_field block_io_fields[] = {
	FIELD_OPTIONAL_U32("weight", struct spec_block_io, weight, 0, WEIGHT_MAX),
	FIELD_OPTIONAL_U32("leafWeight", struct spec_block_io, leaf_weight, 0, WEIGHT_MAX),
	FIELD_OBJECTS("weightDevice", struct spec_block_io, weight_devices, n_weight_devices,
		struct spec_weight_device, &weight_device_table),
	FIELD_THROTTLE("throttleReadBpsDevice", read_bps),
	FIELD_THROTTLE("throttleWriteBpsDevice", write_bps),
	FIELD_THROTTLE("throttleReadIOPSDevice", read_iops),
	FIELD_THROTTLE("throttleWriteIOPSDevice", write_iops),
	FIELD_END,
};

static const struct json_table block_io_table = {
	.fields = block_io_fields,
	.size = sizeof(struct spec_block_io),
	.finish = finish_block_io,
};

static const struct json_field hugepage_fields[] = {
	FIELD_STRING("pageSize", struct spec_hugepage_limit, page_size, .is_required = true,
		.check = spec_forms_page_size),
	FIELD_U64("limit", struct spec_hugepage_limit, limit, 0, UINT64_MAX, .is_required = true),
	FIELD_END,
};

static const struct json_table hugepage_table = {
	.fields = hugepage_fields,
	.size = sizeof(struct spec_hugepage_limit),
};

static const struct json_field net_priority_fields[] = {
	FIELD_STRING("name", struct spec_net_priority, name, .is_required = true,
		.check = spec_forms_interface),
	FIELD_U32(
		"priority", struct spec_net_priority, priority, 0, UINT32_MAX, .is_required = true),
	FIELD_END,
};

static const struct json_table net_priority_table = {
	.fields = net_priority_fields,
	.size = sizeof(struct spec_net_priority),
};

static const struct json_field net_cgroup_fields[] = {
	FIELD_OPTIONAL_U32("classID", struct spec_net_cgroup, class_id, 0, UINT32_MAX),
	FIELD_OBJECTS("priorities", struct spec_net_cgroup, priorities, n_priorities,
		struct spec_net_priority, &net_priority_table),
	FIELD_END,
};

static const struct json_table net_cgroup_table = {
	.fields = net_cgroup_fields,
	.size = sizeof(struct spec_net_cgroup),
};

/* The device is a word of a line in rdma.max. */
static int finish_rdma(struct json_reader *reader, json_t *node, void *object)
{
	const struct spec_rdma *rdma = object;

	(void)node;
	if (!rdma->device[0] || strpbrk(rdma->device, " \t\n"))
		return json_reader_fail(reader, "must be a device name");
	if (!rdma->hca_handles.is_set && !rdma->hca_objects.is_set)
		return json_reader_fail(reader, "needs hcaHandles or hcaObjects");
	return 0;
}

static const struct json_field rdma_fields[] = {
	FIELD_OPTIONAL_U32("hcaHandles", struct spec_rdma, hca_handles, 0, UINT32_MAX),
	FIELD_OPTIONAL_U32("hcaObjects", struct spec_rdma, hca_objects, 0, UINT32_MAX),
	FIELD_END,
};

static const struct json_table rdma_table = {
	.fields = rdma_fields,
	.size = sizeof(struct spec_rdma),
	.name_offset = FIELD_OFFSET(struct spec_rdma, device, const char *),
	.finish = finish_rdma,
};

static const struct json_field pids_fields[] = {
	FIELD_OPTIONAL_I64("limit", struct spec_resources, pids_limit, -1, INT64_MAX),
	FIELD_END,
};

static const struct json_table pids_table = {
	.fields = pids_fields,
	.size = sizeof(struct spec_resources),
};

/* Files of cgroup v2 that do something to processes, and limit nothing (cgroup-v2.rst). */
static const char *check_unified_name(const char *value)
{
	static const char *const acting[] = { "cgroup.freeze", "cgroup.kill", "cgroup.procs",
		"cgroup.threads", "cgroup.type" };

	for (size_t i = 0; i < array_size(acting); i++)
		if (!strcmp(value, acting[i]))
			return "acts on processes: it is no limit";
	return spec_forms_file_name(value);
}

static int finish_resources(struct json_reader *reader, json_t *node, void *object)
{
	struct spec_resources *resources = object;

	resources->pointer = reader->path.depth > 0 ? "/linux/resources" : "";
	resources->has_devices = json_reader_has(node, "devices");
	return 0;
}

static const struct json_field resources_fields[] = {
	FIELD_OBJECTS("devices", struct spec_resources, devices, n_devices, struct spec_device_rule,
		&device_rule_table),
	FIELD_OBJECT_POINTER(
		"memory", struct spec_resources, memory, struct spec_memory, &memory_table),
	FIELD_OBJECT_POINTER("cpu", struct spec_resources, cpu, struct spec_cpu, &cpu_table),
	FIELD_OBJECT_POINTER(
		"blockIO", struct spec_resources, block_io, struct spec_block_io, &block_io_table),
	FIELD_OBJECT_POINTER("network", struct spec_resources, network, struct spec_net_cgroup,
		&net_cgroup_table),
	FIELD_SAME_OBJECT("pids", &pids_table),
	FIELD_OBJECTS("hugepageLimits", struct spec_resources, hugepage_limits, n_hugepage_limits,
		struct spec_hugepage_limit, &hugepage_table),
	FIELD_NAMED_OBJECTS(
		"rdma", struct spec_resources, rdma, n_rdma, struct spec_rdma, &rdma_table),
	FIELD_MAP("unified", struct spec_resources, unified, .check = check_unified_name),
	FIELD_END,
};

const struct json_table spec_resources_table = {
	.fields = resources_fields,
	.size = sizeof(struct spec_resources),
	.finish = finish_resources,
};
