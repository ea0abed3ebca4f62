/* SPDX-License-Identifier: Apache-2.0 */
#include "libcontainer/kernel/capabilities.h"

#include <linux/capability.h>
#include <linux/ioprio.h>
#include <stdbool.h>
#include <string.h>
#include <sys/prctl.h>
#include <unistd.h>

#include "base/log.h"
#include "base/text.h"
#include "libcontainer/kernel/credentials.h"
#include "libcontainer/kernel/tests/suite.h"

#define BIT(cap) (1ULL << (cap))

static struct error err;
static struct capability_sets sets;
static struct text warnings;
static unsigned n_warnings;

static void collect(void *context, enum log_level level, const char *text)
{
	(void)context;
	(void)level;
	text_append(&warnings, text);
	text_append(&warnings, "\n");
	n_warnings++;
}

static void set_up(void)
{
	log_set_sink(&(struct log_sink){ LOG_LEVEL_WARNING, collect, NULL });
}

#define LIST(...)                                                                      \
	{                                                                              \
		(const char *[]){ __VA_ARGS__, NULL },                                 \
			sizeof((const char *[]){ __VA_ARGS__ }) / sizeof(const char *) \
	}

static int limit(const struct spec_capabilities *capabilities)
{
	const struct spec_process process = { .pointer = "/process", .capabilities = capabilities };

	return capabilities_limit(&process, NULL, &sets, &err);
}

/* From the kernel itself: "CapEff" and so on, of /proc/self/status. */
static uint64_t read_set(const char *name)
{
	size_t length = strlen(name);
	FILE *status = fopen("/proc/self/status", "re");
	uint64_t value = 0;
	char line[256];

	ck_assert_ptr_nonnull(status);
	while (fgets(line, sizeof(line), status))
		if (strncmp(line, name, length) == 0)
			value = strtoull(line + length + 1, NULL, 16);
	fclose(status);
	return value;
}

static void assert_kernel_has(const struct capability_sets *wanted)
{
	ck_assert_uint_eq(read_set("CapBnd"), wanted->bounding);
	ck_assert_uint_eq(read_set("CapEff"), wanted->effective);
	ck_assert_uint_eq(read_set("CapPrm"), wanted->permitted);
	ck_assert_uint_eq(read_set("CapInh"), wanted->inheritable);
	ck_assert_uint_eq(read_set("CapAmb"), wanted->ambient);
}

#define NUMBERED(cap)     \
	{                 \
		cap, #cap \
	}

/* The ends, one of each change of the list's history, and two from between. */
static const struct {
	int number;
	const char *name;
} named[] = { NUMBERED(CAP_CHOWN), NUMBERED(CAP_SETPCAP), NUMBERED(CAP_SYS_ADMIN),
	NUMBERED(CAP_SETFCAP), NUMBERED(CAP_MAC_OVERRIDE), NUMBERED(CAP_SYSLOG),
	NUMBERED(CAP_AUDIT_READ), NUMBERED(CAP_PERFMON), NUMBERED(CAP_CHECKPOINT_RESTORE) };

START_TEST(names_stand_at_the_kernels_numbers)
{
	const char *const *names = capabilities_names();
	int count = 0;

	while (names[count])
		count++;
	ck_assert_int_eq(count, CAP_LAST_CAP + 1);
	for (size_t i = 0; i < array_size(named); i++)
		ck_assert_str_eq(names[named[i].number], named[i].name);
}
END_TEST

START_TEST(absent_is_none_at_all)
{
	suite_assert_done(limit(NULL), err);
	suite_assert_done(capabilities_apply(&sets, &err), err);
	assert_kernel_has(&(struct capability_sets){ 0 });
	ck_assert_uint_eq(n_warnings, 0);
}
END_TEST

