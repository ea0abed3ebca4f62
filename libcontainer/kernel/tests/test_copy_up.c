/* SPDX-License-Identifier: Apache-2.0 */
#include "libcontainer/kernel/copy_up.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <sys/xattr.h>
#include <unistd.h>

#include "libcontainer/kernel/tests/sandbox.h"
#include "libcontainer/kernel/tests/suite.h"

#define FROM SANDBOX_ROOT "/from"
#define TO   SANDBOX_ROOT "/to"

static struct error err;

static void enter(void)
{
	sandbox_enter();
	sandbox_make_dir(FROM);
	sandbox_make_dir(TO);
	ck_assert_int_eq(mount("to", TO, "tmpfs", 0, NULL), 0);
}

static int copy_with(unsigned wanted)
{
	int from = open(FROM, O_PATH | O_DIRECTORY), to = open(TO, O_PATH | O_DIRECTORY);
	int result = copy_up(from, to, wanted, &err);

	close(from);
	close(to);
	return result;
}

static int copy(void)
{
	return copy_with(STATX_MODE | STATX_UID | STATX_GID);
}

/* The mode of PATH, whose times must be those that the tests give. */
static mode_t mode_of(const char *path)
{
	struct stat st;

	ck_assert_int_eq(lstat(path, &st), 0);
	ck_assert_int_eq(st.st_atim.tv_sec, 1000);
	ck_assert_int_eq(st.st_mtim.tv_sec, 2000);
	return st.st_mode;
}

/* Gives PATH these times. */
static void make_old(const char *path)
{
	const struct timespec times[] = { { .tv_sec = 1000 }, { .tv_sec = 2000 } };

	ck_assert_int_eq(utimensat(AT_FDCWD, path, times, AT_SYMLINK_NOFOLLOW), 0);
}

START_TEST(copies_all_kinds)
{
	static const char *const kinds[] = { "/file", "/dir", "/link", "/node", "/fifo" };
	struct stat st;

	enter();
	sandbox_make_file(FROM "/file", "content");
	ck_assert_int_eq(chown(FROM "/file", 12, 34), 0);
	ck_assert_int_eq(chmod(FROM "/file", 04755), 0);
	sandbox_make_dir(FROM "/dir");
	sandbox_make_file(FROM "/dir/deep", "deep");
	ck_assert_int_eq(chmod(FROM "/dir", 01700), 0);
	sandbox_make_link("/etc/shadow", FROM "/link");
	ck_assert_int_eq(mknod(FROM "/node", S_IFCHR | 0600, makedev(1, 3)), 0);
	ck_assert_int_eq(mkfifo(FROM "/fifo", 0640), 0);
	for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++) {
		char path[64];

		snprintf(path, sizeof(path), "%s%s", FROM, kinds[i]);
		make_old(path);
	}
	suite_assert_done(copy(), err);

	/* Before anything is read, which would change the times. */
	ck_assert_uint_eq(mode_of(TO "/file"), S_IFREG | 04755);
	ck_assert_uint_eq(mode_of(TO "/dir"), S_IFDIR | 01700);
	ck_assert_uint_eq(mode_of(TO "/link"), S_IFLNK | 0777);
	ck_assert_uint_eq(mode_of(TO "/node"), S_IFCHR | 0600);
	ck_assert_uint_eq(mode_of(TO "/fifo"), S_IFIFO | 0640);
	ck_assert_str_eq(sandbox_read(TO "/file"), "content");
	ck_assert_str_eq(sandbox_read(TO "/dir/deep"), "deep");
	ck_assert_int_eq(stat(TO "/file", &st), 0);
	ck_assert_uint_eq(st.st_uid, 12);
	ck_assert_uint_eq(st.st_gid, 34);
	ck_assert_int_eq(lstat(TO "/node", &st), 0);
	ck_assert_uint_eq(st.st_rdev, makedev(1, 3));
}
END_TEST

