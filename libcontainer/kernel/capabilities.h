/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The five capability sets of the container's process (capabilities(7)).
 *
 * Names and numbers are libcap-ng's, as they were when this was built; the sets
 * go to the kernel by capset(2) and prctl(2), since capng_apply(3) reads the
 * container's /proc for the bounding set. Knows nothing of when IDs change; its two steps stand
 * around that.
 */
#ifndef KOGG_LIBCONTAINER_KERNEL_CAPABILITIES_H
#define KOGG_LIBCONTAINER_KERNEL_CAPABILITIES_H

#include <stdbool.h>
#include <stdint.h>

#include "base/error.h"
#include "libspec/spec_process.h"

/* Bit N is capability N of <linux/capability.h>. */
struct capability_sets {
	uint64_t bounding;
	uint64_t effective;
	uint64_t inheritable;
	uint64_t permitted;
	uint64_t ambient;
};

/*
 * Gives up what neither PROCESS is to have nor the way to it takes, of the
 * permitted, effective and bounding sets; HAS_FILTER says that a seccomp filter
 * is to be loaded. CAP_SYS_ADMIN is kept for that, where no_new_privs does not
 * do, for a label and for real-time I/O priority. Whoever may trace the caller
 * from now on gets no more than is left.
 */
int capabilities_reduce(const struct spec_process *process, bool has_filter, struct error *err)
	must_check;

/*
 * Works out what PROCESS is to have and drops the rest from the bounding set.
 * To be called once, inside the final user namespace, before the IDs change.
 * No capabilities object means none in all five sets. What this kernel does
 * not know, what this process does not have itself and what the sets rule out
 * among each other is warned of and left out (config.md, "capabilities").
 * KNOWN, or NULL, is what the lists of PROCESS begin with and somebody was
 * warned of before: of that only what this process lacks itself is told.
 */
int capabilities_limit(const struct spec_process *process, const struct spec_capabilities *known,
	struct capability_sets *ret_sets, struct error *err) must_check;

/*
 * Makes effective what the program is going to have, and keeps all others
 * permitted: what is looked up and entered between the change of IDs and
 * capabilities_apply() is then allowed if and only if it will be to the
 * program, CAP_DAC_OVERRIDE with it or not.
 */
int capabilities_preview(const struct capability_sets *sets, struct error *err) must_check;

/*
 * Makes all permitted capabilities effective again, which leaving uid 0 has
 * ended: for what is still to be done before capabilities_apply().
 */
int capabilities_regain(struct error *err) must_check;

/*
 * Sets the other four, with the sets from capabilities_limit(). To be called
 * after the IDs have changed, with PR_SET_KEEPCAPS in force if they left 0.
 */
int capabilities_apply(const struct capability_sets *sets, struct error *err) must_check;

/*
 * Whether CAPABILITY, a CAP_* of <linux/capability.h>, is in force for the caller in
 * its own user namespace.
 */
bool capabilities_has(unsigned capability);

/*
 * Whether the caller may look into processes that are not dumpable
 * (CAP_SYS_PTRACE), as pidfd_getfd(2) does.
 */
bool capabilities_may_trace(void);

/* "CAP_CHOWN", ...: all that this build knows, in the kernel's order; NULL ends it. */
const char *const *capabilities_names(void);

#endif
