/* SPDX-License-Identifier: Apache-2.0 */
/*
 * NUMA memory policy of the calling process (set_mempolicy(2),
 * Documentation/admin-guide/mm/numa_memory_policy.rst).
 */
#ifndef KOGG_LIBCONTAINER_KERNEL_MEMORY_POLICY_H
#define KOGG_LIBCONTAINER_KERNEL_MEMORY_POLICY_H

#include "base/error.h"
#include "libspec/spec_linux.h"

/*
 * Sets linux.memoryPolicy on the caller; nothing when POLICY is NULL. To be
 * called in the container's cgroup, whose cpuset bounds the nodes.
 */
int memory_policy_apply(const struct spec_memory_policy *policy, struct error *err) must_check;

#endif
