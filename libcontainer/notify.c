/* SPDX-License-Identifier: Apache-2.0 */
#include "libcontainer/notify.h"

#include <errno.h>
#include <fcntl.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "base/fd.h"
#include "base/log.h"

#define DIRECTORY "notify"
#define SOCKET    "notify.sock"

/* The most that systemd reads of a message. */
#define MESSAGE_MAX 4096

static const char *wanted_address(void)
{
	const char *address = getenv("NOTIFY_SOCKET");

	return address && address[0] ? address : NULL;
}

int notify_make_dir(
	int dir_fd, const char *root, const char *id, char **ret_path, struct error *err)
{
	*ret_path = NULL;
	if (!wanted_address())
		return 0;
	/* mkdir(2) heeds the umask, and the user in the container has to get through. */
	if (mkdirat(dir_fd, DIRECTORY, 0755) < 0 || fchmodat(dir_fd, DIRECTORY, 0755, 0) < 0)
		return error_set_call(err, "mkdir", DIRECTORY);
	if (asprintf(ret_path, "%s/%s/" DIRECTORY, root, id) < 0) {
		*ret_path = NULL;
		return error_set(err, ERROR_SYSTEM, "out of memory");
	}
	return 0;
}

/* By way of the descriptor, since the path may be longer than an address. */
static int listen_inside(int dir, struct error *err)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	cleanup_fd int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

	if (fd < 0)
		return error_set_errno(err, "make a socket");
	snprintf(address.sun_path, sizeof(address.sun_path), "/proc/self/fd/%d/" SOCKET, dir);
	unlinkat(dir, SOCKET, 0);
	if (bind(fd, (struct sockaddr *)&address, sizeof(address)) < 0 ||
		fchmodat(dir, SOCKET, 0777, 0) < 0)
		return error_set_call(err, "bind", DIRECTORY "/" SOCKET);
	return take_fd(&fd);
}

/* "/path", or "@name" for an abstract one (sd_notify(3)). */
static int connect_manager(const char *path, struct error *err)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	cleanup_fd int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	size_t length = strlen(path);

	if (fd < 0)
		return error_set_errno(err, "make a socket");
	if ((path[0] != '/' && path[0] != '@') || length >= sizeof(address.sun_path))
		return error_set(err, ERROR_USAGE,
			"NOTIFY_SOCKET '%s': expected an absolute path or '@' and a name of at "
			"most %zu bytes",
			path, sizeof(address.sun_path) - 1);
	memcpy(address.sun_path, path, length);
	if (path[0] == '@')
		address.sun_path[0] = '\0';
	else
		length++;
	if (connect(fd, (struct sockaddr *)&address,
		    (socklen_t)(offsetof(struct sockaddr_un, sun_path) + length)) < 0)
		return error_set_call(err, "connect", path);
	return take_fd(&fd);
}

