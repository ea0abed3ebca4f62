/* SPDX-License-Identifier: Apache-2.0 */
#include "cmd/table.h"

#include <check.h>

START_TEST(pads_columns)
{
	static const char *const cells[] = {
		"ID", "PID", "BUNDLE", "OWNER",                /* */
		"web", "4711", "/var/lib/bundles/web", "root", /* */
		"a-much-longer-name", "0", "/b", "",           /* */
	};
	struct text text = { 0 };

	table_write(cells, 3, 4, &text);
	ck_assert_str_eq(text.data,
		"ID                   PID         BUNDLE                 OWNER\n"
		"web                  4711        /var/lib/bundles/web   root\n"
		"a-much-longer-name   0           /b                     \n");
	text_release(&text);
}
END_TEST

START_TEST(counts_characters_and_escapes_controls)
{
	static const char *const cells[] = { "\xc3\xa9\xc3\xa9\xc3\xa9\xc3\xa9\xc3\xa9\xc3\xa9"
					     "\xc3\xa9\xc3\xa9\xc3\xa9\xc3\xa9",
		"x", "\x1b[2J", NULL };
	struct text text = { 0 };

	table_write(cells, 2, 2, &text);
	ck_assert_str_eq(text.data,
		"\xc3\xa9\xc3\xa9\xc3\xa9\xc3\xa9\xc3\xa9\xc3\xa9\xc3\xa9\xc3\xa9\xc3\xa9\xc3\xa9"
		"   x\n"
		"\\x1b[2J      \n");
	text_release(&text);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("table");
	TCase *tests = tcase_create("table");
	SRunner *runner = srunner_create(suite);
	int failed;

	tcase_add_test(tests, pads_columns);
	tcase_add_test(tests, counts_characters_and_escapes_controls);
	suite_add_tcase(suite, tests);
	srunner_run_all(runner, CK_ENV);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed != 0;
}
