/* SPDX-License-Identifier: Apache-2.0 */
#include "libcontainer/kernel/pidfd.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "libcontainer/kernel/tests/suite.h"

static struct error err;

/* A child that waits for a signal, under a name that tries to confuse. */
static pid_t make_sleeper(void)
{
	int ready[2];
	char byte;
	pid_t pid;

	ck_assert_int_eq(pipe2(ready, O_CLOEXEC), 0);
	pid = fork();
	if (pid == 0) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		/* Check's own handler would end the test as well. */
		signal(SIGTERM, SIG_DFL);
		prctl(PR_SET_NAME, "a) R 1 2 3 (b ");
		if (write(ready[1], "x", 1) == 1)
			pause();
		_exit(0);
	}
	ck_assert_int_ge(pid, 0);
	ck_assert_int_eq(read(ready[0], &byte, 1), 1);
	close(ready[0]);
	close(ready[1]);
	return pid;
}

static uint64_t start_time_of(pid_t pid)
{
	uint64_t start_time = 0;

	suite_assert_done(pidfd_read_start_time(pid, &start_time, &err), err);
	ck_assert_uint_gt(start_time, 0);
	return start_time;
}

START_TEST(a_live_process_is_verified)
{
	pid_t pid = make_sleeper();
	cleanup_fd int fd = -1;
	bool has_exited = true;
	int status, signal;

	suite_assert_done(pidfd_open_verified(pid, start_time_of(pid), &fd, &err), err);
	ck_assert_int_ge(fd, 0);
	ck_assert_int_eq(fcntl(fd, F_GETFD), FD_CLOEXEC);
	ck_assert(pidfd_is_alive(fd));
	suite_assert_done(pidfd_wait_exit(fd, 10, &has_exited, &err), err);
	ck_assert(!has_exited);
	ck_assert_int_eq(pidfd_reap(fd, 10, &status, &signal, &err), -1);
	ck_assert_str_eq(err.text, "a process has not ended in time");
	err = (struct error){ 0 };
	suite_assert_done(pidfd_signal(fd, SIGTERM, NULL, &err), err);
	suite_assert_done(pidfd_wait_exit(fd, -1, &has_exited, &err), err);
	ck_assert(has_exited);
	suite_assert_done(pidfd_reap(fd, -1, &status, &signal, &err), err);
	ck_assert_int_eq(status, 128 + SIGTERM);
	ck_assert_int_eq(signal, SIGTERM);
	suite_assert_done(pidfd_signal(fd, SIGTERM, &has_exited, &err), err);
	ck_assert(has_exited);
	ck_assert_int_eq(pidfd_signal(fd, SIGTERM, NULL, &err), -1);
	ck_assert_int_eq(err.sys_errno, ESRCH);
}
END_TEST

START_TEST(another_start_time_is_another_process)
{
	pid_t pid = make_sleeper();
	int fd = 0;

	suite_assert_done(pidfd_open_verified(pid, start_time_of(pid) - 1, &fd, &err), err);
	ck_assert_int_eq(fd, -1);
	kill(pid, SIGKILL);
}
END_TEST

START_TEST(a_zombie_is_gone)
{
	pid_t pid = make_sleeper();
	uint64_t start_time = start_time_of(pid);
	cleanup_fd int child = pidfd_open_child(pid, &err);
	bool has_exited;
	int fd = 0, status;

	ck_assert_int_ge(child, 0);
	kill(pid, SIGKILL);
	suite_assert_done(pidfd_wait_exit(child, 5000, &has_exited, &err), err);
	ck_assert(has_exited && !pidfd_is_alive(child));
	ck_assert_uint_eq(start_time_of(pid), start_time);
	suite_assert_done(pidfd_open_verified(pid, start_time, &fd, &err), err);
	ck_assert_int_eq(fd, -1);
	suite_assert_done(pidfd_reap(child, -1, &status, NULL, &err), err);
	suite_assert_done(pidfd_open_verified(pid, start_time, &fd, &err), err);
	ck_assert_int_eq(fd, -1);
}
END_TEST

static enum pidfd_progress progress_of(int fd, pid_t pid)
{
	enum pidfd_progress progress = PIDFD_REAPED;

	suite_assert_done(pidfd_find_progress(fd, pid, &progress, &err), err);
	return progress;
}

/* Ends PID, whose progress stays visible until it is reaped, and has the signal recalled. */
static void check_end(int fd, pid_t pid, enum pidfd_progress last)
{
	siginfo_t info;
	int signal = 0;

	kill(pid, SIGTERM);
	ck_assert_int_eq(waitid(P_PID, (id_t)pid, &info, WEXITED | WNOWAIT), 0);
	ck_assert_int_eq(progress_of(fd, pid), last);
	ck_assert(pidfd_recall_signal(fd, pid, &signal));
	ck_assert_int_eq(signal, SIGTERM);
	ck_assert_int_eq(waitid(P_PID, (id_t)pid, &info, WEXITED), 0);
	ck_assert_int_eq(progress_of(fd, pid), PIDFD_REAPED);
	if (pidfd_recall_signal(fd, pid, &signal))
		ck_assert_int_eq(signal, SIGTERM);
}

