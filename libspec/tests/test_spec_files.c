/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The spec's own fixtures and what engines write, from the folder KOGG_SHARED,
 * by default ../shared beside the source. Without it there is nothing to read:
 * exit status 77.
 */
#include <glob.h>

#include "libspec/json_reader.h"
#include "libspec/tests/load.h"

static char shared[4096];

/* The spec's fixtures; a text is why a good one is refused here, or a bad one taken. */
struct fixture {
	const char *file;
	const char *text; /* the end of the error; NULL: no error */
};

static const struct fixture fixtures[] = {
	{ "good/linux-rdma.json", NULL },
	{ "good/minimal-for-start.json", NULL },
	{ "good/minimal.json", NULL },
	/* moving a device into the runtime's own namespace is no move: traps.md, 92 */
	{ "good/linux-netdevice.json", "/linux/netDevices: needs a network namespace" },
	/* written for a version before 1.0 */
	{ "good/spec-example.json",
		"/ociVersion: this build takes 1.x, written as in '1.3.0'; not '0.5.0-dev'" },
	{ "good/zos-example.json",
		"/ociVersion: this build takes 1.x, written as in '1.3.0'; not '0.5.0-dev'" },
	/* other platforms: their members are unknown here, and ignored */
	{ "good/zos-minimal.json", NULL },
	{ "good/freebsd-minimal.json", NULL },
	{ "bad/freebsd-vnet-disable.json", NULL },
	{ "good/freebsd-example.json", "/mounts: needs a mount namespace" },
	{ "bad/invalid-json.json", ":1:2: expected a member name in quotes or '}', found ']'" },
	{ "bad/linux-hugepage.json", ":11:33: /linux/resources/hugepageLimits/0/pageSize: "
				     "must be a number and KB, MB or GB" },
	{ "bad/linux-netdevice.json",
		":9:25: /linux/netDevices/eth0/name: expected a string, found an integer" },
	{ "bad/linux-rdma.json", ":10:35: /linux/resources/rdma/mlx5_1/hcaHandles: "
				 "expected an unsigned integer, found a string" },
};

static void assert_ends_with(const char *text, const char *end)
{
	size_t length = strlen(text), end_length = strlen(end);

	ck_assert_msg(length >= end_length && !strcmp(text + length - end_length, end),
		"'%s' does not end with '%s'", text, end);
}

START_TEST(takes_or_refuses_a_fixture)
{
	const struct fixture *fixture = &fixtures[_i];
	struct spec_document *document = NULL;
	const struct spec *spec;
	struct error err = { 0 };
	char path[5000];
	int result;

	snprintf(path, sizeof(path), "%s/spec/schema/test/config/%s", shared, fixture->file);
	result = load_whole(path, &document, &spec, &err);
	if (fixture->text) {
		ck_assert_int_eq(result, -1);
		ck_assert_int_eq(err.kind, ERROR_SPEC);
		assert_ends_with(err.text, fixture->text);
	} else {
		ck_assert_msg(result == 0, "%s", err.text);
	}
	spec_document_free(document);
}
END_TEST

START_TEST(has_a_row_for_each_fixture)
{
	char pattern[5000];
	glob_t found;

	snprintf(pattern, sizeof(pattern), "%s/spec/schema/test/config/*/*.json", shared);
	ck_assert_int_eq(glob(pattern, 0, NULL, &found), 0);
	ck_assert_uint_eq(found.gl_pathc, array_size(fixtures));
	globfree(&found);
}
END_TEST

/*
 * Whether the table has the field at POINTER, without its first '/'. There
 * "x[]" is an array of objects, "{x}" any name, and "x*" all fields that begin
 * with x.
 */
