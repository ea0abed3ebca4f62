/* SPDX-License-Identifier: Apache-2.0 */
#include "libcontainer/pid_file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/fd.h"
#include "base/file.h"
#include "libcontainer/kernel/terminal.h"

static int open_parent(const char *path, size_t length, struct error *err)
{
	cleanup_free char *parent = length ? strndup(path, length) : strdup(".");
	int fd;

	if (!parent)
		return error_set(err, ERROR_SYSTEM, "out of memory");
	fd = open(parent, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	return fd < 0 ? error_set_call(err, "open directory", parent) : fd;
}

/*
 * Writes a file without a name and gives it NAME when it is whole: a killed
 * writer leaves nothing beside the caller's files. Returns -1 with errno where
 * the file system can't do that.
 */
static int write_unnamed(int dir, const char *name, const char *text)
{
	cleanup_fd int fd = openat(dir, ".", O_TMPFILE | O_WRONLY | O_CLOEXEC, 0644);
	char path[32];

	if (fd < 0 || fchmod(fd, 0644) < 0 || fd_write_all(fd, text, strlen(text)) < 0)
		return -1;
	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	if (linkat(AT_FDCWD, path, dir, name, AT_SYMLINK_FOLLOW) == 0)
		return 0;
	if (errno != EEXIST || unlinkat(dir, name, 0) < 0)
		return -1;
	return linkat(AT_FDCWD, path, dir, name, AT_SYMLINK_FOLLOW);
}

int pid_file_write(const char *path, pid_t pid, struct error *err)
{
	const char *slash, *name;
	cleanup_fd int dir = -1;
	char text[16];

	if (!path)
		return 0;
	slash = strrchr(path, '/');
	name = slash ? slash + 1 : path;
	dir = open_parent(path, slash ? (size_t)(slash - path) + 1 : 0, err);
	if (dir < 0)
		return error_wrap(err, "write pid file '%s'", path);
	snprintf(text, sizeof(text), "%d", (int)pid);
	if (write_unnamed(dir, name, text) == 0)
		return 0;
	if (file_replace_at(dir, name, text, strlen(text), 0644, err) < 0)
		return error_wrap(err, "write pid file '%s'", path);
	return 0;
}

void pid_file_remove(const char *path)
{
	if (path)
		unlink(path);
}

int pid_file_send(const char *path, int pidfd, const char *payload, struct error *err)
{
	cleanup_fd int socket = -1;

	if (!path)
		return 0;
	socket = terminal_connect(path, err);
	if (socket < 0)
		return error_wrap(err, "--pidfd-socket");
	return terminal_send_fd(socket, pidfd, payload, err);
}
