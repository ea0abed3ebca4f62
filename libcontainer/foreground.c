/* SPDX-License-Identifier: Apache-2.0 */
#include "libcontainer/foreground.h"

#include <errno.h>
#include <inttypes.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <sys/signalfd.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/log.h"
#include "libcontainer/interrupts.h"
#include "libcontainer/kernel/pidfd.h"

enum {
	EVENT_PROCESS,
	EVENT_SIGNAL,
	EVENT_NOTIFY,
	EVENT_RELAY, /* and those behind */
	EVENT_COUNT = EVENT_RELAY + RELAY_POLL_FDS,
};

/* Signals that are about this process or its terminal, not for the container. */
static bool is_own_signal(unsigned signal)
{
	return signal == SIGCHLD || signal == SIGURG || signal == SIGWINCH || signal == SIGPIPE ||
	       signal == SIGXFSZ;
}

/* Signals that tell this process something, whatever else becomes of them. */
static bool is_heeded_signal(unsigned signal)
{
	return signal == SIGCHLD || signal == SIGWINCH || signal == SIGCONT;
}

/*
 * What the caller ignores, as nohup(1) and a shell's background commands do, is
 * not meant for us: blocked, it would wait to be read nevertheless.
 */
static void find_wanted_signals(sigset_t *ret_wanted)
{
	struct sigaction action;

	sigfillset(ret_wanted);
	for (int i = 1; i < NSIG; i++)
		if (!is_heeded_signal((unsigned)i) && sigaction(i, NULL, &action) == 0 &&
			action.sa_handler == SIG_IGN)
			sigdelset(ret_wanted, i);
}

int foreground_catch_signals(struct error *err)
{
	sigset_t wanted;
	int fd;

	find_wanted_signals(&wanted);
	if (sigprocmask(SIG_BLOCK, &wanted, NULL) < 0)
		return error_set_errno(err, "block signals");
	fd = signalfd(-1, &wanted, SFD_CLOEXEC | SFD_NONBLOCK);
	return fd < 0 ? error_set_errno(err, "make a signal descriptor") : fd;
}

/* The process itself stays for the end, when its status is wanted. */
static void reap_orphans(pid_t process)
{
	siginfo_t info = { 0 };

	while (waitid(P_ALL, 0, &info, WEXITED | WNOHANG | WNOWAIT) == 0 && info.si_pid &&
		info.si_pid != process) {
		waitid(P_PID, (id_t)info.si_pid, &info, WEXITED | WNOHANG);
		info.si_pid = 0;
	}
}

/* Some signals tell us something, whether or not the container gets them too. */
static void heed(const struct foreground *foreground, unsigned signal)
{
	if (signal == SIGCHLD)
		reap_orphans(foreground->pid);
	else if (signal == SIGWINCH)
		relay_resize(foreground->relay);
	else if (signal == SIGCONT)
		relay_resume(foreground->relay);
}

/*
 * Stops this process, as its shell expects when somebody types Ctrl-Z there. The
 * container goes on, unless the signal, which it got too, stops it as well. The
 * kernel does not stop a process that no shell could continue (setpgid(2),
 * "orphaned process group"), so we may be back at once.
 */
static void stop(const struct foreground *foreground)
{
	sigset_t stopping, mask;

	sigemptyset(&stopping);
	sigaddset(&stopping, SIGTSTP);
	relay_suspend(foreground->relay);
	raise(SIGTSTP);
	sigprocmask(SIG_UNBLOCK, &stopping, &mask);
	sigprocmask(SIG_SETMASK, &mask, NULL);
	relay_resume(foreground->relay);
}

/* *RET_SHALL_END becomes true when one of them would have ended this process. */
static int forward_signals(
	const struct foreground *foreground, bool *ret_shall_end, struct error *err)
{
	struct signalfd_siginfo info;

	while (read(foreground->signals, &info, sizeof(info)) == (ssize_t)sizeof(info)) {
		bool has_exited;

		heed(foreground, info.ssi_signo);
		if (is_own_signal(info.ssi_signo))
			continue;
		*ret_shall_end |= interrupts_include((int)info.ssi_signo);
		if (pidfd_signal(foreground->pidfd, (int)info.ssi_signo, &has_exited, err) < 0)
			return -1;
		if (info.ssi_signo == SIGTSTP)
			stop(foreground);
	}
	return 0;
}

/*
 * Until the process has ended and its output is out. The end is seen by the
 * pidfd, so no SIGCHLD can be lost.
 */
static int serve(const struct foreground *foreground, struct error *err)
{
	struct pollfd events[EVENT_COUNT] = {
		[EVENT_PROCESS] = { .fd = foreground->pidfd, .events = POLLIN },
		[EVENT_SIGNAL] = { .fd = foreground->signals, .events = POLLIN },
	};
	bool has_ended = false;

	while (!has_ended || !relay_is_done(foreground->relay)) {
		bool shall_end = false;

		notify_watch(foreground->notify, &events[EVENT_NOTIFY]);
		relay_watch(foreground->relay, &events[EVENT_RELAY]);
		if (poll(events, array_size(events), notify_timeout(foreground->notify)) < 0) {
			if (errno == EINTR)
				continue;
			return error_set_errno(err, "wait for the container");
		}
		if (events[EVENT_SIGNAL].revents &&
			forward_signals(foreground, &shall_end, err) < 0)
			return -1;
		if (has_ended && shall_end)
			return 0;
		notify_serve(foreground->notify, &events[EVENT_NOTIFY]);
		relay_copy(foreground->relay, &events[EVENT_RELAY]);
		if (events[EVENT_PROCESS].revents) {
			events[EVENT_PROCESS].fd = -1;
			has_ended = true;
			relay_end(foreground->relay);
		}
	}
	return 0;
}

int foreground_wait(const struct foreground *foreground, int *ret_exit_status, struct error *err)
{
	if (serve(foreground, err) < 0)
		return -1;
	return pidfd_reap(foreground->pidfd, -1, ret_exit_status, NULL, err);
}

void foreground_note_kills(int exit_status, uint64_t kills)
{
	if (exit_status == 128 + SIGKILL && kills > 0)
		log_warning("exit status %d: the kernel has killed %" PRIu64
			    " process%s of the container for lack of memory",
			exit_status, kills, kills == 1 ? "" : "es");
}
