/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Mounting new file systems (mount(2), fsopen(2)).
 *
 * The usual way is mount(2) on ".", after fchdir(2) to the target, which was
 * opened by path_in_root: one call, where fsopen(2) takes one for each option,
 * and no path that could be bent. fsopen(2) is for those who want the new
 * mount's descriptor, and for the kernel's own words when mount(2) fails.
 *
 * Knows nothing of containers; where a type needs special care is the caller's
 * to know.
 */
#ifndef KOGG_LIBCONTAINER_KERNEL_FILESYSTEM_H
#define KOGG_LIBCONTAINER_KERNEL_FILESYSTEM_H

#include <stdbool.h>
#include <stdint.h>

#include "base/error.h"
#include "libspec/mount_options.h"

struct filesystem {
	const char *type;
	const char *source;               /* NULL: the type's name */
	struct mount_attributes here;     /* MOUNT_ATTR_* of the new mount */
	uint64_t sb_flags;                /* MS_SYNCHRONOUS, ... of the superblock */
	const struct spec_strings *words; /* options for the file system; NULL: none */
	const char *extra;                /* one more option; NULL: none */
	const char *label;                /* SELinux context of all its files; NULL: none */
	const char *directory;            /* absolute; what relative paths count from */
	const char **ret_refused;         /* which word the kernel refused; NULL: never mind */
};

/* Most bytes of options that mount(2) takes: a page, with its NUL. */
#define FILESYSTEM_DATA_MAX 4096

/* Mounts FS on the directory TARGET_FD. Leaves the working directory anywhere. */
int filesystem_mount(const struct filesystem *fs, int target_fd, struct error *err) must_check;

/*
 * The same, not attached (mounts_attach_fd() does that). Returns the root of
 * the mount, which the caller owns. An error where fsopen(2) is missing.
 */
int filesystem_open(const struct filesystem *fs, struct error *err) must_check;

/* Changes flags and options of the file system mounted at MOUNT_FD, its root. */
int filesystem_reconfigure(const struct filesystem *fs, int mount_fd, struct error *err) must_check;

/* Whether WORDS has NAME, alone or with a value: "mode" or "mode=755". */
bool filesystem_has_word(const struct spec_strings *words, const char *name);

#endif
