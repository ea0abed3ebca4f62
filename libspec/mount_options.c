/* SPDX-License-Identifier: Apache-2.0 */
#include "libspec/mount_options.h"

#include <linux/mount.h>
#include <string.h>
#include <sys/mount.h>

#include "libspec/json_reader.h"
#include "libspec/near_word.h"

/* Not in glibc 2.36; in the kernel since 2.6.23 (include/linux/fs.h). */
#ifndef MS_I_VERSION
#	define MS_I_VERSION (1 << 23)
#endif

/* glibc's and the kernel's header cannot both be had; these are Linux 5.12 and 5.14. */
#ifndef MOUNT_ATTR_NOSYMFOLLOW
#	define MOUNT_ATTR_NOSYMFOLLOW 0x00200000
#endif

enum subject {
	SUBJECT_NONE,       /* known, and no wish: defaults */
	SUBJECT_ATTRIBUTE,  /* bits of mount_attributes */
	SUBJECT_ATIME,      /* the mode within MOUNT_ATTR__ATIME */
	SUBJECT_SUPERBLOCK, /* MS_* flags of the file system */
	SUBJECT_PROPAGATION,
	SUBJECT_BIND,
	SUBJECT_REMOUNT,
	SUBJECT_IDMAP,
	SUBJECT_TMPCOPYUP,
};

/* What a word does with its bits. */
enum action { ACTION_SET, ACTION_CLEAR };

struct option {
	const char *word;
	enum subject subject;
	enum action action;
	bool is_recursive; /* the word of that subject that goes for all mounts below */
	uint32_t bits;
};

#define ATTRIBUTE(name, act, recursive, attr)                                       \
	{                                                                           \
		name, SUBJECT_ATTRIBUTE, ACTION_##act, recursive, MOUNT_ATTR_##attr \
	}
#define ATIME(name, act, recursive, mode)                          \
	{                                                          \
		name, SUBJECT_ATIME, ACTION_##act, recursive, mode \
	}
#define SUPERBLOCK(name, act, flag)                                 \
	{                                                           \
		name, SUBJECT_SUPERBLOCK, ACTION_##act, false, flag \
	}
#define PROPAGATION(name, recursive, flag)                             \
	{                                                              \
		name, SUBJECT_PROPAGATION, ACTION_SET, recursive, flag \
	}
#define OTHER(name, what, recursive)                           \
	{                                                      \
		name, SUBJECT_##what, ACTION_SET, recursive, 0 \
	}

/*
 * The recursive words that take a mode back ask for the kernel's default, as
 * config.md has it ("clear the atime attributes").
 */
