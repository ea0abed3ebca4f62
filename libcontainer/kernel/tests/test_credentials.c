/* SPDX-License-Identifier: Apache-2.0 */
#include "libcontainer/kernel/credentials.h"

#include <fcntl.h>
#include <grp.h>
#include <sched.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/file.h"
#include "libcontainer/kernel/tests/suite.h"

static struct error err;

/* A user namespace of which the caller is root, with the IDs 0 to 9. */
static void enter_user_namespace(bool may_set_groups)
{
	pid_t child;
	int status, pipe_fds[2];
	char path[64], byte;

	ck_assert_int_eq(pipe2(pipe_fds, O_CLOEXEC), 0);
	child = fork();
	if (child == 0) {
		/* Writes the maps from outside, where it has the right to map many. */
		struct error child_err = { 0 };
		int failed = read(pipe_fds[0], &byte, 1) != 1;

		snprintf(path, sizeof(path), "/proc/%d/setgroups", (int)getppid());
		if (!may_set_groups)
			failed |= file_write_at(AT_FDCWD, path, "deny", &child_err);
		snprintf(path, sizeof(path), "/proc/%d/gid_map", (int)getppid());
		failed |= file_write_at(AT_FDCWD, path, "0 100000 10", &child_err);
		snprintf(path, sizeof(path), "/proc/%d/uid_map", (int)getppid());
		failed |= file_write_at(AT_FDCWD, path, "0 100000 10", &child_err);
		_exit(failed ? 1 : 0);
	}
	ck_assert_int_ge(child, 0);
	ck_assert_int_eq(unshare(CLONE_NEWUSER), 0);
	ck_assert_int_eq(write(pipe_fds[1], "x", 1), 1);
	ck_assert_int_eq(waitpid(child, &status, 0), child);
	ck_assert_int_eq(status, 0);
}

static void assert_ids(uid_t uid, gid_t gid)
{
	uid_t uids[3];
	gid_t gids[3];

	ck_assert_int_eq(getresuid(&uids[0], &uids[1], &uids[2]), 0);
	ck_assert_int_eq(getresgid(&gids[0], &gids[1], &gids[2]), 0);
	for (size_t i = 0; i < 3; i++) {
		ck_assert_uint_eq(uids[i], uid);
		ck_assert_uint_eq(gids[i], gid);
	}
}

START_TEST(becomes_the_user_with_exactly_the_groups)
{
	uint32_t wanted[] = { 7, 4294967294U };
	const struct spec_process process = { .pointer = "/process",
		.user = { .uid = 1000, .gid = 2000, .additional_gids = { wanted, 2 } } };
	gid_t groups[8], inherited[] = { 1, 2, 3 };

	ck_assert_int_eq(setgroups(3, inherited), 0);
	suite_assert_done(credentials_apply(&process, &err), err);
	assert_ids(1000, 2000);
	ck_assert_int_eq(getgroups(8, groups), 2);
	ck_assert_uint_eq(groups[0], 7);
	ck_assert_uint_eq(groups[1], 4294967294U);
}
END_TEST

START_TEST(no_groups_leaves_none)
{
	const struct spec_process process = { .pointer = "/process" };
	gid_t inherited[] = { 1, 2, 3 };

	ck_assert_int_eq(setgroups(3, inherited), 0);
	suite_assert_done(credentials_apply(&process, &err), err);
	ck_assert_int_eq(getgroups(0, NULL), 0);
	assert_ids(0, 0);
}
END_TEST

static uint32_t one_mapped_one_not[] = { 3, 77 };

static const struct {
	struct spec_user user;
	const char *pointer;
	const char *text;
} unmapped[] = {
	{ { .uid = 10 }, "/process/user/uid", "uid 10 is not mapped in the user namespace" },
	{ { .gid = 4000000000U }, "/process/user/gid",
		"gid 4000000000 is not mapped in the user namespace" },
	{ { .additional_gids = { one_mapped_one_not, 2 } }, "/process/user/additionalGids/1",
		"gid 77 is not mapped in the user namespace" },
};

