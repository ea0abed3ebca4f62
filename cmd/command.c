/* SPDX-License-Identifier: Apache-2.0 */
#include "cmd/command.h"

#include <string.h>
#include <unistd.h>

#include "base/fd.h"

const struct option_row command_no_options[] = { { 0 } };

int command_print(struct text *text, struct error *err)
{
	int result = text_check(text, err);

	if (result == 0 && text->length &&
		fd_write_all(STDOUT_FILENO, text->data, text->length) < 0)
		result = error_set_errno(err, "write to standard output");
	text_release(text);
	return result;
}

int command_check_format(const char *format, struct error *err)
{
	if (!format || strcmp(format, "table") == 0 || strcmp(format, "json") == 0)
		return 0;
	return error_set(
		err, ERROR_USAGE, "option '--format': '%s' is neither table nor json", format);
}
