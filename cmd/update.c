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

/* Reads FILE, or standard input when it is "-". */
static int load(const char *file, struct spec_document **ret_document,
	const struct spec_resources **ret_resources, struct error *err)
{
	cleanup_fd int opened = -1;
	int fd = STDIN_FILENO;

	if (strcmp(file, "-") != 0) {
		fd = opened = open(file, O_RDONLY | O_CLOEXEC | O_NOCTTY);
		if (fd < 0)
			return error_set_call(err, "open", file);
	}
	return spec_load_resources(
		fd, fd == STDIN_FILENO ? "standard input" : file, ret_document, ret_resources, err);
}

static int run(const struct command_call *call, int *ret_exit_status, struct error *err)
{
	const struct update_flags *flags = call->values;
	struct container_update update = { NULL, flags->l3_cache_schema, flags->mem_bw_schema };
	struct update_resources made;
	struct spec_document *document = NULL;
	int result;

	(void)ret_exit_status;
	if (update_flags_check_schemas(flags, err) < 0)
		return -1;
	if (flags->resources)
		result = load(flags->resources, &document, &update.resources, err);
	else
		result = update_flags_read(flags, &made, err);
	if (result < 0)
		return -1;
	if (!document)
		update.resources = &made.resources;
	result = container_update(call->runtime, call->args[0], &update, err);
	if (result < 0 && document)
		spec_document_locate(document, err);
	spec_document_free(document);
	return result;
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
