/* SPDX-License-Identifier: Apache-2.0 */
#include "libcontainer/kernel/namespaces.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <linux/nsfs.h>
#include <net/if.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <unistd.h>

#include "base/cleanup.h"

/* Newer than the C library's <sched.h>. */
#ifndef CLONE_NEWTIME
#	define CLONE_NEWTIME 0x00000080
#endif

/* The files in /proc/PID/ns. */
static const struct {
	unsigned flag;
	const char *file;
} kinds[] = {
	{ CLONE_NEWUSER, "user" },
	{ CLONE_NEWNS, "mnt" },
	{ CLONE_NEWPID, "pid" },
	{ CLONE_NEWNET, "net" },
	{ CLONE_NEWIPC, "ipc" },
	{ CLONE_NEWUTS, "uts" },
	{ CLONE_NEWCGROUP, "cgroup" },
	{ CLONE_NEWTIME, "time" },
};

_Static_assert(array_size(kinds) == NAMESPACES_MAX, "a kind was added");

unsigned namespaces_to_make(const struct spec_linux *platform)
{
	unsigned flags = 0;

	for (size_t i = 0; i < platform->n_namespaces; i++)
		if (!platform->namespaces[i].path)
			flags |= platform->namespaces[i].flag;
	return flags;
}

unsigned namespaces_to_join(const struct spec_linux *platform)
{
	unsigned flags = 0;

	for (size_t i = 0; i < platform->n_namespaces; i++)
		if (platform->namespaces[i].path)
			flags |= platform->namespaces[i].flag;
	return flags;
}

static const char *word_of(unsigned flag)
{
	return spec_word_of(spec_namespace_words, flag) ?: "unknown";
}

