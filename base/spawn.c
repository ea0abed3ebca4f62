/* SPDX-License-Identifier: Apache-2.0 */
#include "base/spawn.h"

#include <assert.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "base/exec_examine.h"

#ifndef P_PIDFD
#	define P_PIDFD 3 /* waitid(2), Linux 5.4 */
#endif

/* The child has this much stack for a dozen system calls. */
#define CHILD_STACK_SIZE (32 * 1024)

/* The address sanitizer does not know that stack. */
#define no_sanitizer __attribute__((no_sanitize("address")))

enum { READ_END, WRITE_END };

/* What parent and child share; the parent stands still until the child is gone. */
struct child {
	const struct spawn_request *request;
	int stdio[3];
	const char *failed_op; /* set by the child when it could not execve */
	int failed_errno;
};

/* A run in progress, as the parent sees it. */
struct run {
	pid_t pid;
	int pid_fd;
	int input[2];  /* READ_END is kept too, so that writing never raises SIGPIPE */
	int output[2]; /* standard output when it is wanted apart, else closed */
	int errors[2];
	const char *input_at;
	size_t input_left;
	int64_t start_ms;
};

/* As opendir(3) and readdir(3), which allocate and so are not for this child. */
no_sanitizer static int close_listed(unsigned first)
{
	char buffer[1024] __attribute__((aligned(8)));
	int dir_fd = open("/proc/self/fd", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	long size;

	if (dir_fd < 0)
		return -1;
	while ((size = syscall(SYS_getdents64, dir_fd, buffer, sizeof(buffer))) > 0) {
		for (long at = 0; at < size;) {
			const struct dirent64 *entry = (const void *)(buffer + at);
			unsigned fd = 0;

			for (const char *p = entry->d_name; *p >= '0' && *p <= '9'; p++)
				fd = fd * 10 + (unsigned)(*p - '0');
			if (fd >= first && (int)fd != dir_fd)
				close((int)fd);
			at += entry->d_reclen;
		}
	}
	return size < 0 ? -1 : 0; /* dir_fd closes itself at execve(2) */
}

/*
 * Only the filter of an older sandbox refuses close_range(2), Linux 5.9. Then
 * what is open is looked up: a limit of 2^30 descriptors is not rare, and
 * closing all of them takes minutes.
 */
no_sanitizer static int close_from(unsigned first)
{
	return syscall(SYS_close_range, first, ~0U, 0U) == 0 ? 0 : close_listed(first);
}

/*
 * Ignored signals stay ignored through execve(2), and the runtime itself
 * ignores SIGPIPE and SIGXFSZ.
 */
static int reset_signals(void)
{
	const struct sigaction action = { .sa_handler = SIG_DFL };
	sigset_t none;

	for (int signal = 1; signal < _NSIG; signal++)
		sigaction(signal, &action, NULL);
	sigemptyset(&none);
	return sigprocmask(SIG_SETMASK, &none, NULL);
}

/* execve(2) does not write to them; its prototype is older than const. */
static char *const *unconst(const char *const *strings)
{
	char *const *result;

	memcpy(&result, &strings, sizeof(strings));
	return result;
}

/* Runs on the parent's memory, as after vfork(2): only system calls. */
no_sanitizer static int run_child(void *argument)
{
	static const char *const no_env[] = { NULL };
	struct child *child = argument;
	const struct spawn_request *request = child->request;

	child->failed_op = "prepare";
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (setsid() < 0)
		goto failed;
	for (int fd = 0; fd < 3; fd++)
		if (dup2(child->stdio[fd], fd) < 0)
			goto failed;
	child->failed_op = "close descriptors for";
	if (close_from(3) < 0)
		goto failed;
	umask(request->umask);
	child->failed_op = "enter";
	if (request->cwd && chdir(request->cwd) < 0)
		goto failed;
	child->failed_op = "unblock signals for";
	if (reset_signals() < 0)
		goto failed;
	child->failed_op = "execute";
	execve(request->path, unconst(request->argv), unconst(request->env ?: no_env));
failed:
	child->failed_errno = errno;
	_exit(127);
}

/* In words of its own: the kernel has "not found" also for what a file asks for. */
static int explain_exec(const char *path, int sys_errno, struct error *err)
{
	struct exec_findings findings;
	struct exec_cause cause = { .text = "" };

	exec_examine(path, &findings);
	(void)exec_find_cause(sys_errno, &findings, &cause);
	errno = sys_errno;
	error_set_call(err, "execute", path);
	if (cause.text[0])
		snprintf(err->text, sizeof(err->text), "execute '%s': %s", path, cause.text);
	return cause.hint[0] ? error_hint(err, "%s", cause.hint) : -1;
}

static int explain_failure(const struct child *child, struct error *err)
{
	const struct spawn_request *request = child->request;

	errno = child->failed_errno;
	if (strcmp(child->failed_op, "enter") == 0)
		return error_set_call(err, child->failed_op, request->cwd);
	if (strcmp(child->failed_op, "execute") == 0)
		return explain_exec(request->path, errno, err);
	return error_set_call(err, child->failed_op, request->path);
}

/*
 * Shares memory with the child until it has called execve(2), which spares
 * copying page tables. All signals are blocked meanwhile: a handler that ran
 * in the child would scribble on the parent.
 */
static int start_child(struct child *child, struct run *run, struct error *err)
{
	cleanup_free char *stack = malloc(CHILD_STACK_SIZE);
	int flags = CLONE_VM | CLONE_VFORK | CLONE_PIDFD | SIGCHLD;
	sigset_t all, before;

	if (!stack)
		return error_set(err, ERROR_SYSTEM, "out of memory");
	sigfillset(&all);
	sigprocmask(SIG_SETMASK, &all, &before);
	run->pid = clone(run_child, stack + CHILD_STACK_SIZE, flags, child, &run->pid_fd);
	sigprocmask(SIG_SETMASK, &before, NULL);
	if (run->pid < 0) {
		run->pid_fd = -1;
		return error_set_call(err, "clone", child->request->path);
	}
	if (child->failed_errno) {
		waitid(P_PIDFD, (id_t)run->pid_fd, &(siginfo_t){ 0 }, WEXITED);
		return explain_failure(child, err);
	}
	return 0;
}

static int make_pipe(int fds[2], int nonblocking_end, struct error *err)
{
	if (pipe2(fds, O_CLOEXEC) < 0)
		return error_set_errno(err, "create a pipe");
	/* main() sees to it that 0 to 2 are taken; dup2() in the child needs it. */
	assert(fds[0] > 2 && fds[1] > 2);
	if (fcntl(fds[nonblocking_end], F_SETFL, O_NONBLOCK) < 0)
		return error_set_errno(err, "make a pipe non-blocking");
	return 0;
}

static void close_end(int *fd)
{
	if (*fd >= 0)
		close(*fd);
	*fd = -1;
}

/* Gives what the pipe takes; the end of file follows the last byte. */
static void feed_input(struct run *run)
{
	while (run->input_left) {
		ssize_t n = write(run->input[WRITE_END], run->input_at, run->input_left);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0 && errno == EAGAIN)
			return;
		if (n < 0)
			break;
		run->input_at += n;
		run->input_left -= (size_t)n;
	}
	close_end(&run->input[WRITE_END]);
}

