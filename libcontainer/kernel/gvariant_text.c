/* SPDX-License-Identifier: Apache-2.0 */
#include "libcontainer/kernel/gvariant_text.h"

#include <errno.h>
#include <inttypes.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/number.h"
#include "base/text.h"

struct parser {
	const char *at;
	char type; /* that all values must have; 0: told by the first */
	struct error *err;
};

static const struct {
	const char *word; /* before a value */
	char type;
	int64_t min;
	uint64_t max;
} types[] = {
	{ "byte", 'y', 0, UINT8_MAX },
	{ "int16", 'n', INT16_MIN, INT16_MAX },
	{ "uint16", 'q', 0, UINT16_MAX },
	{ "int32", 'i', INT32_MIN, INT32_MAX },
	{ "uint32", 'u', 0, UINT32_MAX },
	{ "int64", 'x', INT64_MIN, INT64_MAX },
	{ "uint64", 't', 0, UINT64_MAX },
	{ "double", 'd', 0, 0 },
	{ "string", 's', 0, 0 },
	{ "boolean", 'b', 0, 0 },
};

static json_t *refuse(struct parser *parser, const char *what)
{
	error_set(parser->err, ERROR_SPEC, "%s at '%.32s'", what, parser->at);
	return NULL;
}

static void skip_blanks(struct parser *parser)
{
	parser->at += strspn(parser->at, " \t\n");
}

/* Remembers TYPE, or says whether it is the one remembered. */
static bool has_type(struct parser *parser, char type)
{
	if (!parser->type)
		parser->type = type;
	return parser->type == type;
}

static json_t *parse_string(struct parser *parser)
{
	cleanup_text struct text text = { 0 };
	char quote = *parser->at++;

	text_append(&text, "");
	while (*parser->at && *parser->at != quote) {
		if (*parser->at == '\\' && parser->at[1])
			parser->at++;
		text_append_bytes(&text, parser->at++, 1);
	}
	if (*parser->at != quote)
		return refuse(parser, "a string has no end");
	parser->at++;
	if (!has_type(parser, 's'))
		return refuse(parser, "a string where there should be none");
	if (text_check(&text, parser->err) < 0)
		return NULL;
	return json_string(text.data) ?: refuse(parser, "a string is not UTF-8");
}

/* An integer of the type that is wanted; int32 where none is. */
static json_t *parse_integer(struct parser *parser, const char *word)
{
	uint64_t positive = 0;
	int64_t number = 0;

	if (!parser->type)
		parser->type = 'i';
	for (size_t i = 0; i < array_size(types); i++) {
		if (types[i].type != parser->type || !types[i].max)
			continue;
		if (number_parse_u64(word, types[i].max, &positive) == 0)
			return json_integer((json_int_t)positive);
		if (number_parse_i64(word, &number) == 0 && number < 0 && number >= types[i].min)
			return json_integer(number);
	}
	return refuse(parser, "a number of the wrong type or out of range before");
}

static json_t *parse_double(struct parser *parser, const char *word)
{
	char *end;
	double number = strtod(word, &end);

	if (*end || end == word)
		return refuse(parser, "not a number before");
	parser->type = 'd';
	return json_real(number) ?: refuse(parser, "not a finite number before");
}

static json_t *parse_word(struct parser *parser)
{
	size_t length = strcspn(parser->at, " \t\n,]");
	cleanup_free char *word = strndup(parser->at, length);

	if (!word || !length)
		return refuse(parser, "a value is missing");
	parser->at += length;
	if (strcmp(word, "true") == 0 || strcmp(word, "false") == 0)
		return has_type(parser, 'b') ? json_boolean(word[0] == 't')
					     : refuse(parser, "a boolean before");
	if (parser->type == 'd' || (!parser->type && strpbrk(word, ".eE")))
		return parse_double(parser, word);
	return parse_integer(parser, word);
}

/* "uint64 ", "@t ", "@as " */
static void parse_prefix(struct parser *parser)
{
	size_t length = strcspn(parser->at, " ");

	if (parser->at[0] == '@' && length > 1 && parser->at[length] == ' ') {
		parser->type = parser->at[length - 1];
		parser->at += length;
	}
	for (size_t i = 0; i < array_size(types); i++)
		if (strlen(types[i].word) == length && parser->at[length] == ' ' &&
			memcmp(parser->at, types[i].word, length) == 0) {
			parser->type = types[i].type;
			parser->at += length;
			break;
		}
	skip_blanks(parser);
}

static json_t *parse_basic(struct parser *parser)
{
	skip_blanks(parser);
	parse_prefix(parser);
	if (*parser->at == '\'' || *parser->at == '"')
		return parse_string(parser);
	return parse_word(parser);
}

static json_t *parse_array(struct parser *parser)
{
	json_t *array = json_array();

	parser->at++;
	skip_blanks(parser);
	while (*parser->at && *parser->at != ']') {
		json_t *item = parse_basic(parser);

		if (!item || json_array_append_new(array, item) < 0)
			break;
		skip_blanks(parser);
		if (*parser->at == ',')
			parser->at++;
		else if (*parser->at != ']')
			break;
		skip_blanks(parser);
	}
	if (*parser->at++ == ']' && parser->err->kind == ERROR_NONE)
		return array;
	parser->at--;
	json_decref(array);
	return refuse(parser, "an array has no end");
}

int gvariant_text_parse(const char *text, char ret_signature[static GVARIANT_SIGNATURE_SIZE],
	json_t **ret_value, struct error *err)
{
	struct parser parser = { .at = text, .err = err };
	char signature[GVARIANT_SIGNATURE_SIZE] = "";
	bool is_array;
	json_t *value;

	skip_blanks(&parser);
	parse_prefix(&parser);
	is_array = *parser.at == '[';
	value = is_array ? parse_array(&parser) : parse_basic(&parser);
	skip_blanks(&parser);
	if (value && *parser.at) {
		json_decref(value);
		value = refuse(&parser, "more than a value");
	}
	if (!value)
		return err->kind == ERROR_NONE ? error_set(err, ERROR_SYSTEM, "out of memory") : -1;
	/* An empty array without a type can only be one of strings. */
	signature[0] = is_array ? 'a' : parser.type;
	signature[1] = is_array ? (parser.type ? parser.type : 's') : '\0';
	memcpy(ret_signature, signature, sizeof(signature));
	*ret_value = value;
	return 0;
}
