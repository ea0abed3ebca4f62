/* SPDX-License-Identifier: Apache-2.0 */
/* net_devices.c and rtnetlink.c, between two network namespaces of the test's own. */
#include "libcontainer/kernel/net_devices.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/if_link.h>
#include <sched.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "libcontainer/kernel/rtnetlink.h"
#include "libcontainer/kernel/tests/suite.h"

static struct error err;
static int host = -1, container = -1;
static struct net_devices devices;

static int run_in(int ns, const char *command)
{
	int status;
	pid_t pid = fork();

	if (pid == 0) {
		if (setns(ns, CLONE_NEWNET) == 0)
			execl("/bin/sh", "sh", "-c", command, (char *)NULL);
		_exit(127);
	}
	ck_assert_int_ge(pid, 0);
	ck_assert_int_eq(waitpid(pid, &status, 0), pid);
	return status;
}

static void set_up(void)
{
	ck_assert_int_eq(unshare(CLONE_NEWNET), 0);
	container = open("/proc/self/ns/net", O_RDONLY | O_CLOEXEC);
	ck_assert_int_eq(unshare(CLONE_NEWNET), 0);
	host = open("/proc/self/ns/net", O_RDONLY | O_CLOEXEC);
	ck_assert_int_ge(host, 0);
	ck_assert_int_eq(run_in(host, "ip link add kogg0 type veth peer name kogg1 && "
				      "ip link set kogg0 mtu 1400 && ip link set kogg1 up && "
				      "ip addr add 10.1.2.3/24 brd 10.1.2.255 dev kogg0 && "
				      "ip addr add 10.1.2.4/24 dev kogg0 && "
				      "ip addr add 169.254.9.9/16 scope link dev kogg0 && "
				      "ip addr add fd00::1/64 dev kogg0 && "
				      "ip addr add fd00::2/64 dev kogg0 valid_lft 1000 "
				      "preferred_lft 1000"),
		0);
}

static int move(const char *from, const char *to)
{
	struct spec_net_device device = { from, to };
	const struct spec_linux platform = { .net_devices = &device, .n_net_devices = 1 };

	return net_devices_move(&platform, container, &devices, &err);
}

START_TEST(nothing_without_devices)
{
	suite_assert_done(net_devices_move(&(struct spec_linux){ 0 }, -1, &devices, &err), err);
	suite_assert_done(net_devices_return(&devices, &err), err);
}
END_TEST

START_TEST(a_device_moves_with_its_addresses)
{
	static const char rename[] = "ip link set kogg0 down && ip link set kogg0 name eth0 && "
				     "ip link set eth0 up";

	suite_assert_done(move("kogg0", _i ? "eth0" : NULL), err);
	ck_assert_int_ne(run_in(host, "ip link show kogg0 2>/dev/null"), 0);
	if (_i == 0)
		ck_assert_int_eq(run_in(container, rename), 0);
	ck_assert_int_eq(run_in(container, "ip link show eth0 up | grep -q 'mtu 1400'"), 0);
	ck_assert_int_eq(
		run_in(container, "ip addr show eth0 | grep -q 'inet 10.1.2.3/24 brd 10.1.2.255'"),
		0);
	ck_assert_int_eq(run_in(container, "ip addr show eth0 | grep -q 10.1.2.4/24"), 0);
	ck_assert_int_ne(run_in(container, "ip addr show eth0 | grep -q 169.254"), 0);
	ck_assert_int_ne(run_in(container, "ip addr show eth0 | grep -q fd00::2"), 0);
	if (_i)
		ck_assert_int_eq(
			run_in(container, "ip addr show eth0 | grep -q 'inet6 fd00::1/64'"), 0);
}
END_TEST

START_TEST(a_template_gets_the_first_free_number)
{
	ck_assert_int_eq(run_in(container, "ip link add eth0 type veth peer name eth2"), 0);
	suite_assert_done(move("kogg0", "eth%d"), err);
	ck_assert_int_eq(run_in(container, "ip addr show eth1 | grep -q 10.1.2.3/24"), 0);
}
END_TEST

static const struct {
	const char *from;
	const char *to;
	const char *pointer;
	const char *text;
} bad[] = {
	{ "kogg0", "taken", "/linux/netDevices/kogg0",
		"there is a network device 'taken' in the container's namespace already" },
	{ "absent", NULL, "/linux/netDevices/absent", "the host has no network device 'absent'" },
	{ "a-name-that-is-too-long", NULL, "/linux/netDevices/a-name-that-is-too-long",
		"the host has no network device 'a-name-that-is-too-long'" },
	{ "kogg0", "a-name-that-is-too-long", "/linux/netDevices/kogg0",
		"'a-name-that-is-too-long' is not of 1 to 15 characters, as the names of network "
		"devices are" },
	{ "lo", "lo1", "/linux/netDevices/lo", "the loopback device can't be moved" },
};

START_TEST(bad_devices_stay)
{
	ck_assert_int_eq(run_in(container, "ip link add taken type veth peer name other"), 0);
	ck_assert_int_eq(move(bad[_i].from, bad[_i].to), -1);
	ck_assert_str_eq(err.text, bad[_i].text);
	ck_assert_str_eq(err.pointer, bad[_i].pointer);
	ck_assert_int_eq(run_in(host, "ip addr show kogg0 | grep -q 10.1.2.3/24"), 0);
	/* The caller is back where it was. */
	ck_assert_int_eq(run_in(host, "true"), 0);
	ck_assert_int_eq(access("/proc/self/ns/net", F_OK), 0);
}
END_TEST