static int open_pipes(const struct spawn_request *request, struct run *run, struct error *err)
{
	if (make_pipe(run->input, WRITE_END, err) < 0 || make_pipe(run->errors, READ_END, err) < 0)
		return -1;
	if (request->output && make_pipe(run->output, READ_END, err) < 0)
		return -1;
	run->input_at = request->input;
	run->input_left = request->input_size;
	feed_input(run);
	return 0;
}

static void keep_tail(struct spawn_result *result, const char *data, size_t size)
{
	size_t kept = result->output_size;

	if (size > SPAWN_OUTPUT_MAX) {
		data += size - SPAWN_OUTPUT_MAX;
		size = SPAWN_OUTPUT_MAX;
	}
	if (kept > SPAWN_OUTPUT_MAX - size) {
		size_t drop = kept - (SPAWN_OUTPUT_MAX - size);

		memmove(result->output, result->output + drop, kept - drop);
		kept -= drop;
	}
	memcpy(result->output + kept, data, size);
	result->output_size = kept + size;
	result->output[result->output_size] = '\0';
}

static int keep_output(
	const struct spawn_request *request, const char *data, size_t size, struct error *err)
{
	if (request->output->length + size > request->output_max)
		return error_set(err, ERROR_SYSTEM, "'%s' wrote more than %zu bytes", request->path,
			request->output_max);
	text_append_bytes(request->output, data, size);
	return text_check(request->output, err);
}

/*
 * Reads what is there, without waiting, but not for ever: a program that
 * writes faster than we read must not keep us from looking at the clock.
 */
