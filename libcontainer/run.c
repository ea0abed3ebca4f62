/* SPDX-License-Identifier: Apache-2.0 */
#include "libcontainer/container.h"

#include <sys/prctl.h>

#include "base/cleanup.h"
#include "base/log.h"
#include "libcontainer/creation.h"
#include "libcontainer/creation_failure.h"
#include "libcontainer/creation_start.h"
#include "libcontainer/foreground.h"
#include "libcontainer/handle.h"
#include "libcontainer/interrupts.h"
#include "libcontainer/notify.h"
#include "libcontainer/relay.h"

static int start_now(struct creation *creation, struct notify *ret_notify, struct error *err)
{
	if (notify_open(creation->dir.fd, ret_notify, err) < 0 ||
		creation_announce(creation, err) < 0)
		return -1;
	return creation_start(creation, err);
}

static int start_detached(struct creation *creation, struct error *err)
{
	cleanup_notify struct notify notify = NOTIFY_CLOSED;

	if (start_now(creation, &notify, err) < 0)
		return -1;
	return notify_wait(&notify, creation->first.pidfd, creation->first.pid, err);
}

/*
 * As `delete --force` would, with what is known already. Somebody else may have
 * deleted it by now, and made another of its name.
 */
static void delete_now(struct creation *creation)
{
	struct handle handle = {
		.dir = creation->dir,
		.file = creation->file,
		.status = STATE_STOPPED,
		.pidfd = -1,
		.is_locked = true,
	};
	struct error err = { 0 };

	if (state_dir_relock(&creation->dir, &err) < 0 && err.kind == ERROR_NOT_FOUND)
		return;
	/* The process's status is the answer; what can't be removed is a warning. */
	if (err.kind != ERROR_NONE || handle_destroy(&handle, &err) < 0)
		log_warning("%s", err.text);
}

/* Signals that come before the program runs end the wait for it. */
static int start_or_end(struct creation *creation, struct notify *ret_notify, int *ret_exit_status,
	struct error *err)
{
	cleanup_interrupts struct interrupts interrupts = INTERRUPTS_CLOSED;
	int result;

	if (interrupts_open(&interrupts, err) < 0)
		return -1;
	creation->interrupts = &interrupts;
	result = start_now(creation, ret_notify, err);
	creation->interrupts = NULL;
	if (result < 0 && interrupts.signal)
		*ret_exit_status = 128 + interrupts.signal;
	return result;
}

static int attend_to_end(struct creation *creation, int *ret_exit_status, struct error *err)
{
	cleanup_fd int signals = foreground_catch_signals(err);
	cleanup_relay struct relay *relay = NULL;
	cleanup_notify struct notify notify = NOTIFY_CLOSED;

	if (signals < 0)
		return -1;
	if (creation->terminal >= 0 && relay_open(take_fd(&creation->terminal), &relay, err) < 0)
		return -1;
	if (start_or_end(creation, &notify, ret_exit_status, err) < 0)
		return -1;
	if (foreground_wait(&(struct foreground){ .signals = signals,
				    .pid = creation->first.pid,
				    .pidfd = creation->first.pidfd,
				    .relay = relay,
				    .notify = &notify },
		    ret_exit_status, err) < 0)
		return -1;
	foreground_note_kills(
		*ret_exit_status, creation_count_kills(creation->file.cgroup, &creation->kills));
	return 0;
}

int container_run(const struct runtime *runtime, const char *id,
	const struct container_options *options, int *ret_exit_status, struct error *err)
{
	struct creation creation;
	int result;

	if (!options->detach && !options->no_subreaper)
		prctl(PR_SET_CHILD_SUBREAPER, 1);
	result = creation_make(&creation, runtime, id, options, CREATION_STARTED_BY_CALLER, err);
	if (result == 0 && options->detach)
		result = start_detached(&creation, err);
	else if (result == 0)
		result = attend_to_end(&creation, ret_exit_status, err);
	if (result == 0)
		creation_commit(&creation);
	if (result == 0 && !options->detach && !options->keep)
		delete_now(&creation);
	creation_release(&creation);
	return result;
}
