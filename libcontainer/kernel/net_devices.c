/* SPDX-License-Identifier: Apache-2.0 */
#include "libcontainer/kernel/net_devices.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/if_addr.h>
#include <linux/if_link.h>
#include <net/if.h>
#include <sched.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "libcontainer/kernel/rtnetlink.h"
#include "libspec/json_path.h"

/* Of one device. */
#define ADDRESSES_MAX 256

/* Numbers that the kernel tries for "%d", in dev_alloc_name(). */
#define TEMPLATE_NUMBERS 32768

/* Those that user space may set; the others say what state an address is in. */
#define KEPT_FLAGS                                                                      \
	(IFA_F_NODAD | IFA_F_HOMEADDRESS | IFA_F_MANAGETEMPADDR | IFA_F_NOPREFIXROUTE | \
		IFA_F_MCAUTOJOIN)

/* The attributes of an address that are carried over, by their place in struct address. */
static const unsigned kept_attributes[] = { IFA_LOCAL, IFA_ADDRESS, IFA_BROADCAST,
	IFA_RT_PRIORITY };

struct address {
	struct ifaddrmsg header;
	uint32_t flags;
	size_t sizes[array_size(kept_attributes)]; /* 0: absent */
	unsigned char values[array_size(kept_attributes)][16];
};

struct addresses {
	int index; /* of the device that they are wanted of */
	size_t count;
	struct address items[ADDRESSES_MAX];
};

/* A network namespace: its file, and a socket in it. */
struct side {
	int ns;
	int socket;
};

/* A device as it was found. */
struct device {
	char name[IFNAMSIZ];
	int index;
	unsigned flags;
	struct addresses addresses;
};

static int take_link(void *context, unsigned type, const void *payload, size_t size)
{
	struct ifinfomsg *found = context;

	if (type == RTM_NEWLINK && size >= sizeof(*found))
		memcpy(found, payload, sizeof(*found));
	return 0;
}

/* Returns -1 and ENODEV when there is no device NAME. */
static int find_link(const struct side *side, const char *name, struct ifinfomsg *ret_link)
{
	struct rtnetlink_request request;

	memset(ret_link, 0, sizeof(*ret_link));
	rtnetlink_begin(&request, RTM_GETLINK, 0, sizeof(request.body.link));
	rtnetlink_add(&request, IFLA_IFNAME, name, strlen(name) + 1);
	return rtnetlink_exchange(side->socket, &request, take_link, ret_link);
}

static void take_attributes(struct address *address, const char *at, size_t left)
{
	const void *data;
	unsigned type;
	size_t size;

	address->flags = address->header.ifa_flags;
	while (rtnetlink_next(&at, &left, &type, &data, &size)) {
		if (type == IFA_FLAGS && size == sizeof(address->flags))
			memcpy(&address->flags, data, size);
		for (size_t i = 0; i < array_size(kept_attributes); i++) {
			if (type != kept_attributes[i] || size > sizeof(address->values[i]))
				continue;
			memcpy(address->values[i], data, size);
			address->sizes[i] = size;
		}
	}
}

static int take_address(void *context, unsigned type, const void *payload, size_t size)
{
	struct addresses *addresses = context;
	struct address address = { 0 };

	if (type != RTM_NEWADDR || size < sizeof(address.header))
		return 0;
	memcpy(&address.header, payload, sizeof(address.header));
	if ((int)address.header.ifa_index != addresses->index ||
		address.header.ifa_scope != RT_SCOPE_UNIVERSE)
		return 0;
	take_attributes(&address, (const char *)payload + NLMSG_ALIGN(sizeof(address.header)),
		size - sizeof(address.header));
	if (!(address.flags & IFA_F_PERMANENT))
		return 0;
	if (addresses->count == ADDRESSES_MAX) {
		errno = E2BIG;
		return -1;
	}
	addresses->items[addresses->count++] = address;
	return 0;
}

static int list_addresses(const struct side *side, struct addresses *addresses)
{
	struct rtnetlink_request request;

	rtnetlink_begin(&request, RTM_GETADDR, NLM_F_DUMP, sizeof(request.body.address));
	return rtnetlink_exchange(side->socket, &request, take_address, addresses);
}

