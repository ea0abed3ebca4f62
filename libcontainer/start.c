/* SPDX-License-Identifier: Apache-2.0 */
#include "libcontainer/start.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "base/fd.h"
#include "libcontainer/container.h"
#include "libcontainer/handle.h"
#include "libcontainer/kernel/cgroup_oom.h"
#include "libcontainer/kernel/pidfd.h"
#include "libcontainer/launch.h"
#include "libcontainer/notify.h"
#include "libcontainer/runtime_hooks.h"
#include "libcontainer/sync.h"

/* What is killed here has done nothing yet that could hold it for long. */
#define DEATH_TIMEOUT_MS 1000

static int died_early(struct error *err)
{
	return error_set(err, ERROR_STATE,
		"the container's first process ended before it became the program");
}

/* What the first process has said before its end of the channel closed. */
struct last_words {
	size_t size;
	char bytes[1 + sizeof(struct error)]; /* its word, or an error, or both */
};

/*
 * Not for the words, of which the first come too early: until nobody is left to
 * say more. That may not show when the FIFO's other end was closed before ours
 * was opened (pipe(7)), but then the process itself has ended.
 */
static int wait_for_end(int result, const struct launched *first, int64_t deadline,
	struct interrupts *interrupts, struct error *err)
{
	struct pollfd ends[] = {
		{ .fd = result },
		{ .fd = first->pidfd, .events = POLLIN },
		{ .fd = interrupts_fd(interrupts), .events = POLLIN },
	};
	int n;

	do
		n = poll(ends, array_size(ends), clock_poll_timeout(deadline));
	while (n < 0 && errno == EINTR);
	if (n < 0)
		return error_set_errno(err, "wait for the first process");
	if (n == 0)
		return sync_time_out(err);
	/* When both come at once there is a program, which gets the signal. */
	return ends[0].revents || ends[1].revents ? 0 : interrupts_check(interrupts, err);
}

static int hear(int result, struct last_words *words, struct error *err)
{
	words->size = 0;
	while (words->size < sizeof(words->bytes)) {
		ssize_t n = read(
			result, words->bytes + words->size, sizeof(words->bytes) - words->size);

		if (n == 0 || (n < 0 && errno == EAGAIN))
			break;
		if (n > 0)
			words->size += (size_t)n;
		else if (errno != EINTR)
			return error_set_errno(err, "read what the first process says");
	}
	return 0;
}

/*
 * Of a process that was on the point of becoming the program when it was last heard
 * of: whether its filter has ended it.
 */
static int check_filter(const struct launched *first, struct error *err)
{
	int signal = 0;

	if (!pidfd_recall_signal(first->pidfd, first->pid, &signal) || signal != SIGSYS)
		return 0;
	error_set(err, ERROR_STATE,
		"the container's first process was ended by signal %d (SIGSYS) when it was to "
		"become the program",
		signal);
	return error_hint(err, "the seccomp profile has to allow execve(2)");
}

/* It has closed its end, by execve(2) or because it ended. */
static int judge_silence(const struct launched *first, bool is_announced, struct error *err)
{
	enum pidfd_progress progress;

	if (pidfd_find_progress(first->pidfd, first->pid, &progress, err) < 0)
		return error_wrap(err, "find out whether the program runs");
	if (progress == PIDFD_EXECUTED)
		return 0;
	if (is_announced && check_filter(first, err) < 0)
		return -1;
	/* Whatever else has ended what is reaped may as well have come a moment later. */
	return progress == PIDFD_FORKED || !is_announced ? died_early(err) : 0;
}

static int read_result(int result, const struct launched *first, int64_t deadline,
	struct interrupts *interrupts, struct error *err)
{
	struct last_words words;
	struct error sent;
	size_t announced;

	if (wait_for_end(result, first, deadline, interrupts, err) < 0 ||
		hear(result, &words, err) < 0)
		return -1;
	announced = words.size % sizeof(sent);
	if (announced > 1)
		return error_set(err, ERROR_SYSTEM, "the first process sent a malformed error");
	if (words.size == announced)
		return judge_silence(first, announced, err);
	memcpy(&sent, words.bytes + announced, sizeof(sent));
	return error_adopt(err, &sent);
}

int start_release(const struct start_channel *channel, const struct launched *first,
	int64_t deadline, struct interrupts *interrupts, struct error *err)
{
	if (fd_write_all(channel->start, "", 1) < 0)
		return errno == EPIPE ? died_early(err)
				      : error_set_errno(err, "release the first process");
	return read_result(channel->result, first, deadline, interrupts, err);
}

int start_announce(const struct start_channel *channel, struct error *err)
{
	if (fd_write_all(channel->result, "", 1) < 0)
		return error_set_errno(err, "tell that the program begins");
	return 0;
}

static int check_status(const struct handle *handle, struct error *err)
{
	switch (handle->status) {
	case STATE_CREATED:
		return 0;
	case STATE_RUNNING:
		return error_set(err, ERROR_STATE, "cannot start an already running container");
	case STATE_PAUSED:
		return error_set(err, ERROR_STATE, "cannot start a container in the paused state");
	case STATE_STOPPED:
		return error_set(err, ERROR_STATE, "cannot start a container that has stopped");
	case STATE_CREATING:
		break;
	}
	return error_set(err, ERROR_STATE, "cannot start a container that is not created yet");
}

