/* SPDX-License-Identifier: Apache-2.0 */
#include "libcontainer/mount_entries.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <sys/xattr.h>

#include "base/cleanup.h"
#include "base/log.h"
#include "libcontainer/kernel/cgroup_mount.h"
#include "libcontainer/kernel/copy_up.h"
#include "libcontainer/kernel/filesystem.h"
#include "libcontainer/kernel/mount_explain.h"
#include "libcontainer/kernel/mount_target.h"
#include "libcontainer/kernel/path_in_root.h"
#include "libcontainer/kernel/selinux.h"

/* Types that carry no context option: they are labelled by policy, or file by file. */
static const char *const types_without_label[] = { "proc", "sysfs", "mqueue", "cgroup2", "cgroup" };

/*
 * File systems that are the same whatever network namespace they are mounted
 * in. Others are not, and a bind of what lies in procfs is not.
 */
static const char *const types_without_network[] = { "proc", "tmpfs", "devpts", "mqueue" };

static bool is_at(const struct spec_mount *mount, const char *path)
{
	char clean[PATH_MAX];

	return path_clean(mount->destination, clean) == 0 && !strcmp(clean, path);
}

static bool is_type(const struct spec_mount *mount, const char *type)
{
	return !mount->parsed.is_bind && mount->type && !strcmp(mount->type, type);
}

/* Whether the contents of MOUNT go with its last mount; a devtmpfs, say, is the host's. */
static bool is_fleeting(const struct spec_mount *mount)
{
	return is_type(mount, "tmpfs") || is_type(mount, "ramfs");
}

/* Whether the entry that is being made lies, by its path, on a fleeting one before it. */
static bool is_target_fleeting(const struct mount_entries *entries)
{
	const struct spec_mount *mounts = entries->request->spec->mounts;
	const char *path = mounts[entries->current].destination, *rest;

	for (size_t i = entries->current; i-- > 0;) {
		if (!mounts[i].parsed.is_remount &&
			path_is_below(path, mounts[i].destination, &rest))
			return is_fleeting(&mounts[i]) && !strstr(rest, "..");
	}
	return false;
}

static int tell_of_target(void *context, int dir_fd, const char *name, struct error *err)
{
	const struct mount_entries *entries = context;

	if (is_target_fleeting(entries))
		return 0;
	return path_tell(entries->request->witness, dir_fd, name, err);
}

static int point_at_destination(const struct mount_entries *entries, struct error *err)
{
	return error_point(err, "/mounts/%zu/destination", entries->current);
}

static int open_target(const struct mount_entries *entries, const struct spec_mount *mount,
	mode_t type, struct mount_target *ret_target, struct error *err)
{
	const struct mount_place place = {
		.root = entries->root,
		.path = mount->destination,
		.type = type,
		/* What the runtime itself writes to must not be led elsewhere (CVE-2019-19921). */
		.may_have_links = !is_type(mount, "proc") && !is_type(mount, "sysfs"),
		.witness = &entries->witness,
		.link_witness = entries->request->witness,
	};

	if (mount_target_open(&place, ret_target, err) < 0)
		return point_at_destination(entries, err);
	return 0;
}

static int check_proc(const struct mount_entries *entries, const struct mount_target *target,
	int source_fd, struct error *err)
{
	if (mount_target_check_proc(target, source_fd, err) < 0)
		return point_at_destination(entries, err);
	return 0;
}

/* Remembers CHANGE for the mount MOUNT_FD, which it takes over. */
static int put_off(struct mount_entries *entries, int mount_fd, const struct mounts_change *change,
	struct error *err)
{
	struct mount_late *late =
		realloc(entries->late, (entries->n_late + 1) * sizeof(entries->late[0]));

	if (!late) {
		close_at(&mount_fd);
		return error_set_errno(err, "remember a mount");
	}
	entries->late = late;
	late[entries->n_late++] = (struct mount_late){ mount_fd, *change };
	return 0;
}

/* Whether all mounts will get the root's propagation in the end, over their own. */
static bool is_root_propagation_deep(const struct mount_entries *entries)
{
	unsigned long asked = entries->request->spec->platform.rootfs_propagation;

	return (asked & MS_REC) && (asked & (MS_SHARED | MS_UNBINDABLE));
}