static int add_address(const struct side *side, int index, const struct address *address)
{
	uint32_t flags = address->flags & KEPT_FLAGS;
	struct rtnetlink_request request;

	rtnetlink_begin(
		&request, RTM_NEWADDR, NLM_F_CREATE | NLM_F_EXCL, sizeof(request.body.address));
	request.body.address.ifa_family = address->header.ifa_family;
	request.body.address.ifa_prefixlen = address->header.ifa_prefixlen;
	request.body.address.ifa_scope = address->header.ifa_scope;
	request.body.address.ifa_index = (unsigned)index;
	rtnetlink_add(&request, IFA_FLAGS, &flags, sizeof(flags));
	for (size_t i = 0; i < array_size(kept_attributes); i++)
		if (address->sizes[i])
			rtnetlink_add(&request, kept_attributes[i], address->values[i],
				address->sizes[i]);
	/* EEXIST: one that the kernel makes by itself. */
	if (rtnetlink_exchange(side->socket, &request, NULL, NULL) < 0 && errno != EEXIST)
		return -1;
	return 0;
}

static int set_up(const struct side *side, int index)
{
	struct rtnetlink_request request;

	rtnetlink_begin(&request, RTM_NEWLINK, 0, sizeof(request.body.link));
	request.body.link.ifi_index = index;
	request.body.link.ifi_flags = IFF_UP;
	request.body.link.ifi_change = IFF_UP;
	return rtnetlink_exchange(side->socket, &request, NULL, NULL);
}

/* The kernel closes the device, moves it, and then renames it. */
static int change_namespace(
	const struct side *from, const struct side *to, int index, const char *name)
{
	struct rtnetlink_request request;
	uint32_t ns = (uint32_t)to->ns;

	rtnetlink_begin(&request, RTM_NEWLINK, 0, sizeof(request.body.link));
	request.body.link.ifi_index = index;
	rtnetlink_add(&request, IFLA_NET_NS_FD, &ns, sizeof(ns));
	rtnetlink_add(&request, IFLA_IFNAME, name, strlen(name) + 1);
	return rtnetlink_exchange(from->socket, &request, NULL, NULL);
}

/* In its new place: up, since addresses of IPv6 need that, and addressed as before. */
static int revive(const struct side *side, const char *name, const struct device *device,
	bool is_to_be_up, struct error *err)
{
	struct ifinfomsg link;

	if (find_link(side, name, &link) < 0)
		return error_set_call(err, "find the moved network device", name);
	if (is_to_be_up && set_up(side, link.ifi_index) < 0)
		return error_set_call(err, "set up network device", name);
	for (size_t i = 0; i < device->addresses.count; i++)
		if (add_address(side, link.ifi_index, &device->addresses.items[i]) < 0)
			return error_set_call(err, "restore the addresses of network device", name);
	return 0;
}

/* Best effort: what made the move fail is told, not what makes its undoing fail. */
static void move_back(const struct side *from, const struct side *to, const char *name,
	const struct device *device)
{
	struct error ignored = { 0 };
	struct ifinfomsg link;

	if (find_link(from, name, &link) < 0 && find_link(from, device->name, &link) < 0)
		return;
	if (change_namespace(from, to, link.ifi_index, device->name) < 0)
		return;
	if (revive(to, device->name, device, device->flags & IFF_UP, &ignored) < 0)
		return;
}

