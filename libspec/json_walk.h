/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The values of a JSON text, one after the other, each with its path and its
 * place.
 *
 * jansson builds the tree (json_load.h). This tells what jansson does not:
 * where a value stands, how a number is written, and what is wrong with a text
 * that is not JSON. Each walk reads the text from its start, so it is for
 * errors and for the rare number that jansson cannot hold.
 */
#ifndef KOGG_LIBSPEC_JSON_WALK_H
#define KOGG_LIBSPEC_JSON_WALK_H

#include <stdbool.h>
#include <stddef.h>

#include "base/attributes.h"
#include "base/error.h"
#include "libspec/json_path.h"
#include "libspec/json_scan.h"

/*
 * Called with the path of each value and its first token, in the order of the
 * text; both are valid for the call only. Returns false to end the walk.
 */
typedef bool json_walk_visit(
	void *data, const struct json_path *path, const struct json_token *token);

/*
 * Walks over TEXT, which has a NUL behind SIZE bytes and is one JSON value.
 * Fails with ERROR_SPEC, line and column where it is not, or when it nests
 * more than JSON_DEPTH_MAX arrays and objects.
 */
int json_walk(const char *text, size_t size, json_walk_visit *visit, void *data, struct error *err)
	must_check;

/*
 * The first token of the value at PATH, or where that is missing of the
 * deepest one on the way to it, since that is where it would belong. Its
 * string is NULL. Fails for lack of memory, and with ERROR_SPEC where the text is
 * broken, in what json_load_without() has left aside; RET_TOKEN is then what was
 * found up to there.
 */
int json_walk_find(const char *text, size_t size, const struct json_path *path,
	struct json_token *ret_token, struct error *err) must_check;

#endif
