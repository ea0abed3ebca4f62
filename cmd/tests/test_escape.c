/* SPDX-License-Identifier: Apache-2.0 */
#include "cmd/escape.h"

#include <check.h>

static const struct {
	const char *string;
	const char *quoted;
	const char *plain;
} rows[] = {
	{ "", "\"\"", "" },
	{ "mount '/proc': busy", "\"mount '/proc': busy\"", "mount '/proc': busy" },
	{ "a\"b\\c/d", "\"a\\\"b\\\\c/d\"", "a\"b\\c/d" },
	{ "a\nb\x1b[2J\x7f", "\"a\\x0ab\\x1b[2J\\x7f\"", "a\\x0ab\\x1b[2J\\x7f" },
	{ "caf\xc3\xa9 \xf0\x9f\x90\xb3", "\"caf\xc3\xa9 \xf0\x9f\x90\xb3\"",
		"caf\xc3\xa9 \xf0\x9f\x90\xb3" },
	{ "\xc2\x9b", "\"\\x9b\"", "\\x9b" },                         /* CSI in one character */
	{ "\xe9", "\"\\xe9\"", "\\xe9" },                             /* Latin-1 */
	{ "\xc3", "\"\\xc3\"", "\\xc3" },                             /* cut */
	{ "\xc0\xaf", "\"\\xc0\\xaf\"", "\\xc0\\xaf" },               /* overlong */
	{ "\xed\xa0\x80", "\"\\xed\\xa0\\x80\"", "\\xed\\xa0\\x80" }, /* a surrogate */
	{ "\xf4\x90\x80\x80", "\"\\xf4\\x90\\x80\\x80\"", "\\xf4\\x90\\x80\\x80" }, /* > U+10FFFF */
};

static void assert_writes(
	void (*escape)(const char *, struct text *), const char *string, const char *expected)
{
	struct text text = { 0 };

	text_append(&text, "");
	escape(string, &text);
	ck_assert_str_eq(text.data ? text.data : "", expected);
	text_release(&text);
}

START_TEST(escapes)
{
	assert_writes(escape_quoted, rows[_i].string, rows[_i].quoted);
	assert_writes(escape_plain, rows[_i].string, rows[_i].plain);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("escape");
	TCase *tests = tcase_create("escape");
	SRunner *runner = srunner_create(suite);
	int failed;

	tcase_add_loop_test(tests, escapes, 0, (int)array_size(rows));
	suite_add_tcase(suite, tests);
	srunner_run_all(runner, CK_ENV);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed != 0;
}
