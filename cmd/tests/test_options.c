/* SPDX-License-Identifier: Apache-2.0 */
#include "cmd/options.h"

#include <check.h>
#include <stdio.h>
#include <string.h>

struct values {
	bool force;
	const char *bundle;
	struct spec_strings env;
	unsigned count;
	struct spec_u32s gids;
};

static const struct option_row table[] = {
	OPTION_SWITCH("force", 'f', struct values, force, "do it anyway"),
	OPTION_STRING("bundle", 'b', "DIR", struct values, bundle, "where it lies"),
	OPTION_STRINGS("env", 'e', "NAME=VALUE", struct values, env, "add to the environment"),
	OPTION_NUMBER("preserve-fds", 0, "N", struct values, count, NULL),
	OPTION_NUMBERS("gid", 'g', "GID", struct values, gids, "add a group"),
	{ 0 },
};

#define WORDS_MAX 12

static struct values values;
static struct options_rest rest;
static struct error err;

static int parse(const char *const words[WORDS_MAX], enum options_place place)
{
	memset(&values, 0, sizeof(values));
	memset(&err, 0, sizeof(err));
	return options_parse(table, place, words, &values, &rest, &err);
}

/* What was read, as one line that a row of the table can expect. */
static void describe(char *ret_line, size_t size)
{
	struct text text = { 0 };

	if (values.force)
		text_append(&text, "force ");
	if (values.bundle)
		text_appendf(&text, "bundle=%s ", values.bundle);
	for (size_t i = 0; i < values.env.count; i++)
		text_appendf(&text, "env=%s ", values.env.items[i]);
	if (values.count)
		text_appendf(&text, "fds=%u ", values.count);
	for (size_t i = 0; i < values.gids.count; i++)
		text_appendf(&text, "gid=%u ", values.gids.items[i]);
	if (rest.wants_help)
		text_append(&text, "help ");
	text_append(&text, ":");
	for (size_t i = 0; i < rest.n_args; i++)
		text_appendf(&text, " %s", rest.args[i]);
	snprintf(ret_line, size, "%s", text.data);
	text_release(&text);
}

static const struct {
	const char *words[WORDS_MAX];
	enum options_place place;
	const char *read;
} accepted[] = {
	{ { NULL }, OPTIONS_ANYWHERE, ":" },
	{ { "web" }, OPTIONS_ANYWHERE, ": web" },
	{ { "--force", "web" }, OPTIONS_ANYWHERE, "force : web" },
	{ { "-force", "web" }, OPTIONS_ANYWHERE, "force : web" },
	{ { "-f", "web" }, OPTIONS_ANYWHERE, "force : web" },
	{ { "--f", "web" }, OPTIONS_ANYWHERE, "force : web" },
	{ { "web", "--force" }, OPTIONS_ANYWHERE, "force : web" },
	{ { "web", "--force" }, OPTIONS_BEFORE_ARGUMENTS, ": web --force" },
	{ { "--force=true", "web" }, OPTIONS_ANYWHERE, "force : web" },
	{ { "--force=false", "web" }, OPTIONS_ANYWHERE, ": web" },
	{ { "-f=1" }, OPTIONS_ANYWHERE, "force :" },
	{ { "--force", "--force=F" }, OPTIONS_ANYWHERE, ":" },
	{ { "--force", "false" }, OPTIONS_ANYWHERE, "force : false" },
	{ { "--bundle", "/b", "web" }, OPTIONS_ANYWHERE, "bundle=/b : web" },
	{ { "--bundle=/b", "web" }, OPTIONS_ANYWHERE, "bundle=/b : web" },
	{ { "-bundle=/b", "web" }, OPTIONS_ANYWHERE, "bundle=/b : web" },
	{ { "-b", "/b", "web" }, OPTIONS_ANYWHERE, "bundle=/b : web" },
	{ { "-b=/b=c", "web" }, OPTIONS_ANYWHERE, "bundle=/b=c : web" },
	{ { "-b", "/b", "-b", "/c" }, OPTIONS_ANYWHERE, "bundle=/c :" },
	{ { "-b", "--force", "web" }, OPTIONS_ANYWHERE, "bundle=--force : web" },
	{ { "--bundle=", "web" }, OPTIONS_ANYWHERE, ": web" },
	{ { "-e", "A=1,2", "--env", "B=3", "--env=C" }, OPTIONS_ANYWHERE,
		"env=A=1,2 env=B=3 env=C :" },
	{ { "-e", "A=1", "web", "-e", "B=2" }, OPTIONS_BEFORE_ARGUMENTS, "env=A=1 : web -e B=2" },
	{ { "--preserve-fds", "2", "web" }, OPTIONS_ANYWHERE, "fds=2 : web" },
	{ { "-g", "5", "-g=4294967295" }, OPTIONS_ANYWHERE, "gid=5 gid=4294967295 :" },
	{ { "--", "-web" }, OPTIONS_ANYWHERE, ": -web" },
	{ { "web", "--", "--force" }, OPTIONS_ANYWHERE, ": web --force" },
	{ { "--", "web", "--", "x" }, OPTIONS_ANYWHERE, ": web -- x" },
	{ { "web", "ls", "--", "-la" }, OPTIONS_BEFORE_ARGUMENTS, ": web ls -- -la" },
	{ { "-" }, OPTIONS_ANYWHERE, ": -" },
	{ { "-h" }, OPTIONS_ANYWHERE, "help :" },
	{ { "--help", "web" }, OPTIONS_ANYWHERE, "help : web" },
	{ { "web", "-help" }, OPTIONS_ANYWHERE, "help : web" },
	{ { "web", "-9", "--force", "-f=false", "-e", "A" }, OPTIONS_KNOWN_AFTERWARDS,
		"env=A : web -9" },
	{ { "web", "--", "--force" }, OPTIONS_KNOWN_AFTERWARDS, ": web --force" },
	{ { "web", "--help" }, OPTIONS_BEFORE_ARGUMENTS, ": web --help" },
};

