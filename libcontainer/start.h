/* SPDX-License-Identifier: Apache-2.0 */
/* Releasing a first process that waits: what `start` and `run` have in common. */
#ifndef KOGG_LIBCONTAINER_START_H
#define KOGG_LIBCONTAINER_START_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/error.h"
#include "libcontainer/start_channel.h"

/*
 * Lets the first process PID go by the starter's side CHANNEL, and waits until it has
 * become the user's program, but not beyond DEADLINE of clock_now_ms(): it may
 * have been stopped by a process that shares its PID namespace. On failure it
 * has ended, is about to, or is for the caller to end.
 */
int start_release(const struct start_channel *channel, pid_t pid, int64_t deadline,
	struct error *err) must_check;

/*
 * Whether a process that has closed its descriptors did so because it ended, and
 * not by becoming the program: then it still bears our name. Once it has been
 * reaped nothing is known, and the answer is false.
 */
bool start_has_died_early(pid_t pid);

#endif
