/* SPDX-License-Identifier: Apache-2.0 */
/* What systemd is told of a container: names, paths and properties, without systemd. */
#include <stdlib.h>
#include <string.h>

#include "libcontainer/kernel/cgroup.h"
#include "libcontainer/kernel/cgroup_unit.h"
#include "libcontainer/kernel/cgroup_unit_properties.h"
#include "libcontainer/kernel/gvariant_text.h"
#include "libcontainer/kernel/tests/cgroup_resources.h"
#include "libcontainer/kernel/tests/suite.h"

static struct error err;

static const struct {
	const char *path, *slice, *name, *full; /* NULL name: refused */
} units[] = {
	{ NULL, "system.slice", "kogg-web.scope", "/system.slice/kogg-web.scope" },
	{ "", "system.slice", "kogg-web.scope", "/system.slice/kogg-web.scope" },
	{ ":p:n", "system.slice", "p-n.scope", "/system.slice/p-n.scope" },
	{ "machine.slice:libpod:0123", "machine.slice", "libpod-0123.scope",
		"/machine.slice/libpod-0123.scope" },
	{ "a-b-c.slice::n", "a-b-c.slice", "n.scope", "/a.slice/a-b.slice/a-b-c.slice/n.scope" },
	{ "-.slice:p:n", "-.slice", "p-n.scope", "/p-n.scope" },
	{ "/absolute", NULL, NULL, NULL },
	{ "a:b", NULL, NULL, NULL },
	{ "a.slice:b:", NULL, NULL, NULL },
	{ "a.slice:b:c:d", NULL, NULL, NULL },
	{ "a:b:c", NULL, NULL, NULL },
	{ ".slice:b:c", NULL, NULL, NULL },
	{ "a--b.slice:b:c", NULL, NULL, NULL },
	{ "-a.slice:b:c", NULL, NULL, NULL },
	{ "a-.slice:b:c", NULL, NULL, NULL },
	{ "../x.slice:b:c", NULL, NULL, NULL },
	{ "a.slice:../b:c", NULL, NULL, NULL },
	{ "a.slice:b:c/../d", NULL, NULL, NULL },
};

START_TEST(units_are_named)
{
	struct cgroup_unit unit;
	int result = cgroup_unit_parse(units[_i].path, "web", "system.slice", &unit, &err);

	if (!units[_i].name) {
		ck_assert_int_eq(result, -1);
		ck_assert_str_eq(err.pointer, "/linux/cgroupsPath");
		return;
	}
	suite_assert_done(result, err);
	ck_assert_str_eq(unit.slice, units[_i].slice);
	ck_assert_str_eq(unit.name, units[_i].name);
	ck_assert_str_eq(unit.path, units[_i].full);
}
END_TEST

START_TEST(long_units_are_refused)
{
	char path[400] = ":p:";
	struct cgroup_unit unit;

	memset(path + 3, 'n', 300);
	ck_assert_int_eq(cgroup_unit_parse(path, "web", "system.slice", &unit, &err), -1);
	ck_assert_str_eq(err.text, "the name of a systemd unit is too long");
}
END_TEST

static const struct {
	const char *text, *signature, *json; /* NULL: refused */
} variants[] = {
	{ "'on-failure'", "s", "\"on-failure\"" },
	{ "\"two words\"", "s", "\"two words\"" },
	{ "'it\\'s'", "s", "\"it's\"" },
	{ "true", "b", "true" },
	{ " false ", "b", "false" },
	{ "5", "i", "5" },
	{ "-5", "i", "-5" },
	{ "uint64 5000000", "t", "5000000" },
	{ "uint64 18446744073709551615", "t", "-1" },
	{ "@t 7", "t", "7" },
	{ "byte 255", "y", "255" },
	{ "1.5", "d", "1.5" },
	{ "['a', 'b']", "as", "[\"a\",\"b\"]" },
	{ "@as ['a']", "as", "[\"a\"]" },
	{ "[]", "as", "[]" },
	{ "[1,2]", "ai", "[1,2]" },
	{ "[uint64 1, 2]", "at", "[1,2]" },
	{ "", NULL, NULL },
	{ "word", NULL, NULL },
	{ "'open", NULL, NULL },
	{ "['a'", NULL, NULL },
	{ "['a' 'b']", NULL, NULL },
	{ "['a', 1]", NULL, NULL },
	{ "[[1]]", NULL, NULL },
	{ "byte 256", NULL, NULL },
	{ "uint32 -1", NULL, NULL },
	{ "99999999999", NULL, NULL },
	{ "5 6", NULL, NULL },
	{ "(1, 2)", NULL, NULL },
	{ "uint64", NULL, NULL },
	{ "@", NULL, NULL },
};

