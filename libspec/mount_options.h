/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The words in mounts[].options (config.md, "Linux mount options").
 *
 * One table maps each word to what it sets or clears; it is also what
 * `features` prints. The last word on a subject wins, as with mount(8).
 */
#ifndef KOGG_LIBSPEC_MOUNT_OPTIONS_H
#define KOGG_LIBSPEC_MOUNT_OPTIONS_H

#include "libspec/spec_types.h"

/*
 * Attributes are MOUNT_ATTR_* of mount_setattr(2). A bit is in at most one of
 * set and clear. MOUNT_ATTR__ATIME in clear goes with any atime mode in set,
 * as mount_setattr(2) demands; an atime word that asks for the kernel's
 * default leaves both as they are when nothing came before it.
 */
struct mount_attributes {
	uint64_t set;
	uint64_t clear;
};

struct mount_options {
	struct mount_attributes here;      /* of this mount */
	struct mount_attributes recursive; /* of it and all below: rro, rnosuid, ... */
	uint64_t sb_set; /* MS_SYNCHRONOUS, MS_DIRSYNC, MS_LAZYTIME, ... of the superblock */
	uint64_t sb_clear;
	unsigned long propagation; /* MS_SHARED, ...; 0 when no word says so */
	bool is_propagation_recursive;
	bool is_bind;      /* bind or rbind */
	bool is_recursive; /* rbind */
	bool is_remount;
	bool has_tmpcopyup;
	bool has_idmap; /* idmap or ridmap */
	bool is_idmap_recursive;
	struct spec_strings data; /* words for the file system, in order: "size=64k" */
};

#endif
