/* SPDX-License-Identifier: Apache-2.0 */
/* A config, a process and resources from any bytes; what is taken keeps the header's promises. */
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

static void check_strings(const struct spec_strings *strings)
{
	demand(!strings->items == !strings->count || strings->count == 0);
	for (size_t i = 0; i < strings->count; i++)
		demand(strings->items[i] != NULL);
	demand(!strings->items || !strings->items[strings->count]);
}

static void check_process(const struct spec_process *process)
{
	demand(process->args.count > 0 && process->cwd[0] == '/');
	check_strings(&process->args);
	check_strings(&process->env);
	for (size_t i = 0; i < process->env.count; i++)
		demand(strchr(process->env.items[i], '=') != NULL);
	for (size_t i = 0; i < process->n_rlimits; i++)
		demand(process->rlimits[i].soft <= process->rlimits[i].hard);
}

static void check_spec(const struct spec *spec)
{
	demand(spec->oci_version[0] == '1' && spec->root.path[0]);
	demand(spec->n_mounts == 0 || spec_find_namespace(spec, 0x00020000));
	for (size_t i = 0; i < spec->n_mounts; i++) {
		const struct mount_options *parsed = &spec->mounts[i].parsed;

		demand(spec->mounts[i].destination[0]);
		demand(!(parsed->here.set & parsed->here.clear & ~UINT64_C(0x70)));
		demand(!(parsed->sb_set & parsed->sb_clear));
		check_strings(&parsed->data);
	}
	if (spec->process)
		check_process(spec->process);
	for (size_t i = 0; i < spec->platform.sysctl.count; i++)
		demand(!strstr(spec->platform.sysctl.items[i].key, "/../"));
}

static void check_error(const struct error *err)
{
	demand(err->kind == ERROR_SPEC && err->line > 0 && err->column > 0);
	demand(!err->pointer[0] || err->pointer[0] == '/');
	demand(!strncmp(err->text, "/proc/self/fd/", 14));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct spec_document *documents[3] = { 0 };
	const struct spec_resources *resources;
	const struct spec_seccomp *seccomp;
	const struct spec_process *process;
	const struct spec *spec;
	struct error errs[3] = { 0 };
	int fd = memfd_create("input", MFD_CLOEXEC);
	char path[64];

	demand(fd >= 0 && write(fd, data, size) == (ssize_t)size);
	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	if (spec_load(AT_FDCWD, path, &documents[0], &spec, &errs[0]) == 0) {
		check_spec(spec);
		if (spec->platform.has_seccomp &&
			spec_load_seccomp(documents[0], &seccomp, &errs[0]) < 0)
			check_error(&errs[0]);
	} else {
		check_error(&errs[0]);
	}
	if (spec_load_process(AT_FDCWD, path, &documents[1], &process, &errs[1]) == 0)
		check_process(process);
	else
		check_error(&errs[1]);
	lseek(fd, 0, SEEK_SET);
	if (spec_load_resources(fd, path, &documents[2], &resources, &errs[2]) < 0)
		check_error(&errs[2]);
	for (int i = 0; i < 3; i++)
		spec_document_free(documents[i]);
	close(fd);
	return 0;
}
