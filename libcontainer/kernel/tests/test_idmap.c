/* SPDX-License-Identifier: Apache-2.0 */
#include "libcontainer/kernel/idmap.h"

#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/file.h"
#include "libcontainer/kernel/tests/suite.h"

static struct error err;

static pid_t make_child(void)
{
	int ready[2];
	char byte;
	pid_t pid;

	ck_assert_int_eq(pipe2(ready, O_CLOEXEC), 0);
	pid = fork();
	if (pid == 0) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		if (unshare(CLONE_NEWUSER) == 0 && write(ready[1], "x", 1) == 1)
			pause();
		_exit(1);
	}
	ck_assert_int_ge(pid, 0);
	close(ready[1]);
	ck_assert_int_eq(read(ready[0], &byte, 1), 1);
	close(ready[0]);
	return pid;
}

static void read_proc(pid_t pid, const char *file, struct text *ret_text)
{
	char path[64];

	snprintf(path, sizeof(path), "/proc/%d/%s", (int)pid, file);
	suite_assert_done(file_read_at(AT_FDCWD, path, 65536, ret_text, &err), err);
}

static size_t count_lines(const char *text)
{
	size_t count = 0;

	for (; *text; text++)
		count += *text == '\n';
	return count;
}

static struct spec_id_mapping many[IDMAP_RANGES_MAX + 1];

/* COUNT ranges of 1 that leave gaps, so that none can be merged. */
static struct spec_id_mappings make_ranges(uint32_t count)
{
	for (uint32_t i = 0; i < count; i++)
		many[i] = (struct spec_id_mapping){ i, 2 * i + 1, 1 };
	return (struct spec_id_mappings){ many, count };
}

START_TEST(both_maps_are_written_whole)
{
	static const uint32_t counts[] = { 1, 5, 6, 20, 100, IDMAP_RANGES_MAX };
	struct spec_id_mappings ids = make_ranges(counts[_i]);
	cleanup_text struct text uids = { 0 };
	cleanup_text struct text gids = { 0 };
	pid_t pid = make_child();

	suite_assert_done(idmap_write(pid, &ids, &ids, "/linux", &err), err);
	read_proc(pid, "uid_map", &uids);
	read_proc(pid, "gid_map", &gids);
	ck_assert_uint_eq(count_lines(uids.data), counts[_i]);
	ck_assert_uint_eq(count_lines(gids.data), counts[_i]);
}
END_TEST

static struct spec_id_mapping wide_items[200];
static struct spec_id_mapping overlapping[] = { { 0, 1000, 10 }, { 5, 2000, 10 } };

START_TEST(mapped_users_are_found)
{
	struct spec_id_mapping items[] = { { 0, 1000, 1 }, { 1, 100000, 10 }, { 20, 5, 1 } };
	struct spec_id_mappings ids = { items, 3 };
	pid_t pid = make_child();
	uid_t uid;

	suite_assert_done(idmap_write(pid, &ids, &ids, "/linux", &err), err);
	suite_assert_done(idmap_find_outer(pid, 0, &uid, &err), err);
	ck_assert_uint_eq(uid, 1000);
	suite_assert_done(idmap_find_outer(pid, 10, &uid, &err), err);
	ck_assert_uint_eq(uid, 100009);
	suite_assert_done(idmap_find_outer(pid, 20, &uid, &err), err);
	ck_assert_uint_eq(uid, 5);
	ck_assert_int_eq(idmap_find_outer(pid, 11, &uid, &err), -1);
	ck_assert_str_eq(err.text, "user 11 is not mapped");
}
END_TEST

START_TEST(bad_maps_point)
{
	const struct {
		struct spec_id_mappings ids;
		const char *text;
	} bad[] = {
		{ make_ranges(IDMAP_RANGES_MAX + 1), "341 ranges are more than the kernel's 340" },
		{ { wide_items, 200 }, "200 ranges take 4800 characters, more than the kernel's "
				       "4095" },
		{ { overlapping, 2 }, NULL },
	};
	struct spec_id_mappings one = { (struct spec_id_mapping[]){ { 0, 0, 1 } }, 1 };
	pid_t pid = make_child();

	for (uint32_t i = 0; i < 200; i++)
		wide_items[i] = (struct spec_id_mapping){ 1000000000 + i, 2000000000 + i, 1 };
	ck_assert_int_eq(idmap_write(pid, &bad[_i].ids, &one, "/mounts/3", &err), -1);
	ck_assert_str_eq(err.pointer, "/mounts/3/uidMappings");
	if (bad[_i].text)
		ck_assert_str_eq(err.text, bad[_i].text);
}
END_TEST

