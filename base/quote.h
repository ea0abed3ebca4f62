/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What other programs have said, as a part of a message of ours.
 *
 * Engines search messages for phrases to choose an exit status, or to treat an
 * error as success, and compare without regard to case. Said by a hook, a
 * helper or systemd they mean nothing of the kind.
 */
#ifndef KOGG_BASE_QUOTE_H
#define KOGG_BASE_QUOTE_H

#include "base/text.h"

/*
 * Appends the SIZE bytes of WORDS as one line: without blanks at the end,
 * control characters as escapes, and the first blank of a phrase that engines
 * know as U+00A0, which looks the same to people.
 */
void quote_append(struct text *line, const char *words, size_t size);

#endif
