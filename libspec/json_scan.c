/* SPDX-License-Identifier: Apache-2.0 */
#include "libspec/json_scan.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#define BYTE_ORDER_MARK "\xef\xbb\xbf"

void json_scan_position(const char *text, size_t offset, unsigned *ret_line, unsigned *ret_column)
{
	unsigned line = 1;
	size_t start = 0;

	for (size_t i = 0; i < offset; i++)
		if (text[i] == '\n') {
			line++;
			start = i + 1;
		}
	*ret_line = line;
	*ret_column = (unsigned)(offset - start) + 1;
}

int json_scan_fail(const struct json_scan *scan, size_t offset, const char *fmt, ...)
{
	char text[256];
	va_list args;

	va_start(args, fmt);
	vsnprintf(text, sizeof(text), fmt, args);
	va_end(args);
	json_scan_position(scan->text, offset, &scan->err->line, &scan->err->column);
	return error_set(scan->err, ERROR_SPEC, "%s", text);
}

/* How a message calls the token: "a string", "'}'", "the end of the file". */
static void describe(
	const struct json_scan *scan, const struct json_token *token, char *ret_words, size_t size)
{
	static const char *const names[] = {
		[JSON_TOKEN_END] = "the end of the file",
		[JSON_TOKEN_STRING] = "a string",
		[JSON_TOKEN_INTEGER] = "a number",
		[JSON_TOKEN_HUGE] = "a number",
		[JSON_TOKEN_REAL] = "a number",
		[JSON_TOKEN_TRUE] = "true",
		[JSON_TOKEN_FALSE] = "false",
		[JSON_TOKEN_NULL] = "null",
		[JSON_TOKEN_UNKNOWN] = NULL,
	};
	const char *start = scan->text + token->offset;
	unsigned char first = (unsigned char)*start;
	int length = token->length < 32 ? (int)token->length : 32;

	if (names[token->kind])
		snprintf(ret_words, size, "%s", names[token->kind]);
	else if (first <= 0x20 || first >= 0x7f)
		snprintf(ret_words, size, "byte 0x%02x", first);
	else
		snprintf(ret_words, size, "'%.*s'", length, start);
}

int json_scan_unexpected(
	const struct json_scan *scan, const struct json_token *token, const char *wanted)
{
	char found[48];

	describe(scan, token, found, sizeof(found));
	return json_scan_fail(scan, token->offset, "expected %s, found %s", wanted, found);
}

static bool is_digit(char c)
{
	return c >= '0' && c <= '9';
}

