/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The way between the caller's standard streams and the pseudoterminal of a
 * process in the foreground (pty(7), termios(3), ioctl_tty(2)).
 *
 * With a terminal on both standard input and output the relay is transparent,
 * as ssh(1) is: the caller's terminal becomes raw and all processing of lines
 * is done by the container's, so that programs which draw screens find the
 * line ends that they ask for. Otherwise what comes out is data, and its line
 * ends are "\n" alone (ONLCR off).
 *
 * When the reader of standard output or the caller's terminal is gone, the
 * container's terminal is hung up: its session gets SIGHUP, and EIO from then
 * on. It is what SIGPIPE would be without a terminal, and holds nobody.
 *
 * The end of an input that is not a terminal is typed as VEOF (^D), if the
 * program reads lines and there was any input at all: with nothing from the
 * start, as from /dev/null, a shell waits on instead of leaving at once.
 *
 * It never blocks and polls nothing of its own accord: the caller's poll(2)
 * loop has its descriptors. It knows no container.
 */
#ifndef KOGG_LIBCONTAINER_RELAY_H
#define KOGG_LIBCONTAINER_RELAY_H

#include <poll.h>
#include <stdbool.h>

#include "base/error.h"

struct relay;

#define cleanup_relay __attribute__((cleanup(relay_close_at)))

/* How many entries of a poll(2) array a relay takes. */
#define RELAY_POLL_FDS 3

/*
 * In the child, which still has the caller's standard streams, before the
 * program can look: line ends, and the size of the caller's terminal.
 */
int relay_prepare(int master, struct error *err) must_check;

/*
 * Makes the caller's terminal raw until relay_close(), which therefore no
 * signal may skip: foreground_catch_signals() comes first. In the background
 * it stops as any program would that wants the terminal (SIGTTOU). MASTER
 * belongs to the relay from here on, even when this fails.
 */
int relay_open(int master, struct relay **ret_relay, struct error *err) must_check;

/*
 * All of the following take NULL for no relay.
 *
 * relay_watch() fills in what to wait for, and relay_copy() does what can be
 * done after poll(2) has returned.
 */
void relay_watch(const struct relay *relay, struct pollfd fds[RELAY_POLL_FDS]);
void relay_copy(struct relay *relay, const struct pollfd fds[RELAY_POLL_FDS]);

/* The caller's terminal has another size (SIGWINCH). */
void relay_resize(struct relay *relay);

/* The caller is about to stop: gives the terminal back as it was, until relay_resume(). */
void relay_suspend(struct relay *relay);

/* The caller was stopped and goes on (SIGCONT): the shell has changed the terminal meanwhile. */
void relay_resume(struct relay *relay);

/*
 * The process has ended: nothing more goes in, and what it has written still
 * comes out, also when another process keeps the terminal open. Until
 * relay_is_done() the loop goes on, for a slow reader may need its time.
 */
void relay_end(struct relay *relay);
bool relay_is_done(const struct relay *relay);

/* Gives the caller's terminal back as it was, and hangs up the container's. */
void relay_close(struct relay *relay);

static inline void relay_close_at(struct relay **owner)
{
	relay_close(*owner);
}

#endif