/* Devices and mount points go into these until the very end. */
static bool is_readonly_late(const struct spec_mount *mount)
{
	return (mount->parsed.here.set & MOUNT_ATTR_RDONLY) &&
	       (is_type(mount, "tmpfs") || is_at(mount, "/dev"));
}

static void put_off_readonly(struct mount_attributes *attributes, struct mounts_change *ret_late)
{
	attributes->set &= ~(uint64_t)MOUNT_ATTR_RDONLY;
	ret_late->attributes.set = MOUNT_ATTR_RDONLY;
}

/*
 * What may be locked in a mount of the host's, and the words that a user namespace
 * can't have then: those that take it away, and all that change access times.
 */
static const struct {
	uint64_t cleared, set;
	const char *words;
} lockable[] = {
	{ MOUNT_ATTR_RDONLY, 0, "'rw'" },
	{ MOUNT_ATTR_NOSUID, 0, "'suid'" },
	{ MOUNT_ATTR_NODEV, 0, "'dev'" },
	{ MOUNT_ATTR_NOEXEC, 0, "'exec'" },
	{ MOUNT_ATTR__ATIME | MOUNT_ATTR_NODIRATIME, MOUNT_ATTR__ATIME | MOUNT_ATTR_NODIRATIME,
		"those on access times" },
};

/*
 * CHANGE without what a user namespace may not do: a mount that the host has
 * read-only, say, stays so. Callers write "rw" without having looked.
 */
static int alter(const struct mount_entries *entries, int mount_fd,
	const struct mounts_change *change, struct error *err)
{
	struct mounts_change allowed = *change;
	char words[80] = "";

	if (mounts_alter(mount_fd, change, err) == 0)
		return 0;
	for (size_t i = 0; i < array_size(lockable); i++) {
		if (!(change->attributes.clear & lockable[i].cleared) &&
			!(change->attributes.set & lockable[i].set))
			continue;
		allowed.attributes.clear &= ~lockable[i].cleared;
		allowed.attributes.set &= ~lockable[i].set;
		snprintf(words + strlen(words), sizeof(words) - strlen(words), "%s%s",
			words[0] ? ", " : "", lockable[i].words);
	}
	if (err->sys_errno != EPERM || !words[0])
		return -1;
	*err = (struct error){ 0 };
	if (mounts_alter(mount_fd, &allowed, err) < 0)
		return -1;
	log_warning(
		"/mounts/%zu/options: %s left out: a user namespace may not take from a mount what "
		"the host has locked there",
		entries->current, words);
	return 0;
}

/* The attributes of the mount itself; what goes for all below it is said apart. */
static int alter_bind(struct mount_entries *entries, const struct spec_mount *mount, int mount_fd,
	struct error *err)
{
	const struct mount_options *options = &mount->parsed;
	struct mounts_change here = { .attributes = options->here };
	struct mounts_change deep = { .attributes = options->recursive, .is_recursive = true };
	struct mounts_change late = { 0 };

	if (is_readonly_late(mount))
		put_off_readonly(&here.attributes, &late);
	if (options->is_propagation_recursive && options->is_recursive)
		deep.propagation = options->propagation;
	else
		here.propagation = options->propagation;
	if (alter(entries, mount_fd, &here, err) < 0 || alter(entries, mount_fd, &deep, err) < 0)
		return -1;
	if (options->propagation && is_root_propagation_deep(entries)) {
		late.propagation = options->propagation;
		late.is_recursive = options->is_propagation_recursive;
	}
	if (!late.attributes.set && !late.propagation)
		return 0;
	return put_off(entries, fcntl(mount_fd, F_DUPFD_CLOEXEC, 0), &late, err);
}

/* For errno. What is not there yet is made to fit, so a mismatch is with the image. */
static int fail_to_attach(const struct spec_mount *mount, bool is_directory, struct error *err)
{
	if (errno != ENOTDIR)
		return error_set_errno(err, "bind '%s'", mount->source);
	return error_set_errno(err, "bind '%s', %s, on %s", mount->source,
		is_directory ? "a directory" : "a file", is_directory ? "a file" : "a directory");
}

