/* SPDX-License-Identifier: Apache-2.0 */
/* mounts and filesystem, with the new mount interface and without it. */
#include "libcontainer/kernel/mounts.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "libcontainer/kernel/filesystem.h"
#include "libcontainer/kernel/tests/sandbox.h"
#include "libcontainer/kernel/tests/suite.h"

#define TARGET SANDBOX_ROOT "/target"

static struct error err;

/* What a sandbox may lack. */
static const int calls[] = { -1, SYS_open_tree, SYS_move_mount, SYS_mount_setattr };

static void enter(int denied)
{
	sandbox_enter();
	sandbox_make_dir(TARGET);
	sandbox_make_dir(SANDBOX "/source");
	sandbox_make_file(SANDBOX "/source/file", "source");
	sandbox_make_file(SANDBOX_ROOT "/file", "target");
	if (denied >= 0)
		sandbox_deny(denied, denied % 2 ? ENOSYS : EPERM);
}

static int open_path(const char *path)
{
	int fd = open(path, O_PATH | O_CLOEXEC);

	ck_assert_msg(fd >= 0, "%s: %s", path, strerror(errno));
	return fd;
}

START_TEST(binds_a_directory)
{
	const struct mounts_change change = {
		.attributes.set = MOUNT_ATTR_RDONLY | MOUNT_ATTR_NODEV,
		.propagation = MS_SHARED,
	};
	struct mounts_tree tree = MOUNTS_NO_TREE;
	struct sandbox_mount found;

	enter(calls[_i]);
	ck_assert_int_eq(mounts_clone(AT_FDCWD, SANDBOX "/source", false, &tree), 0);
	ck_assert_int_eq(fcntl(tree.fd, F_GETFD), FD_CLOEXEC);
	ck_assert_int_eq(mounts_attach(&tree, open_path(TARGET)), 0);
	suite_assert_done(mounts_alter(tree.fd, &change, &err), err);
	sandbox_assert_mount(TARGET, "tmpfs", "ro,nodev,relatime");
	ck_assert(sandbox_find_mount(TARGET, &found));
	ck_assert_str_eq(found.root, "/source");
	ck_assert_int_eq(strncmp(found.tags, "shared:", 7), 0);
	ck_assert_str_eq(sandbox_read(TARGET "/file"), "source");
	mounts_tree_close(&tree);
	ck_assert_int_eq(tree.fd, -1);
}
END_TEST

START_TEST(binds_a_file)
{
	struct mounts_tree tree = MOUNTS_NO_TREE;

	enter(calls[_i]);
	ck_assert_int_eq(mounts_bind(open_path(SANDBOX "/source/file"),
				 open_path(SANDBOX_ROOT "/file"), false, &tree),
		0);
	ck_assert_str_eq(sandbox_read(SANDBOX_ROOT "/file"), "source");
}
END_TEST

START_TEST(binds_what_is_below)
{
	struct mounts_tree tree = MOUNTS_NO_TREE;

	enter(-1);
	sandbox_make_dir(SANDBOX "/source/sub");
	ck_assert_int_eq(mount("x", SANDBOX "/source/sub", "tmpfs", 0, NULL), 0);
	if (calls[_i / 2] >= 0)
		sandbox_deny(calls[_i / 2], ENOSYS);
	ck_assert_int_eq(
		mounts_bind(open_path(SANDBOX "/source"), open_path(TARGET), _i % 2, &tree), 0);
	ck_assert_int_eq(sandbox_find_mount(TARGET "/sub", &(struct sandbox_mount){ 0 }), _i % 2);
}
END_TEST

/* A link that takes the place of a directory on the way leads to no other mount. */
START_TEST(a_race_alters_no_other_mount)
{
	const struct mounts_change readonly = { .attributes.set = MOUNT_ATTR_RDONLY };
	unsigned altered = 0;
	pid_t racer;
	int way;

	enter(SYS_open_tree);
	sandbox_make_dir(SANDBOX "/other");
	sandbox_make_dir(SANDBOX "/other/target");
	ck_assert_int_eq(mount(SANDBOX "/source", SANDBOX "/other/target", NULL, MS_BIND, NULL), 0);
	sandbox_make_dir(SANDBOX_ROOT "/way");
	sandbox_make_dir(SANDBOX_ROOT "/way/target");
	sandbox_make_link(SANDBOX "/other", SANDBOX_ROOT "/link");
	way = open_path(SANDBOX_ROOT "/way");
	racer = sandbox_start_exchange(SANDBOX_ROOT "/way", SANDBOX_ROOT "/link");
	for (int i = 0; i < 1000; i++) {
		cleanup_tree struct mounts_tree tree = MOUNTS_NO_TREE;
		cleanup_fd int target = openat(way, "target", O_PATH | O_CLOEXEC);

		ck_assert_int_eq(mounts_clone(AT_FDCWD, SANDBOX "/source", false, &tree), 0);
		if (mounts_attach(&tree, target) == 0)
			altered += mounts_alter(tree.fd, &readonly, &err) == 0;
		ck_assert_int_eq(fchdir(way), 0);
		ck_assert_int_eq(umount2("target", MNT_DETACH), 0);
		sandbox_assert_mount(SANDBOX "/other/target", "tmpfs", "rw,relatime");
	}
	sandbox_stop(racer);
	ck_assert_uint_gt(altered, 0);
	close(way);
}
END_TEST

