/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Compiling a filter in a process of its own, with a limit.
 *
 * libseccomp 2.5 never ends for some rules of one name that have several
 * conditions (seen in 2.5.4). A command that waited for it would hold the
 * container's lock for ever.
 */
#ifndef KOGG_LIBCONTAINER_KERNEL_SYSCALL_FILTER_APART_H
#define KOGG_LIBCONTAINER_KERNEL_SYSCALL_FILTER_APART_H

#include <linux/filter.h>
#include <stddef.h>

#include "base/error.h"
#include "libcontainer/kernel/syscall_filter_rules.h"

/* Of the processor's time; what is compiled takes 50 ms at most. */
#define SYSCALL_FILTER_APART_SECONDS 5

/* As syscall_filter_layout(), in a child that is waited for. */
int syscall_filter_compile_apart(const struct syscall_filter_rules *rules,
	struct sock_filter **ret_code, size_t *ret_length, struct error *err) must_check;

#endif
