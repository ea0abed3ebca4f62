/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Warnings and debug messages on their way to the user.
 *
 * A library never prints: what does not fail but must be said goes here, and
 * the program decides where that leads. cmd/ collects warnings until the
 * command ends; the container's init sends them to its parent. Errors do not
 * pass through here, they are returned.
 */
#ifndef KOGG_BASE_LOG_H
#define KOGG_BASE_LOG_H

#include "base/attributes.h"

enum log_level { LOG_LEVEL_WARNING, LOG_LEVEL_DEBUG };

/* The longest message; what is longer is cut. */
#define LOG_TEXT_MAX 1024

struct log_sink {
	enum log_level level; /* the most talkative level that is wanted */
	void (*write)(void *context, enum log_level level, const char *text);
	void *context;
};

/* SINK is copied; NULL drops all messages, as does the state at start. */
void log_set_sink(const struct log_sink *sink);

void log_warning(const char *fmt, ...) printf_like(1, 2);
void log_debug(const char *fmt, ...) printf_like(1, 2);

#endif
