/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Seccomp profiles of any rules, compiled in our way and by libseccomp: both
 * refuse a profile or none, and both programs decide alike, where libseccomp's
 * is sound (syscall_filter_export.h); ours always is, and answers numbers that
 * are newer than the profile (syscall_filter_newer.h).
 *
 * The input is read byte by byte: the default action, the architectures, and
 * then rules to its end, each with a name, an action, and up to three conditions.
 */
#include <linux/filter.h>
#include <seccomp.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/attributes.h"
#include "libcontainer/kernel/syscall_filter_export.h"
#include "libcontainer/kernel/syscall_filter_layout.h"
#include "libcontainer/kernel/tests/seccomp_compare.h"

#define RULES_MAX 8
#define ARGS_MAX  3
#define VALUES    12

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void demand(int is_true)
{
	if (!is_true)
		__builtin_trap();
}

/* libseccomp 2.5.4 loses nodes of its tree of arguments; all of its memory comes from
 * zmalloc(), which has a name only in a static build. */
__attribute__((visibility("default"))) const char *__lsan_default_suppressions(void);

const char *__lsan_default_suppressions(void)
{
	return "leak:zmalloc\nleak:libseccomp";
}

static const char *const names[] = { "read", "write", "socket", "bind", "socketcall", "semop",
	"ipc", "clone", "ioctl", "personality", "arch_prctl", "stime", "no_such_call", "mmap2",
	"open", "getpid" };

/* Each with what a program may get wrong: the halves, their ends, the sign. */
static const uint64_t values[VALUES] = { 0, 1, 2, 9, 0x7fffffff, 0x80000000, UINT32_MAX,
	UINT64_C(1) << 32, (UINT64_C(1) << 32) + 1, INT64_MAX, UINT64_C(1) << 63, UINT64_MAX };

struct input {
	const uint8_t *at;
	size_t left;
};

static unsigned take(struct input *input, unsigned below)
{
	if (!input->left)
		return 0;
	input->left--;
	return *input->at++ % below;
}

struct profile {
	struct spec_seccomp seccomp;
	const char *archs[4];
	struct spec_seccomp_rule rules[RULES_MAX];
	const char *rule_names[RULES_MAX][2];
	struct spec_seccomp_arg args[RULES_MAX][ARGS_MAX];
};

static void take_archs(struct input *input, struct profile *profile)
{
	static const char *const words[] = { "SCMP_ARCH_X86_64", "SCMP_ARCH_X86", "SCMP_ARCH_X32",
		"SCMP_ARCH_ARM" };
	unsigned mask = take(input, 16);

	for (size_t i = 0; i < array_size(words); i++)
		if (mask & 1U << i)
			profile->archs[profile->seccomp.architectures.count++] = words[i];
	profile->seccomp.architectures.items = profile->archs;
}

/*
 * libseccomp 2.5.4 never ends for some rules of one name that have several
 * conditions, also in the hands of its other users.
 */
static void keep_from_hanging(struct profile *profile, size_t i)
{
	for (size_t k = 0; k < i; k++)
		if (profile->rule_names[k][0] == profile->rule_names[i][0]) {
			profile->rules[k].n_args = profile->rules[k].n_args > 0;
			profile->rules[i].n_args = profile->rules[i].n_args > 0;
		}
}

static void take_rule(struct input *input, struct profile *profile)
{
	size_t i = profile->seccomp.n_rules++;
	struct spec_seccomp_rule *rule = &profile->rules[i];
	unsigned action = take(input, 8);

	profile->rule_names[i][0] = names[take(input, array_size(names))];
	rule->names = (struct spec_strings){ profile->rule_names[i], 1 };
	rule->action = action;
	if (action == SPEC_SECCOMP_ERRNO)
		rule->errno_ret = (struct spec_u32){ .is_set = true, .value = take(input, 8) };
	rule->args = profile->args[i];
	rule->n_args = take(input, ARGS_MAX + 1);
	keep_from_hanging(profile, i);
	for (size_t k = 0; k < rule->n_args; k++)
		rule->args[k] = (struct spec_seccomp_arg){
			.index = take(input, 6),
			.op = take(input, SPEC_SECCOMP_MASKED_EQ + 1),
			.value = values[take(input, VALUES)],
			.value_two = values[take(input, VALUES)],
		};
}

