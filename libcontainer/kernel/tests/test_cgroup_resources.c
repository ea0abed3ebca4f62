/* SPDX-License-Identifier: Apache-2.0 */
/* linux.resources as lines for cgroup files: conversions and their errors, without a kernel. */
#include <string.h>

#include "base/text.h"
#include "libcontainer/kernel/cgroup_resources_v1.h"
#include "libcontainer/kernel/cgroup_resources_v2.h"
#include "libcontainer/kernel/cgroup_unified.h"
#include "libcontainer/kernel/tests/cgroup_resources.h"
#include "libcontainer/kernel/tests/suite.h"

static void render(const struct cgroup_batch *batch, struct text *ret_text)
{
	ck_assert(!batch->has_failed);
	for (size_t i = 0; i < batch->count; i++) {
		const struct cgroup_write *write = &batch->items[i];

		text_appendf(ret_text, "%s=%s", write->file, write->value);
		if (write->other_file)
			text_appendf(ret_text, " or %s=%s", write->other_file,
				write->other_value ?: write->value);
		text_append(ret_text, write->may_be_missing ? "?;" : ";");
	}
}

static const struct {
	const char *json, *v1, *v2; /* NULL: not asked */
} values[] = {
	{ "{}", "", "" },
	{ "{\"memory\":{\"limit\":1000,\"reservation\":500}}",
		"memory.limit_in_bytes=1000;memory.soft_limit_in_bytes=500;",
		"memory.low=500;memory.max=1000;" },
	{ "{\"memory\":{\"limit\":1000,\"swap\":3000}}",
		"memory.limit_in_bytes=1000;memory.memsw.limit_in_bytes=3000;",
		"memory.swap.max=2000;memory.max=1000;" },
	{ "{\"memory\":{\"limit\":1000,\"swap\":1000}}", NULL,
		"memory.swap.max=0?;memory.max=1000;" },
	{ "{\"memory\":{\"limit\":1000,\"swap\":-1}}",
		"memory.limit_in_bytes=1000;memory.memsw.limit_in_bytes=-1?;",
		"memory.swap.max=max?;memory.max=1000;" },
	{ "{\"memory\":{\"limit\":-1}}",
		"memory.memsw.limit_in_bytes=-1?;memory.limit_in_bytes=-1;",
		"memory.swap.max=max?;memory.max=max;" },
	{ "{\"memory\":{\"limit\":-1,\"swap\":-1}}",
		"memory.limit_in_bytes=-1;memory.memsw.limit_in_bytes=-1?;",
		"memory.swap.max=max?;memory.max=max;" },
	{ "{\"memory\":{\"limit\":-1,\"swap\":3000}}", NULL,
		"memory.swap.max=3000;memory.max=max;" },
	{ "{\"memory\":{\"reservation\":-1}}", "memory.soft_limit_in_bytes=-1;",
		"memory.low=max;" },
	/* Engines' zeros */
	{ "{\"memory\":{\"limit\":0,\"swap\":0,\"reservation\":0,\"kernel\":0,\"kernelTCP\":0,"
	  "\"disableOOMKiller\":false},\"cpu\":{\"shares\":0,\"quota\":0,\"period\":0,"
	  "\"realtimeRuntime\":0,\"realtimePeriod\":0},\"blockIO\":{\"weight\":0,"
	  "\"weightDevice\":[{\"major\":8,\"minor\":0,\"weight\":0,\"leafWeight\":0}]}}",
		"", "" },
	{ "{\"memory\":{\"kernel\":1,\"kernelTCP\":2,\"swappiness\":0,\"disableOOMKiller\":true,"
	  "\"useHierarchy\":true}}",
		"memory.kmem.limit_in_bytes=1;memory.kmem.tcp.limit_in_bytes=2;memory.swappiness=0;"
		"memory.oom_control=1;memory.use_hierarchy=1;",
		NULL },
	{ "{\"memory\":{\"useHierarchy\":true}}", NULL, "" },
	{ "{\"cpu\":{\"shares\":1024}}", "cpu.shares=1024;", "cpu.weight=100;" },
	{ "{\"cpu\":{\"quota\":50000}}", "cpu.cfs_quota_us=50000;", "cpu.max=50000;" },
	{ "{\"cpu\":{\"quota\":-1}}", "cpu.cfs_quota_us=-1;", "cpu.max=max;" },
	{ "{\"cpu\":{\"period\":5000}}", "cpu.cfs_period_us=5000;", "cpu.max=max 5000;" },
	{ "{\"cpu\":{\"quota\":1000,\"period\":5000,\"burst\":500}}",
		"cpu.cfs_period_us=5000;cpu.cfs_quota_us=1000;cpu.cfs_burst_us=500;",
		"cpu.max=1000 5000;cpu.max.burst=500;" },
	{ "{\"cpu\":{\"idle\":1}}", "cpu.idle=1;", "cpu.idle=1;" },
	{ "{\"cpu\":{\"realtimeRuntime\":1,\"realtimePeriod\":2}}",
		"cpu.rt_period_us=2;cpu.rt_runtime_us=1;", NULL },
	{ "{\"cpu\":{\"cpus\":\"0-1\",\"mems\":\"0\"}}", "cpuset.cpus=0-1;cpuset.mems=0;",
		"cpuset.cpus=0-1;cpuset.mems=0;" },
	{ "{\"cpu\":{\"cpus\":\"\",\"mems\":\"\"}}", "", "" },
	{ "{\"pids\":{\"limit\":0}}", "pids.max=0;", "pids.max=0;" },
	{ "{\"pids\":{\"limit\":-1}}", "pids.max=max;", "pids.max=max;" },
	{ "{\"pids\":{\"limit\":7}}", "pids.max=7;", "pids.max=7;" },
	{ "{\"blockIO\":{\"weight\":500}}", "blkio.weight=500 or blkio.bfq.weight=500;",
		"io.bfq.weight=500 or io.weight=4950;" },
	{ "{\"blockIO\":{\"leafWeight\":500}}", "blkio.leaf_weight=500;", NULL },
	{ "{\"blockIO\":{\"weightDevice\":[{\"major\":8,\"minor\":0,\"weight\":10}]}}",
		"blkio.weight_device=8:0 10 or blkio.bfq.weight_device=8:0 10;",
		"io.bfq.weight=8:0 10 or io.weight=8:0 1;" },
	{ "{\"blockIO\":{\"throttleReadBpsDevice\":[{\"major\":8,\"minor\":0,\"rate\":600}],"
	  "\"throttleWriteBpsDevice\":[{\"major\":8,\"minor\":1,\"rate\":700}],"
	  "\"throttleReadIOPSDevice\":[{\"major\":8,\"minor\":2,\"rate\":800}],"
	  "\"throttleWriteIOPSDevice\":[{\"major\":8,\"minor\":3,\"rate\":0}]}}",
		"blkio.throttle.read_bps_device=8:0 600;blkio.throttle.write_bps_device=8:1 700;"
		"blkio.throttle.read_iops_device=8:2 800;blkio.throttle.write_iops_device=8:3 0;",
		"io.max=8:0 rbps=600;io.max=8:1 wbps=700;io.max=8:2 riops=800;"
		"io.max=8:3 wiops=max;" },
	{ "{\"hugepageLimits\":[{\"pageSize\":\"2MB\",\"limit\":4194304}]}",
		"hugetlb.2MB.limit_in_bytes=4194304;hugetlb.2MB.rsvd.limit_in_bytes=4194304?;",
		"hugetlb.2MB.max=4194304;hugetlb.2MB.rsvd.max=4194304?;" },
	{ "{\"rdma\":{\"mlx5_1\":{\"hcaHandles\":3,\"hcaObjects\":4},\"a\":{\"hcaObjects\":5}}}",
		"rdma.max=mlx5_1 hca_handle=3 hca_object=4;rdma.max=a hca_object=5;",
		"rdma.max=mlx5_1 hca_handle=3 hca_object=4;rdma.max=a hca_object=5;" },
	{ "{\"network\":{\"classID\":1048577,\"priorities\":[{\"name\":\"eth0\",\"priority\":3}]}}",
		"net_cls.classid=1048577;net_prio.ifpriomap=eth0 3;", NULL },
};

