/* SPDX-License-Identifier: Apache-2.0 */
#include "libcontainer/kernel/cgroup_unit_properties.h"

#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/file.h"
#include "base/log.h"
#include "base/number.h"
#include "libcontainer/kernel/cgroup_device_rules.h"
#include "libcontainer/kernel/cgroup_resources_v2.h"
#include "libcontainer/kernel/gvariant_text.h"

#define ANNOTATION_PREFIX "org.systemd.property."

/* The highest CPU or node that a list may name: CONFIG_NR_CPUS goes to 8192. */
#define LIST_MAX 8192

#define PROC_DEVICES_MAX 65536

/* VALUE is taken over. */
static int add(
	json_t *list, const char *name, const char *signature, json_t *value, struct error *err)
{
	json_t *property = json_pack("[s, s, o]", name, signature, value);

	if (!property || json_array_append_new(list, property) < 0)
		return error_set(err, ERROR_SYSTEM, "collect unit properties: out of memory");
	return 0;
}

const struct cgroup_unit_now cgroup_unit_now_at_first = { .period = 100000 };

int cgroup_unit_properties_basic(const char *id, const char *slice, json_t *list, struct error *err)
{
	static const char *const flags[] = { "Delegate", "MemoryAccounting", "CPUAccounting",
		"IOAccounting", "TasksAccounting" };
	char description[300];

	snprintf(description, sizeof(description), "kogg container %.250s", id);
	if (add(list, "Description", "s", json_string(description), err) < 0 ||
		add(list, "Slice", "s", json_string(slice), err) < 0 ||
		add(list, "DefaultDependencies", "b", json_false(), err) < 0)
		return -1;
	for (size_t i = 0; i < array_size(flags); i++)
		if (add(list, flags[i], "b", json_true(), err) < 0)
			return -1;
	/* Otherwise DefaultTasksMax would hold. A limit that is given comes later, and wins. */
	return add(list, "TasksMax", "t", json_integer(-1), err);
}

/* A number where 0 is unset and a negative one, as (uint64_t)-1, is no limit. */
static int add_limit(json_t *list, const char *name, struct spec_i64 limit, struct error *err)
{
	if (!limit.is_set || !limit.value)
		return 0;
	return add(list, name, "t", json_integer(limit.value < 0 ? -1 : limit.value), err);
}

/* As cgroup_resources_v2 has it: swap alone, and none limited where memory is not. */
static int add_swap(
	const struct spec_memory *memory, int64_t limit_now, json_t *list, struct error *err)
{
	int64_t limit = memory->limit.value ?: limit_now;
	int64_t swap = memory->swap.value ?: memory->limit.value < 0 ? -1 : 0;

	if (swap < 0)
		return add(list, "MemorySwapMax", "t", json_integer(-1), err);
	if (!swap || !limit || limit > swap)
		return 0;
	return add(list, "MemorySwapMax", "t", json_integer(limit < 0 ? swap : swap - limit), err);
}

static int add_memory(const struct spec_memory *memory, bool is_v2,
	const struct cgroup_unit_now *now, json_t *list, struct error *err)
{
	if (!is_v2)
		return add_limit(list, "MemoryLimit", memory->limit, err);
	if (add_limit(list, "MemoryMax", memory->limit, err) < 0 ||
		add_limit(list, "MemoryLow", memory->reservation, err) < 0)
		return -1;
	return add_swap(memory, now->memory_limit, list, err);
}

#define USEC_PER_SEC 1000000ULL

/* systemd has quotas in whole percents of a CPU. */
#define QUOTA_STEP 10000ULL

static int add_quota(const struct spec_cpu *cpu, const struct cgroup_unit_now *now, json_t *list,
	struct error *err)
{
	uint64_t period = now->period, per_second;
	int64_t quota = cpu->quota.value;

	if (cpu->period.is_set && cpu->period.value) {
		period = cpu->period.value;
		quota = quota ?: now->quota;
		if (add(list, "CPUQuotaPeriodUSec", "t", json_integer((json_int_t)period), err) < 0)
			return -1;
	}
	if (quota < 0)
		return add(list, "CPUQuotaPerSecUSec", "t", json_integer(-1), err);
	if (!quota || !period || (uint64_t)quota > UINT64_MAX / USEC_PER_SEC)
		return 0;
	per_second = (uint64_t)quota * USEC_PER_SEC / period;
	per_second += (QUOTA_STEP - per_second % QUOTA_STEP) % QUOTA_STEP;
	return add(list, "CPUQuotaPerSecUSec", "t", json_integer((json_int_t)per_second), err);
}