static void read_profile(struct input *input, struct profile *profile)
{
	profile->seccomp.default_action = take(input, 8);
	take_archs(input, profile);
	profile->seccomp.rules = profile->rules;
	while (input->left && profile->seccomp.n_rules < RULES_MAX)
		take_rule(input, profile);
}

/* Each jump goes forward and stays within, and the last instruction returns (seccomp(2)). */
static void check_is_valid(const struct seccomp_program *program)
{
	demand(program->length > 0 && program->length <= BPF_MAXINSNS);
	demand(program->code[program->length - 1].code == (BPF_RET | BPF_K));
	for (size_t i = 0; i < program->length; i++) {
		const struct sock_filter *one = &program->code[i];

		if (BPF_CLASS(one->code) != BPF_JMP)
			continue;
		demand(i + 1 + (BPF_OP(one->code) == BPF_JA ? one->k : one->jt) < program->length);
		demand(i + 1 + one->jf < program->length);
	}
}

/* What is compared. */
struct pair {
	struct seccomp_program ours, theirs;
	struct seccomp_newer newer;
};

/* Returns whether either has looked at the arguments. */
static bool compare_outcome(const struct pair *pair, const struct seccomp_data *data)
{
	struct seccomp_outcome our_outcome = seccomp_emulate(&pair->ours, data);
	struct seccomp_outcome their_outcome = seccomp_emulate(&pair->theirs, data);

	demand(our_outcome.action ==
		seccomp_newer_expected(&pair->newer, data, their_outcome.action));
	return our_outcome.has_read_arguments || their_outcome.has_read_arguments;
}

static void compare_call(const struct pair *pair, struct seccomp_data *data)
{
	if (!compare_outcome(pair, data))
		return;
	for (size_t argument = 0; argument < 6; argument++)
		for (size_t i = 0; i < VALUES; i++) {
			data->args[argument] = values[i];
			compare_outcome(pair, data);
		}
}

/* The arguments before the one that changes are all ones, those behind it zero. */
static void compare(const struct syscall_filter_rules *rules, const struct pair *pair)
{
	static const int others[] = { 0, 59, 359, 500, 0x3fffffff, 0x40000000, 0x40000001,
		0x40000000 | 530, 0x40000000 | 600, -1 };

	for (size_t k = 0; k < rules->n_archs; k++) {
		const uint32_t token = rules->archs[k];

		for (size_t i = 0; i < array_size(names) + array_size(others); i++) {
			struct seccomp_data data = {
				.arch = token == SCMP_ARCH_X32 ? SCMP_ARCH_X86_64 : token,
			};

			data.nr = i < array_size(names)
					  ? seccomp_syscall_resolve_name_rewrite(token, names[i])
					  : others[i - array_size(names)];
			compare_call(pair, &data);
		}
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct input input = { data, size };
	struct profile profile = { 0 };
	struct syscall_filter_rules rules;
	struct pair pair = { 0 };
	struct seccomp_program *ours = &pair.ours, *theirs = &pair.theirs;
	struct error err = { 0 }, other_err = { 0 };
	bool is_sound;
	int result;

	read_profile(&input, &profile);
	if (syscall_filter_rules_init(&rules, &profile.seccomp, &err) < 0) {
		demand(err.kind != ERROR_NONE);
		syscall_filter_rules_release(&rules);
		return 0;
	}
	result = syscall_filter_export(&rules, NULL, &theirs->code, &theirs->length, &err);
	is_sound = result == 0 && syscall_filter_export_is_sound(theirs->code, theirs->length);
	if (syscall_filter_layout(&rules, &ours->code, &ours->length, &other_err) < 0) {
		demand(result < 0 || (!is_sound && other_err.kind == ERROR_UNSUPPORTED));
	} else {
		demand(result == 0);
		check_is_valid(ours);
		if (is_sound) {
			pair.newer = seccomp_newer_find(&profile.seccomp, &rules, theirs);
			compare(&rules, &pair);
		}
	}
	free(ours->code);
	free(theirs->code);
	syscall_filter_rules_release(&rules);
	return 0;
}
