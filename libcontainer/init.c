/* SPDX-License-Identifier: Apache-2.0 */
#include "libcontainer/init.h"

#include <errno.h>
#include <sched.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "hooks/hooks.h"
#include "libcontainer/kernel/credentials.h"
#include "libcontainer/kernel/descriptors.h"
#include "libcontainer/kernel/hostname.h"
#include "libcontainer/kernel/keyring.h"
#include "libcontainer/kernel/selinux.h"
#include "libcontainer/kernel/sysctls.h"
#include "libcontainer/launch.h"
#include "libcontainer/process_setup.h"
#include "libcontainer/relay.h"
#include "libcontainer/start.h"
#include "libcontainer/sync.h"

struct init {
	const struct init_request *request;
	const struct spec *spec;
	struct rootfs *rootfs;
	struct terminal terminal;
	struct process_image image;
	bool is_mapped;
	int sync; /* our end */
};

static unsigned made_namespaces(const struct init *init)
{
	return namespaces_to_make(&init->spec->platform);
}

/*
 * Whoever kills the runtime while it creates must not leave a half-made
 * container behind. Setting credentials clears this (prctl(2)).
 */
static int die_with_parent(struct init *init, struct error *err)
{
	(void)init;
	if (prctl(PR_SET_PDEATHSIG, SIGKILL) < 0)
		return error_set_errno(err, "set the parent-death signal");
	return 0;
}

static int enter_user_namespace(struct init *init, struct error *err)
{
	if (made_namespaces(init) & CLONE_NEWUSER) {
		if (!init->is_mapped && sync_ask(init->sync, SYNC_MAP_IDS, 0, err) < 0)
			return -1;
		if (credentials_become_root(err) < 0)
			return -1;
	}
	if (credentials_set_dumpable(false, err) < 0)
		return -1;
	return die_with_parent(init, err);
}

static int join_namespaces(struct init *init, struct error *err)
{
	if (!init->request->joins_itself || !init->request->joined->count)
		return 0;
	return namespaces_join(init->request->joined, err);
}

static int enter_cgroup(struct init *init, struct error *err)
{
	/* A stage process was in it already when this one was born. */
	if (init->request->joins_itself &&
		launch_enter_cgroup(init->request->cgroup, NULL, err) < 0)
		return launch_blame_cgroups_path(&init->request->spec->platform, err);
	if (made_namespaces(init) & CLONE_NEWCGROUP && unshare(CLONE_NEWCGROUP) < 0)
		return error_set_errno(err, "make a cgroup namespace");
	return 0;
}

static int lead_session(struct init *init, struct error *err)
{
	(void)init;
	if (setsid() < 0)
		return error_set_errno(err, "make a session");
	return 0;
}

static bool has_hooks(const struct init *init, enum spec_hook_kind kind)
{
	return init->spec->hooks.lists[kind].count > 0;
}

/*
 * Bringing up an interface takes the kernel long, and the runtime has time to
 * see to it while this process makes its mounts. It does before it answers the
 * next message; only hooks in the container can be earlier.
 */
static int raise_loopback(struct init *init, struct error *err)
{
	cleanup_fd int network = -1;

	if (!(made_namespaces(init) & CLONE_NEWNET) || init->request->network->is_apart)
		return 0;
	network = namespaces_open_network(err);
	if (network < 0)
		return -1;
	if (has_hooks(init, SPEC_HOOK_CREATE_CONTAINER))
		return namespaces_raise_loopback(network, err);
	return sync_send(init->sync, SYNC_LOOPBACK, 0, network, err);
}

static int set_names(struct init *init, struct error *err)
{
	return hostname_apply(init->spec, err);
}

static int join_keyring(struct init *init, struct error *err)
{
	if (init->request->no_new_keyring)
		return 0;
	if (init->spec->process &&
		selinux_set_on_key_creation(&init->rootfs->procfs, init->spec->process, err) < 0)
		return -1;
	return keyring_join(init->request->id, err);
}

