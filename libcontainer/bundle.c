/* SPDX-License-Identifier: Apache-2.0 */
#include "libcontainer/bundle.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/text.h"

/*
 * Opens the directory PATH and says where it really is, as realpath(3) would,
 * which asks for every component alone. Returns the descriptor, or -1 with
 * errno.
 */
static int open_directory(const char *path, char **ret_path)
{
	cleanup_fd int fd = open(path, O_PATH | O_DIRECTORY | O_CLOEXEC);
	char link[32], target[PATH_MAX];
	ssize_t n;

	if (fd < 0)
		return -1;
	snprintf(link, sizeof(link), "/proc/self/fd/%d", fd);
	n = readlink(link, target, sizeof(target));
	if (n > 0 && n < (ssize_t)sizeof(target) && target[0] == '/')
		*ret_path = strndup(target, (size_t)n);
	else
		*ret_path = realpath(path, NULL);
	return *ret_path ? take_fd(&fd) : -1;
}

static int find_rootfs(struct bundle *bundle, struct error *err)
{
	const char *root = bundle->spec->root.path;
	cleanup_text struct text path = { 0 };
	cleanup_fd int fd = -1;

	if (root[0] != '/')
		text_appendf(&path, "%s/", bundle->path);
	text_append(&path, root);
	if (text_check(&path, err) < 0)
		return -1;
	fd = open_directory(path.data, &bundle->rootfs);
	if (fd >= 0)
		return 0;
	if (errno == ENOTDIR)
		error_set(err, ERROR_SPEC, "root '%s' is no directory", path.data);
	else
		error_set_call(err, "find root directory", path.data);
	return error_point(err, "/root/path");
}

int bundle_open(struct bundle *ret_bundle, const char *path, const char *config, struct error *err)
{
	cleanup_fd int fd = -1;

	*ret_bundle = (struct bundle){ 0 };
	fd = open_directory(path, &ret_bundle->path);
	if (fd < 0)
		return error_set_call(err, "open bundle", path);
	if (spec_load(fd, config, &ret_bundle->document, &ret_bundle->spec, err) < 0) {
		if (!err->line)
			error_wrap(err, "bundle '%s'", ret_bundle->path);
		return -1;
	}
	if (find_rootfs(ret_bundle, err) < 0) {
		spec_document_locate(ret_bundle->document, err);
		return -1;
	}
	return 0;
}

void bundle_release(struct bundle *bundle)
{
	spec_document_free(bundle->document);
	free(bundle->path);
	free(bundle->rootfs);
	*bundle = (struct bundle){ 0 };
}
