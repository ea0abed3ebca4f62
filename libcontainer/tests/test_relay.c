/* SPDX-License-Identifier: Apache-2.0 */
#include <check.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pty.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <termios.h>
#include <time.h>
#include <unistd.h>

#include "libcontainer/relay.h"

#define DEADLINE_MS 10000

/* Each test is a process of its own, so it may put what it likes at 0 and 1. */
static int slave;  /* where the container's program would be */
static int reader; /* of what the relay writes to standard output */
static int writer; /* of its standard input; or -1 */
static struct relay *relay;
static struct error err;

static void put_at(int fd, int number)
{
	ck_assert_int_eq(dup2(fd, number), number);
	close(fd);
}

static void set_raw(int fd)
{
	struct termios modes;

	ck_assert_int_eq(tcgetattr(fd, &modes), 0);
	cfmakeraw(&modes);
	ck_assert_int_eq(tcsetattr(fd, TCSANOW, &modes), 0);
}

/* A relay between pipes at both streams and a terminal whose program's side is SLAVE. */
static void setup(void)
{
	int input[2], output[2], master;

	signal(SIGPIPE, SIG_IGN); /* as the program has it */
	ck_assert_int_eq(pipe2(input, O_CLOEXEC), 0);
	ck_assert_int_eq(pipe2(output, O_CLOEXEC), 0);
	put_at(input[0], STDIN_FILENO);
	put_at(output[1], STDOUT_FILENO);
	writer = input[1];
	reader = output[0];
	ck_assert_int_eq(openpty(&master, &slave, NULL, NULL, NULL), 0);
	ck_assert_int_eq(relay_prepare(master, &err), 0);
	ck_assert_int_eq(relay_open(master, &relay, &err), 0);
}

