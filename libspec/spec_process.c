/* SPDX-License-Identifier: Apache-2.0 */
#include "libspec/spec_process.h"

#include <linux/ioprio.h>
#include <linux/sched.h>
#include <string.h>
#include <sys/resource.h>

#include "libspec/json_reader.h"
#include "libspec/spec_forms.h"

#define NICE_MIN            (-20)
#define NICE_MAX            19
#define PRIORITY_MAX        99 /* sched(7) */
#define OOM_SCORE_ADJ_LIMIT 1000
#define CONSOLE_SIDE_MAX    UINT16_MAX /* struct winsize, ioctl_tty(2) */
#define UMASK_MAX           0777

/* Never in a released kernel, yet a word of the spec. */
#define SCHED_ISO 4

const struct spec_word spec_rlimit_words[] = {
	{ "RLIMIT_AS", RLIMIT_AS },
	{ "RLIMIT_CORE", RLIMIT_CORE },
	{ "RLIMIT_CPU", RLIMIT_CPU },
	{ "RLIMIT_DATA", RLIMIT_DATA },
	{ "RLIMIT_FSIZE", RLIMIT_FSIZE },
	{ "RLIMIT_LOCKS", RLIMIT_LOCKS },
	{ "RLIMIT_MEMLOCK", RLIMIT_MEMLOCK },
	{ "RLIMIT_MSGQUEUE", RLIMIT_MSGQUEUE },
	{ "RLIMIT_NICE", RLIMIT_NICE },
	{ "RLIMIT_NOFILE", RLIMIT_NOFILE },
	{ "RLIMIT_NPROC", RLIMIT_NPROC },
	{ "RLIMIT_RSS", RLIMIT_RSS },
	{ "RLIMIT_RTPRIO", RLIMIT_RTPRIO },
	{ "RLIMIT_RTTIME", RLIMIT_RTTIME },
	{ "RLIMIT_SIGPENDING", RLIMIT_SIGPENDING },
	{ "RLIMIT_STACK", RLIMIT_STACK },
	{ NULL, 0 },
};

const struct spec_word spec_scheduler_policy_words[] = {
	{ "SCHED_OTHER", SCHED_NORMAL },
	{ "SCHED_FIFO", SCHED_FIFO },
	{ "SCHED_RR", SCHED_RR },
	{ "SCHED_BATCH", SCHED_BATCH },
	{ "SCHED_ISO", SCHED_ISO },
	{ "SCHED_IDLE", SCHED_IDLE },
	{ "SCHED_DEADLINE", SCHED_DEADLINE },
	{ NULL, 0 },
};

const struct spec_word spec_scheduler_flag_words[] = {
	{ "SCHED_FLAG_RESET_ON_FORK", SCHED_FLAG_RESET_ON_FORK },
	{ "SCHED_FLAG_RECLAIM", SCHED_FLAG_RECLAIM },
	{ "SCHED_FLAG_DL_OVERRUN", SCHED_FLAG_DL_OVERRUN },
	{ "SCHED_FLAG_KEEP_POLICY", SCHED_FLAG_KEEP_POLICY },
	{ "SCHED_FLAG_KEEP_PARAMS", SCHED_FLAG_KEEP_PARAMS },
	{ "SCHED_FLAG_UTIL_CLAMP_MIN", SCHED_FLAG_UTIL_CLAMP_MIN },
	{ "SCHED_FLAG_UTIL_CLAMP_MAX", SCHED_FLAG_UTIL_CLAMP_MAX },
	{ NULL, 0 },
};

const struct spec_word spec_io_priority_words[] = {
	{ "IOPRIO_CLASS_RT", IOPRIO_CLASS_RT },
	{ "IOPRIO_CLASS_BE", IOPRIO_CLASS_BE },
	{ "IOPRIO_CLASS_IDLE", IOPRIO_CLASS_IDLE },
	{ NULL, 0 },
};

static const struct json_field console_size_fields[] = {
	FIELD_U32("height", struct spec_console_size, height, 0, CONSOLE_SIDE_MAX,
		.is_required = true),
	FIELD_U32(
		"width", struct spec_console_size, width, 0, CONSOLE_SIDE_MAX, .is_required = true),
	FIELD_END,
};

static const struct json_table console_size_table = {
	.fields = console_size_fields,
	.size = sizeof(struct spec_console_size),
};

static const struct json_field user_fields[] = {
	FIELD_U32("uid", struct spec_user, uid, 0, SPEC_ID_MAX, .is_required = true),
	FIELD_U32("gid", struct spec_user, gid, 0, SPEC_ID_MAX, .is_required = true),
	FIELD_OPTIONAL_U32("umask", struct spec_user, umask, 0, UMASK_MAX),
	FIELD_U32S("additionalGids", struct spec_user, additional_gids, 0, SPEC_ID_MAX),
	FIELD_END,
};

