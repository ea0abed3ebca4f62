/* SPDX-License-Identifier: Apache-2.0 */
#include <check.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/clock.h"
#include "libcontainer/rollback.h"
#include "libcontainer/sync.h"

static int pair[2];
static struct error err;
static char warned[LOG_TEXT_MAX];

static void setup(void)
{
	err = (struct error){ 0 };
	warned[0] = '\0';
	ck_assert_int_eq(sync_open(pair, &err), 0);
}

static void teardown(void)
{
	log_set_sink(NULL);
	close(pair[0]);
	close(pair[1]);
}

START_TEST(carries_a_message)
{
	struct sync_message message;

	ck_assert_int_eq(sync_send(pair[1], SYNC_READY, 7, -1, &err), 0);
	ck_assert_int_eq(sync_receive(pair[0], CLOCK_NO_DEADLINE, &message, NULL, &err), 0);
	ck_assert_int_eq(message.type, SYNC_READY);
	ck_assert_int_eq(message.value, 7);
}
END_TEST

START_TEST(carries_a_descriptor)
{
	struct sync_message message;
	int fd = -1;

	ck_assert_int_eq(sync_send(pair[1], SYNC_TERMINAL, 0, STDIN_FILENO, &err), 0);
	ck_assert_int_eq(sync_receive(pair[0], CLOCK_NO_DEADLINE, &message, &fd, &err), 0);
	ck_assert_int_ge(fd, 0);
	ck_assert_int_eq(fcntl(fd, F_GETFD), FD_CLOEXEC);
	close(fd);
}
END_TEST

START_TEST(carries_many_descriptors)
{
	int sent[FD_SEND_MAX], taken[FD_SEND_MAX];
	size_t count;

	for (size_t i = 0; i < FD_SEND_MAX; i++)
		sent[i] = pair[0];
	ck_assert_int_eq(sync_send_fds(pair[0], SYNC_SOURCES, sent, FD_SEND_MAX, &err), 0);
	ck_assert_int_eq(sync_send_fds(pair[0], SYNC_SOURCES, NULL, 0, &err), 0);
	ck_assert_int_eq(sync_take_fds(pair[1], SYNC_SOURCES, taken, &count, &err), 0);
	ck_assert_uint_eq(count, FD_SEND_MAX);
	for (size_t i = 0; i < count; i++)
		ck_assert_int_eq(close(taken[i]), 0);
	ck_assert_int_eq(sync_take_fds(pair[1], SYNC_SOURCES, taken, &count, &err), 0);
	ck_assert_uint_eq(count, 0);
}
END_TEST

/* Nor does one of them stay open. */
START_TEST(descriptors_are_not_taken_with_another_message)
{
	int taken[FD_SEND_MAX];
	const int next = dup(pair[0]);
	size_t count;

	close(next);
	ck_assert_int_eq(sync_send_fds(pair[0], SYNC_NETWORK, &pair[0], 1, &err), 0);
	ck_assert_int_eq(sync_take_fds(pair[1], SYNC_SOURCES, taken, &count, &err), -1);
	ck_assert_int_eq(fcntl(next, F_GETFD), -1);
}
END_TEST

START_TEST(an_error_arrives_whole)
{
	struct sync_message message;
	struct error sent = { 0 };

	error_set(&sent, ERROR_SPEC, "no such thing");
	error_point(&sent, "/linux/x");
	error_phase(&sent, "mounts");
	sync_send_error(pair[1], &sent);
	ck_assert_int_eq(sync_receive(pair[0], CLOCK_NO_DEADLINE, &message, NULL, &err), -1);
	ck_assert_int_eq(err.kind, ERROR_SPEC);
	ck_assert_str_eq(err.text, "no such thing");
	ck_assert_str_eq(err.pointer, "/linux/x");
	ck_assert_str_eq(err.phase, "mounts");
}
END_TEST

START_TEST(a_mute_end_is_told_apart)
{
	struct sync_message message;

	close(pair[1]);
	pair[1] = -1;
	ck_assert_int_eq(sync_receive(pair[0], CLOCK_NO_DEADLINE, &message, NULL, &err), -1);
	ck_assert_int_eq(err.sys_errno, EPIPE);
}
END_TEST

