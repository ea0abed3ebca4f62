/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What undoes the steps of a creation that fails, for its rollback stack: CONTEXT
 * is a struct creation. What can't be undone is warned of.
 */
#ifndef KOGG_LIBCONTAINER_CREATION_UNDO_H
#define KOGG_LIBCONTAINER_CREATION_UNDO_H

void creation_undo_state_dir(void *context);
void creation_undo_hooks(void *context);
void creation_undo_cgroup(void *context);
void creation_undo_first_process(void *context);
void creation_undo_net_devices(void *context);
void creation_undo_intel_rdt(void *context);
void creation_undo_made_paths(void *context);
void creation_undo_pid_file(void *context);

#endif
