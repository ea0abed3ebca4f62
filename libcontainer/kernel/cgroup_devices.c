/* SPDX-License-Identifier: Apache-2.0 */
#include "libcontainer/kernel/cgroup_devices.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <linux/bpf.h>
#include <linux/capability.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/log.h"
#include "libcontainer/kernel/capabilities.h"
#include "libcontainer/kernel/cgroup_device_rules.h"
#include "libcontainer/kernel/cgroup_file.h"
#include "libcontainer/kernel/cgroup_place.h"
#include "libcontainer/kernel/syscalls.h"

/* By this name an earlier program of ours is known. At most 15 characters. */
#define PROGRAM_NAME "kogg_devices"

/* More programs on one group than any manager attaches; the kernel allows 64. */
#define ATTACHED_MAX 64

static int sys_bpf(int command, union bpf_attr *attributes)
{
	return (int)syscall(SYS_bpf, command, attributes, sizeof(*attributes));
}

/* "136:*" and the letters */
static void format_rule(const struct cgroup_device_rule *rule, char *ret_text, size_t size)
{
	char major[24] = "*", minor[24] = "*";

	if (rule->major != CGROUP_DEVICE_ANY)
		snprintf(major, sizeof(major), "%" PRId64, rule->major);
	if (rule->minor != CGROUP_DEVICE_ANY)
		snprintf(minor, sizeof(minor), "%" PRId64, rule->minor);
	snprintf(ret_text, size, "%c %s:%s %s%s%s", rule->type, major, minor,
		(rule->access & SPEC_DEVICE_READ) ? "r" : "",
		(rule->access & SPEC_DEVICE_WRITE) ? "w" : "",
		(rule->access & SPEC_DEVICE_MKNOD) ? "m" : "");
}

/* The kernel asks for the capability first (devcgroup_update_access()). */
static void explain_denial(const char *what, struct error *err)
{
	if (err->sys_errno != EPERM)
		return;
	if (capabilities_has(CAP_SYS_ADMIN))
		error_hint(err, "the group above does not allow %s", what);
	else
		error_hint(err, "device rules need CAP_SYS_ADMIN");
}

static int write_exceptions(int fd, const char *file, const struct cgroup_device_rules *rules,
	const char *pointer, struct error *err)
{
	char text[96];

	for (size_t i = 0; i < rules->count; i++) {
		const struct cgroup_device_rule *rule = &rules->items[i];

		format_rule(rule, text, sizeof(text));
		if (cgroup_file_write_fd(fd, file, text, err) == 0)
			continue;
		explain_denial("this device", err);
		if (rule->index == SIZE_MAX)
			return error_point(err, "%s/devices", pointer);
		return error_point(err, "%s/devices/%zu", pointer, rule->index);
	}
	return 0;
}

static int open_file(int dir_fd, const char *file, struct error *err)
{
	int fd = openat(dir_fd, file, O_WRONLY | O_CLOEXEC);

	return fd < 0 ? error_set_call(err, "open", file) : fd;
}

/* Two files, each opened once. "a" sets the default and drops all exceptions. */
static int apply_v1(struct cgroup_place *place, struct cgroup_device_rules *rules,
	const char *pointer, struct error *err)
{
	const char *first = rules->is_allowed_first ? "devices.allow" : "devices.deny";
	const char *second = rules->is_allowed_first ? "devices.deny" : "devices.allow";
	cleanup_fd int first_fd = -1, second_fd = -1;
	int dir_fd = cgroup_place_open(place, err);

	if (dir_fd < 0 || cgroup_device_rules_flatten(rules, err) < 0)
		return -1;
	first_fd = open_file(dir_fd, first, err);
	if (first_fd < 0)
		return -1;
	if (cgroup_file_write_fd(first_fd, first, "a", err) < 0) {
		explain_denial("all devices", err);
		return error_point(err, "%s/devices", pointer);
	}
	if (!rules->count)
		return 0;
	second_fd = open_file(dir_fd, second, err);
	if (second_fd < 0)
		return -1;
	return write_exceptions(second_fd, second, rules, pointer, err);
}

static int load_program(const struct cgroup_device_rules *rules, struct error *err)
{
	cleanup_free struct bpf_insn *code =
		calloc(CGROUP_DEVICE_PROGRAM_MAX(rules->count), sizeof(*code));
	union bpf_attr attributes = { .prog_type = BPF_PROG_TYPE_CGROUP_DEVICE,
		.prog_name = PROGRAM_NAME,
		.license = (uintptr_t) "Apache-2.0" };
	int fd;

	if (!code)
		return error_set_errno(err, "compile device rules");
	attributes.insns = (uintptr_t)code;
	attributes.insn_cnt = (__u32)cgroup_device_rules_compile(rules, code);
	fd = sys_bpf(BPF_PROG_LOAD, &attributes);
	if (fd < 0)
		return error_set_call(err, "bpf", "BPF_PROG_LOAD");
	return fd;
}

