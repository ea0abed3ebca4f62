/* SPDX-License-Identifier: Apache-2.0 */
/* The options before the command, and the settings that follow from them. */
#ifndef KOGG_CMD_GLOBAL_OPTIONS_H
#define KOGG_CMD_GLOBAL_OPTIONS_H

#include <limits.h>
#include <stdbool.h>

#include "base/error.h"
#include "cmd/options.h"
#include "libcontainer/container.h"

struct global_options {
	const char *root;
	const char *log;
	const char *log_format;
	const char *cgroup_manager;
	const char *rootless;
	bool debug;
	bool systemd_cgroup;
	bool version;
};

extern const struct option_row global_options_table[];

/*
 * Works out RET_RUNTIME; its root lies in RET_ROOT. The default is /run/kogg,
 * or $XDG_RUNTIME_DIR/kogg for whoever is not root on the host.
 */
int global_options_resolve(const struct global_options *options, char ret_root[static PATH_MAX],
	struct runtime *ret_runtime, struct error *err) must_check;

#endif
