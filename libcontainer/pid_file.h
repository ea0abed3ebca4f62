/* SPDX-License-Identifier: Apache-2.0 */
/*
 * --pid-file and --pidfd-socket: how a caller learns which process it got.
 */
#ifndef KOGG_LIBCONTAINER_PID_FILE_H
#define KOGG_LIBCONTAINER_PID_FILE_H

#include <sys/types.h>

#include "base/error.h"

/*
 * Makes PATH hold PID: decimal, no newline, whole or not at all. A relative
 * path counts from the caller's directory. Nothing when PATH is NULL.
 */
int pid_file_write(const char *path, pid_t pid, struct error *err) must_check;

/* Takes PATH away again, if it is not NULL. */
void pid_file_remove(const char *path);

/* Sends PIDFD with PAYLOAD to the socket PATH. Nothing when PATH is NULL. */
int pid_file_send(const char *path, int pidfd, const char *payload, struct error *err) must_check;

#endif