START_TEST(sets_are_applied_as_asked)
{
	const struct spec_capabilities wanted = {
		.bounding = LIST("CAP_CHOWN", "CAP_KILL", "CAP_NET_RAW"),
		.permitted = LIST("CAP_KILL", "CAP_CHOWN"),
		.effective = LIST("CAP_CHOWN"),
	};

	suite_assert_done(limit(&wanted), err);
	suite_assert_done(capabilities_apply(&sets, &err), err);
	assert_kernel_has(&(struct capability_sets){
		.bounding = BIT(CAP_CHOWN) | BIT(CAP_KILL) | BIT(CAP_NET_RAW),
		.permitted = BIT(CAP_CHOWN) | BIT(CAP_KILL),
		.effective = BIT(CAP_CHOWN),
	});
	ck_assert_uint_eq(n_warnings, 0);
}
END_TEST

static const struct spec_io_priority real_time = { .class = IOPRIO_CLASS_RT };
static const struct spec_io_priority best_effort = { .class = IOPRIO_CLASS_BE };

/*
 * CAP_SYS_ADMIN loads a filter without no_new_privs, mounts the procfs that a label
 * is written by, and sets real-time I/O priority on Linux 5.10.
 */
static const struct {
	struct spec_process process; /* but what all have */
	bool has_filter;
	bool keeps_admin;
} reduced[] = {
	{ { 0 }, false, false },
	{ { .no_new_privileges = true }, false, false },
	{ { 0 }, true, true },
	{ { .no_new_privileges = true }, true, false },
	{ { .apparmor_profile = "x" }, false, true },
	{ { .apparmor_profile = "x", .no_new_privileges = true }, true, true },
	{ { .selinux_label = "x" }, false, true },
	{ { .selinux_label = "x", .no_new_privileges = true }, true, true },
	{ { .io_priority = &real_time }, false, true },
	{ { .io_priority = &real_time, .no_new_privileges = true }, true, true },
	{ { .io_priority = &best_effort }, false, false },
};

START_TEST(only_what_is_needed_is_kept)
{
	const struct spec_capabilities wanted = {
		.bounding = LIST("CAP_NET_RAW", "CAP_KILL"),
		.permitted = LIST("CAP_NET_RAW"),
		.effective = LIST("CAP_NET_RAW"),
	};
	struct spec_process process = reduced[_i].process;

	process.pointer = "/process";
	process.capabilities = &wanted;
	suite_assert_done(capabilities_reduce(&process, reduced[_i].has_filter, &err), err);
	ck_assert_uint_eq(read_set("CapEff"), read_set("CapPrm"));
	ck_assert_uint_eq(read_set("CapPrm") & ~read_set("CapBnd"), 0);
	ck_assert_uint_eq(read_set("CapBnd") & BIT(CAP_SYS_MODULE), 0);
	ck_assert_int_eq((read_set("CapPrm") & BIT(CAP_SYS_ADMIN)) != 0, reduced[_i].keeps_admin);
	suite_assert_done(limit(&wanted), err);
	suite_assert_done(capabilities_apply(&sets, &err), err);
	assert_kernel_has(&(struct capability_sets){
		.bounding = BIT(CAP_NET_RAW) | BIT(CAP_KILL),
		.permitted = BIT(CAP_NET_RAW),
		.effective = BIT(CAP_NET_RAW),
	});
	ck_assert_uint_eq(n_warnings, 0);
}
END_TEST

START_TEST(ambient_survives_a_change_of_user)
{
	const struct spec_capabilities wanted = {
		.bounding = LIST("CAP_CHOWN", "CAP_NET_RAW"),
		.permitted = LIST("CAP_CHOWN", "CAP_NET_RAW"),
		.effective = LIST("CAP_CHOWN", "CAP_NET_RAW"),
		.inheritable = LIST("CAP_NET_RAW"),
		.ambient = LIST("CAP_NET_RAW"),
	};
	static const struct spec_process user = { .pointer = "/process",
		.user = { .uid = 1234, .gid = 5678 } };

	suite_assert_done(limit(&wanted), err);
	suite_assert_done(credentials_apply(&user, &err), err);
	ck_assert_uint_eq(read_set("CapEff"), 0);
	suite_assert_done(capabilities_preview(&sets, &err), err);
	ck_assert_uint_eq(read_set("CapEff"), BIT(CAP_CHOWN) | BIT(CAP_NET_RAW));
	suite_assert_done(capabilities_regain(&err), err);
	ck_assert_uint_ne(read_set("CapEff") & BIT(CAP_SYS_ADMIN), 0);
	suite_assert_done(capabilities_apply(&sets, &err), err);
	assert_kernel_has(&(struct capability_sets){
		.bounding = BIT(CAP_CHOWN) | BIT(CAP_NET_RAW),
		.permitted = BIT(CAP_CHOWN) | BIT(CAP_NET_RAW),
		.effective = BIT(CAP_CHOWN) | BIT(CAP_NET_RAW),
		.inheritable = BIT(CAP_NET_RAW),
		.ambient = BIT(CAP_NET_RAW),
	});
}
END_TEST