static int open_one(const struct spec_namespace *wanted, struct error *err)
{
	cleanup_fd int fd = open(wanted->path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
	struct statfs fs;
	int type;

	if (fd < 0)
		return error_set_call(err, "open", wanted->path);
	if (fstatfs(fd, &fs) < 0)
		return error_set_call(err, "fstatfs", wanted->path);
	if (fs.f_type != NSFS_MAGIC)
		return error_set(err, ERROR_SPEC, "'%s' is not a namespace", wanted->path);
	type = ioctl(fd, NS_GET_NSTYPE);
	if (type < 0)
		return error_set_call(err, "ask for the type of", wanted->path);
	if ((unsigned)type != wanted->flag)
		return error_set(err, ERROR_SPEC,
			"'%s' is a namespace of type %s, expected type %s", wanted->path,
			word_of((unsigned)type), word_of(wanted->flag));
	return take_fd(&fd);
}

int namespaces_open(
	const struct spec_linux *platform, struct namespaces *ret_namespaces, struct error *err)
{
	cleanup_namespaces struct namespaces opened = { .count = 0 };

	assert(platform->n_namespaces <= NAMESPACES_MAX);
	for (size_t i = 0; i < platform->n_namespaces; i++) {
		const struct spec_namespace *wanted = &platform->namespaces[i];
		int fd;

		if (!wanted->path)
			continue;
		fd = open_one(wanted, err);
		if (fd < 0)
			return error_point(err, "/linux/namespaces/%zu/path", i);
		opened.fds[opened.count] = fd;
		opened.flags[opened.count] = wanted->flag;
		opened.places[opened.count++] = i;
	}
	*ret_namespaces = opened;
	opened.count = 0;
	return 0;
}

/* Whether FD is the namespace of type FLAG that PROCESS, a name in /proc, is in. */
static bool is_namespace_of(int fd, unsigned flag, const char *process)
{
	struct stat theirs, own;
	char path[48];
	size_t i = 0;

	while (kinds[i].flag != flag)
		i++;
	snprintf(path, sizeof(path), "/proc/%s/ns/%s", process, kinds[i].file);
	return fstat(fd, &theirs) == 0 && stat(path, &own) == 0 && theirs.st_ino == own.st_ino &&
	       theirs.st_dev == own.st_dev;
}

bool namespaces_is_hosts(int fd, unsigned flag)
{
	return is_namespace_of(fd, flag, "self") || is_namespace_of(fd, flag, "1");
}

static int fail_to_join(const struct namespaces *namespaces, size_t i, struct error *err)
{
	error_set_errno(err, "join the %s namespace", word_of(namespaces->flags[i]));
	return error_point(err, "/linux/namespaces/%zu/path", namespaces->places[i]);
}

/*
 * Joins those among WANTED, a bit for each place in the list, and takes them
 * out of it. With IS_TRY, those that the caller may not join stay.
 */
static int join_some(
	const struct namespaces *namespaces, unsigned *wanted, bool is_try, struct error *err)
{
	for (size_t i = 0; i < namespaces->count; i++) {
		if (!(*wanted & 1U << i) || namespaces->flags[i] == CLONE_NEWUSER)
			continue;
		if (setns(namespaces->fds[i], (int)namespaces->flags[i]) == 0)
			*wanted &= ~(1U << i);
		else if (!is_try || errno != EPERM)
			return fail_to_join(namespaces, i, err);
	}
	return 0;
}

int namespaces_join(const struct namespaces *namespaces, struct error *err)
{
	unsigned wanted = (1U << namespaces->count) - 1;

	/* As whoever the caller is; then with what the user namespace gives. */
	if (join_some(namespaces, &wanted, true, err) < 0)
		return -1;
	for (size_t i = 0; i < namespaces->count; i++) {
		/* setns(2) refuses the user namespace that the caller is in. */
		if (namespaces->flags[i] != CLONE_NEWUSER ||
			is_namespace_of(namespaces->fds[i], CLONE_NEWUSER, "self"))
			continue;
		if (setns(namespaces->fds[i], CLONE_NEWUSER) < 0)
			return fail_to_join(namespaces, i, err);
	}
	return join_some(namespaces, &wanted, false, err);
}

int namespaces_join_process(int pidfd, unsigned flags, struct error *err)
{
	if (flags && setns(pidfd, (int)flags) < 0)
		return error_set_errno(err, "join the container's namespaces");
	return 0;
}

int namespaces_compare(pid_t pid, unsigned *ret_flags, struct error *err)
{
	unsigned flags = 0;

	for (size_t i = 0; i < array_size(kinds); i++) {
		char path[48], own_path[48];
		struct stat theirs, own;

		snprintf(path, sizeof(path), "/proc/%d/ns/%s", (int)pid, kinds[i].file);
		snprintf(own_path, sizeof(own_path), "/proc/self/ns/%s", kinds[i].file);
		if (stat(own_path, &own) < 0) {
			if (errno == ENOENT) /* a kernel without this kind */
				continue;
			return error_set_call(err, "stat", own_path);
		}
		if (stat(path, &theirs) < 0)
			return error_set_call(err, "stat", path);
		if (theirs.st_ino != own.st_ino || theirs.st_dev != own.st_dev)
			flags |= kinds[i].flag;
	}
	*ret_flags = flags;
	return 0;
}

int namespaces_open_network(struct error *err)
{
	/*
	 * Any socket takes requests (netdevice(7)). While one of AF_UNIX is passed
	 * along, the kernel looks for garbage whenever somebody closes another.
	 */
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);

	if (fd < 0)
		fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	return fd < 0 ? error_set_errno(err, "make a socket") : fd;
}

int namespaces_raise_loopback(int network, struct error *err)
{
	struct ifreq request = { .ifr_name = "lo", .ifr_flags = IFF_UP };

	if (ioctl(network, SIOCSIFFLAGS, &request) < 0)
		return error_set_call(err, "bring up", "lo");
	return 0;
}

void namespaces_close(struct namespaces *namespaces)
{
	for (size_t i = 0; i < namespaces->count; i++)
		close_at(&namespaces->fds[i]);
	namespaces->count = 0;
}
