/* SPDX-License-Identifier: Apache-2.0 */
#include "libcontainer/creation_undo.h"

#include <signal.h>
#include <sys/socket.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "base/log.h"
#include "libcontainer/creation_data.h"
#include "libcontainer/kernel/intel_rdt.h"
#include "libcontainer/kernel/pidfd.h"
#include "libcontainer/pid_file.h"
#include "libcontainer/runtime_hooks.h"
#include "libcontainer/sync.h"

/* For what a dead process has sent, should somebody else still hold its socket. */
#define LAST_WORDS_MS 1000

/* How long a first process may take to come to where it waits. */
#define HEAR_OUT_MS 10000

void creation_undo_state_dir(void *context)
{
	struct creation *creation = context;
	struct error err = { 0 };

	if (state_dir_remove(&creation->dir, &err) < 0)
		log_warning("%s", err.text);
}

void creation_undo_hooks(void *context)
{
	struct creation *creation = context;

	if (!creation->has_run_hooks)
		return;
	creation->state.status = STATE_STOPPED;
	creation->state.has_pid = false;
	runtime_hooks_run_poststop(creation->spec, &creation->state);
}

void creation_undo_cgroup(void *context)
{
	struct creation *creation = context;
	struct error err = { 0 };

	if (cgroup_kill(creation->file.cgroup, &err) < 0 ||
		cgroup_remove(creation->file.cgroup, &err) < 0)
		log_warning("%s", err.text);
}

/* Keeps what the next message tells of, whatever that is. False when there is none. */
static bool hear_of_paths(struct creation *creation, int64_t deadline)
{
	struct sync_message message;
	struct error ignored = { 0 };
	cleanup_fd int fd = -1;

	if (sync_receive(creation->sync[0], deadline, &message, &fd, &ignored) < 0)
		return false;
	creation->is_first_waiting = sync_waits(message.type);
	return message.type != SYNC_MADE ||
	       made_paths_keep(&creation->made, &message.made, take_fd(&fd), &ignored) == 0;
}

/*
 * A process that is killed between making a file and telling of it leaves that
 * behind, so it is let go on to where it waits for us or ends.
 */
static void hear_out(struct creation *creation)
{
	int64_t deadline = clock_now_ms() + HEAR_OUT_MS;

	while (!creation->is_first_waiting && hear_of_paths(creation, deadline))
		;
}

void creation_undo_first_process(void *context)
{
	struct creation *creation = context;
	struct error err = { 0 };
	int status;

	if (creation->first.pidfd < 0)
		return;
	/* Whatever it waits for will not come. */
	shutdown(creation->sync[0], SHUT_WR);
	hear_out(creation);
	/* It is our child, so its number is its own until it is reaped. */
	kill(creation->first.pid, SIGKILL);
	/* Somebody may have paused it during poststart hooks; v1 holds even what is to die. */
	if (creation->file.cgroup && cgroup_is_frozen(creation->file.cgroup) &&
		cgroup_thaw(creation->file.cgroup, &err) < 0) {
		log_warning("%s", err.text);
		err = (struct error){ 0 };
	}
	if (pidfd_reap(creation->first.pidfd, PIDFD_DEATH_MS, &status, NULL, &err) < 0)
		log_warning("%s", err.text);
}

/* Whatever their namespace is of by now: those that are virtual would end with it. */
void creation_undo_net_devices(void *context)
{
	struct creation *creation = context;
	struct error err = { 0 };

	if (net_devices_return(&creation->net_devices, &err) < 0)
		log_warning("%s", err.text);
}

void creation_undo_intel_rdt(void *context)
{
	struct creation *creation = context;
	struct error err = { 0 };

	if (intel_rdt_undo(creation->spec->platform.intel_rdt, creation->id, &creation->file.rdt,
		    &err) < 0)
		log_warning("%s", err.text);
}

/*
 * The first process is dead by now, and with its cgroup whoever had kept its
 * mounts, which would hide what they are on. What it has told and nobody has
 * read is still on its way, whoever of both had failed.
 */
void creation_undo_made_paths(void *context)
{
	struct creation *creation = context;
	int64_t deadline = creation->sync[0] < 0 ? 0 : clock_now_ms() + LAST_WORDS_MS;

	close_at(&creation->sync[1]);
	creation->sync[1] = -1;
	while (hear_of_paths(creation, deadline))
		;
	made_paths_remove(&creation->made);
}

void creation_undo_pid_file(void *context)
{
	struct creation *creation = context;

	pid_file_remove(creation->options->pid_file);
}
