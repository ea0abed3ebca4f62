/* SPDX-License-Identifier: Apache-2.0 */
#include "base/file.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/fd.h"

int file_read_fd(int fd, const char *path, size_t max, struct text *ret_text, struct error *err)
{
	char chunk[4096];
	size_t total = 0;

	for (;;) {
		ssize_t n = fd_read_all(fd, chunk, sizeof(chunk));

		if (n < 0)
			return error_set_call(err, "read", path);
		total += (size_t)n;
		if (total > max)
			return error_set(
				err, ERROR_SYSTEM, "'%s' is larger than %zu bytes", path, max);
		text_append_bytes(ret_text, chunk, (size_t)n);
		if ((size_t)n < sizeof(chunk))
			return text_check(ret_text, err);
	}
}

/* One that has a name, unlike the pipe that /dev/stdin may be. */
static bool is_fifo(int fd, const struct stat *st)
{
	struct statfs fs;

	return S_ISFIFO(st->st_mode) && fstatfs(fd, &fs) == 0 && fs.f_type != PIPEFS_MAGIC;
}

int file_read_at(int dir_fd, const char *path, size_t max, struct text *ret_text, struct error *err)
{
	/* A FIFO would wait for its writer, perhaps for ever. */
	cleanup_fd int fd = openat(dir_fd, path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
	struct stat st;

	if (fd < 0 || fstat(fd, &st) < 0)
		return error_set_call(err, "open", path);
	if (is_fifo(fd, &st))
		return error_set(err, ERROR_SYSTEM, "'%s' is a FIFO, not a regular file", path);
	if (!S_ISREG(st.st_mode) && fcntl(fd, F_SETFL, 0) < 0)
		return error_set_call(err, "wait for", path);
	return file_read_fd(fd, path, max, ret_text, err);
}

static int write_once(int fd, const char *path, const void *data, size_t size, struct error *err)
{
	ssize_t n;

	do
		n = write(fd, data, size);
	while (n < 0 && errno == EINTR);
	if (n < 0)
		return error_set_call(err, "write", path);
	if ((size_t)n != size)
		return error_set(err, ERROR_SYSTEM, "write '%s': only %zd of %zu bytes were taken",
			path, n, size);
	return 0;
}

int file_write_at(int dir_fd, const char *path, const char *value, struct error *err)
{
	cleanup_fd int fd = openat(dir_fd, path, O_WRONLY | O_CLOEXEC | O_NOCTTY);

	if (fd < 0)
		return error_set_call(err, "open", path);
	return write_once(fd, path, value, strlen(value), err);
}

int file_create_at(
	int dir_fd, const char *name, const void *data, size_t size, mode_t mode, struct error *err)
{
	cleanup_fd int fd =
		openat(dir_fd, name, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, mode);

	if (fd < 0)
		return error_set_call(err, "create", name);
	return fd_write_all(fd, data, size) < 0 ? error_set_call(err, "write", name) : 0;
}

int file_append_at(int dir_fd, const char *name, const void *data, size_t size, struct error *err)
{
	cleanup_fd int fd = openat(dir_fd, name, O_WRONLY | O_APPEND | O_NOFOLLOW | O_CLOEXEC);

	if (fd < 0)
		return error_set_call(err, "open", name);
	return write_once(fd, name, data, size, err);
}

int file_replace_at(
	int dir_fd, const char *name, const void *data, size_t size, mode_t mode, struct error *err)
{
	cleanup_fd int fd = -1;
	char temporary[300];
	int n = snprintf(temporary, sizeof(temporary), ".%s.%d", name, (int)getpid());

	if (n < 0 || (size_t)n >= sizeof(temporary))
		return error_set(err, ERROR_SYSTEM, "file name '%s' is too long", name);
	fd = openat(dir_fd, temporary, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, mode);
	if (fd < 0)
		return error_set_call(err, "create", temporary);
	if (fd_write_all(fd, data, size) < 0 || fchmod(fd, mode) < 0 ||
		renameat(dir_fd, temporary, dir_fd, name) < 0) {
		error_set_call(err, "write", name);
		unlinkat(dir_fd, temporary, 0);
		return -1;
	}
	return 0;
}
