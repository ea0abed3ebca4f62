/* SPDX-License-Identifier: Apache-2.0 */
/* Descriptors: whole reads and writes, and handing them to other processes. */
#ifndef KOGG_BASE_FD_H
#define KOGG_BASE_FD_H

#include <stddef.h>
#include <sys/types.h>

#include "base/error.h"

/* Writes all of it, through short writes and EINTR. -1 and errno on failure. */
int fd_write_all(int fd, const void *data, size_t size) must_check;

/*
 * Reads until SIZE bytes are there or the end. Returns how many came, or -1
 * and errno.
 */
ssize_t fd_read_all(int fd, void *data, size_t size) must_check;

/*
 * Sends SIZE bytes (at least 1) and the COUNT descriptors FDS in one message
 * (unix(7), SCM_RIGHTS). -1 and errno on failure; never raises SIGPIPE.
 */
int fd_send(int socket, const void *data, size_t size, const int *fds, size_t count) must_check;

/*
 * Receives one message of at most SIZE bytes and at most COUNT descriptors,
 * close-on-exec. Returns its size, 0 at the end, -1 and errno on failure;
 * EMSGSIZE when data or descriptors were cut, and then none is left open.
 * Slots of RET_FDS that got none are -1.
 */
ssize_t fd_receive(int socket, void *data, size_t size, int *ret_fds, size_t count) must_check;

/* Most descriptors that one message may carry: the kernel's SCM_MAX_FD. */
#define FD_SEND_MAX 253

#endif
