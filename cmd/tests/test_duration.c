/* SPDX-License-Identifier: Apache-2.0 */
#include "cmd/duration.h"

#include <check.h>

static const struct {
	const char *text;
	int64_t ms;
} accepted[] = {
	{ "0", 0 },
	{ "0s", 0 },
	{ "5s", 5000 },
	{ "100ms", 100 },
	{ "1m30s", 90000 },
	{ "1h", 3600000 },
	{ "1h1m1s1ms", 3661001 },
	{ "8784h", DURATION_MS_MAX },
};

START_TEST(reads)
{
	int64_t ms = -1;

	ck_assert_int_eq(duration_parse(accepted[_i].text, &ms), 0);
	ck_assert_int_eq(ms, accepted[_i].ms);
}
END_TEST

static const char *const rejected[] = { "", "5", "s", "-5s", "5x", "5s ", " 5s", "1.5s", "5s5",
	"8784h1ms", "99999999999999999999999s" };

START_TEST(rejects)
{
	int64_t ms = -1;

	ck_assert_int_eq(duration_parse(rejected[_i], &ms), -1);
	ck_assert_int_eq(ms, -1);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("duration");
	TCase *tests = tcase_create("duration");
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
