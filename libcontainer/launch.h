/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The birth of a process in a container's namespaces and cgroup: the first
 * one, or one more for exec (clone3(2), unshare(2), setns(2), namespaces(7)).
 *
 * Usually one clone3(2) makes the first. A PID, user or time namespace to
 * join, or time offsets to set, hold only for the children of whoever joins or
 * unshares them; then a stage process does that and gives birth with
 * CLONE_PARENT, so that the process is the runtime's child in any case.
 */
#ifndef KOGG_LIBCONTAINER_LAUNCH_H
#define KOGG_LIBCONTAINER_LAUNCH_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/error.h"
#include "libcontainer/interrupts.h"
#include "libcontainer/kernel/cgroup.h"
#include "libcontainer/kernel/namespaces.h"
#include "libcontainer/network.h"
#include "libcontainer/sync.h"
#include "libspec/spec.h"

/* What the process is called until it becomes the program (PR_SET_NAME). */
#define LAUNCH_NAME "kogg:[init]"

struct launch_request {
	/* For a new container: its namespaces, made and joined. */
	const struct spec_linux *platform;
	const struct namespaces *joined; /* opened by the caller */
	struct network *network;         /* planned by the caller; or NULL */

	/*
	 * For a process in a running one: the pidfd of whose namespaces to join, else
	 * -1. Of the caller's descriptors only the standard ones, those passed on and
	 * the console socket go along.
	 */
	int target;
	unsigned target_namespaces; /* CLONE_NEW* */
	unsigned passed_fds;        /* how many from 3 on are the process's */
	int console_socket;         /* or -1 */

	const struct spec_process *process;  /* oomScoreAdj and capabilities; NULL only if new */
	const struct spec_process *affinity; /* execCPUAffinity, for exec; or NULL */
	struct cgroup *cgroup;               /* to be born in */
	bool is_moved;  /* into the cgroup, though it could be born there: launch_was_stillborn() */
	pid_t followed; /* whose cgroup to take when that one lets nobody in (EBUSY); or 0 */
	int64_t deadline;              /* of clock_now_ms(), for the stage process */
	struct interrupts *interrupts; /* which end the wait for it; or NULL */
	int *sync; /* the pair of sync_open(); each side closes the other's end */

	/*
	 * What else the stage process does where it has entered the cgroup, while it is
	 * the host's still; its child takes that from it. NULL: nothing.
	 */
	int (*settle)(void *context, struct error *err);

	/*
	 * What the process runs; does not return. IS_MAPPED says that it has no user
	 * namespace of its own that waits for maps.
	 */
	void (*run)(void *context, bool is_mapped);
	void *context;
};

struct launched {
	pid_t pid;
	int pidfd; /* owned by the caller */
	bool is_born_in_cgroup;
};

/*
 * Whether a stage process joins the namespaces and enters the cgroup; if not,
 * the first process does so itself.
 */
bool launch_needs_stage(const struct spec_linux *platform);

/* Points ERR, of a group that PLATFORM may have named, to that name. Returns -1. */
int launch_blame_cgroups_path(const struct spec_linux *platform, struct error *err);

/*
 * The part of CGROUP that the process itself has in entering it, and the CPUs that it
 * may use there: what AFFINITY, its execCPUAffinity or NULL, says, else all of the group's.
 */
int launch_enter_cgroup(const struct cgroup *cgroup, const struct spec_process *affinity,
	struct error *err) must_check;

/*
 * What the process asks for with SYNC_MAP_IDS and SYNC_MOVE: writes the ID maps
 * of PID's user namespace, moves it into the cgroup, and says SYNC_GO.
 */
int launch_serve(const struct launch_request *request, pid_t pid, enum sync_type type,
	struct error *err) must_check;

/*
 * How many milliseconds a process that is in CGROUP (or NULL) is given to be gone after
 * SIGKILL. What a v1 freezer holds ends when it is thawed, killed as it is; that may
 * be never, and who has interrupted the command is not to wait for it.
 */
int launch_find_patience(struct cgroup *cgroup, const struct interrupts *interrupts);

/*
 * Whether FIRST, a child that has said nothing before the failure ERR, is one that the
 * kernel has killed at its birth. Linux 6.18 does so, for ever, where cgroup.kill has
 * been used on the group or the maker's own another number of times than on the other
 * (cgroup_css_set_fork()); who is moved there lives. A stage process is moved by launch().
 */
bool launch_was_stillborn(const struct launched *first, const struct error *err);

/* On failure no process is left, but one that is killed and frozen. */
int launch(const struct launch_request *request, struct launched *ret_launched, struct error *err)
	must_check;

#endif