static const struct json_table user_table = {
	.fields = user_fields,
	.size = sizeof(struct spec_user),
};

static const struct json_field capabilities_fields[] = {
	FIELD_STRINGS("bounding", struct spec_capabilities, bounding),
	FIELD_STRINGS("effective", struct spec_capabilities, effective),
	FIELD_STRINGS("inheritable", struct spec_capabilities, inheritable),
	FIELD_STRINGS("permitted", struct spec_capabilities, permitted),
	FIELD_STRINGS("ambient", struct spec_capabilities, ambient),
	FIELD_END,
};

static const struct json_table capabilities_table = {
	.fields = capabilities_fields,
	.size = sizeof(struct spec_capabilities),
};

static int finish_rlimit(struct json_reader *reader, json_t *node, void *object)
{
	const struct spec_rlimit *rlimit = object;

	(void)node;
	if (rlimit->soft > rlimit->hard)
		return json_reader_fail_at(reader, "soft", "must not be above hard");
	return 0;
}

static const struct json_field rlimit_fields[] = {
	FIELD_WORD("type", struct spec_rlimit, type, spec_rlimit_words, .is_required = true),
	FIELD_U64("soft", struct spec_rlimit, soft, 0, UINT64_MAX, .is_required = true),
	FIELD_U64("hard", struct spec_rlimit, hard, 0, UINT64_MAX, .is_required = true),
	FIELD_END,
};

static const struct json_table rlimit_table = {
	.fields = rlimit_fields,
	.size = sizeof(struct spec_rlimit),
	.finish = finish_rlimit,
};

static bool is_realtime(const struct spec_scheduler *scheduler)
{
	return scheduler->policy == SCHED_FIFO || scheduler->policy == SCHED_RR;
}

/* sched(7), "SCHED_DEADLINE": runtime <= deadline <= period; a period of 0 is the deadline. */
static int check_deadline(struct json_reader *reader, const struct spec_scheduler *scheduler)
{
	if (scheduler->runtime == 0)
		return json_reader_fail_at(reader, "runtime", "SCHED_DEADLINE needs it");
	if (scheduler->deadline == 0)
		return json_reader_fail_at(reader, "deadline", "SCHED_DEADLINE needs it");
	if (scheduler->runtime > scheduler->deadline)
		return json_reader_fail_at(reader, "runtime", "must not be above deadline");
	if (scheduler->period && scheduler->deadline > scheduler->period)
		return json_reader_fail_at(reader, "deadline", "must not be above period");
	return 0;
}

/* A member that the policy has no use for is not dropped in silence. */
static int check_useless(struct json_reader *reader, const struct spec_scheduler *scheduler)
{
	const char *policy = spec_word_of(spec_scheduler_policy_words, scheduler->policy);
	const struct {
		const char *name;
		bool is_useless;
	} members[] = {
		{ "nice", scheduler->nice && scheduler->policy != SCHED_NORMAL &&
				  scheduler->policy != SCHED_BATCH },
		{ "priority", scheduler->priority && !is_realtime(scheduler) },
		{ "runtime", scheduler->runtime && scheduler->policy != SCHED_DEADLINE },
		{ "deadline", scheduler->deadline && scheduler->policy != SCHED_DEADLINE },
		{ "period", scheduler->period && scheduler->policy != SCHED_DEADLINE },
	};

	for (size_t i = 0; i < array_size(members); i++)
		if (members[i].is_useless)
			return json_reader_fail_at(
				reader, members[i].name, "has no meaning with %s", policy);
	return 0;
}

static int finish_scheduler(struct json_reader *reader, json_t *node, void *object)
{
	const struct spec_scheduler *scheduler = object;

	(void)node;
	if (scheduler->policy == SCHED_ISO)
		return json_reader_fail_at(reader, "policy", "Linux has no SCHED_ISO");
	if (check_useless(reader, scheduler) < 0)
		return -1;
	if (is_realtime(scheduler) && scheduler->priority == 0)
		return json_reader_fail_at(reader, "priority", "%s needs one of 1..%d",
			spec_word_of(spec_scheduler_policy_words, scheduler->policy), PRIORITY_MAX);
	return scheduler->policy == SCHED_DEADLINE ? check_deadline(reader, scheduler) : 0;
}

