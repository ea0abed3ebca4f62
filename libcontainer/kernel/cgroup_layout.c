/* SPDX-License-Identifier: Apache-2.0 */
#include "libcontainer/kernel/cgroup_layout.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/vfs.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/file.h"
#include "base/text.h"

#define CGROUP_ROOT "/sys/fs/cgroup"

/* /proc/self/cgroup has a line a hierarchy, each with a path. */
#define OWN_CGROUPS_MAX (CGROUP_PLACES_MAX * (CGROUP_PATH_MAX + 64))

/* Only read where the mounts are not those of whole hierarchies. */
#define MOUNTINFO_MAX (16U << 20)

struct cgroup *cgroup_layout_new(struct error *err)
{
	struct cgroup *cgroup = calloc(1, sizeof(*cgroup));

	if (!cgroup) {
		error_set_errno(err, "plan the container's cgroup");
		return NULL;
	}
	cgroup->holder_fd = -1;
	return cgroup;
}

void cgroup_layout_free(struct cgroup *cgroup)
{
	if (!cgroup)
		return;
	for (size_t i = 0; i < cgroup->n_places; i++) {
		close_at(&cgroup->places[i].dir_fd);
		close_at(&cgroup->places[i].entry_fd);
	}
	close_at(&cgroup->holder_fd);
	arena_release(&cgroup->arena);
	free(cgroup);
}

static int out_of_memory(struct error *err)
{
	errno = ENOMEM;
	return error_set_errno(err, "plan the container's cgroup");
}

/* The mount of NAME is CGROUP_ROOT itself when NAME is "". */
static int add_place(struct cgroup *cgroup, const char *name, bool is_v2, struct error *err)
{
	struct cgroup_place place = {
		.is_v2 = is_v2, .path = "/", .entry = "", .dir_fd = -1, .entry_fd = -1
	};
	char mount[sizeof(CGROUP_ROOT) + NAME_MAX + 1];

	if (cgroup->n_places == CGROUP_PLACES_MAX)
		return error_set(err, ERROR_UNSUPPORTED,
			"more than %d cgroup hierarchies are mounted below '%s'", CGROUP_PLACES_MAX,
			CGROUP_ROOT);
	if (strlen(name) > NAME_MAX)
		return error_set(
			err, ERROR_SYSTEM, "cgroup hierarchy's name '%s' is too long", name);
	snprintf(mount, sizeof(mount), "%s%s%s", CGROUP_ROOT, name[0] ? "/" : "", name);
	place.name = arena_copy(&cgroup->arena, name);
	place.mount = arena_copy(&cgroup->arena, mount);
	if (!place.name || !place.mount)
		return out_of_memory(err);
	cgroup->places[cgroup->n_places++] = place;
	return 0;
}

/*
 * Engines leave plain folders on the tmpfs for controllers that are not there
 * (podman 4 and 5 on v1), so the file system decides, not the name. Symbolic
 * links are second names of co-mounted controllers.
 */
static int add_entry(struct cgroup *cgroup, const struct dirent *entry, struct error *err)
{
	char mount[sizeof(CGROUP_ROOT) + NAME_MAX + 1];
	struct statfs fs;

	if (entry->d_name[0] == '.' || entry->d_type != DT_DIR)
		return 0;
	snprintf(mount, sizeof(mount), "%s/%s", CGROUP_ROOT, entry->d_name);
	if (statfs(mount, &fs) < 0)
		return errno == ENOENT ? 0 : error_set_call(err, "examine", mount);
	if (fs.f_type != CGROUP_SUPER_MAGIC && fs.f_type != CGROUP2_SUPER_MAGIC)
		return 0;
	return add_place(cgroup, entry->d_name, fs.f_type == CGROUP2_SUPER_MAGIC, err);
}

/* v2 first, since it is asked first for processes; the others by name. */
static int compare_places(const void *left, const void *right)
{
	const struct cgroup_place *a = left, *b = right;

	if (a->is_v2 != b->is_v2)
		return a->is_v2 ? -1 : 1;
	return strcmp(a->name, b->name);
}

static int detect_below_tmpfs(struct cgroup *cgroup, struct error *err)
{
	cleanup_dir DIR *dir = opendir(CGROUP_ROOT);
	const struct dirent *entry;

	if (!dir)
		return error_set_call(err, "open", CGROUP_ROOT);
	errno = 0;
	while ((entry = readdir(dir))) {
		if (add_entry(cgroup, entry, err) < 0)
			return -1;
		errno = 0;
	}
	if (errno)
		return error_set_call(err, "read", CGROUP_ROOT);
	qsort(cgroup->places, cgroup->n_places, sizeof(cgroup->places[0]), compare_places);
	return 0;
}

