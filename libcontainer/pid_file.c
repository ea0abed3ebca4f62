/* SPDX-License-Identifier: Apache-2.0 */
#include "libcontainer/pid_file.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>

#include "base/cleanup.h"
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
	if (file_replace_at(dir, name, text, strlen(text), 0644, err) < 0)
		return error_wrap(err, "write pid file '%s'", path);
	return 0;
}

int pid_file_send(const char *path, int pidfd, const char *payload, struct error *err)
{
	cleanup_fd int socket = -1;

	if (!path)
		return 0;
	socket = terminal_connect(path, err);
	if (socket < 0)
		return -1;
	return terminal_send_fd(socket, pidfd, payload, err);
}
