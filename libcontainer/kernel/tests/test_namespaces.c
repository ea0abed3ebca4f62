/* SPDX-License-Identifier: Apache-2.0 */
#include "libcontainer/kernel/namespaces.h"

#include <errno.h>
#include <fcntl.h>
#include <net/if.h>
#include <sched.h>
#include <signal.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/file.h"
#include "libcontainer/kernel/tests/suite.h"

static struct error err;

/* A child in new namespaces FLAGS; with a user namespace it is root there. */
static pid_t make_holder(unsigned flags)
{
	char path[64], byte;
	int ready[2];
	pid_t pid;

	ck_assert_int_eq(pipe2(ready, O_CLOEXEC), 0);
	pid = fork();
	if (pid == 0) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		if (unshare((int)flags) == 0 && write(ready[1], "x", 1) == 1)
			pause();
		_exit(1);
	}
	ck_assert_int_ge(pid, 0);
	close(ready[1]);
	ck_assert_int_eq(read(ready[0], &byte, 1), 1);
	close(ready[0]);
	if (flags & CLONE_NEWUSER) {
		snprintf(path, sizeof(path), "/proc/%d/uid_map", (int)pid);
		suite_assert_done(file_write_at(AT_FDCWD, path, "0 100000 10", &err), err);
		snprintf(path, sizeof(path), "/proc/%d/gid_map", (int)pid);
		suite_assert_done(file_write_at(AT_FDCWD, path, "0 100000 10", &err), err);
	}
	return pid;
}

static ino_t inode_of(pid_t pid, const char *file)
{
	struct stat st;
	char path[64];

	snprintf(path, sizeof(path), "/proc/%d/ns/%s", (int)pid, file);
	ck_assert_int_eq(stat(path, &st), 0);
	return st.st_ino;
}

START_TEST(flags_are_told_apart)
{
	struct spec_namespace list[] = { { CLONE_NEWNET, "/proc/self/ns/net" },
		{ CLONE_NEWNS, NULL }, { CLONE_NEWPID, NULL } };
	const struct spec_linux platform = { .namespaces = list, .n_namespaces = 3 };

	ck_assert_uint_eq(namespaces_to_make(&platform), CLONE_NEWNS | CLONE_NEWPID);
	ck_assert_uint_eq(namespaces_to_join(&platform), CLONE_NEWNET);
}
END_TEST

static const struct {
	struct spec_namespace wanted;
	const char *text;
	enum error_kind kind;
} bad[] = {
	{ { CLONE_NEWNET, "/proc/self/ns/uts" },
		"'/proc/self/ns/uts' is a namespace of type uts, expected type network",
		ERROR_SPEC },
	{ { CLONE_NEWNET, "/proc/self/status" }, "'/proc/self/status' is not a namespace",
		ERROR_SPEC },
	{ { CLONE_NEWNET, "/dev/null" }, "'/dev/null' is not a namespace", ERROR_SPEC },
	{ { CLONE_NEWNET, "/" }, "'/' is not a namespace", ERROR_SPEC },
	{ { CLONE_NEWNET, "/run/netns/kogg-none" }, "open '/run/netns/kogg-none': not found",
		ERROR_SYSTEM },
};

START_TEST(wrong_paths_point)
{
	struct spec_namespace list[] = { { CLONE_NEWUTS, "/proc/self/ns/uts" }, bad[_i].wanted };
	const struct spec_linux platform = { .namespaces = list, .n_namespaces = 2 };
	struct namespaces opened;

	ck_assert_int_eq(namespaces_open(&platform, &opened, &err), -1);
	ck_assert_str_eq(err.pointer, "/linux/namespaces/1/path");
	ck_assert_str_eq(err.text, bad[_i].text);
	ck_assert_int_eq(err.kind, bad[_i].kind);
}
END_TEST

static char holder_path[3][64];

static int join_from(pid_t pid, const char *const *files, const unsigned *flags, size_t count)
{
	cleanup_namespaces struct namespaces opened = { .count = 0 };
	struct spec_namespace list[3];
	const struct spec_linux platform = { .namespaces = list, .n_namespaces = count };

	for (size_t i = 0; i < count; i++) {
		snprintf(holder_path[i], sizeof(holder_path[i]), "/proc/%d/ns/%s", (int)pid,
			files[i]);
		list[i] = (struct spec_namespace){ flags[i], holder_path[i] };
	}
	suite_assert_done(namespaces_open(&platform, &opened, &err), err);
	ck_assert_uint_eq(opened.count, count);
	return namespaces_join(&opened, &err);
}

START_TEST(root_joins_all)
{
	static const char *const files[] = { "net", "user", "uts" };
	static const unsigned flags[] = { CLONE_NEWNET, CLONE_NEWUSER, CLONE_NEWUTS };
	pid_t pid = make_holder(CLONE_NEWUSER | CLONE_NEWNET | CLONE_NEWUTS);
	ino_t net = inode_of(pid, "net"), user = inode_of(pid, "user"), uts = inode_of(pid, "uts");

	suite_assert_done(join_from(pid, files, flags, 3), err);
	ck_assert_uint_eq(inode_of(getpid(), "net"), net);
	ck_assert_uint_eq(inode_of(getpid(), "user"), user);
	ck_assert_uint_eq(inode_of(getpid(), "uts"), uts);
}
END_TEST

