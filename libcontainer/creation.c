/* SPDX-License-Identifier: Apache-2.0 */
#include "libcontainer/creation.h"

#include <fcntl.h>
#include <sched.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "base/file.h"
#include "base/log.h"
#include "hooks/hooks.h"
#include "libcontainer/cgroup_owner.h"
#include "libcontainer/creation_failure.h"
#include "libcontainer/creation_undo.h"
#include "libcontainer/init.h"
#include "libcontainer/kernel/apparmor.h"
#include "libcontainer/kernel/capabilities.h"
#include "libcontainer/kernel/intel_rdt.h"
#include "libcontainer/kernel/pidfd.h"
#include "libcontainer/kernel/selinux.h"
#include "libcontainer/kernel/syscall_notify.h"
#include "libcontainer/kernel/sysctls.h"
#include "libcontainer/kernel/terminal.h"
#include "libcontainer/kernel/userns_policy.h"
#include "libcontainer/neighbours.h"
#include "libcontainer/notify.h"
#include "libcontainer/pid_file.h"
#include "libcontainer/runtime_hooks.h"
#include "libcontainer/sync.h"

static unsigned made_namespaces(const struct creation *creation)
{
	return namespaces_to_make(&creation->spec->platform);
}

static unsigned all_namespaces(const struct creation *creation)
{
	return made_namespaces(creation) | namespaces_to_join(&creation->spec->platform);
}

/* The options of the call against each other and against the config. */
static int check_options(struct creation *creation, struct error *err)
{
	const struct container_options *options = creation->options;
	const struct spec_process *process = creation->spec->process;
	bool has_terminal = process && process->terminal;

	if (options->console_socket && !has_terminal)
		return error_set(err, ERROR_USAGE,
			"--console-socket was given, but process.terminal is not true");
	if (has_terminal && options->detach && !options->console_socket) {
		error_set(err, ERROR_USAGE,
			"a terminal of a detached container needs --console-socket");
		return error_point(err, "/process/terminal");
	}
	return 0;
}

/* What this host can't do is said before anything is made. */
static int check_host(const struct creation *creation, struct error *err)
{
	const struct spec_process *process = creation->spec->process;

	if (pidfd_check_calls(err) < 0)
		return -1;
	if (process && (apparmor_check(process, err) < 0 || selinux_check(process, err) < 0))
		return -1;
	return selinux_check_mount_label(creation->spec->platform.mount_label, err);
}

static void describe(struct creation *creation)
{
	const struct spec_hooks *hooks = &creation->spec->hooks;
	struct timespec now;

	clock_gettime(CLOCK_REALTIME, &now);
	timestamp_format(&now, creation->created);
	creation->file = (struct state_file){
		.id = creation->id,
		.bundle = creation->bundle.path,
		.rootfs = creation->bundle.rootfs,
		.created = creation->created,
		.annotations = &creation->spec->annotations,
		.uid = geteuid(),
		.has_own_pid_namespace = made_namespaces(creation) & CLONE_NEWPID,
		.has_start_hooks = hooks->lists[SPEC_HOOK_START_CONTAINER].count > 0,
		.has_poststart = hooks->lists[SPEC_HOOK_POSTSTART].count > 0,
		.has_poststop = hooks->lists[SPEC_HOOK_POSTSTOP].count > 0,
		.no_new_keyring = creation->options->no_new_keyring,
	};
	creation->state = (struct state){
		.id = creation->id,
		.status = STATE_CREATED,
		.bundle = creation->bundle.path,
		.rootfs = creation->bundle.rootfs,
		.created = creation->created,
		.annotations = &creation->spec->annotations,
	};
}

static int make_pipes(struct creation *creation, struct error *err)
{
	int start[2], result[2];

	if (pipe2(start, O_CLOEXEC) < 0)
		return error_set_errno(err, "make a pipe");
	creation->init_side.start = start[0];
	creation->own_side.start = start[1];
	if (pipe2(result, O_CLOEXEC | O_NONBLOCK) < 0)
		return error_set_errno(err, "make a pipe");
	creation->own_side.result = result[0];
	creation->init_side.result = result[1];
	return 0;
}

