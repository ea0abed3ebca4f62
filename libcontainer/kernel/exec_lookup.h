/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The file that process.args[0] names (execvp(3), environ(7)).
 *
 * All paths are those of the caller's own root, where the container's process
 * is about to run.
 */
#ifndef KOGG_LIBCONTAINER_KERNEL_EXEC_LOOKUP_H
#define KOGG_LIBCONTAINER_KERNEL_EXEC_LOOKUP_H

#include "base/error.h"
#include "base/text.h"
#include "libspec/spec_process.h"

/* Re-exported for those who look up and execute: exec_examine(), exec_explain(). */
#include "libcontainer/kernel/exec_explain.h"

/*
 * Finds process.args[0] as execvp(3) would, with the PATH of process.env, from
 * process.cwd, which is the current directory, and with the rights of the
 * caller. Appends the path to RET_PATH. Errors are ERROR_COMMAND.
 */
int exec_lookup(const struct spec_process *process, struct text *ret_path, struct error *err)
	must_check;

#endif
