/* SPDX-License-Identifier: Apache-2.0 */
#include "libcontainer/kernel/syscall_filter_apart.h"

#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "libcontainer/kernel/syscall_filter_layout.h"

/* What the child leaves, in memory that both have. */
struct outcome {
	int result;
	struct error error;
	size_t length;
	struct sock_filter code[BPF_MAXINSNS];
};

/* The limit ends it also when nobody is left who waits for it. */
static int limit_time(struct error *err)
{
	const rlim_t most = SYSCALL_FILTER_APART_SECONDS;
	struct rlimit limit;

	if (prctl(PR_SET_PDEATHSIG, SIGKILL) < 0 || getrlimit(RLIMIT_CPU, &limit) < 0)
		return error_set_errno(err, "limit the compiler of the seccomp filter");
	/* One that is lower already is not to be raised. */
	limit.rlim_cur = limit.rlim_cur < most ? limit.rlim_cur : most;
	limit.rlim_max = limit.rlim_max < most ? limit.rlim_max : most;
	if (setrlimit(RLIMIT_CPU, &limit) < 0)
		return error_set_errno(err, "limit the compiler of the seccomp filter");
	return 0;
}

static int compile(
	const struct syscall_filter_rules *rules, struct outcome *outcome, struct error *err)
{
	struct sock_filter *code;

	if (limit_time(err) < 0 || syscall_filter_layout(rules, &code, &outcome->length, err) < 0)
		return -1;
	memcpy(outcome->code, code, outcome->length * sizeof(*code));
	free(code);
	return 0;
}

static int wait_for(pid_t pid, struct error *err)
{
	int status;
	pid_t ended;

	do
		ended = waitpid(pid, &status, 0);
	while (ended < 0 && errno == EINTR);
	if (ended < 0)
		return error_set_errno(err, "wait for the compiler of the seccomp filter");
	if (WIFEXITED(status))
		return 0;
	error_set(err, ERROR_UNSUPPORTED,
		"libseccomp does not come to an end with these rules: ended by signal %d",
		WTERMSIG(status));
	error_point(err, "/linux/seccomp/syscalls");
	return error_hint(err, "rules with several conditions for one system call can do that");
}

static int take(const struct outcome *outcome, struct sock_filter **ret_code, size_t *ret_length,
	struct error *err)
{
	size_t size = outcome->length * sizeof(**ret_code);
	struct sock_filter *code;

	if (outcome->result < 0)
		return error_adopt(err, &outcome->error);
	code = malloc(size);
	if (!code)
		return error_set_errno(err, "make the seccomp filter");
	memcpy(code, outcome->code, size);
	*ret_code = code;
	*ret_length = outcome->length;
	return 0;
}

int syscall_filter_compile_apart(const struct syscall_filter_rules *rules,
	struct sock_filter **ret_code, size_t *ret_length, struct error *err)
{
	struct outcome *outcome = mmap(
		NULL, sizeof(*outcome), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	int result = -1;
	pid_t pid;

	if (outcome == MAP_FAILED)
		return error_set_errno(err, "make room for the seccomp filter");
	pid = fork();
	if (pid == 0) {
		outcome->result = compile(rules, outcome, &outcome->error);
		_exit(0);
	}
	if (pid < 0)
		error_set_errno(err, "fork the compiler of the seccomp filter");
	else if (wait_for(pid, err) == 0)
		result = take(outcome, ret_code, ret_length, err);
	munmap(outcome, sizeof(*outcome));
	return result;
}
