/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The container's pseudoterminal (pty(7), devpts; ioctl_tty(2)).
 *
 * Opened from the container's own devpts, so that its names mean something
 * inside, and never by a path that the image could have bent
 * (CVE-2025-52565). The master leaves by a console socket; the slave becomes
 * standard input, output, error and controlling terminal.
 */
#ifndef KOGG_LIBCONTAINER_KERNEL_TERMINAL_H
#define KOGG_LIBCONTAINER_KERNEL_TERMINAL_H

#include "base/error.h"
#include "libspec/spec_process.h"

struct terminal {
	int master;
	int slave;
	char name[32]; /* "/dev/pts/0", as seen inside */
};

#define cleanup_terminal __attribute__((cleanup(terminal_close)))
#define TERMINAL_CLOSED                   \
	{                                 \
		.master = -1, .slave = -1 \
	}

/*
 * Opens a pair from the devpts at dev/pts below ROOT_FD, which must be one,
 * with the size of process.consoleSize when there is one. A pipe of both ends:
 * the caller owns master and slave.
 */
int terminal_open(int root_fd, const struct spec_process *process, struct terminal *ret_terminal,
	struct error *err) must_check;

/* Gives the slave to UID, the user in the container, who else could not reopen it. */
int terminal_give_to(const struct terminal *terminal, unsigned uid, struct error *err) must_check;

/* Makes the slave the caller's controlling terminal; the caller leads a session (setsid(2)). */
int terminal_control(const struct terminal *terminal, struct error *err) must_check;

/* Makes the slave descriptors 0, 1 and 2, without close-on-exec. */
int terminal_attach(const struct terminal *terminal, struct error *err) must_check;

/*
 * Connects to the stream socket PATH that --console-socket or --pidfd-socket
 * names. Returns a descriptor that the caller owns.
 */
int terminal_connect(const char *path, struct error *err) must_check;

/*
 * Sends the master with the slave's name over SOCKET: one message, one
 * descriptor, as console sockets want it.
 */
int terminal_send(const struct terminal *terminal, int socket, struct error *err) must_check;

/* The same for any descriptor and payload: pidfd sockets. */
int terminal_send_fd(int socket, int fd, const char *payload, struct error *err) must_check;

/* Copies the window size of FROM to TO; both are terminals. */
int terminal_copy_size(int from, int to, struct error *err) must_check;

/* Has the pair leave line ends alone: "\n" is not written as "\r\n" (ONLCR off). */
int terminal_keep_line_ends(int fd, struct error *err) must_check;

void terminal_close(struct terminal *terminal);

#endif
