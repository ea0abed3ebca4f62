/* SPDX-License-Identifier: Apache-2.0 */
#include "base/quote.h"

#include <check.h>
#include <string.h>

#define ROW(words, line)                       \
	{                                      \
		words, sizeof(words) - 1, line \
	}

static const struct {
	const char *words;
	size_t size;
	const char *line;
} rows[] = {
	ROW("", "before: "),
	ROW(" \n\t ", "before: "),
	ROW("no bridge\nreally\n", "before: no bridge\\nreally"),
	ROW("a\033[31mb\tc\0d", "before: a\\x1b[31mb c\\x00d"),
	ROW("x: No such file or directory, Permission denied",
		"before: x: No\u00a0such file or directory, Permission\u00a0denied"),
	ROW("OPERATION NOT PERMITTED", "before: OPERATION\u00a0NOT PERMITTED"),
	ROW("permission\tdenied", "before: permission\u00a0denied"),
	ROW("Process with ID 77 does not exist", "before: Process with ID 77 does\u00a0not exist"),
	ROW("this is a directory; that is not a directory",
		"before: this is\u00a0a directory; that is not\u00a0a directory"),
	ROW("no such process: invalid process: container not running: process already finished",
		"before: no\u00a0such process: invalid\u00a0process: container\u00a0not running: "
		"process\u00a0already finished"),
	ROW("executable file not found; open executable",
		"before: executable\u00a0file not found; open\u00a0executable"),
	ROW("permission was denied", "before: permission was denied"),
	ROW("gr\u00fc\u00dfe", "before: gr\u00fc\u00dfe"),
};

START_TEST(appends_one_line_without_phrases)
{
	struct text line = { 0 };

	text_append(&line, "before: ");
	quote_append(&line, rows[_i].words, rows[_i].size);
	ck_assert(!line.has_failed);
	ck_assert_str_eq(line.data, rows[_i].line);
	text_release(&line);
}
END_TEST

START_TEST(reads_no_further_than_told)
{
	struct text line = { 0 };

	quote_append(&line, "permission denied", strlen("permission den"));
	ck_assert_str_eq(line.data, "permission den");
	text_release(&line);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("quote");
	TCase *tests = tcase_create("quote");
	SRunner *runner = srunner_create(suite);
	int failed;

	tcase_add_loop_test(tests, appends_one_line_without_phrases, 0, (int)array_size(rows));
	tcase_add_test(tests, reads_no_further_than_told);
	suite_add_tcase(suite, tests);
	srunner_run_all(runner, CK_ENV);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed != 0;
}
