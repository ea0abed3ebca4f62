/* SPDX-License-Identifier: Apache-2.0 */
/* Tables for people: columns as wide as their widest cell. */
#ifndef KOGG_CMD_TABLE_H
#define KOGG_CMD_TABLE_H

#include <stddef.h>

#include "base/text.h"

/*
 * Appends ROWS of COLUMNS cells each, which lie in CELLS row by row. A column is
 * three blanks wider than its widest cell and at least twelve wide, as scripts
 * that cut the peers' tables expect; the last is not padded. Control characters
 * in cells are escaped. NULL is an empty cell.
 */
void table_write(const char *const *cells, size_t n_rows, size_t n_columns, struct text *ret_text);

#endif
