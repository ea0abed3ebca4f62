/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Makes each allocation fail in turn: reading and writing documents must then
 * fail with "out of memory", free what they hold, and harm nothing. Linked
 * with --wrap for malloc(3) and its kin.
 */
#include "libspec/features.h"
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
	int result = spec_load(AT_FDCWD, path, &document, &spec, err);

	if (result == 0 && strcmp(spec->hostname, "h") != 0)
		abort();
	spec_document_free(document);
	return result;
}

static int read_broken_config(const char *path, struct error *err)
{
	struct spec_document *document = NULL;
	const struct spec *spec;
	int result = spec_load(AT_FDCWD, path, &document, &spec, err);

	spec_document_free(document);
	/* What is wrong with it is found when all went well. */
	return result < 0 && err->kind == ERROR_SPEC ? 0 : result;
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

static int (*const operations[])(const char *path, struct error *err) = {
	read_config,
	read_broken_config,
	write_features,
	write_state,
};

static const char head[] =
	"{'ociVersion':'1.0.0','root':{'path':'r'},'hostname':'h','annotations':{'a':'1'},"
	"'mounts':[{'destination':'/p','type':'proc','options':['ro']}],"
	"'process':{'args':['a','b'],'cwd':'/','user':{'uid':0,'gid':0,'additionalGids':[1]},"
	"'capabilities':{'bounding':['CAP_KILL']},'consoleSize':{'height':1,'width':1},"
	"'rlimits':[{'type':'RLIMIT_AS','soft':1,'hard':1}]},"
	"'hooks':{'prestart':[{'path':'/x','args':['a']}]},"
	"'linux':{'namespaces':[{'type':'mount'},{'type':'uts'},{'type':'network'}],"
	"'devices':[{'path':'/d','type':'p'}],'netDevices':{'eth0':{}},"
	"'sysctl':{'net.a':'1'},'maskedPaths':['/a'],'resources':{'memory':{'limit':1},"
	"'cpu':{},'unified':{'a':'1'},'rdma':{'a':{'hcaHandles':1}},'devices':[{'allow':true}]},"
	"'seccomp':{'defaultAction':'SCMP_ACT_LOG','architectures':['SCMP_ARCH_X86'],"
	"'syscalls':[{'names':['a'],'action':'SCMP_ACT_LOG','args':[{'index':0,'value':1,"
	"'op':'SCMP_CMP_EQ'}]}]}}";

/* The config above with enough unknown members to need the other search for duplicates. */
static void make_config(char *short_form, size_t size, bool is_broken)
{
	size_t used = (size_t)snprintf(short_form, size, "%s", head);

	for (int i = 0; i < 300; i++)
		used += (size_t)snprintf(short_form + used, size - used, ",'x%d':[%d]", i, i);
	snprintf(short_form + used, size - used, "%s}", is_broken ? ",'linux':1" : "");
}

START_TEST(fails_without_memory)
{
	static char short_form[16384];
	char path[64], *json;
	struct place place;
	int fd, result = -1;

	make_config(short_form, sizeof(short_form), operations[_i] == read_broken_config);
	json = load_expand(short_form, &place);
	fd = load_file(json, strlen(json), path, sizeof(path));
	for (size_t turn = 1; result < 0; turn++) {
		struct error err = { 0 };
		long before = n_live;

		n_calls = 0;
		fail_at = turn;
		result = operations[_i](path, &err);
		fail_at = 0;
		ck_assert_int_eq(n_live, before);
		if (result < 0)
			ck_assert_str_eq(err.text, "out of memory");
		else
			ck_assert_uint_gt(turn, 1);
	}
	close(fd);
	free(json);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("out_of_memory");
	TCase *tcase = tcase_create("operations");
	SRunner *runner = srunner_create(suite);
	int failed;

	tcase_add_loop_test(tcase, fails_without_memory, 0, array_size(operations));
	suite_add_tcase(suite, tcase);

	srunner_run_all(runner, CK_ENV);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
