/* SPDX-License-Identifier: Apache-2.0 */
/*
 * JSON text as tokens (RFC 8259).
 *
 * Stricter than the RFC in what config.json may hold: UTF-8 without a byte
 * order mark and no NUL in a string, since strings end up as C strings. More
 * exact than it, too: integers keep all 64 bits, so that RLIM_INFINITY,
 * 18446744073709551615, is read as it stands.
 */
#ifndef KOGG_LIBSPEC_JSON_SCAN_H
#define KOGG_LIBSPEC_JSON_SCAN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/attributes.h"
#include "base/error.h"

enum json_token_kind {
	JSON_TOKEN_END,
	JSON_TOKEN_MARK, /* one of {}[]:, ; its first byte says which */
	JSON_TOKEN_STRING,
	JSON_TOKEN_INTEGER, /* of 64 bits */
	JSON_TOKEN_HUGE,    /* an integer beyond that */
	JSON_TOKEN_REAL,    /* with a fraction or an exponent; its value is of no use here */
	JSON_TOKEN_TRUE,
	JSON_TOKEN_FALSE,
	JSON_TOKEN_NULL,
	JSON_TOKEN_UNKNOWN,
};

struct json_token {
	enum json_token_kind kind;
	size_t offset;
	size_t length;
	const char *string; /* STRING: its value */
	uint64_t magnitude; /* INTEGER */
	bool is_negative;
};

struct json_scan {
	const char *text; /* ends with a NUL behind SIZE bytes */
	size_t size;
	size_t at;
	char *strings; /* where values of strings go; SIZE bytes are always enough */
	struct error *err;
};

/* Reads the token at scan->at. Fails with ERROR_SPEC, line and column. */
int json_scan_next(struct json_scan *scan, struct json_token *ret_token) must_check;

/* Fails with ERROR_SPEC at OFFSET. Returns -1. */
int json_scan_fail(const struct json_scan *scan, size_t offset, const char *fmt, ...)
	printf_like(3, 4);

/* Fails with "expected WANTED, found TOKEN". Returns -1. */
int json_scan_unexpected(
	const struct json_scan *scan, const struct json_token *token, const char *wanted);

/*
 * The length of the sequence of two to four bytes at P, which ends with a NUL,
 * or 0 when it is no UTF-8 (RFC 3629): longer than needed, a surrogate, or
 * above U+10FFFF.
 */
size_t json_scan_utf8_length(const char *p);

/* Both from 1, the column in bytes. */
void json_scan_position(const char *text, size_t offset, unsigned *ret_line, unsigned *ret_column);

#endif
