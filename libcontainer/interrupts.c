/* SPDX-License-Identifier: Apache-2.0 */
#include "libcontainer/interrupts.h"

#include <signal.h>
#include <string.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include "base/cleanup.h"

static const int signals[] = { SIGINT, SIGTERM, SIGHUP, SIGQUIT };

bool interrupts_include(int signal)
{
	for (size_t i = 0; i < array_size(signals); i++)
		if (signals[i] == signal)
			return true;
	return false;
}

int interrupts_open(struct interrupts *ret_interrupts, struct error *err)
{
	sigset_t set;
	int fd;

	sigemptyset(&set);
	for (size_t i = 0; i < array_size(signals); i++)
		sigaddset(&set, signals[i]);
	fd = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
	if (fd < 0)
		return error_set_errno(err, "make a signal descriptor");
	*ret_interrupts = (struct interrupts){ .fd = fd };
	return 0;
}

int interrupts_fd(const struct interrupts *interrupts)
{
	return interrupts ? interrupts->fd : -1;
}

int interrupts_check(struct interrupts *interrupts, struct error *err)
{
	struct signalfd_siginfo info;

	if (interrupts_fd(interrupts) < 0 ||
		read(interrupts->fd, &info, sizeof(info)) != (ssize_t)sizeof(info))
		return 0;
	interrupts->signal = (int)info.ssi_signo;
	return error_set(err, ERROR_SYSTEM, "interrupted by signal %d (SIG%s)", interrupts->signal,
		sigabbrev_np(interrupts->signal));
}

void interrupts_close(struct interrupts *interrupts)
{
	close_at(&interrupts->fd);
	interrupts->fd = -1;
}
