/* SPDX-License-Identifier: Apache-2.0 */
#include "libcontainer/kernel/filesystem.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "libcontainer/kernel/mounts.h"

/* Not in glibc 2.36; include/uapi/linux/mount.h. */
#ifndef MS_I_VERSION
#	define MS_I_VERSION (1 << 23)
#endif

/* The longest line that a file system says about its options. */
#define MESSAGE_MAX 256

/*
 * Types whose source is a mere word. For others it may be a path, which must
 * not count from a directory of the container.
 */
static const char *const types_without_paths[] = { "proc", "tmpfs", "devpts", "sysfs", "mqueue",
	"cgroup2", "cgroup", "ramfs", "devtmpfs", "securityfs", "debugfs", "tracefs", "bpf",
	"hugetlbfs", "configfs", "pstore", "binfmt_misc", "fusectl", "efivarfs" };

/* The words that fsopen(2) knows for flags of the superblock; it has none for the others. */
static const struct {
	uint64_t flag;
	const char *word;
} words_of_flags[] = {
	{ MS_RDONLY, "ro" },
	{ MS_SYNCHRONOUS, "sync" },
	{ MS_DIRSYNC, "dirsync" },
	{ MS_LAZYTIME, "lazytime" },
	{ MS_MANDLOCK, "mand" },
	{ MS_I_VERSION, "iversion" },
};

static bool has_no_paths(const char *type)
{
	for (size_t i = 0; i < array_size(types_without_paths); i++) {
		if (!strcmp(type, types_without_paths[i]))
			return true;
	}
	return false;
}

bool filesystem_has_word(const struct spec_strings *words, const char *name)
{
	size_t length = strlen(name);

	for (size_t i = 0; words && i < words->count; i++) {
		if (!strncmp(words->items[i], name, length) &&
			(words->items[i][length] == '=' || words->items[i][length] == '\0'))
			return true;
	}
	return false;
}

static size_t n_words(const struct filesystem *fs)
{
	return fs->words ? fs->words->count : 0;
}

/* Appends a word to DATA; what does not fit makes *USED the size, and stays so. */
static void append_word(char data[static FILESYSTEM_DATA_MAX], size_t *used, const char *word)
{
	size_t length = strlen(word), comma = *used ? 1 : 0;

	if (length + comma >= FILESYSTEM_DATA_MAX - *used) {
		*used = FILESYSTEM_DATA_MAX;
		return;
	}
	memcpy(data + *used, ",", comma);
	memcpy(data + *used + comma, word, length + 1);
	*used += length + comma;
}

/* The kernel would cut what is longer than a page without a word (mount(2)). */
static int join_words(
	const struct filesystem *fs, char ret_data[static FILESYSTEM_DATA_MAX], struct error *err)
{
	size_t used = 0;

	ret_data[0] = '\0';
	for (size_t i = 0; i < n_words(fs); i++)
		append_word(ret_data, &used, fs->words->items[i]);
	if (fs->extra)
		append_word(ret_data, &used, fs->extra);
	if (fs->label) {
		char word[FILESYSTEM_DATA_MAX];

		/* In quotes, for a label has commas in it. */
		snprintf(word, sizeof(word), "context=\"%s\"", fs->label);
		append_word(ret_data, &used, word);
	}
	if (used >= FILESYSTEM_DATA_MAX)
		return error_set(err, ERROR_SPEC,
			"the options of a '%s' mount are longer than the %d bytes that mount(2) takes",
			fs->type, FILESYSTEM_DATA_MAX - 1);
	return 0;
}

static int configure_word(int context, const char *word)
{
	const char *equals = strchr(word, '=');
	char key[MESSAGE_MAX];

	if (!equals)
		return fsconfig(context, FSCONFIG_SET_FLAG, word, NULL, 0);
	if ((size_t)snprintf(key, sizeof(key), "%.*s", (int)(equals - word), word) >= sizeof(key)) {
		errno = EINVAL;
		return -1;
	}
	return fsconfig(context, FSCONFIG_SET_STRING, key, equals + 1, 0);
}

