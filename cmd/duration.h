/* SPDX-License-Identifier: Apache-2.0 */
/* Durations as callers write them: "5s", "100ms", "1m30s". */
#ifndef KOGG_CMD_DURATION_H
#define KOGG_CMD_DURATION_H

#include <stdint.h>

#include "base/attributes.h"

/* The longest that is taken: a year. */
#define DURATION_MS_MAX (366LL * 24 * 3600 * 1000)

/*
 * Reads numbers, each with its unit (h, m, s, ms), one behind the other, into
 * whole milliseconds; "0" alone needs no unit. Returns -1 for anything else.
 */
int duration_parse(const char *text, int64_t *ret_ms) must_check;

#endif
