/* SPDX-License-Identifier: Apache-2.0 */
#include "libcontainer/kernel/syscall_filter_newer.h"

#include <errno.h>
#include <linux/seccomp.h>
#include <seccomp.h>

#include "base/attributes.h"

/* The numbers that an architecture may have; new calls get none in the gap. */
struct series {
	uint32_t token;
	uint32_t first, last;
	uint32_t gap_first, gap_last; /* none where both are 0 */
};

static const struct series peculiar[] = {
	{ SCMP_ARCH_X86_64, 0, SYSCALL_FILTER_X32_BIT - 1, 0, 0 },
	/* Calls that need other code than x86_64's lie there; newer ones don't (syscall_64.tbl). */
	{ SCMP_ARCH_X32, SYSCALL_FILTER_X32_BIT, UINT32_MAX, SYSCALL_FILTER_X32_BIT | 512,
		SYSCALL_FILTER_X32_BIT | 547 },
	/* Behind it cacheflush, set_tls and the like, which are no series (asm/unistd.h). */
	{ SCMP_ARCH_ARM, 0, 0xf0000 - 1, 0, 0 },
};

static struct series series_of(uint32_t token)
{
	for (size_t i = 0; i < array_size(peculiar); i++)
		if (peculiar[i].token == token)
			return peculiar[i];
	return (struct series){ .token = token, .last = UINT32_MAX };
}

bool syscall_filter_newer_is_asked(const struct syscall_filter_rules *rules)
{
	switch (rules->default_action & SECCOMP_RET_ACTION_FULL) {
	case SECCOMP_RET_ALLOW:
	case SECCOMP_RET_LOG:
	case SECCOMP_RET_TRACE:
		return false;
	default:
		return true;
	}
}

/* The highest number that is known so far, of those of SERIES; -1: none. */
static void know(const struct series *series, uint32_t number, int64_t *highest)
{
	if (number >= series->first && number <= series->last && number > *highest)
		*highest = number;
}

/* A range counts with its highest number that is not in the gap. */
static void know_range(const struct series *series, uint32_t first, uint32_t last, int64_t *highest)
{
	if (last > series->last)
		last = series->last;
	if (series->gap_last && last >= series->gap_first && last <= series->gap_last)
		last = series->gap_first - 1;
	if (first <= last)
		know(series, last, highest);
}

/* The highest number of SERIES that RULES decide on or, though they change nothing, name. */
static int64_t find_highest(const struct series *series, const struct syscall_filter_rules *rules,
	const struct syscall_filter_ranges *decided)
{
	int64_t highest = -1;

	for (size_t i = 0; i < decided->count; i++) {
		const struct syscall_filter_range *range = &decided->items[i];

		if (range->kind != SYSCALL_FILTER_RANGE_ACTION ||
			range->value != rules->default_action)
			know_range(series, range->start,
				i + 1 < decided->count ? range[1].start - 1 : UINT32_MAX, &highest);
	}
	for (size_t i = 0; i < rules->n_idle_names; i++) {
		int number =
			seccomp_syscall_resolve_name_rewrite(series->token, rules->idle_names[i]);

		if (number >= 0)
			know_range(series, (uint32_t)number, (uint32_t)number, &highest);
	}
	return highest;
}

bool syscall_filter_newer_answer(struct arena *arena, const struct syscall_filter_rules *rules,
	uint32_t token, const struct syscall_filter_ranges *decided,
	struct syscall_filter_ranges *answers)
{
	const struct syscall_filter_range answer = { .kind = SYSCALL_FILTER_RANGE_ACTION,
		.value = SECCOMP_RET_ERRNO | ENOSYS };
	const struct series series = series_of(token);
	const int64_t highest = find_highest(&series, rules, decided);
	uint32_t first = (uint32_t)(highest + 1);

	if (highest < 0 || highest >= series.last)
		return true;
	if (series.gap_last && first <= series.gap_first) {
		if (first < series.gap_first && !syscall_filter_ranges_set(arena, answers, first,
							series.gap_first - 1, answer))
			return false;
		first = series.gap_last + 1;
	}
	return syscall_filter_ranges_set(arena, answers, first, series.last, answer);
}
