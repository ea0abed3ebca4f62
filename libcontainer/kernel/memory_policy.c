/* SPDX-License-Identifier: Apache-2.0 */
#include "libcontainer/kernel/memory_policy.h"

#include <errno.h>
#include <limits.h>
#include <linux/mempolicy.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "libcontainer/kernel/cpu_affinity.h"

/* MAX_NUMNODES is at most 1024 (CONFIG_NODES_SHIFT 10). */
#define NODES_MAX 1024

static int explain(const struct spec_memory_policy *policy, struct error *err)
{
	const char *mode = spec_word_of(spec_memory_policy_mode_words, policy->mode) ?: "?";

	switch (errno) {
	case ENOSYS:
		return error_set(err, ERROR_UNSUPPORTED, "this kernel has no NUMA memory policies");
	case EINVAL:
		error_set_errno(err, "set memory policy %s", mode);
		return error_hint(err,
			"this kernel lacks the mode or a flag, or the nodes do not go with the "
			"mode, or none of them is there and in the cgroup's cpuset");
	default:
		return error_set_errno(err, "set memory policy %s", mode);
	}
}

int memory_policy_apply(const struct spec_memory_policy *policy, struct error *err)
{
	unsigned long nodes[NODES_MAX / (sizeof(long) * CHAR_BIT)] = { 0 };
	unsigned long bits = 0;

	if (!policy)
		return 0;
	if (policy->nodes && policy->nodes[0]) {
		int used = cpu_affinity_parse(policy->nodes, nodes, array_size(nodes));

		if (used < 0) {
			error_set(err, ERROR_SPEC, "'%s' is no list of nodes below %d, such as 0-1",
				policy->nodes, NODES_MAX);
			return error_point(err, "/linux/memoryPolicy/nodes");
		}
		/* The kernel takes one bit less than it is told (set_mempolicy(2), BUGS). */
		bits = (unsigned long)used * sizeof(long) * CHAR_BIT + 1;
	}
	if (syscall(SYS_set_mempolicy, policy->mode | policy->flags, bits ? nodes : NULL, bits) <
		0) {
		explain(policy, err);
		return error_point(err, "/linux/memoryPolicy");
	}
	return 0;
}