static int make_fifos(struct creation *creation, struct error *err)
{
	struct start_channel *init = &creation->init_side;

	if (state_dir_make_fifos(&creation->dir, err) < 0)
		return -1;
	init->start = state_dir_open_start(&creation->dir, O_RDWR);
	init->result = state_dir_open_result(&creation->dir, O_RDWR);
	if (init->start < 0 || init->result < 0)
		return error_set_errno(err, "open the start FIFO");
	return 0;
}

/* The container exists from here on, to be removed by `delete` if we die. */
static int make_state_dir(struct creation *creation, struct error *err)
{
	if (state_dir_create(&creation->dir, creation->runtime->root, creation->id, err) < 0)
		return -1;
	rollback_push(&creation->rollback, creation_undo_state_dir, creation);
	rollback_push(&creation->rollback, creation_undo_hooks, creation);
	if (creation->starter == CREATION_STARTED_BY_CALLER ? make_pipes(creation, err) < 0
							    : make_fifos(creation, err) < 0)
		return -1;
	return notify_make_dir(creation->dir.fd, creation->runtime->root, creation->id,
		&creation->notify_dir, err);
}

/*
 * Whether the limits may be written beside the first process, which then works
 * already: not when it looks at its cpuset, for a memory policy of nodes in that.
 */
static bool limits_come_later(const struct creation *creation)
{
	return cgroup_can_limit_later(creation->file.cgroup) &&
	       !creation->spec->platform.memory_policy;
}

/*
 * The place is on record before the groups are, so that a crash loses none, but not
 * before it is known to be nobody else's: what is on record is killed.
 */
static int make_cgroup(struct creation *creation, struct error *err)
{
	const struct spec_linux *platform = &creation->spec->platform;
	const struct cgroup_request request = {
		.driver = creation->runtime->cgroup_driver,
		.path = platform->cgroups_path,
		.id = creation->id,
		.annotations = &creation->spec->annotations,
		.resources = platform->resources,
		.has_stage = launch_needs_stage(platform),
	};

	if (cgroup_plan(&request, &creation->file.cgroup, err) < 0)
		return -1;
	if (cgroup_check(creation->file.cgroup, err) < 0)
		return launch_blame_cgroups_path(platform, err);
	if (state_file_save(creation->dir.fd, &creation->file, err) < 0)
		return state_dir_blame(&creation->dir, err);
	if (cgroup_make(creation->file.cgroup, err) < 0)
		return launch_blame_cgroups_path(platform, err);
	rollback_push(&creation->rollback, creation_undo_made_paths, creation);
	rollback_push(&creation->rollback, creation_undo_intel_rdt, creation);
	rollback_push(&creation->rollback, creation_undo_cgroup, creation);
	neighbours_mark(&creation->dir, creation->file.cgroup);
	creation_watch_memory(creation->spec, creation->file.cgroup, &creation->kills);
	if (!limits_come_later(creation) &&
		cgroup_limit(creation->file.cgroup, platform->resources, err) < 0)
		return -1;
	if (cgroup_prepare_entry(creation->file.cgroup, err) < 0)
		return launch_blame_cgroups_path(platform, err);
	return 0;
}

/*
 * The host's is none, though the container joins it: a file system made in it shows
 * the host's tree, and sets its flags for everybody when it is the first of all.
 */
static bool has_cgroup_namespace(const struct creation *creation)
{
	const struct namespaces *joined = &creation->joined;

	for (size_t i = 0; i < joined->count; i++)
		if (joined->flags[i] == CLONE_NEWCGROUP)
			return !namespaces_is_hosts(joined->fds[i], CLONE_NEWCGROUP);
	return made_namespaces(creation) & CLONE_NEWCGROUP;
}

/* What the working directory may be made in, moments before. */
static bool becomes_readonly(const struct spec *spec)
{
	for (size_t i = 0; i < spec->n_mounts; i++) {
		const struct spec_mount *mount = &spec->mounts[i];

		if (mount->type && !strcmp(mount->type, "tmpfs") &&
			(mount->parsed.here.set & MOUNT_ATTR_RDONLY))
			return true;
	}
	return spec->root.readonly;
}

