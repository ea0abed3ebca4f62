/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Makes each allocation fail in turn: reading and writing documents must then
 * fail with "out of memory", free what they hold, and harm nothing. Linked
 * with --wrap for malloc(3) and its kin.
 */
#include "libspec/features.h"
#include "libspec/json_load.h"
#include "libspec/state.h"
#include "libspec/tests/load.h"

static size_t n_calls, fail_at; /* fail_at 0: none fails */
static long n_live;

void *__real_malloc(size_t size);
void *__real_calloc(size_t count, size_t size);
void *__real_realloc(void *memory, size_t size);
void __real_free(void *memory);
void *__wrap_malloc(size_t size);
void *__wrap_calloc(size_t count, size_t size);
void *__wrap_realloc(void *memory, size_t size);
void __wrap_free(void *memory);

static bool is_turn(void)
{
	return ++n_calls == fail_at;
}

static void *count(void *memory)
{
	n_live += memory != NULL;
	return memory;
}

void *__wrap_malloc(size_t size)
{
	return is_turn() ? NULL : count(__real_malloc(size));
}

void *__wrap_calloc(size_t n, size_t size)
{
	return is_turn() ? NULL : count(__real_calloc(n, size));
}

void *__wrap_realloc(void *memory, size_t size)
{
	if (is_turn())
		return NULL;
	return memory ? __real_realloc(memory, size) : count(__real_realloc(NULL, size));
}

void __wrap_free(void *memory)
{
	n_live -= memory != NULL;
	__real_free(memory);
}

/* Returns what the operation did; 0 when it had all the memory it wanted. */
static int read_config(const char *path, struct error *err)
{
	struct spec_document *document = NULL;
	const struct spec *spec;
	int result = load_whole(path, &document, &spec, err);

	if (result == 0 && strcmp(spec->hostname, "h") != 0)
		abort();
	spec_document_free(document);
	return result;
}

static int read_broken_config(const char *path, struct error *err)
{
	struct spec_document *document = NULL;
	const struct spec *spec;
	int result = load_whole(path, &document, &spec, err);

	spec_document_free(document);
	/* What is wrong with it is found, with its place, when all went well. */
	return result < 0 && err->line ? 0 : result;
}

static int write_features(const char *path, struct error *err)
{
	const struct features_facts facts = { .version = "1" };
	struct text text = { 0 };
	int result = features_write(&facts, 2, &text, err);

	(void)path;
	text_release(&text);
	return result;
}

static int write_state(const char *path, struct error *err)
{
	struct text text = { 0 };
	const struct state state = { .id = path, .bundle = path, .rootfs = path, .created = path };
	int result;

	state_write(&state, 2, &text);
	result = text_check(&text, err);
	text_release(&text);
	return result;
}

static const struct {
	int (*run)(const char *path, struct error *err);
	const char *tail; /* of the config */
} operations[] = {
	{ read_config, "" },
	{ read_broken_config, ",'linux':1" },
	{ read_broken_config, ",'domainname':18446744073709551615" },
	{ read_broken_config, ",]" },
	{ write_features, "" },
	{ write_state, "" },
};

static const char head[] =
	"{'ociVersion':'1.0.0','root':{'path':'r'},'hostname':'h','annotations':{'a':'1'},"
	"'mounts':[{'destination':'/p','type':'proc','options':['ro']}],"
	"'process':{'args':['a','b'],'cwd':'/','user':{'uid':0,'gid':0,'additionalGids':[1]},"
	"'capabilities':{'bounding':['CAP_KILL']},'consoleSize':{'height':1,'width':1},"
	"'rlimits':[{'type':'RLIMIT_AS','soft':1,'hard':18446744073709551615}]},"
	"'hooks':{'prestart':[{'path':'/x','args':['a']}]},"
	"'linux':{'namespaces':[{'type':'mount'},{'type':'uts'},{'type':'network'}],"
	"'devices':[{'path':'/d','type':'p'}],'netDevices':{'eth0':{}},"
	"'sysctl':{'net.a':'1'},'maskedPaths':['/a'],'resources':{'memory':{'limit':1},"
	"'cpu':{},'unified':{'a':'1'},'rdma':{'a':{'hcaHandles':1}},'devices':[{'allow':true}]},"
	"'seccomp':{'defaultAction':'SCMP_ACT_LOG','architectures':['SCMP_ARCH_X86'],"
	"'syscalls':[{'names':['a'],'action':'SCMP_ACT_LOG','args':[{'index':0,'value':1,"
	"'op':'SCMP_CMP_EQ'}]}]}}";

