/* SPDX-License-Identifier: Apache-2.0 */
#include <check.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/file.h"
#include "libcontainer/container_id.h"
#include "libcontainer/state_dir.h"
#include "libcontainer/state_file.h"

static char top[64], root[96];
static struct error err;

static void setup(void)
{
	err = (struct error){ 0 };
	snprintf(top, sizeof(top), "/tmp/kogg-test-XXXXXX");
	ck_assert_ptr_nonnull(mkdtemp(top));
	snprintf(root, sizeof(root), "%s/run/kogg", top);
}

static void teardown(void)
{
	char command[160];

	rmdir(root);
	snprintf(command, sizeof(command), "%s/run", top);
	rmdir(command);
	rmdir(top);
}

START_TEST(waits_until_it_is_started)
{
	cleanup_state_dir struct state_dir dir = STATE_DIR_CLOSED;
	cleanup_fd int start = -1, result = -1;

	ck_assert_int_eq(state_dir_create(&dir, root, "a", &err), 0);
	ck_assert(!state_dir_has_begun(&dir) && !state_dir_is_waiting(&dir));
	ck_assert_int_eq(state_dir_make_fifos(&dir, &err), 0);
	ck_assert(state_dir_has_begun(&dir) && !state_dir_is_waiting(&dir));
	start = state_dir_open_start(&dir, O_RDWR);
	result = state_dir_open_result(&dir, O_RDWR);
	ck_assert(start >= 0 && result >= 0);
	ck_assert(state_dir_is_waiting(&dir) && !state_dir_is_started(&dir));
	ck_assert_int_eq(state_dir_set_started(&dir, &err), 0);
	ck_assert(state_dir_has_begun(&dir) && !state_dir_is_waiting(&dir));
	ck_assert(state_dir_is_started(&dir));
	ck_assert_int_eq(state_dir_set_started(&dir, &err), -1);
	ck_assert_int_eq(state_dir_remove(&dir, &err), 0);
}
END_TEST

START_TEST(is_private)
{
	cleanup_state_dir struct state_dir dir = STATE_DIR_CLOSED;
	struct stat st;

	ck_assert_int_eq(state_dir_create(&dir, root, "a", &err), 0);
	ck_assert_int_eq(stat(root, &st), 0);
	ck_assert_uint_eq(st.st_mode & 07777, 0700);
	ck_assert_int_eq(fstat(dir.fd, &st), 0);
	ck_assert_uint_eq(st.st_mode & 07777, 0700);
	ck_assert_int_eq(state_dir_remove(&dir, &err), 0);
}
END_TEST

START_TEST(an_id_is_created_once)
{
	cleanup_state_dir struct state_dir first = STATE_DIR_CLOSED, second = STATE_DIR_CLOSED;

	ck_assert_int_eq(state_dir_create(&first, root, "a", &err), 0);
	ck_assert_int_eq(state_dir_create(&second, root, "a", &err), -1);
	ck_assert_int_eq(err.kind, ERROR_STATE);
	ck_assert_str_eq(err.text, "container with ID 'a' exists already");
	ck_assert_int_eq(state_dir_remove(&first, &err), 0);
}
END_TEST

START_TEST(an_unknown_id_is_not_found)
{
	cleanup_state_dir struct state_dir dir = STATE_DIR_CLOSED;

	ck_assert_int_eq(state_dir_open(&dir, root, "a", &err), -1);
	ck_assert_int_eq(err.kind, ERROR_NOT_FOUND);
	ck_assert_str_eq(err.text, "container 'a' does not exist");
}
END_TEST

START_TEST(shows_whether_somebody_holds_it)
{
	cleanup_state_dir struct state_dir writer = STATE_DIR_CLOSED, reader = STATE_DIR_CLOSED;

	ck_assert_int_eq(state_dir_create(&writer, root, "a", &err), 0);
	ck_assert_int_eq(state_dir_open(&reader, root, "a", &err), 0);
	ck_assert(state_dir_is_busy(&reader));
	flock(writer.fd, LOCK_UN);
	ck_assert(!state_dir_is_busy(&reader));
	ck_assert_int_eq(state_dir_remove(&writer, &err), 0);
}
END_TEST

