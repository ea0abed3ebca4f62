/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Specs for tests, short to write: ' stands for ", and @ for nothing but the
 * place in the text that an error has to name.
 */
#ifndef KOGG_LIBSPEC_TESTS_LOAD_H
#define KOGG_LIBSPEC_TESTS_LOAD_H

#include <check.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/attributes.h"
#include "base/log.h"
#include "libspec/spec.h"

struct place {
	unsigned line; /* 0: there is no @ */
	unsigned column;
};

/* The JSON that SHORT_FORM stands for; free() it. */
static inline char *load_expand(const char *short_form, struct place *ret_place)
{
	char *json = malloc(strlen(short_form) + 1), *out = json;
	struct place here = { 1, 1 };

	ck_assert_ptr_nonnull(json);
	*ret_place = (struct place){ 0 };
	for (; *short_form; short_form++) {
		if (*short_form == '@') {
			*ret_place = here;
			continue;
		}
		*out++ = *short_form == '\'' ? '"' : *short_form;
		here.column++;
		if (*short_form == '\n')
			here = (struct place){ here.line + 1, 1 };
	}
	*out = '\0';
	return json;
}

/* Fills a file in memory, and gives its path in RET_PATH and a descriptor to close. */
static inline int load_file(const void *data, size_t size, char *ret_path, size_t path_size)
{
	int fd = memfd_create("spec", MFD_CLOEXEC);

	ck_assert_int_ge(fd, 0);
	ck_assert_int_eq(write(fd, data, size), (ssize_t)size);
	ck_assert_int_eq(lseek(fd, 0, SEEK_SET), 0);
	snprintf(ret_path, path_size, "/proc/self/fd/%d", fd);
	return fd;
}

/* spec_load() and what it leaves to spec_load_seccomp(). */
static inline int load_whole(const char *path, struct spec_document **ret_document,
	const struct spec **ret_spec, struct error *err)
{
	const struct spec_seccomp *seccomp;

	if (spec_load(AT_FDCWD, path, ret_document, ret_spec, err) < 0)
		return -1;
	if (!(*ret_spec)->platform.has_seccomp ||
		spec_load_seccomp(*ret_document, &seccomp, err) == 0)
		return 0;
	spec_document_free(*ret_document);
	*ret_document = NULL;
	return -1;
}

/* The same of JSON text. */
static inline int load_config(const char *json, struct spec_document **ret_document,
	const struct spec **ret_spec, struct error *err)
{
	char path[64];
	int fd = load_file(json, strlen(json), path, sizeof(path));
	int result = load_whole(path, ret_document, ret_spec, err);

	close(fd);
	return result;
}

/* Fails the test unless the error is exactly this one, at this place. */
static inline void load_assert_error(
	const struct error *err, const struct place *place, const char *pointer, const char *text)
{
	char expected[2048];
	const char *found = strstr(err->text, ":");

	ck_assert_int_eq(err->kind, ERROR_SPEC);
	ck_assert_str_eq(err->pointer, pointer);
	snprintf(expected, sizeof(expected), ":%u:%u: %s%s%s", place->line, place->column, pointer,
		pointer[0] ? ": " : "", text);
	ck_assert_ptr_nonnull(found);
	ck_assert_str_eq(found, expected);
	ck_assert_uint_eq(err->line, place->line);
	ck_assert_uint_eq(err->column, place->column);
}

#endif
