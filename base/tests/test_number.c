/* SPDX-License-Identifier: Apache-2.0 */
#include "base/number.h"

#include <check.h>
#include <stdbool.h>
#include <stdlib.h>

/* A value that no row has, to see that a failure leaves the result alone. */
#define UNTOUCHED 0x5555

static const struct {
	const char *text;
	uint64_t max;
	bool is_number;
	uint64_t value;
} decimals[] = {
	{ "0", UINT64_MAX, true, 0 },
	{ "007", UINT64_MAX, true, 7 },
	{ "18446744073709551615", UINT64_MAX, true, UINT64_MAX },
	{ "18446744073709551616", UINT64_MAX, false, 0 },
	{ "99999999999999999999999999", UINT64_MAX, false, 0 },
	{ "100", 100, true, 100 },
	{ "101", 100, false, 0 },
	{ "", UINT64_MAX, false, 0 },
	{ "-1", UINT64_MAX, false, 0 },
	{ "+1", UINT64_MAX, false, 0 },
	{ " 1", UINT64_MAX, false, 0 },
	{ "1 ", UINT64_MAX, false, 0 },
	{ "1\n", UINT64_MAX, false, 0 },
	{ "0x1", UINT64_MAX, false, 0 },
	{ "1e3", UINT64_MAX, false, 0 },
	{ "a", UINT64_MAX, false, 0 },
};

START_TEST(parses_decimals)
{
	uint64_t value = UNTOUCHED;
	int result = number_parse_u64(decimals[_i].text, decimals[_i].max, &value);

	ck_assert_int_eq(result, decimals[_i].is_number ? 0 : -1);
	ck_assert_uint_eq(value, decimals[_i].is_number ? decimals[_i].value : UNTOUCHED);
}
END_TEST

static const struct {
	const char *text;
	bool is_number;
	uint32_t value;
} ids[] = {
	{ "0", true, 0 },
	{ "4294967295", true, UINT32_MAX },
	{ "4294967296", false, 0 }, /* once root */
	{ "-1", false, 0 },
};

START_TEST(parses_u32)
{
	uint32_t value = UNTOUCHED;

	ck_assert_int_eq(number_parse_u32(ids[_i].text, &value), ids[_i].is_number ? 0 : -1);
	ck_assert_uint_eq(value, ids[_i].is_number ? ids[_i].value : UNTOUCHED);
}
END_TEST

static const struct {
	const char *text;
	bool is_number;
	uint64_t value;
} octals[] = {
	{ "0", true, 0 },
	{ "0022", true, 022 },
	{ "777", true, 0777 },
	{ "1000", false, 0 },
	{ "8", false, 0 },
	{ "79", false, 0 },
	{ "", false, 0 },
	{ "0o7", false, 0 },
};

START_TEST(parses_octals)
{
	uint64_t value = UNTOUCHED;

	ck_assert_int_eq(
		number_parse_octal(octals[_i].text, 0777, &value), octals[_i].is_number ? 0 : -1);
	ck_assert_uint_eq(value, octals[_i].is_number ? octals[_i].value : UNTOUCHED);
}
END_TEST

static const struct {
	const char *text;
	bool is_number;
	int64_t value;
} signed_numbers[] = {
	{ "0", true, 0 },
	{ "-0", true, 0 },
	{ "-1", true, -1 },
	{ "9223372036854775807", true, INT64_MAX },
	{ "9223372036854775808", false, 0 },
	{ "-9223372036854775808", true, INT64_MIN },
	{ "-9223372036854775809", false, 0 },
	{ "-", false, 0 },
	{ "--1", false, 0 },
	{ "- 1", false, 0 },
	{ "+1", false, 0 },
	{ "", false, 0 },
};

START_TEST(parses_signed)
{
	int64_t value = UNTOUCHED;

	ck_assert_int_eq(number_parse_i64(signed_numbers[_i].text, &value),
		signed_numbers[_i].is_number ? 0 : -1);
	ck_assert_int_eq(
		value, signed_numbers[_i].is_number ? signed_numbers[_i].value : UNTOUCHED);
}
END_TEST

static const struct {
	const char *text;
	bool is_number;
	int64_t value;
} sizes[] = {
	{ "-1", true, -1 },
	{ "0", true, 0 },
	{ "512", true, 512 },
	{ "512b", true, 512 },
	{ "1k", true, 1024 },
	{ "1KB", true, 1024 },
	{ "1KiB", true, 1024 },
	{ "32M", true, 32 << 20 },
	{ "2g", true, INT64_C(2) << 30 },
	{ "1t", true, INT64_C(1) << 40 },
	{ "1p", true, INT64_C(1) << 50 },
	{ "8191p", true, INT64_C(8191) << 50 },
	{ "8192p", false, 0 },
	{ "9223372036854775807", true, INT64_MAX },
	{ "9223372036854775808", false, 0 },
	{ "-2", false, 0 },
	{ "-1k", false, 0 },
	{ "k", false, 0 },
	{ "1x", false, 0 },
	{ "1kk", false, 0 },
	{ "1kib ", false, 0 },
	{ "1.5m", true, 3 << 19 },
	{ "1.5G", true, INT64_C(3) << 29 },
	{ "1.5 GiB", true, INT64_C(3) << 29 },
	{ "0.3k", true, 307 },
	{ "32.9", true, 32 },
	{ "0.99999999999999999999999999999999p", true, (INT64_C(1) << 50) - 1 },
	{ "8191.99999999999999999999p", true, INT64_MAX },
	{ "512 b", true, 512 },
	{ "8192.0p", false, 0 },
	{ "1.m", false, 0 },
	{ "1.", false, 0 },
	{ ".5m", false, 0 },
	{ "1.5.5m", false, 0 },
	{ "1.5  m", false, 0 },
	{ "1.-5m", false, 0 },
	{ "1 5m", false, 0 },
	{ "", false, 0 },
};

START_TEST(parses_sizes)
{
	int64_t value = UNTOUCHED;

	ck_assert_int_eq(number_parse_bytes(sizes[_i].text, &value), sizes[_i].is_number ? 0 : -1);
	ck_assert_int_eq(value, sizes[_i].is_number ? sizes[_i].value : UNTOUCHED);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("number");
	TCase *tcase = tcase_create("number");
	SRunner *runner = srunner_create(suite);
	int failed;

	tcase_add_loop_test(tcase, parses_decimals, 0, array_size(decimals));
	tcase_add_loop_test(tcase, parses_u32, 0, array_size(ids));
	tcase_add_loop_test(tcase, parses_octals, 0, array_size(octals));
	tcase_add_loop_test(tcase, parses_signed, 0, array_size(signed_numbers));
	tcase_add_loop_test(tcase, parses_sizes, 0, array_size(sizes));
	suite_add_tcase(suite, tcase);

	srunner_run_all(runner, CK_ENV);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
