/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A growable string.
 *
 * Appending never fails on the spot: when memory runs out the text stays as it
 * was and remembers, so that a caller who appends twenty times asks once, with
 * text_check(). data is NULL or ends with a NUL behind length bytes.
 */
#ifndef KOGG_BASE_TEXT_H
#define KOGG_BASE_TEXT_H

#include <stdbool.h>
#include <stddef.h>

#include "base/error.h"

struct text {
	char *data;
	size_t length;
	size_t capacity;
	bool has_failed;
};

#define cleanup_text __attribute__((cleanup(text_release)))

void text_append(struct text *text, const char *string);
void text_append_bytes(struct text *text, const void *bytes, size_t count);
void text_appendf(struct text *text, const char *fmt, ...) printf_like(2, 3);

/* Fails when an append has run out of memory. */
int text_check(const struct text *text, struct error *err) must_check;

void text_release(struct text *text);

#endif
