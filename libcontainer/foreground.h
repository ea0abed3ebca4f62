/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A command that stands for the container's process until that ends: it
 * forwards the signals it gets and takes over the exit status.
 */
#ifndef KOGG_LIBCONTAINER_FOREGROUND_H
#define KOGG_LIBCONTAINER_FOREGROUND_H

#include "base/error.h"

/*
 * From here on signals wait in the descriptor that is returned, which the
 * caller owns, instead of ending the caller.
 */
int foreground_catch_signals(struct error *err) must_check;

/*
 * Waits for the end of the child PIDFD and reaps it, forwarding what comes
 * from SIGNALS. RET_EXIT_STATUS is the process's, or 128 and its signal.
 */
int foreground_wait(int signals, int pidfd, int *ret_exit_status, struct error *err) must_check;

#endif