START_TEST(values_for_v1)
{
	cleanup_document struct spec_document *document = NULL;
	const struct spec_resources *resources = cgroup_resources_parse(values[_i].json, &document);
	cleanup_text struct text text = { 0 };

	text_append(&text, "");
	if (!values[_i].v1)
		return;
	for (const struct cgroup_v1_controller *row = cgroup_resources_v1_controllers; row->name;
		row++) {
		cleanup_batch struct cgroup_batch batch = { 0 };

		row->collect(resources, &batch);
		render(&batch, &text);
	}
	ck_assert_str_eq(text.data, values[_i].v1);
}
END_TEST

static int collect_v2(
	const struct spec_resources *resources, struct text *ret_text, struct error *err)
{
	text_append(ret_text, "");
	for (const struct cgroup_v2_controller *row = cgroup_resources_v2_controllers; row->name;
		row++) {
		cleanup_batch struct cgroup_batch batch = { 0 };

		if (row->collect(resources, -1, &batch, err) < 0)
			return -1;
		render(&batch, ret_text);
	}
	return 0;
}

START_TEST(values_for_v2)
{
	cleanup_document struct spec_document *document = NULL;
	const struct spec_resources *resources = cgroup_resources_parse(values[_i].json, &document);
	cleanup_text struct text text = { 0 };
	struct error err = { 0 };

	if (!values[_i].v2)
		return;
	suite_assert_done(collect_v2(resources, &text, &err), err);
	ck_assert_str_eq(text.data, values[_i].v2);
}
END_TEST

