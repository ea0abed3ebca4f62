/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Why a file can't be executed (execve(2), elf(5)).
 *
 * The kernel has one word for a missing program, a missing interpreter and a
 * missing loader, and one for a wrong machine and a script without "#!". This
 * looks at the file and tells them apart.
 *
 * All paths are those of the caller's own root. The files are hostile: they are
 * read within bounds only.
 */
#ifndef KOGG_BASE_EXEC_EXAMINE_H
#define KOGG_BASE_EXEC_EXAMINE_H

#include <stdbool.h>

#include "base/error.h"

enum exec_obstacle {
	EXEC_OBSTACLE_NONE, /* the file looks fine, or could not be looked at */
	EXEC_OBSTACLE_MISSING,
	EXEC_OBSTACLE_DANGLING, /* a symbolic link: .name is what it holds */
	EXEC_OBSTACLE_DIRECTORY,
	EXEC_OBSTACLE_NOT_REGULAR,
	EXEC_OBSTACLE_NO_EXEC_BIT,
	EXEC_OBSTACLE_NOEXEC_MOUNT,
	EXEC_OBSTACLE_DENIED,           /* by the file's mode and owner: .name, with the user's */
	EXEC_OBSTACLE_DIRECTORY_DENIED, /* the same of a directory on the way */
	EXEC_OBSTACLE_EMPTY,
	EXEC_OBSTACLE_TEXT,                /* looks like a script, but has no "#!" */
	EXEC_OBSTACLE_CARRIAGE_RETURN,     /* the "#!" line ends with one; .name: before it */
	EXEC_OBSTACLE_INTERPRETER_EMPTY,   /* nothing stands behind "#!" */
	EXEC_OBSTACLE_INTERPRETER_MISSING, /* of a script: .name */
	EXEC_OBSTACLE_INTERPRETER_DENIED,  /* there, but not executable: .name */
	EXEC_OBSTACLE_LOADER_MISSING,      /* of an ELF file: .name */
	EXEC_OBSTACLE_LOADER_DENIED,
	EXEC_OBSTACLE_OTHER_MACHINE, /* an ELF file built for .name */
	EXEC_OBSTACLE_NOT_A_PROGRAM, /* an ELF file that is an object or a core dump, or broken */
	EXEC_OBSTACLE_UNKNOWN_FORMAT,
};

struct exec_findings {
	enum exec_obstacle obstacle;
	char name[256]; /* printable */
};

/*
 * Whether PATH may be executed by the effective IDs and capabilities: 0, or -1
 * and errno. Where a sandbox denies faccessat2(2), by the real IDs and what is
 * permitted; the exec itself then says what this has missed.
 */
int exec_check_access(const char *path);

/*
 * Looks at PATH for what could stand in the way of executing it. A guess, good
 * for a message only: binfmt_misc may run what looks foreign. To be called
 * before a seccomp filter is loaded that could forbid the looking.
 */
void exec_examine(const char *path, struct exec_findings *ret_findings);

/*
 * Gives ERR, which is set, a hint when the caller may not search a directory on
 * the way to PATH, and so can't even know whether it exists.
 */
void exec_hint_directory(const char *path, struct error *err);

/* What is said of an execve(2) that failed; either may be empty. */
struct exec_cause {
	char text[356];
	char hint[356];
};

/*
 * Whether FINDINGS can be why an execve(2) failed with SYS_ERRNO. A file without fault
 * that exec refuses for another reason must not be given a made-up one.
 */
bool exec_find_cause(
	int sys_errno, const struct exec_findings *findings, struct exec_cause *ret_cause);

#endif
