/* SPDX-License-Identifier: Apache-2.0 */
#include <check.h>
#include <stdlib.h>
#include <string.h>

#include "base/attributes.h"
#include "libcontainer/environment.h"
#include "libcontainer/exec_process.h"

static struct arena arena;
static struct error err;

static void setup(void)
{
	err = (struct error){ 0 };
}

static void teardown(void)
{
	arena_release(&arena);
}

static const char *find(const char *const *env, const char *name)
{
	size_t length = strlen(name);

	for (; *env; env++)
		if (!strncmp(*env, name, length) && (*env)[length] == '=')
			return *env + length + 1;
	return NULL;
}

START_TEST(of_two_the_last_counts)
{
	const char *items[] = { "A=1", "B=2", "A=3", "HOME=/h", NULL };
	const struct spec_process process = { .env = { items, 4 } };
	const struct environment_request request = { .process = &process };
	const char *const *env;

	ck_assert_int_eq(environment_build(&request, &arena, &env, &err), 0);
	ck_assert_str_eq(env[0], "A=3");
	ck_assert_str_eq(env[1], "B=2");
	ck_assert_str_eq(env[2], "HOME=/h");
	ck_assert_ptr_null(env[3]);
}
END_TEST

START_TEST(home_comes_from_passwd)
{
	const struct spec_process root = { .user.uid = 0 }, unknown = { .user.uid = 4294967 };
	const struct environment_request of_root = { .process = &root };
	const struct environment_request of_unknown = { .process = &unknown };
	const char *const *env;

	ck_assert_int_eq(environment_build(&of_root, &arena, &env, &err), 0);
	ck_assert_str_eq(find(env, "HOME"), "/root");
	ck_assert_int_eq(environment_build(&of_unknown, &arena, &env, &err), 0);
	ck_assert_str_eq(find(env, "HOME"), "/");
}
END_TEST

START_TEST(adds_what_the_protocols_want)
{
	const char *items[] = { "HOME=/", "LISTEN_FDS=9", NULL };
	const struct spec_process process = { .env = { items, 2 } };
	const struct environment_request request = { &process, 2, "/run/notify/notify.sock" };
	const char *const *env;

	ck_assert_int_eq(environment_build(&request, &arena, &env, &err), 0);
	ck_assert_str_eq(find(env, "LISTEN_FDS"), "2");
	ck_assert_ptr_nonnull(find(env, "LISTEN_PID"));
	ck_assert_str_eq(find(env, "NOTIFY_SOCKET"), "/run/notify/notify.sock");
}
END_TEST

static const struct {
	const char *user;
	bool is_good;
	uint32_t uid;
	uint32_t gid;
} users[] = {
	{ "0", true, 0, 7 },
	{ "1000", true, 1000, 7 },
	{ "1000:50", true, 1000, 50 },
	{ "4294967294:0", true, 4294967294, 0 },
	{ "4294967295", false, 0, 0 },
	{ "4294967296", false, 0, 0 },
	{ "18446744073709551616", false, 0, 0 },
	{ "-1", false, 0, 0 },
	{ " 1", false, 0, 0 },
	{ "1 ", false, 0, 0 },
	{ "", false, 0, 0 },
	{ ":5", false, 0, 0 },
	{ "5:", false, 0, 0 },
	{ "1:2:3", false, 0, 0 },
	{ "root", false, 0, 0 },
	{ "0x10", false, 0, 0 },
	{ "+1", false, 0, 0 },
};

START_TEST(users_are_strict_numbers)
{
	const struct spec_process process = { .cwd = "/", .user.gid = 7 };
	const struct spec spec = { .process = &process };
	const struct exec_options options = { .user = users[_i].user };
	struct exec_process exec;
	int result = exec_process_build(&exec, &spec, &options, &err);

	ck_assert_int_eq(result, users[_i].is_good ? 0 : -1);
	if (users[_i].is_good) {
		ck_assert_uint_eq(exec.process->user.uid, users[_i].uid);
		ck_assert_uint_eq(exec.process->user.gid, users[_i].gid);
	}
	exec_process_release(&exec);
}
END_TEST

START_TEST(capabilities_are_added)
{
	const char *own[] = { "CAP_KILL", NULL }, *more[] = { "CAP_CHOWN", NULL };
	const struct spec_capabilities capabilities = {
		.bounding = { own, 1 }, .effective = { own, 1 }, .permitted = { own, 1 }
	};
	const struct spec_process process = { .cwd = "/", .capabilities = &capabilities };
	const struct spec spec = { .process = &process };
	const struct exec_options options = { .caps = { more, 1 } };
	struct exec_process exec;

	ck_assert_int_eq(exec_process_build(&exec, &spec, &options, &err), 0);
	ck_assert_uint_eq(exec.process->capabilities->permitted.count, 2);
	ck_assert_str_eq(exec.process->capabilities->permitted.items[1], "CAP_CHOWN");
	ck_assert_uint_eq(exec.process->capabilities->ambient.count, 0);
	exec_process_release(&exec);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("environment");
	TCase *tcase = tcase_create("process");
	SRunner *runner = srunner_create(suite);
	int failed;

	tcase_add_checked_fixture(tcase, setup, teardown);
	tcase_add_test(tcase, of_two_the_last_counts);
	tcase_add_test(tcase, home_comes_from_passwd);
	tcase_add_test(tcase, adds_what_the_protocols_want);
	tcase_add_loop_test(tcase, users_are_strict_numbers, 0, array_size(users));
	tcase_add_test(tcase, capabilities_are_added);
	suite_add_tcase(suite, tcase);

	srunner_run_all(runner, CK_ENV);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
