/* SPDX-License-Identifier: Apache-2.0 */
#include "base/text.h"

#include <check.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/arena.h"

static struct text text;
static struct error err;
static struct arena arena;

static void setup(void)
{
	text = (struct text){ 0 };
	err = (struct error){ 0 };
	arena = (struct arena){ 0 };
}

static void teardown(void)
{
	text_release(&text);
	arena_release(&arena);
}

START_TEST(appends)
{
	text_append(&text, "a");
	text_append_bytes(&text, "b\0c", 3);
	text_appendf(&text, "%d-%s", 7, "x");
	ck_assert_uint_eq(text.length, 7);
	ck_assert_mem_eq(text.data, "ab\0c7-x", 8);
	ck_assert_int_eq(text_check(&text, &err), 0);
}
END_TEST

START_TEST(appends_nothing)
{
	text_append(&text, "");
	ck_assert_ptr_nonnull(text.data);
	ck_assert_str_eq(text.data, "");
	ck_assert_uint_eq(text.length, 0);
}
END_TEST

/* One move of the memory for each doubling, however small the steps. */
START_TEST(grows_by_doubling)
{
	size_t capacity = 0, n_moves = 0;

	for (int i = 0; i < 100000; i++) {
		text_append(&text, "x");
		n_moves += text.capacity != capacity;
		capacity = text.capacity;
	}
	ck_assert_uint_eq(text.length, 100000);
	ck_assert_uint_lt(n_moves, 20);
}
END_TEST

START_TEST(remembers_a_failure)
{
	text_append(&text, "kept");
	text_append_bytes(&text, "", SIZE_MAX);
	ck_assert_str_eq(text.data, "kept");
	text_append(&text, "more");
	text_appendf(&text, "%s", "more");
	ck_assert_str_eq(text.data, "kept");
	ck_assert_int_eq(text_check(&text, &err), -1);
	ck_assert_str_eq(err.text, "out of memory");
	text_release(&text);
	ck_assert_int_eq(text_check(&text, &err), 0);
}
END_TEST

START_TEST(gives_zeroed_memory)
{
	static const char zeros[10000];

	for (int i = 1; i < 100; i++) {
		char *memory = arena_alloc(&arena, (size_t)i, 100);

		ck_assert_ptr_nonnull(memory);
		ck_assert_uint_eq((uintptr_t)memory % 16, 0);
		ck_assert_mem_eq(memory, zeros, (size_t)i * 100);
		memset(memory, 0xff, (size_t)i * 100);
	}
}
END_TEST

START_TEST(gives_a_place_for_nothing)
{
	ck_assert_ptr_nonnull(arena_alloc(&arena, 0, 8));
}
END_TEST

START_TEST(refuses_what_overflows)
{
	ck_assert_ptr_null(arena_alloc(&arena, SIZE_MAX / 2, 3));
	ck_assert_ptr_null(arena_alloc(&arena, SIZE_MAX, 1));
	ck_assert_ptr_null(arena_alloc(&arena, SIZE_MAX - 40, 1));
}
END_TEST

START_TEST(copies_a_string)
{
	const char *copy = arena_copy(&arena, "abc");

	ck_assert_str_eq(copy, "abc");
	ck_assert_str_eq(arena_copy(&arena, ""), "");
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("text");
	TCase *tcase = tcase_create("text");
	SRunner *runner = srunner_create(suite);
	int failed;

	tcase_add_checked_fixture(tcase, setup, teardown);
	tcase_add_test(tcase, appends);
	tcase_add_test(tcase, appends_nothing);
	tcase_add_test(tcase, grows_by_doubling);
	tcase_add_test(tcase, remembers_a_failure);
	tcase_add_test(tcase, gives_zeroed_memory);
	tcase_add_test(tcase, gives_a_place_for_nothing);
	tcase_add_test(tcase, refuses_what_overflows);
	tcase_add_test(tcase, copies_a_string);
	suite_add_tcase(suite, tcase);

	srunner_run_all(runner, CK_ENV);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
