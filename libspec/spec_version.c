/* SPDX-License-Identifier: Apache-2.0 */
#include "libspec/spec_version.h"

#include <string.h>

#define KNOWN_MAJOR "1"

#define DIGITS  "0123456789"
#define LETTERS "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ-"

/* A number without leading zeros at P; returns its length, or 0. */
static size_t number_length(const char *p)
{
	size_t digits = strspn(p, DIGITS);

	return digits > 1 && *p == '0' ? 0 : digits;
}

/* Moves over dot-separated identifiers; only in a pre-release a number has no leading zeros. */
static bool skip_identifiers(const char **p, bool is_prerelease)
{
	for (;;) {
		size_t length = strspn(*p, DIGITS LETTERS);
		size_t digits = strspn(*p, DIGITS);

		if (length == 0)
			return false;
		if (is_prerelease && digits == length && !number_length(*p))
			return false;
		*p += length;
		if (**p != '.')
			return true;
		++*p;
	}
}

static bool is_semver(const char *version)
{
	const char *p = version;

	for (int i = 0; i < 3; i++) {
		size_t length = number_length(p);

		if (length == 0 || (i < 2 && p[length] != '.'))
			return false;
		p += length + (i < 2);
	}
	if (*p == '-') {
		p++;
		if (!skip_identifiers(&p, true))
			return false;
	}
	if (*p == '+') {
		p++;
		if (!skip_identifiers(&p, false))
			return false;
	}
	return !*p;
}

bool spec_version_is_known(const char *version)
{
	return is_semver(version) &&
	       !strncmp(version, KNOWN_MAJOR ".", sizeof(KNOWN_MAJOR ".") - 1);
}
