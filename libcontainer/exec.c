/* SPDX-License-Identifier: Apache-2.0 */
#include "libcontainer/container.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <jansson.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <string.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "libcontainer/exec_process.h"
#include "libcontainer/foreground.h"
#include "libcontainer/handle.h"
#include "libcontainer/kernel/apparmor.h"
#include "libcontainer/kernel/capabilities.h"
#include "libcontainer/kernel/cgroup_oom.h"
#include "libcontainer/kernel/cgroup_stats.h"
#include "libcontainer/kernel/credentials.h"
#include "libcontainer/kernel/intel_rdt.h"
#include "libcontainer/kernel/keyring.h"
#include "libcontainer/kernel/pidfd.h"
#include "libcontainer/kernel/selinux.h"
#include "libcontainer/kernel/syscall_notify.h"
#include "libcontainer/kernel/terminal.h"
#include "libcontainer/launch.h"
#include "libcontainer/passed_fds.h"
#include "libcontainer/pid_file.h"
#include "libcontainer/process_setup.h"
#include "libcontainer/relay.h"
#include "libcontainer/sync.h"

/* Between the ends of one process of a cgroup that is killed and of another. */
#define KILL_SPREAD_MS 100

/* How long to look away from a process whose socket has ended before its execve(2). */
#define EARLY_END_MS 5

/* The process and, for a moment, the one that makes it. */
#define TASKS_OF_BIRTH 2

/* One more process for a container that runs. */
struct addition {
	const struct exec_options *options;
	struct passed_fds passed;
	struct handle handle;
	struct spec_document *document; /* of the container's config */
	const struct spec *spec;
	struct exec_process process;
	struct syscall_filter filter;
	int sync[2];
	int console_socket;
	int terminal; /* the master, when no console socket takes it; or -1 */
	bool is_ready;
	bool sends_listener;           /* the process does: we can't take it */
	struct cgroup_oom_watch kills; /* in the container's group, from the process's birth on */
	int64_t deadline;              /* by which the process has to have become the program */
	struct interrupts interrupts;  /* which end the wait for that */
	struct launch_request launch;
	struct launched child;
};

static int check_status(const struct addition *addition, struct error *err)
{
	const struct handle *handle = &addition->handle;

	if (handle->status == STATE_CREATED || handle->status == STATE_RUNNING)
		return 0;
	if (handle->status != STATE_PAUSED)
		return error_set(err, ERROR_STATE, "cannot exec in a container that is %s",
			state_status_word(handle->status));
	if (addition->options->ignore_paused)
		return 0;
	error_hint(err, "resume it, or give --ignore-paused to wait until somebody does");
	return error_set(err, ERROR_STATE, "cannot exec in a paused container");
}

static int check_options(const struct addition *addition, struct error *err)
{
	const struct exec_options *options = addition->options;
	bool has_terminal = addition->process.process->terminal;

	if (options->console_socket && !has_terminal)
		return error_set(err, ERROR_USAGE,
			"--console-socket was given, but the process has no terminal");
	if (has_terminal && options->detach && !options->console_socket)
		return error_set(err, ERROR_USAGE,
			"a terminal of a detached process needs --console-socket");
	return 0;
}

/* The cgroup, by descriptors, while there still is the right to open it. */
static int prepare_cgroup(struct addition *addition, struct error *err)
{
	struct cgroup *cgroup = addition->handle.file.cgroup;
	const struct spec_strings *words = &addition->options->cgroups;

	for (size_t i = 0; i < words->count; i++)
		if (cgroup_choose_entry(cgroup, words->items[i], err) < 0)
			return error_wrap(err, "--cgroup '%s'", words->items[i]);
	if (cgroup_prepare_entry(cgroup, err) == 0)
		return 0;
	return words->count ? error_wrap(err, "--cgroup") : -1;
}

