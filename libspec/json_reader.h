/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Reads a JSON object into a C struct, as told by a table.
 *
 * One table describes one object of the specification and is the only place
 * that names its members. The reader checks types, ranges, words and required
 * members, and knows at every moment the JSON pointer of the value it is
 * reading. Members that no table names are ignored (config.md,
 * "Extensibility"); null is the same as an absent member, as it is to Go's
 * encoding/json and so to engines.
 *
 * Strings are borrowed from the JSON tree; arrays come from the reader's
 * arena. Both live until the document that owns them is freed, so a field is
 * never freed on its own.
 */
#ifndef KOGG_LIBSPEC_JSON_READER_H
#define KOGG_LIBSPEC_JSON_READER_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/error.h"
#include "libspec/json_path.h"
#include "libspec/spec_types.h"

/* TEXT and SIZE are what NODEs were loaded from (json_load.h); the path is empty at first. */
struct json_reader {
	const char *text;
	size_t size;
	struct arena *arena;
	struct error *err;
	struct json_path path;
	bool is_silent; /* no warnings: the same text was read before */
};

enum json_kind {
	JSON_KIND_STRING,         /* const char * */
	JSON_KIND_CHECKED,        /* nothing: a string that is checked and read by finish() */
	JSON_KIND_BOOL,           /* bool */
	JSON_KIND_U32,            /* uint32_t */
	JSON_KIND_U64,            /* uint64_t */
	JSON_KIND_I64,            /* int64_t */
	JSON_KIND_OPTIONAL_BOOL,  /* struct spec_bool; is_set stays false when absent */
	JSON_KIND_OPTIONAL_U32,   /* struct spec_u32 */
	JSON_KIND_OPTIONAL_U64,   /* struct spec_u64 */
	JSON_KIND_OPTIONAL_I64,   /* struct spec_i64 */
	JSON_KIND_WORD,           /* unsigned, from the field's words */
	JSON_KIND_LONG_WORD,      /* unsigned long */
	JSON_KIND_CHAR_WORD,      /* char */
	JSON_KIND_OPTIONAL_WORD,  /* struct spec_i64 */
	JSON_KIND_FLAGS,          /* unsigned: an array of words, or-ed */
	JSON_KIND_FLAGS64,        /* uint64_t */
	JSON_KIND_STRINGS,        /* struct spec_strings; each one of the words if there are any */
	JSON_KIND_NO_STRINGS,     /* nothing: an array that has to be empty */
	JSON_KIND_U32S,           /* struct spec_u32s */
	JSON_KIND_MAP,            /* struct spec_map */
	JSON_KIND_OBJECT,         /* the struct itself */
	JSON_KIND_OBJECT_POINTER, /* a pointer to the struct, NULL when absent */
	JSON_KIND_OBJECTS,        /* a pointer to an array of structs, and their count */
	JSON_KIND_NAMED_OBJECTS,  /* the same from an object: each struct knows its member's name */
};

struct json_table;

struct json_field {
	const char *name;
	enum json_kind kind;
	bool is_required;
	bool is_empty_absent; /* STRING, WORD: "" is the same as no member, as Go writers mean it */
	size_t offset;
	size_t count_offset;           /* OBJECTS and NAMED_OBJECTS */
	int64_t min;                   /* of an integer */
	uint64_t max;                  /* of an integer */
	const struct spec_word *words; /* WORD and the like, FLAGS, STRINGS */
	const struct json_table *table;
	/* Whether the other members of OBJECT let this one count, which else is not looked at. */
	bool (*is_wanted)(const json_t *object);
	/* STRING, STRINGS: what is wrong with the value, or NULL. MAP: with a key. */
	const char *(*check)(const char *value);
};

struct json_table {
	const struct json_field *fields; /* ends with a NULL name */
	size_t size;                     /* of the C struct */
	size_t name_offset;              /* of the name (const char *), for NAMED_OBJECTS */
	/*
	 * Called when all fields are read: rules that span fields, and what is
	 * derived from them. OBJECT is the struct, NODE what it was read from.
	 * May be NULL.
	 */
	int (*finish)(struct json_reader *reader, json_t *node, void *object);
};

/* offsetof(), but does not compile unless the member has exactly this type. */
#define FIELD_OFFSET(S, member, type) \
	(offsetof(S, member) + 0 * sizeof(_Generic(((S *)0)->member, type : 0)))

/* One field. What follows the macro's own arguments are initialisers, such as .is_required. */
#define FIELD(key, field_kind, S, member, type, ...)                    \
	{                                                               \
		.name = key, .kind = JSON_KIND_##field_kind,            \
		.offset = FIELD_OFFSET(S, member, type), ##__VA_ARGS__, \
	}

