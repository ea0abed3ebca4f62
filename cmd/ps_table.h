/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The table that ps(1) prints, and the lines of it that belong to given
 * processes, whatever columns the user has asked for.
 */
#ifndef KOGG_CMD_PS_TABLE_H
#define KOGG_CMD_PS_TABLE_H

#include <stddef.h>
#include <sys/types.h>

#include "base/error.h"
#include "base/text.h"

struct ps_table_pids {
	const pid_t *items;
	size_t count;
};

/* Appends to RET_TEXT the header of TABLE and the lines of PIDS. A table without PIDs is an error.
 */
int ps_table_filter(const char *table, const struct ps_table_pids *pids, struct text *ret_text,
	struct error *err) must_check;

#endif
