/* SPDX-License-Identifier: Apache-2.0 */
/*
 * jansson's tree as JSON text.
 *
 * Not by json_dumps(3): jansson 2.14 takes no notice when a member's name does
 * not fit into a buffer that can't grow, and goes on without it.
 */
#ifndef KOGG_LIBSPEC_JSON_DUMP_H
#define KOGG_LIBSPEC_JSON_DUMP_H

#include <jansson.h>

#include "base/attributes.h"
#include "base/error.h"
#include "base/text.h"

/*
 * Appends JSON, which it takes over and which may be NULL for lack of memory,
 * by FLAGS of json_dumps(3).
 */
int json_dump_text(json_t *json, size_t flags, struct text *text, struct error *err) must_check;

#endif
