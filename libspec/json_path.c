/* SPDX-License-Identifier: Apache-2.0 */
#include "libspec/json_path.h"

#include <assert.h>
#include <stdio.h>
#include <string.h>

struct buffer {
	char *data;
	size_t used;
	size_t size;
};

int json_path_push(struct json_path *path, const char *name, size_t index)
{
	if (path->depth == JSON_DEPTH_MAX)
		return -1;
	path->steps[path->depth++] = (struct json_step){ .name = name, .index = index };
	return 0;
}

void json_path_pop(struct json_path *path)
{
	assert(path->depth > 0);
	path->depth--;
}

static void append(struct buffer *buffer, const char *string)
{
	for (; *string && buffer->used + 1 < buffer->size; string++)
		buffer->data[buffer->used++] = *string;
}

/* RFC 6901, section 3 */
static void append_escaped(struct buffer *buffer, const char *name)
{
	for (; *name; name++) {
		char plain[2] = { *name, '\0' };

		if (*name == '~')
			append(buffer, "~0");
		else if (*name == '/')
			append(buffer, "~1");
		else
			append(buffer, (unsigned char)*name < 0x20 || *name == 0x7f ? "?" : plain);
	}
}

void json_path_format(const struct json_path *path, char *data, size_t size)
{
	struct buffer buffer = { .data = data, .size = size };

	for (unsigned i = 0; i < path->depth; i++) {
		const struct json_step *step = &path->steps[i];
		char index[24];

		append(&buffer, "/");
		if (step->name) {
			append_escaped(&buffer, step->name);
			continue;
		}
		snprintf(index, sizeof(index), "%zu", step->index);
		append(&buffer, index);
	}
	data[buffer.used] = '\0';
}

void json_path_join(const char *object, const char *name, char *data, size_t size)
{
	struct buffer buffer = { .data = data, .size = size };

	append(&buffer, object);
	append(&buffer, "/");
	append_escaped(&buffer, name);
	data[buffer.used] = '\0';
}

int json_path_point(struct error *err, const char *object, const char *name)
{
	char pointer[sizeof(err->pointer)];

	json_path_join(object, name, pointer, sizeof(pointer));
	return error_point(err, "%s", pointer);
}
