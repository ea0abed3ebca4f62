/* SPDX-License-Identifier: Apache-2.0 */
#include "libspec/json_reader.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/log.h"
#include "libspec/json_walk.h"
#include "libspec/near_word.h"

/* A list of words that is longer is not printed in an error. */
#define LISTED_WORDS_MAX 8

/* The path cannot overflow: tables nest less deep than the text may, and that is checked. */
static void enter(struct json_reader *reader, const char *name, size_t index)
{
	if (json_path_push(&reader->path, name, index) < 0)
		__builtin_trap();
}

static void leave(struct json_reader *reader)
{
	json_path_pop(&reader->path);
}

printf_like(2, 0) static int fail(struct json_reader *reader, const char *fmt, va_list args)
{
	struct error *err = reader->err;
	char text[512];

	vsnprintf(text, sizeof(text), fmt, args);
	if (err->kind == ERROR_NONE)
		json_path_format(&reader->path, err->pointer, sizeof(err->pointer));
	return error_set(err, ERROR_SPEC, "%s", text);
}

int json_reader_fail(struct json_reader *reader, const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	fail(reader, fmt, args);
	va_end(args);
	return -1;
}

int json_reader_fail_at(struct json_reader *reader, const char *name, const char *fmt, ...)
{
	va_list args;

	enter(reader, name, 0);
	va_start(args, fmt);
	fail(reader, fmt, args);
	va_end(args);
	leave(reader);
	return -1;
}

int json_reader_fail_item(
	struct json_reader *reader, const char *name, size_t index, const char *fmt, ...)
{
	va_list args;

	enter(reader, name, 0);
	enter(reader, NULL, index);
	va_start(args, fmt);
	fail(reader, fmt, args);
	va_end(args);
	leave(reader);
	leave(reader);
	return -1;
}

printf_like(2, 0) static void pass_warning(
	const struct json_reader *reader, const char *fmt, va_list args)
{
	char pointer[256], text[512];

	if (reader->is_silent)
		return;
	json_path_format(&reader->path, pointer, sizeof(pointer));
	vsnprintf(text, sizeof(text), fmt, args);
	log_warning("%s: %s", pointer, text);
}

void json_reader_warn_at(struct json_reader *reader, const char *name, const char *fmt, ...)
{
	va_list args;

	enter(reader, name, 0);
	va_start(args, fmt);
	pass_warning(reader, fmt, args);
	va_end(args);
	leave(reader);
}

void json_reader_warn_item(
	struct json_reader *reader, const char *name, size_t index, const char *fmt, ...)
{
	va_list args;

	enter(reader, name, 0);
	enter(reader, NULL, index);
	va_start(args, fmt);
	pass_warning(reader, fmt, args);
	va_end(args);
	leave(reader);
	leave(reader);
}

int json_reader_no_memory(struct json_reader *reader)
{
	return error_set(reader->err, ERROR_SYSTEM, "out of memory");
}

bool json_reader_has(const json_t *object, const char *name)
{
	const json_t *node = json_object_get(object, name);

	return node && !json_is_null(node);
}

/* How the number that is being read is written. Fails only for lack of memory. */
static int find_number(struct json_reader *reader, struct json_token *ret_token)
{
	return json_walk_find(reader->text, reader->size, &reader->path, ret_token, reader->err);
}

static int expected(struct json_reader *reader, const char *wanted, const json_t *found)
{
	static const char *const names[] = {
		[JSON_OBJECT] = "an object",
		[JSON_ARRAY] = "an array",
		[JSON_STRING] = "a string",
		[JSON_INTEGER] = "an integer",
		[JSON_REAL] = "a real number",
		[JSON_TRUE] = "a boolean",
		[JSON_FALSE] = "a boolean",
		[JSON_NULL] = "null",
	};
	const char *name = names[json_typeof(found)];
	struct json_token token;

	if (json_is_real(found)) {
		if (find_number(reader, &token) < 0)
			return -1;
		if (token.kind == JSON_TOKEN_INTEGER)
			name = names[JSON_INTEGER];
		else if (token.kind == JSON_TOKEN_HUGE)
			name = "an integer beyond 64 bits";
	}
	return json_reader_fail(reader, "expected %s, found %s", wanted, name);
}

