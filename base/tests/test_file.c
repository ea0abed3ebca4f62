/* SPDX-License-Identifier: Apache-2.0 */
#include "base/file.h"

#include <check.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static char folder[] = "/tmp/test_file.XXXXXX";
static int dir_fd;
static struct error err;
static struct text text;

static void setup(void)
{
	ck_assert_ptr_nonnull(mkdtemp(folder));
	dir_fd = open(folder, O_DIRECTORY | O_CLOEXEC);
	ck_assert_int_ge(dir_fd, 0);
	err = (struct error){ 0 };
	text = (struct text){ 0 };
}

static void teardown(void)
{
	unlinkat(dir_fd, "f", 0);
	close(dir_fd);
	ck_assert_int_eq(rmdir(folder), 0); /* nothing else was left in it */
	text_release(&text);
}

static void write_file(const char *data, size_t size)
{
	int fd = openat(dir_fd, "f", O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);

	ck_assert_int_ge(fd, 0);
	ck_assert_int_eq(write(fd, data, size), (ssize_t)size);
	close(fd);
}

/* Around the sizes in which a file is read. */
static const size_t sizes[] = { 0, 1, 4095, 4096, 4097, 100000 };

START_TEST(reads_a_whole_file)
{
	size_t size = sizes[_i];
	char *data = calloc(1, size + 1);

	for (size_t i = 0; i < size; i++)
		data[i] = (char)(i * 13);
	write_file(data, size);
	ck_assert_int_eq(file_read_at(dir_fd, "f", size, &text, &err), 0);
	ck_assert_uint_eq(text.length, size);
	ck_assert_mem_eq(text.data, data, size);
	free(data);
}
END_TEST

START_TEST(refuses_a_larger_file)
{
	size_t size = sizes[_i];
	char *data = calloc(1, size + 1);
	char expected[64];

	write_file(data, size + 1);
	ck_assert_int_eq(file_read_at(dir_fd, "f", size, &text, &err), -1);
	snprintf(expected, sizeof(expected), "'f' is larger than %zu bytes", size);
	ck_assert_str_eq(err.text, expected);
	free(data);
}
END_TEST

START_TEST(names_what_it_cannot_read)
{
	ck_assert_int_eq(file_read_at(dir_fd, "f", 10, &text, &err), -1);
	ck_assert_str_eq(err.text, "open 'f': not found");
	err = (struct error){ 0 };
	ck_assert_int_eq(file_read_at(dir_fd, ".", 10, &text, &err), -1);
	ck_assert_str_eq(err.text, "read '.': found a directory");
}
END_TEST

START_TEST(writes_an_existing_file)
{
	write_file("abcdef", 6);
	ck_assert_int_eq(file_write_at(dir_fd, "f", "xyz", &err), 0);
	ck_assert_int_eq(file_read_at(dir_fd, "f", 10, &text, &err), 0);
	ck_assert_str_eq(text.data, "xyzdef");
}
END_TEST

START_TEST(makes_no_file_to_write)
{
	ck_assert_int_eq(file_write_at(dir_fd, "f", "xyz", &err), -1);
	ck_assert_str_eq(err.text, "open 'f': not found");
}
END_TEST

START_TEST(names_what_it_cannot_write)
{
	ck_assert_int_eq(file_write_at(AT_FDCWD, "/dev/full", "x", &err), -1);
	ck_assert_str_eq(err.text, "write '/dev/full': no space left on device");
}
END_TEST

START_TEST(creates_what_is_not_there)
{
	ck_assert_int_eq(file_create_at(dir_fd, "f", "new", 3, 0600, &err), 0);
	ck_assert_int_eq(file_read_at(dir_fd, "f", 10, &text, &err), 0);
	ck_assert_str_eq(text.data, "new");
	ck_assert_int_eq(file_create_at(dir_fd, "f", "other", 5, 0600, &err), -1);
	ck_assert_int_eq(err.sys_errno, EEXIST);
}
END_TEST

START_TEST(appends_to_what_is_there)
{
	ck_assert_int_eq(file_append_at(dir_fd, "f", "x", 1, &err), -1);
	ck_assert_str_eq(err.text, "open 'f': not found");
	write_file("abc", 3);
	err = (struct error){ 0 };
	ck_assert_int_eq(file_append_at(dir_fd, "f", "de", 2, &err), 0);
	ck_assert_int_eq(file_read_at(dir_fd, "f", 10, &text, &err), 0);
	ck_assert_str_eq(text.data, "abcde");
}
END_TEST

START_TEST(replaces_whole)
{
	struct stat old_status, status;

	write_file("a long old text", 15);
	ck_assert_int_eq(fstatat(dir_fd, "f", &old_status, 0), 0);
	umask(077);
	ck_assert_int_eq(file_replace_at(dir_fd, "f", "new", 3, 0644, &err), 0);
	ck_assert_int_eq(file_read_at(dir_fd, "f", 10, &text, &err), 0);
	ck_assert_str_eq(text.data, "new");
	ck_assert_int_eq(fstatat(dir_fd, "f", &status, 0), 0);
	ck_assert_uint_eq(status.st_mode & 07777, 0644);
	ck_assert_uint_ne(status.st_ino, old_status.st_ino);
}
END_TEST

START_TEST(replaces_what_is_not_there)
{
	ck_assert_int_eq(file_replace_at(dir_fd, "f", "", 0, 0600, &err), 0);
	ck_assert_int_eq(faccessat(dir_fd, "f", F_OK, 0), 0);
}
END_TEST

START_TEST(leaves_nothing_when_it_cannot_replace)
{
	ck_assert_int_eq(mkdirat(dir_fd, "d", 0700), 0);
	ck_assert_int_eq(file_replace_at(dir_fd, "d", "x", 1, 0600, &err), -1);
	ck_assert_str_eq(err.text, "write 'd': found a directory");
	ck_assert_int_eq(unlinkat(dir_fd, "d", AT_REMOVEDIR), 0);
}
END_TEST

START_TEST(refuses_a_long_name)
{
	char name[400];

	memset(name, 'n', sizeof(name) - 1);
	name[sizeof(name) - 1] = '\0';
	ck_assert_int_eq(file_replace_at(dir_fd, name, "x", 1, 0600, &err), -1);
	ck_assert_int_eq(err.kind, ERROR_SYSTEM);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("file");
	TCase *tcase = tcase_create("file");
	SRunner *runner = srunner_create(suite);
	int failed;

	tcase_add_checked_fixture(tcase, setup, teardown);
	tcase_add_loop_test(tcase, reads_a_whole_file, 0, array_size(sizes));
	tcase_add_loop_test(tcase, refuses_a_larger_file, 0, array_size(sizes));
	tcase_add_test(tcase, names_what_it_cannot_read);
	tcase_add_test(tcase, writes_an_existing_file);
	tcase_add_test(tcase, makes_no_file_to_write);
	tcase_add_test(tcase, names_what_it_cannot_write);
	tcase_add_test(tcase, creates_what_is_not_there);
	tcase_add_test(tcase, appends_to_what_is_there);
	tcase_add_test(tcase, replaces_whole);
	tcase_add_test(tcase, replaces_what_is_not_there);
	tcase_add_test(tcase, leaves_nothing_when_it_cannot_replace);
	tcase_add_test(tcase, refuses_a_long_name);
	suite_add_tcase(suite, tcase);

	srunner_run_all(runner, CK_ENV);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