/* "0-3,7" as bits, from the lowest byte on. Lists that it can't read are the kernel's to refuse. */
static json_t *parse_mask(const char *list)
{
	unsigned char mask[LIST_MAX / 8] = { 0 };
	size_t size = 0;
	json_t *bytes;
	char *end;

	while (*list) {
		unsigned long first = strtoul(list, &end, 10), last = first;

		if (end == list)
			return NULL;
		if (*end == '-')
			last = strtoul(end + 1, &end, 10);
		if (first > last || last >= LIST_MAX || (*end && *end != ','))
			return NULL;
		for (; first <= last; first++)
			mask[first / 8] = (unsigned char)(mask[first / 8] | 1U << first % 8);
		size = last / 8 + 1 > size ? last / 8 + 1 : size;
		list = end + (*end == ',');
	}
	bytes = json_array();
	for (size_t i = 0; i < size; i++)
		json_array_append_new(bytes, json_integer(mask[i]));
	return bytes;
}

static int add_mask(json_t *list, const char *name, const char *text, struct error *err)
{
	json_t *mask = text ? parse_mask(text) : NULL;

	return mask ? add(list, name, "ay", mask, err) : 0;
}

/* systemd 252 has idling as a weight; a group that idles no more has one again. */
static int add_idle(bool is_idle, uint64_t weight, json_t *list, struct error *err)
{
	if (!is_idle && !weight)
		return 0;
	return add(list, "CPUWeight", "t", json_integer(is_idle ? 0 : (json_int_t)weight), err);
}

static int add_weight(
	const struct spec_cpu *cpu, uint64_t weight_now, json_t *list, struct error *err)
{
	uint64_t weight = cpu->idle.is_set ? weight_now : 0;

	if (cpu->shares.value)
		weight = cgroup_resources_v2_cpu_weight(cpu->shares.value);
	return add_idle(cpu->idle.is_set && cpu->idle.value, weight, list, err);
}

/* Others than these the kernel brings into their range, and systemd refuses. */
#define SHARES_MIN 2
#define SHARES_MAX 262144

static int add_shares(const struct spec_cpu *cpu, json_t *list, struct error *err)
{
	uint64_t shares = cpu->shares.value;

	if (!shares)
		return 0;
	if (shares < SHARES_MIN)
		shares = SHARES_MIN;
	if (shares > SHARES_MAX)
		shares = SHARES_MAX;
	return add(list, "CPUShares", "t", json_integer((json_int_t)shares), err);
}

static int add_cpu(const struct spec_cpu *cpu, bool is_v2, const struct cgroup_unit_now *now,
	json_t *list, struct error *err)
{
	if (is_v2 ? add_weight(cpu, now->weight, list, err) < 0 : add_shares(cpu, list, err) < 0)
		return -1;
	if (add_quota(cpu, now, list, err) < 0)
		return -1;
	if (!is_v2)
		return 0;
	if (add_mask(list, "AllowedCPUs", cpu->cpus, err) < 0)
		return -1;
	return add_mask(list, "AllowedMemoryNodes", cpu->mems, err);
}

/* The files of v2 that hold one number or "max", and that systemd writes anew. */
static const struct {
	const char *file, *property;
} unified_properties[] = {
	{ "cpu.weight", "CPUWeight" },
	{ "memory.high", "MemoryHigh" },
	{ "memory.low", "MemoryLow" },
	{ "memory.max", "MemoryMax" },
	{ "memory.min", "MemoryMin" },
	{ "memory.swap.max", "MemorySwapMax" },
	{ "pids.max", "TasksMax" },
};

/* memparse() in the kernel's lib/cmdline.c: a number as in C, and then one letter of "KMGTPE". */
static int parse_size(const char *text, uint64_t *ret_size)
{
	static const char letters[] = "kmgtpe";
	const char *letter;
	char *end;
	unsigned long long number;
	unsigned shift = 0;

	/* strtoull(3) takes blanks and signs, too. */
	if (!isdigit((unsigned char)text[0]))
		return -1;
	errno = 0;
	number = strtoull(text, &end, 0);
	letter = *end ? strchr(letters, tolower((unsigned char)*end)) : NULL;
	if (letter) {
		shift = 10 * (unsigned)(letter - letters + 1);
		end++;
	}
	if (errno || *end || number > (unsigned long long)INT64_MAX >> shift)
		return -1;
	*ret_size = number << shift;
	return 0;
}

