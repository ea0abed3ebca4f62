/* SPDX-License-Identifier: Apache-2.0 */
/* What --version prints. */
#ifndef KOGG_CMD_VERSION_H
#define KOGG_CMD_VERSION_H

#include "base/text.h"

/*
 * Appends one line an item. Only the first may hold the word "version", and no
 * colon behind it: one caller takes the last line that does.
 */
void version_describe(struct text *ret_text);

#endif
