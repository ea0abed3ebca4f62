/* SPDX-License-Identifier: Apache-2.0 */
#include "libcontainer/kernel/intel_rdt.h"

#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/magic.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/file.h"
#include "base/text.h"

#define MOUNT_POINT "/sys/fs/resctrl"

/* A few lines of a few hundred bytes. */
#define SCHEMATA_MAX 65536

/* A number a line; of more than these not one matters. */
#define TASKS_MAX 4096

#ifndef RDTGROUP_SUPER_MAGIC
#	define RDTGROUP_SUPER_MAGIC 0x7655821
#endif

static int open_resctrl(struct error *err)
{
	cleanup_fd int fd = open(MOUNT_POINT, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	struct statfs fs;

	if (fd < 0 || fstatfs(fd, &fs) < 0 || fs.f_type != RDTGROUP_SUPER_MAGIC) {
		error_set(err, ERROR_UNSUPPORTED, "resctrl is not mounted at '%s'", MOUNT_POINT);
		return error_hint(
			err, "mount -t resctrl resctrl %s, if CPU and kernel have it", MOUNT_POINT);
	}
	return take_fd(&fd);
}

static bool has_schemata(const struct spec_intel_rdt *rdt)
{
	return rdt->l3_cache_schema || rdt->mem_bw_schema || rdt->schemata.count;
}

/* The directory below resctrl: "." for the default class. */
static int name_group(
	const struct spec_intel_rdt *rdt, const char *id, const char **ret_name, struct error *err)
{
	const char *name = rdt->clos_id ?: id;

	if (strcmp(name, "/") == 0)
		name = ".";
	else if (!name[0] || strchr(name, '/') || strcmp(name, ".") == 0 ||
		 strcmp(name, "..") == 0) {
		error_set(err, ERROR_SPEC, "'%s' is no name of a directory", name);
		return -1; /* -O3 does not see that error_set() says so */
	}
	*ret_name = name;
	return 0;
}

/* Why the kernel refused, which it writes down: "Invalid L3 mask" for instance. */
static int fail_write(int resctrl_fd, const char *file, struct error *cause, struct error *err)
{
	cleanup_text struct text status = { 0 };
	struct error ignored = { 0 };

	if (file_read_at(resctrl_fd, "info/last_cmd_status", 4096, &status, &ignored) < 0 ||
		!status.length || strncmp(status.data, "ok", 2) == 0) {
		*err = *cause;
		return -1;
	}
	return error_set(err, ERROR_SPEC, "write '%s': %.*s", file, (int)strcspn(status.data, "\n"),
		status.data);
}

static int write_lines(int resctrl_fd, int group_fd, const struct text *lines, struct error *err)
{
	struct error cause = { 0 };

	if (text_check(lines, err) < 0)
		return -1;
	if (lines->length == 0 || file_write_at(group_fd, "schemata", lines->data, &cause) == 0)
		return 0;
	return fail_write(resctrl_fd, "schemata", &cause, err);
}

/* The kernel does not take an empty line. */
static void append_lines(struct text *lines, const char *schema)
{
	for (; schema && *schema; schema += strcspn(schema, "\n")) {
		schema += strspn(schema, "\n");
		if (*schema)
			text_appendf(lines, "%.*s\n", (int)strcspn(schema, "\n"), schema);
	}
}

/* L3 first, bandwidth second; the list last, in a write of its own (config-linux.md). */
static int write_schemata(int resctrl_fd, int group_fd, const struct spec_intel_rdt *rdt,
	bool is_list_only, struct error *err)
{
	cleanup_text struct text first = { 0 };
	cleanup_text struct text list = { 0 };

	if (!is_list_only) {
		append_lines(&first, rdt->l3_cache_schema);
		append_lines(&first, rdt->mem_bw_schema);
	}
	for (size_t i = 0; i < rdt->schemata.count; i++)
		text_appendf(&list, "%s\n", rdt->schemata.items[i]);
	if (write_lines(resctrl_fd, group_fd, &first, err) < 0)
		return -1;
	return write_lines(resctrl_fd, group_fd, &list, err);
}

/* Steps over "DOMAIN=VALUE" at *AT and what separates it; false at the end of the line. */
static bool next_entry(const char **at, const char **ret_entry, size_t *ret_length)
{
	const char *p = *at + strspn(*at, "; \t");
	size_t length = strcspn(p, ";\n");

	*at = p + length;
	while (length > 0 && strchr(" \t", p[length - 1]))
		length--;
	*ret_entry = p;
	*ret_length = length;
	return length > 0;
}

static bool is_padding(char c)
{
	return c == '0' || c == ' ' || c == '\t';
}

/*
 * The kernel pads masks, which are hexadecimal, with zeros, and bandwidths with
 * blanks: compares "0=00ff" with "0=FF", and "0= 50" with "0=50".
 */
static bool is_same_entry(const char *one, size_t one_length, const char *two, size_t two_length)
{
	const char *one_end = one + one_length, *two_end = two + two_length;

	while (one < one_end && two < two_end && *one == *two && *one != '=')
		one++, two++;
	if (one == one_end || two == two_end || *one != '=' || *two != '=')
		return false;
	for (one++; one + 1 < one_end && is_padding(*one); one++)
		;
	for (two++; two + 1 < two_end && is_padding(*two); two++)
		;
	if (one_end - one != two_end - two)
		return false;
	for (; one < one_end; one++, two++)
		if (tolower((unsigned char)*one) != tolower((unsigned char)*two))
			return false;
	return true;
}

/* Whether each entry of the line WANTED, "L3:0=ff;1=ff", holds in the line FOUND. */
static bool is_same_line(const char *wanted, const char *found)
{
	const char *entry, *other;
	size_t length, other_length;

	while (next_entry(&wanted, &entry, &length)) {
		const char *p = found;
		bool is_there = false;

		while (!is_there && next_entry(&p, &other, &other_length))
			is_there = is_same_entry(entry, length, other, other_length);
		if (!is_there)
			return false;
	}
	return true;
}

static bool line_holds_in(const char *schema, const char *schemata)
{
	size_t prefix = strcspn(schema, ":\n") + 1;

	for (const char *line = schemata; line && *line;
		line = strchr(line, '\n') ? strchr(line, '\n') + 1 : NULL) {
		line += strspn(line, " \t");
		if (strncmp(line, schema, prefix) == 0)
			return schema[prefix - 1] == ':' &&
			       is_same_line(schema + prefix, line + prefix);
	}
	return false;
}

/* Whether each line of SCHEMA does. */
static bool holds_in(const char *schema, const char *schemata)
{
	for (schema += strspn(schema, "\n"); *schema; schema += strspn(schema, "\n")) {
		if (!line_holds_in(schema, schemata))
			return false;
		schema += strcspn(schema, "\n");
	}
	return true;
}

/* A class that was there already must be what the config says it is. */
static int compare(int group_fd, const struct spec_intel_rdt *rdt, struct error *err)
{
	cleanup_text struct text found = { 0 };
	const char *const wanted[] = { rdt->l3_cache_schema, rdt->mem_bw_schema };
	static const char *const members[] = { "l3CacheSchema", "memBwSchema" };

	if (!wanted[0] && !wanted[1])
		return 0;
	if (file_read_at(group_fd, "schemata", SCHEMATA_MAX, &found, err) < 0)
		return -1;
	for (size_t i = 0; i < array_size(wanted); i++) {
		if (!wanted[i] || holds_in(wanted[i], found.data ?: ""))
			continue;
		error_set(err, ERROR_SPEC, "'%s' is not what the existing class '%s' has",
			wanted[i], rdt->clos_id);
		return error_point(err, "/linux/intelRdt/%s", members[i]);
	}
	return 0;
}

/* Opens the class's directory, making it where the config wants that. */
static int open_group(int resctrl_fd, const struct spec_intel_rdt *rdt, const char *name,
	bool *ret_is_made, struct error *err)
{
	bool may_make = !rdt->clos_id || (has_schemata(rdt) && strcmp(name, ".") != 0);
	bool is_made = may_make && mkdirat(resctrl_fd, name, 0755) == 0;
	int fd;

	if (may_make && !is_made && (errno != EEXIST || !rdt->clos_id))
		return error_set_call(err, "make the resctrl group", name);
	fd = openat(resctrl_fd, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (fd < 0)
		return error_set_call(err, "open the resctrl group", name);
	*ret_is_made = is_made;
	return fd;
}

static int write_pid(int dir_fd, const char *file, pid_t pid, struct error *err)
{
	char number[16];

	snprintf(number, sizeof(number), "%d", (int)pid);
	return file_write_at(dir_fd, file, number, err);
}

/* The path of a group's monitoring directory, or of a file in it. */
static int name_monitoring(char path[PATH_MAX], const char *id, const char *file, struct error *err)
{
	int n = snprintf(path, PATH_MAX, "mon_groups/%s%s", id, file);

	return n < 0 || n >= PATH_MAX ? error_set(err, ERROR_SPEC, "'%s' is too long", id) : 0;
}

static int join_monitoring(int group_fd, const char *id, pid_t pid, struct error *err)
{
	char path[PATH_MAX];

	if (name_monitoring(path, id, "/tasks", err) < 0)
		return -1;
	return write_pid(group_fd, path, pid, err);
}

static int monitor(int group_fd, const char *id, pid_t pid, bool *ret_is_made, struct error *err)
{
	char path[PATH_MAX];

	if (name_monitoring(path, id, "", err) < 0)
		return -1;
	if (mkdirat(group_fd, path, 0755) < 0) {
		error_set_call(err, "make the monitoring group", path);
		return error_point(err, "/linux/intelRdt/enableMonitoring");
	}
	*ret_is_made = true;
	return join_monitoring(group_fd, id, pid, err);
}

static int fill_group(int resctrl_fd, int group_fd, const struct spec_intel_rdt *rdt, bool is_old,
	struct error *err)
{
	if (is_old && compare(group_fd, rdt, err) < 0)
		return -1;
	return write_schemata(resctrl_fd, group_fd, rdt, is_old, err);
}

int intel_rdt_apply_at(int resctrl_fd, const struct spec_intel_rdt *rdt, const char *id, pid_t pid,
	struct intel_rdt_made *ret_made, struct error *err)
{
	struct intel_rdt_made made = { 0 };
	struct error ignored = { 0 };
	cleanup_fd int group = -1;
	bool is_new = false;
	const char *name;

	if (name_group(rdt, id, &name, err) < 0)
		return error_point(err, "/linux/intelRdt/closID");
	group = open_group(resctrl_fd, rdt, name, &is_new, err);
	if (group < 0)
		return error_point(err, "/linux/intelRdt/closID");
	made.has_group = is_new;
	if (fill_group(resctrl_fd, group, rdt, !is_new, err) < 0 ||
		write_pid(group, "tasks", pid, err) < 0 ||
		(rdt->enable_monitoring &&
			monitor(group, id, pid, &made.has_monitoring, err) < 0)) {
		if (intel_rdt_remove_at(resctrl_fd, rdt, id, &made, &ignored) < 0)
			error_hint(err, "%s", ignored.text);
		return error_point(err, "/linux/intelRdt");
	}
	/* One with a name of its own stays when the container goes (config-linux.md). */
	made.has_group = is_new && !rdt->clos_id;
	made.has_class = is_new && rdt->clos_id;
	*ret_made = made;
	return 0;
}

/* Opens the class's directory, which is there. */
static int find_group(
	int resctrl_fd, const struct spec_intel_rdt *rdt, const char *id, struct error *err)
{
	const char *name = NULL;
	int fd;

	if (name_group(rdt, id, &name, err) < 0)
		return -1;
	fd = openat(resctrl_fd, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	return fd < 0 ? error_set_call(err, "open the resctrl group", name) : fd;
}

/* The class first: a monitoring group takes only what is in its class. */
int intel_rdt_join_at(int resctrl_fd, const struct spec_intel_rdt *rdt, const char *id,
	const struct intel_rdt_made *made, pid_t pid, struct error *err)
{
	struct error cause = { 0 };
	cleanup_fd int group = find_group(resctrl_fd, rdt, id, &cause);

	if (group >= 0 && write_pid(group, "tasks", pid, &cause) == 0 &&
		(!made->has_monitoring || join_monitoring(group, id, pid, &cause) == 0))
		return 0;
	if (cause.sys_errno == ENOENT)
		return 0;
	*err = cause;
	return error_point(err, "/linux/intelRdt");
}

int intel_rdt_remove_at(int resctrl_fd, const struct spec_intel_rdt *rdt, const char *id,
	const struct intel_rdt_made *made, struct error *err)
{
	char path[PATH_MAX];
	cleanup_fd int group = -1;
	const char *name;

	if (name_group(rdt, id, &name, err) < 0)
		return -1;
	if (made->has_monitoring && name_monitoring(path, id, "", err) < 0)
		return -1;
	group = openat(resctrl_fd, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (group < 0)
		return errno == ENOENT ? 0 : error_set_call(err, "open the resctrl group", name);
	if (made->has_monitoring && unlinkat(group, path, AT_REMOVEDIR) < 0 && errno != ENOENT)
		return error_set_call(err, "remove the monitoring group", path);
	if (made->has_group && unlinkat(resctrl_fd, name, AT_REMOVEDIR) < 0 && errno != ENOENT)
		return error_set_call(err, "remove the resctrl group", name);
	return 0;
}

/* Who joins between this and the removal is moved to the default class by the kernel. */
static bool is_unused(int resctrl_fd, const struct spec_intel_rdt *rdt, const char *id)
{
	cleanup_text struct text tasks = { 0 };
	struct error ignored = { 0 };
	cleanup_fd int group = find_group(resctrl_fd, rdt, id, &ignored);

	return group >= 0 && file_read_at(group, "tasks", TASKS_MAX, &tasks, &ignored) == 0 &&
	       tasks.length == 0;
}

int intel_rdt_undo_at(int resctrl_fd, const struct spec_intel_rdt *rdt, const char *id,
	const struct intel_rdt_made *made, struct error *err)
{
	struct intel_rdt_made all = *made;

	all.has_group |= made->has_class && is_unused(resctrl_fd, rdt, id);
	return intel_rdt_remove_at(resctrl_fd, rdt, id, &all, err);
}

int intel_rdt_update_at(int resctrl_fd, const struct spec_intel_rdt *rdt, const char *id,
	struct text *ret_before, struct error *err)
{
	const struct spec_intel_rdt first = {
		.l3_cache_schema = rdt->l3_cache_schema,
		.mem_bw_schema = rdt->mem_bw_schema,
	};
	cleanup_fd int group = find_group(resctrl_fd, rdt, id, err);

	if (group < 0 || file_read_at(group, "schemata", SCHEMATA_MAX, ret_before, err) < 0)
		return -1;
	return write_schemata(resctrl_fd, group, &first, false, err);
}

int intel_rdt_restore_at(int resctrl_fd, const struct spec_intel_rdt *rdt, const char *id,
	const struct text *before, struct error *err)
{
	cleanup_fd int group = find_group(resctrl_fd, rdt, id, err);

	return group < 0 ? -1 : write_lines(resctrl_fd, group, before, err);
}

int intel_rdt_apply(const struct spec_intel_rdt *rdt, const char *id, pid_t pid,
	struct intel_rdt_made *ret_made, struct error *err)
{
	cleanup_fd int resctrl = -1;

	if (!rdt) {
		*ret_made = (struct intel_rdt_made){ 0 };
		return 0;
	}
	resctrl = open_resctrl(err);
	return resctrl < 0 ? error_point(err, "/linux/intelRdt")
			   : intel_rdt_apply_at(resctrl, rdt, id, pid, ret_made, err);
}

int intel_rdt_join(const struct spec_intel_rdt *rdt, const char *id,
	const struct intel_rdt_made *made, pid_t pid, struct error *err)
{
	struct error ignored = { 0 };
	cleanup_fd int resctrl = rdt ? open_resctrl(&ignored) : -1;

	return resctrl < 0 ? 0 : intel_rdt_join_at(resctrl, rdt, id, made, pid, err);
}

int intel_rdt_remove(const struct spec_intel_rdt *rdt, const char *id,
	const struct intel_rdt_made *made, struct error *err)
{
	cleanup_fd int resctrl = -1;

	if (!rdt || (!made->has_group && !made->has_monitoring))
		return 0;
	resctrl = open_resctrl(err);
	return resctrl < 0 ? -1 : intel_rdt_remove_at(resctrl, rdt, id, made, err);
}

int intel_rdt_undo(const struct spec_intel_rdt *rdt, const char *id,
	const struct intel_rdt_made *made, struct error *err)
{
	cleanup_fd int resctrl = -1;

	if (!rdt || (!made->has_group && !made->has_monitoring && !made->has_class))
		return 0;
	resctrl = open_resctrl(err);
	return resctrl < 0 ? -1 : intel_rdt_undo_at(resctrl, rdt, id, made, err);
}

int intel_rdt_update(const struct spec_intel_rdt *rdt, const char *id, struct text *ret_before,
	struct error *err)
{
	cleanup_fd int resctrl = open_resctrl(err);

	return resctrl < 0 ? -1 : intel_rdt_update_at(resctrl, rdt, id, ret_before, err);
}

int intel_rdt_restore(const struct spec_intel_rdt *rdt, const char *id, const struct text *before,
	struct error *err)
{
	cleanup_fd int resctrl = open_resctrl(err);

	return resctrl < 0 ? -1 : intel_rdt_restore_at(resctrl, rdt, id, before, err);
}
