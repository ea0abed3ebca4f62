/* SPDX-License-Identifier: Apache-2.0 */
#include "libcontainer/kernel/syscall_filter_layout.h"

#include <assert.h>
#include <linux/seccomp.h>
#include <seccomp.h>
#include <stdlib.h>
#include <string.h>

#include "base/arena.h"
#include "base/attributes.h"
#include "base/cleanup.h"
#include "libcontainer/kernel/syscall_filter_assembly.h"
#include "libcontainer/kernel/syscall_filter_export.h"
#include "libcontainer/kernel/syscall_filter_newer.h"
#include "libcontainer/kernel/syscall_filter_ranges.h"

/*
 * libseccomp's stand-ins for calls that an architecture has only as part of a
 * shared one lie between these; those of calls that it has not at all, below.
 */
#define SHARED_NUMBER_FIRST (-9999)
#define SHARED_NUMBER_LAST  (-2)

/*
 * The tree's leaves are chains of so many comparisons. A kernel with a JIT
 * compiler makes one instruction of a comparison that falls through and two of
 * one that does not, and compiling is most of what loading costs.
 */
#ifndef CHAIN_MAX
#	define CHAIN_MAX 8
#endif
/* Of which each may be an exception, with a range on either side. */
#define CHAIN_RANGES_MAX (2 * CHAIN_MAX + 1)

struct layout {
	struct arena *arena;
	const struct syscall_filter_rules *rules;
	int *numbers;                /* of rule i on architecture j: [i * n_archs + j] */
	bool *is_complex;            /* rule i is libseccomp's to decide */
	struct sock_filter *program; /* libseccomp's, of the complex rules */
	size_t length;
	size_t *positions; /* where an instruction of it was laid out, or 0 */
	struct syscall_filter_assembly *assembly;
	size_t folded; /* where FOLDED ranges go */
	size_t theirs; /* where THEIRS ranges go */
};

static int number_of(const struct layout *layout, size_t rule, size_t arch)
{
	return layout->numbers[rule * layout->rules->n_archs + arch];
}

/* ABIs that the kernel gives one AUDIT_ARCH_* and tells apart by bits of the number. */
static uint32_t audit_arch(uint32_t token)
{
	return token == SCMP_ARCH_X32 ? SCMP_ARCH_X86_64 : token;
}

static bool resolve_numbers(struct layout *layout)
{
	const struct syscall_filter_rules *rules = layout->rules;
	uint32_t native = seccomp_arch_native();

	layout->numbers =
		arena_alloc(layout->arena, rules->count * rules->n_archs + 1, sizeof(int));
	layout->is_complex = arena_alloc(layout->arena, rules->count + 1, sizeof(bool));
	if (!layout->numbers || !layout->is_complex)
		return false;
	for (size_t i = 0; i < rules->count; i++)
		for (size_t j = 0; j < rules->n_archs; j++)
			layout->numbers[i * rules->n_archs + j] =
				rules->archs[j] == native
					? rules->items[i].number
					: seccomp_syscall_resolve_name_arch(
						  rules->archs[j], rules->items[i].name);
	return true;
}

/* Whether RULE, seen alone, is more than an action for one number an architecture. */
static bool is_complex_alone(const struct layout *layout, size_t rule)
{
	const struct syscall_filter_rule *item = &layout->rules->items[rule];

	if (item->n_args || !strcmp(item->name, "socketcall") || !strcmp(item->name, "ipc"))
		return true;
	for (size_t j = 0; j < layout->rules->n_archs; j++) {
		int number = number_of(layout, rule, j);

		if (number >= SHARED_NUMBER_FIRST && number <= SHARED_NUMBER_LAST)
			return true;
	}
	return false;
}

/* All rules for a name go the same way, since the order among them counts. */
static void sort_out_complex(struct layout *layout)
{
	const struct syscall_filter_rules *rules = layout->rules;

	for (size_t i = 0; i < rules->count; i++) {
		if (layout->is_complex[i] || !is_complex_alone(layout, i))
			continue;
		for (size_t k = 0; k < rules->count; k++)
			if (rules->items[k].number == rules->items[i].number)
				layout->is_complex[k] = true;
	}
}

