/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The words in mounts[].options (config.md, "Linux mount options").
 *
 * One table maps each word to what it sets or clears; it is also what
 * `features` prints. The last word on a subject wins, as with mount(8), where bind
 * and rbind don't contradict each other.
 */
#ifndef KOGG_LIBSPEC_MOUNT_OPTIONS_H
#define KOGG_LIBSPEC_MOUNT_OPTIONS_H

#include "base/attributes.h"
#include "libspec/spec_types.h"

struct json_reader;

/*
 * Attributes are MOUNT_ATTR_* of mount_setattr(2). A bit is in at most one of
 * set and clear. MOUNT_ATTR__ATIME in clear goes with any atime mode in set,
 * as mount_setattr(2) demands, and alone when a word asks for the kernel's
 * default mode, which matters where the source of a bind has another one;
 * norelatime and nostrictatime leave both as they are when nothing came before.
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
	bool has_idmap; /* idmap or ridmap, or the mount has mappings of its own */
	bool is_idmap_recursive;
	struct spec_strings data; /* words for the file system, in order: "size=64k" */
};

/*
 * Reads the words in OPTIONS, the member "options" of the object that READER
 * is in. An unknown word is data for the file system; a bind mount has none,
 * so there it is an error, or with a "=" in it only worth a warning: engines
 * hand on what the user gave. So are known words that are for a new file system,
 * as sync and tmpcopyup. The empty word, which podman writes, is nothing.
 */
int mount_options_read(struct json_reader *reader, const struct spec_strings *options,
	struct mount_options *ret_options) must_check;

/*
 * For an entry that is no bind mount, and has no type to be anything else:
 * refuses the word that was perhaps meant to make it one. 0 when there is none.
 */
int mount_options_look_for_bind(struct json_reader *reader, const struct spec_strings *options)
	must_check;

/* Whether WORD holds several words with commas between them, as fstab(5) has them. */
bool mount_options_is_list(const char *word);

/* The words that are known, for `features`: NULL behind the last one. */
const char *mount_options_word(size_t index);

#endif
