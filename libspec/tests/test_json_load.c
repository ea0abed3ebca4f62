/* SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include "libspec/json_load.h"
#include "libspec/json_walk.h"
#include "libspec/tests/load.h"

static struct arena arena;
static struct error err;
static const char *text;
static json_t *root;

static void setup(void)
{
	arena = (struct arena){ 0 };
	err = (struct error){ 0 };
	root = NULL;
}

static void teardown(void)
{
	arena_release(&arena);
}

static int load(const char *json)
{
	text = json;
	return json_load_text(json, strlen(json), &arena, &root, &err);
}

/* The token of the value at POINTER, or of what is nearest to it. */
static struct json_token find(const char *pointer)
{
	struct json_token token = { 0 };
	struct json_path path;
	char copy[256];

	snprintf(copy, sizeof(copy), "%s", pointer);
	json_path_parse(copy, &path);
	ck_assert_int_eq(json_walk_find(text, strlen(text), &path, &token, &err), 0);
	return token;
}

/* Here @ is not written as the place, since the texts are full of quotes: LINE and COLUMN are. */
static const struct {
	const char *json;
	unsigned line;
	unsigned column;
	const char *text;
} rejected[] = {
	{ "", 1, 1, "the file is empty" },
	{ "  \n", 1, 1, "the file is empty" },
	{ "\xef\xbb\xbf{}", 1, 1, "the file begins with a byte order mark" },
	{ "{]", 1, 2, "expected a member name in quotes or '}', found ']'" },
	{ "{'a':1}", 1, 2, "expected a member name in quotes or '}', found '''" },
	{ "{a:1}", 1, 2, "expected a member name in quotes or '}', found 'a'" },
	{ "{\"a\" 1}", 1, 6, "expected ':' after the member name, found a number" },
	{ "{\"a\":}", 1, 6, "expected a value, found '}'" },
	{ "{\"a\":1,}", 1, 8, "expected a member name after ',', found '}'" },
	{ "{\"a\":1 \"b\":2}", 1, 8, "expected ',' or '}', found a string" },
	{ "{\n\t\"a\": [\n\t\t1,\n\t]\n}", 4, 2, "expected a value, found ']'" },
	{ "[1 2]", 1, 4, "expected ',' or ']', found a number" },
	{ "[1", 1, 3, "expected ',' or ']', found the end of the file" },
	{ "{\"a\":", 1, 6, "expected a value, found the end of the file" },
	{ "{\"a\"", 1, 5, "expected ':' after the member name, found the end of the file" },
	{ "{", 1, 2, "expected a member name in quotes or '}', found the end of the file" },
	{ "{} {}", 1, 4, "expected the end of the file, found '{'" },
	{ "[]\nfoo", 2, 1, "expected the end of the file, found 'foo'" },
	{ "[True]", 1, 2, "expected a value, found 'True'" },
	{ "[nullx]", 1, 2, "expected a value, found 'nullx'" },
	{ "[// no\n]", 1, 2, "expected a value, found '/'" },
	{ "[\x01]", 1, 2, "expected a value, found byte 0x01" },
	{ "[\xff]", 1, 2, "expected a value, found byte 0xff" },
	{ "[01]", 1, 2, "'01' is not a JSON number" },
	{ "[-]", 1, 2, "'-' is not a JSON number" },
	{ "[1.]", 1, 2, "'1.' is not a JSON number" },
	{ "[1e]", 1, 2, "'1e' is not a JSON number" },
	{ "[1e+]", 1, 2, "'1e+' is not a JSON number" },
	{ "[.5]", 1, 2, "expected a value, found '.'" },
	{ "[+1]", 1, 2, "expected a value, found '+'" },
	{ "[0x1f]", 1, 2, "'0x1f' is not a JSON number" },
	{ "[18446744073709551615,01]", 1, 23, "'01' is not a JSON number" },
	{ "[1e999}", 1, 7, "expected ',' or ']', found '}'" },
	{ "[1-2]", 1, 2, "'1-2' is not a JSON number" },
	{ "[-a]", 1, 2, "'-a' is not a JSON number" },
	{ "[\"a]", 1, 2, "a string without a closing quote" },
	{ "[\"a\nb\"]", 1, 2, "a string without a closing quote" },
	{ "[\"a\tb\"]", 1, 4, "control character 0x09 in a string" },
	{ "[\"a\\", 1, 4, "unknown escape in a string" },
	{ "[\"a\\x\"]", 1, 4, "unknown escape in a string" },
	{ "[\"\\u12g4\"]", 1, 3, "\\u without four hexadecimal digits in a string" },
	{ "[\"\\u12", 1, 3, "\\u without four hexadecimal digits in a string" },
	{ "[\"ab\\u0000\"]", 1, 5, "NUL (\\u0000) in a string" },
	{ "{\"\\u0000\":1}", 1, 3, "NUL (\\u0000) in a string" },
	{ "[\"\\ud800\"]", 1, 3, "half of a surrogate pair, \\ud800, in a string" },
	{ "[\"\\ud800\\u0041\"]", 1, 3, "half of a surrogate pair, \\ud800, in a string" },
	{ "[\"\\udc00\\ud800\"]", 1, 3, "half of a surrogate pair, \\udc00, in a string" },
	{ "[\"\x80\"]", 1, 3, "byte 0x80 is not UTF-8" },
	{ "[\"\xc0\xaf\"]", 1, 3, "byte 0xc0 is not UTF-8" },
	{ "[\"\xe0\x9f\xbf\"]", 1, 3, "byte 0xe0 is not UTF-8" },
	{ "[\"\xed\xa0\x80\"]", 1, 3, "byte 0xed is not UTF-8" },
	{ "[\"\xf0\x8f\xbf\xbf\"]", 1, 3, "byte 0xf0 is not UTF-8" },
	{ "[\"\xf4\x90\x80\x80\"]", 1, 3, "byte 0xf4 is not UTF-8" },
	{ "[\"\xf5\x80\x80\x80\"]", 1, 3, "byte 0xf5 is not UTF-8" },
	{ "[\"\xe2\x82\"]", 1, 3, "byte 0xe2 is not UTF-8" },
	{ "[\"\xc3", 1, 3, "byte 0xc3 is not UTF-8" },
};

