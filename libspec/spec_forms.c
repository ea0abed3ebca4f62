/* SPDX-License-Identifier: Apache-2.0 */
#include "libspec/spec_forms.h"

#include <net/if.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#define UTS_NAME_MAX 64

#define DIGITS "0123456789"

const char *spec_forms_not_empty(const char *value)
{
	return *value ? NULL : "must not be empty";
}

const char *spec_forms_absolute(const char *value)
{
	return *value == '/' ? NULL : "must be absolute";
}

const char *spec_forms_one_line(const char *value)
{
	return strchr(value, '\n') ? "must not hold a line feed" : NULL;
}

const char *spec_forms_variable(const char *value)
{
	return *value != '=' && strchr(value, '=') ? NULL : "must be of the form NAME=value";
}

/* Reads a number with blanks around it; what is too large to be one counts as the largest. */
static bool read_number(const char **p, unsigned long *ret_number)
{
	char *end;

	*p += strspn(*p, " ");
	if (**p < '0' || **p > '9')
		return false;
	*ret_number = strtoul(*p, &end, 10);
	*p = end + strspn(end, " ");
	return true;
}

const char *spec_forms_list(const char *value)
{
	static const char complaint[] = "must be a list such as 0-3,7";
	const char *p = value;
	unsigned long first, last;

	for (;; p++) {
		if (!read_number(&p, &first))
			return complaint;
		if (*p == '-') {
			p++;
			if (!read_number(&p, &last))
				return complaint;
			if (last < first)
				return "has a range that ends before it begins";
		}
		if (!*p)
			return NULL;
		if (*p != ',')
			return complaint;
	}
}

const char *spec_forms_cpuset(const char *value)
{
	return value[strspn(value, DIGITS ",-:/ ")] ? "must be a list such as 0-3,7" : NULL;
}

const char *spec_forms_uts_name(const char *value)
{
	return strlen(value) > UTS_NAME_MAX ? "must not be longer than 64 bytes" : NULL;
}

const char *spec_forms_interface(const char *value)
{
	if (!*value)
		return "must not be empty";
	if (strlen(value) >= IFNAMSIZ)
		return "must not be longer than 15 bytes";
	if (!strcmp(value, ".") || !strcmp(value, "..") || strpbrk(value, "/: \t\n\v\f\r"))
		return "must be an interface name";
	return NULL;
}

const char *spec_forms_file_name(const char *value)
{
	if (!*value)
		return "must not be empty";
	if (!strcmp(value, ".") || !strcmp(value, "..") || strchr(value, '/'))
		return "must be a file name";
	return NULL;
}

const char *spec_forms_page_size(const char *value)
{
	static const char complaint[] = "must be a number and KB, MB or GB";
	size_t digits = strspn(value, DIGITS);
	const char *unit = value + digits;

	if (digits == 0 || *value == '0' || !*unit || !strchr("KMG", *unit))
		return complaint;
	return strcmp(unit + 1, "B") ? complaint : NULL;
}
