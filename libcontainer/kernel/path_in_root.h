/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Opening and making paths that a container image controls (openat2(2)).
 *
 * No path is used twice: what is opened here is acted on by its descriptor,
 * since a process that shares a volume may exchange any component for a
 * symbolic link in between (CVE-2021-30465, CVE-2024-45310).
 *
 * Where a sandbox takes openat2(2) away, paths are walked one component at a
 * time, and a symbolic link in one is refused rather than followed.
 */
#ifndef KOGG_LIBCONTAINER_KERNEL_PATH_IN_ROOT_H
#define KOGG_LIBCONTAINER_KERNEL_PATH_IN_ROOT_H

#include <limits.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/error.h"

enum path_rule {
	PATH_IN_ROOT,  /* the descriptor is "/": absolute links and ".." stay below it */
	PATH_NO_LINKS, /* the same, but a symbolic link anywhere is ELOOP */
	PATH_BENEATH,  /* no link, no way up, no mount point crossed (EXDEV) */
};

/*
 * Who wants to know of each entry that is made in a root file system. TELL
 * gets the directory that has it, with O_PATH, and its name, which is a single
 * component; -1 ends the making.
 */
struct path_witness {
	int (*tell)(void *context, int dir_fd, const char *name, struct error *err);
	void *context;
};

/* Tells WITNESS, who may be NULL. */
int path_tell(const struct path_witness *witness, int dir_fd, const char *name, struct error *err)
	must_check;

/*
 * The bare call, for callers to whom a missing path is no error: returns a
 * close-on-exec descriptor, or -1 and errno, which is ENOSYS when there are
 * links or ".." that RULE allows to follow and there is no openat2(2).
 */
int path_try_open(int root_fd, const char *path, int flags, enum path_rule rule) must_check;

/* Sets the error for a path_try_open() of PATH that has left errno. Returns -1. */
int path_fail_to_open(const char *path, struct error *err);

/* Opens PATH by PATH_IN_ROOT. Returns a descriptor that the caller owns. */
int path_open_in_root(int root_fd, const char *path, int flags, struct error *err) must_check;

/*
 * Opens PATH with O_PATH; what is missing is made, directories with mode 0755,
 * and the last component as TYPE, S_IFDIR or S_IFREG, says. What exists may be
 * of any type. WITNESS may be NULL.
 */
int path_make_in_root(int root_fd, const char *path, mode_t type, enum path_rule rule,
	const struct path_witness *witness, struct error *err) must_check;

/* The same for a caller who has just found PATH to be missing (ENOENT). */
int path_make_missing_in_root(int root_fd, const char *path, mode_t type, enum path_rule rule,
	const struct path_witness *witness, struct error *err) must_check;

/*
 * For a PATH that is missing (ENOENT), maybe because of a link in it that leads
 * nowhere: opens the last directory on the way, wherever in the root the links
 * lead to, and gives what is missing below it, for path_make_below().
 */
int path_open_existing_part(int root_fd, const char *path, char ret_rest[static PATH_MAX],
	struct error *err) must_check;

/*
 * Makes REST below DIR_FD, which it takes over, as path_make_in_root() would;
 * a link or ".." in it is an error. PATH is what the error calls it.
 */
int path_make_below(int dir_fd, const char *rest, mode_t type, const char *path,
	const struct path_witness *witness, struct error *err) must_check;

/*
 * Opens the directory that holds the last component of PATH, made if missing,
 * and gives that component's name, which is never empty, "." or "..".
 */
int path_make_parent_in_root(int root_fd, const char *path, const struct path_witness *witness,
	char ret_name[static NAME_MAX + 1], struct error *err) must_check;

/* The mount that FD is on (statx(2), Linux 5.8). -1 and errno where that can't be told. */
int path_mount_id(int fd, uint64_t *ret_id) must_check;

/*
 * Whether PATH, without regard to links, is PARENT or below it. Both count from
 * "/", whether they begin with it or not. RET_REST, which may be NULL, is what
 * follows, "" for PARENT itself; it is in PATH, and may hold doubled slashes.
 */
bool path_is_below(const char *path, const char *parent, const char **ret_rest);

/*
 * PATH from "/" on without ".", doubled slashes and "..", which takes away the
 * name before it: what it means where no name is a link. -1 and errno when it is
 * too long.
 */
int path_clean(const char *path, char ret_path[static PATH_MAX]) must_check;

#endif
