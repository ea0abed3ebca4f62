/* SPDX-License-Identifier: Apache-2.0 */
#include "libspec/spec_hooks.h"

#include "libspec/json_reader.h"
#include "libspec/spec_forms.h"

const struct spec_word spec_hook_words[] = {
	{ "prestart", SPEC_HOOK_PRESTART },
	{ "createRuntime", SPEC_HOOK_CREATE_RUNTIME },
	{ "createContainer", SPEC_HOOK_CREATE_CONTAINER },
	{ "startContainer", SPEC_HOOK_START_CONTAINER },
	{ "poststart", SPEC_HOOK_POSTSTART },
	{ "poststop", SPEC_HOOK_POSTSTOP },
	{ NULL, 0 },
};

static int finish_hook(struct json_reader *reader, json_t *node, void *object)
{
	struct spec_hook *hook = object;

	(void)reader;
	(void)node;
	/* A program without even its own name is never meant (execve(2)). */
	if (hook->args.count == 0)
		hook->args.items = NULL;
	return 0;
}

static const struct json_field hook_fields[] = {
	FIELD_STRING(
		"path", struct spec_hook, path, .is_required = true, .check = spec_forms_absolute),
	FIELD_STRINGS("args", struct spec_hook, args),
	FIELD_STRINGS("env", struct spec_hook, env),
	FIELD_OPTIONAL_I64("timeout", struct spec_hook, timeout, 1, INT64_MAX),
	FIELD_END,
};

static const struct json_table hook_table = {
	.fields = hook_fields,
	.size = sizeof(struct spec_hook),
	.finish = finish_hook,
};

#define FIELD_HOOKS(name, kind)                                                      \
	FIELD_OBJECTS(name, struct spec_hooks, lists[kind].items, lists[kind].count, \
		struct spec_hook, &hook_table)

static const struct json_field hooks_fields[] = {
	FIELD_HOOKS("prestart", SPEC_HOOK_PRESTART),
	FIELD_HOOKS("createRuntime", SPEC_HOOK_CREATE_RUNTIME),
	FIELD_HOOKS("createContainer", SPEC_HOOK_CREATE_CONTAINER),
	FIELD_HOOKS("startContainer", SPEC_HOOK_START_CONTAINER),
	FIELD_HOOKS("poststart", SPEC_HOOK_POSTSTART),
	FIELD_HOOKS("poststop", SPEC_HOOK_POSTSTOP),
	FIELD_END,
};

const struct json_table spec_hooks_table = {
	.fields = hooks_fields,
	.size = sizeof(struct spec_hooks),
};
