/* SPDX-License-Identifier: Apache-2.0 */
#include "libspec/spec_sysctl.h"

#include <linux/sched.h>
#include <stdbool.h>
#include <string.h>

#include "base/attributes.h"

/*
 * The kernel parameters that belong to a namespace: what is not here is the
 * host's. A prefix ends in "/" or is a part of a name; the others are whole.
 */
static const struct {
	const char *path;
	bool is_prefix;
	unsigned flag;
} table[] = {
	{ "net/", true, CLONE_NEWNET },
	{ "fs/mqueue/", true, CLONE_NEWIPC },
	{ "kernel/msg", true, CLONE_NEWIPC },
	{ "kernel/sem", false, CLONE_NEWIPC },
	{ "kernel/sem_next_id", false, CLONE_NEWIPC },
	{ "kernel/shm", true, CLONE_NEWIPC },
	{ "kernel/domainname", false, CLONE_NEWUTS },
	{ "user/", true, CLONE_NEWUSER },
};

int spec_sysctl_path(const char *key, char ret_path[static SPEC_SYSCTL_MAX])
{
	bool has_dots = key[strcspn(key, "./")] == '.';
	const char *part;
	size_t i;

	for (i = 0; key[i]; i++) {
		if (i + 1 == SPEC_SYSCTL_MAX)
			return -1;
		ret_path[i] = key[i];
		if (has_dots && key[i] == '.')
			ret_path[i] = '/';
		else if (has_dots && key[i] == '/')
			ret_path[i] = '.';
	}
	ret_path[i] = '\0';
	for (part = ret_path;; part++) {
		size_t length = strcspn(part, "/");

		if (length == 0 || (length <= 2 && !strncmp(part, "..", length)))
			return -1;
		part += length;
		if (!*part)
			return 0;
	}
}

unsigned spec_sysctl_namespace(const char *path)
{
	for (size_t i = 0; i < array_size(table); i++) {
		const char *known = table[i].path;

		if (table[i].is_prefix ? !strncmp(path, known, strlen(known))
				       : !strcmp(path, known))
			return table[i].flag;
	}
	return 0;
}
