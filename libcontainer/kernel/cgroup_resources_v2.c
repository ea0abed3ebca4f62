/* SPDX-License-Identifier: Apache-2.0 */
#include "libcontainer/kernel/cgroup_resources_v2.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/log.h"
#include "base/number.h"
#include "libcontainer/kernel/cgroup_file.h"

#define FRACTION_BITS 48

/* log2(VALUE) with FRACTION_BITS binary digits behind the point, VALUE from 1 to 2^30. */
static uint64_t log2_fixed(uint64_t value)
{
	unsigned whole = 63U - (unsigned)__builtin_clzll(value);
	unsigned __int128 mantissa = (unsigned __int128)value
				     << (62U - whole); /* 1 to 2, at bit 62 */
	uint64_t result = whole;

	for (int i = 0; i < FRACTION_BITS; i++) {
		mantissa = mantissa * mantissa >> 62U;
		result <<= 1U;
		if (mantissa >> 63U) {
			mantissa >>= 1U;
			result |= 1U;
		}
	}
	return result;
}

/*
 * The smallest weight with
 *
 *     612 * log10(weight) >= L * L + 125 * L - 126,  L = log2(shares)
 *
 * which is weight = ceil(10 ^ ((L^2 + 125 L) / 612 - 7/34)), the curve through
 * (2, 1), (1024, 100) and (262144, 10000) that runtimes have agreed on. At
 * these points both sides are equal but for rounding, hence SLACK; elsewhere
 * they differ by more.
 */
#define LOG2_10 ((uint64_t)935039633142894) /* log2(10) * 2^48 */
#define SLACK   ((__int128)1 << (2 * FRACTION_BITS - 26))

unsigned cgroup_resources_v2_cpu_weight(uint64_t shares)
{
	uint64_t log_shares = log2_fixed(shares < 2 ? 2 : shares > 262144 ? 262144 : shares);
	__int128 one = (__int128)1 << FRACTION_BITS;
	__int128 curve = ((__int128)log_shares * log_shares >> FRACTION_BITS) +
			 125 * (__int128)log_shares - 126 * one;
	unsigned low = 1, high = 10000;

	while (low < high) {
		unsigned middle = (low + high) / 2;

		if (612 * (__int128)log2_fixed(middle) * one + SLACK >= curve * LOG2_10)
			high = middle;
		else
			low = middle + 1;
	}
	return low;
}

unsigned cgroup_resources_v2_io_weight(uint32_t weight)
{
	uint32_t from_10 = weight < 10 ? 0 : weight > 1000 ? 990 : weight - 10;

	return 1 + from_10 * 9999 / 990;
}

/* WHAT is said as the subject: "a limit on kernel memory". */
static int no_form(const struct spec_resources *resources, const char *member, struct error *err)
{
	error_set(err, ERROR_UNSUPPORTED, "'%s' has no counterpart in cgroup v2", member + 1);
	return error_point(err, "%s%s", resources->pointer, member);
}

static void add(struct cgroup_batch *batch, const char *member, const char *file, const char *value)
{
	cgroup_batch_add(
		batch, &(struct cgroup_write){ .member = member, .file = file, .value = value });
}

static const char *bytes_or_max(struct cgroup_batch *batch, int64_t bytes)
{
	return bytes < 0 ? "max" : cgroup_batch_format(batch, "%" PRId64, bytes);
}

static bool is_given(struct spec_i64 value)
{
	return value.is_set && value.value;
}

static int check_memory(const struct spec_resources *resources, struct error *err)
{
	const struct spec_memory *memory = resources->memory;

	if (is_given(memory->kernel))
		return no_form(resources, "/memory/kernel", err);
	if (is_given(memory->kernel_tcp))
		return no_form(resources, "/memory/kernelTCP", err);
	if (memory->swappiness.is_set)
		return no_form(resources, "/memory/swappiness", err);
	if (memory->disable_oom_killer.is_set && memory->disable_oom_killer.value)
		return no_form(resources, "/memory/disableOOMKiller", err);
	if (memory->use_hierarchy.is_set && !memory->use_hierarchy.value)
		return no_form(resources, "/memory/useHierarchy", err);
	return 0;
}

/* What FILE holds now. A controller that is yet to be enabled has no file, and no limit. */
static int read_now(int dir_fd, const char *file, const char *otherwise,
	char ret_value[static CGROUP_VALUE_MAX], struct error *err)
{
	struct error failure = { 0 };

	if (dir_fd >= 0 && cgroup_file_read(dir_fd, file, ret_value, &failure) == 0)
		return 0;
	if (dir_fd >= 0 && failure.sys_errno != ENOENT) {
		*err = failure;
		return -1;
	}
	snprintf(ret_value, CGROUP_VALUE_MAX, "%s", otherwise);
	return 0;
}

