/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Groups that systemd makes: a transient scope a container (systemd.scope(5);
 * systemd.io, "Control Group APIs and Delegation").
 *
 * Speaks through the program kogg-systemd, since libsystemd can't be linked
 * statically. Knows no D-Bus and writes no cgroup file.
 */
#ifndef KOGG_LIBCONTAINER_KERNEL_CGROUP_SYSTEMD_H
#define KOGG_LIBCONTAINER_KERNEL_CGROUP_SYSTEMD_H

#include "libcontainer/kernel/cgroup_layout.h"
#include "libspec/spec_resources.h"

struct cgroup_systemd_request {
	const char *path; /* slice:prefix:name, or NULL */
	const char *id;
	const struct spec_map *annotations;     /* may be NULL */
	const struct spec_resources *resources; /* may be NULL */
};

/* Whether the program that the driver needs is there; systemd itself may not be. */
bool cgroup_systemd_is_installed(void);

/* Names the unit and places its groups. CGROUP's hierarchies have been detected. */
int cgroup_systemd_plan(struct cgroup *cgroup, const struct cgroup_systemd_request *request,
	struct error *err) must_check;

/*
 * Starts the unit and returns when its groups are there. Until
 * cgroup_systemd_release() they hold a process that keeps the unit alive.
 */
int cgroup_systemd_start(struct cgroup *cgroup, struct error *err) must_check;

/* Ends that process. Does nothing without one. */
void cgroup_systemd_release(struct cgroup *cgroup);

/* What the unit is to be told of its new limits, for the caller to free; an array, perhaps empty.
 */
int cgroup_systemd_collect(struct cgroup *cgroup, const struct spec_resources *resources,
	json_t **ret_properties, struct error *err) must_check;

/* Something to do, once, while systemd takes longer than AFTER_MS to answer. */
struct cgroup_systemd_delay {
	int after_ms;
	void (*act)(void *context);
	void *context;
};

/* Tells it; returns when systemd has written its files. DELAY may be NULL. */
int cgroup_systemd_update(const struct cgroup *cgroup, json_t *properties,
	const struct cgroup_systemd_delay *delay, struct error *err) must_check;

/*
 * Has systemd move PID into the group BELOW ("" or "/NAME") the unit's, for a
 * caller who has no right to: that takes write access to cgroup.procs of the
 * nearest common ancestor (cgroups(7)).
 */
int cgroup_systemd_attach(
	const struct cgroup *cgroup, const char *below, pid_t pid, struct error *err) must_check;

/* Stops the unit and has it forgotten; one that is gone already is fine. */
int cgroup_systemd_stop(struct cgroup *cgroup, struct error *err) must_check;

#endif