static int prepare_rootfs(struct creation *creation, struct error *err)
{
	unsigned namespaces = all_namespaces(creation);

	creation->rootfs_request = (struct rootfs_request){
		.spec = creation->spec,
		.path = creation->bundle.rootfs,
		.bundle = creation->bundle.path,
		.has_mount_namespace = namespaces & CLONE_NEWNS,
		.is_mount_namespace_new = made_namespaces(creation) & CLONE_NEWNS,
		.no_pivot = creation->options->no_pivot,
		.in_user_namespace = namespaces & CLONE_NEWUSER,
		.has_cgroup_namespace = has_cgroup_namespace(creation),
		.notify_dir = creation->notify_dir,
		.witness = &creation->witness,
		.sync = creation->sync,
		.network = &creation->network,
	};
	creation->made = (struct made_paths){
		.socket = &creation->sync[1],
		.becomes_readonly = becomes_readonly(creation->spec),
	};
	creation->witness = made_paths_witness(&creation->made);
	creation->rootfs_request.hierarchies =
		cgroup_hierarchies(creation->file.cgroup, &creation->rootfs_request.n_hierarchies);
	return rootfs_open_mapped(&creation->rootfs, &creation->rootfs_request, err);
}

static int begin_filter(struct creation *creation, struct error *err)
{
	cleanup_fd int cache = state_dir_open_cache(&creation->dir);

	return syscall_filter_begin(creation->bundle.document, cache, &creation->filter, err);
}

/* What needs the host's view, or memory that is not the container's. */
static int prepare(struct creation *creation, struct error *err)
{
	const struct spec_linux *platform = &creation->spec->platform;

	if (platform->has_seccomp && begin_filter(creation, err) < 0)
		return -1;
	if (namespaces_open(platform, &creation->joined, err) < 0 ||
		sysctls_check(platform, &creation->joined, err) < 0 ||
		prepare_rootfs(creation, err) < 0)
		return -1;
	if (creation->options->console_socket && creation->console_socket < 0) {
		creation->console_socket = terminal_connect(creation->options->console_socket, err);
		if (creation->console_socket < 0)
			return error_wrap(err, "--console-socket");
	}
	if (!launch_needs_stage(platform))
		network_plan(&creation->network, platform, creation->sync);
	return sync_open(creation->sync, err);
}

/* The first process runs hooks on its way. */
static int64_t find_deadline(const struct spec *spec)
{
	return hooks_put_off(&spec->hooks.lists[SPEC_HOOK_CREATE_CONTAINER], sync_deadline());
}

static uint64_t count_kills(const struct creation *creation)
{
	return creation_count_kills(creation->file.cgroup, &creation->kills);
}

static int give_birth(struct creation *creation, struct error *err)
{
	struct init_request init = {
		.id = creation->id,
		.spec = creation->spec,
		.rootfs_request = &creation->rootfs_request,
		.rootfs = &creation->rootfs,
		.cgroup = creation->file.cgroup,
		.joined = &creation->joined,
		.joins_itself = !launch_needs_stage(&creation->spec->platform),
		.network = &creation->network,
		.filter = &creation->filter,
		.state = &creation->state,
		.no_new_keyring = creation->options->no_new_keyring,
		.passed_fds = creation->passed.listen + creation->passed.preserved,
		.listen_fds = creation->passed.listen,
		.sync = creation->sync,
		.channel = &creation->init_side,
		.sends_listener = creation->spec->platform.has_seccomp && !capabilities_may_trace(),
		.is_start_endless = creation->starter == CREATION_STARTED_BY_ANOTHER,
		.console_socket = creation->console_socket,
		.log_level = LOG_LEVEL_DEBUG,
		.dir = &creation->dir,
	};

	creation->launch = (struct launch_request){
		.platform = &creation->spec->platform,
		.joined = &creation->joined,
		.network = &creation->network,
		.target = -1,
		.process = creation->spec->process,
		.cgroup = creation->file.cgroup,
		.is_moved = creation->is_moved,
		.deadline = find_deadline(creation->spec),
		.sync = creation->sync,
		.run = init_run,
		.context = &init,
	};
	rollback_push(&creation->rollback, creation_undo_first_process, creation);
	if (launch(&creation->launch, &creation->first, err) < 0)
		return creation_explain_birth(creation->spec, count_kills(creation), err);
	creation->state.has_pid = true;
	creation->state.pid = creation->first.pid;
	return 0;
}

