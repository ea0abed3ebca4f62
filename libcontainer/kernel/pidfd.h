/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Processes by descriptor (pidfd_open(2), pidfd_send_signal(2)).
 *
 * A number may be another process a moment later; a descriptor never is. Kept
 * in a file, a process is its number together with its start time.
 */
#ifndef KOGG_LIBCONTAINER_KERNEL_PIDFD_H
#define KOGG_LIBCONTAINER_KERNEL_PIDFD_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/error.h"

/*
 * Whether the calls are there. To be asked before a container is made: without
 * them it could be neither ended nor even looked at.
 */
int pidfd_check_calls(struct error *err) must_check;

/* When PID was started, in clock ticks since boot (/proc/PID/stat, field 22; proc(5)). */
int pidfd_read_start_time(pid_t pid, uint64_t *ret_start_time, struct error *err) must_check;

/*
 * Whether PID, with all its threads, is ending or gone, or a signal that will
 * end it is on its way. It shows before the descriptors of the process are
 * closed, pidfd_is_alive() only after.
 */
bool pidfd_is_doomed(pid_t pid);

/* Where a process that was made by fork(2) is on its way to another program. */
enum pidfd_progress {
	PIDFD_FORKED,   /* no execve(2) has succeeded, and if it is ending, none will */
	PIDFD_EXECUTED, /* one has, what may be of it since */
	PIDFD_REAPED,   /* nobody knows any more */
};

/*
 * Which of them PIDFD, whose number is PID, has come to. It shows before the
 * descriptors that are close-on-exec are closed: who has seen one of them close
 * gets the final answer.
 */
int pidfd_find_progress(int pidfd, pid_t pid, enum pidfd_progress *ret_progress, struct error *err)
	must_check;

/*
 * The signal that ends or has ended a process whose number is PID, 0 for none;
 * false when the kernel does not tell: of one that has been reaped it does since
 * Linux 6.15, of others to those who may trace them.
 */
bool pidfd_recall_signal(int pidfd, pid_t pid, int *ret_signal);

/* A descriptor for PID, which the caller knows to be the right one (its own child). */
int pidfd_open_child(pid_t pid, struct error *err) must_check;

/*
 * A descriptor for PID if that is still the process that was started at
 * START_TIME and has not exited: *RET_PIDFD. When it is gone, *RET_PIDFD is -1
 * and that is no error.
 */
int pidfd_open_verified(pid_t pid, uint64_t start_time, int *ret_pidfd, struct error *err)
	must_check;

/* Whether the process has not exited; a zombie has. */
bool pidfd_is_alive(int pidfd);

/*
 * Sends SIGNAL, 0 for none. *RET_HAS_EXITED (may be NULL) says that the process
 * was gone; with NULL that is an error.
 */
int pidfd_signal(int pidfd, int signal, bool *ret_has_exited, struct error *err) must_check;

/*
 * Waits at most TIMEOUT_MS milliseconds (-1: for ever) for the exit of any
 * process, child or not. *RET_HAS_EXITED says whether it came.
 */
int pidfd_wait_exit(int pidfd, int timeout_ms, bool *ret_has_exited, struct error *err) must_check;

/* What a child is given to be gone after SIGKILL. */
#define PIDFD_DEATH_MS 10000

/*
 * Waits at most TIMEOUT_MS milliseconds (-1: for ever) for the exit of a child and
 * reaps it. *RET_STATUS is what a shell would show: the exit status, or 128 plus
 * the signal. *RET_SIGNAL (may be NULL) is that signal or 0. A dead child can't be
 * reaped as long as somebody traces it (ptrace(2)), which is an error, too.
 */
int pidfd_reap(int pidfd, int timeout_ms, int *ret_status, int *ret_signal, struct error *err)
	must_check;

#endif
