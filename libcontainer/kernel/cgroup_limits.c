/* SPDX-License-Identifier: Apache-2.0 */
#include "libcontainer/kernel/cgroup_limits.h"

#include <stdio.h>
#include <string.h>

#include "base/log.h"
#include "base/number.h"
#include "libcontainer/kernel/cgroup_file.h"
#include "libcontainer/kernel/cgroup_place.h"
#include "libcontainer/kernel/cgroup_resources_v1.h"
#include "libcontainer/kernel/cgroup_resources_v2.h"
#include "libcontainer/kernel/cgroup_unified.h"
#include "libcontainer/kernel/cgroup_v2.h"
#include "libspec/json_path.h"

/* Whether a v1 hierarchy has the controller that v2 calls ROW->name. */
static bool is_v1(struct cgroup *cgroup, const struct cgroup_v2_controller *row)
{
	return cgroup_layout_find_v1(cgroup, row->v1_name ?: row->name) != NULL;
}

static int not_mounted(
	const struct cgroup_v2_controller *row, const char *pointer, struct error *err)
{
	error_set(err, ERROR_UNSUPPORTED, "controller '%s' is in no cgroup hierarchy of this host",
		row->v1_name ?: row->name);
	return error_point(err, "%s", pointer);
}

static int plan_one(struct cgroup *cgroup, const struct cgroup_v2_controller *row,
	const struct spec_resources *resources, int dir_fd, struct error *err)
{
	cleanup_batch struct cgroup_batch batch = { 0 };
	char pointer[sizeof(err->pointer)];

	if (is_v1(cgroup, row))
		return 0;
	if (row->collect(resources, dir_fd, &batch, err) < 0)
		return -1;
	if (cgroup_batch_is_empty(&batch))
		return 0;
	snprintf(pointer, sizeof(pointer), "%s%s", resources->pointer, batch.items[0].member);
	if (!cgroup_layout_find_v2(cgroup))
		return not_mounted(row, pointer, err);
	return cgroup_unified_want(row->name, pointer, &cgroup->wants, err);
}

static int plan_unified(
	struct cgroup *cgroup, const struct spec_resources *resources, struct error *err)
{
	const struct spec_map *unified = &resources->unified;
	char object[sizeof(err->pointer)], pointer[sizeof(err->pointer)];

	if (unified->count && !cgroup_layout_find_v2(cgroup)) {
		error_set(err, ERROR_UNSUPPORTED, "this host has no cgroup v2 hierarchy");
		return error_point(err, "%s/unified", resources->pointer);
	}
	snprintf(object, sizeof(object), "%s/unified", resources->pointer);
	for (size_t i = 0; i < unified->count; i++) {
		json_path_join(object, unified->items[i].key, pointer, sizeof(pointer));
		if (cgroup_unified_want(unified->items[i].key, pointer, &cgroup->wants, err) < 0)
			return -1;
	}
	return 0;
}

/* DIR_FD is the v2 group if it is in use. */
static int plan(struct cgroup *cgroup, const struct spec_resources *resources, int dir_fd,
	struct error *err)
{
	const struct cgroup_v2_controller *row = cgroup_resources_v2_controllers;

	cgroup->wants.count = 0;
	for (; row->name; row++)
		if (plan_one(cgroup, row, resources, dir_fd, err) < 0)
			return -1;
	return plan_unified(cgroup, resources, err);
}

bool cgroup_limits_are_any(const struct spec_resources *resources)
{
	return resources &&
	       (resources->memory || resources->cpu || resources->block_io || resources->network ||
		       resources->pids_limit.is_set || resources->n_hugepage_limits ||
		       resources->n_rdma || resources->unified.count);
}

int cgroup_limits_plan(
	struct cgroup *cgroup, const struct spec_resources *resources, struct error *err)
{
	if (!resources)
		return 0;
	cgroup->has_cpus = resources->cpu && resources->cpu->cpus;
	cgroup->has_mems = resources->cpu && resources->cpu->mems;
	return plan(cgroup, resources, -1, err);
}

/* Since Linux 5.16 the file takes any value and does nothing with it. */
static void warn_of_kernel_memory(
	struct cgroup_place *place, const struct spec_resources *resources)
{
	const struct spec_memory *memory = resources->memory;
	char value[CGROUP_VALUE_MAX];
	struct error ignored = { 0 };
	int64_t limit;

	if (!memory || !memory->kernel.is_set || memory->kernel.value <= 0)
		return;
	if (cgroup_file_read(place->dir_fd, "memory.kmem.limit_in_bytes", value, &ignored) == 0 &&
		number_parse_i64(value, &limit) == 0 && limit > memory->kernel.value)
		log_warning("%s/memory/kernel: this kernel does not limit kernel memory",
			resources->pointer);
}

