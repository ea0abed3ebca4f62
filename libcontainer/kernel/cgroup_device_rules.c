/* SPDX-License-Identifier: Apache-2.0 */
#include "libcontainer/kernel/cgroup_device_rules.h"

#include <errno.h>
#include <stdlib.h>

#define ALL_ACCESS (SPEC_DEVICE_READ | SPEC_DEVICE_WRITE | SPEC_DEVICE_MKNOD)
#define ANY        CGROUP_DEVICE_ANY

/*
 * Making a node does no harm, for using it is another right. The others are
 * the devices that every container has (config-linux.md, "Default Devices"),
 * with the terminals of its devpts, and net/tun.
 */
static const struct cgroup_device_rule default_rules[] = {
	{ true, 'c', 1, 3, ALL_ACCESS, SIZE_MAX },     /* null */
	{ true, 'c', 1, 5, ALL_ACCESS, SIZE_MAX },     /* zero */
	{ true, 'c', 1, 7, ALL_ACCESS, SIZE_MAX },     /* full */
	{ true, 'c', 1, 8, ALL_ACCESS, SIZE_MAX },     /* random */
	{ true, 'c', 1, 9, ALL_ACCESS, SIZE_MAX },     /* urandom */
	{ true, 'c', 5, 0, ALL_ACCESS, SIZE_MAX },     /* tty */
	{ true, 'c', 5, 2, ALL_ACCESS, SIZE_MAX },     /* ptmx */
	{ true, 'c', 10, 200, ALL_ACCESS, SIZE_MAX },  /* net/tun */
	{ true, 'c', 136, ANY, ALL_ACCESS, SIZE_MAX }, /* pts */
	{ true, 'a', ANY, ANY, SPEC_DEVICE_MKNOD, SIZE_MAX },
};

void cgroup_device_rules_release(struct cgroup_device_rules *rules)
{
	free(rules->items);
	*rules = (struct cgroup_device_rules){ 0 };
}

static bool is_everything(const struct cgroup_device_rule *rule)
{
	return rule->type == 'a' && rule->major == ANY && rule->minor == ANY &&
	       rule->access == ALL_ACCESS;
}

static void append(struct cgroup_device_rules *rules, const struct cgroup_device_rule *rule)
{
	if (is_everything(rule)) {
		rules->is_allowed_first = rule->allow;
		rules->count = 0;
		return;
	}
	rules->items[rules->count++] = *rule;
}

static struct cgroup_device_rule from_spec(const struct spec_device_rule *rule, size_t index)
{
	return (struct cgroup_device_rule){
		.allow = rule->allow,
		.type = rule->type,
		.major = rule->major.is_set && rule->major.value >= 0 ? rule->major.value : ANY,
		.minor = rule->minor.is_set && rule->minor.value >= 0 ? rule->minor.value : ANY,
		.access = rule->access ? rule->access : ALL_ACCESS,
		.index = index,
	};
}

int cgroup_device_rules_collect(const struct spec_resources *resources,
	struct cgroup_device_rules *ret_rules, struct error *err)
{
	size_t given = resources ? resources->n_devices : 0;
	struct cgroup_device_rules rules = { 0 };

	if (given > CGROUP_DEVICE_RULES_MAX) {
		error_set(err, ERROR_SPEC, "more than %d device rules", CGROUP_DEVICE_RULES_MAX);
		return error_point(err, "%s/devices", resources->pointer);
	}
	/* Twice: v1 has two rules for each of type 'a'. */
	rules.items = calloc(2 * (given + array_size(default_rules)), sizeof(*rules.items));
	if (!rules.items)
		return error_set_errno(err, "collect device rules");
	for (size_t i = 0; i < given; i++) {
		struct cgroup_device_rule rule = from_spec(&resources->devices[i], i);

		append(&rules, &rule);
	}
	for (size_t i = 0; i < array_size(default_rules); i++)
		append(&rules, &default_rules[i]);
	*ret_rules = rules;
	return 0;
}

static bool covers(int64_t wide, int64_t narrow)
{
	return wide == ANY || wide == narrow;
}

