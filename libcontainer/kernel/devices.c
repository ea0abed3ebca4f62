/* SPDX-License-Identifier: Apache-2.0 */
#include "libcontainer/kernel/devices.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "libcontainer/kernel/mounts.h"

#define DEFAULT_MODE 0666
#define PTMX_PATH    "/dev/ptmx"

/* Of the first user namespace: USER_NS_INIT_INO of <linux/nsfs.h>, which is newer than the number.
 */
#define FIRST_USER_NAMESPACE 0xEFFFFFFDU

static const struct spec_device default_devices[] = {
	{ .path = "/dev/null", .type = S_IFCHR, .major = 1, .minor = 3 },
	{ .path = "/dev/zero", .type = S_IFCHR, .major = 1, .minor = 5 },
	{ .path = "/dev/full", .type = S_IFCHR, .major = 1, .minor = 7 },
	{ .path = "/dev/random", .type = S_IFCHR, .major = 1, .minor = 8 },
	{ .path = "/dev/urandom", .type = S_IFCHR, .major = 1, .minor = 9 },
	{ .path = "/dev/tty", .type = S_IFCHR, .major = 5, .minor = 0 },
};

static const struct link {
	const char *name;
	const char *target;
	unsigned option;
	bool gives_way; /* to any file: the spec does not name it */
} links[] = {
	{ "fd", "/proc/self/fd", DEVICES_LINK_TO_PROC, false },
	{ "stdin", "/proc/self/fd/0", DEVICES_LINK_TO_PROC, false },
	{ "stdout", "/proc/self/fd/1", DEVICES_LINK_TO_PROC, false },
	{ "stderr", "/proc/self/fd/2", DEVICES_LINK_TO_PROC, false },
	{ "core", "/proc/kcore", DEVICES_LINK_TO_PROC, true },
	{ "ptmx", "pts/ptmx", DEVICES_LINK_TO_PTMX, false },
};

static const struct spec_device ptmx = { .type = S_IFCHR, .major = 5, .minor = 2 };

/* What all of devices_make() shares. */
struct set_up {
	int root;
	int dev; /* O_PATH */
	unsigned options;
	const struct path_witness *witness;
};

/* A directory of the container, O_PATH, and who is told of what is made in it. */
struct place {
	int dir;
	const struct path_witness *witness;
};

static dev_t number_of(const struct spec_device *device)
{
	if (device->type == S_IFIFO)
		return 0;
	return makedev((unsigned)device->major, (unsigned)device->minor);
}

static bool is_device(const struct stat *st, const struct spec_device *device)
{
	return (st->st_mode & S_IFMT) == device->type &&
	       (device->type == S_IFIFO || st->st_rdev == number_of(device));
}

static char letter_of(const struct spec_device *device)
{
	return device->type == S_IFBLK ? 'b' : device->type == S_IFCHR ? 'c' : 'p';
}

/* A file stands where DEVICE should: right if it is that, or may be bound over. */
static int check_existing(int dir_fd, const char *name, const struct spec_device *device,
	bool is_placeholder_fine, bool *ret_is_device, struct error *err)
{
	struct stat st;

	if (fstatat(dir_fd, name, &st, AT_SYMLINK_NOFOLLOW) < 0)
		return error_set_call(err, "stat", device->path);
	*ret_is_device = is_device(&st, device);
	/* What an earlier container on the same root file system has left. */
	if (*ret_is_device || (is_placeholder_fine && S_ISREG(st.st_mode) && st.st_size == 0))
		return 0;
	error_set(err, ERROR_SYSTEM,
		"make device '%s': something else than %c %lld:%lld is there already", device->path,
		letter_of(device), (long long)device->major, (long long)device->minor);
	snprintf(err->path, sizeof(err->path), "%s", device->path);
	return -1;
}

/* Opens the host's node at PATH with O_PATH, if it is DEVICE. */
static int open_node(const char *path, const struct spec_device *device)
{
	cleanup_fd int fd = open(path, O_PATH | O_NOFOLLOW | O_CLOEXEC);
	struct stat st;

	return fd >= 0 && fstat(fd, &st) == 0 && is_device(&st, device) ? take_fd(&fd) : -1;
}

