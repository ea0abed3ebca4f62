/* SPDX-License-Identifier: Apache-2.0 */
#include "cmd/table.h"

#include <assert.h>
#include <string.h>

#include "cmd/escape.h"

#define COLUMNS_MAX  16
#define COLUMN_MIN   12
#define COLUMN_SPACE 3

/* Characters, not bytes: an ID or path may be UTF-8. */
static size_t width_of(const char *string, size_t length)
{
	size_t width = 0;

	for (size_t i = 0; i < length; i++)
		width += ((unsigned char)string[i] & 0xc0) != 0x80;
	return width;
}

static size_t write_cell(const char *cell, struct text *text)
{
	size_t start = text->length;

	escape_plain(cell ? cell : "", text);
	return text->length == start ? 0 : width_of(text->data + start, text->length - start);
}

static size_t column_width(const char *const *cells, size_t n_rows, size_t n_columns, size_t column)
{
	size_t width = COLUMN_MIN - COLUMN_SPACE;

	for (size_t row = 0; row < n_rows; row++) {
		cleanup_text struct text cell = { 0 };
		size_t w = write_cell(cells[row * n_columns + column], &cell);

		if (w > width)
			width = w;
	}
	return width + COLUMN_SPACE;
}

void table_write(const char *const *cells, size_t n_rows, size_t n_columns, struct text *ret_text)
{
	size_t widths[COLUMNS_MAX];

	assert(n_columns > 0 && n_columns <= COLUMNS_MAX);
	for (size_t i = 0; i < n_columns; i++)
		widths[i] = column_width(cells, n_rows, n_columns, i);
	for (size_t row = 0; row < n_rows; row++) {
		for (size_t i = 0; i + 1 < n_columns; i++) {
			size_t width = write_cell(cells[row * n_columns + i], ret_text);

			text_appendf(ret_text, "%*s", (int)(widths[i] - width), "");
		}
		write_cell(cells[row * n_columns + n_columns - 1], ret_text);
		text_append(ret_text, "\n");
	}
}
