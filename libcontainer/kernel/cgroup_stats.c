/* SPDX-License-Identifier: Apache-2.0 */
#include "libcontainer/kernel/cgroup_stats.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/file.h"
#include "base/number.h"
#include "base/text.h"
#include "libcontainer/kernel/cgroup_file.h"
#include "libcontainer/kernel/cgroup_layout.h"
#include "libcontainer/kernel/cgroup_place.h"

/* io.stat has a line a device, cpuacct.usage_all one a CPU. */
#define COUNTERS_MAX (4U << 20)

/* A number in a file: all of it, or the one behind KEY. */
struct counter {
	const char *controller;
	const char *file;
	const char *key;    /* NULL: the file is one number */
	const char *member; /* "cpu.usage.total" */
	unsigned scale;     /* to nanoseconds and bytes */
};

static const struct counter v1_counters[] = {
	{ "cpuacct", "cpuacct.usage", NULL, "cpu.usage.total", 1 },
	{ "cpuacct", "cpuacct.usage_user", NULL, "cpu.usage.user", 1 },
	{ "cpuacct", "cpuacct.usage_sys", NULL, "cpu.usage.kernel", 1 },
	{ "cpu", "cpu.stat", "nr_periods", "cpu.throttling.periods", 1 },
	{ "cpu", "cpu.stat", "nr_throttled", "cpu.throttling.throttledPeriods", 1 },
	{ "cpu", "cpu.stat", "throttled_time", "cpu.throttling.throttledTime", 1 },
	{ "cpuset", "cpuset.cpu_exclusive", NULL, "cpuset.cpu_exclusive", 1 },
	{ "cpuset", "cpuset.mem_hardwall", NULL, "cpuset.mem_hardwall", 1 },
	{ "cpuset", "cpuset.mem_exclusive", NULL, "cpuset.mem_exclusive", 1 },
	{ "cpuset", "cpuset.memory_migrate", NULL, "cpuset.memory_migrate", 1 },
	{ "cpuset", "cpuset.memory_spread_page", NULL, "cpuset.memory_spread_page", 1 },
	{ "cpuset", "cpuset.memory_spread_slab", NULL, "cpuset.memory_spread_slab", 1 },
	{ "cpuset", "cpuset.memory_pressure", NULL, "cpuset.memory_pressure", 1 },
	{ "cpuset", "cpuset.sched_load_balance", NULL, "cpuset.sched_load_balance", 1 },
	{ "cpuset", "cpuset.sched_relax_domain_level", NULL, "cpuset.sched_relax_domain_level", 1 },
	{ "memory", "memory.stat", "cache", "memory.cache", 1 },
	{ "memory", "memory.usage_in_bytes", NULL, "memory.usage.usage", 1 },
	{ "memory", "memory.limit_in_bytes", NULL, "memory.usage.limit", 1 },
	{ "memory", "memory.max_usage_in_bytes", NULL, "memory.usage.max", 1 },
	{ "memory", "memory.failcnt", NULL, "memory.usage.failcnt", 1 },
	{ "memory", "memory.memsw.usage_in_bytes", NULL, "memory.swap.usage", 1 },
	{ "memory", "memory.memsw.limit_in_bytes", NULL, "memory.swap.limit", 1 },
	{ "memory", "memory.memsw.max_usage_in_bytes", NULL, "memory.swap.max", 1 },
	{ "memory", "memory.memsw.failcnt", NULL, "memory.swap.failcnt", 1 },
	{ "memory", "memory.kmem.usage_in_bytes", NULL, "memory.kernel.usage", 1 },
	{ "memory", "memory.kmem.limit_in_bytes", NULL, "memory.kernel.limit", 1 },
	{ "memory", "memory.kmem.max_usage_in_bytes", NULL, "memory.kernel.max", 1 },
	{ "memory", "memory.kmem.failcnt", NULL, "memory.kernel.failcnt", 1 },
	{ "memory", "memory.kmem.tcp.usage_in_bytes", NULL, "memory.kernelTCP.usage", 1 },
	{ "memory", "memory.kmem.tcp.limit_in_bytes", NULL, "memory.kernelTCP.limit", 1 },
	{ "memory", "memory.kmem.tcp.max_usage_in_bytes", NULL, "memory.kernelTCP.max", 1 },
	{ "memory", "memory.kmem.tcp.failcnt", NULL, "memory.kernelTCP.failcnt", 1 },
	{ "pids", "pids.current", NULL, "pids.current", 1 },
	{ "pids", "pids.max", NULL, "pids.limit", 1 },
};