#define FIELD_STRING(key, S, member, ...) FIELD(key, STRING, S, member, const char *, ##__VA_ARGS__)
#define FIELD_STRINGS(key, S, member, ...) \
	FIELD(key, STRINGS, S, member, struct spec_strings, ##__VA_ARGS__)
#define FIELD_BOOL(key, S, member, ...) FIELD(key, BOOL, S, member, bool, ##__VA_ARGS__)

#define FIELD_MAP(key, S, member, ...) FIELD(key, MAP, S, member, struct spec_map, ##__VA_ARGS__)

/* Integers from LOW to HIGH, both allowed. */
#define FIELD_U32(key, S, member, low, high, ...) \
	FIELD(key, U32, S, member, uint32_t, .min = low, .max = high, ##__VA_ARGS__)
#define FIELD_U64(key, S, member, low, high, ...) \
	FIELD(key, U64, S, member, uint64_t, .min = low, .max = high, ##__VA_ARGS__)
#define FIELD_I64(key, S, member, low, high, ...) \
	FIELD(key, I64, S, member, int64_t, .min = low, .max = high, ##__VA_ARGS__)
#define FIELD_U32S(key, S, member, low, high, ...) \
	FIELD(key, U32S, S, member, struct spec_u32s, .min = low, .max = high, ##__VA_ARGS__)
#define FIELD_OPTIONAL_U32(key, S, member, low, high, ...) \
	FIELD(key, OPTIONAL_U32, S, member, struct spec_u32, .min = low, .max = high, ##__VA_ARGS__)
#define FIELD_OPTIONAL_U64(key, S, member, low, high, ...) \
	FIELD(key, OPTIONAL_U64, S, member, struct spec_u64, .min = low, .max = high, ##__VA_ARGS__)
#define FIELD_OPTIONAL_I64(key, S, member, low, high, ...) \
	FIELD(key, OPTIONAL_I64, S, member, struct spec_i64, .min = low, .max = high, ##__VA_ARGS__)
#define FIELD_OPTIONAL_BOOL(key, S, member, ...) \
	FIELD(key, OPTIONAL_BOOL, S, member, struct spec_bool, ##__VA_ARGS__)

#define FIELD_WORD(key, S, member, list, ...) \
	FIELD(key, WORD, S, member, unsigned, .words = list, ##__VA_ARGS__)

/* An object in a struct of type E of its own. */
#define FIELD_OBJECT(key, S, member, E, object_table, ...) \
	FIELD(key, OBJECT, S, member, E, .table = object_table, ##__VA_ARGS__)
#define FIELD_OBJECT_POINTER(key, S, member, E, object_table, ...) \
	FIELD(key, OBJECT_POINTER, S, member, const E *, .table = object_table, ##__VA_ARGS__)

/* An object whose members are kept in the struct of the object around it. */
#define FIELD_SAME_OBJECT(key, object_table)                                 \
	{                                                                    \
		.name = key, .kind = JSON_KIND_OBJECT, .table = object_table \
	}

#define FIELD_OBJECTS(key, S, member, counter, E, object_table, ...)                          \
	FIELD(key, OBJECTS, S, member, E *, .count_offset = FIELD_OFFSET(S, counter, size_t), \
		.table = object_table, ##__VA_ARGS__)
#define FIELD_NAMED_OBJECTS(key, S, member, counter, E, object_table, ...)               \
	FIELD(key, NAMED_OBJECTS, S, member, E *,                                        \
		.count_offset = FIELD_OFFSET(S, counter, size_t), .table = object_table, \
		##__VA_ARGS__)

/* A string that goes nowhere but through CHECK; the object's finish() reads it. */
#define FIELD_CHECKED(key, function)                                      \
	{                                                                 \
		.name = key, .kind = JSON_KIND_CHECKED, .check = function \
	}

#define FIELD_END            \
	{                    \
		.name = NULL \
	}

/* Reads NODE into OUT, which is zeroed. */
int json_reader_table(struct json_reader *reader, json_t *node, const struct json_table *table,
	void *out) must_check;

/* Whether the object has the member, other than as null. */
bool json_reader_has(const json_t *object, const char *name);

/*
 * Each fails with ERROR_SPEC: at the value being read, at its member NAME, or
 * at element INDEX of its member NAME. Return -1.
 */
int json_reader_fail(struct json_reader *reader, const char *fmt, ...) printf_like(2, 3);
int json_reader_fail_at(struct json_reader *reader, const char *name, const char *fmt, ...)
	printf_like(3, 4);
int json_reader_fail_item(struct json_reader *reader, const char *name, size_t index,
	const char *fmt, ...) printf_like(4, 5);

/* Log a warning about a member, or an element of one, as "POINTER: text". */
void json_reader_warn_at(struct json_reader *reader, const char *name, const char *fmt, ...)
	printf_like(3, 4);
void json_reader_warn_item(struct json_reader *reader, const char *name, size_t index,
	const char *fmt, ...) printf_like(4, 5);

/* Fails because there is no memory left. Returns -1. */
int json_reader_no_memory(struct json_reader *reader);

#endif
