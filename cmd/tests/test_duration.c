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
	{ "1.5s", 1500 },
	{ ".5m", 30000 },
	{ "1.s", 1000 },
	{ "0.5h", 1800000 },
	{ "0.0001s", 1 },
	{ "0.00h", 0 },
	{ "1.5ms", 2 },
	{ "2000us", 2 },
	{ "2000\u00b5s", 2 },
	{ "2000\u03bcs", 2 },
	{ "1us", 1 },
	{ "1ns", 1 },
	{ "0ns", 0 },
	{ "1000000ns", 1 },
	{ "1000001ns", 2 },
	{ "0.999999ms1ns", 1 },
	{ "1.0000000000000000000000000000000000000001s", 1000 },
	{ "1.5h1.5m1.5s", 5491500 },
	{ "+5s", 5000 },
	{ "+0", 0 },
	{ "8784h1ms", 366LL * 24 * 3600 * 1000 + 1 },
	{ "9223372036854775807ns", DURATION_MS_MAX },
	{ "2562047h47m16.854775807s", DURATION_MS_MAX },
};

START_TEST(reads)
{
	int64_t ms = -1;

	ck_assert_int_eq(duration_parse(accepted[_i].text, &ms), 0);
	ck_assert_int_eq(ms, accepted[_i].ms);
}
END_TEST

static const char *const rejected[] = { "", "+", "5", "s", ".s", ".", "-5s", "+-5s", "5x", "5s ",
	" 5s", "1.5", "5s5", "1..5s", "1.5.5s", "1,5s", "1e3s", "0x5s", "5S", "5\u00b5", "\u00b5s",
	"9223372036854775808ns", "2562047h47m16.854775808s", "2562048h", "9223372036854775807.1h",
	"99999999999999999999999s" };

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