/* What is no number is the kernel's to judge. */
static int add_number(json_t *list, const char *name, const char *text, struct error *err)
{
	const bool is_size = strncmp(name, "Memory", strlen("Memory")) == 0;
	uint64_t number = UINT64_MAX;

	if (strcmp(text, "max") != 0 && (is_size ? parse_size(text, &number)
						 : number_parse_u64(text, INT64_MAX, &number)) < 0)
		return 0;
	/* Not even systemd takes 0 there; the file gets it afterwards. */
	if (strcmp(name, "TasksMax") == 0 && number == 0)
		number = 1;
	return add(list, name, "t", json_integer((json_int_t)number), err);
}

/* "QUOTA PERIOD", where either may be missing and QUOTA may be "max". */
static int add_cpu_max(
	const char *text, const struct cgroup_unit_now *now, json_t *list, struct error *err)
{
	struct spec_cpu cpu = { .quota = { .is_set = true, .value = -1 } };
	long long quota;
	int used = 0;

	if (strncmp(text, "max", 3) == 0)
		used = 3;
	else if (sscanf(text, "%lld%n", &quota, &used) == 1)
		cpu.quota.value = quota;
	if (text[used] == ' ' &&
		number_parse_u64(text + used + 1, UINT64_MAX, &cpu.period.value) == 0)
		cpu.period.is_set = true;
	return used ? add_quota(&cpu, now, list, err) : 0;
}

static int add_unified(const struct spec_pair *file, const struct cgroup_unit_now *now,
	json_t *list, struct error *err)
{
	for (size_t i = 0; i < array_size(unified_properties); i++)
		if (strcmp(file->key, unified_properties[i].file) == 0)
			return add_number(list, unified_properties[i].property, file->value, err);
	if (strcmp(file->key, "cpu.max") == 0)
		return add_cpu_max(file->value, now, list, err);
	if (strcmp(file->key, "cpu.idle") == 0)
		return add_idle(strcmp(file->value, "0") != 0, now->weight, list, err);
	if (strcmp(file->key, "cpuset.cpus") == 0)
		return add_mask(list, "AllowedCPUs", file->value, err);
	if (strcmp(file->key, "cpuset.mems") == 0)
		return add_mask(list, "AllowedMemoryNodes", file->value, err);
	return 0;
}

int cgroup_unit_properties_limits(const struct spec_resources *resources, bool is_v2,
	const struct cgroup_unit_now *now, json_t *list, struct error *err)
{
	const struct spec_block_io *io = resources->block_io;
	int64_t tasks = resources->pids_limit.value;

	if (resources->memory && add_memory(resources->memory, is_v2, now, list, err) < 0)
		return -1;
	if (resources->cpu && add_cpu(resources->cpu, is_v2, now, list, err) < 0)
		return -1;
	/* Not even systemd takes 0 here; the file gets it afterwards. */
	if (resources->pids_limit.is_set && add(list, "TasksMax", "t",
						    json_integer(tasks < 0 ? -1
								 : tasks   ? tasks
									   : 1),
						    err) < 0)
		return -1;
	if (!is_v2)
		return 0;
	if (io && io->weight.is_set && io->weight.value &&
		add(list, "IOWeight", "t",
			json_integer(cgroup_resources_v2_io_weight(io->weight.value)), err) < 0)
		return -1;
	for (size_t i = 0; i < resources->unified.count; i++)
		if (add_unified(&resources->unified.items[i], now, list, err) < 0)
			return -1;
	return 0;
}

/* The name that /proc/devices has for MAJOR in the section of TYPE ('b' or 'c'). */
static bool find_driver(char type, int64_t major, char ret_name[static 64])
{
	cleanup_text struct text devices = { 0 };
	struct error ignored = { 0 };
	bool is_block = false;

	if (file_read_at(AT_FDCWD, "/proc/devices", PROC_DEVICES_MAX, &devices, &ignored) < 0)
		return false;
	for (const char *line = devices.data ?: ""; *line; line += *line == '\n') {
		long number;

		if (strncmp(line, "Block", 5) == 0)
			is_block = true;
		else if (sscanf(line, "%ld %63s", &number, ret_name) == 2 && number == major &&
			 is_block == (type == 'b'))
			return true;
		line += strcspn(line, "\n");
	}
	return false;
}

/* As systemd names devices: by number, or by driver and "*" (systemd.resource-control(5)). */
static bool name_device(const struct cgroup_device_rule *rule, char *ret_name, size_t size)
{
	const char *type = rule->type == 'b' ? "block" : "char";
	char driver[64] = "*";

	if (rule->major != CGROUP_DEVICE_ANY && rule->minor != CGROUP_DEVICE_ANY) {
		snprintf(ret_name, size, "/dev/%s/%lld:%lld", type, (long long)rule->major,
			(long long)rule->minor);
		return true;
	}
	if (rule->minor != CGROUP_DEVICE_ANY ||
		(rule->major != CGROUP_DEVICE_ANY && !find_driver(rule->type, rule->major, driver)))
		return false;
	snprintf(ret_name, size, "%s-%s", type, driver);
	return true;
}

