/* SPDX-License-Identifier: Apache-2.0 */
/* Device rules: what v1 is told, and what the v2 program decides, against the rules themselves. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "libcontainer/kernel/cgroup_device_rules.h"
#include "libcontainer/kernel/tests/cgroup_resources.h"
#include "libcontainer/kernel/tests/suite.h"

#define ALL (SPEC_DEVICE_READ | SPEC_DEVICE_WRITE | SPEC_DEVICE_MKNOD)
#define ANY CGROUP_DEVICE_ANY

#define DENY_ALL "{\"allow\":false,\"access\":\"rwm\"},"

static void render(const struct cgroup_device_rules *rules, struct text *ret_text)
{
	text_append(ret_text, rules->is_allowed_first ? "all but:" : "none but:");
	for (size_t i = 0; i < rules->count; i++) {
		const struct cgroup_device_rule *rule = &rules->items[i];

		if (rule->index == SIZE_MAX)
			continue;
		text_appendf(ret_text, " %c%ld:%ld%s%s%s", rule->type, (long)rule->major,
			(long)rule->minor, rule->access & SPEC_DEVICE_READ ? "r" : "",
			rule->access & SPEC_DEVICE_WRITE ? "w" : "",
			rule->access & SPEC_DEVICE_MKNOD ? "m" : "");
	}
}

static const struct {
	const char *rules, *expected;
	size_t own; /* how many of our rules are left to add */
} lists[] = {
	{ "", "none but:", 11 },
	{ DENY_ALL "{\"allow\":true,\"type\":\"c\",\"major\":1,\"minor\":3,\"access\":\"rwm\"}",
		"none but: c1:3rwm", 10 },
	{ DENY_ALL "{\"allow\":true,\"type\":\"c\",\"major\":10,\"access\":\"rwm\"}",
		"none but: c10:-1rwm", 10 },
	{ DENY_ALL "{\"allow\":true,\"type\":\"c\",\"access\":\"m\"},"
		   "{\"allow\":true,\"type\":\"b\",\"access\":\"m\"}",
		"none but: c-1:-1m b-1:-1m", 9 },
	{ DENY_ALL "{\"allow\":true,\"type\":\"c\",\"major\":10,\"minor\":229,\"access\":\"r\"},"
		   "{\"allow\":true,\"type\":\"c\",\"major\":10,\"minor\":229,\"access\":\"w\"}",
		"none but: c10:229rw", 11 },
	{ DENY_ALL "{\"allow\":true,\"type\":\"b\",\"major\":8,\"minor\":0,\"access\":\"rw\"},"
		   "{\"allow\":false,\"type\":\"b\",\"major\":8,\"access\":\"w\"}",
		"none but: b8:0r", 11 },
	{ DENY_ALL "{\"allow\":true,\"type\":\"a\",\"major\":7,\"minor\":1,\"access\":\"r\"}",
		"none but: b7:1r c7:1r", 11 },
	{ "{\"allow\":true,\"access\":\"rwm\"}", "all but:", 0 },
	{ "{\"allow\":true,\"access\":\"rwm\"},"
	  "{\"allow\":false,\"type\":\"b\",\"major\":8,\"minor\":0,\"access\":\"rw\"}",
		"all but: b8:0rw", 0 },
};

static void collect(const char *rules, struct cgroup_device_rules *ret_rules)
{
	cleanup_document struct spec_document *document = NULL;
	struct error err = { 0 };
	char json[1024];

	snprintf(json, sizeof(json), "{\"devices\":[%s]}", rules);
	suite_assert_done(cgroup_device_rules_collect(
				  cgroup_resources_parse(json, &document), ret_rules, &err),
		err);
}

