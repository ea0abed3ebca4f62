/* SPDX-License-Identifier: Apache-2.0 */
/*
 * linux.resources.unified: v2 files by their names (config-linux.md,
 * "Unified"; Documentation/admin-guide/cgroup-v2.rst).
 *
 * Knows no file's meaning; writes nothing.
 */
#ifndef KOGG_LIBCONTAINER_KERNEL_CGROUP_UNIFIED_H
#define KOGG_LIBCONTAINER_KERNEL_CGROUP_UNIFIED_H

#include "libcontainer/kernel/cgroup_batch.h"
#include "libspec/spec_resources.h"

/*
 * Collects the values, a line a write, memory.max last. They go in after all
 * other limits. A key that is no file name is an error.
 */
int cgroup_unified_collect(const struct spec_resources *resources, struct cgroup_batch *batch,
	struct error *err) must_check;

/*
 * Adds the controller that FILE belongs to ("memory" of "memory.high"; none of
 * cgroup.*) to WANTS, for the sake of POINTER.
 */
int cgroup_unified_want(const char *file, const char *pointer, struct cgroup_wants *wants,
	struct error *err) must_check;

#endif