static bool is_letter(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

/* ASCII that stands for itself in a string */
static bool is_plain(char c)
{
	return c >= 0x20 && c < 0x7f && c != '"' && c != '\\';
}

static bool is_continuation(char c)
{
	return ((unsigned char)c & 0xc0) == 0x80;
}

size_t json_scan_utf8_length(const char *p)
{
	unsigned char first = (unsigned char)p[0], second = (unsigned char)p[1];

	if (first < 0xc2 || first > 0xf4 || !is_continuation(p[1]))
		return 0;
	if (first < 0xe0)
		return 2;
	if (!is_continuation(p[2]))
		return 0;
	if (first < 0xf0)
		return (first == 0xe0 && second < 0xa0) || (first == 0xed && second > 0x9f) ? 0 : 3;
	if (!is_continuation(p[3]))
		return 0;
	return (first == 0xf0 && second < 0x90) || (first == 0xf4 && second > 0x8f) ? 0 : 4;
}

static size_t utf8_encode(unsigned code, char *out)
{
	if (code < 0x80) {
		out[0] = (char)code;
		return 1;
	}
	if (code < 0x800) {
		out[0] = (char)(0xc0 | code >> 6);
		out[1] = (char)(0x80 | (code & 0x3f));
		return 2;
	}
	if (code < 0x10000) {
		out[0] = (char)(0xe0 | code >> 12);
		out[1] = (char)(0x80 | (code >> 6 & 0x3f));
		out[2] = (char)(0x80 | (code & 0x3f));
		return 3;
	}
	out[0] = (char)(0xf0 | code >> 18);
	out[1] = (char)(0x80 | (code >> 12 & 0x3f));
	out[2] = (char)(0x80 | (code >> 6 & 0x3f));
	out[3] = (char)(0x80 | (code & 0x3f));
	return 4;
}

/* The four hexadecimal digits at P, or -1. */
static int hex4(const char *p)
{
	int value = 0;

	for (int i = 0; i < 4; i++) {
		char c = p[i];

		if (is_digit(c))
			value = value << 4 | (c - '0');
		else if (c >= 'a' && c <= 'f')
			value = value << 4 | (c - 'a' + 10);
		else if (c >= 'A' && c <= 'F')
			value = value << 4 | (c - 'A' + 10);
		else
			return -1;
	}
	return value;
}

/* Decodes "\uXXXX", or a pair of them, at scan->at and moves behind it. */
static int scan_unicode(struct json_scan *scan, char **out)
{
	const char *p = scan->text + scan->at;
	int code = hex4(p + 2), low;

	if (code < 0)
		return json_scan_fail(
			scan, scan->at, "\\u without four hexadecimal digits in a string");
	if (code == 0)
		return json_scan_fail(scan, scan->at, "NUL (\\u0000) in a string");
	scan->at += 6;
	if (code >= 0xd800 && code <= 0xdfff) {
		low = code < 0xdc00 && p[6] == '\\' && p[7] == 'u' ? hex4(p + 8) : -1;
		if (low < 0xdc00 || low > 0xdfff)
			return json_scan_fail(scan, scan->at - 6,
				"half of a surrogate pair, \\u%04x, in a string", (unsigned)code);
		scan->at += 6;
		code = 0x10000 + ((code - 0xd800) << 10) + (low - 0xdc00);
	}
	*out += utf8_encode((unsigned)code, *out);
	return 0;
}

static int scan_escape(struct json_scan *scan, char **out)
{
	static const char escapes[] = "\"\\/bfnrt";
	static const char values[] = "\"\\/\b\f\n\r\t";
	char c = scan->text[scan->at + 1];
	const char *found = c ? strchr(escapes, c) : NULL;

	if (c == 'u')
		return scan_unicode(scan, out);
	if (!found)
		return json_scan_fail(scan, scan->at, "unknown escape in a string");
	*(*out)++ = values[found - escapes];
	scan->at += 2;
	return 0;
}

/* What is neither plain nor the closing quote. */
static int scan_special(struct json_scan *scan, size_t start, char **out)
{
	const char *p = scan->text + scan->at;
	size_t length;

	if (*p == '\\')
		return scan_escape(scan, out);
	if (scan->at >= scan->size || *p == '\n' || *p == '\r')
		return json_scan_fail(scan, start, "a string without a closing quote");
	if ((unsigned char)*p < 0x20)
		return json_scan_fail(scan, scan->at, "control character 0x%02x in a string",
			(unsigned)(unsigned char)*p);
	length = *p == 0x7f ? 1 : json_scan_utf8_length(p);
	if (!length)
		return json_scan_fail(
			scan, scan->at, "byte 0x%02x is not UTF-8", (unsigned)(unsigned char)*p);
	memcpy(*out, p, length);
	*out += length;
	scan->at += length;
	return 0;
}

static int scan_string(struct json_scan *scan, struct json_token *token)
{
	char *out = scan->strings;

	token->kind = JSON_TOKEN_STRING;
	token->string = out;
	for (scan->at++; scan->text[scan->at] != '"';) {
		const char *run = scan->text + scan->at;
		size_t length = 0;

		while (is_plain(run[length]))
			length++;
		memcpy(out, run, length);
		out += length;
		scan->at += length;
		if (run[length] != '"' && scan_special(scan, token->offset, &out) < 0)
			return -1;
	}
	scan->at++;
	*out++ = '\0';
	scan->strings = out;
	return 0;
}

/* Moves over digits, and says whether there were any. */
static bool skip_digits(const char **p)
{
	const char *start = *p;

	while (is_digit(**p))
		++*p;
	return *p > start;
}

/* ".5", "e+3", ".5e3", or nothing, at P. Returns false when it is broken. */
static bool skip_fraction(const char **p)
{
	if (**p == '.') {
		++*p;
		if (!skip_digits(p))
			return false;
	}
	if (**p == 'e' || **p == 'E') {
		++*p;
		if (**p == '+' || **p == '-')
			++*p;
		return skip_digits(p);
	}
	return true;
}

static int scan_number(struct json_scan *scan, struct json_token *token)
{
	const char *start = scan->text + scan->at, *p = start, *digits, *end;
	bool is_wrong;

	token->is_negative = *p == '-';
	p += token->is_negative;
	digits = p;
	is_wrong = !skip_digits(&p) || (*digits == '0' && p > digits + 1);
	end = p;
	is_wrong = is_wrong || !skip_fraction(&p);
	while (is_letter(*p) || is_digit(*p) || *p == '.' || *p == '+' || *p == '-' || *p == '_') {
		is_wrong = true;
		p++;
	}
	if (is_wrong)
		return json_scan_fail(scan, token->offset, "'%.*s' is not a JSON number",
			p - start < 32 ? (int)(p - start) : 32, start);

	scan->at += (size_t)(p - start);
	token->kind = p > end ? JSON_TOKEN_REAL : JSON_TOKEN_INTEGER;
	token->magnitude = 0;
	for (; digits < end && token->kind == JSON_TOKEN_INTEGER; digits++)
		if (__builtin_mul_overflow(token->magnitude, 10, &token->magnitude) ||
			__builtin_add_overflow(
				token->magnitude, (uint64_t)(*digits - '0'), &token->magnitude))
			token->kind = JSON_TOKEN_HUGE;
	if (token->is_negative && token->magnitude > (uint64_t)INT64_MAX + 1)
		token->kind = JSON_TOKEN_HUGE;
	return 0;
}

static int scan_word(struct json_scan *scan, struct json_token *token)
{
	static const struct {
		const char *word;
		enum json_token_kind kind;
	} words[] = {
		{ "true", JSON_TOKEN_TRUE },
		{ "false", JSON_TOKEN_FALSE },
		{ "null", JSON_TOKEN_NULL },
	};
	const char *start = scan->text + scan->at;
	size_t length = 0;

	while (is_letter(start[length]))
		length++;
	token->kind = JSON_TOKEN_UNKNOWN;
	for (size_t i = 0; i < array_size(words); i++)
		if (length == strlen(words[i].word) && !memcmp(start, words[i].word, length))
			token->kind = words[i].kind;
	scan->at += length;
	return 0;
}

static int scan_other(struct json_scan *scan, struct json_token *token)
{
	if (scan->at == 0 && !strncmp(scan->text, BYTE_ORDER_MARK, 3))
		return json_scan_fail(scan, 0, "the file begins with a byte order mark");
	token->kind = JSON_TOKEN_UNKNOWN;
	scan->at++;
	return 0;
}

static int scan_token(struct json_scan *scan, struct json_token *token)
{
	char c = scan->text[scan->at];

	switch (c) {
	case '{':
	case '}':
	case '[':
	case ']':
	case ':':
	case ',':
		token->kind = JSON_TOKEN_MARK;
		scan->at++;
		return 0;
	case '"':
		return scan_string(scan, token);
	default:
		if (scan->at == scan->size) {
			token->kind = JSON_TOKEN_END;
			return 0;
		}
		if (is_digit(c) || c == '-')
			return scan_number(scan, token);
		return is_letter(c) ? scan_word(scan, token) : scan_other(scan, token);
	}
}

int json_scan_next(struct json_scan *scan, struct json_token *ret_token)
{
	const char *text = scan->text;
	struct json_token token;

	while (text[scan->at] == ' ' || text[scan->at] == '\n' || text[scan->at] == '\t' ||
		text[scan->at] == '\r')
		scan->at++;
	token.offset = scan->at;
	token.string = NULL;
	token.magnitude = 0;
	token.is_negative = false;
	if (scan_token(scan, &token) < 0)
		return -1;
	token.length = scan->at - token.offset;
	*ret_token = token;
	return 0;
}
