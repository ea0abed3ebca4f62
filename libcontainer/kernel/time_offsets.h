/* SPDX-License-Identifier: Apache-2.0 */
/* Clock offsets of a new time namespace (time_namespaces(7)). */
#ifndef KOGG_LIBCONTAINER_KERNEL_TIME_OFFSETS_H
#define KOGG_LIBCONTAINER_KERNEL_TIME_OFFSETS_H

#include "base/error.h"
#include "libcontainer/kernel/procfs.h"
#include "libspec/spec_linux.h"

/*
 * Writes linux.timeOffsets of the time namespace that the caller has unshared
 * and no process has entered yet: its next child will. Nothing without offsets.
 */
int time_offsets_write(struct procfs *procfs, const struct spec_linux *platform, struct error *err)
	must_check;

#endif
