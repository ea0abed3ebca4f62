/* SPDX-License-Identifier: Apache-2.0 */
#include "libcontainer/kernel/pidfd.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "base/fd.h"

/* Some 50 numbers of at most 20 digits, and a name. */
#define STAT_MAX 2048

/* Of /proc/PID/stat, counted from 1 as proc(5) does. */
#define FIELD_AFTER_NAME 3
#define FIELD_FLAGS      9
#define FIELD_START_TIME 22
#define FIELD_PENDING    31
#define FIELD_EXIT_CODE  52

/* Of the flags (include/linux/sched.h): its end has begun; it is a copy of its parent. */
#define PF_EXITING    0x04
#define PF_FORKNOEXEC 0x40

/* What younger headers have in <linux/pidfd.h>, up to the member that is wanted. */
struct info_of_pidfd {
	uint64_t mask;
	uint64_t cgroup;
	uint32_t numbers[11];
	int32_t exit_status; /* as wait(2) has it */
};

#define GET_INFO  _IOWR(0xff, 11, struct info_of_pidfd)
#define INFO_EXIT (UINT64_C(1) << 3)

/* The name is in parentheses and may hold anything, also ")". */
static int parse_field(const char *stat, int wanted, uint64_t *ret_value)
{
	const char *p = strrchr(stat, ')');
	char *end;

	for (int field = FIELD_AFTER_NAME; p && field <= wanted; field++) {
		p = strchr(p, ' ');
		if (p)
			p++;
	}
	if (!p || *p < '0' || *p > '9')
		return -1;
	errno = 0;
	*ret_value = strtoull(p, &end, 10);
	return errno || (*end != ' ' && *end != '\n') ? -1 : 0;
}

static int read_field_of(const char *path, int field, uint64_t *ret_value, struct error *err)
{
	cleanup_fd int fd = open(path, O_RDONLY | O_CLOEXEC);
	char stat[STAT_MAX];
	ssize_t n;

	if (fd < 0)
		return error_set_call(err, "open", path);
	n = fd_read_all(fd, stat, sizeof(stat) - 1);
	if (n < 0)
		return error_set_call(err, "read", path);
	stat[n] = '\0';
	if (parse_field(stat, field, ret_value) < 0)
		return error_set(err, ERROR_SYSTEM, "'%s' has no field %d", path, field);
	return 0;
}

static int read_field(pid_t pid, int field, uint64_t *ret_value, struct error *err)
{
	char path[32];

	snprintf(path, sizeof(path), "/proc/%d/stat", (int)pid);
	return read_field_of(path, field, ret_value, err);
}

int pidfd_read_start_time(pid_t pid, uint64_t *ret_start_time, struct error *err)
{
	return read_field(pid, FIELD_START_TIME, ret_start_time, err);
}

/* What ends a process is a SIGKILL for each of its threads, unless it writes a core file first. */
static bool is_thread_doomed(const char *stat)
{
	struct error ignored = { 0 };
	uint64_t flags, pending;

	/* In this order: it is no longer pending when the end begins. */
	if (read_field_of(stat, FIELD_PENDING, &pending, &ignored) < 0 ||
		read_field_of(stat, FIELD_FLAGS, &flags, &ignored) < 0)
		return true;
	return flags & PF_EXITING || pending & UINT64_C(1) << (SIGKILL - 1);
}

/* All of them: the first alone may end, and the process lives on. */
bool pidfd_is_doomed(pid_t pid)
{
	char path[32 + NAME_MAX];
	const struct dirent *entry;
	bool is_doomed = true;
	DIR *dir;

	snprintf(path, sizeof(path), "/proc/%d/task", (int)pid);
	dir = opendir(path);
	if (!dir)
		return errno == ENOENT;
	while (is_doomed && (entry = readdir(dir))) {
		if (entry->d_name[0] == '.')
			continue;
		snprintf(path, sizeof(path), "/proc/%d/task/%s/stat", (int)pid, entry->d_name);
		is_doomed = is_thread_doomed(path);
	}
	closedir(dir);
	return is_doomed;
}

/* A zombie can be sent a signal; whoever can't be has lost its number. */
static bool is_reaped(int pidfd)
{
	return syscall(SYS_pidfd_send_signal, pidfd, 0, NULL, 0) < 0 && errno == ESRCH;
}

int pidfd_find_progress(int pidfd, pid_t pid, enum pidfd_progress *ret_progress, struct error *err)
{
	struct error cause = { 0 };
	uint64_t flags = 0;
	int result = read_field(pid, FIELD_FLAGS, &flags, &cause);

	/* In this order: as long as it has its number nobody else's flags were read. */
	if (is_reaped(pidfd)) {
		*ret_progress = PIDFD_REAPED;
		return 0;
	}
	if (result < 0) {
		*err = cause;
		return -1;
	}
	*ret_progress = flags & PF_FORKNOEXEC ? PIDFD_FORKED : PIDFD_EXECUTED;
	return 0;
}

