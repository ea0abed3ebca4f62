/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Rules as libseccomp's own classic BPF program (seccomp_rule_add(3),
 * seccomp_export_bpf(3)).
 *
 * What libseccomp decides is the meaning of a profile: the spec defines its
 * words by that library. Its programs are right, but slow to make for several
 * architectures and slow to load (see syscall_filter_layout.h).
 */
#ifndef KOGG_LIBCONTAINER_KERNEL_SYSCALL_FILTER_EXPORT_H
#define KOGG_LIBCONTAINER_KERNEL_SYSCALL_FILTER_EXPORT_H

#include <linux/filter.h>
#include <stdbool.h>
#include <stddef.h>

#include "base/error.h"
#include "libcontainer/kernel/syscall_filter_rules.h"

/*
 * Makes the program for those of RULES that IS_WANTED says (NULL: all), one
 * bool a rule. RET_CODE is the caller's to free. Errors point to the rule or
 * the architecture that libseccomp refuses.
 */
int syscall_filter_export(const struct syscall_filter_rules *rules, const bool *is_wanted,
	struct sock_filter **ret_code, size_t *ret_length, struct error *err) must_check;

/*
 * Whether a program of libseccomp's does what it says. Up to 2.5.5 at least it
 * leaves out the instruction that loads the system call's number for an
 * architecture when the first of its rules is for a call that this architecture
 * does not have (ipc(2) and socketcall(2) on x86_64), and then compares numbers
 * with the architecture's: no rule ever matches.
 */
bool syscall_filter_export_is_sound(const struct sock_filter *code, size_t length);

#endif