static int write_v1(struct cgroup *cgroup, const struct cgroup_v1_controller *row,
	const struct spec_resources *resources, struct cgroup_journal *journal, struct error *err)
{
	cleanup_batch struct cgroup_batch batch = { .journal = journal };
	struct cgroup_place *place = cgroup_layout_find_v1(cgroup, row->name);

	if (!place)
		return 0;
	row->collect(resources, &batch);
	if (cgroup_batch_is_empty(&batch))
		return 0;
	if (cgroup_batch_write(&batch, place, resources->pointer, err) < 0)
		return error_wrap(err, "controller '%s'", row->name);
	if (strcmp(row->name, "memory") == 0)
		warn_of_kernel_memory(place, resources);
	return 0;
}

static int write_v2(struct cgroup *cgroup, const struct cgroup_v2_controller *row,
	const struct spec_resources *resources, struct cgroup_journal *journal, struct error *err)
{
	cleanup_batch struct cgroup_batch batch = { .journal = journal };
	struct cgroup_place *place = cgroup_layout_find_v2(cgroup);
	int dir_fd = place ? cgroup_place_open(place, err) : -1;

	if (!place || is_v1(cgroup, row))
		return 0;
	if (dir_fd < 0 || row->collect(resources, journal ? dir_fd : -1, &batch, err) < 0)
		return -1;
	if (cgroup_batch_is_empty(&batch))
		return 0;
	if (cgroup_batch_write(&batch, place, resources->pointer, err) < 0)
		return error_wrap(err, "controller '%s'", row->name);
	return 0;
}

/* Memory alone, or all but memory: whichever hierarchy it is in, it comes last. */
static int write_controllers(struct cgroup *cgroup, const struct spec_resources *resources,
	bool is_memory, struct cgroup_journal *journal, struct error *err)
{
	const struct cgroup_v1_controller *v1 = cgroup_resources_v1_controllers;
	const struct cgroup_v2_controller *v2 = cgroup_resources_v2_controllers;

	for (; v1->name; v1++)
		if ((strcmp(v1->name, "memory") == 0) == is_memory &&
			write_v1(cgroup, v1, resources, journal, err) < 0)
			return -1;
	for (; v2->name; v2++)
		if ((strcmp(v2->name, "memory") == 0) == is_memory &&
			write_v2(cgroup, v2, resources, journal, err) < 0)
			return -1;
	return 0;
}

static int write_unified(struct cgroup *cgroup, const struct spec_resources *resources,
	struct cgroup_journal *journal, struct error *err)
{
	cleanup_batch struct cgroup_batch batch = { .journal = journal };
	struct cgroup_place *place = cgroup_layout_find_v2(cgroup);

	if (cgroup_unified_collect(resources, &batch, err) < 0)
		return -1;
	if (cgroup_batch_is_empty(&batch))
		return 0;
	return cgroup_batch_write(&batch, place, resources->pointer, err);
}

static int write_all(struct cgroup *cgroup, const struct spec_resources *resources,
	struct cgroup_journal *journal, struct error *err)
{
	if (write_controllers(cgroup, resources, false, journal, err) < 0 ||
		write_controllers(cgroup, resources, true, journal, err) < 0)
		return -1;
	return write_unified(cgroup, resources, journal, err);
}

int64_t cgroup_limits_first_tasks(const struct cgroup *cgroup)
{
	return 1 + (cgroup->unit != NULL) + cgroup->has_stage;
}

bool cgroup_limits_is_late(const struct cgroup *cgroup, const struct spec_resources *resources)
{
	return resources->pids_limit.is_set && resources->pids_limit.value >= 0 &&
	       resources->pids_limit.value < cgroup_limits_first_tasks(cgroup);
}

int cgroup_limits_write(
	struct cgroup *cgroup, const struct spec_resources *resources, struct error *err)
{
	struct spec_resources first;

	if (!resources)
		return 0;
	first = *resources;
	if (cgroup_limits_is_late(cgroup, resources))
		first.pids_limit.value = cgroup_limits_first_tasks(cgroup);
	return write_all(cgroup, &first, NULL, err);
}

int cgroup_limits_update(struct cgroup *cgroup, const struct spec_resources *resources,
	struct cgroup_journal *journal, struct error *err)
{
	struct cgroup_place *v2 = cgroup_layout_find_v2(cgroup);
	int dir_fd = v2 ? cgroup_place_open(v2, err) : -1;

	if (v2 && dir_fd < 0)
		return -1;
	if (plan(cgroup, resources, dir_fd, err) < 0)
		return -1;
	if (v2 && cgroup->wants.count && cgroup_v2_enable(v2, &cgroup->wants, err) < 0)
		return -1;
	return write_all(cgroup, resources, journal, err);
}