/* "eth%d" -> the first of eth0, eth1, ... that is free; other names are taken as they are. */
static int choose_name(
	const struct side *side, const char *wanted, char ret_name[IFNAMSIZ], struct error *err)
{
	const char *gap = strstr(wanted, "%d");
	struct ifinfomsg link;

	for (int number = 0; number < (gap ? TEMPLATE_NUMBERS : 1); number++) {
		int n = gap ? snprintf(ret_name, IFNAMSIZ, "%.*s%d%s", (int)(gap - wanted), wanted,
				      number, gap + 2)
			    : snprintf(ret_name, IFNAMSIZ, "%s", wanted);

		if (n < 1 || n >= IFNAMSIZ)
			return error_set(err, ERROR_SPEC,
				"'%s' is not of 1 to %d characters, as the names of network "
				"devices are",
				wanted, IFNAMSIZ - 1);
		if (find_link(side, ret_name, &link) == 0)
			continue;
		if (errno != ENODEV)
			return error_set_call(err, "look for network device", ret_name);
		return 0;
	}
	return error_set(err, ERROR_SPEC,
		"there is a network device '%s' in the container's namespace already", wanted);
}

static int examine(
	const struct side *side, const char *name, struct device *ret_device, struct error *err)
{
	struct ifinfomsg link;

	if (strlen(name) >= IFNAMSIZ || (find_link(side, name, &link) < 0 && errno == ENODEV))
		return error_set(err, ERROR_SPEC, "the host has no network device '%s'", name);
	if (link.ifi_index == 0)
		return error_set_call(err, "look for network device", name);
	if (link.ifi_flags & IFF_LOOPBACK)
		return error_set(err, ERROR_SPEC, "the loopback device can't be moved");
	snprintf(ret_device->name, sizeof(ret_device->name), "%s", name);
	ret_device->index = link.ifi_index;
	ret_device->flags = link.ifi_flags;
	ret_device->addresses.index = link.ifi_index;
	if (list_addresses(side, &ret_device->addresses) < 0)
		return error_set_call(err, "list the addresses of network device", name);
	return 0;
}

static int move_one(const struct side *from, const struct side *to,
	const struct spec_net_device *wanted, struct error *err)
{
	cleanup_free struct device *device = calloc(1, sizeof(*device));
	char name[IFNAMSIZ];

	if (!device)
		return error_set_errno(err, "move network device '%s'", wanted->host_name);
	if (examine(from, wanted->host_name, device, err) < 0 ||
		choose_name(to, wanted->name ?: wanted->host_name, name, err) < 0)
		return -1;
	if (change_namespace(from, to, device->index, name) < 0) {
		error_set_call(err, "move network device", wanted->host_name);
		move_back(to, from, name, device);
		return error_hint(err, "some kinds, such as wireless and bridges on some kernels, "
				       "are bound to their namespace");
	}
	if (revive(to, name, device, true, err) < 0) {
		move_back(to, from, name, device);
		return -1;
	}
	return 0;
}

/* A socket in the namespace NS_FD; the caller is back in OWN_FD in any case, or it is an error. */
static int open_socket_in(int ns_fd, int own_fd, struct error *err)
{
	cleanup_fd int fd = -1;
	int cause;

	if (setns(ns_fd, CLONE_NEWNET) < 0)
		return error_set_errno(err, "join the container's network namespace");
	fd = rtnetlink_open();
	cause = errno;
	if (setns(own_fd, CLONE_NEWNET) < 0)
		return error_set_errno(err, "return to the runtime's network namespace");
	errno = cause;
	return fd < 0 ? error_set_errno(err, "open an rtnetlink socket") : take_fd(&fd);
}

int net_devices_move(const struct spec_linux *platform, int netns_fd, struct error *err)
{
	cleanup_fd int own = -1, here = -1, there = -1;

	if (platform->n_net_devices == 0)
		return 0;
	own = open("/proc/self/ns/net", O_RDONLY | O_CLOEXEC);
	if (own < 0)
		return error_set_call(err, "open", "/proc/self/ns/net");
	here = rtnetlink_open();
	if (here < 0)
		return error_set_errno(err, "open an rtnetlink socket");
	there = open_socket_in(netns_fd, own, err);
	if (there < 0)
		return -1;
	for (size_t i = 0; i < platform->n_net_devices; i++) {
		const struct spec_net_device *wanted = &platform->net_devices[i];

		if (move_one(&(struct side){ own, here }, &(struct side){ netns_fd, there }, wanted,
			    err) < 0)
			return json_path_point(err, "/linux/netDevices", wanted->host_name);
	}
	return 0;
}
