/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Why the kernel refused a mount, where its errno does not say: hints for an
 * error that is set already. Nothing here runs unless a mount has failed.
 */
#ifndef KOGG_LIBCONTAINER_KERNEL_MOUNT_EXPLAIN_H
#define KOGG_LIBCONTAINER_KERNEL_MOUNT_EXPLAIN_H

#include "base/error.h"
#include "libspec/spec_linux.h"
#include "libspec/spec_mounts.h"

/*
 * For EPERM with proc or sysfs: a user namespace may mount these only while a
 * whole one is visible (the kernel's "mount too revealing"), and only with the
 * PID or network namespace it belongs to. Names what covers the visible one.
 */
void mount_explain_revealing(const char *type, struct error *err);

/* For EINVAL: a uid= or gid= option whose ID has no mapping. */
void mount_explain_ids(
	const struct spec_mount *mount, const struct spec_linux *platform, struct error *err);

#endif