/* Only the user namespace gives the right to join the others. */
START_TEST(an_unprivileged_user_joins_what_is_his)
{
	static const char *const files[] = { "net", "uts", "user" };
	static const unsigned flags[] = { CLONE_NEWNET, CLONE_NEWUTS, CLONE_NEWUSER };
	ino_t net;
	pid_t pid;

	ck_assert_int_eq(setresgid(54321, 54321, 54321), 0);
	ck_assert_int_eq(setresuid(54321, 54321, 54321), 0);
	prctl(PR_SET_DUMPABLE, 1);
	pid = fork();
	if (pid == 0) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		prctl(PR_SET_DUMPABLE, 1);
		if (unshare(CLONE_NEWUSER | CLONE_NEWNET | CLONE_NEWUTS) == 0)
			pause();
		_exit(1);
	}
	for (int i = 0; i < 100 && inode_of(pid, "uts") == inode_of(getpid(), "uts"); i++)
		sched_yield(), nanosleep(&(struct timespec){ 0, 1000000 }, NULL);
	net = inode_of(pid, "net");
	suite_assert_done(join_from(pid, files, flags, 3), err);
	ck_assert_uint_eq(inode_of(getpid(), "net"), net);
}
END_TEST

START_TEST(joining_ones_own_user_namespace_is_fine)
{
	static const char *const files[] = { "user", "net" };
	static const unsigned flags[] = { CLONE_NEWUSER, CLONE_NEWNET };
	pid_t pid = make_holder(CLONE_NEWNET);
	ino_t net = inode_of(pid, "net");

	suite_assert_done(join_from(pid, files, flags, 2), err);
	ck_assert_uint_eq(inode_of(getpid(), "net"), net);
}
END_TEST

START_TEST(without_the_right_joining_points)
{
	static const char *const files[] = { "net" };
	static const unsigned flags[] = { CLONE_NEWNET };

	ck_assert_int_eq(setresuid(54321, 54321, 54321), 0);
	prctl(PR_SET_DUMPABLE, 1);
	ck_assert_int_eq(join_from(getpid(), files, flags, 1), -1);
	ck_assert_str_eq(err.text, "join the network namespace: not permitted");
	ck_assert_str_eq(err.pointer, "/linux/namespaces/0/path");
}
END_TEST

START_TEST(a_process_is_joined_by_descriptor)
{
	pid_t pid = make_holder(CLONE_NEWUSER | CLONE_NEWNET | CLONE_NEWIPC);
	cleanup_fd int fd = (int)syscall(SYS_pidfd_open, pid, 0);
	ino_t net = inode_of(pid, "net");
	unsigned flags = 0;

	ck_assert_int_ge(fd, 0);
	suite_assert_done(namespaces_compare(pid, &flags, &err), err);
	ck_assert_uint_eq(flags, CLONE_NEWUSER | CLONE_NEWNET | CLONE_NEWIPC);
	suite_assert_done(namespaces_join_process(fd, 0, &err), err);
	suite_assert_done(namespaces_join_process(fd, flags, &err), err);
	ck_assert_uint_eq(inode_of(getpid(), "net"), net);
	suite_assert_done(namespaces_compare(getpid(), &flags, &err), err);
	ck_assert_uint_eq(flags, 0);
}
END_TEST

START_TEST(loopback_comes_up)
{
	struct ifreq request = { .ifr_name = "lo" };
	int network, fd, own = open("/proc/self/ns/net", O_RDONLY | O_CLOEXEC);

	ck_assert_int_ge(own, 0);
	ck_assert_int_eq(unshare(CLONE_NEWNET), 0);
	network = namespaces_open_network(&err);
	fd = socket(AF_INET, SOCK_DGRAM, 0);
	/* From elsewhere, as the runtime does it. */
	ck_assert_int_eq(setns(own, CLONE_NEWNET), 0);
	suite_assert_done(namespaces_raise_loopback(network, &err), err);
	ck_assert_int_eq(ioctl(fd, SIOCGIFFLAGS, &request), 0);
	ck_assert_int_ne(request.ifr_flags & IFF_UP, 0);
	ck_assert_int_ne(request.ifr_flags & IFF_RUNNING, 0);
	ck_assert_int_eq(ioctl(fd, SIOCGIFADDR, &request), 0);
	ck_assert_int_eq(request.ifr_addr.sa_data[2], 127);
	close(fd);
}
END_TEST

int main(void)
{
	TCase *tests;

	if (geteuid() != 0)
		return suite_skip("making and joining namespaces needs root");
	tests = tcase_create("namespaces");
	tcase_add_test(tests, flags_are_told_apart);
	tcase_add_loop_test(tests, wrong_paths_point, 0, array_size(bad));
	tcase_add_test(tests, root_joins_all);
	tcase_add_test(tests, an_unprivileged_user_joins_what_is_his);
	tcase_add_test(tests, joining_ones_own_user_namespace_is_fine);
	tcase_add_test(tests, without_the_right_joining_points);
	tcase_add_test(tests, a_process_is_joined_by_descriptor);
	tcase_add_test(tests, loopback_comes_up);
	return suite_run(tests);
}
