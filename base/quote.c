/* SPDX-License-Identifier: Apache-2.0 */
#include "base/quote.h"

#include <ctype.h>
#include <string.h>

static const char *const phrases[] = {
	"no such file or directory",
	"permission denied",
	"operation not permitted",
	"executable file not found",
	"open executable",
	"is a directory",
	"not a directory",
	"does not exist",
	"no such process",
	"invalid process",
	"container not running",
	"process already finished",
};

static void append_as_line(struct text *line, const char *words, size_t size)
{
	while (size && isspace((unsigned char)words[size - 1]))
		size--;
	for (const char *p = words; p < words + size; p++) {
		unsigned char c = (unsigned char)*p;

		if (c == '\n')
			text_append(line, "\\n");
		else if (c == '\t')
			text_append(line, " ");
		else if (c < 0x20 || c == 0x7f)
			text_appendf(line, "\\x%02x", c);
		else
			text_append_bytes(line, p, 1);
	}
}

/* The place of the first blank of the phrase that begins at TEXT, or NULL. */
static const char *blank_of_phrase(const char *text)
{
	for (size_t i = 0; i < array_size(phrases); i++)
		if (strncasecmp(text, phrases[i], strlen(phrases[i])) == 0)
			return text + strcspn(phrases[i], " ");
	return NULL;
}

void quote_append(struct text *line, const char *words, size_t size)
{
	cleanup_text struct text plain = { 0 };
	const char *blank = NULL;

	append_as_line(&plain, words, size);
	line->has_failed |= plain.has_failed;
	for (const char *p = plain.data ?: ""; *p; p++) {
		if (!blank || p > blank)
			blank = blank_of_phrase(p);
		if (p == blank)
			text_append(line, "\u00a0");
		else
			text_append_bytes(line, p, 1);
	}
}
