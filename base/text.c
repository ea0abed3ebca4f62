/* SPDX-License-Identifier: Apache-2.0 */
#include "base/text.h"

#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static bool reserve(struct text *text, size_t more)
{
	size_t needed, capacity = text->capacity ? text->capacity : 128;
	char *data;

	if (text->has_failed)
		return false;
	if (__builtin_add_overflow(text->length, more, &needed) ||
		__builtin_add_overflow(needed, 1, &needed)) {
		text->has_failed = true;
		return false;
	}
	if (needed <= text->capacity)
		return true;
	while (capacity < needed)
		capacity = capacity > SIZE_MAX / 2 ? needed : capacity * 2;
	data = realloc(text->data, capacity);
	if (!data) {
		text->has_failed = true;
		return false;
	}
	text->data = data;
	text->capacity = capacity;
	return true;
}

void text_append_bytes(struct text *text, const void *bytes, size_t count)
{
	if (!reserve(text, count))
		return;
	memcpy(text->data + text->length, bytes, count);
	text->length += count;
	text->data[text->length] = '\0';
}

void text_append(struct text *text, const char *string)
{
	text_append_bytes(text, string, strlen(string));
}

void text_appendf(struct text *text, const char *fmt, ...)
{
	va_list args;
	int length;

	va_start(args, fmt);
	length = vsnprintf(NULL, 0, fmt, args);
	va_end(args);
	if (length < 0 || !reserve(text, (size_t)length)) {
		text->has_failed = true;
		return;
	}
	va_start(args, fmt);
	vsnprintf(text->data + text->length, (size_t)length + 1, fmt, args);
	va_end(args);
	text->length += (size_t)length;
}

int text_check(const struct text *text, struct error *err)
{
	return text->has_failed ? error_set(err, ERROR_SYSTEM, "out of memory") : 0;
}

void text_release(struct text *text)
{
	free(text->data);
	*text = (struct text){ 0 };
}
