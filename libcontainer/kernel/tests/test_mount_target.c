/* SPDX-License-Identifier: Apache-2.0 */
#include "libcontainer/kernel/mount_target.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

#include "libcontainer/kernel/tests/sandbox.h"
#include "libcontainer/kernel/tests/suite.h"

static struct error err;

static int enter(void)
{
	int root = sandbox_enter();

	sandbox_make_dir(SANDBOX_ROOT "/proc");
	ck_assert_int_eq(mount("proc", SANDBOX_ROOT "/proc", "proc", 0, NULL), 0);
	sandbox_make_dir(SANDBOX_ROOT "/dir");
	sandbox_make_link("/proc", SANDBOX_ROOT "/to-proc");
	sandbox_make_link("/proc/sys", SANDBOX_ROOT "/to-proc-sys");
	sandbox_make_link("/", SANDBOX_ROOT "/to-root");
	sandbox_make_link("/dir", SANDBOX_ROOT "/to-dir");
	sandbox_make_dir(SANDBOX_ROOT "/sys");
	sandbox_make_link("/dir", SANDBOX_ROOT "/sys/to-dir");
	return root;
}

#define REFUSES_PROC "mounting below /proc is not allowed"
#define REFUSES_ROOT "nothing can be mounted on '/' itself"
#define REFUSES_LINK "has a symbolic link in it"

static const struct {
	const char *path;
	bool may_have_links;
	bool is_proc;
	bool is_new;
	const char *text; /* of the error, or NULL */
} opened[] = {
	{ "/dir", true, false, false, NULL },
	{ "dir/new", true, false, true, NULL },
	{ "/to-dir", true, false, false, NULL },
	{ "/to-dir/new", true, false, true, NULL },
	{ "/to-dir", false, false, false, REFUSES_LINK },
	{ "/to-dir/new", false, false, false, REFUSES_LINK },
	{ "/dir/../dir/new", true, false, true, NULL },
	{ "/proc", true, true, false, NULL },
	{ "//proc/.", true, true, false, NULL },
	{ "/to-proc", true, true, false, NULL },
	{ "/dir/../proc", true, true, false, NULL },
	{ "/to-dir/../proc", true, false, false, REFUSES_LINK },
	{ "/dir/../to-dir/x", false, false, false, REFUSES_LINK },
	{ "/sys", true, false, false, NULL },
	{ "/sys/new", true, false, true, NULL },
	{ "/sys/to-dir", true, false, false, REFUSES_LINK },
	{ "/sys/to-dir/new", true, false, false, REFUSES_LINK },
	{ "/sys/./../dir/../sys/to-dir", true, false, false, REFUSES_LINK },
	{ "/sys/../to-dir/new", true, false, true, NULL },
	{ "/proc/meminfo", true, false, false, NULL },
	{ "/proc//sys/kernel/ns_last_pid", true, false, false, NULL },
	{ "/proc/sys", true, false, false, REFUSES_PROC },
	{ "/proc/1/attr", true, false, false, REFUSES_PROC },
	{ "/proc/self/attr/exec", true, false, false, REFUSES_PROC },
	{ "/proc/meminfo/x", true, false, false, REFUSES_PROC },
	{ "/proc/sysrq-trigger", true, false, false, REFUSES_PROC },
	{ "/to-proc/sys", true, false, false, REFUSES_PROC },
	{ "/to-proc-sys", true, false, false, REFUSES_PROC },
	{ "/dir/../proc/sys", true, false, false, REFUSES_PROC },
	{ "/", true, false, false, REFUSES_ROOT },
	{ ".", true, false, false, REFUSES_ROOT },
	{ "/./", true, false, false, REFUSES_ROOT },
	{ "/to-root", true, false, false, REFUSES_ROOT },
	{ "/dir/..", true, false, false, REFUSES_ROOT },
	{ "/../..", true, false, false, REFUSES_ROOT },
};

static int open_directory(
	int root, const char *path, bool may_have_links, struct mount_target *ret_target)
{
	const struct mount_place place = {
		.root = root,
		.path = path,
		.type = S_IFDIR,
		.may_have_links = may_have_links,
	};

	return mount_target_open(&place, ret_target, &err);
}

START_TEST(knows_where_it_is)
{
	struct mount_target target = MOUNT_TARGET_CLOSED;
	int root = enter();
	int result = open_directory(root, opened[_i].path, opened[_i].may_have_links, &target);

	if (opened[_i].text) {
		ck_assert_msg(result == -1, "%s was opened", opened[_i].path);
		sandbox_assert_error(&err, "", opened[_i].text);
		ck_assert_int_eq(target.fd, -1);
		return;
	}
	suite_assert_done(result, err);
	ck_assert_int_eq(target.is_proc, opened[_i].is_proc);
	ck_assert_int_eq(target.is_new, opened[_i].is_new);
	mount_target_close(&target);
}
END_TEST

/* /proc and /sys are links of the image. */
static const char *const linked[] = { "/proc", "//sys/", "/dir/../sys", "/../sys", "/sys/dir",
	"/sys/new", "/sys/./dir/../dir", "/proc/cpuinfo", "/proc/../sys" };