static int save_config(struct creation *creation, struct error *err)
{
	size_t size;
	const char *config = spec_document_text(creation->bundle.document, &size);

	if (file_create_at(creation->dir.fd, "config.json", config, size, 0600, err) < 0)
		return state_dir_blame(&creation->dir, err);
	return 0;
}

/* The namespace is the container's alone then: it ends with that, and so do devices in it. */
static int move_net_devices(struct creation *creation, struct error *err)
{
	const struct spec_linux *platform = &creation->spec->platform;
	cleanup_fd int network = -1;

	if (platform->n_net_devices) {
		network = network_open(
			&creation->network, &creation->joined, creation->first.pid, err);
		if (network < 0)
			return -1;
		rollback_push(&creation->rollback, creation_undo_net_devices, creation);
		if (net_devices_move(platform, network, &creation->net_devices, err) < 0)
			return -1;
	}
	network_release(&creation->network);
	return 0;
}

/*
 * What the parent does for the child while that works on its mounts: first what
 * the child will wait for, then what the program, or other commands, need.
 */
static int assist(struct creation *creation, struct error *err)
{
	const struct spec_linux *platform = &creation->spec->platform;

	if (network_make(&creation->network, err) < 0 ||
		intel_rdt_apply(platform->intel_rdt, creation->id, creation->first.pid,
			&creation->file.rdt, err) < 0)
		return -1;
	creation->file.pid = creation->first.pid;
	if (pidfd_read_start_time(creation->first.pid, &creation->file.start_time, err) < 0)
		return -1;
	if (state_file_add_process(creation->dir.fd, &creation->file, err) < 0)
		return state_dir_blame(&creation->dir, err);
	if (limits_come_later(creation) &&
		cgroup_limit(creation->file.cgroup, platform->resources, err) < 0)
		return -1;
	return save_config(creation, err) < 0 ? -1 : move_net_devices(creation, err);
}

static int run_runtime_hooks(struct creation *creation, struct error *err)
{
	creation->has_run_hooks = true;
	if (runtime_hooks_run(creation->spec, SPEC_HOOK_PRESTART, &creation->state, err) < 0)
		return -1;
	return runtime_hooks_run(creation->spec, SPEC_HOOK_CREATE_RUNTIME, &creation->state, err);
}

/* SENT is the listener itself, or -1: then it is REMOTE_FD of the process. */
static int serve_listener(struct creation *creation, int remote_fd, int *sent, struct error *err)
{
	const struct spec_seccomp *profile;
	cleanup_fd int listener = take_fd(sent);

	if (!creation->filter.needs_listener)
		return 0;
	if (spec_load_seccomp(creation->bundle.document, &profile, err) < 0)
		return -1;
	if (listener >= 0 && syscall_notify_check(listener, err) < 0)
		return -1;
	if (listener < 0)
		listener = syscall_notify_take(creation->first.pidfd, remote_fd, err);
	if (listener < 0)
		return -1;
	return syscall_notify_send(profile->listener_path, &creation->state, creation->first.pid,
		profile->listener_metadata, listener, err);
}

/* The first process is on record, so that others can start it, or end it. */
static int let_wait(struct creation *creation, struct error *err)
{
	if (creation->starter == CREATION_STARTED_BY_CALLER)
		return 0;
	return sync_send(creation->sync[0], SYNC_GO, 0, -1, err);
}

