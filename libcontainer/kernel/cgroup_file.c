/* SPDX-License-Identifier: Apache-2.0 */
#include "libcontainer/kernel/cgroup_file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cleanup.h"

/* Fills in what error_set_call() would, and the value that was refused. */
static int fail(struct error *err, const char *op, const char *file)
{
	bool is_first = err->kind == ERROR_NONE;

	error_set_errno(err, "%s cgroup file '%s'", op, file);
	if (is_first) {
		snprintf(err->op, sizeof(err->op), "%s", op);
		snprintf(err->path, sizeof(err->path), "%s", file);
	}
	return -1;
}

int cgroup_file_write_fd(int fd, const char *file, const char *value, struct error *err)
{
	size_t size = strlen(value);
	bool is_first = err->kind == ERROR_NONE;
	ssize_t n;

	do
		n = write(fd, value, size);
	while (n < 0 && errno == EINTR);
	if (n == (ssize_t)size)
		return 0;
	if (n >= 0)
		errno = EIO;
	error_set_errno(err, "write '%.128s' to cgroup file '%s'", value, file);
	if (is_first) {
		snprintf(err->op, sizeof(err->op), "write");
		snprintf(err->path, sizeof(err->path), "%s", file);
	}
	return -1;
}

int cgroup_file_write(int dir_fd, const char *file, const char *value, struct error *err)
{
	cleanup_fd int fd = openat(dir_fd, file, O_WRONLY | O_CLOEXEC);

	if (fd < 0)
		return fail(err, "open", file);
	return cgroup_file_write_fd(fd, file, value, err);
}

int cgroup_file_read_fd(
	int fd, const char *file, char ret_value[static CGROUP_VALUE_MAX], struct error *err)
{
	ssize_t n;

	do
		n = pread(fd, ret_value, CGROUP_VALUE_MAX, 0);
	while (n < 0 && errno == EINTR);
	if (n < 0)
		return fail(err, "read", file);
	if (n == CGROUP_VALUE_MAX)
		return error_set(err, ERROR_SYSTEM, "cgroup file '%s' is larger than %d bytes",
			file, CGROUP_VALUE_MAX - 1);
	if (n > 0 && ret_value[n - 1] == '\n')
		n--;
	ret_value[n] = '\0';
	return 0;
}

int cgroup_file_read(
	int dir_fd, const char *file, char ret_value[static CGROUP_VALUE_MAX], struct error *err)
{
	cleanup_fd int fd = openat(dir_fd, file, O_RDONLY | O_CLOEXEC);

	if (fd < 0)
		return fail(err, "open", file);
	return cgroup_file_read_fd(fd, file, ret_value, err);
}

/* Not faccessat(3): a sandbox that denies faccessat2(2) would have every file missing. */
bool cgroup_file_exists(int dir_fd, const char *file)
{
	struct stat st;

	return fstatat(dir_fd, file, &st, 0) == 0;
}

bool cgroup_file_find(const char *value, const char *key, uint64_t *ret_number)
{
	size_t length = strlen(key);

	for (const char *line = value; *line; line += line[0] == '\n') {
		if (strncmp(line, key, length) == 0 && line[length] == ' ') {
			*ret_number = strtoull(line + length + 1, NULL, 10);
			return true;
		}
		line += strcspn(line, "\n");
	}
	return false;
}

bool cgroup_file_has_word(const char *list, const char *word)
{
	size_t length = strlen(word);

	for (;;) {
		list += strspn(list, " \n");
		if (!*list)
			return false;
		if (strcspn(list, " \n") == length && memcmp(list, word, length) == 0)
			return true;
		list += strcspn(list, " \n");
	}
}