START_TEST(variants_are_read)
{
	char signature[GVARIANT_SIGNATURE_SIZE];
	json_t *value;
	char *json;
	int result = gvariant_text_parse(variants[_i].text, signature, &value, &err);

	if (!variants[_i].signature) {
		ck_assert_int_eq(result, -1);
		ck_assert_int_eq(err.kind, ERROR_SPEC);
		return;
	}
	suite_assert_done(result, err);
	ck_assert_str_eq(signature, variants[_i].signature);
	json = json_dumps(value, JSON_COMPACT | JSON_ENCODE_ANY);
	ck_assert_str_eq(json, variants[_i].json);
	free(json);
	json_decref(value);
}
END_TEST

static const struct {
	const char *resources;
	bool is_v2;
	const char *json;
} limits[] = {
	{ "{}", true, "[]" },
	{ "{\"memory\":{\"limit\":1000,\"swap\":3000,\"reservation\":500}}", true,
		"[[\"MemoryMax\",\"t\",1000],[\"MemoryLow\",\"t\",500],"
		"[\"MemorySwapMax\",\"t\",2000]]" },
	{ "{\"memory\":{\"limit\":-1}}", true,
		"[[\"MemoryMax\",\"t\",-1],[\"MemorySwapMax\",\"t\",-1]]" },
	{ "{\"memory\":{\"limit\":-1,\"swap\":3000}}", true,
		"[[\"MemoryMax\",\"t\",-1],[\"MemorySwapMax\",\"t\",3000]]" },
	{ "{\"memory\":{\"limit\":3000,\"swap\":3000}}", true,
		"[[\"MemoryMax\",\"t\",3000],[\"MemorySwapMax\",\"t\",0]]" },
	{ "{\"memory\":{\"swap\":-1}}", true, "[[\"MemorySwapMax\",\"t\",-1]]" },
	{ "{\"memory\":{\"swap\":3000}}", true, "[]" },
	{ "{\"memory\":{\"limit\":1000}}", false, "[[\"MemoryLimit\",\"t\",1000]]" },
	{ "{\"cpu\":{\"shares\":1024}}", true, "[[\"CPUWeight\",\"t\",100]]" },
	{ "{\"cpu\":{\"shares\":1024}}", false, "[[\"CPUShares\",\"t\",1024]]" },
	{ "{\"cpu\":{\"shares\":1}}", false, "[[\"CPUShares\",\"t\",2]]" },
	{ "{\"cpu\":{\"shares\":262145}}", false, "[[\"CPUShares\",\"t\",262144]]" },
	{ "{\"cpu\":{\"shares\":18446744073709551615}}", false, "[[\"CPUShares\",\"t\",262144]]" },
	{ "{\"cpu\":{\"shares\":1024,\"idle\":1}}", true, "[[\"CPUWeight\",\"t\",0]]" },
	{ "{\"cpu\":{\"quota\":50000,\"period\":200000}}", true,
		"[[\"CPUQuotaPeriodUSec\",\"t\",200000],[\"CPUQuotaPerSecUSec\",\"t\",250000]]" },
	{ "{\"cpu\":{\"quota\":12345}}", true, "[[\"CPUQuotaPerSecUSec\",\"t\",130000]]" },
	{ "{\"cpu\":{\"quota\":-1}}", true, "[[\"CPUQuotaPerSecUSec\",\"t\",-1]]" },
	{ "{\"cpu\":{\"cpus\":\"0-1,9\",\"mems\":\"0\"}}", true,
		"[[\"AllowedCPUs\",\"ay\",[3,2]],[\"AllowedMemoryNodes\",\"ay\",[1]]]" },
	{ "{\"cpu\":{\"cpus\":\"0\"}}", false, "[]" },
	{ "{\"pids\":{\"limit\":0}}", true, "[[\"TasksMax\",\"t\",1]]" },
	{ "{\"pids\":{\"limit\":-1}}", true, "[[\"TasksMax\",\"t\",-1]]" },
	{ "{\"blockIO\":{\"weight\":500}}", true, "[[\"IOWeight\",\"t\",4950]]" },
	{ "{\"unified\":{\"memory.high\":\"4096\",\"memory.min\":\"max\"}}", true,
		"[[\"MemoryHigh\",\"t\",4096],[\"MemoryMin\",\"t\",-1]]" },
	{ "{\"unified\":{\"memory.high\":\"4096\"}}", false, "[]" },
	{ "{\"unified\":{\"pids.max\":\"0\"}}", true, "[[\"TasksMax\",\"t\",1]]" },
	{ "{\"unified\":{\"cpu.max\":\"20000 50000\"}}", true,
		"[[\"CPUQuotaPeriodUSec\",\"t\",50000],[\"CPUQuotaPerSecUSec\",\"t\",400000]]" },
	{ "{\"unified\":{\"cpu.max\":\"20000\"}}", true,
		"[[\"CPUQuotaPerSecUSec\",\"t\",200000]]" },
	{ "{\"unified\":{\"cpu.max\":\"max\"}}", true, "[[\"CPUQuotaPerSecUSec\",\"t\",-1]]" },
	{ "{\"unified\":{\"cpu.max\":\"word\",\"memory.max\":\"1 2\",\"rdma.max\":\"1\"}}", true,
		"[]" },
	{ "{\"unified\":{\"cpuset.cpus\":\"0-1\",\"cpuset.mems\":\"0\"}}", true,
		"[[\"AllowedCPUs\",\"ay\",[3]],[\"AllowedMemoryNodes\",\"ay\",[1]]]" },
	{ "{\"memory\":{\"limit\":0},\"cpu\":{\"shares\":0,\"quota\":0}}", true, "[]" },
	{ "{\"cpu\":{\"idle\":0}}", true, "[]" },
	{ "{\"cpu\":{\"period\":50000}}", true, "[[\"CPUQuotaPeriodUSec\",\"t\",50000]]" },
	{ "{\"unified\":{\"memory.max\":\"64M\"}}", true, "[[\"MemoryMax\",\"t\",67108864]]" },
	{ "{\"unified\":{\"memory.min\":\"0x10k\"}}", true, "[[\"MemoryMin\",\"t\",16384]]" },
	{ "{\"unified\":{\"memory.low\":\"7E\"}}", true,
		"[[\"MemoryLow\",\"t\",8070450532247928832]]" },
	{ "{\"unified\":{\"memory.low\":\"8E\"}}", true, "[]" },
	{ "{\"unified\":{\"memory.low\":\"99999999999999999999\"}}", true, "[]" },
	{ "{\"unified\":{\"memory.low\":\"-1\"}}", true, "[]" },
	{ "{\"unified\":{\"memory.low\":\"M\"}}", true, "[]" },
	{ "{\"unified\":{\"memory.low\":\"1Mb\"}}", true, "[]" },
	{ "{\"unified\":{\"pids.max\":\"5k\"}}", true, "[]" },
	{ "{\"unified\":{\"cpu.idle\":\"1\"}}", true, "[[\"CPUWeight\",\"t\",0]]" },
	{ "{\"unified\":{\"cpu.idle\":\"0\"}}", true, "[]" },
};

