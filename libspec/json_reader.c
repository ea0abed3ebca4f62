/* SPDX-License-Identifier: Apache-2.0 */
#include "libspec/json_reader.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/log.h"
#include "libspec/near_word.h"

/* A list of words that is longer is not printed in an error. */
#define LISTED_WORDS_MAX 8

static const char *type_name(const struct json_node *node)
{
	static const char *const names[] = {
		[JSON_NODE_NULL] = "null",
		[JSON_NODE_BOOLEAN] = "a boolean",
		[JSON_NODE_INTEGER] = "an integer",
		[JSON_NODE_HUGE] = "an integer beyond 64 bits",
		[JSON_NODE_REAL] = "a real number",
		[JSON_NODE_STRING] = "a string",
		[JSON_NODE_ARRAY] = "an array",
		[JSON_NODE_OBJECT] = "an object",
	};

	return names[node->type];
}

/* The path cannot overflow: tables nest less deep than the tree may, and that is checked. */
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

void json_reader_warn_item(
	struct json_reader *reader, const char *name, size_t index, const char *fmt, ...)
{
	char pointer[256], text[512];
	va_list args;

	enter(reader, name, 0);
	enter(reader, NULL, index);
	json_path_format(&reader->path, pointer, sizeof(pointer));
	leave(reader);
	leave(reader);
	va_start(args, fmt);
	vsnprintf(text, sizeof(text), fmt, args);
	va_end(args);
	log_warning("%s: %s", pointer, text);
}

int json_reader_no_memory(struct json_reader *reader)
{
	return error_set(reader->err, ERROR_SYSTEM, "out of memory");
}

bool json_reader_has(const struct json_node *object, const char *name)
{
	const struct json_node *node = json_tree_member(object, name);

	return node && node->type != JSON_NODE_NULL;
}

static int expected(struct json_reader *reader, const char *wanted, const struct json_node *found)
{
	return json_reader_fail(reader, "expected %s, found %s", wanted, type_name(found));
}

static int read_string(struct json_reader *reader, const struct json_node *node,
	const struct json_field *field, void *slot)
{
	const char *complaint;

	if (node->type != JSON_NODE_STRING)
		return expected(reader, "a string", node);
	complaint = field->check ? field->check(node->string) : NULL;
	if (complaint)
		return json_reader_fail(reader, "%s", complaint);
	*(const char **)slot = node->string;
	return 0;
}

static int read_checked(struct json_reader *reader, const struct json_node *node,
	const struct json_field *field, void *slot)
{
	const char *unused;

	(void)slot;
	return read_string(reader, node, field, &unused);
}

static int read_bool(struct json_reader *reader, const struct json_node *node,
	const struct json_field *field, void *slot)
{
	(void)field;
	if (node->type != JSON_NODE_BOOLEAN)
		return expected(reader, "a boolean", node);
	*(bool *)slot = node->is_true;
	return 0;
}

static int out_of_range(
	struct json_reader *reader, const struct json_node *node, const struct json_field *field)
{
	const char *sign = node->integer.is_negative ? "-" : "";

	if (node->integer.is_negative && field->max >= INT64_MAX)
		return json_reader_fail(reader, "-%" PRIu64 " is below %" PRIi64,
			node->integer.magnitude, field->min);
	if (field->min > 0 && field->max >= INT64_MAX)
		return json_reader_fail(reader, "%" PRIu64 " is below %" PRIi64,
			node->integer.magnitude, field->min);
	return json_reader_fail(reader, "%s%" PRIu64 " is not in %" PRIi64 "..%" PRIu64, sign,
		node->integer.magnitude, field->min, field->max);
}

/* The integer's 64 bits, signed when it is negative. */
static int read_integer(struct json_reader *reader, const struct json_node *node,
	const struct json_field *field, uint64_t *out)
{
	uint64_t magnitude = node->integer.magnitude;
	bool is_inside;

	if (node->type != JSON_NODE_INTEGER)
		return expected(
			reader, field->min < 0 ? "an integer" : "an unsigned integer", node);
	if (node->integer.is_negative)
		is_inside = field->min < 0 && magnitude <= 0 - (uint64_t)field->min;
	else
		is_inside = magnitude <= field->max &&
			    (field->min <= 0 || magnitude >= (uint64_t)field->min);
	if (!is_inside)
		return out_of_range(reader, node, field);
	*out = node->integer.is_negative ? 0 - magnitude : magnitude;
	return 0;
}

static int read_u32(struct json_reader *reader, const struct json_node *node,
	const struct json_field *field, void *slot)
{
	uint64_t value;

	if (read_integer(reader, node, field, &value) < 0)
		return -1;
	*(uint32_t *)slot = (uint32_t)value;
	return 0;
}

