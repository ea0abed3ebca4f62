/* SPDX-License-Identifier: Apache-2.0 */
/* Releasing a first process that waits: what `start` and `run` have in common. */
#ifndef KOGG_LIBCONTAINER_START_H
#define KOGG_LIBCONTAINER_START_H

#include <stdint.h>

#include "base/error.h"
#include "libcontainer/interrupts.h"
#include "libcontainer/launch.h"
#include "libcontainer/start_channel.h"

/*
 * Lets the first process go by the starter's side CHANNEL, and waits until it has
 * become the user's program, but not beyond DEADLINE of clock_now_ms(): it may
 * have been stopped by a process that shares its PID namespace. INTERRUPTS, if
 * not NULL, end the wait, too. On failure it has ended, is about to, or is for
 * the caller to end.
 *
 * That its end of CHANNEL is closed says either that or that it died. Which of
 * them the kernel knows until it is reaped, as may be at once where it is not
 * the caller's child. Then its word counts that it was about to (see below):
 * without it, it died. With it, nobody is left who could tell the one from the
 * other but by the signal; one that the filter sends is taken for a death.
 */
int start_release(const struct start_channel *channel, const struct launched *first,
	int64_t deadline, struct interrupts *interrupts, struct error *err) must_check;

/*
 * The first process's last step before execve(2): gives its word over its side
 * CHANNEL. Uses write(2) alone.
 */
int start_announce(const struct start_channel *channel, struct error *err) must_check;

#endif