START_TEST(reads)
{
	char line[256];

	ck_assert_msg(parse(accepted[_i].words, accepted[_i].place) == 0, "%s", err.text);
	describe(line, sizeof(line));
	ck_assert_str_eq(line, accepted[_i].read);
	options_release(table, &values, &rest);
}
END_TEST

static const struct {
	const char *words[WORDS_MAX];
	const char *text;
} rejected[] = {
	{ { "--forc" }, "unknown option '--forc'" },
	{ { "--bogus=1" }, "unknown option '--bogus'" },
	{ { "-x", "web" }, "unknown option '-x'" },
	{ { "-fb", "web" }, "unknown option '-fb'" },
	{ { "---force" }, "unknown option '---force'" },
	{ { "-=x" }, "unknown option '-'" },
	{ { "--bundle" }, "option '--bundle' needs a value" },
	{ { "-b" }, "option '-b' needs a value" },
	{ { "--force=maybe" }, "option '--force': 'maybe' is neither true nor false" },
	{ { "-f=" }, "option '--force': '' is neither true nor false" },
	{ { "--help=x" }, "'x' is neither true nor false" },
	{ { "--preserve-fds", "-1" },
		"option '--preserve-fds': '-1' is not a number from 0 to 4294967295" },
	{ { "--preserve-fds=4294967296" },
		"option '--preserve-fds': '4294967296' is not a number from 0 to 4294967295" },
	{ { "-g", "wheel" }, "option '--gid': 'wheel' is not a number from 0 to 4294967295" },
};

START_TEST(rejects)
{
	ck_assert_int_eq(parse(rejected[_i].words, OPTIONS_ANYWHERE), -1);
	ck_assert_int_eq(err.kind, ERROR_USAGE);
	ck_assert_str_eq(err.text, rejected[_i].text);
	ck_assert_ptr_null(rest.args);
	options_release(table, &values, &rest);
}
END_TEST

START_TEST(describes_all_but_the_hidden)
{
	struct text text = { 0 };

	options_describe(table, &text);
	ck_assert_str_eq(text.data, "   --force, -f                      do it anyway\n"
				    "   --bundle, -b DIR                 where it lies\n"
				    "   --env, -e NAME=VALUE             add to the environment\n"
				    "   --gid, -g GID                    add a group\n"
				    "   --help, -h                       show this text\n");
	text_release(&text);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("options");
	TCase *tests = tcase_create("options");
	SRunner *runner = srunner_create(suite);
	int failed;

	tcase_add_loop_test(tests, reads, 0, (int)array_size(accepted));
	tcase_add_loop_test(tests, rejects, 0, (int)array_size(rejected));
	tcase_add_test(tests, describes_all_but_the_hidden);
	suite_add_tcase(suite, tests);
	srunner_run_all(runner, CK_ENV);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed != 0;
}
