/* SPDX-License-Identifier: Apache-2.0 */
/* The modules that set one attribute of the calling process each. */
#include <errno.h>
#include <fcntl.h>
#include <linux/ioprio.h>
#include <linux/mempolicy.h>
#include <sched.h>
#include <string.h>
#include <sys/personality.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/file.h"
#include "libcontainer/kernel/apparmor.h"
#include "libcontainer/kernel/cpu_affinity.h"
#include "libcontainer/kernel/io_priority.h"
#include "libcontainer/kernel/keyring.h"
#include "libcontainer/kernel/memory_policy.h"
#include "libcontainer/kernel/oom_score.h"
#include "libcontainer/kernel/personality.h"
#include "libcontainer/kernel/rlimits.h"
#include "libcontainer/kernel/scheduler.h"
#include "libcontainer/kernel/selinux.h"
#include "libcontainer/kernel/tests/suite.h"

static struct error err;
static struct procfs procfs = PROCFS_INIT;

static const struct spec_process nothing = { .pointer = "/process" };

START_TEST(absent_members_do_nothing)
{
	struct oom_score score;

	suite_assert_done(rlimits_apply(&nothing, &procfs, &err), err);
	suite_assert_done(scheduler_apply(&nothing, &err), err);
	suite_assert_done(io_priority_apply(&nothing, &err), err);
	suite_assert_done(cpu_affinity_apply_initial(&nothing, &err), err);
	suite_assert_done(cpu_affinity_apply_final(&nothing, &err), err);
	suite_assert_done(memory_policy_apply(NULL, &err), err);
	suite_assert_done(personality_apply((struct spec_i64){ 0 }, &err), err);
	suite_assert_done(oom_score_lend(NULL, &score, &err), err);
	suite_assert_done(oom_score_lend(&nothing, &score, &err), err);
	ck_assert_str_eq(score.before, "");
	suite_assert_done(apparmor_check(&nothing, &err), err);
	suite_assert_done(apparmor_set_on_exec(&procfs, &nothing, &err), err);
	suite_assert_done(selinux_check(&nothing, &err), err);
	suite_assert_done(selinux_check_mount_label(NULL, &err), err);
	suite_assert_done(selinux_set_on_exec(&procfs, &nothing, &err), err);
	suite_assert_done(selinux_set_on_key_creation(&procfs, &nothing, &err), err);
	ck_assert_int_eq(procfs.fd, -1);
}
END_TEST

START_TEST(rlimits_are_set)
{
	struct spec_rlimit limits[] = { { RLIMIT_NOFILE, 100, 200 },
		{ RLIMIT_CORE, 0, UINT64_MAX } };
	const struct spec_process process = {
		.pointer = "/process", .rlimits = limits, .n_rlimits = 2
	};
	struct rlimit found;

	suite_assert_done(rlimits_apply(&process, &procfs, &err), err);
	ck_assert_int_eq(getrlimit(RLIMIT_NOFILE, &found), 0);
	ck_assert_uint_eq(found.rlim_cur, 100);
	ck_assert_uint_eq(found.rlim_max, 200);
	ck_assert_int_eq(getrlimit(RLIMIT_CORE, &found), 0);
	ck_assert_uint_eq(found.rlim_max, RLIM_INFINITY);
}
END_TEST

static const struct {
	struct spec_rlimit limit;
	const char *text;
	const char *hint; /* its beginning */
	enum error_kind kind;
} bad_limits[] = {
	{ { RLIMIT_NOFILE, 10, 300 },
		"raise the hard limit of RLIMIT_NOFILE from 200 to 300: not permitted",
		"the runtime needs CAP_SYS_RESOURCE", ERROR_SYSTEM },
	{ { RLIMIT_NOFILE, 200, UINT64_MAX },
		"raise the hard limit of RLIMIT_NOFILE from 200 to unlimited: not permitted",
		"it can't be above the sysctl fs.nr_open, ", ERROR_SYSTEM },
	{ { RLIMIT_NOFILE, 20, 10 }, "RLIMIT_NOFILE: the soft limit 20 is above the hard one, 10",
		"", ERROR_SPEC },
};

