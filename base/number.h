/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Numbers from text, strictly: the whole string, digits only, in range.
 *
 * No blanks, no sign where none belongs, no wrap: "exec -u 4294967296" once
 * made a peer run as root, and "-1" another.
 */
#ifndef KOGG_BASE_NUMBER_H
#define KOGG_BASE_NUMBER_H

#include <stdint.h>

#include "base/attributes.h"

/* Decimal, 0 to MAX. Returns -1 for anything else and leaves RET_VALUE alone. */
int number_parse_u64(const char *text, uint64_t max, uint64_t *ret_value) must_check;
int number_parse_u32(const char *text, uint32_t *ret_value) must_check;

/* Octal, 0 to MAX, as modes and umasks are written. */
int number_parse_octal(const char *text, uint64_t max, uint64_t *ret_value) must_check;

/* Decimal with an optional "-" in front. */
int number_parse_i64(const char *text, int64_t *ret_value) must_check;

/*
 * Bytes: a decimal number, with or without a fraction, and an optional suffix k, m,
 * g, t, p (powers of 1024, either case, "b" or "ib" may follow, a blank may come
 * before), rounded down; or "-1", which is no limit.
 */
int number_parse_bytes(const char *text, int64_t *ret_bytes) must_check;

#endif
