/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Device nodes and links in the container's /dev (mknod(2); config-linux.md,
 * "Devices", "Default Devices"; runtime-linux.md, "Dev symbolic links").
 *
 * /dev may be a directory of the image, but no link: that could lead into a
 * volume. It is opened once, in the root, and nothing in it is followed
 * (CVE-2026-41579). Nodes that are bound from the
 * host are verified to be the devices they should be.
 */
#ifndef KOGG_LIBCONTAINER_KERNEL_DEVICES_H
#define KOGG_LIBCONTAINER_KERNEL_DEVICES_H

#include "base/error.h"
#include "libcontainer/kernel/path_in_root.h"
#include "libspec/spec_linux.h"

/*
 * How devices_make() works. DEVICES_BIND: nodes are binds of the host's, for in
 * a user namespace mknod(2) is not allowed. DEVICES_MAY_BIND: so they are where
 * it turns out not to be, if the host's have the owner and mode that are asked
 * for; not to be given in the host's mount namespace. The links are made only where what they lead
 * to is mounted.
 */
#define DEVICES_BIND         1U
#define DEVICES_LINK_TO_PROC 2U
#define DEVICES_LINK_TO_PTMX 4U

/* /dev is a file system of the container's own, and goes with what is made there. */
#define DEVICES_DEV_IS_FLEETING 8U

#define DEVICES_MAY_BIND 16U

/*
 * Makes the six default devices, the config's, which replace a default with the
 * same path, and the links. The caller's umask is 0. A file that is there
 * already must be the device that is wanted; for a link another one, and an
 * empty file, are replaced, and the link to core gives way to any other. The link to ptmx is made
 * whatever the config lists there; the others give way to the config. WITNESS, which may be NULL,
 * hears of what stays.
 */
int devices_make(int root_fd, const struct spec_linux *platform, unsigned options,
	const struct path_witness *witness, struct error *err) must_check;

/* Binds SLAVE_FD, a terminal of this mount namespace, on /dev/console, made when missing. */
int devices_bind_console(int root_fd, int slave_fd, const struct path_witness *witness,
	struct error *err) must_check;

/* Opens the caller's /dev/null with O_PATH, verified to be it. */
int devices_open_null(struct error *err) must_check;

#endif
