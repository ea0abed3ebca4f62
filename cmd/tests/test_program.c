/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The program as callers see it: what it prints where, and its exit status.
 * KOGG_PROGRAM is the path of the built program: meson.build sets it.
 */
#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/spawn.h"

#define WORDS_MAX  12
#define OUTPUT_MAX (64 * 1024)

static struct error err;
static struct spawn_result result; /* its output is standard error */
static struct text output;         /* standard output */
static char directory[] = "/tmp/kogg-test-program-XXXXXX";

static void make_directory(void)
{
	memcpy(directory + sizeof(directory) - 7, "XXXXXX", 6);
	ck_assert_ptr_nonnull(mkdtemp(directory));
}

static void remove_directory(void)
{
	char path[80];

	snprintf(path, sizeof(path), "%s/config.json", directory);
	unlink(path);
	snprintf(path, sizeof(path), "%s/log", directory);
	unlink(path);
	rmdir(directory);
}

static void run_program(const char *const words[WORDS_MAX])
{
	const char *argv[WORDS_MAX + 2] = { "kogg" };
	const char *const env[] = { "PATH=/usr/bin:/bin", "USER=root", NULL };
	const struct spawn_request request = {
		.path = KOGG_PROGRAM,
		.argv = argv,
		.env = env,
		.cwd = directory,
		.umask = 022,
		.timeout_ms = 20000,
		.output = &output,
		.output_max = OUTPUT_MAX,
	};

	memcpy(argv + 1, words, WORDS_MAX * sizeof(*words));
	memset(&err, 0, sizeof(err));
	text_release(&output);
	output = (struct text){ 0 };
	text_append(&output, "");
	ck_assert_msg(spawn_run(&request, &result, &err) == 0, "%s", err.text);
}

#define NAME_LINES "NAME:\n   kogg - Open Container Initiative runtime\n"
#define USAGE      "Incorrect Usage.\n\nNAME:\n   kogg "

static const struct {
	const char *words[WORDS_MAX];
	int status;
	const char *output; /* what standard output begins with */
	const char *error;  /* what standard error holds; "" is nothing at all */
} calls[] = {
	{ { NULL }, 0, NAME_LINES, "" },
	{ { "-h" }, 0, NAME_LINES, "" },
	{ { "--help" }, 0, NAME_LINES, "" },
	{ { "help" }, 0, NAME_LINES, "" },
	{ { "help", "create" }, 0, "NAME:\n   kogg create - ", "" },
	{ { "help", "foo" }, 3, "", "No help topic for 'foo'" },
	{ { "create", "--help" }, 0, "NAME:\n   kogg create - ", "" },
	{ { "exec", "-h" }, 0, "NAME:\n   kogg exec - ", "" },
	{ { "-v" }, 0, "kogg version ", "" },
	{ { "--version" }, 0, "kogg version ", "" },
	{ { "--debug", "-version" }, 0, "kogg version ", "" },
	{ { "foo" }, 3, "", "level=error msg=\"No help topic for 'foo'\"" },
	{ { "checkpoint", "--help" }, 3, "", "No help topic for 'checkpoint'" },
	{ { "--bogus" }, 1, USAGE, "unknown option '--bogus'" },
	{ { "create", "--bogus", "web" }, 1, USAGE "create", "unknown option '--bogus'" },
	{ { "state" }, 1, USAGE "state", "'state' takes exactly 1 argument, found 0" },
	{ { "start" }, 1, USAGE "start", "takes exactly 1 argument" },
	{ { "delete" }, 1, USAGE "delete", "takes exactly 1 argument" },
	{ { "create", "--bundle", "." }, 1, USAGE "create", "takes exactly 1 argument" },
	{ { "state", "a", "b" }, 1, USAGE "state", "takes exactly 1 argument, found 2" },
	{ { "state", "-x" }, 1, USAGE "state", "needs -- before it" },
	{ { "kill", "web", "9", "10" }, 1, USAGE "kill", "at most 2 arguments, found 3" },
	{ { "list", "x" }, 1, USAGE "list", "takes exactly 0 arguments, found 1" },
	{ { "--log-format", "xml", "list" }, 1, "", "invalid log-format: xml" },
	{ { "--log", "/nonexistent/log", "list" }, 1, "", "open log '/nonexistent/log'" },
	{ { "--root", "/", "list" }, 1, "", "'/' cannot hold the state" },
	{ { "--cgroup-manager", "foo", "list" }, 1, "", "'foo' is none of" },
	{ { "--root", ".", "--rootless=true", "state", "web" }, 1, "", "'web' does not exist" },
	{ { "--root", ".", "state", "--", "-web" }, 1, "", "'-web' does not exist" },
	{ { "--root", ".", "state", "../web" }, 1, "", "invalid container ID" },
	{ { "--root", ".", "-log-format=json", "state", "web" }, 1, "",
		"{\"level\":\"error\",\"msg\":\"container 'web' does not exist\",\"time\":\"" },
	{ { "--root", ".", "delete", "web" }, 1, "", "does not exist" },
	{ { "--root", ".", "delete", "--force", "web" }, 0, "", "" },
	{ { "--root", ".", "delete", "web", "-f" }, 0, "", "" },
	{ { "--root", ".", "kill", "KILL" }, 1, "", "'KILL' does not exist" },
	{ { "--root", ".", "kill", "web", "FOO" }, 1, "", "unknown signal \\\"FOO\\\"" },
	{ { "--root", ".", "kill", "web", "-9" }, 1, "", "does not exist" },
	{ { "--root", ".", "exec", "web", "ls", "-la" }, 255, "", "does not exist" },
	{ { "--root", ".", "exec", "web" }, 255, "", "needs a command or a process file" },
	{ { "--root", ".", "exec", "-p", "f", "web", "ls" }, 255, "", "not both" },
	{ { "--root", ".", "update", "web", "--memory", "much" }, 1, "",
		"option '--memory': 'much' is not a size" },
	{ { "--root", ".", "ps", "--format", "xml", "web" }, 1, "", "neither table nor json" },
	{ { "--root", ".", "list" }, 0,
		"ID          PID         STATUS      BUNDLE      CREATED     OWNER\n", "" },
	{ { "--root", ".", "list", "--format=json" }, 0, "null\n", "" },
	{ { "--root", ".", "list", "-q" }, 0, "", "" },
	{ { "--root", "missing", "list" }, 1, "", "missing': not found" },
	{ { "features" }, 0, "{\n    \"ociVersionMin\": \"1.0.0\",\n", "" },
	{ { "spec" }, 0, "", "" },
};