static long now_ms(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

/* One round of the caller's loop. Returns how many descriptors were ready. */
static int turn(int timeout_ms)
{
	struct pollfd fds[RELAY_POLL_FDS];
	int n;

	relay_watch(relay, fds);
	n = poll(fds, RELAY_POLL_FDS, timeout_ms);
	ck_assert_int_ge(n, 0);
	relay_copy(relay, fds);
	return n;
}

/* Turns until SIZE bytes have come out at FD. */
static void expect_at(int fd, const char *bytes, size_t size)
{
	long deadline = now_ms() + DEADLINE_MS;
	char got[256];
	size_t have = 0;

	ck_assert_uint_le(size, sizeof(got));
	while (have < size) {
		struct pollfd ready = { .fd = fd, .events = POLLIN };

		ck_assert_int_lt(now_ms(), deadline);
		turn(10);
		if (poll(&ready, 1, 0) > 0) {
			ssize_t n = read(fd, got + have, size - have);

			ck_assert_int_gt(n, 0);
			have += (size_t)n;
		}
	}
	ck_assert_int_eq(memcmp(got, bytes, size), 0);
}

static void put(int fd, const char *bytes)
{
	ck_assert_int_eq(write(fd, bytes, strlen(bytes)), (ssize_t)strlen(bytes));
}

START_TEST(carries_output_with_plain_line_ends)
{
	put(slave, "one\ntwo\n");
	expect_at(reader, "one\ntwo\n", 8);
}
END_TEST

START_TEST(carries_input)
{
	set_raw(slave);
	put(writer, "in\r\x03\x1a");
	expect_at(slave, "in\r\x03\x1a", 5);
}
END_TEST

START_TEST(types_the_end_of_input)
{
	char byte;

	put(writer, "line\n");
	expect_at(slave, "line\n", 5);
	close(writer);
	for (int i = 0; i < 10; i++)
		turn(10);
	ck_assert_int_eq(read(slave, &byte, 1), 0);
}
END_TEST

/* The one VEOF ends the line, the other the file (termios(3)). */
START_TEST(types_the_end_of_an_open_line)
{
	char bytes[8];

	put(writer, "open");
	close(writer);
	for (int i = 0; i < 10; i++)
		turn(10);
	ck_assert_int_eq(read(slave, bytes, sizeof(bytes)), 4);
	ck_assert_int_eq(read(slave, bytes, sizeof(bytes)), 0);
}
END_TEST

START_TEST(types_nothing_when_there_was_no_input)
{
	int pending = -1;

	close(writer);
	for (int i = 0; i < 10; i++)
		turn(10);
	fcntl(slave, F_SETFL, O_NONBLOCK);
	ck_assert_int_eq(read(slave, &pending, 1), -1);
	ck_assert_int_eq(errno, EAGAIN);
}
END_TEST

/* A pipe without a writer is always ready, and a full one never. */
START_TEST(waits_for_nothing_that_is_always_there)
{
	char block[4096];
	int rounds = 0;

	close(writer);
	turn(10);
	memset(block, 'x', sizeof(block));
	fcntl(slave, F_SETFL, O_NONBLOCK);
	/* Until pipe, relay and terminal are full. */
	while (write(slave, block, sizeof(block)) > 0 || turn(10) > 0)
		ck_assert_int_lt(++rounds, 1000);
	for (int i = 0; i < 10; i++)
		ck_assert_int_eq(turn(1), 0);
}
END_TEST

/* All that fits into pipe, relay and terminal before the end comes out after it. */
START_TEST(gives_a_slow_reader_all_that_was_written)
{
	size_t written = 0, got = 0;
	char block[1024];
	int idle = 0;

	memset(block, 'x', sizeof(block));
	fcntl(slave, F_SETFL, O_NONBLOCK);
	while (idle < 3) {
		ssize_t n = write(slave, block, sizeof(block));

		written += n > 0 ? (size_t)n : 0;
		idle = turn(1) || n > 0 ? 0 : idle + 1;
	}
	relay_end(relay);
	close(slave);
	ck_assert(!relay_is_done(relay));
	fcntl(reader, F_SETFL, O_NONBLOCK);
	for (long deadline = now_ms() + DEADLINE_MS; now_ms() < deadline && got < written;) {
		ssize_t n = read(reader, block, sizeof(block));

		got += n > 0 ? (size_t)n : 0;
		turn(0);
	}
	ck_assert_uint_eq(got, written);
	turn(0);
	ck_assert(relay_is_done(relay));
}
END_TEST

START_TEST(hangs_up_when_the_reader_is_gone)
{
	char byte;

	close(reader);
	put(slave, "nobody reads this");
	for (int i = 0; i < 10; i++)
		turn(10);
	ck_assert_int_eq(write(slave, "x", 1), -1);
	ck_assert_int_eq(errno, EIO);
	ck_assert_int_eq(read(slave, &byte, 1), 0);
	relay_end(relay);
	ck_assert(relay_is_done(relay));
}
END_TEST

/* The program closes its terminal and opens it again: no reason to end. */
START_TEST(outlives_a_closed_terminal)
{
	char name[64];
	int again;

	ck_assert_int_eq(ttyname_r(slave, name, sizeof(name)), 0);
	close(slave);
	for (int i = 0; i < 5; i++)
		ck_assert_int_eq(turn(1), 0);
	again = open(name, O_RDWR | O_NOCTTY);
	ck_assert_int_ge(again, 0);
	put(again, "back\n");
	expect_at(reader, "back\n", 5);
}
END_TEST

START_TEST(is_done_although_others_write_on)
{
	char block[1024];
	int rounds = 0;

	memset(block, 'x', sizeof(block));
	fcntl(slave, F_SETFL, O_NONBLOCK);
	fcntl(reader, F_SETFL, O_NONBLOCK);
	relay_end(relay);
	while (!relay_is_done(relay)) {
		ck_assert_int_lt(++rounds, 100000);
		(void)!write(slave, block, sizeof(block));
		(void)!read(reader, block, sizeof(block));
		turn(0);
	}
}
END_TEST

START_TEST(no_relay_is_fine)
{
	struct pollfd fds[RELAY_POLL_FDS];

	relay_watch(NULL, fds);
	for (int i = 0; i < RELAY_POLL_FDS; i++)
		ck_assert_int_eq(fds[i].fd, -1);
	relay_copy(NULL, fds);
	relay_resize(NULL);
	relay_resume(NULL);
	relay_end(NULL);
	ck_assert(relay_is_done(NULL));
	relay_close(NULL);
}
END_TEST

/* The caller's own terminal, in the place of both pipes. */
static int screen, caller;

static void setup_terminal(void)
{
	const struct winsize size = { .ws_row = 33, .ws_col = 99 };
	int master;

	ck_assert_int_eq(openpty(&screen, &caller, NULL, NULL, &size), 0);
	ck_assert_int_eq(dup2(caller, STDIN_FILENO), STDIN_FILENO);
	ck_assert_int_eq(dup2(caller, STDOUT_FILENO), STDOUT_FILENO);
	ck_assert_int_eq(openpty(&master, &slave, NULL, NULL, NULL), 0);
	ck_assert_int_eq(relay_prepare(master, &err), 0);
	ck_assert_int_eq(relay_open(master, &relay, &err), 0);
}

START_TEST(makes_the_callers_terminal_raw_and_restores_it)
{
	struct termios modes;

	ck_assert_int_eq(tcgetattr(caller, &modes), 0);
	ck_assert_uint_eq(modes.c_lflag & (ICANON | ECHO | ISIG), 0);
	ck_assert_uint_eq(modes.c_oflag & OPOST, 0);
	relay_close(relay);
	ck_assert_int_eq(tcgetattr(caller, &modes), 0);
	ck_assert_uint_eq(modes.c_lflag & (ICANON | ECHO | ISIG), ICANON | ECHO | ISIG);
	ck_assert_uint_eq(modes.c_oflag & OPOST, OPOST);
}
END_TEST

/* The shell behind has the same open file description. */
START_TEST(leaves_the_callers_descriptors_blocking)
{
	turn(1);
	ck_assert_int_eq(fcntl(STDIN_FILENO, F_GETFL) & O_NONBLOCK, 0);
	ck_assert_int_eq(fcntl(STDOUT_FILENO, F_GETFL) & O_NONBLOCK, 0);
}
END_TEST

START_TEST(passes_sizes_on)
{
	const struct winsize larger = { .ws_row = 50, .ws_col = 132 };
	struct winsize size;

	ck_assert_int_eq(ioctl(slave, TIOCGWINSZ, &size), 0);
	ck_assert_int_eq(size.ws_row, 33);
	ck_assert_int_eq(size.ws_col, 99);
	ck_assert_int_eq(ioctl(screen, TIOCSWINSZ, &larger), 0);
	relay_resize(relay);
	ck_assert_int_eq(ioctl(slave, TIOCGWINSZ, &size), 0);
	ck_assert_int_eq(size.ws_row, 50);
	ck_assert_int_eq(size.ws_col, 132);
}
END_TEST

START_TEST(survives_the_callers_hang_up)
{
	char byte;

	close(caller);
	close(screen);
	for (int i = 0; i < 10; i++)
		turn(1);
	ck_assert_int_eq(read(slave, &byte, 1), 0);
	relay_end(relay);
	ck_assert(relay_is_done(relay));
	relay_close(relay);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("relay");
	TCase *streams = tcase_create("streams"), *terminal = tcase_create("terminal");
	SRunner *runner = srunner_create(suite);
	int failed;

	tcase_add_checked_fixture(streams, setup, NULL);
	tcase_add_test(streams, carries_output_with_plain_line_ends);
	tcase_add_test(streams, carries_input);
	tcase_add_test(streams, types_the_end_of_input);
	tcase_add_test(streams, types_the_end_of_an_open_line);
	tcase_add_test(streams, types_nothing_when_there_was_no_input);
	tcase_add_test(streams, waits_for_nothing_that_is_always_there);
	tcase_add_test(streams, gives_a_slow_reader_all_that_was_written);
	tcase_add_test(streams, hangs_up_when_the_reader_is_gone);
	tcase_add_test(streams, outlives_a_closed_terminal);
	tcase_add_test(streams, is_done_although_others_write_on);
	tcase_add_test(streams, no_relay_is_fine);
	tcase_add_checked_fixture(terminal, setup_terminal, NULL);
	tcase_add_test(terminal, makes_the_callers_terminal_raw_and_restores_it);
	tcase_add_test(terminal, leaves_the_callers_descriptors_blocking);
	tcase_add_test(terminal, passes_sizes_on);
	tcase_add_test(terminal, survives_the_callers_hang_up);
	tcase_set_timeout(streams, 30);
	tcase_set_timeout(terminal, 30);
	suite_add_tcase(suite, streams);
	suite_add_tcase(suite, terminal);
	srunner_run_all(runner, CK_NORMAL);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
