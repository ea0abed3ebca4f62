/* SPDX-License-Identifier: Apache-2.0 */
#include "libcontainer/cgroup_owner.h"

#include <sched.h>
#include <string.h>

#include "libcontainer/kernel/idmap.h"
#include "libcontainer/kernel/namespaces.h"

static bool is_read_only(const struct spec_strings *options)
{
	for (size_t i = 0; i < options->count; i++)
		if (strcmp(options->items[i], "ro") == 0 || strcmp(options->items[i], "rro") == 0)
			return true;
	return false;
}

static bool has_writable_mount(const struct spec *spec)
{
	for (size_t i = 0; i < spec->n_mounts; i++) {
		const struct spec_mount *mount = &spec->mounts[i];

		if (mount->source && strcmp(mount->source, "cgroup") == 0 &&
			strcmp(mount->destination, "/sys/fs/cgroup") == 0 &&
			!is_read_only(&mount->options))
			return true;
	}
	return false;
}

int cgroup_owner_set(struct cgroup *cgroup, const struct spec *spec, pid_t pid, struct error *err)
{
	uid_t owner;

	if (!spec->process || !(namespaces_to_make(&spec->platform) & CLONE_NEWCGROUP) ||
		!has_writable_mount(spec))
		return 0;
	if (idmap_find_outer(pid, spec->process->user.uid, &owner, err) < 0)
		return error_point(err, "/process/user/uid");
	return cgroup_delegate(cgroup, owner, (gid_t)-1, err);
}
