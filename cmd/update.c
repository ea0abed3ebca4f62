/* SPDX-License-Identifier: Apache-2.0 */
/* kogg update: new limits for a container. */
#include <fcntl.h>
#include <stddef.h>
#include <string.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/log.h"
#include "base/number.h"
#include "cmd/command.h"
#include "cmd/update_flags.h"

/* Reads FILE, or standard input when it is "-", and applies it. */
static int update_from_file(const struct command_call *call, const char *file, struct error *err)
{
	cleanup_fd int opened = -1;
	int fd = STDIN_FILENO;
	struct spec_document *document;
	const struct spec_resources *resources;
	int result;

	if (strcmp(file, "-") != 0) {
		fd = opened = open(file, O_RDONLY | O_CLOEXEC | O_NOCTTY);
		if (fd < 0)
			return error_set_call(err, "open", file);
	}
	if (spec_load_resources(fd, fd == STDIN_FILENO ? "standard input" : file, &document,
		    &resources, err) < 0)
		return -1;
	result = container_update(call->runtime, call->args[0], resources, err);
	if (result < 0)
		spec_document_locate(document, err);
	spec_document_free(document);
	return result;
}

static int update_from_flags(
	const struct command_call *call, const struct update_flags *flags, struct error *err)
{
	struct update_resources made;

	if (update_flags_read(flags, &made, err) < 0)
		return -1;
	return container_update(call->runtime, call->args[0], &made.resources, err);
}

static int run(const struct command_call *call, int *ret_exit_status, struct error *err)
{
	const struct update_flags *flags = call->values;

	(void)ret_exit_status;
	if (flags->resources)
		return update_from_file(call, flags->resources, err);
	return update_from_flags(call, flags, err);
}

const struct command command_update = {
	.name = "update",
	.arguments = "ID",
	.summary = "change the limits of a container",
	.options = update_flags_table,
	.values_size = sizeof(struct update_flags),
	.min_args = 1,
	.max_args = 1,
	.run = run,
};
