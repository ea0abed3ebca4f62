/* SPDX-License-Identifier: Apache-2.0 */
#include "cmd/log_output.h"

#include <check.h>
#include <errno.h>
#include <fcntl.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/file.h"

static char directory[] = "/tmp/kogg-test-log-XXXXXX";
static char log_path[64];
static char stderr_path[64];
static struct log_output output;
static struct error err;

static void make_directory(void)
{
	memcpy(directory + sizeof(directory) - 7, "XXXXXX", 6);
	ck_assert_ptr_nonnull(mkdtemp(directory));
	snprintf(log_path, sizeof(log_path), "%s/log", directory);
	snprintf(stderr_path, sizeof(stderr_path), "%s/stderr", directory);
	memset(&err, 0, sizeof(err));
}

static void remove_directory(void)
{
	remove(log_path);
	remove(stderr_path);
	rmdir(directory);
}

static void open_log(const char *file, const char *format, bool wants_debug)
{
	ck_assert_int_eq(log_output_open(&output, file, format, wants_debug, &err), 0);
	output.stderr_fd = open(stderr_path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
	ck_assert_int_ge(output.stderr_fd, 0);
	output.is_plain = false;
}

static void close_log(void)
{
	close(output.stderr_fd);
	log_output_release(&output);
}

static const char *content(const char *path)
{
	static struct text text; /* of the last call */

	text_release(&text);
	text = (struct text){ 0 };
	ck_assert_msg(file_read_at(AT_FDCWD, path, 1 << 20, &text, &err) == 0, "%s", err.text);
	return text.data ? text.data : "";
}

static void fill_error(struct error *failure)
{
	errno = EBUSY;
	error_set_call(failure, "mount", "/proc");
	error_point(failure, "/mounts/0");
	error_phase(failure, "mounts");
	error_hint(failure, "unmount it first");
	failure->line = 3;
	failure->column = 7;
}

static void assert_member(const json_t *record, const char *name, const char *expected)
{
	const char *value = json_string_value(json_object_get(record, name));

	ck_assert_ptr_nonnull(value);
	ck_assert_str_eq(value, expected);
}

static json_t *only_record(const char *path)
{
	json_t *record = json_loads(content(path), 0, NULL); /* refuses a second one */

	ck_assert_msg(json_is_object(record), "%s", content(path));
	return record;
}

/* Go's time.RFC3339 takes fractions of a second, too. */
static bool is_rfc3339(const char *time)
{
	struct tm tm = { 0 };
	const char *rest = strptime(time, "%Y-%m-%dT%H:%M:%S", &tm);

	if (!rest || *rest != '.')
		return false;
	rest++;
	rest += strspn(rest, "0123456789");
	return strcmp(rest, "Z") == 0;
}

START_TEST(leaves_one_json_record_of_a_failure)
{
	struct error failure = { 0 };
	json_t *record, *warnings;

	fill_error(&failure);
	open_log(log_path, "json", false);
	log_warning("first");
	log_warning("second \"%s\"", "quoted");
	log_output_fail(&output, &failure, "web");
	close_log();

	record = only_record(log_path);
	assert_member(record, "level", "error");
	assert_member(record, "msg", "mount '/proc': device or resource busy; unmount it first");
	assert_member(record, "code", "system");
	assert_member(record, "container", "web");
	assert_member(record, "phase", "mounts");
	assert_member(record, "op", "mount");
	assert_member(record, "errno", "EBUSY");
	assert_member(record, "path", "/proc");
	assert_member(record, "pointer", "/mounts/0");
	assert_member(record, "hint", "unmount it first");
	ck_assert_int_eq(json_integer_value(json_object_get(record, "line")), 3);
	ck_assert_int_eq(json_integer_value(json_object_get(record, "column")), 7);
	ck_assert(is_rfc3339(json_string_value(json_object_get(record, "time"))));
	warnings = json_object_get(record, "warnings");
	ck_assert_uint_eq(json_array_size(warnings), 2);
	ck_assert_str_eq(json_string_value(json_array_get(warnings, 0)), "first");
	ck_assert_str_eq(json_string_value(json_array_get(warnings, 1)), "second \"quoted\"");
	json_decref(record);
	ck_assert_str_eq(
		content(stderr_path), "mount '/proc': device or resource busy; unmount it first\n");
}
END_TEST

START_TEST(leaves_out_what_is_not_known)
{
	struct error failure = { 0 };
	json_t *record;

	error_set(&failure, ERROR_NOT_FOUND, "container 'web' does not exist");
	open_log(log_path, "json", false);
	log_output_fail(&output, &failure, NULL);
	close_log();
	record = only_record(log_path);
	ck_assert_uint_eq(json_object_size(record), 4);
	assert_member(record, "code", "not-found");
	json_decref(record);
}
END_TEST

START_TEST(writes_warnings_after_a_success)
{
	open_log(log_path, "json", false);
	log_warning("first");
	ck_assert_str_eq(content(log_path), "");
	log_debug("not wanted");
	log_output_finish(&output);
	close_log();
	json_decref(only_record(log_path));
	ck_assert_ptr_nonnull(
		strstr(content(log_path), "{\"level\":\"warning\",\"msg\":\"first\",\"time\":\""));
	ck_assert_str_eq(content(stderr_path), "");
}
END_TEST

START_TEST(appends_to_the_log)
{
	for (int i = 0; i < 2; i++) {
		open_log(log_path, "json", false);
		log_warning("again");
		log_output_finish(&output);
		close_log();
	}
	ck_assert_ptr_nonnull(strstr(strchr(content(log_path), '\n'), "again"));
}
END_TEST

START_TEST(makes_hostile_bytes_harmless)
{
	struct error failure = { 0 };
	json_t *record;

	error_set(&failure, ERROR_SYSTEM, "it said '%s'", "\xff\n{\"level\":\"error\"}\x1b[2J");
	open_log(log_path, "json", false);
	log_output_fail(&output, &failure, NULL);
	close_log();
	record = only_record(log_path);
	assert_member(record, "msg", "it said '\xef\xbf\xbd\n{\"level\":\"error\"}\x1b[2J'");
	json_decref(record);
	ck_assert_str_eq(
		content(stderr_path), "it said '\\xff\\x0a{\"level\":\"error\"}\\x1b[2J'\n");
}
END_TEST

START_TEST(writes_text_as_logfmt)
{
	struct error failure = { 0 };
	const char *text;

	fill_error(&failure);
	open_log(NULL, NULL, false);
	log_warning("a \"w\"");
	log_output_fail(&output, &failure, "web");
	close_log();
	text = content(stderr_path);
	ck_assert_int_eq(strncmp(text, "time=\"20", 8), 0);
	ck_assert_str_eq(strchr(text, 'Z'),
		"Z\" level=error msg=\"mount '/proc': device or resource busy\""
		" hint=\"unmount it first\" warning=\"a \\\"w\\\"\"\n");
}
END_TEST

START_TEST(speaks_plainly_to_a_person)
{
	struct error failure = { 0 };

	fill_error(&failure);
	open_log(NULL, NULL, false);
	output.is_plain = true;
	log_warning("careful");
	log_output_fail(&output, &failure, "web");
	close_log();
	ck_assert_str_eq(content(stderr_path), "kogg: warning: careful\n"
					       "kogg: mount '/proc': device or resource busy\n"
					       "hint: unmount it first\n");
}
END_TEST

START_TEST(writes_debug_messages_at_once)
{
	open_log(log_path, "text", true);
	log_debug("step %d", 1);
	ck_assert_ptr_nonnull(strstr(content(log_path), "level=debug msg=\"step 1\"\n"));
	close_log();
}
END_TEST

START_TEST(counts_warnings_beyond_the_cap)
{
	open_log(log_path, "json", false);
	for (int i = 0; i < 2000; i++)
		log_warning("%0100d", i);
	log_output_finish(&output);
	close_log();
	ck_assert_ptr_nonnull(strstr(content(log_path), " more warnings"));
}
END_TEST

START_TEST(refuses_other_formats)
{
	ck_assert_int_eq(log_output_open(&output, NULL, "xml", false, &err), -1);
	ck_assert_str_eq(err.text, "invalid log-format: xml");
	log_output_release(&output);
}
END_TEST

START_TEST(names_a_log_that_cannot_be_opened)
{
	ck_assert_int_eq(log_output_open(&output, "/nonexistent/log", NULL, false, &err), -1);
	ck_assert_str_eq(err.text, "open log '/nonexistent/log': not found");
	log_output_release(&output);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("log_output");
	TCase *tests = tcase_create("log_output");
	SRunner *runner = srunner_create(suite);
	int failed;

	tcase_add_checked_fixture(tests, make_directory, remove_directory);
	tcase_add_test(tests, leaves_one_json_record_of_a_failure);
	tcase_add_test(tests, leaves_out_what_is_not_known);
	tcase_add_test(tests, writes_warnings_after_a_success);
	tcase_add_test(tests, appends_to_the_log);
	tcase_add_test(tests, makes_hostile_bytes_harmless);
	tcase_add_test(tests, writes_text_as_logfmt);
	tcase_add_test(tests, speaks_plainly_to_a_person);
	tcase_add_test(tests, writes_debug_messages_at_once);
	tcase_add_test(tests, counts_warnings_beyond_the_cap);
	tcase_add_test(tests, refuses_other_formats);
	tcase_add_test(tests, names_a_log_that_cannot_be_opened);
	suite_add_tcase(suite, tests);
	srunner_run_all(runner, CK_ENV);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed != 0;
}
