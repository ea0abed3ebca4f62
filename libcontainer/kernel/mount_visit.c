/* SPDX-License-Identifier: Apache-2.0 */
#include "libcontainer/kernel/mount_visit.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <stdio.h>
#include <unistd.h>

#include "base/cleanup.h"

#define DIRECTORY (O_PATH | O_DIRECTORY | O_CLOEXEC)

/* setns(2) has led to the root of the namespace, which need not be that of a process. */
static int change_directories(int root, int directory, struct error *err)
{
	if (fchdir(root) < 0 || chroot(".") < 0 || fchdir(directory) < 0)
		return error_set_errno(err, "change the root directory");
	return 0;
}

/* The process is there: what is not found is what procfs hides (proc(5), hidepid). */
static int fail_to_enter(struct error *err)
{
	if (errno == EPERM || errno == EACCES || errno == ENOENT)
		return 1;
	return error_set_errno(err, "enter the container's mount namespace");
}

static void release(struct mount_visit *visit)
{
	close_at(&visit->namespace_fd);
	close_at(&visit->root);
	close_at(&visit->directory);
}

static int enter(const struct mount_visit *own, pid_t pid, struct error *err)
{
	cleanup_fd int namespace_fd = -1, root = -1;
	struct error ignored = { 0 };
	char path[32];

	snprintf(path, sizeof(path), "/proc/%d/ns/mnt", (int)pid);
	namespace_fd = open(path, O_RDONLY | O_CLOEXEC);
	if (namespace_fd < 0)
		return fail_to_enter(err);
	snprintf(path, sizeof(path), "/proc/%d/root", (int)pid);
	root = open(path, DIRECTORY);
	if (root < 0 || setns(namespace_fd, CLONE_NEWNS) < 0)
		return fail_to_enter(err);
	if (change_directories(root, root, err) == 0)
		return 0;
	if (setns(own->namespace_fd, CLONE_NEWNS) == 0)
		(void)!change_directories(own->root, own->directory, &ignored);
	return -1;
}

int mount_visit_begin(struct mount_visit *ret_visit, pid_t pid, struct error *err)
{
	struct mount_visit own = {
		.namespace_fd = open("/proc/self/ns/mnt", O_RDONLY | O_CLOEXEC),
		.root = open("/", DIRECTORY),
		.directory = open(".", DIRECTORY),
	};
	int result;

	if (own.namespace_fd < 0 || own.root < 0 || own.directory < 0)
		result = error_set_errno(err, "open the runtime's own directories");
	else
		result = enter(&own, pid, err);
	if (result == 0)
		*ret_visit = own;
	else
		release(&own);
	return result;
}

int mount_visit_end(struct mount_visit *visit, struct error *err)
{
	int result;

	if (setns(visit->namespace_fd, CLONE_NEWNS) < 0)
		result = error_set_errno(err, "return to the runtime's mount namespace");
	else
		result = change_directories(visit->root, visit->directory, err);
	release(visit);
	return result;
}
