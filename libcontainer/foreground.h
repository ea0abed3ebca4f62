/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A command that stands for the container's process until that ends: it
 * forwards the signals it gets, serves the terminal, stops and goes on as the
 * caller's shell wants it, and takes over the exit status (signalfd(2),
 * pidfd_open(2), poll(2)).
 */
#ifndef KOGG_LIBCONTAINER_FOREGROUND_H
#define KOGG_LIBCONTAINER_FOREGROUND_H

#include <stdint.h>
#include <sys/types.h>

#include "base/error.h"
#include "libcontainer/notify.h"
#include "libcontainer/relay.h"

struct foreground {
	int signals; /* of foreground_catch_signals() */
	pid_t pid;   /* the process, a child */
	int pidfd;
	struct relay *relay;   /* of its terminal; NULL: it has none, or somebody else serves it */
	struct notify *notify; /* NULL: nobody wants to be notified */
};

/*
 * From here on signals wait in the descriptor that is returned, which the
 * caller owns, instead of ending the caller. Those that were ignored stay so.
 */
int foreground_catch_signals(struct error *err) must_check;

/*
 * Waits for the end of the process and reaps it, and all others that become
 * children of the caller (PR_SET_CHILD_SUBREAPER). What the process has written
 * to its terminal comes out first; a signal ends that when the reader doesn't.
 * RET_EXIT_STATUS is the process's, or 128 and its signal.
 */
int foreground_wait(const struct foreground *foreground, int *ret_exit_status, struct error *err)
	must_check;

/*
 * Says in a warning that EXIT_STATUS, if it is that of SIGKILL, comes from the
 * kernel, which has killed KILLS processes of the container for lack of memory.
 */
void foreground_note_kills(int exit_status, uint64_t kills);

#endif
