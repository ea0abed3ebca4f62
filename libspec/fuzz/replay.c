/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Gives each file of the folders in its arguments to the fuzzer it is linked
 * with. For new inputs build with clang instead, without this file:
 *
 *   clang -g -I. -D_GNU_SOURCE -fsanitize=fuzzer,address,undefined \
 *     libspec/fuzz/fuzz_spec.c libspec/[a-z]*.c base/[a-z]*.c -ljansson -o fuzz_spec
 *   ./fuzz_spec NEW_INPUTS libspec/fuzz/spec
 */
#include <dirent.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/cleanup.h"
#include "base/file.h"

#define INPUT_MAX (1U << 20)

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static int replay_file(int dir_fd, const char *name)
{
	cleanup_text struct text text = { 0 };
	struct error err = { 0 };
	uint8_t *exact;

	if (file_read_at(dir_fd, name, INPUT_MAX, &text, &err) < 0) {
		fprintf(stderr, "%s\n", err.text);
		return -1;
	}
	/* A copy of just this size, so that a sanitizer sees each step beyond. */
	exact = malloc(text.length ? text.length : 1);
	if (!exact)
		return -1;
	for (size_t i = 0; i < text.length; i++)
		exact[i] = (uint8_t)text.data[i];
	LLVMFuzzerTestOneInput(exact, text.length);
	free(exact);
	return 0;
}

/* Returns how many files there were, or -1. */
static int replay_folder(const char *path)
{
	cleanup_dir DIR *dir = opendir(path);
	const struct dirent *entry;
	int count = 0;

	if (!dir) {
		perror(path);
		return -1;
	}
	while ((entry = readdir(dir))) {
		if (entry->d_name[0] == '.')
			continue;
		if (replay_file(dirfd(dir), entry->d_name) < 0)
			return -1;
		count++;
	}
	return count;
}

int main(int argc, char **argv)
{
	for (int i = 1; i < argc; i++) {
		int count = replay_folder(argv[i]);

		if (count <= 0)
			return EXIT_FAILURE;
		printf("%s: %d inputs\n", argv[i], count);
	}
	return EXIT_SUCCESS;
}
