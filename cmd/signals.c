/* SPDX-License-Identifier: Apache-2.0 */
#include "cmd/signals.h"

#include <signal.h>
#include <string.h>
#include <strings.h>

#include "base/number.h"

#define SIGNAL_MAX 64

/* Second names, which sigabbrev_np(3) does not know. */
static const struct {
	const char *name;
	int signal;
} aliases[] = {
	{ "CLD", SIGCHLD },
	{ "IO", SIGIO },
	{ "IOT", SIGIOT },
	{ "UNUSED", SIGSYS },
};

static int find_name(const char *name)
{
	for (int signal = 1; signal < SIGRTMIN; signal++) {
		const char *known = sigabbrev_np(signal);

		if (known && strcasecmp(known, name) == 0)
			return signal;
	}
	for (size_t i = 0; i < array_size(aliases); i++)
		if (strcasecmp(aliases[i].name, name) == 0)
			return aliases[i].signal;
	return -1;
}

/* BASE and what TEXT, "" or SIGN and a number, adds or takes away. */
static int add_distance(int base, const char *text, char sign)
{
	uint64_t distance = 0;
	int signal;

	if (text[0] && (text[0] != sign || number_parse_u64(text + 1, SIGNAL_MAX, &distance) < 0))
		return -1;
	signal = sign == '+' ? base + (int)distance : base - (int)distance;
	return signal >= SIGRTMIN && signal <= SIGRTMAX ? signal : -1;
}

static int find_realtime(const char *name)
{
	if (strncasecmp(name, "RTMIN", 5) == 0)
		return add_distance(SIGRTMIN, name + 5, '+');
	if (strncasecmp(name, "RTMAX", 5) == 0)
		return add_distance(SIGRTMAX, name + 5, '-');
	return -1;
}

int signals_parse(const char *text, int *ret_signal, struct error *err)
{
	const char *name = strncasecmp(text, "SIG", 3) == 0 ? text + 3 : text;
	uint64_t number;
	int signal;

	if (number_parse_u64(text, SIGNAL_MAX, &number) == 0) {
		*ret_signal = (int)number;
		return 0;
	}
	signal = find_realtime(name);
	if (signal < 0)
		signal = find_name(name);
	if (signal < 0)
		return error_set(err, ERROR_USAGE, "unknown signal \"%s\"", text);
	*ret_signal = signal;
	return 0;
}