static const struct {
	const char *json, *pointer;
	enum error_kind kind;
} refusals[] = {
	{ "{\"memory\":{\"kernel\":1}}", "/memory/kernel", ERROR_UNSUPPORTED },
	{ "{\"memory\":{\"kernelTCP\":1}}", "/memory/kernelTCP", ERROR_UNSUPPORTED },
	{ "{\"memory\":{\"swappiness\":0}}", "/memory/swappiness", ERROR_UNSUPPORTED },
	{ "{\"memory\":{\"disableOOMKiller\":true}}", "/memory/disableOOMKiller",
		ERROR_UNSUPPORTED },
	{ "{\"memory\":{\"useHierarchy\":false}}", "/memory/useHierarchy", ERROR_UNSUPPORTED },
	{ "{\"memory\":{\"swap\":1}}", "/memory/swap", ERROR_SPEC },
	{ "{\"cpu\":{\"realtimeRuntime\":1}}", "/cpu/realtimeRuntime", ERROR_UNSUPPORTED },
	{ "{\"cpu\":{\"realtimePeriod\":1}}", "/cpu/realtimePeriod", ERROR_UNSUPPORTED },
	{ "{\"blockIO\":{\"leafWeight\":10}}", "/blockIO/leafWeight", ERROR_UNSUPPORTED },
	{ "{\"blockIO\":{\"weightDevice\":[{\"major\":8,\"minor\":0,\"leafWeight\":10}]}}",
		"/blockIO/weightDevice/0/leafWeight", ERROR_UNSUPPORTED },
	{ "{\"network\":{\"classID\":1}}", "/network/classID", ERROR_UNSUPPORTED },
	{ "{\"network\":{\"priorities\":[{\"name\":\"eth0\",\"priority\":3}]}}",
		"/network/priorities", ERROR_UNSUPPORTED },
};

START_TEST(what_v2_lacks_is_an_error)
{
	cleanup_document struct spec_document *document = NULL;
	const struct spec_resources *resources =
		cgroup_resources_parse(refusals[_i].json, &document);
	cleanup_text struct text text = { 0 };
	struct error err = { 0 };

	ck_assert_int_eq(collect_v2(resources, &text, &err), -1);
	ck_assert_str_eq(err.pointer, refusals[_i].pointer);
	ck_assert_int_eq(err.kind, refusals[_i].kind);
}
END_TEST