/* A child holds the lock, removes the directory, and only then lets go. */
START_TEST(a_deleted_container_cannot_be_locked)
{
	cleanup_state_dir struct state_dir dir = STATE_DIR_CLOSED;
	int ready[2];
	pid_t child;
	char byte;

	ck_assert_int_eq(pipe(ready), 0);
	child = fork();
	if (child == 0) {
		struct state_dir mine = STATE_DIR_CLOSED;

		if (state_dir_create(&mine, root, "a", &err) < 0)
			_exit(1);
		if (write(ready[1], "x", 1) != 1)
			_exit(2);
		poll(NULL, 0, 200);
		_exit(state_dir_remove(&mine, &err) < 0);
	}
	ck_assert_int_ge(child, 0);
	ck_assert_int_eq(read(ready[0], &byte, 1), 1);
	ck_assert_int_eq(state_dir_lock(&dir, STATE_DIR_EXCLUSIVE, root, "a", &err), -1);
	ck_assert_int_eq(err.kind, ERROR_NOT_FOUND);
	ck_assert_int_eq(waitpid(child, NULL, 0), child);
	close(ready[0]);
	close(ready[1]);
}
END_TEST

/* In a root like /tmp others can make names. */
static const struct {
	uid_t owner;
	mode_t mode;
} strangers[] = {
	{ 1000, 0700 },
	{ 0, 0770 },
	{ 0, 0707 },
	{ 1000, 0777 },
};

START_TEST(trusts_no_directory_of_others)
{
	cleanup_state_dir struct state_dir dir = STATE_DIR_CLOSED, opened = STATE_DIR_CLOSED;
	char text[256];
	int cache;

	if (geteuid() != 0)
		return;
	ck_assert_int_eq(state_dir_create(&dir, root, "a", &err), 0);
	ck_assert_int_eq(fchown(dir.fd, strangers[_i].owner, 0), 0);
	ck_assert_int_eq(fchmod(dir.fd, strangers[_i].mode), 0);
	ck_assert_int_eq(state_dir_open(&opened, root, "a", &err), -1);
	snprintf(text, sizeof(text),
		"state directory '%s/a' belongs to or can be written by others", root);
	ck_assert_str_eq(err.text, text);

	cache = state_dir_open_cache(&dir);
	ck_assert_int_ge(cache, 0);
	ck_assert_int_eq(fchown(cache, strangers[_i].owner, 0), 0);
	ck_assert_int_eq(fchmod(cache, strangers[_i].mode), 0);
	close(cache);
	ck_assert_int_eq(state_dir_open_cache(&dir), -1);
	ck_assert_int_eq(unlinkat(dir.root_fd, ".filters", AT_REMOVEDIR), 0);
	ck_assert_int_eq(state_dir_remove(&dir, &(struct error){ 0 }), 0);
}
END_TEST

START_TEST(removes_what_a_killed_writer_left)
{
	cleanup_state_dir struct state_dir dir = STATE_DIR_CLOSED;

	ck_assert_int_eq(state_dir_create(&dir, root, "a", &err), 0);
	close(openat(dir.fd, ".state.json.17", O_CREAT | O_WRONLY | O_CLOEXEC, 0600));
	ck_assert_int_eq(mkdirat(dir.fd, "notify", 0700), 0);
	ck_assert_int_eq(state_dir_remove(&dir, &err), 0);
}
END_TEST

START_TEST(state_comes_back_as_it_was_saved)
{
	cleanup_state_dir struct state_dir dir = STATE_DIR_CLOSED;
	struct spec_pair pairs[] = { { "org.example.key", "a \"value\"\n" }, { "b", "" } };
	struct spec_map annotations = { pairs, 2 };
	struct state_file saved = {
		.id = "a",
		.bundle = "/b",
		.rootfs = "/b/rootfs",
		.created = "2026-01-02T03:04:05.000000006Z",
		.annotations = &annotations,
		.pid = 4711,
		.start_time = 1234567890123,
		.uid = UINT32_MAX - 1,
		.has_poststop = true,
	};
	struct state_file loaded;

	ck_assert_int_eq(state_dir_create(&dir, root, "a", &err), 0);
	ck_assert_int_eq(state_file_save(dir.fd, &saved, &err), 0);
	ck_assert_int_eq(state_file_load(dir.fd, &loaded, &err), 0);
	ck_assert_str_eq(loaded.id, "a");
	ck_assert_str_eq(loaded.bundle, "/b");
	ck_assert_str_eq(loaded.rootfs, "/b/rootfs");
	ck_assert_str_eq(loaded.created, saved.created);
	ck_assert_int_eq(loaded.pid, 4711);
	ck_assert_uint_eq(loaded.start_time, 1234567890123);
	ck_assert_uint_eq(loaded.uid, UINT32_MAX - 1);
	ck_assert(loaded.has_poststop && !loaded.has_poststart && !loaded.has_own_pid_namespace);
	ck_assert_uint_eq(loaded.annotations->count, 2);
	ck_assert_str_eq(loaded.annotations->items[0].value, "a \"value\"\n");
	ck_assert_ptr_null(loaded.cgroup);
	state_file_release(&loaded);
	ck_assert_int_eq(state_dir_remove(&dir, &err), 0);
}
END_TEST