START_TEST(answers)
{
	const char *expected = calls[_i].output;

	run_program(calls[_i].words);
	ck_assert_msg(result.exit_status == calls[_i].status, "status %d: %s", result.exit_status,
		result.output);
	ck_assert_msg(strncmp(output.data, expected, strlen(expected)) == 0, "%s", output.data);
	ck_assert_msg(expected[0] || !output.length, "%s", output.data);
	if (calls[_i].error[0])
		ck_assert_msg(strstr(result.output, calls[_i].error), "%s", result.output);
	else
		ck_assert_str_eq(result.output, "");
}
END_TEST

/* One caller takes the last line that holds the word. */
START_TEST(says_version_once)
{
	run_program((const char *const[WORDS_MAX]){ "--version" });
	ck_assert_ptr_null(strstr(strchr(output.data, '\n'), "version"));
	ck_assert_ptr_null(strstr(output.data, "version:"));
	ck_assert_ptr_nonnull(strstr(output.data, "\ncommit: "));
	ck_assert_ptr_nonnull(strstr(output.data, "\nspec: 1.3.0\n"));
}
END_TEST

START_TEST(does_not_overwrite_a_config)
{
	run_program((const char *const[WORDS_MAX]){ "spec" });
	ck_assert_int_eq(result.exit_status, 0);
	run_program((const char *const[WORDS_MAX]){ "spec" });
	ck_assert_int_eq(result.exit_status, 1);
	ck_assert_ptr_nonnull(strstr(result.output, "File config.json exists. Remove it first"));
}
END_TEST

START_TEST(says_to_stderr_what_the_log_says)
{
	run_program((const char *const[WORDS_MAX]){
		"--root", ".", "--log", "log", "--log-format", "json", "state", "web" });
	ck_assert_int_eq(result.exit_status, 1);
	ck_assert_str_eq(result.output, "container 'web' does not exist\n");
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("program");
	TCase *tests = tcase_create("program");
	SRunner *runner = srunner_create(suite);
	int failed;

	tcase_add_checked_fixture(tests, make_directory, remove_directory);
	tcase_add_loop_test(tests, answers, 0, (int)array_size(calls));
	tcase_add_test(tests, says_version_once);
	tcase_add_test(tests, does_not_overwrite_a_config);
	tcase_add_test(tests, says_to_stderr_what_the_log_says);
	suite_add_tcase(suite, tests);
	srunner_run_all(runner, CK_ENV);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed != 0;
}
