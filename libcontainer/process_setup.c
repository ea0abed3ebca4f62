/* SPDX-License-Identifier: Apache-2.0 */
#include "libcontainer/process_setup.h"

#include <errno.h>
#include <signal.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "libcontainer/kernel/apparmor.h"
#include "libcontainer/kernel/capabilities.h"
#include "libcontainer/kernel/credentials.h"
#include "libcontainer/kernel/io_priority.h"
#include "libcontainer/kernel/memory_policy.h"
#include "libcontainer/kernel/personality.h"
#include "libcontainer/kernel/rlimits.h"
#include "libcontainer/kernel/scheduler.h"
#include "libcontainer/kernel/selinux.h"
#include "libcontainer/sync.h"

/* What umask unset means; both peers and all engines expect it. */
#define DEFAULT_UMASK 022

#define CWD_MAX 4096

/* MAX_ARG_STRLEN of <linux/binfmts.h>, which counts the NUL. */
#define ARGUMENT_MAX_PAGES 32

static int point_at_cwd(const struct spec_process *process, struct error *err)
{
	return error_point(err, "%s/cwd", process->pointer);
}

/* In the words of others, which engines turn into an exit status. */
static int fail_without_cwd(const struct spec_process *process, struct error *err)
{
	error_set_command(err, ENOENT, "chdir to cwd (\"%s\")", process->cwd);
	error_hint(
		err, "the container has no such directory; create makes it, but exec makes none");
	return point_at_cwd(process, err);
}

/*
 * Goes to process.cwd with the rights of root. For the first process rootfs_hide() has
 * made it when it was missing; exec must not change the container's files by a slip.
 * RET_IS_THERE is false when only the user may go there, on NFS say.
 */
static int enter_cwd(const struct spec_process *process, bool *ret_is_there, struct error *err)
{
	*ret_is_there = chdir(process->cwd) == 0;
	if (*ret_is_there || errno == EACCES || errno == EPERM)
		return 0;
	if (errno == ENOENT)
		return fail_without_cwd(process, err);
	error_set_call(err, "chdir", process->cwd);
	return point_at_cwd(process, err);
}

/*
 * The kernel gives a path that begins with "(unreachable)" for a directory
 * outside the root, as /proc/self/fd/N of a leaked descriptor would be
 * (CVE-2024-21626). The bare system call: libc's getcwd(3) hides that.
 */
static int check_cwd(const struct spec_process *process, struct error *err)
{
	char path[CWD_MAX];

	if (syscall(SYS_getcwd, path, sizeof(path)) < 0)
		error_set_call(err, "getcwd", process->cwd);
	else if (path[0] != '/')
		error_set(err, ERROR_SPEC, "'%s' lies outside the container's root", process->cwd);
	else
		return 0;
	return point_at_cwd(process, err);
}

static int enter_cwd_as_user(const struct spec_process *process, bool is_there, struct error *err)
{
	if (!is_there && chdir(process->cwd) < 0) {
		error_set_call(err, "chdir", process->cwd);
		return point_at_cwd(process, err);
	}
	return check_cwd(process, err);
}

/* Whatever the caller ignores or blocks is not the container's business. */
static int reset_signals(struct error *err)
{
	const struct sigaction by_default = { .sa_handler = SIG_DFL };
	sigset_t none;

	sigemptyset(&none);
	/* EINVAL: SIGKILL, SIGSTOP, and what the C library keeps for itself. */
	for (int i = 1; i < NSIG; i++)
		if (sigaction(i, &by_default, NULL) < 0 && errno != EINVAL)
			return error_set_errno(err, "reset signal %d", i);
	if (sigprocmask(SIG_SETMASK, &none, NULL) < 0)
		return error_set_errno(err, "unblock signals");
	return 0;
}

static int set_attributes(const struct process_request *request, struct error *err)
{
	const struct spec_process *process = request->process;
	const struct spec_linux *platform = request->platform;

	if (rlimits_apply(process, request->procfs, err) < 0 || scheduler_apply(process, err) < 0 ||
		io_priority_apply(process, err) < 0 ||
		memory_policy_apply(platform->memory_policy, err) < 0 ||
		personality_apply(platform->personality, err) < 0 ||
		apparmor_set_on_exec(request->procfs, process, err) < 0 ||
		selinux_set_on_exec(request->procfs, process, err) < 0)
		return -1;
	return 0;
}