struct ordered_point {
	struct syscall_filter_point point;
	size_t order;
};

static int compare_points(const void *a, const void *b)
{
	const struct ordered_point *left = a, *right = b;

	if (left->point.number != right->point.number)
		return left->point.number < right->point.number ? -1 : 1;
	return left->order < right->order ? -1 : left->order > right->order;
}

/* The simple rules of the architectures that ARCH stands for, ascending; the first rule counts. */
static bool find_points(const struct layout *layout, uint32_t arch,
	struct syscall_filter_point **ret_points, size_t *ret_count)
{
	const struct syscall_filter_rules *rules = layout->rules;
	size_t room = rules->count * rules->n_archs + 1, count = 0, kept = 0;
	struct ordered_point *all = arena_alloc(layout->arena, room, sizeof(*all));
	struct syscall_filter_point *points = arena_alloc(layout->arena, room, sizeof(*points));

	if (!all || !points)
		return false;
	for (size_t i = 0; i < rules->count; i++)
		for (size_t j = 0; j < rules->n_archs; j++) {
			int number = number_of(layout, i, j);

			if (audit_arch(rules->archs[j]) == arch && !layout->is_complex[i] &&
				number >= 0)
				all[count++] = (struct ordered_point){
					{ (uint32_t)number, rules->items[i].action }, i
				};
		}
	qsort(all, count, sizeof(*all), compare_points);
	for (size_t i = 0; i < count; i++)
		if (!kept || points[kept - 1].number != all[i].point.number)
			points[kept++] = all[i].point;
	*ret_points = points;
	*ret_count = kept;
	return true;
}

/*
 * Lays out libseccomp's instruction at PC and all that follow from it, which
 * look at arguments only and so mean the same wherever they are reached from.
 * Gives 0 when they do not.
 */
static size_t lay_out_code(struct layout *layout, size_t pc)
{
	const struct sock_filter *instruction = &layout->program[pc];
	size_t next, other, position = 0;

	if (pc >= layout->length)
		return 0;
	if (layout->positions[pc])
		return layout->positions[pc];
	switch (instruction->code) {
	case BPF_RET | BPF_K:
		position = syscall_filter_assembly_return(layout->assembly, instruction->k);
		break;
	case BPF_JMP | BPF_JA:
		position = lay_out_code(layout, pc + 1 + instruction->k);
		break;
	case BPF_LD | BPF_W | BPF_ABS:
		if (instruction->k < offsetof(struct seccomp_data, args))
			return 0;
		fall_through;
	case BPF_ALU | BPF_AND | BPF_K:
		next = lay_out_code(layout, pc + 1);
		if (next)
			position = syscall_filter_assembly_step(
				layout->assembly, instruction->code, instruction->k, next);
		break;
	case BPF_JMP | BPF_JEQ | BPF_K:
	case BPF_JMP | BPF_JGT | BPF_K:
	case BPF_JMP | BPF_JGE | BPF_K:
		other = lay_out_code(layout, pc + 1 + instruction->jf);
		next = other ? lay_out_code(layout, pc + 1 + instruction->jt) : 0;
		if (next)
			position = syscall_filter_assembly_jump(
				layout->assembly, instruction->code, instruction->k, next, other);
		break;
	default:
		break;
	}
	layout->positions[pc] = position;
	return position;
}

static size_t lay_out_range(struct layout *layout, const struct syscall_filter_range *range)
{
	switch (range->kind) {
	case SYSCALL_FILTER_RANGE_ACTION:
		return syscall_filter_assembly_return(layout->assembly, range->value);
	case SYSCALL_FILTER_RANGE_CODE:
		return lay_out_code(layout, range->value);
	case SYSCALL_FILTER_RANGE_FOLDED:
		return layout->folded;
	case SYSCALL_FILTER_RANGE_THEIRS:
		return layout->theirs;
	}
	return 0;
}

