/* SPDX-License-Identifier: Apache-2.0 */
#include <check.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/attributes.h"
#include "base/timestamp.h"

static const struct {
	time_t seconds;
	long nanoseconds;
	const char *text;
} known[] = {
	{ 0, 0, "1970-01-01T00:00:00.000000000Z" },
	{ 951782399, 999999999, "2000-02-28T23:59:59.999999999Z" },
	{ 951782400, 1, "2000-02-29T00:00:00.000000001Z" },
	{ 951868800, 0, "2000-03-01T00:00:00.000000000Z" },
	{ 4107542400, 0, "2100-03-01T00:00:00.000000000Z" },
	{ 253402300799, 0, "9999-12-31T23:59:59.000000000Z" },
};

START_TEST(writes_known_times)
{
	const struct timespec time = { known[_i].seconds, known[_i].nanoseconds };
	char text[TIMESTAMP_SIZE];

	timestamp_format(&time, text);
	ck_assert_str_eq(text, known[_i].text);
}
END_TEST

START_TEST(agrees_with_the_library_on_every_day)
{
	for (time_t day = 0; day < 60000; day++) {
		const struct timespec time = { .tv_sec = day * 86400 + day };
		char text[TIMESTAMP_SIZE], expected[TIMESTAMP_SIZE];
		struct tm t;

		gmtime_r(&time.tv_sec, &t);
		strftime(expected, sizeof(expected), "%Y-%m-%dT%H:%M:%S.000000000Z", &t);
		timestamp_format(&time, text);
		ck_assert_str_eq(text, expected);
	}
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("timestamp");
	TCase *tcase = tcase_create("format");
	SRunner *runner = srunner_create(suite);
	int failed;

	tcase_add_loop_test(tcase, writes_known_times, 0, array_size(known));
	tcase_add_test(tcase, agrees_with_the_library_on_every_day);
	suite_add_tcase(suite, tcase);

	srunner_run_all(runner, CK_ENV);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
