/* SPDX-License-Identifier: Apache-2.0 */
/*
 * In a plain directory that is made to look like resctrl: few machines have
 * the real one. What the kernel would fill in by itself is made beforehand.
 */
#include "libcontainer/kernel/intel_rdt.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/file.h"
#include "libcontainer/kernel/tests/suite.h"

static struct error err;
static struct intel_rdt_made made;
static int resctrl = -1;

static void make_file(const char *name, const char *content)
{
	int fd = openat(resctrl, name, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);

	ck_assert_int_ge(fd, 0);
	ck_assert_int_eq(write(fd, content, strlen(content)), (ssize_t)strlen(content));
	close(fd);
}

static void set_up(void)
{
	resctrl = open(".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	ck_assert_int_eq(mkdirat(resctrl, "gold", 0755), 0);
	ck_assert_int_eq(mkdirat(resctrl, "gold/mon_groups", 0755), 0);
	make_file("gold/tasks", "");
	make_file("tasks", "");
	make_file("gold/schemata", "    MB:0=100;1= 50\n    L3:0=000ff;1=ffff\n");
}

static void assert_holds(const char *name, const char *content)
{
	cleanup_text struct text text = { 0 };

	suite_assert_done(file_read_at(resctrl, name, 4096, &text, &err), err);
	ck_assert_str_eq(text.data ?: "", content);
}

static int apply(const struct spec_intel_rdt *rdt)
{
	return intel_rdt_apply_at(resctrl, rdt, "web", 123, &made, &err);
}

START_TEST(an_existing_class_is_joined)
{
	const struct spec_intel_rdt rdt = { .clos_id = "gold" };

	suite_assert_done(apply(&rdt), err);
	assert_holds("gold/tasks", "123");
	ck_assert(!made.has_group && !made.has_monitoring);
	suite_assert_done(intel_rdt_remove_at(resctrl, &rdt, "web", &made, &err), err);
	ck_assert_int_eq(faccessat(resctrl, "gold", F_OK, 0), 0);
}
END_TEST

START_TEST(the_default_class_is_the_root)
{
	const struct spec_intel_rdt rdt = { .clos_id = "/" };

	suite_assert_done(apply(&rdt), err);
	assert_holds("tasks", "123");
}
END_TEST

START_TEST(the_list_is_written)
{
	const char *lines[] = { "L2:0=f", "MB:0=20", NULL };
	const struct spec_intel_rdt rdt = { .clos_id = "gold", .schemata = { lines, 2 } };

	make_file("gold/schemata", "");
	suite_assert_done(apply(&rdt), err);
	assert_holds("gold/schemata", "L2:0=f\nMB:0=20\n");
}
END_TEST

static const struct {
	struct spec_intel_rdt rdt;
	const char *pointer; /* NULL: it is the same */
} comparisons[] = {
	{ { .clos_id = "gold", .l3_cache_schema = "L3:0=ff;1=ffff" }, NULL },
	{ { .clos_id = "gold", .l3_cache_schema = "L3:0=FF" }, NULL },
	{ { .clos_id = "gold", .l3_cache_schema = "L3:1=FFFF;0=0ff" }, NULL },
	{ { .clos_id = "gold", .l3_cache_schema = "L3:0=ff;1=ff" },
		"/linux/intelRdt/l3CacheSchema" },
	{ { .clos_id = "gold", .l3_cache_schema = "L3:2=ff" }, "/linux/intelRdt/l3CacheSchema" },
	{ { .clos_id = "gold", .l3_cache_schema = "L3:0=ff\nL3:1=ffff\n" }, NULL },
	{ { .clos_id = "gold", .l3_cache_schema = "L3:0=ff\nL3:1=ff" },
		"/linux/intelRdt/l3CacheSchema" },
	{ { .clos_id = "gold", .l3_cache_schema = "L3\nL3:1=ffff" },
		"/linux/intelRdt/l3CacheSchema" },
	{ { .clos_id = "gold", .l3_cache_schema = "L3CODE:0=ff" },
		"/linux/intelRdt/l3CacheSchema" },
	{ { .clos_id = "gold", .l3_cache_schema = "nonsense" }, "/linux/intelRdt/l3CacheSchema" },
	{ { .clos_id = "gold", .mem_bw_schema = "MB:0=100" }, NULL },
	{ { .clos_id = "gold", .mem_bw_schema = "MB:0=100;1=50" }, NULL },
	{ { .clos_id = "gold", .mem_bw_schema = "MB:1=50 ; 0=100 " }, NULL },
	{ { .clos_id = "gold", .mem_bw_schema = "MB:1=500" }, "/linux/intelRdt/memBwSchema" },
	{ { .clos_id = "gold", .mem_bw_schema = "MB:1=" }, "/linux/intelRdt/memBwSchema" },
	{ { .clos_id = "gold", .mem_bw_schema = "MB:2=50" }, "/linux/intelRdt/memBwSchema" },
	{ { .clos_id = "gold", .mem_bw_schema = "MB:0=10" }, "/linux/intelRdt/memBwSchema" },
	{ { .clos_id = "no/name" }, "/linux/intelRdt/closID" },
	{ { .clos_id = ".." }, "/linux/intelRdt/closID" },
	{ { .clos_id = "" }, "/linux/intelRdt/closID" },
	{ { .clos_id = "absent" }, "/linux/intelRdt/closID" },
};

START_TEST(an_existing_class_is_compared)
{
	int result = apply(&comparisons[_i].rdt);

	if (!comparisons[_i].pointer) {
		suite_assert_done(result, err);
		return;
	}
	ck_assert_int_eq(result, -1);
	ck_assert_str_eq(err.pointer, comparisons[_i].pointer);
	assert_holds("gold/tasks", "");
}
END_TEST

/* Nothing fills a new directory here, so the first write fails, and all is undone. */
START_TEST(what_was_made_is_removed_on_failure)
{
	const struct spec_intel_rdt own = { .l3_cache_schema = "L3:0=f" };
	const struct spec_intel_rdt named = { .clos_id = "new", .l3_cache_schema = "L3:0=f" };

	ck_assert_int_eq(apply(_i ? &named : &own), -1);
	ck_assert_int_eq(faccessat(resctrl, _i ? "new" : "web", F_OK, 0), -1);
}
END_TEST

START_TEST(a_class_of_our_name_is_not_taken_over)
{
	const struct spec_intel_rdt rdt = { 0 };

	ck_assert_int_eq(mkdirat(resctrl, "web", 0755), 0);
	ck_assert_int_eq(apply(&rdt), -1);
	ck_assert_str_eq(err.text, "make the resctrl group 'web': file exists");
	ck_assert_int_eq(faccessat(resctrl, "web", F_OK, 0), 0);
}
END_TEST

START_TEST(a_monitoring_group_that_fails_points)
{
	const struct spec_intel_rdt rdt = { .clos_id = "gold", .enable_monitoring = true };

	ck_assert_int_eq(mkdirat(resctrl, "gold/mon_groups/web", 0755), 0);
	ck_assert_int_eq(apply(&rdt), -1);
	ck_assert_str_eq(err.pointer, "/linux/intelRdt/enableMonitoring");
}
END_TEST

/* As exec has it: whatever was made for the first process takes the next one too. */
START_TEST(one_more_process_joins)
{
	const struct spec_intel_rdt rdt = { .clos_id = _i < 2 ? "gold" : "/" };
	const char *group = _i < 2 ? "gold/tasks" : "tasks";

	made = (struct intel_rdt_made){ .has_monitoring = _i == 1 };
	ck_assert_int_eq(mkdirat(resctrl, "gold/mon_groups/web", 0755), 0);
	make_file("gold/mon_groups/web/tasks", "");
	suite_assert_done(intel_rdt_join_at(resctrl, &rdt, "web", &made, 456, &err), err);
	assert_holds(group, "456");
	assert_holds("gold/mon_groups/web/tasks", _i == 1 ? "456" : "");
}
END_TEST

START_TEST(one_more_process_of_our_own_class)
{
	const struct spec_intel_rdt rdt = { 0 };

	made = (struct intel_rdt_made){ .has_group = true };
	ck_assert_int_eq(renameat(resctrl, "gold", resctrl, "web"), 0);
	suite_assert_done(intel_rdt_join_at(resctrl, &rdt, "web", &made, 456, &err), err);
	assert_holds("web/tasks", "456");
}
END_TEST

START_TEST(one_more_process_without_a_class)
{
	const struct spec_intel_rdt rdt = { .clos_id = "absent" };

	made = (struct intel_rdt_made){ .has_monitoring = true };
	suite_assert_done(intel_rdt_join_at(resctrl, &rdt, "web", &made, 456, &err), err);
	suite_assert_done(intel_rdt_join(NULL, "web", &made, 456, &err), err);
}
END_TEST

START_TEST(one_more_process_that_is_refused)
{
	const struct spec_intel_rdt rdt = { .clos_id = "gold" };

	made = (struct intel_rdt_made){ 0 };
	ck_assert_int_eq(unlinkat(resctrl, "gold/tasks", 0), 0);
	ck_assert_int_eq(symlinkat("/dev/full", resctrl, "gold/tasks"), 0);
	ck_assert_int_eq(intel_rdt_join_at(resctrl, &rdt, "web", &made, 456, &err), -1);
	ck_assert_str_eq(err.pointer, "/linux/intelRdt");
}
END_TEST

START_TEST(removing_what_is_gone_is_fine)
{
	const struct spec_intel_rdt rdt = { 0 };

	made = (struct intel_rdt_made){ .has_group = true, .has_monitoring = true };
	suite_assert_done(intel_rdt_remove_at(resctrl, &rdt, "web", &made, &err), err);
	ck_assert_int_eq(
		mkdirat(resctrl, "web", 0755) + mkdirat(resctrl, "web/mon_groups", 0755), 0);
	ck_assert_int_eq(mkdirat(resctrl, "web/mon_groups/web", 0755), 0);
	made.has_group = false;
	suite_assert_done(intel_rdt_remove_at(resctrl, &rdt, "web", &made, &err), err);
	ck_assert_int_eq(faccessat(resctrl, "web/mon_groups/web", F_OK, 0), -1);
	ck_assert_int_eq(faccessat(resctrl, "web", F_OK, 0), 0);
}
END_TEST

/* A directory that looks like a class can't be removed with its files in it: that it is tried
 * shows. */
START_TEST(a_class_is_undone_when_nobody_is_in_it)
{
	const struct spec_intel_rdt rdt = { .clos_id = "gold" };

	made = (struct intel_rdt_made){ .has_class = _i != 2 };
	make_file("gold/tasks", _i == 1 ? "77\n" : "");
	suite_assert_done(intel_rdt_remove_at(resctrl, &rdt, "web", &made, &err), err);
	ck_assert_int_eq(intel_rdt_undo_at(resctrl, &rdt, "web", &made, &err), _i == 0 ? -1 : 0);
	if (_i == 0)
		ck_assert_str_eq(err.text, "remove the resctrl group 'gold': directory not empty");
}
END_TEST

START_TEST(new_lines_and_the_old_ones_back)
{
	const struct spec_intel_rdt rdt = { .clos_id = _i ? NULL : "gold",
		.l3_cache_schema = "L3:0=f0",
		.mem_bw_schema = "MB:0=20" };
	cleanup_text struct text before = { 0 };

	if (_i)
		ck_assert_int_eq(renameat(resctrl, "gold", resctrl, "web"), 0);
	make_file(_i ? "web/schemata" : "gold/schemata", "L3:0=ff\nMB:0=99\n");
	suite_assert_done(intel_rdt_update_at(resctrl, &rdt, "web", &before, &err), err);
	assert_holds(_i ? "web/schemata" : "gold/schemata", "L3:0=f0\nMB:0=20\n");
	ck_assert_str_eq(before.data, "L3:0=ff\nMB:0=99\n");
	suite_assert_done(intel_rdt_restore_at(resctrl, &rdt, "web", &before, &err), err);
	assert_holds(_i ? "web/schemata" : "gold/schemata", "L3:0=ff\nMB:0=99\n");
}
END_TEST

/* Code and data of a cache have their own; an empty one would be refused. */
START_TEST(more_than_one_line)
{
	const struct spec_intel_rdt rdt = { .clos_id = "gold",
		.l3_cache_schema = "L3CODE:0=f\n\nL3DATA:0=f0\n",
		.mem_bw_schema = "MB:0=20" };
	cleanup_text struct text before = { 0 };

	make_file("gold/schemata", "");
	suite_assert_done(intel_rdt_update_at(resctrl, &rdt, "web", &before, &err), err);
	assert_holds("gold/schemata", "L3CODE:0=f\nL3DATA:0=f0\nMB:0=20\n");
}
END_TEST

START_TEST(new_lines_take_the_class)
{
	const struct spec_intel_rdt rdt = { .clos_id = "absent", .l3_cache_schema = "L3:0=f0" };
	cleanup_text struct text before = { 0 };

	ck_assert_int_eq(intel_rdt_update_at(resctrl, &rdt, "web", &before, &err), -1);
	ck_assert_str_eq(err.text, "open the resctrl group 'absent': not found");
}
END_TEST

/* What the kernel has to say of the lines, it says in a file of its own. */
START_TEST(refused_lines_name_the_reason)
{
	const struct spec_intel_rdt rdt = { .clos_id = "gold", .l3_cache_schema = "L3:9=f" };
	cleanup_text struct text before = { 0 };

	ck_assert_int_eq(mkdirat(resctrl, "info", 0755), 0);
	make_file("info/last_cmd_status", "Non-consecutive 1-bits in mask 9\n");
	ck_assert_int_eq(symlinkat("/dev/full", resctrl, "gold/full"), 0);
	ck_assert_int_eq(renameat(resctrl, "gold/full", resctrl, "gold/schemata"), 0);
	ck_assert_int_eq(intel_rdt_restore_at(resctrl, &rdt, "web", &before, &err), 0);
	text_append(&before, "L3:9=f\n");
	ck_assert_int_eq(intel_rdt_restore_at(resctrl, &rdt, "web", &before, &err), -1);
	ck_assert_str_eq(err.text, "write 'schemata': Non-consecutive 1-bits in mask 9");
}
END_TEST

START_TEST(without_resctrl_it_is_an_error)
{
	const struct spec_intel_rdt rdt = { .clos_id = "gold" };
	cleanup_text struct text before = { 0 };

	suite_assert_done(intel_rdt_apply(NULL, "web", 123, &made, &err), err);
	ck_assert(!made.has_group && !made.has_monitoring);
	suite_assert_done(intel_rdt_remove(&rdt, "web", &made, &err), err);
	if (access("/sys/fs/resctrl/schemata", F_OK) == 0)
		return;
	ck_assert_int_eq(intel_rdt_apply(&rdt, "web", 123, &made, &err), -1);
	ck_assert_str_eq(err.text, "resctrl is not mounted at '/sys/fs/resctrl'");
	ck_assert_str_eq(err.pointer, "/linux/intelRdt");
	err = (struct error){ 0 };
	ck_assert_int_eq(intel_rdt_update(&rdt, "web", &before, &err), -1);
	ck_assert_str_eq(err.text, "resctrl is not mounted at '/sys/fs/resctrl'");
}
END_TEST

int main(void)
{
	TCase *tests = tcase_create("intel rdt");

	suite_use_folders(tests);
	tcase_add_checked_fixture(tests, set_up, NULL);
	tcase_add_test(tests, an_existing_class_is_joined);
	tcase_add_test(tests, the_default_class_is_the_root);
	tcase_add_test(tests, the_list_is_written);
	tcase_add_loop_test(tests, an_existing_class_is_compared, 0, array_size(comparisons));
	tcase_add_loop_test(tests, what_was_made_is_removed_on_failure, 0, 2);
	tcase_add_test(tests, a_class_of_our_name_is_not_taken_over);
	tcase_add_test(tests, a_monitoring_group_that_fails_points);
	tcase_add_loop_test(tests, one_more_process_joins, 0, 3);
	tcase_add_test(tests, one_more_process_of_our_own_class);
	tcase_add_test(tests, one_more_process_without_a_class);
	tcase_add_test(tests, one_more_process_that_is_refused);
	tcase_add_test(tests, removing_what_is_gone_is_fine);
	tcase_add_loop_test(tests, a_class_is_undone_when_nobody_is_in_it, 0, 3);
	tcase_add_loop_test(tests, new_lines_and_the_old_ones_back, 0, 2);
	tcase_add_test(tests, more_than_one_line);
	tcase_add_test(tests, new_lines_take_the_class);
	tcase_add_test(tests, refused_lines_name_the_reason);
	tcase_add_test(tests, without_resctrl_it_is_an_error);
	return suite_run(tests);
}
