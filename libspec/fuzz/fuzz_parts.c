/* SPDX-License-Identifier: Apache-2.0 */
/* The documents that stand alone, exec's process and update's resources, from any bytes. */
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "libspec/spec.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void demand(int is_true)
{
	if (!is_true)
		__builtin_trap();
}

static void check_process(const struct spec_process *process)
{
	demand(process->args.count > 0 && process->cwd[0] == '/');
	for (size_t i = 0; i < process->env.count; i++)
		demand(strchr(process->env.items[i], '=') != NULL);
	for (size_t i = 0; i < process->n_rlimits; i++)
		demand(process->rlimits[i].soft <= process->rlimits[i].hard);
}

static void check_error(const struct error *err)
{
	demand(err->kind == ERROR_SPEC && err->line > 0 && err->column > 0);
	demand(!err->pointer[0] || err->pointer[0] == '/');
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct spec_document *documents[2] = { 0 };
	const struct spec_resources *resources;
	const struct spec_process *process;
	struct error errs[2] = { 0 };
	static int fd = -1;
	static char path[64];

	if (fd < 0) {
		fd = memfd_create("input", MFD_CLOEXEC);
		snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	}
	demand(fd >= 0 && ftruncate(fd, 0) == 0 && pwrite(fd, data, size, 0) == (ssize_t)size);
	if (spec_load_process(AT_FDCWD, path, &documents[0], &process, &errs[0]) == 0)
		check_process(process);
	else
		check_error(&errs[0]);
	lseek(fd, 0, SEEK_SET);
	if (spec_load_resources(fd, path, &documents[1], &resources, &errs[1]) < 0)
		check_error(&errs[1]);
	for (int i = 0; i < 2; i++)
		spec_document_free(documents[i]);
	return 0;
}
