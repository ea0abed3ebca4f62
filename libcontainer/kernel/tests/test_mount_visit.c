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

#define THEIRS SANDBOX_ROOT "/theirs"

static struct error err;

/* A child in a mount namespace of its own, with a directory that is nowhere else. */
static pid_t make_host(int *ret_namespace)
{
	char path[32];
	int ready[2];
	pid_t pid;
	char byte;

	ck_assert_int_eq(pipe2(ready, O_CLOEXEC), 0);
	pid = fork();
	if (pid == 0) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		if (unshare(CLONE_NEWNS) == 0 &&
			mount("tmpfs", SANDBOX_ROOT, "tmpfs", 0, NULL) == 0 &&
			mkdir(THEIRS, 0755) == 0 && write(ready[1], "x", 1) == 1)
			pause();
		_exit(1);
	}
	ck_assert_int_ge(pid, 0);
	ck_assert_int_eq(read(ready[0], &byte, 1), 1);
	snprintf(path, sizeof(path), "/proc/%d/ns/mnt", (int)pid);
	*ret_namespace = open(path, O_RDONLY | O_CLOEXEC);
	ck_assert_int_ge(*ret_namespace, 0);
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
	struct mount_visit visit;
	int namespace_fd;
	ino_t own;
	pid_t pid;

	ck_assert_int_ge(sandbox_enter(), 0);
	sandbox_make_dir(SANDBOX "/work");
	pid = make_host(&namespace_fd);
	own = own_namespace();
	ck_assert_int_eq(chdir(SANDBOX "/work"), 0);

	suite_assert_done(mount_visit_begin(&visit, namespace_fd, &err), err);
	ck_assert(sandbox_exists(THEIRS));
	assert_at("/");
	suite_assert_done(mount_visit_end(&visit, &err), err);

	ck_assert_uint_eq(own_namespace(), own);
	ck_assert(!sandbox_exists(THEIRS));
	assert_at(SANDBOX "/work");
	sandbox_stop(pid);
}
END_TEST

static void assert_stays_here(int namespace_fd, const char *directory)
{
	const ino_t own = own_namespace();
	struct mount_visit visit;

	ck_assert_int_eq(chdir(directory), 0);
	ck_assert_int_eq(mount_visit_begin(&visit, namespace_fd, &err), 1);
	ck_assert_uint_eq(own_namespace(), own);
	ck_assert(!sandbox_exists(THEIRS));
	assert_at(directory);
}

/* There, the paths of one whose root was changed would be other files'. */
START_TEST(a_changed_root_stays)
{
	int namespace_fd;
	pid_t pid;

	ck_assert_int_ge(sandbox_enter(), 0);
	sandbox_make_dir(SANDBOX "/proc");
	sandbox_make_dir(SANDBOX "/work");
	pid = make_host(&namespace_fd);
	ck_assert_int_eq(mount("/proc", SANDBOX "/proc", NULL, MS_BIND | MS_REC, NULL), 0);
	ck_assert_int_eq(chroot(SANDBOX), 0);
	assert_stays_here(namespace_fd, "/work");
	ck_assert(sandbox_exists("/work"));
	sandbox_stop(pid);
}
END_TEST

START_TEST(without_the_right_nothing_changes)
{
	int namespace_fd;
	pid_t pid;

	ck_assert_int_ge(sandbox_enter(), 0);
	pid = make_host(&namespace_fd);
	sandbox_deny(SYS_setns, EPERM);
	assert_stays_here(namespace_fd, SANDBOX);
	sandbox_stop(pid);
}
END_TEST

START_TEST(what_is_no_mount_namespace_is_an_error)
{
	const ino_t own = own_namespace();
	struct mount_visit visit;
	int fd = open("/proc/self/ns/uts", O_RDONLY | O_CLOEXEC);

	ck_assert_int_ge(sandbox_enter(), 0);
	ck_assert_uint_ne(own_namespace(), own);
	ck_assert_int_eq(chdir(SANDBOX), 0);
	ck_assert_int_eq(mount_visit_begin(&visit, fd, &err), -1);
	sandbox_assert_error(&err, "", "enter the container's mount namespace");
	assert_at(SANDBOX);
}
END_TEST

int main(void)
{
	TCase *tests = tcase_create("mount_visit");
	const char *obstacle = sandbox_obstacle();

	if (obstacle)
		return suite_skip(obstacle);
	tcase_add_test(tests, goes_and_comes_back);
	tcase_add_test(tests, a_changed_root_stays);
	tcase_add_test(tests, without_the_right_nothing_changes);
	tcase_add_test(tests, what_is_no_mount_namespace_is_an_error);
	return suite_run(tests);
}
