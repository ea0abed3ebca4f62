/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Running a helper program to its end (clone(2), execve(2), pidfd_open(2)).
 *
 * The helper gets bytes on its standard input, a session of its own, default
 * signal dispositions, an empty signal mask and no descriptor beyond 0 to 2.
 * Nothing it does can hold the caller: not a pipe that a grandchild keeps
 * open, not input that is never read, not a run beyond the deadline.
 *
 * Knows nothing of what the helper is for. No PATH is searched.
 */
#ifndef KOGG_BASE_SPAWN_H
#define KOGG_BASE_SPAWN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/error.h"
#include "base/text.h"

/* How much of the end of a helper's output is kept. */
#define SPAWN_OUTPUT_MAX 1024

struct spawn_request {
	const char *path;        /* absolute */
	const char *const *argv; /* ends with NULL; at least one */
	const char *const *env;  /* ends with NULL; NULL: none at all */
	const char *cwd;         /* NULL: the caller's */
	mode_t umask;
	const void *input; /* what the helper reads on its standard input */
	size_t input_size;
	int64_t timeout_ms; /* 0: no deadline */

	/*
	 * NULL: standard output goes where standard error goes, into the result.
	 * Otherwise it is appended here, at most OUTPUT_MAX bytes: more is an error.
	 */
	struct text *output;
	size_t output_max;
};

struct spawn_result {
	bool has_timed_out;
	int exit_status; /* -1 when a signal ended it */
	int signal;      /* 0 when it exited */
	int64_t duration_ms;
	size_t output_size;
	char output[SPAWN_OUTPUT_MAX + 1]; /* raw, hostile bytes; a NUL behind them */
};

/*
 * Runs the program and waits for it. Returns 0 when it ran, whatever came of
 * that, and -1 when it could not be started or not be waited for.
 *
 * At the deadline its whole process group is killed with SIGKILL. A process
 * that it leaves behind when it ends in time is left alone. It is killed when
 * the calling thread dies, since its own session hides it from the terminal's
 * signals.
 */
int spawn_run(const struct spawn_request *request, struct spawn_result *ret_result,
	struct error *err) must_check;

#endif
