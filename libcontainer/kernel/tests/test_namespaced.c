/* SPDX-License-Identifier: Apache-2.0 */
/* The modules that set something of a namespace: names, clocks, sysctls. */
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <string.h>
#include <sys/utsname.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "base/file.h"
#include "libcontainer/kernel/hostname.h"
#include "libcontainer/kernel/sysctls.h"
#include "libcontainer/kernel/tests/suite.h"
#include "libcontainer/kernel/time_offsets.h"

#ifndef CLONE_NEWTIME
#	define CLONE_NEWTIME 0x00000080
#endif

static struct error err;
static struct procfs procfs = PROCFS_INIT;

START_TEST(names_are_set)
{
	const struct spec spec = { .hostname = "kogg-host", .domainname = "kogg-domain" };
	struct utsname names;

	ck_assert_int_eq(unshare(CLONE_NEWUTS), 0);
	suite_assert_done(hostname_apply(&spec, &err), err);
	suite_assert_done(hostname_apply(&(struct spec){ 0 }, &err), err);
	ck_assert_int_eq(uname(&names), 0);
	ck_assert_str_eq(names.nodename, "kogg-host");
	ck_assert_str_eq(names.domainname, "kogg-domain");
}
END_TEST

#define NAME_64 "0123456789012345678901234567890123456789012345678901234567890123"

START_TEST(long_names_point)
{
	const struct spec spec = { .hostname = NAME_64, .domainname = NAME_64 "4" };

	ck_assert_int_eq(unshare(CLONE_NEWUTS), 0);
	ck_assert_int_eq(hostname_apply(&spec, &err), -1);
	ck_assert_str_eq(err.pointer, "/domainname");
	ck_assert_str_eq(err.text, "65 bytes are more than the kernel's 64");
}
END_TEST

START_TEST(offsets_reach_the_next_child)
{
	struct spec_time_offset offsets[] = { { "boottime", 864000, 1 }, { "monotonic", -1, 0 } };
	const struct spec_linux platform = { .time_offsets = offsets, .n_time_offsets = 2 };
	struct timespec before, after;
	int status;

	if (unshare(CLONE_NEWTIME) < 0) {
		ck_assert_int_eq(errno, EINVAL);
		return;
	}
	clock_gettime(CLOCK_BOOTTIME, &before);
	suite_assert_done(time_offsets_write(&procfs, &platform, &err), err);
	if (fork() == 0) {
		clock_gettime(CLOCK_BOOTTIME, &after);
		_exit(after.tv_sec - before.tv_sec >= 864000 ? 0 : 1);
	}
	ck_assert_int_gt(wait(&status), 0);
	ck_assert_int_eq(status, 0);
}
END_TEST

START_TEST(impossible_offsets_point)
{
	struct spec_time_offset offsets[] = { { "monotonic", INT64_MIN / 2, 0 } };
	const struct spec_linux platform = { .time_offsets = offsets, .n_time_offsets = 1 };

	if (unshare(CLONE_NEWTIME) < 0)
		return;
	ck_assert_int_eq(time_offsets_write(&procfs, &platform, &err), -1);
	ck_assert_str_eq(err.pointer, "/linux/timeOffsets");
	ck_assert_str_eq(err.text, "a clock would start before 0 or end too soon with this offset");
}
END_TEST

static int write_sysctl(const char *key, const char *value)
{
	struct spec_pair pair = { key, value };
	const struct spec_linux platform = { .sysctl = { &pair, 1 } };

	ck_assert_int_eq(unshare(CLONE_NEWNET | CLONE_NEWIPC), 0);
	return sysctls_write(&procfs, &platform, &err);
}

static const struct {
	const char *key;
	const char *file;
} spellings[] = {
	{ "net.ipv4.ip_forward", "/proc/sys/net/ipv4/ip_forward" },
	{ "net/ipv4/ip_forward", "/proc/sys/net/ipv4/ip_forward" },
	{ "net.ipv4.conf.lo.forwarding", "/proc/sys/net/ipv4/conf/lo/forwarding" },
	{ "kernel.shm_rmid_forced", "/proc/sys/kernel/shm_rmid_forced" },
};

