/* SPDX-License-Identifier: Apache-2.0 */
#include "libcontainer/kernel/rtnetlink.h"

#include <assert.h>
#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#include "base/cleanup.h"

/* The kernel packs dumps into parts of at most 32 KiB (netlink(7), NLMSG_GOODSIZE). */
#define ANSWER_MAX 65536

/* The kernel answers at once; this is for a bug in the talk, not for a slow peer. */
#define PATIENCE_SECONDS 10

/* There is one request at a time on a socket. */
#define SEQUENCE 1

int rtnetlink_open(void)
{
	static const struct timeval patience = { .tv_sec = PATIENCE_SECONDS };
	cleanup_fd int fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_ROUTE);

	if (fd < 0 || setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience)) < 0)
		return -1;
	return take_fd(&fd);
}

void rtnetlink_begin(
	struct rtnetlink_request *request, unsigned type, unsigned flags, size_t body_size)
{
	memset(request, 0, sizeof(*request));
	request->header.nlmsg_len = (uint32_t)NLMSG_LENGTH(body_size);
	request->header.nlmsg_type = (uint16_t)type;
	request->header.nlmsg_flags = (uint16_t)(NLM_F_REQUEST | NLM_F_ACK | flags);
	request->header.nlmsg_seq = SEQUENCE;
}

void rtnetlink_add(struct rtnetlink_request *request, unsigned type, const void *data, size_t size)
{
	size_t at = NLMSG_ALIGN(request->header.nlmsg_len);
	struct rtattr header = { .rta_len = (unsigned short)RTA_LENGTH(size),
		.rta_type = (unsigned short)type };

	assert(at + RTA_SPACE(size) <= sizeof(*request));
	memcpy((char *)request + at, &header, sizeof(header));
	memcpy((char *)request + at + RTA_LENGTH(0), data, size);
	request->header.nlmsg_len = (uint32_t)(at + RTA_LENGTH(size));
}

/* What an exchange is made of, so that its parts share it. */
struct exchange {
	int (*take)(void *context, unsigned type, const void *payload, size_t size);
	void *context;
	bool is_over;
};

static int take_verdict(const void *payload, size_t size)
{
	int verdict;

	if (size < sizeof(verdict)) {
		errno = EBADMSG;
		return -1;
	}
	memcpy(&verdict, payload, sizeof(verdict));
	errno = -verdict;
	return verdict ? -1 : 0;
}

static int take_message(
	struct exchange *exchange, const struct nlmsghdr *header, const char *payload)
{
	size_t size = header->nlmsg_len - NLMSG_HDRLEN;

	switch (header->nlmsg_type) {
	case NLMSG_ERROR:
	case NLMSG_DONE:
		exchange->is_over = true;
		return take_verdict(payload, size);
	default:
		if (!exchange->take)
			return 0;
		return exchange->take(exchange->context, header->nlmsg_type, payload, size);
	}
}

/* One datagram, which holds any number of messages. */
static int take_datagram(struct exchange *exchange, const char *data, size_t left)
{
	while (left && !exchange->is_over) {
		struct nlmsghdr header;
		size_t step;

		if (left < sizeof(header)) {
			errno = EBADMSG;
			return -1;
		}
		memcpy(&header, data, sizeof(header));
		if (header.nlmsg_len < NLMSG_HDRLEN || header.nlmsg_len > left) {
			errno = EBADMSG;
			return -1;
		}
		if (header.nlmsg_seq == SEQUENCE &&
			take_message(exchange, &header, data + NLMSG_HDRLEN) < 0)
			return -1;
		step = NLMSG_ALIGN((size_t)header.nlmsg_len);
		step = step < left ? step : left;
		data += step;
		left -= step;
	}
	return 0;
}

static ssize_t receive(int fd, char *buffer)
{
	struct sockaddr_nl sender = { 0 };
	socklen_t length = sizeof(sender);
	ssize_t n;

	/* Other processes may write to this socket too: only the kernel is 0. */
	do
		n = recvfrom(
			fd, buffer, ANSWER_MAX, MSG_TRUNC, (struct sockaddr *)&sender, &length);
	while ((n < 0 && errno == EINTR) || (n >= 0 && sender.nl_pid != 0));
	if (n > ANSWER_MAX) {
		errno = EMSGSIZE;
		return -1;
	}
	return n;
}

int rtnetlink_exchange(int fd, struct rtnetlink_request *request,
	int (*take)(void *context, unsigned type, const void *payload, size_t size), void *context)
{
	static const struct sockaddr_nl kernel = { .nl_family = AF_NETLINK };
	struct exchange exchange = { .take = take, .context = context };
	cleanup_free char *buffer = malloc(ANSWER_MAX);

	if (!buffer || sendto(fd, request, request->header.nlmsg_len, 0,
			       (const struct sockaddr *)&kernel, sizeof(kernel)) < 0)
		return -1;
	while (!exchange.is_over) {
		ssize_t n = receive(fd, buffer);

		if (n < 0 || take_datagram(&exchange, buffer, (size_t)n) < 0)
			return -1;
	}
	return 0;
}

int rtnetlink_next(
	const char **at, size_t *left, unsigned *ret_type, const void **ret_data, size_t *ret_size)
{
	struct rtattr header;
	size_t step;

	if (*left < sizeof(header))
		return 0;
	memcpy(&header, *at, sizeof(header));
	if (header.rta_len < RTA_LENGTH(0) || header.rta_len > *left)
		return 0;
	*ret_type = header.rta_type & NLA_TYPE_MASK;
	*ret_data = *at + RTA_LENGTH(0);
	*ret_size = header.rta_len - RTA_LENGTH(0);
	step = RTA_ALIGN((size_t)header.rta_len);
	step = step < *left ? step : *left;
	*at += step;
	*left -= step;
	return 1;
}
