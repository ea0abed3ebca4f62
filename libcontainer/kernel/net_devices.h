/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Network devices of the host that move into the container (rtnetlink(7);
 * config-linux.md, "Network Devices").
 */
#ifndef KOGG_LIBCONTAINER_KERNEL_NET_DEVICES_H
#define KOGG_LIBCONTAINER_KERNEL_NET_DEVICES_H

#include "base/error.h"
#include "libspec/spec_linux.h"

/* A network namespace: its file, and a socket in it. */
struct net_devices_side {
	int ns, socket;
};

/* Those that have moved, the last one first, and between which namespaces. */
struct net_devices {
	struct net_devices_side host, container;
	struct net_device *moved;
};

#define NET_DEVICES_NONE                                    \
	{                                                   \
		.host = { -1, -1 }, .container = { -1, -1 } \
	}

/*
 * Moves linux.netDevices from the caller's network namespace to the one open
 * as NETNS_FD, with their permanent global addresses, and brings them up.
 * Nothing without devices. They go back by themselves when the namespace ends,
 * if they are physical; virtual ones end with it. The caller gives RET_DEVICES
 * to net_devices_release() in any case, and before that, to undo what has been
 * done so far, to net_devices_return().
 */
int net_devices_move(const struct spec_linux *platform, int netns_fd,
	struct net_devices *ret_devices, struct error *err) must_check;

/*
 * Moves them back, with the addresses and the state that they had. One that can't
 * be does not keep the others.
 */
int net_devices_return(struct net_devices *devices, struct error *err) must_check;

void net_devices_release(struct net_devices *devices);

#endif