/* Of a process that has ended without having read what it was sent (ECONNRESET). */
START_TEST(the_last_words_arrive)
{
	struct sync_message message;
	struct error last = { 0 };

	ck_assert_int_eq(sync_send(pair[0], SYNC_GO, 0, -1, &err), 0);
	error_set(&last, ERROR_SYSTEM, "last words");
	sync_send_error(pair[1], &last);
	close(pair[1]);
	pair[1] = -1;
	ck_assert_int_eq(sync_receive(pair[0], CLOCK_NO_DEADLINE, &message, NULL, &err), -1);
	ck_assert_str_eq(err.text, "last words");
	ck_assert_int_eq(sync_receive(pair[0], CLOCK_NO_DEADLINE, &message, NULL, &err), -1);
	ck_assert_int_eq(err.sys_errno, EPIPE);
}
END_TEST

START_TEST(only_what_is_waited_for_is_taken)
{
	int fd = -1;

	ck_assert_int_eq(sync_send(pair[0], SYNC_NETWORK, 0, STDIN_FILENO, &err), 0);
	ck_assert_int_eq(sync_take(pair[1], SYNC_NETWORK, &fd, &err), 0);
	ck_assert_int_ge(fd, 0);
	close(fd);
	ck_assert_int_eq(sync_send(pair[0], SYNC_NETWORK, 0, -1, &err), 0);
	ck_assert_int_eq(sync_take(pair[1], SYNC_GO, NULL, &err), -1);
}
END_TEST

START_TEST(go_is_awaited_by_reading)
{
	ck_assert_int_eq(sync_send(pair[0], SYNC_GO, 0, -1, &err), 0);
	ck_assert_int_eq(sync_await_go(pair[1], &err), 0);
	ck_assert_int_eq(sync_send(pair[0], SYNC_NETWORK, 0, -1, &err), 0);
	ck_assert_int_eq(sync_await_go(pair[1], &err), -1);
	close(pair[0]);
	pair[0] = -1;
	err = (struct error){ 0 };
	ck_assert_int_eq(sync_await_go(pair[1], &err), -1);
	ck_assert_str_eq(err.text, "the runtime is gone");
}
END_TEST

/* What a process that has been taken over could send. */
START_TEST(hostile_strings_are_ended)
{
	struct sync_message message;

	memset(&message, 'x', sizeof(message));
	message.type = SYNC_ERROR;
	ck_assert_int_eq(write(pair[1], &message, sizeof(message)), sizeof(message));
	ck_assert_int_eq(sync_receive(pair[0], CLOCK_NO_DEADLINE, &message, NULL, &err), -1);
	ck_assert_uint_eq(strlen(err.text), sizeof(err.text) - 1);
	ck_assert_uint_eq(strlen(err.hint), sizeof(err.hint) - 1);
	ck_assert_int_eq(err.kind, ERROR_SYSTEM);
}
END_TEST

static const struct {
	size_t size;
	int type;
} malformed[] = {
	{ 1, SYNC_READY },
	{ sizeof(struct sync_message) - 1, SYNC_READY },
	{ sizeof(struct sync_message) + 1, SYNC_READY },
	{ sizeof(struct sync_message), SYNC_GO },
	{ sizeof(struct sync_message), SYNC_ERROR + 1 },
	{ sizeof(struct sync_message), -1 },
};

START_TEST(refuses_malformed_messages)
{
	union {
		struct sync_message message;
		char bytes[sizeof(struct sync_message) + 8];
	} sent = { 0 };
	struct sync_message message;
	ssize_t size = (ssize_t)malformed[_i].size;

	memcpy(&sent.message.type, &malformed[_i].type, sizeof(int));
	ck_assert_int_eq(write(pair[1], &sent, malformed[_i].size), size);
	ck_assert_int_eq(sync_receive(pair[0], CLOCK_NO_DEADLINE, &message, NULL, &err), -1);
	ck_assert_int_ne(err.sys_errno, EPIPE);
}
END_TEST

static void keep_warning(void *context, enum log_level level, const char *text)
{
	(void)context;
	(void)level;
	snprintf(warned, sizeof(warned), "%s", text);
}

