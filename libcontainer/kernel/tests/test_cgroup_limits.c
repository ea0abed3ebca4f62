/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Each member of linux.resources, written and read back from the kernel's
 * files: on the host's hierarchies, and with cgroup2 alone. Rows for
 * controllers that a view has not are left out, and said.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/file.h"
#include "base/text.h"
#include "libcontainer/kernel/cgroup.h"
#include "libcontainer/kernel/cgroup_layout.h"
#include "libcontainer/kernel/cgroup_oom.h"
#include "libcontainer/kernel/cgroup_stats.h"
#include "libcontainer/kernel/tests/cgroup_resources.h"
#include "libcontainer/kernel/tests/cgroup_view.h"
#include "libcontainer/kernel/tests/suite.h"

static struct error err;

static const struct spec_resources nothing = { .pointer = "" };

static struct cgroup *make_for(const struct spec_resources *resources)
{
	const struct cgroup_request request = {
		.path = cgroup_view_path("limits"), .id = "none", .resources = resources
	};
	struct cgroup *cgroup;

	if (cgroup_plan(&request, &cgroup, &err) < 0)
		return NULL;
	if (cgroup_make(cgroup, &err) == 0)
		return cgroup;
	cgroup_free(cgroup);
	return NULL;
}

static void finish(struct cgroup *cgroup)
{
	suite_assert_done(cgroup_remove(cgroup, &err), err);
	cgroup_free(cgroup);
	cgroup_view_assert_clean();
}

static const struct {
	const char *json, *controller;
	const char *v1_file, *v1_value; /* the line that begins so; NULL: v1 is not asked */
	const char *v2_file, *v2_value;
} rows[] = {
	{ "{\"pids\":{\"limit\":77}}", "pids", "pids.max", "77", "pids.max", "77" },
	{ "{\"pids\":{\"limit\":-1}}", "pids", "pids.max", "max", "pids.max", "max" },
	{ "{\"memory\":{\"limit\":67108864}}", "memory", "memory.limit_in_bytes", "67108864",
		"memory.max", "67108864" },
	{ "{\"memory\":{\"limit\":67108864,\"swap\":134217728}}", "memory",
		"memory.memsw.limit_in_bytes", "134217728", "memory.swap.max", "67108864" },
	{ "{\"memory\":{\"limit\":-1,\"swap\":-1}}", "memory", "memory.limit_in_bytes",
		"9223372036854771712", "memory.max", "max" },
	{ "{\"memory\":{\"reservation\":33554432}}", "memory", "memory.soft_limit_in_bytes",
		"33554432", "memory.low", "33554432" },
	{ "{\"memory\":{\"swappiness\":17}}", "memory", "memory.swappiness", "17", NULL, NULL },
	{ "{\"memory\":{\"disableOOMKiller\":true}}", "memory", "memory.oom_control",
		"oom_kill_disable 1", NULL, NULL },
	{ "{\"memory\":{\"useHierarchy\":true}}", "memory", "memory.use_hierarchy", "1", NULL,
		NULL },
	{ "{\"memory\":{\"kernelTCP\":8388608}}", "memory", "memory.kmem.tcp.limit_in_bytes",
		"8388608", NULL, NULL },
	{ "{\"cpu\":{\"shares\":1024}}", "cpu", "cpu.shares", "1024", "cpu.weight", "100" },
	{ "{\"cpu\":{\"shares\":10240}}", "cpu", "cpu.shares", "10240", "cpu.weight", "639" },
	{ "{\"cpu\":{\"quota\":50000,\"period\":200000}}", "cpu", "cpu.cfs_quota_us", "50000",
		"cpu.max", "50000 200000" },
	{ "{\"cpu\":{\"quota\":-1}}", "cpu", "cpu.cfs_quota_us", "-1", "cpu.max", "max 100000" },
	{ "{\"cpu\":{\"period\":50000}}", "cpu", "cpu.cfs_period_us", "50000", "cpu.max",
		"max 50000" },
	{ "{\"cpu\":{\"quota\":50000,\"burst\":40000}}", "cpu", "cpu.cfs_burst_us", "40000",
		"cpu.max.burst", "40000" },
	{ "{\"cpu\":{\"idle\":1}}", "cpu", "cpu.idle", "1", "cpu.idle", "1" },
	{ "{\"cpu\":{\"cpus\":\"0\"}}", "cpuset", "cpuset.cpus", "0", "cpuset.cpus", "0" },
	{ "{\"cpu\":{\"mems\":\"0\"}}", "cpuset", "cpuset.mems", "0", "cpuset.mems", "0" },
	{ "{\"hugepageLimits\":[{\"pageSize\":\"2MB\",\"limit\":4194304}]}", "hugetlb",
		"hugetlb.2MB.limit_in_bytes", "4194304", "hugetlb.2MB.max", "4194304" },
	{ "{\"hugepageLimits\":[{\"pageSize\":\"2MB\",\"limit\":4194304}]}", "hugetlb",
		"hugetlb.2MB.rsvd.limit_in_bytes", "4194304", "hugetlb.2MB.rsvd.max", "4194304" },
	{ "{\"network\":{\"classID\":1048577}}", "net_cls", "net_cls.classid", "1048577", NULL,
		NULL },
	{ "{\"network\":{\"priorities\":[{\"name\":\"lo\",\"priority\":3}]}}", "net_prio",
		"net_prio.ifpriomap", "lo 3", NULL, NULL },
	{ "{\"blockIO\":{\"weight\":500}}", "blkio", "blkio.bfq.weight", "500", "io.bfq.weight",
		"default 500" },
	{ "{\"blockIO\":{\"weight\":500}}", "blkio", NULL, NULL, "io.weight", "default 4950" },
	{ "{\"blockIO\":{\"throttleReadBpsDevice\":[{\"major\":254,\"minor\":0,\"rate\":600}]}}",
		"blkio", "blkio.throttle.read_bps_device", "254:0 600", "io.max",
		"254:0 rbps=600 wbps=max riops=max wiops=max" },
	{ "{\"unified\":{\"hugetlb.2MB.max\":\"2097152\"}}", "hugetlb", NULL, NULL,
		"hugetlb.2MB.max", "2097152" },
	{ "{\"unified\":{\"cgroup.max.depth\":\"3\"}}", "", NULL, NULL, "cgroup.max.depth", "3" },
	{ "{\"unified\":{\"memory.high\":\"33554432\"}}", "memory", NULL, NULL, "memory.high",
		"33554432" },
};