START_TEST(rules_for_v1)
{
	cleanup_device_rules struct cgroup_device_rules rules = { 0 };
	struct error err = { 0 };
	struct text text = { 0 };
	size_t own = 0;

	collect(lists[_i].rules, &rules);
	suite_assert_done(cgroup_device_rules_flatten(&rules, &err), err);
	render(&rules, &text);
	ck_assert_str_eq(text.data, lists[_i].expected);
	for (size_t i = 0; i < rules.count; i++)
		own += rules.items[i].index == SIZE_MAX;
	ck_assert_uint_eq(own, lists[_i].own);
	text_release(&text);
}
END_TEST

START_TEST(holes_have_no_form_in_v1)
{
	cleanup_device_rules struct cgroup_device_rules rules = { 0 };
	struct error err = { 0 };

	collect(DENY_ALL
		"{\"allow\":true,\"type\":\"b\",\"major\":8,\"access\":\"rw\"},"
		"{\"allow\":false,\"type\":\"b\",\"major\":8,\"minor\":0,\"access\":\"w\"}",
		&rules);
	ck_assert_int_eq(cgroup_device_rules_flatten(&rules, &err), -1);
	ck_assert_int_eq(err.kind, ERROR_UNSUPPORTED);
	ck_assert_str_eq(err.pointer, "/linux/resources/devices/2");
}
END_TEST

/* What the kernel would do with the few instructions that the compiler knows. */
static bool interpret(
	const struct bpf_insn *code, size_t length, const struct bpf_cgroup_dev_ctx *context)
{
	uint32_t registers[11] = { 0 };

	for (size_t at = 0; at < length; at++) {
		const struct bpf_insn *now = &code[at];
		uint32_t *target = &registers[now->dst_reg], imm = (uint32_t)now->imm;
		bool jumps = false;

		switch (now->code) {
		case BPF_LDX | BPF_MEM | BPF_W:
			memcpy(target, (const char *)context + now->off, sizeof(*target));
			break;
		case BPF_ALU | BPF_AND | BPF_K:
			*target &= imm;
			break;
		case BPF_ALU | BPF_RSH | BPF_K:
			*target >>= imm;
			break;
		case BPF_ALU | BPF_LSH | BPF_K:
			*target <<= imm;
			break;
		case BPF_ALU | BPF_OR | BPF_X:
			*target |= registers[now->src_reg];
			break;
		case BPF_ALU | BPF_MOV | BPF_K:
			*target = imm;
			break;
		case BPF_JMP32 | BPF_JNE | BPF_K:
			jumps = *target != imm;
			break;
		case BPF_JMP32 | BPF_JEQ | BPF_K:
			jumps = *target == imm;
			break;
		case BPF_JMP32 | BPF_JSET | BPF_K:
			jumps = *target & imm;
			break;
		case BPF_JMP | BPF_JA:
			jumps = true;
			break;
		case BPF_JMP | BPF_EXIT:
			return registers[0];
		default:
			ck_abort_msg("instruction %x", now->code);
		}
		if (jumps)
			at += (size_t)now->off;
	}
	ck_abort_msg("the program has no end");
}

/* The last rule about each right decides on it. */
static bool decide(const struct cgroup_device_rules *rules, char type, int64_t major, int64_t minor,
	unsigned access)
{
	for (unsigned right = SPEC_DEVICE_READ; right <= SPEC_DEVICE_MKNOD; right <<= 1) {
		bool allowed = rules->is_allowed_first;

		for (size_t i = 0; i < rules->count; i++) {
			const struct cgroup_device_rule *rule = &rules->items[i];

			if ((rule->access & right) && (rule->type == 'a' || rule->type == type) &&
				(rule->major == ANY || rule->major == major) &&
				(rule->minor == ANY || rule->minor == minor))
				allowed = rule->allow;
		}
		if ((access & right) && !allowed)
			return false;
	}
	return true;
}

