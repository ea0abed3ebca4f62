/* SPDX-License-Identifier: Apache-2.0 */
/* The two documents that are written: state and features. */
#include <check.h>
#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#include "libspec/features.h"
#include "libspec/json_path.h"
#include "libspec/mount_options.h"
#include "libspec/state.h"

static struct spec_pair pairs[] = { { "a", "1" },
	{ "quote\"back\\", "tab\tnl\nbell\x07 \xc3\xa4 bad\xff\xc3" } };
static const struct spec_map annotations = { pairs, array_size(pairs) };

static const struct state running = {
	.id = "c1",
	.status = STATE_RUNNING,
	.has_pid = true,
	.pid = 4422,
	.bundle = "/b",
	.rootfs = "/b/rootfs",
	.created = "2026-11-24T03:42:00.123456789Z",
	.owner = "",
	.annotations = &annotations,
};

START_TEST(writes_state_as_people_read_it)
{
	struct text text = { 0 };

	state_write(&running, 2, &text);
	ck_assert_str_eq(text.data, "{\n"
				    "  \"ociVersion\": \"1.3.0\",\n"
				    "  \"id\": \"c1\",\n"
				    "  \"pid\": 4422,\n"
				    "  \"status\": \"running\",\n"
				    "  \"bundle\": \"/b\",\n"
				    "  \"rootfs\": \"/b/rootfs\",\n"
				    "  \"created\": \"2026-11-24T03:42:00.123456789Z\",\n"
				    "  \"annotations\": {\n"
				    "    \"a\": \"1\",\n"
				    "    \"quote\\\"back\\\\\": \"tab\\tnl\\nbell\\u0007 \xc3\xa4 "
				    "bad\xef\xbf\xbd\xef\xbf\xbd\"\n"
				    "  },\n"
				    "  \"owner\": \"\"\n"
				    "}");
	text_release(&text);
}
END_TEST

START_TEST(writes_state_on_one_line)
{
	const struct spec_map none = { 0 };
	struct state state = { .id = "x", .status = STATE_STOPPED, .annotations = &none };
	struct text text = { 0 };

	state_write(&state, 0, &text);
	ck_assert_str_eq(
		text.data, "{\"ociVersion\":\"1.3.0\",\"id\":\"x\",\"status\":\"stopped\"}");
	text_release(&text);
}
END_TEST

START_TEST(names_every_status)
{
	ck_assert_str_eq(state_status_word(STATE_CREATING), "creating");
	ck_assert_str_eq(state_status_word(STATE_CREATED), "created");
	ck_assert_str_eq(state_status_word(STATE_RUNNING), "running");
	ck_assert_str_eq(state_status_word(STATE_PAUSED), "paused");
	ck_assert_str_eq(state_status_word(STATE_STOPPED), "stopped");
}
END_TEST

static const char *const archs[] = { "SCMP_ARCH_X86", "SCMP_ARCH_ARM", NULL };
static const char *const flags[] = { "SECCOMP_FILTER_FLAG_LOG", NULL };
static const char *const capabilities[] = { "CAP_CHOWN", "CAP_KILL", NULL };

static const struct features_facts facts = {
	.version = "0.1.0",
	.has_seccomp = true,
	.has_apparmor = true,
	.has_cgroup_systemd = true,
	.libseccomp_version = "2.5.4",
	.seccomp_archs = archs,
	.seccomp_flags = flags,
	.capabilities = capabilities,
};

/* What stands at the pointer: a string, or how many children or 0 and 1 for false and true. */
static const struct {
	const char *pointer;
	const char *string;
	size_t number;
} features[] = {
	{ "/ociVersionMin", "1.0.0", 0 },
	{ "/ociVersionMax", "1.3.0", 0 },
	{ "/hooks", NULL, 6 },
	{ "/hooks/1", "createRuntime", 0 },
	{ "/mountOptions", NULL, 62 },
	{ "/linux/namespaces", NULL, 8 },
	{ "/linux/capabilities", NULL, 2 },
	{ "/linux/cgroup/v1", NULL, 1 },
	{ "/linux/cgroup/v2", NULL, 1 },
	{ "/linux/cgroup/systemd", NULL, 1 },
	{ "/linux/cgroup/systemdUser", NULL, 0 },
	{ "/linux/cgroup/rdma", NULL, 1 },
	{ "/linux/seccomp/enabled", NULL, 1 },
	{ "/linux/seccomp/actions", NULL, 9 },
	{ "/linux/seccomp/operators", NULL, 7 },
	{ "/linux/seccomp/archs", NULL, 2 },
	{ "/linux/seccomp/archs/1", "SCMP_ARCH_ARM", 0 },
	{ "/linux/seccomp/knownFlags", NULL, 4 },
	{ "/linux/seccomp/supportedFlags", NULL, 1 },
	{ "/linux/apparmor/enabled", NULL, 1 },
	{ "/linux/selinux/enabled", NULL, 0 },
	{ "/linux/intelRdt/enabled", NULL, 1 },
	{ "/linux/intelRdt/schemata", NULL, 1 },
	{ "/linux/intelRdt/monitoring", NULL, 1 },
	{ "/linux/memoryPolicy/modes", NULL, 7 },
	{ "/linux/memoryPolicy/flags", NULL, 3 },
	{ "/linux/mountExtensions/idmap/enabled", NULL, 1 },
	{ "/linux/netDevices/enabled", NULL, 1 },
	{ "/annotations/dev.kogg.version", "0.1.0", 0 },
	{ "/annotations/dev.kogg.checkpoint.enabled", "false", 0 },
	{ "/annotations/io.github.seccomp.libseccomp.version", "2.5.4", 0 },
	{ "/annotations", NULL, 3 },
	{ "/potentiallyUnsafeConfigAnnotations", NULL, 1 },
	{ "/potentiallyUnsafeConfigAnnotations/0", "org.systemd.property.", 0 },
};

