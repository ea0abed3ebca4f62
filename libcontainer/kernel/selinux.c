/* SPDX-License-Identifier: Apache-2.0 */
#include "libcontainer/kernel/selinux.h"

#include <errno.h>
#include <linux/magic.h>
#include <sys/vfs.h>

#define UNAVAILABLE "this kernel has no SELinux"

bool selinux_is_enabled(void)
{
	struct statfs fs;

	return statfs("/sys/fs/selinux", &fs) == 0 && fs.f_type == SELINUX_MAGIC;
}

int selinux_check(const struct spec_process *process, struct error *err)
{
	if (!process->selinux_label || selinux_is_enabled())
		return 0;
	error_set(err, ERROR_UNSUPPORTED, UNAVAILABLE);
	return error_point(err, "%s/selinuxLabel", process->pointer);
}

int selinux_check_mount_label(const char *label, struct error *err)
{
	if (!label || selinux_is_enabled())
		return 0;
	error_set(err, ERROR_UNSUPPORTED, UNAVAILABLE);
	return error_point(err, "/linux/mountLabel");
}

static int write_label(struct procfs *procfs, const char *path, const struct spec_process *process,
	struct error *err)
{
	const char *label = process->selinux_label;
	struct error cause = { 0 };

	if (!label || procfs_write(procfs, path, label, &cause) == 0)
		return 0;
	if (cause.sys_errno == EINVAL)
		error_set(err, ERROR_SPEC, "SELinux knows no label '%s'", label);
	else
		*err = cause;
	return error_point(err, "%s/selinuxLabel", process->pointer);
}

int selinux_set_on_exec(
	struct procfs *procfs, const struct spec_process *process, struct error *err)
{
	return write_label(procfs, "thread-self/attr/exec", process, err);
}

int selinux_set_on_key_creation(
	struct procfs *procfs, const struct spec_process *process, struct error *err)
{
	return write_label(procfs, "thread-self/attr/keycreate", process, err);
}