static bool has_field(const struct json_table *table, const char *pointer)
{
	size_t length = strcspn(pointer, "/[*");
	bool is_prefix = pointer[length] == '*', is_found = false;

	for (const struct json_field *field = table->fields; field->name; field++) {
		const char *rest = pointer + length;

		if (strncmp(field->name, pointer, length) != 0 ||
			(!is_prefix && field->name[length]))
			continue;
		rest += strspn(rest, "*[]");
		if (field->kind == JSON_KIND_NAMED_OBJECTS && *rest)
			rest += 1 + strcspn(rest + 1, "/");
		if (*rest && (!field->table || !has_field(field->table, rest + 1)))
			return false;
		is_found = true;
	}
	return is_found;
}

static bool is_for_linux(const char *pointer)
{
	return strcmp(pointer, "/process/user/username") && strcmp(pointer, "/process/commandLine");
}

START_TEST(has_a_field_for_each_of_the_spec)
{
	char path[5000], line[4096], pointer[256];
	int count = 0;
	FILE *file;

	snprintf(path, sizeof(path), "%s/spec/fields.md", shared);
	file = fopen(path, "re");
	ck_assert_ptr_nonnull(file);
	while (fgets(line, sizeof(line), file)) {
		if (sscanf(line, "| `%255[^`]`", pointer) != 1 || pointer[0] != '/')
			continue;
		count++;
		ck_assert_msg(has_field(&spec_version_table, pointer + 1) ||
				      has_field(&spec_seccomp_part_table, pointer + 1) ||
				      has_field(&spec_table, pointer + 1) == is_for_linux(pointer),
			"%s", pointer);
	}
	fclose(file);
	ck_assert_int_gt(count, 180);
	ck_assert(!has_field(&spec_table, "linux/nothing"));
	ck_assert(!has_field(&spec_table, "mounts[]/nothing"));
	ck_assert(!has_field(&spec_table, "hooks/*[]/nothing"));
}
END_TEST

static int load_engine_file(const char *path, struct spec_document **document, struct error *err)
{
	const struct spec_resources *resources;
	const struct spec_process *process;
	const struct spec *spec;
	int fd, result;

	if (strstr(path, ".process."))
		return spec_load_process(AT_FDCWD, path, document, &process, err);
	if (!strstr(path, ".resources."))
		return load_whole(path, document, &spec, err);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	ck_assert_int_ge(fd, 0);
	result = spec_load_resources(fd, path, document, &resources, err);
	close(fd);
	return result;
}

START_TEST(takes_what_engines_write)
{
	char pattern[5000];
	glob_t found;

	snprintf(pattern, sizeof(pattern), "%s/engine-configs/*.json", shared);
	ck_assert_int_eq(glob(pattern, 0, NULL, &found), 0);
	ck_assert_uint_gt(found.gl_pathc, 200);
	for (size_t i = 0; i < found.gl_pathc; i++) {
		struct spec_document *document = NULL;
		struct error err = { 0 };

		ck_assert_msg(
			load_engine_file(found.gl_pathv[i], &document, &err) == 0, "%s", err.text);
		spec_document_free(document);
	}
	globfree(&found);
}
END_TEST

static bool find_shared(const char *source)
{
	const char *given = getenv("KOGG_SHARED");

	if (given)
		snprintf(shared, sizeof(shared), "%s", given);
	else
		snprintf(shared, sizeof(shared), "%s/../shared", source);
	return access(shared, F_OK) == 0;
}

int main(int argc, char **argv)
{
	Suite *suite = suite_create("spec_files");
	TCase *tcase = tcase_create("files");
	SRunner *runner;
	int failed;

	if (!find_shared(argc > 1 ? argv[1] : ".")) {
		printf("skipped: there is no folder '%s' (KOGG_SHARED)\n", shared);
		return 77;
	}
	runner = srunner_create(suite);
	tcase_add_loop_test(tcase, takes_or_refuses_a_fixture, 0, array_size(fixtures));
	tcase_add_test(tcase, has_a_row_for_each_fixture);
	tcase_add_test(tcase, has_a_field_for_each_of_the_spec);
	tcase_add_test(tcase, takes_what_engines_write);
	tcase_set_timeout(tcase, 60);
	suite_add_tcase(suite, tcase);

	srunner_run_all(runner, CK_ENV);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
