/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The test runs copies of itself, which seal themselves and say how they see
 * the result.
 */
#include "libcontainer/kernel/sealed_exe.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <sched.h>
#include <stdbool.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/sendfile.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/fd.h"
#include "libcontainer/kernel/sealed_exe_entry.h"
#include "libcontainer/kernel/tests/suite.h"

#define HELPER_WORD "run-sealed"

static struct error err;
static char directory[] = "/tmp/kogg-sealed-XXXXXX";
static char copy[64];

/* What a copy does after sealing itself: says what it is, then waits for the end of its input. */
static int run_copy(char *argv[])
{
	char exe[64] = "", byte;

	if (sealed_exe_ensure(argv, environ, &err) < 0) {
		printf("%s\n", err.text);
		return 1;
	}
	if (readlink("/proc/self/exe", exe, sizeof(exe) - 1) < 0)
		return 1;
	printf("%s %s %s %s\n", exe, argv[0], argv[2], getenv("KOGG_TEST_VALUE") ?: "");
	fflush(stdout);
	return read(STDIN_FILENO, &byte, 1) == 0 ? 0 : 1;
}

struct run {
	pid_t pid;
	int in, out;
	char said[256];
};

/* Starts a copy; PREPARE, if any, is called in the process that becomes it. */
static struct run start(void (*prepare)(void))
{
	static char name[] = "own name", word[] = HELPER_WORD, argument[] = "an argument",
		    variable[] = "KOGG_TEST_VALUE=value";
	char *argv[] = { name, word, argument, NULL };
	char *env[] = { variable, NULL };
	struct run run = { .said = "" };
	int in[2], out[2];
	ssize_t n;

	ck_assert_int_eq(pipe2(in, O_CLOEXEC) + pipe2(out, O_CLOEXEC), 0);
	run.pid = fork();
	if (run.pid == 0) {
		dup2(in[0], STDIN_FILENO);
		dup2(out[1], STDOUT_FILENO);
		if (prepare)
			prepare();
		execve(copy, argv, env);
		_exit(127);
	}
	ck_assert_int_ge(run.pid, 0);
	close(in[0]);
	close(out[1]);
	run.in = in[1];
	run.out = out[0];
	n = read(run.out, run.said, sizeof(run.said) - 1);
	ck_assert_int_gt(n, 0);
	return run;
}

static void finish(struct run *run)
{
	int status;

	close(run->in);
	ck_assert_int_eq(waitpid(run->pid, &status, 0), run->pid);
	ck_assert_int_eq(status, 0);
	close(run->out);
}

static int open_exe_of(const struct run *run)
{
	char path[64];
	int fd;

	snprintf(path, sizeof(path), "/proc/%d/exe", (int)run->pid);
	fd = open(path, O_PATH | O_CLOEXEC);
	ck_assert_int_ge(fd, 0);
	return fd;
}

/* Reopens for writing what an attacker has kept; the errno, or 0 when that worked. */
static int try_to_write(int fd)
{
	char path[64];
	cleanup_fd int writable = -1;

	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	writable = open(path, O_WRONLY | O_CLOEXEC);
	if (writable < 0)
		return errno;
	return write(writable, "x", 1) < 0 ? errno : 0;
}

static const struct {
	const char *argv[6];
	bool applies;
} command_lines[] = {
	{ { "kogg", "create", "x" }, true },
	{ { "kogg", "--root", "/run/x", "run", "x" }, true },
	{ { "kogg", "--debug", "exec", "x", "true" }, true },
	{ { "run" }, false },
	{ { "kogg" }, false },
	{ { "kogg", "start", "x" }, false },
	{ { "kogg", "--root=run", "creat", "created", "runs" }, false },
	{ { NULL }, false },
};

START_TEST(the_entry_knows_what_comes_near_containers)
{
	char *argv[array_size(command_lines[0].argv)];

	memcpy(argv, command_lines[_i].argv, sizeof(argv));
	ck_assert_int_eq(sealed_exe_entry_applies(argv), command_lines[_i].applies);
}
END_TEST

START_TEST(runs_from_a_detached_mount)
{
	struct run run = start(NULL);
	cleanup_fd int fd = open_exe_of(&run);

	/* Arguments and environment have come through. */
	ck_assert_str_eq(run.said, "/ own name an argument value\n");
	finish(&run);
	ck_assert_int_eq(try_to_write(fd), EROFS);
}
END_TEST

