/* SPDX-License-Identifier: Apache-2.0 */
/*
 * How likely the out-of-memory killer is to choose the calling process
 * (/proc/PID/oom_score_adj, proc(5)).
 */
#ifndef KOGG_LIBCONTAINER_KERNEL_OOM_SCORE_H
#define KOGG_LIBCONTAINER_KERNEL_OOM_SCORE_H

#include "base/error.h"
#include "libspec/spec_process.h"

/* What to go back to; the empty value says that nothing was changed. */
struct oom_score {
	char before[16]; /* as the file has it */
};

/*
 * Sets process.oomScoreAdj on the caller, for the child that it is about to
 * give birth to: children inherit it. Nothing when PROCESS is NULL, or has no
 * such member, or it holds already. Lowering it needs CAP_SYS_RESOURCE in the
 * first user namespace, which the child may be outside of; and there the file
 * would not be its own, since it is not dumpable.
 */
int oom_score_lend(const struct spec_process *process, struct oom_score *ret_score,
	struct error *err) must_check;

/* Takes it back; raising and undoing that needs no right, so this can't fail. */
void oom_score_take_back(const struct oom_score *score);

#endif
