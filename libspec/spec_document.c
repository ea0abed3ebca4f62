/* SPDX-License-Identifier: Apache-2.0 */
#include "libspec/spec.h"

#include <assert.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/file.h"
#include "base/text.h"
#include "libspec/json_load.h"
#include "libspec/json_reader.h"
#include "libspec/json_walk.h"
#include "libspec/spec_rules.h"

struct spec_document {
	struct text text;
	struct arena arena; /* the JSON tree, and the structs */
	const char *file;   /* as errors name it */
	struct json_aside seccomp_text;
	const struct spec_seccomp *seccomp; /* NULL when it is not read yet */
};

static int read_config(struct json_reader *reader, json_t *root, void *object)
{
	if (json_reader_table(reader, root, &spec_version_table, object) < 0 ||
		json_reader_table(reader, root, &spec_table, object) < 0)
		return -1;
	return spec_rules_check(object, reader->err);
}

static int read_seccomp(struct json_reader *reader, json_t *root, void *object)
{
	return json_reader_table(reader, root, &spec_seccomp_part_table, object);
}

static int read_process(struct json_reader *reader, json_t *root, void *object)
{
	return json_reader_table(reader, root, &spec_process_table, object);
}

/* A whole config has no member that resources have, and would change nothing. */
static int read_resources(struct json_reader *reader, json_t *root, void *object)
{
	static const char *const foreign[] = { "ociVersion", "linux", "resources" };

	for (size_t i = 0; i < array_size(foreign); i++)
		if (json_reader_has(root, foreign[i]))
			return json_reader_fail_at(reader, foreign[i],
				"no member of resources; expected the object that a config has in "
				"linux.resources");
	return json_reader_table(reader, root, &spec_resources_table, object);
}

/* What stands in a document: its struct, and how that is read from the tree. */
struct content {
	size_t size;
	int (*read)(struct json_reader *reader, json_t *root, void *object);
	bool is_without_seccomp;
	bool is_known;
};

static const struct content config_content = { sizeof(struct spec), read_config, true };
static const struct content kept_config_content = { sizeof(struct spec), read_config, true, true };
static const struct content seccomp_content = { sizeof(struct spec_seccomp_part), read_seccomp };
static const struct content process_content = { sizeof(struct spec_process), read_process };
static const struct content resources_content = { sizeof(struct spec_resources), read_resources };

/* Fills in the place of the error's pointer, unless there is no memory to look for it. */
static void find_place(const struct spec_document *document, struct error *err)
{
	const char *text = document->text.data;
	char pointer[sizeof(err->pointer)];
	struct error problem = { 0 };
	struct json_token token;
	struct json_path path;

	memcpy(pointer, err->pointer, sizeof(pointer));
	json_path_parse(pointer, &path);
	if (json_walk_find(text, document->text.length, &path, &token, &problem) == 0 ||
		problem.kind == ERROR_SPEC)
		json_scan_position(text, token.offset, &err->line, &err->column);
}

/* Puts the place in front: the pointer when there is one, and where that is in the file. */
static void locate(const struct spec_document *document, struct error *err)
{
	if (!err->line)
		find_place(document, err);
	if (err->pointer[0])
		error_wrap(err, "%s", err->pointer);
	if (err->line)
		error_wrap(err, "%s:%u:%u", document->file, err->line, err->column);
	else
		error_wrap(err, "%s", document->file);
}

static int read_document(struct spec_document *document, const struct content *content,
	const void **ret_object, struct error *err)
{
	struct json_reader reader = {
		.text = document->text.data,
		.size = document->text.length,
		.arena = &document->arena,
		.err = err,
		.is_silent = content->is_known,
	};
	void *object = arena_alloc(&document->arena, 1, content->size);
	struct json_aside *aside = content->is_without_seccomp ? &document->seccomp_text : NULL;
	json_t *root;

	if (!object)
		return error_set(err, ERROR_SYSTEM, "out of memory");
	if (json_load_without(reader.text, reader.size, aside, reader.arena, &root, err) < 0 ||
		content->read(&reader, root, object) < 0) {
		if (err->kind == ERROR_SPEC)
			locate(document, err);
		return -1;
	}
	*ret_object = object;
	return 0;
}