/* One in the container with all rights over its own mounts. */
START_TEST(nobody_can_make_the_mount_writable)
{
	struct mount_attr writable = { .attr_clr = MOUNT_ATTR_RDONLY };
	struct run run = start(NULL);
	cleanup_fd int fd = open_exe_of(&run);
	char path[64];

	ck_assert_int_eq(unshare(CLONE_NEWNS), 0);
	ck_assert_int_eq(mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL), 0);
	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	ck_assert_int_eq(mount_setattr(fd, "", AT_EMPTY_PATH, &writable, sizeof(writable)), -1);
	ck_assert_int_eq(open_tree(fd, "", AT_EMPTY_PATH | OPEN_TREE_CLONE), -1);
	ck_assert_int_eq(mount(NULL, path, NULL, MS_REMOUNT | MS_BIND, NULL), -1);
	ck_assert_int_eq(mount(path, copy, NULL, MS_BIND, NULL), -1);
	finish(&run);
	ck_assert_int_eq(mount_setattr(fd, "", AT_EMPTY_PATH, &writable, sizeof(writable)), -1);
	ck_assert_int_eq(try_to_write(fd), EROFS);
}
END_TEST

/* An ordinary read-only mount is not taken for a sealed one. */
static void run_from_read_only_mount(void)
{
	if (unshare(CLONE_NEWNS) < 0 || mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) < 0 ||
		mount(copy, copy, NULL, MS_BIND, NULL) < 0 ||
		mount(NULL, copy, NULL,
			MS_REMOUNT | MS_BIND | MS_RDONLY | MS_NODEV | MS_NOATIME | MS_NODIRATIME,
			NULL) < 0)
		_exit(126);
}

START_TEST(an_ordinary_read_only_mount_is_not_enough)
{
	struct run run = start(run_from_read_only_mount);

	ck_assert_str_eq(run.said, "/ own name an argument value\n");
	finish(&run);
}
END_TEST

static void lose_mounting(void)
{
	prctl(PR_CAPBSET_DROP, CAP_SYS_ADMIN, 0, 0, 0);
}

static void assert_is_sealed_copy(struct run *run)
{
	cleanup_fd int fd = open_exe_of(run);
	char path[64];
	cleanup_fd int readable = -1;
	int seals;

	ck_assert_int_eq(strncmp(run->said, "/memfd:", 7), 0);
	ck_assert_ptr_nonnull(strstr(run->said, " own name an argument value\n"));
	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	readable = open(path, O_RDONLY | O_CLOEXEC);
	seals = fcntl(readable, F_GET_SEALS);
	ck_assert_int_ge(seals, 0);
	ck_assert_int_eq(seals & 0xf, F_SEAL_SEAL | F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE);
	finish(run);
	ck_assert_int_eq(try_to_write(fd), EPERM);
}

START_TEST(without_mounting_a_copy_is_sealed)
{
	struct run run = start(lose_mounting);

	assert_is_sealed_copy(&run);
}
END_TEST

static void become_user(void)
{
	if (setresgid(54321, 54321, 54321) < 0 || setresuid(54321, 54321, 54321) < 0)
		_exit(126);
}

START_TEST(a_user_needs_no_copy_of_what_is_out_of_reach)
{
	struct run run = start(become_user);

	ck_assert_int_eq(strncmp(run.said, copy, strlen(copy)), 0);
	finish(&run);
}
END_TEST

START_TEST(a_user_seals_what_is_his)
{
	struct run run;

	ck_assert_int_eq(chown(copy, 54321, 54321), 0);
	run = start(become_user);
	assert_is_sealed_copy(&run);
}
END_TEST

static void set_up(void)
{
	cleanup_fd int from = open("/proc/self/exe", O_RDONLY | O_CLOEXEC);
	cleanup_fd int to = -1;
	struct stat st;

	ck_assert_ptr_nonnull(mkdtemp(directory));
	ck_assert_int_eq(chmod(directory, 0755), 0);
	snprintf(copy, sizeof(copy), "%s/exe", directory);
	to = open(copy, O_WRONLY | O_CREAT | O_CLOEXEC, 0755);
	ck_assert_int_eq(fstat(from, &st), 0);
	for (off_t done = 0; done < st.st_size;)
		ck_assert_int_gt(sendfile(to, from, &done, (size_t)(st.st_size - done)), 0);
	ck_assert_int_eq(fchmod(to, 0755), 0);
}

static void tear_down(void)
{
	unlink(copy);
	rmdir(directory);
}

int main(int argc, char *argv[])
{
	TCase *tests;

	if (argc > 2 && strcmp(argv[1], HELPER_WORD) == 0)
		return run_copy(argv);
	if (geteuid() != 0)
		return suite_skip("mounting and changing the user needs root");
	tests = tcase_create("sealed exe");
	tcase_add_unchecked_fixture(tests, set_up, tear_down);
	tcase_add_loop_test(
		tests, the_entry_knows_what_comes_near_containers, 0, array_size(command_lines));
	tcase_add_test(tests, runs_from_a_detached_mount);
	tcase_add_test(tests, nobody_can_make_the_mount_writable);
	tcase_add_test(tests, an_ordinary_read_only_mount_is_not_enough);
	tcase_add_test(tests, without_mounting_a_copy_is_sealed);
	tcase_add_test(tests, a_user_needs_no_copy_of_what_is_out_of_reach);
	tcase_add_test(tests, a_user_seals_what_is_his);
	return suite_run(tests);
}
