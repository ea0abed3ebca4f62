/* SPDX-License-Identifier: Apache-2.0 */
#include "libcontainer/made_paths.h"

#include <check.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/clock.h"

static char top[] = "/tmp/kogg-test-made-XXXXXX";
static int pair[2];
static struct error err;
static struct made_paths made;
static int dir;

static void setup(void)
{
	memcpy(top + strlen(top) - 6, "XXXXXX", 6);
	ck_assert_ptr_nonnull(mkdtemp(top));
	dir = open(top, O_PATH | O_DIRECTORY | O_CLOEXEC);
	err = (struct error){ 0 };
	ck_assert_int_eq(sync_open(pair, &err), 0);
	made = (struct made_paths){ .socket = &pair[1] };
}

static void teardown(void)
{
	static const char *const left[] = { "other", "full/file", "written", "replaced", "file" };

	made_paths_release(&made);
	close(pair[0]);
	close(pair[1]);
	for (size_t i = 0; i < array_size(left); i++)
		(void)unlinkat(dir, left[i], 0);
	(void)unlinkat(dir, "full", AT_REMOVEDIR);
	close(dir);
	ck_assert_int_eq(rmdir(top), 0);
}

/* What the first process tells about NAME comes to the runtime. */
static void tell(const char *name)
{
	const struct path_witness witness = made_paths_witness(&made);
	struct sync_message message;
	int fd;

	ck_assert_int_eq(path_tell(&witness, dir, name, &err), 0);
	ck_assert_int_eq(sync_receive(pair[0], CLOCK_NO_DEADLINE, &message, &fd, &err), 0);
	ck_assert_int_eq(message.type, SYNC_MADE);
	ck_assert_int_eq(made_paths_keep(&made, &message.made, fd, &err), 0);
}

static bool is_there(const char *name)
{
	struct stat st;

	return fstatat(dir, name, &st, AT_SYMLINK_NOFOLLOW) == 0;
}

static void write_file(const char *name, const char *text)
{
	cleanup_fd int fd = openat(dir, name, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);

	ck_assert_int_ge(fd, 0);
	ck_assert_int_eq(write(fd, text, strlen(text)), (ssize_t)strlen(text));
}

START_TEST(removes_what_was_told)
{
	made.becomes_readonly = _i; /* then by way of a clone, where the caller may make one */
	write_file("file", "");
	tell("file");
	ck_assert_int_eq(symlinkat("/etc/passwd", dir, "link"), 0);
	tell("link");
	ck_assert_int_eq(mkfifoat(dir, "fifo", 0600), 0);
	tell("fifo");
	ck_assert_int_eq(mkdirat(dir, "dir", 0755), 0);
	tell("dir");
	write_file("other", "");
	made_paths_remove(&made);
	ck_assert(!is_there("file") && !is_there("link") && !is_there("fifo") && !is_there("dir"));
	ck_assert(is_there("other"));
}
END_TEST

START_TEST(spares_what_is_not_ours)
{
	ck_assert_int_eq(mkdirat(dir, "full", 0755), 0);
	tell("full");
	write_file("full/file", "");
	write_file("written", "");
	tell("written");
	write_file("written", "text");
	write_file("replaced", "");
	tell("replaced");
	write_file("new", "");
	ck_assert_int_eq(renameat(dir, "new", dir, "replaced"), 0);
	write_file("gone", "");
	tell("gone");
	ck_assert_int_eq(unlinkat(dir, "gone", 0), 0);
	made_paths_remove(&made);
	ck_assert(is_there("full/file") && is_there("written") && is_there("replaced"));
}
END_TEST

START_TEST(keeps_what_is_released)
{
	write_file("file", "");
	tell("file");
	made_paths_release(&made);
	made_paths_remove(&made);
	ck_assert(is_there("file"));
}
END_TEST

/* Names that would lead out of the directory, and a message without one. */
static const char *const bad_names[] = { "", ".", "..", "a/b", "/etc/passwd", NULL };

START_TEST(refuses_malformed_messages)
{
	struct sync_made item = { .device = 1, .inode = 1 };

	snprintf(item.name, sizeof(item.name), "%s", bad_names[_i] ?: "good");
	ck_assert_int_eq(made_paths_keep(&made, &item, bad_names[_i] ? dup(dir) : -1, &err), -1);
	ck_assert_str_eq(err.text, "the container's first process sent a malformed message");
	ck_assert_uint_eq(made.count, 0);
}
END_TEST

START_TEST(keeps_no_more_than_the_cap)
{
	struct sync_made item = { .name = "nonesuch" };

	for (size_t i = 0; i < MADE_PATHS_MAX + 3; i++)
		ck_assert_int_eq(made_paths_keep(&made, &item, dup(dir), &err), 0);
	ck_assert_uint_eq(made.count, MADE_PATHS_MAX);
	ck_assert_uint_eq(made.n_forgotten, 3);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("made_paths");
	TCase *tests = tcase_create("made_paths");
	SRunner *runner = srunner_create(suite);
	int failed;

	suite_add_tcase(suite, tests);
	tcase_add_checked_fixture(tests, setup, teardown);
	tcase_add_loop_test(tests, removes_what_was_told, 0, 2);
	tcase_add_test(tests, spares_what_is_not_ours);
	tcase_add_test(tests, keeps_what_is_released);
	tcase_add_loop_test(tests, refuses_malformed_messages, 0, array_size(bad_names));
	tcase_add_test(tests, keeps_no_more_than_the_cap);
	srunner_run_all(runner, CK_NORMAL);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? 1 : 0;
}
