/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a filter decides, as ranges of system call numbers.
 *
 * A seccomp program of libseccomp looks at the architecture and the number
 * first and at arguments, if at all, last (seccomp(2), struct seccomp_data).
 * Run with a fixed architecture and every number at once, it falls into ranges
 * that end in one action, or in the code that looks at the arguments.
 * Knows nothing of names and profiles.
 */
#ifndef KOGG_LIBCONTAINER_KERNEL_SYSCALL_FILTER_RANGES_H
#define KOGG_LIBCONTAINER_KERNEL_SYSCALL_FILTER_RANGES_H

#include <linux/filter.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/arena.h"

enum syscall_filter_range_kind {
	SYSCALL_FILTER_RANGE_ACTION, /* value is what the filter returns */
	SYSCALL_FILTER_RANGE_CODE,   /* value is the instruction to go on with */
	SYSCALL_FILTER_RANGE_FOLDED, /* see syscall_filter_ranges_fold(); no value */
	SYSCALL_FILTER_RANGE_THEIRS, /* a whole program of libseccomp decides; no value */
};

/* A range ends where the next begins; the last one at UINT32_MAX. */
struct syscall_filter_range {
	uint32_t start;
	enum syscall_filter_range_kind kind;
	uint32_t value;
};

struct syscall_filter_ranges {
	struct syscall_filter_range *items; /* in the arena */
	size_t count;
	size_t capacity;
};

/* A number that has an action of its own. */
struct syscall_filter_point {
	uint32_t number;
	uint32_t action;
};

/*
 * Finds the ranges of PROGRAM for the AUDIT_ARCH_* value ARCH. False when the
 * program does something else than is said above, or memory runs out.
 */
bool syscall_filter_ranges_find(struct arena *arena, const struct sock_filter *program,
	size_t length, uint32_t arch, struct syscall_filter_ranges *ret_ranges);

/*
 * Gives the numbers of POINTS (ascending, no doubles) their actions. False
 * when one of them lies where DEFAULT_ACTION does not hold, since then somebody
 * else has decided about it; or when memory runs out.
 */
bool syscall_filter_ranges_overlay(struct arena *arena, struct syscall_filter_ranges *ranges,
	uint32_t default_action, const struct syscall_filter_point *points, size_t n_points);

/* From FIRST to LAST RANGE holds, whose start does not matter. False when memory runs out. */
bool syscall_filter_ranges_set(struct arena *arena, struct syscall_filter_ranges *ranges,
	uint32_t first, uint32_t last, struct syscall_filter_range range);

/* Whether the same happens in both. */
static inline bool syscall_filter_range_is_equal(
	const struct syscall_filter_range *a, const struct syscall_filter_range *b)
{
	return a->kind == b->kind && a->value == b->value;
}

/* Whether ranges[i] is a single number in the midst of others that are treated alike. */
static inline bool syscall_filter_range_is_exception(
	const struct syscall_filter_range *ranges, size_t count, size_t i)
{
	return i > 0 && i + 1 < count && ranges[i + 1].start == ranges[i].start + 1 &&
	       syscall_filter_range_is_equal(&ranges[i - 1], &ranges[i + 1]);
}

/*
 * Splits RANGES at the number that has only the bit BIT set: RET_BELOW gets
 * what is below, RET_ABOVE what is above, and FOLDED wherever that is what
 * RET_BELOW, read on beyond its end, says of the number without the bit. False
 * when memory runs out.
 */
bool syscall_filter_ranges_fold(struct arena *arena, const struct syscall_filter_ranges *ranges,
	uint32_t bit, struct syscall_filter_ranges *ret_below,
	struct syscall_filter_ranges *ret_above);

#endif
