/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Scheduling policy of the calling process (sched_setattr(2), sched(7)).
 */
#ifndef KOGG_LIBCONTAINER_KERNEL_SCHEDULER_H
#define KOGG_LIBCONTAINER_KERNEL_SCHEDULER_H

#include "base/error.h"
#include "libspec/spec_process.h"

/*
 * Sets process.scheduler on the caller; nothing when it is absent. Real-time
 * policies need CAP_SYS_NICE, so this goes before capabilities change, and
 * after the caller is in its cgroup, whose CPUs SCHED_DEADLINE must cover.
 */
int scheduler_apply(const struct spec_process *process, struct error *err) must_check;

#endif
