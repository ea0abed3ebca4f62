/* SPDX-License-Identifier: Apache-2.0 */
#include "libspec/json_scan.h"
#include "libspec/json_tree.h"
#include "libspec/tests/load.h"

static struct arena arena;
static struct error err;
static const struct json_node *root;

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

static int parse(const char *json)
{
	return json_tree_parse(json, strlen(json), &arena, &root, &err);
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
	ck_assert_int_eq(parse(rejected[_i].json), -1);
	ck_assert_int_eq(err.kind, ERROR_SPEC);
	ck_assert_str_eq(err.text, rejected[_i].text);
	ck_assert_uint_eq(err.line, rejected[_i].line);
	ck_assert_uint_eq(err.column, rejected[_i].column);
}
END_TEST

START_TEST(rejects_a_raw_nul)
{
	ck_assert_int_eq(json_tree_parse("[\"a\0b\"]", 7, &arena, &root, &err), -1);
	ck_assert_str_eq(err.text, "control character 0x00 in a string");
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
};

START_TEST(rejects_duplicates)
{
	ck_assert_int_eq(parse(duplicates[_i].json), -1);
	ck_assert_str_eq(err.pointer, duplicates[_i].pointer);
	ck_assert_str_eq(err.text, "is there twice");
	ck_assert_uint_eq(err.column, duplicates[_i].column);
}
END_TEST

/* Beyond a few members another way is taken to find them. */
START_TEST(rejects_duplicates_among_many)
{
	char json[4096] = "{";
	size_t used = 1;

	for (int i = 0; i < 100; i++)
		used += (size_t)snprintf(json + used, sizeof(json) - used, "\"m%d\":%d,\n",
			i == 60 || i == 80 ? 7 : i, i);
	snprintf(json + used, sizeof(json) - used, "\"last\":0}");
	ck_assert_int_eq(parse(json), -1);
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
	ck_assert_int_eq(parse(json), 0);
	ck_assert_uint_eq(root->children.count, 101);
	ck_assert_uint_eq(json_tree_member(root, "m99")->integer.magnitude, 99);
	ck_assert_ptr_null(json_tree_member(root, "m100"));
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
	ck_assert_int_eq(parse(json), 0);
	nested(json, JSON_DEPTH_MAX + 2);
	ck_assert_int_eq(parse(json), -1);
	ck_assert_str_eq(err.text, "nested more than 64 levels deep");
	ck_assert_uint_eq(err.column, JSON_DEPTH_MAX + 2);
}
END_TEST

START_TEST(caps_the_size)
{
	ck_assert_int_eq(json_tree_parse("{}", JSON_SIZE_MAX + 1, &arena, &root, &err), -1);
	ck_assert_str_eq(err.text, "larger than 16777216 bytes");
}
END_TEST

static const struct {
	const char *json;
	enum json_node_type type;
	uint64_t magnitude;
	bool is_negative;
} numbers[] = {
	{ "0", JSON_NODE_INTEGER, 0, false },
	{ "-0", JSON_NODE_INTEGER, 0, false },
	{ "-1", JSON_NODE_INTEGER, 1, true },
	{ "9223372036854775808", JSON_NODE_INTEGER, UINT64_C(9223372036854775808), false },
	{ "-9223372036854775808", JSON_NODE_INTEGER, UINT64_C(9223372036854775808), true },
	{ "-9223372036854775809", JSON_NODE_HUGE, 0, false },
	{ "18446744073709551615", JSON_NODE_INTEGER, UINT64_MAX, false },
	{ "18446744073709551616", JSON_NODE_HUGE, 0, false },
	{ "99999999999999999999999999999999", JSON_NODE_HUGE, 0, false },
	{ "1.0", JSON_NODE_REAL, 0, false },
	{ "1e3", JSON_NODE_REAL, 0, false },
	{ "-1.5E-300", JSON_NODE_REAL, 0, false },
	{ "1e999", JSON_NODE_REAL, 0, false },
};

START_TEST(keeps_numbers_exact)
{
	ck_assert_int_eq(parse(numbers[_i].json), 0);
	ck_assert_int_eq(root->type, numbers[_i].type);
	if (root->type != JSON_NODE_INTEGER)
		return;
	ck_assert_uint_eq(root->integer.magnitude, numbers[_i].magnitude);
	ck_assert_int_eq(root->integer.is_negative, numbers[_i].is_negative);
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

START_TEST(decodes_strings)
{
	ck_assert_int_eq(parse(strings[_i].json), 0);
	ck_assert_int_eq(root->type, JSON_NODE_STRING);
	ck_assert_str_eq(root->string, strings[_i].value);
}
END_TEST

START_TEST(reads_values_in_order)
{
	const struct json_node *node;

	ck_assert_int_eq(
		parse(" { \"b\" : [ true , false ] ,\r\n\t\"a\" : { } , \"c\":null } "), 0);
	node = root->children.first;
	ck_assert_str_eq(node->name, "b");
	ck_assert_int_eq(node->type, JSON_NODE_ARRAY);
	ck_assert_uint_eq(node->children.count, 2);
	ck_assert(node->children.first->is_true);
	ck_assert(!node->children.first->next->is_true);
	node = node->next;
	ck_assert_str_eq(node->name, "a");
	ck_assert_uint_eq(node->children.count, 0);
	node = node->next;
	ck_assert_int_eq(node->type, JSON_NODE_NULL);
	ck_assert_ptr_null(node->next);
}
END_TEST

static const struct {
	const char *pointer;
	uint32_t offset;
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
	{ "/m~", 0 },
	{ "/", 33 },
	{ "/nothing/below", 0 },
	{ "no pointer", 0 },
};

START_TEST(finds_the_nearest)
{
	ck_assert_int_eq(parse("{\"a\":[1,{\"x/y\":[]}],\"m~\":true,\"\":2}"), 0);
	ck_assert_uint_eq(json_tree_nearest(root, places[_i].pointer)->offset, places[_i].offset);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("json_tree");
	TCase *tcase = tcase_create("trees");
	SRunner *runner = srunner_create(suite);
	int failed;

	tcase_add_checked_fixture(tcase, setup, teardown);
	tcase_add_loop_test(tcase, rejects_with_place_and_reason, 0, array_size(rejected));
	tcase_add_test(tcase, rejects_a_raw_nul);
	tcase_add_loop_test(tcase, rejects_duplicates, 0, array_size(duplicates));
	tcase_add_test(tcase, rejects_duplicates_among_many);
	tcase_add_test(tcase, takes_many_members);
	tcase_add_test(tcase, caps_the_depth);
	tcase_add_test(tcase, caps_the_size);
	tcase_add_loop_test(tcase, keeps_numbers_exact, 0, array_size(numbers));
	tcase_add_loop_test(tcase, decodes_strings, 0, array_size(strings));
	tcase_add_test(tcase, reads_values_in_order);
	tcase_add_loop_test(tcase, finds_the_nearest, 0, array_size(places));
	suite_add_tcase(suite, tcase);

	srunner_run_all(runner, CK_ENV);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
