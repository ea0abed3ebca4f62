/* SPDX-License-Identifier: Apache-2.0 */
/* config.json: process (config.md, "Process"; config-linux.md, "Process") */
#ifndef KOGG_LIBSPEC_SPEC_PROCESS_H
#define KOGG_LIBSPEC_SPEC_PROCESS_H

#include "libspec/spec_types.h"

struct json_table;

struct spec_user {
	uint32_t uid;
	uint32_t gid;
	struct spec_u32 umask;
	struct spec_u32s additional_gids;
};

struct spec_console_size {
	uint32_t height; /* rows; the kernel holds 16 bits */
	uint32_t width;  /* columns */
};

/* Names as the config has them; unknown ones are warned of, not refused. */
struct spec_capabilities {
	struct spec_strings bounding;
	struct spec_strings effective;
	struct spec_strings inheritable;
	struct spec_strings permitted;
	struct spec_strings ambient;
};

struct spec_rlimit {
	unsigned type; /* RLIMIT_* of <sys/resource.h> */
	uint64_t soft; /* UINT64_MAX is RLIM_INFINITY */
	uint64_t hard;
};

struct spec_scheduler {
	unsigned policy; /* SCHED_* of sched(7) */
	int64_t nice;
	int64_t priority;
	uint64_t flags;   /* SCHED_FLAG_* of <linux/sched.h> */
	uint64_t runtime; /* nanoseconds, as the next two */
	uint64_t deadline;
	uint64_t period;
};

struct spec_io_priority {
	unsigned class;   /* IOPRIO_CLASS_* of ioprio_set(2) */
	int64_t priority; /* 0 to 7 */
};

struct spec_process {
	const char
		*pointer; /* of this object in its document: "/process", or "" in a process.json */
	bool terminal;
	bool no_new_privileges;
	const struct spec_console_size *console_size; /* NULL when absent, as below */
	struct spec_user user;
	struct spec_strings args;                     /* at least one */
	struct spec_strings env;                      /* each holds a "=" */
	const char *cwd;                              /* absolute */
	const struct spec_capabilities *capabilities; /* NULL means none at all */
	struct spec_rlimit *rlimits;
	size_t n_rlimits;
	const char *apparmor_profile;  /* NULL when absent or empty */
	const char *selinux_label;     /* NULL when absent or empty */
	struct spec_i64 oom_score_adj; /* -1000 to 1000 */
	const struct spec_scheduler *scheduler;
	const struct spec_io_priority *io_priority;
	const char *exec_affinity_initial; /* CPU list, checked; NULL when absent */
	const char *exec_affinity_final;
};

extern const struct spec_word spec_rlimit_words[];
extern const struct spec_word spec_scheduler_policy_words[];
extern const struct spec_word spec_scheduler_flag_words[];
extern const struct spec_word spec_io_priority_words[];

/* How json_reader reads it. */
extern const struct json_table spec_process_table;

#endif
