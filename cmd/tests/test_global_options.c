/* SPDX-License-Identifier: Apache-2.0 */
#include "cmd/global_options.h"

#include <check.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static struct error err;
static char root[PATH_MAX];
static struct runtime runtime;

static int resolve(struct global_options options)
{
	memset(&err, 0, sizeof(err));
	return global_options_resolve(&options, root, &runtime, &err);
}

static const struct {
	struct global_options options;
	enum cgroup_driver driver;
} drivers[] = {
	{ { 0 }, CGROUP_DRIVER_CGROUPFS },
	{ { .systemd_cgroup = true }, CGROUP_DRIVER_SYSTEMD },
	{ { .cgroup_manager = "cgroupfs" }, CGROUP_DRIVER_CGROUPFS },
	{ { .cgroup_manager = "systemd" }, CGROUP_DRIVER_SYSTEMD },
	{ { .cgroup_manager = "disabled" }, CGROUP_DRIVER_DISABLED },
	{ { .cgroup_manager = "disabled", .systemd_cgroup = true }, CGROUP_DRIVER_DISABLED },
	{ { .rootless = "true" }, CGROUP_DRIVER_CGROUPFS },
	{ { .rootless = "false" }, CGROUP_DRIVER_CGROUPFS },
	{ { .rootless = "auto" }, CGROUP_DRIVER_CGROUPFS },
};

START_TEST(chooses_the_driver)
{
	ck_assert_msg(resolve(drivers[_i].options) == 0, "%s", err.text);
	ck_assert_int_eq(runtime.cgroup_driver, drivers[_i].driver);
}
END_TEST

static const struct {
	struct global_options options;
	const char *text;
} rejected[] = {
	{ { .root = "/" }, "option '--root': '/' cannot hold the state" },
	{ { .root = "//" }, "option '--root': '/' cannot hold the state" },
	{ { .root = "/tmp/.." }, "option '--root': '/' cannot hold the state" },
	{ { .cgroup_manager = "foo" },
		"option '--cgroup-manager': 'foo' is none of cgroupfs, systemd, disabled" },
	{ { .rootless = "maybe" }, "option '--rootless': 'maybe' is none of true, false, auto" },
};

START_TEST(rejects)
{
	ck_assert_int_eq(resolve(rejected[_i].options), -1);
	ck_assert_int_eq(err.kind, ERROR_USAGE);
	ck_assert_str_eq(err.text, rejected[_i].text);
}
END_TEST

START_TEST(makes_the_root_absolute)
{
	ck_assert_int_eq(chdir("/tmp"), 0);
	ck_assert_int_eq(resolve((struct global_options){ .root = "state" }), 0);
	ck_assert_str_eq(runtime.root, "/tmp/state");
	ck_assert(runtime.is_root_given);
	ck_assert_int_eq(resolve((struct global_options){ .root = "/run/x" }), 0);
	ck_assert_str_eq(runtime.root, "/run/x");
}
END_TEST

START_TEST(has_a_default_root)
{
	unsetenv("XDG_RUNTIME_DIR");
	ck_assert_int_eq(resolve((struct global_options){ 0 }), 0);
	ck_assert_str_eq(runtime.root, "/run/kogg");
	ck_assert(!runtime.is_root_given);
	setenv("XDG_RUNTIME_DIR", "/run/user/1000", 1);
	setenv("USER", "root", 1);
	ck_assert_int_eq(resolve((struct global_options){ 0 }), 0);
	ck_assert_str_eq(runtime.root, geteuid() == 0 ? "/run/kogg" : "/run/user/1000/kogg");
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("global_options");
	TCase *tests = tcase_create("global_options");
	SRunner *runner = srunner_create(suite);
	int failed;

	tcase_add_loop_test(tests, chooses_the_driver, 0, (int)array_size(drivers));
	tcase_add_loop_test(tests, rejects, 0, (int)array_size(rejected));
	tcase_add_test(tests, makes_the_root_absolute);
	tcase_add_test(tests, has_a_default_root);
	suite_add_tcase(suite, tests);
	srunner_run_all(runner, CK_ENV);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed != 0;
}
