/* SPDX-License-Identifier: Apache-2.0 */
/* The life of groups in the kernel: on the host's hierarchies, and with cgroup2 alone. */
#include <errno.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/wait.h>
#include <unistd.h>

#include "libcontainer/kernel/cgroup.h"
#include "libcontainer/kernel/cgroup_file.h"
#include "libcontainer/kernel/cgroup_tree.h"
#include "libcontainer/kernel/tests/cgroup_resources.h"
#include "libcontainer/kernel/tests/cgroup_view.h"
#include "libcontainer/kernel/tests/suite.h"

static struct error err;

static struct cgroup *plan(const char *path, const struct spec_resources *resources)
{
	const struct cgroup_request request = {
		.driver = CGROUP_DRIVER_CGROUPFS, .path = path, .id = "none", .resources = resources
	};
	struct cgroup *cgroup;

	suite_assert_done(cgroup_plan(&request, &cgroup, &err), err);
	return cgroup;
}

static struct cgroup *make(const char *name)
{
	struct cgroup *cgroup = plan(cgroup_view_path(name), NULL);

	suite_assert_done(cgroup_make(cgroup, &err), err);
	return cgroup;
}

static void finish(struct cgroup *cgroup)
{
	suite_assert_done(cgroup_remove(cgroup, &err), err);
	cgroup_free(cgroup);
	cgroup_view_assert_clean();
}

static void wait_forever(void)
{
	for (;;)
		pause();
}

/* Two levels of children that wait. */
static void spread(void)
{
	for (int i = 0; i < 4; i++)
		if (fork() == 0) {
			for (int j = 0; j < 4 && fork() != 0; j++)
				;
			wait_forever();
		}
	wait_forever();
}

static void await_pids(struct cgroup *cgroup, size_t wanted)
{
	size_t count = 0;

	for (int i = 0; i < 2000 && count != wanted; i++) {
		pid_t *pids;

		suite_assert_done(cgroup_pids(cgroup, &pids, &count, &err), err);
		free(pids);
		if (count != wanted)
			poll(NULL, 0, 1);
	}
	ck_assert_uint_eq(count, wanted);
}

static void end(pid_t pid)
{
	kill(pid, SIGKILL);
	ck_assert_int_eq(waitpid(pid, NULL, 0), pid);
}

/* In how many hierarchies PID is at PATH. */
static size_t count_places(pid_t pid, const char *path)
{
	char file[64], text[8192] = "";
	size_t count = 0;
	int fd;

	snprintf(file, sizeof(file), "/proc/%d/cgroup", (int)pid);
	fd = open(file, O_RDONLY | O_CLOEXEC);
	ck_assert_int_gt(read(fd, text, sizeof(text) - 1), 0);
	close(fd);
	for (const char *at = text; (at = strstr(at, path)); at++)
		count++;
	return count;
}

START_TEST(processes_are_born_inside)
{
	struct cgroup *cgroup;
	size_t count, found = 0;
	const struct cgroup_hierarchy *places;
	pid_t pid;

	cgroup_view_enter(_i);
	cgroup = make("born");
	pid = cgroup_view_spawn(cgroup, wait_forever);
	places = cgroup_hierarchies(cgroup, &count);
	await_pids(cgroup, 1);
	/* It enters one hierarchy after the other, as fast as the machine lets it. */
	for (int i = 0; i < 1000 && found != count; i++) {
		poll(NULL, 0, 5);
		found = count_places(pid, places[0].path);
	}
	ck_assert_uint_eq(found, count);
	end(pid);
	finish(cgroup);
}
END_TEST

