/* SPDX-License-Identifier: Apache-2.0 */
#include "libcontainer/kernel/cgroup.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/arena.h"
#include "base/attributes.h"
#include "base/cleanup.h"
#include "base/log.h"
#include "libcontainer/kernel/cgroup_devices.h"
#include "libcontainer/kernel/cgroup_entry.h"
#include "libcontainer/kernel/cgroup_file.h"
#include "libcontainer/kernel/cgroup_layout.h"
#include "libcontainer/kernel/cgroup_limits.h"
#include "libcontainer/kernel/cgroup_place.h"
#include "libcontainer/kernel/cgroup_systemd.h"
#include "libcontainer/kernel/cgroup_tree.h"
#include "libcontainer/kernel/cgroup_unit_files.h"
#include "libcontainer/kernel/cgroup_v1.h"
#include "libcontainer/kernel/cgroup_v2.h"
#include "libcontainer/kernel/path_in_root.h"

/* How long processes may take to end before a group can't be removed. */
#define REMOVE_TIMEOUT_MS 10000

/* How long a container stands still for systemd's sake. */
#define FROZEN_TIMEOUT_MS 4000

static const struct cgroup_ops *ops_of(const struct cgroup_place *place)
{
	return place->is_v2 ? &cgroup_v2_ops : &cgroup_v1_ops;
}

/* The place that can stop processes, or NULL. */
static struct cgroup_place *find_freezer(struct cgroup *cgroup)
{
	return cgroup_layout_find_v1(cgroup, "freezer") ?: cgroup_layout_find_v2(cgroup);
}

bool cgroup_has_group(const struct cgroup *cgroup)
{
	return cgroup && cgroup->n_places;
}

static int plan_groups(
	struct cgroup *cgroup, const struct cgroup_request *request, struct error *err)
{
	const char *path = request->path && request->path[0] ? request->path : request->id;

	const struct cgroup_systemd_request unit = { request->path, request->id,
		request->annotations, request->resources };

	if (cgroup_layout_detect(cgroup, err) < 0)
		return -1;
	cgroup->has_stage = request->has_stage;
	cgroup->is_optional = !request->path && !cgroup_limits_are_any(request->resources) &&
			      cgroup_layout_is_rootless();
	if (request->driver == CGROUP_DRIVER_SYSTEMD) {
		if (cgroup_systemd_plan(cgroup, &unit, err) < 0)
			return -1;
	} else if (cgroup_layout_place(cgroup, path, err) < 0) {
		return -1;
	}
	return cgroup_limits_plan(cgroup, request->resources, err);
}

/* What cgroup_hierarchies() shows. */
static int make_view(struct cgroup *cgroup, struct error *err)
{
	cgroup->view = arena_alloc(&cgroup->arena, cgroup->n_places + 1, sizeof(*cgroup->view));
	if (!cgroup->view) {
		errno = ENOMEM;
		return error_set_errno(err, "plan the container's cgroup");
	}
	for (size_t i = 0; i < cgroup->n_places; i++) {
		const struct cgroup_place *place = &cgroup->places[i];

		cgroup->view[i] = (struct cgroup_hierarchy){ place->name, place->mount, place->path,
			place->is_v2 };
	}
	return 0;
}

int cgroup_plan(const struct cgroup_request *request, struct cgroup **ret_cgroup, struct error *err)
{
	struct cgroup *cgroup = cgroup_layout_new(err);

	if (!cgroup)
		return -1;
	if ((request->driver != CGROUP_DRIVER_DISABLED && plan_groups(cgroup, request, err) < 0) ||
		make_view(cgroup, err) < 0) {
		cgroup_layout_free(cgroup);
		return -1;
	}
	*ret_cgroup = cgroup;
	return 0;
}

static bool is_frozen(struct cgroup_place *place)
{
	struct error ignored = { 0 };
	int dir_fd = cgroup_place_open(place, &ignored);

	return dir_fd >= 0 && ops_of(place)->is_frozen(dir_fd);
}