/* For a group that is there. */
static const struct {
	const char *resources, *json;
} updates[] = {
	{ "{\"cpu\":{\"period\":200000}}",
		"[[\"CPUQuotaPeriodUSec\",\"t\",200000],[\"CPUQuotaPerSecUSec\",\"t\",250000]]" },
	{ "{\"cpu\":{\"quota\":20000}}", "[[\"CPUQuotaPerSecUSec\",\"t\",400000]]" },
	{ "{\"cpu\":{\"idle\":0}}", "[[\"CPUWeight\",\"t\",59]]" },
	{ "{\"cpu\":{\"idle\":0,\"shares\":1024}}", "[[\"CPUWeight\",\"t\",100]]" },
	{ "{\"cpu\":{\"idle\":1}}", "[[\"CPUWeight\",\"t\",0]]" },
	{ "{\"unified\":{\"cpu.idle\":\"0\"}}", "[[\"CPUWeight\",\"t\",59]]" },
	{ "{\"memory\":{\"swap\":3000}}", "[[\"MemorySwapMax\",\"t\",2000]]" },
	{ "{\"memory\":{\"swap\":3000,\"limit\":1500}}",
		"[[\"MemoryMax\",\"t\",1500],[\"MemorySwapMax\",\"t\",1500]]" },
	{ "{\"memory\":{\"limit\":1500}}", "[[\"MemoryMax\",\"t\",1500]]" },
};

