/* SPDX-License-Identifier: Apache-2.0 */
/* How a first process that waits is let go: two pipes, or FIFOs (fifo(7)). */
#ifndef KOGG_LIBCONTAINER_START_CHANNEL_H
#define KOGG_LIBCONTAINER_START_CHANNEL_H

#include "base/cleanup.h"

/*
 * One side's ends of what leads to the first process, where one byte lets it
 * go, and of what leads back, by which it tells what has become of that: one
 * error, or nothing before the end.
 */
struct start_channel {
	int start, result;
};

#define START_CHANNEL_CLOSED              \
	{                                 \
		.start = -1, .result = -1 \
	}

static inline void start_channel_close(struct start_channel *channel)
{
	close_at(&channel->start);
	close_at(&channel->result);
	*channel = (struct start_channel)START_CHANNEL_CLOSED;
}

#endif
