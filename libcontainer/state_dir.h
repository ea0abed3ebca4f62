/* SPDX-License-Identifier: Apache-2.0 */
/*
 * /run/kogg/ID: the directory that makes a container exist.
 *
 *   state.json   what is remembered (state_file.h); absent for the first instant
 *   config.json  the bundle's, as it was read at create
 *   start        FIFO; there until `start` has released the first process
 *   result       FIFO through which the first process tells `start` how its exec went
 *
 * What `run` makes has no FIFOs: who starts it is who made it.
 *
 * mkdir(2) decides who creates an ID, and who locks it first while it is empty,
 * if it was deleted and made again in between. Whoever changes a container
 * holds flock(2) on its directory; readers need no lock, since what they see
 * changes atomically. The lock goes with its holder, so a killed command leaves
 * none behind.
 */
#ifndef KOGG_LIBCONTAINER_STATE_DIR_H
#define KOGG_LIBCONTAINER_STATE_DIR_H

#include <stdbool.h>

#include "base/error.h"

struct state_dir {
	int root_fd; /* of --root */
	int fd;      /* of the container's directory */
	const char *root, *id;
};

#define STATE_DIR_CLOSED                \
	{                               \
		.root_fd = -1, .fd = -1 \
	}

#define cleanup_state_dir __attribute__((cleanup(state_dir_close)))

/*
 * Makes ROOT (0700, with its parents) and ID in it, locked. An ID that is
 * there already is ERROR_STATE. ROOT and ID are borrowed.
 */
int state_dir_create(struct state_dir *ret_dir, const char *root, const char *id, struct error *err)
	must_check;

/*
 * Opens without a lock: for reading. ERROR_NOT_FOUND when there is no such ID.
 * A directory that is not the caller's alone is refused, here and by all below.
 */
int state_dir_open(struct state_dir *ret_dir, const char *root, const char *id, struct error *err)
	must_check;

/* Says that there is no such container, in the words that engines know. Returns -1. */
int state_dir_not_found(const char *id, struct error *err);

enum state_dir_lock {
	STATE_DIR_SHARED,    /* for joining: nobody changes it meanwhile */
	STATE_DIR_EXCLUSIVE, /* for changing */
};

/*
 * Opens and locks. Waits at most STATE_DIR_LOCK_SECONDS for
 * another command, which the error then names as the cause.
 */
int state_dir_lock(struct state_dir *ret_dir, enum state_dir_lock lock, const char *root,
	const char *id, struct error *err) must_check;

#define STATE_DIR_LOCK_SECONDS 10

/* Locks for changing once more what state_dir_unlock() has let go, with the same wait. */
int state_dir_relock(const struct state_dir *dir, struct error *err) must_check;

/*
 * Lets others have the lock while the caller waits for something that they may
 * be needed for. Afterwards state_dir_is_current() says whether the ID still
 * means this directory.
 */
void state_dir_unlock(const struct state_dir *dir);
bool state_dir_is_current(const struct state_dir *dir);

/* Whether somebody holds the lock now. */
bool state_dir_is_busy(const struct state_dir *dir);

/* Whether there is more than a name that somebody has just taken. */
bool state_dir_has_begun(const struct state_dir *dir);

/* Makes the FIFOs, by which another command will start the container. */
int state_dir_make_fifos(const struct state_dir *dir, struct error *err) must_check;

/*
 * Whether it still waits for that, with the FIFO open: it lets go of that at its
 * execve(2), so that a killed `start` does not make a program that runs look as
 * if it waited.
 */
bool state_dir_is_waiting(const struct state_dir *dir);

/* Whether `start` has come to its end: the FIFO is gone, or never was (`run`). */
bool state_dir_is_started(const struct state_dir *dir);
int state_dir_set_started(const struct state_dir *dir, struct error *err) must_check;

/* Opens one of the FIFOs with FLAGS of open(2). */
int state_dir_open_start(const struct state_dir *dir, int flags);
int state_dir_open_result(const struct state_dir *dir, int flags);

/*
 * Opens the directory beside all containers' where compiled filters are kept,
 * made when it is missing. Its name is no container's ID. Returns a descriptor
 * that the caller owns, or -1: a cache is never a reason to fail.
 */
int state_dir_open_cache(const struct state_dir *dir);

/*
 * Says that what failed, by a name of what is in the directory, failed there, and
 * not in the bundle, which has files of the same names. Returns -1.
 */
int state_dir_blame(const struct state_dir *dir, struct error *err);

/* Removes the directory and all in it. */
int state_dir_remove(const struct state_dir *dir, struct error *err) must_check;

/* Lets go of the descriptors, and so of the lock. */
void state_dir_close(struct state_dir *dir);

#endif
