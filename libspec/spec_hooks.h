/* SPDX-License-Identifier: Apache-2.0 */
/* config.json: hooks (config.md, "POSIX-platform Hooks") */
#ifndef KOGG_LIBSPEC_SPEC_HOOKS_H
#define KOGG_LIBSPEC_SPEC_HOOKS_H

#include "libspec/spec_types.h"

struct json_table;

enum spec_hook_kind {
	SPEC_HOOK_PRESTART,
	SPEC_HOOK_CREATE_RUNTIME,
	SPEC_HOOK_CREATE_CONTAINER,
	SPEC_HOOK_START_CONTAINER,
	SPEC_HOOK_POSTSTART,
	SPEC_HOOK_POSTSTOP,
};

#define SPEC_HOOK_KINDS 6

struct spec_hook {
	const char *path;         /* absolute */
	struct spec_strings args; /* items is NULL when absent: then argv is [path] */
	struct spec_strings env;  /* items is NULL when absent */
	struct spec_i64 timeout;  /* seconds, above 0 */
};

struct spec_hook_list {
	struct spec_hook *items;
	size_t count;
};

struct spec_hooks {
	struct spec_hook_list lists[SPEC_HOOK_KINDS];
};

/* The members' names, "prestart" and so on, by enum spec_hook_kind. */
extern const struct spec_word spec_hook_words[];

/* How json_reader reads it. */
extern const struct json_table spec_hooks_table;

#endif
