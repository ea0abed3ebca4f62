/* SPDX-License-Identifier: Apache-2.0 */
#include "libcontainer/relay.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <termios.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/log.h"
#include "libcontainer/kernel/terminal.h"

enum { POLL_STDIN, POLL_STDOUT, POLL_MASTER };

/* Some eight reads of a pty, which gives at most 4095 bytes at once. */
#define STREAM_SIZE 32768

/* More than a pty ever holds (drivers/tty/tty_buffer.c), so that all of what was written before is
 * in it. */
#define DRAIN_MAX (1 << 20)

/* "\n" missing behind the last line, VEOF first ends the line, and then the file (termios(3)). */
#define VEOF_MAX 2

/* One direction. Of DATA, START to END waits to be written. */
struct stream {
	int from; /* -1: nothing more comes */
	int to;
	bool is_from_shared, is_to_shared; /* blocking, and not ours to change */
	size_t start, end;
	char data[STREAM_SIZE];
};

struct relay {
	int master;
	int slave;   /* held, so that a program may close the terminal and open it again; or -1 */
	int in, out; /* the caller's streams, or descriptions of our own of the same */
	struct stream input, output;
	bool is_in_terminal;
	bool is_interactive; /* both streams are one terminal */
	bool is_raw;
	bool has_input; /* some came */
	bool has_input_ended;
	bool is_line_open; /* the last byte of the input was no "\n" */
	bool is_ending;
	ssize_t left; /* to drain, when it is ending */
	struct termios saved;
};

static bool is_ready(int fd, short event)
{
	struct pollfd entry = { .fd = fd, .events = event };

	return poll(&entry, 1, 0) > 0;
}

static bool is_empty(const struct stream *stream)
{
	return stream->start == stream->end;
}

static bool has_room(const struct stream *stream)
{
	return stream->end - stream->start < STREAM_SIZE;
}

static void drop(struct stream *stream)
{
	stream->start = stream->end = 0;
}

static void make_room(struct stream *stream)
{
	size_t size = stream->end - stream->start;

	if (stream->end < STREAM_SIZE)
		return;
	memmove(stream->data, stream->data + stream->start, size);
	stream->start = 0;
	stream->end = size;
}

/* Returns how many bytes came, 0 for none at the moment, -1 at the end. */
static ssize_t fill(struct stream *stream)
{
	ssize_t n;

	make_room(stream);
	if (stream->is_from_shared && !is_ready(stream->from, POLLIN))
		return 0;
	n = read(stream->from, stream->data + stream->end, STREAM_SIZE - stream->end);
	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return 0;
	if (n <= 0)
		return -1;
	stream->end += (size_t)n;
	return n;
}

/* Writes what can be written now. -1 and errno when the other side is gone. */
static int flush(struct stream *stream)
{
	while (!is_empty(stream)) {
		size_t size = stream->end - stream->start;
		ssize_t n;

		if (stream->is_to_shared) {
			/* So much never blocks on a pipe or socket that is ready (pipe(7)). */
			if (!is_ready(stream->to, POLLOUT))
				return 0;
			size = size < PIPE_BUF ? size : PIPE_BUF;
		}
		n = write(stream->to, stream->data + stream->start, size);
		if (n < 0 && errno == EAGAIN)
			return 0;
		if (n < 0 && errno != EINTR)
			return -1;
		stream->start += n > 0 ? (size_t)n : 0;
	}
	drop(stream);
	return 0;
}

static bool is_same_terminal(int a, int b)
{
	struct stat st_a, st_b;

	return isatty(a) && isatty(b) && fstat(a, &st_a) == 0 && fstat(b, &st_b) == 0 &&
	       st_a.st_rdev == st_b.st_rdev;
}

/* What the caller's terminal says of its size is more recent than the config. */
static void copy_size(int master)
{
	for (int fd = STDIN_FILENO; fd <= STDERR_FILENO; fd++) {
		struct error ignored = { 0 };
		struct winsize size;

		/* Some terminals don't know their size, such as serial lines. */
		if (ioctl(fd, TIOCGWINSZ, &size) < 0 || !size.ws_row || !size.ws_col)
			continue;
		if (terminal_copy_size(fd, master, &ignored) == 0)
			return;
	}
}

int relay_prepare(int master, struct error *err)
{
	copy_size(master);
	if (is_same_terminal(STDIN_FILENO, STDOUT_FILENO))
		return 0;
	return terminal_keep_line_ends(master, err);
}

/*
 * Opening the master of a terminal makes another pair, and a FIFO's end shows
 * to readers only who have seen a writer.
 */
