/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A config.json as C structs, checked (OCI runtime-spec 1.3.0, Linux part).
 *
 * Reading checks types, ranges, words and the rules that span objects; what
 * is here afterwards needs no second look. What only the host can tell (does
 * the path exist, does the kernel know this capability) is not checked here.
 */
#ifndef KOGG_LIBSPEC_SPEC_H
#define KOGG_LIBSPEC_SPEC_H

#include "base/error.h"
#include "libspec/spec_hooks.h"
#include "libspec/spec_linux.h"
#include "libspec/spec_mounts.h"
#include "libspec/spec_process.h"

#define SPEC_VERSION_MIN "1.0.0"
#define SPEC_VERSION_MAX "1.3.0"

struct json_table;

struct spec_root {
	const char *path; /* as written; relative to the bundle unless absolute */
	bool readonly;
};

struct spec {
	const char *oci_version;
	struct spec_root root;
	const char *hostname;   /* NULL when absent */
	const char *domainname; /* NULL when absent */
	struct spec_map annotations;
	struct spec_mount *mounts;
	size_t n_mounts;
	const struct spec_process *process; /* NULL when absent: may be created, not started */
	struct spec_hooks hooks;
	struct spec_linux platform; /* "linux", a word that the compiler owns; empty when absent */
};

/*
 * What was read, with the memory of the structs. Opaque: holds the text, and
 * the arena of the JSON tree and the structs.
 */
struct spec_document;

/*
 * Reads FILE below DIR_FD (or AT_FDCWD) and gives the document, which the
 * caller frees with spec_document_free(), and the struct inside it. Errors are
 * ERROR_SPEC with .pointer, .line and .column, and the text begins with
 * "FILE:LINE:COLUMN: POINTER: ".
 */
int spec_load(int dir_fd, const char *file, struct spec_document **ret_document,
	const struct spec **ret_spec, struct error *err) must_check;

/*
 * The same for the copy that a container keeps. Whoever created the container
 * was warned of what is odd in it, so nothing is warned of again.
 */
int spec_load_kept(int dir_fd, const char *file, struct spec_document **ret_document,
	const struct spec **ret_spec, struct error *err) must_check;

/* The same for an object that stands alone: exec's process.json. */
int spec_load_process(int dir_fd, const char *file, struct spec_document **ret_document,
	const struct spec_process **ret_process, struct error *err) must_check;

/* The same for update's resources, from an open descriptor named FILE in errors. */
int spec_load_resources(int fd, const char *file, struct spec_document **ret_document,
	const struct spec_resources **ret_resources, struct error *err) must_check;

/*
 * Reads linux.seccomp, which spec_load() has only seen to be there
 * (.platform.has_seccomp): an engine's profile is most of the config, and a
 * caller that knows its text needs nothing else of it. Errors are spec_load()'s.
 */
int spec_load_seccomp(struct spec_document *document, const struct spec_seccomp **ret_seccomp,
	struct error *err) must_check;

/*
 * The text of linux.seccomp; NULL when it was read with the rest, as where its
 * name is written with escapes. May be wrong as long as spec_load_seccomp() was
 * not called.
 */
const char *spec_document_seccomp_text(const struct spec_document *document, size_t *ret_size);

/* The bytes that were read, for the copy that a container keeps. */
const char *spec_document_text(const struct spec_document *document, size_t *ret_size);

/*
 * Puts "FILE:LINE:COLUMN: POINTER: " in front of an error that was found later,
 * while the spec was carried out, and carries a pointer but no line.
 */
void spec_document_locate(const struct spec_document *document, struct error *err);

/* DOCUMENT may be NULL. */
void spec_document_free(struct spec_document *document);

/* The entry of that CLONE_NEW* type, or NULL when the config has none. */
const struct spec_namespace *spec_find_namespace(const struct spec *spec, unsigned flag);

/*
 * How json_reader reads it: the version, which must be known before the rest
 * means anything, and the rest.
 */
extern const struct json_table spec_version_table;
extern const struct json_table spec_table;

#endif
