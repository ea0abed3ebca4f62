/* SPDX-License-Identifier: Apache-2.0 */
/* What is done to a running container through its cgroup alone. */
#include "libcontainer/container.h"

#include "base/log.h"
#include "libcontainer/handle.h"
#include "libcontainer/kernel/intel_rdt.h"
#include "libcontainer/kernel/pidfd.h"

/*
 * kill(1) takes no lock, since it must never have to wait. What it has killed
 * just before a v1 freezer came would stay as it is, and not end.
 */
static int freeze(const struct handle *handle, struct error *err)
{
	if (cgroup_freeze(handle->file.cgroup, err) < 0)
		return -1;
	if (!pidfd_is_doomed(handle->file.pid))
		return 0;
	if (cgroup_thaw(handle->file.cgroup, err) < 0)
		return -1;
	return error_set(
		err, ERROR_STATE, "container not running: '%s' has been killed", handle->dir.id);
}

int container_pause(const struct runtime *runtime, const char *id, struct error *err)
{
	cleanup_handle struct handle handle = HANDLE_CLOSED;

	if (handle_lock(&handle, runtime, id, err) < 0 || handle_want_cgroup(&handle, err) < 0)
		return -1;
	if (handle.status != STATE_RUNNING && handle.status != STATE_CREATED)
		return handle.status == STATE_PAUSED
			       ? error_set(err, ERROR_STATE, "container '%s' is paused already", id)
			       : handle_want_running(&handle, err);
	return freeze(&handle, err);
}

int container_resume(const struct runtime *runtime, const char *id, struct error *err)
{
	cleanup_handle struct handle handle = HANDLE_CLOSED;

	if (handle_lock(&handle, runtime, id, err) < 0 || handle_want_cgroup(&handle, err) < 0)
		return -1;
	if (handle.status == STATE_STOPPED || !cgroup_is_frozen(handle.file.cgroup))
		return error_set(err, ERROR_STATE, "container not paused: '%s' is %s", id,
			state_status_word(handle.status));
	return cgroup_thaw(handle.file.cgroup, err);
}

/* RDT says which class; that one takes its new lines all at once, so it comes first. */
static int update_both(struct handle *handle, const struct spec_linux *created,
	const struct container_update *update, struct error *err)
{
	const struct spec_intel_rdt *rdt = created->intel_rdt;
	const struct spec_intel_rdt wanted = {
		.clos_id = rdt->clos_id,
		.l3_cache_schema = update->l3_cache_schema,
		.mem_bw_schema = update->mem_bw_schema,
	};
	cleanup_text struct text before = { 0 };
	struct error failure = { 0 };

	if (intel_rdt_update(&wanted, handle->file.id, &before, err) < 0)
		return -1;
	if (cgroup_update(handle->file.cgroup, update->resources, created->resources, err) == 0)
		return 0;
	if (intel_rdt_restore(&wanted, handle->file.id, &before, &failure) < 0)
		log_warning("the resctrl schemata are not as they were before: %s", failure.text);
	return -1;
}

/* For what changes along with the config that the container was made of. */
static int update_with_spec(
	struct handle *handle, const struct container_update *update, struct error *err)
{
	const bool has_rdt = update->l3_cache_schema || update->mem_bw_schema;
	struct spec_document *document;
	const struct spec *spec;
	int result;

	if (handle_load_spec(handle, &document, &spec, err) < 0)
		return -1;
	if (!has_rdt)
		result = cgroup_update(
			handle->file.cgroup, update->resources, spec->platform.resources, err);
	else if (spec->platform.intel_rdt)
		result = update_both(handle, &spec->platform, update, err);
	else
		result = error_set(err, ERROR_STATE,
			"container '%s' was created without linux.intelRdt: it has no resctrl "
			"class whose schemata could be changed",
			handle->file.id);
	spec_document_free(document);
	return result;
}

int container_update(const struct runtime *runtime, const char *id,
	const struct container_update *update, struct error *err)
{
	cleanup_handle struct handle handle = HANDLE_CLOSED;

	if (handle_lock(&handle, runtime, id, err) < 0 || handle_want_cgroup(&handle, err) < 0)
		return -1;
	if (handle.status == STATE_STOPPED)
		return handle_want_running(&handle, err);
	if (update->l3_cache_schema || update->mem_bw_schema ||
		cgroup_update_rewrites_devices(handle.file.cgroup))
		return update_with_spec(&handle, update, err);
	return cgroup_update(handle.file.cgroup, update->resources, NULL, err);
}

int container_pids(const struct runtime *runtime, const char *id, pid_t **ret_pids,
	size_t *ret_count, struct error *err)
{
	cleanup_handle struct handle handle = HANDLE_CLOSED;

	if (handle_open(&handle, runtime, id, err) < 0 || handle_want_cgroup(&handle, err) < 0)
		return -1;
	return cgroup_pids(handle.file.cgroup, ret_pids, ret_count, err);
}
