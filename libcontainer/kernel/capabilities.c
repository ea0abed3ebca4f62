/* SPDX-License-Identifier: Apache-2.0 */
#include "libcontainer/kernel/capabilities.h"

#include <errno.h>
#include <linux/capability.h>
#include <linux/ioprio.h>
#include <stdbool.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/log.h"

/* By number, from libcap-ng (tools/list_capabilities.c). */
static const char *const names[] = {
#include "libcontainer/kernel/capability_names.h"
	NULL,
};

#define NAMES_COUNT (array_size(names) - 1)
#define BIT(cap)    (1ULL << (cap))

/*
 * What a process needs to become a program as another user, with its own limits,
 * priority and terminal, from a directory that it may have to make.
 */
#define NEEDED_TO_SET_UP                                                                       \
	(BIT(CAP_CHOWN) | BIT(CAP_DAC_OVERRIDE) | BIT(CAP_FOWNER) | BIT(CAP_SETGID) |          \
		BIT(CAP_SETUID) | BIT(CAP_SETPCAP) | BIT(CAP_SYS_CHROOT) | BIT(CAP_SYS_NICE) | \
		BIT(CAP_SYS_RESOURCE))

const char *const *capabilities_names(void)
{
	return names;
}

/* The capability's number, or -1. Names are exact: "chown" and "cap_chown" are none. */
static int number_of(const char *name)
{
	for (size_t i = 0; i < NAMES_COUNT; i++)
		if (strcmp(names[i], name) == 0)
			return (int)i;
	return -1;
}

enum set { BOUNDING, PERMITTED, EFFECTIVE, INHERITABLE, AMBIENT, SETS };

static const char *const set_words[] = { "bounding", "permitted", "effective", "inheritable",
	"ambient" };

static const char lack_of_runtime[] = "the runtime does not have it itself";

/* What is being worked out, by enum set. */
struct plan {
	const char *pointer; /* of the process object */
	const struct spec_strings *lists[SETS];
	size_t known[SETS]; /* so many at the head of each list were warned of before */
	uint64_t sets[SETS];
	uint64_t told; /* those that were warned of: once is enough */
};

static bool is_told(const struct plan *plan, enum set set, size_t index)
{
	const char *name = plan->lists[set]->items[index];

	for (int s = 0; s < SETS; s++) {
		size_t end = s == (int)set ? index : plan->lists[s]->count;

		for (size_t i = 0; i < end; i++)
			if (strcmp(plan->lists[s]->items[i], name) == 0)
				return true;
		if (s == (int)set)
			break;
	}
	return false;
}

static void read_set(struct plan *plan, enum set set)
{
	const struct spec_strings *list = plan->lists[set];

	for (size_t i = 0; i < list->count; i++) {
		int cap = number_of(list->items[i]);

		if (cap >= 0)
			plan->sets[set] |= BIT(cap);
		else if (i >= plan->known[set] && !is_told(plan, set, i))
			log_warning("%s/capabilities/%s/%zu: no capability is called '%s'",
				plan->pointer, set_words[set], i, list->items[i]);
	}
}

/* Known lists rule out among each other what they did before; what the caller lacks may be new. */
static bool is_known(const struct plan *plan, enum set set, size_t index, const char *why)
{
	return why != lack_of_runtime && index < plan->known[set];
}

/* Takes from SET what is not in ALLOWED, and says why. */
static void confine(struct plan *plan, enum set set, uint64_t allowed, const char *why)
{
	uint64_t lost = plan->sets[set] & ~allowed;

	plan->sets[set] &= allowed;
	lost &= ~plan->told;
	plan->told |= lost;
	for (size_t i = 0; lost && i < plan->lists[set]->count; i++) {
		int cap = number_of(plan->lists[set]->items[i]);

		if (cap < 0 || !(lost & BIT(cap)))
			continue;
		lost &= ~BIT(cap);
		if (!is_known(plan, set, i, why))
			log_warning("%s/capabilities/%s/%zu: %s left out: %s", plan->pointer,
				set_words[set], i, names[cap], why);
	}
}

