/* SPDX-License-Identifier: Apache-2.0 */
#include "cmd/ps_table.h"

#include <check.h>
#include <stdlib.h>
#include <string.h>

#define WORDS 1000000

static const pid_t members[] = { 7, 30, 1234567 };
static const struct ps_table_pids pids = { members, 3 };

static const struct {
	const char *table, *filtered;
} tables[] = {
	/* As ps -ef prints it, and busybox, whose numbers stand elsewhere. */
	{ "UID          PID    PPID CMD\nroot           7       1 sleep 8\nroot           8       7 "
	  "sleep 7\n",
		"UID          PID    PPID CMD\nroot           7       1 sleep 8\n" },
	{ "PID   USER     TIME  COMMAND\n    7 root      0:00 sleep 8\n    8 root      0:00 sleep "
	  "7\n",
		"PID   USER     TIME  COMMAND\n    7 root      0:00 sleep 8\n" },
	/* Commands with blanks before it, and numbers in them. */
	{ "COMMAND                         PID\nsleep 30                         99\nsleep 99       "
	  "                  30\n",
		"COMMAND                         PID\nsleep 99                         30\n" },
	{ "COMMAND                         PID COMMAND\nsleep 30                         99 a 30\n"
	  "sh -c sleep 30 30 30 30 30       30 a b 7\n",
		"COMMAND                         PID COMMAND\n"
		"sh -c sleep 30 30 30 30 30       30 a b 7\n" },
	/* Moved by a wide value: counted from the left, or else from the right. */
	{ "   VSZ     PID CMD\n12345678      30 x 7\n12345678      99 x 7\n",
		"   VSZ     PID CMD\n12345678      30 x 7\n" },
	{ "CMD    PID\na b c d e f 1234567\na 7 c d e f 1234568\n",
		"CMD    PID\na b c d e f 1234567\n" },
	/* A character of several bytes. */
	{ "COMMAND      PID S\n\xc3\xa9 30 \xc3\xa9         7 S\n\xc3\xa9 7 \xc3\xa9         31 S\n",
		"COMMAND      PID S\n\xc3\xa9 30 \xc3\xa9         7 S\n" },
	/* Lines without one, as of threads, and a last line without its end. */
	{ "PID TT\n  - ?\n  7 ?\n  - ?", "PID TT\n  7 ?\n" },
	{ "    PID\n     30", "    PID\n     30" },
	{ "    PID\n", "    PID\n" },
	{ "  PPID     PID\n     7       8\n     8       7\n", "  PPID     PID\n     8       7\n" },
};

START_TEST(keeps_the_lines_of_the_processes)
{
	struct text text = { 0 };
	struct error err = { 0 };

	ck_assert_int_eq(ps_table_filter(tables[_i].table, &pids, &text, &err), 0);
	ck_assert_str_eq(text.data, tables[_i].filtered);
	text_release(&text);
}
END_TEST

/* The arguments of somebody who wants it to take long. */
START_TEST(reads_many_words_in_one_pass)
{
	static const char head[] = "UID PID CMD\nroot  30 ";
	const size_t length = sizeof(head) - 1 + 2 * WORDS;
	char *table = malloc(length + 1);
	struct text text = { 0 };
	struct error err = { 0 };

	ck_assert_ptr_nonnull(table);
	memcpy(table, head, sizeof(head));
	for (char *p = table + sizeof(head) - 1; p < table + length; p += 2)
		memcpy(p, "7 ", 2);
	table[length] = '\0';
	ck_assert_int_eq(ps_table_filter(table, &pids, &text, &err), 0);
	ck_assert_uint_eq(text.length, length);
	text_release(&text);
	free(table);
}
END_TEST

static const char *const without[] = { "", "\n", "CMD\nPID\n", "PPID SPID PIDS\n1 2 7\n" };

START_TEST(wants_a_column)
{
	struct text text = { 0 };
	struct error err = { 0 };

	ck_assert_int_eq(ps_table_filter(without[_i], &pids, &text, &err), -1);
	ck_assert_str_eq(err.text, "the output of ps has no column PID to choose processes by");
	ck_assert_int_eq(text.length, 0);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("ps_table");
	TCase *tests = tcase_create("ps_table");
	SRunner *runner = srunner_create(suite);
	int failed;

	tcase_add_loop_test(tests, keeps_the_lines_of_the_processes, 0, (int)array_size(tables));
	tcase_add_test(tests, reads_many_words_in_one_pass);
	tcase_add_loop_test(tests, wants_a_column, 0, (int)array_size(without));
	suite_add_tcase(suite, tests);
	srunner_run_all(runner, CK_ENV);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed != 0;
}
