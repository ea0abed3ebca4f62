/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The small types that the parts of a spec are made of.
 *
 * Memory: strings and arrays belong to the document that was read and live
 * until it is freed; nothing in a spec struct is freed on its own.
 */
#ifndef KOGG_LIBSPEC_SPEC_TYPES_H
#define KOGG_LIBSPEC_SPEC_TYPES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* The last user or group ID: 2^32-1 is "leave it as it is" to setresuid(2) and chown(2). */
#define SPEC_ID_MAX (UINT32_MAX - 1)

/* A value that may be absent, where absent is not the same as 0. */
struct spec_bool {
	bool is_set;
	bool value;
};

struct spec_u64 {
	bool is_set;
	uint64_t value;
};

struct spec_i64 {
	bool is_set;
	int64_t value;
};

struct spec_u32 {
	bool is_set;
	uint32_t value;
};

/*
 * An array of strings; items[count] is NULL, so that it can be an argv. items
 * is NULL when the member is absent, and not when it is [].
 */
struct spec_strings {
	const char **items;
	size_t count;
};

struct spec_u32s {
	uint32_t *items;
	size_t count;
};

/* An object whose members are all strings, in the order of the document. */
struct spec_pair {
	const char *key;
	const char *value;
};

struct spec_map {
	struct spec_pair *items;
	size_t count;
};

/* A word of the spec and the value it stands for. Lists end with a NULL word. */
struct spec_word {
	const char *word;
	unsigned value;
};

/* One range of an ID mapping (user_namespaces(7)). */
struct spec_id_mapping {
	uint32_t container_id;
	uint32_t host_id;
	uint32_t size;
};

struct spec_id_mappings {
	struct spec_id_mapping *items;
	size_t count;
};

/* Finds the word for VALUE, or NULL. */
const char *spec_word_of(const struct spec_word *words, unsigned value);

#endif
