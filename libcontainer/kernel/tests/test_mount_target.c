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

#define REFUSES_GUARDED "leads by a symbolic link to what is missing below /proc or /sys"

/* What the image has at /etc/x, and what a file that is bound there is made as. */
static const struct {
	const char *link;
	const char *made; /* NULL: nothing is */
	const char *text;
} dangling[] = {
	{ "new", "/etc/new", NULL },
	{ "../run/systemd/resolve/stub.conf", "/run/systemd/resolve/stub.conf", NULL },
	{ "../../../run/stub.conf", "/run/stub.conf", NULL },
	{ "/run//stub.conf", "/run/stub.conf", NULL },
	{ "second", "/run/third/end", NULL },
	{ "/mnt/root/etc/new", "/mnt/root/etc/new", NULL },
	{ "../missing/../etc/new", NULL, "'..': " },
	{ "x", NULL, "too many levels of symbolic links" },
	{ "/etc/x/y", NULL, "too many levels of symbolic links" },
	{ "/etc/passwd/y", NULL, "not a directory" },
	{ "/proc/new", NULL, REFUSES_GUARDED },
	{ "../proc/sys/kernel/new", NULL, REFUSES_GUARDED },
	{ "/proc/self/cwd/new", NULL, "" },
	{ "../sys/fs/new", NULL, REFUSES_GUARDED },
	{ "/to-sys/deep/er/new", NULL, REFUSES_GUARDED },
};

static void enter_dangling(int *ret_root)
{
	*ret_root = enter();
	ck_assert_int_eq(mount("none", SANDBOX_ROOT "/sys", "tmpfs", 0, NULL), 0);
	sandbox_make_dir(SANDBOX_ROOT "/sys/deep");
	sandbox_make_dir(SANDBOX_ROOT "/sys/fs");
	sandbox_make_dir(SANDBOX_ROOT "/etc");
	sandbox_make_dir(SANDBOX_ROOT "/run");
	sandbox_make_file(SANDBOX_ROOT "/etc/passwd", "");
	sandbox_make_link("/sys", SANDBOX_ROOT "/to-sys");
	sandbox_make_link("/etc/../run/third/end", SANDBOX_ROOT "/etc/second");
}

START_TEST(makes_where_a_link_leads)
{
	struct mount_target target = MOUNT_TARGET_CLOSED;
	struct mount_place place = { .path = "/etc/x", .type = S_IFREG, .may_have_links = true };
	struct stat found, wanted;
	char path[64];
	int result;

	enter_dangling(&place.root);
	sandbox_make_link(dangling[_i].link, SANDBOX_ROOT "/etc/x");
	result = mount_target_open(&place, &target, &err);
	ck_assert(!sandbox_exists(SANDBOX_ROOT "/sys/fs/new"));
	ck_assert(!sandbox_exists(SANDBOX_ROOT "/sys/deep/er"));
	ck_assert(!sandbox_exists(SANDBOX_ROOT "/proc/new"));
	ck_assert(!sandbox_exists("/run/systemd/resolve/stub.conf"));
	if (!dangling[_i].made) {
		ck_assert_int_eq(result, -1);
		sandbox_assert_error(&err, "", dangling[_i].text);
		return;
	}
	suite_assert_done(result, err);
	ck_assert(target.is_new);
	snprintf(path, sizeof(path), SANDBOX_ROOT "%s", dangling[_i].made);
	ck_assert_int_eq(stat(path, &wanted), 0);
	ck_assert(S_ISREG(wanted.st_mode));
	ck_assert_int_eq(fstat(target.fd, &found), 0);
	ck_assert_uint_eq(found.st_ino, wanted.st_ino);
	mount_target_close(&target);
}
END_TEST

/* The image has neither, and a link would have them made. */
START_TEST(makes_no_proc_and_sys_by_a_link)
{
	struct mount_target target = MOUNT_TARGET_CLOSED;
	int root = sandbox_enter();

	sandbox_make_link(_i ? "proc/new" : "/sys", SANDBOX_ROOT "/x");
	ck_assert_int_eq(open_directory(root, "/x", true, &target), -1);
	sandbox_assert_error(&err, "", REFUSES_GUARDED);
	ck_assert(!sandbox_exists(SANDBOX_ROOT "/proc") && !sandbox_exists(SANDBOX_ROOT "/sys"));
}
END_TEST

/* The link, and a directory on the way to where it leads, are exchanged for links to the host. */
START_TEST(stays_in_the_root_in_a_race)
{
	struct mount_place place = { .path = "/etc/x", .type = S_IFREG, .may_have_links = true };
	int n_made = 0;
	pid_t racer;

	enter_dangling(&place.root);
	sandbox_make_dir(SANDBOX "/outside");
	sandbox_make_link(SANDBOX "/outside/new", SANDBOX_ROOT "/etc/out");
	sandbox_make_link("../run/dir/new", SANDBOX_ROOT "/etc/x");
	sandbox_make_dir(SANDBOX_ROOT "/run/dir");
	sandbox_make_link("../../outside", SANDBOX_ROOT "/run/out");
	racer = _i ? sandbox_start_exchange(SANDBOX_ROOT "/run/dir", SANDBOX_ROOT "/run/out")
		   : sandbox_start_exchange(SANDBOX_ROOT "/etc/x", SANDBOX_ROOT "/etc/out");
	for (int i = 0; i < 2000; i++) {
		struct mount_target target = MOUNT_TARGET_CLOSED;

		err = (struct error){ 0 };
		if (mount_target_open(&place, &target, &err) == 0)
			n_made++;
		mount_target_close(&target);
		ck_assert(!sandbox_exists(SANDBOX "/outside/new"));
		unlink(SANDBOX_ROOT "/run/dir/new");
		unlink(SANDBOX_ROOT "/run/out/new");
	}
	sandbox_stop(racer);
	ck_assert_int_gt(n_made, 0);
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
	{ "/sys/cpu/sub", "/sys/cpu,cpuacct/sub" },
	{ "/sys/cpu/new", NULL },
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
	sandbox_make_dir(SANDBOX_ROOT "/sys/cpu,cpuacct/sub");
	sandbox_make_link("cpu,cpuacct", SANDBOX_ROOT "/sys/cpu");
	sandbox_make_link("../../cpu", SANDBOX_ROOT "/sys/up");
	sandbox_make_link("../dir/x", SANDBOX_ROOT "/sys/out");
	if (!in_sys[_i].there) {
		ck_assert_int_eq(open_directory(root, in_sys[_i].path, true, &target), -1);
		ck_assert(!sandbox_exists(SANDBOX_ROOT "/dir/x"));
		ck_assert(!sandbox_exists(SANDBOX_ROOT "/sys/dir"));
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
	tcase_add_loop_test(tests, makes_where_a_link_leads, 0, array_size(dangling));
	tcase_add_loop_test(tests, makes_no_proc_and_sys_by_a_link, 0, 2);
	tcase_add_loop_test(tests, stays_in_the_root_in_a_race, 0, 2);
	tcase_add_loop_test(tests, proc_and_sys_are_no_links, 0, array_size(linked));
	tcase_add_loop_test(tests, links_on_a_mount_on_sys_stay_in_it, 0, array_size(in_sys));
	tcase_add_loop_test(tests, only_procfs_on_proc, 0, array_size(on_proc));
	tcase_add_test(tests, proc_is_never_a_link_in_a_race);
	return suite_run(tests);
}