static const struct option options_table[] = {
	SUPERBLOCK("async", CLEAR, MS_SYNCHRONOUS),
	ATIME("atime", SET, false, MOUNT_ATTR_RELATIME),
	OTHER("bind", BIND, false),
	OTHER("defaults", NONE, false),
	ATTRIBUTE("dev", CLEAR, false, NODEV),
	ATTRIBUTE("diratime", CLEAR, false, NODIRATIME),
	SUPERBLOCK("dirsync", SET, MS_DIRSYNC),
	ATTRIBUTE("exec", CLEAR, false, NOEXEC),
	OTHER("idmap", IDMAP, false),
	SUPERBLOCK("iversion", SET, MS_I_VERSION),
	SUPERBLOCK("lazytime", SET, MS_LAZYTIME),
	SUPERBLOCK("loud", CLEAR, MS_SILENT),
	SUPERBLOCK("mand", SET, MS_MANDLOCK),
	ATIME("noatime", SET, false, MOUNT_ATTR_NOATIME),
	ATTRIBUTE("nodev", SET, false, NODEV),
	ATTRIBUTE("nodiratime", SET, false, NODIRATIME),
	ATTRIBUTE("noexec", SET, false, NOEXEC),
	SUPERBLOCK("noiversion", CLEAR, MS_I_VERSION),
	SUPERBLOCK("nolazytime", CLEAR, MS_LAZYTIME),
	SUPERBLOCK("nomand", CLEAR, MS_MANDLOCK),
	ATIME("norelatime", CLEAR, false, MOUNT_ATTR_RELATIME),
	ATIME("nostrictatime", CLEAR, false, MOUNT_ATTR_STRICTATIME),
	ATTRIBUTE("nosuid", SET, false, NOSUID),
	ATTRIBUTE("nosymfollow", SET, false, NOSYMFOLLOW),
	PROPAGATION("private", false, MS_PRIVATE),
	ATIME("ratime", SET, true, MOUNT_ATTR_RELATIME),
	OTHER("rbind", BIND, true),
	ATTRIBUTE("rdev", CLEAR, true, NODEV),
	ATTRIBUTE("rdiratime", CLEAR, true, NODIRATIME),
	ATIME("relatime", SET, false, MOUNT_ATTR_RELATIME),
	OTHER("remount", REMOUNT, false),
	ATTRIBUTE("rexec", CLEAR, true, NOEXEC),
	OTHER("ridmap", IDMAP, true),
	ATIME("rnoatime", SET, true, MOUNT_ATTR_NOATIME),
	ATTRIBUTE("rnodev", SET, true, NODEV),
	ATTRIBUTE("rnodiratime", SET, true, NODIRATIME),
	ATTRIBUTE("rnoexec", SET, true, NOEXEC),
	ATIME("rnorelatime", SET, true, MOUNT_ATTR_RELATIME),
	ATIME("rnostrictatime", SET, true, MOUNT_ATTR_RELATIME),
	ATTRIBUTE("rnosuid", SET, true, NOSUID),
	ATTRIBUTE("rnosymfollow", SET, true, NOSYMFOLLOW),
	ATTRIBUTE("ro", SET, false, RDONLY),
	PROPAGATION("rprivate", true, MS_PRIVATE),
	ATIME("rrelatime", SET, true, MOUNT_ATTR_RELATIME),
	ATTRIBUTE("rro", SET, true, RDONLY),
	ATTRIBUTE("rrw", CLEAR, true, RDONLY),
	PROPAGATION("rshared", true, MS_SHARED),
	PROPAGATION("rslave", true, MS_SLAVE),
	ATIME("rstrictatime", SET, true, MOUNT_ATTR_STRICTATIME),
	ATTRIBUTE("rsuid", CLEAR, true, NOSUID),
	ATTRIBUTE("rsymfollow", CLEAR, true, NOSYMFOLLOW),
	PROPAGATION("runbindable", true, MS_UNBINDABLE),
	ATTRIBUTE("rw", CLEAR, false, RDONLY),
	PROPAGATION("shared", false, MS_SHARED),
	SUPERBLOCK("silent", SET, MS_SILENT),
	PROPAGATION("slave", false, MS_SLAVE),
	ATIME("strictatime", SET, false, MOUNT_ATTR_STRICTATIME),
	ATTRIBUTE("suid", CLEAR, false, NOSUID),
	ATTRIBUTE("symfollow", CLEAR, false, NOSYMFOLLOW),
	SUPERBLOCK("sync", SET, MS_SYNCHRONOUS),
	OTHER("tmpcopyup", TMPCOPYUP, false),
	PROPAGATION("unbindable", false, MS_UNBINDABLE),
};

static void set_atime(struct mount_attributes *attributes, uint32_t mode)
{
	attributes->set &= ~(uint64_t)MOUNT_ATTR__ATIME;
	attributes->set |= mode;
	attributes->clear |= MOUNT_ATTR__ATIME;
}

static void apply_atime(struct mount_attributes *attributes, const struct option *option)
{
	if (option->action == ACTION_SET)
		set_atime(attributes, option->bits);
	else if ((attributes->clear & MOUNT_ATTR__ATIME) &&
		 (attributes->set & MOUNT_ATTR__ATIME) == option->bits)
		set_atime(attributes, MOUNT_ATTR_RELATIME);
}

static void apply_bits(uint64_t *set, uint64_t *clear, const struct option *option)
{
	uint64_t *to = option->action == ACTION_SET ? set : clear;
	uint64_t *from = option->action == ACTION_SET ? clear : set;

	*to |= option->bits;
	*from &= ~(uint64_t)option->bits;
}

static void apply(struct mount_options *options, const struct option *option)
{
	struct mount_attributes *attributes =
		option->is_recursive ? &options->recursive : &options->here;

	switch (option->subject) {
	case SUBJECT_NONE:
		break;
	case SUBJECT_ATTRIBUTE:
		apply_bits(&attributes->set, &attributes->clear, option);
		break;
	case SUBJECT_ATIME:
		apply_atime(attributes, option);
		break;
	case SUBJECT_SUPERBLOCK:
		apply_bits(&options->sb_set, &options->sb_clear, option);
		break;
	case SUBJECT_PROPAGATION:
		options->propagation = option->bits;
		options->is_propagation_recursive = option->is_recursive;
		break;
	case SUBJECT_BIND:
		options->is_bind = true;
		/* A bind after an rbind takes nothing away; cri-o appends one to all options. */
		options->is_recursive |= option->is_recursive;
		break;
	case SUBJECT_REMOUNT:
		options->is_remount = true;
		break;
	case SUBJECT_IDMAP:
		options->has_idmap = true;
		options->is_idmap_recursive = option->is_recursive;
		break;
	case SUBJECT_TMPCOPYUP:
		options->has_tmpcopyup = true;
		break;
	}
}

