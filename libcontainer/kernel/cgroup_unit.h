/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Names of systemd units and the groups they have (systemd.unit(5),
 * systemd.slice(5), org.freedesktop.systemd1(5)).
 *
 * Talks to nobody.
 */
#ifndef KOGG_LIBCONTAINER_KERNEL_CGROUP_UNIT_H
#define KOGG_LIBCONTAINER_KERNEL_CGROUP_UNIT_H

#include <stdbool.h>

#include "base/error.h"
#include "libcontainer/kernel/cgroup_layout.h"

/* UNIT_NAME_MAX of systemd, and a NUL. */
#define CGROUP_UNIT_NAME_SIZE 256

struct cgroup_unit {
	char slice[CGROUP_UNIT_NAME_SIZE]; /* "machine-a.slice" */
	char name[CGROUP_UNIT_NAME_SIZE];  /* "kogg-ID.scope" */
	char path[CGROUP_PATH_MAX];        /* "/machine.slice/machine-a.slice/kogg-ID.scope" */
};

/*
 * Takes linux.cgroupsPath apart, which is slice:prefix:name, or NULL or "" for
 * SLICE_DEFAULT, "kogg" and ID. The path counts from the manager's own group.
 */
int cgroup_unit_parse(const char *cgroups_path, const char *id, const char *slice_default,
	struct cgroup_unit *ret_unit, struct error *err) must_check;

#endif
