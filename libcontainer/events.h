/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What goes on in a running container: its counters, out-of-memory kills, and
 * its end (cgroups(7); Documentation/admin-guide/cgroup-v2.rst, "memory.events").
 */
#ifndef KOGG_LIBCONTAINER_EVENTS_H
#define KOGG_LIBCONTAINER_EVENTS_H

#include <jansson.h>
#include <stdint.h>

#include "libcontainer/container.h"

/*
 * Reads the counters of a running container: an object with the members cpu,
 * memory, pids, blkio, hugetlb, intel_rdt, network_interfaces and cpuset as
 * runc's events have them. The caller owns it.
 */
int container_stats(const struct runtime *runtime, const char *id, json_t **ret_stats,
	struct error *err) must_check;

enum container_event {
	CONTAINER_EVENT_NONE, /* the time is over, or nothing that has a name here */
	CONTAINER_EVENT_OOM,  /* the kernel killed for lack of memory since the last call */
	CONTAINER_EVENT_END,  /* the container has stopped */
};

struct container_watch; /* opaque */

/* A container that does not run is an error. */
int container_watch_open(const struct runtime *runtime, const char *id,
	struct container_watch **ret_watch, struct error *err) must_check;

/* Waits for what happens next, at most TIMEOUT_MS. */
int container_watch_wait(struct container_watch *watch, int64_t timeout_ms,
	enum container_event *ret_event, struct error *err) must_check;

/* WATCH may be NULL. */
void container_watch_free(struct container_watch *watch);

#endif
