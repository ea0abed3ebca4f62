/* SPDX-License-Identifier: Apache-2.0 */
/*
 * linux.resources as values for the files of v2 controllers, with the
 * conversions from v1's units (Documentation/admin-guide/cgroup-v2.rst;
 * config-linux.md, "Control groups").
 *
 * Writes nothing; reads only what an update must keep.
 */
#ifndef KOGG_LIBCONTAINER_KERNEL_CGROUP_RESOURCES_V2_H
#define KOGG_LIBCONTAINER_KERNEL_CGROUP_RESOURCES_V2_H

#include "libcontainer/kernel/cgroup_batch.h"
#include "libspec/spec_resources.h"

struct cgroup_v2_controller {
	const char *name;
	const char *v1_name; /* where v1 has the same under another name, or NULL */
	/*
	 * DIR_FD is the group of an update, -1 for a new one. A member without a
	 * form in v2 is an error with its pointer below resources->pointer.
	 */
	int (*collect)(const struct spec_resources *resources, int dir_fd,
		struct cgroup_batch *batch, struct error *err);
};

/* In the order of writing; memory comes last. Ends with a NULL name. */
extern const struct cgroup_v2_controller cgroup_resources_v2_controllers[];

/* cpu.weight for cpu.shares: 2 gives 1, 1024 gives 100, 262144 gives 10000. */
unsigned cgroup_resources_v2_cpu_weight(uint64_t shares);

/* io.weight for a BFQ weight of 10 to 1000: 1 to 10000. */
unsigned cgroup_resources_v2_io_weight(uint32_t weight);

#endif
