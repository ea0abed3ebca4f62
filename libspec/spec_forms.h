/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What strings in a spec must look like. Each function returns NULL when the
 * value is right, else what is wrong with it.
 */
#ifndef KOGG_LIBSPEC_SPEC_FORMS_H
#define KOGG_LIBSPEC_SPEC_FORMS_H

const char *spec_forms_not_empty(const char *value);
const char *spec_forms_absolute(const char *value);

/* No line feed: the kernel takes one line for one command. */
const char *spec_forms_one_line(const char *value);

/* NAME=value */
const char *spec_forms_variable(const char *value);

/* CPUs or nodes, "0-3,7", blanks allowed as the JSON schema does. */
const char *spec_forms_list(const char *value);

/* The same as cgroup files take it, where "0-31:1/2" has a meaning, too. */
const char *spec_forms_cpuset(const char *value);

/* A host or domain name: at most 64 bytes (sethostname(2), __NEW_UTS_LEN). */
const char *spec_forms_uts_name(const char *value);

/* A network interface's name, as the kernel's dev_valid_name() has it. */
const char *spec_forms_interface(const char *value);

/* One file name: neither empty, nor "." or "..", nor with a "/". */
const char *spec_forms_file_name(const char *value);

/* "2MB": a number and KB, MB or GB, as the kernel's hugetlb files spell it. */
const char *spec_forms_page_size(const char *value);

#endif