/* The host's node for DEVICE: at its own path, or where udev keeps one for each number. */
static int open_host_node(const struct spec_device *device, struct error *err)
{
	char path[PATH_MAX];
	int fd = open_node(device->path, device);

	if (fd < 0) {
		cleanup_fd int dir = -1;

		snprintf(path, sizeof(path), "/dev/%s/%lld:%lld",
			device->type == S_IFBLK ? "block" : "char", (long long)device->major,
			(long long)device->minor);
		/* These are links, so whatever they lead to is verified. */
		dir = open(path, O_PATH | O_CLOEXEC);
		if (dir >= 0) {
			struct stat st;

			if (fstat(dir, &st) == 0 && is_device(&st, device))
				return take_fd(&dir);
		}
	}
	if (fd < 0) {
		error_set(err, ERROR_SYSTEM, "make device '%s': the host has no %c %lld:%lld there",
			device->path, letter_of(device), (long long)device->major,
			(long long)device->minor);
		error_hint(err,
			"device nodes can't be made here, as in a user namespace, only bound from the host's");
		return -1;
	}
	return fd;
}

static int bind_over(
	int source_fd, int dir_fd, const char *name, const char *path, struct error *err)
{
	cleanup_tree struct mounts_tree tree = MOUNTS_NO_TREE;
	cleanup_fd int target = path_try_open(dir_fd, name, O_PATH, PATH_NO_LINKS);

	if (target < 0)
		return error_set_call(err, "open", path);
	if (mounts_bind(source_fd, target, false, &tree) < 0)
		return error_set_call(err, "bind", path);
	return 0;
}

static int bind_node(const struct place *place, const char *name, const struct spec_device *device,
	struct error *err)
{
	cleanup_fd int source = -1;
	bool is_there = false;

	if (mknodat(place->dir, name, S_IFREG | 0644, 0) == 0) {
		if (path_tell(place->witness, place->dir, name, err) < 0)
			return -1;
	} else {
		if (errno != EEXIST)
			return error_set_call(err, "make", device->path);
		if (check_existing(place->dir, name, device, true, &is_there, err) < 0)
			return -1;
	}
	if (is_there)
		return 0;
	source = open_host_node(device, err);
	return source < 0 ? -1 : bind_over(source, place->dir, name, device->path, err);
}

static mode_t mode_of(const struct spec_device *device)
{
	return device->file_mode.is_set ? device->file_mode.value & 07777 : DEFAULT_MODE;
}

/* Where owners and modes of the host's nodes are not the container's anyway. */
static bool is_in_user_namespace(void)
{
	struct stat st;

	return stat("/proc/self/ns/user", &st) == 0 && st.st_ino != FIRST_USER_NAMESPACE;
}

/* A bind shows the host's owner and mode: fails when DEVICE asks for others. */
static int check_attributes(const struct spec_device *device, struct error *err)
{
	cleanup_fd int source = -1;
	struct stat st;

	if (!device->file_mode.is_set && !device->uid && !device->gid)
		return 0;
	source = open_host_node(device, err);
	if (source < 0)
		return -1;
	if (fstat(source, &st) < 0)
		return error_set_call(err, "stat", device->path);
	if ((st.st_mode & 07777) == mode_of(device) && st.st_uid == device->uid &&
		st.st_gid == device->gid)
		return 0;
	error_set(err, ERROR_SYSTEM,
		"make device '%s': the host's has mode %04o and owner %u:%u, not %04o and %u:%u",
		device->path, (unsigned)st.st_mode & 07777, st.st_uid, st.st_gid,
		(unsigned)mode_of(device), device->uid, device->gid);
	return error_hint(
		err, "without CAP_MKNOD a device can only be bound from the host's, as that is");
}

/* The kernel has refused to make DEVICE, for want of CAP_MKNOD. */
static int bind_instead(const struct place *place, const char *name,
	const struct spec_device *device, unsigned options, struct error *err)
{
	if (!(options & DEVICES_MAY_BIND)) {
		error_set_call(err, "mknod", device->path);
		return error_hint(err,
			"without CAP_MKNOD a device can only be bound from the host's, for which there must be a mount namespace");
	}
	if (!is_in_user_namespace() && check_attributes(device, err) < 0)
		return -1;
	return bind_node(place, name, device, err);
}