/* What the caller may pass on; asks about as few capabilities as it can. */
static uint64_t available(uint64_t wanted, uint64_t permitted)
{
	uint64_t found = wanted & permitted;

	for (unsigned cap = 0; cap < 64; cap++)
		if ((wanted & ~permitted & BIT(cap)) && prctl(PR_CAPBSET_READ, cap, 0, 0, 0) == 1)
			found |= BIT(cap);
	return found;
}

static int get_own(struct __user_cap_data_struct own[2], struct error *err)
{
	struct __user_cap_header_struct header = { .version = _LINUX_CAPABILITY_VERSION_3 };

	if (syscall(SYS_capget, &header, own) < 0)
		return error_set_errno(err, "capget");
	return 0;
}

bool capabilities_has(unsigned capability)
{
	struct __user_cap_data_struct own[2];
	struct error ignored = { 0 };

	return get_own(own, &ignored) == 0 &&
	       own[capability / 32].effective & UINT32_C(1) << capability % 32;
}

bool capabilities_may_trace(void)
{
	return capabilities_has(CAP_SYS_PTRACE);
}

static int work_out(struct plan *plan, struct error *err)
{
	struct __user_cap_data_struct own[2];
	uint64_t permitted, inheritable;

	if (get_own(own, err) < 0)
		return -1;
	permitted = own[0].permitted | (uint64_t)own[1].permitted << 32;
	inheritable = own[0].inheritable | (uint64_t)own[1].inheritable << 32;

	for (int set = 0; set < SETS; set++)
		read_set(plan, (enum set)set);
	confine(plan, BOUNDING, available(plan->sets[BOUNDING], permitted), lack_of_runtime);
	confine(plan, PERMITTED, permitted, lack_of_runtime);
	confine(plan, PERMITTED, plan->sets[BOUNDING], "it is not in the bounding set");
	confine(plan, EFFECTIVE, plan->sets[PERMITTED], "it is not in the permitted set");
	confine(plan, INHERITABLE, permitted | inheritable, lack_of_runtime);
	confine(plan, INHERITABLE, plan->sets[BOUNDING], "it is not in the bounding set");
	confine(plan, AMBIENT, plan->sets[PERMITTED] & plan->sets[INHERITABLE],
		"it is not in both the permitted and the inheritable set");
	return 0;
}

/* Up to the kernel's last one, which may be later than this build's. */
static int drop_all_but(uint64_t bounding, struct error *err)
{
	for (unsigned cap = 0; cap < 64; cap++) {
		if (bounding & BIT(cap))
			continue;
		if (prctl(PR_CAPBSET_DROP, cap, 0, 0, 0) == 0)
			continue;
		if (errno == EINVAL)
			break;
		/* Without CAP_SETPCAP, what is gone already is fine. */
		if (prctl(PR_CAPBSET_READ, cap, 0, 0, 0) == 0)
			continue;
		errno = EPERM;
		return error_set_errno(err, "drop capability %u from the bounding set", cap);
	}
	return 0;
}

int capabilities_limit(const struct spec_process *process, const struct spec_capabilities *known,
	struct capability_sets *ret_sets, struct error *err)
{
	static const struct spec_capabilities none;
	const struct spec_capabilities *wanted = process->capabilities ?: &none;
	const struct spec_capabilities *before = known ?: &none;
	struct plan plan = {
		.pointer = process->pointer,
		.lists = { &wanted->bounding, &wanted->permitted, &wanted->effective,
			&wanted->inheritable, &wanted->ambient },
		.known = { before->bounding.count, before->permitted.count, before->effective.count,
			before->inheritable.count, before->ambient.count },
	};

	if (process->capabilities && work_out(&plan, err) < 0)
		return -1;
	if (drop_all_but(plan.sets[BOUNDING], err) < 0)
		return error_point(err, "%s/capabilities/bounding", process->pointer);
	*ret_sets = (struct capability_sets){
		.bounding = plan.sets[BOUNDING],
		.effective = plan.sets[EFFECTIVE],
		.inheritable = plan.sets[INHERITABLE],
		.permitted = plan.sets[PERMITTED],
		.ambient = plan.sets[AMBIENT],
	};
	return 0;
}

