/* SPDX-License-Identifier: Apache-2.0 */
/* The clock for durations and deadlines (clock_gettime(2), CLOCK_MONOTONIC). */
#ifndef KOGG_BASE_CLOCK_H
#define KOGG_BASE_CLOCK_H

#include <stdint.h>

/* A deadline that never comes. */
#define CLOCK_NO_DEADLINE INT64_MAX

/* Milliseconds since an unspecified point in the past; never goes back. */
int64_t clock_now_ms(void);

/* What poll(2) takes to wait until DEADLINE, of clock_now_ms(): 0 when it is over, -1 for none. */
int clock_poll_timeout(int64_t deadline);

#endif