static int read_string(
	struct json_reader *reader, json_t *node, const struct json_field *field, void *slot)
{
	const char *complaint;

	if (!json_is_string(node))
		return expected(reader, "a string", node);
	complaint = field->check ? field->check(json_string_value(node)) : NULL;
	if (complaint)
		return json_reader_fail(reader, "%s", complaint);
	*(const char **)slot = json_string_value(node);
	return 0;
}

static int read_checked(
	struct json_reader *reader, json_t *node, const struct json_field *field, void *slot)
{
	const char *unused;

	(void)slot;
	return read_string(reader, node, field, &unused);
}

static int read_bool(
	struct json_reader *reader, json_t *node, const struct json_field *field, void *slot)
{
	(void)field;
	if (!json_is_boolean(node))
		return expected(reader, "a boolean", node);
	*(bool *)slot = json_is_true(node);
	return 0;
}

static int out_of_range(
	struct json_reader *reader, const struct json_token *number, const struct json_field *field)
{
	const char *sign = number->is_negative ? "-" : "";

	if (number->is_negative && field->max >= INT64_MAX)
		return json_reader_fail(
			reader, "-%" PRIu64 " is below %" PRIi64, number->magnitude, field->min);
	if (field->min > 0 && field->max >= INT64_MAX)
		return json_reader_fail(
			reader, "%" PRIu64 " is below %" PRIi64, number->magnitude, field->min);
	return json_reader_fail(reader, "%s%" PRIu64 " is not in %" PRIi64 "..%" PRIu64, sign,
		number->magnitude, field->min, field->max);
}

/* An integer's sign and 64 bits, also those that jansson has no integer for (json_load.h). */
static int read_number(struct json_reader *reader, const json_t *node,
	const struct json_field *field, struct json_token *ret_number)
{
	json_int_t value = json_integer_value(node);

	*ret_number = (struct json_token){
		.kind = json_is_integer(node) ? JSON_TOKEN_INTEGER : JSON_TOKEN_UNKNOWN,
		.magnitude = value < 0 ? 0 - (uint64_t)value : (uint64_t)value,
		.is_negative = value < 0,
	};
	if (json_is_real(node) && find_number(reader, ret_number) < 0)
		return -1;
	if (ret_number->kind == JSON_TOKEN_INTEGER)
		return 0;
	return expected(reader, field->min < 0 ? "an integer" : "an unsigned integer", node);
}

/* The integer's 64 bits, signed when it is negative. */
static int read_integer(struct json_reader *reader, json_t *node, const struct json_field *field,
	uint64_t *ret_value)
{
	struct json_token number;
	bool is_inside;

	if (read_number(reader, node, field, &number) < 0)
		return -1;
	if (number.is_negative)
		is_inside = field->min < 0 && number.magnitude <= 0 - (uint64_t)field->min;
	else
		is_inside = number.magnitude <= field->max &&
			    (field->min <= 0 || number.magnitude >= (uint64_t)field->min);
	if (!is_inside)
		return out_of_range(reader, &number, field);
	*ret_value = number.is_negative ? 0 - number.magnitude : number.magnitude;
	return 0;
}

static int read_u32(
	struct json_reader *reader, json_t *node, const struct json_field *field, void *slot)
{
	uint64_t value = 0;

	if (read_integer(reader, node, field, &value) < 0)
		return -1;
	*(uint32_t *)slot = (uint32_t)value;
	return 0;
}

static int read_u64(
	struct json_reader *reader, json_t *node, const struct json_field *field, void *slot)
{
	return read_integer(reader, node, field, slot);
}

static int read_i64(
	struct json_reader *reader, json_t *node, const struct json_field *field, void *slot)
{
	uint64_t value = 0;

	if (read_integer(reader, node, field, &value) < 0)
		return -1;
	*(int64_t *)slot = (int64_t)value;
	return 0;
}

static int read_optional_u32(
	struct json_reader *reader, json_t *node, const struct json_field *field, void *slot)
{
	struct spec_u32 *out = slot;

