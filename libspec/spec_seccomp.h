/* SPDX-License-Identifier: Apache-2.0 */
/* config.json: linux.seccomp (config-linux.md, "Seccomp") */
#ifndef KOGG_LIBSPEC_SPEC_SECCOMP_H
#define KOGG_LIBSPEC_SPEC_SECCOMP_H

#include "libspec/spec_types.h"

struct json_table;

enum spec_seccomp_action {
	SPEC_SECCOMP_KILL, /* the old name of KILL_THREAD */
	SPEC_SECCOMP_KILL_PROCESS,
	SPEC_SECCOMP_KILL_THREAD,
	SPEC_SECCOMP_TRAP,
	SPEC_SECCOMP_ERRNO,
	SPEC_SECCOMP_TRACE,
	SPEC_SECCOMP_ALLOW,
	SPEC_SECCOMP_LOG,
	SPEC_SECCOMP_NOTIFY,
};

enum spec_seccomp_operator {
	SPEC_SECCOMP_NE,
	SPEC_SECCOMP_LT,
	SPEC_SECCOMP_LE,
	SPEC_SECCOMP_EQ,
	SPEC_SECCOMP_GE,
	SPEC_SECCOMP_GT,
	SPEC_SECCOMP_MASKED_EQ,
};

struct spec_seccomp_arg {
	uint32_t index; /* 0 to 5 */
	unsigned op;    /* enum spec_seccomp_operator */
	uint64_t value;
	uint64_t value_two;
};

struct spec_seccomp_rule {
	struct spec_strings names; /* at least one; unknown ones are legal */
	unsigned action;
	struct spec_u32 errno_ret;
	struct spec_seccomp_arg *args;
	size_t n_args;
};

struct spec_seccomp {
	unsigned default_action; /* enum spec_seccomp_action */
	struct spec_u32 default_errno_ret;
	struct spec_strings architectures; /* SCMP_ARCH_*, checked words */
	bool has_flags;            /* false: the member is absent, and SPEC_ALLOW is the habit */
	uint64_t flags;            /* SECCOMP_FILTER_FLAG_* of <linux/seccomp.h> */
	const char *listener_path; /* NULL when absent */
	const char *listener_metadata; /* NULL when absent */
	struct spec_seccomp_rule *rules;
	size_t n_rules;
};

extern const struct spec_word spec_seccomp_action_words[];
extern const struct spec_word spec_seccomp_operator_words[];
extern const struct spec_word spec_seccomp_arch_words[];
extern const struct spec_word spec_seccomp_flag_words[];

/* What json_reader reads from a whole config with spec_seccomp_part_table. */
struct spec_seccomp_part {
	const struct spec_seccomp *seccomp;
};

extern const struct json_table spec_seccomp_part_table;

#endif