/* The program for PROGRAM must decide as RULES do. */
static void compare_program(const struct cgroup_device_rules *program,
	const struct cgroup_device_rules *rules, int64_t numbers)
{
	struct bpf_insn code[512];
	size_t length = cgroup_device_rules_compile(program, code);

	ck_assert_uint_le(length, CGROUP_DEVICE_PROGRAM_MAX(program->count));
	for (int64_t i = 0; i < 2 * numbers * numbers * 7; i++) {
		unsigned access = (unsigned)(i % 7 + 1);
		int64_t major = i / 7 % numbers, minor = i / 7 / numbers % numbers;
		bool is_block = i / 7 / numbers / numbers;
		const struct bpf_cgroup_dev_ctx context = {
			.access_type =
				(is_block ? BPF_DEVCG_DEV_BLOCK : BPF_DEVCG_DEV_CHAR) |
				((access & SPEC_DEVICE_READ ? BPF_DEVCG_ACC_READ : 0U) |
					(access & SPEC_DEVICE_WRITE ? BPF_DEVCG_ACC_WRITE : 0U) |
					(access & SPEC_DEVICE_MKNOD ? BPF_DEVCG_ACC_MKNOD : 0U))
					<< 16,
			.major = (__u32)major,
			.minor = (__u32)minor,
		};

		ck_assert_msg(interpret(code, length, &context) ==
				      decide(rules, is_block ? 'b' : 'c', major, minor, access),
			"%c %ld:%ld %u", is_block ? 'b' : 'c', (long)major, (long)minor, access);
	}
}

static void compare(const struct cgroup_device_rules *rules, int64_t numbers)
{
	cleanup_device_rules struct cgroup_device_rules flat = *rules;
	struct error err = { 0 };

	compare_program(rules, rules, numbers);
	flat.items = calloc(rules->count + 1, sizeof(*flat.items));
	memcpy(flat.items, rules->items, rules->count * sizeof(*flat.items));
	if (cgroup_device_rules_flatten(&flat, &err) < 0)
		return;
	cgroup_device_rules_sort(&flat);
	compare_program(&flat, rules, numbers);
}

START_TEST(programs_decide_as_the_rules)
{
	cleanup_device_rules struct cgroup_device_rules rules = { 0 };

	collect(lists[_i].rules, &rules);
	compare(&rules, 12);
}
END_TEST

/* Any rules, few numbers: they meet often. */
START_TEST(programs_decide_as_random_rules)
{
	struct cgroup_device_rule items[8];
	struct cgroup_device_rules rules = { .items = items };

	srand((unsigned)_i + 1);
	rules.is_allowed_first = rand() % 2;
	rules.count = (size_t)rand() % (array_size(items) + 1);
	for (size_t i = 0; i < rules.count; i++)
		items[i] = (struct cgroup_device_rule){ .allow = rand() % 2,
			.type = "abc"[rand() % 3],
			.major = rand() % 4 - 1,
			.minor = rand() % 4 - 1,
			.access = (unsigned)(rand() % 7 + 1) };
	compare(&rules, 3);
}
END_TEST

START_TEST(too_many_rules)
{
	struct spec_device_rule *given = calloc(CGROUP_DEVICE_RULES_MAX + 1, sizeof(*given));
	const struct spec_resources resources = { .pointer = "/linux/resources",
		.devices = given,
		.n_devices = CGROUP_DEVICE_RULES_MAX + 1,
		.has_devices = true };
	struct cgroup_device_rules rules = { 0 };
	struct error err = { 0 };

	ck_assert_int_eq(cgroup_device_rules_collect(&resources, &rules, &err), -1);
	ck_assert_str_eq(err.pointer, "/linux/resources/devices");
	free(given);
}
END_TEST

int main(void)
{
	TCase *tests = tcase_create("cgroup_device_rules");

	tcase_add_loop_test(tests, rules_for_v1, 0, array_size(lists));
	tcase_add_test(tests, holes_have_no_form_in_v1);
	tcase_add_loop_test(tests, programs_decide_as_the_rules, 0, array_size(lists));
	tcase_add_loop_test(tests, programs_decide_as_random_rules, 0, 500);
	tcase_add_test(tests, too_many_rules);
	return suite_run(tests);
}
