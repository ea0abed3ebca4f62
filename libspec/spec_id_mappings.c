/* SPDX-License-Identifier: Apache-2.0 */
#include "libspec/spec_id_mappings.h"

#include "libspec/json_reader.h"

/* user_namespaces(7), since Linux 4.15 */
#define MAPPINGS_MAX 340

static int finish_mapping(struct json_reader *reader, json_t *node, void *object)
{
	const struct spec_id_mapping *mapping = object;

	(void)node;
	/* 2^32-1 is no ID: to the kernel it means "none". */
	if (mapping->size > UINT32_MAX - mapping->container_id)
		return json_reader_fail_at(reader, "size", "goes beyond the last container ID");
	if (mapping->size > UINT32_MAX - mapping->host_id)
		return json_reader_fail_at(reader, "size", "goes beyond the last host ID");
	return 0;
}

static const struct json_field mapping_fields[] = {
	FIELD_U32("containerID", struct spec_id_mapping, container_id, 0, UINT32_MAX,
		.is_required = true),
	FIELD_U32("hostID", struct spec_id_mapping, host_id, 0, UINT32_MAX, .is_required = true),
	FIELD_U32("size", struct spec_id_mapping, size, 1, UINT32_MAX, .is_required = true),
	FIELD_END,
};

const struct json_table spec_id_mappings_table = {
	.fields = mapping_fields,
	.size = sizeof(struct spec_id_mapping),
	.finish = finish_mapping,
};

static bool do_overlap(uint32_t a, uint32_t a_size, uint32_t b, uint32_t b_size)
{
	return a < (uint64_t)b + b_size && b < (uint64_t)a + a_size;
}

int spec_id_mappings_check(
	const struct spec_id_mappings *mappings, const char *pointer, struct error *err)
{
	const struct spec_id_mapping *items = mappings->items;

	if (mappings->count > MAPPINGS_MAX) {
		error_set(err, ERROR_SPEC, "more than %d entries", MAPPINGS_MAX);
		return error_point(err, "%s", pointer);
	}
	for (size_t i = 0; i < mappings->count; i++)
		for (size_t j = 0; j < i; j++) {
			if (!do_overlap(items[i].container_id, items[i].size, items[j].container_id,
				    items[j].size) &&
				!do_overlap(items[i].host_id, items[i].size, items[j].host_id,
					items[j].size))
				continue;
			error_set(err, ERROR_SPEC, "overlaps with entry %zu", j);
			return error_point(err, "%s/%zu", pointer, i);
		}
	return 0;
}

bool spec_id_mappings_contain(const struct spec_id_mappings *mappings, uint32_t container_id)
{
	for (size_t i = 0; i < mappings->count; i++)
		if (container_id >= mappings->items[i].container_id &&
			container_id - mappings->items[i].container_id < mappings->items[i].size)
			return true;
	return false;
}
