/* SPDX-License-Identifier: Apache-2.0 */
/*
 * How likely the out-of-memory killer is to choose the calling process
 * (/proc/PID/oom_score_adj, proc(5)).
 */
#ifndef KOGG_LIBCONTAINER_KERNEL_OOM_SCORE_H
#define KOGG_LIBCONTAINER_KERNEL_OOM_SCORE_H

#include "base/error.h"
#include "libcontainer/kernel/procfs.h"
#include "libspec/spec_process.h"

/*
 * Sets process.oomScoreAdj on the caller; nothing when it is absent or holds
 * already. Lowering it needs CAP_SYS_RESOURCE; the file belongs to the user
 * namespace that the memory map was made in, so a non-dumpable caller needs
 * to be root there.
 */
int oom_score_apply(struct procfs *procfs, const struct spec_process *process, struct error *err)
	must_check;

#endif