static void assert_line(const char *path, const char *wanted)
{
	struct text text = { 0 };

	suite_assert_done(file_read_at(AT_FDCWD, path, 65536, &text, &err), err);
	for (const char *line = text.data; *line; line += *line == '\n') {
		if (strncmp(line, wanted, strlen(wanted)) == 0 &&
			strchr("\n", line[strlen(wanted)])) {
			text_release(&text);
			return;
		}
		line += strcspn(line, "\n");
	}
	ck_abort_msg("%s has no line '%s': %s", path, wanted, text.data);
}

static bool is_v1(struct cgroup *cgroup, const char *controller)
{
	size_t count;
	const struct cgroup_hierarchy *places = cgroup_hierarchies(cgroup, &count);

	for (size_t i = 0; i < count; i++)
		if (!places[i].is_v2 && controller[0] && strstr(places[i].name, controller))
			return true;
	return false;
}

START_TEST(members_reach_their_files)
{
	const int view = _i / (int)array_size(rows), row = _i % (int)array_size(rows);
	cleanup_document struct spec_document *document = NULL;
	const struct spec_resources *resources = cgroup_resources_parse(rows[row].json, &document);
	const char *path, *file, *value;
	struct cgroup *cgroup;

	cgroup_view_enter(view);
	cgroup = make_for(resources);
	if (!cgroup && err.kind == ERROR_UNSUPPORTED) {
		printf("left out: %s: %s\n", rows[row].json, err.text);
		ck_assert_msg(err.pointer[0] == '/', "%s", err.text);
		cgroup_view_assert_clean();
		return;
	}
	ck_assert_msg(cgroup, "%s", err.text);
	file = is_v1(cgroup, rows[row].controller) ? rows[row].v1_file : rows[row].v2_file;
	value = is_v1(cgroup, rows[row].controller) ? rows[row].v1_value : rows[row].v2_value;
	if (!file) {
		/* What the hierarchy does anyway, or not at all. */
		if (cgroup_limit(cgroup, resources, &err) < 0)
			ck_assert_msg(err.pointer[0] == '/', "%s", err.text);
		err = (struct error){ 0 };
	} else if (!cgroup_view_file(cgroup, rows[row].controller, file, &path)) {
		/* Refused, or in the other file that some have. */
		if (cgroup_limit(cgroup, resources, &err) < 0)
			ck_assert_msg(err.pointer[0] == '/', "%s", err.text);
		printf("left out: %s: no '%s'\n", rows[row].json, file);
		err = (struct error){ 0 };
	} else if (cgroup_limit(cgroup, resources, &err) < 0 && err.sys_errno == ENODEV) {
		printf("left out: %s: no such device here\n", rows[row].json);
		err = (struct error){ 0 };
	} else {
		suite_assert_done(err.kind, err);
		assert_line(path, value);
	}
	finish(cgroup);
}
END_TEST

