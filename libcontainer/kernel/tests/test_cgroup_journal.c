/* SPDX-License-Identifier: Apache-2.0 */
/* In a plain directory, where a file holds what was written to it last. */
#include "libcontainer/kernel/cgroup_journal.h"

#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/file.h"
#include "base/log.h"
#include "libcontainer/kernel/tests/suite.h"

static struct error err;
static struct cgroup_journal journal;
static int group = -1;
static int warnings;

static void count_warning(void *context, enum log_level level, const char *text)
{
	(void)context;
	(void)level;
	(void)text;
	warnings++;
}

static void make_file(const char *name, const char *content)
{
	int fd = openat(group, name, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);

	ck_assert_int_ge(fd, 0);
	ck_assert_int_eq(write(fd, content, strlen(content)), (ssize_t)strlen(content));
	close(fd);
}

static void set_up(void)
{
	static const struct log_sink sink = { .write = count_warning };

	group = open(".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	log_set_sink(&sink);
}

static void tear_down(void)
{
	log_set_sink(NULL);
	cgroup_journal_release(&journal);
}

static void assert_holds(const char *name, const char *content)
{
	cleanup_text struct text text = { 0 };

	suite_assert_done(file_read_at(group, name, 4096, &text, &err), err);
	ck_assert_str_eq(text.data ?: "", content);
}

#define MAXES "rbps=max wbps=max riops=max wiops=max"

static const struct {
	const char *file, *value, *present;
	const char *before; /* NULL: nothing that can be written */
} forms[] = {
	{ "pids.max", "5", "max", "max" },
	{ "pids.max", "5\n", "7", "7" },
	{ "cpu.max", "5000", "max 100000", "max 100000" },
	{ "cpu.max", "5000 10000", "max 100000", "max 100000" },
	{ "cpu.max", "max 10000", "max 100000", "max 100000" },
	{ "cpuset.cpus", "0", "", "\n" },
	{ "cpuset.cpus", "0", "0-3,7", "0-3,7" },
	{ "memory.oom_control", "1", "oom_kill_disable 0\nunder_oom 0\noom_kill 0", "0" },
	{ "io.max", "8:0 rbps=5", "", "8:0 " MAXES },
	{ "io.max", "8:0 rbps=5", "8:16 rbps=1 wbps=max riops=max wiops=max", "8:0 " MAXES },
	{ "io.max", "8:0 rbps=5", "8:16 rbps=1\n8:0 rbps=9 wbps=2", "8:0 rbps=9 wbps=2" },
	{ "io.weight", "50", "default 100\n8:0 30", "100" },
	{ "io.weight", "default 50", "default 100\n8:0 30", "default 100" },
	{ "io.bfq.weight", "8:0 50", "default 100", "8:0 default" },
	{ "io.bfq.weight", "8:0 50", "default 100\n8:0 30", "8:0 30" },
	{ "io.latency", "8:0 target=5", "", "8:0 target=0" },
	{ "blkio.throttle.read_bps_device", "8:0 5", "", "8:0 0" },
	{ "blkio.throttle.read_bps_device", "8:0 5", "8:0 77", "8:0 77" },
	{ "blkio.bfq.weight_device", "8:0 5", "100", "8:0 default" },
	{ "net_prio.ifpriomap", "eth0 5", "lo 0\neth0 3\neth01 9", "eth0 3" },
	{ "rdma.max", "mlx4_0 hca_handle=3", "mlx4_0 hca_handle=max hca_object=max",
		"mlx4_0 hca_handle=max hca_object=max" },
	{ "io.unknown", "8:0 5", "", NULL },
	{ "unknown", "5", "default", "default" },
	{ "unknown", "5", "default\nx", NULL },
	{ "unknown", "5", "two\nlines", NULL },
};

START_TEST(finds_what_takes_a_value_back)
{
	char before[CGROUP_VALUE_MAX];
	bool is_found =
		cgroup_journal_find(forms[_i].file, forms[_i].value, forms[_i].present, before);

	ck_assert_int_eq(is_found, forms[_i].before != NULL);
	if (is_found)
		ck_assert_str_eq(before, forms[_i].before);
}
END_TEST

static void change(const char *file, const char *value)
{
	suite_assert_done(cgroup_journal_write(&journal, group, file, value, &err), err);
}

START_TEST(the_first_value_comes_back)
{
	make_file("a", "1");
	make_file("b", "1");
	change("a", "2");
	change("b", "2");
	change("a", "3");
	assert_holds("a", "3");
	cgroup_journal_undo(&journal);
	assert_holds("a", "1");
	assert_holds("b", "1");
	ck_assert_int_eq(warnings, 0);
}
END_TEST

START_TEST(what_failed_is_not_taken_back)
{
	make_file("a", "1");
	change("a", "2");
	ck_assert_int_eq(cgroup_journal_write(&journal, group, "none", "2", &err), -1);
	ck_assert_int_eq((int)journal.count, 1);
	err = (struct error){ 0 };
	cgroup_journal_undo(&journal);
	assert_holds("a", "1");
	ck_assert_int_eq(faccessat(group, "none", F_OK, 0), -1);
	ck_assert_int_eq(warnings, 0);
}
END_TEST

START_TEST(all_of_it_once_more)
{
	make_file("a", "1");
	change("a", "2");
	make_file("a", "9");
	suite_assert_done(cgroup_journal_redo(&journal, &err), err);
	assert_holds("a", "2");
}
END_TEST

START_TEST(what_is_kept_comes_back)
{
	make_file("a", "1");
	make_file("io.weight", "default 50\n8:0 30\n");
	make_file("cpuset.cpus", "\n");
	change("a", "2");
	suite_assert_done(cgroup_journal_keep(&journal, group, "a", &err), err);
	suite_assert_done(cgroup_journal_keep(&journal, group, "io.weight", &err), err);
	suite_assert_done(cgroup_journal_keep(&journal, group, "cpuset.cpus", &err), err);
	suite_assert_done(cgroup_journal_keep(&journal, group, "none", &err), err);
	make_file("a", "9");
	make_file("io.weight", "");
	make_file("cpuset.cpus", "");
	suite_assert_done(cgroup_journal_redo(&journal, &err), err);
	assert_holds("a", "2");
	assert_holds("io.weight", "50");
	assert_holds("cpuset.cpus", "\n");
	ck_assert_int_eq(faccessat(group, "none", F_OK, 0), -1);
	make_file("io.weight", "");
	cgroup_journal_undo(&journal);
	assert_holds("a", "1");
	assert_holds("io.weight", "50");
	ck_assert_int_eq(warnings, 0);
}
END_TEST

/* The kernel gives a group that idles no more the default weight. */
START_TEST(the_weight_comes_back_with_idle)
{
	make_file("cpu.idle", "0");
	make_file("cpu.weight", "5");
	change("cpu.idle", "1");
	make_file("cpu.weight", "0");
	suite_assert_done(cgroup_journal_redo(&journal, &err), err);
	assert_holds("cpu.weight", "0");
	cgroup_journal_undo(&journal);
	assert_holds("cpu.idle", "0");
	assert_holds("cpu.weight", "5");
}
END_TEST

START_TEST(what_stays_is_said)
{
	make_file("a", "two\nlines");
	change("a", "2");
	make_file("b", "1");
	change("b", "2");
	ck_assert_int_eq(unlinkat(group, "b", 0), 0);
	cgroup_journal_undo(&journal);
	ck_assert_int_eq(warnings, 2);
}
END_TEST

int main(void)
{
	TCase *tests = tcase_create("cgroup journal");

	suite_use_folders(tests);
	tcase_add_checked_fixture(tests, set_up, tear_down);
	tcase_add_loop_test(tests, finds_what_takes_a_value_back, 0, array_size(forms));
	tcase_add_test(tests, the_first_value_comes_back);
	tcase_add_test(tests, what_failed_is_not_taken_back);
	tcase_add_test(tests, all_of_it_once_more);
	tcase_add_test(tests, what_is_kept_comes_back);
	tcase_add_test(tests, the_weight_comes_back_with_idle);
	tcase_add_test(tests, what_stays_is_said);
	return suite_run(tests);
}
