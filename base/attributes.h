/* SPDX-License-Identifier: Apache-2.0 */
/* Compiler attributes, under names that read as English. */
#ifndef KOGG_BASE_ATTRIBUTES_H
#define KOGG_BASE_ATTRIBUTES_H

#define must_check            __attribute__((warn_unused_result))
#define printf_like(fmt, arg) __attribute__((format(printf, fmt, arg)))

/* The end of a case that goes on with the next one, of which gcc understands a comment, too. */
#define fall_through __attribute__((fallthrough))

/* The number of elements of an array, never of a pointer. */
#define array_size(array) (sizeof(array) / sizeof((array)[0]))

#endif
