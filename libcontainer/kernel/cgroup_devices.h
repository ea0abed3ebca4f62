/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Which devices the processes of a group may use: rules for the v1 controller
 * (Documentation/admin-guide/cgroup-v1/devices.rst), a program for v2
 * (bpf(2), BPF_PROG_TYPE_CGROUP_DEVICE; cgroup-v2.rst, "Device controller").
 *
 * Knows nothing of device nodes.
 */
#ifndef KOGG_LIBCONTAINER_KERNEL_CGROUP_DEVICES_H
#define KOGG_LIBCONTAINER_KERNEL_CGROUP_DEVICES_H

#include "libcontainer/kernel/cgroup_layout.h"
#include "libspec/spec_resources.h"

/*
 * Puts the rules in force: nothing is allowed but by a rule, later rules win,
 * and last come those for the devices that each container has. RESOURCES may
 * be NULL: then there are no others. A program of ours that the group has
 * already is replaced.
 */
int cgroup_devices_apply(struct cgroup *cgroup, const struct spec_resources *resources,
	struct error *err) must_check;

#endif
