/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Mount options and ID mappings: each line of the input is a word among a
 * mount's options, or with three numbers a mapping of the user namespace.
 */
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "libspec/json_writer.h"
#include "libspec/spec.h"
#include "libspec/spec_id_mappings.h"

#define ATIMES UINT64_C(0x70) /* MOUNT_ATTR__ATIME */

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void demand(int is_true)
{
	if (!is_true)
		__builtin_trap();
}

static bool is_mapping(const char *line, unsigned long long numbers[3])
{
	int end = 0;

	return sscanf(line, "%llu %llu %llu%n", &numbers[0], &numbers[1], &numbers[2], &end) == 3 &&
	       !line[end];
}

/* Both as arrays. */
static void sort_lines(char *input, struct text *options, struct text *mappings)
{
	struct json_writer words = { .text = options }, maps = { .text = mappings };
	unsigned long long numbers[3];
	char *rest = input;

	json_writer_open(&words, NULL, '[');
	json_writer_open(&maps, NULL, '[');
	for (char *line = strsep(&rest, "\n"); line; line = strsep(&rest, "\n")) {
		if (!is_mapping(line, numbers)) {
			json_writer_string(&words, NULL, line);
			continue;
		}
		json_writer_open(&maps, NULL, '{');
		json_writer_number(&maps, "containerID", (int64_t)numbers[0]);
		json_writer_number(&maps, "hostID", (int64_t)numbers[1]);
		json_writer_number(&maps, "size", (int64_t)numbers[2]);
		json_writer_close(&maps, '}');
	}
	json_writer_close(&words, ']');
	json_writer_close(&maps, ']');
}

static void check_attributes(const struct mount_attributes *attributes)
{
	demand(!(attributes->set & attributes->clear & ~ATIMES));
	demand(!(attributes->set & ATIMES) || (attributes->clear & ATIMES) == ATIMES);
}

static void check_options(const struct mount_options *options)
{
	check_attributes(&options->here);
	check_attributes(&options->recursive);
	demand(!(options->sb_set & options->sb_clear));
	demand(!options->is_recursive || options->is_bind);
	demand(!(options->propagation & ~(MS_SHARED | MS_PRIVATE | MS_SLAVE | MS_UNBINDABLE)));
	demand(!options->is_bind || options->is_remount || !options->data.count);
	for (size_t i = 0; i < options->data.count; i++)
		demand(options->data.items[i] && options->data.items[i][0]);
}

static bool overlap(uint32_t a, uint32_t a_size, uint32_t b, uint32_t b_size)
{
	return a < (uint64_t)b + b_size && b < (uint64_t)a + a_size;
}

/* None of a list that was taken wraps round, is empty, or meets another. */
static void check_mappings(const struct spec_id_mappings *mappings)
{
	for (size_t i = 0; i < mappings->count; i++) {
		const struct spec_id_mapping *a = &mappings->items[i];

		demand(a->size > 0);
		demand((uint64_t)a->container_id + a->size <= UINT32_MAX);
		demand((uint64_t)a->host_id + a->size <= UINT32_MAX);
		demand(spec_id_mappings_contain(mappings, a->container_id + a->size - 1));
		for (size_t k = 0; k < i; k++) {
			const struct spec_id_mapping *b = &mappings->items[k];

			demand(!overlap(a->container_id, a->size, b->container_id, b->size));
			demand(!overlap(a->host_id, a->size, b->host_id, b->size));
		}
	}
}

static void load(const struct text *config)
{
	struct spec_document *document = NULL;
	const struct spec *spec;
	struct error err = { 0 };
	static int fd = -1;
	char path[64];

	if (fd < 0)
		fd = memfd_create("input", MFD_CLOEXEC);
	demand(fd >= 0 && ftruncate(fd, 0) == 0);
	demand(pwrite(fd, config->data, config->length, 0) == (ssize_t)config->length);
	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	if (spec_load(AT_FDCWD, path, &document, &spec, &err) < 0) {
		demand(err.kind == ERROR_SPEC && err.line > 0 && err.pointer[0] == '/');
		return;
	}
	demand(spec->n_mounts == 1);
	check_options(&spec->mounts[0].parsed);
	check_mappings(&spec->platform.uid_mappings);
	check_mappings(&spec->platform.gid_mappings);
	spec_document_free(document);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	cleanup_text struct text options = { 0 }, mappings = { 0 }, config = { 0 };
	cleanup_free char *input = malloc(size + 1);
	struct error err = { 0 };

	demand(input != NULL);
	memcpy(input, data, size);
	input[size] = '\0';
	sort_lines(input, &options, &mappings);
	demand(text_check(&options, &err) == 0 && text_check(&mappings, &err) == 0);
	text_appendf(&config,
		"{\"ociVersion\":\"1.3.0\",\"root\":{\"path\":\"r\"},\"linux\":{\"namespaces\":"
		"[{\"type\":\"mount\"},{\"type\":\"user\"}],\"uidMappings\":%s,\"gidMappings\":%s},"
		"\"mounts\":[{\"destination\":\"/d\",\"type\":\"tmpfs\",\"source\":\"s\",\"options\":%s}]}",
		mappings.data, mappings.data, options.data);
	demand(text_check(&config, &err) == 0);
	load(&config);
	return 0;
}