/* A hook that fails, or can't be run, ends the container (runtime.md, "Lifecycle"). */
static int fail(struct handle *handle, struct error *err)
{
	struct error destroy_err = { 0 };

	if (handle_destroy(handle, &destroy_err) < 0)
		error_hint(err, "%s", destroy_err.text);
	return -1;
}

/* By the FIFOs that create has left. */
static int release_by_fifos(const struct handle *handle, struct error *err)
{
	int64_t deadline = handle->file.has_start_hooks ? CLOCK_NO_DEADLINE : sync_deadline();
	/* The result's reader first, so that the first process never writes to nobody. */
	cleanup_fd int result = state_dir_open_result(&handle->dir, O_RDONLY | O_NONBLOCK);
	cleanup_fd int start = state_dir_open_start(&handle->dir, O_WRONLY | O_NONBLOCK);

	if (start < 0 && errno == ENXIO)
		return died_early(err);
	if (result < 0 || start < 0)
		return error_set_errno(err, "open the start FIFO");
	if (start_release(&(struct start_channel){ start, result },
		    &(struct launched){ handle->file.pid, handle->pidfd }, deadline, NULL, err) < 0)
		return -1;
	return state_dir_set_started(&handle->dir, err);
}

/* Whoever has not become the program in time will not do so later, unseen. */
static int release_or_kill(const struct handle *handle, struct error *err)
{
	struct error ignored = { 0 };
	bool has_exited;

	if (release_by_fifos(handle, err) == 0)
		return 0;
	if (pidfd_signal(handle->pidfd, SIGKILL, &has_exited, &ignored) == 0)
		(void)!pidfd_wait_exit(handle->pidfd, DEATH_TIMEOUT_MS, &has_exited, &ignored);
	return -1;
}

/* The place in the config, of which a copy is there, as long as the container is. */
static void locate(const struct handle *handle, struct error *err)
{
	struct spec_document *document;
	const struct spec *spec;
	struct error ignored = { 0 };

	if (!err->pointer[0] || handle_load_spec(handle, &document, &spec, &ignored) < 0)
		return;
	spec_document_locate(document, err);
	spec_document_free(document);
}

/*
 * The program that can't be executed does not end the container: who created
 * it deletes it.
 */
static int release(struct handle *handle, struct error *err)
{
	if (release_or_kill(handle, err) == 0) {
		handle->status = STATE_RUNNING;
		return 0;
	}
	locate(handle, err);
	if (err->kind == ERROR_STATE && cgroup_oom_kills(handle->file.cgroup) > 0)
		error_hint(err, "the kernel has killed it for lack of memory");
	return err->kind == ERROR_HOOK ? fail(handle, err) : -1;
}

/*
 * The container runs by now, and others may have it: the hooks themselves, which
 * may call the runtime. Somebody may have deleted it when one of them fails.
 */
static int run_poststart(struct handle *handle, const struct spec *spec, struct error *err)
{
	struct error lock_err = { 0 };
	struct state state;

	handle_describe(handle, &state);
	state_dir_unlock(&handle->dir);
	if (runtime_hooks_run(spec, SPEC_HOOK_POSTSTART, &state, err) == 0)
		return 0;
	if (handle_relock(handle, &lock_err) == 0)
		return fail(handle, err);
	if (lock_err.kind != ERROR_NOT_FOUND)
		error_hint(err, "the container is left as it is: %s", lock_err.text);
	return -1;
}

/* The hooks are read before the program runs, while an error still changes nothing. */
static int release_with_hooks(struct handle *handle, struct error *err)
{
	struct spec_document *document;
	const struct spec *spec;
	int result;

	if (!handle->file.has_poststart)
		return release(handle, err);
	if (handle_load_spec(handle, &document, &spec, err) < 0)
		return -1;
	result = release(handle, err);
	if (result == 0 && (result = run_poststart(handle, spec, err)) < 0)
		spec_document_locate(document, err);
	spec_document_free(document);
	return result;
}

/* Others may have the container meanwhile: it may take a command to become ready. */
static int wait_until_ready(struct handle *handle, struct notify *notify, struct error *err)
{
	state_dir_unlock(&handle->dir);
	return notify_wait(notify, handle->pidfd, handle->file.pid, err);
}

int container_start(const struct runtime *runtime, const char *id, struct error *err)
{
	cleanup_handle struct handle handle = HANDLE_CLOSED;
	cleanup_notify struct notify notify = NOTIFY_CLOSED;

	if (handle_lock(&handle, runtime, id, err) < 0 || check_status(&handle, err) < 0 ||
		notify_open(handle.dir.fd, &notify, err) < 0)
		return -1;
	if (release_with_hooks(&handle, err) < 0)
		return -1;
	return wait_until_ready(&handle, &notify, err);
}
