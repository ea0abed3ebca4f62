/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The container's first process, from its birth to the user's program.
 *
 * A copy of the runtime's own process: it uses what the parent has read and
 * opened, makes the container around itself in a table of stages, waits for
 * `start`, and becomes the program. What fails is sent to the parent, or after
 * the wait to `start`.
 */
#ifndef KOGG_LIBCONTAINER_INIT_H
#define KOGG_LIBCONTAINER_INIT_H

#include <stdbool.h>

#include "base/log.h"
#include "libcontainer/kernel/namespaces.h"
#include "libcontainer/kernel/syscall_filter.h"
#include "libcontainer/rootfs.h"
#include "libcontainer/start_channel.h"
#include "libcontainer/state_dir.h"
#include "libspec/state.h"

struct init_request {
	const char *id;
	const struct spec *spec;
	const struct rootfs_request *rootfs_request;
	struct rootfs *rootfs; /* with the sources that the parent has opened */
	const struct cgroup *cgroup;
	const struct namespaces *joined;
	bool joins_itself; /* no stage process has joined them */
	struct network *network;
	struct syscall_filter *filter; /* which may be pending */
	const struct state *state;     /* for hooks; pid and status are filled in */
	bool no_new_keyring;
	unsigned passed_fds; /* how many descriptors from 3 on are the container's */
	unsigned listen_fds; /* of those, LISTEN_FDS */
	int *sync;           /* the pair; [1] is the first process's */
	const struct start_channel *channel; /* this process's side */
	bool sends_listener;                 /* the runtime can't take it from here */
	bool is_start_endless; /* no end of it tells that nobody is left who could start this */
	int console_socket;    /* connected, or -1: then the terminal goes to the parent */
	enum log_level log_level;
	const struct state_dir *dir; /* let go of at once: its lock is the parent's */
};

/* For struct launch_request: CONTEXT is a struct init_request. Does not return. */
void init_run(void *context, bool is_mapped);

#endif