static int read_u64(struct json_reader *reader, const struct json_node *node,
	const struct json_field *field, void *slot)
{
	return read_integer(reader, node, field, slot);
}

static int read_i64(struct json_reader *reader, const struct json_node *node,
	const struct json_field *field, void *slot)
{
	uint64_t value;

	if (read_integer(reader, node, field, &value) < 0)
		return -1;
	*(int64_t *)slot = (int64_t)value;
	return 0;
}

static int read_optional_u32(struct json_reader *reader, const struct json_node *node,
	const struct json_field *field, void *slot)
{
	struct spec_u32 *out = slot;

	out->is_set = true;
	return read_u32(reader, node, field, &out->value);
}

static int read_optional_u64(struct json_reader *reader, const struct json_node *node,
	const struct json_field *field, void *slot)
{
	struct spec_u64 *out = slot;

	out->is_set = true;
	return read_u64(reader, node, field, &out->value);
}

static int read_optional_i64(struct json_reader *reader, const struct json_node *node,
	const struct json_field *field, void *slot)
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

static int find_word(struct json_reader *reader, const struct json_node *node,
	const struct spec_word *words, unsigned *out)
{
	if (node->type != JSON_NODE_STRING)
		return expected(reader, "a string", node);
	for (size_t i = 0; words[i].word; i++)
		if (!strcmp(words[i].word, node->string)) {
			*out = words[i].value;
			return 0;
		}
	return unknown_word(reader, node->string, words);
}

static int read_word(struct json_reader *reader, const struct json_node *node,
	const struct json_field *field, void *slot)
{
	return find_word(reader, node, field->words, slot);
}

static int read_long_word(struct json_reader *reader, const struct json_node *node,
	const struct json_field *field, void *slot)
{
	unsigned value;

	if (find_word(reader, node, field->words, &value) < 0)
		return -1;
	*(unsigned long *)slot = value;
	return 0;
}

static int read_char_word(struct json_reader *reader, const struct json_node *node,
	const struct json_field *field, void *slot)
{
	unsigned value;

	if (find_word(reader, node, field->words, &value) < 0)
		return -1;
	*(char *)slot = (char)value;
	return 0;
}

static int read_optional_word(struct json_reader *reader, const struct json_node *node,
	const struct json_field *field, void *slot)
{
	unsigned value;

	if (find_word(reader, node, field->words, &value) < 0)
		return -1;
	*(struct spec_i64 *)slot = (struct spec_i64){ true, value };
	return 0;
}

static int check_array(struct json_reader *reader, const struct json_node *node)
{
	return node->type == JSON_NODE_ARRAY ? 0 : expected(reader, "an array", node);
}

static int or_words(struct json_reader *reader, const struct json_node *node,
	const struct spec_word *words, unsigned *out)
{
	unsigned flags = 0, flag = 0;
	size_t i = 0;

	if (check_array(reader, node) < 0)
		return -1;
	for (const struct json_node *item = node->children.first; item; item = item->next) {
		enter(reader, NULL, i++);
		if (find_word(reader, item, words, &flag) < 0)
			return -1;
		leave(reader);
		flags |= flag;
	}
	*out = flags;
	return 0;
}

static int read_flags(struct json_reader *reader, const struct json_node *node,
	const struct json_field *field, void *slot)
{
	return or_words(reader, node, field->words, slot);
}

static int read_flags64(struct json_reader *reader, const struct json_node *node,
	const struct json_field *field, void *slot)
{
	unsigned flags;

	if (or_words(reader, node, field->words, &flags) < 0)
		return -1;
	*(uint64_t *)slot = flags;
	return 0;
}

static int read_no_strings(struct json_reader *reader, const struct json_node *node,
	const struct json_field *field, void *slot)
{
	static const struct spec_word no_words[] = { { NULL, 0 } };
	unsigned none;

	(void)field;
	(void)slot;
	return or_words(reader, node, no_words, &none);
}

static int read_strings(struct json_reader *reader, const struct json_node *node,
	const struct json_field *field, void *slot)
{
	struct spec_strings strings = { 0 };
	unsigned value;

	if (check_array(reader, node) < 0)
		return -1;
	strings.items =
		arena_alloc(reader->arena, node->children.count + 1, sizeof(strings.items[0]));
	if (!strings.items)
		return json_reader_no_memory(reader);
	for (const struct json_node *item = node->children.first; item; item = item->next) {
		enter(reader, NULL, strings.count);
		if (read_string(reader, item, field, &strings.items[strings.count]) < 0)
			return -1;
		if (field->words && find_word(reader, item, field->words, &value) < 0)
			return -1;
		leave(reader);
		strings.count++;
	}
	*(struct spec_strings *)slot = strings;
	return 0;
}