	out->is_set = true;
	return read_u32(reader, node, field, &out->value);
}

static int read_optional_u64(
	struct json_reader *reader, json_t *node, const struct json_field *field, void *slot)
{
	struct spec_u64 *out = slot;

	out->is_set = true;
	return read_u64(reader, node, field, &out->value);
}

static int read_optional_i64(
	struct json_reader *reader, json_t *node, const struct json_field *field, void *slot)
{
	struct spec_i64 *out = slot;

	out->is_set = true;
	return read_i64(reader, node, field, &out->value);
}

/* ", expected one of 'c', 'u', 'b', 'p'", for a list that is short enough */
static void list_words(const struct spec_word *words, char *ret_text, size_t size)
{
	size_t used = 0, count = 0;

	ret_text[0] = '\0';
	while (words[count].word)
		count++;
	if (count == 0 || count > LISTED_WORDS_MAX)
		return;
	for (size_t i = 0; i < count && used < size; i++)
		used += (size_t)snprintf(ret_text + used, size - used, "%s'%s'",
			i ? ", " : ", expected one of ", words[i].word);
}

static int unknown_word(struct json_reader *reader, const char *word, const struct spec_word *words)
{
	struct near_word near = { .typed = word };
	char list[256];

	for (size_t i = 0; words[i].word; i++)
		near_word_try(&near, words[i].word);
	if (near.best)
		return json_reader_fail(
			reader, "unknown word '%.64s', did you mean '%s'", word, near.best);
	list_words(words, list, sizeof(list));
	return json_reader_fail(reader, "unknown word '%.64s'%s", word, list);
}

static int find_word(
	struct json_reader *reader, json_t *node, const struct spec_word *words, unsigned *out)
{
	const char *string = json_string_value(node);

	if (!string)
		return expected(reader, "a string", node);
	for (size_t i = 0; words[i].word; i++)
		if (!strcmp(words[i].word, string)) {
			*out = words[i].value;
			return 0;
		}
	return unknown_word(reader, string, words);
}

static int read_word(
	struct json_reader *reader, json_t *node, const struct json_field *field, void *slot)
{
	return find_word(reader, node, field->words, slot);
}

static int read_long_word(
	struct json_reader *reader, json_t *node, const struct json_field *field, void *slot)
{
	unsigned value = 0;

	if (find_word(reader, node, field->words, &value) < 0)
		return -1;
	*(unsigned long *)slot = value;
	return 0;
}

static int read_char_word(
	struct json_reader *reader, json_t *node, const struct json_field *field, void *slot)
{
	unsigned value = 0;

	if (find_word(reader, node, field->words, &value) < 0)
		return -1;
	*(char *)slot = (char)value;
	return 0;
}

static int read_optional_word(
	struct json_reader *reader, json_t *node, const struct json_field *field, void *slot)
{
	unsigned value = 0;

	if (find_word(reader, node, field->words, &value) < 0)
		return -1;
	*(struct spec_i64 *)slot = (struct spec_i64){ true, value };
	return 0;
}

static int check_array(struct json_reader *reader, json_t *node)
{
	return json_is_array(node) ? 0 : expected(reader, "an array", node);
}

static int or_words(
	struct json_reader *reader, json_t *node, const struct spec_word *words, unsigned *out)
{
	unsigned flags = 0, flag = 0;
	json_t *item;
	size_t i;

	if (check_array(reader, node) < 0)
		return -1;
	json_array_foreach (node, i, item) {
		enter(reader, NULL, i);
		if (find_word(reader, item, words, &flag) < 0)
			return -1;
		leave(reader);
		flags |= flag;
	}
	*out = flags;
	return 0;
}

static int read_flags(
	struct json_reader *reader, json_t *node, const struct json_field *field, void *slot)
{
	return or_words(reader, node, field->words, slot);
}

static int read_flags64(
	struct json_reader *reader, json_t *node, const struct json_field *field, void *slot)
{
	unsigned flags;

	if (or_words(reader, node, field->words, &flags) < 0)
		return -1;
	*(uint64_t *)slot = flags;
	return 0;
}

