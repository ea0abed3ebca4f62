/* SPDX-License-Identifier: Apache-2.0 */
#include "libcontainer/kernel/syscall_filter_apart.h"

#include <errno.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "libcontainer/kernel/tests/suite.h"

static struct error err;

static int answer(void *context, struct syscall_filter_outcome *outcome, struct error *ret_err)
{
	(void)ret_err;
	outcome->length = 1;
	outcome->code[0].k = *(unsigned *)context;
	return 0;
}

static int refuse(void *context, struct syscall_filter_outcome *outcome, struct error *ret_err)
{
	(void)context, (void)outcome;
	error_set(ret_err, ERROR_SPEC, "not so");
	return error_point(ret_err, "/linux/seccomp/flags");
}

static int use_up_time(void *context, struct syscall_filter_outcome *outcome, struct error *ret_err)
{
	(void)context, (void)outcome;
	if (setrlimit(RLIMIT_CPU, &(struct rlimit){ 1, SYSCALL_FILTER_APART_SECONDS }) < 0)
		return error_set_errno(ret_err, "set a limit");
	for (;;)
		;
}

static int wait_for_ever(
	void *context, struct syscall_filter_outcome *outcome, struct error *ret_err)
{
	(void)context, (void)outcome, (void)ret_err;
	pause();
	return 0;
}

START_TEST(what_is_done_comes_over)
{
	struct syscall_filter_apart apart;
	unsigned value = 7;

	suite_assert_done(syscall_filter_apart_begin(answer, &value, &apart, &err), err);
	suite_assert_done(syscall_filter_apart_wait(&apart, &err), err);
	ck_assert_uint_eq(apart.outcome->length, 1);
	ck_assert_uint_eq(apart.outcome->code[0].k, 7);
	syscall_filter_apart_release(&apart);
	ck_assert_ptr_null(apart.outcome);
}
END_TEST

START_TEST(an_error_comes_over)
{
	struct syscall_filter_apart apart;

	suite_assert_done(syscall_filter_apart_begin(refuse, NULL, &apart, &err), err);
	ck_assert_int_lt(syscall_filter_apart_wait(&apart, &err), 0);
	ck_assert_int_eq(err.kind, ERROR_SPEC);
	ck_assert_str_eq(err.text, "not so");
	ck_assert_str_eq(err.pointer, "/linux/seccomp/flags");
	syscall_filter_apart_release(&apart);
}
END_TEST

START_TEST(what_takes_too_long_is_ended)
{
	struct syscall_filter_apart apart;

	suite_assert_done(syscall_filter_apart_begin(use_up_time, NULL, &apart, &err), err);
	ck_assert_int_lt(syscall_filter_apart_wait(&apart, &err), 0);
	ck_assert_int_eq(err.kind, ERROR_UNSUPPORTED);
	ck_assert_str_eq(err.pointer, "/linux/seccomp/syscalls");
	syscall_filter_apart_release(&apart);
}
END_TEST

START_TEST(what_nobody_waits_for_is_ended)
{
	struct syscall_filter_apart apart;

	suite_assert_done(syscall_filter_apart_begin(wait_for_ever, NULL, &apart, &err), err);
	syscall_filter_apart_release(&apart);
	ck_assert_int_lt(waitpid(-1, NULL, WNOHANG), 0);
	ck_assert_int_eq(errno, ECHILD);
}
END_TEST

int main(void)
{
	TCase *tests = tcase_create("syscall filter apart");

	tcase_set_timeout(tests, 60);
	tcase_add_test(tests, what_is_done_comes_over);
	tcase_add_test(tests, an_error_comes_over);
	tcase_add_test(tests, what_takes_too_long_is_ended);
	tcase_add_test(tests, what_nobody_waits_for_is_ended);
	return suite_run(tests);
}
