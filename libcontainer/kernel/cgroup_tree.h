/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A group and all groups below it: whose processes they hold, and their
 * removal (cgroups(7), cgroup.procs; pidfd_open(2)).
 *
 * The same for v1 and v2. What a container makes below its group may be deep
 * and broad, so nothing here recurses or keeps a descriptor a level.
 */
#ifndef KOGG_LIBCONTAINER_KERNEL_CGROUP_TREE_H
#define KOGG_LIBCONTAINER_KERNEL_CGROUP_TREE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/error.h"

/* The most groups below one container's; cgroup.max.descendants can set less. */
#define CGROUP_TREE_MAX 65536

/* The most processes that are listed: what the kernel can have (PID_MAX_LIMIT). */
#define CGROUP_PIDS_MAX (4U << 20)

struct cgroup_pids {
	pid_t *items;
	size_t count;
	size_t capacity;
};

#define cleanup_pids __attribute__((cleanup(cgroup_pids_release)))

void cgroup_pids_release(struct cgroup_pids *pids);

/*
 * Appends the processes of the group DIR_FD and of those below it. A group
 * that is removed meanwhile had none.
 */
int cgroup_tree_pids(int dir_fd, struct cgroup_pids *ret_pids, struct error *err) must_check;

/* "12 (D), 345 (R)": the processes with the letter of their state, cut with "..." when many. */
void cgroup_tree_describe(const struct cgroup_pids *pids, char *ret_text, size_t size);

/*
 * Sends SIGNAL to all processes in DIR_FD and below, and never to another, whoever
 * has the number by then.
 */
int cgroup_tree_signal(int dir_fd, int signal, struct error *err) must_check;

/* Sends SIGKILL to all processes in DIR_FD and below, until there are no new ones. */
int cgroup_tree_kill(int dir_fd, struct error *err) must_check;

/*
 * Removes the group PATH and those below it, waiting for processes in them to
 * end until DEADLINE_MS of cgroup_tree_now_ms().
 */
int cgroup_tree_remove(const char *path, int64_t deadline_ms, struct error *err) must_check;

/* Whether an error only says that the group is gone: ENOENT, or ENODEV from its open files. */
bool cgroup_tree_is_gone(int sys_errno);

/* CLOCK_MONOTONIC in milliseconds. */
int64_t cgroup_tree_now_ms(void);

#endif