/* The kernel takes no such name: found out only after the move. */
START_TEST(a_move_that_fails_half_way_is_undone)
{
	ck_assert_int_eq(run_in(host, "ip link set kogg0 up"), 0);
	ck_assert_int_eq(move("kogg0", "a/b"), -1);
	ck_assert_str_eq(err.pointer, "/linux/netDevices/kogg0");
	ck_assert_int_eq(run_in(host, "ip link show kogg0 up | grep -q kogg0"), 0);
	ck_assert_int_eq(run_in(host, "ip addr show kogg0 | grep -q 10.1.2.3/24"), 0);
}
END_TEST

/* One is up and has addresses, the other has neither; and they have new names. */
START_TEST(what_has_moved_is_returned)
{
	struct spec_net_device items[] = { { "kogg0", "eth%d" }, { "kogg2", "eth0" } };
	const struct spec_linux platform = { .net_devices = items, .n_net_devices = 2 };

	ck_assert_int_eq(run_in(host, "ip link set kogg0 up && "
				      "ip link add kogg2 type veth peer name kogg3"),
		0);
	items[1].name = _i ? "eth0" : "eth7";
	ck_assert_int_eq(net_devices_move(&platform, container, &devices, &err), _i ? -1 : 0);
	err = (struct error){ 0 };
	ck_assert_int_eq(run_in(container, "ip link show eth0 up | grep -q eth0"), 0);
	suite_assert_done(net_devices_return(&devices, &err), err);
	ck_assert_int_eq(run_in(host, "ip link show kogg0 up | grep -q kogg0"), 0);
	ck_assert_int_eq(run_in(host, "ip addr show kogg0 | grep -q 10.1.2.3/24"), 0);
	ck_assert_int_ne(run_in(host, "ip link show kogg2 up | grep -q kogg2"), 0);
	ck_assert_int_eq(run_in(host, "ip link show kogg2 | grep -q kogg2"), 0);
	net_devices_release(&devices);
}
END_TEST

/* Whose index is taken in the container gets another one there. */
START_TEST(an_index_that_is_taken_is_left_to_whom_it_is)
{
	static const char occupy[] = "ip link add one index 501 type veth peer name two index 500";

	ck_assert_int_eq(run_in(host, "ip link add kogg5 index 500 type veth peer name kogg6"), 0);
	ck_assert_int_eq(run_in(container, occupy), 0);
	suite_assert_done(move("kogg5", "eth0"), err);
	ck_assert_int_eq(run_in(container, "ip link show eth0 up | grep -q '^502: eth0@'"), 0);
	suite_assert_done(net_devices_return(&devices, &err), err);
	ck_assert_int_eq(run_in(host, "ip link show kogg5 type veth | grep -q kogg5"), 0);
	ck_assert_int_eq(run_in(container, "ip link show one && ip link show two"), 0);
	net_devices_release(&devices);
}
END_TEST

/* Attributes as a hostile peer would write them. */
static const struct {
	unsigned char bytes[16];
	size_t size;
	int count;
} attributes[] = {
	{ { 8, 0, 1, 0, 1, 2, 3, 4 }, 8, 1 },
	{ { 8, 0, 1, 0, 1, 2, 3, 4, 5, 0, 2, 0, 9 }, 13, 2 },
	{ { 8, 0, 1, 0, 1, 2, 3, 4 }, 7, 0 },
	{ { 3, 0, 1, 0 }, 4, 0 },
	{ { 0, 0, 1, 0 }, 4, 0 },
	{ { 255, 255, 1, 0 }, 4, 0 },
	{ { 4, 0, 1 }, 3, 0 },
	{ { 0 }, 0, 0 },
};

START_TEST(attributes_stay_within_bounds)
{
	const char *at = (const char *)attributes[_i].bytes;
	size_t left = attributes[_i].size, size;
	const void *data;
	unsigned type;
	int count = 0;

	while (rtnetlink_next(&at, &left, &type, &data, &size)) {
		ck_assert_uint_le(size, attributes[_i].size);
		count++;
	}
	ck_assert_int_eq(count, attributes[_i].count);
}
END_TEST

int main(void)
{
	TCase *tests;

	if (geteuid() != 0)
		return suite_skip("making network namespaces needs root");
	if (access("/usr/sbin/ip", X_OK) < 0 && access("/sbin/ip", X_OK) < 0)
		return suite_skip("ip(8) is not installed");
	tests = tcase_create("net devices");
	tcase_add_checked_fixture(tests, set_up, NULL);
	tcase_add_test(tests, nothing_without_devices);
	tcase_add_loop_test(tests, a_device_moves_with_its_addresses, 0, 2);
	tcase_add_test(tests, a_template_gets_the_first_free_number);
	tcase_add_loop_test(tests, bad_devices_stay, 0, array_size(bad));
	tcase_add_test(tests, a_move_that_fails_half_way_is_undone);
	tcase_add_loop_test(tests, what_has_moved_is_returned, 0, 2);
	tcase_add_test(tests, an_index_that_is_taken_is_left_to_whom_it_is);
	tcase_add_loop_test(tests, attributes_stay_within_bounds, 0, array_size(attributes));
	return suite_run(tests);
}