static int prepare_filter(struct addition *addition, struct error *err)
{
	cleanup_fd int cache = state_dir_open_cache(&addition->handle.dir);

	addition->sends_listener = !capabilities_may_trace();
	return syscall_filter_prepare(addition->document, cache, &addition->filter, err);
}

/* What the process takes from the container it joins, or brings along. */
static int prepare(struct addition *addition, struct error *err)
{
	const struct spec_process *process;

	if (handle_load_spec(&addition->handle, &addition->document, &addition->spec, err) < 0 ||
		exec_process_build(&addition->process, addition->spec, addition->options, err) < 0)
		return -1;
	process = addition->process.process;
	if (check_options(addition, err) < 0 || apparmor_check(process, err) < 0 ||
		selinux_check(process, err) < 0)
		return -1;
	if (addition->spec->platform.has_seccomp && prepare_filter(addition, err) < 0)
		return -1;
	if (prepare_cgroup(addition, err) < 0)
		return -1;
	if (addition->options->console_socket) {
		addition->console_socket = terminal_connect(addition->options->console_socket, err);
		if (addition->console_socket < 0)
			return error_wrap(err, "--console-socket");
	}
	return sync_open(addition->sync, err);
}

static int open_terminal(
	const struct addition *addition, struct terminal *terminal, int sync, struct error *err)
{
	cleanup_fd int root = -1;
	int result;

	if (!addition->process.process->terminal)
		return 0;
	root = open("/", O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (root < 0)
		return error_set_call(err, "open", "/");
	if (terminal_open(root, addition->process.process, terminal, err) < 0)
		return -1;
	if (addition->console_socket >= 0)
		result = terminal_send(terminal, addition->console_socket, err);
	else if ((result = relay_prepare(terminal->master, err)) == 0)
		result = sync_send(sync, SYNC_TERMINAL, 0, terminal->master, err);
	close_at(&terminal->master);
	terminal->master = -1;
	return result;
}

/* What joining namespaces alone does not give. */
static int enter_container(const struct addition *addition, struct error *err)
{
	const char *rootfs = addition->handle.file.rootfs;

	if (addition->launch.target_namespaces & CLONE_NEWUSER && credentials_become_root(err) < 0)
		return -1;
	if (addition->launch.target_namespaces & CLONE_NEWNS)
		return 0;
	if (chroot(rootfs) < 0 || chdir("/") < 0)
		return error_set_call(err, "chroot", rootfs);
	return 0;
}

/* The container's own, or the program could use the keys of whoever called exec. */
static int join_keyring(const struct addition *addition, struct error *err)
{
	const struct state_file *file = &addition->handle.file;

	return file->no_new_keyring ? 0 : keyring_join(file->id, err);
}

static int set_up_child(
	struct addition *addition, int sync, struct process_image *image, struct error *err)
{
	struct terminal terminal = TERMINAL_CLOSED;
	struct procfs procfs = PROCFS_INIT;
	const struct process_request request = {
		.process = addition->process.process,
		.platform = &addition->spec->platform,
		.filter = &addition->filter,
		.procfs = &procfs,
		.terminal = addition->process.process->terminal ? &terminal : NULL,
		.listen_fds = addition->passed.listen,
		.sends_listener = addition->sends_listener,
		.known_capabilities = addition->process.known_capabilities,
	};

	if (setsid() < 0)
		return error_set_errno(err, "make a session");
	if (enter_container(addition, err) < 0 || join_keyring(addition, err) < 0 ||
		open_terminal(addition, &terminal, sync, err) < 0)
		return -1;
	return process_setup(&request, image, err);
}

/* The listener ends at execve(2), and is to be taken before. */
static int report_ready(const struct addition *addition, const struct process_image *image,
	int sync, struct error *err)
{
	if (process_tell_ready(image, sync, addition->sends_listener, err) < 0)
		return -1;
	return image->listener < 0 ? 0 : sync_await_go(sync, err);
}

/* The new process; the end of the socket at its execve(2) says that it went well. */
static void run_child(void *context, bool is_mapped)
{
	struct addition *addition = context;
	int sync = addition->sync[1];
	struct process_image image;
	struct error err = { 0 };

	(void)is_mapped;
	sync_log_to(&sync, LOG_LEVEL_DEBUG);
	if (set_up_child(addition, sync, &image, &err) == 0 &&
		report_ready(addition, &image, sync, &err) == 0) {
		process_execute(addition->process.process, &image, &err);
		error_phase(&err, "exec");
	}
	error_phase(&err, "process");
	sync_send_error(sync, &err);
	_exit(1);
}

/* A process is born in its parent's class and monitoring group. */
static int join_class(void *context, struct error *err)
{
	const struct addition *addition = context;
	const struct state_file *file = &addition->handle.file;

	return intel_rdt_join(
		addition->spec->platform.intel_rdt, file->id, &file->rdt, getpid(), err);
}

/*
 * Which namespaces to join is asked by a number, that of the first process. As
 * long as that lives afterwards, the number was its own, and setns(2) by the
 * pidfd fails from its end on.
 */
static int compare_namespaces(
	const struct addition *addition, unsigned *ret_flags, struct error *err)
{
	if (namespaces_compare(addition->handle.file.pid, ret_flags, err) < 0)
		return -1;
	if (!pidfd_is_alive(addition->handle.pidfd))
		return error_set(err, ERROR_STATE, "the container has ended");
	return 0;
}

/*
 * The lock is held until the process is where it belongs: nobody then deletes
 * the container from under it. Only one that is born frozen can't get there
 * before somebody who takes the lock resumes the container; should that be
 * deleted instead, its cgroup and namespaces take nobody any more.
 */
static int give_birth(struct addition *addition, struct error *err)
{
	unsigned namespaces;
	int result;

	if (compare_namespaces(addition, &namespaces, err) < 0)
		return -1;
	addition->launch = (struct launch_request){
		.platform = &addition->spec->platform,
		.target = addition->handle.pidfd,
		.target_namespaces = namespaces,
		.passed_fds = addition->passed.listen + addition->passed.preserved,
		.console_socket = addition->console_socket,
		.process = addition->process.process,
		.affinity = addition->process.process,
		.cgroup = addition->handle.file.cgroup,
		.followed = addition->options->cgroups.count ? 0 : addition->handle.file.pid,
		.deadline = addition->deadline,
		.interrupts = &addition->interrupts,
		.sync = addition->sync,
		.settle = join_class,
		.run = run_child,
		.context = addition,
	};
	cgroup_oom_count_open(addition->handle.file.cgroup, &addition->kills);
	if (addition->handle.status == STATE_PAUSED)
		state_dir_unlock(&addition->handle.dir);
	result = launch(&addition->launch, &addition->child, err);
	state_dir_unlock(&addition->handle.dir);
	return result;
}

/* SENT is the listener itself, or -1: then it is REMOTE_FD of the process. */
static int serve_listener(struct addition *addition, int remote_fd, int *sent, struct error *err)
{
	const struct spec_seccomp *profile;
	cleanup_fd int listener = take_fd(sent);
	struct state state;

	if (!addition->filter.needs_listener)
		return 0;
	if (spec_load_seccomp(addition->document, &profile, err) < 0)
		return -1;
	if (listener >= 0 && syscall_notify_check(listener, err) < 0)
		return -1;
	if (listener < 0)
		listener = syscall_notify_take(addition->child.pidfd, remote_fd, err);
	if (listener < 0)
		return -1;
	handle_describe(&addition->handle, &state);
	if (syscall_notify_send(profile->listener_path, &state, addition->child.pid,
		    profile->listener_metadata, listener, err) < 0)
		return -1;
	return sync_send(addition->sync[0], SYNC_GO, 0, -1, err);
}

static int wait_for_message(struct addition *addition, struct error *err)
{
	struct pollfd events[] = {
		{ .fd = addition->sync[0], .events = POLLIN },
		{ .fd = interrupts_fd(&addition->interrupts), .events = POLLIN },
	};

	while (poll(events, array_size(events), clock_poll_timeout(addition->deadline)) < 0)
		if (errno != EINTR)
			return error_set_errno(err, "wait for the process");
	/* When both come at once there may be a program, which gets the signal. */
	return events[0].revents ? 0 : interrupts_check(&addition->interrupts, err);
}

/* Answers one message: each of them is right once, or not at all. */
static int answer(struct addition *addition, struct error *err)
{
	struct sync_message message;
	cleanup_fd int fd = -1;

	if (wait_for_message(addition, err) < 0 ||
		sync_receive_any(addition->sync[0], addition->deadline, &message, &fd, err) < 0)
		return -1;
	switch ((int)message.type) {
	case SYNC_WARNING:
	case SYNC_DEBUG:
		/* There was no program yet; and one who never stops to send hides no signal. */
		return interrupts_check(&addition->interrupts, err);
	case SYNC_TERMINAL:
		if (fd < 0 || addition->terminal >= 0)
			return sync_refuse(&message, err);
		addition->terminal = take_fd(&fd);
		return 0;
	case SYNC_READY:
		if (addition->is_ready)
			return sync_refuse(&message, err);
		addition->is_ready = true;
		return serve_listener(addition, message.value, &fd, err);
	default:
		return sync_refuse(&message, err);
	}
}

static int explain_lack_of_memory(struct error *err)
{
	error_set(err, ERROR_SYSTEM,
		"the process was killed for lack of memory before it became the program");
	return error_hint(err, "the container's memory limit is reached");
}

/* The group's limit of tasks, or -1 unless that leaves too little room to make the process. */
static int64_t limit_that_is_reached(struct cgroup *cgroup)
{
	struct error ignored = { 0 };
	json_t *stats = NULL, *pids, *limit;
	int64_t reached = -1;

	if (!cgroup || cgroup_stats(cgroup, &stats, &ignored) < 0)
		return -1;
	pids = json_object_get(stats, "pids");
	limit = json_object_get(pids, "limit");
	if (limit && json_integer_value(json_object_get(pids, "current")) >
			     json_integer_value(limit) - TASKS_OF_BIRTH)
		reached = json_integer_value(limit);
	json_decref(stats);
	return reached;
}

static int explain_lack_of_tasks(const struct addition *addition, struct error *err)
{
	const struct spec_resources *resources = addition->spec->platform.resources;
	int64_t limit = limit_that_is_reached(addition->handle.file.cgroup);

	if (limit < 0)
		return -1;
	/* update may have changed it since. */
	if (resources && resources->pids_limit.is_set && resources->pids_limit.value == limit)
		error_point(err, "/linux/resources/pids/limit");
	return error_hint(err,
		"the container may have %" PRId64 " task%s; the process, and the one that makes "
		"it, need room for two more",
		limit, limit == 1 ? "" : "s");
}

/* The process between, which lives in the same group, is gone without a word. */
static int explain_birth(const struct addition *addition, struct error *err)
{
	if (err->sys_errno == EAGAIN)
		return explain_lack_of_tasks(addition, err);
	if (!sync_is_end(err))
		return -1;
	*err = (struct error){ 0 };
	if (cgroup_oom_count_kills(&addition->kills) > 0)
		return explain_lack_of_memory(err);
	return error_set(err, ERROR_SYSTEM, "the process was ended before it became the program");
}

/* The filter denies one of the calls that are left when it is loaded, or kills for it. */
static int explain_filter(const struct addition *addition, struct error *err)
{
	bool has_listener = addition->filter.needs_listener;

	if (addition->spec->platform.has_seccomp)
		error_point(err, "/linux/seccomp");
	if (addition->is_ready)
		return error_hint(err, "the seccomp profile has to allow %sexecve(2)",
			has_listener ? "read(2) and " : "");
	return error_hint(err,
		"the seccomp profile has to allow %s(2), by which the process says that it is "
		"ready%s",
		has_listener && addition->sends_listener ? "sendmsg" : "write",
		addition->process.process->no_new_privileges
			? ""
			: "; without noNewPrivileges also capset(2) and prctl(2)");
}

/* It can say nothing itself: killed for want of memory, or by the filter. */
static int explain_death(struct addition *addition, struct error *err)
{
	struct error ignored = { 0 };
	int status, signal;
	bool has_ended;

	if (pidfd_reap(addition->child.pidfd, PIDFD_DEATH_MS, &status, &signal, err) < 0)
		return error_wrap(err, "find out how the process has ended");
	close_at(&addition->child.pidfd);
	addition->child.pidfd = -1;
	/* Its own, or that of the process between, without which it ends. */
	if ((signal == SIGKILL || !signal) && cgroup_oom_count_kills(&addition->kills) > 0)
		return explain_lack_of_memory(err);
	if (!signal) {
		error_set(err, ERROR_SYSTEM,
			"the process ended with status %d before it became the program", status);
		return addition->spec->platform.has_seccomp ? explain_filter(addition, err) : -1;
	}
	/* Whoever kills a whole cgroup gets to the container's first process in a moment. */
	if (signal == SIGKILL)
		(void)!pidfd_wait_exit(
			addition->handle.pidfd, KILL_SPREAD_MS, &has_ended, &ignored);
	error_set(err, ERROR_SYSTEM,
		"the process was ended by signal %d (SIG%s) before it became the program", signal,
		sigabbrev_np(signal) ?: "?");
	/* With exit_group(2) denied the C library ends by a segmentation fault. */
	if (signal == SIGSYS || (signal == SIGSEGV && addition->spec->platform.has_seccomp))
		return explain_filter(addition, err);
	return -1;
}

/*
 * The socket ends at execve(2), when that has been noted, or when the process dies,
 * before that can be waited for; a tracer in the container can end it at any time.
 */
static int see_it_start(struct addition *addition, struct error *err)
{
	enum pidfd_progress progress;
	bool has_ended = false, is_last;

	while (answer(addition, err) == 0)
		;
	if (!sync_is_end(err))
		return -1;
	*err = (struct error){ 0 };
	for (;;) {
		is_last = has_ended;
		if (pidfd_find_progress(
			    addition->child.pidfd, addition->child.pid, &progress, err) < 0)
			return error_wrap(err, "find out whether the program runs");
		if (progress == PIDFD_EXECUTED)
			return 0;
		if (is_last)
			return explain_death(addition, err);
		if (clock_now_ms() >= addition->deadline)
			return sync_time_out(err);
		if (interrupts_check(&addition->interrupts, err) < 0 ||
			pidfd_wait_exit(addition->child.pidfd, EARLY_END_MS, &has_ended, err) < 0)
			return -1;
	}
}

static int start_process(struct addition *addition, struct error *err)
{
	const struct exec_options *options = addition->options;

	if (prepare(addition, err) < 0)
		return error_phase(err, "config");
	/* In a paused container it waits for as long as that is. */
	addition->deadline = options->ignore_paused ? CLOCK_NO_DEADLINE : sync_deadline();
	if (give_birth(addition, err) < 0) {
		explain_birth(addition, err);
		return error_phase(err, "process");
	}
	if (see_it_start(addition, err) < 0)
		return error_phase(err, "process");
	if (pid_file_write(options->pid_file, addition->child.pid, err) < 0)
		return error_phase(err, "pid file");
	if (pid_file_send(options->pidfd_socket, addition->child.pidfd, "setns", err) == 0)
		return 0;
	pid_file_remove(options->pid_file);
	return error_phase(err, "pid file");
}

/* What fails because the container has ended meanwhile fails for that reason. */
static int add_process(struct addition *addition, struct error *err)
{
	if (check_status(addition, err) < 0)
		return error_phase(err, "state");
	if (start_process(addition, err) == 0)
		return 0;
	if (pidfd_is_alive(addition->handle.pidfd) && !pidfd_is_doomed(addition->handle.file.pid))
		return exec_process_blame(addition->options, err);
	*err = (struct error){ 0 };
	addition->handle.status = STATE_STOPPED;
	(void)check_status(addition, err);
	return error_phase(err, "state");
}

static int attend(struct addition *addition, int signals, int *ret_exit_status, struct error *err)
{
	struct relay *relay = NULL;
	int result;

	/* Whoever deletes the container need not wait for the program's end. */
	handle_close(&addition->handle);
	if (addition->options->detach)
		return 0;
	if (addition->terminal >= 0 && relay_open(take_fd(&addition->terminal), &relay, err) < 0)
		return -1;
	result = foreground_wait(&(struct foreground){ .signals = signals,
					 .pid = addition->child.pid,
					 .pidfd = addition->child.pidfd,
					 .relay = relay },
		ret_exit_status, err);
	relay_close(relay);
	if (result == 0)
		foreground_note_kills(*ret_exit_status, cgroup_oom_count_kills(&addition->kills));
	return result;
}

/*
 * Says where in its file an error is that carries a pointer. A process.json
 * has no member "linux": what points there is the container's own config.
 */
static void locate(const struct addition *addition, struct error *err)
{
	if (!strncmp(err->pointer, "/linux/", strlen("/linux/")))
		spec_document_locate(addition->document, err);
	else if (addition->process.document)
		spec_document_locate(addition->process.document, err);
}

static void release(struct addition *addition)
{
	int *const fds[] = { &addition->sync[0], &addition->sync[1], &addition->console_socket,
		&addition->terminal, &addition->child.pidfd };

	for (size_t i = 0; i < array_size(fds); i++)
		close_at(fds[i]);
	interrupts_close(&addition->interrupts);
	cgroup_oom_watch_close(&addition->kills);
	syscall_filter_release(&addition->filter);
	exec_process_release(&addition->process);
	spec_document_free(addition->document);
	handle_close(&addition->handle);
}

static void end_child(struct addition *addition)
{
	struct error ignored = { 0 };
	int status;

	if (addition->child.pidfd < 0)
		return;
	if (pidfd_signal(addition->child.pidfd, SIGKILL, &(bool){ false }, &ignored) == 0)
		(void)!pidfd_reap(addition->child.pidfd,
			launch_find_patience(addition->handle.file.cgroup, &addition->interrupts),
			&status, NULL, &ignored);
}

static int catch_signals(struct addition *addition, int *ret_signals, struct error *err)
{
	cleanup_fd int signals = foreground_catch_signals(err);

	if (signals < 0 || interrupts_open(&addition->interrupts, err) < 0)
		return -1;
	*ret_signals = take_fd(&signals);
	return 0;
}

int container_exec(const struct runtime *runtime, const char *id,
	const struct exec_options *options, int *ret_exit_status, struct error *err)
{
	struct addition addition = {
		.options = options,
		.handle = HANDLE_CLOSED,
		.sync = { -1, -1 },
		.console_socket = -1,
		.terminal = -1,
		.kills = CGROUP_OOM_WATCH_CLOSED,
		.interrupts = INTERRUPTS_CLOSED,
		.child.pidfd = -1,
	};
	cleanup_fd int signals = -1;
	int result = -1;

	if (passed_fds_guard(options->preserve_fds, &addition.passed, err) < 0)
		return -1;
	/* Signals are caught after the wait for the lock, which they shall end as any other. */
	if (handle_share(&addition.handle, runtime, id, err) == 0 &&
		(options->detach || catch_signals(&addition, &signals, err) == 0) &&
		add_process(&addition, err) == 0)
		result = attend(&addition, signals, ret_exit_status, err);
	if (result < 0) {
		locate(&addition, err);
		end_child(&addition);
	}
	if (result < 0 && addition.interrupts.signal)
		*ret_exit_status = 128 + addition.interrupts.signal;
	release(&addition);
	return result;
}
