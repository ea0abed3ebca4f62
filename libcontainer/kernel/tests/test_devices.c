/* SPDX-License-Identifier: Apache-2.0 */
#include "libcontainer/kernel/devices.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "libcontainer/kernel/tests/sandbox.h"
#include "libcontainer/kernel/tests/suite.h"

#define DEV   SANDBOX_ROOT "/dev"
#define LINKS (DEVICES_LINK_TO_PROC | DEVICES_LINK_TO_PTMX)

static struct error err;
static const struct spec_linux no_devices = { 0 };

static void assert_node(const char *path, mode_t mode, unsigned major_number, unsigned minor_number)
{
	struct stat st;

	ck_assert_msg(lstat(path, &st) == 0, "%s: %s", path, strerror(errno));
	ck_assert_uint_eq(st.st_mode, mode);
	ck_assert_uint_eq(st.st_rdev, makedev(major_number, minor_number));
}

static void assert_link(const char *path, const char *target)
{
	char found[64];
	ssize_t length = readlink(path, found, sizeof(found) - 1);

	ck_assert_msg(length > 0, "%s: %s", path, strerror(errno));
	found[length] = '\0';
	ck_assert_str_eq(found, target);
}

static void assert_defaults(void)
{
	assert_node(DEV "/null", S_IFCHR | 0666, 1, 3);
	assert_node(DEV "/zero", S_IFCHR | 0666, 1, 5);
	assert_node(DEV "/full", S_IFCHR | 0666, 1, 7);
	assert_node(DEV "/random", S_IFCHR | 0666, 1, 8);
	assert_node(DEV "/urandom", S_IFCHR | 0666, 1, 9);
	assert_node(DEV "/tty", S_IFCHR | 0666, 5, 0);
}

START_TEST(makes_the_default_set)
{
	int root = sandbox_enter();

	suite_assert_done(devices_make(root, &no_devices, LINKS, NULL, &err), err);
	assert_defaults();
	assert_link(DEV "/fd", "/proc/self/fd");
	assert_link(DEV "/stdin", "/proc/self/fd/0");
	assert_link(DEV "/stdout", "/proc/self/fd/1");
	assert_link(DEV "/stderr", "/proc/self/fd/2");
	assert_link(DEV "/core", "/proc/kcore");
	assert_link(DEV "/ptmx", "pts/ptmx");
	ck_assert(!sandbox_exists(DEV "/console"));
	/* A second container on the same root file system. */
	suite_assert_done(devices_make(root, &no_devices, LINKS, NULL, &err), err);
}
END_TEST

START_TEST(links_only_where_they_lead_somewhere)
{
	suite_assert_done(devices_make(sandbox_enter(), &no_devices, 0, NULL, &err), err);
	ck_assert(!sandbox_exists(DEV "/fd"));
	ck_assert(!sandbox_exists(DEV "/ptmx"));
}
END_TEST

START_TEST(binds_where_nodes_cannot_be_made)
{
	int root = sandbox_enter();

	suite_assert_done(devices_make(root, &no_devices, DEVICES_BIND, NULL, &err), err);
	assert_defaults();
	ck_assert(sandbox_find_mount(DEV "/null", &(struct sandbox_mount){ 0 }));
	/* The empty files that an earlier container has left are bound over again. */
	ck_assert_int_eq(umount(DEV "/null"), 0);
	suite_assert_done(devices_make(root, &no_devices, DEVICES_BIND, NULL, &err), err);
	assert_defaults();
}
END_TEST