/* Does what MESSAGE asks for; takes *FD if it is wanted. As answer(). */
static int serve(
	struct creation *creation, const struct sync_message *message, int *fd, struct error *err)
{
	switch ((int)message->type) {
	case SYNC_MAP_IDS:
	case SYNC_MOVE:
		return launch_serve(&creation->launch, creation->first.pid, message->type, err);
	case SYNC_SOURCES:
		return mount_sources_serve(&creation->rootfs_request, *fd, creation->sync[0], err);
	case SYNC_LOOPBACK:
		return namespaces_raise_loopback(*fd, err);
	case SYNC_HOOKS:
		if (creation->has_run_hooks)
			return sync_refuse(message, err);
		if (run_runtime_hooks(creation, err) < 0)
			return -1;
		creation->launch.deadline = find_deadline(creation->spec);
		return sync_send(creation->sync[0], SYNC_GO, 0, -1, err);
	case SYNC_FILTER:
		if (syscall_filter_finish(&creation->filter, err) < 0)
			return -1;
		return sync_send(creation->sync[0], SYNC_GO, 0, -1, err);
	case SYNC_MADE:
		return made_paths_keep(&creation->made, &message->made, take_fd(fd), err);
	case SYNC_TERMINAL:
		if (*fd < 0 || creation->terminal >= 0)
			return sync_refuse(message, err);
		creation->terminal = take_fd(fd);
		return 0;
	case SYNC_READY:
		if (serve_listener(creation, message->value, fd, err) < 0 ||
			let_wait(creation, err) < 0)
			return -1;
		return 1;
	default:
		return sync_refuse(message, err);
	}
}

/* Answers one message of the child. Returns 1 when that was the last, 0, or -1. */
static int answer(struct creation *creation, struct error *err)
{
	struct sync_message message;
	cleanup_fd int fd = -1;
	int result;

	if (sync_receive(creation->sync[0], creation->launch.deadline, &message, &fd, err) < 0)
		return -1;
	creation->has_spoken = true;
	creation->is_first_waiting = sync_waits(message.type);
	result = serve(creation, &message, &fd, err);
	if (result == 0)
		creation->is_first_waiting = false;
	return result;
}

static int explain_death(struct creation *creation, struct error *err)
{
	return creation_explain_death(creation->spec, count_kills(creation), &creation->first, err);
}

static int attend(struct creation *creation, struct error *err)
{
	int result = assist(creation, err);

	while (result == 0)
		result = answer(creation, err);
	if (result > 0)
		return 0;
	creation->is_stillborn = !creation->has_spoken &&
				 launch_was_stillborn(&creation->first, err) &&
				 !count_kills(creation);
	/* Hooks that ran, if only up to the one that failed, want their counterparts. */
	if (err->kind == ERROR_HOOK)
		creation->has_run_hooks = true;
	return sync_is_end(err) ? explain_death(creation, err) : -1;
}

/* What would have been in the way of init's start. */
static int finish_cgroup(struct creation *creation, struct error *err)
{
	const struct spec *spec = creation->spec;

	if (creation_check_memory(spec, &creation->kills, err) < 0 ||
		cgroup_limit_late(creation->file.cgroup, spec->platform.resources, err) < 0)
		return -1;
	return cgroup_owner_set(creation->file.cgroup, spec, creation->first.pid, err);
}

static const struct creation_step {
	const char *phase;
	int (*run)(struct creation *creation, struct error *err);
	bool makes_namespaces;
} steps[] = {
	{ "options", check_options },
	{ "state", make_state_dir },
	{ "cgroup", make_cgroup },
	{ "prepare", prepare },
	{ "clone", give_birth, true },
	{ "init", attend, true },
	{ "cgroup", finish_cgroup },
};

static int make_all(struct creation *creation, struct error *err)
{
	if (check_host(creation, err) < 0)
		return error_phase(err, "host");
	describe(creation);
	for (size_t i = 0; i < array_size(steps); i++) {
		if (steps[i].run(creation, err) == 0)
			continue;
		if (steps[i].makes_namespaces &&
			namespaces_to_make(&creation->spec->platform) & CLONE_NEWUSER)
			userns_policy_explain(err);
		return error_phase(err, steps[i].phase);
	}
	return 0;
}

