/* SPDX-License-Identifier: Apache-2.0 */
#include "libcontainer/kernel/syscall_filter.h"

#include <assert.h>
#include <errno.h>
#include <linux/audit.h>
#include <linux/seccomp.h>
#include <seccomp.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/attributes.h"
#include "libcontainer/kernel/syscall_filter_cache.h"
#include "libcontainer/kernel/syscall_filter_layout.h"
#include "libcontainer/kernel/syscall_filter_rules.h"

/* Linux 5.19; newer than the headers of the oldest build. */
#ifndef SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV
#	define SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV (1UL << 5)
#endif

static int sys_seccomp(unsigned operation, unsigned flags, void *args)
{
	return (int)syscall(SYS_seccomp, operation, flags, args);
}

/*
 * Whether the kernel takes FLAGS together: with them known, the missing
 * program is what it complains about (seccomp(2), EFAULT).
 */
static bool are_flags_supported(unsigned flags)
{
	return sys_seccomp(SECCOMP_SET_MODE_FILTER, flags, NULL) < 0 && errno == EFAULT;
}

/* FLAGS as the kernel wants them when the filter has a listener, or has none. */
static unsigned flags_to_load(unsigned flags, bool needs_listener)
{
	if (!needs_listener)
		/* It says how to wait for answers of a listener; without one it is EINVAL. */
		return flags & ~(unsigned)SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV;
	flags |= SECCOMP_FILTER_FLAG_NEW_LISTENER;
	/* Both return something; this makes the descriptor win (Linux 5.7). */
	if (flags & SECCOMP_FILTER_FLAG_TSYNC)
		flags |= SECCOMP_FILTER_FLAG_TSYNC_ESRCH;
	return flags;
}

unsigned syscall_filter_supported_flags(void)
{
	static const unsigned flags[] = { SECCOMP_FILTER_FLAG_TSYNC, SECCOMP_FILTER_FLAG_LOG,
		SECCOMP_FILTER_FLAG_SPEC_ALLOW, SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV };
	unsigned supported = 0;

	for (size_t i = 0; i < array_size(flags); i++)
		if (are_flags_supported(flags_to_load(
			    flags[i], flags[i] == SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV)))
			supported |= flags[i];
	return supported;
}

bool syscall_filter_has_architecture(const char *word)
{
	uint32_t token;

	return syscall_filter_rules_arch(word, &token) == 0 &&
	       !((token ^ seccomp_arch_native()) & __AUDIT_ARCH_LE);
}

static int choose_flags(const struct spec_seccomp *profile, bool needs_listener,
	unsigned *ret_flags, struct error *err)
{
	unsigned flags =
		profile->has_flags ? (unsigned)profile->flags : SECCOMP_FILTER_FLAG_SPEC_ALLOW;
	unsigned wanted = flags_to_load(flags, needs_listener);

	if (!are_flags_supported(wanted)) {
		if (profile->has_flags) {
			error_set(err, ERROR_UNSUPPORTED,
				"this kernel does not know the seccomp flags 0x%x",
				flags & ~syscall_filter_supported_flags());
			return error_point(err, "/linux/seccomp/flags");
		}
		wanted = flags_to_load(0, needs_listener);
	}
	*ret_flags = wanted;
	return 0;
}

/*
 * Between loading and execve(2) the runtime writes to its parent, and nobody
 * could answer for that write: the agent gets its descriptor only after it.
 */
static int check_notified(const struct spec_seccomp_rule *rule, size_t position,
	struct syscall_filter_outcome *outcome, struct error *err)
{
	for (size_t i = 0; i < rule->names.count; i++) {
		const char *name = rule->names.items[i];

		outcome->notifies_capset |= !strcmp(name, "capset");
		outcome->notifies_prctl |= !strcmp(name, "prctl");
		outcome->notifies_sendmsg |= !strcmp(name, "sendmsg");
		if (!strcmp(name, "write")) {
			error_set(err, ERROR_UNSUPPORTED,
				"SCMP_ACT_NOTIFY is not possible for 'write'");
			return error_point(
				err, "/linux/seccomp/syscalls/%zu/names/%zu", position, i);
		}
	}
	return 0;
}

static int check_listener(const struct spec_seccomp *profile,
	struct syscall_filter_outcome *outcome, struct error *err)
{
	if (profile->default_action == SPEC_SECCOMP_NOTIFY) {
		error_set(err, ERROR_UNSUPPORTED,
			"SCMP_ACT_NOTIFY is not possible as the default action");
		return error_point(err, "/linux/seccomp/defaultAction");
	}
	for (size_t i = 0; i < profile->n_rules; i++) {
		if (profile->rules[i].action != SPEC_SECCOMP_NOTIFY)
			continue;
		outcome->needs_listener = true;
		if (check_notified(&profile->rules[i], i, outcome, err) < 0)
			return -1;
	}
	return 0;
}

