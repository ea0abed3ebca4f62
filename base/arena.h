/* SPDX-License-Identifier: Apache-2.0 */
/* Memory that is freed all at once. */
#ifndef KOGG_BASE_ARENA_H
#define KOGG_BASE_ARENA_H

#include <stddef.h>

#include "base/attributes.h"

struct arena_block;

struct arena {
	struct arena_block *blocks;
};

/* Zeroed memory, or NULL when there is none left or count * size overflows. */
void *arena_alloc(struct arena *arena, size_t count, size_t size) must_check;

/*
 * Makes room for BYTES more in one piece: allocations that fit into it cannot
 * fail. Room that is not used costs no more than the pages it touches.
 * Returns -1 when there is no memory left.
 */
int arena_reserve(struct arena *arena, size_t bytes) must_check;

/* A copy of STRING, or NULL when there is no memory left. */
char *arena_copy(struct arena *arena, const char *string) must_check;

void arena_release(struct arena *arena);

#endif
