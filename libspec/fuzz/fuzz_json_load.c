/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Any bytes as JSON, once through jansson and once through our own walk, which
 * must see the same values. What jansson refuses the walk has to explain.
 */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "libspec/json_load.h"
#include "libspec/json_walk.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void demand(int is_true)
{
	if (!is_true)
		__builtin_trap();
}

static const json_t *follow(const json_t *value, const struct json_path *path)
{
	for (unsigned i = 0; i < path->depth; i++)
		value = path->steps[i].name ? json_object_get(value, path->steps[i].name)
					    : json_array_get(value, path->steps[i].index);
	return value;
}

static int is_same_number(const json_t *value, const struct json_token *token)
{
	uint64_t bits = token->is_negative ? 0 - token->magnitude : token->magnitude;

	if (token->kind == JSON_TOKEN_INTEGER &&
		(token->is_negative || token->magnitude <= INT64_MAX))
		return json_is_integer(value) && (uint64_t)json_integer_value(value) == bits;
	return json_is_real(value);
}

static int is_same(const json_t *value, const struct json_token *token)
{
	switch (token->kind) {
	case JSON_TOKEN_MARK:
		return json_is_object(value) || json_is_array(value);
	case JSON_TOKEN_STRING:
		return json_is_string(value) && !strcmp(json_string_value(value), token->string);
	case JSON_TOKEN_INTEGER:
	case JSON_TOKEN_HUGE:
	case JSON_TOKEN_REAL:
		return is_same_number(value, token);
	case JSON_TOKEN_TRUE:
		return json_is_true(value);
	case JSON_TOKEN_FALSE:
		return json_is_false(value);
	case JSON_TOKEN_NULL:
		return json_is_null(value);
	case JSON_TOKEN_END:
	case JSON_TOKEN_UNKNOWN:
		break;
	}
	return 0;
}

struct comparison {
	const json_t *root;
	size_t n_values;
};

static bool compare(void *data, const struct json_path *path, const struct json_token *token)
{
	struct comparison *comparison = data;

	demand(is_same(follow(comparison->root, path), token));
	comparison->n_values++;
	return true;
}

static size_t count_values(json_t *value)
{
	size_t count = 1, i;
	const char *name;
	json_t *child;

	json_array_foreach (value, i, child)
		count += count_values(child);
	json_object_foreach (value, name, child)
		count += count_values(child);
	return count;
}

/* Looks for a value by what begins like a pointer, the text itself. */
static void find(const char *text, size_t size)
{
	char pointer[256] = "/";
	struct json_token token;
	struct json_path path;
	struct error err = { 0 };

	snprintf(pointer + 1, sizeof(pointer) - 1, "%s", text);
	json_path_parse(pointer, &path);
	demand(json_walk_find(text, size, &path, &token, &err) == 0 && token.offset < size);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct comparison comparison = { 0 };
	struct arena arena = { 0 };
	struct error err = { 0 };
	char *text = malloc(size + 1);
	json_t *root = NULL;

	demand(text != NULL);
	memcpy(text, data, size);
	text[size] = '\0';
	if (json_load_text(text, size, &arena, &root, &err) == 0) {
		comparison.root = root;
		demand(json_walk(text, size, compare, &comparison, &err) == 0);
		demand(comparison.n_values == count_values(root));
		find(text, size);
	} else {
		demand(!root && err.kind == ERROR_SPEC && err.line > 0 && err.column > 0);
	}
	free(text);
	arena_release(&arena);
	return 0;
}