static int read_u32s(struct json_reader *reader, const struct json_node *node,
	const struct json_field *field, void *slot)
{
	struct spec_u32s numbers = { 0 };

	if (check_array(reader, node) < 0)
		return -1;
	numbers.items = arena_alloc(reader->arena, node->children.count, sizeof(numbers.items[0]));
	if (!numbers.items)
		return json_reader_no_memory(reader);
	for (const struct json_node *item = node->children.first; item; item = item->next) {
		enter(reader, NULL, numbers.count);
		if (read_u32(reader, item, field, &numbers.items[numbers.count]) < 0)
			return -1;
		leave(reader);
		numbers.count++;
	}
	*(struct spec_u32s *)slot = numbers;
	return 0;
}

static int check_object(struct json_reader *reader, const struct json_node *node)
{
	return node->type == JSON_NODE_OBJECT ? 0 : expected(reader, "an object", node);
}

static int read_map(struct json_reader *reader, const struct json_node *node,
	const struct json_field *field, void *slot)
{
	static const struct json_field any_string = { .kind = JSON_KIND_STRING };
	struct spec_map map = { 0 };

	if (check_object(reader, node) < 0)
		return -1;
	map.items = arena_alloc(reader->arena, node->children.count, sizeof(map.items[0]));
	if (!map.items)
		return json_reader_no_memory(reader);
	for (const struct json_node *item = node->children.first; item; item = item->next) {
		struct spec_pair *pair = &map.items[map.count];
		const char *complaint = field->check ? field->check(item->name) : NULL;

		if (item->type == JSON_NODE_NULL)
			continue;
		enter(reader, item->name, 0);
		if (complaint)
			return json_reader_fail(reader, "%s", complaint);
		if (read_string(reader, item, &any_string, &pair->value) < 0)
			return -1;
		leave(reader);
		pair->key = item->name;
		map.count++;
	}
	*(struct spec_map *)slot = map;
	return 0;
}

static int read_object_pointer(struct json_reader *reader, const struct json_node *node,
	const struct json_field *field, void *slot)
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

static int read_object(struct json_reader *reader, const struct json_node *node,
	const struct json_field *field, void *slot)
{
	return json_reader_table(reader, node, field->table, slot);
}

/* Reads every element into consecutive structs, and puts the array and its size in place. */
static int read_objects(struct json_reader *reader, const struct json_node *node,
	const struct json_field *field, void *slot)
{
	bool is_named = field->kind == JSON_KIND_NAMED_OBJECTS;
	size_t size = field->table->size, count = 0;
	char *objects;

	if ((is_named ? check_object(reader, node) : check_array(reader, node)) < 0)
		return -1;
	objects = arena_alloc(reader->arena, node->children.count, size);
	if (!objects)
		return json_reader_no_memory(reader);
	for (const struct json_node *item = node->children.first; item; item = item->next) {
		char *object = objects + count * size;

		if (is_named && item->type == JSON_NODE_NULL)
			continue;
		enter(reader, item->name, count);
		if (is_named)
			memcpy(object + field->table->name_offset, &item->name, sizeof(item->name));
		if (json_reader_table(reader, item, field->table, object) < 0)
			return -1;
		leave(reader);
		count++;
	}
	memcpy(slot, &objects, sizeof(objects));
	memcpy((char *)slot - field->offset + field->count_offset, &count, sizeof(count));
	return 0;
}

static int read_optional_bool(struct json_reader *reader, const struct json_node *node,
	const struct json_field *field, void *slot)
{
	struct spec_bool *out = slot;

	out->is_set = true;
	return read_bool(reader, node, field, &out->value);
}

typedef int read_function(struct json_reader *reader, const struct json_node *node,
	const struct json_field *field, void *slot);

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
	[JSON_KIND_NAMED_OBJECTS] = read_objects,
};

static bool is_absent(const struct json_node *value, const struct json_field *field)
{
	if (!value || value->type == JSON_NODE_NULL)
		return true;
	return field->is_empty_absent && value->type == JSON_NODE_STRING && !value->string[0];
}

int json_reader_table(struct json_reader *reader, const struct json_node *node,
	const struct json_table *table, void *out)
{
	if (check_object(reader, node) < 0)
		return -1;

	for (const struct json_field *field = table->fields; field->name; field++) {
		const struct json_node *value = json_tree_member(node, field->name);

		if (is_absent(value, field)) {
			if (field->is_required)
				return json_reader_fail_at(
					reader, field->name, "required, but missing");
			continue;
		}
		enter(reader, field->name, 0);
		if (readers[field->kind](reader, value, field, (char *)out + field->offset) < 0)
			return -1;
		leave(reader);
	}
	return table->finish ? table->finish(reader, node, out) : 0;
}
