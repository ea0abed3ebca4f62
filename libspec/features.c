/* SPDX-License-Identifier: Apache-2.0 */
#include "libspec/features.h"

#include "libspec/json_writer.h"
#include "libspec/mount_options.h"
#include "libspec/spec.h"

/* Annotations of a config that change what the runtime does; "." at the end makes a prefix. */
static const char *const unsafe_annotations[] = {
	"org.systemd.property.",
	NULL,
};

static void write_list(struct json_writer *writer, const char *name, const char *const *list)
{
	json_writer_open(writer, name, '[');
	for (; list && *list; list++)
		json_writer_string(writer, NULL, *list);
	json_writer_close(writer, ']');
}

static void write_words(struct json_writer *writer, const char *name, const struct spec_word *words)
{
	json_writer_open(writer, name, '[');
	for (; words->word; words++)
		json_writer_string(writer, NULL, words->word);
	json_writer_close(writer, ']');
}

/* {"enabled": VALUE} */
static void write_enabled(struct json_writer *writer, const char *name, bool value)
{
	json_writer_open(writer, name, '{');
	json_writer_bool(writer, "enabled", value);
	json_writer_close(writer, '}');
}

static void write_mount_options(struct json_writer *writer)
{
	const char *word;

	json_writer_open(writer, "mountOptions", '[');
	for (size_t i = 0; (word = mount_options_word(i)); i++)
		json_writer_string(writer, NULL, word);
	json_writer_close(writer, ']');
}

static void write_cgroup(struct json_writer *writer, const struct features_facts *facts)
{
	json_writer_open(writer, "cgroup", '{');
	json_writer_bool(writer, "v1", true);
	json_writer_bool(writer, "v2", true);
	json_writer_bool(writer, "systemd", facts->has_cgroup_systemd);
	json_writer_bool(writer, "systemdUser", facts->has_cgroup_systemd_user);
	json_writer_bool(writer, "rdma", true);
	json_writer_close(writer, '}');
}

static void write_seccomp(struct json_writer *writer, const struct features_facts *facts)
{
	json_writer_open(writer, "seccomp", '{');
	json_writer_bool(writer, "enabled", facts->has_seccomp);
	if (facts->has_seccomp) {
		write_words(writer, "actions", spec_seccomp_action_words);
		write_words(writer, "operators", spec_seccomp_operator_words);
		write_list(writer, "archs", facts->seccomp_archs);
		write_words(writer, "knownFlags", spec_seccomp_flag_words);
		write_list(writer, "supportedFlags", facts->seccomp_flags);
	}
	json_writer_close(writer, '}');
}

static void write_intel_rdt(struct json_writer *writer)
{
	json_writer_open(writer, "intelRdt", '{');
	json_writer_bool(writer, "enabled", true);
	json_writer_bool(writer, "schemata", true);
	json_writer_bool(writer, "monitoring", true);
	json_writer_close(writer, '}');
}

static void write_linux(struct json_writer *writer, const struct features_facts *facts)
{
	json_writer_open(writer, "linux", '{');
	write_words(writer, "namespaces", spec_namespace_words);
	write_list(writer, "capabilities", facts->capabilities);
	write_cgroup(writer, facts);
	write_seccomp(writer, facts);
	write_enabled(writer, "apparmor", facts->has_apparmor);
	write_enabled(writer, "selinux", facts->has_selinux);
	write_intel_rdt(writer);
	json_writer_open(writer, "memoryPolicy", '{');
	write_words(writer, "modes", spec_memory_policy_mode_words);
	write_words(writer, "flags", spec_memory_policy_flag_words);
	json_writer_close(writer, '}');
	json_writer_open(writer, "mountExtensions", '{');
	write_enabled(writer, "idmap", true);
	json_writer_close(writer, '}');
	write_enabled(writer, "netDevices", true);
	json_writer_close(writer, '}');
}

static void write_annotations(struct json_writer *writer, const struct features_facts *facts)
{
	json_writer_open(writer, "annotations", '{');
	json_writer_string(writer, "dev.kogg.version", facts->version);
	json_writer_string(writer, "dev.kogg.commit", facts->commit);
	json_writer_string(
		writer, "dev.kogg.checkpoint.enabled", facts->has_checkpoint ? "true" : "false");
	json_writer_string(
		writer, "io.github.seccomp.libseccomp.version", facts->libseccomp_version);
	json_writer_close(writer, '}');
}

int features_write(const struct features_facts *facts, unsigned indent, struct text *ret_text,
	struct error *err)
{
	struct json_writer writer = { .text = ret_text, .indent = indent };

	json_writer_open(&writer, NULL, '{');
	json_writer_string(&writer, "ociVersionMin", SPEC_VERSION_MIN);
	json_writer_string(&writer, "ociVersionMax", SPEC_VERSION_MAX);
	write_words(&writer, "hooks", spec_hook_words);
	write_mount_options(&writer);
	write_linux(&writer, facts);
	write_annotations(&writer, facts);
	write_list(&writer, "potentiallyUnsafeConfigAnnotations", unsafe_annotations);
	json_writer_close(&writer, '}');
	return text_check(ret_text, err);
}
