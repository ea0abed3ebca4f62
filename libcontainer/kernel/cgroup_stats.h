/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The counters of a group (cgroup-v2.rst, "Interface Files" of each
 * controller; cgroup-v1/; accounting/psi.rst).
 */
#ifndef KOGG_LIBCONTAINER_KERNEL_CGROUP_STATS_H
#define KOGG_LIBCONTAINER_KERNEL_CGROUP_STATS_H

#include <jansson.h>

#include "base/error.h"

struct cgroup;

/*
 * All counters as one object, which the caller owns, in the form that engines
 * know from runc's events: cpu, cpuset, memory, pids, blkio, hugetlb; times in
 * nanoseconds, no limit as the largest integer. intel_rdt and
 * network_interfaces, which are not of the group, are there and empty. What no
 * controller counts is left out or 0.
 */
int cgroup_stats(struct cgroup *cgroup, json_t **ret_stats, struct error *err) must_check;

#endif
