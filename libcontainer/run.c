/* SPDX-License-Identifier: Apache-2.0 */
#include "libcontainer/container.h"

#include <sys/prctl.h>

#include "base/cleanup.h"
#include "base/log.h"
#include "libcontainer/creation.h"
#include "libcontainer/foreground.h"
#include "libcontainer/pid_file.h"

static int start_now(struct creation *creation, struct error *err)
{
	const struct container_options *options = creation->options;

	if (pid_file_write(options->pid_file, creation->first.pid, err) < 0 ||
		pid_file_send(options->pidfd_socket, creation->first.pidfd, "standard", err) < 0)
		return -1;
	return creation_start(creation, err);
}

static void delete_now(const struct runtime *runtime, const char *id)
{
	struct error err = { 0 };

	/* The process's status is the answer; what can't be removed is a warning. */
	if (container_delete(runtime, id, true, &err) < 0)
		log_warning("%s", err.text);
}

static int attend_to_end(struct creation *creation, int *ret_exit_status, struct error *err)
{
	cleanup_fd int signals = foreground_catch_signals(err);

	if (signals < 0)
		return -1;
	if (start_now(creation, err) < 0)
		return -1;
	return foreground_wait(signals, creation->first.pidfd, ret_exit_status, err);
}

int container_run(const struct runtime *runtime, const char *id,
	const struct container_options *options, int *ret_exit_status, struct error *err)
{
	struct creation creation;
	int result;

	if (!options->detach && !options->no_subreaper)
		prctl(PR_SET_CHILD_SUBREAPER, 1);
	result = creation_make(&creation, runtime, id, options, err);
	if (result == 0 && options->detach)
		result = start_now(&creation, err);
	else if (result == 0)
		result = attend_to_end(&creation, ret_exit_status, err);
	if (result == 0)
		creation_commit(&creation);
	creation_release(&creation);
	if (result == 0 && !options->detach && !options->keep)
		delete_now(runtime, id);
	return result;
}
