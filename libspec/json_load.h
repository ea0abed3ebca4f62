/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A JSON text as jansson's tree.
 *
 * What jansson takes for granted is checked before (size, depth, NUL bytes),
 * and what it refuses is explained by a walk over the text, with line and
 * column (json_walk.h).
 *
 * Numbers: an integer of 63 bits and a sign is a JSON_INTEGER. Every other
 * number is a JSON_REAL whose value means nothing, since jansson has no
 * integers such as RLIM_INFINITY, 18446744073709551615, and no member of the
 * specification is a fraction; json_walk_find() tells how it is written.
 *
 * Memory: the tree lies in an arena, to which room for all of it is added
 * before jansson begins. jansson 2.14 takes no notice when the buffer of its
 * lexer cannot grow: it drops bytes of a string, or fails an assertion.
 */
#ifndef KOGG_LIBSPEC_JSON_LOAD_H
#define KOGG_LIBSPEC_JSON_LOAD_H

#include <jansson.h>

#include "base/arena.h"
#include "base/attributes.h"
#include "base/error.h"

/* Engines write some 10 KiB; arguments and environment may add 6 MiB (execve(2)). */
#define JSON_SIZE_MAX (16U << 20)

/*
 * Gives the tree of the whole TEXT, which has a NUL behind SIZE bytes. The
 * tree is only read, and lives as long as the arena: no json_decref(). Fails
 * with ERROR_SPEC, line and column; for a member that is there twice with its
 * pointer, too.
 *
 * Not for threads: jansson has one pair of allocation functions, which is set
 * for the time of the call.
 */
int json_load_text(const char *text, size_t size, struct arena *arena, json_t **ret_root,
	struct error *err) must_check;

/* An object that is a member of a member of the root, by the two names. */
struct json_aside {
	const char *outer, *inner;
	size_t offset, length; /* of its text with the blanks around it; 0 when it is in the tree */
};

/*
 * The same, but leaves an object out of the tree, where an empty one stands
 * for it: most of a config is its seccomp profile, and that is mostly known.
 * What is left out was not read at all and may be no JSON, which only loading
 * the whole text tells.
 *
 * It is in the tree after all when it is not there once and in plain letters,
 * when it is no object, or when the text without it is not to be loaded.
 */
int json_load_without(const char *text, size_t size, struct json_aside *aside, struct arena *arena,
	json_t **ret_root, struct error *err) must_check;

/*
 * For objects that stand one behind the other: how long the first of them is in
 * TEXT, which ends with a NUL. Something else than an object has a length, too,
 * so that whoever loads so much is told what is wrong with it.
 */
size_t json_load_measure(const char *text);

#endif
