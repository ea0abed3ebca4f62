/* SPDX-License-Identifier: Apache-2.0 */
#include "libcontainer/kernel/scheduler.h"

#include <errno.h>
#include <stdint.h>
#include <sys/syscall.h>
#include <unistd.h>

/* struct sched_attr, first version; <linux/sched/types.h> collides with <sched.h>. */
struct attributes {
	uint32_t size;
	uint32_t policy;
	uint64_t flags;
	int32_t nice;
	uint32_t priority;
	uint64_t runtime;
	uint64_t deadline;
	uint64_t period;
};

_Static_assert(sizeof(struct attributes) == 48, "SCHED_ATTR_SIZE_VER0");

static int explain(const struct spec_scheduler *wanted, struct error *err)
{
	int cause = errno;

	error_set_errno(err, "set scheduling policy %s",
		spec_word_of(spec_scheduler_policy_words, wanted->policy) ?: "?");
	switch (cause) {
	case EPERM:
		return error_hint(err, "real-time policies and a lower nice value need "
				       "CAP_SYS_NICE, or room in RLIMIT_RTPRIO and RLIMIT_NICE, "
				       "and a cgroup that may use real-time");
	case EINVAL:
		return error_hint(err, "the values do not go with this policy (sched(7)), or this "
				       "kernel does not have it");
	case EBUSY:
		return error_hint(err, "the CPUs have no bandwidth left for that deadline");
	default:
		return -1;
	}
}

int scheduler_apply(const struct spec_process *process, struct error *err)
{
	const struct spec_scheduler *wanted = process->scheduler;
	struct attributes attributes;

	if (!wanted)
		return 0;
	attributes = (struct attributes){
		.size = sizeof(attributes),
		.policy = wanted->policy,
		.flags = wanted->flags,
		.nice = (int32_t)wanted->nice,
		.priority = (uint32_t)wanted->priority,
		.runtime = wanted->runtime,
		.deadline = wanted->deadline,
		.period = wanted->period,
	};
	if (syscall(SYS_sched_setattr, 0, &attributes, 0) < 0) {
		explain(wanted, err);
		return error_point(err, "%s/scheduler", process->pointer);
	}
	return 0;
}