static void assert_json(const json_t *value, const char *wanted)
{
	char *json = json_dumps(value, JSON_COMPACT);

	ck_assert_str_eq(json, wanted);
	free(json);
}

/* The last is for limits to replace. */
START_TEST(every_unit_has_these)
{
	json_t *list = json_array();

	suite_assert_done(cgroup_unit_properties_basic("web", "a.slice", list, &err), err);
	assert_json(list,
		"[[\"Description\",\"s\",\"kogg container web\"],[\"Slice\",\"s\",\"a.slice\"],"
		"[\"DefaultDependencies\",\"b\",false],[\"Delegate\",\"b\",true],"
		"[\"MemoryAccounting\",\"b\",true],[\"CPUAccounting\",\"b\",true],"
		"[\"IOAccounting\",\"b\",true],[\"TasksAccounting\",\"b\",true],"
		"[\"TasksMax\",\"t\",-1]]");
	json_decref(list);
}
END_TEST

START_TEST(limits_become_properties)
{
	cleanup_document struct spec_document *document = NULL;
	const struct spec_resources *resources =
		cgroup_resources_parse(limits[_i].resources, &document);
	json_t *list = json_array();

	suite_assert_done(cgroup_unit_properties_limits(resources, limits[_i].is_v2,
				  &cgroup_unit_now_at_first, list, &err),
		err);
	assert_json(list, limits[_i].json);
	json_decref(list);
}
END_TEST

/* Of a limit that says a part, the rest is what is in force. */
START_TEST(updates_become_whole_properties)
{
	static const struct cgroup_unit_now now = { 50000, 50000, 59, 1000 };
	cleanup_document struct spec_document *document = NULL;
	const struct spec_resources *resources =
		cgroup_resources_parse(updates[_i].resources, &document);
	json_t *list = json_array();

	suite_assert_done(cgroup_unit_properties_limits(resources, true, &now, list, &err), err);
	assert_json(list, updates[_i].json);
	json_decref(list);
}
END_TEST

START_TEST(devices_become_properties)
{
	json_t *list = json_array();

	suite_assert_done(cgroup_unit_properties_devices(NULL, true, list, &err), err);
	assert_json(list, "[[\"DevicePolicy\",\"s\",\"strict\"],[\"DeviceAllow\",\"a(ss)\",["
			  "[\"/dev/char/1:3\",\"rwm\"],[\"/dev/char/1:5\",\"rwm\"],"
			  "[\"/dev/char/1:7\",\"rwm\"],[\"/dev/char/1:8\",\"rwm\"],"
			  "[\"/dev/char/1:9\",\"rwm\"],[\"/dev/char/5:0\",\"rwm\"],"
			  "[\"/dev/char/5:2\",\"rwm\"],[\"/dev/char/10:200\",\"rwm\"],"
			  "[\"char-pts\",\"rwm\"],[\"block-*\",\"m\"],[\"char-*\",\"m\"]]]]");
	json_decref(list);
}
END_TEST

