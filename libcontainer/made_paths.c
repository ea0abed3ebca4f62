/* SPDX-License-Identifier: Apache-2.0 */
#include "libcontainer/made_paths.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/log.h"
#include "libcontainer/kernel/mounts.h"

static int tell(void *context, int dir_fd, const char *name, struct error *err)
{
	const struct made_paths *made = context;
	cleanup_tree struct mounts_tree writable = MOUNTS_NO_TREE;
	struct sync_made item = { 0 };
	struct stat st;

	if (fstatat(dir_fd, name, &st, AT_SYMLINK_NOFOLLOW) < 0)
		return error_set_call(err, "stat", name);
	item.device = st.st_dev;
	item.inode = st.st_ino;
	snprintf(item.name, sizeof(item.name), "%s", name);
	/* Through the mount that becomes read-only nothing could be removed any more. */
	if (made->becomes_readonly && mounts_clone(dir_fd, "", false, &writable) == 0)
		dir_fd = writable.fd;
	return sync_send_made(*made->socket, &item, dir_fd, err);
}

struct path_witness made_paths_witness(struct made_paths *made)
{
	return (struct path_witness){ tell, made };
}

static bool is_single_name(const char *name)
{
	return name[0] && !strchr(name, '/') && strcmp(name, ".") != 0 && strcmp(name, "..") != 0;
}

int made_paths_keep(
	struct made_paths *made, const struct sync_made *item, int dir_fd, struct error *err)
{
	cleanup_fd int dir = dir_fd;
	struct made_path *items;

	if (dir < 0 || !is_single_name(item->name))
		return error_set(err, ERROR_SYSTEM,
			"the container's first process sent a malformed message");
	if (made->count == MADE_PATHS_MAX) {
		made->n_forgotten++;
		return 0;
	}
	items = realloc(made->items, (made->count + 1) * sizeof(items[0]));
	if (!items)
		return error_set_errno(err, "remember '%s'", item->name);
	made->items = items;
	items[made->count++] = (struct made_path){ take_fd(&dir), *item };
	return 0;
}

static bool is_still_ours(const struct made_path *path, const struct stat *st)
{
	return st->st_dev == path->made.device && st->st_ino == path->made.inode &&
	       !(S_ISREG(st->st_mode) && st->st_size > 0);
}

static void remove_one(const struct made_path *path)
{
	const char *name = path->made.name;
	struct stat st;

	if (fstatat(path->dir, name, &st, AT_SYMLINK_NOFOLLOW) < 0 || !is_still_ours(path, &st))
		return;
	if (unlinkat(path->dir, name, S_ISDIR(st.st_mode) ? AT_REMOVEDIR : 0) == 0)
		return;
	if (errno != ENOENT && errno != ENOTEMPTY && errno != EEXIST)
		log_warning("'%s' stays in the root file system: %s", name, strerrordesc_np(errno));
}

void made_paths_remove(struct made_paths *made)
{
	for (size_t i = made->count; i-- > 0;)
		remove_one(&made->items[i]);
	if (made->n_forgotten)
		log_warning("%zu mount points stay in the root file system: only %d are remembered",
			made->n_forgotten, MADE_PATHS_MAX);
}

void made_paths_release(struct made_paths *made)
{
	for (size_t i = 0; i < made->count; i++)
		close_at(&made->items[i].dir);
	free(made->items);
	made->items = NULL;
	made->count = made->n_forgotten = 0;
}
