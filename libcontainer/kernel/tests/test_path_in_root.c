/* SPDX-License-Identifier: Apache-2.0 */
#include "libcontainer/kernel/path_in_root.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "libcontainer/kernel/tests/sandbox.h"
#include "libcontainer/kernel/tests/suite.h"

static struct error err;
static int root;

/* The root holds a, a/b, a/file and links; "outside" lies beside it. */
static void enter(void)
{
	root = sandbox_enter();
	sandbox_make_dir(SANDBOX "/outside");
	sandbox_make_file(SANDBOX "/secret", "host");
	sandbox_make_dir(SANDBOX_ROOT "/a");
	sandbox_make_dir(SANDBOX_ROOT "/a/b");
	sandbox_make_file(SANDBOX_ROOT "/a/file", "inside");
	sandbox_make_link("/a", SANDBOX_ROOT "/absolute");
	sandbox_make_link("../../../a", SANDBOX_ROOT "/upward");
	sandbox_make_link("/nowhere", SANDBOX_ROOT "/dangling");
	sandbox_make_link("loop", SANDBOX_ROOT "/loop");
	sandbox_make_link("/proc/self/cwd", SANDBOX_ROOT "/magic");
	sandbox_make_link(SANDBOX "/secret", SANDBOX_ROOT "/host");
}

static const struct {
	const char *path;
	enum path_rule rule;
	int sys_errno;
	int sys_errno_without; /* openat2(2) */
} opened[] = {
	{ "/a/file", PATH_IN_ROOT, 0, 0 },
	{ "a//./file", PATH_IN_ROOT, 0, 0 },
	{ "/", PATH_IN_ROOT, 0, 0 },
	{ "", PATH_IN_ROOT, ENOENT, 0 },
	{ "/absolute/file", PATH_IN_ROOT, 0, ENOSYS },
	{ "/upward/file", PATH_IN_ROOT, 0, ENOSYS },
	{ "/a/../../../a/file", PATH_IN_ROOT, 0, ENOSYS },
	{ "/dangling", PATH_IN_ROOT, ENOENT, ENOSYS },
	{ "/loop", PATH_IN_ROOT, ELOOP, ENOSYS },
	{ "/host", PATH_IN_ROOT, ENOENT, ENOSYS },
	{ "/a/file/x", PATH_IN_ROOT, ENOTDIR, ENOTDIR },
	{ "/a/missing", PATH_IN_ROOT, ENOENT, ENOENT },
	{ "/a/file", PATH_NO_LINKS, 0, 0 },
	{ "/absolute/file", PATH_NO_LINKS, ELOOP, ELOOP },
	{ "/absolute", PATH_NO_LINKS, ELOOP, ELOOP },
	{ "a/file", PATH_BENEATH, 0, 0 },
	{ "/a/../a/file", PATH_NO_LINKS, 0, ENOSYS },
	{ "../secret", PATH_BENEATH, EXDEV, EXDEV },
	{ "absolute/file", PATH_BENEATH, ELOOP, ELOOP },
};

static void check_open(int row, int sys_errno)
{
	int fd = path_try_open(root, opened[row].path, O_PATH, opened[row].rule);

	if (sys_errno == 0)
		ck_assert_msg(fd >= 0, "%s: %s", opened[row].path, strerror(errno));
	else
		ck_assert_msg(fd < 0 && errno == sys_errno, "%s: %d, errno %d", opened[row].path,
			fd, errno);
	if (fd >= 0)
		ck_assert_int_eq(fcntl(fd, F_GETFD), FD_CLOEXEC);
}

START_TEST(opens_only_inside)
{
	enter();
	check_open(_i, opened[_i].sys_errno);
}
END_TEST

START_TEST(opens_without_openat2)
{
	enter();
	sandbox_deny(SYS_openat2, _i % 2 ? ENOSYS : EPERM);
	check_open(_i, opened[_i].sys_errno_without);
}
END_TEST

START_TEST(crosses_no_mount_beneath)
{
	enter();
	if (_i)
		sandbox_deny(SYS_openat2, ENOSYS);
	ck_assert_int_eq(path_try_open(root, "../root", O_PATH, PATH_BENEATH), -1);
	root = open("/", O_PATH | O_CLOEXEC);
	ck_assert_int_eq(path_try_open(root, "proc/version", O_RDONLY, PATH_BENEATH), -1);
	ck_assert_int_eq(errno, EXDEV);
}
END_TEST