START_TEST(makes_what_the_config_lists)
{
	struct spec_device devices[] = {
		{ .path = "/dev/fuse",
			.type = S_IFCHR,
			.major = 10,
			.minor = 229,
			.file_mode = { true, 0600 },
			.uid = 12,
			.gid = 34 },
		{ .path = "/dev/net/tun", .type = S_IFCHR, .major = 10, .minor = 200 },
		{ .path = "/odd/loop", .type = S_IFBLK, .major = 7, .minor = 300 },
		{ .path = "/dev/fifo", .type = S_IFIFO, .file_mode = { true, 0640 } },
		{ .path = "//dev//null", .type = S_IFCHR, .major = 1, .minor = 5 },
		{ .path = "/dev/fuse", .type = S_IFCHR, .major = 10, .minor = 229 },
	};
	const struct spec_linux platform = { .devices = devices, .n_devices = array_size(devices) };
	struct stat st;

	suite_assert_done(devices_make(sandbox_enter(), &platform, LINKS, NULL, &err), err);
	assert_node(DEV "/fuse", S_IFCHR | 0600, 10, 229);
	ck_assert_int_eq(stat(DEV "/fuse", &st), 0);
	ck_assert_uint_eq(st.st_uid, 12);
	ck_assert_uint_eq(st.st_gid, 34);
	assert_node(DEV "/net/tun", S_IFCHR | 0666, 10, 200);
	assert_node(SANDBOX_ROOT "/odd/loop", S_IFBLK | 0666, 7, 300);
	assert_node(DEV "/fifo", S_IFIFO | 0640, 0, 0);
	assert_node(DEV "/null", S_IFCHR | 0666, 1, 5);
}
END_TEST

/* DEV-005: a file that is something else is an error, and is left alone. */
START_TEST(refuses_another_file)
{
	struct spec_device device = { .path = "/dev/x", .type = S_IFCHR, .major = 1, .minor = 3 };
	const struct spec_linux platform = { .devices = &device, .n_devices = 1 };
	int root = sandbox_enter();

	sandbox_make_dir(DEV);
	if (_i == 0)
		sandbox_make_file(DEV "/x", "content");
	else if (_i == 1)
		ck_assert_int_eq(mknod(DEV "/x", S_IFCHR | 0666, makedev(1, 5)), 0);
	else if (_i == 2)
		ck_assert_int_eq(mknod(DEV "/x", S_IFBLK | 0666, makedev(1, 3)), 0);
	else
		sandbox_make_link("/dev/null", DEV "/x");
	ck_assert_int_eq(devices_make(root, &platform, 0, NULL, &err), -1);
	sandbox_assert_error(&err, "/linux/devices/0",
		"make device '/dev/x': something else than c 1:3 is there already");
	err = (struct error){ 0 };
	ck_assert_int_eq(devices_make(root, &platform, DEVICES_BIND, NULL, &err), -1);
}
END_TEST

/* CVE-2025-31133: a default device that the image has as a link. */
START_TEST(refuses_a_link_for_a_default)
{
	int root = sandbox_enter();

	sandbox_make_file(SANDBOX "/secret", "host");
	sandbox_make_dir(DEV);
	sandbox_make_link(SANDBOX "/secret", DEV "/null");
	ck_assert_int_eq(devices_make(root, &no_devices, _i ? DEVICES_BIND : 0, NULL, &err), -1);
	ck_assert_str_eq(sandbox_read(SANDBOX "/secret"), "host");
}
END_TEST

/* CVE-2026-41579: /dev itself is a link out of the root, as far as it can get. */
START_TEST(dev_is_no_link)
{
	int root = sandbox_enter();

	sandbox_make_dir(SANDBOX "/outside");
	sandbox_make_file(SANDBOX "/outside/ptmx", "host");
	sandbox_make_link("../outside", DEV);
	if (_i)
		sandbox_make_dir(SANDBOX_ROOT "/outside");
	/* Not even where it leads somewhere in the root: that may be a volume. */
	ck_assert_int_eq(devices_make(root, &no_devices, LINKS, NULL, &err), -1);
	sandbox_assert_error(&err, "", "'/dev' has a symbolic link in it");
	ck_assert_str_eq(sandbox_read(SANDBOX "/outside/ptmx"), "host");
	ck_assert(!sandbox_exists(SANDBOX "/outside/null"));
	ck_assert(!sandbox_exists(SANDBOX_ROOT "/outside/null"));
}
END_TEST

