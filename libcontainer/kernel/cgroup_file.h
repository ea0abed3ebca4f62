/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The control files of one group (Documentation/admin-guide/cgroup-v2.rst,
 * "Interface Files"; cgroup-v1/cgroups.rst).
 *
 * Knows the form that the files have in common, not what any of them means.
 */
#ifndef KOGG_LIBCONTAINER_KERNEL_CGROUP_FILE_H
#define KOGG_LIBCONTAINER_KERNEL_CGROUP_FILE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"

/* Room for the value of a small file: a number, a list of CPUs, cgroup.events. */
#define CGROUP_VALUE_MAX 4096

/* Writes VALUE to FILE of the group DIR_FD with one write(2). The error names both. */
int cgroup_file_write(int dir_fd, const char *file, const char *value, struct error *err)
	must_check;

/* The same for an open file. */
int cgroup_file_write_fd(int fd, const char *file, const char *value, struct error *err) must_check;

/* Reads all of FILE, without the newline at its end, into RET_VALUE. */
int cgroup_file_read(int dir_fd, const char *file, char ret_value[static CGROUP_VALUE_MAX],
	struct error *err) must_check;

/* The same for an open file, from its start. */
int cgroup_file_read_fd(int fd, const char *file, char ret_value[static CGROUP_VALUE_MAX],
	struct error *err) must_check;

/* Whether a group has FILE. */
bool cgroup_file_exists(int dir_fd, const char *file);

/*
 * The number behind "KEY " at the start of a line of VALUE, as in
 * "populated 1\nfrozen 0". False when there is no such line.
 */
bool cgroup_file_find(const char *value, const char *key, uint64_t *ret_number);

/* Whether the words of LIST, between blanks, have WORD. */
bool cgroup_file_has_word(const char *list, const char *word);

#endif
