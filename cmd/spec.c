/* SPDX-License-Identifier: Apache-2.0 */
/* kogg spec: write a config.json to begin with. */
#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/fd.h"
#include "cmd/command.h"
#include "cmd/example.h"
#include "libcontainer/host.h"

struct spec_options {
	const char *bundle;
	bool rootless;
};

static const struct option_row options[] = {
	OPTION_STRING("bundle", 'b', "DIR", struct spec_options, bundle,
		"where to write it (default: the current directory)"),
	OPTION_SWITCH(
		"rootless", 0, struct spec_options, rootless, "for a caller without privileges"),
	{ 0 },
};

static int write_new(const char *bundle, const struct text *text, struct error *err)
{
	cleanup_fd int dir_fd = open(bundle, O_PATH | O_DIRECTORY | O_CLOEXEC);
	cleanup_fd int fd = -1;

	if (dir_fd < 0)
		return error_set_call(err, "open", bundle);
	fd = openat(dir_fd, "config.json", O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
	if (fd < 0 && errno == EEXIST)
		return error_set(err, ERROR_USAGE, "File config.json exists. Remove it first");
	if (fd < 0)
		return error_set_call(err, "create", "config.json");
	if (fd_write_all(fd, text->data, text->length) < 0) {
		error_set_call(err, "write", "config.json");
		unlinkat(dir_fd, "config.json", 0);
		return -1;
	}
	return 0;
}

static int run(const struct command_call *call, int *ret_exit_status, struct error *err)
{
	const struct spec_options *wanted = call->values;
	const struct example_request request = {
		.has_cgroup_namespace = host_has_only_cgroup_v2(),
		.is_rootless = wanted->rootless,
		.uid = geteuid(),
		.gid = getegid(),
	};
	cleanup_text struct text text = { 0 };

	(void)ret_exit_status;
	if (example_write(&request, &text, err) < 0)
		return -1;
	return write_new(wanted->bundle ? wanted->bundle : ".", &text, err);
}

const struct command command_spec = {
	.name = "spec",
	.arguments = "",
	.summary = "write a config.json to begin with",
	.options = options,
	.values_size = sizeof(struct spec_options),
	.takes_no_id = true,
	.run = run,
};