static const struct {
	const char *path;
	mode_t type;
	const char *made; /* below the root; NULL: nothing may be */
	const char *text; /* of the error, or NULL */
} makes[] = {
	{ "/a/b", S_IFDIR, NULL, NULL },
	{ "/new", S_IFDIR, "new", NULL },
	{ "/new/", S_IFDIR, "new", NULL },
	{ "x/y//z", S_IFDIR, "x/y/z", NULL },
	{ "/x/y/z", S_IFREG, "x/y/z", NULL },
	{ "/absolute/deep/er", S_IFREG, "a/deep/er", NULL },
	{ "/upward/deep", S_IFDIR, "a/deep", NULL },
	{ "/dangling", S_IFDIR, NULL, "'dangling' is a symbolic link to '/nowhere'" },
	{ "/dangling/x", S_IFDIR, NULL, "'dangling' is a symbolic link to '/nowhere'" },
	{ "/dangling", S_IFREG, NULL, "'dangling' is a symbolic link to '/nowhere'" },
	{ "/host", S_IFREG, NULL, "which leads nowhere" },
	{ "/new/../../outside/x", S_IFDIR, "new", "'..': " },
	{ "/loop/x", S_IFDIR, NULL, "open '/loop/x' in the root file system" },
	{ "/a/file/x", S_IFDIR, NULL, "open '/a/file/x' in the root file system" },
	{ "/magic/x", S_IFDIR, NULL, "" },
};

START_TEST(makes_what_is_missing)
{
	struct stat by_fd, by_path;
	char path[256];
	int fd;

	enter();
	fd = path_make_in_root(root, makes[_i].path, makes[_i].type, PATH_IN_ROOT, NULL, &err);
	if (makes[_i].text) {
		ck_assert_int_eq(fd, -1);
		sandbox_assert_error(&err, "", makes[_i].text);
		ck_assert(!sandbox_exists(SANDBOX "/outside/x"));
		ck_assert(!sandbox_exists("/nowhere"));
	} else {
		ck_assert_msg(fd >= 0, "%s", err.text);
	}
	if (makes[_i].made) {
		snprintf(path, sizeof(path), SANDBOX_ROOT "/%s", makes[_i].made);
		ck_assert_int_eq(lstat(path, &by_path), 0);
		if (fd >= 0) {
			ck_assert_int_eq(fstat(fd, &by_fd), 0);
			ck_assert_uint_eq(by_fd.st_ino, by_path.st_ino);
			ck_assert_uint_eq(by_fd.st_mode & S_IFMT, makes[_i].type);
		}
	}
}
END_TEST

START_TEST(refuses_long_names)
{
	char path[PATH_MAX + 2];

	enter();
	memset(path, 'x', 300);
	path[300] = '\0';
	ck_assert_int_eq(path_make_in_root(root, path, S_IFDIR, PATH_IN_ROOT, NULL, &err), -1);
	memset(path, 'x', sizeof(path) - 1);
	path[sizeof(path) - 1] = '\0';
	err = (struct error){ 0 };
	ck_assert_int_eq(path_make_in_root(root, path, S_IFDIR, PATH_IN_ROOT, NULL, &err), -1);
}
END_TEST

/* CVE-2021-30465, CVE-2024-45310: a component is now a directory, now a link to the host's. */
START_TEST(never_leaves_in_a_race)
{
	pid_t racer;

	enter();
	sandbox_make_dir(SANDBOX_ROOT "/race");
	sandbox_make_link(SANDBOX "/outside", SANDBOX_ROOT "/other");
	sandbox_make_dir(SANDBOX_ROOT SANDBOX);
	sandbox_make_dir(SANDBOX_ROOT SANDBOX "/outside");
	racer = sandbox_start_exchange(SANDBOX_ROOT "/race", SANDBOX_ROOT "/other");
	for (int i = 0; i < 2000; i++) {
		char path[64];
		int fd;

		snprintf(path, sizeof(path), "/race/%d/x", i);
		err = (struct error){ 0 };
		fd = path_make_in_root(root, path, S_IFDIR, PATH_IN_ROOT, NULL, &err);
		if (fd >= 0)
			close(fd);
		snprintf(path, sizeof(path), SANDBOX "/outside/%d", i);
		ck_assert_msg(!sandbox_exists(path), "%s was made on the host", path);
	}
	sandbox_stop(racer);
}
END_TEST