START_TEST(nothing_is_left)
{
	cleanup_document struct spec_document *document = NULL;
	const struct spec_resources *resources = cgroup_resources_parse(
		_i == CGROUP_VIEW_HOST ? "{\"pids\":{\"limit\":9},\"cpu\":{\"cpus\":\"0\"}}" : "{}",
		&document);

	cgroup_view_enter(_i);
	for (int i = 0; i < 200; i++) {
		struct cgroup *cgroup = plan(cgroup_view_path("a/b"), resources);
		pid_t pid;

		suite_assert_done(cgroup_make(cgroup, &err), err);
		suite_assert_done(cgroup_limit(cgroup, resources, &err), err);
		pid = cgroup_view_spawn(cgroup, wait_forever);
		await_pids(cgroup, 1);
		suite_assert_done(cgroup_kill(cgroup, &err), err);
		ck_assert_int_eq(waitpid(pid, NULL, 0), pid);
		suite_assert_done(cgroup_remove(cgroup, &err), err);
		cgroup_free(cgroup);
	}
	cgroup_view_assert_clean();
	/* 0 to 2, and what Check has: no descriptor of ours. */
	ck_assert_int_lt(dup(0), 20);
}
END_TEST

START_TEST(paths_are_checked)
{
	static const struct {
		const char *path, *text;
	} rows[] = {
		{ "/", "cgroup path '/' is the root of the hierarchy" },
		{ "//./", "cgroup path '//./' is the root of the hierarchy" },
		{ "/a/../b", "cgroup path has the component '..'" },
		{ "..", "cgroup path has the component '..'" },
		{ "a/..", "cgroup path has the component '..'" },
	};

	for (size_t i = 0; i < array_size(rows); i++) {
		const struct cgroup_request request = { .path = rows[i].path, .id = "x" };
		struct cgroup *cgroup;

		err = (struct error){ 0 };
		ck_assert_int_eq(cgroup_plan(&request, &cgroup, &err), -1);
		ck_assert_str_eq(err.text, rows[i].text);
		ck_assert_str_eq(err.pointer, "/linux/cgroupsPath");
		ck_assert_int_eq(err.kind, ERROR_SPEC);
	}
}
END_TEST

START_TEST(long_paths_are_refused)
{
	char path[8192];
	const struct cgroup_request request = { .path = path, .id = "x" };
	struct cgroup *cgroup;

	memset(path, 'a', 300);
	path[0] = '/';
	path[300] = '\0';
	ck_assert_int_eq(cgroup_plan(&request, &cgroup, &err), -1);
	ck_assert_str_eq(err.text, "cgroup path is too long");
	err = (struct error){ 0 };
	for (size_t i = 0; i < sizeof(path) - 1; i++)
		path[i] = i % 2 ? 'a' : '/';
	path[sizeof(path) - 1] = '\0';
	ck_assert_int_eq(cgroup_plan(&request, &cgroup, &err), -1);
	ck_assert_str_eq(err.text, "cgroup path is too long");
}
END_TEST

START_TEST(groups_in_use_are_refused)
{
	struct cgroup *first, *second;
	pid_t pid;

	cgroup_view_enter(_i);
	first = make("used");
	pid = cgroup_view_spawn(first, wait_forever);
	await_pids(first, 1);
	second = plan(cgroup_view_path("used"), NULL);
	ck_assert_int_eq(cgroup_check(second, &err), -1);
	ck_assert_int_eq(err.kind, ERROR_STATE);
	ck_assert_msg(strstr(err.text, "holds processes already: "), "%s", err.text);
	/* Somebody may have come since it was looked at. */
	err = (struct error){ 0 };
	ck_assert_int_eq(cgroup_make(second, &err), -1);
	ck_assert_msg(strstr(err.text, "holds processes already: "), "%s", err.text);
	/* A group that the second has not made is not its to remove. */
	err = (struct error){ 0 };
	suite_assert_done(cgroup_remove(second, &err), err);
	await_pids(first, 1);
	cgroup_free(second);
	end(pid);
	finish(first);
}
END_TEST

