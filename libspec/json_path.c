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

/* Undoes append_escaped() on the reference token. Gives the '/' behind it, or NULL. */
static char *unescape(char *token)
{
	char *in = token, *out = token;
	bool is_last;

	for (; *in && *in != '/'; in++) {
		*out = *in;
		if (*in == '~' && in[1])
			*out = *++in == '0' ? '~' : '/';
		out++;
	}
	is_last = !*in;
	*out = '\0';
	return is_last ? NULL : in;
}

void json_path_parse(char *pointer, struct json_path *ret_path)
{
	char *next = *pointer == '/' ? pointer : NULL;

	ret_path->depth = 0;
	while (next && ret_path->depth < JSON_DEPTH_MAX) {
		char *name = next + 1;

		next = unescape(name);
		ret_path->steps[ret_path->depth++] = (struct json_step){ .name = name };
	}
}

static bool is_same_step(const struct json_step *step, const struct json_step *target)
{
	char index[24];

	if (step->name)
		return target->name && !strcmp(step->name, target->name);
	if (!target->name)
		return step->index == target->index;
	snprintf(index, sizeof(index), "%zu", step->index);
	return !strcmp(index, target->name);
}

bool json_path_leads_to(const struct json_path *path, const struct json_path *target)
{
	if (path->depth > target->depth)
		return false;
	for (unsigned i = 0; i < path->depth; i++)
		if (!is_same_step(&path->steps[i], &target->steps[i]))
			return false;
	return true;
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