/*
 * Compares with one number after the other: first with the exceptions, then
 * from the highest start down. Backwards, that is the other way round.
 */
static size_t lay_out_chain(
	struct layout *layout, const struct syscall_filter_range *ranges, size_t count)
{
	size_t targets[CHAIN_RANGES_MAX];
	size_t next;

	assert(count > 0 && count <= CHAIN_RANGES_MAX);
	for (size_t i = 0; i < count; i++) {
		targets[i] = lay_out_range(layout, &ranges[i]);
		if (!targets[i])
			return 0;
	}
	next = targets[0];
	for (size_t i = 1; i < count; i++) {
		if (syscall_filter_range_is_exception(ranges, count, i))
			i++; /* what comes behind is as what came before */
		else
			next = syscall_filter_assembly_jump(layout->assembly,
				BPF_JMP | BPF_JGE | BPF_K, ranges[i].start, targets[i], next);
	}
	for (size_t i = 1; i < count; i++)
		if (syscall_filter_range_is_exception(ranges, count, i)) {
			next = syscall_filter_assembly_jump(layout->assembly,
				BPF_JMP | BPF_JEQ | BPF_K, ranges[i].start, targets[i], next);
			i++;
		}
	return next;
}

/* The comparisons of a chain. */
static size_t count_tests(const struct syscall_filter_range *ranges, size_t count)
{
	size_t n_tests = 0;

	for (size_t i = 1; i < count; i++, n_tests++)
		if (syscall_filter_range_is_exception(ranges, count, i))
			i++;
	return n_tests;
}

/* Where to halve COUNT ranges: near the middle, and not beside an exception. */
static size_t find_middle(const struct syscall_filter_range *ranges, size_t count)
{
	for (size_t i = count / 2; i < count / 2 + count / 4; i++)
		if (!syscall_filter_range_is_exception(ranges, count, i - 1) &&
			!syscall_filter_range_is_exception(ranges, count, i))
			return i;
	return count / 2;
}

static size_t lay_out_tree(
	struct layout *layout, const struct syscall_filter_range *ranges, size_t count)
{
	size_t middle, above, below;

	if (count_tests(ranges, count) <= CHAIN_MAX)
		return lay_out_chain(layout, ranges, count);
	middle = find_middle(ranges, count);
	above = lay_out_tree(layout, ranges + middle, count - middle);
	below = above ? lay_out_tree(layout, ranges, middle) : 0;
	if (!below)
		return 0;
	return syscall_filter_assembly_jump(
		layout->assembly, BPF_JMP | BPF_JGE | BPF_K, ranges[middle].start, above, below);
}

/*
 * x32 has the numbers of x86_64, and a bit. Where it is treated alike the bit
 * is taken away and the other tree decides.
 */
static size_t lay_out_folded(struct layout *layout, const struct syscall_filter_ranges *ranges)
{
	struct syscall_filter_ranges below, above;
	size_t tree_below, tree_above;

	if (!syscall_filter_ranges_fold(
		    layout->arena, ranges, SYSCALL_FILTER_X32_BIT, &below, &above))
		return 0;
	tree_below = lay_out_tree(layout, below.items, below.count);
	if (!tree_below)
		return 0;
	layout->folded = syscall_filter_assembly_step(
		layout->assembly, BPF_ALU | BPF_AND | BPF_K, ~SYSCALL_FILTER_X32_BIT, tree_below);
	tree_above = lay_out_tree(layout, above.items, above.count);
	if (!tree_above)
		return 0;
	return syscall_filter_assembly_jump(layout->assembly, BPF_JMP | BPF_JGE | BPF_K,
		SYSCALL_FILTER_X32_BIT, tree_above, tree_below);
}