bool pidfd_recall_signal(int pidfd, pid_t pid, int *ret_signal)
{
	struct info_of_pidfd info = { .mask = INFO_EXIT };
	struct error ignored = { 0 };
	uint64_t status = 0;
	int result = read_field(pid, FIELD_EXIT_CODE, &status, &ignored);

	/* In this order, as above. */
	if (!is_reaped(pidfd)) {
		*ret_signal = WIFSIGNALED((int)status) ? WTERMSIG((int)status) : 0;
		return result == 0;
	}
	if (ioctl(pidfd, GET_INFO, &info) < 0 || !(info.mask & INFO_EXIT))
		return false;
	*ret_signal = WIFSIGNALED(info.exit_status) ? WTERMSIG(info.exit_status) : 0;
	return true;
}

/* Not the C library's wrapper, which is younger than this kernel call. */
static int open_pidfd(pid_t pid)
{
	return (int)syscall(SYS_pidfd_open, pid, 0);
}

/* Flags that no kernel knows are looked at before all else. */
int pidfd_check_calls(struct error *err)
{
	const char *missing = NULL;

	if (syscall(SYS_pidfd_open, 0, UINT_MAX) < 0 && errno != EINVAL)
		missing = "pidfd_open";
	else if (syscall(SYS_pidfd_send_signal, -1, 0, NULL, UINT_MAX) < 0 && errno != EINVAL)
		missing = "pidfd_send_signal";
	if (!missing)
		return 0;
	return error_set(err, ERROR_UNSUPPORTED,
		"no process can be told from another without %s(2), which is not available",
		missing);
}

int pidfd_open_child(pid_t pid, struct error *err)
{
	int fd = open_pidfd(pid);

	return fd < 0 ? error_set_errno(err, "open process %d by pidfd_open(2)", (int)pid) : fd;
}

int pidfd_open_verified(pid_t pid, uint64_t start_time, int *ret_pidfd, struct error *err)
{
	cleanup_fd int fd = open_pidfd(pid);
	struct error cause = { 0 };
	uint64_t found = 0;

	/* EINVAL, later ENOENT: the number is a thread's now. */
	if (fd < 0 && errno != ESRCH && errno != EINVAL && errno != ENOENT)
		return error_set_errno(err, "open process %d by pidfd_open(2)", (int)pid);

	/* In this order: should the number change hands in between, its new owner is younger. */
	if (fd >= 0 && pidfd_read_start_time(pid, &found, &cause) < 0 && pidfd_is_alive(fd)) {
		*err = cause;
		return -1;
	}
	*ret_pidfd = fd >= 0 && found == start_time && pidfd_is_alive(fd) ? take_fd(&fd) : -1;
	return 0;
}

bool pidfd_is_alive(int pidfd)
{
	struct pollfd poll_fd = { .fd = pidfd, .events = POLLIN };

	/* Readable from the exit of the last thread on, reaped or not; a failure says nothing. */
	return poll(&poll_fd, 1, 0) != 1;
}

int pidfd_signal(int pidfd, int signal, bool *ret_has_exited, struct error *err)
{
	bool has_exited = syscall(SYS_pidfd_send_signal, pidfd, signal, NULL, 0) < 0;

	if (has_exited && (errno != ESRCH || !ret_has_exited))
		return error_set_errno(err, "send signal %d by pidfd_send_signal(2)", signal);
	if (ret_has_exited)
		*ret_has_exited = has_exited;
	return 0;
}

int pidfd_wait_exit(int pidfd, int timeout_ms, bool *ret_has_exited, struct error *err)
{
	struct pollfd poll_fd = { .fd = pidfd, .events = POLLIN };
	int64_t deadline = timeout_ms < 0 ? CLOCK_NO_DEADLINE : clock_now_ms() + timeout_ms;
	int n;

	do
		n = poll(&poll_fd, 1, clock_poll_timeout(deadline));
	while (n < 0 && errno == EINTR);
	if (n < 0)
		return error_set_errno(err, "wait for a process to exit");
	*ret_has_exited = n > 0;
	return 0;
}

/* Of a child, once it has exited. A tracer gets to know first, and may take his time. */
static int take_status(int pidfd, int64_t deadline, siginfo_t *ret_info, struct error *err)
{
	const struct timespec pause = { .tv_nsec = 1000000 };

	for (;;) {
		ret_info->si_pid = 0;
		if (waitid(P_PIDFD, (id_t)pidfd, ret_info, WEXITED | WNOHANG | __WALL) < 0)
			return error_set_errno(err, "wait for a child");
		if (ret_info->si_pid)
			return 0;
		if (clock_now_ms() >= deadline)
			return error_set(err, ERROR_SYSTEM, "a process has ended, but is traced");
		nanosleep(&pause, NULL);
	}
}

int pidfd_reap(int pidfd, int timeout_ms, int *ret_status, int *ret_signal, struct error *err)
{
	int64_t deadline = timeout_ms < 0 ? CLOCK_NO_DEADLINE : clock_now_ms() + timeout_ms;
	siginfo_t info = { 0 };
	bool has_exited = false;
	int signal;

	if (pidfd_wait_exit(pidfd, timeout_ms, &has_exited, err) < 0)
		return -1;
	if (!has_exited)
		return error_set(err, ERROR_SYSTEM, "a process has not ended in time");
	if (take_status(pidfd, deadline, &info, err) < 0)
		return -1;
	signal = info.si_code == CLD_EXITED ? 0 : info.si_status;
	*ret_status = signal ? 128 + signal : info.si_status;
	if (ret_signal)
		*ret_signal = signal;
	return 0;
}
