/* SPDX-License-Identifier: Apache-2.0 */
#include "libcontainer/kernel/mount_visit.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <sched.h>
#include <signal.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/syscall.h>

#include "libcontainer/kernel/tests/sandbox.h"
#include "libcontainer/kernel/tests/suite.h"

static struct error err;

/* A child in a mount namespace of its own, where DIRECTORY has another tmpfs and is "/". */
static pid_t make_host(const char *directory)
{
	int ready[2];
	pid_t pid;
	char byte;

	ck_assert_int_eq(pipe2(ready, O_CLOEXEC), 0);
	pid = fork();
	if (pid == 0) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		if (unshare(CLONE_NEWNS) == 0 && mount("tmpfs", directory, "tmpfs", 0, NULL) == 0 &&
			chroot(directory) == 0 && mkdir("/theirs", 0755) == 0 &&
			write(ready[1], "x", 1) == 1)
			pause();
		_exit(1);
	}
	ck_assert_int_ge(pid, 0);
	ck_assert_int_eq(read(ready[0], &byte, 1), 1);
	return pid;
}

static ino_t own_namespace(void)
{
	struct stat st;

	/* Wherever procfs is: it is the same one. */
	ck_assert_int_eq(stat("/proc/self/ns/mnt", &st), 0);
	return st.st_ino;
}

static void assert_at(const char *path)
{
	char directory[PATH_MAX];

	ck_assert_ptr_nonnull(getcwd(directory, sizeof(directory)));
	ck_assert_str_eq(directory, path);
}

START_TEST(goes_and_comes_back)
{
	const int root = sandbox_enter();
	struct mount_visit visit;
	ino_t own;
	pid_t pid;

	sandbox_make_dir(SANDBOX "/work");
	ck_assert_int_ge(root, 0);
	pid = make_host(SANDBOX_ROOT);
	own = own_namespace();
	ck_assert_int_eq(chdir(SANDBOX "/work"), 0);

	suite_assert_done(mount_visit_begin(&visit, pid, &err), err);
	ck_assert(sandbox_exists("/theirs"));
	assert_at("/");
	suite_assert_done(mount_visit_end(&visit, &err), err);

	ck_assert_uint_eq(own_namespace(), own);
	ck_assert(!sandbox_exists("/theirs"));
	ck_assert(!sandbox_exists(SANDBOX_ROOT "/theirs"));
	assert_at(SANDBOX "/work");
	sandbox_stop(pid);
}
END_TEST

/* Whose root directory is not that of his namespace gets it back. */
START_TEST(comes_back_to_a_changed_root)
{
	const int root = sandbox_enter();
	struct mount_visit visit;
	pid_t pid;

	ck_assert_int_ge(root, 0);
	pid = make_host(SANDBOX_ROOT);
	sandbox_make_dir(SANDBOX "/proc");
	sandbox_make_dir(SANDBOX "/work");
	ck_assert_int_eq(mount("/proc", SANDBOX "/proc", NULL, MS_BIND | MS_REC, NULL), 0);
	ck_assert_int_eq(chroot(SANDBOX), 0);
	ck_assert_int_eq(chdir("/work"), 0);

	suite_assert_done(mount_visit_begin(&visit, pid, &err), err);
	ck_assert(sandbox_exists("/theirs"));
	suite_assert_done(mount_visit_end(&visit, &err), err);

	ck_assert(sandbox_exists("/work"));
	assert_at("/work");
	sandbox_stop(pid);
}
END_TEST

static void assert_stays_here(pid_t pid)
{
	const ino_t own = own_namespace();
	struct mount_visit visit;

	ck_assert_int_eq(mount_visit_begin(&visit, pid, &err), 1);
	ck_assert_uint_eq(own_namespace(), own);
	ck_assert(!sandbox_exists("/theirs"));
}

START_TEST(without_the_right_nothing_changes)
{
	const int root = sandbox_enter();
	pid_t pid;

	ck_assert_int_ge(root, 0);
	pid = make_host(SANDBOX_ROOT);
	sandbox_deny(SYS_setns, EPERM);
	assert_stays_here(pid);
	sandbox_stop(pid);
}
END_TEST

START_TEST(what_fails_there_is_undone)
{
	const int root = sandbox_enter();
	const ino_t own = own_namespace();
	struct mount_visit visit;
	pid_t pid;

	ck_assert_int_ge(root, 0);
	pid = make_host(SANDBOX_ROOT);
	sandbox_deny(SYS_chroot, ENOMEM);
	ck_assert_int_eq(mount_visit_begin(&visit, pid, &err), -1);
	sandbox_assert_error(&err, "", "change the root directory");
	ck_assert_uint_eq(own_namespace(), own);
	ck_assert(!sandbox_exists("/theirs"));
	sandbox_stop(pid);
}
END_TEST

int main(void)
{
	TCase *tests = tcase_create("mount_visit");
	const char *obstacle = sandbox_obstacle();

	if (obstacle)
		return suite_skip(obstacle);
	tcase_add_test(tests, goes_and_comes_back);
	tcase_add_test(tests, comes_back_to_a_changed_root);
	tcase_add_test(tests, without_the_right_nothing_changes);
	tcase_add_test(tests, what_fails_there_is_undone);
	return suite_run(tests);
}