/* Gives the numbers of ARCH that are newer than the profile their answer. */
static bool answer_newer(const struct layout *layout, uint32_t arch,
	const struct syscall_filter_ranges *decided, struct syscall_filter_ranges *answers)
{
	const struct syscall_filter_rules *rules = layout->rules;

	if (!syscall_filter_newer_is_asked(rules))
		return true;
	for (size_t i = 0; i < rules->n_archs; i++)
		if (audit_arch(rules->archs[i]) == arch &&
			!syscall_filter_newer_answer(
				layout->arena, rules, rules->archs[i], decided, answers))
			return false;
	return true;
}

/* The instruction that loads the number, and the tree for ARCH. */
static size_t lay_out_numbers(
	struct layout *layout, uint32_t arch, const struct syscall_filter_ranges *ranges)
{
	size_t tree = arch == SCMP_ARCH_X86_64 ? lay_out_folded(layout, ranges)
					       : lay_out_tree(layout, ranges->items, ranges->count);

	if (!tree)
		return 0;
	return syscall_filter_assembly_step(layout->assembly, BPF_LD | BPF_W | BPF_ABS,
		offsetof(struct seccomp_data, nr), tree);
}

static size_t lay_out_arch(struct layout *layout, uint32_t arch)
{
	struct syscall_filter_ranges ranges;
	struct syscall_filter_point *points;
	size_t n_points;

	if (!syscall_filter_ranges_find(
		    layout->arena, layout->program, layout->length, arch, &ranges) ||
		!find_points(layout, arch, &points, &n_points) ||
		!syscall_filter_ranges_overlay(
			layout->arena, &ranges, layout->rules->default_action, points, n_points) ||
		!answer_newer(layout, arch, &ranges, &ranges))
		return 0;
	return lay_out_numbers(layout, arch, &ranges);
}

/* What happens on architectures that the profile does not name: one action. */
static size_t lay_out_other_archs(struct layout *layout)
{
	struct syscall_filter_ranges ranges;

	/* No architecture has the number 0 (linux/elf-em.h, EM_NONE). */
	if (!syscall_filter_ranges_find(
		    layout->arena, layout->program, layout->length, 0, &ranges) ||
		ranges.count != 1 || ranges.items[0].kind != SYSCALL_FILTER_RANGE_ACTION)
		return 0;
	return lay_out_range(layout, &ranges.items[0]);
}

static bool has_arch(const struct syscall_filter_rules *rules, size_t end, uint32_t arch)
{
	for (size_t i = 0; i < end; i++)
		if (audit_arch(rules->archs[i]) == arch)
			return true;
	return false;
}

static bool lay_out(struct layout *layout)
{
	const struct syscall_filter_rules *rules = layout->rules;
	size_t next = lay_out_other_archs(layout);

	/* Backwards: the native architecture is asked first. */
	for (size_t i = rules->n_archs; next && i--;) {
		uint32_t arch = audit_arch(rules->archs[i]);
		size_t tree;

		if (has_arch(rules, i, arch))
			continue;
		tree = lay_out_arch(layout, arch);
		if (!tree)
			return false;
		next = syscall_filter_assembly_jump(
			layout->assembly, BPF_JMP | BPF_JEQ | BPF_K, arch, tree, next);
	}
	if (!next)
		return false;
	syscall_filter_assembly_step(layout->assembly, BPF_LD | BPF_W | BPF_ABS,
		offsetof(struct seccomp_data, arch), next);
	return !layout->assembly->is_full;
}

/* Finds numbers and makes room; false when there is no memory left. */
static bool prepare(struct layout *layout)
{
	layout->assembly = arena_alloc(layout->arena, 1, sizeof(*layout->assembly));
	layout->positions = arena_alloc(layout->arena, BPF_MAXINSNS, sizeof(size_t));
	if (!layout->assembly || !layout->positions || !resolve_numbers(layout))
		return false;
	sort_out_complex(layout);
	return true;
}

