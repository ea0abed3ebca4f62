/* SPDX-License-Identifier: Apache-2.0 */
#include "libcontainer/state_file.h"

#include <check.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/file.h"
#include "libcontainer/kernel/cgroup_layout.h"

static char top[] = "/tmp/kogg-test-state-XXXXXX";
static struct error err;
static int dir;

static void setup(void)
{
	memcpy(top + strlen(top) - 6, "XXXXXX", 6);
	ck_assert_ptr_nonnull(mkdtemp(top));
	dir = open(top, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	err = (struct error){ 0 };
}

static void teardown(void)
{
	(void)unlinkat(dir, "state.json", 0);
	close(dir);
	ck_assert_int_eq(rmdir(top), 0);
}

static const struct spec_pair annotation = { "key", "value" };

static struct state_file example(void)
{
	static struct spec_pair items[1];
	static const struct spec_map annotations = { items, 1 };

	items[0] = annotation;
	return (struct state_file){
		.id = "id",
		.bundle = "/bundle",
		.rootfs = "/bundle/rootfs",
		.created = "2026-01-02T03:04:05Z",
		.annotations = &annotations,
		.pid = 4711,
		.start_time = 1234567890123,
		.uid = 1000,
		.has_poststop = true,
	};
}

static void save(const struct state_file *state)
{
	ck_assert_msg(state_file_save(dir, state, &err) == 0, "%s", err.text);
}

static void load(struct state_file *ret_state)
{
	ck_assert_msg(state_file_load(dir, ret_state, &err) == 0, "%s", err.text);
}

START_TEST(what_is_saved_is_loaded)
{
	struct state_file loaded, saved = example();

	save(&saved);
	load(&loaded);
	ck_assert_str_eq(loaded.id, "id");
	ck_assert_str_eq(loaded.bundle, "/bundle");
	ck_assert_str_eq(loaded.rootfs, "/bundle/rootfs");
	ck_assert_str_eq(loaded.created, "2026-01-02T03:04:05Z");
	ck_assert_uint_eq(loaded.annotations->count, 1);
	ck_assert_str_eq(loaded.annotations->items[0].key, "key");
	ck_assert_str_eq(loaded.annotations->items[0].value, "value");
	ck_assert_int_eq(loaded.pid, 4711);
	ck_assert_uint_eq(loaded.start_time, 1234567890123);
	ck_assert_uint_eq(loaded.uid, 1000);
	ck_assert_ptr_null(loaded.cgroup);
	state_file_release(&loaded);
}
END_TEST

/* Each alone: none is taken for another. */
START_TEST(flags_are_told_apart)
{
	struct state_file loaded, saved = example();
	bool *const flags[] = { &saved.has_own_pid_namespace, &saved.has_start_hooks,
		&saved.has_poststart, &saved.has_poststop, &saved.no_new_keyring,
		&saved.rdt.has_group, &saved.rdt.has_monitoring, &saved.is_ready };
	const bool *const found[] = { &loaded.has_own_pid_namespace, &loaded.has_start_hooks,
		&loaded.has_poststart, &loaded.has_poststop, &loaded.no_new_keyring,
		&loaded.rdt.has_group, &loaded.rdt.has_monitoring, &loaded.is_ready };

	for (size_t i = 0; i < array_size(flags); i++)
		*flags[i] = (int)i == _i;
	save(&saved);
	load(&loaded);
	for (size_t i = 0; i < array_size(found); i++)
		ck_assert_int_eq(*found[i], (int)i == _i);
	state_file_release(&loaded);
}
END_TEST

START_TEST(what_is_added_replaces_what_was)
{
	struct state_file loaded, saved = example();

	saved.pid = 0;
	saved.start_time = 0;
	save(&saved);
	saved.pid = 17;
	saved.start_time = 18;
	saved.rdt.has_monitoring = true;
	saved.cgroup = calloc(1, sizeof(*saved.cgroup));
	ck_assert_ptr_nonnull(saved.cgroup);
	ck_assert_int_eq(state_file_add_process(dir, &saved, &err), 0);
	load(&loaded);
	ck_assert_int_eq(loaded.pid, 17);
	ck_assert_uint_eq(loaded.start_time, 18);
	ck_assert_ptr_nonnull(loaded.cgroup);
	free(saved.cgroup);
	ck_assert(loaded.rdt.has_monitoring && !loaded.rdt.has_group && !loaded.is_ready);
	ck_assert_str_eq(loaded.bundle, "/bundle");
	state_file_release(&loaded);
	ck_assert_int_eq(state_file_add_ready(dir, &err), 0);
	load(&loaded);
	ck_assert(loaded.is_ready);
	ck_assert_int_eq(loaded.pid, 17);
	state_file_release(&loaded);
}
END_TEST

START_TEST(nothing_is_added_to_what_is_gone)
{
	ck_assert_int_eq(state_file_add_ready(dir, &err), -1);
	ck_assert_int_eq(err.sys_errno, ENOENT);
}
END_TEST

/* One more than JSON_DEPTH_MAX has room for. */
#define DEEP(x)   x x x x x x x x
#define NESTED_65 DEEP(DEEP("[")) DEEP(DEEP("]"))

static const struct {
	const char *text;
	const char *message;
} damaged[] = {
	{ "", "state.json is damaged: object at byte 0: the file is empty" },
	{ "{}", "state.json is damaged" },
	{ "{\"format\":2}", "state.json has format 2, and this kogg knows only 1" },
	{ "{\"format\":1}", "state.json lacks a member" },
	{ "{\"format\":1}{\"pid\":",
		"state.json is damaged: object at byte 12: expected a value, found the end of the file" },
	{ "{\"format\":1}[]",
		"state.json is damaged: object at byte 12: expected a value, found the end of the file" },
	{ "{\"format\":1}2", "state.json is damaged: expected an object at byte 12" },
	{ "{\"format\":1}}",
		"state.json is damaged: object at byte 12: expected a value, found '}'" },
	{ "{\"format\":1} ", "state.json is damaged: object at byte 12: the file is empty" },
	{ "{\"format\":1,\"format\":1}",
		"state.json is damaged: object at byte 0: /format is there twice" },
	{ "{\"a\":" NESTED_65 "}",
		"state.json is damaged: object at byte 0: nested more than 64 levels deep" },
	{ "{}{}{}{}{}{}{}{}{}{}{}{}{}{}{}{}{}",
		"state.json is damaged: it has more than 16 objects" },
};

START_TEST(damage_is_said)
{
	struct state_file loaded;

	ck_assert_int_eq(file_replace_at(dir, "state.json", damaged[_i].text,
				 strlen(damaged[_i].text), 0600, &err),
		0);
	ck_assert_int_eq(state_file_load(dir, &loaded, &err), -1);
	ck_assert_str_eq(err.text, damaged[_i].message);
	state_file_release(&loaded);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("state_file");
	TCase *tests = tcase_create("state_file");
	SRunner *runner = srunner_create(suite);
	int failed;

	suite_add_tcase(suite, tests);
	tcase_add_checked_fixture(tests, setup, teardown);
	tcase_add_test(tests, what_is_saved_is_loaded);
	tcase_add_test(tests, what_is_added_replaces_what_was);
	tcase_add_test(tests, nothing_is_added_to_what_is_gone);
	tcase_add_loop_test(tests, flags_are_told_apart, 0, 8);
	tcase_add_loop_test(tests, damage_is_said, 0, array_size(damaged));
	srunner_run_all(runner, CK_NORMAL);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? 1 : 0;
}