/* Everything up to the superblock. RET_WORD is what the kernel did not take, if a word. */
static int configure(int context, const struct filesystem *fs, const char **ret_word)
{
	uint64_t flags = fs->sb_flags | (fs->here.set & MOUNT_ATTR_RDONLY ? MS_RDONLY : 0);

	*ret_word = NULL;
	if (fs->source && fsconfig(context, FSCONFIG_SET_STRING, "source", fs->source, 0) < 0)
		return -1;
	for (size_t i = 0; i < array_size(words_of_flags); i++) {
		*ret_word = words_of_flags[i].word;
		if ((flags & words_of_flags[i].flag) && configure_word(context, *ret_word) < 0)
			return -1;
	}
	for (size_t i = 0; i < n_words(fs); i++) {
		*ret_word = fs->words->items[i];
		if (configure_word(context, *ret_word) < 0)
			return -1;
	}
	*ret_word = fs->extra;
	if (fs->extra && configure_word(context, fs->extra) < 0)
		return -1;
	*ret_word = NULL;
	if (fs->label && fsconfig(context, FSCONFIG_SET_STRING, "context", fs->label, 0) < 0)
		return -1;
	return fsconfig(context, FSCONFIG_CMD_CREATE, NULL, NULL, 0);
}

/* The first error in the log of CONTEXT: "e tmpfs: Unknown parameter 'foo'" (fsopen(2)). */
static bool read_message(int context, char ret_message[static MESSAGE_MAX])
{
	ssize_t n;

	while ((n = read(context, ret_message, MESSAGE_MAX - 1)) > 0) {
		ret_message[n] = '\0';
		if (ret_message[0] == 'e' && n > 2) {
			memmove(ret_message, ret_message + 2, (size_t)n - 1);
			ret_message[strcspn(ret_message, "\n")] = '\0';
			return true;
		}
	}
	return false;
}

/* Whether PATH can't be had for the reason errno, which stays. */
static bool is_missing(const char *path)
{
	int sys_errno = errno;
	cleanup_fd int fd = open(path, O_PATH | O_CLOEXEC);
	bool result = fd < 0 && errno == sys_errno;

	errno = sys_errno;
	return result;
}

/*
 * Whether one of the paths of WORD is missing, "lowerdir=/a:/b" of overlayfs, which
 * is then RET_PATH. What has escapes in it is not looked at.
 */
static bool has_missing_path(const char *word, char ret_path[static PATH_MAX])
{
	static const char *const keys[] = { "lowerdir=", "upperdir=", "workdir=" };
	const char *paths = NULL;

	for (size_t i = 0; i < array_size(keys); i++)
		if (!strncmp(word, keys[i], strlen(keys[i])))
			paths = word + strlen(keys[i]);
	if (!paths || strchr(paths, '\\'))
		return false;
	for (const char *at = paths; *at; at += strspn(at, ":")) {
		int length = (int)strcspn(at, ":");

		if (snprintf(ret_path, PATH_MAX, "%.*s", length, at) < PATH_MAX &&
			is_missing(ret_path))
			return true;
		at += length;
	}
	return false;
}

/* For errno, if it is about a path, and that is found out. Else returns 0. */
static int fail_for_path(const struct filesystem *fs, struct error *err)
{
	char path[PATH_MAX];

	if (has_no_paths(fs->type) || (errno != ENOENT && errno != ENOTDIR))
		return 0;
	for (size_t i = 0; i < n_words(fs); i++) {
		if (!has_missing_path(fs->words->items[i], path))
			continue;
		if (fs->ret_refused)
			*fs->ret_refused = fs->words->items[i];
		return error_set_errno(err, "file system '%s': '%s'", fs->type, path);
	}
	return 0;
}

/* For errno, when no more is known. */
static int fail_plainly(const struct filesystem *fs, struct error *err)
{
	if (fs->source && fs->source[0] == '/' && !has_no_paths(fs->type))
		return error_set_errno(err, "file system '%s' of '%s'", fs->type, fs->source);
	return error_set_errno(err, "file system '%s'", fs->type);
}

static int fail_without(const char *call, const struct filesystem *fs, struct error *err)
{
	return error_set(err, ERROR_UNSUPPORTED,
		"these options of a '%s' mount need %s(2), which is not available", fs->type, call);
}