START_TEST(kinds_must_agree)
{
	struct mounts_tree tree = MOUNTS_NO_TREE;

	enter(calls[_i]);
	ck_assert_int_eq(
		mounts_bind(open_path(SANDBOX "/source/file"), open_path(TARGET), false, &tree),
		-1);
	ck_assert_int_eq(errno, ENOTDIR);
	ck_assert_int_eq(mounts_bind(open_path(SANDBOX "/source"), open_path(SANDBOX_ROOT "/file"),
				 false, &tree),
		-1);
	ck_assert_int_eq(errno, ENOTDIR);
}
END_TEST

/* The attributes that /target has at first, what is asked, and what it has then. */
static const struct {
	unsigned long before;
	struct mount_attributes change;
	const char *options;
} alterations[] = {
	{ 0, { MOUNT_ATTR_RDONLY, 0 }, "ro,relatime" },
	{ 0, { MOUNT_ATTR_NOSUID, 0 }, "rw,nosuid,relatime" },
	{ 0, { MOUNT_ATTR_NODEV, 0 }, "rw,nodev,relatime" },
	{ 0, { MOUNT_ATTR_NOEXEC, 0 }, "rw,noexec,relatime" },
	{ 0, { MOUNT_ATTR_NODIRATIME, 0 }, "rw,nodiratime,relatime" },
	{ 0, { MOUNT_ATTR_NOSYMFOLLOW, 0 }, "rw,relatime,nosymfollow" },
	{ 0, { MOUNT_ATTR_NOATIME, MOUNT_ATTR__ATIME }, "rw,noatime" },
	{ 0, { MOUNT_ATTR_STRICTATIME, MOUNT_ATTR__ATIME }, "rw" },
	{ MS_NOATIME, { 0, MOUNT_ATTR__ATIME }, "rw,relatime" },
	{ MS_NOATIME, { MOUNT_ATTR_RDONLY, 0 }, "ro,noatime" },
	{ MS_STRICTATIME, { MOUNT_ATTR_RDONLY, 0 }, "ro" },
	{ MS_RDONLY | MS_NOSUID, { MOUNT_ATTR_NODEV, MOUNT_ATTR_RDONLY },
		"rw,nosuid,nodev,relatime" },
	{ MS_NOEXEC | MS_NODEV | MS_NOSUID, { 0, MOUNT_ATTR_NOEXEC }, "rw,nosuid,nodev,relatime" },
	{ MS_NODIRATIME, { 0, MOUNT_ATTR_NODIRATIME }, "rw,relatime" },
};

START_TEST(alters_what_is_asked_and_nothing_else)
{
	int row = _i / 2;
	const struct mounts_change change = { .attributes = alterations[row].change };

	enter(-1);
	ck_assert_int_eq(mount("x", TARGET, "tmpfs", 0, NULL), 0);
	ck_assert_int_eq(
		mount(NULL, TARGET, NULL,
			MS_REMOUNT | MS_BIND | (alterations[row].before ?: MS_RELATIME), NULL),
		0);
	if (_i % 2)
		sandbox_deny(SYS_mount_setattr, ENOSYS);
	suite_assert_done(mounts_alter(open_path(TARGET), &change, &err), err);
	sandbox_assert_mount(TARGET, "tmpfs", alterations[row].options);
}
END_TEST

START_TEST(recursion_needs_mount_setattr)
{
	const struct mounts_change change = {
		.attributes.set = MOUNT_ATTR_RDONLY,
		.is_recursive = true,
	};

	enter(SYS_mount_setattr);
	ck_assert_int_eq(mounts_alter(open_path(SANDBOX), &change, &err), -1);
	ck_assert_ptr_nonnull(
		strstr(err.text, SYS_mount_setattr % 2 ? "mount_setattr" : "attributes"));
	sandbox_assert_mount(SANDBOX, "tmpfs", "rw,relatime");
}
END_TEST

