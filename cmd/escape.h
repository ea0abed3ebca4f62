/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Text of unknown origin on its way to a log or a terminal.
 *
 * A message may quote what a container or an image said. None of its bytes may
 * end a record or move the cursor. (JSON is libspec/json_writer's.)
 */
#ifndef KOGG_CMD_ESCAPE_H
#define KOGG_CMD_ESCAPE_H

#include "base/text.h"

/* Appends the string in double quotes, as a logfmt value. */
void escape_quoted(const char *string, struct text *ret_text);

/* Appends the string for a person's terminal: bare, control characters as \xNN. */
void escape_plain(const char *string, struct text *ret_text);

#endif
