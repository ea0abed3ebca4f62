/* SPDX-License-Identifier: Apache-2.0 */
#include "libcontainer/kernel/tests/seccomp_profile.h"

#include <check.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/mman.h>
#include <unistd.h>

struct seccomp_profile seccomp_profile_load(const char *path)
{
	struct seccomp_profile profile = { 0 };
	const struct spec *spec;
	struct error err = { 0 };

	if (spec_load(AT_FDCWD, path, &profile.document, &spec, &err) < 0 ||
		(spec->platform.has_seccomp &&
			spec_load_seccomp(profile.document, &profile.seccomp, &err) < 0))
		printf("%s: no config: %s\n", path, err.text);
	return profile;
}

struct seccomp_profile seccomp_profile_parse(const char *json)
{
	struct seccomp_profile profile;
	char path[64];
	int fd = memfd_create("profile", 0);

	ck_assert_int_ge(fd, 0);
	dprintf(fd,
		"{\"ociVersion\":\"1.3.0\",\"root\":{\"path\":\"rootfs\"},"
		"\"linux\":{\"seccomp\":%s}}",
		json);
	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	profile = seccomp_profile_load(path);
	ck_assert_msg(profile.seccomp, "the test's own profile is broken: %s", json);
	close(fd);
	return profile;
}

void seccomp_profile_free(struct seccomp_profile *profile)
{
	spec_document_free(profile->document);
	*profile = (struct seccomp_profile){ 0 };
}
