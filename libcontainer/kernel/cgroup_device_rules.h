/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Device rules, from the config and our own, in the forms that the kernel
 * takes (config-linux.md, "Allowed Device list").
 *
 * Writes nothing and makes no system call.
 */
#ifndef KOGG_LIBCONTAINER_KERNEL_CGROUP_DEVICE_RULES_H
#define KOGG_LIBCONTAINER_KERNEL_CGROUP_DEVICE_RULES_H

#include <linux/bpf.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"
#include "libspec/spec_resources.h"

/* More would be a program that the kernel takes seconds to check. */
#define CGROUP_DEVICE_RULES_MAX 4096

#define CGROUP_DEVICE_ANY (-1)

struct cgroup_device_rule {
	bool allow;
	char type;     /* 'a', 'b' or 'c' */
	int64_t major; /* or CGROUP_DEVICE_ANY */
	int64_t minor;
	unsigned access; /* SPEC_DEVICE_* */
	size_t index;    /* in the config's list; SIZE_MAX: our own */
};

/*
 * What is to be decided: ITEMS in their order, and before them all devices
 * allowed or denied. An 'a' rule over everything leaves nothing before it.
 */
struct cgroup_device_rules {
	bool is_allowed_first;
	struct cgroup_device_rule *items;
	size_t count;
};

#define cleanup_device_rules __attribute__((cleanup(cgroup_device_rules_release)))

void cgroup_device_rules_release(struct cgroup_device_rules *rules);

/* The config's rules (RESOURCES may be NULL) and those for the default devices. */
int cgroup_device_rules_collect(const struct spec_resources *resources,
	struct cgroup_device_rules *ret_rules, struct error *err) must_check;

/*
 * v1 has one list of exceptions to one default, not an order: RULES becomes
 * that list, free of 'a' rules, or stays as it is, with an error, when a rule
 * makes a hole in another.
 */
int cgroup_device_rules_flatten(struct cgroup_device_rules *rules, struct error *err) must_check;

/* Orders a list that was flattened, in which no order has a meaning, for a short program. */
void cgroup_device_rules_sort(struct cgroup_device_rules *rules);

/* The longest program for COUNT rules. */
#define CGROUP_DEVICE_PROGRAM_MAX(count) (14 + (count)*4)

/* Writes the v2 program for RULES and returns its length. */
size_t cgroup_device_rules_compile(
	const struct cgroup_device_rules *rules, struct bpf_insn *ret_code);

#endif