START_TEST(rejects_with_place_and_reason)
{
	ck_assert_int_eq(load(rejected[_i].json), -1);
	ck_assert_int_eq(err.kind, ERROR_SPEC);
	ck_assert_str_eq(err.text, rejected[_i].text);
	ck_assert_uint_eq(err.line, rejected[_i].line);
	ck_assert_uint_eq(err.column, rejected[_i].column);
}
END_TEST

static const struct {
	const char *json;
	size_t size;
	unsigned column;
	const char *text;
} with_nul[] = {
	{ "[\"a\0b\"]", 7, 4, "control character 0x00 in a string" },
	{ "[\"a\0", 4, 4, "control character 0x00 in a string" },
	{ "\0", 1, 1, "expected a value, found byte 0x00" },
	{ "{}\0", 3, 3, "expected the end of the file, found byte 0x00" },
	{ "{}\0{}", 5, 3, "expected the end of the file, found byte 0x00" },
	{ "[1,\0]", 5, 4, "expected a value, found byte 0x00" },
	{ "[1\0]", 4, 3, "expected ',' or ']', found byte 0x00" },
};

START_TEST(rejects_a_raw_nul)
{
	ck_assert_int_eq(
		json_load_text(with_nul[_i].json, with_nul[_i].size, &arena, &root, &err), -1);
	ck_assert_str_eq(err.text, with_nul[_i].text);
	ck_assert_uint_eq(err.line, 1);
	ck_assert_uint_eq(err.column, with_nul[_i].column);
}
END_TEST

static const struct {
	const char *json;
	const char *pointer;
	unsigned column;
} duplicates[] = {
	{ "{\"a\":1,\"b\":2,\"a\":3}", "/a", 18 },
	{ "{\"x\":[0,{\"a/b\":1,\"a\\u002fb\":3}]}", "/x/1/a~1b", 29 },
	{ "{\"\":1,\"\":3}", "/", 10 },
	{ "[{\"\\u0061\":1,\"a\" : [3]},}", "/0/a", 20 },
	{ "{\"a\":18446744073709551615,\"a\":1}", "/a", 31 },
};