/* Whether the program ID is one of ours: a descriptor for it, or -1. */
static int open_own_program(__u32 id)
{
	struct bpf_prog_info info = { 0 };
	union bpf_attr attributes = { .prog_id = id };
	cleanup_fd int fd = sys_bpf(BPF_PROG_GET_FD_BY_ID, &attributes);

	if (fd < 0)
		return -1;
	attributes = (union bpf_attr){ 0 };
	attributes.info.bpf_fd = (__u32)fd;
	attributes.info.info_len = sizeof(info);
	attributes.info.info = (uintptr_t)&info;
	if (sys_bpf(BPF_OBJ_GET_INFO_BY_FD, &attributes) < 0 ||
		strcmp(info.name, PROGRAM_NAME) != 0)
		return -1;
	return take_fd(&fd);
}

/* Programs of one group all have to agree, so an old one of ours must go. */
static int find_own_program(int dir_fd)
{
	__u32 ids[ATTACHED_MAX];
	union bpf_attr attributes = { 0 };

	attributes.query.target_fd = (__u32)dir_fd;
	attributes.query.attach_type = BPF_CGROUP_DEVICE;
	attributes.query.prog_ids = (uintptr_t)ids;
	attributes.query.prog_cnt = ATTACHED_MAX;
	if (sys_bpf(BPF_PROG_QUERY, &attributes) < 0)
		return -1;
	for (__u32 i = 0; i < attributes.query.prog_cnt; i++) {
		int fd = open_own_program(ids[i]);

		if (fd >= 0)
			return fd;
	}
	return -1;
}

static int attach_program(int dir_fd, int program_fd, int old_fd, struct error *err)
{
	union bpf_attr attributes = { .target_fd = (__u32)dir_fd,
		.attach_bpf_fd = (__u32)program_fd,
		.attach_type = BPF_CGROUP_DEVICE,
		.attach_flags = BPF_F_ALLOW_MULTI };

	if (old_fd >= 0) {
		attributes.attach_flags |= BPF_F_REPLACE;
		attributes.replace_bpf_fd = (__u32)old_fd;
	}
	if (sys_bpf(BPF_PROG_ATTACH, &attributes) < 0)
		return error_set_call(err, "bpf", "BPF_PROG_ATTACH");
	return 0;
}

static int apply_v2(
	struct cgroup_place *place, struct cgroup_device_rules *rules, struct error *err)
{
	struct error failure = { 0 };
	cleanup_fd int program_fd = -1, old_fd = -1;
	int dir_fd = cgroup_place_open(place, err);

	if (dir_fd < 0)
		return -1;
	/* A group that was just made has no programs. */
	if (!place->is_new)
		old_fd = find_own_program(dir_fd);
	/* Most lists can be flat, and then the program is shorter. */
	if (cgroup_device_rules_flatten(rules, &failure) == 0)
		cgroup_device_rules_sort(rules);
	failure = (struct error){ 0 };
	program_fd = load_program(rules, &failure);
	if (program_fd >= 0 && attach_program(dir_fd, program_fd, old_fd, &failure) == 0)
		return 0;
	*err = failure;
	return error_hint(
		err, "device rules on cgroup v2 need CAP_BPF or CAP_SYS_ADMIN and bpf(2)");
}

/* Whether everything is allowed anyway. */
static bool has_no_denial(const struct cgroup_device_rules *rules)
{
	bool is_open = rules->is_allowed_first;

	for (size_t i = 0; i < rules->count; i++)
		is_open &= rules->items[i].allow;
	return is_open;
}

/*
 * In a user namespace nobody can make device nodes, and those that a mount
 * brings are guarded by their permissions: rules, which take the initial one's
 * CAP_BPF or CAP_SYS_ADMIN, are not missed.
 */
static int do_without(struct error *err)
{
	if ((err->sys_errno != EPERM && err->sys_errno != EACCES) || !cgroup_layout_is_rootless())
		return -1;
	log_debug("device rules are left out: %s", err->text);
	*err = (struct error){ 0 };
	return 0;
}

int cgroup_devices_apply(
	struct cgroup *cgroup, const struct spec_resources *resources, struct error *err)
{
	cleanup_device_rules struct cgroup_device_rules rules = { 0 };
	const char *pointer = resources ? resources->pointer : "/linux/resources";
	struct cgroup_place *v1 = cgroup_layout_find_v1(cgroup, "devices");
	struct cgroup_place *v2 = cgroup_layout_find_v2(cgroup);

	if (cgroup_device_rules_collect(resources, &rules, err) < 0)
		return -1;
	if (v1 && apply_v1(v1, &rules, pointer, err) < 0)
		return do_without(err);
	if (v1 || !v2 || (v2->is_new && has_no_denial(&rules)))
		return 0;
	if (apply_v2(v2, &rules, err) == 0)
		return 0;
	error_point(err, "%s/devices", pointer);
	return do_without(err);
}
