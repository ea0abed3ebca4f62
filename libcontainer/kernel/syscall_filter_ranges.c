/* SPDX-License-Identifier: Apache-2.0 */
#include "libcontainer/kernel/syscall_filter_ranges.h"

#include <linux/seccomp.h>
#include <stdlib.h>
#include <string.h>

/* What the accumulator holds. */
enum content { CONTENT_NONE, CONTENT_ARCH, CONTENT_NUMBER };

struct walk {
	struct arena *arena;
	const struct sock_filter *program;
	size_t length;
	uint32_t arch;
	struct syscall_filter_ranges ranges;
};

/* The numbers from FIRST to LAST, about to run the instruction at PC. */
struct flow {
	size_t pc;
	uint32_t first;
	uint32_t last;
	enum content content;
};

static bool append(struct arena *arena, struct syscall_filter_ranges *ranges,
	struct syscall_filter_range range)
{
	if (ranges->count == ranges->capacity) {
		size_t capacity = ranges->capacity ? ranges->capacity * 2 : 64;
		struct syscall_filter_range *items = arena_alloc(arena, capacity, sizeof(*items));

		if (!items)
			return false;
		if (ranges->count)
			memcpy(items, ranges->items, ranges->count * sizeof(*items));
		ranges->items = items;
		ranges->capacity = capacity;
	}
	ranges->items[ranges->count++] = range;
	return true;
}

static bool walk_on(struct walk *walk, struct flow flow);

/* One comparison tells apart the numbers up to FIRST - 1, from FIRST to LAST, and above. */
static bool branch(struct walk *walk, const struct flow *flow, uint64_t first, uint64_t last)
{
	const struct sock_filter *instruction = &walk->program[flow->pc];
	const struct {
		uint64_t first, last;
		size_t jump;
	} parts[] = {
		{ 0, first - 1, instruction->jf },
		{ first, last, instruction->jt },
		{ last + 1, UINT32_MAX, instruction->jf },
	};

	for (size_t i = first ? 0 : 1; i < 3; i++) {
		uint64_t from = parts[i].first > flow->first ? parts[i].first : flow->first;
		uint64_t to = parts[i].last < flow->last ? parts[i].last : flow->last;

		if (from > to)
			continue;
		if (!walk_on(walk, (struct flow){ .pc = flow->pc + 1 + parts[i].jump,
					   .first = (uint32_t)from,
					   .last = (uint32_t)to,
					   .content = CONTENT_NUMBER }))
			return false;
	}
	return true;
}

/* The values that make the comparison of INSTRUCTION true; false when it is none. */
static bool matching_values(
	const struct sock_filter *instruction, uint64_t *ret_first, uint64_t *ret_last)
{
	*ret_first = instruction->k;
	*ret_last = UINT32_MAX;
	switch (instruction->code) {
	case BPF_JMP | BPF_JEQ | BPF_K:
		*ret_last = instruction->k;
		return true;
	case BPF_JMP | BPF_JGT | BPF_K:
		*ret_first = (uint64_t)instruction->k + 1;
		return true;
	case BPF_JMP | BPF_JGE | BPF_K:
		return true;
	default:
		return false;
	}
}

/* Takes the content that INSTRUCTION loads; false when that is an argument. */
static bool load(const struct sock_filter *instruction, enum content *content)
{
	switch (instruction->k) {
	case offsetof(struct seccomp_data, nr):
		*content = CONTENT_NUMBER;
		return true;
	case offsetof(struct seccomp_data, arch):
		*content = CONTENT_ARCH;
		return true;
	default:
		return false;
	}
}

static bool end(struct walk *walk, const struct flow *flow, enum syscall_filter_range_kind kind,
	uint32_t value)
{
	return append(walk->arena, &walk->ranges,
		(struct syscall_filter_range){
			.start = flow->first, .kind = kind, .value = value });
}

static bool walk_on(struct walk *walk, struct flow flow)
{
	for (; flow.pc < walk->length; flow.pc++) {
		const struct sock_filter *instruction = &walk->program[flow.pc];
		uint64_t first, last;

		if (instruction->code == (BPF_RET | BPF_K))
			return end(walk, &flow, SYSCALL_FILTER_RANGE_ACTION, instruction->k);
		if (instruction->code == (BPF_LD | BPF_W | BPF_ABS)) {
			if (!load(instruction, &flow.content))
				return end(
					walk, &flow, SYSCALL_FILTER_RANGE_CODE, (uint32_t)flow.pc);
		} else if (instruction->code == (BPF_JMP | BPF_JA)) {
			flow.pc += instruction->k;
		} else if (!matching_values(instruction, &first, &last) ||
			   flow.content == CONTENT_NONE) {
			return false;
		} else if (flow.content == CONTENT_NUMBER) {
			return branch(walk, &flow, first, last);
		} else {
			bool is_match = walk->arch >= first && walk->arch <= last;

			flow.pc += is_match ? instruction->jt : instruction->jf;
			/* What is compared next is the number, also where its load is missing. */
			if (is_match)
				flow.content = CONTENT_NUMBER;
		}
	}
	return false;
}

