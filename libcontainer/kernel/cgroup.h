/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Control groups of one container (cgroups(7); Documentation/admin-guide/
 * cgroup-v1/ and cgroup-v2.rst): made, limited, entered, listed, frozen,
 * killed and removed, on hosts with v1 hierarchies, v2, or both.
 *
 * Knows nothing of containers' states or of config.json beyond linux.resources.
 */
#ifndef KOGG_LIBCONTAINER_KERNEL_CGROUP_H
#define KOGG_LIBCONTAINER_KERNEL_CGROUP_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#include "base/error.h"
#include "libspec/spec_resources.h"

enum cgroup_driver {
	CGROUP_DRIVER_CGROUPFS,
	CGROUP_DRIVER_SYSTEMD,
	CGROUP_DRIVER_DISABLED, /* no cgroup is made; processes stay in the caller's */
};

struct cgroup; /* opaque: which hierarchies, which directory in each */

struct cgroup_request {
	enum cgroup_driver driver;
	const char *path; /* linux.cgroupsPath, or NULL */
	const char *id;   /* of the container: the name of its group when there is no path */
	const struct spec_map *annotations;     /* org.systemd.property.*; may be NULL */
	const struct spec_resources *resources; /* may be NULL */
	bool has_stage; /* two processes are born in it: one is there only to make the other */
};

/* Whether the container has a group; one of CGROUP_DRIVER_DISABLED, and NULL, has none. */
bool cgroup_has_group(const struct cgroup *cgroup);

/*
 * Decides where the container's groups will lie, touching nothing. What it
 * gives can be saved between cgroup_check() and cgroup_make(), so that a crash
 * leaves nothing unknown, and nothing that is saved is somebody else's.
 */
int cgroup_plan(const struct cgroup_request *request, struct cgroup **ret_cgroup, struct error *err)
	must_check;

/*
 * Fails when a group is there already and holds processes or is frozen, or what
 * is made below one that is frozen would never run.
 */
int cgroup_check(struct cgroup *cgroup, struct error *err) must_check;

/*
 * Makes the groups. One that holds processes by now is an error. On failure what
 * was made is removed. A caller without privilege who may make none, and whose
 * config has neither a path nor limits, gets none: that is a success.
 */
int cgroup_make(struct cgroup *cgroup, struct error *err) must_check;

/* Writes all limits and device rules; errors carry the JSON pointer. */
int cgroup_limit(struct cgroup *cgroup, const struct spec_resources *resources, struct error *err)
	must_check;

/*
 * Whether cgroup_limit() may also come when init is in its group and works:
 * everywhere but on v1, where a cpuset must be filled for anybody to enter.
 */
bool cgroup_can_limit_later(const struct cgroup *cgroup);

/*
 * To be called when init is there and has no fork left to do. With a task limit of
 * 0 nothing could be born in the group, so cgroup_limit() writes the least that lets
 * init be, and this the real one. Also ends the process that has kept a systemd unit
 * alive so far (which otherwise cgroup_free() or the caller's end does). Does
 * nothing for all other containers.
 */
int cgroup_limit_late(struct cgroup *cgroup, const struct spec_resources *resources,
	struct error *err) must_check;

/*
 * As cgroup_limit() for a container that runs: absent members stay, devices are
 * those of CREATED, which cgroup_limit() had. What is changed when it fails is
 * changed back. A container on v1 that systemd has a part in stands still
 * meanwhile.
 */
int cgroup_update(struct cgroup *cgroup, const struct spec_resources *resources,
	const struct spec_resources *created, struct error *err) must_check;

/* Whether CREATED matters to it: systemd writes v1's device rules along with all else. */
bool cgroup_update_rewrites_devices(struct cgroup *cgroup);

/*
 * How a new process gets in. On v2: born there, by the directory descriptor
 * for clone3(2)'s CLONE_INTO_CGROUP (borrowed; -1 when there is no v2 group).
 * On v1: the child, still single-threaded, calls cgroup_enter(), which writes
 * "0" to each hierarchy's `tasks` through descriptors opened by
 * cgroup_prepare_entry(), because by then it may have lost the right to open.
 */
