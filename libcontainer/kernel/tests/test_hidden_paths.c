/* SPDX-License-Identifier: Apache-2.0 */
#include "libcontainer/kernel/hidden_paths.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "libcontainer/kernel/tests/sandbox.h"
#include "libcontainer/kernel/tests/suite.h"

static struct error err;

static int enter(void)
{
	int root = sandbox_enter();

	sandbox_make_dir(SANDBOX_ROOT "/dir");
	sandbox_make_file(SANDBOX_ROOT "/dir/file", "secret");
	sandbox_make_file(SANDBOX_ROOT "/dir/other", "secret");
	sandbox_make_dir(SANDBOX_ROOT "/dir2");
	sandbox_make_dir(SANDBOX_ROOT "/dir3");
	sandbox_make_link("/dir/file", SANDBOX_ROOT "/link");
	sandbox_make_link("loop", SANDBOX_ROOT "/loop");
	sandbox_make_link("/nowhere", SANDBOX_ROOT "/dangling");
	sandbox_make_file(SANDBOX "/host", "host");
	sandbox_make_link(SANDBOX "/host", SANDBOX_ROOT "/out");
	return root;
}

static int mask(int root, const char *path)
{
	const char *items[] = { path, NULL };

	return hidden_paths_mask(root, &(struct spec_strings){ items, 1 }, NULL, &err);
}

static int make_readonly(int root, const char *path)
{
	const char *items[] = { path, NULL };

	return hidden_paths_make_readonly(root, &(struct spec_strings){ items, 1 }, &err);
}

START_TEST(masks_files_and_directories)
{
	const char *items[] = { "/dir/file", "/dir/other", "/dir2", "/dir3", "/missing",
		"/dangling", "/dir/file/x", NULL };
	struct stat st, same;
	struct sandbox_mount found;
	int root = enter();

	if (_i)
		sandbox_deny(_i == 1 ? SYS_open_tree : SYS_mount_setattr, ENOSYS);
	suite_assert_done(
		hidden_paths_mask(root, &(struct spec_strings){ items, 7 }, NULL, &err), err);
	ck_assert_str_eq(sandbox_read(SANDBOX_ROOT "/dir/file"), "");
	ck_assert_int_eq(stat(SANDBOX_ROOT "/dir/other", &st), 0);
	ck_assert_uint_eq(st.st_rdev, makedev(1, 3));
	/* Or the mode of the host's node could be changed through it. */
	ck_assert_int_eq(chmod(SANDBOX_ROOT "/dir/file", 0666), -1);
	ck_assert_int_eq(errno, EROFS);
	ck_assert_int_eq(chmod(SANDBOX_ROOT "/dir/other", 0666), -1);
	ck_assert_int_eq(errno, EROFS);
	sandbox_assert_mount(SANDBOX_ROOT "/dir2", "tmpfs", "ro,relatime");
	sandbox_assert_mount(SANDBOX_ROOT "/dir3", "tmpfs", "ro,relatime");
	ck_assert_int_eq(stat(SANDBOX_ROOT "/dir2", &st), 0);
	ck_assert_int_eq(stat(SANDBOX_ROOT "/dir3", &same), 0);
	ck_assert_uint_eq(st.st_dev, same.st_dev);
	ck_assert(!sandbox_find_mount(SANDBOX_ROOT "/missing", &found));
	ck_assert(!sandbox_find_mount("/nowhere", &found));
}
END_TEST

START_TEST(acts_on_what_a_link_leads_to)
{
	int root = enter();

	ck_assert_int_eq(mask(root, "/link"), 0);
	ck_assert_str_eq(sandbox_read(SANDBOX_ROOT "/dir/file"), "");
	/* That file is the host's, and in the root there is none of that name. */
	ck_assert_int_eq(mask(root, "/out"), 0);
	ck_assert_int_eq(make_readonly(root, "/out"), 0);
	ck_assert_str_eq(sandbox_read(SANDBOX "/host"), "host");
	ck_assert(!sandbox_find_mount(SANDBOX "/host", &(struct sandbox_mount){ 0 }));
}
END_TEST

START_TEST(is_not_silent_about_failure)
{
	int root = enter();

	ck_assert_int_eq(_i ? make_readonly(root, "/loop") : mask(root, "/loop"), -1);
	sandbox_assert_error(&err, _i ? "/linux/readonlyPaths/0" : "/linux/maskedPaths/0",
		"open '/loop' in the root file system");
}
END_TEST

