/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The new network namespace of a container, made beside its first process.
 *
 * The kernel takes longer for one than for all else that a container is born
 * with. So the runtime itself enters a new one (unshare(2)) while the first
 * process mounts its file systems, brings up its loopback interface, hands it
 * over, and comes back (setns(2)). clone3(2) makes it where the runtime could
 * not come back, and where a new user namespace is to own it.
 */
#ifndef KOGG_LIBCONTAINER_NETWORK_H
#define KOGG_LIBCONTAINER_NETWORK_H

#include <stdbool.h>
#include <sys/types.h>

#include "base/error.h"
#include "libcontainer/kernel/namespaces.h"

/* Start with NETWORK_BY_CLONE. */
struct network {
	bool is_apart;   /* made here, not by clone3(2) */
	bool is_joined;  /* by the first process, whose copy this is */
	int own;         /* the runtime's, to come back to; or -1 */
	int made;        /* the container's, once it is there; or -1 */
	const int *sync; /* the pair of sync_open() */
};

#define NETWORK_BY_CLONE              \
	{                             \
		.own = -1, .made = -1 \
	}

/*
 * Before the birth of a first process that makes its namespaces itself: decides
 * who makes this one. SYNC must stay valid.
 */
void network_plan(struct network *network, const struct spec_linux *platform, const int *sync);

/* The CLONE_NEW* flags for clone3(2), of MADE, all that are to be made. NETWORK may be NULL. */
unsigned network_flags_of_birth(const struct network *network, unsigned made);

/*
 * In the runtime, after the birth: makes it and sends it to the first process,
 * before anything else. On failure the runtime may be left in it.
 */
int network_make(struct network *network, struct error *err) must_check;

/*
 * In the first process: waits for it and joins it, unless that is done or
 * another way was planned. This comes before each other wait for the runtime,
 * and before a path is followed, a file system mounted or a parameter written
 * that the network namespace could make another one. NETWORK may be NULL.
 */
int network_join(struct network *network, struct error *err) must_check;

/*
 * The container's network namespace: of those JOINED, the one made here, or that
 * of the process PID. Returns a descriptor that the caller owns.
 */
int network_open(const struct network *network, const struct namespaces *joined, pid_t pid,
	struct error *err) must_check;

void network_release(struct network *network);

#endif
