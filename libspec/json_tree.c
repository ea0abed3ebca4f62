/* SPDX-License-Identifier: Apache-2.0 */
#include "libspec/json_tree.h"

#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/number.h"
#include "libspec/json_scan.h"

/* Up to here each pair of members is compared; beyond, they are sorted. */
#define PAIRS_MAX 16

#define NODES_PER_CHUNK 64

struct builder {
	struct json_scan scan;
	struct json_token token; /* the next one, not used yet */
	struct json_path path;
	struct arena *arena;
	struct json_node *nodes; /* room for n_nodes more */
	size_t n_nodes;
};

static int advance(struct builder *builder)
{
	return json_scan_next(&builder->scan, &builder->token);
}

static bool is_mark(const struct builder *builder, char mark)
{
	return builder->token.kind == JSON_TOKEN_MARK &&
	       builder->scan.text[builder->token.offset] == mark;
}

static int unexpected(struct builder *builder, const char *wanted)
{
	return json_scan_unexpected(&builder->scan, &builder->token, wanted);
}

static struct json_node *new_node(struct builder *builder)
{
	if (builder->n_nodes == 0) {
		builder->nodes =
			arena_alloc(builder->arena, NODES_PER_CHUNK, sizeof(*builder->nodes));
		if (!builder->nodes) {
			error_set(builder->scan.err, ERROR_SYSTEM, "out of memory");
			return NULL;
		}
		builder->n_nodes = NODES_PER_CHUNK;
	}
	builder->n_nodes--;
	return builder->nodes++;
}

static int compare_members(const void *a, const void *b)
{
	const struct json_node *const *left = a, *const *right = b;
	int order = strcmp((*left)->name, (*right)->name);

	return order ? order : ((*left)->offset > (*right)->offset ? 1 : -1);
}

static const struct json_node *find_duplicate_in_pairs(const struct json_node *object)
{
	const struct json_node *first = object->children.first;

	for (const struct json_node *node = first; node; node = node->next)
		for (const struct json_node *other = first; other != node; other = other->next)
			if (!strcmp(node->name, other->name))
				return node;
	return NULL;
}

/* RET_DUPLICATE is NULL when all names differ. */
static int find_duplicate(struct builder *builder, const struct json_node *object,
	const struct json_node **ret_duplicate)
{
	size_t count = object->children.count, i = 0;
	cleanup_free const struct json_node **sorted = NULL;

	*ret_duplicate = NULL;
	if (count <= PAIRS_MAX) {
		*ret_duplicate = find_duplicate_in_pairs(object);
		return 0;
	}
	sorted = calloc(count, sizeof(struct json_node *));
	if (!sorted)
		return error_set(builder->scan.err, ERROR_SYSTEM, "out of memory");
	for (const struct json_node *node = object->children.first; node; node = node->next)
		sorted[i++] = node;
	qsort(sorted, count, sizeof(sorted[0]), compare_members);
	for (i = 1; i < count; i++)
		if (!strcmp(sorted[i - 1]->name, sorted[i]->name) &&
			(!*ret_duplicate || sorted[i]->offset < (*ret_duplicate)->offset))
			*ret_duplicate = sorted[i];
	return 0;
}

static int check_duplicates(struct builder *builder, const struct json_node *object)
{
	const struct json_node *duplicate;
	char pointer[sizeof(builder->scan.err->pointer)];

	if (find_duplicate(builder, object, &duplicate) < 0)
		return -1;
	if (!duplicate)
		return 0;
	json_path_format(&builder->path, pointer, sizeof(pointer));
	json_path_point(builder->scan.err, pointer, duplicate->name);
	return json_scan_fail(&builder->scan, duplicate->offset, "is there twice");
}

static int read_value(struct builder *builder, struct json_node *node);

/* One element or member, with the token at its start. */
static struct json_node *read_child(struct builder *builder, const char *name, size_t index)
{
	struct json_node *node = new_node(builder);

	if (!node)
		return NULL;
	node->name = name;
	if (json_path_push(&builder->path, name, index) < 0) {
		json_scan_fail(&builder->scan, builder->token.offset,
			"nested more than %d levels deep", JSON_DEPTH_MAX);
		return NULL;
	}
	if (read_value(builder, node) < 0)
		return NULL;
	json_path_pop(&builder->path);
	return node;
}

/* Between children: moves on and returns 1 for another, 0 at the end. */
static int read_separator(struct builder *builder, char end, const char *wanted)
{
	if (is_mark(builder, end))
		return 0;
	if (!is_mark(builder, ','))
		return unexpected(builder, wanted);
	return advance(builder) < 0 ? -1 : 1;
}

static int read_array(struct builder *builder, struct json_node *array)
{
	struct json_node **slot = &array->children.first;
	int more = 1;

	if (advance(builder) < 0)
		return -1;
	if (is_mark(builder, ']'))
		more = 0;
	while (more) {
		*slot = read_child(builder, NULL, array->children.count);
		if (!*slot)
			return -1;
		slot = &(*slot)->next;
		array->children.count++;
		more = read_separator(builder, ']', "',' or ']'");
		if (more < 0)
			return -1;
	}
	return advance(builder);
}

/* With the token where a member's name belongs. */
static struct json_node *read_member(struct builder *builder, size_t count)
{
	const char *name = builder->token.string;

	if (builder->token.kind != JSON_TOKEN_STRING) {
		unexpected(builder,
			count ? "a member name after ','" : "a member name in quotes or '}'");
		return NULL;
	}
	if (advance(builder) < 0)
		return NULL;
	if (!is_mark(builder, ':')) {
		unexpected(builder, "':' after the member name");
		return NULL;
	}
	if (advance(builder) < 0)
		return NULL;
	return read_child(builder, name, 0);
}

