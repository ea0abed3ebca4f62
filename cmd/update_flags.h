/* SPDX-License-Identifier: Apache-2.0 */
/* The flags of update, and the resources they stand for. */
#ifndef KOGG_CMD_UPDATE_FLAGS_H
#define KOGG_CMD_UPDATE_FLAGS_H

#include "base/error.h"
#include "cmd/options.h"
#include "libspec/spec_resources.h"

/* As typed; NULL is not given. */
struct update_flags {
	const char *resources; /* a file, or "-": then all others but the last two are ignored */
	const char *blkio_weight;
	const char *cpu_period;
	const char *cpu_quota;
	const char *cpu_burst;
	const char *cpu_share;
	const char *cpu_rt_period;
	const char *cpu_rt_runtime;
	const char *cpuset_cpus;
	const char *cpuset_mems;
	const char *cpu_idle;
	const char *memory;
	const char *memory_reservation;
	const char *memory_swap;
	const char *kernel_memory;
	const char *kernel_memory_tcp;
	const char *pids_limit;
	const char *l3_cache_schema;
	const char *mem_bw_schema;
};

extern const struct option_row update_flags_table[];

/* The resources and what they point to; not to be copied. */
struct update_resources {
	struct spec_resources resources;
	struct spec_memory memory;
	struct spec_cpu cpu;
	struct spec_block_io block_io;
};

/* Whether the two schemas have the form that resctrl takes. Errors name the flag. */
int update_flags_check_schemas(const struct update_flags *flags, struct error *err) must_check;

/*
 * All flags but the schemas. Errors name the flag. --memory -1 alone lifts the limit of swap too,
 * which could not stay below it.
 */
int update_flags_read(const struct update_flags *flags, struct update_resources *ret_resources,
	struct error *err) must_check;

#endif