static const struct counter v2_counters[] = {
	{ "cpu", "cpu.stat", "usage_usec", "cpu.usage.total", 1000 },
	{ "cpu", "cpu.stat", "user_usec", "cpu.usage.user", 1000 },
	{ "cpu", "cpu.stat", "system_usec", "cpu.usage.kernel", 1000 },
	{ "cpu", "cpu.stat", "nr_periods", "cpu.throttling.periods", 1 },
	{ "cpu", "cpu.stat", "nr_throttled", "cpu.throttling.throttledPeriods", 1 },
	{ "cpu", "cpu.stat", "throttled_usec", "cpu.throttling.throttledTime", 1000 },
	{ "memory", "memory.stat", "file", "memory.cache", 1 },
	{ "memory", "memory.current", NULL, "memory.usage.usage", 1 },
	{ "memory", "memory.max", NULL, "memory.usage.limit", 1 },
	{ "memory", "memory.peak", NULL, "memory.usage.max", 1 },
	{ "memory", "memory.events", "max", "memory.usage.failcnt", 1 },
	{ "memory", "memory.swap.current", NULL, "memory.swap.usage", 1 },
	{ "memory", "memory.swap.max", NULL, "memory.swap.limit", 1 },
	{ "memory", "memory.swap.peak", NULL, "memory.swap.max", 1 },
	{ "memory", "memory.swap.events", "max", "memory.swap.failcnt", 1 },
	{ "memory", "memory.stat", "kernel", "memory.kernel.usage", 1 },
	{ "memory", "memory.stat", "sock", "memory.kernelTCP.usage", 1 },
	{ "pids", "pids.current", NULL, "pids.current", 1 },
	{ "pids", "pids.max", NULL, "pids.limit", 1 },
};

/* The members that are there even where nothing counts them. */
static json_t *make_frame(void)
{
	return json_pack("{s:{s:{s:i,s:i,s:i}, s:{}}, s:{}, s:{s:{s:i,s:i}, s:{s:i,s:i}, "
			 "s:{s:i,s:i}, s:{s:i,s:i}}, s:{}, s:{}, s:{}, s:{}, s:n}",
		"cpu", "usage", "total", 0, "kernel", 0, "user", 0, "throttling", "cpuset",
		"memory", "usage", "limit", 0, "failcnt", 0, "swap", "limit", 0, "failcnt", 0,
		"kernel", "limit", 0, "failcnt", 0, "kernelTCP", "limit", 0, "failcnt", 0, "pids",
		"blkio", "hugetlb", "intel_rdt", "network_interfaces");
}

/* Puts VALUE, which is taken over, at MEMBER, making objects on the way. */
static void put(json_t *stats, const char *member, json_t *value)
{
	size_t length = strcspn(member, ".");
	char name[64];
	json_t *object;

	if (!member[length]) {
		json_object_set_new(stats, member, value);
		return;
	}
	snprintf(name, sizeof(name), "%.*s", (int)length, member);
	object = json_object_get(stats, name);
	if (!object) {
		object = json_object();
		json_object_set_new(stats, name, object);
	}
	put(object, member + length + 1, value);
}

