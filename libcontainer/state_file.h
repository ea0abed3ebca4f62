/* SPDX-License-Identifier: Apache-2.0 */
/*
 * state.json: what kogg remembers of a container between two commands.
 *
 * The file grows while the container is made: it is a row of JSON objects, each
 * of which replaces members of those before it. What is known before anything
 * is made comes first, so that a crash loses nothing; then the first process;
 * then, that all is ready. Adding is one small write(2), where replacing the
 * file would have some file systems go to the disk.
 *
 * It bears a format number. A reader refuses a number it does not know, and a
 * later kogg must go on reading the formats of earlier ones, since containers
 * outlive upgrades. Whether the container waits for `start` is not in here: the
 * names in its directory tell (state_dir.h).
 */
#ifndef KOGG_LIBCONTAINER_STATE_FILE_H
#define KOGG_LIBCONTAINER_STATE_FILE_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/arena.h"
#include "base/error.h"
#include "base/text.h"
#include "libcontainer/kernel/cgroup.h"
#include "libcontainer/kernel/intel_rdt.h"
#include "libspec/json_load.h"
#include "libspec/spec_types.h"

#define STATE_FILE_FORMAT 1

/* An upper bound for the file; annotations are the only large part. */
#define STATE_FILE_MAX JSON_SIZE_MAX

/* More than any version adds. */
#define STATE_FILE_OBJECTS_MAX 16

struct state_file {
	const char *id;
	const char *bundle;  /* absolute */
	const char *rootfs;  /* absolute */
	const char *created; /* RFC 3339, UTC */
	const struct spec_map *annotations;
	pid_t pid;           /* of the first process, in the runtime's PID namespace; 0: none yet */
	uint64_t start_time; /* of that process (pidfd.h): no other process has both */
	uint32_t uid;        /* who created it */
	bool is_ready;       /* create has finished */
	bool has_own_pid_namespace;
	bool has_start_hooks; /* hooks of these kinds: config.json need not be read to know */
	bool has_poststart;
	bool has_poststop;
	struct intel_rdt_made rdt;
	bool no_new_keyring;   /* its processes are in the caller's */
	struct cgroup *cgroup; /* owned by the struct when loaded; NULL when unknown */
	struct arena arena;    /* owns the strings when loaded */
	struct spec_map loaded_annotations;
};

/* Makes state.json in the directory DIR_FD: readers see all of it or none. */
int state_file_save(int dir_fd, const struct state_file *state, struct error *err) must_check;

/*
 * Adds the first process, and what was made for it: pid, start_time, rdt, and
 * cgroup, which may have come out otherwise than planned.
 */
int state_file_add_process(int dir_fd, const struct state_file *state, struct error *err)
	must_check;

/* Adds that the container is ready. */
int state_file_add_ready(int dir_fd, struct error *err) must_check;

/* Whether there is one, readable or not, and no directory in its place, say. */
bool state_file_exists(int dir_fd);

/*
 * Fills RET_STATE, which the caller gives to state_file_release() in any case.
 * What the file holds is as little trusted as a config: the same loader reads it,
 * with its caps.
 */
int state_file_load(int dir_fd, struct state_file *ret_state, struct error *err) must_check;

/* The same for what a file holds. TEXT is changed for a while, and not kept. */
int state_file_parse(struct text *text, struct state_file *ret_state, struct error *err) must_check;

void state_file_release(struct state_file *state);

#endif