int cgroup_layout_detect(struct cgroup *cgroup, struct error *err)
{
	struct statfs fs = { 0 };

	if (statfs(CGROUP_ROOT, &fs) < 0 && errno != ENOENT)
		return error_set_call(err, "examine", CGROUP_ROOT);
	if (fs.f_type == CGROUP2_SUPER_MAGIC)
		return add_place(cgroup, "", true, err);
	if (fs.f_type == TMPFS_MAGIC && detect_below_tmpfs(cgroup, err) < 0)
		return -1;
	if (cgroup->n_places)
		return 0;
	error_set(err, ERROR_UNSUPPORTED, "no cgroup hierarchy is mounted at '%s'", CGROUP_ROOT);
	return error_hint(err, "mount cgroup2 there, or turn cgroups off with --cgroup-manager "
			       "disabled");
}

static bool has_word(const char *list, const char *word)
{
	size_t length = strlen(word);

	for (const char *at = list; *at; at += strcspn(at, ",") + (at[strcspn(at, ",")] == ','))
		if (strcspn(at, ",") == length && memcmp(at, word, length) == 0)
			return true;
	return false;
}

/*
 * The path in the line "4:cpu,cpuacct:/path" of /proc/self/cgroup that is
 * about PLACE, or NULL. v2 is the line "0::"; a named hierarchy is mounted at
 * its name, others at one of their controllers or all of them.
 */
static char *path_in_line(const struct cgroup_place *place, char *line)
{
	char *list = strchr(line, ':'), *path;

	path = list ? strchr(list + 1, ':') : NULL;
	if (!path)
		return NULL;
	list++;
	*path++ = '\0';
	if (place->is_v2)
		return list[0] ? NULL : path;
	if (strncmp(list, "name=", 5) == 0)
		return strcmp(list + 5, place->name) == 0 ? path : NULL;
	return list[0] && (strcmp(list, place->name) == 0 || has_word(list, place->name)) ? path
											  : NULL;
}

int cgroup_layout_find_path(
	const struct cgroup_place *place, const char *text, char *ret_path, struct error *err)
{
	for (const char *line = text; *line; line += strcspn(line, "\n") + 1) {
		cleanup_free char *copy = strndup(line, strcspn(line, "\n"));
		const char *path;

		if (!copy)
			return out_of_memory(err);
		path = path_in_line(place, copy);
		if (path && strlen(path) < CGROUP_PATH_MAX) {
			memcpy(ret_path, path, strlen(path) + 1);
			return 0;
		}
		if (!line[strcspn(line, "\n")])
			break;
	}
	return error_set(err, ERROR_UNSUPPORTED,
		"'%s' is not among the hierarchies of /proc/self/cgroup", place->mount);
}

/* The fourth word of mountinfo's line for PLACE's mount is its root in the hierarchy. */
static int find_mount_root(const struct cgroup_place *place, char *ret_root, struct error *err)
{
	cleanup_text struct text mounts = { 0 };
	char root[CGROUP_PATH_MAX], target[CGROUP_PATH_MAX];

	if (file_read_at(AT_FDCWD, "/proc/self/mountinfo", MOUNTINFO_MAX, &mounts, err) < 0)
		return -1;
	for (const char *line = mounts.data ?: ""; *line; line += line[0] == '\n') {
		/* The widths are CGROUP_PATH_MAX - 1. */
		if (sscanf(line, "%*s %*s %*s %2047s %2047s", root, target) == 2 &&
			strcmp(target, place->mount) == 0)
			memcpy(ret_root, root, strlen(root) + 1);
		line += strcspn(line, "\n");
	}
	return 0;
}

/*
 * A mount may show only a part of its hierarchy, as the bind mounts of
 * containers in containers do. The path from /proc/self/cgroup then counts
 * from above the mount's root.
 */
static int cut_mount_root(const struct cgroup_place *place, char *own, struct error *err)
{
	char root[CGROUP_PATH_MAX] = "/";
	size_t length;

	if (find_mount_root(place, root, err) < 0)
		return -1;
	length = strlen(root);
	if (strcmp(root, "/") == 0 || strncmp(own, root, length) != 0 ||
		(own[length] && own[length] != '/')) {
		error_set(err, ERROR_UNSUPPORTED, "the caller's own cgroup '%s' is not below '%s'",
			own, place->mount);
		return error_hint(err, "give an absolute cgroupsPath");
	}
	memmove(own, own + length, strlen(own + length) + 1);
	return 0;
}

