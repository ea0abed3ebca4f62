/* SPDX-License-Identifier: Apache-2.0 */
#include "libspec/json_dump.h"

/* A text that can't grow remembers that. */
static int take(const char *bytes, size_t size, void *text)
{
	text_append_bytes(text, bytes, size);
	return 0;
}

int json_dump_text(json_t *json, size_t flags, struct text *text, struct error *err)
{
	int result = json ? json_dump_callback(json, take, text, flags) : -1;

	json_decref(json);
	return result < 0 ? error_set(err, ERROR_SYSTEM, "out of memory") : text_check(text, err);
}
