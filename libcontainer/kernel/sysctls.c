/* SPDX-License-Identifier: Apache-2.0 */
#include "libcontainer/kernel/sysctls.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "libspec/json_path.h"

#define PATH_PREFIX   "sys/"
#define PATH_MAX_SIZE 512

/* "net.ipv4.conf.eth0/100.forwarding" -> "sys/net/ipv4/conf/eth0.100/forwarding" */
static int make_path(const char *name, char path[PATH_MAX_SIZE], struct error *err)
{
	const char *first = strpbrk(name, "./");
	int n = snprintf(path, PATH_MAX_SIZE, PATH_PREFIX "%s", name);

	if (n < 0 || n >= PATH_MAX_SIZE)
		return error_set(err, ERROR_SPEC, "the name is too long");
	if (!first || *first == '/')
		return 0;
	for (char *p = path + strlen(PATH_PREFIX); *p; p++) {
		if (*p == '.')
			*p = '/';
		else if (*p == '/')
			*p = '.';
	}
	return 0;
}

static int explain(const struct spec_pair *sysctl, const struct error *cause, struct error *err)
{
	switch (cause->sys_errno) {
	case ENOENT:
	case ENOTDIR:
		return error_set(err, ERROR_SPEC, "the kernel has none of that name");
	case EINVAL:
	case ERANGE:
		error_set(
			err, ERROR_SPEC, "the kernel does not take the value '%s'", sysctl->value);
		break;
	case EACCES:
	case EPERM:
		*err = *cause;
		return error_hint(err, "it may not be written from the container's namespaces");
	default:
		*err = *cause;
	}
	return -1;
}

static int write_one(struct procfs *procfs, const struct spec_pair *sysctl, struct error *err)
{
	struct error cause = { 0 };
	char path[PATH_MAX_SIZE];

	if (make_path(sysctl->key, path, err) < 0)
		return -1;
	if (procfs_write(procfs, path, sysctl->value, &cause) < 0)
		return explain(sysctl, &cause, err);
	return 0;
}

int sysctls_write(struct procfs *procfs, const struct spec_linux *platform, struct error *err)
{
	for (size_t i = 0; i < platform->sysctl.count; i++) {
		const struct spec_pair *sysctl = &platform->sysctl.items[i];

		if (write_one(procfs, sysctl, err) < 0)
			return json_path_point(err, "/linux/sysctl", sysctl->key);
	}
	return 0;
}