/* OWN becomes the group that PATHs count from. */
static int find_base(const struct cgroup_place *place, const char *own_cgroups, char *ret_base,
	struct error *err)
{
	char full[2 * CGROUP_PATH_MAX];
	char *slash;

	if (cgroup_layout_find_path(place, own_cgroups, ret_base, err) < 0)
		return -1;
	snprintf(full, sizeof(full), "%s%s", place->mount, ret_base);
	if (access(full, F_OK) < 0 && cut_mount_root(place, ret_base, err) < 0)
		return -1;
	slash = strrchr(ret_base, '/');
	if (slash && (place->is_v2 || !slash[1]))
		*slash = '\0';
	return 0;
}

int cgroup_layout_append(char *base, const char *path, struct error *err)
{
	size_t used = strlen(base);

	while (*path) {
		size_t length = strcspn(path, "/");

		if (length == 2 && memcmp(path, "..", 2) == 0)
			return error_set(err, ERROR_SPEC, "cgroup path has the component '..'");
		if (length > NAME_MAX || used + length + 2 > CGROUP_PATH_MAX)
			return error_set(err, ERROR_SPEC, "cgroup path is too long");
		if (length && !(length == 1 && path[0] == '.')) {
			base[used] = '/';
			memcpy(base + used + 1, path, length);
			used += length + 1;
			base[used] = '\0';
		}
		path += length + (path[length] == '/');
	}
	return 0;
}

/* How many components at the end of PLACE's path are not there. */
static unsigned count_missing(const struct cgroup_place *place)
{
	char full[CGROUP_PATH_MAX + sizeof(CGROUP_ROOT) + NAME_MAX + 1];
	size_t mount = strlen(place->mount);
	unsigned missing = 0;

	snprintf(full, sizeof(full), "%s%s", place->mount, place->path);
	for (; strlen(full) > mount && access(full, F_OK) < 0; missing++)
		*strrchr(full, '/') = '\0';
	return missing;
}

static int place_one(struct cgroup *cgroup, struct cgroup_place *place, const char *path,
	const char *own_cgroups, struct error *err)
{
	char whole[CGROUP_PATH_MAX] = "";

	if (path[0] != '/' && find_base(place, own_cgroups, whole, err) < 0)
		return -1;
	if (cgroup_layout_append(whole, path, err) < 0)
		return error_point(err, "/linux/cgroupsPath");
	if (!whole[0]) {
		error_set(err, ERROR_SPEC, "cgroup path '%s' is the root of the hierarchy", path);
		return error_point(err, "/linux/cgroupsPath");
	}
	place->path = arena_copy(&cgroup->arena, whole);
	if (!place->path)
		return out_of_memory(err);
	place->made = count_missing(place);
	return 0;
}

int cgroup_layout_read_proc(pid_t pid, struct text *ret_text, struct error *err)
{
	char path[64] = "/proc/self/cgroup";

	if (pid)
		snprintf(path, sizeof(path), "/proc/%d/cgroup", (int)pid);
	return file_read_at(AT_FDCWD, path, OWN_CGROUPS_MAX, ret_text, err);
}

int cgroup_layout_place(struct cgroup *cgroup, const char *path, struct error *err)
{
	cleanup_text struct text own = { 0 };

	if (path[0] != '/' && cgroup_layout_read_proc(0, &own, err) < 0)
		return -1;
	for (size_t i = 0; i < cgroup->n_places; i++)
		if (place_one(cgroup, &cgroup->places[i], path, own.data ?: "", err) < 0)
			return -1;
	return 0;
}

bool cgroup_layout_is_rootless(void)
{
	char map[128] = "";
	cleanup_fd int fd = open("/proc/self/uid_map", O_RDONLY | O_CLOEXEC);
	unsigned long inside, outside, length;
	ssize_t n = fd < 0 ? -1 : read(fd, map, sizeof(map) - 1);

	if (geteuid() != 0)
		return true;
	if (n <= 0)
		return false;
	return sscanf(map, "%lu %lu %lu", &inside, &outside, &length) != 3 || inside || outside ||
	       length != UINT32_MAX;
}

