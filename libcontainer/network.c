/* SPDX-License-Identifier: Apache-2.0 */
#include "libcontainer/network.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <stdio.h>

#include "base/cleanup.h"
#include "libcontainer/sync.h"

static int open_own(void)
{
	return open("/proc/self/ns/net", O_RDONLY | O_CLOEXEC);
}

void network_plan(struct network *network, const struct spec_linux *platform, const int *sync)
{
	unsigned made = namespaces_to_make(platform);

	if (!(made & CLONE_NEWNET) || made & CLONE_NEWUSER)
		return;
	network->sync = sync;
	network->own = open_own();
	/* A root in a user namespace, but not in a network namespace of that, could not return. */
	network->is_apart = network->own >= 0 && setns(network->own, CLONE_NEWNET) == 0;
	if (!network->is_apart)
		network_release(network);
}

unsigned network_flags_of_birth(const struct network *network, unsigned made)
{
	return network && network->is_apart ? made & ~(unsigned)CLONE_NEWNET : made;
}

static int raise_loopback(struct error *err)
{
	cleanup_fd int socket = namespaces_open_network(err);

	return socket < 0 ? -1 : namespaces_raise_loopback(socket, err);
}

/* With the runtime in it. */
static int hand_over(struct network *network, struct error *err)
{
	network->made = open_own();
	if (network->made < 0)
		return error_set_errno(err, "open the container's network namespace");
	if (sync_send(network->sync[0], SYNC_NETWORK, 0, network->made, err) == 0)
		return raise_loopback(err);
	if (err->sys_errno != EPIPE)
		return -1;
	/* Why the process has ended is found out where it is listened to. */
	*err = (struct error){ 0 };
	return 0;
}

static int fail_to_make(struct error *err)
{
	bool is_limit = errno == ENOSPC;

	error_set_errno(err, "make a network namespace");
	if (is_limit)
		error_hint(err, "user.max_net_namespaces allows no more (namespaces(7))");
	return -1;
}

int network_make(struct network *network, struct error *err)
{
	int result;

	if (!network->is_apart)
		return 0;
	if (unshare(CLONE_NEWNET) < 0)
		return fail_to_make(err);
	result = hand_over(network, err);
	if (setns(network->own, CLONE_NEWNET) < 0 && result == 0)
		return error_set_errno(err, "return to the runtime's network namespace");
	return result;
}

int network_join(struct network *network, struct error *err)
{
	cleanup_fd int fd = -1;

	if (!network || !network->is_apart || network->is_joined)
		return 0;
	if (sync_take(network->sync[1], SYNC_NETWORK, &fd, err) < 0)
		return -1;
	if (setns(fd, CLONE_NEWNET) < 0)
		return error_set_errno(err, "join the container's network namespace");
	network->is_joined = true;
	network_release(network);
	return 0;
}

int network_open(const struct network *network, const struct namespaces *joined, pid_t pid,
	struct error *err)
{
	int known = network->made, fd;
	char path[64];

	for (size_t i = 0; i < joined->count; i++)
		if (joined->flags[i] == CLONE_NEWNET)
			known = joined->fds[i];
	snprintf(path, sizeof(path), "/proc/%d/ns/net", (int)pid);
	fd = known >= 0 ? fcntl(known, F_DUPFD_CLOEXEC, 0) : open(path, O_RDONLY | O_CLOEXEC);
	return fd < 0 ? error_set_errno(err, "open the container's network namespace") : fd;
}

void network_release(struct network *network)
{
	close_at(&network->own);
	close_at(&network->made);
	network->own = network->made = -1;
}
