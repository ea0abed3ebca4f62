/* SPDX-License-Identifier: Apache-2.0 */
/* The config.json that `spec` writes: config.example.json, fitted to the host. */
#ifndef KOGG_CMD_EXAMPLE_H
#define KOGG_CMD_EXAMPLE_H

#include <stdbool.h>
#include <sys/types.h>

#include "base/error.h"
#include "base/text.h"

struct example_request {
	bool has_cgroup_namespace; /* add one, for hosts with only cgroup v2 */
	bool is_rootless;          /* for a caller without privileges, who is UID and GID */
	uid_t uid;
	gid_t gid;
};

/* Without either wish the text is config.example.json itself. */
int example_write(const struct example_request *request, struct text *ret_text, struct error *err)
	must_check;

#endif
