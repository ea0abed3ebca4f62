/* SPDX-License-Identifier: Apache-2.0 */
/* What is said when the container's program can't be executed (execve(2)). */
#ifndef KOGG_LIBCONTAINER_KERNEL_EXEC_EXPLAIN_H
#define KOGG_LIBCONTAINER_KERNEL_EXEC_EXPLAIN_H

#include "base/error.h"
#include "base/exec_examine.h"

/*
 * Sets the error for an execve(2) of PATH that failed with SYS_ERRNO:
 * ERROR_COMMAND, in the kernel's own words, which engines turn into exit
 * status 126 and 127. FINDINGS are those of exec_examine(), or NULL to look
 * now. Returns -1.
 */
int exec_explain(
	const char *path, int sys_errno, const struct exec_findings *findings, struct error *err);

#endif
