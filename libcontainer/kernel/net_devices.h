/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Network devices of the host that move into the container (rtnetlink(7);
 * config-linux.md, "Network Devices").
 */
#ifndef KOGG_LIBCONTAINER_KERNEL_NET_DEVICES_H
#define KOGG_LIBCONTAINER_KERNEL_NET_DEVICES_H

#include "base/error.h"
#include "libspec/spec_linux.h"

/*
 * Moves linux.netDevices from the caller's network namespace to the one open
 * as NETNS_FD, with their permanent global addresses, and brings them up.
 * Nothing without devices. They go back by themselves when the namespace ends,
 * if they are physical; virtual ones end with it.
 */
int net_devices_move(const struct spec_linux *platform, int netns_fd, struct error *err) must_check;

#endif
