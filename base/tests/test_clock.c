/* SPDX-License-Identifier: Apache-2.0 */
#include "base/clock.h"

#include <check.h>
#include <limits.h>
#include <poll.h>
#include <stdlib.h>

START_TEST(goes_forward)
{
	int64_t before = clock_now_ms();

	poll(NULL, 0, 20);
	ck_assert_int_ge(clock_now_ms(), before + 20);
}
END_TEST

START_TEST(gives_poll_what_is_left)
{
	int left = clock_poll_timeout(clock_now_ms() + 5000);

	ck_assert_int_gt(left, 4000);
	ck_assert_int_le(left, 5000);
	ck_assert_int_eq(clock_poll_timeout(clock_now_ms()), 0);
	ck_assert_int_eq(clock_poll_timeout(clock_now_ms() - 7), 0);
	ck_assert_int_eq(clock_poll_timeout(0), 0);
	ck_assert_int_eq(clock_poll_timeout(CLOCK_NO_DEADLINE), -1);
	ck_assert_int_eq(clock_poll_timeout(CLOCK_NO_DEADLINE - 1), INT_MAX);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("clock");
	TCase *tcase = tcase_create("clock");
	SRunner *runner = srunner_create(suite);
	int failed;

	tcase_add_test(tcase, goes_forward);
	tcase_add_test(tcase, gives_poll_what_is_left);
	suite_add_tcase(suite, tcase);
	srunner_run_all(runner, CK_NORMAL);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
