/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Word of processes that the kernel kills for lack of memory in a group
 * (cgroup-v2.rst, "memory.events"; cgroup-v1/memory.rst, "OOM Control").
 */
#ifndef KOGG_LIBCONTAINER_KERNEL_CGROUP_OOM_H
#define KOGG_LIBCONTAINER_KERNEL_CGROUP_OOM_H

#include <stdbool.h>
#include <stdint.h>

#include "base/error.h"

struct cgroup;

struct cgroup_oom_watch {
	int poll_fd;       /* for poll(2), with poll_events; level, not edge */
	short poll_events; /* POLLPRI on v2, POLLIN on v1 */
	int count_fd;
	uint64_t count; /* that have been told */
};

/* An empty watch, which may be closed. */
#define CGROUP_OOM_WATCH_CLOSED ((struct cgroup_oom_watch){ .poll_fd = -1, .count_fd = -1 })

/*
 * Starts to watch. A group without a memory controller is an error of kind
 * ERROR_UNSUPPORTED.
 */
int cgroup_oom_watch_open(
	struct cgroup *cgroup, struct cgroup_oom_watch *ret_watch, struct error *err) must_check;

/*
 * How many times the group has been out of memory since the last call; call it
 * when poll(2) has woken, or any time. Never blocks. A group that is gone has
 * nothing more to tell: *RET_IS_GONE.
 */
int cgroup_oom_watch_read(struct cgroup_oom_watch *watch, uint64_t *ret_count, bool *ret_is_gone,
	struct error *err) must_check;

/* Whether kills that are counted may be older than the container: its group was there before. */
bool cgroup_oom_may_be_old(struct cgroup *cgroup);

/*
 * How many processes of the group the kernel has killed for lack of memory, be
 * it by the group's limit or an ancestor's; 0 also when that can't be had, or
 * they may be old. For explaining why one is gone.
 */
uint64_t cgroup_oom_kills(struct cgroup *cgroup);

/*
 * The same from now on, old or not, for where the next process goes
 * (cgroup_choose_entry()), and for longer than CGROUP is there. Costs no more than
 * a read: nobody can poll for it. Without a count there are no kills.
 */
void cgroup_oom_count_open(struct cgroup *cgroup, struct cgroup_oom_watch *ret_watch);
uint64_t cgroup_oom_count_kills(const struct cgroup_oom_watch *watch);

void cgroup_oom_watch_close(struct cgroup_oom_watch *watch);

#endif
