/* SPDX-License-Identifier: Apache-2.0 */
#include "libcontainer/state_file.h"

#include <errno.h>
#include <fcntl.h>
#include <jansson.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/file.h"
#include "libspec/json_dump.h"
#include "libspec/json_load.h"

#define STATE_FILE_NAME "state.json"

static json_t *annotations_to_json(const struct spec_map *annotations)
{
	json_t *object = json_object();

	for (size_t i = 0; object && annotations && i < annotations->count; i++)
		if (json_object_set_new(object, annotations->items[i].key,
			    json_string(annotations->items[i].value)) < 0) {
			json_decref(object);
			return NULL;
		}
	return object;
}

static json_t *to_json(const struct state_file *state)
{
	json_t *annotations = annotations_to_json(state->annotations);
	json_t *cgroup = state->cgroup ? cgroup_save(state->cgroup) : json_null();

	if (!annotations || !cgroup) {
		json_decref(annotations);
		json_decref(cgroup);
		return NULL;
	}
	/* "o" steals both references, also when it fails. */
	return json_pack(
		"{s:i s:s s:s s:s s:s s:i s:I s:b s:I s:b s:b s:b s:b s:{s:b s:b} s:b s:o s:o}",
		"format", STATE_FILE_FORMAT, "id", state->id, "bundle", state->bundle, "rootfs",
		state->rootfs, "created", state->created, "pid", (int)state->pid, "startTime",
		(json_int_t)state->start_time, "ready", state->is_ready, "uid",
		(json_int_t)state->uid, "ownPidNamespace", state->has_own_pid_namespace,
		"startContainer", state->has_start_hooks, "poststart", state->has_poststart,
		"poststop", state->has_poststop, "intelRdt", "group", state->rdt.has_group,
		"monitoring", state->rdt.has_monitoring, "noNewKeyring", state->no_new_keyring,
		"cgroup", cgroup, "annotations", annotations);
}

int state_file_save(int dir_fd, const struct state_file *state, struct error *err)
{
	cleanup_text struct text text = { 0 };

	if (json_dump_text(to_json(state), JSON_COMPACT, &text, err) < 0)
		return -1;
	/* Not created in place: readers would see it empty. */
	return file_replace_at(dir_fd, STATE_FILE_NAME, text.data, text.length, 0600, err);
}

/* Takes over OBJECT, which may be NULL for lack of memory. */
static int add(int dir_fd, json_t *object, struct error *err)
{
	cleanup_text struct text text = { 0 };

	if (json_dump_text(object, JSON_COMPACT, &text, err) < 0)
		return -1;
	return file_append_at(dir_fd, STATE_FILE_NAME, text.data, text.length, err);
}

int state_file_add_process(int dir_fd, const struct state_file *state, struct error *err)
{
	json_t *cgroup = state->cgroup ? cgroup_save(state->cgroup) : json_null();

	return add(dir_fd,
		json_pack("{s:o s:i s:I s:{s:b s:b}}", "cgroup", cgroup, "pid", (int)state->pid,
			"startTime", (json_int_t)state->start_time, "intelRdt", "group",
			state->rdt.has_group, "monitoring", state->rdt.has_monitoring),
		err);
}

int state_file_add_ready(int dir_fd, struct error *err)
{
	return add(dir_fd, json_pack("{s:b}", "ready", 1), err);
}

static int damaged(struct error *err)
{
	return error_set(err, ERROR_STATE, "%s is damaged", STATE_FILE_NAME);
}

static int load_annotations(struct state_file *state, json_t *object, struct error *err)
{
	struct spec_map *map = &state->loaded_annotations;
	const char *key;
	json_t *value;

	if (!json_is_object(object))
		return damaged(err);
	map->items = arena_alloc(&state->arena, json_object_size(object) + 1, sizeof(*map->items));
	if (!map->items)
		return error_set(err, ERROR_SYSTEM, "out of memory");
	json_object_foreach (object, key, value) {
		struct spec_pair *pair = &map->items[map->count++];

		if (!json_is_string(value))
			return damaged(err);
		*pair = (struct spec_pair){ key, json_string_value(value) };
	}
	state->annotations = map;
	return 0;
}

