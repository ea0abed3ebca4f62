/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The proof that our programs decide as libseccomp's do: both are run for
 * every number, architecture and a set of arguments, and have to agree.
 */
#ifndef KOGG_LIBCONTAINER_KERNEL_TESTS_SECCOMP_COMPARE_H
#define KOGG_LIBCONTAINER_KERNEL_TESTS_SECCOMP_COMPARE_H

#include <linux/filter.h>
#include <linux/seccomp.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

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

/*
 * Compiles PROFILE in both ways and compares all decisions; ends the test at
 * the first difference. Returns whether ours was laid out, and is not just
 * libseccomp's.
 */
bool seccomp_compare(const struct spec_seccomp *profile);

#endif
