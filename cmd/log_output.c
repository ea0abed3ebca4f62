/* SPDX-License-Identifier: Apache-2.0 */
#include "cmd/log_output.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/fd.h"
#include "base/timestamp.h"
#include "cmd/escape.h"
#include "libspec/json_writer.h"

/* One reader drops a log whose times are not RFC 3339. */
static const char *format_now(char ret_text[static TIMESTAMP_SIZE])
{
	struct timespec now;

	clock_gettime(CLOCK_REALTIME, &now);
	timestamp_format(&now, ret_text);
	return ret_text;
}

/*
 * Nobody is left to be told when this fails. One write, so that records of
 * several processes do not mix in a file that is open for append.
 */
static void write_text(int fd, struct text *text)
{
	if (!text->has_failed && text->length && fd_write_all(fd, text->data, text->length) < 0)
		return;
}

static int record_fd(const struct log_output *log)
{
	return log->file_fd >= 0 ? log->file_fd : log->stderr_fd;
}

/* A member that is not known is left out. */
static void write_string(struct json_writer *writer, const char *name, const char *value)
{
	json_writer_string(writer, name, value && value[0] ? value : NULL);
}

static void write_number(struct json_writer *writer, const char *name, unsigned value)
{
	if (value)
		json_writer_number(writer, name, value);
}

static void begin_json(struct json_writer *writer, const char *level, const char *message)
{
	char now[TIMESTAMP_SIZE];

	json_writer_open(writer, NULL, '{');
	json_writer_string(writer, "level", level);
	json_writer_string(writer, "msg", message);
	json_writer_string(writer, "time", format_now(now));
}

static void end_json(struct json_writer *writer)
{
	json_writer_close(writer, '}');
	text_append(writer->text, "\n");
}

static void write_json_warnings(struct json_writer *writer, const struct log_output *log)
{
	const char *end = log->warnings.data + log->warnings.length;

	if (!log->warnings.length)
		return;
	json_writer_open(writer, "warnings", '[');
	for (const char *p = log->warnings.data; p < end; p += strlen(p) + 1)
		json_writer_string(writer, NULL, p);
	json_writer_close(writer, ']');
}

/* More than an error's text and its hint take. */
#define MESSAGE_MAX sizeof(struct error)

/* What engines show. They know of no hints, so that follows for the users behind them. */
static const char *make_message(const struct error *err, char ret_message[static MESSAGE_MAX])
{
	snprintf(
		ret_message, MESSAGE_MAX, "%s%s%s", err->text, err->hint[0] ? "; " : "", err->hint);
	return ret_message;
}

static void append_json_error(struct text *record, const struct log_output *log,
	const struct error *err, const char *container)
{
	struct json_writer writer = { .text = record };
	char message[MESSAGE_MAX];

	begin_json(&writer, "error", make_message(err, message));
	write_string(&writer, "code", error_kind_name(err->kind));
	write_string(&writer, "container", container);
	write_string(&writer, "phase", err->phase);
	write_string(&writer, "op", err->op);
	write_string(&writer, "errno", err->sys_errno ? strerrorname_np(err->sys_errno) : NULL);
	write_string(&writer, "path", err->path);
	write_string(&writer, "pointer", err->pointer);
	write_number(&writer, "line", err->line);
	write_number(&writer, "column", err->column);
	write_string(&writer, "hint", err->hint);
	write_json_warnings(&writer, log);
	end_json(&writer);
}

static void append_text(struct text *record, const char *level, const char *message)
{
	char now[TIMESTAMP_SIZE];

	text_appendf(record, "time=\"%s\" level=%s msg=", format_now(now), level);
	escape_quoted(message, record);
}

static void append_plain(struct text *record, const char *before, const char *message)
{
	text_append(record, before);
	escape_plain(message, record);
	text_append(record, "\n");
}

static void write_record(const struct log_output *log, const char *level, const char *message)
{
	cleanup_text struct text record = { 0 };
	struct json_writer writer = { .text = &record };

	if (log->is_json) {
		begin_json(&writer, level, message);
		end_json(&writer);
	} else if (log->is_plain) {
		text_appendf(&record, "kogg: %s: ", level);
		append_plain(&record, "", message);
	} else {
		append_text(&record, level, message);
		text_append(&record, "\n");
	}
	write_text(record_fd(log), &record);
}

