/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a command and the container's first process say to each other while
 * the container is made: messages of one fixed size over a SOCK_SEQPACKET
 * pair, each sent and received whole (unix(7)).
 *
 * The runtime's end treats what it gets as hostile: of the right size, with
 * strings that end, or refused. A process that ends without a word is noticed
 * by the end of the stream, one that says nothing by the clock: a process that
 * shares a PID namespace with it may have stopped it.
 */
#ifndef KOGG_LIBCONTAINER_SYNC_H
#define KOGG_LIBCONTAINER_SYNC_H

#include <limits.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/error.h"
#include "base/fd.h"
#include "base/log.h"

enum sync_type {
	SYNC_GO,      /* runtime: what you waited for is done */
	SYNC_NETWORK, /* runtime: the network namespace to join comes along */
	SYNC_SOURCES, /* waits: its mount namespace comes along, for the runtime to clone mounts in;
			 runtime: .value of those clones come along, the last time none */
	SYNC_BORN,    /* stage process: .value is the first process's pid, its pidfd comes along */
	SYNC_MAP_IDS, /* waits: .value's user namespace needs its ID maps */
	SYNC_MOVE,    /* waits: could not be born in its cgroup and is to be moved there */
	SYNC_LOOPBACK, /* a socket of the new network namespace comes along, to bring up its
			  interface "lo" */
	SYNC_HOOKS,    /* waits: the mounts are made, the hooks before pivot_root may run */
	SYNC_FILTER,   /* waits: the seccomp filter is to be used next */
	SYNC_MADE,     /* .made is in the root file system now; its directory comes along */
	SYNC_TERMINAL, /* the master side of the container's terminal comes along */
	SYNC_READY, /* all is done but to become the program; .value is the seccomp listener or -1.
		       Waits in exec when there is a listener, which execve(2) ends, and in create
		       until the process is on record */
	SYNC_WARNING, /* .text */
	SYNC_DEBUG,   /* .text */
	SYNC_ERROR,   /* .error; the last message */
};

/* A file of whatever type, and which one it was. */
struct sync_made {
	uint64_t device, inode;
	char name[NAME_MAX + 1];
};

/* How long the runtime waits for a process that may be stopped from inside. */
#define SYNC_SECONDS 300

struct sync_message {
	enum sync_type type;
	int value;
	union {
		struct error error;
		struct sync_made made;
		char text[LOG_TEXT_MAX];
	};
};

/* A pair of connected sockets, close-on-exec: [0] the runtime's, [1] the container's. */
int sync_open(int ret_sockets[2], struct error *err) must_check;

/*
 * The container's side. sync_send() uses write(2) alone, which must work under
 * any seccomp filter that lets a program run. FD is passed along unless -1,
 * and then sendmsg(2) is used.
 */
int sync_send(int socket, enum sync_type type, int value, int fd, struct error *err) must_check;
void sync_send_error(int socket, const struct error *error);
int sync_send_made(int socket, const struct sync_made *made, int dir_fd, struct error *err)
	must_check;

/* Waits for the runtime's TYPE. RET_FD gets what comes along; NULL when nothing does. */
int sync_take(int socket, enum sync_type type, int *ret_fd, struct error *err) must_check;

/* Waits for the runtime's SYNC_GO by read(2) alone, which must work under a filter as well. */
int sync_await_go(int socket, struct error *err) must_check;

/*
 * Several descriptors at once, at most FD_SEND_MAX: by the runtime, and to be
 * taken by the child, which gets them in RET_FDS.
 */
int sync_send_fds(int socket, enum sync_type type, const int *fds, size_t count, struct error *err)
	must_check;
int sync_take_fds(int socket, enum sync_type type, int ret_fds[static FD_SEND_MAX],
	size_t *ret_count, struct error *err) must_check;

/* Sends TYPE and waits for the runtime's SYNC_GO. */
int sync_ask(int socket, enum sync_type type, int value, struct error *err) must_check;

/* Whether who sends TYPE does nothing more until the runtime does something. */
bool sync_waits(enum sync_type type);

/* Makes base/log send warnings to SOCKET, whose number must stay valid. */
void sync_log_to(const int *socket, enum log_level level);

/* The deadline of SYNC_SECONDS from now, for clock_now_ms(). */
int64_t sync_deadline(void);

/*
 * The runtime's side. Receives the next message that is not a warning, which
 * are logged, before DEADLINE of clock_now_ms(). RET_FD gets the descriptor
 * that came along, or -1; it may be NULL when none is wanted. A SYNC_ERROR
 * becomes ERR. The end of the stream is ERROR_SYSTEM with sys_errno EPIPE: the
 * process ended mute, and the caller, who can find out how, says so.
 */
int sync_receive(int socket, int64_t deadline, struct sync_message *ret_message, int *ret_fd,
	struct error *err) must_check;

/*
 * The same, but returns after each warning, too, once that is logged: for a caller
 * who waits for something else beside the messages.
 */
int sync_receive_any(int socket, int64_t deadline, struct sync_message *ret_message, int *ret_fd,
	struct error *err) must_check;

/* Whether ERR is that the process ended mute, or before it could be told something. */
bool sync_is_end(const struct error *err);

/* The error of a message that is well formed, but not for now. Returns -1. */
int sync_refuse(const struct sync_message *message, struct error *err);

/* The error of a process that has said nothing until the deadline. Returns -1. */
int sync_time_out(struct error *err);

#endif