START_TEST(frozen_groups_are_refused)
{
	struct cgroup *first, *second;

	cgroup_view_enter(_i);
	first = make("frozen");
	suite_assert_done(cgroup_freeze(first, &err), err);
	second = plan(cgroup_view_path("frozen"), NULL);
	ck_assert_int_eq(cgroup_check(second, &err), -1);
	ck_assert_msg(strstr(err.text, "' is frozen"), "%s", err.text);
	err = (struct error){ 0 };
	suite_assert_done(cgroup_thaw(first, &err), err);
	suite_assert_done(cgroup_check(second, &err), err);
	cgroup_free(second);
	finish(first);
}
END_TEST

START_TEST(foreign_groups_stay)
{
	struct cgroup *first, *second;
	const char *procs;

	cgroup_view_enter(_i);
	first = make("foreign");
	second = make("foreign/below");
	suite_assert_done(cgroup_remove(second, &err), err);
	cgroup_free(second);
	second = make("foreign");
	suite_assert_done(cgroup_remove(second, &err), err);
	cgroup_free(second);
	ck_assert(cgroup_view_file(first, "devices", "cgroup.procs", &procs));
	finish(first);
}
END_TEST

START_TEST(frozen_processes_stand_still)
{
	struct cgroup *cgroup;
	pid_t pid;

	cgroup_view_enter(_i);
	cgroup = make("still");
	pid = cgroup_view_spawn(cgroup, spread);
	await_pids(cgroup, 21);
	ck_assert(!cgroup_is_frozen(cgroup));
	suite_assert_done(cgroup_freeze(cgroup, &err), err);
	ck_assert(cgroup_is_frozen(cgroup));
	suite_assert_done(cgroup_thaw(cgroup, &err), err);
	ck_assert(!cgroup_is_frozen(cgroup));
	suite_assert_done(cgroup_freeze(cgroup, &err), err);
	/* Frozen or not, all die. */
	suite_assert_done(cgroup_kill(cgroup, &err), err);
	ck_assert_int_eq(waitpid(pid, NULL, 0), pid);
	finish(cgroup);
}
END_TEST

static void bomb(void)
{
	for (;;)
		fork();
}

START_TEST(fork_bombs_die)
{
	const struct spec_resources resources = { .pointer = "", .pids_limit = { true, 200 } };
	struct cgroup *cgroup;
	pid_t pid;

	cgroup_view_enter(CGROUP_VIEW_HOST);
	cgroup = make("bomb");
	suite_assert_done(cgroup_limit(cgroup, &resources, &err), err);
	pid = cgroup_view_spawn(cgroup, bomb);
	await_pids(cgroup, 200);
	suite_assert_done(cgroup_kill(cgroup, &err), err);
	ck_assert_int_eq(waitpid(pid, NULL, 0), pid);
	finish(cgroup);
}
END_TEST

/* Makes DEPTH groups, one in the other, below the group that FILE is in. */
static void nest(const char *file, int depth)
{
	int fd = open(file, O_PATH | O_CLOEXEC | O_DIRECTORY);

	ck_assert_int_ge(fd, 0);
	for (int i = 0; i < depth; i++) {
		int next;

		ck_assert_msg(mkdirat(fd, "n", 0755) == 0, "level %d: %s", i, strerror(errno));
		next = openat(fd, "n", O_PATH | O_CLOEXEC | O_DIRECTORY);
		ck_assert_int_ge(next, 0);
		close(fd);
		fd = next;
	}
	close(fd);
}

START_TEST(nested_groups_are_removed)
{
	struct cgroup *cgroup;
	const char *directory;
	char path[600];

	cgroup_view_enter(_i);
	cgroup = make("nested");
	ck_assert(cgroup_view_file(cgroup, "freezer", "", &directory));
	nest(directory, 500);
	ck_assert(cgroup_view_file(cgroup, "devices", "", &directory));
	for (int i = 0; i < 100; i++) {
		snprintf(path, sizeof(path), "%.500s/%d", directory, i);
		ck_assert_int_eq(mkdir(path, 0755), 0);
		snprintf(path, sizeof(path), "%.500s/%d/below", directory, i);
		ck_assert_int_eq(mkdir(path, 0755), 0);
	}
	await_pids(cgroup, 0);
	finish(cgroup);
}
END_TEST