START_TEST(bad_rlimits_are_named)
{
	struct spec_rlimit limits[] = { { RLIMIT_CORE, 0, 0 }, bad_limits[_i].limit };
	const struct spec_process process = {
		.pointer = "/process", .rlimits = limits, .n_rlimits = 2
	};
	const struct rlimit low = { 200, 200 };

	ck_assert_int_eq(setrlimit(RLIMIT_NOFILE, &low), 0);
	ck_assert_int_eq(setresuid(1, 1, 1), 0);
	ck_assert_int_eq(rlimits_apply(&process, &procfs, &err), -1);
	ck_assert_int_eq(err.kind, bad_limits[_i].kind);
	ck_assert_str_eq(err.text, bad_limits[_i].text);
	ck_assert_int_eq(strncmp(err.hint, bad_limits[_i].hint, strlen(bad_limits[_i].hint)), 0);
	ck_assert_str_eq(err.pointer, "/process/rlimits/1");
}
END_TEST

START_TEST(scheduler_is_set)
{
	const struct spec_scheduler batch = { .policy = SCHED_BATCH, .nice = 5, .flags = 0x01 };
	const struct spec_process process = { .pointer = "/process", .scheduler = &batch };

	suite_assert_done(scheduler_apply(&process, &err), err);
	ck_assert_int_eq(sched_getscheduler(0), SCHED_BATCH | SCHED_RESET_ON_FORK);
	ck_assert_int_eq(getpriority(PRIO_PROCESS, 0), 5);
}
END_TEST

START_TEST(scheduler_errors_point)
{
	const struct spec_scheduler fifo = { .policy = SCHED_FIFO, .priority = 5 };
	const struct spec_process process = { .pointer = "/process", .scheduler = &fifo };

	ck_assert_int_eq(setresuid(1, 1, 1), 0);
	ck_assert_int_eq(scheduler_apply(&process, &err), -1);
	ck_assert_str_eq(err.pointer, "/process/scheduler");
	ck_assert_str_eq(err.text, "set scheduling policy SCHED_FIFO: not permitted");
}
END_TEST

START_TEST(io_priority_is_set)
{
	const struct spec_io_priority wanted = { IOPRIO_CLASS_BE, 6 };
	const struct spec_process process = { .pointer = "/process", .io_priority = &wanted };

	suite_assert_done(io_priority_apply(&process, &err), err);
	ck_assert_int_eq(syscall(SYS_ioprio_get, IOPRIO_WHO_PROCESS, 0),
		IOPRIO_PRIO_VALUE(IOPRIO_CLASS_BE, 6));
}
END_TEST

START_TEST(io_priority_errors_point)
{
	const struct spec_io_priority wanted = { IOPRIO_CLASS_RT, 0 };
	const struct spec_process process = { .pointer = "/process", .io_priority = &wanted };

	ck_assert_int_eq(setresuid(1, 1, 1), 0);
	ck_assert_int_eq(io_priority_apply(&process, &err), -1);
	ck_assert_str_eq(err.pointer, "/process/ioPriority");
	ck_assert_str_eq(err.text, "set I/O priority IOPRIO_CLASS_RT 0: not permitted");
}
END_TEST

static const struct {
	const char *list;
	int used; /* -1: no list */
	unsigned long first;
} lists[] = {
	{ "0", 1, 1 },
	{ "0-3", 1, 0xf },
	{ "0-1,3", 1, 0xb },
	{ "0, 1", 1, 3 },
	{ "5,1-1", 1, 0x22 },
	{ "64", 2, 0 },
	{ "127,0", 2, 1 },
	{ "128", -1, 0 },
	{ "0-128", -1, 0 },
	{ "", -1, 0 },
	{ "x", -1, 0 },
	{ "3-1", -1, 0 },
	{ "1-", -1, 0 },
	{ "-1", -1, 0 },
	{ "1,", -1, 0 },
	{ ",1", -1, 0 },
	{ "1 2", -1, 0 },
	{ "18446744073709551616", -1, 0 },
	{ "99999999999999999999999", -1, 0 },
};

START_TEST(lists_are_read)
{
	unsigned long bits[2] = { ~0UL, ~0UL };

	ck_assert_int_eq(cpu_affinity_parse(lists[_i].list, bits, 2), lists[_i].used);
	if (lists[_i].used > 0)
		ck_assert_uint_eq(bits[0], lists[_i].first);
}
END_TEST