/* The limit that swap counts from: the new one, or else the one in force; -1 for none. */
static int find_limit(
	const struct spec_memory *memory, int dir_fd, int64_t *ret_limit, struct error *err)
{
	char value[CGROUP_VALUE_MAX];

	*ret_limit = memory->limit.value;
	if (is_given(memory->limit))
		return 0;
	if (dir_fd < 0)
		return error_set(err, ERROR_SPEC,
			"a limit on memory and swap needs memory.limit, too, on cgroup v2");
	if (read_now(dir_fd, "memory.max", "max", value, err) < 0)
		return -1;
	if (number_parse_i64(value, ret_limit) < 0)
		*ret_limit = -1;
	return 0;
}

#define SWAP_HINT "swap accounting is off; boot with swapaccount=1"

/* v1 limits the sum of memory and swap, v2 swap alone. */
static int collect_swap(
	const struct spec_memory *memory, int dir_fd, struct cgroup_batch *batch, struct error *err)
{
	struct cgroup_write write = { .member = "/memory/swap",
		.file = "memory.swap.max",
		.value = "max",
		.hint = SWAP_HINT };
	int64_t limit, swap = memory->swap.value;

	if (!is_given(memory->swap)) {
		if (!is_given(memory->limit) || memory->limit.value > 0)
			return 0;
		/* As on v1, where unlimited memory can't have limited memory and swap. */
		write.member = "/memory/limit";
	} else if (swap > 0) {
		if (find_limit(memory, dir_fd, &limit, err) < 0)
			return -1;
		if (limit > swap)
			return error_set(err, ERROR_SPEC,
				"memory and swap, %" PRId64
				" bytes, is less than the memory limit, %" PRId64,
				swap, limit);
		write.value =
			cgroup_batch_format(batch, "%" PRId64, limit < 0 ? swap : swap - limit);
	}
	write.may_be_missing = strcmp(write.value, "max") == 0 || strcmp(write.value, "0") == 0;
	cgroup_batch_add(batch, &write);
	return 0;
}

/* Unlike v1's, v2's limit is set even when it is below the present use, and then kills. */
static int check_use(const struct spec_memory *memory, int dir_fd, const struct cgroup_batch *batch,
	struct error *err)
{
	char value[CGROUP_VALUE_MAX];
	uint64_t use;

	if (memory->limit.value <= 0)
		return 0;
	if (read_now(dir_fd, "memory.current", "0", value, err) < 0)
		return -1;
	if (number_parse_u64(value, UINT64_MAX, &use) < 0 || use <= (uint64_t)memory->limit.value)
		return 0;
	if (memory->check_before_update.is_set && memory->check_before_update.value)
		return error_set(err, ERROR_STATE,
			"memory limit %" PRId64 " is below the present use of %" PRIu64 " bytes",
			memory->limit.value, use);
	/* Once: what is only planned is collected as well. */
	if (batch->journal)
		log_warning("memory limit %" PRId64 " is below the present use of %" PRIu64
			    " bytes",
			memory->limit.value, use);
	return 0;
}

static int collect_memory(const struct spec_resources *resources, int dir_fd,
	struct cgroup_batch *batch, struct error *err)
{
	const struct spec_memory *memory = resources->memory;

	if (!memory)
		return 0;
	if (check_memory(resources, err) < 0)
		return -1;
	if (check_use(memory, dir_fd, batch, err) < 0)
		return error_point(err, "%s/memory/limit", resources->pointer);
	if (collect_swap(memory, dir_fd, batch, err) < 0)
		return error_point(err, "%s/memory/swap", resources->pointer);
	if (is_given(memory->reservation))
		add(batch, "/memory/reservation", "memory.low",
			bytes_or_max(batch, memory->reservation.value));
	if (is_given(memory->limit))
		add(batch, "/memory/limit", "memory.max", bytes_or_max(batch, memory->limit.value));
	return 0;
}

/* cpu.max takes "QUOTA PERIOD", and "QUOTA" alone keeps the period. */
static int collect_quota(
	const struct spec_cpu *cpu, int dir_fd, struct cgroup_batch *batch, struct error *err)
{
	bool has_period = cpu->period.is_set && cpu->period.value;
	const char *quota = bytes_or_max(batch, cpu->quota.value);
	char now[CGROUP_VALUE_MAX];

	if (!is_given(cpu->quota) && !has_period)
		return 0;
	if (!is_given(cpu->quota)) {
		if (read_now(dir_fd, "cpu.max", "max", now, err) < 0)
			return -1;
		now[strcspn(now, " ")] = '\0';
		quota = now;
	}
	cgroup_batch_add(
		batch, &(struct cgroup_write){
			       .member = is_given(cpu->quota) ? "/cpu/quota" : "/cpu/period",
			       .file = "cpu.max",
			       .value = has_period ? cgroup_batch_format(batch, "%s %" PRIu64,
							     quota, cpu->period.value)
						   : quota,
			       .hint = "CONFIG_CFS_BANDWIDTH" });
	return 0;
}