START_TEST(processes_in_nested_groups_are_found)
{
	struct cgroup *cgroup;
	const char *directory;
	char below[600];
	pid_t pid;

	cgroup_view_enter(CGROUP_VIEW_V2);
	cgroup = make("found");
	ck_assert(cgroup_view_file(cgroup, "", "", &directory));
	snprintf(below, sizeof(below), "%.500s/below", directory);
	ck_assert_int_eq(mkdir(below, 0755), 0);
	suite_assert_done(cgroup_choose_entry(cgroup, "below", &err), err);
	pid = cgroup_view_spawn(cgroup, spread);
	await_pids(cgroup, 21);
	suite_assert_done(cgroup_choose_entry(cgroup, "/", &err), err);
	suite_assert_done(cgroup_follow(cgroup, pid, &err), err);
	end(cgroup_view_spawn(cgroup, wait_forever));
	suite_assert_done(cgroup_kill(cgroup, &err), err);
	ck_assert_int_eq(waitpid(pid, NULL, 0), pid);
	finish(cgroup);
}
END_TEST

START_TEST(what_is_left_is_listed)
{
	struct cgroup *cgroup;
	const char *directory;
	char wanted[64];
	pid_t pid;

	cgroup_view_enter(_i);
	cgroup = make("listed");
	pid = cgroup_view_spawn(cgroup, wait_forever);
	await_pids(cgroup, 1);
	poll(NULL, 0, 20);
	ck_assert(cgroup_view_file(cgroup, "devices", "", &directory));
	ck_assert_int_eq(cgroup_tree_remove(directory, cgroup_tree_now_ms() + 20, &err), -1);
	snprintf(wanted, sizeof(wanted), "processes are left in it: %d (S)", (int)pid);
	ck_assert_msg(strstr(err.text, wanted), "%s", err.text);
	err = (struct error){ 0 };
	end(pid);
	finish(cgroup);
}
END_TEST

START_TEST(saved_groups_are_removed)
{
	struct cgroup *cgroup, *loaded;
	json_t *saved;

	cgroup_view_enter(_i);
	cgroup = plan(cgroup_view_path("saved"), NULL);
	saved = cgroup_save(cgroup);
	suite_assert_done(cgroup_make(cgroup, &err), err);
	suite_assert_done(cgroup_load(saved, &loaded, &err), err);
	json_decref(saved);
	cgroup_free(cgroup);
	finish(loaded);
}
END_TEST

START_TEST(damaged_saves_are_refused)
{
	static const char *const rows[] = { "{}", "[]", "{\"hierarchies\":[{}]}",
		"{\"hierarchies\":[{\"name\":\"..\",\"path\":\"/a\",\"v2\":true,\"made\":1}]}",
		"{\"hierarchies\":[{\"name\":\"a/b\",\"path\":\"/a\",\"v2\":true,\"made\":1}]}",
		"{\"hierarchies\":[{\"name\":\"\",\"path\":\"a\",\"v2\":true,\"made\":1}]}",
		"{\"hierarchies\":[{\"name\":\"\",\"path\":\"/a/../b\",\"v2\":true,\"made\":1}]}",
		"{\"hierarchies\":[{\"name\":\"\",\"path\":\"/a\",\"v2\":true,\"made\":-1}]}" };
	json_t *saved = json_loads(rows[_i], 0, NULL);
	struct cgroup *cgroup;

	ck_assert(saved);
	ck_assert_int_eq(cgroup_load(saved, &cgroup, &err), -1);
	ck_assert_str_eq(err.text, "the saved cgroup is damaged");
	json_decref(saved);
}
END_TEST

