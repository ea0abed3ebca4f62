/* SPDX-License-Identifier: Apache-2.0 */
#include <check.h>
#include <stdlib.h>

#include "base/attributes.h"
#include "libspec/near_word.h"
#include "libspec/spec_forms.h"
#include "libspec/spec_version.h"

static const struct {
	const char *(*form)(const char *value);
	const char *value;
	const char *complaint; /* NULL: right */
} rows[] = {
	{ spec_forms_not_empty, "a", NULL },
	{ spec_forms_not_empty, "", "must not be empty" },
	{ spec_forms_absolute, "/", NULL },
	{ spec_forms_absolute, "a/b", "must be absolute" },
	{ spec_forms_absolute, "", "must be absolute" },
	{ spec_forms_one_line, "a b", NULL },
	{ spec_forms_one_line, "a\n", "must not hold a line feed" },
	{ spec_forms_variable, "A=", NULL },
	{ spec_forms_variable, "A", "must be of the form NAME=value" },
	{ spec_forms_variable, "=value", "must be of the form NAME=value" },
	{ spec_forms_list, "0", NULL },
	{ spec_forms_list, "3-3,1-2", NULL },
	{ spec_forms_list, "0,5-1", "has a range that ends before it begins" },
	{ spec_forms_list, "0-3,7", NULL },
	{ spec_forms_list, " 0 - 3 , 7 ", NULL },
	{ spec_forms_list, "", "must be a list such as 0-3,7" },
	{ spec_forms_list, "0,", "must be a list such as 0-3,7" },
	{ spec_forms_list, ",0", "must be a list such as 0-3,7" },
	{ spec_forms_list, "0--1", "must be a list such as 0-3,7" },
	{ spec_forms_list, "0-1-2", "must be a list such as 0-3,7" },
	{ spec_forms_list, "1 2", "must be a list such as 0-3,7" },
	{ spec_forms_list, "a", "must be a list such as 0-3,7" },
	{ spec_forms_cpuset, "0-31:1/2", NULL },
	{ spec_forms_cpuset, "all", "must be a list such as 0-3,7" },
	{ spec_forms_interface, "eth%d", NULL },
	{ spec_forms_interface, "0123456789abcde", NULL },
	{ spec_forms_interface, "0123456789abcdef", "must not be longer than 15 bytes" },
	{ spec_forms_interface, "", "must not be empty" },
	{ spec_forms_interface, ".", "must be an interface name" },
	{ spec_forms_interface, "a:1", "must be an interface name" },
	{ spec_forms_file_name, "...", NULL },
	{ spec_forms_file_name, ".", "must be a file name" },
	{ spec_forms_file_name, "a/", "must be a file name" },
	{ spec_forms_page_size, "64KB", NULL },
	{ spec_forms_page_size, "16GB", NULL },
	{ spec_forms_page_size, "02MB", "must be a number and KB, MB or GB" },
	{ spec_forms_page_size, "2M", "must be a number and KB, MB or GB" },
	{ spec_forms_page_size, "2MiB", "must be a number and KB, MB or GB" },
	{ spec_forms_page_size, "2TB", "must be a number and KB, MB or GB" },
	{ spec_forms_page_size, "2B", "must be a number and KB, MB or GB" },
	{ spec_forms_page_size, "2", "must be a number and KB, MB or GB" },
	{ spec_forms_page_size, "MB", "must be a number and KB, MB or GB" },
	{ spec_forms_page_size, "", "must be a number and KB, MB or GB" },
};

START_TEST(judges_a_form)
{
	const char *complaint = rows[_i].form(rows[_i].value);

	if (rows[_i].complaint) {
		ck_assert_ptr_nonnull(complaint);
		ck_assert_str_eq(complaint, rows[_i].complaint);
	} else {
		ck_assert_ptr_null(complaint);
	}
}
END_TEST

static const struct {
	const char *version;
	bool is_known;
} versions[] = {
	{ "1.0.0", true },
	{ "1.0.2-dev", true },
	{ "1.3.0", true },
	{ "1.4.0", true },
	{ "1.99.1-rc.1+dev.0", true },
	{ "1.0.0+01", true },
	{ "1.0.0-0", true },
	{ "1.0.0-0a.--", true },
	{ "0.5.0-dev", false },
	{ "2.0.0", false },
	{ "10.0.0", false },
	{ "9.9.9", false },
	{ "1", false },
	{ "1.0", false },
	{ "1.0.0.0", false },
	{ "1.0.x", false },
	{ "01.0.0", false },
	{ "1.00.0", false },
	{ "1.0.0-01", false },
	{ "1.0.0-", false },
	{ "1.0.0+", false },
	{ "1.0.0-a..b", false },
	{ "1.0.0 ", false },
	{ " 1.0.0", false },
	{ "v1.0.0", false },
	{ "-1.0.0", false },
	{ "", false },
	{ "foo", false },
};

START_TEST(judges_a_version)
{
	ck_assert_int_eq(spec_version_is_known(versions[_i].version), versions[_i].is_known);
}
END_TEST

static const struct {
	const char *typed;
	const char *near;
} near_rows[] = {
	{ "netwrok", "network" },
	{ "NETWORK", "network" },
	{ "networks", "network" },
	{ "usr", "user" },
	{ "x", NULL },
	{ "", NULL },
	{ "SCMP_ACT_ALOW", "SCMP_ACT_ALLOW" },
	{ "SCMP_ACT_FOO", NULL },
	{ "SCMP_ACT_", NULL },
	{ "a word that is far longer than any word of the spec", NULL },
};

START_TEST(finds_the_near_word)
{
	static const char *const words[] = { "user", "network", "pid", "SCMP_ACT_ALLOW",
		"SCMP_ACT_LOG", "SCMP_ACT_TRAP" };
	struct near_word near = { .typed = near_rows[_i].typed };

	for (size_t i = 0; i < array_size(words); i++)
		near_word_try(&near, words[i]);
	if (near_rows[_i].near) {
		ck_assert_ptr_nonnull(near.best);
		ck_assert_str_eq(near.best, near_rows[_i].near);
	} else {
		ck_assert_ptr_null(near.best);
	}
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("spec_forms");
	TCase *tcase = tcase_create("forms");
	SRunner *runner = srunner_create(suite);
	int failed;

	tcase_add_loop_test(tcase, judges_a_form, 0, array_size(rows));
	tcase_add_loop_test(tcase, judges_a_version, 0, array_size(versions));
	tcase_add_loop_test(tcase, finds_the_near_word, 0, array_size(near_rows));
	suite_add_tcase(suite, tcase);

	srunner_run_all(runner, CK_ENV);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