static const struct json_field scheduler_fields[] = {
	FIELD_WORD("policy", struct spec_scheduler, policy, spec_scheduler_policy_words,
		.is_required = true),
	FIELD_I64("nice", struct spec_scheduler, nice, NICE_MIN, NICE_MAX),
	FIELD_I64("priority", struct spec_scheduler, priority, 0, PRIORITY_MAX),
	FIELD("flags", FLAGS64, struct spec_scheduler, flags, uint64_t,
		.words = spec_scheduler_flag_words),
	FIELD_U64("runtime", struct spec_scheduler, runtime, 0, UINT64_MAX),
	FIELD_U64("deadline", struct spec_scheduler, deadline, 0, UINT64_MAX),
	FIELD_U64("period", struct spec_scheduler, period, 0, UINT64_MAX),
	FIELD_END,
};

static const struct json_table scheduler_table = {
	.fields = scheduler_fields,
	.size = sizeof(struct spec_scheduler),
	.finish = finish_scheduler,
};

static const struct json_field io_priority_fields[] = {
	FIELD_WORD("class", struct spec_io_priority, class, spec_io_priority_words,
		.is_required = true),
	FIELD_I64("priority", struct spec_io_priority, priority, 0, 7, .is_required = true),
	FIELD_END,
};

static const struct json_table io_priority_table = {
	.fields = io_priority_fields,
	.size = sizeof(struct spec_io_priority),
};

static const struct json_field exec_affinity_fields[] = {
	FIELD_STRING("initial", struct spec_process, exec_affinity_initial, .is_empty_absent = true,
		.check = spec_forms_list),
	FIELD_STRING("final", struct spec_process, exec_affinity_final, .is_empty_absent = true,
		.check = spec_forms_list),
	FIELD_END,
};

static const struct json_table exec_affinity_table = {
	.fields = exec_affinity_fields,
	.size = sizeof(struct spec_process),
};

/* Two entries of one type are an error: config.md, "rlimits". */
static int check_rlimits(struct json_reader *reader, const struct spec_process *process)
{
	uint64_t seen = 0;

	for (size_t i = 0; i < process->n_rlimits; i++) {
		uint64_t bit = UINT64_C(1) << process->rlimits[i].type;

		if (seen & bit)
			return json_reader_fail_item(reader, "rlimits", i, "%s is there twice",
				spec_word_of(spec_rlimit_words, process->rlimits[i].type));
		seen |= bit;
	}
	return 0;
}

static int finish_process(struct json_reader *reader, json_t *node, void *object)
{
	struct spec_process *process = object;

	(void)node;
	process->pointer = reader->path.depth > 0 ? "/process" : "";
	if (process->args.count == 0)
		return json_reader_fail_at(reader, "args", "must not be empty");
	return check_rlimits(reader, process);
}

/* Without one its size is ignored, whatever it is (config.md, "Process"). */
static bool has_terminal(const json_t *process)
{
	return json_is_true(json_object_get(process, "terminal"));
}

static const struct json_field process_fields[] = {
	FIELD_BOOL("terminal", struct spec_process, terminal),
	FIELD_OBJECT_POINTER("consoleSize", struct spec_process, console_size,
		struct spec_console_size, &console_size_table, .is_wanted = has_terminal),
	FIELD_OBJECT("user", struct spec_process, user, struct spec_user, &user_table),
	FIELD_STRINGS("args", struct spec_process, args, .is_required = true),
	FIELD_STRINGS("env", struct spec_process, env, .check = spec_forms_variable),
	FIELD_STRING(
		"cwd", struct spec_process, cwd, .is_required = true, .check = spec_forms_absolute),
	FIELD_OBJECT_POINTER("capabilities", struct spec_process, capabilities,
		struct spec_capabilities, &capabilities_table),
	FIELD_OBJECTS("rlimits", struct spec_process, rlimits, n_rlimits, struct spec_rlimit,
		&rlimit_table),
	FIELD_BOOL("noNewPrivileges", struct spec_process, no_new_privileges),
	FIELD_STRING(
		"apparmorProfile", struct spec_process, apparmor_profile, .is_empty_absent = true),
	FIELD_STRING("selinuxLabel", struct spec_process, selinux_label, .is_empty_absent = true),
	FIELD_OPTIONAL_I64("oomScoreAdj", struct spec_process, oom_score_adj, -OOM_SCORE_ADJ_LIMIT,
		OOM_SCORE_ADJ_LIMIT),
	FIELD_OBJECT_POINTER("scheduler", struct spec_process, scheduler, struct spec_scheduler,
		&scheduler_table),
	FIELD_OBJECT_POINTER("ioPriority", struct spec_process, io_priority,
		struct spec_io_priority, &io_priority_table),
	FIELD_SAME_OBJECT("execCPUAffinity", &exec_affinity_table),
	FIELD_END,
};

const struct json_table spec_process_table = {
	.fields = process_fields,
	.size = sizeof(struct spec_process),
	.finish = finish_process,
};