/* "max", and what only unsigned numbers hold, is no limit. */
static json_int_t parse_number(const char *text, unsigned scale)
{
	uint64_t number = strtoull(text, NULL, 10);

	if (text[0] == '-')
		return strtoll(text, NULL, 10);
	if (strncmp(text, "max", 3) == 0 || number > INT64_MAX / scale)
		return INT64_MAX;
	return (json_int_t)number * (json_int_t)scale;
}

/* Readers of runc's events take no limit of tasks as 0 or, as it writes that, no member. */
static bool is_absent_limit(const struct counter *counter, const char *text)
{
	return strcmp(counter->file, "pids.max") == 0 && strncmp(text, "max", 3) == 0;
}

/* The text behind "KEY " at the start of a line, or NULL. */
static const char *find_key(const char *text, const char *key)
{
	size_t length = strlen(key);

	for (; text && *text; text += *text == '\n') {
		if (strncmp(text, key, length) == 0 && text[length] == ' ')
			return text + length + 1;
		text += strcspn(text, "\n");
	}
	return NULL;
}

/* The file's text, "" where there is none: many depend on the kernel's build and boot. */
static int read_counters(int dir_fd, const char *file, struct text *ret_text, struct error *err)
{
	struct error failure = { 0 };

	text_release(ret_text);
	*ret_text = (struct text){ 0 };
	text_append(ret_text, "");
	if (file_read_at(dir_fd, file, COUNTERS_MAX, ret_text, &failure) == 0)
		return 0;
	if (failure.sys_errno == ENOENT || failure.sys_errno == EOPNOTSUPP)
		return 0;
	*err = failure;
	return -1;
}

static struct cgroup_place *place_of(struct cgroup *cgroup, const char *controller, bool is_v2)
{
	struct cgroup_place *v1 = cgroup_layout_find_v1(cgroup, controller);

	if (is_v2)
		return v1 ? NULL : cgroup_layout_find_v2(cgroup);
	return v1;
}

static int add_counters(struct cgroup *cgroup, const struct counter *counters, size_t count,
	bool is_v2, json_t *stats, struct error *err)
{
	cleanup_text struct text text = { 0 };
	const char *last = "";

	for (size_t i = 0; i < count; i++) {
		const struct counter *counter = &counters[i];
		struct cgroup_place *place = place_of(cgroup, counter->controller, is_v2);
		const char *number;
		int dir_fd;

		if (!place)
			continue;
		dir_fd = cgroup_place_open(place, err);
		/* Rows of one file stand together. */
		if (dir_fd < 0 || (strcmp(last, counter->file) != 0 &&
					  read_counters(dir_fd, counter->file, &text, err) < 0))
			return -1;
		last = counter->file;
		number = counter->key ? find_key(text.data, counter->key) : text.data;
		if (number && number[0] && !is_absent_limit(counter, number))
			put(stats, counter->member,
				json_integer(parse_number(number, counter->scale)));
	}
	return 0;
}

static void copy_lines(const char *text, json_t *ret_object)
{
	char key[64];
	uint64_t number;
	int used;

	for (; sscanf(text, "%63s %" SCNu64 "%n", key, &number, &used) == 2; text += used)
		json_object_set_new(ret_object, key,
			json_integer(number > INT64_MAX ? INT64_MAX : (json_int_t)number));
}

/* "0-2,7" as numbers. */
static json_t *parse_list(const char *text)
{
	json_t *list = json_array();
	unsigned first, last;
	int used;

	while (sscanf(text, "%u%n", &first, &used) == 1) {
		text += used;
		last = first;
		if (sscanf(text, "-%u%n", &last, &used) == 1)
			text += used;
		for (; first <= last && first <= UINT16_MAX; first++)
			json_array_append_new(list, json_integer(first));
		text += *text == ',';
	}
	return list;
}

