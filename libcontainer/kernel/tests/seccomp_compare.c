/* SPDX-License-Identifier: Apache-2.0 */
#include "libcontainer/kernel/tests/seccomp_compare.h"

#include <check.h>
#include <errno.h>
#include <linux/audit.h>
#include <seccomp.h>
#include <stdlib.h>
#include <string.h>

#include "base/attributes.h"
#include "libcontainer/kernel/syscall_filter_export.h"
#include "libcontainer/kernel/syscall_filter_layout.h"

#define NUMBERS_MAX    600
#define ARGUMENTS      6
#define VALUES_MAX     512
#define RANDOM_SAMPLES 500

#define X32_BIT 0x40000000u

/* Classic BPF as Documentation/networking/filter.rst has it, as far as seccomp(2) allows it. */
static uint32_t load_word(const struct seccomp_data *data, uint32_t offset)
{
	uint32_t word;

	/* Not ck_assert: that writes into a pipe, and this runs a hundred million times. */
	if (offset % 4 || offset > sizeof(*data) - sizeof(word))
		ck_abort_msg("loads from %u", offset);
	memcpy(&word, (const char *)data + offset, sizeof(word));
	return word;
}

static bool compare(uint16_t code, uint32_t a, uint32_t k)
{
	switch (code) {
	case BPF_JMP | BPF_JEQ | BPF_K:
		return a == k;
	case BPF_JMP | BPF_JGT | BPF_K:
		return a > k;
	case BPF_JMP | BPF_JGE | BPF_K:
		return a >= k;
	default:
		ck_abort_msg("unexpected instruction 0x%x", code);
	}
}

struct seccomp_outcome seccomp_emulate(
	const struct seccomp_program *program, const struct seccomp_data *data)
{
	struct seccomp_outcome outcome = { 0 };
	uint32_t a = 0;

	for (size_t pc = 0; pc < program->length; pc++) {
		const struct sock_filter *instruction = &program->code[pc];

		switch (instruction->code) {
		case BPF_LD | BPF_W | BPF_ABS:
			a = load_word(data, instruction->k);
			if (instruction->k >= offsetof(struct seccomp_data, args))
				outcome.has_read_arguments = true;
			break;
		case BPF_ALU | BPF_AND | BPF_K:
			a &= instruction->k;
			break;
		case BPF_RET | BPF_K:
			outcome.action = instruction->k;
			return outcome;
		case BPF_JMP | BPF_JA:
			pc += instruction->k;
			break;
		default:
			pc += compare(instruction->code, a, instruction->k) ? instruction->jt
									    : instruction->jf;
		}
	}
	ck_abort_msg("ran off the end of the program");
}

struct seccomp_program seccomp_compile(const struct spec_seccomp *profile)
{
	struct syscall_filter_rules rules;
	struct seccomp_program program;
	struct error err = { 0 };

	ck_assert_msg(syscall_filter_rules_init(&rules, profile, &err) == 0, "%s", err.text);
	ck_assert_msg(syscall_filter_layout(&rules, &program.code, &program.length, &err) == 0,
		"%s", err.text);
	syscall_filter_rules_release(&rules);
	return program;
}

uint32_t seccomp_action(const struct seccomp_program *program, uint32_t arch, uint32_t number)
{
	const struct seccomp_data data = { .arch = arch, .nr = (int)number };

	return seccomp_emulate(program, &data).action;
}

/* The numbers that are tried for one architecture; those of MIPS go up to 6,500. */
#define KNOWN_MAX 8000

static bool denies(uint32_t action)
{
	action &= SECCOMP_RET_ACTION_FULL;
	return action != SECCOMP_RET_ALLOW && action != SECCOMP_RET_LOG &&
	       action != SECCOMP_RET_TRACE;
}

/* Whether NUMBER is among those of its architecture that new calls do not get. */
static bool is_apart(uint32_t token, uint32_t number)
{
	return token == SCMP_ARCH_X32 && (number & ~X32_BIT) >= 512 && (number & ~X32_BIT) < 548;
}

/* -1: none of the numbers of TOKEN. */
static int64_t find_highest(const struct spec_seccomp *profile,
	const struct syscall_filter_rules *rules, const struct seccomp_program *theirs,
	uint32_t token)
{
	const uint32_t base = token == SCMP_ARCH_X32 ? X32_BIT : 0;
	int64_t highest = -1;

	for (uint32_t n = 0; n < KNOWN_MAX; n++) {
		struct seccomp_data data = { .nr = (int)(base + n),
			.arch = base ? SCMP_ARCH_X86_64 : token };
		struct seccomp_outcome outcome = seccomp_emulate(theirs, &data);

		if ((outcome.has_read_arguments || outcome.action != rules->default_action) &&
			!is_apart(token, base + n))
			highest = base + n;
	}
	for (size_t i = 0; i < profile->n_rules; i++)
		for (size_t k = 0; k < profile->rules[i].names.count; k++) {
			int number = seccomp_syscall_resolve_name_rewrite(
				token, profile->rules[i].names.items[k]);

			if (number > highest && !is_apart(token, (uint32_t)number) &&
				!(token == SCMP_ARCH_ARM && number >= 0xf0000))
				highest = number;
		}
	return highest;
}