static uint64_t named_by(const struct spec_capabilities *capabilities)
{
	const struct spec_strings *const lists[] = { &capabilities->bounding,
		&capabilities->permitted, &capabilities->effective, &capabilities->inheritable,
		&capabilities->ambient };
	uint64_t found = 0;

	for (size_t s = 0; s < array_size(lists); s++) {
		for (size_t i = 0; i < lists[s]->count; i++) {
			int cap = number_of(lists[s]->items[i]);

			if (cap >= 0)
				found |= BIT(cap);
		}
	}
	return found;
}

/* Whether something on the way to the program takes CAP_SYS_ADMIN. */
static bool needs_admin(const struct spec_process *process, bool has_filter)
{
	const struct spec_io_priority *io_priority = process->io_priority;
	const bool needs[] = {
		/* seccomp(2) takes it or no_new_privs. */
		has_filter && !process->no_new_privileges,
		/* Where the container's /proc is covered, read-only or missing: procfs_open(). */
		process->apparmor_profile || process->selinux_label,
		/* Linux 5.10 knows nothing of CAP_SYS_NICE there (ioprio_set(2)). */
		io_priority && io_priority->class == IOPRIO_CLASS_RT,
	};

	for (size_t i = 0; i < array_size(needs); i++)
		if (needs[i])
			return true;
	return false;
}

int capabilities_reduce(const struct spec_process *process, bool has_filter, struct error *err)
{
	struct __user_cap_header_struct header = { .version = _LINUX_CAPABILITY_VERSION_3 };
	struct __user_cap_data_struct own[2];
	uint64_t kept = NEEDED_TO_SET_UP;

	if (process->capabilities)
		kept |= named_by(process->capabilities);
	if (needs_admin(process, has_filter))
		kept |= BIT(CAP_SYS_ADMIN);
	if (drop_all_but(kept, err) < 0)
		return error_point(err, "%s/capabilities/bounding", process->pointer);
	if (get_own(own, err) < 0)
		return -1;
	for (size_t i = 0; i < array_size(own); i++) {
		own[i].permitted &= (uint32_t)(kept >> 32 * i);
		own[i].effective &= own[i].permitted;
	}
	if (syscall(SYS_capset, &header, own) < 0)
		return error_set_errno(err, "give up capabilities");
	return 0;
}

/* Those among WANTED that are permitted; the other sets stay. */
static int set_effective(uint64_t wanted, struct error *err)
{
	struct __user_cap_header_struct header = { .version = _LINUX_CAPABILITY_VERSION_3 };
	struct __user_cap_data_struct own[2];

	if (get_own(own, err) < 0)
		return -1;
	own[0].effective = own[0].permitted & (uint32_t)wanted;
	own[1].effective = own[1].permitted & (uint32_t)(wanted >> 32);
	if (syscall(SYS_capset, &header, own) < 0)
		return error_set_errno(err, "change the effective capabilities");
	return 0;
}

int capabilities_preview(const struct capability_sets *sets, struct error *err)
{
	return set_effective(sets->effective, err);
}

int capabilities_regain(struct error *err)
{
	return set_effective(UINT64_MAX, err);
}

/* capset(2) has emptied the ambient set already when nothing is inheritable. */
static int raise_ambient(const struct capability_sets *sets, struct error *err)
{
	if (!sets->inheritable)
		return 0;
	if (prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0) < 0)
		return error_set_errno(err, "clear the ambient capabilities");
	for (unsigned cap = 0; cap < NAMES_COUNT; cap++) {
		if (!(sets->ambient & BIT(cap)))
			continue;
		if (prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_RAISE, cap, 0, 0) < 0)
			return error_set_errno(err, "raise ambient capability %s", names[cap]);
	}
	return 0;
}

int capabilities_apply(const struct capability_sets *sets, struct error *err)
{
	struct __user_cap_header_struct header = { .version = _LINUX_CAPABILITY_VERSION_3 };
	struct __user_cap_data_struct data[2] = {
		{ (uint32_t)sets->effective, (uint32_t)sets->permitted,
			(uint32_t)sets->inheritable },
		{ (uint32_t)(sets->effective >> 32), (uint32_t)(sets->permitted >> 32),
			(uint32_t)(sets->inheritable >> 32) },
	};

	if (syscall(SYS_capset, &header, data) < 0)
		return error_set_errno(err, "set capabilities");
	return raise_ambient(sets, err);
}
