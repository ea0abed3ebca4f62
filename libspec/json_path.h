/* SPDX-License-Identifier: Apache-2.0 */
/* The way from the root of a JSON document to a value, as a JSON pointer (RFC 6901). */
#ifndef KOGG_LIBSPEC_JSON_PATH_H
#define KOGG_LIBSPEC_JSON_PATH_H

#include <stdbool.h>
#include <stddef.h>

#include "base/attributes.h"
#include "base/error.h"

/*
 * How many arrays and objects may stand in each other: config.json nests 9
 * deep; members that nobody knows may nest deeper, but not for ever.
 */
#define JSON_DEPTH_MAX 64

struct json_step {
	const char *name; /* NULL for an array element */
	size_t index;
};

struct json_path {
	unsigned depth;
	struct json_step steps[JSON_DEPTH_MAX];
};

/* One step down. Returns -1 when that is deeper than JSON_DEPTH_MAX. */
int json_path_push(struct json_path *path, const char *name, size_t index) must_check;
void json_path_pop(struct json_path *path);

/*
 * Writes the pointer, "" for the root, to BUFFER, cut where it ends. '~' and
 * '/' in names become "~0" and "~1"; control characters, which have no place
 * in a message, become '?'.
 */
void json_path_format(const struct json_path *path, char *buffer, size_t size);

/* Writes the pointer of member NAME, escaped, of the object at pointer OBJECT, cut as above. */
void json_path_join(const char *object, const char *name, char *buffer, size_t size);

/*
 * Takes POINTER (RFC 6901) apart, in its own memory, which the path borrows.
 * All steps have names, also those to array elements: only the document tells
 * which those are. What is deeper than JSON_DEPTH_MAX is left out.
 */
void json_path_parse(char *pointer, struct json_path *ret_path);

/* Whether PATH is TARGET or on the way to it. An index and the name "INDEX" are the same. */
bool json_path_leads_to(const struct json_path *path, const struct json_path *target);

/*
 * Fills in the error's pointer (error_point()) with that of member NAME of the
 * object at pointer OBJECT, NAME escaped. Returns -1.
 */
int json_path_point(struct error *err, const char *object, const char *name);

#endif
