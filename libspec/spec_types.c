/* SPDX-License-Identifier: Apache-2.0 */
#include "libspec/spec_types.h"

const char *spec_word_of(const struct spec_word *words, unsigned value)
{
	for (; words->word; words++)
		if (words->value == value)
			return words->word;
	return NULL;
}
