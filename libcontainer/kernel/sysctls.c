/* SPDX-License-Identifier: Apache-2.0 */
#include "libcontainer/kernel/sysctls.h"

#include <errno.h>
#include <string.h>

#include "libspec/json_path.h"
#include "libspec/spec_sysctl.h"

#define PATH_PREFIX   "sys/"
#define PATH_MAX_SIZE (sizeof(PATH_PREFIX) + SPEC_SYSCTL_MAX)

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
	char path[PATH_MAX_SIZE] = PATH_PREFIX;

	if (spec_sysctl_path(sysctl->key, path + strlen(PATH_PREFIX)) < 0)
		return error_set(err, ERROR_SPEC, "must be the name of a kernel parameter");
	if (procfs_write(procfs, path, sysctl->value, &cause) < 0)
		return explain(sysctl, &cause, err);
	return 0;
}

/* The joined namespace that KEY would be written in, if that is the host's. */
static const char *find_hosts_namespace(const char *key, const struct namespaces *joined)
{
	char path[SPEC_SYSCTL_MAX];
	unsigned flag;

	if (spec_sysctl_path(key, path) < 0)
		return NULL;
	flag = spec_sysctl_namespace(path);
	for (size_t i = 0; i < joined->count; i++)
		if (joined->flags[i] == flag && namespaces_is_hosts(joined->fds[i], flag))
			return spec_word_of(spec_namespace_words, flag);
	return NULL;
}

int sysctls_check(
	const struct spec_linux *platform, const struct namespaces *joined, struct error *err)
{
	for (size_t i = 0; joined->count && i < platform->sysctl.count; i++) {
		const char *key = platform->sysctl.items[i].key;
		const char *word = find_hosts_namespace(key, joined);

		if (!word)
			continue;
		error_set(err, ERROR_SPEC,
			"would change the host, whose %s namespace the container joins", word);
		return json_path_point(err, "/linux/sysctl", key);
	}
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
