/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Why a first process was not born or did not live, in words: it is dead and says
 * nothing, so the kernel and the config are asked.
 */
#ifndef KOGG_LIBCONTAINER_CREATION_FAILURE_H
#define KOGG_LIBCONTAINER_CREATION_FAILURE_H

#include "libcontainer/kernel/cgroup_oom.h"
#include "libcontainer/launch.h"

/* How many processes of the new container the kernel has killed for lack of memory so far. */
uint64_t creation_count_kills(struct cgroup *cgroup, const struct cgroup_oom_watch *kills);

/* Adds to the error of a launch() what the config has to do with it. Returns -1. */
int creation_explain_birth(const struct spec *spec, uint64_t kills, struct error *err);

/*
 * FIRST ended without a word: what the kernel knows of its end takes the place
 * of ERR. It is reaped. Returns -1.
 */
int creation_explain_death(
	const struct spec *spec, uint64_t kills, struct launched *first, struct error *err);

/*
 * The kernel kills what uses more than a limit when that is written, and a first
 * process that has done all its work by then tells of nothing. To be opened before
 * the limit is; it watches nothing without a limit of memory, unless the group has
 * kills of its own past. Close it with cgroup_oom_watch_close().
 */
void creation_watch_memory(
	const struct spec *spec, struct cgroup *cgroup, struct cgroup_oom_watch *ret_kills);

/* Fails when the kernel has killed since. */
int creation_check_memory(const struct spec *spec, const struct cgroup_oom_watch *kills,
	struct error *err) must_check;

#endif
