/* SPDX-License-Identifier: Apache-2.0 */
/* What the steps of making a container share with those that undo them; see creation.h. */
#ifndef KOGG_LIBCONTAINER_CREATION_DATA_H
#define KOGG_LIBCONTAINER_CREATION_DATA_H

#include "base/timestamp.h"
#include "libcontainer/bundle.h"
#include "libcontainer/container.h"
#include "libcontainer/kernel/cgroup_oom.h"
#include "libcontainer/kernel/net_devices.h"
#include "libcontainer/kernel/syscall_filter.h"
#include "libcontainer/launch.h"
#include "libcontainer/made_paths.h"
#include "libcontainer/passed_fds.h"
#include "libcontainer/rollback.h"
#include "libcontainer/rootfs.h"
#include "libcontainer/start_channel.h"
#include "libcontainer/state_dir.h"
#include "libcontainer/state_file.h"

enum creation_starter {
	CREATION_STARTED_BY_ANOTHER, /* command, by FIFOs in the state directory */
	CREATION_STARTED_BY_CALLER,  /* with creation_start() */
};

struct creation {
	const struct runtime *runtime;
	const char *id;
	const struct container_options *options;
	enum creation_starter starter;
	struct bundle bundle;
	const struct spec *spec; /* of the bundle */
	struct state_dir dir;
	struct state_file file;
	char created[TIMESTAMP_SIZE];
	struct state state; /* for hooks and agents */
	struct namespaces joined;
	struct network network;
	struct rootfs rootfs;
	struct rootfs_request rootfs_request;
	struct made_paths made;
	struct path_witness witness; /* tells of what is made */
	char *notify_dir;            /* NULL: the caller does not want to be notified */
	struct syscall_filter filter;
	struct passed_fds passed;
	int sync[2];
	struct start_channel own_side; /* for run, which starts what it has made */
	struct start_channel init_side;
	int console_socket;
	int terminal; /* the master, when no console socket takes it; or -1 */
	struct launch_request launch;
	struct launched first;
	struct interrupts *interrupts; /* for run: which end its waiting; or NULL */
	struct cgroup_oom_watch kills; /* see creation_watch_memory() */
	struct net_devices net_devices;
	bool is_moved;         /* its first process is: see launch_was_stillborn() */
	bool is_stillborn;     /* it has failed for that */
	bool has_spoken;       /* the first process */
	bool is_first_waiting; /* for us; otherwise it may be making files */
	bool has_run_hooks;
	struct rollback rollback;
};

#endif
