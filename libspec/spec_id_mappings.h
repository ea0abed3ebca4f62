/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Entries of uidMappings and gidMappings (config-linux.md, "User namespace
 * mappings"), for namespaces and for mounts.
 */
#ifndef KOGG_LIBSPEC_SPEC_ID_MAPPINGS_H
#define KOGG_LIBSPEC_SPEC_ID_MAPPINGS_H

#include <stdbool.h>

#include "base/error.h"
#include "libspec/spec_types.h"

struct json_table;

extern const struct json_table spec_id_mappings_table;

/*
 * What the kernel would refuse (user_namespaces(7)) without saying where:
 * ranges that overlap, inside or outside. POINTER is that of the list.
 */
int spec_id_mappings_check(
	const struct spec_id_mappings *mappings, const char *pointer, struct error *err) must_check;

/* Whether an ID of the inside has one outside. */
bool spec_id_mappings_contain(const struct spec_id_mappings *mappings, uint32_t container_id);

#endif