START_TEST(links_are_copied_not_followed)
{
	char link[32] = "";

	enter();
	sandbox_make_link("/etc/shadow", FROM "/link");
	ck_assert_int_eq(lchown(FROM "/link", 12, 34), 0);
	suite_assert_done(copy(), err);
	ck_assert_int_eq(readlink(TO "/link", link, sizeof(link)), (int)strlen("/etc/shadow"));
	ck_assert_str_eq(link, "/etc/shadow");
}
END_TEST

START_TEST(the_directory_itself_changes_hands)
{
	static const unsigned wanted[] = { STATX_MODE | STATX_UID | STATX_GID, STATX_MODE,
		STATX_UID, STATX_GID, 0 };
	struct stat st;

	enter();
	ck_assert_int_eq(chmod(FROM, 0711), 0);
	ck_assert_int_eq(chown(FROM, 5, 6), 0);
	ck_assert_int_eq(chmod(TO, 0700), 0);
	ck_assert_int_eq(chown(TO, 7, 8), 0);
	suite_assert_done(copy_with(wanted[_i]), err);
	ck_assert_int_eq(stat(TO, &st), 0);
	ck_assert_uint_eq(st.st_mode, S_IFDIR | (wanted[_i] & STATX_MODE ? 0711 : 0700));
	ck_assert_uint_eq(st.st_uid, wanted[_i] & STATX_UID ? 5 : 7);
	ck_assert_uint_eq(st.st_gid, wanted[_i] & STATX_GID ? 6 : 8);
}
END_TEST

START_TEST(keeps_attributes)
{
	char value[8] = "";

	enter();
	sandbox_make_file(FROM "/file", "");
	ck_assert_int_eq(setxattr(FROM "/file", "trusted.kogg", "yes", 3, 0), 0);
	suite_assert_done(copy(), err);
	ck_assert_int_eq(getxattr(TO "/file", "trusted.kogg", value, sizeof(value)), 3);
	ck_assert_str_eq(value, "yes");
}
END_TEST

START_TEST(leaves_other_mounts_out)
{
	enter();
	sandbox_make_dir(FROM "/sub");
	ck_assert_int_eq(mount("sub", FROM "/sub", "tmpfs", 0, NULL), 0);
	sandbox_make_file(FROM "/sub/x", "");
	/* As before Linux 5.8, where nothing says what a mount point is. */
	if (_i)
		sandbox_deny(SYS_statx, ENOSYS);
	suite_assert_done(copy(), err);
	ck_assert(!sandbox_exists(TO "/sub"));
}
END_TEST

START_TEST(leaves_binds_of_the_same_file_system_out)
{
	enter();
	sandbox_make_dir(SANDBOX "/outside");
	sandbox_make_file(SANDBOX "/outside/x", "");
	sandbox_make_dir(FROM "/sub");
	sandbox_make_file(FROM "/file", "");
	ck_assert_int_eq(mount(SANDBOX "/outside", FROM "/sub", NULL, MS_BIND, NULL), 0);
	ck_assert_int_eq(mount(SANDBOX "/outside/x", FROM "/file", NULL, MS_BIND, NULL), 0);
	suite_assert_done(copy(), err);
	ck_assert(!sandbox_exists(TO "/sub"));
	ck_assert(!sandbox_exists(TO "/file"));
}
END_TEST