START_TEST(ambient_of_the_caller_does_not_stay)
{
	const struct spec_capabilities wanted = {
		.bounding = LIST("CAP_CHOWN", "CAP_NET_RAW"),
		.permitted = LIST("CAP_CHOWN", "CAP_NET_RAW"),
		.inheritable = LIST("CAP_CHOWN", "CAP_NET_RAW"),
		.ambient = LIST("CAP_CHOWN"),
	};
	static const struct capability_sets ours = {
		.permitted = BIT(CAP_CHOWN) | BIT(CAP_NET_RAW) | BIT(CAP_SETPCAP),
		.effective = BIT(CAP_SETPCAP),
		.inheritable = BIT(CAP_CHOWN) | BIT(CAP_NET_RAW) | BIT(CAP_SETPCAP),
		.ambient = BIT(CAP_NET_RAW),
	};

	suite_assert_done(capabilities_apply(&ours, &err), err);
	ck_assert_uint_eq(read_set("CapAmb"), BIT(CAP_NET_RAW));
	suite_assert_done(limit(&wanted), err);
	suite_assert_done(capabilities_apply(&sets, &err), err);
	ck_assert_uint_eq(read_set("CapAmb"), BIT(CAP_CHOWN));
	ck_assert_uint_eq(read_set("CapInh"), BIT(CAP_CHOWN) | BIT(CAP_NET_RAW));
}
END_TEST

/* config.md: what can't be granted is warned of, and the container starts. */
static const struct {
	struct spec_capabilities wanted;
	struct capability_sets result;
	const char *warnings;
} doubtful[] = {
	{ { .bounding = LIST("CAP_CHOWN", "CAP_FOO") }, { .bounding = BIT(CAP_CHOWN) },
		"/process/capabilities/bounding/1: no capability is called 'CAP_FOO'\n" },
	{ { .bounding = LIST("cap_chown"), .permitted = LIST("cap_chown") }, { 0 },
		"/process/capabilities/bounding/0: no capability is called 'cap_chown'\n" },
	{ { .bounding = LIST("CAP_CHOWN"),
		  .permitted = LIST("CAP_CHOWN", "CAP_KILL"),
		  .effective = LIST("CAP_KILL", "CAP_CHOWN") },
		{ .bounding = BIT(CAP_CHOWN),
			.permitted = BIT(CAP_CHOWN),
			.effective = BIT(CAP_CHOWN) },
		"/process/capabilities/permitted/1: CAP_KILL left out: it is not in the bounding "
		"set\n" },
	{ { .bounding = LIST("CAP_CHOWN"), .effective = LIST("CAP_CHOWN") },
		{ .bounding = BIT(CAP_CHOWN) },
		"/process/capabilities/effective/0: CAP_CHOWN left out: it is not in the permitted "
		"set\n" },
	{ { .bounding = LIST("CAP_CHOWN"),
		  .permitted = LIST("CAP_CHOWN"),
		  .ambient = LIST("CAP_CHOWN") },
		{ .bounding = BIT(CAP_CHOWN), .permitted = BIT(CAP_CHOWN) },
		"/process/capabilities/ambient/0: CAP_CHOWN left out: it is not in both the "
		"permitted and the inheritable set\n" },
	{ { .bounding = LIST("CAP_MAC_ADMIN"),
		  .permitted = LIST("CAP_MAC_ADMIN"),
		  .inheritable = LIST("CAP_MAC_ADMIN") },
		{ 0 },
		"/process/capabilities/bounding/0: CAP_MAC_ADMIN left out: the runtime does not "
		"have it itself\n" },
};

