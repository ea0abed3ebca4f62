/* SPDX-License-Identifier: Apache-2.0 */
/* Durations as Go writes them (time.ParseDuration): "5s", "100ms", "1m30s", "1.5h". */
#ifndef KOGG_CMD_DURATION_H
#define KOGG_CMD_DURATION_H

#include <stdint.h>

#include "base/attributes.h"

/* The longest: Go counts nanoseconds in 63 bits. */
#define DURATION_MS_MAX (INT64_MAX / 1000000 + 1)

/*
 * Reads numbers, each with its unit (h, m, s, ms, us, ns), one behind the other,
 * into whole milliseconds: a part of one counts as one. "0" alone
 * needs no unit. Returns -1 for anything else, also below 0.
 */
int duration_parse(const char *text, int64_t *ret_ms) must_check;

#endif