/*
 * Gives the node that was just made to its owner. By its name somebody who may
 * write to the directory could put another file there, which he would then own.
 */
static int give_node(const struct place *place, const char *name, const struct spec_device *device,
	struct error *err)
{
	cleanup_fd int node = path_try_open(place->dir, name, O_PATH, PATH_NO_LINKS);
	struct stat st;

	if (node < 0 || fstat(node, &st) < 0)
		return error_set_call(err, "open", device->path);
	if (!is_device(&st, device) || st.st_nlink != 1)
		return error_set(err, ERROR_SYSTEM,
			"make device '%s': somebody has put another file in its place",
			device->path);
	if (fchownat(node, "", device->uid, device->gid, AT_EMPTY_PATH) < 0)
		return error_set_call(err, "chown", device->path);
	return 0;
}

static int make_node(const struct place *place, const char *name, const struct spec_device *device,
	unsigned options, struct error *err)
{
	bool is_there;

	if ((options & DEVICES_BIND) && device->type != S_IFIFO)
		return bind_node(place, name, device, err);
	if (mknodat(place->dir, name, device->type | mode_of(device), number_of(device)) < 0) {
		if (errno == EPERM && device->type != S_IFIFO)
			return bind_instead(place, name, device, options, err);
		if (errno != EEXIST)
			return error_set_call(err, "mknod", device->path);
		return check_existing(place->dir, name, device, false, &is_there, err);
	}
	if (path_tell(place->witness, place->dir, name, err) < 0)
		return -1;
	return device->uid || device->gid ? give_node(place, name, device, err) : 0;
}

static struct place in_dev(const struct set_up *set_up)
{
	bool is_fleeting = set_up->options & DEVICES_DEV_IS_FLEETING;

	return (struct place){ set_up->dev, is_fleeting ? NULL : set_up->witness };
}

static int make_device(
	const struct set_up *set_up, const struct spec_device *device, struct error *err)
{
	const struct place place_in_dev = in_dev(set_up);
	cleanup_fd int parent = -1;
	char name[NAME_MAX + 1];
	const char *rest;

	if (path_is_below(device->path, "/dev", &rest) && *rest && !strchr(rest, '/') &&
		strlen(rest) <= NAME_MAX && strcmp(rest, ".."))
		return make_node(&place_in_dev, rest, device, set_up->options, err);
	parent = path_make_parent_in_root(set_up->root, device->path, set_up->witness, name, err);
	if (parent < 0)
		return error_wrap(err, "make device '%s'", device->path);
	return make_node(
		&(struct place){ parent, set_up->witness }, name, device, set_up->options, err);
}

static bool is_at(const struct spec_device *device, const char *path)
{
	const char *rest;

	return path_is_below(device->path, path, &rest) && !*rest;
}

/* Whether the config says itself what is to be at PATH. */
static bool is_in_config(const struct spec_linux *platform, const char *path)
{
	for (size_t i = 0; i < platform->n_devices; i++)
		if (is_at(&platform->devices[i], path))
			return true;
	return false;
}

/*
 * The multiplexer of the container's own devpts is the one it gets, also when
 * an engine lists the host's: a node 5:2 finds its devpts by the name "pts"
 * beside it (devpts.rst), and where it is bound that is the host's.
 */
static bool is_linked_instead(const struct set_up *set_up, const struct spec_device *device)
{
	return (set_up->options & DEVICES_LINK_TO_PTMX) && is_at(device, PTMX_PATH);
}

static bool is_link_to(int dir_fd, const char *name, const char *target)
{
	char found[64];
	ssize_t length = readlinkat(dir_fd, name, found, sizeof(found));

	return length == (ssize_t)strlen(target) && !memcmp(found, target, (size_t)length);
}

/* A node 5:2 that nobody has bound there is as good as the link, see above. */
static bool is_own_ptmx(int dev_fd, const char *name)
{
	cleanup_fd int fd = path_try_open(dev_fd, name, O_PATH, PATH_NO_LINKS);
	uint64_t here, there;
	struct stat st;

	return !strcmp(name, "ptmx") && fd >= 0 && fstat(fd, &st) == 0 && is_device(&st, &ptmx) &&
	       path_mount_id(dev_fd, &here) == 0 && path_mount_id(fd, &there) == 0 && here == there;
}

