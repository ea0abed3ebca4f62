/* SPDX-License-Identifier: Apache-2.0 */
/*
 * linux.resources as values for the files of v1 controllers
 * (Documentation/admin-guide/cgroup-v1/; config-linux.md, "Control groups").
 *
 * Writes nothing; knows no hierarchies.
 */
#ifndef KOGG_LIBCONTAINER_KERNEL_CGROUP_RESOURCES_V1_H
#define KOGG_LIBCONTAINER_KERNEL_CGROUP_RESOURCES_V1_H

#include "libcontainer/kernel/cgroup_batch.h"
#include "libspec/spec_resources.h"

struct cgroup_v1_controller {
	const char *name;
	void (*collect)(const struct spec_resources *resources, struct cgroup_batch *batch);
};

/* In the order of writing; memory comes last. Ends with a NULL name. */
extern const struct cgroup_v1_controller cgroup_resources_v1_controllers[];

#endif