static const struct {
	const char *json, *pointer, *text;
} refusals[] = {
	{ "{\"cpu\":{\"cpus\":\"4095\"}}", "/cpu/cpus",
		"write '4095' to cgroup file 'cpuset.cpus'" },
	{ "{\"cpu\":{\"quota\":1}}", "/cpu/quota", "write '1' to cgroup file 'cpu" },
	{ "{\"hugepageLimits\":[{\"pageSize\":\"3MB\",\"limit\":1}]}", "/hugepageLimits/0",
		"has no cgroup file 'hugetlb.3MB." },
	{ "{\"rdma\":{\"none\":{\"hcaHandles\":1}}}", "/rdma/none", "" },
	{ "{\"unified\":{\"nosuch.file\":\"1\"}}", "/unified/nosuch.file",
		"controller 'nosuch' is not available in cgroup '/sys/fs/cgroup" },
	{ "{\"unified\":{\"cgroup.nosuch\":\"1\"}}", "/unified/cgroup.nosuch",
		"has no cgroup file 'cgroup.nosuch'" },
	{ "{\"unified\":{\"cgroup.max.depth\":\"deep\"}}", "/unified/cgroup.max.depth",
		"write 'deep\n' to cgroup file 'cgroup.max.depth'" },
	{ "{\"blockIO\":{\"throttleReadBpsDevice\":[{\"major\":4094,\"minor\":1,\"rate\":1}]}}",
		"/blockIO/throttleReadBpsDevice/0", "" },
};

START_TEST(refusals_point_at_the_member)
{
	const int view = _i / (int)array_size(refusals), row = _i % (int)array_size(refusals);
	cleanup_document struct spec_document *document = NULL;
	const struct spec_resources *resources =
		cgroup_resources_parse(refusals[row].json, &document);
	struct cgroup *cgroup;

	cgroup_view_enter(view);
	cgroup = make_for(resources);
	if (cgroup)
		ck_assert_int_eq(cgroup_limit(cgroup, resources, &err), -1);
	/* Without a v2 hierarchy that is the cause, for all of "unified" at once. */
	if (strcmp(err.pointer, "/unified") != 0) {
		ck_assert_str_eq(err.pointer, refusals[row].pointer);
		ck_assert_msg(strstr(err.text, refusals[row].text) || !cgroup, "%s", err.text);
	}
	ck_assert_int_ne(err.kind, ERROR_NONE);
	ck_assert_msg(!strstr(err.text, "no such file"), "%s", err.text);
	err = (struct error){ 0 };
	if (cgroup)
		finish(cgroup);
	cgroup_view_assert_clean();
}
END_TEST

/* Whether any hierarchy here has CONTROLLER; FILE is its v1 file for what v2 calls OTHER. */
static bool has_controller(
	struct cgroup *cgroup, const char *controller, const char *file, const char *other)
{
	const char *path;

	if (cgroup_view_file(cgroup, controller, file, &path) ||
		cgroup_view_file(cgroup, controller, other, &path))
		return true;
	printf("left out: there is no controller '%s'\n", controller);
	finish(cgroup);
	return false;
}

static void update(struct cgroup *cgroup, const char *json)
{
	cleanup_document struct spec_document *document = NULL;
	const struct spec_resources *resources = cgroup_resources_parse(json, &document);

	suite_assert_done(cgroup_update(cgroup, resources, NULL, &err), err);
}

