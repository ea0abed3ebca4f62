/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The environment of a process in a container: what the config says, and the
 * few variables that a runtime adds (environ(7), sd_listen_fds(3),
 * sd_notify(3)).
 */
#ifndef KOGG_LIBCONTAINER_ENVIRONMENT_H
#define KOGG_LIBCONTAINER_ENVIRONMENT_H

#include "base/arena.h"
#include "base/error.h"
#include "libspec/spec_process.h"

struct environment_request {
	const struct spec_process *process;
	unsigned listen_fds;       /* LISTEN_FDS and LISTEN_PID are added when above 0 */
	const char *notify_socket; /* NULL: NOTIFY_SOCKET is not added */
};

/*
 * Gives the array for execve(2), in ARENA. Of a name that stands twice the
 * last counts. HOME is added when the config has none: from /etc/passwd of the
 * caller's root directory, which may be hostile, or "/".
 */
int environment_build(const struct environment_request *request, struct arena *arena,
	const char *const **ret_env, struct error *err) must_check;

#endif