static const struct {
	const char *path;
	const char *name; /* NULL: refused */
} parents[] = {
	{ "/dev/null", "null" },
	{ "dev/sub/x/", "x" },
	{ "/top", "top" },
	{ "top", "top" },
	{ "/", NULL },
	{ "", NULL },
	{ "/dev/..", NULL },
	{ "/dev/.", NULL },
};

START_TEST(opens_the_parent)
{
	char name[NAME_MAX + 1];
	int fd;

	enter();
	fd = path_make_parent_in_root(root, parents[_i].path, NULL, name, &err);
	if (parents[_i].name) {
		ck_assert_msg(fd >= 0, "%s", err.text);
		ck_assert_str_eq(name, parents[_i].name);
	} else {
		ck_assert_int_eq(fd, -1);
	}
}
END_TEST

static const struct {
	const char *path, *parent;
	const char *rest; /* NULL: not below */
} belows[] = {
	{ "/proc", "/proc", "" },
	{ "proc/", "/proc", "" },
	{ "//proc/./", "/proc", "./" },
	{ "/proc/sys", "/proc", "sys" },
	{ "/./proc//sys/x", "/proc", "sys/x" },
	{ "/process", "/proc", NULL },
	{ "/pro", "/proc", NULL },
	{ "/", "/proc", NULL },
	{ "/x", "/", "x" },
	{ "/", "/", "" },
};

START_TEST(tells_what_is_below)
{
	const char *rest;

	if (!belows[_i].rest) {
		ck_assert(!path_is_below(belows[_i].path, belows[_i].parent, NULL));
		return;
	}
	ck_assert(path_is_below(belows[_i].path, belows[_i].parent, &rest));
	ck_assert_str_eq(rest, belows[_i].rest);
}
END_TEST

static const char *const cleans[][2] = { { "/a/b", "/a/b" }, { "a//./b/", "/a/b" }, { "", "/" },
	{ "/", "/" }, { "/a/..", "/" }, { "/../..", "/" }, { "/../a/../b/c/../d", "/b/d" },
	{ "/..a/b..", "/..a/b.." } };

START_TEST(cleans_paths)
{
	char path[PATH_MAX];

	ck_assert_int_eq(path_clean(cleans[_i][0], path), 0);
	ck_assert_str_eq(path, cleans[_i][1]);
}
END_TEST

START_TEST(cleans_what_is_long)
{
	char path[PATH_MAX], clean[PATH_MAX];

	memset(path, 'x', sizeof(path));
	path[PATH_MAX - 2] = '\0';
	ck_assert_int_eq(path_clean(path, clean), 0);
	ck_assert_str_eq(clean + 1, path);
	path[PATH_MAX - 2] = 'x';
	path[PATH_MAX - 1] = '\0';
	ck_assert_int_eq(path_clean(path, clean), -1);
}
END_TEST

int main(void)
{
	TCase *tests = tcase_create("path_in_root");

	if (sandbox_obstacle())
		return suite_skip(sandbox_obstacle());
	tcase_add_loop_test(tests, opens_only_inside, 0, array_size(opened));
	tcase_add_loop_test(tests, opens_without_openat2, 0, array_size(opened));
	tcase_add_loop_test(tests, crosses_no_mount_beneath, 0, 2);
	tcase_add_loop_test(tests, makes_what_is_missing, 0, array_size(makes));
	tcase_add_test(tests, refuses_long_names);
	tcase_add_test(tests, never_leaves_in_a_race);
	tcase_add_loop_test(tests, opens_the_parent, 0, array_size(parents));
	tcase_add_loop_test(tests, tells_what_is_below, 0, array_size(belows));
	tcase_add_loop_test(tests, cleans_paths, 0, array_size(cleans));
	tcase_add_test(tests, cleans_what_is_long);
	return suite_run(tests);
}
