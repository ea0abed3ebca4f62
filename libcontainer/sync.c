/* SPDX-License-Identifier: Apache-2.0 */
#include "libcontainer/sync.h"

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "base/fd.h"

int sync_open(int ret_sockets[2], struct error *err)
{
	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ret_sockets) < 0)
		return error_set_errno(err, "make a socket pair");
	return 0;
}

static int send_message(int socket, const struct sync_message *message, int fd)
{
	ssize_t n;

	if (fd >= 0)
		return fd_send(socket, message, sizeof(*message), &fd, 1);
	do
		n = write(socket, message, sizeof(*message));
	while (n < 0 && errno == EINTR);
	return n == (ssize_t)sizeof(*message) ? 0 : -1;
}

int sync_send(int socket, enum sync_type type, int value, int fd, struct error *err)
{
	struct sync_message message = { .type = type, .value = value };

	if (send_message(socket, &message, fd) < 0)
		return error_set_errno(err, "tell the runtime");
	return 0;
}

int sync_send_made(int socket, const struct sync_made *made, int dir_fd, struct error *err)
{
	struct sync_message message = { .type = SYNC_MADE, .made = *made };

	if (send_message(socket, &message, dir_fd) < 0)
		return error_set_errno(err, "tell the runtime");
	return 0;
}

void sync_send_error(int socket, const struct error *error)
{
	struct sync_message message = { .type = SYNC_ERROR };

	message.error = *error;
	/* Nobody is left to be told when this fails. */
	(void)send_message(socket, &message, -1);
}

/* N is what a call that receives has returned. */
static int check_taken(
	const struct sync_message *message, ssize_t n, enum sync_type type, struct error *err)
{
	if (n < 0)
		return error_set_errno(err, "hear from the runtime");
	if (n != (ssize_t)sizeof(*message) || message->type != type)
		return error_set(err, ERROR_SYSTEM, "the runtime is gone");
	return 0;
}

int sync_send_fds(int socket, enum sync_type type, const int *fds, size_t count, struct error *err)
{
	const struct sync_message message = { .type = type, .value = (int)count };

	if (fd_send(socket, &message, sizeof(message), fds, count) < 0)
		return error_set_errno(err, "tell the container's first process");
	return 0;
}

int sync_take_fds(int socket, enum sync_type type, int ret_fds[static FD_SEND_MAX],
	size_t *ret_count, struct error *err)
{
	struct sync_message message = { 0 };
	ssize_t n = fd_receive(socket, &message, sizeof(message), ret_fds, FD_SEND_MAX);
	int result = check_taken(&message, n, type, err);
	size_t count = 0;

	while (count < FD_SEND_MAX && ret_fds[count] >= 0)
		count++;
	if (result == 0 && (size_t)message.value != count)
		result = error_set(err, ERROR_SYSTEM, "descriptors of the runtime are lost");
	if (result < 0)
		for (size_t i = 0; i < count; i++)
			close_at(&ret_fds[i]);
	*ret_count = count;
	return result;
}

int sync_take(int socket, enum sync_type type, int *ret_fd, struct error *err)
{
	struct sync_message message;
	ssize_t n = fd_receive(socket, &message, sizeof(message), ret_fd, ret_fd ? 1 : 0);

	return check_taken(&message, n, type, err);
}

int sync_await_go(int socket, struct error *err)
{
	struct sync_message message;
	ssize_t n;

	do
		n = read(socket, &message, sizeof(message));
	while (n < 0 && errno == EINTR);
	return check_taken(&message, n, SYNC_GO, err);
}

int sync_ask(int socket, enum sync_type type, int value, struct error *err)
{
	if (sync_send(socket, type, value, -1, err) < 0)
		return -1;
	return sync_take(socket, SYNC_GO, NULL, err);
}

bool sync_waits(enum sync_type type)
{
	return type == SYNC_MAP_IDS || type == SYNC_MOVE || type == SYNC_SOURCES ||
	       type == SYNC_HOOKS || type == SYNC_FILTER || type == SYNC_READY;
}