/* The image's link to something else, or the empty file that a bind mount has left. */
static bool is_replaceable(int dir_fd, const char *name)
{
	struct stat st;

	return fstatat(dir_fd, name, &st, AT_SYMLINK_NOFOLLOW) == 0 &&
	       (S_ISLNK(st.st_mode) || (S_ISREG(st.st_mode) && st.st_size == 0));
}

/* LINK is needed, but its name is in use. Nobody's file is taken away for it. */
static int replace_by_link(int dir_fd, const struct link *link, struct error *err)
{
	if (is_link_to(dir_fd, link->name, link->target) || is_own_ptmx(dir_fd, link->name))
		return 0;
	if (is_replaceable(dir_fd, link->name)) {
		if (unlinkat(dir_fd, link->name, 0) == 0 &&
			symlinkat(link->target, dir_fd, link->name) == 0)
			return 0;
		return error_set_errno(err, "make link '/dev/%s'", link->name);
	}
	if (link->gives_way)
		return 0;
	return error_set(err, ERROR_SYSTEM,
		"make link '/dev/%s': something else than a link is there already", link->name);
}

static int make_link(const struct place *dev, const struct link *link, struct error *err)
{
	if (symlinkat(link->target, dev->dir, link->name) == 0)
		return path_tell(dev->witness, dev->dir, link->name, err);
	if (errno == EEXIST)
		return replace_by_link(dev->dir, link, err);
	return error_set_errno(err, "make link '/dev/%s'", link->name);
}

static int make_links(
	const struct set_up *set_up, const struct spec_linux *platform, struct error *err)
{
	const struct place dev = in_dev(set_up);
	char path[32];

	for (size_t i = 0; i < array_size(links); i++) {
		if (!(links[i].option & set_up->options))
			continue;
		snprintf(path, sizeof(path), "/dev/%s", links[i].name);
		if ((!strcmp(path, PTMX_PATH) || !is_in_config(platform, path)) &&
			make_link(&dev, &links[i], err) < 0)
			return -1;
	}
	return 0;
}

int devices_make(int root_fd, const struct spec_linux *platform, unsigned options,
	const struct path_witness *witness, struct error *err)
{
	cleanup_fd int dev =
		path_make_in_root(root_fd, "/dev", S_IFDIR, PATH_NO_LINKS, witness, err);
	const struct set_up set_up = { root_fd, dev, options, witness };

	if (dev < 0)
		return -1;
	for (size_t i = 0; i < array_size(default_devices); i++) {
		if (!is_in_config(platform, default_devices[i].path) &&
			make_device(&set_up, &default_devices[i], err) < 0)
			return -1;
	}
	for (size_t i = 0; i < platform->n_devices; i++) {
		if (!is_linked_instead(&set_up, &platform->devices[i]) &&
			make_device(&set_up, &platform->devices[i], err) < 0)
			return error_point(err, "/linux/devices/%zu", i);
	}
	return make_links(&set_up, platform, err);
}

int devices_bind_console(
	int root_fd, int slave_fd, const struct path_witness *witness, struct error *err)
{
	static const char name[] = "console";
	cleanup_fd int dev =
		path_make_in_root(root_fd, "/dev", S_IFDIR, PATH_NO_LINKS, witness, err);

	if (dev < 0)
		return -1;
	/* A link of the image is not followed, nor does it stand in the way of a file there. */
	if (mknodat(dev, name, S_IFREG | 0600, 0) == 0) {
		if (path_tell(witness, dev, name, err) < 0)
			return -1;
	} else if (errno != EEXIST) {
		return error_set_call(err, "make", "/dev/console");
	}
	return bind_over(slave_fd, dev, name, "/dev/console", err);
}

int devices_open_null(struct error *err)
{
	int fd = open_node(default_devices[0].path, &default_devices[0]);

	if (fd < 0)
		return error_set(err, ERROR_SYSTEM, "the host's '/dev/null' is no null device");
	return fd;
}
