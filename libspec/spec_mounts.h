/* SPDX-License-Identifier: Apache-2.0 */
/* config.json: mounts[] (config.md, "Mounts"; config-linux.md, "Mounts") */
#ifndef KOGG_LIBSPEC_SPEC_MOUNTS_H
#define KOGG_LIBSPEC_SPEC_MOUNTS_H

#include "libspec/mount_options.h"
#include "libspec/spec_types.h"

struct json_table;

struct spec_mount {
	const char *destination;
	const char *type;            /* NULL when absent */
	const char *source;          /* NULL when absent */
	struct spec_strings options; /* as written, for messages */
	struct mount_options parsed;
	struct spec_id_mappings uid_mappings; /* both or none */
	struct spec_id_mappings gid_mappings;
};

/* How json_reader reads it. */
extern const struct json_table spec_mount_table;

#endif