/* Nothing born in the new group would ever run: the nearest group that is there is looked at. */
static int check_running(struct cgroup *cgroup, struct cgroup_place *place, struct error *err)
{
	cleanup_fd int dir_fd = -1;
	char path[CGROUP_FULL_PATH_MAX];

	if (place != find_freezer(cgroup) && !place->is_v2)
		return 0;
	cgroup_place_full_path(place, place->made, path);
	dir_fd = open(path, O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (dir_fd >= 0 && ops_of(place)->is_frozen(dir_fd))
		return error_set(err, ERROR_STATE, "cgroup '%s' is frozen", path);
	return 0;
}

/* A group that is there already must be of no use to anybody. */
static int check_unused(struct cgroup_place *place, struct error *err)
{
	cleanup_pids struct cgroup_pids pids = { 0 };
	char listed[512];
	int dir_fd = cgroup_place_open(place, err);

	if (dir_fd < 0 || cgroup_tree_pids(dir_fd, &pids, err) < 0)
		return -1;
	if (pids.count) {
		cgroup_tree_describe(&pids, listed, sizeof(listed));
		return error_set(err, ERROR_STATE, "cgroup '%s%s' holds processes already: %s",
			place->mount, place->path, listed);
	}
	return 0;
}

/* Removes what cgroup_make() has made in the first COUNT places. */
static void unmake(struct cgroup *cgroup, size_t count)
{
	char path[CGROUP_FULL_PATH_MAX];

	for (size_t i = 0; i < count; i++) {
		struct cgroup_place *place = &cgroup->places[i];

		if (!place->is_new)
			continue;
		cgroup_place_full_path(place, 0, path);
		rmdir(path);
		cgroup_place_remove_parents(place);
	}
}

static int make_one(struct cgroup *cgroup, struct cgroup_place *place, struct error *err)
{
	if (cgroup_place_make(place, err) < 0)
		return -1;
	if (!place->is_new && check_unused(place, err) < 0)
		return -1;
	return ops_of(place)->prepare(cgroup, place, err);
}

/* systemd makes the group in v2 and its own hierarchy, and leaves some of v1's to us. */
static int make_around_unit(struct cgroup *cgroup, struct cgroup_place *place, struct error *err)
{
	if (cgroup_place_exists(place)) {
		place->made = 1;
		place->is_new = true;
	} else if (cgroup_place_make(place, err) < 0) {
		return -1;
	}
	return ops_of(place)->prepare(cgroup, place, err);
}

static int make_unit(struct cgroup *cgroup, struct error *err)
{
	struct error ignored = { 0 };
	size_t i = 0;

	if (cgroup_systemd_start(cgroup, err) < 0)
		return -1;
	while (i < cgroup->n_places && make_around_unit(cgroup, &cgroup->places[i], err) == 0)
		i++;
	if (i == cgroup->n_places)
		return 0;
	cgroup_systemd_release(cgroup);
	if (cgroup_systemd_stop(cgroup, &ignored) < 0)
		log_warning("%s", ignored.text);
	unmake(cgroup, i);
	return -1;
}

/*
 * Where nothing is delegated to the user, the container stays in the caller's
 * groups, as with the driver "disabled". What needs one later says so.
 */
static int do_without(struct cgroup *cgroup, struct error *err)
{
	bool is_denied =
		err->sys_errno == EACCES || err->sys_errno == EPERM || err->sys_errno == EROFS;

	if (!cgroup->is_optional || !is_denied)
		return -1;
	log_debug("the container gets no cgroup: %s", err->text);
	*err = (struct error){ 0 };
	cgroup->n_places = 0;
	return 0;
}

int cgroup_check(struct cgroup *cgroup, struct error *err)
{
	for (size_t i = 0; i < cgroup->n_places; i++) {
		struct cgroup_place *place = &cgroup->places[i];

		if (!place->made && check_unused(place, err) < 0)
			return -1;
		if (check_running(cgroup, place, err) < 0)
			return -1;
	}
	return 0;
}

int cgroup_make(struct cgroup *cgroup, struct error *err)
{
	if (cgroup->unit)
		return make_unit(cgroup, err);
	for (size_t i = 0; i < cgroup->n_places; i++)
		if (make_one(cgroup, &cgroup->places[i], err) < 0) {
			unmake(cgroup, i + 1);
			return do_without(cgroup, err);
		}
	return 0;
}

int cgroup_limit(struct cgroup *cgroup, const struct spec_resources *resources, struct error *err)
{
	if (cgroup_devices_apply(cgroup, resources, err) < 0)
		return -1;
	return cgroup_limits_write(cgroup, resources, err);
}

static bool is_pure_v2(const struct cgroup *cgroup)
{
	return cgroup->n_places == 1 && cgroup->places[0].is_v2;
}

bool cgroup_can_limit_later(const struct cgroup *cgroup)
{
	return is_pure_v2(cgroup);
}

int cgroup_limit_late(
	struct cgroup *cgroup, const struct spec_resources *resources, struct error *err)
{
	struct spec_resources late = { 0 };

	cgroup_systemd_release(cgroup);
	if (!resources || !cgroup_limits_is_late(cgroup, resources))
		return 0;
	late.pointer = resources->pointer;
	late.pids_limit = resources->pids_limit;
	return cgroup_update(cgroup, &late, resources, err);
}

bool cgroup_update_rewrites_devices(struct cgroup *cgroup)
{
	return cgroup->unit && cgroup_layout_find_v1(cgroup, "devices");
}

/*
 * v1 has one list of device rules for both. systemd empties it and fills in
 * those that it has words for; where the container has made groups, nobody can.
 */
static int restore_devices(
	struct cgroup *cgroup, const struct spec_resources *created, struct error *err)
{
	struct error failure = { 0 };

	if (cgroup_devices_apply(cgroup, created, &failure) == 0 || failure.sys_errno == EINVAL)
		return 0;
	*err = failure;
	return error_wrap(err, "restore the device rules after systemd");
}

/* systemd writes these files and others anew: what they hold now is to have the last word. */
static int tell_unit(struct cgroup *cgroup, json_t *properties,
	const struct cgroup_journal *journal, const struct cgroup_systemd_delay *delay,
	struct error *err)
{
	if (cgroup_systemd_update(cgroup, properties, delay, err) < 0)
		return -1;
	if (cgroup_journal_redo(journal, err) == 0)
		return 0;
	return error_wrap(
		err, "systemd unit '%s' has its new limits, but not the cgroup", cgroup->unit);
}

/* A failure after another is its hint. */
static int add_failure(const struct error *failure, struct error *err)
{
	if (err->kind != ERROR_NONE)
		return error_hint(err, "and %s", failure->text);
	*err = *failure;
	return -1;
}

/* An engine that loses patience kills its runtime, and the container would be left as it is. */
static void thaw_early(void *context)
{
	struct error failure = { 0 };

	log_warning("the container may be denied its devices for a moment: systemd takes more than "
		    "%d s",
		FROZEN_TIMEOUT_MS / 1000);
	if (cgroup_thaw(context, &failure) < 0)
		log_warning("%s", failure.text);
}

/*
 * While its rules are missing, the container stands still, for it would be
 * denied all devices. One that was paused before stays so.
 */
static int tell_frozen_unit(struct cgroup *cgroup, json_t *properties,
	const struct spec_resources *created, const struct cgroup_journal *journal,
	struct error *err)
{
	const struct cgroup_systemd_delay delay = { FROZEN_TIMEOUT_MS, thaw_early, cgroup };
	struct error failure = { 0 };
	bool is_ours = !cgroup_is_frozen(cgroup);
	int result;

	if (is_ours && cgroup_freeze(cgroup, &failure) < 0) {
		log_warning(
			"the container may be denied its devices for a moment: %s", failure.text);
		is_ours = false;
	}
	result = tell_unit(cgroup, properties, journal, is_ours ? &delay : NULL, err);
	failure = (struct error){ 0 };
	if (restore_devices(cgroup, created, &failure) < 0)
		result = add_failure(&failure, err);
	failure = (struct error){ 0 };
	if (is_ours && cgroup_thaw(cgroup, &failure) < 0)
		result = add_failure(&failure, err);
	return result;
}

/*
 * Somebody who gives up meanwhile would leave behind a container that stands
 * still, or has no devices: signals that end or stop us wait until it is over.
 */
static int tell_v1_unit(struct cgroup *cgroup, json_t *properties,
	const struct spec_resources *created, const struct cgroup_journal *journal,
	struct error *err)
{
	static const int waiting[] = { SIGINT, SIGTERM, SIGHUP, SIGQUIT, SIGTSTP };
	sigset_t wanted, before;
	int result;

	sigemptyset(&wanted);
	for (size_t i = 0; i < array_size(waiting); i++)
		sigaddset(&wanted, waiting[i]);
	sigprocmask(SIG_BLOCK, &wanted, &before);
	result = tell_frozen_unit(cgroup, properties, created, journal, err);
	sigprocmask(SIG_SETMASK, &before, NULL);
	return result;
}

static int update_unit(struct cgroup *cgroup, const struct spec_resources *resources,
	const struct spec_resources *created, struct cgroup_journal *journal, struct error *err)
{
	json_t *properties;
	int result = 0;

	if (cgroup_systemd_collect(cgroup, resources, &properties, err) < 0)
		return -1;
	if (json_array_size(properties) > 0) {
		result = cgroup_unit_files_keep(cgroup, journal, err);
		if (result == 0)
			result = cgroup_update_rewrites_devices(cgroup)
					 ? tell_v1_unit(cgroup, properties, created, journal, err)
					 : tell_unit(cgroup, properties, journal, NULL, err);
	}
	json_decref(properties);
	return result;
}

int cgroup_update(struct cgroup *cgroup, const struct spec_resources *resources,
	const struct spec_resources *created, struct error *err)
{
	cleanup_journal struct cgroup_journal journal = { 0 };

	if (cgroup_limits_update(cgroup, resources, &journal, err) == 0 &&
		(!cgroup->unit || update_unit(cgroup, resources, created, &journal, err) == 0))
		return 0;
	cgroup_journal_undo(&journal);
	return -1;
}

int cgroup_prepare_entry(struct cgroup *cgroup, struct error *err)
{
	for (size_t i = 0; i < cgroup->n_places; i++)
		if (ops_of(&cgroup->places[i])->open_entry(&cgroup->places[i], err) < 0)
			return -1;
	return 0;
}

int cgroup_birth_fd(const struct cgroup *cgroup)
{
	const struct cgroup_place *place = &cgroup->places[0];

	if (!cgroup->n_places || !place->is_v2)
		return -1;
	return place->entry_fd >= 0 ? place->entry_fd : place->dir_fd;
}

int cgroup_enter(const struct cgroup *cgroup, struct error *err)
{
	for (size_t i = 0; i < cgroup->n_places; i++)
		if (ops_of(&cgroup->places[i])->enter(&cgroup->places[i], err) < 0)
			return -1;
	return 0;
}

static int explain_add(const struct cgroup_place *place, struct error *err)
{
	if (err->sys_errno == EACCES || err->sys_errno == EPERM)
		error_hint(err, "moving a process takes write access to cgroup.procs of the "
				"nearest common ancestor of its old and its new cgroup");
	else if (err->sys_errno == EBUSY)
		error_hint(err, "controllers are enabled for groups below, so processes can only "
				"be in those");
	return error_wrap(
		err, "move into cgroup '%s%s%s'", place->mount, place->path, place->entry);
}

static int add_to(
	const struct cgroup *cgroup, struct cgroup_place *place, pid_t pid, struct error *err)
{
	char file[CGROUP_PATH_MAX + sizeof("/cgroup.procs")], number[24];
	int dir_fd = cgroup_place_open(place, err);

	if (dir_fd < 0)
		return -1;
	snprintf(file, sizeof(file), "%s/cgroup.procs", place->entry);
	snprintf(number, sizeof(number), "%d", (int)pid);
	if (cgroup_file_write(dir_fd, file + 1, number, err) == 0)
		return 0;
	if (cgroup->unit && place->is_v2 && (err->sys_errno == EACCES || err->sys_errno == EPERM) &&
		cgroup_systemd_attach(cgroup, place->entry, pid, &(struct error){ 0 }) == 0) {
		*err = (struct error){ 0 };
		return 0;
	}
	return explain_add(place, err);
}

int cgroup_add(struct cgroup *cgroup, pid_t pid, struct error *err)
{
	for (size_t i = 0; i < cgroup->n_places; i++)
		if (add_to(cgroup, &cgroup->places[i], pid, err) < 0)
			return -1;
	return 0;
}

int cgroup_choose_entry(struct cgroup *cgroup, const char *word, struct error *err)
{
	return cgroup_entry_choose(cgroup, word, err);
}

int cgroup_follow(struct cgroup *cgroup, pid_t pid, struct error *err)
{
	return cgroup_entry_follow(cgroup, pid, err);
}

int cgroup_delegate(struct cgroup *cgroup, uid_t uid, gid_t gid, struct error *err)
{
	return is_pure_v2(cgroup) ? cgroup_v2_delegate(&cgroup->places[0], uid, gid, err) : 0;
}

json_t *cgroup_save(const struct cgroup *cgroup)
{
	return cgroup_layout_save(cgroup);
}

int cgroup_load(const json_t *saved, struct cgroup **ret_cgroup, struct error *err)
{
	struct cgroup *cgroup = cgroup_layout_new(err);

	if (!cgroup)
		return -1;
	if (cgroup_layout_load(saved, cgroup, err) < 0 || make_view(cgroup, err) < 0) {
		cgroup_layout_free(cgroup);
		return -1;
	}
	*ret_cgroup = cgroup;
	return 0;
}

int cgroup_pids(struct cgroup *cgroup, pid_t **ret_pids, size_t *ret_count, struct error *err)
{
	struct cgroup_place *place = cgroup_layout_main(cgroup);
	cleanup_pids struct cgroup_pids pids = { 0 };

	/* A group that is gone has no processes. */
	if (place && cgroup_place_exists(place)) {
		int dir_fd = cgroup_place_open(place, err);

		if (dir_fd < 0 || cgroup_tree_pids(dir_fd, &pids, err) < 0)
			return -1;
	}
	*ret_pids = pids.items;
	*ret_count = pids.count;
	pids.items = NULL;
	return 0;
}

void cgroup_describe_pids(struct cgroup *cgroup, char *ret_text, size_t size)
{
	struct error ignored = { 0 };
	struct cgroup_pids pids = { 0 };

	ret_text[0] = '\0';
	if (cgroup_pids(cgroup, &pids.items, &pids.count, &ignored) < 0)
		return;
	cgroup_tree_describe(&pids, ret_text, size);
	cgroup_pids_release(&pids);
}

static int no_freezer(struct error *err)
{
	return error_set(err, ERROR_UNSUPPORTED,
		"the container has no cgroup in which its processes can be stopped");
}

int cgroup_freeze(struct cgroup *cgroup, struct error *err)
{
	struct cgroup_place *place = find_freezer(cgroup);
	cleanup_pids struct cgroup_pids pids = { 0 };
	struct error ignored = { 0 };
	char listed[200] = "";

	if (!place)
		return no_freezer(err);
	if (ops_of(place)->set_frozen(place, true, err) == 0)
		return 0;
	/* Half frozen is worse than running. */
	if (place->dir_fd >= 0 && cgroup_tree_pids(place->dir_fd, &pids, &ignored) == 0)
		cgroup_tree_describe(&pids, listed, sizeof(listed));
	ignored = (struct error){ 0 };
	if (place->dir_fd >= 0 && ops_of(place)->set_frozen(place, false, &ignored) < 0)
		error_hint(err, "and it can't be resumed: %.200s", ignored.text);
	return listed[0] ? error_hint(err, "processes and states: %s", listed) : -1;
}

int cgroup_thaw(struct cgroup *cgroup, struct error *err)
{
	struct cgroup_place *place = find_freezer(cgroup);

	return place ? ops_of(place)->set_frozen(place, false, err) : no_freezer(err);
}

bool cgroup_is_frozen(struct cgroup *cgroup)
{
	struct cgroup_place *place = find_freezer(cgroup);

	return place && is_frozen(place);
}

bool cgroup_holds(struct cgroup *cgroup, struct cgroup *other)
{
	const struct cgroup_place *place = cgroup_layout_main(cgroup);
	const struct cgroup_place *inner = cgroup_layout_main(other);
	const char *rest;

	return place && inner && !strcmp(place->mount, inner->mount) &&
	       path_is_below(inner->path, place->path, &rest);
}

int cgroup_signal(struct cgroup *cgroup, int signal, struct error *err)
{
	struct cgroup_place *place = cgroup_layout_main(cgroup);
	int dir_fd;

	if (!place || !cgroup_place_exists(place))
		return 0;
	dir_fd = cgroup_place_open(place, err);
	return dir_fd < 0 ? -1 : cgroup_tree_signal(dir_fd, signal, err);
}

int cgroup_kill(struct cgroup *cgroup, struct error *err)
{
	struct cgroup_place *place = cgroup_layout_main(cgroup);
	struct cgroup_place *freezer = find_freezer(cgroup);

	if (!place || !cgroup_place_exists(place))
		return 0;
	if (ops_of(place)->kill(place, err) < 0)
		return -1;
	/* v1's frozen processes take no signal, not even this one, until they are thawed. */
	if (freezer && freezer != place && is_frozen(freezer))
		return ops_of(freezer)->set_frozen(freezer, false, err);
	return 0;
}

static void close_place(struct cgroup_place *place)
{
	close_at(&place->dir_fd);
	close_at(&place->entry_fd);
	place->dir_fd = place->entry_fd = -1;
}

static int remove_one(struct cgroup_place *place, int64_t deadline_ms, struct error *err)
{
	char path[CGROUP_FULL_PATH_MAX];

	/* One that was there before the container stays. */
	if (!place->made)
		return 0;
	close_place(place);
	cgroup_place_full_path(place, 0, path);
	if (cgroup_tree_remove(path, deadline_ms, err) < 0)
		return -1;
	cgroup_place_remove_parents(place);
	return 0;
}

int cgroup_remove(struct cgroup *cgroup, struct error *err)
{
	int64_t deadline = cgroup_tree_now_ms() + REMOVE_TIMEOUT_MS;
	int result = 0;

	cgroup_systemd_release(cgroup);
	/* One that can't be removed does not keep the others. */
	for (size_t i = 0; i < cgroup->n_places; i++)
		if (remove_one(&cgroup->places[i], deadline, err) < 0)
			result = -1;
	if (cgroup->unit && result == 0)
		return cgroup_systemd_stop(cgroup, err);
	return result;
}

const struct cgroup_hierarchy *cgroup_hierarchies(const struct cgroup *cgroup, size_t *ret_count)
{
	*ret_count = cgroup->n_places;
	return cgroup->view;
}

void cgroup_free(struct cgroup *cgroup)
{
	if (cgroup)
		cgroup_systemd_release(cgroup);
	cgroup_layout_free(cgroup);
}
