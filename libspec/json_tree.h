/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A JSON document as a tree that knows where in the text each value stands.
 *
 * Nothing is lost on the way: 64-bit integers are exact, members keep their
 * order, a member that is there twice is an error. Nodes and strings live in
 * the arena.
 */
#ifndef KOGG_LIBSPEC_JSON_TREE_H
#define KOGG_LIBSPEC_JSON_TREE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/attributes.h"
#include "base/error.h"
#include "libspec/json_path.h"

/* Engines write some 10 KiB; arguments and environment may add 6 MiB (execve(2)). */
#define JSON_SIZE_MAX (16U << 20)

enum json_node_type {
	JSON_NODE_NULL,
	JSON_NODE_BOOLEAN,
	JSON_NODE_INTEGER,
	JSON_NODE_HUGE, /* an integer beyond 64 bits */
	JSON_NODE_REAL,
	JSON_NODE_STRING,
	JSON_NODE_ARRAY,
	JSON_NODE_OBJECT,
};

struct json_node {
	enum json_node_type type;
	uint32_t offset;  /* in the text */
	const char *name; /* of the member; NULL in an array */
	struct json_node *next;
	union {
		bool is_true;
		const char *string;
		struct {
			uint64_t magnitude;
			bool is_negative;
		} integer;
		struct {
			struct json_node *first;
			size_t count;
		} children; /* ARRAY and OBJECT */
	};
};

/*
 * Reads the whole TEXT, which has a NUL behind SIZE bytes, as one value. Fails
 * with ERROR_SPEC, line and column; for duplicate members with a pointer, too.
 */
int json_tree_parse(const char *text, size_t size, struct arena *arena,
	const struct json_node **ret_root, struct error *err) must_check;

/* The member of that name, or NULL. */
const struct json_node *json_tree_member(const struct json_node *object, const char *name);

/*
 * The node at POINTER (RFC 6901), or where that is missing the deepest one on
 * the way to it, since that is where it would belong.
 */
const struct json_node *json_tree_nearest(const struct json_node *root, const char *pointer);

#endif
