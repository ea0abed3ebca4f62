/* SPDX-License-Identifier: Apache-2.0 */
#include "cmd/ps_table.h"

#include <stdbool.h>
#include <stdint.h>
#include <string.h>

#include "base/number.h"

#define BLANKS "\t "

/* A word in a line. The empty value, with the line's text, is what stands before the first. */
struct word {
	const char *text;
	size_t length;
	size_t end; /* the column behind it, from 0 */
};

/* Where the PIDs are. */
struct column {
	size_t end;    /* as of a word; numbers are flush right with their header */
	size_t before; /* words of the header before it */
	size_t behind; /* and behind it */
};

/* A character beyond ASCII is several bytes, and one column. */
static size_t count_columns(const char *text, size_t length)
{
	size_t count = 0;

	for (size_t i = 0; i < length; i++)
		count += ((unsigned char)text[i] & 0xc0U) != 0x80;
	return count;
}

/*
 * Moves WORD on to the next one; false at the end of the line. Looks at nothing
 * twice: a process may have 100,000 words of arguments.
 */
static bool next_word(struct word *word)
{
	const char *behind = word->text + word->length;

	word->text = behind + strspn(behind, BLANKS);
	word->length = strcspn(word->text, BLANKS "\n");
	word->end += count_columns(behind, (size_t)(word->text - behind) + word->length);
	return word->length > 0;
}

/* Of the words behind WORD. */
static size_t count_words(struct word word)
{
	size_t count = 0;

	while (next_word(&word))
		count++;
	return count;
}

static int find_column(const char *header, struct column *ret_column, struct error *err)
{
	struct word word = { .text = header };

	for (size_t i = 0; next_word(&word); i++) {
		if (word.length != 3 || memcmp(word.text, "PID", 3) != 0)
			continue;
		*ret_column = (struct column){ word.end, i, count_words(word) };
		return 0;
	}
	return error_set(
		err, ERROR_USAGE, "the output of ps has no column PID to choose processes by");
}

static bool read_pid(const struct word *word, uint64_t *ret_pid)
{
	char number[24];

	if (word->length >= sizeof(number))
		return false;
	memcpy(number, word->text, word->length);
	number[word->length] = '\0';
	return number_parse_u64(number, INT32_MAX, ret_pid) == 0;
}

/*
 * Commands have blanks in them, so counting words does not do: "sleep 30" before
 * the PID looks like one. The first column and the last are certain; else the
 * number below the header counts, or, where a wide value has moved it, the one
 * with as many words before it as the header has, or as many behind it.
 */
static bool find_pid(const char *line, const struct column *column, uint64_t *ret_pid)
{
	struct word word = { .text = line };
	size_t n_words = count_words(word);
	bool is_first = column->before == 0;
	bool is_last = column->behind == 0;
	bool is_found = false;

	for (size_t i = 0; next_word(&word); i++) {
		bool is_left = i == column->before && (is_first || !is_last);
		bool is_right = i + 1 + column->behind == n_words && !is_first;
		uint64_t pid;

		if (!read_pid(&word, &pid))
			continue;
		if (!is_first && !is_last && word.end == column->end) {
			*ret_pid = pid;
			return true;
		}
		if (is_left || (is_right && !is_found)) {
			*ret_pid = pid;
			is_found = true;
		}
	}
	return is_found;
}

static bool is_wanted(
	const char *line, const struct column *column, const struct ps_table_pids *pids)
{
	uint64_t pid;

	if (!find_pid(line, column, &pid))
		return false;
	for (size_t i = 0; i < pids->count; i++)
		if ((uint64_t)pids->items[i] == pid)
			return true;
	return false;
}

int ps_table_filter(const char *table, const struct ps_table_pids *pids, struct text *ret_text,
	struct error *err)
{
	struct column column = { 0 };

	if (find_column(table, &column, err) < 0)
		return -1;
	for (const char *line = table; *line;) {
		size_t length = strcspn(line, "\n");

		length += line[length] == '\n';
		if (line == table || is_wanted(line, &column, pids))
			text_append_bytes(ret_text, line, length);
		line += length;
	}
	return 0;
}
