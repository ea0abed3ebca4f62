/* SPDX-License-Identifier: Apache-2.0 */
#include "libcontainer/kernel/root_switch.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <stdbool.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/vfs.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/file.h"
#include "libcontainer/kernel/path_in_root.h"
#include "libcontainer/kernel/syscalls.h"

/* Of /proc/self/mountinfo: some 200 bytes a mount, 100,000 mounts (fs.mount-max). */
#define MOUNTINFO_MAX (32U << 20)

int root_switch_isolate(unsigned long propagation, struct error *err)
{
	if (mount(NULL, "/", NULL, MS_REC | propagation, NULL) < 0)
		return error_set_errno(err, "cut the mount namespace off from the host's");
	return 0;
}

int root_switch_pivot(int root_fd, struct error *err)
{
	if (fchdir(root_fd) < 0)
		return error_set_errno(err, "enter the root file system");
	/* The old root comes to lie over the new one, where "." finds it (pivot_root(2)). */
	if (sys_pivot_root(".", ".") < 0) {
		error_set_errno(err, "pivot_root");
		if (err->sys_errno == EINVAL)
			error_hint(err,
				"an initramfs can't be pivoted away, there --no-pivot is needed");
		return -1;
	}
	if (umount2(".", MNT_DETACH) < 0)
		return error_set_errno(err, "detach the old root");
	return 0;
}

int root_switch_chroot(int root_fd, struct error *err)
{
	if (fchdir(root_fd) < 0 || chroot(".") < 0)
		return error_set_errno(err, "change root");
	return 0;
}

/* Undoes \040 and the like, in place (proc_pid_mountinfo(5)). */
static void unescape(char *text)
{
	char *to = text;

	for (char *from = text; *from; to++) {
		if (from[0] == '\\' && from[1] && from[2] && from[3]) {
			*to = (char)((from[1] - '0') << 6 | (from[2] - '0') << 3 | (from[3] - '0'));
			from += 4;
		} else {
			*to = *from++;
		}
	}
	*to = '\0';
}

/* The mount point in LINE, a line of mountinfo, if its file system is procfs or sysfs. */
static char *kernel_mount_point(char *line)
{
	char *type = strstr(line, " - "), *point = line;

	if (!type || (strncmp(type, " - proc ", 8) && strncmp(type, " - sysfs ", 9)))
		return NULL;
	for (int field = 0; field < 4; field++) {
		point = strchr(point, ' ');
		if (!point)
			return NULL;
		point++;
	}
	point[strcspn(point, " ")] = '\0';
	unescape(point);
	return point;
}

static bool is_kernel_mount(const char *path)
{
	struct statfs fs;

	return statfs(path, &fs) == 0 &&
	       (fs.f_type == PROC_SUPER_MAGIC || fs.f_type == SYSFS_MAGIC);
}

static int hide_kernel_mount(const char *point, struct error *err)
{
	/* EINVAL: locked together with others, from a more privileged namespace. */
	if (umount2(point, MNT_DETACH) == 0 || !is_kernel_mount(point))
		return 0;
	if (mount("tmpfs", point, "tmpfs", MS_RDONLY, "size=0k,nr_inodes=1") < 0)
		return error_set_call(err, "cover", point);
	return 0;
}

static int hide_kernel_mounts(const char *except, struct error *err)
{
	cleanup_text struct text info = { 0 };
	char *next;

	if (file_read_at(AT_FDCWD, "/proc/self/mountinfo", MOUNTINFO_MAX, &info, err) < 0)
		return -1;
	for (char *line = info.data; line && *line; line = next) {
		char *point;

		next = strchr(line, '\n');
		if (next)
			*next++ = '\0';
		point = kernel_mount_point(line);
		if (point && !path_is_below(point, except, NULL) &&
			hide_kernel_mount(point, err) < 0)
			return -1;
	}
	return 0;
}

int root_switch_move(int root_fd, const char *path, struct error *err)
{
	if (hide_kernel_mounts(path, err) < 0)
		return -1;
	if (fchdir(root_fd) < 0)
		return error_set_errno(err, "enter the root file system");
	if (mount(".", "/", NULL, MS_MOVE, NULL) < 0)
		return error_set_errno(err, "move the root file system to '/'");
	if (chroot(".") < 0)
		return error_set_errno(err, "change root");
	return 0;
}
