/* SPDX-License-Identifier: Apache-2.0 */
#include "base/timestamp.h"

#include <assert.h>
#include <stdio.h>

#define DAY_SECONDS 86400

/* The Gregorian calendar repeats itself after 400 years, an era. */
#define ERA_DAYS 146097

/* Days from 0000-03-01 to 1970-01-01: years that begin in March end with the leap day. */
#define EPOCH_DAYS 719468

struct date {
	unsigned year;
	unsigned month;
	unsigned day;
};

static struct date date_of(unsigned days_since_epoch)
{
	unsigned days = days_since_epoch + EPOCH_DAYS;
	unsigned era = days / ERA_DAYS;
	unsigned day_of_era = days % ERA_DAYS;
	unsigned year_of_era =
		(day_of_era - day_of_era / 1460 + day_of_era / 36524 - day_of_era / 146096) / 365;
	unsigned day_of_year =
		day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
	unsigned month_from_march = (5 * day_of_year + 2) / 153;
	unsigned month = month_from_march < 10 ? month_from_march + 3 : month_from_march - 9;

	return (struct date){
		.year = era * 400 + year_of_era + (month <= 2),
		.month = month,
		.day = day_of_year - (153 * month_from_march + 2) / 5 + 1,
	};
}

void timestamp_format(const struct timespec *time, char text[static TIMESTAMP_SIZE])
{
	unsigned long seconds = (unsigned long)time->tv_sec;
	unsigned of_day = (unsigned)(seconds % DAY_SECONDS);
	struct date date = date_of((unsigned)(seconds / DAY_SECONDS));

	assert(time->tv_sec >= 0 && date.year <= 9999);
	/* The remainders of what is in range anyway let the compiler see that it fits. */
	snprintf(text, TIMESTAMP_SIZE, "%04u-%02u-%02uT%02u:%02u:%02u.%09luZ", date.year % 10000,
		date.month % 100, date.day % 100, of_day / 3600 % 100, of_day / 60 % 60,
		of_day % 60, (unsigned long)time->tv_nsec % 1000000000);
}