static int prepare_rootfs(struct init *init, struct error *err)
{
	return rootfs_prepare(init->rootfs, init->request->rootfs_request, err);
}

static int join_network(struct init *init, struct error *err)
{
	return network_join(init->request->network, err);
}

static int run_hooks(struct init *init, enum spec_hook_kind kind, const char *const *default_env,
	const char *cwd, struct error *err)
{
	struct state state = *init->request->state;
	cleanup_text struct text json = { 0 };
	struct hooks_request request = {
		.kind = kind,
		.default_env = default_env,
		.cwd = cwd,
	};

	if (!has_hooks(init, kind))
		return 0;
	state.status = STATE_CREATED;
	state.has_pid = true;
	state.pid = getpid(); /* as the container sees it */
	state_write(&state, 0, &json);
	if (text_check(&json, err) < 0)
		return -1;
	request.state = json.data;
	return hooks_run(&init->spec->hooks.lists[kind], &request, err);
}

/* It is compiled beside us. */
static int wait_for_filter(struct init *init, struct error *err)
{
	struct syscall_filter *filter = init->request->filter;

	if (!syscall_filter_is_pending(filter))
		return 0;
	if (sync_ask(init->sync, SYNC_FILTER, 0, err) < 0)
		return -1;
	syscall_filter_take(filter);
	return 0;
}

static bool has_hooks_in_create(const struct init *init)
{
	return has_hooks(init, SPEC_HOOK_PRESTART) || has_hooks(init, SPEC_HOOK_CREATE_RUNTIME) ||
	       has_hooks(init, SPEC_HOOK_CREATE_CONTAINER);
}

/* A profile that is wrong is to be known before a hook runs; otherwise it has time. */
static int wait_for_filter_before_hooks(struct init *init, struct error *err)
{
	return has_hooks_in_create(init) ? wait_for_filter(init, err) : 0;
}

/* Our own are none of the runtime's, but may not run either when it has failed. */
static int wait_for_runtime_hooks(struct init *init, struct error *err)
{
	return has_hooks_in_create(init) ? sync_ask(init->sync, SYNC_HOOKS, 0, err) : 0;
}

static int run_container_hooks(struct init *init, struct error *err)
{
	return run_hooks(
		init, SPEC_HOOK_CREATE_CONTAINER, NULL, init->request->rootfs_request->path, err);
}

static int open_terminal(struct init *init, struct error *err)
{
	const struct spec_process *process = init->spec->process;
	int master, result;

	if (!process || !process->terminal)
		return 0;
	if (terminal_open(init->rootfs->root, process, &init->terminal, err) < 0 ||
		rootfs_bind_console(init->rootfs, init->terminal.slave, err) < 0)
		return -1;
	master = init->terminal.master;
	if (init->request->console_socket >= 0)
		result = terminal_send(&init->terminal, init->request->console_socket, err);
	else if ((result = relay_prepare(master, err)) == 0)
		result = sync_send(init->sync, SYNC_TERMINAL, 0, master, err);
	close_at(&init->terminal.master);
	init->terminal.master = -1;
	return result;
}

/* Before the host's /proc is out of sight, whose /proc/sys is not read-only. */
static int write_sysctls(struct init *init, struct error *err)
{
	return sysctls_write(&init->rootfs->procfs, &init->spec->platform, err);
}

static int hide_paths(struct init *init, struct error *err)
{
	return rootfs_hide(init->rootfs, err);
}

static int switch_root(struct init *init, struct error *err)
{
	return rootfs_switch(init->rootfs, err);
}

/*
 * Whatever the host has lent us is given back while the container's processes
 * may look at us: what stays is what the last steps need.
 */
static int close_descriptors(struct init *init, struct error *err)
{
	const struct init_request *request = init->request;
	const int keep[] = { init->sync, request->channel->start, request->channel->result,
		init->rootfs->procfs.fd, init->terminal.slave };

	return descriptors_close_from(
		DESCRIPTORS_FIRST + request->passed_fds, keep, array_size(keep), err);
}