static void add_span(struct seccomp_newer *newer, uint32_t token, uint32_t first, uint32_t last)
{
	newer->spans[newer->count].arch = token == SCMP_ARCH_X32 ? SCMP_ARCH_X86_64 : token;
	newer->spans[newer->count].first = first;
	newer->spans[newer->count++].last = last;
}

struct seccomp_newer seccomp_newer_find(const struct spec_seccomp *profile,
	const struct syscall_filter_rules *rules, const struct seccomp_program *theirs)
{
	struct seccomp_newer newer = { 0 };

	for (size_t i = 0; denies(rules->default_action) && i < rules->n_archs; i++) {
		uint32_t token = rules->archs[i];
		int64_t highest = find_highest(profile, rules, theirs, token);
		uint32_t first = (uint32_t)highest + 1;

		if (highest < 0)
			continue;
		if (token == SCMP_ARCH_X86_64) {
			add_span(&newer, token, first, X32_BIT - 1);
		} else if (token == SCMP_ARCH_ARM) {
			add_span(&newer, token, first, 0xeffff);
		} else if (token == SCMP_ARCH_X32 && highest < (X32_BIT | 512)) {
			add_span(&newer, token, first, X32_BIT | 511);
			add_span(&newer, token, X32_BIT | 548, UINT32_MAX);
		} else {
			add_span(&newer, token, first, UINT32_MAX);
		}
	}
	return newer;
}

uint32_t seccomp_newer_expected(
	const struct seccomp_newer *newer, const struct seccomp_data *data, uint32_t action)
{
	const uint32_t number = (uint32_t)data->nr;

	for (size_t i = 0; i < newer->count; i++)
		if (newer->spans[i].arch == data->arch && number >= newer->spans[i].first &&
			number <= newer->spans[i].last)
			return SECCOMP_RET_ERRNO | ENOSYS;
	return action;
}

/* Values that can tell programs apart: those of the profile, near them, and in either half. */
struct values {
	uint64_t items[VALUES_MAX];
	size_t count;
};

static void add_value(struct values *values, uint64_t value)
{
	for (size_t i = 0; i < values->count; i++)
		if (values->items[i] == value)
			return;
	if (values->count < VALUES_MAX)
		values->items[values->count++] = value;
}

static void add_around(struct values *values, uint64_t value)
{
	const uint64_t high = 1ull << 32;

	for (int i = -1; i <= 1; i++) {
		add_value(values, value + (uint64_t)i);
		add_value(values, value + (uint64_t)i * high);
	}
	add_value(values, value | high << 7);
	add_value(values, value & (high - 1));
	add_value(values, value >> 32);
	add_value(values, value << 32);
	add_value(values, ~value);
}

static void collect_values(struct values *values, const struct syscall_filter_rules *rules)
{
	static const uint64_t always[] = { 0, 1, 21, 0x7fffffff, 0x80000000, UINT32_MAX, 1ull << 32,
		INT64_MAX, UINT64_MAX };

	values->count = 0;
	for (size_t i = 0; i < array_size(always); i++)
		add_value(values, always[i]);
	for (uint64_t i = 1; i <= 24; i++) /* the calls that share socketcall(2) and ipc(2) */
		add_value(values, i);
	for (size_t i = 0; i < rules->count; i++)
		for (size_t k = 0; k < rules->items[i].n_args; k++) {
			add_around(values, rules->items[i].args[k].value);
			add_around(values, rules->items[i].args[k].value_two);
			add_value(values,
				rules->items[i].args[k].value & rules->items[i].args[k].value_two);
		}
}

/* xorshift: the same samples in every run. */
static uint64_t next_random(uint64_t *state)
{
	*state ^= *state << 13;
	*state ^= *state >> 7;
	*state ^= *state << 17;
	return *state;
}

/* What is compared. */
struct pair {
	struct seccomp_program theirs, ours;
	struct seccomp_newer newer;
};

