/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The last steps of a process that is about to become the user's program,
 * the same for a container's first process and for exec: attributes, labels,
 * IDs, capabilities, filter, execve(2).
 *
 * Runs in the child, inside all its namespaces and with the container's root
 * as its own. The order is the point: what needs privilege comes before it is
 * dropped, and nothing but waiting and execve(2) comes after the filter.
 */
#ifndef KOGG_LIBCONTAINER_PROCESS_SETUP_H
#define KOGG_LIBCONTAINER_PROCESS_SETUP_H

#include "base/arena.h"
#include "base/error.h"
#include "base/text.h"
#include "libcontainer/environment.h"
#include "libcontainer/kernel/exec_lookup.h"
#include "libcontainer/kernel/procfs.h"
#include "libcontainer/kernel/syscall_filter.h"
#include "libcontainer/kernel/terminal.h"
#include "libspec/spec.h"

struct process_request {
	const struct spec_process *process;
	const struct spec_linux *platform;
	const struct syscall_filter *filter; /* may be the empty one */
	struct procfs *procfs;
	struct terminal *terminal; /* NULL: the standard streams stay as they are */
	unsigned listen_fds;
	bool sends_listener;       /* the runtime lacks the right to take it from here */
	const char *notify_socket; /* as the container sees it, or NULL */
	const struct spec_capabilities *known_capabilities; /* see capabilities_limit() */
};

/* What is ready to be executed. */
struct process_image {
	struct text path;
	const char *const *env;
	struct arena arena;
	bool has_filter;
	struct exec_findings findings;
	int listener; /* the seccomp notify descriptor, or -1 */
};

/*
 * Does everything up to the execve(2). Afterwards only read(2), write(2),
 * execve(2) and exit_group(2) are to be used, since the filter may forbid all
 * else; and sendmsg(2) where the listener is to be sent.
 */
int process_setup(const struct process_request *request, struct process_image *ret_image,
	struct error *err) must_check;

/* Says SYNC_READY over SYNC, with the number of the listener, or with that itself. */
int process_tell_ready(const struct process_image *image, int sync, bool sends_listener,
	struct error *err) must_check;

/* Executes the image; returns only on failure, -1, with the error explained. */
int process_execute(
	const struct spec_process *process, const struct process_image *image, struct error *err);

#endif