START_TEST(replaces_what_stands_in_for_a_link)
{
	int root = sandbox_enter();

	sandbox_make_dir(DEV);
	sandbox_make_link("/etc/shadow", DEV "/stdin");
	sandbox_make_file(DEV "/ptmx", "");
	suite_assert_done(devices_make(root, &no_devices, LINKS, NULL, &err), err);
	assert_link(DEV "/stdin", "/proc/self/fd/0");
	assert_link(DEV "/ptmx", "pts/ptmx");
}
END_TEST

static const struct {
	const char *name;
	mode_t type;
	const char *text; /* of the error, or NULL */
} in_the_way[] = {
	{ "core", S_IFREG, NULL },
	{ "core", S_IFDIR, NULL },
	{ "fd", S_IFREG, "make link '/dev/fd': something else than a link is there already" },
	{ "stdout", S_IFIFO, "make link '/dev/stdout': something else" },
	{ "ptmx", S_IFREG, "make link '/dev/ptmx': something else" },
	{ "ptmx", S_IFDIR, "make link '/dev/ptmx': something else" },
	{ "ptmx", S_IFBLK, "make link '/dev/ptmx': something else" },
	{ "ptmx", S_IFCHR, NULL },
};

START_TEST(takes_no_file_away_for_a_link)
{
	int root = sandbox_enter(), result;
	struct stat before, after;
	char path[64];

	sandbox_make_dir(DEV);
	snprintf(path, sizeof(path), DEV "/%s", in_the_way[_i].name);
	if (in_the_way[_i].type == S_IFDIR)
		sandbox_make_dir(path);
	else if (in_the_way[_i].type == S_IFREG)
		sandbox_make_file(path, "mine");
	else
		ck_assert_int_eq(mknod(path, in_the_way[_i].type | 0666, makedev(5, 2)), 0);
	ck_assert_int_eq(lstat(path, &before), 0);
	result = devices_make(root, &no_devices, LINKS, NULL, &err);
	ck_assert_int_eq(lstat(path, &after), 0);
	ck_assert_uint_eq(after.st_ino, before.st_ino);
	ck_assert_uint_eq(after.st_mode, before.st_mode);
	if (in_the_way[_i].text) {
		ck_assert_int_eq(result, -1);
		sandbox_assert_error(&err, "", in_the_way[_i].text);
		return;
	}
	suite_assert_done(result, err);
	assert_defaults();
	assert_link(DEV "/fd", "/proc/self/fd");
}
END_TEST

/* The host's, by a bind: it would find the host's terminals. */
START_TEST(bound_ptmx_is_not_the_containers)
{
	int root = sandbox_enter();

	sandbox_make_dir(DEV);
	sandbox_make_file(DEV "/ptmx", "");
	ck_assert_int_eq(mknod(SANDBOX "/ptmx", S_IFCHR | 0666, makedev(5, 2)), 0);
	ck_assert_int_eq(mount(SANDBOX "/ptmx", DEV "/ptmx", NULL, MS_BIND, NULL), 0);
	ck_assert_int_eq(devices_make(root, &no_devices, LINKS, NULL, &err), -1);
	sandbox_assert_error(&err, "", "make link '/dev/ptmx': something else");
}
END_TEST

/* docker run --privileged lists the host's devices, among them ptmx. */
START_TEST(links_to_ptmx_whatever_the_config_lists)
{
	struct spec_device device = {
		.path = "/dev//ptmx", .type = S_IFCHR, .major = 5, .minor = 2
	};
	const struct spec_linux platform = { .devices = &device, .n_devices = 1 };
	int root = sandbox_enter();

	if (_i) {
		suite_assert_done(devices_make(root, &platform, LINKS, NULL, &err), err);
		assert_link(DEV "/ptmx", "pts/ptmx");
	} else {
		suite_assert_done(devices_make(root, &platform, 0, NULL, &err), err);
		assert_node(DEV "/ptmx", S_IFCHR | 0666, 5, 2);
	}
}
END_TEST

