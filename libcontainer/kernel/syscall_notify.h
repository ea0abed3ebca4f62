/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Handing the notify descriptor of a filter to a seccomp agent
 * (seccomp_unotify(2); config-linux.md, "The Container Process State").
 *
 * The process that loads the filter may from then on do only what the profile
 * allows, and sendmsg(2) is seldom among it. So the parent takes the
 * descriptor (pidfd_getfd(2), Linux 5.6) and talks to the agent. The init
 * has nothing to do but to load, and tells the number with one write(2). Only
 * a parent without CAP_SYS_PTRACE, who can't, has it sent the descriptor.
 * Does not compile or load filters.
 */
#ifndef KOGG_LIBCONTAINER_KERNEL_SYSCALL_NOTIFY_H
#define KOGG_LIBCONTAINER_KERNEL_SYSCALL_NOTIFY_H

#include <sys/types.h>

#include "base/error.h"
#include "libspec/state.h"

/*
 * Takes the descriptor REMOTE_FD, as syscall_filter_load() gave it, out of the
 * process PIDFD. Refuses anything but a notify descriptor: the number may
 * come from a process that somebody else controls. Returns a descriptor,
 * close-on-exec, that the caller owns.
 */
int syscall_notify_take(int pidfd, int remote_fd, struct error *err) must_check;

/* The same for FD, which the process has sent: refuses anything else. */
int syscall_notify_check(int fd, struct error *err) must_check;

/*
 * Connects to the stream socket LISTENER_PATH, sends the container process
 * state of PID (the runtime's view) with LISTENER_FD as its "seccompFd", in
 * one message, and closes the connection, which is used once. METADATA may be
 * NULL. LISTENER_FD stays the caller's. Errors point to
 * /linux/seccomp/listenerPath.
 */
int syscall_notify_send(const char *listener_path, const struct state *state, pid_t pid,
	const char *metadata, int listener_fd, struct error *err) must_check;

#endif