static json_t *list_devices(const struct cgroup_device_rules *rules, bool *ret_is_whole)
{
	json_t *list = json_array();

	*ret_is_whole = true;
	for (size_t i = 0; i < rules->count; i++) {
		const struct cgroup_device_rule *rule = &rules->items[i];
		char name[128], access[4];

		snprintf(access, sizeof(access), "%s%s%s",
			(rule->access & SPEC_DEVICE_READ) ? "r" : "",
			(rule->access & SPEC_DEVICE_WRITE) ? "w" : "",
			(rule->access & SPEC_DEVICE_MKNOD) ? "m" : "");
		if (name_device(rule, name, sizeof(name)))
			json_array_append_new(list, json_pack("[s, s]", name, access));
		else
			*ret_is_whole = false;
	}
	return list;
}

/*
 * Of v2's two programs each can deny: ours holds whatever systemd's allows, so
 * that rules which systemd has no words for are left to it. On v1 there is one
 * list, which systemd writes anew when it reloads.
 */
int cgroup_unit_properties_devices(
	const struct spec_resources *resources, bool is_v2, json_t *list, struct error *err)
{
	cleanup_device_rules struct cgroup_device_rules rules = { 0 };
	struct error failure = { 0 };
	json_t *devices;
	bool is_whole;

	if (cgroup_device_rules_collect(resources, &rules, err) < 0)
		return -1;
	if (cgroup_device_rules_flatten(&rules, &failure) < 0) {
		if (is_v2)
			return add(list, "DevicePolicy", "s", json_string("auto"), err);
		*err = failure;
		return -1;
	}
	devices = rules.is_allowed_first ? NULL : list_devices(&rules, &is_whole);
	if (devices && !is_whole && !is_v2)
		log_warning("systemd has no words for some device rules and will deny these "
			    "devices when it reloads");
	if (!devices || (!is_whole && is_v2)) {
		json_decref(devices);
		return add(list, "DevicePolicy", "s", json_string("auto"), err);
	}
	if (add(list, "DevicePolicy", "s", json_string("strict"), err) < 0) {
		json_decref(devices);
		return -1;
	}
	return add(list, "DeviceAllow", "a(ss)", devices, err);
}

/*
 * Times are properties in microseconds, and people write them in seconds:
 * TimeoutStopSec=5 is TimeoutStopUSec=5000000.
 */
static int add_seconds(json_t *list, const char *name, json_t *value, struct error *err)
{
	double seconds = json_number_value(value);
	char other[128];

	json_decref(value);
	if (seconds < 0 || seconds > 1e12)
		return error_set(err, ERROR_SPEC, "no number of seconds");
	snprintf(other, sizeof(other), "%.*sUSec", (int)strlen(name) - 3, name);
	return add(list, other, "t", json_integer((json_int_t)(seconds * 1e6)), err);
}

static int add_annotation(const char *name, const char *text, json_t *list, struct error *err)
{
	char signature[GVARIANT_SIGNATURE_SIZE];
	size_t length = strlen(name);
	json_t *value;

	if (!length || length > 100 ||
		name[strspn(name, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ")])
		return error_set(err, ERROR_SPEC, "'%.100s' is not the name of a property", name);
	if (gvariant_text_parse(text, signature, &value, err) < 0)
		return -1;
	if (length > 3 && strcmp(name + length - 3, "Sec") == 0 && name[length - 4] != 'U' &&
		json_is_number(value))
		return add_seconds(list, name, value, err);
	return add(list, name, signature, value, err);
}

int cgroup_unit_properties_annotations(
	const struct spec_map *annotations, json_t *list, struct error *err)
{
	for (size_t i = 0; annotations && i < annotations->count; i++) {
		const struct spec_pair *pair = &annotations->items[i];
		size_t prefix = strlen(ANNOTATION_PREFIX);

		if (strncmp(pair->key, ANNOTATION_PREFIX, prefix) != 0)
			continue;
		if (add_annotation(pair->key + prefix, pair->value, list, err) == 0)
			continue;
		error_wrap(err, "annotation '%.150s'", pair->key);
		return error_point(err, "/annotations/%s", pair->key);
	}
	return 0;
}
