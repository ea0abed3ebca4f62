/* SPDX-License-Identifier: Apache-2.0 */
#include "cmd/duration.h"

#include <ctype.h>
#include <string.h>

/* Two letters stand before the one they begin with. */
static const struct {
	const char *name;
	int64_t ms;
} units[] = {
	{ "ms", 1 },
	{ "h", 3600000 },
	{ "m", 60000 },
	{ "s", 1000 },
};

/* Moves over the number and its unit at *TEXT, or returns -1. */
static int parse_part(const char **text, int64_t *ret_ms)
{
	const char *p = *text;
	int64_t number = 0;

	if (!isdigit((unsigned char)*p))
		return -1;
	for (; isdigit((unsigned char)*p); p++) {
		number = number * 10 + (*p - '0');
		if (number > DURATION_MS_MAX)
			return -1;
	}
	for (size_t i = 0; i < array_size(units); i++) {
		size_t length = strlen(units[i].name);

		if (strncmp(p, units[i].name, length) == 0) {
			*text = p + length;
			*ret_ms = number * units[i].ms;
			return 0;
		}
	}
	return -1;
}

int duration_parse(const char *text, int64_t *ret_ms)
{
	int64_t total = 0;

	if (strcmp(text, "0") == 0) {
		*ret_ms = 0;
		return 0;
	}
	do {
		int64_t part;

		if (parse_part(&text, &part) < 0 || part > DURATION_MS_MAX - total)
			return -1;
		total += part;
	} while (*text);
	*ret_ms = total;
	return 0;
}