START_TEST(vanished_groups_are_no_trouble)
{
	struct cgroup *cgroup, *again;

	cgroup_view_enter(_i);
	cgroup = make("gone");
	again = plan(cgroup_view_path("other"), NULL);
	suite_assert_done(cgroup_remove(cgroup, &err), err);
	suite_assert_done(cgroup_kill(cgroup, &err), err);
	await_pids(cgroup, 0);
	ck_assert(!cgroup_is_frozen(cgroup));
	ck_assert_int_eq(cgroup_freeze(cgroup, &err), -1);
	ck_assert_msg(!strstr(err.text, "no such"), "%s", err.text);
	/* The parent that the second was planned in has gone meanwhile. */
	err = (struct error){ 0 };
	suite_assert_done(cgroup_make(again, &err), err);
	cgroup_free(cgroup);
	finish(again);
}
END_TEST

/* Opens the device 1:11 (kmsg), which no default rule allows. */
static void open_other_device(void)
{
	char path[64];
	int fd;

	snprintf(path, sizeof(path), "/tmp/kogg-test-node-%d", (int)getpid());
	if (mknod(path, S_IFCHR | 0600, makedev(1, 11)) < 0)
		_exit(errno);
	fd = open(path, O_WRONLY | O_CLOEXEC);
	unlink(path);
	_exit(fd < 0 ? errno : open("/dev/null", O_RDWR | O_CLOEXEC) < 0 ? 99 : 0);
}

static int try_device(struct cgroup *cgroup)
{
	pid_t pid = cgroup_view_spawn(cgroup, open_other_device);
	int status;

	ck_assert_int_eq(waitpid(pid, &status, 0), pid);
	ck_assert(WIFEXITED(status));
	return WEXITSTATUS(status);
}

START_TEST(devices_are_guarded)
{
	static const struct {
		const char *json;
		int result;
	} rows[] = {
		{ "{}", EPERM },
		{ "{\"devices\":[]}", EPERM },
		{ "{\"devices\":[{\"allow\":false,\"access\":\"rwm\"}]}", EPERM },
		{ "{\"devices\":[{\"allow\":true,\"access\":\"rwm\"}]}", 0 },
		{ "{\"devices\":[{\"allow\":false,\"access\":\"rwm\"},{\"allow\":true,\"type\":"
		  "\"c\",\"major\":1,\"minor\":11,\"access\":\"w\"}]}",
			0 },
		{ "{\"devices\":[{\"allow\":false,\"access\":\"rwm\"},{\"allow\":true,\"type\":"
		  "\"c\",\"major\":1,\"minor\":11,\"access\":\"r\"}]}",
			EPERM },
		{ "{\"devices\":[{\"allow\":true,\"access\":\"rwm\"},{\"allow\":false,\"type\":"
		  "\"a\",\"major\":1,\"minor\":11,\"access\":\"rw\"}]}",
			EPERM },
	};
	struct cgroup *cgroup;
	json_t *saved;

	cgroup_view_enter(_i);
	cgroup = make("devices");
	for (size_t i = 0; i < array_size(rows); i++) {
		cleanup_document struct spec_document *document = NULL;
		const struct spec_resources *resources =
			cgroup_resources_parse(rows[i].json, &document);

		suite_assert_done(cgroup_limit(cgroup, resources, &err), err);
		ck_assert_msg(try_device(cgroup) == rows[i].result, "%s", rows[i].json);
		suite_assert_done(cgroup_update(cgroup, resources, NULL, &err), err);
		/* As after a restart, so that a group has rules from before. */
		saved = cgroup_save(cgroup);
		cgroup_free(cgroup);
		suite_assert_done(cgroup_load(saved, &cgroup, &err), err);
		json_decref(saved);
	}
	finish(cgroup);
}
END_TEST

