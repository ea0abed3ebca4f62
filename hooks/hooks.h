/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Running hooks (config.md, "POSIX-platform Hooks"; runtime.md, "Lifecycle").
 *
 * Sees a list of hooks and the text of a state document, nothing else: which
 * namespaces a hook runs in, and when, is the caller's doing. Every hook gets
 * umask 0022, a session of its own and nothing open but its standard streams.
 */
#ifndef KOGG_HOOKS_HOOKS_H
#define KOGG_HOOKS_HOOKS_H

#include <stdint.h>

#include "base/error.h"
#include "libspec/spec_hooks.h"

struct hooks_request {
	enum spec_hook_kind kind;
	const char *state;              /* the state document: one line of JSON */
	const char *const *default_env; /* of hooks without "env"; NULL: empty */
	const char *cwd;                /* NULL: the caller's */
};

/*
 * Runs the hooks in order until one fails. The error is ERROR_HOOK with phase
 * "hooks" and the pointer of the hook; its text names kind, index, path, exit
 * status or signal or timeout, duration, and the end of the hook's output, in
 * which phrases that engines would take for their own are disarmed.
 */
int hooks_run(const struct spec_hook_list *list, const struct hooks_request *request,
	struct error *err) must_check;

/* Runs all hooks, whatever comes of each; failures become warnings (poststop). */
void hooks_run_all(const struct spec_hook_list *list, const struct hooks_request *request);

/*
 * DEADLINE of clock_now_ms(), later by what all hooks of LIST may take;
 * CLOCK_NO_DEADLINE when one has no timeout.
 */
int64_t hooks_put_off(const struct spec_hook_list *list, int64_t deadline);

#endif