static void keep_warning(struct log_output *log, const char *text)
{
	size_t size = strlen(text) + 1;

	if (log->warnings.length + size > LOG_OUTPUT_WARNINGS_MAX || log->warnings.has_failed)
		log->n_lost++;
	else
		text_append_bytes(&log->warnings, text, size);
}

static void take_message(void *context, enum log_level level, const char *text)
{
	struct log_output *log = context;

	if (level == LOG_LEVEL_WARNING)
		keep_warning(log, text);
	else
		write_record(log, "debug", text);
}

int log_output_open(struct log_output *log, const char *file, const char *format, bool wants_debug,
	struct error *err)
{
	const struct log_sink sink = {
		.level = wants_debug ? LOG_LEVEL_DEBUG : LOG_LEVEL_WARNING,
		.write = take_message,
		.context = log,
	};

	*log = (struct log_output){ .file_fd = -1, .stderr_fd = STDERR_FILENO };
	log->is_plain = !file && isatty(STDERR_FILENO);
	log_set_sink(&sink);
	if (format && strcmp(format, "json") == 0)
		log->is_json = true;
	else if (format && strcmp(format, "text") != 0)
		return error_set(err, ERROR_USAGE, "invalid log-format: %s", format);
	log->is_plain = log->is_plain && !log->is_json;
	if (!file)
		return 0;
	log->file_fd = open(file, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC | O_NOCTTY, 0644);
	if (log->file_fd < 0)
		return error_set_call(err, "open log", file);
	return 0;
}

/* The message for standard error, where engines and people read it. */
static void append_message(
	struct text *message, const struct log_output *log, const struct error *err)
{
	if (!log->is_plain) {
		append_plain(message, "", make_message(err, (char[MESSAGE_MAX]){ 0 }));
		return;
	}
	append_plain(message, "kogg: ", err->text);
	if (err->hint[0])
		append_plain(message, "hint: ", err->hint);
}

static void append_text_member(struct text *record, const char *name, const char *value)
{
	text_appendf(record, " %s=", name);
	escape_quoted(value, record);
}

static void append_text_error(
	struct text *record, const struct log_output *log, const struct error *err)
{
	const char *end = log->warnings.data + log->warnings.length;

	append_text(record, "error", err->text);
	if (err->hint[0])
		append_text_member(record, "hint", err->hint);
	if (log->warnings.length)
		for (const char *p = log->warnings.data; p < end; p += strlen(p) + 1)
			append_text_member(record, "warning", p);
	text_append(record, "\n");
}

static void write_warnings(const struct log_output *log)
{
	const char *end = log->warnings.data + log->warnings.length;

	if (!log->warnings.length)
		return;
	for (const char *p = log->warnings.data; p < end; p += strlen(p) + 1)
		write_record(log, "warning", p);
}

static void note_lost(struct log_output *log)
{
	cleanup_text struct text note = { 0 };

	if (!log->n_lost)
		return;
	text_appendf(&note, "%lu more warnings", log->n_lost);
	if (note.data)
		text_append_bytes(&log->warnings, note.data, note.length + 1);
}

void log_output_fail(struct log_output *log, const struct error *err, const char *container)
{
	cleanup_text struct text record = { 0 }, message = { 0 };

	note_lost(log);
	if (log->is_plain)
		write_warnings(log);
	else if (log->is_json)
		append_json_error(&record, log, err, container);
	else
		append_text_error(&record, log, err);
	if (log->file_fd >= 0 || log->is_plain)
		append_message(&message, log, err);
	write_text(record_fd(log), &record);
	write_text(log->stderr_fd, &message);
}

void log_output_finish(struct log_output *log)
{
	note_lost(log);
	write_warnings(log);
}

void log_output_release(struct log_output *log)
{
	log_set_sink(NULL);
	if (log->file_fd >= 0)
		close(log->file_fd);
	log->file_fd = -1;
	text_release(&log->warnings);
}