/* Files and directories of an overlay may have different devices, by their layers. */
START_TEST(copies_an_overlay_of_two_file_systems)
{
	struct stat file, directory;

	enter();
	sandbox_make_dir(SANDBOX "/lower");
	sandbox_make_dir(SANDBOX "/upper");
	ck_assert_int_eq(mount("lower", SANDBOX "/lower", "tmpfs", 0, NULL), 0);
	ck_assert_int_eq(mount("upper", SANDBOX "/upper", "tmpfs", 0, NULL), 0);
	sandbox_make_dir(SANDBOX "/lower/sub");
	sandbox_make_file(SANDBOX "/lower/file", "lower");
	sandbox_make_file(SANDBOX "/lower/sub/file", "deep");
	sandbox_make_dir(SANDBOX "/upper/files");
	sandbox_make_dir(SANDBOX "/upper/work");
	sandbox_make_file(SANDBOX "/upper/files/other", "upper");
	ck_assert_int_eq(mount("overlay", FROM, "overlay", 0,
				 "lowerdir=" SANDBOX "/lower,upperdir=" SANDBOX
				 "/upper/files,workdir=" SANDBOX "/upper/work,xino=off"),
		0);
	ck_assert_int_eq(stat(FROM "/file", &file), 0);
	ck_assert_int_eq(stat(FROM, &directory), 0);
	ck_assert_uint_ne(file.st_dev, directory.st_dev);
	suite_assert_done(copy(), err);
	ck_assert_str_eq(sandbox_read(TO "/file"), "lower");
	ck_assert_str_eq(sandbox_read(TO "/sub/file"), "deep");
	ck_assert_str_eq(sandbox_read(TO "/other"), "upper");
}
END_TEST

START_TEST(refuses_depth_without_end)
{
	enter();
	ck_assert_int_eq(chdir(FROM), 0);
	for (int i = 0; i < COPY_UP_DEPTH_MAX + 1; i++) {
		sandbox_make_dir("d");
		ck_assert_int_eq(chdir("d"), 0);
	}
	ck_assert_int_eq(copy(), -1);
	sandbox_assert_error(&err, "", "copy up 'd': ");
}
END_TEST

START_TEST(says_when_it_does_not_fit)
{
	enter();
	ck_assert_int_eq(mount("x", TO, "tmpfs", 0, "size=4k"), 0);
	sandbox_make_file(FROM "/a", "");
	ck_assert_int_eq(truncate(FROM "/a", 1 << 20), 0);
	ck_assert_int_eq(copy(), -1);
	sandbox_assert_error(&err, "", "copy up 'a': no space left on device");
}
END_TEST

/* A file that becomes a link to the host's meanwhile is not read. */
START_TEST(a_race_reads_nothing_else)
{
	unsigned copied = 0;
	pid_t racer;

	enter();
	sandbox_make_file(SANDBOX "/secret", "secret");
	sandbox_make_file(FROM "/file", "inside");
	sandbox_make_link(SANDBOX "/secret", SANDBOX_ROOT "/link");
	racer = sandbox_start_exchange(FROM "/file", SANDBOX_ROOT "/link");
	for (int i = 0; i < 1000; i++) {
		const char *content;
		struct stat st;

		err = (struct error){ 0 };
		copied += copy() == 0;
		if (lstat(TO "/file", &st) < 0 || S_ISLNK(st.st_mode)) {
			unlink(TO "/file");
			continue;
		}
		content = sandbox_read(TO "/file");
		ck_assert(!content || strcmp(content, "secret"));
		unlink(TO "/file");
	}
	sandbox_stop(racer);
	/* One lost now and then may fail, but not all. */
	ck_assert_uint_gt(copied, 0);
}
END_TEST

int main(void)
{
	TCase *tests = tcase_create("copy_up");

	if (sandbox_obstacle())
		return suite_skip(sandbox_obstacle());
	tcase_set_timeout(tests, 30);
	tcase_add_test(tests, copies_all_kinds);
	tcase_add_test(tests, links_are_copied_not_followed);
	tcase_add_loop_test(tests, the_directory_itself_changes_hands, 0, 5);
	tcase_add_test(tests, keeps_attributes);
	tcase_add_loop_test(tests, leaves_other_mounts_out, 0, 2);
	tcase_add_test(tests, leaves_binds_of_the_same_file_system_out);
	tcase_add_test(tests, copies_an_overlay_of_two_file_systems);
	tcase_add_test(tests, refuses_depth_without_end);
	tcase_add_test(tests, says_when_it_does_not_fit);
	tcase_add_test(tests, a_race_reads_nothing_else);
	return suite_run(tests);
}
