/* SPDX-License-Identifier: Apache-2.0 */
#include "libcontainer/kernel/path_in_root.h"

#include <errno.h>
#include <fcntl.h>

#include "libcontainer/kernel/syscalls.h"

/* EAGAIN: a rename below ROOT raced with the walk (openat2(2), RESOLVE_IN_ROOT). */
#define RACE_RETRIES 32

int path_open_in_root(int root_fd, const char *path, int flags, struct error *err)
{
	const struct open_how how = {
		.flags = (unsigned)flags | O_CLOEXEC,
		.resolve = RESOLVE_IN_ROOT | RESOLVE_NO_MAGICLINKS,
	};
	int fd = -1;

	for (int i = 0; i < RACE_RETRIES; i++) {
		fd = sys_openat2(root_fd, path, &how);
		if (fd >= 0 || errno != EAGAIN)
			break;
	}
	if (fd < 0)
		return error_set_errno(err, "open '%s' in the root file system", path);
	return fd;
}