/* For CONTEXT, in which CALL, about WORD if that is not NULL, failed with errno. */
static int fail_in_context(int context, const struct filesystem *fs, const char *call,
	const char *word, struct error *err)
{
	char message[MESSAGE_MAX];
	int sys_errno = errno;

	if (sys_errno == ENOSYS)
		return fail_without(call, fs, err);
	if (word && fs->ret_refused)
		*fs->ret_refused = word;
	if (fail_for_path(fs, err) < 0)
		return -1;
	if (word && mount_options_is_list(word))
		error_hint(err, "each word has to be an entry of its own");
	if (read_message(context, message)) {
		errno = sys_errno;
		return error_set_errno(err, "file system '%s': %s", fs->type, message);
	}
	errno = sys_errno;
	/* What the kernel does not permit, or a sandbox: that shows only in the call's name. */
	if (sys_errno == EPERM)
		return error_set_errno(err, "file system '%s': %s(2)", fs->type, call);
	if (word)
		return error_set_errno(err, "file system '%s': option '%s'", fs->type, word);
	return fail_plainly(fs, err);
}

/* Why mount(2) said ERRNO: tries again where the kernel says more. */
static int explain(const struct filesystem *fs, struct error *err)
{
	int sys_errno = errno;
	cleanup_fd int context = -1;
	const char *word;

	if (sys_errno == ENODEV)
		return error_set_errno(
			err, "file system '%s', which this kernel may not know", fs->type);
	if (fail_for_path(fs, err) < 0)
		return -1;
	context = sys_errno == EINVAL ? fsopen(fs->type, FSOPEN_CLOEXEC) : -1;
	if (context >= 0 && configure(context, fs, &word) < 0 && !mounts_is_call_missing(errno))
		return fail_in_context(context, fs, "fsconfig", word, err);
	errno = sys_errno;
	return fail_plainly(fs, err);
}

int filesystem_mount(const struct filesystem *fs, int target_fd, struct error *err)
{
	unsigned long flags = mounts_flags_of_attributes(fs->here.set) | fs->sb_flags;
	char data[FILESYSTEM_DATA_MAX], path[MOUNTS_FD_PATH_MAX] = ".";

	if (join_words(fs, data, err) < 0)
		return -1;
	if (has_no_paths(fs->type)) {
		if (fchdir(target_fd) < 0)
			return error_set_errno(err, "change directory to the mount point");
	} else {
		if (fs->directory && chdir(fs->directory) < 0)
			return error_set_call(err, "chdir", fs->directory);
		mounts_path_of_fd(target_fd, path);
	}
	if (mount(fs->source ?: fs->type, path, fs->type, flags, data) < 0)
		return explain(fs, err);
	return 0;
}

int filesystem_open(const struct filesystem *fs, struct error *err)
{
	cleanup_fd int context = -1;
	const char *word;
	int fd;

	if (!has_no_paths(fs->type) && fs->directory && chdir(fs->directory) < 0)
		return error_set_call(err, "chdir", fs->directory);
	context = fsopen(fs->type, FSOPEN_CLOEXEC);
	if (context < 0 && mounts_is_call_missing(errno))
		return fail_without("fsopen", fs, err);
	if (context < 0)
		return explain(fs, err);
	if (configure(context, fs, &word) < 0)
		return fail_in_context(context, fs, "fsconfig", word, err);
	fd = fsmount(context, FSMOUNT_CLOEXEC, (unsigned)fs->here.set);
	return fd < 0 ? fail_in_context(context, fs, "fsmount", NULL, err) : fd;
}

int filesystem_reconfigure(const struct filesystem *fs, int mount_fd, struct error *err)
{
	char data[FILESYSTEM_DATA_MAX];
	uint64_t attributes;

	if (join_words(fs, data, err) < 0)
		return -1;
	if (mounts_read_attributes(mount_fd, &attributes) < 0 || fchdir(mount_fd) < 0)
		return error_set_errno(err, "enter what is to be remounted");
	attributes = (attributes & ~fs->here.clear) | fs->here.set;
	if (mount(fs->source, ".", NULL,
		    MS_REMOUNT | mounts_flags_of_attributes(attributes) | fs->sb_flags, data) < 0)
		return error_set_errno(err, "remount");
	return 0;
}
