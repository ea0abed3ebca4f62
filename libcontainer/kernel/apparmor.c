/* SPDX-License-Identifier: Apache-2.0 */
#include "libcontainer/kernel/apparmor.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/cleanup.h"

#define UNCONFINED "unconfined"

/* aa_change_onexec(2) has no limit of its own; the kernel takes a page at most. */
#define COMMAND_SIZE 1024

bool apparmor_is_enabled(void)
{
	cleanup_fd int fd =
		open("/sys/module/apparmor/parameters/enabled", O_RDONLY | O_CLOEXEC | O_NOCTTY);
	char answer = 'N';

	return fd >= 0 && read(fd, &answer, 1) == 1 && answer == 'Y';
}

int apparmor_check(const struct spec_process *process, struct error *err)
{
	const char *profile = process->apparmor_profile;

	if (!profile || strcmp(profile, UNCONFINED) == 0 || apparmor_is_enabled())
		return 0;
	error_set(err, ERROR_UNSUPPORTED, "this kernel has no AppArmor");
	return error_point(err, "%s/apparmorProfile", process->pointer);
}

static int explain(const char *profile, const struct error *cause, struct error *err)
{
	switch (cause->sys_errno) {
	case ENOENT:
		error_set(err, ERROR_SYSTEM, "no AppArmor profile '%s' is loaded", profile);
		return error_hint(err, "load it with apparmor_parser(8); aa-status(8) lists those "
				       "that are");
	case EPERM:
	case EACCES:
		*err = *cause;
		return error_hint(
			err, "the runtime's own AppArmor profile does not allow '%s'", profile);
	default:
		*err = *cause;
		return -1;
	}
}

int apparmor_set_on_exec(
	struct procfs *procfs, const struct spec_process *process, struct error *err)
{
	const char *profile = process->apparmor_profile;
	struct error cause = { 0 };
	char command[COMMAND_SIZE];
	int n;

	if (!profile)
		return 0;
	n = snprintf(command, sizeof(command), "exec %s", profile);
	if (n < 0 || (size_t)n >= sizeof(command)) {
		error_set(err, ERROR_SPEC, "the profile's name is too long");
		return error_point(err, "%s/apparmorProfile", process->pointer);
	}
	/*
	 * Only AppArmor's own directory: what lies above it belongs to whichever
	 * security module comes first. Without AppArmor, as apparmor_check() has
	 * seen, the profile is "unconfined", and there is nothing to do.
	 */
	if (procfs_write(procfs, "thread-self/attr/apparmor/exec", command, &cause) == 0)
		return 0;
	if (strcmp(profile, UNCONFINED) == 0 && !apparmor_is_enabled())
		return 0;
	explain(profile, &cause, err);
	return error_point(err, "%s/apparmorProfile", process->pointer);
}