static json_t *parse_numbers(const char *text, unsigned column, unsigned columns)
{
	json_t *list = json_array();
	uint64_t number;
	unsigned i = 0;
	int used;

	for (; sscanf(text, "%" SCNu64 "%n", &number, &used) == 1; text += used)
		if (i++ % columns == column)
			json_array_append_new(list, json_integer((json_int_t)number));
	return list;
}

/* A file whose form is its own. */
struct special {
	const char *controller;
	const char *file;
	bool is_v2;
	void (*add)(const char *text, json_t *stats);
};

static void add_memory_stat(const char *text, json_t *stats)
{
	json_t *raw = json_object();

	copy_lines(text, raw);
	put(stats, "memory.raw", raw);
}

static void add_cpus(const char *text, json_t *stats)
{
	put(stats, "cpuset.cpus", parse_list(text));
}

static void add_mems(const char *text, json_t *stats)
{
	put(stats, "cpuset.mems", parse_list(text));
}

static void add_percpu(const char *text, json_t *stats)
{
	put(stats, "cpu.usage.percpu", parse_numbers(text, 0, 1));
}

/* "cpu user system", then a line of three numbers a CPU */
static void add_percpu_kinds(const char *text, json_t *stats)
{
	text += strcspn(text, "\n");
	put(stats, "cpu.usage.percpu_user", parse_numbers(text, 1, 3));
	put(stats, "cpu.usage.percpu_kernel", parse_numbers(text, 2, 3));
}

/* "some avg10=0.00 avg60=0.00 avg300=0.00 total=0", and the same for full */
static void add_pressure(const char *text, const char *member, json_t *stats)
{
	double avg10, avg60, avg300;
	char kind[8], path[64];
	uint64_t total;
	int used;

	for (; sscanf(text, "%7s avg10=%lf avg60=%lf avg300=%lf total=%" SCNu64 "%n", kind, &avg10,
		       &avg60, &avg300, &total, &used) == 5;
		text += used) {
		snprintf(path, sizeof(path), "%s.psi.%s", member, kind);
		put(stats, path,
			json_pack("{s:f, s:f, s:f, s:I}", "avg10", avg10, "avg60", avg60, "avg300",
				avg300, "total", (json_int_t)total));
	}
}

static void add_cpu_pressure(const char *text, json_t *stats)
{
	add_pressure(text, "cpu", stats);
}

static void add_memory_pressure(const char *text, json_t *stats)
{
	add_pressure(text, "memory", stats);
}

static void add_io_pressure(const char *text, json_t *stats)
{
	add_pressure(text, "blkio", stats);
}

struct device {
	unsigned major, minor;
};

static void add_device(
	json_t *stats, const char *member, struct device device, const char *op, uint64_t value)
{
	json_t *blkio = json_object_get(stats, "blkio");
	json_t *list = json_object_get(blkio, member);

	if (!list) {
		list = json_array();
		json_object_set_new(blkio, member, list);
	}
	json_array_append_new(
		list, json_pack("{s:I, s:I, s:s, s:I}", "major", (json_int_t)device.major, "minor",
			      (json_int_t)device.minor, "op", op, "value", (json_int_t)value));
}

static const struct {
	const char *key, *op, *member;
} io_words[] = {
	{ "rbytes", "Read", "ioServiceBytesRecursive" },
	{ "wbytes", "Write", "ioServiceBytesRecursive" },
	{ "dbytes", "Discard", "ioServiceBytesRecursive" },
	{ "rios", "Read", "ioServicedRecursive" },
	{ "wios", "Write", "ioServicedRecursive" },
	{ "dios", "Discard", "ioServicedRecursive" },
};

/* One "key=value" of io.stat. */
static void add_io_word(json_t *stats, struct device device, const char *word)
{
	size_t length = strcspn(word, "=");

	for (size_t i = 0; i < array_size(io_words); i++)
		if (strlen(io_words[i].key) == length && memcmp(io_words[i].key, word, length) == 0)
			add_device(stats, io_words[i].member, device, io_words[i].op,
				strtoull(word + length + 1, NULL, 10));
}