static int read_no_strings(
	struct json_reader *reader, json_t *node, const struct json_field *field, void *slot)
{
	static const struct spec_word no_words[] = { { NULL, 0 } };
	unsigned none;

	(void)field;
	(void)slot;
	return or_words(reader, node, no_words, &none);
}

static int read_strings(
	struct json_reader *reader, json_t *node, const struct json_field *field, void *slot)
{
	struct spec_strings strings = { .count = json_array_size(node) };
	unsigned value;
	json_t *item;
	size_t i;

	if (check_array(reader, node) < 0)
		return -1;
	strings.items = arena_alloc(reader->arena, strings.count + 1, sizeof(strings.items[0]));
	if (!strings.items)
		return json_reader_no_memory(reader);
	json_array_foreach (node, i, item) {
		enter(reader, NULL, i);
		if (read_string(reader, item, field, &strings.items[i]) < 0)
			return -1;
		if (field->words && find_word(reader, item, field->words, &value) < 0)
			return -1;
		leave(reader);
	}
	*(struct spec_strings *)slot = strings;
	return 0;
}

static int read_u32s(
	struct json_reader *reader, json_t *node, const struct json_field *field, void *slot)
{
	struct spec_u32s numbers = { .count = json_array_size(node) };
	json_t *item;
	size_t i;

	if (check_array(reader, node) < 0)
		return -1;
	numbers.items = arena_alloc(reader->arena, numbers.count, sizeof(numbers.items[0]));
	if (!numbers.items)
		return json_reader_no_memory(reader);
	json_array_foreach (node, i, item) {
		enter(reader, NULL, i);
		if (read_u32(reader, item, field, &numbers.items[i]) < 0)
			return -1;
		leave(reader);
	}
	*(struct spec_u32s *)slot = numbers;
	return 0;
}

static int check_object(struct json_reader *reader, json_t *node)
{
	return json_is_object(node) ? 0 : expected(reader, "an object", node);
}

static int read_map(
	struct json_reader *reader, json_t *node, const struct json_field *field, void *slot)
{
	static const struct json_field any_string = { .kind = JSON_KIND_STRING };
	struct spec_map map = { 0 };
	const char *key;
	json_t *item;

	if (check_object(reader, node) < 0)
		return -1;
	map.items = arena_alloc(reader->arena, json_object_size(node), sizeof(map.items[0]));
	if (!map.items)
		return json_reader_no_memory(reader);
	json_object_foreach (node, key, item) {
		struct spec_pair *pair = &map.items[map.count];
		const char *complaint = field->check ? field->check(key) : NULL;

		if (json_is_null(item))
			continue;
		enter(reader, key, 0);
		if (complaint)
			return json_reader_fail(reader, "%s", complaint);
		if (read_string(reader, item, &any_string, &pair->value) < 0)
			return -1;
		leave(reader);
		pair->key = key;
		map.count++;
	}
	*(struct spec_map *)slot = map;
	return 0;
}

static int read_object_pointer(
	struct json_reader *reader, json_t *node, const struct json_field *field, void *slot)
{
	void *object = arena_alloc(reader->arena, 1, field->table->size);

	if (!object)
		return json_reader_no_memory(reader);
	if (json_reader_table(reader, node, field->table, object) < 0)
		return -1;
	/* memcpy, because the member's pointer type is known only to the table. */
	memcpy(slot, &object, sizeof(object));
	return 0;
}

static int read_object(
	struct json_reader *reader, json_t *node, const struct json_field *field, void *slot)
{
	return json_reader_table(reader, node, field->table, slot);
}

/* Puts the array of structs and its size in place. */
static void set_objects(const struct json_field *field, void *slot, char *objects, size_t count)
{
	/* memcpy, as above */
	memcpy(slot, &objects, sizeof(objects));
	memcpy((char *)slot - field->offset + field->count_offset, &count, sizeof(count));
}

/* Reads every element into consecutive structs. */
static int read_objects(
	struct json_reader *reader, json_t *node, const struct json_field *field, void *slot)
{
	size_t size = field->table->size, i;
	json_t *item;
	char *objects;