START_TEST(devices_without_a_form_are_left_to_our_program)
{
	struct spec_document *document;
	const struct spec_resources *resources = cgroup_resources_parse(
		"{\"devices\":[{\"allow\":false},{\"allow\":true,\"type\":\"c\",\"minor\":7}]}",
		&document);
	json_t *list = json_array();

	suite_assert_done(cgroup_unit_properties_devices(resources, true, list, &err), err);
	assert_json(list, "[[\"DevicePolicy\",\"s\",\"auto\"]]");
	json_decref(list);
	spec_document_free(document);
}
END_TEST

static const struct {
	const char *key, *value, *json; /* NULL: refused */
} annotations[] = {
	{ "org.systemd.property.TimeoutStopUSec", "uint64 5", "[[\"TimeoutStopUSec\",\"t\",5]]" },
	{ "org.systemd.property.TimeoutStopSec", "5", "[[\"TimeoutStopUSec\",\"t\",5000000]]" },
	{ "org.systemd.property.TimeoutStopSec", "0.5", "[[\"TimeoutStopUSec\",\"t\",500000]]" },
	{ "org.systemd.property.CollectMode", "'inactive'",
		"[[\"CollectMode\",\"s\",\"inactive\"]]" },
	{ "org.systemd.property.After", "['a.service']", "[[\"After\",\"as\",[\"a.service\"]]]" },
	{ "org.example", "whatever", "[]" },
	{ "org.systemd.property.", "1", NULL },
	{ "org.systemd.property.A B", "1", NULL },
	{ "org.systemd.property.TimeoutStopSec", "-1", NULL },
	{ "org.systemd.property.KillSignal", "SIGTERM", NULL },
};

START_TEST(annotations_become_properties)
{
	struct spec_pair pair = { annotations[_i].key, annotations[_i].value };
	const struct spec_map map = { &pair, 1 };
	json_t *list = json_array();
	int result = cgroup_unit_properties_annotations(&map, list, &err);

	if (annotations[_i].json) {
		suite_assert_done(result, err);
		assert_json(list, annotations[_i].json);
	} else {
		ck_assert_int_eq(result, -1);
		ck_assert_int_eq(strncmp(err.pointer, "/annotations/", 13), 0);
	}
	json_decref(list);
}
END_TEST

static int allocations_before; /* the one that fails */

static void *allocate(size_t size)
{
	return allocations_before-- == 0 ? NULL : malloc(size);
}

/* A state without it would leave the unit behind. */
START_TEST(a_unit_is_saved_or_that_fails)
{
	json_t *saved = json_pack(
		"{s:[], s:s, s:b}", "hierarchies", "unit", "kogg-web.scope", "userUnit", 0);
	struct cgroup *cgroup;
	json_t *again = NULL;
	int turn = 0;

	suite_assert_done(cgroup_load(saved, &cgroup, &err), err);
	for (; !again && turn < 100; turn++) {
		allocations_before = turn;
		json_set_alloc_funcs(allocate, free);
		again = cgroup_save(cgroup);
		json_set_alloc_funcs(malloc, free);
	}
	ck_assert_msg(
		json_equal(again, saved), "saved without one of its allocations, number %d", turn);
	ck_assert_int_gt(turn, 4);
	json_decref(again);
	json_decref(saved);
	cgroup_free(cgroup);
}
END_TEST

int main(void)
{
	TCase *tests = tcase_create("cgroup_unit");

	tcase_add_loop_test(tests, units_are_named, 0, array_size(units));
	tcase_add_test(tests, long_units_are_refused);
	tcase_add_loop_test(tests, variants_are_read, 0, array_size(variants));
	tcase_add_test(tests, every_unit_has_these);
	tcase_add_loop_test(tests, limits_become_properties, 0, array_size(limits));
	tcase_add_loop_test(tests, updates_become_whole_properties, 0, array_size(updates));
	tcase_add_test(tests, devices_become_properties);
	tcase_add_test(tests, devices_without_a_form_are_left_to_our_program);
	tcase_add_loop_test(tests, annotations_become_properties, 0, array_size(annotations));
	tcase_add_test(tests, a_unit_is_saved_or_that_fails);
	return suite_run(tests);
}