START_TEST(affinity_is_set)
{
	struct spec_process process = { .pointer = "/process",
		.exec_affinity_initial = "0",
		.exec_affinity_final = "8000-8100" };
	cpu_set_t set;

	suite_assert_done(cpu_affinity_apply_initial(&process, &err), err);
	ck_assert_int_eq(sched_getaffinity(0, sizeof(set), &set), 0);
	ck_assert_int_eq(CPU_COUNT(&set), 1);
	ck_assert_int_eq(CPU_ISSET(0, &set), 1);
	ck_assert_int_eq(cpu_affinity_apply_final(&process, &err), -1);
	ck_assert_str_eq(err.pointer, "/process/execCPUAffinity/final");
	ck_assert_str_eq(
		err.text, "none of the CPUs 8000-8100 is there and in the cgroup's cpuset");
}
END_TEST

/* One CPU was asked for; the machine may have no other. */
START_TEST(affinity_is_reset)
{
	const struct spec_process process = { .pointer = "/process", .exec_affinity_initial = "0" };
	cpu_set_t all, set;

	cpu_affinity_reset();
	ck_assert_int_eq(sched_getaffinity(0, sizeof(all), &all), 0);
	suite_assert_done(cpu_affinity_apply_initial(&process, &err), err);
	cpu_affinity_reset();
	ck_assert_int_eq(sched_getaffinity(0, sizeof(set), &set), 0);
	ck_assert(CPU_EQUAL(&set, &all));
}
END_TEST

START_TEST(memory_policy_is_set)
{
	const struct spec_memory_policy wanted = {
		.mode = MPOL_BIND, .nodes = "0", .flags = MPOL_F_STATIC_NODES
	};
	int mode = -1;

	if (memory_policy_apply(&wanted, &err) < 0) {
		ck_assert_str_eq(err.text, "this kernel has no NUMA memory policies");
		ck_assert_str_eq(err.pointer, "/linux/memoryPolicy");
		return;
	}
	ck_assert_int_eq(syscall(SYS_get_mempolicy, &mode, NULL, 0, NULL, 0), 0);
	ck_assert_int_eq(mode, MPOL_BIND | MPOL_F_STATIC_NODES);
}
END_TEST

static const struct {
	struct spec_memory_policy policy;
	const char *pointer;
	const char *text;
} bad_policies[] = {
	{ { .mode = MPOL_BIND, .nodes = "0-" }, "/linux/memoryPolicy/nodes",
		"'0-' is no list of nodes below 1024, such as 0-1" },
	{ { .mode = MPOL_BIND, .nodes = "1024" }, "/linux/memoryPolicy/nodes",
		"'1024' is no list of nodes below 1024, such as 0-1" },
	{ { .mode = MPOL_BIND }, "/linux/memoryPolicy", NULL },
	{ { .mode = MPOL_BIND, .nodes = "1023" }, "/linux/memoryPolicy", NULL },
};

START_TEST(bad_memory_policies_point)
{
	ck_assert_int_eq(memory_policy_apply(&bad_policies[_i].policy, &err), -1);
	ck_assert_str_eq(err.pointer, bad_policies[_i].pointer);
	if (bad_policies[_i].text)
		ck_assert_str_eq(err.text, bad_policies[_i].text);
}
END_TEST

START_TEST(personality_is_set)
{
	ck_assert_int_ge(personality(ADDR_NO_RANDOMIZE), 0);
	suite_assert_done(personality_apply((struct spec_i64){ true, PER_LINUX }, &err), err);
	ck_assert_int_eq(personality(0xffffffff), PER_LINUX);
#if defined(__x86_64__)
	suite_assert_done(personality_apply((struct spec_i64){ true, PER_LINUX32 }, &err), err);
	ck_assert_int_eq(personality(0xffffffff), PER_LINUX32);
#endif
}
END_TEST

static int read_score(void)
{
	cleanup_text struct text text = { 0 };

	suite_assert_done(file_read_at(AT_FDCWD, "/proc/self/oom_score_adj", 32, &text, &err), err);
	return (int)strtol(text.data, NULL, 10);
}

START_TEST(oom_score_is_lent)
{
	int before = read_score();
	struct spec_process process = { .pointer = "/process",
		.oom_score_adj = { true, before + 1 } };
	struct oom_score score;

	suite_assert_done(oom_score_lend(&process, &score, &err), err);
	ck_assert_int_eq(read_score(), before + 1);
	oom_score_take_back(&score);
	ck_assert_int_eq(read_score(), before);
}
END_TEST