static void assert_file(
	struct cgroup *cgroup, const char *controller, const char *file, const char *value)
{
	const char *path;

	if (cgroup_view_file(cgroup, controller, file, &path))
		assert_line(path, value);
}

START_TEST(updates_keep_the_rest)
{
	struct cgroup *cgroup;

	cgroup_view_enter(CGROUP_VIEW_HOST);
	cgroup = make_for(&nothing);
	ck_assert_msg(cgroup, "%s", err.text);
	update(cgroup, "{\"cpu\":{\"quota\":50000,\"period\":200000,\"burst\":10000}}");
	update(cgroup, "{\"cpu\":{\"quota\":60000}}");
	assert_file(cgroup, "cpu", "cpu.cfs_period_us", "200000");
	assert_file(cgroup, "cpu", "cpu.max", "60000 200000");
	update(cgroup, "{\"cpu\":{\"period\":100000}}");
	assert_file(cgroup, "cpu", "cpu.cfs_quota_us", "60000");
	assert_file(cgroup, "cpu", "cpu.max", "60000 100000");
	/* The burst is above the new quota, so it must go first. */
	update(cgroup, "{\"cpu\":{\"quota\":5000,\"burst\":0}}");
	assert_file(cgroup, "cpu", "cpu.cfs_burst_us", "0");
	/* And last here. */
	update(cgroup, "{\"cpu\":{\"quota\":50000,\"burst\":50000}}");
	/* Docker's zeros */
	update(cgroup,
		"{\"cpu\":{\"quota\":0,\"period\":0,\"shares\":0},\"memory\":{\"limit\":0}}");
	assert_file(cgroup, "cpu", "cpu.cfs_quota_us", "50000");
	assert_file(cgroup, "cpu", "cpu.max", "50000 100000");
	finish(cgroup);
}
END_TEST

START_TEST(memory_and_swap_move_in_any_order)
{
	struct cgroup *cgroup;

	cgroup_view_enter(CGROUP_VIEW_HOST);
	cgroup = make_for(&nothing);
	ck_assert_msg(cgroup, "%s", err.text);
	if (!has_controller(cgroup, "memory", "memory.limit_in_bytes", "memory.max"))
		return;
	update(cgroup, "{\"memory\":{\"limit\":67108864,\"swap\":67108864}}");
	update(cgroup, "{\"memory\":{\"limit\":268435456,\"swap\":536870912}}");
	assert_file(cgroup, "memory", "memory.memsw.limit_in_bytes", "536870912");
	assert_file(cgroup, "memory", "memory.swap.max", "268435456");
	update(cgroup, "{\"memory\":{\"limit\":33554432,\"swap\":33554432}}");
	assert_file(cgroup, "memory", "memory.limit_in_bytes", "33554432");
	assert_file(cgroup, "memory", "memory.swap.max", "0");
	update(cgroup, "{\"memory\":{\"swap\":67108864}}");
	assert_file(cgroup, "memory", "memory.swap.max", "33554432");
	update(cgroup, "{\"memory\":{\"limit\":-1}}");
	assert_file(cgroup, "memory", "memory.memsw.limit_in_bytes", "9223372036854771712");
	assert_file(cgroup, "memory", "memory.max", "max");
	finish(cgroup);
}
END_TEST

static const struct {
	bool has_stage;
	int64_t limit;
	const char *first, *late;
} few_tasks[] = {
	{ false, 0, "1", "0" },
	{ false, 1, "1", "1" },
	{ true, 0, "2", "0" },
	{ true, 1, "2", "1" },
	{ true, 2, "2", "2" },
	{ true, -1, "max", "max" },
};

START_TEST(too_few_tasks_come_late)
{
	const struct spec_resources few = { .pointer = "",
		.pids_limit = { true, few_tasks[_i].limit } };
	struct cgroup *cgroup;

	cgroup_view_enter(CGROUP_VIEW_HOST);
	cgroup = make_for(&few);
	ck_assert_msg(cgroup, "%s", err.text);
	cgroup->has_stage = few_tasks[_i].has_stage;
	suite_assert_done(cgroup_limit(cgroup, &few, &err), err);
	assert_file(cgroup, "pids", "pids.max", few_tasks[_i].first);
	suite_assert_done(cgroup_limit_late(cgroup, &few, &err), err);
	assert_file(cgroup, "pids", "pids.max", few_tasks[_i].late);
	finish(cgroup);
}
END_TEST