bool cgroup_layout_has_controller(const struct cgroup_place *place, const char *list)
{
	for (const char *at = list; *at; at += *at == ',') {
		size_t length = strcspn(at, ",");
		char name[NAME_MAX + 1];

		snprintf(name, sizeof(name), "%.*s", (int)length, at);
		if (length <= NAME_MAX && has_word(place->name, name))
			return true;
		at += length;
	}
	return false;
}

struct cgroup_place *cgroup_layout_find_v1(struct cgroup *cgroup, const char *controller)
{
	for (size_t i = 0; i < cgroup->n_places; i++)
		if (!cgroup->places[i].is_v2 && has_word(cgroup->places[i].name, controller))
			return &cgroup->places[i];
	return NULL;
}

struct cgroup_place *cgroup_layout_find_v2(struct cgroup *cgroup)
{
	return cgroup->n_places && cgroup->places[0].is_v2 ? &cgroup->places[0] : NULL;
}

struct cgroup_place *cgroup_layout_main(struct cgroup *cgroup)
{
	struct cgroup_place *place = cgroup_layout_find_v2(cgroup);

	place = place ?: cgroup_layout_find_v1(cgroup, "freezer");
	if (!place && cgroup->n_places)
		place = &cgroup->places[0];
	return place;
}

static json_t *save_place(const struct cgroup_place *place)
{
	return json_pack("{s:s, s:s, s:b, s:i}", "name", place->name, "path", place->path, "v2",
		place->is_v2, "made", (int)place->made);
}

json_t *cgroup_layout_save(const struct cgroup *cgroup)
{
	json_t *places = json_array();
	/* Not by "s*", which takes a lack of memory for a unit that there is not. */
	json_t *unit = cgroup->unit ? json_string(cgroup->unit) : json_null();
	json_t *saved = json_pack("{s:o, s:o, s:b}", "hierarchies", places, "unit", unit,
		"userUnit", cgroup->is_user_unit);

	for (size_t i = 0; saved && i < cgroup->n_places; i++)
		if (json_array_append_new(places, save_place(&cgroup->places[i])) < 0) {
			json_decref(saved);
			return NULL;
		}
	return saved;
}

static bool is_safe_path(const char *path)
{
	char copy[CGROUP_PATH_MAX] = "";
	struct error ignored = { 0 };

	return path[0] == '/' && cgroup_layout_append(copy, path, &ignored) == 0 &&
	       strcmp(copy, path) == 0;
}

/* No ERROR_SYSTEM: the machine has nothing to do with it, and will read no better later. */
static int saved_is_damaged(struct error *err)
{
	return error_set(err, ERROR_STATE, "the saved cgroup is damaged");
}

static int load_place(struct cgroup *cgroup, json_t *saved, struct error *err)
{
	struct cgroup_place *place = &cgroup->places[cgroup->n_places];
	const char *name, *path;
	json_error_t problem = { 0 };
	int is_v2, made;

	if (json_unpack_ex(saved, &problem, 0, "{s:s, s:s, s:b, s:i}", "name", &name, "path", &path,
		    "v2", &is_v2, "made", &made) < 0)
		return json_error_code(&problem) == json_error_out_of_memory
			       ? out_of_memory(err)
			       : saved_is_damaged(err);
	if (made < 0 || strchr(name, '/') || name[0] == '.' || strlen(name) > NAME_MAX ||
		!is_safe_path(path) || cgroup->n_places == CGROUP_PLACES_MAX)
		return saved_is_damaged(err);
	if (add_place(cgroup, name, is_v2, err) < 0)
		return -1;
	place->made = (unsigned)made;
	place->path = arena_copy(&cgroup->arena, path);
	return place->path ? 0 : out_of_memory(err);
}

int cgroup_layout_load(const json_t *saved, struct cgroup *cgroup, struct error *err)
{
	const json_t *places = json_object_get(saved, "hierarchies");
	const char *unit = json_string_value(json_object_get(saved, "unit"));

	if (!json_is_array(places))
		return saved_is_damaged(err);
	for (size_t i = 0; i < json_array_size(places); i++)
		if (load_place(cgroup, json_array_get(places, i), err) < 0)
			return -1;
	cgroup->is_user_unit = json_is_true(json_object_get(saved, "userUnit"));
	if (unit) {
		cgroup->unit = arena_copy(&cgroup->arena, unit);
		if (!cgroup->unit)
			return out_of_memory(err);
	}
	return 0;
}