static bool is_same(const struct pair *pair, const struct seccomp_data *data)
{
	struct seccomp_outcome a = seccomp_emulate(&pair->theirs, data);
	struct seccomp_outcome b = seccomp_emulate(&pair->ours, data);
	uint32_t expected = seccomp_newer_expected(&pair->newer, data, a.action);

	if (expected != b.action)
		ck_abort_msg(
			"arch %08x number %d args %llx %llx %llx %llx %llx %llx: libseccomp %08x, expected %08x, we %08x",
			data->arch, data->nr, data->args[0], data->args[1], data->args[2],
			data->args[3], data->args[4], data->args[5], a.action, expected, b.action);
	return !a.has_read_arguments && !b.has_read_arguments;
}

static void compare_arguments(
	const struct pair *pair, struct seccomp_data *data, const struct values *values)
{
	uint64_t state = 88172645463325252ull + (uint64_t)data->nr;

	if (is_same(pair, data))
		return;
	for (size_t i = 0; i < values->count; i++)
		for (size_t argument = 0; argument < ARGUMENTS; argument++) {
			memset(data->args, 0, sizeof(data->args));
			data->args[argument] = values->items[i];
			is_same(pair, data);
		}
	for (size_t i = 0; i < RANDOM_SAMPLES; i++) {
		for (size_t argument = 0; argument < ARGUMENTS; argument++)
			data->args[argument] = values->items[next_random(&state) % values->count];
		is_same(pair, data);
	}
}

/* The numbers from BASE on, which may wrap round. */
static void compare_numbers(
	const struct pair *pair, uint32_t arch, uint32_t base, const struct values *values)
{
	for (uint32_t n = 0; n <= NUMBERS_MAX; n++) {
		struct seccomp_data data = { .nr = (int)(base + n), .arch = arch };

		compare_arguments(pair, &data, values);
	}
}

/* Those of MIPS and of ARM have bases of their own; 2 to the power of 30 is the bit of x32. */
static const uint32_t bases[] = { 0, 4000, 5000, 6000, 0xf0000 - 300, X32_BIT - NUMBERS_MAX,
	X32_BIT, 0x80000000 - 300, 0xc0000000 - 300, UINT32_MAX - 300 };

static void compare_archs(const struct syscall_filter_rules *rules, const struct pair *pair)
{
	static const uint32_t other_archs[] = { AUDIT_ARCH_I386, AUDIT_ARCH_X86_64,
		AUDIT_ARCH_AARCH64, AUDIT_ARCH_ARM, AUDIT_ARCH_S390X, 0, 1, UINT32_MAX };
	struct values values;

	collect_values(&values, rules);
	for (size_t i = 0; i < rules->n_archs; i++)
		for (size_t k = 0; k < array_size(bases); k++)
			compare_numbers(pair, rules->archs[i], bases[k], &values);
	for (size_t i = 0; i < array_size(other_archs); i++)
		compare_numbers(pair, other_archs[i], 0, &values);
}

static void check_is_valid(const struct seccomp_program *program)
{
	ck_assert_uint_gt(program->length, 0);
	ck_assert_uint_le(program->length, BPF_MAXINSNS);
	ck_assert_uint_eq(program->code[program->length - 1].code, BPF_RET | BPF_K);
	for (size_t i = 0; i < program->length; i++) {
		const struct sock_filter *instruction = &program->code[i];

		if (BPF_CLASS(instruction->code) != BPF_JMP)
			continue;
		if (BPF_OP(instruction->code) == BPF_JA)
			ck_assert_uint_lt(i + 1 + instruction->k, program->length);
		else
			ck_assert_uint_lt(i + 1 + instruction->jt, program->length);
		ck_assert_uint_lt(i + 1 + instruction->jf, program->length);
	}
}

bool seccomp_compare(const struct spec_seccomp *profile)
{
	struct syscall_filter_rules rules;
	struct pair pair;
	const struct seccomp_program *theirs = &pair.theirs, *ours = &pair.ours;
	struct error err = { 0 };
	bool is_laid_out;

	ck_assert_msg(syscall_filter_rules_init(&rules, profile, &err) == 0, "%s", err.text);
	ck_assert_msg(syscall_filter_export(
			      &rules, NULL, &pair.theirs.code, &pair.theirs.length, &err) == 0,
		"%s", err.text);
	ck_assert_msg(syscall_filter_layout(&rules, &pair.ours.code, &pair.ours.length, &err) == 0,
		"%s", err.text);
	check_is_valid(ours);
	pair.newer = seccomp_newer_find(profile, &rules, theirs);
	compare_archs(&rules, &pair);
	is_laid_out = ours->length < theirs->length ||
		      memcmp(ours->code + ours->length - theirs->length, theirs->code,
			      theirs->length * sizeof(*theirs->code));
	free(theirs->code);
	free(ours->code);
	syscall_filter_rules_release(&rules);
	return is_laid_out;
}
