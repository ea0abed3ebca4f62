/* SPDX-License-Identifier: Apache-2.0 */
#include "libcontainer/kernel/cgroup_systemd.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/fd.h"
#include "base/file.h"
#include "base/quote.h"
#include "libcontainer/kernel/cgroup_limits.h"
#include "libcontainer/kernel/cgroup_tree.h"
#include "libcontainer/kernel/cgroup_unit.h"
#include "libcontainer/kernel/cgroup_unit_files.h"
#include "libcontainer/kernel/cgroup_unit_properties.h"
#include "libspec/json_dump.h"

#define HELPER "kogg-systemd"

#ifndef KOGG_LIBEXECDIR
#	define KOGG_LIBEXECDIR "/usr/libexec"
#endif

/* Above the helper's own limit for a job, so that its words are heard. */
#define REPLY_TIMEOUT_MS 40000

#define REPLY_MAX 1024

#define CMDLINE_MAX (1U << 20)

/*
 * The group of the manager that the unit will belong to, "" for the system's:
 * that of user@UID.service, in which the caller most likely is.
 */
static int find_manager(
	struct cgroup *cgroup, char ret_path[static CGROUP_PATH_MAX], struct error *err)
{
	cleanup_text struct text own = { 0 };
	struct cgroup_place *place = cgroup_layout_find_v2(cgroup);
	char *service, *end;
	unsigned uid = geteuid();

	ret_path[0] = '\0';
	if (!cgroup->is_user_unit)
		return 0;
	place = place ?: cgroup_layout_main(cgroup);
	if (cgroup_layout_read_proc(0, &own, err) < 0 ||
		cgroup_layout_find_path(place, own.data ?: "", ret_path, err) < 0)
		return -1;
	service = strstr(ret_path, "/user@");
	end = service ? strstr(service, ".service") : NULL;
	if (end)
		end[strlen(".service")] = '\0';
	else
		snprintf(ret_path, CGROUP_PATH_MAX, "/user.slice/user-%u.slice/user@%u.service",
			uid, uid);
	return 0;
}

static int place_unit(struct cgroup *cgroup, const struct cgroup_unit *unit, struct error *err)
{
	char path[2 * CGROUP_PATH_MAX];
	char manager[CGROUP_PATH_MAX];

	if (find_manager(cgroup, manager, err) < 0)
		return -1;
	snprintf(path, sizeof(path), "%s%s", manager, unit->path);
	cgroup->unit = arena_copy(&cgroup->arena, unit->name);
	if (!cgroup->unit) {
		errno = ENOMEM;
		return error_set_errno(err, "plan the container's unit");
	}
	return cgroup_layout_place(cgroup, path, err);
}

static int collect_properties(struct cgroup *cgroup, const struct cgroup_systemd_request *request,
	const struct cgroup_unit *unit, json_t *list, struct error *err)
{
	const struct spec_resources *resources = request->resources;
	struct spec_resources first = { 0 };
	const bool is_v2 = cgroup_unit_files_are_v2(cgroup);

	if (cgroup_unit_properties_basic(request->id, unit->slice, list, err) < 0 ||
		cgroup_unit_properties_devices(resources, is_v2, list, err) < 0)
		return -1;
	if (resources)
		first = *resources;
	if (cgroup_limits_is_late(cgroup, &first))
		first.pids_limit.value = cgroup_limits_first_tasks(cgroup);
	if (resources && cgroup_unit_properties_limits(
				 &first, is_v2, &cgroup_unit_now_at_first, list, err) < 0)
		return -1;
	return cgroup_unit_properties_annotations(request->annotations, list, err);
}

/* The request to the helper as one line. DETAILS, an object, is taken over. */
static char *format_request(const struct cgroup *cgroup, json_t *details)
{
	json_t *request =
		json_pack("{s:s, s:b}", "unit", cgroup->unit, "user", cgroup->is_user_unit);
	cleanup_text struct text line = { 0 };
	struct error ignored = { 0 };

	if (!details || !request || json_object_update(request, details) < 0) {
		json_decref(details);
		json_decref(request);
		return NULL;
	}
	json_decref(details);
	if (json_dump_text(request, JSON_COMPACT, &line, &ignored) < 0)
		return NULL;
	return take_ptr(line.data);
}

int cgroup_systemd_plan(
	struct cgroup *cgroup, const struct cgroup_systemd_request *request, struct error *err)
{
	cleanup_free char *line = NULL;
	struct cgroup_unit unit;
	json_t *properties = json_array();

	cgroup->is_user_unit = cgroup_layout_is_rootless();
	if (cgroup_unit_parse(request->path, request->id,
		    cgroup->is_user_unit ? "user.slice" : "system.slice", &unit, err) < 0 ||
		place_unit(cgroup, &unit, err) < 0 ||
		collect_properties(cgroup, request, &unit, properties, err) < 0) {
		json_decref(properties);
		return -1;
	}
	line = format_request(cgroup, json_pack("{s:o}", "properties", properties));
	cgroup->settings = line ? arena_copy(&cgroup->arena, line) : NULL;
	if (cgroup->settings)
		return 0;
	errno = ENOMEM;
	return error_set_errno(err, "plan the container's unit");
}