static bool meets(int64_t left, int64_t right)
{
	return left == ANY || right == ANY || left == right;
}

static bool is_covered(
	const struct cgroup_device_rule *wide, const struct cgroup_device_rule *narrow)
{
	return wide->type == narrow->type && covers(wide->major, narrow->major) &&
	       covers(wide->minor, narrow->minor);
}

static bool is_met(const struct cgroup_device_rule *left, const struct cgroup_device_rule *right)
{
	return left->type == right->type && (left->access & right->access) &&
	       meets(left->major, right->major) && meets(left->minor, right->minor);
}

/* An exception to the default; one that is there already grows instead. */
static void add_exception(struct cgroup_device_rules *rules, const struct cgroup_device_rule *rule)
{
	for (size_t i = 0; i < rules->count; i++) {
		struct cgroup_device_rule *old = &rules->items[i];

		if (is_covered(old, rule) && (rule->access & ~old->access) == 0)
			return;
		if (is_covered(old, rule) && is_covered(rule, old)) {
			old->access |= rule->access;
			return;
		}
	}
	rules->items[rules->count++] = *rule;
}

/* Back to the default for what RULE says. */
static int cut_exceptions(
	struct cgroup_device_rules *rules, const struct cgroup_device_rule *rule, struct error *err)
{
	size_t kept = 0;

	for (size_t i = 0; i < rules->count; i++) {
		struct cgroup_device_rule *old = &rules->items[i];

		if (is_met(old, rule) && !is_covered(rule, old))
			return error_set(err, ERROR_UNSUPPORTED,
				"a device rule that makes an exception to an earlier exception has "
				"no form in cgroup v1");
		if (is_covered(rule, old))
			old->access &= ~rule->access;
		if (old->access)
			rules->items[kept++] = *old;
	}
	rules->count = kept;
	return 0;
}

static int flatten_one(
	struct cgroup_device_rules *rules, const struct cgroup_device_rule *rule, struct error *err)
{
	if (rule->allow == rules->is_allowed_first)
		return cut_exceptions(rules, rule, err);
	add_exception(rules, rule);
	return 0;
}

/* By kind, and the rules about more devices last: the order that the program likes best. */
static int compare_exceptions(const void *left, const void *right)
{
	const struct cgroup_device_rule *a = left, *b = right;

	if (a->type != b->type)
		return a->type - b->type;
	return (a->major == ANY) + (a->minor == ANY) - (b->major == ANY) - (b->minor == ANY);
}

void cgroup_device_rules_sort(struct cgroup_device_rules *rules)
{
	if (rules->count)
		qsort(rules->items, rules->count, sizeof(*rules->items), compare_exceptions);
}

int cgroup_device_rules_flatten(struct cgroup_device_rules *rules, struct error *err)
{
	struct cgroup_device_rules flat = { .is_allowed_first = rules->is_allowed_first };
	static const char types[] = { 'b', 'c' };

	flat.items = calloc(2 * rules->count + 1, sizeof(*flat.items));
	if (!flat.items)
		return error_set_errno(err, "collect device rules");
	for (size_t i = 0; i < rules->count; i++)
		for (size_t j = 0; j < array_size(types); j++) {
			struct cgroup_device_rule rule = rules->items[i];

			if (rule.type != 'a' && rule.type != types[j])
				continue;
			rule.type = types[j];
			if (flatten_one(&flat, &rule, err) == 0)
				continue;
			cgroup_device_rules_release(&flat);
			if (rule.index == SIZE_MAX)
				return error_point(err, "/linux/resources/devices");
			return error_point(err, "/linux/resources/devices/%zu", rule.index);
		}
	cgroup_device_rules_release(rules);
	*rules = flat;
	return 0;
}

/* The program's registers. All keep their values to the end. */
enum {
	REG_RESULT = BPF_REG_0,
	REG_CONTEXT = BPF_REG_1,
	REG_TYPE = BPF_REG_2,
	REG_ACCESS = BPF_REG_3, /* the rights asked for that no rule has decided yet */
	REG_MAJOR = BPF_REG_4,
	REG_MINOR = BPF_REG_5,
	REG_DEVICE = BPF_REG_6, /* both, as the kernel packs them */
};

