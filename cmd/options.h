/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Options of a command line, by table.
 *
 * The rules are those that engines and scripts know from runc, and they are
 * not getopt_long(3)'s: one dash or two before any name, `--name=value` or
 * `--name value`, `=true` or `=false` behind a switch, no clusters of letters,
 * no abbreviations, a list option is repeated and never split at commas.
 * "--" ends the options; so does the first argument, if the command wants it.
 */
#ifndef KOGG_CMD_OPTIONS_H
#define KOGG_CMD_OPTIONS_H

#include <stdbool.h>
#include <stddef.h>

#include "base/error.h"
#include "base/text.h"
#include "libspec/spec_types.h"

enum option_kind {
	OPTION_KIND_SWITCH,  /* bool */
	OPTION_KIND_STRING,  /* const char * */
	OPTION_KIND_STRINGS, /* struct spec_strings */
	OPTION_KIND_NUMBER,  /* unsigned */
	OPTION_KIND_NUMBERS, /* struct spec_u32s */
};

/* One row; a table ends with a row without a name. */
struct option_row {
	const char *name;     /* without dashes */
	char letter;          /* or 0 */
	const char *argument; /* what help calls the value; NULL for a switch */
	const char *help;     /* NULL hides the option */
	enum option_kind kind;
	size_t offset; /* of the member that takes the value */
};

/* offsetof(), but does not compile unless the member has exactly this type. */
#define OPTION_OFFSET(S, member, type) \
	(offsetof(S, member) + 0 * sizeof(_Generic(((S *)0)->member, type : 0)))

#define OPTION_SWITCH(long_name, short_name, S, member, text)                                      \
	{                                                                                          \
		.name = long_name, .letter = short_name, .help = text, .kind = OPTION_KIND_SWITCH, \
		.offset = OPTION_OFFSET(S, member, bool)                                           \
	}
#define OPTION_VALUE_(long_name, short_name, value, text, kind_, offset_)                 \
	{                                                                                 \
		.name = long_name, .letter = short_name, .argument = value, .help = text, \
		.kind = kind_, .offset = offset_                                          \
	}
#define OPTION_STRING(long_name, short_name, value, S, member, text)          \
	OPTION_VALUE_(long_name, short_name, value, text, OPTION_KIND_STRING, \
		OPTION_OFFSET(S, member, const char *))
#define OPTION_STRINGS(long_name, short_name, value, S, member, text)          \
	OPTION_VALUE_(long_name, short_name, value, text, OPTION_KIND_STRINGS, \
		OPTION_OFFSET(S, member, struct spec_strings))
#define OPTION_NUMBER(long_name, short_name, value, S, member, text)          \
	OPTION_VALUE_(long_name, short_name, value, text, OPTION_KIND_NUMBER, \
		OPTION_OFFSET(S, member, unsigned))
#define OPTION_NUMBERS(long_name, short_name, value, S, member, text)          \
	OPTION_VALUE_(long_name, short_name, value, text, OPTION_KIND_NUMBERS, \
		OPTION_OFFSET(S, member, struct spec_u32s))

/* Where in a command line options are looked for. */
enum options_place {
	OPTIONS_ANYWHERE,
	OPTIONS_BEFORE_ARGUMENTS, /* all behind the first argument is argument too */
	OPTIONS_KNOWN_AFTERWARDS, /* behind that an unknown option is an argument */
};

struct options_rest {
	const char **args; /* what was no option; ends with NULL */
	size_t n_args;
	bool wants_help;     /* -h or --help, which every table knows without a row */
	const char *unknown; /* the option that it failed at, if the table has none such */
};

/*
 * Reads ARGV, which ends with NULL, into VALUES, the struct that TABLE speaks
 * of, and gives the rest. On failure the options before the wrong one are read and
 * *RET_REST has no arguments. Both are freed with options_release(); strings belong to
 * ARGV.
 */
int options_parse(const struct option_row *table, enum options_place place, const char *const *argv,
	void *values, struct options_rest *ret_rest, struct error *err) must_check;

/* Whether TABLE has the option that WORD, with its dashes, names. */
bool options_know(const struct option_row *table, const char *word);

/* The name in TABLE that WORD, with its dashes, may be a mistyped form of; NULL when none is near.
 */
const char *options_near(const struct option_row *table, const char *word);

/* Frees the lists in VALUES, and REST. */
void options_release(const struct option_row *table, void *values, struct options_rest *rest);

/* Appends one line an option: what to type and what it does. */
void options_describe(const struct option_row *table, struct text *ret_text);

#endif