static const struct {
	struct filesystem fs;
	const char *words[4];
	const char *options;
	const char *super; /* what the superblock's options hold */
} filesystems[] = {
	{ { .type = "tmpfs" }, { "size=64k", "mode=700" }, "rw,relatime", "size=64k,mode=700" },
	{ { .type = "tmpfs", .source = "name", .here.set = MOUNT_ATTR_RDONLY }, { NULL },
		"ro,relatime", "ro" },
	{ { .type = "tmpfs",
		  .here.set = MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV | MOUNT_ATTR_NOEXEC |
			      MOUNT_ATTR_STRICTATIME },
		{ NULL }, "rw,nosuid,nodev,noexec", "rw" },
	{ { .type = "tmpfs", .here.set = MOUNT_ATTR_NOATIME | MOUNT_ATTR_NODIRATIME }, { NULL },
		"rw,noatime,nodiratime", "rw" },
	{ { .type = "tmpfs", .here.set = MOUNT_ATTR_NOSYMFOLLOW }, { NULL },
		"rw,relatime,nosymfollow", "rw" },
	{ { .type = "tmpfs", .sb_flags = MS_SYNCHRONOUS | MS_DIRSYNC | MS_LAZYTIME }, { NULL },
		"rw,relatime", "rw,sync,dirsync,lazytime" },
	{ { .type = "tmpfs", .extra = "mode=711" }, { "size=64k" }, "rw,relatime",
		"size=64k,mode=711" },
	{ { .type = "proc" }, { "hidepid=2" }, "rw,relatime", "hidepid=invisible" },
	{ { .type = "devpts" }, { "newinstance", "ptmxmode=0666", "mode=0620", "gid=5" },
		"rw,relatime", "gid=5,mode=620,ptmxmode=666" },
};

/* Even: mount(2). Odd: fsopen(2). */
START_TEST(mounts_a_file_system)
{
	struct filesystem fs = filesystems[_i / 2].fs;
	struct spec_strings words = { 0 };
	const char *items[4];
	struct sandbox_mount found;
	int fd, target;

	while (words.count < 4 && filesystems[_i / 2].words[words.count]) {
		items[words.count] = filesystems[_i / 2].words[words.count];
		words.count++;
	}
	words.items = items;
	fs.words = &words;
	enter(-1);
	target = open_path(TARGET);
	if (_i % 2) {
		fd = filesystem_open(&fs, &err);
		ck_assert_msg(fd >= 0, "%s", err.text);
		ck_assert_int_eq(mounts_attach_fd(fd, target), 0);
	} else {
		suite_assert_done(filesystem_mount(&fs, target, &err), err);
	}
	sandbox_assert_mount(TARGET, fs.type, filesystems[_i / 2].options);
	ck_assert(sandbox_find_mount(TARGET, &found));
	ck_assert_msg(strstr(found.super, filesystems[_i / 2].super), "%s", found.super);
	if (fs.source)
		ck_assert_str_eq(found.source, fs.source);
}
END_TEST

static const struct {
	const char *type;
	const char *word;
	const char *text;
	bool is_about_word;
} failures[] = {
	{ "tmpfs", "nonsense", "file system 'tmpfs': tmpfs: Unknown parameter 'nonsense': ", true },
	{ "tmpfs", "size=much", "file system 'tmpfs': tmpfs: Bad value for 'size': ", true },
	{ "tmpfs", "ro,nosuid", "file system 'tmpfs': ", true },
	{ "proc", "hidepid=9", "file system 'proc': ", true },
	{ "overlay", "lowerdir=" SANDBOX "/source:/gone/x",
		"file system 'overlay': '/gone/x': not found", true },
	{ "no-such-type", "x", "file system 'no-such-type', which this kernel may not know" },
};

START_TEST(says_what_the_kernel_says)
{
	const char *items[] = { failures[_i / 2].word, NULL };
	const struct spec_strings words = { items, 1 };
	const char *refused = NULL;
	const struct filesystem fs = {
		.type = failures[_i / 2].type, .words = &words, .ret_refused = &refused
	};
	int result;

	enter(-1);
	result = _i % 2 ? filesystem_open(&fs, &err)
			: filesystem_mount(&fs, open_path(TARGET), &err);
	ck_assert_int_eq(result, -1);
	if (!strcmp(fs.type, "overlay") && strstr(err.text, "may not know"))
		return; /* a kernel without overlayfs */
	sandbox_assert_error(&err, "", failures[_i / 2].text);
	ck_assert_ptr_eq(refused, failures[_i / 2].is_about_word ? items[0] : NULL);
}
END_TEST

