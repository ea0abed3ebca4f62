/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The state document (runtime.md, "State"): what `state` prints and hooks and
 * seccomp agents are given.
 */
#ifndef KOGG_LIBSPEC_STATE_H
#define KOGG_LIBSPEC_STATE_H

#include <sys/types.h>

#include "base/text.h"
#include "libspec/spec_types.h"

enum state_status {
	STATE_CREATING,
	STATE_CREATED,
	STATE_RUNNING,
	STATE_PAUSED,
	STATE_STOPPED,
};

/* All strings are borrowed; NULL members are left out of the document. */
struct state {
	const char *id;
	enum state_status status;
	bool has_pid;        /* left out for poststop hooks */
	pid_t pid;           /* as the reader sees it; 0 when stopped */
	const char *bundle;  /* absolute */
	const char *rootfs;  /* absolute; beyond the spec, as engines know it from runc */
	const char *created; /* RFC 3339 with nanoseconds, UTC */
	const char *owner;   /* user name, "" when unknown; beyond the spec */
	const struct spec_map *annotations; /* NULL or empty: left out */
};

/* "creating", "created", "running", "paused", "stopped" */
const char *state_status_word(enum state_status status);

/* Appends the document as JSON: INDENT spaces a level, or one line when 0. No newline at the end.
 */
void state_write(const struct state *state, unsigned indent, struct text *ret_text);

#endif
