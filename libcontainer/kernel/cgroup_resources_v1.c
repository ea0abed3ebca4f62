/* SPDX-License-Identifier: Apache-2.0 */
#include "libcontainer/kernel/cgroup_resources_v1.h"

#include <inttypes.h>
#include <stddef.h>
#include <string.h>

enum kind { KIND_I64, KIND_U64, KIND_U32, KIND_BOOL, KIND_STRING };

/* A member that is one value in one file. */
struct row {
	const char *member;
	size_t offset; /* in the struct of the member's object */
	enum kind kind;
	bool is_zero_unset; /* engines send 0 for what they leave alone */
	struct cgroup_write write;
	bool may_be_missing_at_max; /* -1 is what holds without the file */
};

static const struct row memory_rows[] = {
	{ "/memory/limit", offsetof(struct spec_memory, limit), KIND_I64, true,
		{ .file = "memory.limit_in_bytes" } },
	{ "/memory/swap", offsetof(struct spec_memory, swap), KIND_I64, true,
		{ .file = "memory.memsw.limit_in_bytes",
			.hint = "swap accounting is off; boot with swapaccount=1" },
		.may_be_missing_at_max = true },
	{ "/memory/reservation", offsetof(struct spec_memory, reservation), KIND_I64, true,
		{ .file = "memory.soft_limit_in_bytes" } },
	{ "/memory/kernel", offsetof(struct spec_memory, kernel), KIND_I64, true,
		{ .file = "memory.kmem.limit_in_bytes" } },
	{ "/memory/kernelTCP", offsetof(struct spec_memory, kernel_tcp), KIND_I64, true,
		{ .file = "memory.kmem.tcp.limit_in_bytes" } },
	{ "/memory/swappiness", offsetof(struct spec_memory, swappiness), KIND_U64, false,
		{ .file = "memory.swappiness" } },
	{ "/memory/disableOOMKiller", offsetof(struct spec_memory, disable_oom_killer), KIND_BOOL,
		true, { .file = "memory.oom_control" } },
	{ "/memory/useHierarchy", offsetof(struct spec_memory, use_hierarchy), KIND_BOOL, false,
		{ .file = "memory.use_hierarchy" } },
};

static const struct row cpu_rows[] = {
	{ "/cpu/shares", offsetof(struct spec_cpu, shares), KIND_U64, true,
		{ .file = "cpu.shares" } },
	{ "/cpu/period", offsetof(struct spec_cpu, period), KIND_U64, true,
		{ .file = "cpu.cfs_period_us", .hint = "CONFIG_CFS_BANDWIDTH" } },
	{ "/cpu/quota", offsetof(struct spec_cpu, quota), KIND_I64, true,
		{ .file = "cpu.cfs_quota_us", .hint = "CONFIG_CFS_BANDWIDTH" } },
	{ "/cpu/burst", offsetof(struct spec_cpu, burst), KIND_U64, false,
		{ .file = "cpu.cfs_burst_us", .hint = "it came with Linux 5.14" } },
	{ "/cpu/realtimePeriod", offsetof(struct spec_cpu, realtime_period), KIND_U64, true,
		{ .file = "cpu.rt_period_us", .hint = "CONFIG_RT_GROUP_SCHED" } },
	{ "/cpu/realtimeRuntime", offsetof(struct spec_cpu, realtime_runtime), KIND_I64, true,
		{ .file = "cpu.rt_runtime_us", .hint = "CONFIG_RT_GROUP_SCHED" } },
	{ "/cpu/idle", offsetof(struct spec_cpu, idle), KIND_I64, false,
		{ .file = "cpu.idle", .hint = "it came with Linux 5.15" } },
};

static const struct row cpuset_rows[] = {
	{ "/cpu/cpus", offsetof(struct spec_cpu, cpus), KIND_STRING, true,
		{ .file = "cpuset.cpus" } },
	{ "/cpu/mems", offsetof(struct spec_cpu, mems), KIND_STRING, true,
		{ .file = "cpuset.mems" } },
};

#define LEAF_HINT "it went with Linux 5.0"

static const struct row block_io_rows[] = {
	{ "/blockIO/weight", offsetof(struct spec_block_io, weight), KIND_U32, true,
		{ .file = "blkio.weight",
			.other_file = "blkio.bfq.weight",
			.hint = "the BFQ I/O scheduler is not loaded" } },
	{ "/blockIO/leafWeight", offsetof(struct spec_block_io, leaf_weight), KIND_U32, true,
		{ .file = "blkio.leaf_weight", .hint = LEAF_HINT } },
};

