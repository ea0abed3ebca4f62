/* SPDX-License-Identifier: Apache-2.0 */
#include "libspec/spec_seccomp.h"

#include <linux/seccomp.h>

#include "libspec/json_reader.h"
#include "libspec/spec_forms.h"

#define ARGUMENT_MAX 5

/* Of SECCOMP_RET_ERRNO, which cuts what is above, and of SECCOMP_RET_TRACE (seccomp(2)). */
#define ERRNO_MAX 4095
#define TRACE_MAX UINT16_MAX

const struct spec_word spec_seccomp_action_words[] = {
	{ "SCMP_ACT_KILL", SPEC_SECCOMP_KILL },
	{ "SCMP_ACT_KILL_PROCESS", SPEC_SECCOMP_KILL_PROCESS },
	{ "SCMP_ACT_KILL_THREAD", SPEC_SECCOMP_KILL_THREAD },
	{ "SCMP_ACT_TRAP", SPEC_SECCOMP_TRAP },
	{ "SCMP_ACT_ERRNO", SPEC_SECCOMP_ERRNO },
	{ "SCMP_ACT_TRACE", SPEC_SECCOMP_TRACE },
	{ "SCMP_ACT_ALLOW", SPEC_SECCOMP_ALLOW },
	{ "SCMP_ACT_LOG", SPEC_SECCOMP_LOG },
	{ "SCMP_ACT_NOTIFY", SPEC_SECCOMP_NOTIFY },
	{ NULL, 0 },
};

const struct spec_word spec_seccomp_operator_words[] = {
	{ "SCMP_CMP_NE", SPEC_SECCOMP_NE },
	{ "SCMP_CMP_LT", SPEC_SECCOMP_LT },
	{ "SCMP_CMP_LE", SPEC_SECCOMP_LE },
	{ "SCMP_CMP_EQ", SPEC_SECCOMP_EQ },
	{ "SCMP_CMP_GE", SPEC_SECCOMP_GE },
	{ "SCMP_CMP_GT", SPEC_SECCOMP_GT },
	{ "SCMP_CMP_MASKED_EQ", SPEC_SECCOMP_MASKED_EQ },
	{ NULL, 0 },
};

/* Only names count here; their values are libseccomp's matter. */
const struct spec_word spec_seccomp_arch_words[] = {
	{ "SCMP_ARCH_X86", 0 },
	{ "SCMP_ARCH_X86_64", 0 },
	{ "SCMP_ARCH_X32", 0 },
	{ "SCMP_ARCH_ARM", 0 },
	{ "SCMP_ARCH_AARCH64", 0 },
	{ "SCMP_ARCH_MIPS", 0 },
	{ "SCMP_ARCH_MIPS64", 0 },
	{ "SCMP_ARCH_MIPS64N32", 0 },
	{ "SCMP_ARCH_MIPSEL", 0 },
	{ "SCMP_ARCH_MIPSEL64", 0 },
	{ "SCMP_ARCH_MIPSEL64N32", 0 },
	{ "SCMP_ARCH_PPC", 0 },
	{ "SCMP_ARCH_PPC64", 0 },
	{ "SCMP_ARCH_PPC64LE", 0 },
	{ "SCMP_ARCH_S390", 0 },
	{ "SCMP_ARCH_S390X", 0 },
	{ "SCMP_ARCH_PARISC", 0 },
	{ "SCMP_ARCH_PARISC64", 0 },
	{ "SCMP_ARCH_RISCV64", 0 },
	{ "SCMP_ARCH_LOONGARCH64", 0 },
	{ "SCMP_ARCH_M68K", 0 },
	{ "SCMP_ARCH_SH", 0 },
	{ "SCMP_ARCH_SHEB", 0 },
	{ NULL, 0 },
};

const struct spec_word spec_seccomp_flag_words[] = {
	{ "SECCOMP_FILTER_FLAG_TSYNC", SECCOMP_FILTER_FLAG_TSYNC },
	{ "SECCOMP_FILTER_FLAG_LOG", SECCOMP_FILTER_FLAG_LOG },
	{ "SECCOMP_FILTER_FLAG_SPEC_ALLOW", SECCOMP_FILTER_FLAG_SPEC_ALLOW },
	{ "SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV", SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV },
	{ NULL, 0 },
};

/* config-linux.md, "Seccomp": an errno for an action that carries none is an error. */
static int check_errno(struct json_reader *reader, const char *name, unsigned action,
	const struct spec_u32 *errno_ret)
{
	uint32_t max = action == SPEC_SECCOMP_TRACE ? TRACE_MAX : ERRNO_MAX;

	if (!errno_ret->is_set)
		return 0;
	if (action != SPEC_SECCOMP_ERRNO && action != SPEC_SECCOMP_TRACE)
		return json_reader_fail_at(reader, name, "has no meaning with %s",
			spec_word_of(spec_seccomp_action_words, action));
	if (errno_ret->value > max)
		return json_reader_fail_at(
			reader, name, "%u is not in 0..%u", errno_ret->value, max);
	return 0;
}

