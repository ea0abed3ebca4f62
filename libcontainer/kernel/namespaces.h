/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Namespaces to make and to join (namespaces(7), setns(2)).
 */
#ifndef KOGG_LIBCONTAINER_KERNEL_NAMESPACES_H
#define KOGG_LIBCONTAINER_KERNEL_NAMESPACES_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#include "base/error.h"
#include "libspec/spec_linux.h"

#define NAMESPACES_MAX 8

/* The namespaces of a config that have a path, opened. */
struct namespaces {
	int fds[NAMESPACES_MAX];
	unsigned flags[NAMESPACES_MAX]; /* CLONE_NEW* of each */
	size_t places[NAMESPACES_MAX];  /* its index in linux.namespaces */
	size_t count;
};

#define cleanup_namespaces __attribute__((cleanup(namespaces_close)))

/* The CLONE_NEW* flags of those that are to be made. */
unsigned namespaces_to_make(const struct spec_linux *platform);

/* The CLONE_NEW* flags of those that are to be joined. */
unsigned namespaces_to_join(const struct spec_linux *platform);

/*
 * Opens those with a path and checks that each is a namespace of its type.
 * On success the caller owns the descriptors.
 */
int namespaces_open(const struct spec_linux *platform, struct namespaces *ret_namespaces,
	struct error *err) must_check;

/*
 * Joins all of them. The user namespace is joined first when that gives the
 * rights to join the others, and last when the caller's own rights are needed.
 * A PID namespace holds for the caller's next children only, as does a time
 * namespace.
 */
int namespaces_join(const struct namespaces *namespaces, struct error *err) must_check;

/*
 * Whether FD, a namespace of type FLAG, is the host's: that of the caller, or
 * that of process 1, if the caller is in another one and may look.
 */
bool namespaces_is_hosts(int fd, unsigned flag);

/* Joins those namespaces in FLAGS of the process PIDFD, in one call (Linux 5.8). */
int namespaces_join_process(int pidfd, unsigned flags, struct error *err) must_check;

/* Which CLONE_NEW* namespaces of process PID are not the caller's own. */
int namespaces_compare(pid_t pid, unsigned *ret_flags, struct error *err) must_check;

/*
 * A socket by which whoever has it can act on the caller's network namespace,
 * from wherever he is. Returns a descriptor that the caller owns.
 */
int namespaces_open_network(struct error *err) must_check;

/* Brings up the loopback interface of the network namespace of the socket NETWORK. */
int namespaces_raise_loopback(int network, struct error *err) must_check;

void namespaces_close(struct namespaces *namespaces);

#endif