static int copy_program(const struct syscall_filter_assembly *assembly,
	struct sock_filter **ret_code, size_t *ret_length, struct error *err)
{
	size_t size = assembly->used * sizeof(struct sock_filter);
	struct sock_filter *code = malloc(size);

	if (!code)
		return error_set_errno(err, "make the seccomp filter");
	memcpy(code, syscall_filter_assembly_program(assembly), size);
	*ret_code = code;
	*ret_length = assembly->used;
	return 0;
}

/* What happens to newer numbers of ARCH before libseccomp's program; 0: nothing. */
static size_t lay_out_newer(struct layout *layout, uint32_t arch)
{
	struct syscall_filter_range all = { .kind = SYSCALL_FILTER_RANGE_THEIRS };
	struct syscall_filter_ranges decided, answers = { .items = &all, .count = 1 };

	if (!syscall_filter_ranges_find(
		    layout->arena, layout->program, layout->length, arch, &decided) ||
		!answer_newer(layout, arch, &decided, &answers) || answers.count == 1)
		return 0;
	return lay_out_numbers(layout, arch, &answers);
}

/* Puts the answers to newer numbers before libseccomp's program; false when they can't be had. */
static bool lay_out_before(struct layout *layout)
{
	const struct syscall_filter_rules *rules = layout->rules;
	size_t next;

	*layout->assembly = (struct syscall_filter_assembly){ 0 };
	layout->theirs =
		syscall_filter_assembly_copy(layout->assembly, layout->program, layout->length);
	next = layout->theirs;
	for (size_t i = rules->n_archs; i--;) {
		uint32_t arch = audit_arch(rules->archs[i]);
		size_t tree = has_arch(rules, i, arch) ? 0 : lay_out_newer(layout, arch);

		if (tree)
			next = syscall_filter_assembly_jump(
				layout->assembly, BPF_JMP | BPF_JEQ | BPF_K, arch, tree, next);
	}
	if (next == layout->theirs)
		return false;
	syscall_filter_assembly_step(layout->assembly, BPF_LD | BPF_W | BPF_ABS,
		offsetof(struct seccomp_data, arch), next);
	return !layout->assembly->is_full;
}

static int use_as_it_is(
	struct layout *layout, struct sock_filter **ret_code, size_t *ret_length, struct error *err)
{
	cleanup_free struct sock_filter *code = NULL;

	if (syscall_filter_export(layout->rules, NULL, &code, &layout->length, err) < 0)
		return -1;
	if (!syscall_filter_export_is_sound(code, layout->length)) {
		error_set(err, ERROR_UNSUPPORTED,
			"libseccomp makes a program of these rules that ignores them");
		error_point(err, "/linux/seccomp/syscalls");
		return error_hint(err, "a rule without conditions for a call that all "
				       "architectures have, such as read, helps");
	}
	layout->program = code;
	if (syscall_filter_newer_is_asked(layout->rules) && lay_out_before(layout))
		return copy_program(layout->assembly, ret_code, ret_length, err);
	*ret_length = layout->length;
	*ret_code = take_ptr(code);
	return 0;
}

static int make(
	struct layout *layout, struct sock_filter **ret_code, size_t *ret_length, struct error *err)
{
	cleanup_free struct sock_filter *program = NULL;

	if (!prepare(layout))
		return error_set_errno(err, "make the seccomp filter");
	if (syscall_filter_export(
		    layout->rules, layout->is_complex, &program, &layout->length, err) < 0)
		return -1;
	layout->program = program;
	if (!lay_out(layout))
		return use_as_it_is(layout, ret_code, ret_length, err);
	return copy_program(layout->assembly, ret_code, ret_length, err);
}

int syscall_filter_layout(const struct syscall_filter_rules *rules, struct sock_filter **ret_code,
	size_t *ret_length, struct error *err)
{
	struct arena arena = { 0 };
	struct layout layout = { .arena = &arena, .rules = rules };
	int result = make(&layout, ret_code, ret_length, err);

	arena_release(&arena);
	return result;
}
