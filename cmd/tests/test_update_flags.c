/* SPDX-License-Identifier: Apache-2.0 */
#include "cmd/update_flags.h"

#include <check.h>
#include <string.h>

#include "base/log.h"

static struct error err;
static struct update_resources made;

static int read_flags(struct update_flags flags)
{
	memset(&err, 0, sizeof(err));
	return update_flags_read(&flags, &made, &err);
}

#define assert_is(member, expected)                      \
	do {                                             \
		ck_assert((member).is_set);              \
		ck_assert((member).value == (expected)); \
	} while (0)

START_TEST(leaves_unset_what_is_not_given)
{
	ck_assert_int_eq(read_flags((struct update_flags){ 0 }), 0);
	ck_assert(!made.memory.limit.is_set && !made.memory.swap.is_set);
	ck_assert(!made.cpu.shares.is_set && !made.cpu.quota.is_set);
	ck_assert(!made.block_io.weight.is_set && !made.resources.pids_limit.is_set);
	ck_assert(!made.resources.has_devices);
	ck_assert_ptr_null(made.cpu.cpus);
	ck_assert_str_eq(made.resources.pointer, "");
}
END_TEST

START_TEST(reads_all_flags)
{
	ck_assert_int_eq(read_flags((struct update_flags){ .blkio_weight = "500",
				 .cpu_period = "100000",
				 .cpu_quota = "-1",
				 .cpu_burst = "10",
				 .cpu_share = "512",
				 .cpu_rt_period = "1000000",
				 .cpu_rt_runtime = "950000",
				 .cpuset_cpus = "0-1",
				 .cpuset_mems = "0",
				 .cpu_idle = "1",
				 .memory = "32M",
				 .memory_reservation = "16777216",
				 .memory_swap = "-1",
				 .pids_limit = "0" }),
		0);
	assert_is(made.block_io.weight, 500);
	assert_is(made.cpu.period, 100000);
	assert_is(made.cpu.quota, -1);
	assert_is(made.cpu.burst, 10);
	assert_is(made.cpu.shares, 512);
	assert_is(made.cpu.realtime_period, 1000000);
	assert_is(made.cpu.realtime_runtime, 950000);
	assert_is(made.cpu.idle, 1);
	ck_assert_str_eq(made.cpu.cpus, "0-1");
	ck_assert_str_eq(made.cpu.mems, "0");
	assert_is(made.memory.limit, 33554432);
	assert_is(made.memory.reservation, 16777216);
	assert_is(made.memory.swap, -1);
	assert_is(made.resources.pids_limit, 0);
	ck_assert_ptr_eq(made.resources.memory, &made.memory);
	ck_assert_ptr_eq(made.resources.cpu, &made.cpu);
	ck_assert_ptr_eq(made.resources.block_io, &made.block_io);
}
END_TEST

START_TEST(lifts_swap_with_memory)
{
	ck_assert_int_eq(read_flags((struct update_flags){ .memory = "-1" }), 0);
	assert_is(made.memory.swap, -1);
	ck_assert_int_eq(
		read_flags((struct update_flags){ .memory = "-1", .memory_swap = "1G" }), 0);
	assert_is(made.memory.swap, 1073741824);
}
END_TEST

static void count_warning(void *context, enum log_level level, const char *text)
{
	(void)level;
	(void)text;
	++*(int *)context;
}

START_TEST(warns_of_kernel_memory)
{
	int warnings = 0;
	const struct log_sink sink = { .write = count_warning, .context = &warnings };

	log_set_sink(&sink);
	ck_assert_int_eq(read_flags((struct update_flags){ .kernel_memory = "1G" }), 0);
	log_set_sink(NULL);
	ck_assert_int_eq(warnings, 1);
}
END_TEST

static const struct {
	struct update_flags flags;
	const char *text;
} rejected[] = {
	{ { .memory = "much" }, "option '--memory': 'much' is not a size such as 32M, nor -1" },
	{ { .memory = "2M", .memory_swap = "1M" },
		"option '--memory-swap': '1M' is not at least --memory, which it includes" },
	{ { .memory_swap = "-2" },
		"option '--memory-swap': '-2' is not a size such as 32M, nor -1" },
	{ { .cpu_share = "-1" }, "option '--cpu-share': '-1' is not a number from 0 on" },
	{ { .cpu_quota = "1s" }, "option '--cpu-quota': '1s' is not a number" },
	{ { .cpu_idle = "2" }, "option '--cpu-idle': '2' is not 0 or 1" },
	{ { .blkio_weight = "1001" },
		"option '--blkio-weight': '1001' is not a number from 10 to 1000" },
	{ { .blkio_weight = "9" }, "option '--blkio-weight': '9' is not a number from 10 to 1000" },
	{ { .pids_limit = "" }, "option '--pids-limit': '' is not a number" },
};

START_TEST(rejects_and_names_the_flag)
{
	ck_assert_int_eq(read_flags(rejected[_i].flags), -1);
	ck_assert_str_eq(err.text, rejected[_i].text);
}
END_TEST

static const struct {
	struct update_flags flags;
	const char *text; /* NULL: is taken */
} schemas[] = {
	{ { 0 }, NULL },
	{ { .l3_cache_schema = "L3:0=ff;1=f0", .mem_bw_schema = "MB:0=20" }, NULL },
	{ { .l3_cache_schema = "L3CODE:0=ff" }, NULL },
	{ { .l3_cache_schema = "" }, "option '--l3-cache-schema': '' is not one line" },
	{ { .l3_cache_schema = "L3:0=f\nMB:0=5" },
		"option '--l3-cache-schema': 'L3:0=f\nMB:0=5' is not one line" },
	{ { .mem_bw_schema = "L3:0=f" },
		"option '--mem-bw-schema': 'L3:0=f' is not one line that begins with MB:" },
};

START_TEST(checks_the_schemas)
{
	int result;

	err = (struct error){ 0 };
	result = update_flags_check_schemas(&schemas[_i].flags, &err);

	ck_assert_int_eq(result, schemas[_i].text ? -1 : 0);
	ck_assert_str_eq(err.text, schemas[_i].text ?: "");
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("update_flags");
	TCase *tests = tcase_create("update_flags");
	SRunner *runner = srunner_create(suite);
	int failed;

	tcase_add_test(tests, leaves_unset_what_is_not_given);
	tcase_add_test(tests, reads_all_flags);
	tcase_add_test(tests, lifts_swap_with_memory);
	tcase_add_test(tests, warns_of_kernel_memory);
	tcase_add_loop_test(tests, rejects_and_names_the_flag, 0, (int)array_size(rejected));
	tcase_add_loop_test(tests, checks_the_schemas, 0, (int)array_size(schemas));
	suite_add_tcase(suite, tests);
	srunner_run_all(runner, CK_ENV);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed != 0;
}
