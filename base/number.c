/* SPDX-License-Identifier: Apache-2.0 */
#include "base/number.h"

#include <ctype.h>
#include <stddef.h>
#include <string.h>
#include <strings.h>

#define DIGITS "0123456789"

/* Reads the digits at *TEXT and moves it behind them. */
static int parse_digits(const char **text, unsigned base, uint64_t max, uint64_t *ret_value)
{
	uint64_t value = 0;
	const char *p = *text;

	for (; *p >= '0' && *p < (char)('0' + base); p++)
		if (__builtin_mul_overflow(value, base, &value) ||
			__builtin_add_overflow(value, (uint64_t)(*p - '0'), &value) || value > max)
			return -1;
	if (p == *text)
		return -1;
	*text = p;
	*ret_value = value;
	return 0;
}

static int parse_whole(const char *text, unsigned base, uint64_t max, uint64_t *ret_value)
{
	uint64_t value;

	if (parse_digits(&text, base, max, &value) < 0 || *text)
		return -1;
	*ret_value = value;
	return 0;
}

int number_parse_u64(const char *text, uint64_t max, uint64_t *ret_value)
{
	return parse_whole(text, 10, max, ret_value);
}

int number_parse_octal(const char *text, uint64_t max, uint64_t *ret_value)
{
	return parse_whole(text, 8, max, ret_value);
}

int number_parse_u32(const char *text, uint32_t *ret_value)
{
	uint64_t value;

	if (parse_whole(text, 10, UINT32_MAX, &value) < 0)
		return -1;
	*ret_value = (uint32_t)value;
	return 0;
}

int number_parse_i64(const char *text, int64_t *ret_value)
{
	uint64_t value;

	if (*text != '-') {
		if (parse_whole(text, 10, INT64_MAX, &value) < 0)
			return -1;
		*ret_value = (int64_t)value;
		return 0;
	}
	if (parse_whole(text + 1, 10, (uint64_t)INT64_MAX + 1, &value) < 0)
		return -1;
	*ret_value = (int64_t)(0 - value);
	return 0;
}

/* The power of 1024 that SUFFIX stands for, or -1. */
static int suffix_power(const char *suffix)
{
	static const char letters[] = "kmgtp";
	const char *letter;

	if (!*suffix || !strcasecmp(suffix, "b"))
		return 0;
	letter = strchr(letters, tolower((unsigned char)*suffix));
	suffix++;
	if (!letter || (*suffix && strcasecmp(suffix, "b") && strcasecmp(suffix, "ib")))
		return -1;
	return (int)(letter - letters) + 1;
}

/* How much of 1 << SHIFT the digits of a fraction, ".25", are, rounded down; steps over them. */
static int parse_fraction(const char **text, unsigned shift, uint64_t *ret_value)
{
	const char *first = *text + 1, *end = first + strspn(first, DIGITS);
	uint64_t value = 0;

	if (end == first)
		return -1;
	for (const char *p = end; p > first; p--)
		value = (((uint64_t)(p[-1] - '0') << shift) + value) / 10;
	*text = end;
	*ret_value = value;
	return 0;
}

int number_parse_bytes(const char *text, int64_t *ret_bytes)
{
	const char *fraction;
	uint64_t value, rest = 0;
	int power;

	if (!strcmp(text, "-1")) {
		*ret_bytes = -1;
		return 0;
	}
	if (parse_digits(&text, 10, INT64_MAX, &value) < 0)
		return -1;
	fraction = text;
	if (*text == '.')
		text += 1 + strspn(text + 1, DIGITS);
	power = suffix_power(text + (*text == ' '));
	if (power < 0 || value > (uint64_t)INT64_MAX >> (10 * power))
		return -1;
	if (*fraction == '.' && parse_fraction(&fraction, 10U * (unsigned)power, &rest) < 0)
		return -1;
	*ret_bytes = (int64_t)((value << (10 * power)) + rest);
	return 0;
}
