/* SPDX-License-Identifier: Apache-2.0 */
#include "libspec/json_writer.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "libspec/json_scan.h"

#define REPLACEMENT "\xef\xbf\xbd"

static bool is_plain(unsigned char c)
{
	return c >= 0x20 && c < 0x80 && c != '"' && c != '\\';
}

/* One character that is not plain; returns how many bytes it had. */
static size_t append_special(struct text *text, const char *p)
{
	static const char specials[] = "\"\\\b\f\n\r\t";
	static const char escapes[] = "\"\\bfnrt";
	const char *found = strchr(specials, *p);
	size_t length;

	if ((unsigned char)*p >= 0x80) {
		length = json_scan_utf8_length(p);
		text_append_bytes(text, length ? p : REPLACEMENT, length ? length : 3);
		return length ? length : 1;
	}
	if (found) {
		const char escape[] = { '\\', escapes[found - specials] };

		text_append_bytes(text, escape, sizeof(escape));
	} else {
		text_appendf(text, "\\u%04x", (unsigned)(unsigned char)*p);
	}
	return 1;
}

static void append_quoted(struct text *text, const char *string)
{
	text_append(text, "\"");
	while (*string) {
		size_t length = 0;

		while (is_plain((unsigned char)string[length]))
			length++;
		text_append_bytes(text, string, length);
		string += length;
		if (*string)
			string += append_special(text, string);
	}
	text_append(text, "\"");
}

static void new_line(struct json_writer *writer)
{
	if (writer->indent)
		text_appendf(writer->text, "\n%*s", (int)(writer->indent * writer->depth), "");
}

/* What comes before a value: the comma, the line, the name. */
static void begin(struct json_writer *writer, const char *name)
{
	if (writer->is_continued)
		text_append(writer->text, ",");
	if (writer->depth > 0)
		new_line(writer);
	writer->is_continued = true;
	if (!name)
		return;
	append_quoted(writer->text, name);
	text_append(writer->text, writer->indent ? ": " : ":");
}

void json_writer_open(struct json_writer *writer, const char *name, char bracket)
{
	begin(writer, name);
	text_append_bytes(writer->text, &bracket, 1);
	writer->depth++;
	writer->is_continued = false;
}

void json_writer_close(struct json_writer *writer, char bracket)
{
	writer->depth--;
	if (writer->is_continued)
		new_line(writer);
	text_append_bytes(writer->text, &bracket, 1);
	writer->is_continued = true;
}

void json_writer_number(struct json_writer *writer, const char *name, int64_t number)
{
	begin(writer, name);
	text_appendf(writer->text, "%" PRIi64, number);
}

void json_writer_bool(struct json_writer *writer, const char *name, bool value)
{
	begin(writer, name);
	text_append(writer->text, value ? "true" : "false");
}

void json_writer_string(struct json_writer *writer, const char *name, const char *string)
{
	if (!string)
		return;
	begin(writer, name);
	append_quoted(writer->text, string);
}
