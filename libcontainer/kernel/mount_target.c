/* SPDX-License-Identifier: Apache-2.0 */
#include "libcontainer/kernel/mount_target.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/vfs.h>

#include "base/cleanup.h"

/* PROC_ROOT_INO of <linux/proc_fs.h> */
#define PROC_ROOT_INODE 1

/* What lxcfs, criu and FIPS set-ups put over files of /proc; runc allows the same. */
static const char *const allowed_in_proc[] = { "cpuinfo", "diskstats", "meminfo", "stat", "swaps",
	"uptime", "loadavg", "slabinfo", "sys/kernel/ns_last_pid", "sys/crypto/fips_enabled" };

static int refuse_root(struct error *err)
{
	return error_set(err, ERROR_SPEC, "nothing can be mounted on '/' itself");
}

static int refuse_proc(struct error *err)
{
	error_set(err, ERROR_SPEC, "mounting below /proc is not allowed");
	return error_hint(err,
		"but on cpuinfo, diskstats, meminfo, stat, swaps, uptime, loadavg, slabinfo, "
		"sys/kernel/ns_last_pid, sys/crypto/fips_enabled; readonlyPaths and maskedPaths "
		"protect the others");
}

static bool has_way_up(const char *path)
{
	for (const char *dots = strstr(path, ".."); dots; dots = strstr(dots + 2, ".."))
		if ((dots == path || dots[-1] == '/') && (dots[2] == '/' || dots[2] == '\0'))
			return true;
	return false;
}

static bool is_allowed_in_proc(const char *rest)
{
	const char *end;

	for (size_t i = 0; i < array_size(allowed_in_proc); i++)
		if (path_is_below(rest, allowed_in_proc[i], &end) && !*end)
			return true;
	return false;
}

/* For a path that means what it says: no links in it, no "..". */
static int check_plain_path(const char *path, bool *ret_is_proc, struct error *err)
{
	const char *rest;

	*ret_is_proc = false;
	if (path_is_below("/", path, NULL))
		return refuse_root(err);
	if (!path_is_below(path, "/proc", &rest))
		return 0;
	*ret_is_proc = path_is_below("/", rest, NULL);
	return *ret_is_proc || is_allowed_in_proc(rest) ? 0 : refuse_proc(err);
}

static int refuse_link(const char *path, struct error *err)
{
	return error_set(err, ERROR_SYSTEM,
		"'%s' has a symbolic link in it, which is not followed to /dev, /proc or /sys, nor for procfs and sysfs",
		path);
}

static bool is_same_file(int a, int b)
{
	struct stat st_a, st_b;

	return fstat(a, &st_a) == 0 && fstat(b, &st_b) == 0 && st_a.st_dev == st_b.st_dev &&
	       st_a.st_ino == st_b.st_ino;
}

static bool is_on_procfs(int fd)
{
	struct statfs fs;

	return fstatfs(fd, &fs) == 0 && fs.f_type == PROC_SUPER_MAGIC;
}

/* For a path with links: what counts is where it has led. */
static int check_by_identity(int root_fd, int fd, bool *ret_is_proc, struct error *err)
{
	cleanup_fd int proc = path_try_open(root_fd, "/proc", O_PATH, PATH_IN_ROOT);

	if (is_same_file(fd, root_fd))
		return refuse_root(err);
	*ret_is_proc = proc >= 0 && is_same_file(fd, proc);
	return !*ret_is_proc && is_on_procfs(fd) ? refuse_proc(err) : 0;
}

/* Whether FD, a directory somewhere in the root, is PATH or below it. */
static bool is_in(int root_fd, int fd, const char *path)
{
	cleanup_fd int top = path_try_open(root_fd, path, O_PATH, PATH_IN_ROOT);
	cleanup_fd int dir = fcntl(fd, F_DUPFD_CLOEXEC, 0);

	if (top < 0)
		return false;
	while (dir >= 0 && !is_same_file(dir, root_fd) && !is_same_file(dir, top)) {
		cleanup_fd int above = openat(dir, "..", O_PATH | O_DIRECTORY | O_CLOEXEC);

		/* Somebody has moved it out of the root. */
		if (above >= 0 && is_same_file(above, dir))
			return true;
		close_at(&dir);
		dir = take_fd(&above);
	}
	return dir < 0 || is_same_file(dir, top);
}

/* Whether REST, which is missing below DIR_FD, would be made below /proc or /sys. */
static bool is_guarded(int root_fd, int dir_fd, const char *rest)
{
	static const char *const guarded[] = { "/proc", "/sys" };

	for (size_t i = 0; i < array_size(guarded); i++) {
		if (is_in(root_fd, dir_fd, guarded[i]) ||
			(is_same_file(root_fd, dir_fd) && path_is_below(rest, guarded[i], NULL)))
			return true;
	}
	return false;
}

