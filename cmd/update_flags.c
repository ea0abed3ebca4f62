/* SPDX-License-Identifier: Apache-2.0 */
#include "cmd/update_flags.h"

#include <stdint.h>
#include <string.h>

#include "base/log.h"
#include "base/number.h"

#define BLKIO_WEIGHT_MIN 10
#define BLKIO_WEIGHT_MAX 1000

const struct option_row update_flags_table[] = {
	OPTION_STRING("resources", 'r', "FILE", struct update_flags, resources,
		"read all from a JSON file, or from standard input when it is -"),
	OPTION_STRING("blkio-weight", 0, "N", struct update_flags, blkio_weight,
		"block I/O weight, 10 to 1000"),
	OPTION_STRING("cpu-period", 0, "US", struct update_flags, cpu_period,
		"CPU period in microseconds"),
	OPTION_STRING("cpu-quota", 0, "US", struct update_flags, cpu_quota,
		"CPU time in a period; -1: no limit"),
	OPTION_STRING("cpu-burst", 0, "US", struct update_flags, cpu_burst,
		"CPU time that may be saved up"),
	OPTION_STRING("cpu-share", 0, "N", struct update_flags, cpu_share, "CPU shares"),
	OPTION_STRING("cpu-rt-period", 0, "US", struct update_flags, cpu_rt_period,
		"real-time CPU period"),
	OPTION_STRING("cpu-rt-runtime", 0, "US", struct update_flags, cpu_rt_runtime,
		"real-time CPU time in a period"),
	OPTION_STRING(
		"cpuset-cpus", 0, "LIST", struct update_flags, cpuset_cpus, "CPUs to use: 0-2,7"),
	OPTION_STRING(
		"cpuset-mems", 0, "LIST", struct update_flags, cpuset_mems, "memory nodes to use"),
	OPTION_STRING("cpu-idle", 0, "0|1", struct update_flags, cpu_idle,
		"1: run only when nobody else wants to"),
	OPTION_STRING(
		"memory", 0, "BYTES", struct update_flags, memory, "memory limit: 32M; -1: none"),
	OPTION_STRING("memory-reservation", 0, "BYTES", struct update_flags, memory_reservation,
		"soft memory limit"),
	OPTION_STRING("memory-swap", 0, "BYTES", struct update_flags, memory_swap,
		"limit of memory and swap together; -1: none"),
	OPTION_STRING("kernel-memory", 0, "BYTES", struct update_flags, kernel_memory, NULL),
	OPTION_STRING(
		"kernel-memory-tcp", 0, "BYTES", struct update_flags, kernel_memory_tcp, NULL),
	OPTION_STRING("pids-limit", 0, "N", struct update_flags, pids_limit,
		"most processes; -1: no limit"),
	OPTION_STRING("l3-cache-schema", 0, "TEXT", struct update_flags, l3_cache_schema,
		"resctrl line of the container's class: L3:0=ff"),
	OPTION_STRING("mem-bw-schema", 0, "TEXT", struct update_flags, mem_bw_schema,
		"resctrl line of the container's class: MB:0=50"),
	{ 0 },
};

static int refuse(const char *flag, const char *text, const char *expected, struct error *err)
{
	return error_set(err, ERROR_USAGE, "option '--%s': '%s' is not %s", flag, text, expected);
}

static int read_u64(
	const char *flag, const char *text, struct spec_u64 *ret_value, struct error *err)
{
	if (!text)
		return 0;
	if (number_parse_u64(text, UINT64_MAX, &ret_value->value) < 0)
		return refuse(flag, text, "a number from 0 on", err);
	ret_value->is_set = true;
	return 0;
}

static int read_i64(
	const char *flag, const char *text, struct spec_i64 *ret_value, struct error *err)
{
	if (!text)
		return 0;
	if (number_parse_i64(text, &ret_value->value) < 0)
		return refuse(flag, text, "a number", err);
	ret_value->is_set = true;
	return 0;
}

static int read_bytes(
	const char *flag, const char *text, struct spec_i64 *ret_value, struct error *err)
{
	if (!text)
		return 0;
	if (number_parse_bytes(text, &ret_value->value) < 0)
		return refuse(flag, text, "a size such as 32M, nor -1", err);
	ret_value->is_set = true;
	return 0;
}

