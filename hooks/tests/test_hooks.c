/* SPDX-License-Identifier: Apache-2.0 */
#include "hooks/hooks.h"

#include <check.h>
#include <ctype.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/file.h"
#include "base/log.h"

#define STATE "{\"ociVersion\":\"1.3.0\",\"id\":\"web\",\"status\":\"created\"}"

static struct error err;
static char directory[] = "/tmp/kogg-test-hooks-XXXXXX";
static char program[64];

static void make_directory(void)
{
	memcpy(directory + sizeof(directory) - 7, "XXXXXX", 6);
	ck_assert_ptr_nonnull(mkdtemp(directory));
	snprintf(program, sizeof(program), "%s/hook", directory);
	memset(&err, 0, sizeof(err));
}

static void remove_directory(void)
{
	static const char *const names[] = { "hook", "seen", "" };
	char path[128];

	for (size_t i = 0; i < array_size(names); i++) {
		snprintf(path, sizeof(path), "%s/%s", directory, names[i]);
		remove(path);
	}
}

static struct spec_hook script_hook(const char *body)
{
	FILE *file = fopen(program, "we");

	ck_assert_ptr_nonnull(file);
	fprintf(file, "#!/bin/sh\n%s\n", body);
	fclose(file);
	ck_assert_int_eq(chmod(program, 0755), 0);
	return (struct spec_hook){ .path = program };
}

static int run_one(struct spec_hook *hook, const char *const *default_env)
{
	const struct spec_hook_list list = { .items = hook, .count = 1 };
	const struct hooks_request request = {
		.kind = SPEC_HOOK_CREATE_RUNTIME,
		.state = STATE,
		.default_env = default_env,
		.cwd = directory,
	};

	return hooks_run(&list, &request, &err);
}

static void assert_seen(const char *expected)
{
	char path[128];
	struct text text = { 0 };

	snprintf(path, sizeof(path), "%s/seen", directory);
	ck_assert_msg(file_read_at(AT_FDCWD, path, 4096, &text, &err) == 0, "%s", err.text);
	ck_assert_str_eq(text.data, expected);
	text_release(&text);
}

START_TEST(gives_the_state_on_standard_input)
{
	struct spec_hook hook = script_hook("cat >seen");

	ck_assert_msg(run_one(&hook, NULL) == 0, "%s", err.text);
	assert_seen(STATE);
}
END_TEST

START_TEST(has_its_path_as_only_argument_without_args)
{
	struct spec_hook hook = script_hook("echo \"$# $0\" >seen");
	char expected[80];

	ck_assert_int_eq(run_one(&hook, NULL), 0);
	snprintf(expected, sizeof(expected), "0 %s\n", program);
	assert_seen(expected);
}
END_TEST

START_TEST(passes_args)
{
	const char *args[] = { "name", "one", "two words", NULL };
	struct spec_hook hook = script_hook("echo \"$#:$1:$2\" >seen");

	hook.args = (struct spec_strings){ .items = args, .count = 3 };
	ck_assert_int_eq(run_one(&hook, NULL), 0);
	assert_seen("2:one:two words\n");
}
END_TEST

/* Traps 28: given, only that, if only []; absent, what the caller says. */
START_TEST(chooses_the_environment)
{
	const char *given[] = { "A=given", NULL }, *empty[] = { NULL };
	const char *const fallback[] = { "A=default", "B=default", NULL };
	struct spec_hook hook = script_hook("echo \"$A,$B\" >seen; umask >>seen");

	ck_assert_int_eq(run_one(&hook, fallback), 0);
	assert_seen("default,default\n0022\n");
	ck_assert_int_eq(run_one(&hook, NULL), 0);
	assert_seen(",\n0022\n");
	hook.env = (struct spec_strings){ .items = given, .count = 1 };
	ck_assert_int_eq(run_one(&hook, fallback), 0);
	assert_seen("given,\n0022\n");
	hook.env = (struct spec_strings){ .items = empty };
	ck_assert_int_eq(run_one(&hook, fallback), 0);
	assert_seen(",\n0022\n");
}
END_TEST

/* "... after 12 ms" -> "... after N ms", and the hook's own path -> HOOK. */
static void normalize(const char *text, char *ret_text, size_t size)
{
	char *end = ret_text + size - 1;

	while (*text && ret_text < end) {
		if (strncmp(text, program, strlen(program)) == 0) {
			ret_text = stpcpy(ret_text, "HOOK");
			text += strlen(program);
		} else if (strncmp(text, "after ", 6) == 0 && isdigit((unsigned char)text[6])) {
			ret_text = stpcpy(ret_text, "after N");
			text += 6 + strspn(text + 6, "0123456789");
		} else {
			*ret_text++ = *text++;
		}
	}
	*ret_text = '\0';
}

static const struct {
	const char *body;
	int64_t timeout;
	const char *text;
} failures[] = {
	{ "exit 3", 0,
		"run createRuntime hook 0 'HOOK': exit status 3 after N ms; it wrote nothing" },
	{ "echo no bridge >&2; echo really; exit 3", 5,
		"run createRuntime hook 0 'HOOK': exit status 3 after N ms; its output ended with: "
		"no bridge\\nreally" },
	{ "kill -KILL $$", 0,
		"run createRuntime hook 0 'HOOK': killed by signal 9 (SIGKILL) after N ms; "
		"it wrote nothing" },
	{ "echo waiting; sleep 20 & sleep 20", 1,
		"run createRuntime hook 0 'HOOK': timed out, killed after N ms; "
		"its output ended with: waiting" },
	{ "printf 'a\\033[31mb\\tc'; exit 1", 0,
		"run createRuntime hook 0 'HOOK': exit status 1 after N ms; its output ended with: "
		"a\\x1b[31mb c" },
	{ "echo 'x: No such file or directory, Permission denied'; exit 1", 0,
		"run createRuntime hook 0 'HOOK': exit status 1 after N ms; its output ended with: "
		"x: No\u00a0such file or directory, Permission\u00a0denied" },
};