static const struct {
	const char *content;
	enum error_kind kind;
	const char *text;
} refused[] = {
	{ "{\"format\":2}", ERROR_UNSUPPORTED,
		"state.json has format 2, and this kogg knows only 1" },
	{ "{}", ERROR_STATE, "state.json is damaged" },
	{ "{\"format\":1}", ERROR_STATE, "state.json lacks a member" },
	{ "", ERROR_STATE, "state.json is damaged" },
	{ "{\"format\":1", ERROR_STATE, "state.json is damaged" },
	{ "noise", ERROR_STATE, "state.json is damaged" },
};

START_TEST(refuses_state_it_does_not_know)
{
	cleanup_state_dir struct state_dir dir = STATE_DIR_CLOSED;
	const char *content = refused[_i].content;
	struct state_file loaded;

	ck_assert_int_eq(state_dir_create(&dir, root, "a", &err), 0);
	ck_assert_int_eq(
		file_replace_at(dir.fd, "state.json", content, strlen(content), 0600, &err), 0);
	ck_assert_int_eq(state_file_load(dir.fd, &loaded, &err), -1);
	ck_assert_int_eq(err.kind, refused[_i].kind);
	ck_assert_msg(
		!strncmp(err.text, refused[_i].text, strlen(refused[_i].text)), "%s", err.text);
	state_file_release(&loaded);
	ck_assert_int_eq(state_dir_remove(&dir, &err), 0);
}
END_TEST

static const struct {
	const char *id;
	bool is_good;
} ids[] = {
	{ "a", true },
	{ "A-b_c+d.e", true },
	{ "-a", true },
	{ "+", true },
	{ "0", true },
	{ "", false },
	{ ".", false },
	{ "..", false },
	{ ".a", false },
	{ "a/b", false },
	{ "a b", false },
	{ "a\n", false },
	{ "\xc3\xa9", false },
	{ "a:b", false },
};

START_TEST(checks_ids)
{
	ck_assert_int_eq(container_id_check(ids[_i].id, &err), ids[_i].is_good ? 0 : -1);
}
END_TEST

START_TEST(an_id_has_at_most_200_bytes)
{
	char id[202];

	memset(id, 'a', sizeof(id));
	id[200] = '\0';
	ck_assert_int_eq(container_id_check(id, &err), 0);
	id[200] = 'a';
	id[201] = '\0';
	ck_assert_int_eq(container_id_check(id, &err), -1);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("state_dir");
	TCase *tcase = tcase_create("directory");
	SRunner *runner = srunner_create(suite);
	int failed;

	tcase_add_checked_fixture(tcase, setup, teardown);
	tcase_add_test(tcase, waits_until_it_is_started);
	tcase_add_test(tcase, is_private);
	tcase_add_test(tcase, an_id_is_created_once);
	tcase_add_test(tcase, an_unknown_id_is_not_found);
	tcase_add_test(tcase, shows_whether_somebody_holds_it);
	tcase_add_test(tcase, a_deleted_container_cannot_be_locked);
	tcase_add_loop_test(tcase, trusts_no_directory_of_others, 0, array_size(strangers));
	tcase_add_test(tcase, removes_what_a_killed_writer_left);
	tcase_add_test(tcase, state_comes_back_as_it_was_saved);
	tcase_add_loop_test(tcase, refuses_state_it_does_not_know, 0, array_size(refused));
	tcase_add_loop_test(tcase, checks_ids, 0, array_size(ids));
	tcase_add_test(tcase, an_id_has_at_most_200_bytes);
	suite_add_tcase(suite, tcase);

	srunner_run_all(runner, CK_ENV);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
