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

static pid_t wait_for(pid_t pid, int *ret_status)
{
	pid_t ended;

	do
		ended = waitpid(pid, ret_status, 0);
	while (ended < 0 && errno == EINTR);
	return ended;
}

int syscall_filter_apart_begin(
	int (*work)(void *context, struct syscall_filter_outcome *outcome, struct error *err),
	void *context, struct syscall_filter_apart *ret_apart, struct error *err)
{
	struct syscall_filter_outcome *outcome = mmap(
		NULL, sizeof(*outcome), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	pid_t pid;

	if (outcome == MAP_FAILED)
		return error_set_errno(err, "make room for the seccomp filter");
	pid = fork();
	if (pid == 0) {
		outcome->result = -1;
		if (limit_time(&outcome->error) == 0)
			outcome->result = work(context, outcome, &outcome->error);
		_exit(0);
	}
	if (pid < 0) {
		error_set_errno(err, "fork the compiler of the seccomp filter");
		munmap(outcome, sizeof(*outcome));
		return -1;
	}
	*ret_apart = (struct syscall_filter_apart){ .pid = pid, .outcome = outcome };
	return 0;
}

int syscall_filter_apart_wait(struct syscall_filter_apart *apart, struct error *err)
{
	pid_t pid = apart->pid;
	int status;

	apart->pid = 0;
	if (wait_for(pid, &status) < 0)
		return error_set_errno(err, "wait for the compiler of the seccomp filter");
	if (WIFEXITED(status))
		return apart->outcome->result < 0 ? error_adopt(err, &apart->outcome->error) : 0;
	error_set(err, ERROR_UNSUPPORTED,
		"libseccomp does not come to an end with these rules: ended by signal %d",
		WTERMSIG(status));
	error_point(err, "/linux/seccomp/syscalls");
	return error_hint(err, "rules with several conditions for one system call can do that");
}

void syscall_filter_apart_release(struct syscall_filter_apart *apart)
{
	if (apart->pid > 0) {
		kill(apart->pid, SIGKILL);
		(void)!wait_for(apart->pid, &(int){ 0 });
	}
	if (apart->outcome)
		munmap(apart->outcome, sizeof(*apart->outcome));
	*apart = (struct syscall_filter_apart){ 0 };
}