static int collect_cpu(const struct spec_resources *resources, int dir_fd,
	struct cgroup_batch *batch, struct error *err)
{
	const struct spec_cpu *cpu = resources->cpu;

	if (!cpu)
		return 0;
	if (is_given(cpu->realtime_runtime))
		return no_form(resources, "/cpu/realtimeRuntime", err);
	if (cpu->realtime_period.is_set && cpu->realtime_period.value)
		return no_form(resources, "/cpu/realtimePeriod", err);
	if (cpu->shares.is_set && cpu->shares.value)
		add(batch, "/cpu/shares", "cpu.weight",
			cgroup_batch_format(
				batch, "%u", cgroup_resources_v2_cpu_weight(cpu->shares.value)));
	if (collect_quota(cpu, dir_fd, batch, err) < 0)
		return error_point(err, "%s/cpu/period", resources->pointer);
	if (cpu->burst.is_set)
		cgroup_batch_add(batch,
			&(struct cgroup_write){ .member = "/cpu/burst",
				.file = "cpu.max.burst",
				.value = cgroup_batch_format(batch, "%" PRIu64, cpu->burst.value),
				.hint = "it came with Linux 5.14" });
	if (cpu->idle.is_set)
		cgroup_batch_add(batch,
			&(struct cgroup_write){ .member = "/cpu/idle",
				.file = "cpu.idle",
				.value = cgroup_batch_format(batch, "%" PRId64, cpu->idle.value),
				.hint = "it came with Linux 5.15" });
	return 0;
}

static int collect_cpuset(const struct spec_resources *resources, int dir_fd,
	struct cgroup_batch *batch, struct error *err)
{
	(void)dir_fd;
	(void)err;
	if (resources->cpu && resources->cpu->cpus)
		add(batch, "/cpu/cpus", "cpuset.cpus", resources->cpu->cpus);
	if (resources->cpu && resources->cpu->mems)
		add(batch, "/cpu/mems", "cpuset.mems", resources->cpu->mems);
	return 0;
}

static int collect_pids(const struct spec_resources *resources, int dir_fd,
	struct cgroup_batch *batch, struct error *err)
{
	(void)dir_fd;
	(void)err;
	if (resources->pids_limit.is_set)
		add(batch, "/pids/limit", "pids.max",
			bytes_or_max(batch, resources->pids_limit.value));
	return 0;
}

struct throttle {
	const char *member, *key;
	size_t offset;
};

/* One line of io.max names any of the four; each entry is a write of its own. */
static const struct throttle throttles[] = {
	{ "throttleReadBpsDevice", "rbps", offsetof(struct spec_block_io, read_bps) },
	{ "throttleWriteBpsDevice", "wbps", offsetof(struct spec_block_io, write_bps) },
	{ "throttleReadIOPSDevice", "riops", offsetof(struct spec_block_io, read_iops) },
	{ "throttleWriteIOPSDevice", "wiops", offsetof(struct spec_block_io, write_iops) },
};

static void collect_throttles(
	const struct spec_block_io *io, const struct throttle *throttle, struct cgroup_batch *batch)
{
	const struct spec_throttle_list *list =
		(const struct spec_throttle_list *)((const char *)io + throttle->offset);

	for (size_t i = 0; i < list->count; i++) {
		const struct spec_throttle_device *device = &list->items[i];
		/* As on v1, where 0 takes the limit away. */
		const char *rate =
			device->rate ? cgroup_batch_format(batch, "%" PRIu64, device->rate) : "max";

		add(batch, cgroup_batch_format(batch, "/blockIO/%s/%zu", throttle->member, i),
			"io.max",
			cgroup_batch_format(batch, "%" PRId64 ":%" PRId64 " %s=%s", device->major,
				device->minor, throttle->key, rate));
	}
}

#define WEIGHT_HINT "neither the BFQ I/O scheduler nor io.cost is there"

static int collect_weights(
	const struct spec_resources *resources, struct cgroup_batch *batch, struct error *err)
{
	const struct spec_block_io *io = resources->block_io;

	for (size_t i = 0; i < io->n_weight_devices; i++) {
		const struct spec_weight_device *device = &io->weight_devices[i];
		const char *member = cgroup_batch_format(batch, "/blockIO/weightDevice/%zu", i);

		if (device->leaf_weight.is_set && device->leaf_weight.value)
			return no_form(resources,
				cgroup_batch_format(batch, "%s/leafWeight", member), err);
		if (!device->weight.is_set || !device->weight.value)
			continue;
		cgroup_batch_add(batch,
			&(struct cgroup_write){ .member = member,
				.file = "io.bfq.weight",
				.value = cgroup_batch_format(batch,
					"%" PRId64 ":%" PRId64 " %" PRIu32, device->major,
					device->minor, device->weight.value),
				.other_file = "io.weight",
				.other_value = cgroup_batch_format(batch,
					"%" PRId64 ":%" PRId64 " %u", device->major, device->minor,
					cgroup_resources_v2_io_weight(device->weight.value)),
				.hint = WEIGHT_HINT });
	}
	return 0;
}

