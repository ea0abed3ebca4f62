/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The files of a unit's groups that systemd writes anew with whatever property
 * it is told (cgroup_context_apply() in its src/core/cgroup.c): those it was
 * told nothing of get its defaults, and others what it has rounded.
 *
 * Reads them, and writes none.
 */
#ifndef KOGG_LIBCONTAINER_KERNEL_CGROUP_UNIT_FILES_H
#define KOGG_LIBCONTAINER_KERNEL_CGROUP_UNIT_FILES_H

#include "libcontainer/kernel/cgroup_journal.h"
#include "libcontainer/kernel/cgroup_layout.h"
#include "libcontainer/kernel/cgroup_unit_properties.h"

/* Whether systemd has limits for v2 here. */
bool cgroup_unit_files_are_v2(struct cgroup *cgroup);

/* What is in force; what can't be read stays unknown. */
void cgroup_unit_files_read(struct cgroup *cgroup, struct cgroup_unit_now *ret_now);

/* Notes what they hold, for cgroup_journal_redo() to put back and undo to leave. */
int cgroup_unit_files_keep(struct cgroup *cgroup, struct cgroup_journal *journal, struct error *err)
	must_check;

#endif
