/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Requests to the kernel's network configuration (netlink(7), rtnetlink(7)).
 *
 * A socket belongs to the network namespace that it was opened in. Functions
 * return -1 and errno. Answers are checked for their bounds although they come
 * from the kernel: this is the kind of code where one forgets.
 */
#ifndef KOGG_LIBCONTAINER_KERNEL_RTNETLINK_H
#define KOGG_LIBCONTAINER_KERNEL_RTNETLINK_H

#include <linux/rtnetlink.h>
#include <stddef.h>
#include <stdint.h>

#include "base/attributes.h"

struct rtnetlink_request {
	struct nlmsghdr header;
	union {
		struct ifinfomsg link;
		struct ifaddrmsg address;
	} body;
	char attributes[256];
};

/* Opens a socket in the caller's network namespace. Returns a descriptor. */
int rtnetlink_open(void) must_check;

/* Starts a request: TYPE with FLAGS, and BODY_SIZE bytes of the body, which are zeroed. */
void rtnetlink_begin(
	struct rtnetlink_request *request, unsigned type, unsigned flags, size_t body_size);

/* Adds an attribute; that there is room for it is the caller's business. */
void rtnetlink_add(struct rtnetlink_request *request, unsigned type, const void *data, size_t size);

/*
 * Sends the request and hands each answer to TAKE (which may be NULL) until the
 * kernel has acknowledged it or a dump is over. TAKE gets the message's payload
 * and returns -1 and errno to fail.
 */
int rtnetlink_exchange(int fd, struct rtnetlink_request *request,
	int (*take)(void *context, unsigned type, const void *payload, size_t size), void *context)
	must_check;

/*
 * Walks the attributes that follow a body: *RET_TYPE, *RET_DATA and *RET_SIZE
 * are of the one at *AT, which moves on by reducing *LEFT. Returns 0 at the end
 * or at an attribute that exceeds it.
 */
int rtnetlink_next(const char **at, size_t *left, unsigned *ret_type, const void **ret_data,
	size_t *ret_size) must_check;

#endif
