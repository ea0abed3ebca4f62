/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Where a container's control groups lie: which hierarchies the host has and
 * the directory in each (cgroups(7); /proc/self/cgroup, statfs(2) of what is
 * below /sys/fs/cgroup).
 *
 * Makes, writes and removes nothing, and knows no controller's files.
 */
#ifndef KOGG_LIBCONTAINER_KERNEL_CGROUP_LAYOUT_H
#define KOGG_LIBCONTAINER_KERNEL_CGROUP_LAYOUT_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#include "base/arena.h"
#include "base/error.h"
#include "base/text.h"

/* cgroups(7) knows 14 controllers; the rest is room for named hierarchies. */
#define CGROUP_PLACES_MAX 32

/* The longest path of a group, with that of its mount. */
#define CGROUP_PATH_MAX 2048

/* A container's group in one hierarchy. */
struct cgroup_place {
	const char *name;  /* the mount's directory below /sys/fs/cgroup; "" on pure v2 */
	const char *mount; /* "/sys/fs/cgroup/cpu,cpuacct" */
	const char *path;  /* below it: "/docker/0123" */
	bool is_v2;
	bool is_new;       /* made by this process a moment ago */
	unsigned made;     /* how many components at the end of path are the container's own */
	int dir_fd;        /* the group, O_PATH; -1 until it is needed */
	int entry_fd;      /* v1: `tasks`, v2: the directory to be born in; -1 until it is needed */
	const char *entry; /* a path below the group's for the next process; "" as a rule */
};

/* A v2 controller that must be there, and the member of the config that says so. */
struct cgroup_want {
	char controller[32];
	char pointer[256];
};

/* Linux 7.0 has ten v2 controllers. */
#define CGROUP_WANTS_MAX 24

struct cgroup_wants {
	struct cgroup_want items[CGROUP_WANTS_MAX];
	size_t count;
};

struct cgroup {
	struct cgroup_place places[CGROUP_PLACES_MAX];
	size_t n_places;
	const char *unit;     /* of systemd, which made the group; NULL: made by directory */
	bool is_user_unit;    /* of the caller's own manager, not the system's */
	int holder_fd;        /* closing it ends the process that keeps a new unit alive; or -1 */
	pid_t holder;         /* that process */
	const char *settings; /* systemd: what to start the unit with; NULL once started */
	struct cgroup_wants wants; /* what the limits that were planned for need in v2 */
	bool is_optional; /* by a caller without privilege, and nothing in the config needs it */
	bool has_stage;   /* as struct cgroup_request has it */
	bool has_cpus;    /* the limits set cpuset.cpus, so no copy of the parent's is needed */
	bool has_mems;
	struct cgroup_hierarchy *view; /* as cgroup_hierarchies() shows the places; or NULL */
	struct arena arena;
};

/* An empty struct cgroup, or NULL without memory. */
struct cgroup *cgroup_layout_new(struct error *err) must_check;
void cgroup_layout_free(struct cgroup *cgroup);

/* Finds the host's hierarchies; none at all is an error of kind ERROR_UNSUPPORTED. */
int cgroup_layout_detect(struct cgroup *cgroup, struct error *err) must_check;

/*
 * Gives each place its path. PATH as linux.cgroupsPath: absolute ones count
 * from the mount, others from the caller's own group on v1 and from that one's
 * parent on v2, since a v2 group that holds processes can't have limited
 * children (cgroups(7), "no internal processes").
 */
int cgroup_layout_place(struct cgroup *cgroup, const char *path, struct error *err) must_check;

/*
 * Appends the components of PATH to BASE, which has CGROUP_PATH_MAX bytes, each
 * with one slash before it; ".." is an error.
 */
int cgroup_layout_append(char *base, const char *path, struct error *err) must_check;

/* Whether PLACE is of a hierarchy that the comma-separated LIST names by a controller. */
bool cgroup_layout_has_controller(const struct cgroup_place *place, const char *list);

/* Copies to RET_PATH PLACE's line in TEXT, which is as /proc/PID/cgroup. */
int cgroup_layout_find_path(const struct cgroup_place *place, const char *text, char *ret_path,
	struct error *err) must_check;

/* Reads /proc/PID/cgroup; PID 0 is the caller. */
int cgroup_layout_read_proc(pid_t pid, struct text *ret_text, struct error *err) must_check;

/* Whether the caller is no root, or one only in a user namespace of his own. */
bool cgroup_layout_is_rootless(void);

/* The place that has CONTROLLER in v1, or NULL. */
struct cgroup_place *cgroup_layout_find_v1(struct cgroup *cgroup, const char *controller);

/* The place in the v2 hierarchy, or NULL. */
struct cgroup_place *cgroup_layout_find_v2(struct cgroup *cgroup);

/* Where the container's processes are looked up, frozen and killed; NULL if nowhere. */
struct cgroup_place *cgroup_layout_main(struct cgroup *cgroup);

json_t *cgroup_layout_save(const struct cgroup *cgroup);
int cgroup_layout_load(const json_t *saved, struct cgroup *cgroup, struct error *err) must_check;

#endif
