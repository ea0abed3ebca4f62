/* SPDX-License-Identifier: Apache-2.0 */
#include "base/error.h"

#include <check.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

static struct error err;

static void setup(void)
{
	err = (struct error){ 0 };
}

START_TEST(keeps_the_first_cause)
{
	ck_assert_int_eq(error_set(&err, ERROR_SPEC, "first %d", 1), -1);
	errno = EIO;
	ck_assert_int_eq(error_set_errno(&err, "second"), -1);
	ck_assert_int_eq(error_set_call(&err, "op", "path"), -1);
	ck_assert_int_eq(error_set_command(&err, ENOENT, "third"), -1);
	ck_assert_int_eq(err.kind, ERROR_SPEC);
	ck_assert_int_eq(err.sys_errno, 0);
	ck_assert_str_eq(err.text, "first 1");
	ck_assert_str_eq(err.op, "");
}
END_TEST

START_TEST(tells_of_a_call)
{
	errno = EBUSY;
	error_set_call(&err, "mount", "/proc");
	ck_assert_int_eq(err.kind, ERROR_SYSTEM);
	ck_assert_int_eq(err.sys_errno, EBUSY);
	ck_assert_str_eq(err.op, "mount");
	ck_assert_str_eq(err.path, "/proc");
	ck_assert_str_eq(err.text, "mount '/proc': device or resource busy");
}
END_TEST

/* Engines take the kernel's own words to be about the container's program. */
static const struct {
	int sys_errno;
	const char *text;
	const char *command_text;
} reasons[] = {
	{ ENOENT, "do it: not found", "do it: no such file or directory" },
	{ EACCES, "do it: access denied", "do it: permission denied" },
	{ EPERM, "do it: not permitted", "do it: operation not permitted" },
	{ EISDIR, "do it: found a directory", "do it: is a directory" },
	{ EINVAL, "do it: invalid argument", "do it: invalid argument" },
	{ EIO, "do it: input/output error", "do it: input/output error" },
	{ 99999, "do it: unknown error", "do it: unknown error" },
};

START_TEST(rewords_reserved_reasons)
{
	errno = reasons[_i].sys_errno;
	error_set_errno(&err, "do %s", "it");
	ck_assert_str_eq(err.text, reasons[_i].text);
}
END_TEST

START_TEST(leaves_a_command_its_reason)
{
	error_set_command(&err, reasons[_i].sys_errno, "do %s", "it");
	ck_assert_int_eq(err.kind, ERROR_COMMAND);
	ck_assert_int_eq(err.sys_errno, reasons[_i].sys_errno);
	ck_assert_str_eq(err.text, reasons[_i].command_text);
}
END_TEST

START_TEST(adds_context_in_front)
{
	error_set_command(&err, 0, "cause");
	ck_assert_int_eq(error_wrap(&err, "step %d", 2), -1);
	ck_assert_int_eq(error_wrap(&err, "create '%s'", "web"), -1);
	ck_assert_str_eq(err.text, "create 'web': step 2: cause");
}
END_TEST

/* The cause is what callers match: context that has no room is left out. */
START_TEST(never_cuts_the_cause)
{
	char long_cause[sizeof(err.text)];

	memset(long_cause, 'c', sizeof(long_cause) - 1);
	long_cause[sizeof(long_cause) - 1] = '\0';
	error_set(&err, ERROR_SYSTEM, "%s", long_cause);
	error_wrap(&err, "context");
	ck_assert_str_eq(err.text, long_cause);
	err.text[sizeof(err.text) - 10] = '\0';
	error_wrap(&err, "1234567");
	ck_assert_uint_eq(strlen(err.text), sizeof(err.text) - 1);
	ck_assert_int_eq(strncmp(err.text, "1234567: ccc", 12), 0);
}
END_TEST

START_TEST(fits_long_texts)
{
	char long_text[5000];

	memset(long_text, 'x', sizeof(long_text) - 1);
	long_text[sizeof(long_text) - 1] = '\0';
	errno = EIO;
	error_set_call(&err, long_text, long_text);
	error_wrap(&err, "%s", long_text);
	error_point(&err, "/%s", long_text);
	error_phase(&err, long_text);
	error_hint(&err, "%s", long_text);
	ck_assert_uint_eq(strlen(err.pointer), sizeof(err.pointer) - 1);
	ck_assert_uint_eq(strlen(err.phase), sizeof(err.phase) - 1);
	ck_assert_uint_lt(strlen(err.text), sizeof(err.text));
}
END_TEST

START_TEST(keeps_what_a_callee_knew)
{
	error_set(&err, ERROR_SPEC, "x");
	ck_assert_int_eq(error_point(&err, "/mounts/%d", 3), -1);
	ck_assert_int_eq(error_phase(&err, "mounts"), -1);
	ck_assert_int_eq(error_hint(&err, "try %s", "again"), -1);
	error_point(&err, "/other");
	error_phase(&err, "other");
	error_hint(&err, "other");
	ck_assert_str_eq(err.pointer, "/mounts/3");
	ck_assert_str_eq(err.phase, "mounts");
	ck_assert_str_eq(err.hint, "try again");
}
END_TEST

START_TEST(names_every_kind)
{
	for (int kind = ERROR_NONE; kind <= ERROR_SYSTEM; kind++)
		ck_assert_ptr_nonnull(error_kind_name((enum error_kind)kind));
	ck_assert_str_eq(error_kind_name(ERROR_SPEC), "spec");
	ck_assert_str_eq(error_kind_name(ERROR_SYSTEM), "system");
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("error");
	TCase *tcase = tcase_create("error");
	SRunner *runner = srunner_create(suite);
	int failed;

	tcase_add_checked_fixture(tcase, setup, NULL);
	tcase_add_test(tcase, keeps_the_first_cause);
	tcase_add_test(tcase, tells_of_a_call);
	tcase_add_loop_test(tcase, rewords_reserved_reasons, 0, array_size(reasons));
	tcase_add_loop_test(tcase, leaves_a_command_its_reason, 0, array_size(reasons));
	tcase_add_test(tcase, adds_context_in_front);
	tcase_add_test(tcase, never_cuts_the_cause);
	tcase_add_test(tcase, fits_long_texts);
	tcase_add_test(tcase, keeps_what_a_callee_knew);
	tcase_add_test(tcase, names_every_kind);
	suite_add_tcase(suite, tcase);

	srunner_run_all(runner, CK_ENV);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