/* The helper in the folder that is the first LENGTH bytes of FOLDER. */
static bool is_in(const char *folder, size_t length, char ret_path[static PATH_MAX])
{
	int n = snprintf(ret_path, PATH_MAX, "%.*s/" HELPER, (int)length, folder);

	return n > 0 && n < PATH_MAX && access(ret_path, X_OK) == 0;
}

/* The helper beside what a shell finds by the bare name PROGRAM (execvp(3)). */
static bool find_on_path(const char *program, char ret_path[static PATH_MAX])
{
	const char *folder = getenv("PATH") ?: "";

	for (; *folder; folder += *folder == ':') {
		size_t length = strcspn(folder, ":");
		int n = snprintf(ret_path, PATH_MAX, "%.*s/%s", (int)length, folder, program);

		/* A folder that depends on where the caller stands is not to be trusted. */
		if (folder[0] == '/' && n < PATH_MAX && access(ret_path, X_OK) == 0)
			return is_in(folder, length, ret_path);
		folder += length;
	}
	return false;
}

/*
 * Where the caller was found, the helper may be too: a program that was not
 * installed has it beside itself. /proc/self/exe does not tell, since kogg
 * runs from a mount of its own (CVE-2019-5736).
 */
static bool find_beside(char ret_path[static PATH_MAX])
{
	cleanup_text struct text cmdline = { 0 };
	struct error ignored = { 0 };
	const char *slash;

	if (file_read_at(AT_FDCWD, "/proc/self/cmdline", CMDLINE_MAX, &cmdline, &ignored) < 0 ||
		!cmdline.data)
		return false;
	slash = strrchr(cmdline.data, '/');
	if (!slash)
		return find_on_path(cmdline.data, ret_path);
	return is_in(cmdline.data, (size_t)(slash - cmdline.data), ret_path);
}

static bool find_helper(char ret_path[static PATH_MAX])
{
	return find_beside(ret_path) || is_in(KOGG_LIBEXECDIR, strlen(KOGG_LIBEXECDIR), ret_path);
}

bool cgroup_systemd_is_installed(void)
{
	char path[PATH_MAX];

	return find_helper(path);
}

/* A helper that runs, and the ends of its standard input and output. */
struct helper {
	pid_t pid;
	int input, output;
};

static int spawn(const char *path, const char *action, int input, int output, pid_t *ret_pid)
{
	char *const argv[] = { (char[]){ HELPER }, strdup(action), NULL };
	posix_spawn_file_actions_t actions;
	int result;

	if (!argv[1] || posix_spawn_file_actions_init(&actions) != 0) {
		free(argv[1]);
		return ENOMEM;
	}
	result = posix_spawn_file_actions_adddup2(&actions, input, STDIN_FILENO);
	if (result == 0)
		result = posix_spawn_file_actions_adddup2(&actions, output, STDOUT_FILENO);
	if (result == 0)
		result = posix_spawn(ret_pid, path, &actions, NULL, argv, environ);
	posix_spawn_file_actions_destroy(&actions);
	free(argv[1]);
	return result;
}

static int start_helper(const char *action, struct helper *ret_helper, struct error *err)
{
	char path[PATH_MAX];
	int input[2], output[2];

	if (!find_helper(path)) {
		error_set(err, ERROR_UNSUPPORTED, "the program '" HELPER "' is not installed");
		return error_hint(err,
			"the systemd cgroup driver needs it beside kogg or in '%s'; or use "
			"--cgroup-manager cgroupfs",
			KOGG_LIBEXECDIR);
	}
	if (pipe2(input, O_CLOEXEC) < 0)
		return error_set_errno(err, "make a pipe");
	if (pipe2(output, O_CLOEXEC) < 0) {
		error_set_errno(err, "make a pipe");
		close(input[0]);
		close(input[1]);
		return -1;
	}
	errno = spawn(path, action, input[0], output[1], &ret_helper->pid);
	if (errno)
		error_set_call(err, "run", path);
	close(input[0]);
	close(output[1]);
	ret_helper->input = input[1];
	ret_helper->output = output[0];
	return err->kind == ERROR_NONE ? 0 : -1;
}

/*
 * By a signal, for the end of its input may not come: a process that was
 * cloned meanwhile has a copy of ours. It has nothing left to do.
 */
static void stop_helper(struct helper *helper)
{
	close_at(&helper->input);
	close_at(&helper->output);
	if (helper->pid <= 0)
		return;
	kill(helper->pid, SIGKILL);
	while (waitpid(helper->pid, NULL, 0) < 0 && errno == EINTR)
		;
}

