/* SPDX-License-Identifier: Apache-2.0 */
#include "libcontainer/kernel/net_devices.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/if_addr.h>
#include <linux/if_link.h>
#include <net/if.h>
#include <sched.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "libcontainer/kernel/rtnetlink.h"
#include "libspec/json_path.h"

/* Of one device. */
#define ADDRESSES_MAX 256

/* For "%d" in a name as many as the kernel tries, in dev_alloc_name(); and for an index. */
#define NUMBERS_TRIED 32768

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

/*
 * A device as it was found, and what it is in the container. There only the index
 * says that it is ours: whoever else is in a namespace that was joined may give
 * its name to another, for the host to get that with our addresses.
 */
struct net_device {
	struct net_device *before; /* the one that moved before it, or NULL */
	char name[IFNAMSIZ];
	char new_name[IFNAMSIZ];
	int index;
	int new_index;
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
static int find_link(
	const struct net_devices_side *side, const char *name, struct ifinfomsg *ret_link)
{
	struct rtnetlink_request request;

	memset(ret_link, 0, sizeof(*ret_link));
	rtnetlink_begin(&request, RTM_GETLINK, 0, sizeof(request.body.link));
	rtnetlink_add(&request, IFLA_IFNAME, name, strlen(name) + 1);
	return rtnetlink_exchange(side->socket, &request, take_link, ret_link);
}

/* Returns 0, or -1 and ENODEV when there is no device with that index. */
static int check_index(const struct net_devices_side *side, int index)
{
	struct rtnetlink_request request;

	rtnetlink_begin(&request, RTM_GETLINK, 0, sizeof(request.body.link));
	request.body.link.ifi_index = index;
	return rtnetlink_exchange(side->socket, &request, NULL, NULL);
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

static int list_addresses(const struct net_devices_side *side, struct addresses *addresses)
{
	struct rtnetlink_request request;

	rtnetlink_begin(&request, RTM_GETADDR, NLM_F_DUMP, sizeof(request.body.address));
	return rtnetlink_exchange(side->socket, &request, take_address, addresses);
}

static int add_address(
	const struct net_devices_side *side, int index, const struct address *address)
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

static int set_up(const struct net_devices_side *side, int index)
{
	struct rtnetlink_request request;

	rtnetlink_begin(&request, RTM_NEWLINK, 0, sizeof(request.body.link));
	request.body.link.ifi_index = index;
	request.body.link.ifi_flags = IFF_UP;
	request.body.link.ifi_change = IFF_UP;
	return rtnetlink_exchange(side->socket, &request, NULL, NULL);
}

/* The kernel closes the device, moves it, and then renames it. */
static int change_namespace(const struct net_devices_side *from, const struct net_devices_side *to,
	int index, int new_index, const char *name)
{
	struct rtnetlink_request request;
	uint32_t ns = (uint32_t)to->ns;

	rtnetlink_begin(&request, RTM_NEWLINK, 0, sizeof(request.body.link));
	request.body.link.ifi_index = index;
	rtnetlink_add(&request, IFLA_NET_NS_FD, &ns, sizeof(ns));
	rtnetlink_add(&request, IFLA_IFNAME, name, strlen(name) + 1);
	if (new_index)
		rtnetlink_add(&request, IFLA_NEW_IFINDEX, &new_index, sizeof(new_index));
	return rtnetlink_exchange(from->socket, &request, NULL, NULL);
}

/* In its new place: up, since addresses of IPv6 need that, and addressed as before. */
static int revive(const struct net_devices_side *side, int index, const struct net_device *device,
	bool is_to_be_up, struct error *err)
{
	if (is_to_be_up && set_up(side, index) < 0)
		return error_set_call(err, "set up network device", device->name);
	for (size_t i = 0; i < device->addresses.count; i++)
		if (add_address(side, index, &device->addresses.items[i]) < 0)
			return error_set_call(
				err, "restore the addresses of network device", device->name);
	return 0;
}

static int move_back(
	const struct net_devices *devices, const struct net_device *device, struct error *err)
{
	const struct net_devices_side *from = &devices->container, *to = &devices->host;
	struct ifinfomsg link;

	if (change_namespace(from, to, device->new_index, 0, device->name) < 0)
		return error_set_call(err, "move back network device", device->name);
	if (find_link(to, device->name, &link) < 0)
		return error_set_call(err, "find the moved network device", device->name);
	return revive(to, link.ifi_index, device, device->flags & IFF_UP, err);
}

/*
 * Of a move that may have failed before it happened: then what has the index in
 * the container is not ours. What made it fail is told, not what makes its undoing
 * fail.
 */
static void undo_move(const struct net_devices *devices, const struct net_device *device)
{
	if (check_index(&devices->host, device->index) < 0 && errno == ENODEV)
		(void)!move_back(devices, device, &(struct error){ 0 });
}

/* The one that it has, as a rule: the first from there on that is free. */
static int choose_index(
	const struct net_devices_side *side, struct net_device *device, struct error *err)
{
	int index = device->index;

	for (int i = 0; i < NUMBERS_TRIED; i++) {
		if (check_index(side, index) < 0) {
			if (errno != ENODEV)
				break;
			device->new_index = index;
			return 0;
		}
		index = index < INT_MAX ? index + 1 : 1;
	}
	return error_set_call(err, "find an index for network device", device->name);
}

/* "eth%d" -> the first of eth0, eth1, ... that is free; other names are taken as they are. */
static int choose_name(const struct net_devices_side *side, const char *wanted,
	char ret_name[IFNAMSIZ], struct error *err)
{
	const char *gap = strstr(wanted, "%d");
	struct ifinfomsg link;

	for (int number = 0; number < (gap ? NUMBERS_TRIED : 1); number++) {
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

static int examine(const struct net_devices_side *side, const char *name,
	struct net_device *ret_device, struct error *err)
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

/* Linux before 5.13 gives it one of its own when it can't keep the one that it has. */
static int find_moved(
	const struct net_devices_side *side, struct net_device *device, struct error *err)
{
	struct ifinfomsg link;

	if (device->new_index == device->index || check_index(side, device->new_index) == 0)
		return 0;
	if (find_link(side, device->new_name, &link) < 0)
		return error_set_call(err, "find the moved network device", device->new_name);
	device->new_index = link.ifi_index;
	return 0;
}

static int move_one(const struct net_devices *devices, const struct spec_net_device *wanted,
	struct net_device *device, struct error *err)
{
	const struct net_devices_side *from = &devices->host, *to = &devices->container;

	if (examine(from, wanted->host_name, device, err) < 0 ||
		choose_name(to, wanted->name ?: wanted->host_name, device->new_name, err) < 0 ||
		choose_index(to, device, err) < 0)
		return -1;
	if (change_namespace(from, to, device->index, device->new_index, device->new_name) < 0) {
		error_set_call(err, "move network device", wanted->host_name);
		undo_move(devices, device);
		return error_hint(err, "some kinds, such as wireless and bridges on some kernels, "
				       "are bound to their namespace");
	}
	if (find_moved(to, device, err) < 0 ||
		revive(to, device->new_index, device, true, err) < 0) {
		undo_move(devices, device);
		return -1;
	}
	return 0;
}

static int move_and_keep(
	struct net_devices *devices, const struct spec_net_device *wanted, struct error *err)
{
	struct net_device *device = calloc(1, sizeof(*device));

	if (!device)
		return error_set_errno(err, "move network device '%s'", wanted->host_name);
	if (move_one(devices, wanted, device, err) < 0) {
		free(device);
		return -1;
	}
	device->before = devices->moved;
	devices->moved = device;
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

static int open_sides(struct net_devices *devices, int netns_fd, struct error *err)
{
	struct net_devices_side *host = &devices->host, *container = &devices->container;

	host->ns = open("/proc/self/ns/net", O_RDONLY | O_CLOEXEC);
	if (host->ns < 0)
		return error_set_call(err, "open", "/proc/self/ns/net");
	host->socket = rtnetlink_open();
	container->ns = fcntl(netns_fd, F_DUPFD_CLOEXEC, 0);
	if (host->socket < 0 || container->ns < 0)
		return error_set_errno(err, "open an rtnetlink socket");
	container->socket = open_socket_in(container->ns, host->ns, err);
	return container->socket < 0 ? -1 : 0;
}

int net_devices_move(const struct spec_linux *platform, int netns_fd,
	struct net_devices *ret_devices, struct error *err)
{
	*ret_devices = (struct net_devices)NET_DEVICES_NONE;
	if (platform->n_net_devices == 0)
		return 0;
	if (open_sides(ret_devices, netns_fd, err) < 0)
		return -1;
	for (size_t i = 0; i < platform->n_net_devices; i++) {
		const struct spec_net_device *wanted = &platform->net_devices[i];

		if (move_and_keep(ret_devices, wanted, err) < 0)
			return json_path_point(err, "/linux/netDevices", wanted->host_name);
	}
	return 0;
}

static void forget_last(struct net_devices *devices)
{
	struct net_device *last = devices->moved;

	devices->moved = last->before;
	free(last);
}

int net_devices_return(struct net_devices *devices, struct error *err)
{
	int result = 0;

	for (; devices->moved; forget_last(devices))
		if (move_back(devices, devices->moved, err) < 0)
			result = -1;
	return result;
}

static void close_side(struct net_devices_side *side)
{
	close_at(&side->ns);
	close_at(&side->socket);
}

void net_devices_release(struct net_devices *devices)
{
	while (devices->moved)
		forget_last(devices);
	close_side(&devices->host);
	close_side(&devices->container);
	*devices = (struct net_devices)NET_DEVICES_NONE;
}