START_TEST(sysctls_are_written)
{
	cleanup_text struct text text = { 0 };

	if (access(spellings[_i].file, F_OK) < 0)
		return;
	suite_assert_done(write_sysctl(spellings[_i].key, "1"), err);
	suite_assert_done(file_read_at(AT_FDCWD, spellings[_i].file, 32, &text, &err), err);
	ck_assert_str_eq(text.data, "1\n");
}
END_TEST

static const struct {
	const char *key;
	const char *value;
	const char *pointer;
	const char *text;
} bad_sysctls[] = {
	{ "net.ipv4.nosuch", "1", "/linux/sysctl/net.ipv4.nosuch",
		"the kernel has none of that name" },
	{ "net.ipv4.ip_forward.deeper", "1", "/linux/sysctl/net.ipv4.ip_forward.deeper",
		"the kernel has none of that name" },
	{ "net/ipv4/nosuch", "1", "/linux/sysctl/net~1ipv4~1nosuch",
		"the kernel has none of that name" },
	{ "net.ipv4.ip_forward", "yes", "/linux/sysctl/net.ipv4.ip_forward",
		"the kernel does not take the value 'yes'" },
};

START_TEST(bad_sysctls_point)
{
	ck_assert_int_eq(write_sysctl(bad_sysctls[_i].key, bad_sysctls[_i].value), -1);
	ck_assert_str_eq(err.pointer, bad_sysctls[_i].pointer);
	ck_assert_str_eq(err.text, bad_sysctls[_i].text);
}
END_TEST

/* libspec refuses such names; this is the second fence. */
START_TEST(sysctls_do_not_leave_their_tree)
{
	ck_assert_int_eq(write_sysctl("net/../../self/comm", "x"), -1);
	ck_assert_str_eq(err.text, "must be the name of a kernel parameter");
}
END_TEST

/* The host's own namespace is the host's by any path. */
START_TEST(sysctls_spare_a_joined_host)
{
	struct spec_pair pair = { "net.ipv4.ip_forward", "1" };
	const struct spec_linux platform = { .sysctl = { &pair, 1 } };
	struct namespaces joined = { .flags = { CLONE_NEWNET }, .count = 1 };

	joined.fds[0] = open("/proc/self/ns/net", O_RDONLY | O_CLOEXEC);
	ck_assert_int_eq(sysctls_check(&platform, &joined, &err), -1);
	ck_assert_str_eq(err.pointer, "/linux/sysctl/net.ipv4.ip_forward");
	ck_assert_str_eq(
		err.text, "would change the host, whose network namespace the container joins");
	err = (struct error){ 0 };
	/* A parameter of another namespace, and a namespace of nobody else's. */
	pair.key = "kernel.shmmni";
	suite_assert_done(sysctls_check(&platform, &joined, &err), err);
	close(joined.fds[0]);
	pair.key = "net.ipv4.ip_forward";
	ck_assert_int_eq(unshare(CLONE_NEWNET), 0);
	joined.fds[0] = open("/proc/self/ns/net", O_RDONLY | O_CLOEXEC);
	ck_assert_int_eq(unshare(CLONE_NEWNET), 0);
	suite_assert_done(sysctls_check(&platform, &joined, &err), err);
	close(joined.fds[0]);
}
END_TEST

int main(void)
{
	TCase *tests;

	if (geteuid() != 0)
		return suite_skip("making namespaces needs root");
	tests = tcase_create("namespaced");
	tcase_add_test(tests, names_are_set);
	tcase_add_test(tests, long_names_point);
	tcase_add_test(tests, offsets_reach_the_next_child);
	tcase_add_test(tests, impossible_offsets_point);
	tcase_add_loop_test(tests, sysctls_are_written, 0, array_size(spellings));
	tcase_add_loop_test(tests, bad_sysctls_point, 0, array_size(bad_sysctls));
	tcase_add_test(tests, sysctls_do_not_leave_their_tree);
	tcase_add_test(tests, sysctls_spare_a_joined_host);
	return suite_run(tests);
}
