/* SPDX-License-Identifier: Apache-2.0 */
#include "libcontainer/kernel/procfs.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "libcontainer/kernel/tests/sandbox.h"
#include "libcontainer/kernel/tests/suite.h"

static struct error err;
static struct procfs procfs = PROCFS_INIT;

/*
 * The leak checker, which looks at the process through /proc and a clone, is
 * told to stay away from those that have lost one of them (lsan_interface.h).
 */
static bool is_leak_check_impossible;

int __lsan_is_turned_off(void) __attribute__((visibility("default")));

int __lsan_is_turned_off(void)
{
	return is_leak_check_impossible;
}

static bool has_own_name(const char *path)
{
	char name[16] = "";
	int fd = procfs_open(&procfs, path, O_RDONLY, &err);
	bool result = fd >= 0 && fcntl(fd, F_GETFD) == FD_CLOEXEC &&
		      read(fd, name, sizeof(name) - 1) > 0 && !strcmp(name, "kogg-procfs\n");

	close(fd);
	return result;
}

START_TEST(opens_own_files)
{
	sandbox_enter();
	ck_assert_int_eq(procfs_write(&procfs, "self/comm", "kogg-procfs", &err), 0);
	ck_assert(!procfs.is_private);
	ck_assert_msg(has_own_name("self/comm"), "%s", err.text);
	ck_assert_msg(has_own_name("thread-self/comm"), "%s", err.text);
	procfs_release(&procfs);
	ck_assert_int_eq(procfs.fd, -1);
	ck_assert_msg(has_own_name("self/comm"), "%s", err.text);
}
END_TEST

static const struct {
	const char *path;
	const char *text;
} refused[] = {
	{ "sys/kernel/none", "open '/proc/sys/kernel/none': not found" },
	{ "mounts", "open '/proc/mounts': " }, /* a link to self/mounts */
	{ "self/root/etc/passwd", "open '/proc/self/root/etc/passwd': " },
	{ "self/fd/0", "open '/proc/self/fd/0': " },
	{ "../etc/passwd", "open '/proc/../etc/passwd': " },
	{ "/etc/passwd", "open '/proc//etc/passwd': " },
};

START_TEST(refuses_to_leave)
{
	sandbox_enter();
	ck_assert_int_eq(procfs_open(&procfs, refused[_i].path, O_RDONLY, &err), -1);
	sandbox_assert_error(&err, "", refused[_i].text);
}
END_TEST

/* CVE-2025-52881: what is mounted over a file is never written to. */
START_TEST(gets_behind_what_covers_a_file)
{
	sandbox_enter();
	sandbox_make_file(SANDBOX "/fake", "fake");
	ck_assert_int_eq(mount(SANDBOX "/fake", "/proc/self/comm", NULL, MS_BIND, NULL), 0);
	ck_assert_int_eq(procfs_write(&procfs, "self/comm", "kogg-procfs", &err), 0);
	ck_assert(procfs.is_private);
	ck_assert_msg(has_own_name("self/comm"), "%s", err.text);
	ck_assert_str_eq(sandbox_read(SANDBOX "/fake"), "fake");
}
END_TEST

START_TEST(gets_behind_a_fake_proc)
{
	is_leak_check_impossible = true;
	sandbox_enter();
	ck_assert_int_eq(mount("fake", "/proc", "tmpfs", 0, NULL), 0);
	ck_assert_int_eq(procfs_write(&procfs, "self/comm", "kogg-procfs", &err), 0);
	ck_assert(procfs.is_private);
	ck_assert_msg(has_own_name("thread-self/comm"), "%s", err.text);
}
END_TEST

START_TEST(gets_behind_a_part_of_proc)
{
	is_leak_check_impossible = true;
	sandbox_enter();
	ck_assert_int_eq(mount("/proc/sys", "/proc", NULL, MS_BIND, NULL), 0);
	ck_assert_int_eq(procfs_write(&procfs, "self/comm", "kogg-procfs", &err), 0);
	ck_assert_msg(has_own_name("self/comm"), "%s", err.text);
}
END_TEST