static void become_user(void)
{
	ck_assert_int_eq(setresgid(54321, 54321, 54321), 0);
	ck_assert_int_eq(setresuid(54321, 54321, 54321), 0);
	prctl(PR_SET_DUMPABLE, 1);
}

START_TEST(a_user_maps_himself)
{
	struct spec_id_mapping own = { 0, 54321, 1 };
	struct spec_id_mappings ids = { &own, 1 };
	cleanup_text struct text setgroups = { 0 };
	cleanup_text struct text uids = { 0 };
	pid_t pid;

	become_user();
	pid = make_child();
	suite_assert_done(idmap_write(pid, &ids, &ids, "/linux", &err), err);
	read_proc(pid, "setgroups", &setgroups);
	ck_assert_str_eq(setgroups.data, "deny\n");
	read_proc(pid, "uid_map", &uids);
	ck_assert_uint_eq(count_lines(uids.data), 1);
}
END_TEST

/* There is no such user in /etc/subuid, so the helper says no, or is missing. */
START_TEST(a_user_cannot_map_others)
{
	struct spec_id_mapping others = { 0, 1, 10 };
	struct spec_id_mappings ids = { &others, 1 };
	pid_t pid;

	become_user();
	pid = make_child();
	ck_assert_int_eq(idmap_write(pid, &ids, &ids, "/linux", &err), -1);
	ck_assert_str_eq(err.pointer, "/linux/gidMappings");
	ck_assert_msg(strstr(err.text, "newgidmap") != NULL, "%s", err.text);
	ck_assert_str_ne(err.hint, "");
}
END_TEST

#define STAND_IN "/usr/local/bin/newgidmap"

/* In a mount namespace of the test's own; keeps its words and says no. */
static void install_stand_in(void)
{
	static const char script[] = "#!/bin/sh\n"
				     "echo \"$@\" >/usr/local/bin/words\n"
				     "echo range not allowed: Permission denied >&2\n"
				     "exit 3\n";
	int fd;

	ck_assert_int_eq(unshare(CLONE_NEWNS), 0);
	ck_assert_int_eq(mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL), 0);
	ck_assert_int_eq(mount("tmpfs", "/usr/local/bin", "tmpfs", 0, "mode=777"), 0);
	fd = open(STAND_IN, O_WRONLY | O_CREAT | O_CLOEXEC, 0755);
	ck_assert_int_eq(write(fd, script, sizeof(script) - 1), sizeof(script) - 1);
	ck_assert_int_eq(fchmod(fd, 0755), 0);
	close(fd);
}

START_TEST(the_helper_gets_all_ranges)
{
	struct spec_id_mappings ids = make_ranges(IDMAP_RANGES_MAX);
	cleanup_text struct text words = { 0 };
	char expected[64];
	size_t count = 0;
	pid_t pid;

	if (access("/usr/bin/newgidmap", F_OK) == 0 || access("/usr/local/bin", F_OK) < 0)
		return;
	install_stand_in();
	become_user();
	pid = make_child();
	ck_assert_int_eq(idmap_write(pid, &ids, &ids, "/linux", &err), -1);
	ck_assert_str_eq(err.text,
		"'" STAND_IN "' exited with status 3: range not allowed: Permission\u00a0denied");
	ck_assert_str_eq(err.pointer, "/linux/gidMappings");
	suite_assert_done(
		file_read_at(AT_FDCWD, "/usr/local/bin/words", 65536, &words, &(struct error){ 0 }),
		err);
	for (const char *p = words.data; *p; p++)
		count += *p == ' ' || *p == '\n';
	ck_assert_uint_eq(count, 1 + 3 * IDMAP_RANGES_MAX);
	snprintf(expected, sizeof(expected), "%d 0 1 1 1 3 1 2 5 1 ", (int)pid);
	ck_assert_int_eq(strncmp(words.data, expected, strlen(expected)), 0);
	ck_assert_ptr_nonnull(strstr(words.data, " 339 679 1\n"));
}
END_TEST

int main(void)
{
	TCase *tests;

	if (geteuid() != 0)
		return suite_skip("writing maps of many IDs needs root");
	tests = tcase_create("idmap");
	tcase_add_loop_test(tests, both_maps_are_written_whole, 0, 6);
	tcase_add_test(tests, mapped_users_are_found);
	tcase_add_loop_test(tests, bad_maps_point, 0, 3);
	tcase_add_test(tests, a_user_maps_himself);
	tcase_add_test(tests, a_user_cannot_map_others);
	tcase_add_test(tests, the_helper_gets_all_ranges);
	return suite_run(tests);
}