static int attach_bind(struct mount_entries *entries, const struct spec_mount *mount,
	struct mounts_tree *tree, struct error *err)
{
	cleanup_target struct mount_target target = MOUNT_TARGET_CLOSED;
	struct stat st;

	if (fstat(tree->fd, &st) < 0)
		return error_set_call(err, "stat", mount->source);
	if (open_target(entries, mount, S_ISDIR(st.st_mode) ? S_IFDIR : S_IFREG, &target, err) < 0)
		return -1;
	if (check_proc(entries, &target, tree->fd, err) < 0)
		return -1;
	if (mounts_attach(tree, target.fd) < 0)
		return fail_to_attach(mount, S_ISDIR(st.st_mode), err);
	return alter_bind(entries, mount, tree->fd, err);
}

static int make_bind(struct mount_entries *entries, size_t index, struct error *err)
{
	const struct spec_mount *mount = &entries->request->spec->mounts[index];
	cleanup_tree struct mounts_tree tree = MOUNTS_NO_TREE;

	if (mount_sources_take(entries->sources, entries->request, index, &tree, err) < 0 ||
		attach_bind(entries, mount, &tree, err) < 0)
		return -1;
	if (is_at(mount, "/dev")) {
		entries->has_bound_dev = true;
		entries->has_fleeting_dev = false;
	}
	entries->has_devpts |= is_at(mount, "/dev/pts");
	entries->has_proc |= is_at(mount, "/proc");
	return 0;
}

/* Of the mount itself and of all below it, which on a new file system is the same. */
static struct mount_attributes merge_attributes(const struct mount_options *options)
{
	const struct mount_attributes *deep = &options->recursive;

	return (struct mount_attributes){
		.set = (options->here.set & ~deep->clear) | deep->set,
		.clear = (options->here.clear & ~deep->set) | deep->clear,
	};
}

static const char *label_of(const struct mount_entries *entries, const char *type)
{
	for (size_t i = 0; i < array_size(types_without_label); i++)
		if (!strcmp(type, types_without_label[i]))
			return NULL;
	return entries->request->spec->platform.mount_label;
}