START_TEST(gets_behind_a_read_only_proc)
{
	sandbox_enter();
	ck_assert_int_eq(mount("/proc", "/proc", NULL, MS_BIND, NULL), 0);
	ck_assert_int_eq(mount(NULL, "/proc", NULL, MS_REMOUNT | MS_BIND | MS_RDONLY, NULL), 0);
	ck_assert_int_eq(procfs_write(&procfs, "self/comm", "kogg-procfs", &err), 0);
	ck_assert_msg(has_own_name("self/comm"), "%s", err.text);
}
END_TEST

START_TEST(a_covered_file_is_an_error_without_fsopen)
{
	sandbox_enter();
	sandbox_make_file(SANDBOX "/fake", "fake");
	ck_assert_int_eq(mount(SANDBOX "/fake", "/proc/self/comm", NULL, MS_BIND, NULL), 0);
	sandbox_deny(SYS_fsopen, ENOSYS);
	sandbox_deny(SYS_open_tree, ENOSYS);
	ck_assert_int_eq(procfs_write(&procfs, "self/comm", "x", &err), -1);
	ck_assert_str_eq(sandbox_read(SANDBOX "/fake"), "fake");
}
END_TEST

START_TEST(works_without_openat2)
{
	sandbox_enter();
	sandbox_deny(SYS_openat2, EPERM);
	ck_assert_int_eq(procfs_write(&procfs, "self/comm", "kogg-procfs", &err), 0);
	ck_assert_msg(has_own_name("thread-self/comm"), "%s", err.text);
	ck_assert_int_eq(procfs_open(&procfs, "self/root/etc", O_PATH, &err), -1);
}
END_TEST

START_TEST(covered_without_openat2)
{
	sandbox_enter();
	sandbox_make_file(SANDBOX "/fake", "fake");
	ck_assert_int_eq(mount(SANDBOX "/fake", "/proc/self/comm", NULL, MS_BIND, NULL), 0);
	sandbox_deny(SYS_openat2, ENOSYS);
	ck_assert_int_eq(procfs_write(&procfs, "self/comm", "kogg-procfs", &err), 0);
	ck_assert_str_eq(sandbox_read(SANDBOX "/fake"), "fake");
}
END_TEST

START_TEST(numbers_are_of_the_instance)
{
	int status;

	is_leak_check_impossible = true;
	sandbox_enter();
	ck_assert_int_eq(unshare(CLONE_NEWPID), 0);
	if (fork() == 0) {
		/* 1 here, but not in the host's instance. */
		if (getpid() != 1 || procfs_write(&procfs, "self/comm", "kogg-procfs", &err) < 0)
			_exit(1);
		_exit(!has_own_name("thread-self/comm"));
	}
	ck_assert_int_gt(wait(&status), 0);
	ck_assert_int_eq(status, 0);
}
END_TEST

int main(void)
{
	TCase *tests = tcase_create("procfs");

	if (sandbox_obstacle())
		return suite_skip(sandbox_obstacle());
	tcase_add_test(tests, opens_own_files);
	tcase_add_loop_test(tests, refuses_to_leave, 0, array_size(refused));
	tcase_add_test(tests, gets_behind_what_covers_a_file);
	tcase_add_test(tests, gets_behind_a_fake_proc);
	tcase_add_test(tests, gets_behind_a_part_of_proc);
	tcase_add_test(tests, gets_behind_a_read_only_proc);
	tcase_add_test(tests, a_covered_file_is_an_error_without_fsopen);
	tcase_add_test(tests, works_without_openat2);
	tcase_add_test(tests, covered_without_openat2);
	tcase_add_test(tests, numbers_are_of_the_instance);
	return suite_run(tests);
}