/* "8:0 rbytes=1 wbytes=2 ..." */
static void add_io_stat(const char *text, json_t *stats)
{
	for (; text && *text; text += *text == '\n') {
		struct device device;
		int used = 0;

		if (sscanf(text, "%u:%u%n", &device.major, &device.minor, &used) == 2)
			for (const char *word = text + used; *word == ' ';
				word += strcspn(word, " \n"))
				add_io_word(stats, device, ++word);
		text += strcspn(text, "\n");
	}
}

/* "8:0 Read 1", and a last line "Total 1" */
static void add_blkio(const char *text, const char *member, json_t *stats)
{
	struct device device;
	uint64_t value;
	char op[16];
	int used;

	for (; sscanf(text, "%u:%u %15s %" SCNu64 "%n", &device.major, &device.minor, op, &value,
		       &used) == 4;
		text += used)
		add_device(stats, member, device, op, value);
}

static void add_blkio_bytes(const char *text, json_t *stats)
{
	add_blkio(text, "ioServiceBytesRecursive", stats);
}

static void add_blkio_operations(const char *text, json_t *stats)
{
	add_blkio(text, "ioServicedRecursive", stats);
}

static const struct special specials[] = {
	{ "memory", "memory.stat", false, add_memory_stat },
	{ "memory", "memory.stat", true, add_memory_stat },
	{ "memory", "memory.pressure", true, add_memory_pressure },
	{ "cpu", "cpu.pressure", true, add_cpu_pressure },
	{ "blkio", "io.pressure", true, add_io_pressure },
	{ "blkio", "io.stat", true, add_io_stat },
	{ "blkio", "blkio.throttle.io_service_bytes_recursive", false, add_blkio_bytes },
	{ "blkio", "blkio.throttle.io_serviced_recursive", false, add_blkio_operations },
	{ "cpuacct", "cpuacct.usage_percpu", false, add_percpu },
	{ "cpuacct", "cpuacct.usage_all", false, add_percpu_kinds },
	{ "cpuset", "cpuset.cpus", false, add_cpus },
	{ "cpuset", "cpuset.mems", false, add_mems },
	{ "cpuset", "cpuset.cpus.effective", true, add_cpus },
	{ "cpuset", "cpuset.mems.effective", true, add_mems },
};

static int add_specials(struct cgroup *cgroup, json_t *stats, struct error *err)
{
	cleanup_text struct text text = { 0 };

	for (size_t i = 0; i < array_size(specials); i++) {
		const struct special *special = &specials[i];
		/* Pressure is counted in a v2 group beside v1 controllers as well. */
		bool is_pressure = strstr(special->file, ".pressure") != NULL;
		struct cgroup_place *place =
			is_pressure ? cgroup_layout_find_v2(cgroup)
				    : place_of(cgroup, special->controller, special->is_v2);
		int dir_fd = place ? cgroup_place_open(place, err) : -1;

		if (!place)
			continue;
		if (dir_fd < 0 || read_counters(dir_fd, special->file, &text, err) < 0)
			return -1;
		if (text.data && text.data[0])
			special->add(text.data, stats);
	}
	return 0;
}

/* v2 counts swap alone; the form has memory and swap together, as v1 counts. */
static void add_memory_to_swap(json_t *stats)
{
	json_t *memory = json_object_get(stats, "memory");
	json_t *usage = json_object_get(memory, "usage"), *swap = json_object_get(memory, "swap");
	static const char *const members[] = { "usage", "limit" };

	if (!json_object_get(swap, "usage"))
		return;
	for (size_t i = 0; i < array_size(members); i++) {
		json_int_t sum, left = json_integer_value(json_object_get(swap, members[i]));
		json_int_t right = json_integer_value(json_object_get(usage, members[i]));

		if (__builtin_add_overflow(left, right, &sum))
			sum = INT64_MAX;
		json_object_set_new(swap, members[i], json_integer(sum));
	}
}