START_TEST(what_cannot_be_granted_is_left_out)
{
	/* So that there is one for sure that the runtime lacks. */
	struct capability_sets ours = { .permitted = read_set("CapPrm") & ~BIT(CAP_MAC_ADMIN) };

	ours.effective = ours.permitted;
	ck_assert_int_eq(prctl(PR_CAPBSET_DROP, CAP_MAC_ADMIN, 0, 0, 0), 0);
	suite_assert_done(capabilities_apply(&ours, &err), err);
	suite_assert_done(limit(&doubtful[_i].wanted), err);
	suite_assert_done(capabilities_apply(&sets, &err), err);
	ck_assert_str_eq(warnings.data, doubtful[_i].warnings);
	assert_kernel_has(&doubtful[_i].result);
}
END_TEST

START_TEST(what_is_known_is_not_told_again)
{
	const struct spec_capabilities known = {
		.bounding = LIST("CAP_CHOWN", "CAP_OLD"),
		.permitted = LIST("CAP_CHOWN", "CAP_KILL"),
	};
	const struct spec_capabilities wanted = {
		.bounding = LIST("CAP_CHOWN", "CAP_OLD", "CAP_NEW"),
		.permitted = LIST("CAP_CHOWN", "CAP_KILL", "CAP_FOWNER"),
		.effective = LIST("CAP_OLD"),
	};
	const struct spec_process process = { .pointer = "/process", .capabilities = &wanted };

	suite_assert_done(capabilities_limit(&process, &known, &sets, &err), err);
	ck_assert_str_eq(warnings.data,
		"/process/capabilities/bounding/2: no capability is called 'CAP_NEW'\n"
		"/process/capabilities/permitted/2: CAP_FOWNER left out: it is not in the bounding "
		"set\n");
}
END_TEST

START_TEST(what_the_runtime_lacks_is_told_again)
{
	const struct spec_capabilities wanted = { .bounding = LIST("CAP_MAC_ADMIN") };
	const struct spec_process process = { .pointer = "/process", .capabilities = &wanted };
	struct capability_sets ours = { .permitted = read_set("CapPrm") & ~BIT(CAP_MAC_ADMIN) };

	ours.effective = ours.permitted;
	ck_assert_int_eq(prctl(PR_CAPBSET_DROP, CAP_MAC_ADMIN, 0, 0, 0), 0);
	suite_assert_done(capabilities_apply(&ours, &err), err);
	suite_assert_done(capabilities_limit(&process, &wanted, &sets, &err), err);
	ck_assert_uint_eq(n_warnings, 1);
}
END_TEST

START_TEST(without_the_right_to_drop_it_fails)
{
	const struct capability_sets ours = { .permitted = BIT(CAP_CHOWN) };

	suite_assert_done(capabilities_apply(&ours, &err), err);
	ck_assert_int_eq(limit(NULL), -1);
	ck_assert_str_eq(err.pointer, "/process/capabilities/bounding");
	ck_assert_str_eq(err.text, "drop capability 0 from the bounding set: not permitted");
}
END_TEST

int main(void)
{
	TCase *tests;

	if (geteuid() != 0)
		return suite_skip("changing capabilities needs root");
	tests = tcase_create("capabilities");
	tcase_add_checked_fixture(tests, set_up, NULL);
	tcase_add_test(tests, names_stand_at_the_kernels_numbers);
	tcase_add_test(tests, absent_is_none_at_all);
	tcase_add_test(tests, sets_are_applied_as_asked);
	tcase_add_test(tests, ambient_survives_a_change_of_user);
	tcase_add_loop_test(tests, only_what_is_needed_is_kept, 0, array_size(reduced));
	tcase_add_test(tests, ambient_of_the_caller_does_not_stay);
	tcase_add_loop_test(tests, what_cannot_be_granted_is_left_out, 0, array_size(doubtful));
	tcase_add_test(tests, what_is_known_is_not_told_again);
	tcase_add_test(tests, what_the_runtime_lacks_is_told_again);
	tcase_add_test(tests, without_the_right_to_drop_it_fails);
	return suite_run(tests);
}