static const struct json_field arg_fields[] = {
	FIELD_U32("index", struct spec_seccomp_arg, index, 0, ARGUMENT_MAX, .is_required = true),
	FIELD_WORD("op", struct spec_seccomp_arg, op, spec_seccomp_operator_words,
		.is_required = true),
	FIELD_U64("value", struct spec_seccomp_arg, value, 0, UINT64_MAX, .is_required = true),
	FIELD_U64("valueTwo", struct spec_seccomp_arg, value_two, 0, UINT64_MAX),
	FIELD_END,
};

static const struct json_table arg_table = {
	.fields = arg_fields,
	.size = sizeof(struct spec_seccomp_arg),
};

static int finish_rule(struct json_reader *reader, json_t *node, void *object)
{
	const struct spec_seccomp_rule *rule = object;

	(void)node;
	if (rule->names.count == 0)
		return json_reader_fail_at(reader, "names", "must not be empty");
	return check_errno(reader, "errnoRet", rule->action, &rule->errno_ret);
}

static const struct json_field rule_fields[] = {
	FIELD_STRINGS("names", struct spec_seccomp_rule, names, .is_required = true),
	FIELD_WORD("action", struct spec_seccomp_rule, action, spec_seccomp_action_words,
		.is_required = true),
	FIELD_OPTIONAL_U32("errnoRet", struct spec_seccomp_rule, errno_ret, 0, UINT32_MAX),
	FIELD_OBJECTS("args", struct spec_seccomp_rule, args, n_args, struct spec_seccomp_arg,
		&arg_table),
	FIELD_END,
};

static const struct json_table rule_table = {
	.fields = rule_fields,
	.size = sizeof(struct spec_seccomp_rule),
	.finish = finish_rule,
};

/* A filter whose notifications nobody hears would stop the container for ever. */
static int check_listener(struct json_reader *reader, const struct spec_seccomp *seccomp)
{
	if (seccomp->listener_path)
		return 0;
	if (seccomp->listener_metadata)
		return json_reader_fail_at(reader, "listenerMetadata", "needs listenerPath");
	if (seccomp->default_action == SPEC_SECCOMP_NOTIFY)
		return json_reader_fail_at(
			reader, "defaultAction", "SCMP_ACT_NOTIFY needs listenerPath");
	for (size_t i = 0; i < seccomp->n_rules; i++)
		if (seccomp->rules[i].action == SPEC_SECCOMP_NOTIFY)
			return json_reader_fail_item(
				reader, "syscalls", i, "SCMP_ACT_NOTIFY needs listenerPath");
	return 0;
}

static int finish_seccomp(struct json_reader *reader, json_t *node, void *object)
{
	struct spec_seccomp *seccomp = object;

	seccomp->has_flags = json_reader_has(node, "flags");
	if (check_errno(reader, "defaultErrnoRet", seccomp->default_action,
		    &seccomp->default_errno_ret) < 0)
		return -1;
	return check_listener(reader, seccomp);
}

static const struct json_field seccomp_fields[] = {
	FIELD_WORD("defaultAction", struct spec_seccomp, default_action, spec_seccomp_action_words,
		.is_required = true),
	FIELD_OPTIONAL_U32(
		"defaultErrnoRet", struct spec_seccomp, default_errno_ret, 0, UINT32_MAX),
	FIELD_STRINGS("architectures", struct spec_seccomp, architectures,
		.words = spec_seccomp_arch_words),
	FIELD("flags", FLAGS64, struct spec_seccomp, flags, uint64_t,
		.words = spec_seccomp_flag_words),
	FIELD_STRING("listenerPath", struct spec_seccomp, listener_path, .is_empty_absent = true),
	FIELD_STRING("listenerMetadata", struct spec_seccomp, listener_metadata,
		.is_empty_absent = true),
	FIELD_OBJECTS("syscalls", struct spec_seccomp, rules, n_rules, struct spec_seccomp_rule,
		&rule_table),
	FIELD_END,
};

static const struct json_table seccomp_table = {
	.fields = seccomp_fields,
	.size = sizeof(struct spec_seccomp),
	.finish = finish_seccomp,
};

static const struct json_field linux_fields[] = {
	FIELD_OBJECT_POINTER("seccomp", struct spec_seccomp_part, seccomp, struct spec_seccomp,
		&seccomp_table, .is_required = true),
	FIELD_END,
};

static const struct json_table linux_table = { .fields = linux_fields };

static const struct json_field config_fields[] = {
	FIELD_SAME_OBJECT("linux", &linux_table),
	FIELD_END,
};

const struct json_table spec_seccomp_part_table = { .fields = config_fields };