static void begin(struct creation *ret_creation, const struct runtime *runtime, const char *id,
	const struct container_options *options, enum creation_starter starter)
{
	*ret_creation = (struct creation){
		.runtime = runtime,
		.id = id,
		.options = options,
		.dir = STATE_DIR_CLOSED,
		.rootfs = ROOTFS_INIT,
		.sync = { -1, -1 },
		.starter = starter,
		.own_side = START_CHANNEL_CLOSED,
		.init_side = START_CHANNEL_CLOSED,
		.console_socket = -1,
		.terminal = -1,
		.first.pidfd = -1,
		.kills = CGROUP_OOM_WATCH_CLOSED,
		.net_devices = NET_DEVICES_NONE,
		.network = NETWORK_BY_CLONE,
	};
}

/*
 * All that was made for the first process goes with it. What is the caller's stays: a
 * config that can be read once, a console socket that takes one connection.
 */
static int make_again(struct creation *creation, struct error *err)
{
	const struct bundle bundle = creation->bundle;
	const struct passed_fds passed = creation->passed;
	int console_socket = take_fd(&creation->console_socket);

	log_debug("%s, at its birth in the cgroup: once more, to be moved there", err->text);
	*err = (struct error){ 0 };
	creation->bundle = (struct bundle){ 0 };
	creation_release(creation);
	begin(creation, creation->runtime, creation->id, creation->options, creation->starter);
	creation->bundle = bundle;
	creation->spec = bundle.spec;
	creation->passed = passed;
	creation->console_socket = console_socket;
	creation->is_moved = true;
	return make_all(creation, err);
}

int creation_make(struct creation *ret_creation, const struct runtime *runtime, const char *id,
	const struct container_options *options, enum creation_starter starter, struct error *err)
{
	int result;

	begin(ret_creation, runtime, id, options, starter);
	if (container_id_check(id, err) < 0 ||
		passed_fds_guard(options->preserve_fds, &ret_creation->passed, err) < 0)
		return error_phase(err, "options");
	if (bundle_open(&ret_creation->bundle, options->bundle, options->config ?: "config.json",
		    err) < 0)
		return error_phase(err, "config");
	ret_creation->spec = ret_creation->bundle.spec;
	result = make_all(ret_creation, err);
	if (result < 0 && ret_creation->is_stillborn)
		result = make_again(ret_creation, err);
	if (result == 0)
		return 0;
	spec_document_locate(ret_creation->bundle.document, err);
	return -1;
}

int creation_announce(struct creation *creation, struct error *err)
{
	const struct container_options *options = creation->options;

	if (pid_file_write(options->pid_file, creation->first.pid, err) < 0)
		return -1;
	rollback_push(&creation->rollback, creation_undo_pid_file, creation);
	return pid_file_send(options->pidfd_socket, creation->first.pidfd, "standard", err);
}

int creation_set_ready(const struct creation *creation, struct error *err)
{
	if (state_file_add_ready(creation->dir.fd, err) < 0)
		return state_dir_blame(&creation->dir, err);
	return 0;
}

void creation_commit(struct creation *creation)
{
	rollback_commit(&creation->rollback);
}

void creation_release(struct creation *creation)
{
	int *const fds[] = { &creation->sync[0], &creation->sync[1], &creation->console_socket,
		&creation->terminal };

	rollback_run(&creation->rollback);
	for (size_t i = 0; i < array_size(fds); i++)
		close_at(fds[i]);
	close_at(&creation->first.pidfd);
	cgroup_oom_watch_close(&creation->kills);
	start_channel_close(&creation->own_side);
	start_channel_close(&creation->init_side);
	net_devices_release(&creation->net_devices);
	made_paths_release(&creation->made);
	namespaces_close(&creation->joined);
	network_release(&creation->network);
	rootfs_release(&creation->rootfs);
	syscall_filter_release(&creation->filter);
	state_file_release(&creation->file);
	state_dir_close(&creation->dir);
	bundle_release(&creation->bundle);
	free(creation->notify_dir);
}