static void take_memory(void)
{
	size_t size = 64U << 20;
	volatile char *memory = malloc(size); /* clang leaves out what nobody can see */

	for (size_t i = 0; memory && i < size; i += 512)
		memory[i] = 1;
	_exit(0);
}

START_TEST(kills_for_memory_are_told)
{
	const struct spec_memory memory = { .limit = { true, 16 << 20 },
		.swap = { true, 16 << 20 } };
	const struct spec_resources resources = { .pointer = "", .memory = &memory };
	struct cgroup_oom_watch watch = CGROUP_OOM_WATCH_CLOSED;
	struct cgroup *cgroup;
	uint64_t count = 0;
	bool is_gone;
	int status;
	pid_t pid;

	cgroup_view_enter(CGROUP_VIEW_HOST);
	cgroup = make_for(&nothing);
	ck_assert_msg(cgroup, "%s", err.text);
	if (!has_controller(cgroup, "memory", "memory.limit_in_bytes", "memory.max"))
		return;
	suite_assert_done(cgroup_update(cgroup, &resources, NULL, &err), err);
	suite_assert_done(cgroup_oom_watch_open(cgroup, &watch, &err), err);
	suite_assert_done(cgroup_oom_watch_read(&watch, &count, &is_gone, &err), err);
	ck_assert_uint_eq(count, 0);
	pid = cgroup_view_spawn(cgroup, take_memory);
	ck_assert_int_eq(waitpid(pid, &status, 0), pid);
	ck_assert(WIFSIGNALED(status));
	suite_assert_done(cgroup_oom_watch_read(&watch, &count, &is_gone, &err), err);
	ck_assert_uint_ge(count, 1);
	ck_assert(!is_gone);
	finish(cgroup);
	suite_assert_done(cgroup_oom_watch_read(&watch, &count, &is_gone, &err), err);
	ck_assert(is_gone);
	ck_assert_uint_eq(count, 0);
	cgroup_oom_watch_close(&watch);
}
END_TEST

START_TEST(counters_have_their_form)
{
	static const char *const members[] = { "cpu", "cpuset", "memory", "pids", "blkio",
		"hugetlb", "intel_rdt", "network_interfaces" };
	struct cgroup *cgroup;
	json_t *stats;

	cgroup_view_enter(_i);
	cgroup = make_for(&nothing);
	ck_assert_msg(cgroup, "%s", err.text);
	suite_assert_done(cgroup_stats(cgroup, &stats, &err), err);
	for (size_t i = 0; i < array_size(members); i++)
		ck_assert_msg(json_object_get(stats, members[i]), "%s", members[i]);
	ck_assert(json_is_integer(
		json_object_get(json_object_get(json_object_get(stats, "cpu"), "usage"), "total")));
	ck_assert(json_is_integer(json_object_get(
		json_object_get(json_object_get(stats, "memory"), "usage"), "failcnt")));
	json_decref(stats);
	finish(cgroup);
}
END_TEST

int main(void)
{
	TCase *tests = tcase_create("cgroup_limits");

	if (cgroup_view_obstacle())
		return suite_skip(cgroup_view_obstacle());
	tcase_set_timeout(tests, 60);
	tcase_add_loop_test(
		tests, members_reach_their_files, 0, CGROUP_VIEWS * (int)array_size(rows));
	tcase_add_loop_test(
		tests, refusals_point_at_the_member, 0, CGROUP_VIEWS * (int)array_size(refusals));
	tcase_add_test(tests, updates_keep_the_rest);
	tcase_add_test(tests, memory_and_swap_move_in_any_order);
	tcase_add_loop_test(tests, too_few_tasks_come_late, 0, array_size(few_tasks));
	tcase_add_test(tests, kills_for_memory_are_told);
	tcase_add_loop_test(tests, counters_have_their_form, 0, CGROUP_VIEWS);
	return suite_run(tests);
}
