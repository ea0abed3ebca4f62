/* SPDX-License-Identifier: Apache-2.0 */
#include "libcontainer/kernel/exec_explain.h"

#include <errno.h>
#include <stdio.h>

#include "base/attributes.h"

/* What is said when the file is an image's; the rest is the same anywhere. */
static const struct {
	const char *because;
	const char *hint;
} words[] = {
	/* To engines these mean that the program can't be executed. */
	[EXEC_OBSTACLE_DIRECTORY] = { "it is a directory", NULL },
	[EXEC_OBSTACLE_NO_EXEC_BIT] = { NULL, "make it executable in the image, with chmod +x" },
	[EXEC_OBSTACLE_INTERPRETER_MISSING] = { NULL,
		"the image must hold the interpreter that the script's first line names" },
	[EXEC_OBSTACLE_LOADER_MISSING] = { NULL,
		"it was linked for another C library or architecture than the image's" },
	[EXEC_OBSTACLE_OTHER_MACHINE] = { NULL,
		"use an image for this machine, or register an emulator with binfmt_misc" },
};

static void find_words(enum exec_obstacle obstacle, struct exec_cause *cause)
{
	if (obstacle >= array_size(words))
		return;
	if (words[obstacle].because)
		snprintf(cause->text, sizeof(cause->text), "%s", words[obstacle].because);
	if (words[obstacle].hint)
		snprintf(cause->hint, sizeof(cause->hint), "%s", words[obstacle].hint);
}

int exec_explain(
	const char *path, int sys_errno, const struct exec_findings *findings, struct error *err)
{
	struct exec_findings found;
	struct exec_cause cause;

	if (!findings) {
		exec_examine(path, &found);
		findings = &found;
	}
	/* As execve(2) says; docker before 26 takes no other words for its exit status 126. */
	if (sys_errno == EISDIR)
		sys_errno = EACCES;
	/* Its own words are about mounts to those who read them. */
	if (sys_errno == ENOTDIR)
		return error_set_command(
			err, ENOENT, "exec: \"%s\": a part of the path is a file", path);
	if (!exec_find_cause(sys_errno, findings, &cause))
		return error_set_command(err, sys_errno, "exec: \"%s\"", path);
	find_words(findings->obstacle, &cause);
	error_set_command(
		err, sys_errno, "exec: \"%s\"%s%s", path, cause.text[0] ? ": " : "", cause.text);
	return cause.hint[0] ? error_hint(err, "%s", cause.hint) : -1;
}
