/* SPDX-License-Identifier: Apache-2.0 */
#include "cmd/example.h"

#include <check.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/file.h"
#include "libspec/spec.h"

static struct error err;
static struct text text;

static void write_example(struct example_request request)
{
	memset(&err, 0, sizeof(err));
	text_release(&text);
	text = (struct text){ 0 };
	ck_assert_msg(example_write(&request, &text, &err) == 0, "%s", err.text);
}

/* KOGG_SOURCE is the source tree: meson.build sets it. */
START_TEST(is_the_file_in_the_tree)
{
	struct text file = { 0 };

	write_example((struct example_request){ 0 });
	ck_assert_msg(file_read_at(AT_FDCWD, KOGG_SOURCE "/config.example.json", 1 << 20, &file,
			      &err) == 0,
		"%s", err.text);
	ck_assert_str_eq(text.data, file.data);
	text_release(&file);
}
END_TEST

static const struct example_request requests[] = {
	{ 0 },
	{ .has_cgroup_namespace = true },
	{ .is_rootless = true, .uid = 1000, .gid = 100 },
	{ .has_cgroup_namespace = true, .is_rootless = true, .uid = 1000, .gid = 100 },
};

START_TEST(is_a_valid_config)
{
	char path[] = "/tmp/kogg-test-example-XXXXXX";
	int fd = mkstemp(path);
	struct spec_document *document;
	const struct spec *spec;

	write_example(requests[_i]);
	ck_assert_int_eq(write(fd, text.data, text.length), (ssize_t)text.length);
	close(fd);
	ck_assert_msg(spec_load(AT_FDCWD, path, &document, &spec, &err) == 0, "%s", err.text);
	ck_assert_str_eq(spec->hostname, "kogg");
	ck_assert_uint_eq(
		spec->platform.n_namespaces, 5 + (size_t)requests[_i].has_cgroup_namespace);
	spec_document_free(document);
	unlink(path);
}
END_TEST

START_TEST(asks_nothing_that_needs_privileges)
{
	write_example((struct example_request){ .is_rootless = true, .uid = 1000, .gid = 100 });
	ck_assert_ptr_null(strstr(text.data, "gid="));
	ck_assert_ptr_null(strstr(text.data, "\"network\""));
	ck_assert_ptr_null(strstr(text.data, "\"resources\""));
	ck_assert_ptr_null(strstr(text.data, "\"/sys/fs/cgroup\""));
	ck_assert_ptr_nonnull(strstr(text.data, "\t\t\"uidMappings\": [\n"
						"\t\t\t{\n"
						"\t\t\t\t\"containerID\": 0,\n"
						"\t\t\t\t\"hostID\": 1000,\n"
						"\t\t\t\t\"size\": 1\n"
						"\t\t\t}\n"
						"\t\t]"));
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("example");
	TCase *tests = tcase_create("example");
	SRunner *runner = srunner_create(suite);
	int failed;

	tcase_add_test(tests, is_the_file_in_the_tree);
	tcase_add_loop_test(tests, is_a_valid_config, 0, (int)array_size(requests));
	tcase_add_test(tests, asks_nothing_that_needs_privileges);
	suite_add_tcase(suite, tests);
	srunner_run_all(runner, CK_ENV);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed != 0;
}
