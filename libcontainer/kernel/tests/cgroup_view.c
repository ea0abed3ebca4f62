/* SPDX-License-Identifier: Apache-2.0 */
#include "libcontainer/kernel/tests/cgroup_view.h"

#include <check.h>
#include <dirent.h>
#include <errno.h>
#include <limits.h>
#include <linux/magic.h>
#include <linux/sched.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/vfs.h>
#include <unistd.h>

#define ROOT "/sys/fs/cgroup"

const char *cgroup_view_obstacle(void)
{
	struct statfs fs;

	if (geteuid() != 0)
		return "making control groups takes root";
	if (statfs(ROOT, &fs) < 0 || (fs.f_type != TMPFS_MAGIC && fs.f_type != CGROUP2_SUPER_MAGIC))
		return "no control groups at " ROOT;
	if (access(ROOT, W_OK) < 0)
		return ROOT " is read-only";
	return NULL;
}

bool cgroup_view_is_pure_v2(void)
{
	struct statfs fs;

	return statfs(ROOT, &fs) == 0 && fs.f_type == CGROUP2_SUPER_MAGIC;
}

void cgroup_view_enter(enum cgroup_view view)
{
	ck_assert_int_eq(unshare(CLONE_NEWNS), 0);
	ck_assert_int_eq(mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL), 0);
	if (view == CGROUP_VIEW_V2 && !cgroup_view_is_pure_v2())
		ck_assert_int_eq(mount("none", ROOT, "cgroup2", 0, NULL), 0);
}

const char *cgroup_view_path(const char *name)
{
	static char path[PATH_MAX];

	snprintf(path, sizeof(path), "/kogg-test-cgroup-%d/%s", (int)getpid(), name);
	return path;
}

static bool has_word(const char *list, const char *word)
{
	const char *at = strstr(list, word);
	size_t length = strlen(word);

	return at && (at == list || at[-1] == ',') && (!at[length] || at[length] == ',');
}

bool cgroup_view_file(
	struct cgroup *cgroup, const char *controller, const char *file, const char **ret_path)
{
	static char path[PATH_MAX];
	size_t count;
	const struct cgroup_hierarchy *places = cgroup_hierarchies(cgroup, &count);

	for (size_t i = 0; i < count; i++) {
		if (!places[i].is_v2 && !has_word(places[i].name, controller))
			continue;
		snprintf(path, sizeof(path), "%s%s%s%s", places[i].mount, places[i].path,
			file[0] ? "/" : "", file);
		*ret_path = path;
		if (access(path, F_OK) == 0)
			return true;
	}
	return false;
}

pid_t cgroup_view_spawn(struct cgroup *cgroup, void (*run)(void))
{
	struct clone_args args = { .exit_signal = SIGCHLD };
	struct error err = { 0 };
	pid_t pid;

	ck_assert_msg(cgroup_prepare_entry(cgroup, &err) == 0, "%s", err.text);
	if (cgroup_birth_fd(cgroup) >= 0) {
		args.flags = CLONE_INTO_CGROUP;
		args.cgroup = (__u64)cgroup_birth_fd(cgroup);
	}
	pid = (pid_t)syscall(SYS_clone3, &args, sizeof(args));
	if (pid == 0) {
		if (cgroup_enter(cgroup, &err) == 0)
			run();
		_exit(99);
	}
	ck_assert_msg(pid >= 0, "clone3: %s", strerror(errno));
	return pid;
}

static void assert_none(const char *mount)
{
	char path[PATH_MAX + 64];

	snprintf(path, sizeof(path), "%s/kogg-test-cgroup-%d", mount, (int)getpid());
	ck_assert_msg(access(path, F_OK) < 0, "%s is left", path);
}

void cgroup_view_assert_clean(void)
{
	DIR *dir = opendir(ROOT);
	const struct dirent *entry;
	char mount[PATH_MAX];

	ck_assert(dir);
	assert_none(ROOT);
	while ((entry = readdir(dir))) {
		snprintf(mount, sizeof(mount), "%s/%s", ROOT, entry->d_name);
		assert_none(mount);
	}
	closedir(dir);
}