static int drain(int *fd, const struct spawn_request *request, struct spawn_result *result,
	bool is_tail, struct error *err)
{
	char chunk[4096];

	for (int i = 0; i < 64; i++) {
		ssize_t n = read(*fd, chunk, sizeof(chunk));

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0 && errno == EAGAIN)
			return 0;
		if (n <= 0) {
			close_end(fd);
			return 0;
		}
		if (is_tail)
			keep_tail(result, chunk, (size_t)n);
		else if (keep_output(request, chunk, (size_t)n, err) < 0)
			return -1;
	}
	return 0;
}

static int drain_all(const struct spawn_request *request, struct run *run,
	struct spawn_result *result, struct error *err)
{
	if (run->errors[READ_END] >= 0 &&
		drain(&run->errors[READ_END], request, result, true, err) < 0)
		return -1;
	if (run->output[READ_END] >= 0)
		return drain(&run->output[READ_END], request, result, false, err);
	return 0;
}

/* Milliseconds for poll(2): -1 without a deadline, 0 when it is over. */
static int time_left(const struct spawn_request *request, const struct run *run)
{
	int64_t left;

	if (!request->timeout_ms)
		return -1;
	left = request->timeout_ms - (clock_now_ms() - run->start_ms);
	return left < 0 ? 0 : left > 3600000 ? 3600000 : (int)left;
}

/* Returns when the program has ended or its time is over. */
static int attend(const struct spawn_request *request, struct run *run, struct spawn_result *result,
	struct error *err)
{
	for (;;) {
		struct pollfd fds[] = {
			{ .fd = run->pid_fd, .events = POLLIN },
			{ .fd = run->errors[READ_END], .events = POLLIN },
			{ .fd = run->output[READ_END], .events = POLLIN },
			{ .fd = run->input[WRITE_END], .events = POLLOUT },
		};
		int timeout = time_left(request, run);
		int n = poll(fds, array_size(fds), timeout);

		if (n < 0 && errno != EINTR)
			return error_set_errno(err, "poll for '%s'", request->path);
		if (n > 0 && fds[3].revents)
			feed_input(run);
		if (drain_all(request, run, result, err) < 0)
			return -1;
		if (n > 0 && fds[0].revents)
			return 0;
		if (timeout == 0) {
			result->has_timed_out = true;
			return 0;
		}
	}
}

/* Its number stands for its session and process group, and until waitid() for nobody else. */
static int reap(const struct spawn_request *request, const struct run *run, bool must_kill,
	struct spawn_result *result, struct error *err)
{
	siginfo_t info = { 0 };
	int n;

	if (must_kill) {
		kill(-run->pid, SIGKILL);
		kill(run->pid, SIGKILL);
	}
	do
		n = waitid(P_PIDFD, (id_t)run->pid_fd, &info, WEXITED);
	while (n < 0 && errno == EINTR);
	if (n < 0)
		return error_set_errno(err, "wait for '%s'", request->path);
	result->duration_ms = clock_now_ms() - run->start_ms;
	result->exit_status = info.si_code == CLD_EXITED ? info.si_status : -1;
	result->signal = info.si_code == CLD_EXITED ? 0 : info.si_status;
	return 0;
}

static int run_program(const struct spawn_request *request, struct run *run,
	struct spawn_result *result, struct error *err)
{
	struct child child = { .request = request };
	int attended;

	if (open_pipes(request, run, err) < 0)
		return -1;
	child.stdio[0] = run->input[READ_END];
	child.stdio[1] = request->output ? run->output[WRITE_END] : run->errors[WRITE_END];
	child.stdio[2] = run->errors[WRITE_END];
	if (start_child(&child, run, err) < 0)
		return -1;
	close_end(&run->errors[WRITE_END]);
	close_end(&run->output[WRITE_END]);
	attended = attend(request, run, result, err);
	if (reap(request, run, attended < 0 || result->has_timed_out, result, err) < 0)
		return -1;
	if (attended < 0)
		return -1;
	return drain_all(request, run, result, err);
}

int spawn_run(
	const struct spawn_request *request, struct spawn_result *ret_result, struct error *err)
{
	struct run run = {
		.pid_fd = -1,
		.input = { -1, -1 },
		.output = { -1, -1 },
		.errors = { -1, -1 },
		.start_ms = clock_now_ms(),
	};
	int result;

	*ret_result = (struct spawn_result){ .exit_status = -1 };
	result = run_program(request, &run, ret_result, err);
	for (int end = READ_END; end <= WRITE_END; end++) {
		close_end(&run.input[end]);
		close_end(&run.output[end]);
		close_end(&run.errors[end]);
	}
	close_end(&run.pid_fd);
	return result;
}
