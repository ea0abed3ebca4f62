/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Making a filter in a process of its own, with a limit, while the caller does
 * something else.
 *
 * libseccomp 2.5 never ends for some rules of one name that have several
 * conditions (seen in 2.5.4). A command that waited for it would hold the
 * container's lock for ever.
 */
#ifndef KOGG_LIBCONTAINER_KERNEL_SYSCALL_FILTER_APART_H
#define KOGG_LIBCONTAINER_KERNEL_SYSCALL_FILTER_APART_H

#include <linux/bpf_common.h>
#include <linux/filter.h>
#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#include "base/error.h"

/*
 * Of the processor's time; what is compiled takes 50 ms at most. Memory needs no
 * limit of its own: with a text and a number of rules as large as they may be
 * (JSON_SIZE_MAX, SYSCALL_FILTER_RULES_MAX) no profile was found that takes more
 * than 110 MiB in that time; those of engines take 1.5 MiB.
 */
#define SYSCALL_FILTER_APART_SECONDS 5

/* Lies in memory that the child, the caller and the caller's later children have in common. */
struct syscall_filter_outcome {
	int result;
	struct error error;
	unsigned flags;
	bool needs_listener;
	bool notifies_capset, notifies_prctl, notifies_sendmsg;
	size_t length;
	struct sock_filter code[BPF_MAXINSNS];
};

/* The empty value ({ 0 }) stands for no child. */
struct syscall_filter_apart {
	pid_t pid; /* 0 when it has been waited for */
	struct syscall_filter_outcome *outcome;
};

/*
 * Has WORK done with CONTEXT in a child, which fills in the outcome from flags
 * on. The caller gives RET_APART back with syscall_filter_apart_release().
 */
int syscall_filter_apart_begin(
	int (*work)(void *context, struct syscall_filter_outcome *outcome, struct error *err),
	void *context, struct syscall_filter_apart *ret_apart, struct error *err) must_check;

/* Waits for the child; from then on the outcome counts. Fails as WORK has. */
int syscall_filter_apart_wait(struct syscall_filter_apart *apart, struct error *err) must_check;

/* Kills a child that has not been waited for. */
void syscall_filter_apart_release(struct syscall_filter_apart *apart);

#endif