static int attach_terminal(const struct process_request *request, struct error *err)
{
	struct terminal *terminal = request->terminal;

	if (!terminal)
		return 0;
	if (terminal_give_to(terminal, request->process->user.uid, err) < 0 ||
		terminal_control(terminal, err) < 0 || terminal_attach(terminal, err) < 0)
		return -1;
	terminal_close(terminal);
	return 0;
}

/* It is after the limits, for only as the user may the image's files be read. */
static int explain_environment(const struct spec_process *process, struct error *err)
{
	if (err->sys_errno != EMFILE)
		return -1;
	for (size_t i = 0; i < process->n_rlimits; i++)
		if (process->rlimits[i].type == RLIMIT_NOFILE)
			error_point(err, "%s/rlimits/%zu", process->pointer, i);
	return error_hint(err, "with HOME in process.env nobody has to look for it");
}

static int find_program(
	const struct process_request *request, struct process_image *image, struct error *err)
{
	const struct environment_request environment = {
		.process = request->process,
		.listen_fds = request->listen_fds,
		.notify_socket = request->notify_socket,
	};

	if (environment_build(&environment, &image->arena, &image->env, err) < 0)
		return explain_environment(request->process, err);
	if (exec_lookup(request->process, &image->path, err) < 0)
		return -1;
	image->has_filter = request->filter->length > 0;
	/* Later the filter may forbid to look. */
	if (image->has_filter)
		exec_examine(image->path.data, &image->findings);
	return 0;
}

/* It is by this call that the descriptor is handed on. */
static int check_sendmsg(const struct process_request *request, struct error *err)
{
	if (!request->sends_listener || !request->filter->notifies_sendmsg)
		return 0;
	error_set(err, ERROR_UNSUPPORTED,
		"SCMP_ACT_NOTIFY is not possible for 'sendmsg' without CAP_SYS_PTRACE");
	return error_point(err, "/linux/seccomp/syscalls");
}

/*
 * The agent gets its descriptor only when the last of our calls has been made, so
 * nobody could answer for those that come after the filter.
 */
static int check_notified(
	const struct syscall_filter *filter, const struct capability_sets *sets, struct error *err)
{
	const char *name = filter->notifies_capset                       ? "capset"
			   : filter->notifies_prctl && sets->inheritable ? "prctl"
									 : NULL;

	if (!name)
		return 0;
	error_set(err, ERROR_UNSUPPORTED,
		"SCMP_ACT_NOTIFY is not possible for '%s' without process.noNewPrivileges", name);
	error_hint(err, "capabilities can't be dropped before the filter is loaded then");
	return error_point(err, "/linux/seccomp/syscalls");
}

/*
 * Loading a filter takes CAP_SYS_ADMIN or no_new_privs. With no_new_privs it
 * is loaded last, when nothing of ours is left to do. Without, the profile has
 * to let the last capset(2) and prctl(2) pass, as those of engines do: the
 * capability can't be dropped before it is used.
 */
static int confine(const struct process_request *request, const struct capability_sets *sets,
	int *ret_listener, struct error *err)
{
	if (check_sendmsg(request, err) < 0)
		return -1;
	if (request->process->no_new_privileges) {
		if (capabilities_apply(sets, err) < 0 || credentials_forbid_new_privileges(err) < 0)
			return -1;
		return syscall_filter_load(request->filter, ret_listener, err);
	}
	if (check_notified(request->filter, sets, err) < 0 ||
		(request->filter->length && capabilities_regain(err) < 0))
		return -1;
	if (syscall_filter_load(request->filter, ret_listener, err) < 0)
		return -1;
	return capabilities_apply(sets, err);
}

