/* SPDX-License-Identifier: Apache-2.0 */
#include "libcontainer/bundle.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>

#include "base/cleanup.h"
#include "base/text.h"

static int find_rootfs(struct bundle *bundle, struct error *err)
{
	const char *root = bundle->spec->root.path;
	cleanup_text struct text path = { 0 };
	struct stat st;

	if (root[0] != '/')
		text_appendf(&path, "%s/", bundle->path);
	text_append(&path, root);
	if (text_check(&path, err) < 0)
		return -1;
	bundle->rootfs = realpath(path.data, NULL);
	if (!bundle->rootfs)
		error_set_call(err, "find root directory", path.data);
	else if (stat(bundle->rootfs, &st) < 0)
		error_set_call(err, "find root directory", bundle->rootfs);
	else if (!S_ISDIR(st.st_mode))
		error_set(err, ERROR_SPEC, "root '%s' is no directory", bundle->rootfs);
	else
		return 0;
	return error_point(err, "/root/path");
}

int bundle_open(struct bundle *ret_bundle, const char *path, struct error *err)
{
	cleanup_fd int fd = -1;

	*ret_bundle = (struct bundle){ 0 };
	ret_bundle->path = realpath(path, NULL);
	if (!ret_bundle->path)
		return error_set_call(err, "find bundle", path);
	fd = open(ret_bundle->path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0)
		return error_set_call(err, "open bundle", ret_bundle->path);
	if (spec_load(fd, "config.json", &ret_bundle->document, &ret_bundle->spec, err) < 0)
		return -1;
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