START_TEST(rejects_duplicates)
{
	ck_assert_int_eq(load(duplicates[_i].json), -1);
	ck_assert_str_eq(err.pointer, duplicates[_i].pointer);
	ck_assert_str_eq(err.text, "is there twice");
	ck_assert_uint_eq(err.column, duplicates[_i].column);
}
END_TEST

START_TEST(rejects_duplicates_among_many)
{
	char json[4096] = "{";
	size_t used = 1;

	for (int i = 0; i < 100; i++)
		used += (size_t)snprintf(json + used, sizeof(json) - used, "\"m%d\":%d,\n",
			i == 60 || i == 80 ? 7 : i, i);
	snprintf(json + used, sizeof(json) - used, "\"last\":0}");
	ck_assert_int_eq(load(json), -1);
	ck_assert_str_eq(err.pointer, "/m7");
	ck_assert_uint_eq(err.line, 61);
	ck_assert_uint_eq(err.column, 6);
}
END_TEST

START_TEST(takes_many_members)
{
	char json[4096] = "{";
	size_t used = 1;

	for (int i = 0; i < 100; i++)
		used += (size_t)snprintf(json + used, sizeof(json) - used, "\"m%d\":%d,", i, i);
	snprintf(json + used, sizeof(json) - used, "\"last\":0}");
	ck_assert_int_eq(load(json), 0);
	ck_assert_uint_eq(json_object_size(root), 101);
	ck_assert_int_eq(json_integer_value(json_object_get(root, "m99")), 99);
	ck_assert_ptr_null(json_object_get(root, "m100"));
}
END_TEST

static void nested(char *json, int depth)
{
	memset(json, '[', (size_t)depth);
	memset(json + depth, ']', (size_t)depth);
	json[2 * depth] = '\0';
}

START_TEST(caps_the_depth)
{
	char json[512];

	nested(json, JSON_DEPTH_MAX + 1);
	ck_assert_int_eq(load(json), -1);
	ck_assert_str_eq(err.text, "nested more than 64 levels deep");
	ck_assert_uint_eq(err.column, JSON_DEPTH_MAX + 1);
	err = (struct error){ 0 };
	nested(json, JSON_DEPTH_MAX);
	ck_assert_int_eq(load(json), 0);
}
END_TEST

/* Brackets in strings are none, and brackets that are closed count no more. */
START_TEST(counts_only_open_brackets)
{
	char json[1024] = "[\"\\\"[[\",\"\\\\\",";
	size_t used = strlen(json);

	for (int i = 0; i < 100; i++)
		used += (size_t)snprintf(json + used, sizeof(json) - used, "{},\"{\",");
	snprintf(json + used, sizeof(json) - used, "[0]]");
	ck_assert_int_eq(load(json), 0);
	ck_assert_uint_eq(json_array_size(root), 203);
}
END_TEST

START_TEST(caps_the_size)
{
	ck_assert_int_eq(json_load_text("{}", JSON_SIZE_MAX + 1, &arena, &root, &err), -1);
	ck_assert_str_eq(err.text, "larger than 16777216 bytes");
}
END_TEST

