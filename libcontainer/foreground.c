/* SPDX-License-Identifier: Apache-2.0 */
#include "libcontainer/foreground.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include "libcontainer/kernel/pidfd.h"

/* Signals that are about this process or its terminal, not for the container. */
static bool is_own_signal(unsigned signal)
{
	return signal == SIGCHLD || signal == SIGURG || signal == SIGWINCH || signal == SIGPIPE;
}

int foreground_catch_signals(struct error *err)
{
	sigset_t all;
	int fd;

	sigfillset(&all);
	if (sigprocmask(SIG_BLOCK, &all, NULL) < 0)
		return error_set_errno(err, "block signals");
	fd = signalfd(-1, &all, SFD_CLOEXEC | SFD_NONBLOCK);
	return fd < 0 ? error_set_errno(err, "make a signal descriptor") : fd;
}

static int forward_signals(int signals, int pidfd, struct error *err)
{
	struct signalfd_siginfo info;

	while (read(signals, &info, sizeof(info)) == (ssize_t)sizeof(info)) {
		bool has_exited;

		if (is_own_signal(info.ssi_signo))
			continue;
		if (pidfd_signal(pidfd, (int)info.ssi_signo, &has_exited, err) < 0)
			return -1;
	}
	return 0;
}

/* The end of the process is seen by its pidfd, so no SIGCHLD can be lost. */
int foreground_wait(int signals, int pidfd, int *ret_exit_status, struct error *err)
{
	struct pollfd events[] = {
		{ .fd = pidfd, .events = POLLIN },
		{ .fd = signals, .events = POLLIN },
	};

	while (!events[0].revents) {
		if (poll(events, array_size(events), -1) < 0 && errno != EINTR)
			return error_set_errno(err, "wait for the container");
		if (events[1].revents && forward_signals(signals, pidfd, err) < 0)
			return -1;
	}
	return pidfd_reap(pidfd, ret_exit_status, NULL, err);
}
