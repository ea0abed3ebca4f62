/* SPDX-License-Identifier: Apache-2.0 */
#include "libcontainer/container.h"

#include "libcontainer/creation.h"

/* What the caller waits for; `state` says "created" as the last of it. */
static int hand_over(struct creation *creation, struct error *err)
{
	if (creation_announce(creation, err) < 0)
		return -1;
	return creation_set_ready(creation, err);
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
