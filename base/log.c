/* SPDX-License-Identifier: Apache-2.0 */
#include "base/log.h"

#include <stdarg.h>
#include <stdio.h>

/* The one mutable global of the libraries: where messages go. */
static struct log_sink log_sink;

void log_set_sink(const struct log_sink *sink)
{
	log_sink = sink ? *sink : (struct log_sink){ 0 };
}

printf_like(2, 0) static void write_message(enum log_level level, const char *fmt, va_list args)
{
	char text[LOG_TEXT_MAX];

	if (!log_sink.write || level > log_sink.level)
		return;
	vsnprintf(text, sizeof(text), fmt, args);
	log_sink.write(log_sink.context, level, text);
}

void log_warning(const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	write_message(LOG_LEVEL_WARNING, fmt, args);
	va_end(args);
}

void log_debug(const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	write_message(LOG_LEVEL_DEBUG, fmt, args);
	va_end(args);
}