/* MINORBITS, and what is left of 32 (include/linux/kdev_t.h) */
#define MINOR_BITS 20
#define MAJOR_BITS 12

/* Where a jump goes, until the places are known: no jump goes back. */
enum { TO_DENY = -1, TO_ALLOW = -2 };

struct program {
	struct bpf_insn *code;
	size_t length;
};

static void emit(struct program *program, struct bpf_insn instruction)
{
	program->code[program->length++] = instruction;
}

static void emit_load(struct program *program, unsigned reg, size_t offset)
{
	emit(program, (struct bpf_insn){ .code = BPF_LDX | BPF_MEM | BPF_W,
			      .dst_reg = reg & 0xfU,
			      .src_reg = REG_CONTEXT,
			      .off = (__s16)offset });
}

static void emit_alu(struct program *program, unsigned operation, unsigned reg, unsigned value)
{
	emit(program, (struct bpf_insn){ .code = (__u8)(BPF_ALU | operation | BPF_K),
			      .dst_reg = reg & 0xfU,
			      .imm = (__s32)value });
}

/* A comparison of 32 bits (Linux 5.1). */
static void emit_jump(
	struct program *program, unsigned operation, unsigned reg, unsigned value, int target)
{
	emit(program, (struct bpf_insn){ .code = (__u8)(BPF_JMP32 | operation | BPF_K),
			      .dst_reg = reg & 0xfU,
			      .off = (__s16)target,
			      .imm = (__s32)value });
}

static void emit_result(struct program *program, bool is_allowed)
{
	emit_alu(program, BPF_MOV, REG_RESULT, is_allowed);
	emit(program, (struct bpf_insn){ .code = BPF_JMP | BPF_EXIT });
}

static unsigned bpf_access(unsigned access)
{
	return ((access & SPEC_DEVICE_READ) ? BPF_DEVCG_ACC_READ : 0U) |
	       ((access & SPEC_DEVICE_WRITE) ? BPF_DEVCG_ACC_WRITE : 0U) |
	       ((access & SPEC_DEVICE_MKNOD) ? BPF_DEVCG_ACC_MKNOD : 0U);
}

/* access_type is the kind of device in the low half and the rights in the high one. */
static void compile_start(struct program *program)
{
	emit_load(program, REG_TYPE, offsetof(struct bpf_cgroup_dev_ctx, access_type));
	emit_load(program, REG_ACCESS, offsetof(struct bpf_cgroup_dev_ctx, access_type));
	emit_alu(program, BPF_AND, REG_TYPE, 0xffff);
	emit_alu(program, BPF_RSH, REG_ACCESS, 16);
	emit_load(program, REG_MAJOR, offsetof(struct bpf_cgroup_dev_ctx, major));
	emit_load(program, REG_MINOR, offsetof(struct bpf_cgroup_dev_ctx, minor));
	emit_load(program, REG_DEVICE, offsetof(struct bpf_cgroup_dev_ctx, major));
	emit_alu(program, BPF_LSH, REG_DEVICE, MINOR_BITS);
	emit(program, (struct bpf_insn){ .code = BPF_ALU | BPF_OR | BPF_X,
			      .dst_reg = REG_DEVICE,
			      .src_reg = REG_MINOR });
}

static bool has_numbers(const struct cgroup_device_rule *rule)
{
	return rule->major != ANY || rule->minor != ANY;
}

/* Whether there can be such a device at all. */
static bool is_possible(const struct cgroup_device_rule *rule)
{
	return rule->major < 1LL << MAJOR_BITS && rule->minor < 1LL << MINOR_BITS;
}

/* Compares the numbers of the rule, which has some, by one jump. */
static void compile_numbers(struct program *program, const struct cgroup_device_rule *rule,
	unsigned operation, int target)
{
	unsigned major = (unsigned)rule->major, minor = (unsigned)rule->minor;

	if (rule->minor == ANY)
		emit_jump(program, operation, REG_MAJOR, major, target);
	else if (rule->major == ANY)
		emit_jump(program, operation, REG_MINOR, minor, target);
	else
		emit_jump(program, operation, REG_DEVICE, major << MINOR_BITS | minor, target);
}

