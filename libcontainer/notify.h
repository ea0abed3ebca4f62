/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Telling a service manager that the container's program is ready
 * (sd_notify(3), NOTIFY_SOCKET).
 *
 * The manager knows the runtime, not the container, so the container gets a
 * socket of its own and the runtime passes on what counts: who returns when the
 * program runs, the first line that begins with READY=; who stays in the foreground,
 * as long as that lasts, also STATUS=, WATCHDOG=1, RELOADING=1 and STOPPING=1.
 * What the container sends is hostile: all other lines, and descriptors that come
 * along, are dropped, and only so many messages a second are read.
 *
 * All of it is in force only with NOTIFY_SOCKET in the environment of `create`
 * (or `run`), and of `start`; nowhere else is that variable read.
 */
#ifndef KOGG_LIBCONTAINER_NOTIFY_H
#define KOGG_LIBCONTAINER_NOTIFY_H

#include <poll.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/error.h"

struct notify {
	int socket;         /* the container's messages; -1: nothing to wait for */
	int manager;        /* connected to the caller's */
	bool has_told;      /* that the program is ready */
	unsigned left;      /* messages that may be read until SECOND_END */
	int64_t second_end; /* of clock_now_ms() */
};

#define NOTIFY_CLOSED                       \
	{                                   \
		.socket = -1, .manager = -1 \
	}

#define cleanup_notify __attribute__((cleanup(notify_close)))

/*
 * For create: makes the directory that the container gets as /run/notify, if
 * the caller wants to be notified. *RET_PATH is its path below ROOT, which the
 * caller frees, or NULL. DIR_FD is of the container ID's state directory.
 */
int notify_make_dir(int dir_fd, const char *root, const char *id, char **ret_path,
	struct error *err) must_check;

/*
 * Before the program starts: opens the container's socket, if the caller wants
 * to be notified and the container was created so; else RET_NOTIFY is closed.
 */
int notify_open(int dir_fd, struct notify *ret_notify, struct error *err) must_check;

/*
 * In the foreground: the caller stays what the manager knows as the service. FD is
 * filled in for poll(2), and the timeout is what that is given: -1, but after
 * NOTIFY_MESSAGES_PER_SECOND until the second is over. NOTIFY may be NULL.
 */
#define NOTIFY_MESSAGES_PER_SECOND 100

void notify_watch(const struct notify *notify, struct pollfd *fd);
int notify_timeout(const struct notify *notify);
void notify_serve(struct notify *notify, const struct pollfd *fd);

/*
 * For a caller that is about to return: waits until the program is ready, makes
 * PID the service's main process, and waits at most NOTIFY_BARRIER_SECONDS for
 * the manager to have understood, who could not tell afterwards whose message
 * it was. Ends early when the process PIDFD does. A manager that can't be
 * reached is a warning: the container runs.
 */
int notify_wait(struct notify *notify, int pidfd, pid_t pid, struct error *err) must_check;

#define NOTIFY_BARRIER_SECONDS 30

void notify_close(struct notify *notify);

#endif
