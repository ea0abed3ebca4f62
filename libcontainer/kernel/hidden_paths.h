/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Masked and read-only paths (config-linux.md, "Masked Paths", "Readonly
 * Paths"; mount_setattr(2)).
 *
 * What lies over a file is a /dev/null that was verified to be one, what lies
 * over a directory is an empty read-only tmpfs, one for all: neither comes from
 * the image (CVE-2025-31133). A missing path is skipped, any other failure is
 * an error, and so is the root itself. Must happen before the root is changed.
 */
#ifndef KOGG_LIBCONTAINER_KERNEL_HIDDEN_PATHS_H
#define KOGG_LIBCONTAINER_KERNEL_HIDDEN_PATHS_H

#include "base/error.h"
#include "libspec/spec_types.h"

/*
 * LABEL is the SELinux context of the directories that are put there, or NULL:
 * without one the policy's for a tmpfs, which the container may not be allowed
 * to look into. Errors point into /linux/maskedPaths.
 */
int hidden_paths_mask(int root_fd, const struct spec_strings *paths, const char *label,
	struct error *err) must_check;

/*
 * Mounts each path on itself, with all that is mounted below it, and makes that
 * mount read-only; the mounts below stay as they are. Errors point into
 * /linux/readonlyPaths.
 */
int hidden_paths_make_readonly(int root_fd, const struct spec_strings *paths, struct error *err)
	must_check;

#endif
