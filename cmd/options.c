/* SPDX-License-Identifier: Apache-2.0 */
#include "cmd/options.h"

#include <limits.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/number.h"
#include "libspec/near_word.h"

/* The column where the help texts begin. */
#define HELP_COLUMN 36

static const struct option_row *find_row(
	const struct option_row *table, const char *name, size_t length)
{
	for (const struct option_row *row = table; row->name; row++) {
		if (strlen(row->name) == length && memcmp(row->name, name, length) == 0)
			return row;
		if (length == 1 && row->letter == name[0])
			return row;
	}
	return NULL;
}

static bool is_help(const char *name, size_t length)
{
	return (length == 4 && memcmp(name, "help", 4) == 0) || (length == 1 && name[0] == 'h');
}

/* The words of Go's strconv.ParseBool, which callers pass through. */
static int parse_bool(const char *text, bool *ret_value)
{
	static const struct {
		const char *word;
		bool value;
	} words[] = {
		{ "true", true },
		{ "false", false },
		{ "1", true },
		{ "0", false },
		{ "t", true },
		{ "f", false },
		{ "T", true },
		{ "F", false },
		{ "TRUE", true },
		{ "FALSE", false },
		{ "True", true },
		{ "False", false },
	};

	for (size_t i = 0; i < array_size(words); i++) {
		if (strcmp(text, words[i].word) == 0) {
			*ret_value = words[i].value;
			return 0;
		}
	}
	return -1;
}

static int read_switch(const char *text, bool *ret_value, struct error *err)
{
	if (!text)
		*ret_value = true;
	else if (parse_bool(text, ret_value) < 0)
		return error_set(err, ERROR_USAGE, "'%s' is neither true nor false", text);
	return 0;
}

static int read_number(const char *text, uint32_t *ret_value, struct error *err)
{
	if (number_parse_u32(text, ret_value) < 0)
		return error_set(
			err, ERROR_USAGE, "'%s' is not a number from 0 to %u", text, UINT_MAX);
	return 0;
}

static int add_string(const char *text, struct spec_strings *list, struct error *err)
{
	const char **items = reallocarray(list->items, list->count + 2, sizeof(*items));

	if (!items)
		return error_set(err, ERROR_SYSTEM, "out of memory");
	items[list->count++] = text;
	items[list->count] = NULL;
	list->items = items;
	return 0;
}

static int add_number(const char *text, struct spec_u32s *list, struct error *err)
{
	uint32_t *items = reallocarray(list->items, list->count + 1, sizeof(*items));

	if (!items)
		return error_set(err, ERROR_SYSTEM, "out of memory");
	list->items = items;
	if (read_number(text, &items[list->count], err) < 0)
		return -1;
	list->count++;
	return 0;
}

/* TEXT is NULL only for a switch that has no value. */
static int read_value(
	const struct option_row *row, const char *text, void *values, struct error *err)
{
	void *member = (char *)values + row->offset;

	switch (row->kind) {
	case OPTION_KIND_SWITCH:
		return read_switch(text, member, err);
	case OPTION_KIND_STRING:
		/* An empty value is none, as callers that fill in templates expect. */
		*(const char **)member = text[0] ? text : NULL;
		return 0;
	case OPTION_KIND_STRINGS:
		return add_string(text, member, err);
	case OPTION_KIND_NUMBER:
		return read_number(text, member, err);
	case OPTION_KIND_NUMBERS:
		return add_number(text, member, err);
	}
	return -1;
}

/* The option that WORD names, up to the "=" of a value, if any. */
static const char *name_of(const char *word, size_t *ret_length)
{
	const char *name = word + (word[1] == '-' ? 2 : 1);

	*ret_length = strcspn(name, "=");
	return name;
}

bool options_know(const struct option_row *table, const char *word)
{
	size_t length;
	const char *name = name_of(word, &length);

	return find_row(table, name, length) || is_help(name, length);
}