START_TEST(proc_and_sys_are_no_links)
{
	struct mount_target target = MOUNT_TARGET_CLOSED;
	int root = sandbox_enter();

	sandbox_make_dir(SANDBOX_ROOT "/dir");
	sandbox_make_dir(SANDBOX_ROOT "/dir/dir");
	sandbox_make_file(SANDBOX_ROOT "/dir/cpuinfo", "");
	sandbox_make_link("dir", SANDBOX_ROOT "/proc");
	sandbox_make_link("/dir", SANDBOX_ROOT "/sys");
	ck_assert_int_eq(open_directory(root, linked[_i], true, &target), -1);
	sandbox_assert_error(&err, "", REFUSES_LINK);
	ck_assert(!sandbox_exists(SANDBOX_ROOT "/dir/new"));
}
END_TEST

/* As in sysfs, and in version 1's directory of cgroups. */
static const struct {
	const char *path;
	const char *there; /* NULL: refused */
} in_sys[] = {
	{ "/sys/cpu", "/sys/cpu,cpuacct" },
	{ "/sys/cpu/new", "/sys/cpu,cpuacct/new" },
	{ "/sys/up", "/sys/cpu,cpuacct" },
	{ "/sys/out", NULL },
	{ "/sys/cpu/../cpu", NULL },
};

START_TEST(links_on_a_mount_on_sys_stay_in_it)
{
	struct mount_target target = MOUNT_TARGET_CLOSED;
	struct stat found, wanted;
	char path[64];
	int root = sandbox_enter();

	sandbox_make_dir(SANDBOX_ROOT "/sys");
	sandbox_make_dir(SANDBOX_ROOT "/dir");
	ck_assert_int_eq(mount("none", SANDBOX_ROOT "/sys", "tmpfs", 0, NULL), 0);
	sandbox_make_dir(SANDBOX_ROOT "/sys/cpu,cpuacct");
	sandbox_make_link("cpu,cpuacct", SANDBOX_ROOT "/sys/cpu");
	sandbox_make_link("../../cpu", SANDBOX_ROOT "/sys/up");
	sandbox_make_link("../dir/x", SANDBOX_ROOT "/sys/out");
	if (!in_sys[_i].there) {
		ck_assert_int_eq(open_directory(root, in_sys[_i].path, true, &target), -1);
		ck_assert(!sandbox_exists(SANDBOX_ROOT "/dir/x"));
		return;
	}
	suite_assert_done(open_directory(root, in_sys[_i].path, true, &target), err);
	snprintf(path, sizeof(path), SANDBOX_ROOT "%s", in_sys[_i].there);
	ck_assert_int_eq(stat(path, &wanted), 0);
	ck_assert_int_eq(fstat(target.fd, &found), 0);
	ck_assert_uint_eq(found.st_ino, wanted.st_ino);
	ck_assert_uint_eq(found.st_dev, wanted.st_dev);
	mount_target_close(&target);
}
END_TEST

static const struct {
	const char *source; /* NULL: a new file system */
	int result;
} on_proc[] = {
	{ NULL, -1 },
	{ "/proc", 0 },
	{ "/proc/sys", -1 },
	{ SANDBOX, -1 },
};

START_TEST(only_procfs_on_proc)
{
	struct mount_target target = MOUNT_TARGET_CLOSED;
	int root = enter();
	int source = on_proc[_i].source ? open(on_proc[_i].source, O_PATH) : -1;

	suite_assert_done(open_directory(root, "/proc", true, &target), err);
	ck_assert_int_eq(mount_target_check_proc(&target, source, &err), on_proc[_i].result);
	mount_target_close(&target);
	err = (struct error){ 0 };
	suite_assert_done(open_directory(root, "/dir", true, &target), err);
	ck_assert_int_eq(mount_target_check_proc(&target, source, &err), 0);
}
END_TEST

/* The directory /proc of the image, exchanged with a link to another one. */
START_TEST(proc_is_never_a_link_in_a_race)
{
	int root = sandbox_enter();
	struct stat wanted, found;
	pid_t racer;

	sandbox_make_dir(SANDBOX_ROOT "/proc");
	sandbox_make_dir(SANDBOX_ROOT "/fake");
	sandbox_make_link("fake", SANDBOX_ROOT "/link");
	ck_assert_int_eq(stat(SANDBOX_ROOT "/fake", &wanted), 0);
	racer = sandbox_start_exchange(SANDBOX_ROOT "/proc", SANDBOX_ROOT "/link");
	for (int i = 0; i < 2000; i++) {
		struct mount_target target = MOUNT_TARGET_CLOSED;

		err = (struct error){ 0 };
		if (open_directory(root, "/proc", false, &target) < 0)
			continue;
		ck_assert_int_eq(fstat(target.fd, &found), 0);
		ck_assert_uint_ne(found.st_ino, wanted.st_ino);
		mount_target_close(&target);
	}
	sandbox_stop(racer);
}
END_TEST

int main(void)
{
	TCase *tests = tcase_create("mount_target");

	if (sandbox_obstacle())
		return suite_skip(sandbox_obstacle());
	tcase_set_timeout(tests, 30);
	tcase_add_loop_test(tests, knows_where_it_is, 0, array_size(opened));
	tcase_add_loop_test(tests, proc_and_sys_are_no_links, 0, array_size(linked));
	tcase_add_loop_test(tests, links_on_a_mount_on_sys_stay_in_it, 0, array_size(in_sys));
	tcase_add_loop_test(tests, only_procfs_on_proc, 0, array_size(on_proc));
	tcase_add_test(tests, proc_is_never_a_link_in_a_race);
	return suite_run(tests);
}
