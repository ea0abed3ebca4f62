/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A classic BPF program written from its end to its beginning.
 *
 * Jumps go forward only, and a conditional one at most 255 instructions
 * (Documentation/networking/filter.rst). Written backwards, every target is
 * there before the jump to it, and its distance is known; what is too far gets
 * a stepping stone. Positions count from the end, the last instruction is 1,
 * and 0 is none. Knows nothing of seccomp.
 */
#ifndef KOGG_LIBCONTAINER_KERNEL_SYSCALL_FILTER_ASSEMBLY_H
#define KOGG_LIBCONTAINER_KERNEL_SYSCALL_FILTER_ASSEMBLY_H

#include <linux/filter.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* The returns that are kept for sharing: 9 actions, and most profiles use 4. */
#define SYSCALL_FILTER_RETURNS_MAX 16

struct syscall_filter_assembly {
	struct sock_filter code[BPF_MAXINSNS]; /* filled from the end */
	size_t used;
	size_t returns[SYSCALL_FILTER_RETURNS_MAX]; /* the latest position of each value */
	size_t n_returns;
	bool is_full; /* an instruction did not fit; what is here means nothing */
};

/* These give the position of the instruction, which may be an earlier one like it. */
size_t syscall_filter_assembly_return(struct syscall_filter_assembly *assembly, uint32_t value);

/* Runs the instruction and then what is at NEXT. */
size_t syscall_filter_assembly_step(
	struct syscall_filter_assembly *assembly, uint16_t code, uint32_t k, size_t next);

/* Compares with K and goes to IF_TRUE or IF_FALSE. */
size_t syscall_filter_assembly_jump(struct syscall_filter_assembly *assembly, uint16_t code,
	uint32_t k, size_t if_true, size_t if_false);

/* Puts CODE in front, which ends in returns; gives the position of its first instruction. */
size_t syscall_filter_assembly_copy(
	struct syscall_filter_assembly *assembly, const struct sock_filter *code, size_t length);

/* The program so far, in the order it runs. */
const struct sock_filter *syscall_filter_assembly_program(
	const struct syscall_filter_assembly *assembly);

#endif