START_TEST(what_has_not_executed_is_told)
{
	pid_t pid = make_sleeper();
	cleanup_fd int fd = pidfd_open_child(pid, &err);
	int signal = -1;

	ck_assert_int_eq(progress_of(fd, pid), PIDFD_FORKED);
	ck_assert(pidfd_recall_signal(fd, pid, &signal));
	ck_assert_int_eq(signal, 0);
	check_end(fd, pid, PIDFD_FORKED);
}
END_TEST

/* The descriptor that is close-on-exec is gone: by then it has to be known. */
START_TEST(what_has_executed_is_told)
{
	cleanup_fd int fd = -1;
	int gate[2];
	char byte;
	pid_t pid;

	ck_assert_int_eq(pipe2(gate, O_CLOEXEC), 0);
	pid = fork();
	if (pid == 0) {
		signal(SIGTERM, SIG_DFL);
		execl("/bin/sleep", "sleep", "60", NULL);
		_exit(127);
	}
	close(gate[1]);
	fd = pidfd_open_child(pid, &err);
	ck_assert_int_eq(read(gate[0], &byte, 1), 0);
	close(gate[0]);
	ck_assert_int_eq(progress_of(fd, pid), PIDFD_EXECUTED);
	check_end(fd, pid, PIDFD_EXECUTED);
}
END_TEST

static void *nap(void *unused)
{
	(void)unused;
	for (;;)
		pause();
	return NULL;
}

/* Its first thread has ended and shows as a zombie, but the process lives. */
START_TEST(an_end_is_seen)
{
	pid_t pid = fork();
	siginfo_t info;

	if (pid == 0)
		for (;;)
			pause();
	ck_assert(!pidfd_is_doomed(pid));
	kill(pid, SIGKILL);
	ck_assert_msg(pidfd_is_doomed(pid), "no sign of its end between the signal and that");
	ck_assert_int_eq(waitid(P_PID, (id_t)pid, &info, WEXITED | WNOWAIT), 0);
	ck_assert(pidfd_is_doomed(pid));
	ck_assert_int_eq(waitid(P_PID, (id_t)pid, &info, WEXITED), 0);
	ck_assert(pidfd_is_doomed(pid));
}
END_TEST

START_TEST(a_process_without_its_first_thread_lives)
{
	cleanup_fd int fd = -1;
	pid_t pid = fork();
	pthread_t thread;
	char exe[32];

	if (pid == 0) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		if (pthread_create(&thread, NULL, nap, NULL))
			_exit(1);
		pthread_exit(NULL);
	}
	ck_assert_int_ge(pid, 0);
	for (int i = 0; i < 20; i++)
		poll(NULL, 0, 5);
	suite_assert_done(pidfd_open_verified(pid, start_time_of(pid), &fd, &err), err);
	ck_assert_int_ge(fd, 0);
	snprintf(exe, sizeof(exe), "/proc/%d/exe", (int)pid);
	ck_assert_msg(access(exe, F_OK) < 0, "its first thread is there yet");
	ck_assert_msg(!pidfd_is_doomed(pid), "another thread goes on");
	kill(pid, SIGKILL);
	ck_assert(pidfd_is_doomed(pid));
}
END_TEST

static void *report_thread(void *ret_tid)
{
	*(_Atomic pid_t *)ret_tid = gettid();
	return nap(NULL);
}

START_TEST(a_thread_is_no_process)
{
	_Atomic pid_t tid = 0;
	pthread_t thread;
	int fd = 0;

	ck_assert_int_eq(pthread_create(&thread, NULL, report_thread, &tid), 0);
	while (!tid)
		sched_yield();
	suite_assert_done(pidfd_open_verified(tid, 1, &fd, &err), err);
	ck_assert_int_eq(fd, -1);
}
END_TEST

START_TEST(numbers_of_no_process_are_gone)
{
	static const pid_t numbers[] = { 0, -1, 0x7fffffff };
	int fd = 0;

	suite_assert_done(pidfd_open_verified(numbers[_i], 1, &fd, &err), err);
	ck_assert_int_eq(fd, -1);
}
END_TEST

START_TEST(an_exit_status_is_told)
{
	cleanup_fd int fd = -1;
	pid_t pid = fork();
	int status, signal;

	if (pid == 0)
		_exit(7);
	fd = pidfd_open_child(pid, &err);
	suite_assert_done(pidfd_reap(fd, -1, &status, &signal, &err), err);
	ck_assert_int_eq(status, 7);
	ck_assert_int_eq(signal, 0);
}
END_TEST

int main(void)
{
	TCase *tests = tcase_create("pidfd");

	tcase_add_test(tests, a_live_process_is_verified);
	tcase_add_test(tests, another_start_time_is_another_process);
	tcase_add_test(tests, a_zombie_is_gone);
	tcase_add_test(tests, an_end_is_seen);
	tcase_add_test(tests, what_has_not_executed_is_told);
	tcase_add_test(tests, what_has_executed_is_told);
	tcase_add_test(tests, a_process_without_its_first_thread_lives);
	tcase_add_test(tests, a_thread_is_no_process);
	tcase_add_loop_test(tests, numbers_of_no_process_are_gone, 0, 3);
	tcase_add_test(tests, an_exit_status_is_told);
	return suite_run(tests);
}
