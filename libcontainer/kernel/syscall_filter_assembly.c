/* SPDX-License-Identifier: Apache-2.0 */
#include "libcontainer/kernel/syscall_filter_assembly.h"

#include "base/attributes.h"

/* The 8 bits of jt and jf, less the one stepping stone that may come in between. */
#define REACH_MAX 254

static struct sock_filter *instruction_at(struct syscall_filter_assembly *assembly, size_t position)
{
	return &assembly->code[BPF_MAXINSNS - position];
}

static size_t emit(struct syscall_filter_assembly *assembly, struct sock_filter instruction)
{
	if (assembly->used == BPF_MAXINSNS) {
		assembly->is_full = true;
		return assembly->used;
	}
	assembly->used++;
	*instruction_at(assembly, assembly->used) = instruction;
	return assembly->used;
}

static bool is_near(const struct syscall_filter_assembly *assembly, size_t position)
{
	return assembly->used - position <= REACH_MAX;
}

size_t syscall_filter_assembly_return(struct syscall_filter_assembly *assembly, uint32_t value)
{
	const struct sock_filter instruction = { .code = BPF_RET | BPF_K, .k = value };
	size_t i = 0;

	while (i < assembly->n_returns &&
		instruction_at(assembly, assembly->returns[i])->k != value)
		i++;
	if (i < assembly->n_returns && is_near(assembly, assembly->returns[i]))
		return assembly->returns[i];
	if (i == array_size(assembly->returns))
		return emit(assembly, instruction);
	if (i == assembly->n_returns)
		assembly->n_returns++;
	assembly->returns[i] = emit(assembly, instruction);
	return assembly->returns[i];
}

/* A position near enough to jump to that does the same as TARGET. */
static size_t bring_near(struct syscall_filter_assembly *assembly, size_t target)
{
	const struct sock_filter *instruction = instruction_at(assembly, target);

	if (is_near(assembly, target))
		return target;
	if (instruction->code == (BPF_RET | BPF_K))
		return syscall_filter_assembly_return(assembly, instruction->k);
	return emit(assembly, (struct sock_filter){ .code = BPF_JMP | BPF_JA,
				      .k = (uint32_t)(assembly->used - target) });
}

size_t syscall_filter_assembly_step(
	struct syscall_filter_assembly *assembly, uint16_t code, uint32_t k, size_t next)
{
	if (next != assembly->used)
		emit(assembly, (struct sock_filter){ .code = BPF_JMP | BPF_JA,
				       .k = (uint32_t)(assembly->used - next) });
	return emit(assembly, (struct sock_filter){ .code = code, .k = k });
}

size_t syscall_filter_assembly_jump(struct syscall_filter_assembly *assembly, uint16_t code,
	uint32_t k, size_t if_true, size_t if_false)
{
	if_true = bring_near(assembly, if_true);
	if_false = bring_near(assembly, if_false);
	return emit(assembly, (struct sock_filter){ .code = code,
				      .jt = (uint8_t)(assembly->used - if_true),
				      .jf = (uint8_t)(assembly->used - if_false),
				      .k = k });
}

size_t syscall_filter_assembly_copy(
	struct syscall_filter_assembly *assembly, const struct sock_filter *code, size_t length)
{
	while (length--)
		emit(assembly, code[length]);
	return assembly->used;
}

const struct sock_filter *syscall_filter_assembly_program(
	const struct syscall_filter_assembly *assembly)
{
	return &assembly->code[BPF_MAXINSNS - assembly->used];
}