/*
 * One rule about devices of the kind that is known here. *OPEN are the rights
 * that may still be open. What the rule allows is settled, and nothing left is
 * a yes; what it denies is a no if it is asked. Each rule has as few jumps as
 * can be: the kernel's check of the program follows both ways of each.
 */
static void compile_rule(
	struct program *program, const struct cgroup_device_rule *rule, unsigned *open)
{
	unsigned access = bpf_access(rule->access) & *open;
	int verdict = rule->allow ? TO_ALLOW : TO_DENY;

	if (!access || !is_possible(rule))
		return;
	if (access == *open && has_numbers(rule)) {
		compile_numbers(program, rule, BPF_JEQ, verdict);
		return;
	}
	if (access == *open) {
		emit(program, (struct bpf_insn){ .code = BPF_JMP | BPF_JA, .off = (__s16)verdict });
		*open = 0;
		return;
	}
	if (has_numbers(rule))
		compile_numbers(program, rule, BPF_JNE, rule->allow ? 2 : 1);
	else
		*open &= ~access;
	if (rule->allow)
		emit_alu(program, BPF_AND, REG_ACCESS, ~access);
	if (rule->allow)
		emit_jump(program, BPF_JEQ, REG_ACCESS, 0, verdict);
	else
		emit_jump(program, BPF_JSET, REG_ACCESS, access, verdict);
}

/*
 * The rules from LAST down that are of its type, behind one look at that.
 * Returns the first that is not, plus one.
 */
static size_t compile_group(struct program *program, const struct cgroup_device_rules *rules,
	size_t last, unsigned open)
{
	char type = rules->items[last].type;
	size_t start = program->length, i = last + 1;
	unsigned number = type == 'b' ? BPF_DEVCG_DEV_BLOCK : BPF_DEVCG_DEV_CHAR;

	emit_jump(program, BPF_JNE, REG_TYPE, number, 0);
	for (; i > 0 && rules->items[i - 1].type == type; i--)
		compile_rule(program, &rules->items[i - 1], &open);
	program->code[start].off = (__s16)(program->length - start - 1);
	/* Only rules that can't match: then there is nothing to jump over. */
	if (program->length == start + 1)
		program->length = start;
	return i;
}

/* The verdicts stand at the end; the kernel refuses one that nothing leads to. */
static void compile_end(struct program *program, bool is_allowed)
{
	int other = is_allowed ? TO_DENY : TO_ALLOW;
	size_t end = program->length;
	bool has_other = false;

	for (size_t i = 0; i < end; i++) {
		struct bpf_insn *instruction = &program->code[i];

		if (instruction->off >= 0)
			continue;
		has_other |= instruction->off == other;
		instruction->off = (__s16)(end - i - 1 + (instruction->off == other ? 2 : 0));
	}
	emit_result(program, is_allowed);
	if (has_other)
		emit_result(program, !is_allowed);
}

/* The later rule wins, so rules are asked from the last on. */
size_t cgroup_device_rules_compile(
	const struct cgroup_device_rules *rules, struct bpf_insn *ret_code)
{
	struct program program = { .code = ret_code };
	unsigned open = BPF_DEVCG_ACC_READ | BPF_DEVCG_ACC_WRITE | BPF_DEVCG_ACC_MKNOD;
	bool is_allowed = rules->is_allowed_first;

	compile_start(&program);
	for (size_t i = rules->count; i > 0;) {
		const struct cgroup_device_rule *rule = &rules->items[i - 1];

		if (rule->type != 'a') {
			i = compile_group(&program, rules, i - 1, open);
			continue;
		}
		/* About all devices: what comes before has no say. */
		if (!has_numbers(rule) && (bpf_access(rule->access) & open) == open) {
			is_allowed = rule->allow;
			break;
		}
		compile_rule(&program, rule, &open);
		i--;
	}
	compile_end(&program, is_allowed);
	return program.length;
}
