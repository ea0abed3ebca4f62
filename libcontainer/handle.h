/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A container that exists: its directory, what is remembered of it, and what
 * it is doing now. What every operation but create begins with.
 */
#ifndef KOGG_LIBCONTAINER_HANDLE_H
#define KOGG_LIBCONTAINER_HANDLE_H

#include "libcontainer/container_id.h"
#include "libcontainer/runtime.h"
#include "libcontainer/state_dir.h"
#include "libcontainer/state_file.h"
#include "libspec/state.h"

struct spec;
struct spec_document;

struct handle {
	struct state_dir dir;
	struct state_file file;
	enum state_status status;
	int pidfd; /* of the first process while it lives, or -1 */
	bool is_locked;
};

#define HANDLE_CLOSED                                \
	{                                            \
		.dir = STATE_DIR_CLOSED, .pidfd = -1 \
	}

#define cleanup_handle __attribute__((cleanup(handle_close)))

/*
 * Opens container ID for reading. A container that is not made to the end is
 * STATE_CREATING as long as its creator lives and STATE_STOPPED after that.
 */
int handle_open(struct handle *ret_handle, const struct runtime *runtime, const char *id,
	struct error *err) must_check;

/* The same for changing it: nobody else changes it until handle_close(). */
int handle_lock(struct handle *ret_handle, const struct runtime *runtime, const char *id,
	struct error *err) must_check;

/* The same for adding a process to it: others may do so too, but nobody deletes it. */
int handle_share(struct handle *ret_handle, const struct runtime *runtime, const char *id,
	struct error *err) must_check;

/*
 * Locks for changing once more what state_dir_unlock() has let go, and looks what it
 * does now. ERROR_NOT_FOUND when somebody has deleted it, though its ID may be taken.
 */
int handle_relock(struct handle *handle, struct error *err) must_check;

/* Fails unless the container runs or is paused: "container not running". */
int handle_want_running(const struct handle *handle, struct error *err) must_check;

/* Fails unless the container has a cgroup, by which it can be limited, counted and stopped. */
int handle_want_cgroup(const struct handle *handle, struct error *err) must_check;

/* The state document; it borrows from HANDLE. */
void handle_describe(const struct handle *handle, struct state *ret_state);

/* Loads the config as it was at create, which the caller frees. */
int handle_load_spec(const struct handle *handle, struct spec_document **ret_document,
	const struct spec **ret_spec, struct error *err) must_check;

/*
 * Ends and removes the container, whatever it does: processes, cgroup, state
 * directory; then runs its poststop hooks. HANDLE is locked. What can't be
 * removed is an error, and then the state directory stays for another try.
 */
int handle_destroy(struct handle *handle, struct error *err) must_check;

void handle_close(struct handle *handle);

#endif