const char *options_near(const struct option_row *table, const char *word)
{
	char typed[64];
	size_t length;
	const char *name = name_of(word, &length);
	struct near_word near = { .typed = typed };

	snprintf(typed, sizeof(typed), "%.*s", (int)length, name);
	for (const struct option_row *row = table; row->name; row++)
		if (row->help)
			near_word_try(&near, row->name);
	return near.best;
}

/* Reads the option at *ARGV and leaves *ARGV behind it and its value. */
static int read_option(const struct option_row *table, const char *const **argv, void *values,
	struct options_rest *rest, struct error *err)
{
	const char *word = *(*argv)++;
	size_t length;
	const char *name = name_of(word, &length);
	const char *text = name[length] ? name + length + 1 : NULL;
	const struct option_row *row = find_row(table, name, length);

	if (!row && is_help(name, length))
		return read_switch(text, &rest->wants_help, err);
	if (!row) {
		rest->unknown = word;
		return error_set(err, ERROR_USAGE, "unknown option '%.*s'",
			(int)(name + length - word), word);
	}
	if (row->kind != OPTION_KIND_SWITCH && !text) {
		text = **argv;
		if (!text)
			return error_set(err, ERROR_USAGE, "option '%s' needs a value", word);
		++*argv;
	}
	if (read_value(row, text, values, err) < 0)
		return error_wrap(err, "option '--%s'", row->name);
	return 0;
}

static bool is_option(
	const struct option_row *table, enum options_place place, size_t n_args, const char *word)
{
	if (word[0] != '-' || !word[1])
		return false;
	if (n_args == 0 || place == OPTIONS_ANYWHERE)
		return true;
	return place == OPTIONS_KNOWN_AFTERWARDS && options_know(table, word);
}

int options_parse(const struct option_row *table, enum options_place place, const char *const *argv,
	void *values, struct options_rest *ret_rest, struct error *err)
{
	struct spec_strings args = { 0 };
	bool is_over = false;

	*ret_rest = (struct options_rest){ 0 };
	while (*argv) {
		const char *word = *argv;

		if (!is_over && strcmp(word, "--") == 0) {
			is_over = true;
			argv++;
		} else if (is_over || !is_option(table, place, args.count, word)) {
			if (add_string(word, &args, err) < 0)
				goto failed;
			is_over = is_over || place == OPTIONS_BEFORE_ARGUMENTS;
			argv++;
		} else if (read_option(table, &argv, values, ret_rest, err) < 0) {
			goto failed;
		}
	}
	ret_rest->args = args.items;
	ret_rest->n_args = args.count;
	return 0;
failed:
	free(args.items);
	return -1;
}

void options_release(const struct option_row *table, void *values, struct options_rest *rest)
{
	for (const struct option_row *row = table; row->name; row++) {
		void *member = (char *)values + row->offset;

		if (row->kind == OPTION_KIND_STRINGS) {
			free(((struct spec_strings *)member)->items);
			*(struct spec_strings *)member = (struct spec_strings){ 0 };
		} else if (row->kind == OPTION_KIND_NUMBERS) {
			free(((struct spec_u32s *)member)->items);
			*(struct spec_u32s *)member = (struct spec_u32s){ 0 };
		}
	}
	free(rest->args);
	*rest = (struct options_rest){ 0 };
}

static void describe_row(const struct option_row *row, struct text *ret_text)
{
	size_t start = ret_text->length, width;

	text_appendf(ret_text, "   --%s", row->name);
	if (row->letter)
		text_appendf(ret_text, ", -%c", row->letter);
	if (row->argument)
		text_appendf(ret_text, " %s", row->argument);
	width = ret_text->length - start;
	text_appendf(ret_text, "%*s%s\n", width < HELP_COLUMN ? (int)(HELP_COLUMN - width) : 1, "",
		row->help);
}

void options_describe(const struct option_row *table, struct text *ret_text)
{
	static const struct option_row help = {
		.name = "help", .letter = 'h', .help = "show this text"
	};

	for (const struct option_row *row = table; row->name; row++)
		if (row->help)
			describe_row(row, ret_text);
	describe_row(&help, ret_text);
}
