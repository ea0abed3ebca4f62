/* SPDX-License-Identifier: Apache-2.0 */
#include "libspec/json_walk.h"

#include <stdlib.h>

#include "base/cleanup.h"

struct walk {
	struct json_scan scan;
	struct json_token token; /* the next one, not used yet */
	struct json_path path;
	json_walk_visit *visit;
	void *data;
};

/* Of the functions below, those that return an int return 1 when the visitor has ended the walk. */

static int advance(struct walk *walk)
{
	return json_scan_next(&walk->scan, &walk->token);
}

static bool is_mark(const struct walk *walk, char mark)
{
	return walk->token.kind == JSON_TOKEN_MARK && walk->scan.text[walk->token.offset] == mark;
}

static int unexpected(struct walk *walk, const char *wanted)
{
	return json_scan_unexpected(&walk->scan, &walk->token, wanted);
}

static int walk_value(struct walk *walk);

/* One element or member, with the token at its start. */
static int walk_child(struct walk *walk, const char *name, size_t index)
{
	int result;

	/* As deep as the containers may nest, and that is checked. */
	if (json_path_push(&walk->path, name, index) < 0)
		__builtin_trap();
	result = walk_value(walk);
	json_path_pop(&walk->path);
	return result;
}

/* Between children: moves to the next one and says so, or is at the end. */
static int walk_separator(struct walk *walk, char end, const char *wanted, bool *ret_has_next)
{
	*ret_has_next = is_mark(walk, ',');
	if (*ret_has_next)
		return advance(walk);
	return is_mark(walk, end) ? 0 : unexpected(walk, wanted);
}

static int walk_array(struct walk *walk)
{
	bool has_next;
	int result;

	if (advance(walk) < 0)
		return -1;
	has_next = !is_mark(walk, ']');
	for (size_t i = 0; has_next; i++) {
		result = walk_child(walk, NULL, i);
		if (result == 0)
			result = walk_separator(walk, ']', "',' or ']'", &has_next);
		if (result)
			return result;
	}
	return advance(walk);
}

/* With the token where a member's name belongs. */
static int walk_member(struct walk *walk, bool is_first)
{
	const char *name = walk->token.string;

	if (walk->token.kind != JSON_TOKEN_STRING)
		return unexpected(walk,
			is_first ? "a member name in quotes or '}'" : "a member name after ','");
	if (advance(walk) < 0)
		return -1;
	if (!is_mark(walk, ':'))
		return unexpected(walk, "':' after the member name");
	if (advance(walk) < 0)
		return -1;
	return walk_child(walk, name, 0);
}

static int walk_object(struct walk *walk)
{
	bool has_next, is_first = true;
	int result;

	if (advance(walk) < 0)
		return -1;
	for (has_next = !is_mark(walk, '}'); has_next; is_first = false) {
		result = walk_member(walk, is_first);
		if (result == 0)
			result = walk_separator(walk, '}', "',' or '}'", &has_next);
		if (result)
			return result;
	}
	return advance(walk);
}

/* Walks over the value that the token begins, and reads the token behind it. */
static int walk_value(struct walk *walk)
{
	bool is_object = is_mark(walk, '{'), is_array = is_mark(walk, '[');
	enum json_token_kind kind = walk->token.kind;

	if ((kind == JSON_TOKEN_MARK && !is_object && !is_array) || kind == JSON_TOKEN_UNKNOWN ||
		kind == JSON_TOKEN_END)
		return unexpected(walk, "a value");
	if ((is_object || is_array) && walk->path.depth == JSON_DEPTH_MAX)
		return json_scan_fail(&walk->scan, walk->token.offset,
			"nested more than %d levels deep", JSON_DEPTH_MAX);
	if (!walk->visit(walk->data, &walk->path, &walk->token))
		return 1;
	if (is_object)
		return walk_object(walk);
	return is_array ? walk_array(walk) : advance(walk);
}

static int walk_text(struct walk *walk)
{
	int result;

	if (advance(walk) < 0)
		return -1;
	if (walk->token.kind == JSON_TOKEN_END)
		return json_scan_fail(&walk->scan, 0, "the file is empty");
	result = walk_value(walk);
	if (result == 0 && walk->token.kind != JSON_TOKEN_END)
		return unexpected(walk, "the end of the file");
	return result;
}

int json_walk(const char *text, size_t size, json_walk_visit *visit, void *data, struct error *err)
{
	cleanup_free char *strings = malloc(size + 1);
	struct walk walk = {
		.scan = { .text = text, .size = size, .strings = strings, .err = err },
		.visit = visit,
		.data = data,
	};

	if (!strings)
		return error_set(err, ERROR_SYSTEM, "out of memory");
	return walk_text(&walk) < 0 ? -1 : 0;
}

struct search {
	const struct json_path *path;
	struct json_token found;
};

/* What lies on the way comes before what it leads to. */
static bool search_value(void *data, const struct json_path *path, const struct json_token *token)
{
	struct search *search = data;

	if (!json_path_leads_to(path, search->path))
		return true;
	search->found = *token;
	return path->depth < search->path->depth;
}

int json_walk_find(const char *text, size_t size, const struct json_path *path,
	struct json_token *ret_token, struct error *err)
{
	struct search search = { .path = path };
	int result = json_walk(text, size, search_value, &search, err);

	search.found.string = NULL;
	*ret_token = search.found;
	return result;
}
