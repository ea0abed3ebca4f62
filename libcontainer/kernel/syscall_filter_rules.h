/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A seccomp profile as a flat list of rules (config-linux.md, "Seccomp").
 *
 * What the config says in words becomes what seccomp(2) and libseccomp take:
 * action values, architecture tokens, and one rule a name. Names that
 * libseccomp does not know are left out; those whose action is the default
 * one, and which need no rule, are a list of their own. Knows nothing of
 * programs.
 */
#ifndef KOGG_LIBCONTAINER_KERNEL_SYSCALL_FILTER_RULES_H
#define KOGG_LIBCONTAINER_KERNEL_SYSCALL_FILTER_RULES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"
#include "libspec/spec_seccomp.h"

/* The native architecture and the 23 of the spec. */
#define SYSCALL_FILTER_ARCHS_MAX 24

/* Rules of one profile: names times conditions; engines write about 450. */
#define SYSCALL_FILTER_RULES_MAX 65536

struct syscall_filter_rule {
	const char *name;                    /* borrowed from the profile */
	int number;                          /* the native one, or a negative stand-in for it */
	uint32_t action;                     /* SECCOMP_RET_* with its data */
	const struct spec_seccomp_arg *args; /* borrowed; each index at most once */
	size_t n_args;
	size_t position; /* in /linux/seccomp/syscalls */
};

struct syscall_filter_rules {
	uint32_t default_action;
	uint32_t
		archs[SYSCALL_FILTER_ARCHS_MAX]; /* SCMP_ARCH_*, the native one first, no doubles */
	size_t arch_positions[SYSCALL_FILTER_ARCHS_MAX]; /* in /linux/seccomp/architectures */
	size_t n_archs;
	struct syscall_filter_rule *items; /* owned, in the order of the profile */
	size_t count;
	const char **idle_names; /* owned; whose action is the default one */
	size_t n_idle_names;
};

/*
 * Flattens PROFILE. Two conditions on one argument can't both be put into one
 * rule: such an entry becomes a rule for each of its conditions, any of which
 * then matches, as in runc (and so in what profiles are tested with).
 */
int syscall_filter_rules_init(struct syscall_filter_rules *ret_rules,
	const struct spec_seccomp *profile, struct error *err) must_check;

/* RULES may be empty, and is empty afterwards. */
void syscall_filter_rules_release(struct syscall_filter_rules *rules);

/* SCMP_ARCH_* for the config's WORD; -1 when this libseccomp lacks it. */
int syscall_filter_rules_arch(const char *word, uint32_t *ret_token) must_check;

#endif