/* Members that a row points at have an is_set before their value, but for strings. */
static const char *format(struct cgroup_batch *batch, const struct row *row, const void *object)
{
	const void *at = (const char *)object + row->offset;
	const struct spec_i64 *i64 = at;
	const struct spec_u64 *u64 = at;
	const struct spec_u32 *u32 = at;
	const struct spec_bool *boolean = at;
	bool wants_zero = !row->is_zero_unset;

	switch (row->kind) {
	case KIND_I64:
		if (i64->is_set && (i64->value || wants_zero))
			return cgroup_batch_format(batch, "%" PRId64, i64->value);
		return NULL;
	case KIND_U64:
		if (u64->is_set && (u64->value || wants_zero))
			return cgroup_batch_format(batch, "%" PRIu64, u64->value);
		return NULL;
	case KIND_U32:
		if (u32->is_set && (u32->value || wants_zero))
			return cgroup_batch_format(batch, "%" PRIu32, u32->value);
		return NULL;
	case KIND_BOOL:
		if (boolean->is_set && (boolean->value || wants_zero))
			return boolean->value ? "1" : "0";
		return NULL;
	case KIND_STRING:
		return *(const char *const *)at;
	}
	return NULL;
}

static void collect_rows(
	const struct row *rows, size_t count, const void *object, struct cgroup_batch *batch)
{
	for (size_t i = 0; i < count; i++) {
		struct cgroup_write write = rows[i].write;

		write.member = rows[i].member;
		write.value = format(batch, &rows[i], object);
		write.may_be_missing =
			rows[i].may_be_missing_at_max && write.value && !strcmp(write.value, "-1");
		if (write.value)
			cgroup_batch_add(batch, &write);
	}
}

static void collect_memory(const struct spec_resources *resources, struct cgroup_batch *batch)
{
	const struct spec_memory *memory = resources->memory;

	if (!memory)
		return;
	/* Unlimited memory and a limit on memory with swap exclude each other. */
	if (memory->limit.is_set && memory->limit.value < 0 && !memory->swap.is_set)
		cgroup_batch_add(batch, &(struct cgroup_write){ .member = "/memory/limit",
						.file = "memory.memsw.limit_in_bytes",
						.value = "-1",
						.may_be_missing = true });
	collect_rows(memory_rows, array_size(memory_rows), memory, batch);
	/* A new group has the killer on. */
	if (batch->journal && memory->disable_oom_killer.is_set &&
		!memory->disable_oom_killer.value)
		cgroup_batch_add(
			batch, &(struct cgroup_write){ .member = "/memory/disableOOMKiller",
				       .file = "memory.oom_control",
				       .value = "0" });
}

static void collect_cpu(const struct spec_resources *resources, struct cgroup_batch *batch)
{
	if (resources->cpu)
		collect_rows(cpu_rows, array_size(cpu_rows), resources->cpu, batch);
}

static void collect_cpuset(const struct spec_resources *resources, struct cgroup_batch *batch)
{
	if (resources->cpu)
		collect_rows(cpuset_rows, array_size(cpuset_rows), resources->cpu, batch);
}

static void collect_pids(const struct spec_resources *resources, struct cgroup_batch *batch)
{
	int64_t limit = resources->pids_limit.value;

	if (!resources->pids_limit.is_set)
		return;
	cgroup_batch_add(batch,
		&(struct cgroup_write){ .member = "/pids/limit",
			.file = "pids.max",
			.value = limit < 0 ? "max"
					   : cgroup_batch_format(batch, "%" PRId64, limit) });
}

static void add_weight_device(struct cgroup_batch *batch, size_t index, const char *file,
	const struct spec_weight_device *device, bool is_leaf)
{
	uint32_t weight = is_leaf ? device->leaf_weight.value : device->weight.value;

	cgroup_batch_add(batch,
		&(struct cgroup_write){
			.member = cgroup_batch_format(batch, "/blockIO/weightDevice/%zu/%s", index,
				is_leaf ? "leafWeight" : "weight"),
			.file = file,
			.other_file = is_leaf ? NULL : "blkio.bfq.weight_device",
			.value = cgroup_batch_format(batch, "%" PRId64 ":%" PRId64 " %" PRIu32,
				device->major, device->minor, weight),
			.hint = is_leaf ? LEAF_HINT : "the BFQ I/O scheduler is not loaded",
		});
}

static void collect_throttles(struct cgroup_batch *batch, const struct spec_throttle_list *list,
	const char *member, const char *file)
{
	for (size_t i = 0; i < list->count; i++) {
		const struct spec_throttle_device *device = &list->items[i];

		cgroup_batch_add(batch,
			&(struct cgroup_write){
				.member = cgroup_batch_format(batch, "/blockIO/%s/%zu", member, i),
				.file = file,
				.value = cgroup_batch_format(batch,
					"%" PRId64 ":%" PRId64 " %" PRIu64, device->major,
					device->minor, device->rate),
				.hint = "CONFIG_BLK_DEV_THROTTLING" });
	}
}