START_TEST(plain_folders_are_no_hierarchies)
{
	const struct cgroup_request request = { .path = "/x", .id = "x" };
	struct cgroup *cgroup;

	cgroup_view_enter(CGROUP_VIEW_HOST);
	ck_assert_int_eq(mount("none", "/sys/fs/cgroup", "tmpfs", 0, NULL), 0);
	ck_assert_int_eq(mkdir("/sys/fs/cgroup/memory", 0755), 0);
	ck_assert_int_eq(symlink("memory", "/sys/fs/cgroup/cpu"), 0);
	ck_assert_int_eq(cgroup_plan(&request, &cgroup, &err), -1);
	ck_assert_int_eq(err.kind, ERROR_UNSUPPORTED);
	ck_assert_str_eq(err.text, "no cgroup hierarchy is mounted at '/sys/fs/cgroup'");
}
END_TEST

/* Leaves on the stack what would be a cgroup2 if somebody read it unset. */
__attribute__((noinline)) static void dirty_stack(void)
{
	volatile uint64_t words[1024];

	for (size_t i = 0; i < array_size(words); i++)
		words[i] = CGROUP2_SUPER_MAGIC;
}

START_TEST(a_missing_folder_is_no_hierarchy)
{
	const struct cgroup_request request = { .path = "/x", .id = "x" };
	struct cgroup *cgroup;

	cgroup_view_enter(CGROUP_VIEW_HOST);
	ck_assert_int_eq(mount("none", "/sys", "tmpfs", 0, NULL), 0);
	dirty_stack();
	ck_assert_int_eq(cgroup_plan(&request, &cgroup, &err), -1);
	ck_assert_int_eq(err.kind, ERROR_UNSUPPORTED);
	ck_assert_str_eq(err.text, "no cgroup hierarchy is mounted at '/sys/fs/cgroup'");
}
END_TEST

START_TEST(read_only_hierarchies_are_unsupported)
{
	struct cgroup *cgroup;

	cgroup_view_enter(CGROUP_VIEW_V2);
	ck_assert_int_eq(
		mount(NULL, "/sys/fs/cgroup", NULL, MS_REMOUNT | MS_BIND | MS_RDONLY, NULL), 0);
	cgroup = plan(cgroup_view_path("x"), NULL);
	ck_assert_int_eq(cgroup_make(cgroup, &err), -1);
	ck_assert_int_eq(err.kind, ERROR_UNSUPPORTED);
	ck_assert_int_eq(err.sys_errno, EROFS);
	cgroup_free(cgroup);
}
END_TEST

START_TEST(others_may_not_make_groups)
{
	struct cgroup *cgroup;

	cgroup_view_enter(_i);
	cgroup = plan(cgroup_view_path("x"), NULL);
	ck_assert_int_eq(setresuid(65534, 65534, 65534), 0);
	ck_assert_int_eq(cgroup_make(cgroup, &err), -1);
	ck_assert_int_eq(err.kind, ERROR_UNSUPPORTED);
	ck_assert_msg(strstr(err.text, "access denied"), "%s", err.text);
	ck_assert(err.hint[0]);
	cgroup_free(cgroup);
}
END_TEST

START_TEST(delegated_groups_change_hands)
{
	struct cgroup *cgroup;
	const char *path;
	struct stat st;
	uid_t owner;

	cgroup_view_enter(_i);
	owner = cgroup_view_is_pure_v2() ? 1234 : 0;
	cgroup = make("given");
	suite_assert_done(cgroup_delegate(cgroup, 1234, (gid_t)-1, &err), err);
	ck_assert(cgroup_view_file(cgroup, "devices", "cgroup.procs", &path));
	ck_assert_int_eq(stat(path, &st), 0);
	ck_assert_uint_eq(st.st_uid, owner);
	ck_assert(cgroup_view_file(cgroup, "devices", "", &path));
	ck_assert_int_eq(stat(path, &st), 0);
	ck_assert_uint_eq(st.st_uid, owner);
	if (owner) {
		ck_assert(cgroup_view_file(cgroup, "", "cgroup.freeze", &path));
		ck_assert_int_eq(stat(path, &st), 0);
		ck_assert_uint_eq(st.st_uid, 0);
	}
	finish(cgroup);
}
END_TEST

