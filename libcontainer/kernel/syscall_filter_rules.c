/* SPDX-License-Identifier: Apache-2.0 */
#include "libcontainer/kernel/syscall_filter_rules.h"

#include <assert.h>
#include <errno.h>
#include <linux/seccomp.h>
#include <seccomp.h>
#include <stdlib.h>
#include <string.h>

#include "base/attributes.h"

/* What each word of the spec is to seccomp(2). */
static const struct {
	uint32_t value;
	bool has_errno; /* its low 16 bits are a value for the caller or the tracer */
} actions[] = {
	[SPEC_SECCOMP_KILL] = { SECCOMP_RET_KILL_THREAD, false },
	[SPEC_SECCOMP_KILL_PROCESS] = { SECCOMP_RET_KILL_PROCESS, false },
	[SPEC_SECCOMP_KILL_THREAD] = { SECCOMP_RET_KILL_THREAD, false },
	[SPEC_SECCOMP_TRAP] = { SECCOMP_RET_TRAP, false },
	[SPEC_SECCOMP_ERRNO] = { SECCOMP_RET_ERRNO, true },
	[SPEC_SECCOMP_TRACE] = { SECCOMP_RET_TRACE, true },
	[SPEC_SECCOMP_ALLOW] = { SECCOMP_RET_ALLOW, false },
	[SPEC_SECCOMP_LOG] = { SECCOMP_RET_LOG, false },
	[SPEC_SECCOMP_NOTIFY] = { SECCOMP_RET_USER_NOTIF, false },
};

/* The spec's reader has checked that ERRNO_RET stands only where it may, and its range. */
static uint32_t action_value(unsigned action, const struct spec_u32 *errno_ret)
{
	assert(action < array_size(actions));
	if (!actions[action].has_errno)
		return actions[action].value;
	return actions[action].value |
	       ((errno_ret->is_set ? errno_ret->value : EPERM) & SECCOMP_RET_DATA);
}

int syscall_filter_rules_arch(const char *word, uint32_t *ret_token)
{
	static const char prefix[] = "SCMP_ARCH_";
	char name[32];
	uint32_t token;
	size_t i = 0;

	if (strncmp(word, prefix, sizeof(prefix) - 1))
		return -1;
	for (word += sizeof(prefix) - 1; i < sizeof(name) - 1 && word[i]; i++)
		name[i] = (char)(word[i] >= 'A' && word[i] <= 'Z' ? word[i] - 'A' + 'a' : word[i]);
	name[i] = '\0';
	token = seccomp_arch_resolve_name(name);
	if (word[i] || !token)
		return -1;
	*ret_token = token;
	return 0;
}

static void add_arch(struct syscall_filter_rules *rules, uint32_t token, size_t position)
{
	for (size_t i = 0; i < rules->n_archs; i++)
		if (rules->archs[i] == token)
			return;
	rules->archs[rules->n_archs] = token;
	rules->arch_positions[rules->n_archs++] = position;
}

static int add_archs(
	struct syscall_filter_rules *rules, const struct spec_strings *words, struct error *err)
{
	add_arch(rules, seccomp_arch_native(), 0);
	for (size_t i = 0; i < words->count; i++) {
		uint32_t token;

		if (syscall_filter_rules_arch(words->items[i], &token) < 0) {
			error_set(err, ERROR_UNSUPPORTED,
				"libseccomp %u.%u.%u does not know the architecture '%s'",
				seccomp_version()->major, seccomp_version()->minor,
				seccomp_version()->micro, words->items[i]);
			return error_point(err, "/linux/seccomp/architectures/%zu", i);
		}
		add_arch(rules, token, i);
	}
	return 0;
}

/* Whether two conditions of RULE look at the same argument. */
static bool has_doubles(const struct spec_seccomp_rule *rule)
{
	unsigned seen = 0;

	for (size_t i = 0; i < rule->n_args; i++) {
		if (seen & 1u << rule->args[i].index)
			return true;
		seen |= 1u << rule->args[i].index;
	}
	return false;
}

static size_t count_rules(const struct spec_seccomp *profile)
{
	size_t count = 0;

	for (size_t i = 0; i < profile->n_rules; i++) {
		const struct spec_seccomp_rule *rule = &profile->rules[i];
		size_t copies = has_doubles(rule) ? rule->n_args : 1;

		if (rule->names.count > SYSCALL_FILTER_RULES_MAX ||
			copies > SYSCALL_FILTER_RULES_MAX)
			return SYSCALL_FILTER_RULES_MAX + 1;
		count += rule->names.count * copies;
		if (count > SYSCALL_FILTER_RULES_MAX)
			break;
	}
	return count;
}

static void add_rule(struct syscall_filter_rules *rules, const struct syscall_filter_rule *base,
	const struct spec_seccomp_rule *rule)
{
	bool is_split = has_doubles(rule);

	for (size_t i = 0; i < (is_split ? rule->n_args : 1); i++) {
		struct syscall_filter_rule *item = &rules->items[rules->count++];

		*item = *base;
		item->args = rule->args ? rule->args + i : NULL;
		item->n_args = is_split ? 1 : rule->n_args;
	}
}

static void add_names(
	struct syscall_filter_rules *rules, const struct spec_seccomp_rule *rule, size_t position)
{
	struct syscall_filter_rule base = { .position = position };

	base.action = action_value(rule->action, &rule->errno_ret);
	for (size_t i = 0; i < rule->names.count; i++) {
		base.name = rule->names.items[i];
		if (base.action == rules->default_action) {
			rules->idle_names[rules->n_idle_names++] = base.name;
			continue;
		}
		base.number = seccomp_syscall_resolve_name(base.name);
		if (base.number != __NR_SCMP_ERROR)
			add_rule(rules, &base, rule);
	}
}

static int add_all(
	struct syscall_filter_rules *rules, const struct spec_seccomp *profile, struct error *err)
{
	size_t count = count_rules(profile);

	rules->default_action = action_value(profile->default_action, &profile->default_errno_ret);
	if (add_archs(rules, &profile->architectures, err) < 0)
		return -1;
	if (count > SYSCALL_FILTER_RULES_MAX)
		return error_set(err, ERROR_SPEC, "the seccomp profile has more than %d rules",
			SYSCALL_FILTER_RULES_MAX);
	rules->items = calloc(count + 1, sizeof(*rules->items));
	rules->idle_names = calloc(count + 1, sizeof(*rules->idle_names));
	if (!rules->items || !rules->idle_names)
		return error_set_errno(err, "prepare the seccomp filter");
	for (size_t i = 0; i < profile->n_rules; i++)
		add_names(rules, &profile->rules[i], i);
	return 0;
}

int syscall_filter_rules_init(struct syscall_filter_rules *ret_rules,
	const struct spec_seccomp *profile, struct error *err)
{
	struct syscall_filter_rules rules = { 0 };

	if (add_all(&rules, profile, err) < 0) {
		syscall_filter_rules_release(&rules);
		return -1;
	}
	*ret_rules = rules;
	return 0;
}

void syscall_filter_rules_release(struct syscall_filter_rules *rules)
{
	free(rules->items);
	free(rules->idle_names);
	*rules = (struct syscall_filter_rules){ 0 };
}
