/* SPDX-License-Identifier: Apache-2.0 */
#include "libcontainer/container.h"

#include "libcontainer/creation.h"
#include "libcontainer/pid_file.h"

/* What the caller waits for; `state` says "created" as the last of it. */
static int hand_over(struct creation *creation, struct error *err)
{
	const struct container_options *options = creation->options;

	if (pid_file_write(options->pid_file, creation->first.pid, err) < 0 ||
		pid_file_send(options->pidfd_socket, creation->first.pidfd, "standard", err) < 0)
		return -1;
	return state_file_add_ready(creation->dir.fd, err);
}

int container_create(const struct runtime *runtime, const char *id,
	const struct container_options *options, struct error *err)
{
	struct container_options detached = *options;
	struct creation creation;
	int result;

	detached.detach = true;
	result = creation_make(&creation, runtime, id, &detached, CREATION_STARTED_BY_ANOTHER, err);
	if (result == 0)
		result = hand_over(&creation, err);
	if (result == 0)
		creation_commit(&creation);
	creation_release(&creation);
	return result;
}
