/* SPDX-License-Identifier: Apache-2.0 */
#include "libcontainer/container_id.h"

#include <string.h>

#define ID_FIRST                     \
	"abcdefghijklmnopqrstuvwxyz" \
	"ABCDEFGHIJKLMNOPQRSTUVWXYZ" \
	"0123456789_+-"

int container_id_check(const char *id, struct error *err)
{
	size_t length = strlen(id);

	if (length && length <= CONTAINER_ID_MAX && strspn(id, ID_FIRST) > 0 &&
		strspn(id, ID_FIRST ".") == length)
		return 0;
	if (length > CONTAINER_ID_MAX)
		return error_set(
			err, ERROR_USAGE, "container ID is longer than %d bytes", CONTAINER_ID_MAX);
	error_hint(err, "letters, digits and _ + - . are allowed; the first may not be a dot");
	return error_set(err, ERROR_USAGE, "invalid container ID '%s'", id);
}