START_TEST(disabled_groups_do_nothing)
{
	const struct cgroup_request request = { .driver = CGROUP_DRIVER_DISABLED, .id = "x" };
	struct cgroup *cgroup;
	size_t count;
	pid_t *pids;

	suite_assert_done(cgroup_plan(&request, &cgroup, &err), err);
	suite_assert_done(cgroup_make(cgroup, &err), err);
	suite_assert_done(cgroup_limit(cgroup, NULL, &err), err);
	suite_assert_done(cgroup_prepare_entry(cgroup, &err), err);
	ck_assert_int_eq(cgroup_birth_fd(cgroup), -1);
	suite_assert_done(cgroup_enter(cgroup, &err), err);
	suite_assert_done(cgroup_pids(cgroup, &pids, &count, &err), err);
	ck_assert_uint_eq(count, 0);
	cgroup_hierarchies(cgroup, &count);
	ck_assert_uint_eq(count, 0);
	ck_assert_int_eq(cgroup_freeze(cgroup, &err), -1);
	err = (struct error){ 0 };
	suite_assert_done(cgroup_kill(cgroup, &err), err);
	suite_assert_done(cgroup_remove(cgroup, &err), err);
	cgroup_free(cgroup);
	cgroup_free(NULL);
}
END_TEST

int main(void)
{
	TCase *tests = tcase_create("cgroup");

	if (cgroup_view_obstacle())
		return suite_skip(cgroup_view_obstacle());
	tcase_set_timeout(tests, 60);
	tcase_add_loop_test(tests, processes_are_born_inside, 0, CGROUP_VIEWS);
	tcase_add_loop_test(tests, nothing_is_left, 0, CGROUP_VIEWS);
	tcase_add_test(tests, paths_are_checked);
	tcase_add_test(tests, long_paths_are_refused);
	tcase_add_loop_test(tests, groups_in_use_are_refused, 0, CGROUP_VIEWS);
	tcase_add_loop_test(tests, frozen_groups_are_refused, 0, CGROUP_VIEWS);
	tcase_add_loop_test(tests, foreign_groups_stay, 0, CGROUP_VIEWS);
	tcase_add_loop_test(tests, frozen_processes_stand_still, 0, CGROUP_VIEWS);
	tcase_add_test(tests, fork_bombs_die);
	tcase_add_loop_test(tests, nested_groups_are_removed, 0, CGROUP_VIEWS);
	tcase_add_test(tests, processes_in_nested_groups_are_found);
	tcase_add_loop_test(tests, what_is_left_is_listed, 0, CGROUP_VIEWS);
	tcase_add_loop_test(tests, saved_groups_are_removed, 0, CGROUP_VIEWS);
	tcase_add_loop_test(tests, damaged_saves_are_refused, 0, 8);
	tcase_add_loop_test(tests, vanished_groups_are_no_trouble, 0, CGROUP_VIEWS);
	tcase_add_loop_test(tests, devices_are_guarded, 0, CGROUP_VIEWS);
	tcase_add_test(tests, plain_folders_are_no_hierarchies);
	tcase_add_test(tests, a_missing_folder_is_no_hierarchy);
	tcase_add_test(tests, read_only_hierarchies_are_unsupported);
	tcase_add_loop_test(tests, others_may_not_make_groups, 0, CGROUP_VIEWS);
	tcase_add_loop_test(tests, delegated_groups_change_hands, 0, CGROUP_VIEWS);
	tcase_add_test(tests, disabled_groups_do_nothing);
	return suite_run(tests);
}
