/* SPDX-License-Identifier: Apache-2.0 */
#include "libcontainer/kernel/mount_idmap.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <sys/utsname.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/file.h"
#include "libcontainer/kernel/idmap.h"
#include "libcontainer/kernel/procfs.h"

#define MOUNTINFO_MAX (32U << 20)
#define TYPE_MAX      64

/* A process in a new user namespace, which waits to be killed. -1 and errno on failure. */
static pid_t start_holder(void)
{
	pid_t pid = (pid_t)syscall(SYS_clone, CLONE_NEWUSER | SIGCHLD, NULL, NULL, NULL, NULL);

	if (pid == 0) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		for (;;)
			pause();
	}
	return pid;
}

static int open_namespace_of(pid_t pid, struct error *err)
{
	struct procfs procfs = PROCFS_INIT;
	char path[32];
	int dir, fd;

	snprintf(path, sizeof(path), "%d/ns", (int)pid);
	dir = procfs_open(&procfs, path, O_PATH | O_DIRECTORY, err);
	procfs_release(&procfs);
	if (dir < 0)
		return -1;
	/* A magic link, in a directory that was opened without following one. */
	fd = openat(dir, "user", O_RDONLY | O_CLOEXEC);
	close_at(&dir);
	return fd < 0 ? error_set_call(err, "open", path) : fd;
}

int mount_idmap_open_namespace(const struct spec_id_mappings *uids,
	const struct spec_id_mappings *gids, const char *pointer, struct error *err)
{
	pid_t pid = start_holder();
	int fd = -1;

	if (pid < 0)
		return error_set_errno(err, "make a user namespace for an ID-mapped mount");
	if (idmap_write(pid, uids, gids, pointer, err) == 0)
		fd = open_namespace_of(pid, err);
	kill(pid, SIGKILL);
	while (waitpid(pid, NULL, 0) < 0 && errno == EINTR)
		;
	if (fd < 0)
		return error_wrap(err, "make a user namespace for an ID-mapped mount");
	return fd;
}

/* The type of the file system that FD is on, as mountinfo has it for its device. */
static void name_type(int fd, char ret_type[static TYPE_MAX])
{
	cleanup_text struct text info = { 0 };
	struct error ignored = { 0 };
	char device[32];
	struct stat st;
	const char *line;

	snprintf(ret_type, TYPE_MAX, "unknown");
	if (fstat(fd, &st) < 0 ||
		file_read_at(AT_FDCWD, "/proc/self/mountinfo", MOUNTINFO_MAX, &info, &ignored) < 0)
		return;
	snprintf(device, sizeof(device), " %u:%u ", major(st.st_dev), minor(st.st_dev));
	line = strstr(info.data, device);
	line = line ? strstr(line, " - ") : NULL;
	if (line)
		snprintf(ret_type, TYPE_MAX, "%.*s", (int)strcspn(line + 3, " "), line + 3);
}

static int fail_to_map(int tree_fd, struct error *err)
{
	int sys_errno = errno;
	char type[TYPE_MAX];
	struct utsname kernel;

	if (sys_errno == ENOSYS)
		return error_set(err, ERROR_UNSUPPORTED,
			"ID-mapped mounts need mount_setattr(2), Linux 5.12");
	name_type(tree_fd, type);
	errno = sys_errno;
	error_set_errno(err, "map the IDs of a '%s' file system by mount_setattr(2)", type);
	if (sys_errno == EINVAL && uname(&kernel) == 0)
		error_hint(
			err, "Linux %s may not be able to map IDs on '%s'", kernel.release, type);
	return -1;
}

int mount_idmap_apply(int tree_fd, int namespace_fd, bool is_recursive, struct error *err)
{
	struct mount_attr attr = {
		.attr_set = MOUNT_ATTR_IDMAP,
		.userns_fd = (uint64_t)namespace_fd,
	};

	if (mount_setattr(tree_fd, "", AT_EMPTY_PATH | (is_recursive ? AT_RECURSIVE : 0), &attr,
		    sizeof(attr)) < 0)
		return fail_to_map(tree_fd, err);
	return 0;
}