/* Takes the text into a document of its own. */
static struct spec_document *new_document(struct text *text, const char *file, struct error *err)
{
	struct spec_document *document = calloc(1, sizeof(*document));

	/* An empty file has no text at all, and is to have a place, too. */
	text_append(text, "");
	if (document)
		document->file = arena_copy(&document->arena, file);
	if (!document || !document->file || text_check(text, err) < 0) {
		error_set(err, ERROR_SYSTEM, "out of memory");
		spec_document_free(document);
		return NULL;
	}
	document->text = *text;
	*text = (struct text){ 0 };
	document->seccomp_text = (struct json_aside){ .outer = "linux", .inner = "seccomp" };
	return document;
}

static int load_text(struct text *text, const char *file, const struct content *content,
	struct spec_document **ret_document, const void **ret_object, struct error *err)
{
	struct spec_document *document = new_document(text, file, err);

	if (!document)
		return -1;
	if (read_document(document, content, ret_object, err) < 0) {
		spec_document_free(document);
		return -1;
	}
	*ret_document = document;
	return 0;
}

static int load(int dir_fd, const char *file, const struct content *content,
	struct spec_document **ret_document, const void **ret_object, struct error *err)
{
	cleanup_text struct text text = { 0 };

	if (file_read_at(dir_fd, file, JSON_SIZE_MAX, &text, err) < 0)
		return -1;
	return load_text(&text, file, content, ret_document, ret_object, err);
}

int spec_load(int dir_fd, const char *file, struct spec_document **ret_document,
	const struct spec **ret_spec, struct error *err)
{
	const void *object = NULL;

	if (load(dir_fd, file, &config_content, ret_document, &object, err) < 0)
		return -1;
	*ret_spec = object;
	return 0;
}

int spec_load_kept(int dir_fd, const char *file, struct spec_document **ret_document,
	const struct spec **ret_spec, struct error *err)
{
	const void *object = NULL;

	if (load(dir_fd, file, &kept_config_content, ret_document, &object, err) < 0)
		return -1;
	*ret_spec = object;
	return 0;
}

int spec_load_process(int dir_fd, const char *file, struct spec_document **ret_document,
	const struct spec_process **ret_process, struct error *err)
{
	const void *object = NULL;

	if (load(dir_fd, file, &process_content, ret_document, &object, err) < 0)
		return -1;
	*ret_process = object;
	return 0;
}

int spec_load_resources(int fd, const char *file, struct spec_document **ret_document,
	const struct spec_resources **ret_resources, struct error *err)
{
	cleanup_text struct text text = { 0 };
	const void *object = NULL;

	if (file_read_fd(fd, file, JSON_SIZE_MAX, &text, err) < 0 ||
		load_text(&text, file, &resources_content, ret_document, &object, err) < 0)
		return -1;
	*ret_resources = object;
	return 0;
}

int spec_load_seccomp(
	struct spec_document *document, const struct spec_seccomp **ret_seccomp, struct error *err)
{
	const struct spec_seccomp_part *part;
	const void *object = NULL;

	if (!document->seccomp) {
		if (read_document(document, &seccomp_content, &object, err) < 0)
			return -1;
		part = object;
		assert(part); /* gcc's analyzer does not see that error_set() returns -1 */
		document->seccomp = part->seccomp;
	}
	*ret_seccomp = document->seccomp;
	return 0;
}

const char *spec_document_seccomp_text(const struct spec_document *document, size_t *ret_size)
{
	const struct json_aside *aside = &document->seccomp_text;

	if (!aside->length)
		return NULL;
	*ret_size = aside->length;
	return document->text.data + aside->offset;
}

const char *spec_document_text(const struct spec_document *document, size_t *ret_size)
{
	*ret_size = document->text.length;
	return document->text.data;
}

void spec_document_locate(const struct spec_document *document, struct error *err)
{
	if (err->kind != ERROR_NONE && err->pointer[0] && !err->line)
		locate(document, err);
}

void spec_document_free(struct spec_document *document)
{
	if (!document)
		return;
	arena_release(&document->arena);
	text_release(&document->text);
	free(document);
}