int notify_open(int dir_fd, struct notify *ret_notify, struct error *err)
{
	const char *address = wanted_address();
	cleanup_notify struct notify notify = NOTIFY_CLOSED;
	cleanup_fd int dir = -1;

	*ret_notify = notify;
	if (!address)
		return 0;
	dir = openat(dir_fd, DIRECTORY, O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (dir < 0)
		return errno == ENOENT ? 0 : error_set_call(err, "open", DIRECTORY);
	notify.socket = listen_inside(dir, err);
	if (notify.socket < 0)
		return -1;
	notify.manager = connect_manager(address, err);
	if (notify.manager < 0)
		return -1;
	*ret_notify = notify;
	notify = (struct notify)NOTIFY_CLOSED;
	return 0;
}

/* FD goes along unless it is -1. */
static void tell(struct notify *notify, const char *message, int fd)
{
	if (notify->manager < 0 ||
		fd_send(notify->manager, message, strlen(message), &fd, fd >= 0) == 0)
		return;
	log_warning("notify the service manager: %s",
		error_reason(errno, (char[ERROR_REASON_MAX]){ 0 }));
	close_at(&notify->manager);
	notify->manager = -1;
}

/*
 * What a program says of itself to its manager, for which it could end, or hang, as
 * well: not who the service is, what to keep for it, or how long to be patient.
 */
static const struct {
	const char *text;
	bool is_all; /* or what the line begins with */
} passed[] = {
	{ "READY=", false },
	{ "STATUS=", false },
	{ "WATCHDOG=1", true },
	{ "RELOADING=1", true },
	{ "MONOTONIC_USEC=", false },
	{ "STOPPING=1", true },
};

static bool is_passed(const char *line)
{
	for (size_t i = 0; i < array_size(passed); i++)
		if (passed[i].is_all ? !strcmp(line, passed[i].text)
				     : !strncmp(line, passed[i].text, strlen(passed[i].text)))
			return true;
	return false;
}

static bool is_ready(const char *line)
{
	return !strncmp(line, "READY=", strlen("READY="));
}

/* Takes the lines that are not KEPT out of MESSAGE. Whether one says that it is ready. */
static bool keep_lines(char *message, bool (*is_kept)(const char *line))
{
	char *rest = message, *end = message, *line;
	bool has_ready = false;

	while ((line = strsep(&rest, "\n"))) {
		size_t length = strlen(line);

		if (!is_kept(line))
			continue;
		has_ready |= is_ready(line);
		if (end > message)
			*end++ = '\n';
		memmove(end, line, length);
		end += length;
	}
	*end = '\0';
	return has_ready;
}

/* One message of the container, lest one that sends without end holds us; false for none. */
static bool receive(struct notify *notify, char message[static MESSAGE_MAX + 1])
{
	/* Without room for them, descriptors that come along are closed (unix(7)). */
	ssize_t n = recv(notify->socket, message, MESSAGE_MAX + 1, 0);

	if (n > 0 && !message[n - 1])
		n--;
	if (n <= 0 || n > MESSAGE_MAX || memchr(message, '\0', (size_t)n))
		return false;
	message[n] = '\0';
	return true;
}

/* Whether a message has said that the program is ready, which is passed on. */
static bool take_readiness(struct notify *notify)
{
	char message[MESSAGE_MAX + 1];

	if (!receive(notify, message) || !keep_lines(message, is_ready))
		return false;
	*strchrnul(message, '\n') = '\0';
	tell(notify, message, -1);
	return true;
}

static bool is_paused(const struct notify *notify)
{
	return !notify->left && clock_now_ms() < notify->second_end;
}

void notify_watch(const struct notify *notify, struct pollfd *fd)
{
	*fd = (struct pollfd){ .fd = -1, .events = POLLIN };
	if (notify && !is_paused(notify))
		fd->fd = notify->socket;
}

int notify_timeout(const struct notify *notify)
{
	return notify && is_paused(notify) ? clock_poll_timeout(notify->second_end) : -1;
}

static void count_message(struct notify *notify)
{
	int64_t now = clock_now_ms();

	if (now >= notify->second_end) {
		notify->second_end = now + 1000;
		notify->left = NOTIFY_MESSAGES_PER_SECOND;
	}
	notify->left--;
}

/* A manager that does not read, since only the readiness interests it, must not hold us. */
static bool has_room(int socket)
{
	struct pollfd fd = { .fd = socket, .events = POLLOUT };

	return poll(&fd, 1, 0) > 0;
}

void notify_serve(struct notify *notify, const struct pollfd *fd)
{
	char message[MESSAGE_MAX + 1];
	bool has_ready;

	if (!fd->revents)
		return;
	count_message(notify);
	if (!receive(notify, message))
		return;
	has_ready = keep_lines(message, is_passed);
	if (!message[0] || !(has_room(notify->manager) || (has_ready && !notify->has_told)))
		return;
	notify->has_told |= has_ready;
	tell(notify, message, -1);
}

/* Whether FD is ready before the time is up and, unless that is -1, before PIDFD ends. */
static bool wait_for(int fd, int pidfd, int timeout_ms)
{
	struct pollfd fds[] = {
		{ .fd = fd, .events = POLLIN },
		{ .fd = pidfd, .events = POLLIN },
	};
	int n;

	do
		n = poll(fds, array_size(fds), timeout_ms);
	while (n < 0 && errno == EINTR);
	return n > 0 && fds[0].revents;
}

/* The manager closes the pipe when it has read all that was sent before (sd_notify_barrier(3)). */
static int pass_barrier(struct notify *notify, struct error *err)
{
	cleanup_fd int end = -1, barrier = -1;
	int fds[2];

	if (pipe2(fds, O_CLOEXEC) < 0)
		return error_set_errno(err, "make a pipe");
	end = fds[0];
	barrier = fds[1];
	tell(notify, "BARRIER=1", barrier);
	close_at(&barrier);
	barrier = -1;
	if (!wait_for(end, -1, NOTIFY_BARRIER_SECONDS * 1000))
		log_warning(
			"the service manager has not answered for %d s", NOTIFY_BARRIER_SECONDS);
	return 0;
}

int notify_wait(struct notify *notify, int pidfd, pid_t pid, struct error *err)
{
	char main_pid[32];

	if (notify->socket < 0)
		return 0;
	do
		if (!wait_for(notify->socket, pidfd, -1))
			return 0;
	while (!take_readiness(notify));
	snprintf(main_pid, sizeof(main_pid), "MAINPID=%d", (int)pid);
	tell(notify, main_pid, -1);
	return pass_barrier(notify, err);
}

void notify_close(struct notify *notify)
{
	close_at(&notify->socket);
	close_at(&notify->manager);
	*notify = (struct notify)NOTIFY_CLOSED;
}