static void collect_block_io(const struct spec_resources *resources, struct cgroup_batch *batch)
{
	const struct spec_block_io *io = resources->block_io;

	if (!io)
		return;
	collect_rows(block_io_rows, array_size(block_io_rows), io, batch);
	for (size_t i = 0; i < io->n_weight_devices; i++) {
		const struct spec_weight_device *device = &io->weight_devices[i];

		if (device->weight.is_set && device->weight.value)
			add_weight_device(batch, i, "blkio.weight_device", device, false);
		if (device->leaf_weight.is_set && device->leaf_weight.value)
			add_weight_device(batch, i, "blkio.leaf_weight_device", device, true);
	}
	collect_throttles(
		batch, &io->read_bps, "throttleReadBpsDevice", "blkio.throttle.read_bps_device");
	collect_throttles(
		batch, &io->write_bps, "throttleWriteBpsDevice", "blkio.throttle.write_bps_device");
	collect_throttles(
		batch, &io->read_iops, "throttleReadIOPSDevice", "blkio.throttle.read_iops_device");
	collect_throttles(batch, &io->write_iops, "throttleWriteIOPSDevice",
		"blkio.throttle.write_iops_device");
}

/* Reservations count too, where the kernel can (Linux 5.7): hugetlb.rst. */
static void collect_hugetlb(const struct spec_resources *resources, struct cgroup_batch *batch)
{
	for (size_t i = 0; i < resources->n_hugepage_limits; i++) {
		const struct spec_hugepage_limit *limit = &resources->hugepage_limits[i];
		struct cgroup_write write = {
			.member = cgroup_batch_format(batch, "/hugepageLimits/%zu", i),
			.file = cgroup_batch_format(
				batch, "hugetlb.%s.limit_in_bytes", limit->page_size),
			.value = cgroup_batch_format(batch, "%" PRIu64, limit->limit),
			.hint = "the kernel has no huge pages of this size",
		};

		cgroup_batch_add(batch, &write);
		write.file = cgroup_batch_format(
			batch, "hugetlb.%s.rsvd.limit_in_bytes", limit->page_size);
		write.may_be_missing = true;
		cgroup_batch_add(batch, &write);
	}
}

static void collect_rdma(const struct spec_resources *resources, struct cgroup_batch *batch)
{
	for (size_t i = 0; i < resources->n_rdma; i++) {
		const struct spec_rdma *rdma = &resources->rdma[i];
		const char *handles = "", *objects = "";

		if (rdma->hca_handles.is_set)
			handles = cgroup_batch_format(
				batch, " hca_handle=%" PRIu32, rdma->hca_handles.value);
		if (rdma->hca_objects.is_set)
			objects = cgroup_batch_format(
				batch, " hca_object=%" PRIu32, rdma->hca_objects.value);
		cgroup_batch_add(batch, &(struct cgroup_write){ .member = cgroup_batch_join(batch,
									"/rdma", rdma->device),
						.file = "rdma.max",
						.value = cgroup_batch_format(batch, "%s%s%s",
							rdma->device, handles, objects) });
	}
}

static void collect_net_cls(const struct spec_resources *resources, struct cgroup_batch *batch)
{
	const struct spec_net_cgroup *network = resources->network;

	if (network && network->class_id.is_set)
		cgroup_batch_add(batch, &(struct cgroup_write){ .member = "/network/classID",
						.file = "net_cls.classid",
						.value = cgroup_batch_format(batch, "%" PRIu32,
							network->class_id.value) });
}

static void collect_net_prio(const struct spec_resources *resources, struct cgroup_batch *batch)
{
	const struct spec_net_cgroup *network = resources->network;

	for (size_t i = 0; network && i < network->n_priorities; i++)
		cgroup_batch_add(batch,
			&(struct cgroup_write){
				.member = cgroup_batch_format(batch, "/network/priorities/%zu", i),
				.file = "net_prio.ifpriomap",
				.value = cgroup_batch_format(batch, "%s %" PRIu32,
					network->priorities[i].name,
					network->priorities[i].priority) });
}

const struct cgroup_v1_controller cgroup_resources_v1_controllers[] = {
	{ "pids", collect_pids },
	{ "cpuset", collect_cpuset },
	{ "cpu", collect_cpu },
	{ "blkio", collect_block_io },
	{ "hugetlb", collect_hugetlb },
	{ "rdma", collect_rdma },
	{ "net_cls", collect_net_cls },
	{ "net_prio", collect_net_prio },
	{ "memory", collect_memory },
	{ NULL, NULL },
};
