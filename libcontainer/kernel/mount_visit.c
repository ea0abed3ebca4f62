/* SPDX-License-Identifier: Apache-2.0 */
#include "libcontainer/kernel/mount_visit.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <stdbool.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cleanup.h"

#define DIRECTORY (O_PATH | O_DIRECTORY | O_CLOEXEC)

static void release(struct mount_visit *visit)
{
	close_at(&visit->namespace_fd);
	close_at(&visit->directory);
}

/* Also to the root of the namespace, where setns(2) leads. */
static int come_back(const struct mount_visit *own, struct error *err)
{
	if (setns(own->namespace_fd, CLONE_NEWNS) < 0)
		return error_set_errno(err, "return to the runtime's mount namespace");
	if (fchdir(own->directory) < 0)
		return error_set_errno(err, "return to the working directory");
	return 0;
}

static bool is_same(int root, const char *other)
{
	const unsigned wanted = STATX_INO | STATX_MNT_ID;
	struct statx a, b;

	return statx(root, "", AT_EMPTY_PATH, wanted, &a) == 0 &&
	       statx(AT_FDCWD, other, 0, wanted, &b) == 0 && a.stx_ino == b.stx_ino &&
	       a.stx_dev_major == b.stx_dev_major && a.stx_dev_minor == b.stx_dev_minor &&
	       (!(a.stx_mask & b.stx_mask & STATX_MNT_ID) || a.stx_mnt_id == b.stx_mnt_id);
}

/* Whether the caller's root is that of its namespace, to which this leads. */
static int check_root(const struct mount_visit *own, struct error *err)
{
	cleanup_fd int root = open("/", DIRECTORY);

	if (root < 0)
		return error_set_errno(err, "open the root directory");
	if (setns(own->namespace_fd, CLONE_NEWNS) < 0)
		return errno == EPERM ? 1 : error_set_errno(err, "look at the mount namespace");
	if (is_same(root, "/"))
		return 0;
	if (fchdir(root) < 0 || chroot(".") < 0 || fchdir(own->directory) < 0)
		return error_set_errno(err, "return to the root directory");
	return 1;
}

static int enter(const struct mount_visit *own, int namespace_fd, struct error *err)
{
	struct error ignored = { 0 };
	int result = check_root(own, err);

	if (result)
		return result;
	if (setns(namespace_fd, CLONE_NEWNS) == 0)
		return 0;
	result = errno == EPERM ? 1 : error_set_errno(err, "enter the container's mount namespace");
	return come_back(own, result < 0 ? &ignored : err) < 0 ? -1 : result;
}

int mount_visit_begin(struct mount_visit *ret_visit, int namespace_fd, struct error *err)
{
	struct mount_visit own = {
		.namespace_fd = open("/proc/self/ns/mnt", O_RDONLY | O_CLOEXEC),
		.directory = open(".", DIRECTORY),
	};
	int result;

	if (own.namespace_fd < 0 || own.directory < 0)
		result = error_set_errno(err, "open the runtime's own mount namespace");
	else
		result = enter(&own, namespace_fd, err);
	if (result == 0)
		*ret_visit = own;
	else
		release(&own);
	return result;
}

int mount_visit_end(struct mount_visit *visit, struct error *err)
{
	int result = come_back(visit, err);

	release(visit);
	return result;
}
