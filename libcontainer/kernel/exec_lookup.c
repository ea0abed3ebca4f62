/* SPDX-License-Identifier: Apache-2.0 */
#include "libcontainer/kernel/exec_lookup.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* Where PATH is not set, as in execvp(3) but without the current directory. */
#define DEFAULT_PATH "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"

#define NOT_FOUND "exec: \"%s\": executable file not found in $PATH"

/* The last one counts, as it does for most programs that read their environment. */
static const char *search_path(const struct spec_strings *env)
{
	const char *path = DEFAULT_PATH;

	for (size_t i = 0; i < env->count; i++)
		if (strncmp(env->items[i], "PATH=", 5) == 0)
			path = env->items[i] + 5;
	return path;
}

/* 0, or why PATH can't be executed: ENOENT, EACCES, EISDIR, ... */
static int check_file(const char *path)
{
	struct stat st;

	if (exec_check_access(path) < 0)
		return errno;
	/* Directories pass that test too. */
	if (stat(path, &st) < 0)
		return errno;
	if (S_ISDIR(st.st_mode))
		return EISDIR;
	return S_ISREG(st.st_mode) ? 0 : EACCES;
}

static void set_entry(
	struct text *candidate, const char *directory, size_t length, const char *name)
{
	candidate->length = 0;
	text_append_bytes(candidate, directory, length);
	/* An empty entry means the current directory (environ(7)). */
	text_append(candidate, length ? "/" : "./");
	text_append(candidate, name);
}

/*
 * Like execvp(3), goes on after EACCES, and says so when nothing better comes.
 * Returns the errno, with the path that it is about in CANDIDATE, the first that is
 * DENIED, and the first that lies BEHIND a directory which may not be searched.
 */
static int search(const char *name, const char *path, struct text *candidate, struct text *denied,
	struct text *behind)
{
	int result = ENOENT;

	for (;;) {
		size_t length = strcspn(path, ":");
		int why;

		set_entry(candidate, path, length, name);
		if (candidate->has_failed)
			return ENOMEM;
		why = check_file(candidate->data);
		if (why == 0)
			return 0;
		if (why == EACCES && access(candidate->data, F_OK) < 0) {
			if (!behind->length)
				text_append(behind, candidate->data);
		} else if (why == EACCES && result == ENOENT) {
			result = EACCES;
			text_append(denied, candidate->data);
		}
		if (!path[length])
			return result;
		path += length + 1;
	}
}

static int look_up_name(
	const char *name, const struct spec_strings *env, struct text *ret_path, struct error *err)
{
	cleanup_text struct text candidate = { 0 };
	cleanup_text struct text denied = { 0 };
	cleanup_text struct text behind = { 0 };
	int result = search(name, search_path(env), &candidate, &denied, &behind);

	if (text_check(&candidate, err) < 0 || text_check(&denied, err) < 0 ||
		text_check(&behind, err) < 0)
		return -1;
	if (result == EACCES)
		return exec_explain(denied.data, EACCES, NULL, err);
	if (result) {
		error_set_command(err, 0, NOT_FOUND, name);
		if (behind.length)
			exec_hint_directory(behind.data, err);
		return -1;
	}
	text_append(ret_path, candidate.data);
	return text_check(ret_path, err);
}

int exec_lookup(const struct spec_process *process, struct text *ret_path, struct error *err)
{
	const char *name = process->args.items[0];
	int why;

	if (!name[0])
		error_set_command(err, 0, NOT_FOUND, name);
	else if (!strchr(name, '/'))
		look_up_name(name, &process->env, ret_path, err);
	else if ((why = check_file(name)))
		exec_explain(name, why, NULL, err);
	else
		text_append(ret_path, name);
	if (err->kind != ERROR_NONE)
		return error_point(err, "%s/args/0", process->pointer);
	return text_check(ret_path, err);
}
