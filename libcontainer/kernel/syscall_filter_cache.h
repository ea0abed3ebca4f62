/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Compiled filters on disk: making one takes as long as half a container's
 * start, and engines write few different profiles.
 *
 * A filter is found by its key, which is all that it depends on: the text of
 * the whole profile, libseccomp's version, our own and our layout's, and the
 * kernel's. The file holds the key itself, not a digest of it, so no two can be
 * taken for each other. There is a fixed number of files, chosen by a digest; a
 * new filter takes the place of what was there.
 *
 * The profile's text and not its meaning: a text that was a profile once is one
 * for ever, so nobody has to read it again. Knows nothing of agents.
 */
#ifndef KOGG_LIBCONTAINER_KERNEL_SYSCALL_FILTER_CACHE_H
#define KOGG_LIBCONTAINER_KERNEL_SYSCALL_FILTER_CACHE_H

#include <linux/filter.h>
#include <stdbool.h>
#include <stddef.h>

#include "base/error.h"
#include "base/text.h"

/* Appends to RET_KEY the key of PROFILE, which is SIZE bytes of text. */
int syscall_filter_cache_key(
	const char *profile, size_t size, struct text *ret_key, struct error *err) must_check;

/*
 * Finds the program of KEY in the directory DIR_FD. False when it is not there,
 * or what is there is damaged or not the caller's own. RET_CODE is the caller's
 * to free.
 */
bool syscall_filter_cache_find(int dir_fd, const struct text *key, struct sock_filter **ret_code,
	size_t *ret_length, unsigned *ret_flags);

/* Keeps the program of KEY and its FLAGS to load. That it can't is nobody's trouble. */
void syscall_filter_cache_keep(int dir_fd, const struct text *key, const struct sock_filter *code,
	size_t length, unsigned flags);

#endif