START_TEST(names_what_the_host_has_not)
{
	struct spec_device device = {
		.path = "/dev/kogg-none", .type = S_IFCHR, .major = 4000, .minor = 1
	};
	const struct spec_linux platform = { .devices = &device, .n_devices = 1 };

	ck_assert_int_eq(devices_make(sandbox_enter(), &platform, DEVICES_BIND, NULL, &err), -1);
	sandbox_assert_error(&err, "/linux/devices/0", "the host has no c 4000:1 there");
}
END_TEST

/* What engines leave out of their own bounding set; empty files may be made without it. */
static void drop_mknod(void)
{
	struct __user_cap_header_struct header = { _LINUX_CAPABILITY_VERSION_3, 0 };
	struct __user_cap_data_struct data[2];

	ck_assert_int_eq(syscall(SYS_capget, &header, data), 0);
	data[CAP_TO_INDEX(CAP_MKNOD)].effective &= ~CAP_TO_MASK(CAP_MKNOD);
	ck_assert_int_eq(syscall(SYS_capset, &header, data), 0);
}

START_TEST(binds_without_the_capability)
{
	int root = sandbox_enter();

	drop_mknod();
	suite_assert_done(devices_make(root, &no_devices, DEVICES_MAY_BIND, NULL, &err), err);
	assert_defaults();
	ck_assert(sandbox_find_mount(DEV "/null", &(struct sandbox_mount){ 0 }));
}
END_TEST

/* It would be the host's mount, and stay. */
START_TEST(binds_nothing_unless_it_may)
{
	int root = sandbox_enter();

	drop_mknod();
	ck_assert_int_eq(devices_make(root, &no_devices, 0, NULL, &err), -1);
	sandbox_assert_error(&err, "", "mknod '/dev/null': not permitted");
	ck_assert(strstr(err.hint, "mount namespace"));
	ck_assert(!sandbox_exists(DEV "/null"));
}
END_TEST

/* The host's node is 0640 and 5:6. */
static const struct {
	struct spec_u32 mode;
	uint32_t uid, gid;
	bool is_bound;
} attributes[] = {
	{ { true, 0640 }, 5, 6, true },
	{ { true, S_IFCHR | 0640 }, 5, 6, true },
	{ { false, 0 }, 0, 0, true },
	{ { true, 0660 }, 5, 6, false },
	{ { true, 0640 }, 0, 6, false },
	{ { true, 0640 }, 5, 0, false },
	{ { false, 0 }, 5, 6, false },
	{ { true, 0640 }, 0, 0, false },
};

START_TEST(binds_no_other_owner_or_mode)
{
	struct spec_device device = {
		.path = SANDBOX "/node",
		.type = S_IFCHR,
		.major = 1,
		.minor = 3,
		.file_mode = attributes[_i].mode,
		.uid = attributes[_i].uid,
		.gid = attributes[_i].gid,
	};
	const struct spec_linux platform = { .devices = &device, .n_devices = 1 };
	int root = sandbox_enter();
	struct stat namespace;

	ck_assert_int_eq(stat("/proc/self/ns/user", &namespace), 0);
	ck_assert_int_eq(mknod(SANDBOX "/node", S_IFCHR | 0640, makedev(1, 3)), 0);
	ck_assert_int_eq(chown(SANDBOX "/node", 5, 6), 0);
	drop_mknod();
	/* In a user namespace the owners of nodes are nobody's to choose. */
	if (attributes[_i].is_bound || namespace.st_ino != 0xEFFFFFFDU) {
		suite_assert_done(devices_make(root, &platform, DEVICES_MAY_BIND, NULL, &err), err);
		assert_node(SANDBOX_ROOT SANDBOX "/node", S_IFCHR | 0640, 1, 3);
		return;
	}
	ck_assert_int_eq(devices_make(root, &platform, DEVICES_MAY_BIND, NULL, &err), -1);
	sandbox_assert_error(
		&err, "/linux/devices/0", "the host's has mode 0640 and owner 5:6, not");
	ck_assert(!sandbox_exists(SANDBOX_ROOT SANDBOX "/node"));
}
END_TEST