/* The value at the pointer, which holds no escapes, or NULL. */
static const json_t *follow(const json_t *value, const char *pointer)
{
	char copy[128], *rest;

	snprintf(copy, sizeof(copy), "%s", pointer);
	for (char *name = strtok_r(copy, "/", &rest); name; name = strtok_r(NULL, "/", &rest))
		value = json_is_array(value) ? json_array_get(value, strtoul(name, NULL, 10))
					     : json_object_get(value, name);
	return value;
}

START_TEST(writes_features)
{
	struct text text = { 0 };
	struct error err = { 0 };
	const json_t *value;
	json_t *root;

	ck_assert_int_eq(features_write(&facts, 4, &text, &err), 0);
	root = json_loadb(text.data, text.length, JSON_REJECT_DUPLICATES, NULL);
	value = follow(root, features[_i].pointer);
	ck_assert_ptr_nonnull(value);
	if (features[_i].string)
		ck_assert_str_eq(json_string_value(value), features[_i].string);
	else if (json_is_boolean(value))
		ck_assert_uint_eq(json_is_true(value), features[_i].number);
	else
		ck_assert_uint_eq(
			json_is_array(value) ? json_array_size(value) : json_object_size(value),
			features[_i].number);
	text_release(&text);
	json_decref(root);
}
END_TEST

START_TEST(writes_features_without_seccomp)
{
	const struct features_facts least = { .version = "0.1.0", .commit = "abc" };
	struct text text = { 0 };
	struct error err = { 0 };

	ck_assert_int_eq(features_write(&least, 0, &text, &err), 0);
	ck_assert_ptr_nonnull(strstr(text.data, "\"seccomp\":{\"enabled\":false},"));
	ck_assert_ptr_nonnull(strstr(text.data, "\"capabilities\":[],"));
	ck_assert_ptr_nonnull(strstr(text.data, "\"dev.kogg.commit\":\"abc\","));
	ck_assert_ptr_null(strchr(text.data, '\n'));
	text_release(&text);
}
END_TEST

START_TEST(escapes_pointers)
{
	struct json_path path = { 0 };
	struct error err = { 0 };
	char pointer[64];

	json_path_format(&path, pointer, sizeof(pointer));
	ck_assert_str_eq(pointer, "");
	ck_assert_int_eq(json_path_push(&path, "a/b~c\n", 0), 0);
	ck_assert_int_eq(json_path_push(&path, NULL, 12), 0);
	ck_assert_int_eq(json_path_push(&path, "", 0), 0);
	json_path_format(&path, pointer, sizeof(pointer));
	ck_assert_str_eq(pointer, "/a~1b~0c?/12/");
	json_path_format(&path, pointer, 5);
	ck_assert_str_eq(pointer, "/a~1");
	json_path_pop(&path);
	while (path.depth < JSON_DEPTH_MAX)
		ck_assert_int_eq(json_path_push(&path, "x", 0), 0);
	ck_assert_int_eq(json_path_push(&path, "x", 0), -1);
	json_path_point(&err, "/linux/sysctl", "net/x");
	ck_assert_str_eq(err.pointer, "/linux/sysctl/net~1x");
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("state");
	TCase *tcase = tcase_create("documents");
	SRunner *runner = srunner_create(suite);
	int failed;

	tcase_add_test(tcase, writes_state_as_people_read_it);
	tcase_add_test(tcase, writes_state_on_one_line);
	tcase_add_test(tcase, names_every_status);
	tcase_add_loop_test(tcase, writes_features, 0, array_size(features));
	tcase_add_test(tcase, writes_features_without_seccomp);
	tcase_add_test(tcase, escapes_pointers);
	suite_add_tcase(suite, tcase);

	srunner_run_all(runner, CK_ENV);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
