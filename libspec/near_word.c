/* SPDX-License-Identifier: Apache-2.0 */
#include "libspec/near_word.h"

#include <stdbool.h>
#include <string.h>
#include <strings.h>

/* Longer words have no suggestion; the longest word of the spec has 32 bytes. */
#define WORD_MAX 40

/* More typing mistakes than that make it another word. */
#define DISTANCE_MAX 2

static size_t least(size_t a, size_t b)
{
	return a < b ? a : b;
}

/* Letters put in, left out, or replaced (Levenshtein, two rows of the table). */
static size_t edit_distance(const char *a, size_t a_length, const char *b, size_t b_length)
{
	size_t row[WORD_MAX + 1], above_left;

	for (size_t j = 0; j <= b_length; j++)
		row[j] = j;
	for (size_t i = 1; i <= a_length; i++) {
		above_left = row[0];
		row[0] = i;
		for (size_t j = 1; j <= b_length; j++) {
			size_t replaced = above_left + (a[i - 1] != b[j - 1]);

			above_left = row[j];
			row[j] = least(replaced, least(row[j], row[j - 1]) + 1);
		}
	}
	return row[b_length];
}

/* How much of the words is the same up to an underscore: "SCMP_ACT_". */
static size_t common_stem(const char *a, const char *b)
{
	size_t stem = 0;

	for (size_t i = 0; a[i] && a[i] == b[i]; i++)
		if (a[i] == '_')
			stem = i + 1;
	return stem;
}

/* KILL for SCMP_ACT_KILL, net for network: as other tools have the words. */
static bool is_shortened(const char *typed, size_t typed_length, const char *word, size_t length)
{
	const char *end;

	if (typed_length < 2 || typed_length >= length)
		return false;
	end = word + length - typed_length;
	if (end[-1] == '_' && strcasecmp(typed, end) == 0)
		return true;
	return typed_length > 2 && !strchr(typed, '_') &&
	       strncasecmp(typed, word, typed_length) == 0;
}

void near_word_try(struct near_word *near, const char *candidate)
{
	size_t typed_length = strlen(near->typed), length = strlen(candidate), distance;

	if (typed_length > WORD_MAX || length > WORD_MAX)
		return;
	/* Not before another that is but misspelt. */
	if (!near->best && is_shortened(near->typed, typed_length, candidate, length)) {
		near->best = candidate;
		near->distance = DISTANCE_MAX + 1;
	}
	distance = strcasecmp(near->typed, candidate) == 0
			   ? 0
			   : edit_distance(near->typed, typed_length, candidate, length);
	/* A third of the letters may be wrong, lest every short word be near. */
	typed_length -= common_stem(near->typed, candidate);
	if (distance > DISTANCE_MAX || distance * 3 > typed_length)
		return;
	if (!near->best || distance < near->distance) {
		near->best = candidate;
		near->distance = distance;
	}
}
