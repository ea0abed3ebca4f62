/* SPDX-License-Identifier: Apache-2.0 */
/*
 * System calls that are newer than a profile.
 *
 * Who writes a profile that denies by default can't decide about calls that
 * nobody has thought of yet. A C library tries such a call, and does without
 * it where the kernel says ENOSYS, but takes every other errno for the call's
 * own failure. The profiles of engines count on the runtime to tell both
 * apart: a number above all that a profile knows gets ENOSYS, as from a kernel
 * that does not have it, whatever the default action is. Numbers are given
 * out in ascending order, on all architectures alike since Linux 5.1.
 */
#ifndef KOGG_LIBCONTAINER_KERNEL_SYSCALL_FILTER_NEWER_H
#define KOGG_LIBCONTAINER_KERNEL_SYSCALL_FILTER_NEWER_H

#include <stdbool.h>
#include <stdint.h>

#include "base/arena.h"
#include "libcontainer/kernel/syscall_filter_ranges.h"
#include "libcontainer/kernel/syscall_filter_rules.h"

/* What the numbers of x32 have and those of x86_64 have not (asm/unistd.h). */
#define SYSCALL_FILTER_X32_BIT 0x40000000u

/*
 * Whether RULES deny by default: an action that allows, logs or asks a tracer
 * holds for newer calls too.
 */
bool syscall_filter_newer_is_asked(const struct syscall_filter_rules *rules);

/*
 * Where DECIDED, all that RULES say of the numbers of the architecture TOKEN,
 * leaves newer numbers to the default action, ANSWERS gets ENOSYS. Both may be
 * the same. Leaves alone what an architecture has apart from its series (the
 * numbers of arm above 0xf0000, x32's from 512 to 547), and all of one that
 * the profile names no call of. False when memory runs out.
 */
bool syscall_filter_newer_answer(struct arena *arena, const struct syscall_filter_rules *rules,
	uint32_t token, const struct syscall_filter_ranges *decided,
	struct syscall_filter_ranges *answers);

#endif
