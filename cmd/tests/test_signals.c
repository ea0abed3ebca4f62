/* SPDX-License-Identifier: Apache-2.0 */
#include "cmd/signals.h"

#include <check.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>

static struct error err;

static const struct {
	const char *text;
	int signal;
} accepted[] = {
	{ "0", 0 },
	{ "9", SIGKILL },
	{ "64", 64 },
	{ "KILL", SIGKILL },
	{ "SIGKILL", SIGKILL },
	{ "sigkill", SIGKILL },
	{ "Term", SIGTERM },
	{ "USR1", SIGUSR1 },
	{ "SIGUSR2", SIGUSR2 },
	{ "WINCH", SIGWINCH },
	{ "STKFLT", SIGSTKFLT },
	{ "IOT", SIGABRT },
	{ "ABRT", SIGABRT },
	{ "POLL", SIGPOLL },
	{ "SIGIO", SIGIO },
	{ "CLD", SIGCHLD },
	{ "SYS", SIGSYS },
	{ "RTMIN", 34 },
	{ "SIGRTMIN+1", 35 },
	{ "rtmin+30", 64 },
	{ "RTMAX", 64 },
	{ "SIGRTMAX-2", 62 },
};

START_TEST(reads)
{
	int signal = -1;

	memset(&err, 0, sizeof(err));
	ck_assert_msg(signals_parse(accepted[_i].text, &signal, &err) == 0, "%s", err.text);
	ck_assert_int_eq(signal, accepted[_i].signal);
}
END_TEST

static const char *const rejected[] = { "FOO", "", "SIG", "65", "-1", "9x", "SIGSIGKILL", "RTMIN-1",
	"RTMIN+31", "RTMIN+", "RTMAX+1", "SIGRTMAX-31", "RTMIN+1x", " KILL" };

START_TEST(rejects)
{
	char text[64];
	int signal = -1;

	memset(&err, 0, sizeof(err));
	ck_assert_int_eq(signals_parse(rejected[_i], &signal, &err), -1);
	ck_assert_int_eq(signal, -1);
	snprintf(text, sizeof(text), "unknown signal \"%s\"", rejected[_i]);
	ck_assert_str_eq(err.text, text);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("signals");
	TCase *tests = tcase_create("signals");
	SRunner *runner = srunner_create(suite);
	int failed;

	tcase_add_loop_test(tests, reads, 0, (int)array_size(accepted));
	tcase_add_loop_test(tests, rejects, 0, (int)array_size(rejected));
	suite_add_tcase(suite, tests);
	srunner_run_all(runner, CK_ENV);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed != 0;
}
