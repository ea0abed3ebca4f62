/* SPDX-License-Identifier: Apache-2.0 */
#include "base/fd.h"

#include <check.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/attributes.h"

#define LARGE (1 << 20)

static int ends[2];

static void open_pipe(void)
{
	ck_assert_int_eq(pipe2(ends, O_CLOEXEC), 0);
}

static void open_sockets(void)
{
	ck_assert_int_eq(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends), 0);
}

static void close_ends(void)
{
	close(ends[0]);
	close(ends[1]);
}

/* A pipe holds less, so that the writes are cut short. */
START_TEST(moves_more_than_a_pipe_holds)
{
	static char out[LARGE], in[LARGE + 1];
	pid_t child;

	for (size_t i = 0; i < sizeof(out); i++)
		out[i] = (char)(i * 7);
	open_pipe();
	child = fork();
	if (child == 0) {
		close(ends[0]);
		_exit(fd_write_all(ends[1], out, sizeof(out)) < 0);
	}
	close(ends[1]);
	ck_assert_int_eq(fd_read_all(ends[0], in, sizeof(in)), sizeof(out));
	ck_assert_mem_eq(in, out, sizeof(out));
	ck_assert_int_eq(waitpid(child, NULL, 0), child);
	close(ends[0]);
}
END_TEST

START_TEST(reports_a_bad_descriptor)
{
	char byte = 0;

	ck_assert_int_eq(fd_write_all(-1, &byte, 1), -1);
	ck_assert_int_eq(errno, EBADF);
	ck_assert_int_eq(fd_read_all(-1, &byte, 1), -1);
	ck_assert_int_eq(errno, EBADF);
}
END_TEST

/* Whether FD is open and, as all that come in have to be, close-on-exec. */
static bool is_private(int fd)
{
	return fcntl(fd, F_GETFD) == FD_CLOEXEC;
}

START_TEST(sends_descriptors)
{
	int sent[2] = { STDIN_FILENO, STDERR_FILENO }, got[3];
	char text[16] = "";

	open_sockets();
	ck_assert_int_eq(fd_send(ends[0], "hello", 6, sent, 2), 0);
	ck_assert_int_eq(fd_receive(ends[1], text, sizeof(text), got, 3), 6);
	ck_assert_str_eq(text, "hello");
	ck_assert(is_private(got[0]) && is_private(got[1]));
	ck_assert_int_eq(got[2], -1);
	close(got[0]);
	close(got[1]);
	close_ends();
}
END_TEST

START_TEST(sends_without_descriptors)
{
	char text[16] = "";

	open_sockets();
	ck_assert_int_eq(fd_send(ends[0], "x", 1, NULL, 0), 0);
	ck_assert_int_eq(fd_receive(ends[1], text, sizeof(text), NULL, 0), 1);
	close_ends();
}
END_TEST

START_TEST(sees_the_end)
{
	char byte;

	open_sockets();
	close(ends[0]);
	ck_assert_int_eq(fd_receive(ends[1], &byte, 1, NULL, 0), 0);
	close(ends[1]);
}
END_TEST

static int count_fds(void)
{
	int count = 0;

	for (int fd = 0; fd < 256; fd++)
		count += fcntl(fd, F_GETFD) >= 0;
	return count;
}

/* What was cut leaves no descriptor behind. */
START_TEST(refuses_too_many_descriptors)
{
	int sent[3] = { 0, 1, 2 }, got[2] = { 7, 7 }, before;
	char byte;

	open_sockets();
	before = count_fds();
	ck_assert_int_eq(fd_send(ends[0], "x", 1, sent, 3), 0);
	ck_assert_int_eq(fd_receive(ends[1], &byte, 1, got, 2), -1);
	ck_assert_int_eq(errno, EMSGSIZE);
	ck_assert_int_eq(got[0], -1);
	ck_assert_int_eq(got[1], -1);
	ck_assert_int_eq(count_fds(), before);
	close_ends();
}
END_TEST

START_TEST(refuses_a_cut_message)
{
	int sent[1] = { 0 }, got[1] = { 7 }, before;
	char bytes[4];

	open_sockets();
	before = count_fds();
	ck_assert_int_eq(fd_send(ends[0], "too long", 8, sent, 1), 0);
	ck_assert_int_eq(fd_receive(ends[1], bytes, sizeof(bytes), got, 1), -1);
	ck_assert_int_eq(errno, EMSGSIZE);
	ck_assert_int_eq(got[0], -1);
	ck_assert_int_eq(count_fds(), before);
	close_ends();
}
END_TEST

START_TEST(raises_no_signal)
{
	signal(SIGPIPE, SIG_DFL);
	open_sockets();
	close(ends[1]);
	ck_assert_int_eq(fd_send(ends[0], "x", 1, NULL, 0), -1);
	ck_assert_int_eq(errno, EPIPE);
	close(ends[0]);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("fd");
	TCase *tcase = tcase_create("fd");
	SRunner *runner = srunner_create(suite);
	int failed;

	tcase_add_test(tcase, moves_more_than_a_pipe_holds);
	tcase_add_test(tcase, reports_a_bad_descriptor);
	tcase_add_test(tcase, sends_descriptors);
	tcase_add_test(tcase, sends_without_descriptors);
	tcase_add_test(tcase, sees_the_end);
	tcase_add_test(tcase, refuses_too_many_descriptors);
	tcase_add_test(tcase, refuses_a_cut_message);
	tcase_add_test(tcase, raises_no_signal);
	suite_add_tcase(suite, tcase);

	srunner_run_all(runner, CK_ENV);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
