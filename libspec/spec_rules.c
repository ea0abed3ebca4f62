/* SPDX-License-Identifier: Apache-2.0 */
#include "libspec/spec_rules.h"

#include <linux/sched.h>
#include <stdio.h>
#include <string.h>

#include "libspec/json_path.h"
#include "libspec/spec_id_mappings.h"
#include "libspec/spec_sysctl.h"

/* Fails with "needs a TYPE namespace" when the config has none, new or joined. */
static int need_namespace(const struct spec *spec, unsigned flag, struct error *err)
{
	const char *word = spec_word_of(spec_namespace_words, flag);

	if (spec_find_namespace(spec, flag))
		return 0;
	return error_set(err, ERROR_SPEC, "needs %s %s namespace", *word == 'i' ? "an" : "a", word);
}

/* Without a mount namespace these would be done to the host's mounts, and stay there. */
static int check_mount_namespace(const struct spec *spec, struct error *err)
{
	const struct {
		const char *pointer;
		bool is_used;
	} members[] = {
		{ "/mounts", spec->n_mounts > 0 },
		{ "/linux/maskedPaths", spec->platform.masked_paths.count > 0 },
		{ "/linux/readonlyPaths", spec->platform.readonly_paths.count > 0 },
		{ "/linux/rootfsPropagation", spec->platform.rootfs_propagation != 0 },
		{ "/root/readonly", spec->root.readonly },
	};

	for (size_t i = 0; i < array_size(members); i++)
		if (members[i].is_used && need_namespace(spec, CLONE_NEWNS, err) < 0)
			return error_point(err, "%s", members[i].pointer);
	return 0;
}

static int check_user_namespace(const struct spec *spec, struct error *err)
{
	if (spec->platform.uid_mappings.count > 0 && need_namespace(spec, CLONE_NEWUSER, err) < 0)
		return error_point(err, "/linux/uidMappings");
	if (spec->platform.gid_mappings.count > 0 && need_namespace(spec, CLONE_NEWUSER, err) < 0)
		return error_point(err, "/linux/gidMappings");
	return 0;
}

/* The user namespace's entry when the container makes a new one, else NULL. */
static const struct spec_namespace *new_user_namespace(const struct spec *spec)
{
	const struct spec_namespace *user = spec_find_namespace(spec, CLONE_NEWUSER);

	return user && !user->path ? user : NULL;
}

/* Without a map every ID is the overflow ID, and none can be set (user_namespaces(7)). */
static int check_mappings_given(const struct spec *spec, struct error *err)
{
	const char *missing = NULL;

	if (!new_user_namespace(spec))
		return 0;
	if (spec->platform.uid_mappings.count == 0)
		missing = "/linux/uidMappings";
	else if (spec->platform.gid_mappings.count == 0)
		missing = "/linux/gidMappings";
	if (!missing)
		return 0;
	error_set(err, ERROR_SPEC, "required for a new user namespace, but missing");
	return error_point(err, "%s", missing);
}

static int check_mappings(const struct spec *spec, struct error *err)
{
	if (spec_id_mappings_check(&spec->platform.uid_mappings, "/linux/uidMappings", err) < 0)
		return -1;
	return spec_id_mappings_check(&spec->platform.gid_mappings, "/linux/gidMappings", err);
}

static int check_mount_mappings(const struct spec *spec, struct error *err)
{
	for (size_t i = 0; i < spec->n_mounts; i++) {
		const struct spec_mount *mount = &spec->mounts[i];
		char pointer[64];

		snprintf(pointer, sizeof(pointer), "/mounts/%zu/uidMappings", i);
		if (spec_id_mappings_check(&mount->uid_mappings, pointer, err) < 0)
			return -1;
		snprintf(pointer, sizeof(pointer), "/mounts/%zu/gidMappings", i);
		if (spec_id_mappings_check(&mount->gid_mappings, pointer, err) < 0)
			return -1;
	}
	return 0;
}

/* The word idmap takes the mount's own mappings, else those of the container. */
static int check_idmap(const struct spec *spec, struct error *err)
{
	for (size_t i = 0; i < spec->n_mounts; i++) {
		const struct spec_mount *mount = &spec->mounts[i];

		if (!mount->parsed.has_idmap || mount->uid_mappings.count > 0 ||
			spec_find_namespace(spec, CLONE_NEWUSER))
			continue;
		error_set(err, ERROR_SPEC, "idmap needs uidMappings or a user namespace");
		return error_point(err, "/mounts/%zu/options", i);
	}
	return 0;
}