/* The config above with more members than jansson makes room for at first. */
static void make_config(char *short_form, size_t size, const char *tail)
{
	size_t used = (size_t)snprintf(short_form, size, "%s", head);

	for (int i = 0; i < 300; i++)
		used += (size_t)snprintf(short_form + used, size - used, ",'x%d':[%d]", i, i);
	snprintf(short_form + used, size - used, "%s}", tail);
}

START_TEST(fails_without_memory)
{
	static char short_form[16384];
	char path[64], *json;
	struct place place;
	int fd, result = -1;

	make_config(short_form, sizeof(short_form), operations[_i].tail);
	json = load_expand(short_form, &place);
	fd = load_file(json, strlen(json), path, sizeof(path));
	for (size_t turn = 1; result < 0; turn++) {
		struct error err = { 0 };
		long before = n_live;

		n_calls = 0;
		fail_at = turn;
		result = operations[_i].run(path, &err);
		fail_at = 0;
		ck_assert_int_eq(n_live, before);
		if (result == 0)
			ck_assert_uint_gt(turn, 1);
		else if (err.kind != ERROR_SPEC)
			ck_assert_str_eq(err.text, "out of memory");
	}
	close(fd);
	free(json);
}
END_TEST

/* What takes jansson the most memory for the least text. */
static const char *const shapes[] = { "[0],", "[],", "{},", "'',", "'abcdefghijklmno',", "1.5,",
	"[[[[[[[[]]]]]]]],", "{'':{}},",
	"{'a':0,'b':1,'c':2,'d':3,'e':4,'f':5,'g':6,'h':7,'i':8,'j':9},", "{'':{'':{'':{'':[]}}}},",
	"'\\u00e4\\u00e4\\u00e4\\u00e4'," };

/* jansson can't tell that it lacks memory: it has to get all of it beforehand. */
START_TEST(reserves_enough)
{
	static char short_form[65536];
	struct arena arena = { 0 };
	struct error err = { 0 };
	struct place place;
	size_t used = 1;
	json_t *root;
	int result;
	char *json;

	short_form[0] = '[';
	for (int i = 0; i < 1000; i++)
		used += (size_t)snprintf(
			short_form + used, sizeof(short_form) - used, "%s", shapes[_i]);
	snprintf(short_form + used, sizeof(short_form) - used, "null]");
	json = load_expand(short_form, &place);
	fail_at = 2;
	n_calls = 0;
	result = json_load_text(json, strlen(json), &arena, &root, &err);
	fail_at = 0;
	ck_assert_int_eq(result, 0);
	ck_assert_uint_eq(json_array_size(root), 1001);
	arena_release(&arena);
	free(json);
}
END_TEST

/* One object with many members, whose table grows. */
START_TEST(reserves_enough_for_members)
{
	static char json[65536] = "{";
	struct arena arena = { 0 };
	struct error err = { 0 };
	size_t used = 1;
	json_t *root;
	int result;

	for (int i = 0; i < 4200; i++)
		used += (size_t)snprintf(json + used, sizeof(json) - used, "\"%d\":0,", i);
	snprintf(json + used, sizeof(json) - used, "\"\":0}");
	fail_at = 2;
	n_calls = 0;
	result = json_load_text(json, strlen(json), &arena, &root, &err);
	fail_at = 0;
	ck_assert_int_eq(result, 0);
	arena_release(&arena);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("out_of_memory");
	TCase *tcase = tcase_create("operations");
	SRunner *runner = srunner_create(suite);
	int failed;

	tcase_add_loop_test(tcase, fails_without_memory, 0, array_size(operations));
	tcase_add_loop_test(tcase, reserves_enough, 0, array_size(shapes));
	tcase_add_test(tcase, reserves_enough_for_members);
	suite_add_tcase(suite, tcase);

	srunner_run_all(runner, CK_ENV);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