/* CVE-2025-31133: a fake null device of the image is not what files are masked with. */
START_TEST(null_of_the_image_is_not_used)
{
	int root = enter();

	sandbox_make_dir(SANDBOX_ROOT "/dev");
	sandbox_make_link("/dir/other", SANDBOX_ROOT "/dev/null");
	ck_assert_int_eq(mask(root, "/dir/file"), 0);
	ck_assert_str_eq(sandbox_read(SANDBOX_ROOT "/dir/file"), "");
}
END_TEST

/* A kernel without SELinux, or without that label, refuses it: so it was asked for. */
START_TEST(directories_get_the_label)
{
	const char *items[] = { "/dir/file", "/dir2", NULL };
	int root = enter();

	if (_i)
		sandbox_deny(SYS_fsopen, ENOSYS);
	ck_assert_int_eq(
		hidden_paths_mask(root, &(struct spec_strings){ items, 2 }, "no:such:label", &err),
		-1);
	sandbox_assert_error(&err, "/linux/maskedPaths/1", "file system 'tmpfs'");
	ck_assert_int_eq(err.sys_errno, EINVAL);
}
END_TEST

START_TEST(makes_read_only_and_keeps_the_rest)
{
	int root = enter();

	ck_assert_int_eq(
		mount("x", SANDBOX_ROOT "/dir2", "tmpfs", MS_NOSUID | MS_NOEXEC | MS_NOATIME, NULL),
		0);
	sandbox_make_dir(SANDBOX_ROOT "/dir2/sub");
	ck_assert_int_eq(mount("x", SANDBOX_ROOT "/dir2/sub", "tmpfs", MS_NODEV, NULL), 0);
	if (_i)
		sandbox_deny(_i == 1 ? SYS_open_tree : SYS_mount_setattr, EPERM);
	ck_assert_int_eq(make_readonly(root, "/dir2"), 0);
	sandbox_assert_mount(SANDBOX_ROOT "/dir2", "tmpfs", "ro,nosuid,noexec,noatime");
	sandbox_assert_mount(SANDBOX_ROOT "/dir2/sub", "tmpfs", "rw,nodev,relatime");
	ck_assert_int_eq(make_readonly(root, "/dir/file"), 0);
	ck_assert_str_eq(sandbox_read(SANDBOX_ROOT "/dir/file"), "secret");
	ck_assert_int_eq(truncate(SANDBOX_ROOT "/dir/file", 0), -1);
	ck_assert_int_eq(errno, EROFS);
	ck_assert_int_eq(make_readonly(root, "/missing"), 0);
}
END_TEST

START_TEST(a_race_does_not_reach_the_host)
{
	int root = enter();
	pid_t racer;

	sandbox_make_dir(SANDBOX "/outside");
	sandbox_make_link(SANDBOX "/outside", SANDBOX_ROOT "/race");
	racer = sandbox_start_exchange(SANDBOX_ROOT "/race", SANDBOX_ROOT "/dir3");
	for (int i = 0; i < 300; i++) {
		err = (struct error){ 0 };
		(void)!(_i ? make_readonly(root, "/race") : mask(root, "/race"));
		ck_assert(!sandbox_find_mount(SANDBOX "/outside", &(struct sandbox_mount){ 0 }));
	}
	sandbox_stop(racer);
}
END_TEST

int main(void)
{
	TCase *tests = tcase_create("hidden_paths");

	if (sandbox_obstacle())
		return suite_skip(sandbox_obstacle());
	tcase_set_timeout(tests, 30);
	tcase_add_loop_test(tests, masks_files_and_directories, 0, 3);
	tcase_add_test(tests, acts_on_what_a_link_leads_to);
	tcase_add_loop_test(tests, is_not_silent_about_failure, 0, 2);
	tcase_add_test(tests, null_of_the_image_is_not_used);
	tcase_add_loop_test(tests, directories_get_the_label, 0, 2);
	tcase_add_loop_test(tests, makes_read_only_and_keeps_the_rest, 0, 3);
	tcase_add_loop_test(tests, a_race_does_not_reach_the_host, 0, 2);
	return suite_run(tests);
}