static int check_id_is_mapped(const struct spec_id_mappings *mappings, uint32_t id,
	const char *pointer, struct error *err)
{
	if (spec_id_mappings_contain(mappings, id))
		return 0;
	error_set(err, ERROR_SPEC, "%u is in no mapping of the new user namespace", id);
	return error_point(err, "%s", pointer);
}

/* setresuid(2) and setgroups(2) take mapped IDs only, and say no more than EINVAL. */
static int check_user_is_mapped(const struct spec *spec, struct error *err)
{
	const struct spec_id_mappings *gids = &spec->platform.gid_mappings;
	const struct spec_user *user;

	if (!spec->process || !new_user_namespace(spec))
		return 0;
	user = &spec->process->user;
	if (check_id_is_mapped(&spec->platform.uid_mappings, user->uid, "/process/user/uid", err) <
		0)
		return -1;
	if (check_id_is_mapped(gids, user->gid, "/process/user/gid", err) < 0)
		return -1;
	for (size_t i = 0; i < user->additional_gids.count; i++) {
		char pointer[64];

		snprintf(pointer, sizeof(pointer), "/process/user/additionalGids/%zu", i);
		if (check_id_is_mapped(gids, user->additional_gids.items[i], pointer, err) < 0)
			return -1;
	}
	return 0;
}

/* Offsets are set before the first process enters: time_namespaces(7). */
static int check_time_offsets(const struct spec *spec, struct error *err)
{
	const struct spec_namespace *time = spec_find_namespace(spec, CLONE_NEWTIME);

	if (spec->platform.n_time_offsets == 0 || (time && !time->path))
		return 0;
	error_set(err, ERROR_SPEC, "needs a new time namespace");
	return error_point(err, "/linux/timeOffsets");
}

static int check_uts_namespace(const struct spec *spec, struct error *err)
{
	if (spec->hostname && need_namespace(spec, CLONE_NEWUTS, err) < 0)
		return error_point(err, "/hostname");
	if (spec->domainname && need_namespace(spec, CLONE_NEWUTS, err) < 0)
		return error_point(err, "/domainname");
	return 0;
}

static int check_net_devices(const struct spec *spec, struct error *err)
{
	const struct spec_net_device *devices = spec->platform.net_devices;

	if (spec->platform.n_net_devices == 0)
		return 0;
	if (need_namespace(spec, CLONE_NEWNET, err) < 0)
		return error_point(err, "/linux/netDevices");
	for (size_t i = 0; i < spec->platform.n_net_devices; i++) {
		const char *name = devices[i].name ?: devices[i].host_name;

		for (size_t j = 0; j < i; j++) {
			/* The kernel makes the names of a template differ. */
			if (strcmp(name, devices[j].name ?: devices[j].host_name) != 0 ||
				strchr(name, '%'))
				continue;
			error_set(err, ERROR_SPEC, "another device is named '%s', too", name);
			return json_path_point(err, "/linux/netDevices", devices[i].host_name);
		}
	}
	return 0;
}

static int check_sysctl(const struct spec *spec, const struct spec_pair *pair, struct error *err)
{
	char path[SPEC_SYSCTL_MAX];
	unsigned flag;

	if (spec_sysctl_path(pair->key, path) < 0)
		return error_set(err, ERROR_SPEC, "must be the name of a kernel parameter");
	if (!strcmp(path, "kernel/hostname"))
		return error_set(err, ERROR_SPEC, "is set by /hostname");
	flag = spec_sysctl_namespace(path);
	if (!flag)
		return error_set(err, ERROR_SPEC,
			"belongs to no namespace, setting it would change the host");
	if (need_namespace(spec, flag, err) < 0)
		return -1;
	if (flag == CLONE_NEWUTS && spec->domainname && strcmp(pair->value, spec->domainname) != 0)
		return error_set(err, ERROR_SPEC, "contradicts /domainname");
	return 0;
}

static int check_sysctls(const struct spec *spec, struct error *err)
{
	const struct spec_map *sysctl = &spec->platform.sysctl;

	for (size_t i = 0; i < sysctl->count; i++)
		if (check_sysctl(spec, &sysctl->items[i], err) < 0)
			return json_path_point(err, "/linux/sysctl", sysctl->items[i].key);
	return 0;
}

static int (*const rules[])(const struct spec *spec, struct error *err) = {
	check_mount_namespace,
	check_user_namespace,
	check_mappings_given,
	check_mappings,
	check_mount_mappings,
	check_idmap,
	check_user_is_mapped,
	check_time_offsets,
	check_uts_namespace,
	check_net_devices,
	check_sysctls,
};

int spec_rules_check(const struct spec *spec, struct error *err)
{
	for (size_t i = 0; i < array_size(rules); i++)
		if (rules[i](spec, err) < 0)
			return -1;
	return 0;
}
