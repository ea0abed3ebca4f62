/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The CPUs that the calling process may run on (sched_setaffinity(2)), from
 * lists as cpuset(7) writes them: "0-3,7".
 */
#ifndef KOGG_LIBCONTAINER_KERNEL_CPU_AFFINITY_H
#define KOGG_LIBCONTAINER_KERNEL_CPU_AFFINITY_H

#include "base/error.h"
#include "libspec/spec_process.h"

/*
 * Each sets its member of process.execCPUAffinity on the caller and does
 * nothing when it is absent. Initial goes before the process enters the
 * container's cgroup, final after. Only for exec, not for the first process.
 */
int cpu_affinity_apply_initial(const struct spec_process *process, struct error *err) must_check;
int cpu_affinity_apply_final(const struct spec_process *process, struct error *err) must_check;

/*
 * Lets the caller, who has entered the container's cgroup, run wherever its cpuset
 * allows: a mask that somebody asked for before, as systemd does for CPUAffinity=,
 * survives that since Linux 6.2 and would narrow what the config gives. Warns when
 * that is refused.
 */
void cpu_affinity_reset(void);

/*
 * Reads LIST into the bit mask BITS of COUNT longs, which it clears first.
 * Returns how many longs the highest number takes, or -1 when LIST is no list
 * or a number does not fit. Also for NUMA nodes, which are written alike.
 */
int cpu_affinity_parse(const char *list, unsigned long *bits, size_t count) must_check;

#endif