/* The kernel's name for a size of huge pages: KIB of "hugepages-2048kB". */
static void format_page_size(unsigned long kib, char *ret_text, size_t size)
{
	if (kib >= 1024UL * 1024)
		snprintf(ret_text, size, "%luGB", kib / 1024 / 1024);
	else if (kib >= 1024)
		snprintf(ret_text, size, "%luMB", kib / 1024);
	else
		snprintf(ret_text, size, "%luKB", kib);
}

static int add_page_size(
	struct cgroup_place *place, const char *page_size, json_t *hugetlb, struct error *err)
{
	static const struct {
		const char *v1, *v2, *key, *member;
	} files[] = {
		{ "usage_in_bytes", "current", NULL, "usage" },
		{ "max_usage_in_bytes", NULL, NULL, "max" },
		{ "failcnt", "events", "max", "failcnt" },
	};
	cleanup_text struct text text = { 0 };
	json_t *counters = json_object();
	char file[96];

	json_object_set_new(hugetlb, page_size, counters);
	for (size_t i = 0; i < array_size(files); i++) {
		const char *suffix = place->is_v2 ? files[i].v2 : files[i].v1;
		const char *number;

		if (!suffix)
			continue;
		snprintf(file, sizeof(file), "hugetlb.%s.%s", page_size, suffix);
		if (read_counters(place->dir_fd, file, &text, err) < 0)
			return -1;
		number = place->is_v2 && files[i].key ? find_key(text.data, files[i].key)
						      : text.data;
		if (number && number[0])
			json_object_set_new(
				counters, files[i].member, json_integer(parse_number(number, 1)));
	}
	return 0;
}

static int add_hugetlb(struct cgroup *cgroup, json_t *stats, struct error *err)
{
	struct cgroup_place *place =
		cgroup_layout_find_v1(cgroup, "hugetlb") ?: cgroup_layout_find_v2(cgroup);
	cleanup_dir DIR *sizes = opendir("/sys/kernel/mm/hugepages");
	const struct dirent *entry;

	if (!place || !sizes)
		return 0;
	if (cgroup_place_open(place, err) < 0)
		return -1;
	while (errno = 0, (entry = readdir(sizes))) {
		char page_size[32], file[96];
		unsigned long kib;

		if (sscanf(entry->d_name, "hugepages-%lukB", &kib) != 1)
			continue;
		format_page_size(kib, page_size, sizeof(page_size));
		snprintf(file, sizeof(file), "hugetlb.%s.%s", page_size,
			place->is_v2 ? "current" : "usage_in_bytes");
		if (cgroup_file_exists(place->dir_fd, file) &&
			add_page_size(place, page_size, json_object_get(stats, "hugetlb"), err) < 0)
			return -1;
	}
	return errno ? error_set_call(err, "read", "/sys/kernel/mm/hugepages") : 0;
}

static int add_all(struct cgroup *cgroup, json_t *stats, struct error *err)
{
	if (add_counters(cgroup, v1_counters, array_size(v1_counters), false, stats, err) < 0 ||
		add_counters(cgroup, v2_counters, array_size(v2_counters), true, stats, err) < 0 ||
		add_specials(cgroup, stats, err) < 0 || add_hugetlb(cgroup, stats, err) < 0)
		return -1;
	if (!cgroup_layout_find_v1(cgroup, "memory"))
		add_memory_to_swap(stats);
	return 0;
}

int cgroup_stats(struct cgroup *cgroup, json_t **ret_stats, struct error *err)
{
	json_t *stats = make_frame();

	if (!stats) {
		errno = ENOMEM;
		return error_set_errno(err, "collect statistics");
	}
	if (add_all(cgroup, stats, err) < 0) {
		json_decref(stats);
		return -1;
	}
	*ret_stats = stats;
	return 0;
}