START_TEST(unmapped_ids_are_named)
{
	const struct spec_process process = { .pointer = "/process", .user = unmapped[_i].user };

	enter_user_namespace(true);
	suite_assert_done(credentials_become_root(&err), err);
	assert_ids(0, 0);
	ck_assert_int_eq(credentials_apply(&process, &err), -1);
	ck_assert_int_eq(err.kind, ERROR_SPEC);
	ck_assert_str_eq(err.pointer, unmapped[_i].pointer);
	ck_assert_str_eq(err.text, unmapped[_i].text);
}
END_TEST

START_TEST(denied_groups_are_an_error_only_when_asked_for)
{
	struct spec_process process = { .pointer = "", .user = { .uid = 1, .gid = 1 } };

	enter_user_namespace(false);
	suite_assert_done(credentials_become_root(&err), err);
	if (_i == 1)
		process.user.additional_gids = (struct spec_u32s){ one_mapped_one_not, 1 };
	ck_assert_int_eq(credentials_apply(&process, &err), _i ? -1 : 0);
	if (_i == 0)
		return assert_ids(1, 1);
	ck_assert_str_eq(err.pointer, "/user/additionalGids");
	ck_assert_str_eq(err.text, "set 1 supplementary groups: not permitted");
	ck_assert_ptr_nonnull(strstr(err.hint, "a user namespace"));
}
END_TEST

START_TEST(without_the_right_it_fails)
{
	struct spec_process process = { .pointer = "/process", .user = { .uid = 2 } };

	if (_i == 1)
		process.user.additional_gids = (struct spec_u32s){ one_mapped_one_not, 1 };
	ck_assert_int_eq(setresuid(1, 1, 1), 0);
	ck_assert_int_eq(credentials_apply(&process, &err), -1);
	ck_assert_str_eq(err.pointer, _i ? "/process/user/additionalGids" : "/process/user");
	ck_assert_str_eq(err.hint, "the runtime needs CAP_SETGID for that");
}
END_TEST

/* Also where nothing changes for the kernel, which then leaves the flag as it is. */
START_TEST(who_changes_is_not_dumpable)
{
	const struct spec_process process = { .pointer = "/process" };

	suite_assert_done(credentials_set_dumpable(true, &err), err);
	suite_assert_done(credentials_become_root(&err), err);
	ck_assert_int_eq(prctl(PR_GET_DUMPABLE), 0);
	suite_assert_done(credentials_set_dumpable(true, &err), err);
	suite_assert_done(credentials_apply(&process, &err), err);
	ck_assert_int_eq(prctl(PR_GET_DUMPABLE), 0);
}
END_TEST

START_TEST(flags_are_set)
{
	suite_assert_done(credentials_set_dumpable(false, &err), err);
	ck_assert_int_eq(prctl(PR_GET_DUMPABLE), 0);
	suite_assert_done(credentials_set_dumpable(true, &err), err);
	ck_assert_int_eq(prctl(PR_GET_DUMPABLE), 1);
	suite_assert_done(credentials_forbid_new_privileges(&err), err);
	ck_assert_int_eq(prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0), 1);
}
END_TEST

int main(void)
{
	TCase *tests;

	if (geteuid() != 0)
		return suite_skip("changing IDs needs root");
	tests = tcase_create("credentials");
	tcase_add_test(tests, becomes_the_user_with_exactly_the_groups);
	tcase_add_test(tests, no_groups_leaves_none);
	tcase_add_loop_test(tests, unmapped_ids_are_named, 0, array_size(unmapped));
	tcase_add_loop_test(tests, denied_groups_are_an_error_only_when_asked_for, 0, 2);
	tcase_add_loop_test(tests, without_the_right_it_fails, 0, 2);
	tcase_add_test(tests, who_changes_is_not_dumpable);
	tcase_add_test(tests, flags_are_set);
	return suite_run(tests);
}