START_TEST(tells_how_a_hook_failed)
{
	struct spec_hook hook = script_hook(failures[_i].body);
	char text[sizeof(err.text) + 64];

	if (failures[_i].timeout)
		hook.timeout = (struct spec_i64){ .is_set = true, .value = failures[_i].timeout };
	ck_assert_int_eq(run_one(&hook, NULL), -1);
	normalize(err.text, text, sizeof(text));
	ck_assert_str_eq(text, failures[_i].text);
	ck_assert_int_eq(err.kind, ERROR_HOOK);
	ck_assert_str_eq(err.phase, "hooks");
	ck_assert_str_eq(err.path, program);
	ck_assert_str_eq(err.pointer, "/hooks/createRuntime/0");
}
END_TEST

START_TEST(points_at_a_missing_program)
{
	struct spec_hook hook = { .path = "/nonexistent/hook" };

	ck_assert_int_eq(run_one(&hook, NULL), -1);
	ck_assert_str_eq(err.text,
		"run createRuntime hook 0 '/nonexistent/hook': execute '/nonexistent/hook': not found");
	ck_assert_int_eq(err.kind, ERROR_HOOK);
	ck_assert_str_eq(err.pointer, "/hooks/createRuntime/0/path");
}
END_TEST

START_TEST(keeps_the_last_kib_of_output)
{
	struct spec_hook hook =
		script_hook("head -c 5000 /dev/zero | tr '\\0' x; echo end; exit 1");

	ck_assert_int_eq(run_one(&hook, NULL), -1);
	ck_assert_int_gt(strlen(err.text), 1024);
	ck_assert_str_eq(err.text + strlen(err.text) - 6, "xxxend");
}
END_TEST

START_TEST(stops_at_the_first_failure)
{
	struct spec_hook hooks[] = { script_hook("echo ran >>seen"), { .path = "/nonexistent" },
		{ .path = program } };
	const struct spec_hook_list list = { .items = hooks, .count = 3 };
	const struct hooks_request request = {
		.kind = SPEC_HOOK_PRESTART, .state = STATE, .cwd = directory
	};

	ck_assert_int_eq(hooks_run(&list, &request, &err), -1);
	ck_assert_str_eq(err.pointer, "/hooks/prestart/1/path");
	memset(&err, 0, sizeof(err));
	assert_seen("ran\n");
}
END_TEST

static void count_warning(void *context, enum log_level level, const char *text)
{
	ck_assert_int_eq(level, LOG_LEVEL_WARNING);
	ck_assert_ptr_nonnull(strstr(text, "run poststop hook 1 '/nonexistent'"));
	++*(int *)context;
}

START_TEST(runs_all_and_warns)
{
	struct spec_hook hooks[] = { script_hook("echo ran >>seen"), { .path = "/nonexistent" },
		{ .path = program } };
	const struct spec_hook_list list = { .items = hooks, .count = 3 };
	const struct hooks_request request = {
		.kind = SPEC_HOOK_POSTSTOP, .state = STATE, .cwd = directory
	};
	int warnings = 0;
	const struct log_sink sink = { .write = count_warning, .context = &warnings };

	log_set_sink(&sink);
	hooks_run_all(&list, &request);
	log_set_sink(NULL);
	ck_assert_int_eq(warnings, 1);
	assert_seen("ran\nran\n");
}
END_TEST

START_TEST(survives_a_hook_that_reads_nothing)
{
	struct spec_hook hook = script_hook("exec <&-; exit 0");

	ck_assert_int_eq(run_one(&hook, NULL), 0);
}
END_TEST

START_TEST(a_deadline_is_put_off_by_all_timeouts)
{
	struct spec_hook hooks[2] = { { .timeout = { true, 3 } }, { .timeout = { true, 4 } } };
	const struct spec_hook_list list = { .items = hooks, .count = 2 };

	ck_assert_int_eq(hooks_put_off(&list, 100), 7100);
	hooks[1].timeout.value = INT64_MAX / 1000;
	ck_assert_int_eq(hooks_put_off(&list, 100), CLOCK_NO_DEADLINE);
	hooks[1].timeout.value = INT64_MAX;
	ck_assert_int_eq(hooks_put_off(&list, 100), CLOCK_NO_DEADLINE);
	hooks[1].timeout.is_set = false;
	ck_assert_int_eq(hooks_put_off(&list, 100), CLOCK_NO_DEADLINE);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("hooks");
	TCase *tests = tcase_create("hooks");
	SRunner *runner = srunner_create(suite);
	int failed;

	tcase_add_checked_fixture(tests, make_directory, remove_directory);
	tcase_add_test(tests, gives_the_state_on_standard_input);
	tcase_add_test(tests, has_its_path_as_only_argument_without_args);
	tcase_add_test(tests, passes_args);
	tcase_add_test(tests, chooses_the_environment);
	tcase_add_loop_test(tests, tells_how_a_hook_failed, 0, (int)array_size(failures));
	tcase_add_test(tests, points_at_a_missing_program);
	tcase_add_test(tests, keeps_the_last_kib_of_output);
	tcase_add_test(tests, stops_at_the_first_failure);
	tcase_add_test(tests, runs_all_and_warns);
	tcase_add_test(tests, survives_a_hook_that_reads_nothing);
	tcase_add_test(tests, a_deadline_is_put_off_by_all_timeouts);
	tcase_set_timeout(tests, 20);
	suite_add_tcase(suite, tests);
	srunner_run_all(runner, CK_ENV);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed != 0;
}
