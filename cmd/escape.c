/* SPDX-License-Identifier: Apache-2.0 */
#include "cmd/escape.h"

#include <stdbool.h>
#include <stdint.h>
#include <string.h>

/*
 * The length of the UTF-8 character at P, or 0 when there is none: no overlong
 * forms, no surrogates, nothing beyond U+10FFFF (RFC 3629). Stops at a NUL.
 */
static size_t utf8_length(const unsigned char *p, uint32_t *ret_point)
{
	static const struct {
		unsigned char mask, lead;
		uint32_t min;
	} forms[] = {
		{ 0x80, 0x00, 0 },
		{ 0xe0, 0xc0, 0x80 },
		{ 0xf0, 0xe0, 0x800 },
		{ 0xf8, 0xf0, 0x10000 },
	};

	for (size_t n = 0; n < array_size(forms); n++) {
		uint32_t point = p[0] & (unsigned char)~forms[n].mask;

		if ((p[0] & forms[n].mask) != forms[n].lead)
			continue;
		for (size_t i = 1; i <= n; i++) {
			if ((p[i] & 0xc0) != 0x80)
				return 0;
			point = point << 6 | (p[i] & 0x3f);
		}
		if (point < forms[n].min || point > 0x10ffff || (point >= 0xd800 && point < 0xe000))
			return 0;
		*ret_point = point;
		return n + 1;
	}
	return 0;
}

static bool is_control(uint32_t point)
{
	return point < 0x20 || (point >= 0x7f && point < 0xa0);
}

static void escape_for_people(const char *string, const char *special, struct text *ret_text)
{
	for (const char *p = string; *p;) {
		uint32_t point = 0;
		size_t length = utf8_length((const unsigned char *)p, &point);

		if (length == 0)
			text_appendf(ret_text, "\\x%02x", (unsigned char)*p);
		else if (point < 0x80 && strchr(special, (int)point))
			text_appendf(ret_text, "\\%c", (int)point);
		else if (is_control(point))
			text_appendf(ret_text, "\\x%02x", point);
		else
			text_append_bytes(ret_text, p, length);
		p += length ? length : 1;
	}
}

void escape_quoted(const char *string, struct text *ret_text)
{
	text_append(ret_text, "\"");
	escape_for_people(string, "\"\\", ret_text);
	text_append(ret_text, "\"");
}

void escape_plain(const char *string, struct text *ret_text)
{
	escape_for_people(string, "", ret_text);
}
