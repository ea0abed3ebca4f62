/* SPDX-License-Identifier: Apache-2.0 */
/* kogg features: what this build understands (features.md). */
#include <seccomp.h>
#include <stdio.h>

#include "cmd/command.h"
#include "libcontainer/host.h"
#include "libspec/features.h"

static int run(const struct command_call *call, int *ret_exit_status, struct error *err)
{
	const struct scmp_version *library = seccomp_version();
	struct host_features host;
	char version[40];
	struct text text = { 0 };

	(void)call;
	(void)ret_exit_status;
	host_fill_features(&host);
	host.facts.version = KOGG_VERSION;
	host.facts.commit = KOGG_COMMIT;
	if (library) {
		snprintf(version, sizeof(version), "%u.%u.%u", library->major, library->minor,
			library->micro);
		host.facts.libseccomp_version = version;
	}
	if (features_write(&host.facts, 4, &text, err) < 0) {
		text_release(&text);
		return -1;
	}
	text_append(&text, "\n");
	return command_print(&text, err);
}

const struct command command_features = {
	.name = "features",
	.arguments = "",
	.summary = "print what this build understands, as JSON",
	.options = command_no_options,
	.takes_no_id = true,
	.run = run,
};