static void send_log(void *context, enum log_level level, const char *text)
{
	struct sync_message message = {
		.type = level == LOG_LEVEL_WARNING ? SYNC_WARNING : SYNC_DEBUG,
	};
	const int *socket = context;

	snprintf(message.text, sizeof(message.text), "%s", text);
	(void)send_message(*socket, &message, -1);
}

void sync_log_to(const int *socket, enum log_level level)
{
	struct log_sink sink = { .level = level, .write = send_log };

	memcpy(&sink.context, &socket, sizeof(socket));
	log_set_sink(&sink);
}

int64_t sync_deadline(void)
{
	return clock_now_ms() + SYNC_SECONDS * 1000;
}

int sync_time_out(struct error *err)
{
	error_set(err, ERROR_SYSTEM, "the container's process has not answered in time");
	return error_hint(err, "a process in the container may have stopped it");
}

/* Over is over, also for one who never stops to send. */
static int wait_for_message(int socket, int64_t deadline, struct error *err)
{
	struct pollfd event = { .fd = socket, .events = POLLIN };
	int timeout, n;

	do {
		timeout = clock_poll_timeout(deadline);
		n = timeout ? poll(&event, 1, timeout) : 0;
	} while (n < 0 && errno == EINTR);
	if (n < 0)
		return error_set_errno(err, "wait for the container's process");
	return n ? 0 : sync_time_out(err);
}

static int receive_one(int socket, struct sync_message *message, int *ret_fd, struct error *err)
{
	ssize_t n = fd_receive(socket, message, sizeof(*message), ret_fd, 1);

	/* It has ended without having read all; this is said once, before what it has sent. */
	if (n < 0 && errno == ECONNRESET)
		n = fd_receive(socket, message, sizeof(*message), ret_fd, 1);
	if (n == 0 || (n < 0 && errno == ECONNRESET)) {
		error_set(err, ERROR_SYSTEM, "the container's first process ended unexpectedly");
		err->sys_errno = EPIPE;
		return -1;
	}
	if (n < 0)
		return error_set_errno(err, "hear from the container's first process");
	if (n != (ssize_t)sizeof(*message) || message->type <= SYNC_NETWORK ||
		message->type > SYNC_ERROR)
		return error_set(err, ERROR_SYSTEM,
			"the container's first process sent a malformed message");
	if (message->type == SYNC_WARNING || message->type == SYNC_DEBUG)
		message->text[sizeof(message->text) - 1] = '\0';
	if (message->type == SYNC_MADE)
		message->made.name[sizeof(message->made.name) - 1] = '\0';
	return 0;
}

/* The process's own errors, which may be of a broken pipe as well, have a phase. */
bool sync_is_end(const struct error *err)
{
	return err->sys_errno == EPIPE && !err->phase[0];
}

int sync_refuse(const struct sync_message *message, struct error *err)
{
	return error_set(err, ERROR_SYSTEM, "unexpected message %d from the container's process",
		(int)message->type);
}

int sync_receive_any(int socket, int64_t deadline, struct sync_message *ret_message, int *ret_fd,
	struct error *err)
{
	cleanup_fd int fd = -1;

	if (wait_for_message(socket, deadline, err) < 0)
		return -1;
	if (receive_one(socket, ret_message, &fd, err) < 0)
		return -1;
	switch ((int)ret_message->type) {
	case SYNC_WARNING:
		log_warning("%s", ret_message->text);
		return 0;
	case SYNC_DEBUG:
		log_debug("%s", ret_message->text);
		return 0;
	case SYNC_ERROR:
		return error_adopt(err, &ret_message->error);
	default:
		if (ret_fd)
			*ret_fd = take_fd(&fd);
		return 0;
	}
}

int sync_receive(int socket, int64_t deadline, struct sync_message *ret_message, int *ret_fd,
	struct error *err)
{
	do
		if (sync_receive_any(socket, deadline, ret_message, ret_fd, err) < 0)
			return -1;
	while (ret_message->type == SYNC_WARNING || ret_message->type == SYNC_DEBUG);
	return 0;
}
