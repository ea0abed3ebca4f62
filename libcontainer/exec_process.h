/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Which process exec is to run: a process.json, or the container's own
 * process with what the flags replace or add.
 */
#ifndef KOGG_LIBCONTAINER_EXEC_PROCESS_H
#define KOGG_LIBCONTAINER_EXEC_PROCESS_H

#include "base/arena.h"
#include "libcontainer/container.h"

struct exec_process {
	struct spec_document *document; /* of process.json, or NULL */
	const struct spec_process *process;
	struct spec_process made; /* when the flags say */
	struct spec_capabilities capabilities;
	const struct spec_capabilities *known_capabilities; /* the container's; or NULL */
	struct arena arena;
};

/* SPEC is the container's. The caller gives RET_PROCESS to exec_process_release() in any case. */
int exec_process_build(struct exec_process *ret_process, const struct spec *spec,
	const struct exec_options *options, struct error *err) must_check;

/*
 * For an error about a member of the process that was made from flags: takes
 * away the pointer, for there is no such place in the config, and names the
 * flag. Returns -1.
 */
int exec_process_blame(const struct exec_options *options, struct error *err);

void exec_process_release(struct exec_process *process);

#endif
