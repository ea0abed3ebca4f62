/* SPDX-License-Identifier: Apache-2.0 */
#include "cmd/duration.h"

#include <string.h>

#define NS_OF_MS 1000000

/* Two letters stand before the one they begin with. */
static const struct {
	const char *name;
	int64_t ns;
} units[] = {
	{ "ns", 1 },
	{ "us", 1000 },
	{ "\u00b5s", 1000 }, /* micro sign */
	{ "\u03bcs", 1000 }, /* Greek mu */
	{ "ms", NS_OF_MS },
	{ "h", 3600000000000 },
	{ "m", 60000000000 },
	{ "s", 1000000000 },
};

static const char *skip_digits(const char *text)
{
	return text + strspn(text, "0123456789");
}

/* Moves over the unit at *TEXT. Returns how long it is, or -1. */
static int64_t parse_unit(const char **text)
{
	for (size_t i = 0; i < array_size(units); i++) {
		size_t length = strlen(units[i].name);

		if (strncmp(*text, units[i].name, length) != 0)
			continue;
		*text += length;
		return units[i].ns;
	}
	return -1;
}

/* UNIT times the digits at WHOLE and, behind a point, those at FRACTION. */
static int multiply(const char *whole, const char *fraction, int64_t unit, int64_t *ret_ns)
{
	const char *point = skip_digits(whole), *end = skip_digits(fraction);
	int64_t ns = 0;

	for (; whole < point; whole++)
		if (__builtin_mul_overflow(ns, 10, &ns) ||
			__builtin_add_overflow(ns, *whole - '0', &ns))
			return -1;
	if (__builtin_mul_overflow(ns, unit, &ns))
		return -1;
	for (; fraction < end; fraction++) {
		unit /= 10;
		if (__builtin_add_overflow(ns, (*fraction - '0') * unit, &ns))
			return -1;
	}
	*ret_ns = ns;
	return 0;
}

/* Moves over the number and its unit at *TEXT, or returns -1. */
static int parse_part(const char **text, int64_t *ret_ns)
{
	const char *whole = *text, *point = skip_digits(whole);
	const char *fraction = point + (*point == '.'), *end = skip_digits(fraction);
	int64_t unit;

	/* One digit at least, on either side of the point. */
	if (point == whole && end == fraction)
		return -1;
	*text = end;
	unit = parse_unit(text);
	return unit < 0 ? -1 : multiply(whole, fraction, unit, ret_ns);
}

int duration_parse(const char *text, int64_t *ret_ms)
{
	int64_t total = 0;

	text += *text == '+';
	if (strcmp(text, "0") == 0) {
		*ret_ms = 0;
		return 0;
	}
	do {
		int64_t part;

		if (parse_part(&text, &part) < 0 || __builtin_add_overflow(total, part, &total))
			return -1;
	} while (*text);
	*ret_ms = total / NS_OF_MS + (total % NS_OF_MS != 0);
	return 0;
}
