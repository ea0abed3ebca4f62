/* SPDX-License-Identifier: Apache-2.0 */
/* linux.resources from a string, for the tests of control groups. */
#ifndef KOGG_LIBCONTAINER_KERNEL_TESTS_CGROUP_RESOURCES_H
#define KOGG_LIBCONTAINER_KERNEL_TESTS_CGROUP_RESOURCES_H

#include <check.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "libspec/spec.h"

#define cleanup_document __attribute__((cleanup(cgroup_resources_free)))

static inline void cgroup_resources_free(struct spec_document **owner)
{
	spec_document_free(*owner);
}

/* Lives as long as *RET_DOCUMENT. */
static inline const struct spec_resources *cgroup_resources_parse(
	const char *json, struct spec_document **ret_document)
{
	const struct spec_resources *resources;
	struct error err = { 0 };
	int fd = memfd_create("resources", 0);

	ck_assert_int_ge(fd, 0);
	ck_assert_int_eq(write(fd, json, strlen(json)), strlen(json));
	ck_assert_int_eq(lseek(fd, 0, SEEK_SET), 0);
	ck_assert_msg(spec_load_resources(fd, "resources", ret_document, &resources, &err) == 0,
		"%s: %s", json, err.text);
	close(fd);
	return resources;
}

#endif
