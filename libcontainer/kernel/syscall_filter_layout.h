/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Rules as a classic BPF program that is quick to make and quick to load.
 *
 * libseccomp takes 12 to 45 ms for an engine's profile on three architectures,
 * and its program compares one number after the other; the kernel runs it for
 * each number when it is loaded (seccomp(2); Linux 5.11, the cache of actions
 * that are always allowed), and again for each call that the cache does not
 * hold. Here a program is a tree over ranges of numbers with equal action.
 *
 * What is decided stays libseccomp's. A name that stands alone, without
 * conditions, decides about one number an architecture: that number is asked
 * of libseccomp and put into the tree. All else, which is conditions on
 * arguments, calls that share a number (socketcall(2), ipc(2)), other
 * architectures and the x32 bit, is given to libseccomp, whose program for
 * these few rules is taken apart and laid out anew. Where that is not possible
 * its program for all rules is used as it is:
 *
 *   - it contains an instruction that libseccomp 2.5 and 2.6 do not write, or
 *     looks at a number again behind an argument;
 *   - a rule without conditions meets a number that it has decided on already;
 *   - the tree would have more than BPF_MAXINSNS instructions.
 *
 * What libseccomp does not decide is the answer to calls that are newer than
 * the profile (see syscall_filter_newer.h): part of the tree, or put before
 * libseccomp's program, unless that is of another kind or leaves no room; the
 * default action, which denies them too, is their answer then.
 */
#ifndef KOGG_LIBCONTAINER_KERNEL_SYSCALL_FILTER_LAYOUT_H
#define KOGG_LIBCONTAINER_KERNEL_SYSCALL_FILTER_LAYOUT_H

#include <linux/filter.h>
#include <stddef.h>

#include "base/error.h"
#include "libcontainer/kernel/syscall_filter_rules.h"

/*
 * Part of the cache's key. Changes whenever an equal text of a profile may give
 * another program, or other flags to load it: also with the reader of profiles
 * and all that lies between.
 */
#define SYSCALL_FILTER_LAYOUT_VERSION 4

/* RET_CODE is the caller's to free. Errors are those of syscall_filter_export(). */
int syscall_filter_layout(const struct syscall_filter_rules *rules, struct sock_filter **ret_code,
	size_t *ret_length, struct error *err) must_check;

#endif
