/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Running from an executable that nobody can write to.
 *
 * A process in a container that the runtime joins can open the runtime through
 * /proc/PID/exe and wait until it may write to it: the host's binary
 * (CVE-2019-5736). So the program executes itself again from a detached
 * read-only mount of its file (open_tree(2), mount_setattr(2)), or, where it
 * may not mount, from a sealed copy in memory (memfd_create(2)).
 */
#ifndef KOGG_LIBCONTAINER_KERNEL_SEALED_EXE_H
#define KOGG_LIBCONTAINER_KERNEL_SEALED_EXE_H

#include "base/error.h"

/*
 * Returns 0 when the caller runs from such a file already. Otherwise executes
 * it with ARGV and ENVP, and does not return unless that failed. To be called
 * first thing in main(), with one thread and no descriptor that execve(2)
 * would close and the caller still needs.
 */
int sealed_exe_ensure(char *const argv[], char *const envp[], struct error *err) must_check;

/* How a mount that seals is marked. Read-only is what counts; nobody mounts with all of the others
 * by chance. */
#define SEALED_EXE_MARKS \
	(MOUNT_ATTR_RDONLY | MOUNT_ATTR_NODEV | MOUNT_ATTR_NOATIME | MOUNT_ATTR_NODIRATIME)

#endif
