/* SPDX-License-Identifier: Apache-2.0 */
/* Whole files: bounded reads, single writes to the kernel, atomic replacement. */
#ifndef KOGG_BASE_FILE_H
#define KOGG_BASE_FILE_H

#include <stddef.h>
#include <sys/types.h>

#include "base/error.h"
#include "base/text.h"

/*
 * Appends the whole file PATH below DIR_FD (or AT_FDCWD) to RET_TEXT. A file
 * larger than MAX bytes is an error, never cut; so is a FIFO, not though a pipe
 * without a name, as /dev/stdin may be.
 */
int file_read_at(int dir_fd, const char *path, size_t max, struct text *ret_text, struct error *err)
	must_check;

/* The same for an open file, named PATH in errors. */
int file_read_fd(int fd, const char *path, size_t max, struct text *ret_text, struct error *err)
	must_check;

/*
 * Writes VALUE to an existing file of a kernel file system with one write(2),
 * since each write is a command there.
 */
int file_write_at(int dir_fd, const char *path, const char *value, struct error *err) must_check;

/* Makes the new file NAME below DIR_FD with DATA in it; MODE less the umask. */
int file_create_at(int dir_fd, const char *name, const void *data, size_t size, mode_t mode,
	struct error *err) must_check;

/*
 * Adds DATA to the end of the existing file NAME below DIR_FD with one write(2): readers see
 * all of it or nothing.
 */
int file_append_at(int dir_fd, const char *name, const void *data, size_t size, struct error *err)
	must_check;

/*
 * Makes NAME below DIR_FD hold DATA, all of it or not at all: readers see the
 * old file or the new one (rename(2)). NAME is one component.
 */
int file_replace_at(int dir_fd, const char *name, const void *data, size_t size, mode_t mode,
	struct error *err) must_check;

#endif
