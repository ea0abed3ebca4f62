/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The proof that our programs decide as libseccomp's do: both are run for
 * every number, architecture and a set of arguments, and have to agree, but
 * about numbers that are newer than the profile (syscall_filter_newer.h).
 */
#ifndef KOGG_LIBCONTAINER_KERNEL_TESTS_SECCOMP_COMPARE_H
#define KOGG_LIBCONTAINER_KERNEL_TESTS_SECCOMP_COMPARE_H

#include <linux/filter.h>
#include <linux/seccomp.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "libcontainer/kernel/syscall_filter_rules.h"
#include "libspec/spec_seccomp.h"

struct seccomp_program {
	struct sock_filter *code;
	size_t length;
};

struct seccomp_outcome {
	uint32_t action;
	bool has_read_arguments;
};

/* Runs PROGRAM as the kernel would; ends the test when it is not one the kernel takes. */
struct seccomp_outcome seccomp_emulate(
	const struct seccomp_program *program, const struct seccomp_data *data);

/* Our program for PROFILE, which is the caller's to free; ends the test when there is none. */
struct seccomp_program seccomp_compile(const struct spec_seccomp *profile);

/* What PROGRAM says of NUMBER when all arguments are zero. */
uint32_t seccomp_action(const struct seccomp_program *program, uint32_t arch, uint32_t number);

/* Numbers that a profile does not know yet. */
struct seccomp_newer {
	struct {
		uint32_t arch, first, last;
	} spans[2 * SYSCALL_FILTER_ARCHS_MAX];
	size_t count;
};

/*
 * Finds them by trying THEIRS, libseccomp's program of RULES, for every number,
 * and by asking for the number of each name of PROFILE; none when it does not deny by default.
 */
struct seccomp_newer seccomp_newer_find(const struct spec_seccomp *profile,
	const struct syscall_filter_rules *rules, const struct seccomp_program *theirs);

/* What our program has to say where libseccomp's says ACTION. */
uint32_t seccomp_newer_expected(
	const struct seccomp_newer *newer, const struct seccomp_data *data, uint32_t action);

/*
 * Compiles PROFILE in both ways and compares all decisions; ends the test at
 * the first difference. Returns whether ours was laid out, and is not just
 * libseccomp's.
 */
bool seccomp_compare(const struct spec_seccomp *profile);

#endif