static int read_cpu(const struct update_flags *flags, struct spec_cpu *cpu, struct error *err)
{
	cpu->cpus = flags->cpuset_cpus;
	cpu->mems = flags->cpuset_mems;
	if (read_u64("cpu-share", flags->cpu_share, &cpu->shares, err) < 0 ||
		read_u64("cpu-period", flags->cpu_period, &cpu->period, err) < 0 ||
		read_i64("cpu-quota", flags->cpu_quota, &cpu->quota, err) < 0 ||
		read_u64("cpu-burst", flags->cpu_burst, &cpu->burst, err) < 0 ||
		read_u64("cpu-rt-period", flags->cpu_rt_period, &cpu->realtime_period, err) < 0 ||
		read_i64("cpu-rt-runtime", flags->cpu_rt_runtime, &cpu->realtime_runtime, err) <
			0 ||
		read_i64("cpu-idle", flags->cpu_idle, &cpu->idle, err) < 0)
		return -1;
	if (cpu->idle.is_set && cpu->idle.value != 0 && cpu->idle.value != 1)
		return refuse("cpu-idle", flags->cpu_idle, "0 or 1", err);
	return 0;
}

static int read_memory(
	const struct update_flags *flags, struct spec_memory *memory, struct error *err)
{
	if (read_bytes("memory", flags->memory, &memory->limit, err) < 0 ||
		read_bytes("memory-reservation", flags->memory_reservation, &memory->reservation,
			err) < 0 ||
		read_bytes("memory-swap", flags->memory_swap, &memory->swap, err) < 0)
		return -1;
	if (memory->limit.is_set && memory->limit.value == -1 && !memory->swap.is_set)
		memory->swap = memory->limit;
	if (memory->swap.value > 0 && memory->swap.value < memory->limit.value)
		return refuse("memory-swap", flags->memory_swap,
			"at least --memory, which it includes", err);
	/* The kernel took these limits away: cgroup-v1/memory.rst, "kmem". */
	if (flags->kernel_memory || flags->kernel_memory_tcp)
		log_warning("limits of kernel memory are obsolete and ignored");
	return 0;
}

static int read_block_io(
	const struct update_flags *flags, struct spec_block_io *block_io, struct error *err)
{
	uint64_t weight;

	if (!flags->blkio_weight)
		return 0;
	if (number_parse_u64(flags->blkio_weight, BLKIO_WEIGHT_MAX, &weight) < 0 ||
		(weight && weight < BLKIO_WEIGHT_MIN))
		return refuse("blkio-weight", flags->blkio_weight, "a number from 10 to 1000", err);
	/* 0 leaves it as it is, as it does in a resources file. */
	if (weight)
		block_io->weight = (struct spec_u32){ .is_set = true, .value = (uint32_t)weight };
	return 0;
}

int update_flags_check_schemas(const struct update_flags *flags, struct error *err)
{
	const char *l3 = flags->l3_cache_schema, *bandwidth = flags->mem_bw_schema;

	if (l3 && (!l3[0] || strchr(l3, '\n')))
		return refuse("l3-cache-schema", l3, "one line", err);
	if (bandwidth && (strncmp(bandwidth, "MB:", 3) != 0 || strchr(bandwidth, '\n')))
		return refuse("mem-bw-schema", bandwidth, "one line that begins with MB:", err);
	return 0;
}

int update_flags_read(
	const struct update_flags *flags, struct update_resources *ret_resources, struct error *err)
{
	struct update_resources *made = ret_resources;

	*made = (struct update_resources){ 0 };
	made->resources.pointer = "";
	if (read_cpu(flags, &made->cpu, err) < 0 || read_memory(flags, &made->memory, err) < 0 ||
		read_block_io(flags, &made->block_io, err) < 0 ||
		read_i64("pids-limit", flags->pids_limit, &made->resources.pids_limit, err) < 0)
		return -1;
	made->resources.cpu = &made->cpu;
	made->resources.memory = &made->memory;
	made->resources.block_io = &made->block_io;
	return 0;
}
