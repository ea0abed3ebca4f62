/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Containers and what can be done with them (runtime.md, "Operations").
 *
 * One function an operation; each takes the runtime's settings and an ID,
 * finds what it needs in the state directory, and returns 0, or -1 with an
 * error for the user. Nothing here prints; warnings go to base/log.
 */
#ifndef KOGG_LIBCONTAINER_CONTAINER_H
#define KOGG_LIBCONTAINER_CONTAINER_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#include "base/error.h"
#include "base/text.h"
#include "libcontainer/container_id.h"
#include "libcontainer/runtime.h"
#include "libspec/spec.h"
#include "libspec/state.h"

/* What create and run have in common. */
struct container_options {
	const char *bundle;         /* as given; "." by default */
	const char *config;         /* NULL: config.json; relative to the bundle */
	const char *pid_file;       /* NULL: none; relative to the caller's directory */
	const char *console_socket; /* NULL: none */
	const char *pidfd_socket;   /* NULL: none */
	bool no_pivot;
	bool no_new_keyring;
	unsigned preserve_fds; /* descriptors from 3 on, beside those of LISTEN_FDS */
	bool detach;           /* run only */
	bool keep;             /* run only: do not delete at exit */
	bool no_subreaper;     /* run only */
};

struct exec_options {
	const char *process_file; /* NULL: made from the flags below */
	struct spec_strings args; /* the command, when there is no process file */
	const char *cwd;          /* NULL: the config's, as the others */
	struct spec_strings env;  /* NAME=value, added */
	struct spec_strings caps; /* added */
	const char *user;         /* UID[:GID] */
	struct spec_u32s additional_gids;
	const char *process_label;
	const char *apparmor;
	struct spec_strings cgroups; /* [controller[,controller]:]PATH below the container's */
	bool tty;
	bool no_new_privs;
	bool ignore_paused;
	bool detach;
	const char *pid_file;
	const char *console_socket;
	const char *pidfd_socket;
	unsigned preserve_fds;
};

/* New limits; what is absent in them stays as it is. */
struct container_update {
	const struct spec_resources *resources;
	const char *l3_cache_schema; /* NULL: stays, as the next */
	const char *mem_bw_schema;
};

int container_create(const struct runtime *runtime, const char *id,
	const struct container_options *options, struct error *err) must_check;

/*
 * Creates and starts; unless detached also waits, deletes, and gives the exit
 * status: the process's own, or 128 and the signal that ended it.
 */
int container_run(const struct runtime *runtime, const char *id,
	const struct container_options *options, int *ret_exit_status, struct error *err)
	must_check;

int container_start(const struct runtime *runtime, const char *id, struct error *err) must_check;

/*
 * SIGNAL 0 only asks whether the process is there. ALL sends it to all processes of the
 * container's cgroup, also of a stopped container, which then is no error.
 */
int container_kill(const struct runtime *runtime, const char *id, int signal, bool all,
	struct error *err) must_check;

/* FORCE kills what runs and accepts an unknown ID. What is about to end is waited for. */
int container_delete(const struct runtime *runtime, const char *id, bool force, struct error *err)
	must_check;

int container_exec(const struct runtime *runtime, const char *id,
	const struct exec_options *options, int *ret_exit_status, struct error *err) must_check;

int container_pause(const struct runtime *runtime, const char *id, struct error *err) must_check;
int container_resume(const struct runtime *runtime, const char *id, struct error *err) must_check;

/* All of it, or nothing: what had been changed when it fails is changed back. */
int container_update(const struct runtime *runtime, const char *id,
	const struct container_update *update, struct error *err) must_check;

/* The container's processes as host pids; the caller frees *RET_PIDS. */
int container_pids(const struct runtime *runtime, const char *id, pid_t **ret_pids,
	size_t *ret_count, struct error *err) must_check;

/*
 * What is known of one container. The strings belong to the view, which the
 * caller frees with container_view_free().
 */
struct container_view {
	struct state state;
	uid_t uid; /* of who created it */
};

int container_view(const struct runtime *runtime, const char *id, struct container_view **ret_view,
	struct error *err) must_check;
void container_view_free(struct container_view *view);

/*
 * The IDs of all containers, sorted, ending with NULL; the caller gives them to
 * container_list_free(). A missing root has none, unless it was given by --root.
 */
int container_list(const struct runtime *runtime, char ***ret_ids, struct error *err) must_check;
void container_list_free(char **ids);

#endif
