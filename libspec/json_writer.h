/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Writes JSON into a text, members in the order they come.
 *
 * The layout is Go's encoding/json, MarshalIndent: engines read it either
 * way, and people compare it with what they know.
 */
#ifndef KOGG_LIBSPEC_JSON_WRITER_H
#define KOGG_LIBSPEC_JSON_WRITER_H

#include <stdbool.h>
#include <stdint.h>

#include "base/text.h"

struct json_writer {
	struct text *text;
	unsigned indent;   /* blanks a level; 0: all on one line */
	unsigned depth;    /* 0 at first, as the next */
	bool is_continued; /* something stands before, at this level */
};

/*
 * NAME is the member's name, or NULL in an array and at the root. BRACKET is
 * '{' or '[', and that which closes it. Texts are UTF-8; bytes that are not
 * become U+FFFD, since what is printed has to be JSON.
 */
void json_writer_open(struct json_writer *writer, const char *name, char bracket);
void json_writer_close(struct json_writer *writer, char bracket);
void json_writer_number(struct json_writer *writer, const char *name, int64_t number);
void json_writer_bool(struct json_writer *writer, const char *name, bool value);

/* Writes nothing when STRING is NULL. */
void json_writer_string(struct json_writer *writer, const char *name, const char *string);

#endif
