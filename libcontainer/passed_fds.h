/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Descriptors that the caller passes on to the container's process: those of
 * socket activation (sd_listen_fds(3)) and --preserve-fds, from 3 on.
 */
#ifndef KOGG_LIBCONTAINER_PASSED_FDS_H
#define KOGG_LIBCONTAINER_PASSED_FDS_H

#include "base/error.h"

struct passed_fds {
	unsigned listen;    /* LISTEN_FDS, when LISTEN_PID is this process */
	unsigned preserved; /* --preserve-fds, behind them */
};

/*
 * Checks that they are open, and has all others close at execve(2): what the
 * caller left open by mistake must not reach the container (CVE-2024-21626).
 * Goes first, while nothing of ours is open that could be taken for one.
 */
int passed_fds_guard(unsigned preserve, struct passed_fds *ret_passed, struct error *err)
	must_check;

#endif
