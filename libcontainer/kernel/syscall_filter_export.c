/* SPDX-License-Identifier: Apache-2.0 */
#include "libcontainer/kernel/syscall_filter_export.h"

#include <errno.h>
#include <seccomp.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "base/attributes.h"
#include "base/cleanup.h"
#include "base/fd.h"

#define cleanup_context __attribute__((cleanup(release_context)))

static void release_context(scmp_filter_ctx *context)
{
	if (*context)
		seccomp_release(*context);
}

static const enum scmp_compare operators[] = {
	[SPEC_SECCOMP_NE] = SCMP_CMP_NE,
	[SPEC_SECCOMP_LT] = SCMP_CMP_LT,
	[SPEC_SECCOMP_LE] = SCMP_CMP_LE,
	[SPEC_SECCOMP_EQ] = SCMP_CMP_EQ,
	[SPEC_SECCOMP_GE] = SCMP_CMP_GE,
	[SPEC_SECCOMP_GT] = SCMP_CMP_GT,
	[SPEC_SECCOMP_MASKED_EQ] = SCMP_CMP_MASKED_EQ,
};

/* libseccomp returns negative errno values and leaves errno alone. */
static int fail(struct error *err, int result, const char *what)
{
	errno = -result;
	return error_set_errno(err, "%s", what);
}

static int add_archs(
	scmp_filter_ctx context, const struct syscall_filter_rules *rules, struct error *err)
{
	for (size_t i = 1; i < rules->n_archs; i++) {
		int result = seccomp_arch_add(context, rules->archs[i]);

		if (!result)
			continue;
		/* A program is of one byte order: libseccomp says EDOM (seccomp_arch_add(3)). */
		if (result == -EDOM)
			error_set(err, ERROR_UNSUPPORTED,
				"the architecture has another byte order than this machine");
		else
			fail(err, result, "add an architecture to the seccomp filter");
		return error_point(
			err, "/linux/seccomp/architectures/%zu", rules->arch_positions[i]);
	}
	return 0;
}

static int add_rule(
	scmp_filter_ctx context, const struct syscall_filter_rule *rule, struct error *err)
{
	struct scmp_arg_cmp conditions[6];
	int result;

	for (size_t i = 0; i < rule->n_args; i++)
		conditions[i] = (struct scmp_arg_cmp){ .arg = rule->args[i].index,
			.op = operators[rule->args[i].op],
			.datum_a = rule->args[i].value,
			.datum_b = rule->args[i].value_two };
	result = seccomp_rule_add_array(
		context, rule->action, rule->number, (unsigned)rule->n_args, conditions);
	if (!result)
		return 0;
	if (result == -EEXIST)
		error_set(err, ERROR_SPEC,
			"the seccomp rule for '%s' contradicts an earlier one for the same values",
			rule->name);
	else if (result == -EINVAL)
		error_set(err, ERROR_UNSUPPORTED,
			"libseccomp or this kernel does not take the action 0x%08x", rule->action);
	else
		fail(err, result, "add a rule to the seccomp filter");
	return error_point(err, "/linux/seccomp/syscalls/%zu", rule->position);
}

static int read_program(
	int fd, struct sock_filter **ret_code, size_t *ret_length, struct error *err)
{
	cleanup_free struct sock_filter *code = NULL;
	off_t size = lseek(fd, 0, SEEK_END);

	if (size <= 0 || lseek(fd, 0, SEEK_SET) < 0)
		return error_set_errno(err, "read the seccomp filter");
	if ((size_t)size > BPF_MAXINSNS * sizeof(*code))
		return error_set(err, ERROR_UNSUPPORTED,
			"the seccomp filter has more than %d instructions", BPF_MAXINSNS);
	code = malloc((size_t)size);
	if (!code || fd_read_all(fd, code, (size_t)size) != size)
		return error_set_errno(err, "read the seccomp filter");
	*ret_code = take_ptr(code);
	*ret_length = (size_t)size / sizeof(struct sock_filter);
	return 0;
}

int syscall_filter_export(const struct syscall_filter_rules *rules, const bool *is_wanted,
	struct sock_filter **ret_code, size_t *ret_length, struct error *err)
{
	cleanup_context scmp_filter_ctx context = seccomp_init(rules->default_action);
	cleanup_fd int fd = -1;
	int result;

	if (!context)
		return error_set(err, ERROR_UNSUPPORTED,
			"libseccomp or this kernel does not take the default action 0x%08x",
			rules->default_action);
	if (add_archs(context, rules, err) < 0)
		return -1;
	for (size_t i = 0; i < rules->count; i++)
		if ((!is_wanted || is_wanted[i]) && add_rule(context, &rules->items[i], err) < 0)
			return -1;
	/* Not a pipe: an unprivileged user's may hold less than the program. */
	fd = memfd_create("seccomp", MFD_CLOEXEC);
	if (fd < 0)
		return error_set_errno(err, "make room for the seccomp filter");
	result = seccomp_export_bpf(context, fd);
	if (result)
		return fail(err, result, "make the seccomp filter");
	return read_program(fd, ret_code, ret_length, err);
}

static bool compares(const struct sock_filter *instruction)
{
	return BPF_CLASS(instruction->code) == BPF_JMP && BPF_OP(instruction->code) != BPF_JA;
}

/* The architectures are compared first, before anything else is loaded. */
bool syscall_filter_export_is_sound(const struct sock_filter *code, size_t length)
{
	for (size_t pc = 1; pc < length && compares(&code[pc]);) {
		const size_t match = pc + 1 + code[pc].jt;

		if (match < length && compares(&code[match]))
			return false;
		pc += 1U + code[pc].jf;
	}
	return true;
}