/* Where a filter comes from, and where it is kept. */
struct source {
	struct spec_document *document;
	int cache_dir_fd;
	struct text key; /* empty: it is not to be kept */
};

static int compile(const struct spec_seccomp *profile, struct syscall_filter_outcome *outcome,
	struct error *err)
{
	struct syscall_filter_rules rules;
	struct sock_filter *code = NULL;
	int result;

	if (syscall_filter_rules_init(&rules, profile, err) < 0)
		return -1;
	result = syscall_filter_layout(&rules, &code, &outcome->length, err);
	if (result == 0)
		memcpy(outcome->code, code, outcome->length * sizeof(*code));
	free(code);
	syscall_filter_rules_release(&rules);
	return result;
}

static int make(void *context, struct syscall_filter_outcome *outcome, struct error *err)
{
	struct source *source = context;
	const struct spec_seccomp *profile;

	if (spec_load_seccomp(source->document, &profile, err) < 0 ||
		check_listener(profile, outcome, err) < 0 ||
		choose_flags(profile, outcome->needs_listener, &outcome->flags, err) < 0 ||
		compile(profile, outcome, err) < 0)
		return -1;
	/* What is kept is never asked for its agent. */
	if (source->key.length && !outcome->needs_listener)
		syscall_filter_cache_keep(source->cache_dir_fd, &source->key, outcome->code,
			outcome->length, outcome->flags);
	return 0;
}

static int find_or_make(struct source *source, struct syscall_filter *ret_filter, struct error *err)
{
	size_t size;
	const char *text = spec_document_seccomp_text(source->document, &size);

	/* No other text will do: the whole config's may be that of another's profile. */
	if (source->cache_dir_fd >= 0 && text) {
		if (syscall_filter_cache_key(text, size, &source->key, err) < 0)
			return -1;
		if (syscall_filter_cache_find(source->cache_dir_fd, &source->key, &ret_filter->kept,
			    &ret_filter->length, &ret_filter->flags)) {
			ret_filter->code = ret_filter->kept;
			return 0;
		}
	}
	return syscall_filter_apart_begin(make, source, &ret_filter->apart, err);
}

int syscall_filter_begin(struct spec_document *document, int cache_dir_fd,
	struct syscall_filter *ret_filter, struct error *err)
{
	struct source source = { .document = document, .cache_dir_fd = cache_dir_fd };
	struct syscall_filter filter = { 0 };
	int result = find_or_make(&source, &filter, err);

	text_release(&source.key);
	if (result < 0)
		return error_phase(err, "seccomp");
	*ret_filter = filter;
	return 0;
}

bool syscall_filter_is_pending(const struct syscall_filter *filter)
{
	return filter->apart.outcome && !filter->code;
}

void syscall_filter_take(struct syscall_filter *filter)
{
	struct syscall_filter_outcome *outcome = filter->apart.outcome;

	filter->code = outcome->code;
	filter->length = outcome->length;
	filter->flags = outcome->flags;
	filter->needs_listener = outcome->needs_listener;
	filter->notifies_capset = outcome->notifies_capset;
	filter->notifies_prctl = outcome->notifies_prctl;
	filter->notifies_sendmsg = outcome->notifies_sendmsg;
}

int syscall_filter_finish(struct syscall_filter *filter, struct error *err)
{
	if (!syscall_filter_is_pending(filter))
		return 0;
	if (syscall_filter_apart_wait(&filter->apart, err) < 0)
		return error_phase(err, "seccomp");
	syscall_filter_take(filter);
	return 0;
}

int syscall_filter_prepare(struct spec_document *document, int cache_dir_fd,
	struct syscall_filter *ret_filter, struct error *err)
{
	if (syscall_filter_begin(document, cache_dir_fd, ret_filter, err) < 0)
		return -1;
	if (syscall_filter_finish(ret_filter, err) == 0)
		return 0;
	syscall_filter_release(ret_filter);
	return -1;
}

int syscall_filter_load(const struct syscall_filter *filter, int *ret_listener, struct error *err)
{
	struct sock_fprog program = { .len = (unsigned short)filter->length,
		.filter = filter->code };
	int result;

	*ret_listener = -1;
	if (!filter->length)
		return 0;
	assert(filter->length <= BPF_MAXINSNS);
	result = sys_seccomp(SECCOMP_SET_MODE_FILTER, filter->flags, &program);
	if (result < 0) {
		error_set_errno(err, "load the seccomp filter");
		return error_phase(err, "seccomp");
	}
	if (filter->needs_listener) {
		*ret_listener = result;
	} else if (result > 0) {
		/* seccomp(2), TSYNC: the first thread that could not follow. */
		error_set(err, ERROR_SYSTEM, "load the seccomp filter: thread %d has another one",
			result);
		return error_phase(err, "seccomp");
	}
	return 0;
}

void syscall_filter_release(struct syscall_filter *filter)
{
	free(filter->kept);
	syscall_filter_apart_release(&filter->apart);
	*filter = (struct syscall_filter){ 0 };
}