START_TEST(refuses_too_many_options)
{
	char word[FILESYSTEM_DATA_MAX];
	const char *items[] = { "size=1k", word, NULL };
	const struct spec_strings words = { items, 2 };
	const struct filesystem fs = { .type = "tmpfs", .words = &words };

	enter(-1);
	memset(word, 'x', sizeof(word) - 1);
	word[sizeof(word) - 1] = '\0';
	ck_assert_int_eq(filesystem_mount(&fs, open_path(TARGET), &err), -1);
	sandbox_assert_error(&err, "", "longer than the 4095 bytes");
}
END_TEST

START_TEST(paths_count_from_the_directory)
{
	const char *items[] = { "lowerdir=lower:other", NULL };
	const struct spec_strings words = { items, 1 };
	const struct filesystem fs = { .type = "overlay",
		.words = &words,
		.here.set = MOUNT_ATTR_RDONLY,
		.directory = SANDBOX "/source" };

	enter(-1);
	sandbox_make_dir(SANDBOX "/source/lower");
	sandbox_make_dir(SANDBOX "/source/other");
	sandbox_make_file(SANDBOX "/source/lower/x", "right");
	sandbox_make_dir(TARGET "/lower");
	sandbox_make_dir(TARGET "/other");
	ck_assert_int_eq(chdir(TARGET), 0);
	if (filesystem_mount(&fs, open_path(TARGET), &err) < 0) {
		ck_assert_msg(strstr(err.text, "may not know"), "%s", err.text);
		return; /* a kernel without overlayfs */
	}
	ck_assert_str_eq(sandbox_read(TARGET "/x"), "right");
}
END_TEST

START_TEST(reconfigures)
{
	const char *items[] = { "size=128k", NULL };
	const struct spec_strings words = { items, 1 };
	const struct filesystem fs = { .type = "none",
		.words = &words,
		.here.set = MOUNT_ATTR_NOEXEC,
		.here.clear = MOUNT_ATTR_NODEV };
	struct sandbox_mount found;

	enter(-1);
	ck_assert_int_eq(mount("x", TARGET, "tmpfs", MS_NOSUID | MS_NODEV, "size=64k"), 0);
	suite_assert_done(filesystem_reconfigure(&fs, open_path(TARGET), &err), err);
	sandbox_assert_mount(TARGET, "tmpfs", "rw,nosuid,noexec,relatime");
	ck_assert(sandbox_find_mount(TARGET, &found));
	ck_assert_ptr_nonnull(strstr(found.super, "size=128k"));
}
END_TEST

START_TEST(fsopen_is_named_when_missing)
{
	enter(-1);
	sandbox_deny(SYS_fsopen, ENOSYS);
	ck_assert_int_eq(filesystem_open(&(struct filesystem){ .type = "tmpfs" }, &err), -1);
	ck_assert_int_eq(err.kind, ERROR_UNSUPPORTED);
	sandbox_assert_error(&err, "", "fsopen(2)");
	err = (struct error){ 0 };
	suite_assert_done(
		filesystem_mount(&(struct filesystem){ .type = "tmpfs" }, open_path(TARGET), &err),
		err);
}
END_TEST

int main(void)
{
	TCase *tests = tcase_create("mounts");

	if (sandbox_obstacle())
		return suite_skip(sandbox_obstacle());
	tcase_add_loop_test(tests, binds_a_directory, 0, array_size(calls));
	tcase_add_loop_test(tests, binds_a_file, 0, array_size(calls));
	tcase_add_loop_test(tests, binds_what_is_below, 0, 2 * array_size(calls));
	tcase_add_test(tests, a_race_alters_no_other_mount);
	tcase_add_loop_test(tests, kinds_must_agree, 0, array_size(calls));
	tcase_add_loop_test(
		tests, alters_what_is_asked_and_nothing_else, 0, 2 * array_size(alterations));
	tcase_add_test(tests, recursion_needs_mount_setattr);
	tcase_add_loop_test(tests, mounts_a_file_system, 0, 2 * array_size(filesystems));
	tcase_add_loop_test(tests, says_what_the_kernel_says, 0, 2 * array_size(failures));
	tcase_add_test(tests, refuses_too_many_options);
	tcase_add_test(tests, paths_count_from_the_directory);
	tcase_add_test(tests, reconfigures);
	tcase_add_test(tests, fsopen_is_named_when_missing);
	return suite_run(tests);
}
