/* SPDX-License-Identifier: Apache-2.0 */
/* The word that was meant, when one was mistyped. */
#ifndef KOGG_LIBSPEC_NEAR_WORD_H
#define KOGG_LIBSPEC_NEAR_WORD_H

#include <stddef.h>

struct near_word {
	const char *typed;
	const char *best; /* NULL until a candidate is close enough to be meant */
	size_t distance;
};

/* Takes CANDIDATE for the best when none so far is as close. */
void near_word_try(struct near_word *near, const char *candidate);

#endif
