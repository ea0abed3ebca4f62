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

/* The value to leave out, while the survey looks for it. */
struct search {
	struct json_aside *aside; /* NULL: there is none */
	const char *text;
	const char *name; /* the last string, without its quotes */
	size_t name_length;
	bool is_in_outer;
	bool is_open;   /* the value has begun */
	size_t n_marks; /* before the value, then in it */
};

/* Behind the string that begins at P, or at the NUL when it does not end. */
static const char *skip_string(const char *p)
{
	for (p++; *p && *p != '"'; p++)
		if (*p == '\\' && p[1])
			p++;
	return *p ? p + 1 : p;
}

static bool is_name(const struct search *search, const char *name)
{
	return search->name && strlen(name) == search->name_length &&
	       !memcmp(name, search->name, search->name_length);
}

/* At a ':' at P: a value of the last name begins. */
static void begin_value(struct search *search, const char *p, unsigned depth, size_t n_marks)
{
	if (!search->aside)
		return;
	if (depth == 1)
		search->is_in_outer = is_name(search, search->aside->outer);
	if (depth != 2 || !search->is_in_outer || !is_name(search, search->aside->inner))
		return;
	search->aside->offset = (size_t)(p + 1 - search->text);
	search->aside->length = 0;
	search->n_marks = n_marks;
	search->is_open = true;
}

/* At what may end a value, at P. */
static void end_value(struct search *search, const char *p, unsigned depth, size_t n_marks)
{
	if (!search->is_open || depth != 2)
		return;
	search->aside->length = (size_t)(p - search->text) - search->aside->offset;
	search->n_marks = n_marks - search->n_marks;
	search->is_open = false;
}

static struct survey survey_text(const char *text, struct search *search)
{
	struct survey survey = { 0 };
	const char *p = text;
	unsigned depth = 0;

	while (*p) {
		switch (*p) {
		case '"':
			search->name = p + 1;
			p = skip_string(p);
			search->name_length = (size_t)(p - search->name) - 1;
			continue;
		case '{':
		case '[':
			survey.n_marks++;
			if (++depth > survey.depth)
				survey.depth = depth;
			break;
		case '}':
		case ']':
			end_value(search, p, depth--, survey.n_marks);
			break;
		case ':':
			survey.n_marks++;
			begin_value(search, p, depth, survey.n_marks);
			break;
		case ',':
			end_value(search, p, depth, survey.n_marks);
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

size_t json_load_measure(const char *text)
{
	const char *p = text;
	unsigned depth = 0;

	while (*p) {
		const char c = *p;

		p = c == '"' ? skip_string(p) : p + 1;
		if (c == '{')
			depth++;
		else if (c == '}' && depth > 0)
			depth--;
		if (depth == 0)
			break;
	}
	return (size_t)(p - text);
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
		/* In the middle of a text. NOLINTNEXTLINE(bugprone-not-null-terminated-result) */
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

static int load_any(const char *text, const struct survey *survey, struct arena *arena,
	json_t **ret_root, json_error_t *ret_problem, struct error *err)
{
	if (load(text, survey, arena, ret_root, ret_problem, err) < 0)
		return -1;
	if (*ret_root || json_error_code(ret_problem) != json_error_numeric_overflow)
		return 0;
	return load_replaced(text, survey, arena, ret_root, ret_problem, err);
}

/* What stands in the place of the value that is left out. */
static const char placeholder[] = "{}";

static int load_rest(const char *text, const struct survey *survey, const struct search *search,
	struct arena *arena, json_t **ret_root, struct error *err)
{
	const struct json_aside *aside = search->aside;
	const size_t end = aside->offset + aside->length;
	const struct survey rest = {
		.n_marks = survey->n_marks - search->n_marks + 1,
		.size = survey->size - aside->length + strlen(placeholder),
	};
	cleanup_free char *copy = malloc(rest.size + 1);
	json_error_t ignored = { 0 };
	struct error problem = { 0 };

	if (!copy)
		return error_set(err, ERROR_SYSTEM, "out of memory");
	memcpy(copy, text, aside->offset);
	/* The rest follows. NOLINTNEXTLINE(bugprone-not-null-terminated-result) */
	memcpy(copy + aside->offset, placeholder, strlen(placeholder));
	memcpy(copy + aside->offset + strlen(placeholder), text + end, survey->size - end + 1);
	/* What is wrong with it stands somewhere else in the whole text, which tells where. */
	if (load_any(copy, &rest, arena, ret_root, &ignored, &problem) == 0 ||
		problem.kind == ERROR_SPEC)
		return 0;
	return error_adopt(err, &problem);
}

/* Whether there is such a value, and it is an object. A second one jansson refuses as a duplicate.
 */
static bool is_found(const char *text, const struct json_aside *aside)
{
	return aside && aside->length &&
	       text[aside->offset + strspn(text + aside->offset, " \t\r\n")] == '{';
}

int json_load_without(const char *text, size_t size, struct json_aside *aside, struct arena *arena,
	json_t **ret_root, struct error *err)
{
	const struct json_scan scan = { .text = text, .size = size, .err = err };
	struct search search = { .aside = aside, .text = text };
	json_error_t problem = { 0 };
	struct survey survey;
	json_t *root = NULL;

	if (size > JSON_SIZE_MAX)
		return json_scan_fail(&scan, 0, "larger than %u bytes", JSON_SIZE_MAX);
	survey = survey_text(text, &search);
	/* At a NUL jansson stops, outside of a string, as if the text ended there. */
	if (survey.depth > JSON_DEPTH_MAX || survey.size != size)
		return explain(text, size, &problem, err);
	if (is_found(text, aside) && load_rest(text, &survey, &search, arena, &root, err) < 0)
		return -1;
	if (!root && aside)
		aside->offset = aside->length = 0;
	if (!root && load_any(text, &survey, arena, &root, &problem, err) < 0)
		return -1;
	if (!root)
		return explain(text, size, &problem, err);
	*ret_root = root;
	return 0;
}

int json_load_text(
	const char *text, size_t size, struct arena *arena, json_t **ret_root, struct error *err)
{
	return json_load_without(text, size, NULL, arena, ret_root, err);
}
