/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One way to fail.
 *
 * A function that can fail takes a struct error as its last parameter and
 * returns 0 (or a descriptor >= 0) on success and -1 after filling it in. The
 * caller owns the struct, usually on its stack; nothing in it is allocated,
 * so no error path can leak or fail in turn.
 *
 * The cause is set once, where it happens; each caller may add what it knows:
 * context in front of the text, the place in config.json, the phase, a hint.
 * The text then reads from the user's request down to the kernel:
 *
 *   create 'web': mount '/proc': device or resource busy
 *
 * Engines choose the exit status they show by searching that text, so some
 * phrases are reserved (see error_reason()).
 *
 * The struct has no pointers and fits in PIPE_BUF, so a child process reports
 * a failure to its parent with one atomic write (pipe(7)).
 */
#ifndef KOGG_BASE_ERROR_H
#define KOGG_BASE_ERROR_H

#include "base/attributes.h"

enum error_kind {
	ERROR_NONE,
	ERROR_USAGE,       /* the command line is wrong */
	ERROR_SPEC,        /* config.json is wrong; .pointer says where */
	ERROR_STATE,       /* the container is not in a state that allows this */
	ERROR_NOT_FOUND,   /* there is no such container */
	ERROR_COMMAND,     /* the container's own program can't be executed */
	ERROR_HOOK,        /* a hook failed */
	ERROR_UNSUPPORTED, /* this host or build cannot do it */
	ERROR_SYSTEM,      /* a system call failed; .sys_errno says how */
};

struct error {
	enum error_kind kind;
	int sys_errno;     /* 0 when no system call is the cause */
	unsigned line;     /* of .pointer in the file, from 1; 0 when unknown */
	unsigned column;   /* in bytes, from 1 */
	char phase[24];    /* what the runtime was doing: "mounts", "hooks", or "" */
	char op[32];       /* the operation that failed: "openat2", or "" */
	char path[256];    /* what it was done to, or "" */
	char pointer[256]; /* RFC 6901 JSON pointer, or "" */
	char hint[256];    /* what the user may do about it, or "" */
	char text[1536];   /* one line, complete enough to print */
};

/*
 * These set the cause and return -1. Only the first cause is kept.
 * error_set_errno() appends ": reason" of errno to the text.
 * error_set_call() says "OP 'PATH': reason" and fills in .op and .path.
 * error_set_command() appends the kernel's own words, which are reserved for
 * the container's program; SYS_ERRNO 0 appends nothing.
 */
int error_set(struct error *err, enum error_kind kind, const char *fmt, ...) printf_like(3, 4);
int error_set_errno(struct error *err, const char *fmt, ...) printf_like(2, 3);
int error_set_call(struct error *err, const char *op, const char *path);
int error_set_command(struct error *err, int sys_errno, const char *fmt, ...) printf_like(3, 4);

/* Puts "context: " in front of the text. Returns -1. */
int error_wrap(struct error *err, const char *fmt, ...) printf_like(2, 3);

/* Each fills in one member unless a callee, who knew better, has. Return -1. */
int error_point(struct error *err, const char *fmt, ...) printf_like(2, 3);
int error_phase(struct error *err, const char *phase);
int error_hint(struct error *err, const char *fmt, ...) printf_like(2, 3);

/*
 * Takes over an error that another process has sent: the strings are ended,
 * the kind is made a known one. For what comes from within a container.
 */
int error_adopt(struct error *err, const struct error *received);

/*
 * Puts the text for an errno into RET_TEXT, in lower case, and returns that. Four of them are
 * reworded ("not found" for ENOENT, "access denied" for EACCES, "not
 * permitted" for EPERM, "found a directory" for EISDIR): engines take the
 * kernel's words in a message to be about the container's own program and
 * turn them into exit status 126 or 127.
 */
#define ERROR_REASON_MAX 64
const char *error_reason(int sys_errno, char ret_text[static ERROR_REASON_MAX]);

/* "spec", "system", ... : the kind as the log's "code" member shows it. */
const char *error_kind_name(enum error_kind kind);

/*
 * clang's analyzer looks at one file at a time, and would follow paths on which
 * what a failed function should have set is used. This tells it what the
 * functions above return.
 */
#if defined(__clang_analyzer__) && !defined(ERROR_IS_DEFINED_HERE)
#	define error_set(...)         (error_set(__VA_ARGS__), -1)
#	define error_set_errno(...)   (error_set_errno(__VA_ARGS__), -1)
#	define error_set_call(...)    (error_set_call(__VA_ARGS__), -1)
#	define error_set_command(...) (error_set_command(__VA_ARGS__), -1)
#	define error_wrap(...)        (error_wrap(__VA_ARGS__), -1)
#	define error_point(...)       (error_point(__VA_ARGS__), -1)
#	define error_phase(...)       (error_phase(__VA_ARGS__), -1)
#	define error_hint(...)        (error_hint(__VA_ARGS__), -1)
#	define error_adopt(...)       (error_adopt(__VA_ARGS__), -1)
#endif

#endif
