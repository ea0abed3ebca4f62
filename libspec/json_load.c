/* SPDX-License-Identifier: Apache-2.0 */
#include "libspec/json_load.h"

#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "libspec/json_walk.h"

/*
 * What jansson 2.14 needs at most, on 64 bits: for each mark that begins a
 * container, a member's value or the next child; for each byte, since it keeps
 * strings more than once; and for its lexer.
 */
#define BYTES_PER_MARK 192
#define BYTES_PER_BYTE 4
#define BYTES_AT_LEAST 1024

/* What one pass over the text tells. Where the text is not JSON it may be anything. */
struct survey {
	unsigned depth; /* of brackets, at most */
	size_t n_marks; /* of "{[:," */
	size_t size;    /* up to the first NUL */
};

/* Behind the string that begins at P, or at the NUL when it does not end. */
static const char *skip_string(const char *p)
{
	for (p++; *p && *p != '"'; p++)
		if (*p == '\\' && p[1])
			p++;
	return *p ? p + 1 : p;
}

static struct survey survey_text(const char *text)
{
	struct survey survey = { 0 };
	const char *p = text;
	unsigned depth = 0;

	while (*p) {
		switch (*p) {
		case '"':
			p = skip_string(p);
			continue;
		case '{':
		case '[':
			survey.n_marks++;
			if (++depth > survey.depth)
				survey.depth = depth;
			break;
		case '}':
		case ']':
			depth--;
			break;
		case ':':
		case ',':
			survey.n_marks++;
			break;
		default:
			break;
		}
		p++;
	}
	survey.size = (size_t)(p - text);
	return survey;
}

/* Where jansson's memory comes from, since its functions are given no argument. */
static struct arena *loading;

static void *allocate(size_t size)
{
	return arena_alloc(loading, size, 1);
}

static void release(void *memory)
{
	(void)memory; /* until all of the arena is */
}

static int load(const char *text, const struct survey *survey, struct arena *arena,
	json_t **ret_root, json_error_t *ret_problem, struct error *err)
{
	json_malloc_t malloc_before;
	json_free_t free_before;

	if (arena_reserve(arena, survey->n_marks * BYTES_PER_MARK + survey->size * BYTES_PER_BYTE +
					 BYTES_AT_LEAST) < 0)
		return error_set(err, ERROR_SYSTEM, "out of memory");
	loading = arena;
	json_get_alloc_funcs(&malloc_before, &free_before);
	json_set_alloc_funcs(allocate, release);
	*ret_root = json_loadb(
		text, survey->size, JSON_REJECT_DUPLICATES | JSON_DECODE_ANY, ret_problem);
	json_set_alloc_funcs(malloc_before, free_before);
	loading = NULL;
	return 0;
}

/* Makes each number that is not a JSON_INTEGER a short JSON_REAL, in the copy that DATA is. */
static bool replace_number(void *data, const struct json_path *path, const struct json_token *token)
{
	char *copy = data;

	(void)path;
	if (token->kind == JSON_TOKEN_REAL || token->kind == JSON_TOKEN_HUGE ||
		(token->kind == JSON_TOKEN_INTEGER && !token->is_negative &&
			token->magnitude > INT64_MAX)) {
		memset(copy + token->offset, ' ', token->length);
		memcpy(copy + token->offset, "0.0", 3);
	}
	return true;
}

/* For a text with a number that jansson cannot hold. */
static int load_replaced(const char *text, const struct survey *survey, struct arena *arena,
	json_t **ret_root, json_error_t *ret_problem, struct error *err)
{
	cleanup_free char *copy = malloc(survey->size + 1);

	if (!copy)
		return error_set(err, ERROR_SYSTEM, "out of memory");
	memcpy(copy, text, survey->size + 1);
	if (json_walk(text, survey->size, replace_number, copy, err) < 0)
		return -1;
	return load(copy, survey, arena, ret_root, ret_problem, err);
}

struct refusal {
	size_t duplicate; /* the offset behind the name that is there twice, or SIZE_MAX */
	size_t offset;
	bool is_found;
	char pointer[sizeof(((struct error *)NULL)->pointer)];
};

static bool find_duplicate(void *data, const struct json_path *path, const struct json_token *token)
{
	struct refusal *refusal = data;

	if (token->offset < refusal->duplicate)
		return true;
	refusal->is_found = true;
	refusal->offset = token->offset;
	json_path_format(path, refusal->pointer, sizeof(refusal->pointer));
	return false;
}

/*
 * Says why jansson has refused the text. When nothing is wrong with it memory
 * has run out, since for that jansson has no error of its own in all cases.
 */
static int explain(const char *text, size_t size, const json_error_t *problem, struct error *err)
{
	const struct json_scan scan = { .text = text, .size = size, .err = err };
	struct refusal refusal = { .duplicate = SIZE_MAX };

	if (json_error_code(problem) == json_error_duplicate_key)
		refusal.duplicate = (size_t)problem->position;
	if (json_walk(text, size, find_duplicate, &refusal, err) < 0)
		return -1;
	if (!refusal.is_found)
		return error_set(err, ERROR_SYSTEM, "out of memory");
	error_point(err, "%s", refusal.pointer);
	return json_scan_fail(&scan, refusal.offset, "is there twice");
}

int json_load_text(
	const char *text, size_t size, struct arena *arena, json_t **ret_root, struct error *err)
{
	const struct json_scan scan = { .text = text, .size = size, .err = err };
	json_error_t problem = { 0 };
	struct survey survey;
	json_t *root = NULL;

	if (size > JSON_SIZE_MAX)
		return json_scan_fail(&scan, 0, "larger than %u bytes", JSON_SIZE_MAX);
	survey = survey_text(text);
	/* At a NUL jansson stops, outside of a string, as if the text ended there. */
	if (survey.depth <= JSON_DEPTH_MAX && survey.size == size &&
		load(text, &survey, arena, &root, &problem, err) < 0)
		return -1;
	if (json_error_code(&problem) == json_error_numeric_overflow &&
		load_replaced(text, &survey, arena, &root, &problem, err) < 0)
		return -1;
	if (!root)
		return explain(text, size, &problem, err);
	*ret_root = root;
	return 0;
}