static int collect_io(const struct spec_resources *resources, int dir_fd,
	struct cgroup_batch *batch, struct error *err)
{
	const struct spec_block_io *io = resources->block_io;

	(void)dir_fd;
	if (!io)
		return 0;
	if (io->leaf_weight.is_set && io->leaf_weight.value)
		return no_form(resources, "/blockIO/leafWeight", err);
	if (io->weight.is_set && io->weight.value)
		cgroup_batch_add(batch,
			&(struct cgroup_write){ .member = "/blockIO/weight",
				.file = "io.bfq.weight",
				.value = cgroup_batch_format(batch, "%" PRIu32, io->weight.value),
				.other_file = "io.weight",
				.other_value = cgroup_batch_format(batch, "%u",
					cgroup_resources_v2_io_weight(io->weight.value)),
				.hint = WEIGHT_HINT });
	if (collect_weights(resources, batch, err) < 0)
		return -1;
	for (size_t i = 0; i < array_size(throttles); i++)
		collect_throttles(io, &throttles[i], batch);
	return 0;
}

/* Reservations count too, where the kernel can (Linux 5.7): hugetlb.rst. */
static int collect_hugetlb(const struct spec_resources *resources, int dir_fd,
	struct cgroup_batch *batch, struct error *err)
{
	(void)dir_fd;
	(void)err;
	for (size_t i = 0; i < resources->n_hugepage_limits; i++) {
		const struct spec_hugepage_limit *limit = &resources->hugepage_limits[i];
		struct cgroup_write write = {
			.member = cgroup_batch_format(batch, "/hugepageLimits/%zu", i),
			.file = cgroup_batch_format(batch, "hugetlb.%s.max", limit->page_size),
			.value = cgroup_batch_format(batch, "%" PRIu64, limit->limit),
			.hint = "the kernel has no huge pages of this size",
		};

		cgroup_batch_add(batch, &write);
		write.file = cgroup_batch_format(batch, "hugetlb.%s.rsvd.max", limit->page_size);
		write.may_be_missing = true;
		cgroup_batch_add(batch, &write);
	}
	return 0;
}

static int collect_rdma(const struct spec_resources *resources, int dir_fd,
	struct cgroup_batch *batch, struct error *err)
{
	(void)dir_fd;
	(void)err;
	for (size_t i = 0; i < resources->n_rdma; i++) {
		const struct spec_rdma *rdma = &resources->rdma[i];
		const char *handles = "", *objects = "";

		if (rdma->hca_handles.is_set)
			handles = cgroup_batch_format(
				batch, " hca_handle=%" PRIu32, rdma->hca_handles.value);
		if (rdma->hca_objects.is_set)
			objects = cgroup_batch_format(
				batch, " hca_object=%" PRIu32, rdma->hca_objects.value);
		add(batch, cgroup_batch_join(batch, "/rdma", rdma->device), "rdma.max",
			cgroup_batch_format(batch, "%s%s%s", rdma->device, handles, objects));
	}
	return 0;
}

static int collect_net_cls(const struct spec_resources *resources, int dir_fd,
	struct cgroup_batch *batch, struct error *err)
{
	(void)dir_fd;
	(void)batch;
	if (resources->network && resources->network->class_id.is_set)
		return no_form(resources, "/network/classID", err);
	return 0;
}

static int collect_net_prio(const struct spec_resources *resources, int dir_fd,
	struct cgroup_batch *batch, struct error *err)
{
	(void)dir_fd;
	(void)batch;
	if (resources->network && resources->network->n_priorities)
		return no_form(resources, "/network/priorities", err);
	return 0;
}

const struct cgroup_v2_controller cgroup_resources_v2_controllers[] = {
	{ "pids", NULL, collect_pids },
	{ "cpuset", NULL, collect_cpuset },
	{ "cpu", NULL, collect_cpu },
	{ "io", "blkio", collect_io },
	{ "hugetlb", NULL, collect_hugetlb },
	{ "rdma", NULL, collect_rdma },
	{ "net_cls", NULL, collect_net_cls },
	{ "net_prio", NULL, collect_net_prio },
	{ "memory", NULL, collect_memory },
	{ NULL, NULL, NULL },
};