/* What jansson makes of a number, and what it is. */
static const struct {
	const char *json;
	json_type type;
	enum json_token_kind kind;
	uint64_t magnitude;
	bool is_negative;
} numbers[] = {
	{ "0", JSON_INTEGER, JSON_TOKEN_INTEGER, 0, false },
	{ "-0", JSON_INTEGER, JSON_TOKEN_INTEGER, 0, true },
	{ "-1", JSON_INTEGER, JSON_TOKEN_INTEGER, 1, true },
	{ "9223372036854775807", JSON_INTEGER, JSON_TOKEN_INTEGER, INT64_MAX, false },
	{ "9223372036854775808", JSON_REAL, JSON_TOKEN_INTEGER, UINT64_C(9223372036854775808),
		false },
	{ "-9223372036854775808", JSON_INTEGER, JSON_TOKEN_INTEGER, UINT64_C(9223372036854775808),
		true },
	{ "-9223372036854775809", JSON_REAL, JSON_TOKEN_HUGE, 0, false },
	{ "18446744073709551615", JSON_REAL, JSON_TOKEN_INTEGER, UINT64_MAX, false },
	{ "18446744073709551616", JSON_REAL, JSON_TOKEN_HUGE, 0, false },
	{ "99999999999999999999999999999999", JSON_REAL, JSON_TOKEN_HUGE, 0, false },
	{ "1.0", JSON_REAL, JSON_TOKEN_REAL, 0, false },
	{ "1e3", JSON_REAL, JSON_TOKEN_REAL, 0, false },
	{ "-1.5E-300", JSON_REAL, JSON_TOKEN_REAL, 0, false },
	{ "1e999", JSON_REAL, JSON_TOKEN_REAL, 0, false },
};

START_TEST(keeps_numbers_exact)
{
	struct json_token token;
	char json[128];

	snprintf(json, sizeof(json), "[%s,%s]", numbers[_i].json, numbers[_i].json);
	ck_assert_int_eq(load(json), 0);
	ck_assert_uint_eq(json_array_size(root), 2);
	ck_assert_int_eq(json_typeof(json_array_get(root, 1)), numbers[_i].type);
	if (numbers[_i].type == JSON_INTEGER)
		ck_assert_uint_eq((uint64_t)json_integer_value(json_array_get(root, 1)),
			numbers[_i].is_negative ? 0 - numbers[_i].magnitude
						: numbers[_i].magnitude);
	token = find("/1");
	ck_assert_int_eq(token.kind, numbers[_i].kind);
	if (token.kind != JSON_TOKEN_INTEGER)
		return;
	ck_assert_uint_eq(token.magnitude, numbers[_i].magnitude);
	ck_assert_int_eq(token.is_negative, numbers[_i].is_negative);
}
END_TEST

static const struct {
	const char *json;
	const char *value;
} strings[] = {
	{ "\"\"", "" },
	{ "\"18446744073709551615\"", "18446744073709551615" },
	{ "\"\\\"\\\\\\/\\b\\f\\n\\r\\t\"", "\"\\/\b\f\n\r\t" },
	{ "\"\\u0041\\u00e4\\u20AC\"", "A\xc3\xa4\xe2\x82\xac" },
	{ "\"\\ud83d\\ude00\"", "\xf0\x9f\x98\x80" },
	{ "\"\\udbff\\udfff\"", "\xf4\x8f\xbf\xbf" },
	{ "\"\xc3\xa4 \xe2\x82\xac \xf0\x9f\x98\x80 \x7f\"",
		"\xc3\xa4 \xe2\x82\xac \xf0\x9f\x98\x80 \x7f" },
};

static bool compare_string(void *data, const struct json_path *path, const struct json_token *token)
{
	ck_assert_uint_eq(path->depth, 0);
	ck_assert_int_eq(token->kind, JSON_TOKEN_STRING);
	ck_assert_str_eq(token->string, data);
	return true;
}

/* jansson, and our own scan */
START_TEST(decodes_strings)
{
	char value[64];

	ck_assert_int_eq(load(strings[_i].json), 0);
	ck_assert(json_is_string(root));
	ck_assert_str_eq(json_string_value(root), strings[_i].value);
	snprintf(value, sizeof(value), "%s", strings[_i].value);
	ck_assert_int_eq(json_walk(text, strlen(text), compare_string, value, &err), 0);
}
END_TEST

static bool append_pointer(void *data, const struct json_path *path, const struct json_token *token)
{
	char *seen = data, pointer[32];

	json_path_format(path, pointer, sizeof(pointer));
	snprintf(seen + strlen(seen), 256 - strlen(seen), "%s@%zu ", pointer, token->offset);
	return strcmp(pointer, "/c/0") != 0;
}