static int set_up_process(struct init *init, struct error *err)
{
	const struct process_request request = {
		.process = init->spec->process,
		.platform = &init->spec->platform,
		.filter = init->request->filter,
		.procfs = &init->rootfs->procfs,
		.terminal = init->terminal.slave >= 0 ? &init->terminal : NULL,
		.listen_fds = init->request->listen_fds,
		.sends_listener = init->request->sends_listener,
		.notify_socket = init->request->rootfs_request->notify_dir
					 ? "/run/notify/notify.sock"
					 : NULL,
	};

	if (prctl(PR_SET_PDEATHSIG, 0) < 0)
		return error_set_errno(err, "clear the parent-death signal");
	if (!init->spec->process)
		return 0;
	return process_setup(&request, &init->image, err);
}

static int report_ready(struct init *init, struct error *err)
{
	/* Nobody listens there afterwards, and writing to nobody kills. */
	log_set_sink(NULL);
	if (process_tell_ready(&init->image, init->sync, init->request->sends_listener, err) < 0)
		return -1;
	/* Should the runtime be gone before this process is on record, nobody would ever end it. */
	return init->request->is_start_endless ? sync_await_go(init->sync, err) : 0;
}

static const struct init_stage {
	const char *name;
	int (*run)(struct init *init, struct error *err);
} stages[] = {
	{ "namespaces", die_with_parent },
	{ "user namespace", enter_user_namespace },
	{ "namespaces", join_namespaces },
	{ "cgroup", enter_cgroup },
	{ "session", lead_session },
	{ "network", raise_loopback },
	{ "hostname", set_names },
	{ "keyring", join_keyring },
	{ "mounts", prepare_rootfs },
	{ "network", join_network },
	{ "seccomp", wait_for_filter_before_hooks },
	{ "hooks", wait_for_runtime_hooks },
	{ "hooks", run_container_hooks },
	{ "terminal", open_terminal },
	{ "sysctl", write_sysctls },
	{ "paths", hide_paths },
	{ "root", switch_root },
	{ "descriptors", close_descriptors },
	{ "seccomp", wait_for_filter },
	{ "process", set_up_process },
	{ "ready", report_ready },
};

static int make_container(struct init *init, struct error *err)
{
	for (size_t i = 0; i < array_size(stages); i++)
		if (stages[i].run(init, err) < 0)
			return error_phase(err, stages[i].name);
	return 0;
}

/* From here on only what a filter must let pass: read, write, execve, exit_group. */
static int become_program(struct init *init, struct error *err)
{
	char byte;
	ssize_t n;

	do
		n = read(init->request->channel->start, &byte, 1);
	while (n < 0 && errno == EINTR);
	if (n < 0)
		return error_set_errno(err, "wait for start");
	if (n == 0)
		return error_set(err, ERROR_SYSTEM, "who was to start the container is gone");
	if (!init->spec->process)
		return error_set(err, ERROR_SPEC, "the config has no process to start");
	if (run_hooks(init, SPEC_HOOK_START_CONTAINER, init->image.env, NULL, err) < 0)
		return error_phase(err, "hooks");
	if (start_announce(init->request->channel, err) < 0)
		return error_phase(err, "exec");
	process_execute(init->spec->process, &init->image, err);
	return error_phase(err, "exec");
}

void init_run(void *context, bool is_mapped)
{
	const struct init_request *request = context;
	struct init init = {
		.request = request,
		.spec = request->spec,
		.rootfs = request->rootfs,
		.terminal = TERMINAL_CLOSED,
		.image.listener = -1,
		.is_mapped = is_mapped,
		.sync = request->sync[1],
	};
	struct error err = { 0 };
	ssize_t ignored;

	close(request->dir->fd);
	close(request->dir->root_fd);
	sync_log_to(&init.sync, request->log_level);
	if (make_container(&init, &err) < 0) {
		sync_send_error(init.sync, &err);
		_exit(1);
	}
	become_program(&init, &err);
	ignored = write(request->channel->result, &err, sizeof(err));
	(void)ignored;
	_exit(1);
}
