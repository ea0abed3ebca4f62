/* SPDX-License-Identifier: Apache-2.0 */
/* config.json: linux.resources (config-linux.md, "Control groups") */
#ifndef KOGG_LIBSPEC_SPEC_RESOURCES_H
#define KOGG_LIBSPEC_SPEC_RESOURCES_H

#include "libspec/spec_types.h"

struct json_table;

#define SPEC_DEVICE_READ  1U
#define SPEC_DEVICE_WRITE 2U
#define SPEC_DEVICE_MKNOD 4U

/* A rule of the device controller; later rules win. */
struct spec_device_rule {
	bool allow;
	char type;             /* 'a', 'b' or 'c' */
	struct spec_i64 major; /* not set: all */
	struct spec_i64 minor;
	unsigned access; /* SPEC_DEVICE_*; all three when the member is absent or empty */
};

/* Bytes; -1 is no limit. */
struct spec_memory {
	struct spec_i64 limit;
	struct spec_i64 reservation;
	struct spec_i64 swap; /* memory plus swap */
	struct spec_i64 kernel;
	struct spec_i64 kernel_tcp;
	struct spec_u64 swappiness; /* 0 to 100 */
	struct spec_bool disable_oom_killer;
	struct spec_bool use_hierarchy;
	struct spec_bool check_before_update;
};

/* Times in microseconds. */
struct spec_cpu {
	struct spec_u64 shares;
	struct spec_i64 quota; /* negative: none */
	struct spec_u64 burst;
	struct spec_u64 period;
	struct spec_i64 realtime_runtime;
	struct spec_u64 realtime_period;
	const char *cpus; /* list; NULL when absent or empty */
	const char *mems;
	struct spec_i64 idle; /* 0 or 1 */
};

struct spec_weight_device {
	int64_t major;
	int64_t minor;
	struct spec_u32 weight; /* 10 to 1000; at least one of the two is set */
	struct spec_u32 leaf_weight;
};

struct spec_throttle_device {
	int64_t major;
	int64_t minor;
	uint64_t rate; /* bytes or operations per second */
};

struct spec_throttle_list {
	struct spec_throttle_device *items;
	size_t count;
};

struct spec_block_io {
	struct spec_u32 weight; /* 10 to 1000 */
	struct spec_u32 leaf_weight;
	struct spec_weight_device *weight_devices;
	size_t n_weight_devices;
	struct spec_throttle_list read_bps;
	struct spec_throttle_list write_bps;
	struct spec_throttle_list read_iops;
	struct spec_throttle_list write_iops;
};

struct spec_hugepage_limit {
	const char *page_size; /* "2MB", as the kernel's files spell it */
	uint64_t limit;        /* bytes */
};

struct spec_net_priority {
	const char *name; /* interface in the runtime's network namespace */
	uint32_t priority;
};

struct spec_net_cgroup {
	struct spec_u32 class_id;
	struct spec_net_priority *priorities;
	size_t n_priorities;
};

struct spec_rdma {
	const char *device;
	struct spec_u32 hca_handles; /* at least one of the two is set */
	struct spec_u32 hca_objects;
};

struct spec_resources {
	const char *pointer; /* of this object: "/linux/resources", or "" when read alone */
	struct spec_device_rule *devices;
	size_t n_devices;
	bool has_devices;                 /* the member is there, if only as [] */
	const struct spec_memory *memory; /* NULL when absent, as below */
	const struct spec_cpu *cpu;
	const struct spec_block_io *block_io;
	const struct spec_net_cgroup *network;
	struct spec_i64 pids_limit; /* -1: none; 0 is a limit */
	struct spec_hugepage_limit *hugepage_limits;
	size_t n_hugepage_limits;
	struct spec_rdma *rdma;
	size_t n_rdma;
	struct spec_map unified;
};

/* How json_reader reads it. */
extern const struct json_table spec_resources_table;

#endif
