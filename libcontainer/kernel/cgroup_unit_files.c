/* SPDX-License-Identifier: Apache-2.0 */
#include "libcontainer/kernel/cgroup_unit_files.h"

#include <string.h>

#include "base/number.h"
#include "libcontainer/kernel/cgroup_file.h"
#include "libcontainer/kernel/cgroup_place.h"

/*
 * Of devices systemd writes only what it was told, which kogg does not. The
 * weight comes after what makes it void, and the quota after its period.
 */
static const struct {
	const char *v1; /* the controller; NULL: of v2 */
	const char *file;
} files[] = {
	{ "cpu", "cpu.shares" },
	{ "cpu", "cpu.cfs_period_us" },
	{ "cpu", "cpu.cfs_quota_us" },
	{ "memory", "memory.limit_in_bytes" },
	{ "pids", "pids.max" },
	{ "blkio", "blkio.weight" },
	{ "blkio", "blkio.bfq.weight" },
	{ NULL, "cpu.idle" },
	{ NULL, "cpu.weight" },
	{ NULL, "cpu.max" },
	{ NULL, "memory.min" },
	{ NULL, "memory.low" },
	{ NULL, "memory.high" },
	{ NULL, "memory.max" },
	{ NULL, "memory.swap.max" },
	{ NULL, "memory.zswap.max" },
	{ NULL, "memory.zswap.writeback" },
	{ NULL, "memory.oom.group" },
	{ NULL, "pids.max" },
	{ NULL, "cpuset.cpus" },
	{ NULL, "cpuset.mems" },
	{ NULL, "io.bfq.weight" },
	{ NULL, "io.weight" },
};

bool cgroup_unit_files_are_v2(struct cgroup *cgroup)
{
	return !cgroup_layout_find_v1(cgroup, "memory") && cgroup_layout_find_v2(cgroup);
}

/* The group with CONTROLLER, wherever it is; -1 without. */
static int open_group(struct cgroup *cgroup, const char *controller)
{
	struct cgroup_place *place =
		cgroup_layout_find_v1(cgroup, controller) ?: cgroup_layout_find_v2(cgroup);
	struct error ignored = { 0 };

	return place ? cgroup_place_open(place, &ignored) : -1;
}

static bool read_text(int dir_fd, const char *file, char ret_value[static CGROUP_VALUE_MAX])
{
	struct error ignored = { 0 };

	return dir_fd >= 0 && cgroup_file_read(dir_fd, file, ret_value, &ignored) == 0;
}

/* The first LENGTH bytes of TEXT, where "max" is -1; 0 for what is no number. */
static int64_t parse(char *text, size_t length)
{
	int64_t number = 0;

	text[length] = '\0';
	if (strcmp(text, "max") == 0)
		return -1;
	return number_parse_i64(text, &number) == 0 ? number : 0;
}

static int64_t read_number(int dir_fd, const char *file)
{
	char value[CGROUP_VALUE_MAX];

	return read_text(dir_fd, file, value) ? parse(value, strlen(value)) : 0;
}

/* v2 has "QUOTA PERIOD" in one file. */
static void read_quota(int dir_fd, struct cgroup_unit_now *now)
{
	char value[CGROUP_VALUE_MAX];
	int64_t period = 0;

	if (read_text(dir_fd, "cpu.max", value)) {
		const size_t length = strcspn(value, " ");
		char *rest = value + length + (value[length] == ' ');

		period = parse(rest, strlen(rest));
		now->quota = parse(value, length);
	} else {
		period = read_number(dir_fd, "cpu.cfs_period_us");
		now->quota = read_number(dir_fd, "cpu.cfs_quota_us");
	}
	if (period > 0)
		now->period = (uint64_t)period;
}

void cgroup_unit_files_read(struct cgroup *cgroup, struct cgroup_unit_now *ret_now)
{
	int cpu_fd = open_group(cgroup, "cpu");
	int64_t weight = read_number(cpu_fd, "cpu.weight");

	*ret_now = cgroup_unit_now_at_first;
	read_quota(cpu_fd, ret_now);
	ret_now->weight = weight > 0 ? (uint64_t)weight : 0;
	ret_now->memory_limit = read_number(open_group(cgroup, "memory"), "memory.max");
}

/* A group that idles has a weight that can't be written. */
static bool is_void(int dir_fd, const char *file)
{
	return (strcmp(file, "cpu.weight") == 0 || strcmp(file, "cpu.shares") == 0) &&
	       read_number(dir_fd, "cpu.idle") > 0;
}

int cgroup_unit_files_keep(struct cgroup *cgroup, struct cgroup_journal *journal, struct error *err)
{
	for (size_t i = 0; i < array_size(files); i++) {
		struct cgroup_place *place = files[i].v1
						     ? cgroup_layout_find_v1(cgroup, files[i].v1)
						     : cgroup_layout_find_v2(cgroup);
		int dir_fd = place ? cgroup_place_open(place, err) : -1;

		if (!place)
			continue;
		if (dir_fd < 0)
			return -1;
		if (!is_void(dir_fd, files[i].file) &&
			cgroup_journal_keep(journal, dir_fd, files[i].file, err) < 0)
			return -1;
	}
	return 0;
}