/* The links of PLACE lead nowhere, or to a directory where the rest is missing. */
static int make_by_links(const struct mount_place *place, struct error *err)
{
	char rest[PATH_MAX];
	cleanup_fd int dir = path_open_existing_part(place->root, place->path, rest, err);

	if (dir < 0)
		return -1;
	if (is_guarded(place->root, dir, rest))
		return error_set(err, ERROR_SPEC,
			"'%s' leads by a symbolic link to what is missing below /proc or /sys",
			place->path);
	return path_make_below(
		take_fd(&dir), rest, place->type, place->path, place->link_witness, err);
}

/* Opens PLACE, or makes it and says so. Sets ERR only when making fails. */
static int open_or_make(const struct mount_place *place, enum path_rule rule,
	struct mount_target *target, struct error *err)
{
	target->fd = path_try_open(place->root, place->path, O_PATH, rule);
	if (target->fd < 0 && errno == ENOENT) {
		target->is_new = true;
		target->fd = rule == PATH_IN_ROOT
				     ? make_by_links(place, err)
				     : path_make_missing_in_root(place->root, place->path,
					       place->type, rule, place->witness, err);
	}
	return target->fd < 0 ? -1 : 0;
}

/* For a path that has ".." or links in it. */
static int open_by_identity(const struct mount_place *place, enum path_rule rule,
	struct mount_target *ret_target, struct error *err)
{
	cleanup_target struct mount_target target = MOUNT_TARGET_CLOSED;

	if (open_or_make(place, rule, &target, err) < 0) {
		if (rule == PATH_NO_LINKS && errno == ELOOP)
			return refuse_link(place->path, err);
		return path_fail_to_open(place->path, err);
	}
	if (check_by_identity(place->root, target.fd, &target.is_proc, err) < 0)
		return -1;
	*ret_target = target;
	target.fd = -1;
	return 0;
}

static bool is_same_mount(int a_fd, int b_fd)
{
	uint64_t a, b;

	return path_mount_id(a_fd, &a) < 0 || path_mount_id(b_fd, &b) < 0 || a == b;
}

/*
 * PLACE has links below /sys, at REST. sysfs itself is made of links, and so are
 * the names of version 1's controllers; those of the image are not followed.
 */
static int open_in_sys(const struct mount_place *place, const char *rest,
	struct mount_target *ret_target, struct error *err)
{
	cleanup_fd int sys =
		path_try_open(place->root, "/sys", O_PATH | O_DIRECTORY, PATH_NO_LINKS);
	cleanup_target struct mount_target target = MOUNT_TARGET_CLOSED;

	if (sys < 0 || is_same_mount(sys, place->root))
		return refuse_link(place->path, err);
	target.fd = path_try_open(sys, rest, O_PATH, PATH_IN_ROOT);
	if (target.fd < 0)
		return path_fail_to_open(place->path, err);
	if (check_by_identity(place->root, target.fd, &target.is_proc, err) < 0)
		return -1;
	*ret_target = target;
	target.fd = -1;
	return 0;
}

/*
 * Whether PATH is /dev, /proc, /sys, or below the latter two. Were these links
 * of the image, what is mounted there would lie elsewhere, and a mount that
 * comes later could have masked and read-only paths meet nothing while a third
 * name shows all of it, or have devices made in a volume.
 */
static bool is_fixed(const char *path)
{
	char clean[PATH_MAX];

	return path_clean(path, clean) < 0 || !strcmp(clean, "/dev") ||
	       path_is_below(clean, "/proc", NULL) || path_is_below(clean, "/sys", NULL);
}

int mount_target_open(
	const struct mount_place *place, struct mount_target *ret_target, struct error *err)
{
	struct mount_target target = MOUNT_TARGET_CLOSED;
	bool may_have_links = place->may_have_links && !is_fixed(place->path);
	const char *rest;

	if (has_way_up(place->path))
		return open_by_identity(
			place, may_have_links ? PATH_IN_ROOT : PATH_NO_LINKS, ret_target, err);
	if (check_plain_path(place->path, &target.is_proc, err) < 0)
		return -1;
	if (open_or_make(place, PATH_NO_LINKS, &target, err) == 0) {
		*ret_target = target;
		return 0;
	}
	if (errno != ELOOP || err->kind != ERROR_NONE)
		return path_fail_to_open(place->path, err);
	if (may_have_links)
		return open_by_identity(place, PATH_IN_ROOT, ret_target, err);
	if (place->may_have_links && path_is_below(place->path, "/sys", &rest) && *rest)
		return open_in_sys(place, rest, ret_target, err);
	return refuse_link(place->path, err);
}

int mount_target_check_proc(const struct mount_target *target, int source_fd, struct error *err)
{
	struct stat st;

	if (!target->is_proc)
		return 0;
	if (source_fd >= 0 && is_on_procfs(source_fd) && fstat(source_fd, &st) == 0 &&
		st.st_ino == PROC_ROOT_INODE)
		return 0;
	return error_set(err, ERROR_SPEC, "only a procfs can be mounted on /proc");
}

void mount_target_close(struct mount_target *target)
{
	close_at(&target->fd);
	target->fd = -1;
}
