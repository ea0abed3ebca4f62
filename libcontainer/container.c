/* SPDX-License-Identifier: Apache-2.0 */
#include "libcontainer/container.h"

#include <dirent.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "libcontainer/handle.h"

struct open_view {
	struct container_view view; /* first, so that one pointer frees both */
	struct handle handle;
};

int container_view(const struct runtime *runtime, const char *id, struct container_view **ret_view,
	struct error *err)
{
	struct open_view *open = calloc(1, sizeof(*open));

	if (!open)
		return error_set(err, ERROR_SYSTEM, "out of memory");
	if (handle_open(&open->handle, runtime, id, err) < 0) {
		handle_close(&open->handle);
		free(open);
		return -1;
	}
	handle_describe(&open->handle, &open->view.state);
	open->view.uid = open->handle.file.uid;
	*ret_view = &open->view;
	return 0;
}

void container_view_free(struct container_view *view)
{
	struct open_view *open = (struct open_view *)view;

	if (!open)
		return;
	handle_close(&open->handle);
	free(open);
}

static int compare_ids(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

static int add_id(char ***ids, size_t *count, const char *name, struct error *err)
{
	struct error invalid = { 0 };
	char **larger;

	if (container_id_check(name, &invalid) < 0)
		return 0;
	larger = reallocarray(*ids, *count + 2, sizeof(**ids));
	if (!larger)
		return error_set(err, ERROR_SYSTEM, "out of memory");
	*ids = larger;
	larger[*count] = strdup(name);
	if (!larger[*count])
		return error_set(err, ERROR_SYSTEM, "out of memory");
	larger[++*count] = NULL;
	return 0;
}

int container_list(const struct runtime *runtime, char ***ret_ids, struct error *err)
{
	cleanup_dir DIR *dir = opendir(runtime->root);
	char **ids = calloc(1, sizeof(*ids));
	struct dirent *entry;
	size_t count = 0;

	if (!ids)
		return error_set(err, ERROR_SYSTEM, "out of memory");
	if (!dir && (errno != ENOENT || runtime->is_root_given)) {
		free(ids);
		return error_set_call(err, "open state root", runtime->root);
	}
	while (dir && (errno = 0, entry = readdir(dir)))
		if (add_id(&ids, &count, entry->d_name, err) < 0)
			goto failed;
	if (dir && errno) {
		error_set_call(err, "read state root", runtime->root);
		goto failed;
	}
	qsort(ids, count, sizeof(*ids), compare_ids);
	*ret_ids = ids;
	return 0;
failed:
	container_list_free(ids);
	return -1;
}

void container_list_free(char **ids)
{
	for (char **id = ids; id && *id; id++)
		free(*id);
	free(ids);
}