START_TEST(shares_become_weights)
{
	static const unsigned vectors[][2] = { { 1, 1 }, { 2, 1 }, { 10, 4 }, { 50, 10 },
		{ 100, 17 }, { 102, 17 }, { 128, 21 }, { 204, 29 }, { 256, 35 }, { 512, 59 },
		{ 1000, 99 }, { 1023, 100 }, { 1024, 100 }, { 1025, 101 }, { 2048, 174 },
		{ 4096, 303 }, { 8192, 532 }, { 10240, 639 }, { 65536, 3023 }, { 131072, 5478 },
		{ 262144, 10000 }, { 300000, 10000 } };

	for (size_t i = 0; i < array_size(vectors); i++)
		ck_assert_uint_eq(cgroup_resources_v2_cpu_weight(vectors[i][0]), vectors[i][1]);
	ck_assert_uint_eq(cgroup_resources_v2_cpu_weight(UINT64_MAX), 10000);
}
END_TEST

START_TEST(weights_become_weights)
{
	static const unsigned vectors[][2] = { { 0, 1 }, { 9, 1 }, { 10, 1 }, { 100, 910 },
		{ 500, 4950 }, { 1000, 10000 }, { 5000, 10000 } };

	for (size_t i = 0; i < array_size(vectors); i++)
		ck_assert_uint_eq(cgroup_resources_v2_io_weight(vectors[i][0]), vectors[i][1]);
}
END_TEST

START_TEST(unified_is_a_line_a_write)
{
	cleanup_document struct spec_document *document = NULL;
	const struct spec_resources *resources = cgroup_resources_parse(
		"{\"unified\":{\"memory.max\":\"1\",\"io.max\":\"8:0 rbps=1\\n8:16 rbps=2\\n\","
		"\"cpuset.cpus\":\"\",\"cgroup.max~depth\":\"3\"}}",
		&document);
	cleanup_batch struct cgroup_batch batch = { 0 };
	cleanup_text struct text text = { 0 };
	struct error err = { 0 };

	suite_assert_done(cgroup_unified_collect(resources, &batch, &err), err);
	render(&batch, &text);
	ck_assert_str_eq(text.data, "io.max=8:0 rbps=1\n;io.max=8:16 rbps=2\n;cpuset.cpus=\n;"
				    "cgroup.max~depth=3\n;memory.max=1\n;");
	ck_assert_str_eq(batch.items[1].member, "/unified/io.max");
	ck_assert_str_eq(batch.items[3].member, "/unified/cgroup.max~0depth");
}
END_TEST

START_TEST(unified_keys_are_file_names)
{
	static const char *const keys[] = { "../memory.max", "/x", "", ".", "..", "a/b" };
	struct spec_pair pair = { keys[_i], "1" };
	const struct spec_resources resources = { .pointer = "/linux/resources",
		.unified = { &pair, 1 } };
	cleanup_batch struct cgroup_batch batch = { 0 };
	struct error err = { 0 };

	ck_assert_int_eq(cgroup_unified_collect(&resources, &batch, &err), -1);
	ck_assert_str_eq(err.pointer, "/linux/resources/unified");
}
END_TEST

START_TEST(unified_wants_controllers)
{
	struct cgroup_wants wants = { 0 };
	struct error err = { 0 };

	suite_assert_done(cgroup_unified_want("memory.high", "/a", &wants, &err), err);
	suite_assert_done(cgroup_unified_want("memory.max", "/b", &wants, &err), err);
	suite_assert_done(cgroup_unified_want("cgroup.max.depth", "/c", &wants, &err), err);
	suite_assert_done(cgroup_unified_want("dmem.max", "/d", &wants, &err), err);
	ck_assert_uint_eq(wants.count, 2);
	ck_assert_str_eq(wants.items[0].controller, "memory");
	ck_assert_str_eq(wants.items[0].pointer, "/a");
	ck_assert_str_eq(wants.items[1].controller, "dmem");
}
END_TEST

int main(void)
{
	TCase *tests = tcase_create("cgroup_resources");

	tcase_add_loop_test(tests, values_for_v1, 0, array_size(values));
	tcase_add_loop_test(tests, values_for_v2, 0, array_size(values));
	tcase_add_loop_test(tests, what_v2_lacks_is_an_error, 0, array_size(refusals));
	tcase_add_test(tests, shares_become_weights);
	tcase_add_test(tests, weights_become_weights);
	tcase_add_test(tests, unified_is_a_line_a_write);
	tcase_add_loop_test(tests, unified_keys_are_file_names, 0, 6);
	tcase_add_test(tests, unified_wants_controllers);
	return suite_run(tests);
}
