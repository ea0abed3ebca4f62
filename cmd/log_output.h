/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Where errors and warnings go: --log, --log-format, --debug.
 *
 * One reader of the log takes its last record of level "error", another
 * parses the whole file as one object. So a call that fails leaves exactly one
 * record; warnings wait until the call has ended and are members of that
 * record, or records of their own when it succeeded. With --log the bare
 * message also goes to standard error. Engines show either that or the JSON
 * record's msg, so in both the hint follows the text behind a semicolon.
 */
#ifndef KOGG_CMD_LOG_OUTPUT_H
#define KOGG_CMD_LOG_OUTPUT_H

#include <stdbool.h>

#include "base/error.h"
#include "base/log.h"
#include "base/text.h"

/* Warnings beyond this many bytes are only counted. */
#define LOG_OUTPUT_WARNINGS_MAX (64 * 1024)

struct log_output {
	int file_fd;   /* of --log, or -1 */
	int stderr_fd; /* 2, but for tests */
	bool is_json;
	bool is_plain;        /* nobody parses: a person reads the messages on a terminal */
	struct text warnings; /* each ends with a NUL */
	unsigned long n_lost;
};

/*
 * Opens FILE (NULL: standard error), for records in FORMAT ("text", "json", or
 * NULL for text), and takes over base/log. On failure LOG works, on standard
 * error.
 */
int log_output_open(struct log_output *log, const char *file, const char *format, bool wants_debug,
	struct error *err) must_check;

/* The call failed: writes the one record. CONTAINER may be NULL. */
void log_output_fail(struct log_output *log, const struct error *err, const char *container);

/* The call succeeded: writes the warnings. */
void log_output_finish(struct log_output *log);

void log_output_release(struct log_output *log);

#endif
