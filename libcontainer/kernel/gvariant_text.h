/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Values in GVariant's text form, of which org.systemd.property annotations
 * are made: 'text', true, 5, uint64 5, @t 5, ['a', 'b'].
 *
 * Only basic types and arrays of them. Knows nothing of systemd.
 */
#ifndef KOGG_LIBCONTAINER_KERNEL_GVARIANT_TEXT_H
#define KOGG_LIBCONTAINER_KERNEL_GVARIANT_TEXT_H

#include <jansson.h>

#include "base/error.h"

/* "as" and its NUL */
#define GVARIANT_SIGNATURE_SIZE 3

/*
 * Gives the D-Bus signature (s, b, y, n, q, i, u, x, t, d, or "a" and one of
 * them) and the value, which the caller owns; an unsigned 64-bit number above
 * the signed ones comes as the negative one of the same bits.
 */
int gvariant_text_parse(const char *text, char ret_signature[static GVARIANT_SIGNATURE_SIZE],
	json_t **ret_value, struct error *err) must_check;

#endif
