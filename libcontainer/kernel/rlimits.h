/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Resource limits of the calling process (prlimit(2)).
 *
 * Knows nothing of cgroups, which limit the container as a whole.
 */
#ifndef KOGG_LIBCONTAINER_KERNEL_RLIMITS_H
#define KOGG_LIBCONTAINER_KERNEL_RLIMITS_H

#include "base/error.h"
#include "libcontainer/kernel/procfs.h"
#include "libspec/spec_process.h"

/*
 * Sets process.rlimits on the caller. Raising a hard limit needs
 * CAP_SYS_RESOURCE, so this goes before capabilities and IDs change.
 * PROCFS is for what the kernel doesn't say when it refuses.
 */
int rlimits_apply(const struct spec_process *process, struct procfs *procfs, struct error *err)
	must_check;

#endif
