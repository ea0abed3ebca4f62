/* SPDX-License-Identifier: Apache-2.0 */
/* Any bytes as each of the words that the command line reads; what is taken is as strict as
 * promised. */
#include <errno.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/number.h"
#include "cmd/duration.h"
#include "cmd/escape.h"
#include "cmd/signals.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void demand(int is_true)
{
	if (!is_true)
		__builtin_trap();
}

/* What strtoull(3) makes of a word that is digits alone. */
static int is_decimal(const char *word, uint64_t max, uint64_t *ret_value)
{
	if (!*word || word[strspn(word, "0123456789")])
		return 0;
	errno = 0;
	*ret_value = strtoull(word, NULL, 10);
	return !errno && *ret_value <= max;
}

static void check_numbers(const char *word)
{
	uint64_t value = 7, wanted = 0;
	uint32_t small = 7;
	int64_t number = 7;
	int is_taken = number_parse_u64(word, UINT64_MAX, &value) == 0;

	demand(is_taken == is_decimal(word, UINT64_MAX, &wanted));
	demand(value == (is_taken ? wanted : 7));
	is_taken = number_parse_u32(word, &small) == 0;
	demand(is_taken == is_decimal(word, UINT32_MAX, &wanted));
	demand(small == (is_taken ? wanted : 7));
	is_taken = number_parse_i64(word, &number) == 0;
	if (word[0] != '-')
		demand(is_taken == is_decimal(word, INT64_MAX, &wanted));
	else
		demand(is_taken == is_decimal(word + 1, UINT64_C(1) << 63, &wanted));
	if (number_parse_octal(word, 07777, &value) == 0)
		demand(value <= 07777 && !word[strspn(word, "01234567")]);
	if (number_parse_bytes(word, &number) == 0)
		demand(number >= -1);
}

static void check_meanings(const char *word)
{
	struct error err = { 0 };
	int64_t ms = -1;
	int signal = -1;

	if (signals_parse(word, &signal, &err) == 0)
		demand(signal >= 0 && signal <= 64 && err.kind == ERROR_NONE);
	else
		demand(signal == -1 && err.kind != ERROR_NONE && err.text[0]);
	if (duration_parse(word, &ms) == 0)
		demand(ms >= 0 && ms <= DURATION_MS_MAX);
	else
		demand(ms == -1);
}

/* Nothing of it ends a line or moves a cursor. */
static void check_is_printable(const struct text *text)
{
	for (size_t i = 0; i < text->length; i++)
		demand((unsigned char)text->data[i] >= ' ' && text->data[i] != 0x7f);
}

static void check_escapes(const char *word)
{
	cleanup_text struct text quoted = { 0 }, plain = { 0 };

	escape_quoted(word, &quoted);
	escape_plain(word, &plain);
	demand(quoted.length >= 2 && quoted.data[0] == '"' &&
		quoted.data[quoted.length - 1] == '"');
	check_is_printable(&quoted);
	check_is_printable(&plain);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *word = malloc(size + 1);

	demand(word != NULL);
	memcpy(word, data, size);
	word[size] = '\0';
	check_numbers(word);
	check_meanings(word);
	check_escapes(word);
	free(word);
	return 0;
}
