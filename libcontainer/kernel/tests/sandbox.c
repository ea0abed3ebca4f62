/* SPDX-License-Identifier: Apache-2.0 */
#include "libcontainer/kernel/tests/sandbox.h"

#include <check.h>
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <seccomp.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/file.h"

const char *sandbox_obstacle(void)
{
	pid_t pid;
	int status;

	if (geteuid() != 0)
		return "needs root, to mount";
	pid = fork();
	if (pid == 0)
		_exit(unshare(CLONE_NEWNS) < 0 ||
			mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL));
	if (pid < 0 || waitpid(pid, &status, 0) < 0 || status)
		return "mount namespaces can't be made here";
	return NULL;
}

int sandbox_enter(void)
{
	int fd;

	umask(0);
	ck_assert_int_eq(unshare(CLONE_NEWNS), 0);
	ck_assert_int_eq(mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL), 0);
	ck_assert_int_eq(mount("sandbox", SANDBOX, "tmpfs", 0, "mode=755"), 0);
	sandbox_make_dir(SANDBOX_ROOT);
	fd = open(SANDBOX_ROOT, O_PATH | O_DIRECTORY | O_CLOEXEC);
	ck_assert_int_ge(fd, 0);
	return fd;
}

int sandbox_enter_shared(void)
{
	int fd = sandbox_enter();

	ck_assert_int_eq(mount(NULL, SANDBOX, NULL, MS_SHARED, NULL), 0);
	return fd;
}

static void write_map(pid_t pid, const char *file, unsigned count)
{
	struct error err = { 0 };
	char path[64], map[64];

	snprintf(path, sizeof(path), "/proc/%d/%s", (int)pid, file);
	snprintf(map, sizeof(map), "0 100000 %u\n", count);
	if (file_write_at(AT_FDCWD, path, map, &err) < 0)
		_exit(1);
}

void sandbox_enter_user(unsigned count)
{
	pid_t self = getpid(), helper;
	int ready[2], status;
	char byte;

	ck_assert_int_eq(pipe2(ready, O_CLOEXEC), 0);
	helper = fork();
	if (helper == 0) {
		close(ready[1]);
		if (read(ready[0], &byte, 1) < 0)
			_exit(1);
		write_map(self, "uid_map", count);
		write_map(self, "gid_map", count);
		_exit(0);
	}
	ck_assert_int_eq(unshare(CLONE_NEWUSER), 0);
	close(ready[0]);
	close(ready[1]);
	ck_assert_int_eq(waitpid(helper, &status, 0), helper);
	ck_assert_int_eq(status, 0);
	ck_assert_int_eq(setresgid(0, 0, 0), 0);
	ck_assert_int_eq(setresuid(0, 0, 0), 0);
	ck_assert_int_eq(unshare(CLONE_NEWNS), 0);
}

void sandbox_make_dir(const char *path)
{
	ck_assert_msg(mkdir(path, 0755) == 0, "mkdir %s: %s", path, strerror(errno));
}

void sandbox_make_file(const char *path, const char *content)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);

	ck_assert_msg(fd >= 0, "open %s: %s", path, strerror(errno));
	ck_assert_int_eq(write(fd, content, strlen(content)), (ssize_t)strlen(content));
	close(fd);
}

void sandbox_make_link(const char *target, const char *path)
{
	ck_assert_msg(symlink(target, path) == 0, "symlink %s: %s", path, strerror(errno));
}

const char *sandbox_read(const char *path)
{
	static char content[4096];
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	ssize_t n;

	if (fd < 0)
		return NULL;
	n = read(fd, content, sizeof(content) - 1);
	close(fd);
	if (n < 0)
		return NULL;
	content[n] = '\0';
	return content;
}

bool sandbox_exists(const char *path)
{
	struct stat st;

	return lstat(path, &st) == 0;
}

static void take_word(char **line, char *to, size_t size)
{
	snprintf(to, size, "%s", strsep(line, " \n"));
}

/* 36 35 98:0 /mnt1 /mnt2 rw,noatime master:1 - ext3 /dev/root rw,errors=continue */
static bool parse_line(char *line, const char *point, struct sandbox_mount *mount)
{
	char word[512];

	for (int i = 0; i < 3; i++)
		strsep(&line, " ");
	take_word(&line, mount->root, sizeof(mount->root));
	if (strcmp(strsep(&line, " "), point))
		return false;
	take_word(&line, mount->options, sizeof(mount->options));
	mount->tags[0] = '\0';
	for (take_word(&line, word, sizeof(word)); strcmp(word, "-");
		take_word(&line, word, sizeof(word))) {
		size_t used = strlen(mount->tags);

		snprintf(mount->tags + used, sizeof(mount->tags) - used, "%s%s", used ? " " : "",
			word);
	}
	take_word(&line, mount->type, sizeof(mount->type));
	take_word(&line, mount->source, sizeof(mount->source));
	take_word(&line, mount->super, sizeof(mount->super));
	return true;
}

bool sandbox_find_mount(const char *point, struct sandbox_mount *ret_mount)
{
	FILE *info = fopen("/proc/self/mountinfo", "re");
	struct sandbox_mount mount;
	bool is_found = false;
	char line[4096];

	ck_assert_ptr_nonnull(info);
	while (fgets(line, sizeof(line), info)) {
		if (parse_line(line, point, &mount)) {
			*ret_mount = mount;
			is_found = true;
		}
	}
	fclose(info);
	return is_found;
}

void sandbox_assert_mount(const char *point, const char *type, const char *options)
{
	struct sandbox_mount mount;

	ck_assert_msg(sandbox_find_mount(point, &mount), "nothing is mounted at %s", point);
	ck_assert_str_eq(mount.type, type);
	ck_assert_str_eq(mount.options, options);
}

void sandbox_deny(int syscall_number, int sys_errno)
{
	scmp_filter_ctx filter = seccomp_init(SCMP_ACT_ALLOW);

	ck_assert_ptr_nonnull(filter);
	ck_assert_int_eq(
		seccomp_rule_add(filter, SCMP_ACT_ERRNO((unsigned)sys_errno), syscall_number, 0),
		0);
	ck_assert_int_eq(seccomp_load(filter), 0);
	seccomp_release(filter);
}

pid_t sandbox_start_exchange(const char *a, const char *b)
{
	int done[2];
	char byte;
	pid_t pid;

	ck_assert_int_eq(pipe2(done, O_CLOEXEC), 0);
	pid = fork();
	if (pid == 0) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		renameat2(AT_FDCWD, a, AT_FDCWD, b, RENAME_EXCHANGE);
		close(done[0]);
		close(done[1]);
		for (;;)
			renameat2(AT_FDCWD, a, AT_FDCWD, b, RENAME_EXCHANGE);
	}
	close(done[1]);
	ck_assert_int_eq(read(done[0], &byte, 1), 0);
	close(done[0]);
	return pid;
}

void sandbox_stop(pid_t pid)
{
	kill(pid, SIGKILL);
	waitpid(pid, NULL, 0);
}

void sandbox_assert_error(const struct error *err, const char *pointer, const char *text)
{
	ck_assert_str_eq(err->pointer, pointer);
	ck_assert_msg(strstr(err->text, text), "'%s' is not in '%s'", text, err->text);
}