static int open_slave(void)
{
	int master = posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC), slave;

	ck_assert_int_ge(master, 0);
	ck_assert_int_eq(unlockpt(master), 0);
	slave = open(ptsname(master), O_RDWR | O_NOCTTY | O_CLOEXEC);
	ck_assert_int_ge(slave, 0);
	return slave;
}

START_TEST(binds_the_console)
{
	int root = sandbox_enter(), slave = open_slave();
	struct stat there, wanted;

	suite_assert_done(devices_bind_console(root, slave, NULL, &err), err);
	ck_assert_int_eq(stat(DEV "/console", &there), 0);
	ck_assert_int_eq(fstat(slave, &wanted), 0);
	ck_assert_uint_eq(there.st_rdev, wanted.st_rdev);
	/* Over a file that is there already. */
	suite_assert_done(devices_bind_console(root, slave, NULL, &err), err);
}
END_TEST

/* CVE-2025-52565, CVE-2026-88264 */
START_TEST(console_is_no_link)
{
	int root = sandbox_enter(), slave = open_slave();

	sandbox_make_dir(DEV);
	sandbox_make_link(_i ? SANDBOX "/made" : "/made", DEV "/console");
	ck_assert_int_eq(devices_bind_console(root, slave, NULL, &err), -1);
	ck_assert(!sandbox_exists(SANDBOX "/made"));
	ck_assert(!sandbox_exists(SANDBOX_ROOT "/made"));
}
END_TEST

START_TEST(null_is_verified)
{
	int fd;

	sandbox_enter();
	fd = devices_open_null(&err);
	ck_assert_int_ge(fd, 0);
	ck_assert_int_eq(mount("/dev/zero", "/dev/null", NULL, MS_BIND, NULL), 0);
	ck_assert_int_eq(devices_open_null(&err), -1);
}
END_TEST

int main(void)
{
	TCase *tests = tcase_create("devices");

	if (sandbox_obstacle())
		return suite_skip(sandbox_obstacle());
	tcase_add_test(tests, makes_the_default_set);
	tcase_add_test(tests, links_only_where_they_lead_somewhere);
	tcase_add_test(tests, binds_where_nodes_cannot_be_made);
	tcase_add_test(tests, makes_what_the_config_lists);
	tcase_add_loop_test(tests, refuses_another_file, 0, 4);
	tcase_add_loop_test(tests, refuses_a_link_for_a_default, 0, 2);
	tcase_add_loop_test(tests, dev_is_no_link, 0, 2);
	tcase_add_test(tests, replaces_what_stands_in_for_a_link);
	tcase_add_loop_test(tests, takes_no_file_away_for_a_link, 0, array_size(in_the_way));
	tcase_add_test(tests, bound_ptmx_is_not_the_containers);
	tcase_add_loop_test(tests, links_to_ptmx_whatever_the_config_lists, 0, 2);
	tcase_add_test(tests, names_what_the_host_has_not);
	tcase_add_test(tests, binds_without_the_capability);
	tcase_add_test(tests, binds_nothing_unless_it_may);
	tcase_add_loop_test(tests, binds_no_other_owner_or_mode, 0, array_size(attributes));
	tcase_add_test(tests, binds_the_console);
	tcase_add_loop_test(tests, console_is_no_link, 0, 2);
	tcase_add_test(tests, null_is_verified);
	return suite_run(tests);
}
