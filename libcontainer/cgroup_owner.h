/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Giving a container's cgroup to the user that its process runs as
 * (config-linux.md, "Cgroup ownership").
 */
#ifndef KOGG_LIBCONTAINER_CGROUP_OWNER_H
#define KOGG_LIBCONTAINER_CGROUP_OWNER_H

#include <sys/types.h>

#include "libcontainer/kernel/cgroup.h"
#include "libspec/spec.h"

/*
 * Changes the owner where the text asks for it: on pure v2, for a container with
 * a new cgroup namespace and a writable cgroup mount. PID is its first process,
 * whose user namespace has its mappings by now.
 */
int cgroup_owner_set(struct cgroup *cgroup, const struct spec *spec, pid_t pid, struct error *err)
	must_check;

#endif