static int read_object(struct builder *builder, struct json_node *object)
{
	struct json_node **slot = &object->children.first;
	int more = 1;

	if (advance(builder) < 0)
		return -1;
	if (is_mark(builder, '}'))
		more = 0;
	while (more) {
		*slot = read_member(builder, object->children.count);
		if (!*slot)
			return -1;
		slot = &(*slot)->next;
		object->children.count++;
		more = read_separator(builder, '}', "',' or '}'");
		if (more < 0)
			return -1;
	}
	if (check_duplicates(builder, object) < 0)
		return -1;
	return advance(builder);
}

static int read_scalar(struct builder *builder, struct json_node *node)
{
	static const enum json_node_type types[] = {
		[JSON_TOKEN_END] = JSON_NODE_NULL, /* as the next two, not reached */
		[JSON_TOKEN_MARK] = JSON_NODE_NULL,
		[JSON_TOKEN_UNKNOWN] = JSON_NODE_NULL,
		[JSON_TOKEN_STRING] = JSON_NODE_STRING,
		[JSON_TOKEN_INTEGER] = JSON_NODE_INTEGER,
		[JSON_TOKEN_HUGE] = JSON_NODE_HUGE,
		[JSON_TOKEN_REAL] = JSON_NODE_REAL,
		[JSON_TOKEN_TRUE] = JSON_NODE_BOOLEAN,
		[JSON_TOKEN_FALSE] = JSON_NODE_BOOLEAN,
		[JSON_TOKEN_NULL] = JSON_NODE_NULL,
	};
	const struct json_token *token = &builder->token;

	if (token->kind == JSON_TOKEN_END || token->kind == JSON_TOKEN_MARK ||
		token->kind == JSON_TOKEN_UNKNOWN)
		return unexpected(builder, "a value");
	node->type = types[token->kind];
	if (node->type == JSON_NODE_STRING) {
		node->string = token->string;
	} else if (node->type == JSON_NODE_INTEGER) {
		node->integer.magnitude = token->magnitude;
		node->integer.is_negative = token->is_negative && token->magnitude;
	} else if (node->type == JSON_NODE_BOOLEAN) {
		node->is_true = token->kind == JSON_TOKEN_TRUE;
	}
	return advance(builder);
}

/* Reads the value that the token begins, and the token behind it. */
static int read_value(struct builder *builder, struct json_node *node)
{
	node->offset = (uint32_t)builder->token.offset;
	if (is_mark(builder, '{')) {
		node->type = JSON_NODE_OBJECT;
		return read_object(builder, node);
	}
	if (is_mark(builder, '[')) {
		node->type = JSON_NODE_ARRAY;
		return read_array(builder, node);
	}
	return read_scalar(builder, node);
}

int json_tree_parse(const char *text, size_t size, struct arena *arena,
	const struct json_node **ret_root, struct error *err)
{
	struct builder builder = {
		.scan = { .text = text, .size = size, .err = err },
		.arena = arena,
	};
	struct json_node *root;

	if (size > JSON_SIZE_MAX)
		return json_scan_fail(&builder.scan, 0, "larger than %u bytes", JSON_SIZE_MAX);
	builder.scan.strings = arena_alloc(arena, size + 1, 1);
	root = new_node(&builder);
	if (!builder.scan.strings || !root)
		return error_set(err, ERROR_SYSTEM, "out of memory");
	if (advance(&builder) < 0)
		return -1;
	if (builder.token.kind == JSON_TOKEN_END)
		return json_scan_fail(&builder.scan, 0, "the file is empty");
	if (read_value(&builder, root) < 0)
		return -1;
	if (builder.token.kind != JSON_TOKEN_END)
		return unexpected(&builder, "the end of the file");
	*ret_root = root;
	return 0;
}

const struct json_node *json_tree_member(const struct json_node *object, const char *name)
{
	const struct json_node *node = object->children.first;

	while (node && strcmp(node->name, name) != 0)
		node = node->next;
	return node;
}

/* Whether the reference token at P, up to the next '/', is NAME (RFC 6901, section 4). */
static bool is_reference(const char *p, const char *name)
{
	for (; *p && *p != '/'; p++, name++) {
		char c = *p;

		if (c == '~')
			c = *++p == '0' ? '~' : '/';
		if (c != *name || !*p)
			return false;
	}
	return !*name;
}

static bool is_index(const char *p, size_t length, size_t index)
{
	char digits[24];
	uint64_t value;

	if (length >= sizeof(digits) || (length > 1 && *p == '0'))
		return false;
	memcpy(digits, p, length);
	digits[length] = '\0';
	return number_parse_u64(digits, UINT64_MAX, &value) == 0 && value == index;
}

static const struct json_node *find_child(
	const struct json_node *node, const char *reference, size_t length)
{
	const struct json_node *child = NULL;
	size_t index = 0;

	if (node->type == JSON_NODE_OBJECT || node->type == JSON_NODE_ARRAY)
		child = node->children.first;
	for (; child; child = child->next, index++)
		if (child->name ? is_reference(reference, child->name)
				: is_index(reference, length, index))
			return child;
	return NULL;
}

const struct json_node *json_tree_nearest(const struct json_node *root, const char *pointer)
{
	const struct json_node *node = root;

	while (*pointer == '/') {
		size_t length = strcspn(++pointer, "/");
		const struct json_node *child = find_child(node, pointer, length);

		if (!child)
			return node;
		node = child;
		pointer += length;
	}
	return node;
}
