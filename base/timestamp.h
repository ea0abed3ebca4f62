/* SPDX-License-Identifier: Apache-2.0 */
/* Points in time as RFC 3339 text, in UTC. */
#ifndef KOGG_BASE_TIMESTAMP_H
#define KOGG_BASE_TIMESTAMP_H

#include <time.h>

/* "2026-01-02T03:04:05.000000006Z" and its NUL */
#define TIMESTAMP_SIZE 31

/*
 * Writes TIME with nanoseconds. Not by gmtime_r(3): that reads the file of the
 * local time zone even for UTC. The year must be 1970 to 9999.
 */
void timestamp_format(const struct timespec *time, char text[static TIMESTAMP_SIZE]);

#endif
