/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Kernel parameters of the caller's namespaces (sysctl(8), /proc/sys).
 *
 * That a name belongs to a namespace of the container is checked by libspec,
 * as far as the config tells.
 */
#ifndef KOGG_LIBCONTAINER_KERNEL_SYSCTLS_H
#define KOGG_LIBCONTAINER_KERNEL_SYSCTLS_H

#include "base/error.h"
#include "libcontainer/kernel/namespaces.h"
#include "libcontainer/kernel/procfs.h"
#include "libspec/spec_linux.h"

/*
 * Fails when a parameter of linux.sysctl belongs to one of the namespaces
 * JOINED by path, and that is the host's own. Asked by the runtime, before it
 * makes anything.
 */
int sysctls_check(const struct spec_linux *platform, const struct namespaces *joined,
	struct error *err) must_check;

/*
 * Writes linux.sysctl, in the order of the document, from inside the
 * namespaces. A name takes "." or "/" between its parts as sysctl(8) reads it:
 * whichever comes first separates, the other one stands for itself.
 */
int sysctls_write(struct procfs *procfs, const struct spec_linux *platform, struct error *err)
	must_check;

#endif