/* mqueue knows no context option, but takes a label on its root. */
static int label_root(int mount_fd, const char *label, struct error *err)
{
	cleanup_fd int fd = openat(mount_fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	if (fd < 0 || fsetxattr(fd, "security.selinux", label, strlen(label) + 1, 0) < 0)
		return error_set_errno(err, "label the mount '%s'", label);
	return 0;
}

/* What the new file system has of the directory it covers, where no option says it. */
static unsigned covered_attributes(const struct spec_mount *mount)
{
	static const struct {
		const char *word;
		unsigned attribute;
	} words[] = { { "mode", STATX_MODE }, { "uid", STATX_UID }, { "gid", STATX_GID } };
	unsigned attributes = 0;

	for (size_t i = 0; i < array_size(words); i++)
		if (!filesystem_has_word(&mount->parsed.data, words[i].word))
			attributes |= words[i].attribute;
	return attributes;
}

/* What can be done only with the descriptor of the new mount. */
static int make_by_descriptor(struct mount_entries *entries, const struct spec_mount *mount,
	const struct filesystem *fs, int target_fd, struct error *err)
{
	const struct mount_options *options = &mount->parsed;
	const char *label = entries->request->spec->platform.mount_label;
	struct mounts_change now = { .propagation = options->propagation }, late = { 0 };
	struct filesystem writable = *fs;
	cleanup_fd int fd = -1;

	if (is_readonly_late(mount) || options->has_tmpcopyup)
		put_off_readonly(&writable.here, &late);
	late.attributes.set &= fs->here.set;
	if (is_root_propagation_deep(entries))
		late.propagation = options->propagation;
	fd = filesystem_open(&writable, err);
	if (fd < 0)
		return -1;
	if (options->has_tmpcopyup && copy_up(target_fd, fd, covered_attributes(mount), err) < 0)
		return -1;
	if (label && is_type(mount, "mqueue") && label_root(fd, label, err) < 0)
		return -1;
	if (mounts_attach_fd(fd, target_fd) < 0)
		return error_set_errno(err, "attach file system '%s'", mount->type);
	if (mounts_alter(fd, &now, err) < 0)
		return -1;
	return late.attributes.set || late.propagation ? put_off(entries, take_fd(&fd), &late, err)
						       : 0;
}

/* A mount of its own is private, so the other words for propagation say nothing new. */
static bool needs_descriptor(const struct mount_entries *entries, const struct spec_mount *mount)
{
	const struct mount_options *options = &mount->parsed;

	return options->has_tmpcopyup || is_readonly_late(mount) ||
	       (options->propagation & (MS_SHARED | MS_UNBINDABLE)) ||
	       (options->propagation && is_root_propagation_deep(entries)) ||
	       (is_type(mount, "mqueue") && entries->request->spec->platform.mount_label);
}

static int explain(const struct mount_entries *entries, const struct spec_mount *mount,
	const char *refused, struct error *err)
{
	for (size_t i = 0; refused && i < mount->options.count; i++)
		if (mount->options.items[i] == refused)
			error_point(err, "/mounts/%zu/options/%zu", entries->current, i);
	if (err->sys_errno == EPERM && (is_type(mount, "proc") || is_type(mount, "sysfs")))
		mount_explain_revealing(mount->type, err);
	if (err->sys_errno == EINVAL)
		mount_explain_ids(mount, &entries->request->spec->platform, err);
	return -1;
}

/* A tmpfs that is not told its mode looks like the directory that it covers. */
static int keep_mode(const struct spec_mount *mount, const struct mount_target *target,
	char ret_word[static 16], struct filesystem *fs, struct error *err)
{
	struct stat st;

	if (!is_type(mount, "tmpfs") || target->is_new ||
		filesystem_has_word(&mount->parsed.data, "mode"))
		return 0;
	if (fstat(target->fd, &st) < 0)
		return error_set_errno(err, "stat the mount point");
	snprintf(ret_word, 16, "mode=%o", (unsigned)st.st_mode & 07777);
	fs->extra = ret_word;
	return 0;
}

/* Finds the mount that is on /dev; 0 when there is no such directory, or that can't be told. */
static int find_mount_on_dev(
	const struct mount_entries *entries, uint64_t *ret_id, struct error *err)
{
	cleanup_fd int dev = path_try_open(entries->root, "/dev", O_PATH, PATH_NO_LINKS);

	*ret_id = 0;
	if (dev < 0 && (errno == ENOENT || errno == ENOTDIR || errno == ELOOP || errno == ENOSYS))
		return 0;
	if (dev < 0)
		return path_fail_to_open("/dev", err);
	if (path_mount_id(dev, ret_id) < 0 && !mounts_is_call_missing(errno))
		return error_set_errno(err, "find the mount on '/dev'");
	return 0;
}

static int make_filesystem(
	struct mount_entries *entries, const struct spec_mount *mount, struct error *err)
{
	cleanup_target struct mount_target target = MOUNT_TARGET_CLOSED;
	const char *refused = NULL;
	char mode[16];
	struct filesystem fs = {
		.type = mount->type,
		.source = mount->source,
		.here = merge_attributes(&mount->parsed),
		.sb_flags = mount->parsed.sb_set,
		.words = &mount->parsed.data,
		.label = label_of(entries, mount->type),
		.directory = entries->request->bundle,
		.ret_refused = &refused,
	};
	int result;

	/* Without groups of its own the container would see the caller's. */
	if (is_type(mount, "cgroup2") && !entries->request->n_hierarchies) {
		fs.here.set |= MOUNT_ATTR_RDONLY;
		fs.here.clear &= ~(uint64_t)MOUNT_ATTR_RDONLY;
	}
	if (mount->parsed.has_idmap || mount->uid_mappings.count > 0)
		return error_set(err, ERROR_UNSUPPORTED, "only bind mounts can be ID-mapped");
	if (mount->parsed.has_tmpcopyup && !is_type(mount, "tmpfs"))
		return error_set(
			err, ERROR_SPEC, "tmpcopyup is for tmpfs, not for '%s'", mount->type);
	if (open_target(entries, mount, S_IFDIR, &target, err) < 0 ||
		(!is_type(mount, "proc") && check_proc(entries, &target, -1, err) < 0) ||
		keep_mode(mount, &target, mode, &fs, err) < 0)
		return -1;
	result = needs_descriptor(entries, mount)
			 ? make_by_descriptor(entries, mount, &fs, target.fd, err)
			 : filesystem_mount(&fs, target.fd, err);
	if (result < 0)
		return explain(entries, mount, refused, err);
	if (is_at(mount, "/dev")) {
		entries->has_fleeting_dev = is_fleeting(mount);
		if (find_mount_on_dev(entries, &entries->dev_mount, err) < 0)
			return -1;
		entries->is_dev_unknown = !entries->dev_mount;
	}
	entries->has_proc |= is_type(mount, "proc") && is_at(mount, "/proc");
	entries->has_devpts |= is_type(mount, "devpts") && is_at(mount, "/dev/pts");
	return 0;
}

static int make_cgroup(
	struct mount_entries *entries, const struct spec_mount *mount, struct error *err)
{
	cleanup_target struct mount_target target = MOUNT_TARGET_CLOSED;
	const struct rootfs_request *request = entries->request;
	const struct cgroup_mount what = {
		.hierarchies = request->hierarchies,
		.n_hierarchies = request->n_hierarchies,
		.has_namespace = request->has_cgroup_namespace,
		.source = mount->source,
		.label = label_of(entries, "tmpfs"),
		.here = merge_attributes(&mount->parsed),
		.words = &mount->parsed.data,
	};
	const struct mounts_change late = {
		.attributes.set = what.here.set & MOUNT_ATTR_RDONLY,
	};
	int tmpfs;

	if (open_target(entries, mount, S_IFDIR, &target, err) < 0 ||
		check_proc(entries, &target, -1, err) < 0 ||
		cgroup_mount_make(&what, target.fd, &tmpfs, err) < 0)
		return -1;
	if (tmpfs >= 0 && late.attributes.set)
		return put_off(entries, tmpfs, &late, err);
	close_at(&tmpfs);
	return 0;
}

/* Alters what is mounted at the destination already. */
static int make_remount(
	struct mount_entries *entries, const struct spec_mount *mount, struct error *err)
{
	const struct mount_options *options = &mount->parsed;
	cleanup_target struct mount_target target = MOUNT_TARGET_CLOSED;
	const struct filesystem fs = {
		.source = mount->source,
		.type = mount->type ?: "none",
		.here = options->here,
		.sb_flags = options->sb_set,
		.words = &options->data,
	};

	target.fd = path_open_in_root(entries->root, mount->destination, O_PATH, err);
	if (target.fd < 0)
		return -1;
	if (options->is_bind)
		return alter_bind(entries, mount, target.fd, err);
	if (filesystem_reconfigure(&fs, target.fd, err) < 0)
		return -1;
	return mounts_alter(target.fd,
		&(struct mounts_change){
			.attributes = options->recursive,
			.propagation = options->propagation,
			.is_recursive = true,
		},
		err);
}

static bool is_cgroup(const struct mount_entries *entries, const struct spec_mount *mount)
{
	/* Without a namespace to be its root, cgroup2 would be the host's whole tree. */
	return is_type(mount, "cgroup") ||
	       (is_type(mount, "cgroup2") && !entries->request->has_cgroup_namespace);
}

static int make_entry(struct mount_entries *entries, size_t index, struct error *err)
{
	const struct spec_mount *mount = &entries->request->spec->mounts[index];

	if (mount->parsed.is_remount)
		return make_remount(entries, mount, err);
	if (mount->parsed.is_bind)
		return make_bind(entries, index, err);
	if (is_cgroup(entries, mount))
		return make_cgroup(entries, mount, err);
	return make_filesystem(entries, mount, err);
}

/* Where systemd's readiness protocol finds the runtime (sd_notify(3)). */
static int bind_notify(struct mount_entries *entries, struct error *err)
{
	const struct mounts_change change = {
		.attributes.set = MOUNT_ATTR_RDONLY | MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV |
				  MOUNT_ATTR_NOEXEC,
	};
	const struct mount_place place = {
		.root = entries->root,
		.path = "/run/notify",
		.type = S_IFDIR,
		.may_have_links = true,
		.witness = entries->request->witness,
		.link_witness = entries->request->witness,
	};
	cleanup_tree struct mounts_tree tree = MOUNTS_NO_TREE;
	cleanup_target struct mount_target target = MOUNT_TARGET_CLOSED;

	if (mount_sources_take(entries->sources, entries->request,
		    mount_sources_notify(entries->request), &tree, err) < 0 ||
		mount_target_open(&place, &target, err) < 0 ||
		mount_target_check_proc(&target, tree.fd, err) < 0)
		return -1;
	if (mounts_attach(&tree, target.fd) < 0)
		return error_set_errno(err, "bind '%s'", entries->request->notify_dir);
	return mounts_alter(tree.fd, &change, err);
}

static int join_network(
	const struct mount_entries *entries, const struct spec_mount *mount, struct error *err)
{
	for (size_t i = 0; i < array_size(types_without_network); i++)
		if (is_type(mount, types_without_network[i]))
			return 0;
	return network_join(entries->request->network, err);
}

/*
 * A link of the image may have led another mount onto /dev, a volume perhaps,
 * which like a bind that was meant for /dev is not the runtime's to fill.
 */
static int look_at_dev(struct mount_entries *entries, struct error *err)
{
	uint64_t root = 0, dev;

	if (find_mount_on_dev(entries, &dev, err) < 0)
		return -1;
	if (dev == 0 || dev == entries->dev_mount || entries->is_dev_unknown)
		return 0;
	if (path_mount_id(entries->root, &root) < 0)
		return error_set_errno(err, "find the mount of the root");
	if (dev != root) {
		entries->has_bound_dev = true;
		entries->has_fleeting_dev = false;
	}
	return 0;
}

int mount_entries_make(struct mount_entries *entries, const struct rootfs_request *request,
	struct mount_sources *sources, int root_fd, struct error *err)
{
	const struct spec *spec = request->spec;

	entries->request = request;
	entries->sources = sources;
	entries->root = root_fd;
	entries->witness = (struct path_witness){ tell_of_target, entries };
	if (selinux_check_mount_label(spec->platform.mount_label, err) < 0)
		return -1;
	for (size_t i = 0; i < spec->n_mounts; i++) {
		entries->current = i;
		if (join_network(entries, &spec->mounts[i], err) < 0)
			return -1;
		if (make_entry(entries, i, err) == 0)
			continue;
		error_point(err, "/mounts/%zu", i);
		return error_wrap(err, "mount '%s'", spec->mounts[i].destination);
	}
	if (request->notify_dir && bind_notify(entries, err) < 0)
		return error_wrap(err, "mount '/run/notify'");
	return look_at_dev(entries, err);
}

int mount_entries_make_readonly(struct mount_entries *entries, struct error *err)
{
	for (size_t i = 0; i < entries->n_late; i++) {
		const struct mounts_change change = {
			.attributes = entries->late[i].change.attributes,
		};

		if (mounts_alter(entries->late[i].fd, &change, err) < 0)
			return error_wrap(err, "make a mount read-only");
	}
	return 0;
}

int mount_entries_propagate(struct mount_entries *entries, struct error *err)
{
	for (size_t i = 0; i < entries->n_late; i++) {
		const struct mounts_change change = {
			.propagation = entries->late[i].change.propagation,
			.is_recursive = entries->late[i].change.is_recursive,
		};
		/* A read-only path above it may have covered it with a clone of it. */
		cleanup_fd int top = mounts_open_top(entries->late[i].fd);

		if (mounts_alter(entries->late[i].fd, &change, err) < 0 ||
			(top >= 0 && mounts_alter(top, &change, err) < 0))
			return -1;
	}
	return 0;
}

void mount_entries_release(struct mount_entries *entries)
{
	for (size_t i = 0; i < entries->n_late; i++)
		close_at(&entries->late[i].fd);
	free(entries->late);
	*entries = (struct mount_entries){ 0 };
}
