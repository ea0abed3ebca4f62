/* SPDX-License-Identifier: Apache-2.0 */
#define ERROR_IS_DEFINED_HERE
#include "base/error.h"

#include <assert.h>
#include <ctype.h>
#include <errno.h>
#include <limits.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

_Static_assert(sizeof(struct error) <= PIPE_BUF, "an error must cross a pipe in one write");

static const char *find_reason(int sys_errno)
{
	switch (sys_errno) {
	case ENOENT:
		return "not found";
	case EACCES:
		return "access denied";
	case EPERM:
		return "not permitted";
	case EISDIR:
		return "found a directory";
	default:
		/* Not strerror(3): its text follows the locale. */
		return strerrordesc_np(sys_errno) ?: "unknown error";
	}
}

const char *error_reason(int sys_errno, char ret_text[static ERROR_REASON_MAX])
{
	snprintf(ret_text, ERROR_REASON_MAX, "%s", find_reason(sys_errno));
	ret_text[0] = (char)tolower((unsigned char)ret_text[0]);
	return ret_text;
}

const char *error_kind_name(enum error_kind kind)
{
	static const char *const names[] = {
		[ERROR_NONE] = "none",
		[ERROR_USAGE] = "usage",
		[ERROR_SPEC] = "spec",
		[ERROR_STATE] = "state",
		[ERROR_NOT_FOUND] = "not-found",
		[ERROR_COMMAND] = "command",
		[ERROR_HOOK] = "hook",
		[ERROR_UNSUPPORTED] = "unsupported",
		[ERROR_SYSTEM] = "system",
	};

	return names[kind];
}

/* ": device or resource busy": engines match lower case only. */
static void append_reason(struct error *err, const char *reason)
{
	size_t used = strlen(err->text);
	char *first = err->text + used + 2;

	if (used + 2 >= sizeof(err->text))
		return;
	snprintf(err->text + used, sizeof(err->text) - used, ": %s", reason);
	*first = (char)tolower((unsigned char)*first);
}

/* Returns whether this is the first cause, and so the one to be told. */
printf_like(4, 0) static int set_cause(
	struct error *err, enum error_kind kind, int sys_errno, const char *fmt, va_list args)
{
	assert(err);
	if (err->kind != ERROR_NONE)
		return 0;

	err->kind = kind;
	err->sys_errno = sys_errno;
	vsnprintf(err->text, sizeof(err->text), fmt, args);
	return 1;
}

int error_set(struct error *err, enum error_kind kind, const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	set_cause(err, kind, 0, fmt, args);
	va_end(args);
	return -1;
}

int error_set_errno(struct error *err, const char *fmt, ...)
{
	int sys_errno = errno;
	va_list args;

	va_start(args, fmt);
	if (set_cause(err, ERROR_SYSTEM, sys_errno, fmt, args))
		append_reason(err, error_reason(sys_errno, (char[ERROR_REASON_MAX]){ 0 }));
	va_end(args);
	return -1;
}

int error_set_call(struct error *err, const char *op, const char *path)
{
	int first = err->kind == ERROR_NONE;

	error_set_errno(err, "%s '%s'", op, path);
	if (first) {
		snprintf(err->op, sizeof(err->op), "%s", op);
		snprintf(err->path, sizeof(err->path), "%s", path);
	}
	return -1;
}

int error_set_command(struct error *err, int sys_errno, const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	if (set_cause(err, ERROR_COMMAND, sys_errno, fmt, args) && sys_errno)
		append_reason(err, strerrordesc_np(sys_errno) ?: "unknown error");
	va_end(args);
	return -1;
}

int error_wrap(struct error *err, const char *fmt, ...)
{
	char context[256];
	size_t length, cause;
	va_list args;

	assert(err && err->kind != ERROR_NONE);
	va_start(args, fmt);
	vsnprintf(context, sizeof(context) - 2, fmt, args);
	va_end(args);
	length = strlen(context);
	memcpy(context + length, ": ", sizeof(": "));

	/*
	 * The cause stands last and is what callers match, so it is never cut:
	 * when there is no room left, the context is left out.
	 */
	length += 2;
	cause = strlen(err->text);
	if (length + cause >= sizeof(err->text))
		return -1;
	memmove(err->text + length, err->text, cause + 1);
	memcpy(err->text, context, length);
	return -1;
}

printf_like(3, 0) static int fill_in(char *member, size_t size, const char *fmt, va_list args)
{
	if (!member[0])
		vsnprintf(member, size, fmt, args);
	return -1;
}

int error_point(struct error *err, const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	fill_in(err->pointer, sizeof(err->pointer), fmt, args);
	va_end(args);
	return -1;
}

int error_phase(struct error *err, const char *phase)
{
	if (!err->phase[0])
		snprintf(err->phase, sizeof(err->phase), "%s", phase);
	return -1;
}

int error_hint(struct error *err, const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	fill_in(err->hint, sizeof(err->hint), fmt, args);
	va_end(args);
	return -1;
}

int error_adopt(struct error *err, const struct error *received)
{
	assert(err->kind == ERROR_NONE);
	*err = *received;
	if (err->kind <= ERROR_NONE || err->kind > ERROR_SYSTEM)
		err->kind = ERROR_SYSTEM;
	err->phase[sizeof(err->phase) - 1] = '\0';
	err->op[sizeof(err->op) - 1] = '\0';
	err->path[sizeof(err->path) - 1] = '\0';
	err->pointer[sizeof(err->pointer) - 1] = '\0';
	err->hint[sizeof(err->hint) - 1] = '\0';
	err->text[sizeof(err->text) - 1] = '\0';
	return -1;
}