static int read_reply(const struct helper *helper, const struct cgroup_systemd_delay *delay,
	char ret_reply[static REPLY_MAX], struct error *err)
{
	int64_t began = cgroup_tree_now_ms();
	struct pollfd waiting = { .fd = helper->output, .events = POLLIN };
	size_t used = 0;

	while (used + 1 < REPLY_MAX) {
		int limit = delay ? delay->after_ms : REPLY_TIMEOUT_MS;
		int64_t left = began + limit - cgroup_tree_now_ms();
		ssize_t n;

		if (left <= 0 || poll(&waiting, 1, (int)left) == 0) {
			if (!delay)
				return error_set(err, ERROR_SYSTEM,
					"systemd has not answered in %d s",
					REPLY_TIMEOUT_MS / 1000);
			delay->act(delay->context);
			delay = NULL;
			continue;
		}
		n = read(helper->output, ret_reply + used, REPLY_MAX - 1 - used);
		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			break;
		used += (size_t)n;
		ret_reply[used] = '\0';
		if (ret_reply[used - 1] == '\n') {
			ret_reply[used - 1] = '\0';
			return 0;
		}
	}
	return error_set(err, ERROR_SYSTEM, "'" HELPER "' has ended without an answer");
}

/* "ok", "errno NUMBER WHAT" or "error TEXT" */
static int take_reply(const char *unit, const char *reply, struct error *err)
{
	cleanup_text struct text words = { 0 };
	int number, used;
	size_t length;

	if (strcmp(reply, "ok") == 0)
		return 0;
	if (sscanf(reply, "errno %d %n", &number, &used) == 1) {
		errno = number;
		error_set_errno(err, "systemd unit '%s': %s", unit, reply + used);
		return number == ENOENT || number == ECONNREFUSED
			       ? error_hint(err, "is systemd running here?")
			       : -1;
	}
	if (strncmp(reply, "error ", 6) == 0)
		reply += 6;
	/* systemd ends its sentences with a full stop. */
	length = strlen(reply);
	length -= length && reply[length - 1] == '.';
	quote_append(&words, reply, length);
	return error_set(err, ERROR_SYSTEM, "systemd unit '%s': %s", unit, words.data ?: "");
}

/* Runs the helper, sends it LINE and takes its answer; the caller ends it. */
static int ask(const struct cgroup *cgroup, const char *action, const char *line,
	const struct cgroup_systemd_delay *delay, struct helper *helper, struct error *err)
{
	char reply[REPLY_MAX] = "";

	if (start_helper(action, helper, err) < 0)
		return -1;
	if (fd_write_all(helper->input, line, strlen(line)) < 0 ||
		fd_write_all(helper->input, "\n", 1) < 0)
		error_set_errno(err, "write to '" HELPER "'");
	else if (read_reply(helper, delay, reply, err) == 0)
		(void)take_reply(cgroup->unit, reply, err);
	return err->kind == ERROR_NONE ? 0 : -1;
}

int cgroup_systemd_start(struct cgroup *cgroup, struct error *err)
{
	struct helper helper = { 0, -1, -1 };

	if (ask(cgroup, "start", cgroup->settings, NULL, &helper, err) < 0) {
		stop_helper(&helper);
		return -1;
	}
	close_at(&helper.output);
	cgroup->holder_fd = helper.input;
	cgroup->holder = helper.pid;
	return 0;
}

void cgroup_systemd_release(struct cgroup *cgroup)
{
	struct helper helper = { cgroup->holder, cgroup->holder_fd, -1 };

	if (cgroup->holder_fd < 0)
		return;
	stop_helper(&helper);
	cgroup->holder_fd = -1;
	cgroup->holder = 0;
}

/* DETAILS as for format_request(). */
static int ask_once(const struct cgroup *cgroup, const char *action, json_t *details,
	const struct cgroup_systemd_delay *delay, struct error *err)
{
	cleanup_free char *line = format_request(cgroup, details);
	struct helper helper = { 0, -1, -1 };
	int result;

	if (!line) {
		errno = ENOMEM;
		return error_set_errno(err, "ask systemd");
	}
	result = ask(cgroup, action, line, delay, &helper, err);
	stop_helper(&helper);
	return result;
}

int cgroup_systemd_collect(struct cgroup *cgroup, const struct spec_resources *resources,
	json_t **ret_properties, struct error *err)
{
	json_t *properties = json_array();
	struct cgroup_unit_now now;

	cgroup_unit_files_read(cgroup, &now);
	if (cgroup_unit_properties_limits(
		    resources, cgroup_unit_files_are_v2(cgroup), &now, properties, err) < 0) {
		json_decref(properties);
		return -1;
	}
	*ret_properties = properties;
	return 0;
}

int cgroup_systemd_update(const struct cgroup *cgroup, json_t *properties,
	const struct cgroup_systemd_delay *delay, struct error *err)
{
	json_t *details = json_pack("{s:O}", "properties", properties);

	return ask_once(cgroup, "set", details, delay, err);
}

int cgroup_systemd_attach(
	const struct cgroup *cgroup, const char *below, pid_t pid, struct error *err)
{
	json_t *details = json_pack("{s:s, s:[i]}", "below", below, "pids", (int)pid);

	return ask_once(cgroup, "attach", details, NULL, err);
}

int cgroup_systemd_stop(struct cgroup *cgroup, struct error *err)
{
	return ask_once(cgroup, "stop", json_object(), NULL, err);
}
