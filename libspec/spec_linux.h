/* SPDX-License-Identifier: Apache-2.0 */
/* config.json: linux, but for resources and seccomp (config-linux.md) */
#ifndef KOGG_LIBSPEC_SPEC_LINUX_H
#define KOGG_LIBSPEC_SPEC_LINUX_H

#include "libspec/spec_resources.h"
#include "libspec/spec_seccomp.h"
#include "libspec/spec_types.h"

struct json_table;

struct spec_namespace {
	unsigned flag;    /* CLONE_NEW* of namespaces(7); at most one entry of each */
	const char *path; /* absolute; NULL: make a new one */
};

struct spec_time_offset {
	const char *clock; /* "boottime" or "monotonic" */
	int64_t seconds;
	uint32_t nanoseconds; /* below 10^9 */
};

struct spec_device {
	const char *path; /* absolute */
	unsigned type;    /* S_IFCHR, S_IFBLK or S_IFIFO */
	int64_t major;
	int64_t minor;
	struct spec_u32 file_mode;
	uint32_t uid; /* inside the container */
	uint32_t gid;
};

struct spec_net_device {
	const char *host_name;
	const char *name; /* in the container; NULL: the same */
};

struct spec_memory_policy {
	unsigned mode;     /* MPOL_* of set_mempolicy(2) */
	const char *nodes; /* node list; NULL when absent */
	unsigned flags;    /* MPOL_F_* */
};

struct spec_intel_rdt {
	const char *clos_id; /* NULL: the container's ID */
	const char *l3_cache_schema;
	const char *mem_bw_schema;
	struct spec_strings schemata;
	bool enable_monitoring;
};

struct spec_linux {
	struct spec_namespace *namespaces; /* in the order of the document */
	size_t n_namespaces;
	struct spec_id_mappings uid_mappings;
	struct spec_id_mappings gid_mappings;
	struct spec_time_offset *time_offsets;
	size_t n_time_offsets;
	struct spec_device *devices;
	size_t n_devices;
	struct spec_net_device *net_devices;
	size_t n_net_devices;
	struct spec_map sysctl;
	const char *cgroups_path;               /* NULL when absent or empty */
	const struct spec_resources *resources; /* NULL when absent */
	unsigned long rootfs_propagation;       /* MS_SHARED, ... with MS_REC; 0 when absent */
	bool has_seccomp;                       /* spec_load_seccomp() reads it */
	struct spec_strings masked_paths;
	struct spec_strings readonly_paths;
	const char *mount_label;     /* NULL when absent or empty */
	struct spec_i64 personality; /* the domain, PER_* of personality(2) */
	const struct spec_memory_policy *memory_policy;
	const struct spec_intel_rdt *intel_rdt;
};

extern const struct spec_word spec_namespace_words[];
extern const struct spec_word spec_propagation_words[];
extern const struct spec_word spec_memory_policy_mode_words[];
extern const struct spec_word spec_memory_policy_flag_words[];

/* How json_reader reads it. */
extern const struct json_table spec_linux_table;

#endif