START_TEST(walks_in_order_until_told_to_stop)
{
	char seen[256] = "";

	ck_assert_int_eq(
		load(" { \"b\" : [ true , {} ] ,\r\n\t\"a\" : { } , \"c\":[null,1] } "), 0);
	ck_assert_int_eq(json_walk(text, strlen(text), append_pointer, seen, &err), 0);
	ck_assert_str_eq(seen, "@1 /b@9 /b/0@11 /b/1@18 /a@33 /c@43 /c/0@44 ");
}
END_TEST

START_TEST(keeps_the_order_of_members)
{
	void *iter;

	ck_assert_int_eq(load("{\"z\":1,\"a\":2,\"m\":18446744073709551615}"), 0);
	iter = json_object_iter(root);
	ck_assert_str_eq(json_object_iter_key(iter), "z");
	iter = json_object_iter_next(root, iter);
	ck_assert_str_eq(json_object_iter_key(iter), "a");
	iter = json_object_iter_next(root, iter);
	ck_assert_str_eq(json_object_iter_key(iter), "m");
	ck_assert_ptr_null(json_object_iter_next(root, iter));
}
END_TEST

static const struct {
	const char *pointer;
	size_t offset;
} places[] = {
	{ "", 0 },
	{ "/a", 5 },
	{ "/a/0", 6 },
	{ "/a/1/x~1y", 15 },
	{ "/a/1/x", 8 }, /* missing: where it would belong */
	{ "/a/2", 5 },
	{ "/a/01", 5 },
	{ "/a/-", 5 },
	{ "/a/99999999999999999999999999", 5 },
	{ "/m~0", 25 },
	{ "/m", 0 },
	{ "/", 33 },
	{ "/nothing/below", 0 },
	{ "no pointer", 0 },
};

START_TEST(finds_the_nearest)
{
	ck_assert_int_eq(load("{\"a\":[1,{\"x/y\":[]}],\"m~\":true,\"\":2}"), 0);
	ck_assert_uint_eq(find(places[_i].pointer).offset, places[_i].offset);
}
END_TEST

/* What is left out, and what is in its place; NULL: it is in the tree after all. */
static const struct {
	const char *json; /* ' stands for " */
	const char *aside;
} asides[] = {
	{ "{'linux':{'seccomp':{'a':1}}}", "{'a':1}" },
	{ "{'a':[{'linux':{}}],'linux': {'b':{}, 'seccomp' :\n{'a':[1,{}]} \n, 'c':2},'d':3}",
		"\n{'a':[1,{}]} \n" },
	{ "{'linux':{'seccomp':{'}':'{\\'','b':']'}}}", "{'}':'{\\'','b':']'}" },
	/* What nobody looks at may be anything. */
	{ "{'linux':{'seccomp':{'a' 1}}}", "{'a' 1}" },
	{ "{'linux':{'seccomp':{'a':1,'a':2}}}", "{'a':1,'a':2}" },
	{ "{'linux':{'seccomp':{'a':1]}}", "{'a':1]" },
	{ "{'linux':{'seccomp':{'a':[1}}}}", "{'a':[1}}" },
	/* Elsewhere it is something else. */
	{ "{'seccomp':{}}", NULL },
	{ "{'linux':{'a':{'seccomp':{}}}}", NULL },
	{ "{'linux':{},'a':{'seccomp':{}}}", NULL },
	{ "{'a':{'linux':{'seccomp':{}}}}", NULL },
	{ "{'a':{'seccomp':{}},'linux':{}}", NULL },
	{ "{'linux':['seccomp',{}]}", NULL },
	{ "{'linux':{'seccomps':{}}}", NULL },
	{ "{'linux':{'secc':{}}}", NULL },
	{ "{'linux':{'a':'seccomp','b':{}}}", NULL },
	/* Not an object, or not in plain letters. */
	{ "{'linux':{'seccomp':null}}", NULL },
	{ "{'linux':{'seccomp':5}}", NULL },
	{ "{'linux':{'seccomp':['{']}}", NULL },
	{ "{'linux':{'secc\\u006fmp':{}}}", NULL },
	/* A number that jansson can't hold, in either part. */
	{ "{'a':18446744073709551615,'linux':{'seccomp':{'a':18446744073709551615}}}",
		"{'a':18446744073709551615}" },
};

