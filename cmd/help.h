/* SPDX-License-Identifier: Apache-2.0 */
/* The texts behind --help, made of the tables that parse. */
#ifndef KOGG_CMD_HELP_H
#define KOGG_CMD_HELP_H

#include "base/text.h"
#include "cmd/command.h"

/* COMMANDS ends with NULL. */
void help_program(const struct command *const *commands, const struct option_row *globals,
	struct text *ret_text);

void help_command(const struct command *command, struct text *ret_text);

#endif