	if (check_array(reader, node) < 0)
		return -1;
	objects = arena_alloc(reader->arena, json_array_size(node), size);
	if (!objects)
		return json_reader_no_memory(reader);
	json_array_foreach (node, i, item) {
		enter(reader, NULL, i);
		if (json_reader_table(reader, item, field->table, objects + i * size) < 0)
			return -1;
		leave(reader);
	}
	set_objects(field, slot, objects, i);
	return 0;
}

/* The same with the members of an object. */
static int read_named_objects(
	struct json_reader *reader, json_t *node, const struct json_field *field, void *slot)
{
	size_t size = field->table->size, count = 0;
	const char *name;
	json_t *item;
	char *objects;

	if (check_object(reader, node) < 0)
		return -1;
	objects = arena_alloc(reader->arena, json_object_size(node), size);
	if (!objects)
		return json_reader_no_memory(reader);
	json_object_foreach (node, name, item) {
		char *object = objects + count * size;

		if (json_is_null(item))
			continue;
		enter(reader, name, 0);
		memcpy(object + field->table->name_offset, &name, sizeof(name));
		if (json_reader_table(reader, item, field->table, object) < 0)
			return -1;
		leave(reader);
		count++;
	}
	set_objects(field, slot, objects, count);
	return 0;
}

static int read_optional_bool(
	struct json_reader *reader, json_t *node, const struct json_field *field, void *slot)
{
	struct spec_bool *out = slot;

	out->is_set = true;
	return read_bool(reader, node, field, &out->value);
}

typedef int read_function(
	struct json_reader *reader, json_t *node, const struct json_field *field, void *slot);

static read_function *const readers[] = {
	[JSON_KIND_STRING] = read_string,
	[JSON_KIND_CHECKED] = read_checked,
	[JSON_KIND_BOOL] = read_bool,
	[JSON_KIND_U32] = read_u32,
	[JSON_KIND_U64] = read_u64,
	[JSON_KIND_I64] = read_i64,
	[JSON_KIND_OPTIONAL_BOOL] = read_optional_bool,
	[JSON_KIND_OPTIONAL_U32] = read_optional_u32,
	[JSON_KIND_OPTIONAL_U64] = read_optional_u64,
	[JSON_KIND_OPTIONAL_I64] = read_optional_i64,
	[JSON_KIND_WORD] = read_word,
	[JSON_KIND_LONG_WORD] = read_long_word,
	[JSON_KIND_CHAR_WORD] = read_char_word,
	[JSON_KIND_OPTIONAL_WORD] = read_optional_word,
	[JSON_KIND_FLAGS] = read_flags,
	[JSON_KIND_FLAGS64] = read_flags64,
	[JSON_KIND_STRINGS] = read_strings,
	[JSON_KIND_NO_STRINGS] = read_no_strings,
	[JSON_KIND_U32S] = read_u32s,
	[JSON_KIND_MAP] = read_map,
	[JSON_KIND_OBJECT] = read_object,
	[JSON_KIND_OBJECT_POINTER] = read_object_pointer,
	[JSON_KIND_OBJECTS] = read_objects,
	[JSON_KIND_NAMED_OBJECTS] = read_named_objects,
};

static bool is_absent(const json_t *value, const struct json_field *field)
{
	if (!value || json_is_null(value))
		return true;
	return field->is_empty_absent && json_is_string(value) && !json_string_length(value);
}

int json_reader_table(
	struct json_reader *reader, json_t *node, const struct json_table *table, void *out)
{
	if (check_object(reader, node) < 0)
		return -1;

	for (const struct json_field *field = table->fields; field->name; field++) {
		json_t *value = json_object_get(node, field->name);

		if (is_absent(value, field)) {
			if (field->is_required)
				return json_reader_fail_at(
					reader, field->name, "required, but missing");
			continue;
		}
		if (field->is_wanted && !field->is_wanted(node))
			continue;
		enter(reader, field->name, 0);
		if (readers[field->kind](reader, value, field, (char *)out + field->offset) < 0)
			return -1;
		leave(reader);
	}
	return table->finish ? table->finish(reader, node, out) : 0;
}