static bool may_open_again(int fd, int flags)
{
	struct stat st;
	unsigned number;

	if (isatty(fd))
		return ioctl(fd, TIOCGPTN, &number) < 0;
	return flags == O_WRONLY && fstat(fd, &st) == 0 && S_ISFIFO(st.st_mode);
}

/*
 * The same file with an open file description of our own, so that O_NONBLOCK
 * does not become that of the shell and everybody else who has the caller's.
 * Where there is none to be had, FD itself, and *RET_IS_SHARED says so.
 */
static int open_again(int fd, int flags, bool *ret_is_shared)
{
	char path[32];
	int own = -1;

	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	if (may_open_again(fd, flags))
		own = open(path, flags | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
	*ret_is_shared = own < 0;
	return own < 0 ? fd : own;
}

/*
 * Changes the caller's terminal as every program does: from the background,
 * this stops us until we are in the foreground (tcsetattr(3), SIGTTOU). An
 * orphan in the background can't be continued and gets EIO instead.
 */
static int set_modes(const struct termios *modes)
{
	sigset_t stop, mask;
	int result;

	sigemptyset(&stop);
	sigaddset(&stop, SIGTTOU);
	sigprocmask(SIG_UNBLOCK, &stop, &mask);
	do
		result = tcsetattr(STDIN_FILENO, TCSANOW, modes);
	while (result < 0 && errno == EINTR);
	sigprocmask(SIG_SETMASK, &mask, NULL);
	return result;
}

static void start_input(struct relay *relay)
{
	struct termios raw = relay->saved;

	relay->input.from = relay->in;
	if (!relay->is_in_terminal)
		return;
	cfmakeraw(&raw);
	if (!relay->is_interactive)
		raw.c_oflag = relay->saved.c_oflag;
	if (set_modes(&raw) < 0)
		relay->input.from = -1;
	else
		relay->is_raw = true;
}

/* A terminal that somebody else is using now is not ours to change. */
static void restore_modes(const struct relay *relay)
{
	pid_t group = tcgetpgrp(STDIN_FILENO);

	if (relay->is_raw && (group < 0 || group == getpgrp()))
		tcsetattr(STDIN_FILENO, TCSANOW, &relay->saved);
}

static void open_streams(struct relay *relay)
{
	relay->in = open_again(STDIN_FILENO, O_RDONLY, &relay->input.is_from_shared);
	relay->out = open_again(STDOUT_FILENO, O_WRONLY, &relay->output.is_to_shared);
	relay->input.from = -1;
	relay->input.to = relay->output.from = relay->master;
	relay->output.to = relay->out;
	relay->is_in_terminal = tcgetattr(STDIN_FILENO, &relay->saved) == 0;
	relay->is_interactive = is_same_terminal(STDIN_FILENO, STDOUT_FILENO);
}

int relay_open(int master, struct relay **ret_relay, struct error *err)
{
	cleanup_fd int owned = master;
	struct relay *relay = calloc(1, sizeof(*relay));

	if (!relay)
		return error_set(err, ERROR_SYSTEM, "out of memory");
	if (fcntl(master, F_SETFL, O_RDWR | O_NONBLOCK) < 0) {
		free(relay);
		return error_set_errno(err, "prepare the terminal's relay");
	}
	relay->master = take_fd(&owned);
	relay->slave = ioctl(relay->master, TIOCGPTPEER, O_RDWR | O_NOCTTY | O_CLOEXEC);
	open_streams(relay);
	start_input(relay);
	copy_size(relay->master);
	*ret_relay = relay;
	return 0;
}

/* Closing all we have of the terminal is what makes the kernel hang it up. */
static void hang_up(struct relay *relay)
{
	relay->input.from = relay->output.from = -1;
	drop(&relay->input);
	drop(&relay->output);
	close_at(&relay->slave);
	close_at(&relay->master);
	relay->slave = relay->master = -1;
}

static void end_input(struct relay *relay)
{
	relay->input.from = -1;
	relay->has_input_ended = true;
}

/* All of the input has been taken, so the program's modes are as new as can be. */
static void type_end(struct relay *relay)
{
	struct stream *input = &relay->input;
	struct termios modes;

	relay->has_input_ended = false;
	if (!relay->has_input || tcgetattr(relay->master, &modes) < 0 ||
		!(modes.c_lflag & ICANON) || modes.c_cc[VEOF] == _POSIX_VDISABLE)
		return;
	for (int i = 0; i < (relay->is_line_open ? VEOF_MAX : 1); i++)
		input->data[input->end++] = (char)modes.c_cc[VEOF];
}

static void read_input(struct relay *relay, short events)
{
	struct stream *input = &relay->input;
	ssize_t n = fill(input);

	if (n > 0) {
		relay->has_input = true;
		relay->is_line_open = input->data[input->end - 1] != '\n';
	} else if (n < 0 && relay->is_in_terminal) {
		/* Without POLLHUP it is EIO: the terminal is another's until SIGCONT. */
		if (events & POLLHUP)
			hang_up(relay);
		input->from = -1;
	} else if (n < 0) {
		end_input(relay);
	}
}

static void write_input(struct relay *relay)
{
	struct stream *input = &relay->input;

	if (flush(input) < 0) {
		drop(input);
		input->from = -1;
	}
	if (relay->has_input_ended && is_empty(input) && relay->master >= 0) {
		type_end(relay);
		(void)flush(input);
	}
}

static void read_output(struct relay *relay)
{
	struct stream *output = &relay->output;

	if (output->from >= 0 && has_room(output) && fill(output) < 0)
		output->from = -1;
}

static void write_output(struct relay *relay)
{
	if (flush(&relay->output) == 0)
		return;
	if (errno != EPIPE && errno != EIO)
		log_warning("write to standard output: %s",
			error_reason(errno, (char[ERROR_REASON_MAX]){ 0 }));
	hang_up(relay);
}

/* What a process that has ended has written comes before whatever others write meanwhile. */
static void drain(struct relay *relay)
{
	struct stream *output = &relay->output;

	while (output->from >= 0 && has_room(output)) {
		ssize_t n = fill(output);

		relay->left -= n;
		if (n <= 0 || relay->left <= 0)
			output->from = -1;
		write_output(relay);
	}
}

void relay_watch(const struct relay *relay, struct pollfd fds[RELAY_POLL_FDS])
{
	for (int i = 0; i < RELAY_POLL_FDS; i++)
		fds[i] = (struct pollfd){ .fd = -1 };
	if (!relay)
		return;
	/* Whatever is not wanted is left out, since poll(2) always tells of POLLHUP and POLLERR. */
	if (relay->input.from >= 0 && has_room(&relay->input))
		fds[POLL_STDIN] = (struct pollfd){ .fd = relay->input.from, .events = POLLIN };
	if (!is_empty(&relay->output))
		fds[POLL_STDOUT] = (struct pollfd){ .fd = relay->out, .events = POLLOUT };
	if (relay->output.from >= 0 && has_room(&relay->output))
		fds[POLL_MASTER].events |= POLLIN;
	if (!is_empty(&relay->input))
		fds[POLL_MASTER].events |= POLLOUT;
	if (fds[POLL_MASTER].events)
		fds[POLL_MASTER].fd = relay->master;
}

void relay_copy(struct relay *relay, const struct pollfd fds[RELAY_POLL_FDS])
{
	if (!relay)
		return;
	if (fds[POLL_STDIN].revents)
		read_input(relay, fds[POLL_STDIN].revents);
	write_input(relay);
	if (fds[POLL_MASTER].revents & ~POLLOUT)
		read_output(relay);
	write_output(relay);
	if (relay->is_ending)
		drain(relay);
}

void relay_resize(struct relay *relay)
{
	if (relay && relay->master >= 0)
		copy_size(relay->master);
}

void relay_suspend(struct relay *relay)
{
	if (!relay || !relay->is_raw)
		return;
	restore_modes(relay);
	relay->is_raw = false;
	relay->input.from = -1;
}

void relay_resume(struct relay *relay)
{
	if (!relay || relay->master < 0 || relay->is_ending || !relay->is_in_terminal)
		return;
	start_input(relay);
	copy_size(relay->master);
}

void relay_end(struct relay *relay)
{
	if (!relay)
		return;
	relay->input.from = -1;
	relay->has_input_ended = false;
	drop(&relay->input);
	relay->is_ending = true;
	relay->left = DRAIN_MAX;
	drain(relay);
}

bool relay_is_done(const struct relay *relay)
{
	return !relay || (relay->is_ending && relay->output.from < 0 && is_empty(&relay->output));
}

void relay_close(struct relay *relay)
{
	if (!relay)
		return;
	restore_modes(relay);
	hang_up(relay);
	if (relay->in != STDIN_FILENO)
		close_at(&relay->in);
	if (relay->out != STDOUT_FILENO)
		close_at(&relay->out);
	free(relay);
}
