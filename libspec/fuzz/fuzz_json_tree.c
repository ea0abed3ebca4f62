/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Any bytes as JSON, once through json_tree and once through jansson. Both
 * must agree, but for numbers beyond jansson's, for the depth, and for NUL
 * bytes between tokens, which jansson passes over.
 */
#include <jansson.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "libspec/json_tree.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void demand(int is_true)
{
	if (!is_true)
		__builtin_trap();
}

static void compare(const struct json_node *node, json_t *other);

static void compare_children(const struct json_node *node, json_t *other)
{
	size_t i = 0;

	for (const struct json_node *child = node->children.first; child; child = child->next) {
		json_t *same = child->name ? json_object_get(other, child->name)
					   : json_array_get(other, i++);

		demand(same != NULL);
		compare(child, same);
	}
	demand(node->children.count ==
		(json_is_object(other) ? json_object_size(other) : json_array_size(other)));
}

static void compare(const struct json_node *node, json_t *other)
{
	uint64_t value;

	switch (node->type) {
	case JSON_NODE_NULL:
		demand(json_is_null(other));
		break;
	case JSON_NODE_BOOLEAN:
		demand(json_is_boolean(other) && node->is_true == json_is_true(other));
		break;
	case JSON_NODE_INTEGER:
		value = node->integer.is_negative ? 0 - node->integer.magnitude
						  : node->integer.magnitude;
		demand(json_is_integer(other) && (uint64_t)json_integer_value(other) == value);
		break;
	case JSON_NODE_HUGE:
		demand(0); /* jansson has refused it */
		break;
	case JSON_NODE_REAL:
		demand(json_is_real(other));
		break;
	case JSON_NODE_STRING:
		demand(json_is_string(other) && !strcmp(json_string_value(other), node->string));
		break;
	case JSON_NODE_ARRAY:
	case JSON_NODE_OBJECT:
		demand(node->type == JSON_NODE_OBJECT ? json_is_object(other)
						      : json_is_array(other));
		compare_children(node, other);
		break;
	}
}

static int is_beyond_jansson(const json_error_t *error)
{
	return json_error_code(error) == json_error_numeric_overflow;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const struct json_node *root = NULL;
	struct arena arena = { 0 };
	struct error err = { 0 };
	json_error_t error;
	json_t *other = json_loadb(
		(const char *)data, size, JSON_REJECT_DUPLICATES | JSON_DECODE_ANY, &error);
	char *text = malloc(size + 1);

	demand(text != NULL);
	memcpy(text, data, size);
	text[size] = '\0';
	if (json_tree_parse(text, size, &arena, &root, &err) == 0) {
		demand(other || is_beyond_jansson(&error));
		if (other)
			compare(root, other);
		json_tree_nearest(root, text);
	} else {
		demand(!other || !strncmp(err.text, "nested", 6) || memchr(data, '\0', size));
		demand(err.line > 0 && err.column > 0);
	}
	free(text);
	arena_release(&arena);
	json_decref(other);
	return 0;
}