int cgroup_prepare_entry(struct cgroup *cgroup, struct error *err) must_check;
int cgroup_birth_fd(const struct cgroup *cgroup);
int cgroup_enter(const struct cgroup *cgroup, struct error *err) must_check;

/* Moves PID in by writing its number: for kernels whose clone3 can't. */
int cgroup_add(struct cgroup *cgroup, pid_t pid, struct error *err) must_check;

/*
 * Other groups for the next cgroup_prepare_entry(), below the container's own:
 * WORD is "[CONTROLLER[,CONTROLLER...]:]PATH", as exec's --cgroup has it, and
 * may come several times with different controllers.
 */
int cgroup_choose_entry(struct cgroup *cgroup, const char *word, struct error *err) must_check;

/*
 * The same with the v2 group that PID is in now. For when clone3(2) or
 * cgroup_add() fails with EBUSY: an init that has enabled controllers below its
 * group has left it, and nobody can enter (cgroups(7), "no internal processes").
 */
int cgroup_follow(struct cgroup *cgroup, pid_t pid, struct error *err) must_check;

/*
 * Gives the group to a container that may manage it (config-linux.md, "Cgroup
 * Ownership"), on pure v2; does nothing elsewhere. The caller knows that there
 * is a new cgroup namespace and a writable cgroup mount. UID and GID are the
 * host's; GID may be (gid_t)-1, for no change.
 */
int cgroup_delegate(struct cgroup *cgroup, uid_t uid, gid_t gid, struct error *err) must_check;

/* As an object for the state file, and back. */
json_t *cgroup_save(const struct cgroup *cgroup);
int cgroup_load(const json_t *saved, struct cgroup **ret_cgroup, struct error *err) must_check;

/* All processes in the group and below it; the caller frees *RET_PIDS. */
int cgroup_pids(struct cgroup *cgroup, pid_t **ret_pids, size_t *ret_count, struct error *err)
	must_check;

/* The same as text: "12 (D), 345 (R)", each with the letter of its state (proc(5)). */
void cgroup_describe_pids(struct cgroup *cgroup, char *ret_text, size_t size);

/* Both return when the kernel has confirmed. */
int cgroup_freeze(struct cgroup *cgroup, struct error *err) must_check;
int cgroup_thaw(struct cgroup *cgroup, struct error *err) must_check;
bool cgroup_is_frozen(struct cgroup *cgroup);

/* Whether the processes of OTHER are in the group or below, and cgroup_kill() would end them. */
bool cgroup_holds(struct cgroup *cgroup, struct cgroup *other);

/* Sends SIGNAL, which is not SIGKILL, to all processes in the group and below. */
int cgroup_signal(struct cgroup *cgroup, int signal, struct error *err) must_check;

/* Kills all processes in the group and below: cgroup.kill, or freeze, SIGKILL, thaw. */
int cgroup_kill(struct cgroup *cgroup, struct error *err) must_check;

/*
 * Removes the group and those that the container made in it, waiting (poll on
 * cgroup.events, pidfds; no sleeping) for dying processes at most 10 seconds. A
 * group that is gone already is fine. On failure the error lists pids and states.
 */
int cgroup_remove(struct cgroup *cgroup, struct error *err) must_check;

/* What a "cgroup" mount in the container is made of. */
struct cgroup_hierarchy {
	const char *name;  /* "cpu,cpuacct": its directory below /sys/fs/cgroup; "" for pure v2 */
	const char *mount; /* where the host has it */
	const char *path;  /* the container's group in it, from the hierarchy's root */
	bool is_v2;
};

/* Borrowed, *RET_COUNT entries; pure v2 hosts have one. */
const struct cgroup_hierarchy *cgroup_hierarchies(const struct cgroup *cgroup, size_t *ret_count);

void cgroup_free(struct cgroup *cgroup); /* NULL is fine; leaves the groups alone */

#endif