static const struct option *find_option(const char *word)
{
	for (size_t i = 0; i < array_size(options_table); i++)
		if (!strcmp(options_table[i].word, word))
			return &options_table[i];
	return NULL;
}

/* The values of some options have commas in them: "context=..." */
bool mount_options_is_list(const char *word)
{
	return word[strcspn(word, ",=")] == ',';
}

static int refuse_list(struct json_reader *reader, size_t index, const char *word)
{
	return json_reader_fail_item(reader, "options", index,
		"unknown option '%.64s', each word has to be an entry of its own", word);
}

static int refuse(struct json_reader *reader, size_t index, const char *word)
{
	struct near_word near = { .typed = word };

	if (mount_options_is_list(word))
		return refuse_list(reader, index, word);
	for (size_t i = 0; i < array_size(options_table); i++)
		near_word_try(&near, options_table[i].word);
	if (near.best)
		return json_reader_fail_item(reader, "options", index,
			"unknown option '%.64s', did you mean '%s'", word, near.best);
	return json_reader_fail_item(
		reader, "options", index, "unknown option '%.64s' on a bind mount", word);
}

int mount_options_look_for_bind(struct json_reader *reader, const struct spec_strings *options)
{
	for (size_t i = 0; i < options->count; i++) {
		const char *word = options->items[i];
		struct near_word near = { .typed = word };

		if (find_option(word))
			continue;
		if (mount_options_is_list(word))
			return refuse_list(reader, i, word);
		near_word_try(&near, "bind");
		near_word_try(&near, "rbind");
		if (near.best)
			return json_reader_fail_item(reader, "options", i,
				"unknown option '%.64s', did you mean '%s'", word, near.best);
	}
	return 0;
}

/* Flags of a file system, which a bind takes as it is. MS_SILENT is of the mounting alone. */
static uint64_t flags_lost_on_bind(const struct mount_options *options)
{
	return options->sb_set & ~(uint64_t)MS_SILENT;
}

static bool is_lost_on_bind(const struct option *option, const struct mount_options *options)
{
	if (option->subject == SUBJECT_TMPCOPYUP)
		return true;
	return option->subject == SUBJECT_SUPERBLOCK && option->action == ACTION_SET &&
	       (option->bits & flags_lost_on_bind(options));
}

/* What the words that no bind mount can use come to. */
static int drop_from_bind(struct json_reader *reader, const struct spec_strings *words,
	const struct mount_options *options)
{
	for (size_t i = 0; i < words->count; i++) {
		const char *word = words->items[i];
		const struct option *option = find_option(word);

		if (option ? !is_lost_on_bind(option, options) : !word[0])
			continue;
		if (!option && !strchr(word, '='))
			return refuse(reader, i, word);
		json_reader_warn_item(reader, "options", i,
			"'%.64s' is ignored, a bind mount has no such option", word);
	}
	return 0;
}

int mount_options_read(struct json_reader *reader, const struct spec_strings *options,
	struct mount_options *ret_options)
{
	struct mount_options result = { 0 };
	struct spec_strings *data = &result.data;

	data->items = arena_alloc(reader->arena, options->count + 1, sizeof(data->items[0]));
	if (!data->items)
		return json_reader_no_memory(reader);
	for (size_t i = 0; i < options->count; i++) {
		const struct option *option = find_option(options->items[i]);

		if (option)
			apply(&result, option);
		else if (options->items[i][0])
			data->items[data->count++] = options->items[i];
	}
	if (result.is_bind &&
		(data->count > 0 || result.has_tmpcopyup || flags_lost_on_bind(&result)) &&
		drop_from_bind(reader, options, &result) < 0)
		return -1;
	if (result.is_bind)
		*data = (struct spec_strings){ 0 };
	*ret_options = result;
	return 0;
}

const char *mount_options_word(size_t index)
{
	return index < array_size(options_table) ? options_table[index].word : NULL;
}
