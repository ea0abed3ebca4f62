/* SPDX-License-Identifier: Apache-2.0 */
#include "cmd/help.h"

void help_program(const struct command *const *commands, const struct option_row *globals,
	struct text *ret_text)
{
	text_append(ret_text,
		"NAME:\n   kogg - Open Container Initiative runtime\n\n"
		"USAGE:\n   kogg [global options] command [options] [arguments...]\n\n"
		"COMMANDS:\n");
	for (const struct command *const *command = commands; *command; command++)
		text_appendf(ret_text, "   %-10s  %s\n", (*command)->name, (*command)->summary);
	text_append(ret_text, "\nGLOBAL OPTIONS:\n");
	options_describe(globals, ret_text);
}

void help_command(const struct command *command, struct text *ret_text)
{
	text_appendf(ret_text, "NAME:\n   kogg %s - %s\n\n", command->name, command->summary);
	text_appendf(ret_text, "USAGE:\n   kogg %s [options]%s%s\n\n", command->name,
		command->arguments[0] ? " " : "", command->arguments);
	text_append(ret_text, "OPTIONS:\n");
	options_describe(command->options, ret_text);
}