int process_setup(
	const struct process_request *request, struct process_image *ret_image, struct error *err)
{
	const struct spec_process *process = request->process;
	struct capability_sets sets;
	bool is_there;

	*ret_image = (struct process_image){ .listener = -1 };
	if (reset_signals(err) < 0)
		return -1;
	/* The limits may leave no descriptor to make the directory with. */
	if (enter_cwd(request->process, &is_there, err) < 0 || set_attributes(request, err) < 0)
		return -1;
	procfs_release(request->procfs);
	if (attach_terminal(request, err) < 0 ||
		capabilities_limit(process, request->known_capabilities, &sets, err) < 0)
		return -1;
	umask(process->user.umask.is_set ? (mode_t)process->user.umask.value : DEFAULT_UMASK);
	if (credentials_apply(process, err) < 0 || capabilities_preview(&sets, err) < 0 ||
		enter_cwd_as_user(process, is_there, err) < 0 ||
		find_program(request, ret_image, err) < 0)
		return -1;
	return confine(request, &sets, &ret_image->listener, err);
}

int process_tell_ready(
	const struct process_image *image, int sync, bool sends_listener, struct error *err)
{
	int sent = sends_listener ? image->listener : -1;

	if (sync_send(sync, SYNC_READY, image->listener, sent, err) == 0)
		return 0;
	if (sent < 0)
		return -1;
	error_hint(err, "without CAP_SYS_PTRACE the seccomp profile has to allow sendmsg(2), by "
			"which the agent's descriptor is handed on");
	return error_phase(err, "seccomp");
}

/* How many bytes COUNT strings take; RET_LONG is the first that alone takes more than MAX. */
static size_t measure(const char *const *items, size_t count, size_t max, const char **ret_long)
{
	size_t sum = 0;

	*ret_long = NULL;
	for (size_t i = count; i-- > 0;) {
		size_t size = strlen(items[i]) + 1;

		if (size > max)
			*ret_long = items[i];
		sum += size + sizeof(items[i]);
	}
	return sum;
}

static int point_at_long(const struct spec_process *process, const char *member,
	const struct spec_strings *strings, const char *item, size_t max, struct error *err)
{
	size_t i = 0;

	while (strings->items[i] != item)
		i++;
	error_hint(err, "%s/%zu takes %zu bytes, and no string may take more than %zu", member, i,
		strlen(item) + 1, max);
	return error_point(err, "%s/%s/%zu", process->pointer, member, i);
}

/* For E2BIG (execve(2)). A filter may be in force: no system call is to be made. */
static int explain_size(const struct spec_process *process, struct error *err)
{
	size_t max = ARGUMENT_MAX_PAGES * (size_t)sysconf(_SC_PAGESIZE);
	const struct spec_strings *args = &process->args, *env = &process->env;
	const char *long_arg, *long_variable;
	size_t args_size = measure(args->items, args->count, max, &long_arg);
	size_t env_size = measure(env->items, env->count, max, &long_variable);

	if (long_arg)
		return point_at_long(process, "args", args, long_arg, max, err);
	if (long_variable)
		return point_at_long(process, "env", env, long_variable, max, err);
	error_hint(err,
		"args takes %zu bytes and env %zu; together they may take a quarter of RLIMIT_STACK, "
		"at most 6 MiB",
		args_size, env_size);
	return error_point(err, "%s/%s", process->pointer, env_size > args_size ? "env" : "args");
}

int process_execute(
	const struct spec_process *process, const struct process_image *image, struct error *err)
{
	char *const *argv, *const *env;
	int sys_errno;

	/* execve(2) takes pointers to non-const for historical reasons and writes to neither. */
	memcpy(&argv, &process->args.items, sizeof(argv));
	memcpy(&env, &image->env, sizeof(env));
	execve(image->path.data, argv, env);
	sys_errno = errno;
	exec_explain(image->path.data, sys_errno, image->has_filter ? &image->findings : NULL, err);
	if (sys_errno == E2BIG)
		return explain_size(process, err);
	/* No file gives these, but for one with capabilities that the bounding set lacks. */
	if (image->has_filter && (sys_errno == EPERM || sys_errno == ENOSYS))
		error_hint(err, "the seccomp profile may be what denies execve(2)");
	return error_point(err, "%s/args/0", process->pointer);
}