/* The strings stay those of the tree, which lies in the arena. */
static int from_json(struct state_file *state, json_t *json, struct error *err)
{
	json_int_t format = json_integer_value(json_object_get(json, "format"));
	int pid, ready, own_pid, start, poststart, poststop, no_keyring, rdt_group, rdt_monitoring;
	json_t *annotations, *cgroup;
	json_int_t start_time, uid;
	json_error_t problem = { 0 };

	if (format < 1)
		return damaged(err);
	if (format != STATE_FILE_FORMAT) {
		error_set(err, ERROR_UNSUPPORTED, "%s has format %lld, and this kogg knows only %d",
			STATE_FILE_NAME, (long long)format, STATE_FILE_FORMAT);
		return error_hint(err, "the version of kogg that made the container can end it");
	}
	if (json_unpack_ex(json, &problem, 0,
		    "{s:s s:s s:s s:s s:i s:I s:b s:I s:b s:b s:b s:b s:{s:b s:b} s:b s:o s:o}",
		    "id", &state->id, "bundle", &state->bundle, "rootfs", &state->rootfs, "created",
		    &state->created, "pid", &pid, "startTime", &start_time, "ready", &ready, "uid",
		    &uid, "ownPidNamespace", &own_pid, "startContainer", &start, "poststart",
		    &poststart, "poststop", &poststop, "intelRdt", "group", &rdt_group,
		    "monitoring", &rdt_monitoring, "noNewKeyring", &no_keyring, "cgroup", &cgroup,
		    "annotations", &annotations) < 0)
		return json_error_code(&problem) == json_error_out_of_memory
			       ? error_set(err, ERROR_SYSTEM, "out of memory")
			       : error_set(err, ERROR_STATE, "%s lacks a member", STATE_FILE_NAME);
	if (pid < 0 || start_time < 0 || uid < 0 || uid > UINT32_MAX)
		return error_set(
			err, ERROR_STATE, "%s holds a number out of range", STATE_FILE_NAME);
	state->pid = pid;
	state->start_time = (uint64_t)start_time;
	state->is_ready = ready;
	state->uid = (uint32_t)uid;
	state->has_own_pid_namespace = own_pid;
	state->has_start_hooks = start;
	state->has_poststart = poststart;
	state->has_poststop = poststop;
	state->rdt = (struct intel_rdt_made){ rdt_group, rdt_monitoring, false };
	state->no_new_keyring = no_keyring;
	if (load_annotations(state, annotations, err) < 0)
		return -1;
	if (json_is_null(cgroup))
		return 0;
	return cgroup_load(cgroup, &state->cgroup, err);
}

/* TEXT is changed for a moment: json_load_text() wants a NUL behind what it reads. */
static int load_object(char *text, size_t size, size_t offset, struct arena *arena,
	json_t **ret_object, struct error *err)
{
	struct error problem = { 0 };
	const char behind = text[size];
	int result;

	text[size] = '\0';
	result = json_load_text(text, size, arena, ret_object, &problem);
	text[size] = behind;
	if (result < 0 && problem.kind != ERROR_SPEC)
		return error_adopt(err, &problem);
	if (result < 0)
		return error_set(err, ERROR_STATE, "%s is damaged: object at byte %zu: %s%s%s",
			STATE_FILE_NAME, offset, problem.pointer, problem.pointer[0] ? " " : "",
			problem.text);
	if (!json_is_object(*ret_object))
		return error_set(err, ERROR_STATE, "%s is damaged: expected an object at byte %zu",
			STATE_FILE_NAME, offset);
	return 0;
}

/*
 * The objects of TEXT as one, in the caller's MERGED. Their values lie in ARENA,
 * whose memory no reference count gives back.
 */
static int merge_objects(
	const struct text *text, struct arena *arena, json_t *merged, struct error *err)
{
	size_t done = 0;

	for (unsigned count = 0; count == 0 || done < text->length; count++) {
		char *at = text->data + done;
		const size_t size = json_load_measure(at);
		json_t *object;

		if (count == STATE_FILE_OBJECTS_MAX)
			return error_set(err, ERROR_STATE,
				"%s is damaged: it has more than %d objects", STATE_FILE_NAME,
				STATE_FILE_OBJECTS_MAX);
		if (load_object(at, size, done, arena, &object, err) < 0)
			return -1;
		if (json_object_update(merged, object) < 0)
			return error_set(err, ERROR_SYSTEM, "out of memory");
		done += size;
	}
	return 0;
}

int state_file_parse(struct text *text, struct state_file *ret_state, struct error *err)
{
	json_t *merged = json_object();
	int result;

	*ret_state = (struct state_file){ 0 };
	/* An empty file has no text at all. */
	text_append(text, "");
	if (!merged || text_check(text, err) < 0)
		result = error_set(err, ERROR_SYSTEM, "out of memory");
	else if ((result = merge_objects(text, &ret_state->arena, merged, err)) == 0)
		result = from_json(ret_state, merged, err);
	json_decref(merged);
	return result;
}

bool state_file_exists(int dir_fd)
{
	struct stat st;

	if (fstatat(dir_fd, STATE_FILE_NAME, &st, AT_SYMLINK_NOFOLLOW) < 0)
		return errno != ENOENT;
	return S_ISREG(st.st_mode);
}

int state_file_load(int dir_fd, struct state_file *ret_state, struct error *err)
{
	cleanup_text struct text text = { 0 };

	*ret_state = (struct state_file){ 0 };
	if (file_read_at(dir_fd, STATE_FILE_NAME, STATE_FILE_MAX, &text, err) < 0)
		return -1;
	return state_file_parse(&text, ret_state, err);
}

void state_file_release(struct state_file *state)
{
	cgroup_free(state->cgroup);
	arena_release(&state->arena);
	*state = (struct state_file){ 0 };
}