START_TEST(oom_score_that_holds_is_fine_for_anyone)
{
	struct spec_process process = { .pointer = "/process",
		.oom_score_adj = { true, read_score() } };
	struct oom_score score;

	ck_assert_int_eq(setresuid(1, 1, 1), 0);
	suite_assert_done(oom_score_lend(&process, &score, &err), err);
	ck_assert_str_eq(score.before, "");
	process.oom_score_adj.value = -1000;
	ck_assert_int_eq(oom_score_lend(&process, &score, &err), -1);
	ck_assert_str_eq(err.pointer, "/process/oomScoreAdj");
	ck_assert_str_ne(err.hint, "");
	ck_assert_int_eq(err.sys_errno, EACCES);
}
END_TEST

START_TEST(keyring_is_joined)
{
	char description[256] = "";
	long before = syscall(SYS_keyctl, 0, -3, 0), after; /* KEYCTL_GET_KEYRING_ID, session */

	suite_assert_done(keyring_join("kogg-test", &err), err);
	after = syscall(SYS_keyctl, 0, -3, 0);
	if (after < 0 && (errno == ENOSYS || errno == EPERM))
		return;
	ck_assert_int_ne(after, before);
	/* KEYCTL_DESCRIBE: "keyring;0;0;3f1b0000;_ses.kogg-test" */
	ck_assert_int_gt(syscall(SYS_keyctl, 6, -3, description, sizeof(description)), 0);
	ck_assert_msg(strstr(description, ";3f1b0000;_ses.kogg-test") != NULL, "%s", description);
}
END_TEST

START_TEST(labels_without_their_module_are_errors)
{
	const struct spec_process process = { .pointer = "/process",
		.apparmor_profile = "kogg-no-such-profile",
		.selinux_label = "a:b:c:d" };

	if (!selinux_is_enabled()) {
		ck_assert_int_eq(selinux_check(&process, &err), -1);
		ck_assert_str_eq(err.text, "this kernel has no SELinux");
		ck_assert_str_eq(err.pointer, "/process/selinuxLabel");
		err = (struct error){ 0 };
		ck_assert_int_eq(selinux_check_mount_label("a:b:c:d", &err), -1);
		ck_assert_str_eq(err.pointer, "/linux/mountLabel");
		err = (struct error){ 0 };
	}
	if (!apparmor_is_enabled()) {
		ck_assert_int_eq(apparmor_check(&process, &err), -1);
		ck_assert_str_eq(err.text, "this kernel has no AppArmor");
		ck_assert_str_eq(err.pointer, "/process/apparmorProfile");
		err = (struct error){ 0 };
	}
	ck_assert_int_eq(apparmor_set_on_exec(&procfs, &process, &err), -1);
	ck_assert_str_eq(err.pointer, "/process/apparmorProfile");
}
END_TEST

START_TEST(unconfined_is_what_a_kernel_without_apparmor_does)
{
	const struct spec_process process = { .pointer = "/process",
		.apparmor_profile = "unconfined" };

	suite_assert_done(apparmor_check(&process, &err), err);
	if (!apparmor_is_enabled())
		suite_assert_done(apparmor_set_on_exec(&procfs, &process, &err), err);
}
END_TEST

int main(void)
{
	TCase *tests;

	if (geteuid() != 0)
		return suite_skip("changing attributes and then the user needs root");
	tests = tcase_create("attributes");
	tcase_add_test(tests, absent_members_do_nothing);
	tcase_add_test(tests, rlimits_are_set);
	tcase_add_loop_test(tests, bad_rlimits_are_named, 0, array_size(bad_limits));
	tcase_add_test(tests, scheduler_is_set);
	tcase_add_test(tests, scheduler_errors_point);
	tcase_add_test(tests, io_priority_is_set);
	tcase_add_test(tests, io_priority_errors_point);
	tcase_add_loop_test(tests, lists_are_read, 0, array_size(lists));
	tcase_add_test(tests, affinity_is_set);
	tcase_add_test(tests, affinity_is_reset);
	tcase_add_test(tests, memory_policy_is_set);
	tcase_add_loop_test(tests, bad_memory_policies_point, 0, array_size(bad_policies));
	tcase_add_test(tests, personality_is_set);
	tcase_add_test(tests, oom_score_is_lent);
	tcase_add_test(tests, oom_score_that_holds_is_fine_for_anyone);
	tcase_add_test(tests, keyring_is_joined);
	tcase_add_test(tests, labels_without_their_module_are_errors);
	tcase_add_test(tests, unconfined_is_what_a_kernel_without_apparmor_does);
	return suite_run(tests);
}
