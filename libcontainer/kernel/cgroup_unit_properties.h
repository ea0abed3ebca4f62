/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a container's unit is told of it (systemd.resource-control(5),
 * systemd.scope(5)): systemd writes some cgroup files anew when it reloads, and
 * must know the limits so as not to lift them.
 *
 * A property is an array of its name, its D-Bus signature and its value.
 * Talks to nobody.
 */
#ifndef KOGG_LIBCONTAINER_KERNEL_CGROUP_UNIT_PROPERTIES_H
#define KOGG_LIBCONTAINER_KERNEL_CGROUP_UNIT_PROPERTIES_H

#include <jansson.h>

#include "libcontainer/kernel/cgroup_layout.h"
#include "libspec/spec_resources.h"

/* Appends to the array LIST what every container's unit has. */
int cgroup_unit_properties_basic(const char *id, const char *slice, json_t *list, struct error *err)
	must_check;

/*
 * What is in force, for limits that say a part and leave the rest: of quota and
 * period each needs the other. 0 is not known.
 */
struct cgroup_unit_now {
	uint64_t period; /* microseconds, as the quota */
	int64_t quota;   /* -1: none, as the next but one */
	uint64_t weight; /* v2 */
	int64_t memory_limit;
};

/* The kernel's default for the period ("cpu.max" in cgroup-v2.rst), and no more. */
extern const struct cgroup_unit_now cgroup_unit_now_at_first;

/* Appends the limits of RESOURCES that systemd knows, for v2 when IS_V2. */
int cgroup_unit_properties_limits(const struct spec_resources *resources, bool is_v2,
	const struct cgroup_unit_now *now, json_t *list, struct error *err) must_check;

/* Appends the device rules. */
int cgroup_unit_properties_devices(const struct spec_resources *resources, bool is_v2, json_t *list,
	struct error *err) must_check;

/* Appends the org.systemd.property.* of ANNOTATIONS, which may be NULL. */
int cgroup_unit_properties_annotations(
	const struct spec_map *annotations, json_t *list, struct error *err) must_check;

#endif