START_TEST(leaves_an_object_out)
{
	struct json_aside aside = { .outer = "linux", .inner = "seccomp" };
	struct place place;
	char *json = load_expand(asides[_i].json, &place), *wanted;
	const json_t *left;

	ck_assert_int_eq(json_load_without(json, strlen(json), &aside, &arena, &root, &err), 0);
	left = json_object_get(json_object_get(root, "linux"), "seccomp");
	if (asides[_i].aside) {
		wanted = load_expand(asides[_i].aside, &place);
		ck_assert_uint_eq(aside.length, strlen(wanted));
		ck_assert_mem_eq(json + aside.offset, wanted, aside.length);
		ck_assert(json_is_object(left) && !json_object_size(left));
		free(wanted);
	} else {
		ck_assert_uint_eq(aside.length, 0);
	}
	free(json);
}
END_TEST

/* What is wrong is found where it stands in the whole text. */
static const struct {
	const char *json;
	unsigned column;
	const char *text;
} rejected_without[] = {
	{ "{'linux':{'seccomp':{'a':1},'seccomp':{}}}", 39, "is there twice" },
	{ "{'linux':{'seccomp':{'a':1},'secc\\u006fmp':{}}}", 44, "is there twice" },
	{ "{'linux':{'seccomp':{'a':1}},'linux':{}}", 38, "is there twice" },
	{ "{'linux':{'seccomp':{'a':1}},'b':}", 34, "expected a value, found '}'" },
	{ "{'n':1e999,'linux':{'seccomp':{'a':1}},'b':}", 44, "expected a value, found '}'" },
	{ "{'linux':{'seccomp':{'a':1}", 28, NULL },
};

START_TEST(refuses_with_the_place_in_the_whole)
{
	struct json_aside aside = { .outer = "linux", .inner = "seccomp" };
	struct place place;
	char *json = load_expand(rejected_without[_i].json, &place);

	ck_assert_int_eq(json_load_without(json, strlen(json), &aside, &arena, &root, &err), -1);
	ck_assert_int_eq(err.kind, ERROR_SPEC);
	ck_assert_uint_eq(err.column, rejected_without[_i].column);
	if (rejected_without[_i].text)
		ck_assert_str_eq(err.text, rejected_without[_i].text);
	free(json);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("json_load");
	TCase *tcase = tcase_create("texts");
	SRunner *runner = srunner_create(suite);
	int failed;

	tcase_add_checked_fixture(tcase, setup, teardown);
	tcase_add_loop_test(tcase, rejects_with_place_and_reason, 0, array_size(rejected));
	tcase_add_loop_test(tcase, rejects_a_raw_nul, 0, array_size(with_nul));
	tcase_add_loop_test(tcase, rejects_duplicates, 0, array_size(duplicates));
	tcase_add_test(tcase, rejects_duplicates_among_many);
	tcase_add_test(tcase, takes_many_members);
	tcase_add_test(tcase, caps_the_depth);
	tcase_add_test(tcase, counts_only_open_brackets);
	tcase_add_test(tcase, caps_the_size);
	tcase_add_loop_test(tcase, leaves_an_object_out, 0, array_size(asides));
	tcase_add_loop_test(
		tcase, refuses_with_the_place_in_the_whole, 0, array_size(rejected_without));
	tcase_add_loop_test(tcase, keeps_numbers_exact, 0, array_size(numbers));
	tcase_add_loop_test(tcase, decodes_strings, 0, array_size(strings));
	tcase_add_test(tcase, walks_in_order_until_told_to_stop);
	tcase_add_test(tcase, keeps_the_order_of_members);
	tcase_add_loop_test(tcase, finds_the_nearest, 0, array_size(places));
	suite_add_tcase(suite, tcase);

	srunner_run_all(runner, CK_ENV);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