START_TEST(warnings_pass_through)
{
	const struct log_sink sink = { LOG_LEVEL_WARNING, keep_warning, NULL };
	struct sync_message message;

	sync_log_to(&pair[1], LOG_LEVEL_WARNING);
	log_warning("careful: %d", 5);
	log_debug("not wanted");
	ck_assert_int_eq(sync_send(pair[1], SYNC_READY, 0, -1, &err), 0);
	log_set_sink(&sink);
	ck_assert_int_eq(sync_receive(pair[0], CLOCK_NO_DEADLINE, &message, NULL, &err), 0);
	ck_assert_int_eq(message.type, SYNC_READY);
	ck_assert_str_eq(warned, "careful: 5");
}
END_TEST

/* For who has to look elsewhere before the next message, which may never come. */
START_TEST(each_warning_is_heard_alone)
{
	const struct log_sink sink = { LOG_LEVEL_DEBUG, keep_warning, NULL };
	struct sync_message message;

	sync_log_to(&pair[1], LOG_LEVEL_DEBUG);
	if (_i)
		log_debug("only so");
	else
		log_warning("only so");
	log_set_sink(&sink);
	ck_assert_int_eq(sync_receive_any(pair[0], clock_now_ms() + 2000, &message, NULL, &err), 0);
	ck_assert_int_eq(message.type, _i ? SYNC_DEBUG : SYNC_WARNING);
	ck_assert_str_eq(warned, "only so");
}
END_TEST

START_TEST(waits_no_longer_than_it_should)
{
	struct sync_message message;
	int64_t start = clock_now_ms();

	ck_assert_int_eq(sync_receive(pair[0], start + 50, &message, NULL, &err), -1);
	ck_assert_int_ge(clock_now_ms(), start + 50);
	ck_assert_str_eq(err.text, "the container's process has not answered in time");
}
END_TEST

/* One who never stops to send warnings is not heard for ever. */
START_TEST(a_flood_ends)
{
	struct sync_message message = { .type = SYNC_WARNING };
	int64_t start = clock_now_ms();
	pid_t pid = fork();

	if (pid == 0)
		while (write(pair[1], &message, sizeof(message)) > 0)
			;
	ck_assert_int_eq(sync_receive(pair[0], start + 50, &message, NULL, &err), -1);
	kill(pid, SIGKILL);
	waitpid(pid, NULL, 0);
	ck_assert_str_eq(err.text, "the container's process has not answered in time");
}
END_TEST

static void append(void *context)
{
	strncat(warned, context, 1);
}

START_TEST(undoes_the_last_first)
{
	char a[] = "a", b[] = "b";
	struct rollback rollback = { 0 };

	rollback_push(&rollback, append, a);
	rollback_push(&rollback, append, b);
	rollback_run(&rollback);
	ck_assert_str_eq(warned, "ba");
	rollback_run(&rollback);
	ck_assert_str_eq(warned, "ba");
}
END_TEST

START_TEST(undoes_nothing_after_commit)
{
	char a[] = "a";
	struct rollback rollback = { 0 };

	rollback_push(&rollback, append, a);
	rollback_commit(&rollback);
	rollback_run(&rollback);
	ck_assert_str_eq(warned, "");
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("sync");
	TCase *tcase = tcase_create("messages");
	SRunner *runner = srunner_create(suite);
	int failed;

	tcase_add_checked_fixture(tcase, setup, teardown);
	tcase_add_test(tcase, carries_a_message);
	tcase_add_test(tcase, carries_a_descriptor);
	tcase_add_test(tcase, carries_many_descriptors);
	tcase_add_test(tcase, descriptors_are_not_taken_with_another_message);
	tcase_add_test(tcase, an_error_arrives_whole);
	tcase_add_test(tcase, a_mute_end_is_told_apart);
	tcase_add_test(tcase, the_last_words_arrive);
	tcase_add_test(tcase, only_what_is_waited_for_is_taken);
	tcase_add_test(tcase, go_is_awaited_by_reading);
	tcase_add_test(tcase, hostile_strings_are_ended);
	tcase_add_loop_test(tcase, refuses_malformed_messages, 0, array_size(malformed));
	tcase_add_test(tcase, warnings_pass_through);
	tcase_add_loop_test(tcase, each_warning_is_heard_alone, 0, 2);
	tcase_add_test(tcase, waits_no_longer_than_it_should);
	tcase_add_test(tcase, a_flood_ends);
	tcase_add_test(tcase, undoes_the_last_first);
	tcase_add_test(tcase, undoes_nothing_after_commit);
	suite_add_tcase(suite, tcase);

	srunner_run_all(runner, CK_ENV);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