static int compare_ranges(const void *a, const void *b)
{
	const struct syscall_filter_range *left = a, *right = b;

	return left->start < right->start ? -1 : left->start > right->start;
}

bool syscall_filter_ranges_find(struct arena *arena, const struct sock_filter *program,
	size_t length, uint32_t arch, struct syscall_filter_ranges *ret_ranges)
{
	struct walk walk = { .arena = arena, .program = program, .length = length, .arch = arch };

	if (!walk_on(&walk, (struct flow){ .last = UINT32_MAX }))
		return false;
	qsort(walk.ranges.items, walk.ranges.count, sizeof(*walk.ranges.items), compare_ranges);
	*ret_ranges = walk.ranges;
	return true;
}

/* From START on RANGE holds. Joins neighbours that are equal. */
static bool set_from(struct arena *arena, struct syscall_filter_ranges *ranges, uint32_t start,
	struct syscall_filter_range range)
{
	const struct syscall_filter_range *last;

	range.start = start;
	if (ranges->count && ranges->items[ranges->count - 1].start == start)
		ranges->count--;
	last = ranges->count ? &ranges->items[ranges->count - 1] : NULL;
	if (last && syscall_filter_range_is_equal(last, &range))
		return true;
	return append(arena, ranges, range);
}

bool syscall_filter_ranges_overlay(struct arena *arena, struct syscall_filter_ranges *ranges,
	uint32_t default_action, const struct syscall_filter_point *points, size_t n_points)
{
	struct syscall_filter_ranges merged = { 0 };
	size_t next = 0;

	for (size_t i = 0; i < ranges->count; i++) {
		const struct syscall_filter_range *range = &ranges->items[i];
		uint64_t behind = i + 1 < ranges->count ? range[1].start : 1ull << 32;

		if (!set_from(arena, &merged, range->start, *range))
			return false;
		for (; next < n_points && points[next].number < behind; next++) {
			struct syscall_filter_range point = { .value = points[next].action };

			if (range->kind != SYSCALL_FILTER_RANGE_ACTION ||
				range->value != default_action)
				return false;
			if (!set_from(arena, &merged, points[next].number, point))
				return false;
			if (points[next].number + 1ull < behind &&
				!set_from(arena, &merged, points[next].number + 1, *range))
				return false;
		}
	}
	*ranges = merged;
	return true;
}

/* The range of RANGES that NUMBER lies in, no earlier than FROM. */
static size_t find_range(const struct syscall_filter_ranges *ranges, size_t from, uint32_t number)
{
	while (from + 1 < ranges->count && ranges->items[from + 1].start <= number)
		from++;
	return from;
}

bool syscall_filter_ranges_set(struct arena *arena, struct syscall_filter_ranges *ranges,
	uint32_t first, uint32_t last, struct syscall_filter_range range)
{
	const size_t behind = find_range(ranges, 0, last);
	struct syscall_filter_ranges result = { 0 };

	for (size_t i = 0; i < ranges->count && ranges->items[i].start < first; i++)
		if (!set_from(arena, &result, ranges->items[i].start, ranges->items[i]))
			return false;
	if (!set_from(arena, &result, first, range) ||
		(last < UINT32_MAX && !set_from(arena, &result, last + 1, ranges->items[behind])))
		return false;
	for (size_t i = behind + 1; i < ranges->count; i++)
		if (!set_from(arena, &result, ranges->items[i].start, ranges->items[i]))
			return false;
	*ranges = result;
	return true;
}

bool syscall_filter_ranges_fold(struct arena *arena, const struct syscall_filter_ranges *ranges,
	uint32_t bit, struct syscall_filter_ranges *ret_below,
	struct syscall_filter_ranges *ret_above)
{
	struct syscall_filter_ranges below = *ranges, above = { 0 };
	const struct syscall_filter_range same = { .kind = SYSCALL_FILTER_RANGE_FOLDED };
	size_t high = find_range(ranges, 0, bit), low = 0;
	uint64_t number = bit;

	below.count = find_range(ranges, 0, bit - 1) + 1;
	while (number <= UINT32_MAX) {
		const struct syscall_filter_range *here, *there;
		uint64_t next = 1ull << 32, next_low = next;

		high = find_range(ranges, high, (uint32_t)number);
		low = find_range(&below, low, (uint32_t)number & ~bit);
		here = &ranges->items[high];
		there = &below.items[low];
		if (!set_from(arena, &above, (uint32_t)number,
			    syscall_filter_range_is_equal(here, there) ? same : *here))
			return false;
		if (high + 1 < ranges->count)
			next = here[1].start;
		if (low + 1 < below.count)
			next_low = (uint64_t)there[1].start | bit;
		number = next < next_low ? next : next_low;
	}
	*ret_below = below;
	*ret_above = above;
	return true;
}
