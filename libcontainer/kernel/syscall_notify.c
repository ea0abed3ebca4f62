/* SPDX-License-Identifier: Apache-2.0 */
#include "libcontainer/kernel/syscall_notify.h"

#include <errno.h>
#include <linux/seccomp.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/pidfd.h>
#include <sys/socket.h>
#include <sys/un.h>

#include "base/cleanup.h"
#include "base/fd.h"
#include "base/text.h"
#include "libspec/json_writer.h"
#include "libspec/spec.h"

/* Nobody starts while the agent sleeps, and a stuck one must not hang us for ever. */
#define AGENT_TIMEOUT_SECONDS 10

int syscall_notify_check(int fd, struct error *err)
{
	uint64_t no_such_id = 0;

	/* seccomp_unotify(2): a listener knows no such request; others know no such ioctl. */
	if (ioctl(fd, SECCOMP_IOCTL_NOTIF_ID_VALID, &no_such_id) < 0 && errno == ENOENT)
		return 0;
	error_set(err, ERROR_SYSTEM,
		"the descriptor of the container's process is no seccomp listener");
	return error_phase(err, "seccomp");
}

int syscall_notify_take(int pidfd, int remote_fd, struct error *err)
{
	cleanup_fd int fd = pidfd_getfd(pidfd, remote_fd, 0);

	if (fd < 0) {
		error_set_errno(err, "take the seccomp listener of the container's process");
		return error_phase(err, "seccomp");
	}
	return syscall_notify_check(fd, err) < 0 ? -1 : take_fd(&fd);
}

static int connect_to_agent(const char *path, struct error *err)
{
	const struct timeval timeout = { .tv_sec = AGENT_TIMEOUT_SECONDS };
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	cleanup_fd int fd = -1;
	size_t length = strlen(path);

	if (length >= sizeof(address.sun_path))
		return error_set(err, ERROR_SPEC, "the path has %zu bytes, a socket's at most %zu",
			length, sizeof(address.sun_path) - 1);
	memcpy(address.sun_path, path, length);
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return error_set_errno(err, "make a socket");
	/* Bounds connect(2) as well as sends (unix(7), socket(7)). */
	if (setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &timeout, sizeof(timeout)) < 0)
		return error_set_errno(err, "limit the wait for the seccomp agent");
	if (connect(fd, (const struct sockaddr *)&address, sizeof(address)) < 0)
		return error_set_call(err, "connect", path);
	return take_fd(&fd);
}

static void write_document(
	struct text *text, const struct state *state, pid_t pid, const char *metadata)
{
	struct json_writer writer = { .text = text };

	json_writer_open(&writer, NULL, '{');
	json_writer_string(&writer, "ociVersion", SPEC_VERSION_MAX);
	json_writer_open(&writer, "fds", '[');
	json_writer_string(&writer, NULL, "seccompFd");
	json_writer_close(&writer, ']');
	json_writer_number(&writer, "pid", pid);
	json_writer_string(&writer, "metadata", metadata);
	text_append(text, ",\"state\":");
	state_write(state, 0, text);
	json_writer_close(&writer, '}');
}

int syscall_notify_send(const char *listener_path, const struct state *state, pid_t pid,
	const char *metadata, int listener_fd, struct error *err)
{
	cleanup_text struct text text = { 0 };
	cleanup_fd int agent = -1;

	write_document(&text, state, pid, metadata);
	if (text_check(&text, err) < 0)
		return error_phase(err, "seccomp");
	agent = connect_to_agent(listener_path, err);
	if (agent < 0 || fd_send(agent, text.data, text.length, &listener_fd, 1) < 0) {
		error_set_call(err, "send the seccomp listener to", listener_path);
		error_phase(err, "seccomp");
		return error_point(err, "/linux/seccomp/listenerPath");
	}
	return 0;
}
