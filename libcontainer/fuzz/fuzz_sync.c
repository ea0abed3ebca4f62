/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The runtime's end of the handshake with a first process that an attacker has:
 * the input is a row of messages, each one byte for its length and for what
 * comes along, one for its type, two for how much follows of it, and that.
 */
#include <fcntl.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "base/fd.h"
#include "libcontainer/sync.h"

#define CUT     1U /* it is shorter than a message */
#define LONG    2U /* it is longer */
#define HAS_FD  4U
#define HAS_TWO 8U

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void demand(int is_true)
{
	if (!is_true)
		__builtin_trap();
}

/* Fills MESSAGE with what follows at DATA. Returns how much that was. */
static size_t fill(const uint8_t *data, size_t size, struct sync_message *message)
{
	size_t follows = size < 2 ? 0 : ((size_t)data[0] << 8 | data[1]);
	size_t room = sizeof(*message) - offsetof(struct sync_message, value);

	if (size < 2)
		return size;
	if (follows > size - 2)
		follows = size - 2;
	if (follows > room)
		follows = room;
	memcpy(&message->value, data + 2, follows);
	return follows + 2;
}

static size_t send_one(int socket, const uint8_t *data, size_t size)
{
	char bytes[sizeof(struct sync_message) + 64] = "";
	struct sync_message message = { .type = (enum sync_type)(int8_t)data[1] };
	const int fds[] = { socket, socket };
	size_t used = 2 + fill(data + 2, size - 2, &message), length = sizeof(message);

	memcpy(bytes, &message, sizeof(message));
	if (data[0] & CUT)
		length = 1 + data[0] * 8U;
	else if (data[0] & LONG)
		length += 1 + data[0] / 8U;
	(void)!fd_send(socket, bytes, length, fds, data[0] & HAS_TWO ? 2 : (data[0] & HAS_FD) != 0);
	return used;
}

static bool ends(const char *text, size_t size)
{
	return memchr(text, '\0', size) != NULL;
}

static void check_error(const struct error *err)
{
	demand(err->kind > ERROR_NONE && err->kind <= ERROR_SYSTEM);
	demand(ends(err->text, sizeof(err->text)) && ends(err->hint, sizeof(err->hint)) &&
		ends(err->pointer, sizeof(err->pointer)) && ends(err->path, sizeof(err->path)) &&
		ends(err->op, sizeof(err->op)) && ends(err->phase, sizeof(err->phase)));
}

/* Receives until the end of the stream, or what is taken for it. */
static void receive_all(int socket)
{
	struct sync_message message;
	struct error err = { 0 };
	int fd = -1;

	while (sync_receive(socket, clock_now_ms() + 1000, &message, &fd, &err) == 0) {
		demand(message.type > SYNC_GO && message.type < SYNC_WARNING);
		if (message.type == SYNC_MADE)
			demand(ends(message.made.name, sizeof(message.made.name)));
		close_at(&fd);
		fd = -1;
	}
	demand(fd == -1);
	check_error(&err);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct error err = { 0 };
	int sockets[2], first, after;

	demand(sync_open(sockets, &err) == 0);
	fcntl(sockets[1], F_SETFL, O_NONBLOCK);
	for (size_t at = 0; size - at >= 2;)
		at += send_one(sockets[1], data + at, size - at);
	shutdown(sockets[1], SHUT_WR);
	receive_all(sockets[0]);
	first = sockets[0];
	close(sockets[0]);
	close(sockets[1]);
	/* No descriptor that came along stays open. */
	after = open("/", O_PATH | O_CLOEXEC);
	demand(after == first || after < first);
	close(after);
	return 0;
}
