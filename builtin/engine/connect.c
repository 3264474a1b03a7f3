// SPDX-License-Identifier: GPL-3.0-or-later
#include "tp_connect.h"

#include <errno.h>
#include <unistd.h>

int tp_connect_open(const struct tp_source *source, bool half_open, int family, int *fd)
{
	int error = tp_os_tcp_socket(family, fd);

	if (error != 0)
		return error;
	tp_os_want_evidence(*fd, family, true);
	if (source->interface[0] != '\0') {
		error = tp_os_bind_interface(*fd, source->interface);
	} else if (source->address.any.sa_family != AF_UNSPEC) {
		tp_os_bind_late(*fd);
		if (bind(*fd, &source->address.any, tp_address_size(&source->address)) < 0)
			error = errno;
	}
	if (error == 0 && half_open)
		error = tp_os_half_open(*fd);
	if (error != 0)
		close(*fd);
	return error;
}

/* Is there a peer? Gives its address where the kernel tells it. */
static bool is_connected(int fd, union tp_address *peer)
{
	return getpeername(fd, &peer->any, &(socklen_t){ sizeof(*peer) }) == 0 || errno != ENOTCONN;
}

/*
 * TCP's simultaneous open: a socket whose own ephemeral port is the one it
 * connects to reaches itself.
 */
static bool is_self_connected(int fd, const union tp_address *peer)
{
	union tp_address local = { 0 }, remote = { 0 };

	return getsockname(fd, &local.any, &(socklen_t){ sizeof(local) }) == 0 &&
	       tp_address_port(&local) == tp_address_port(peer) && is_connected(fd, &remote) &&
	       tp_address_equal(&local, &remote, true);
}

/*
 * The outcome of the handshake as the kernel reports it, and who told the kernel. A connection of a socket to itself
 * only looks open.
 */
static int judge(int fd, int error, const union tp_address *peer, struct tp_evidence *evidence)
{
	int icmp_error;

	if (error == 0)
		return is_self_connected(fd, peer) ? ECONNREFUSED : 0;
	icmp_error = tp_os_evidence(fd, evidence);
	if (icmp_error != 0)
		return icmp_error;
	/* With IP_RECVERR, a refusal without an ICMP error was a RST, which the peer itself sent. */
	if (error == ECONNREFUSED && tp_os_has_evidence())
		evidence->reporter = *peer;
	return error;
}

int tp_connect_begin(int fd, const union tp_address *peer, struct tp_evidence *evidence)
{
	int error = tp_os_connect(fd, &peer->any, tp_address_size(peer));

	return error == EINPROGRESS ? error : judge(fd, error, peer, evidence);
}

int tp_connect_outcome(const struct pollfd *ready, const union tp_address *peer, struct tp_evidence *evidence)
{
	union tp_address remote;
	int error = tp_os_error(ready->fd);

	if (error == 0 && !is_connected(ready->fd, &remote)) {
		/*
		 * An ICMP error may stand in the queue before the kernel ends the connection for it; for some errors it
		 * never does.
		 */
		if ((ready->revents & (POLLERR | POLLHUP)) == POLLERR) {
			error = tp_os_evidence(ready->fd, evidence);
			return error != 0 ? error : EINPROGRESS;
		}
		/*
		 * The peer has reset the connection meanwhile, or a sandbox answers 0 to calls that it does not carry
		 * out.
		 */
		error = tp_os_error(ready->fd);
		if (error == 0)
			error = ENOTCONN;
	}
	return judge(ready->fd, error, peer, evidence);
}

bool tp_is_time_exceeded(const struct tp_evidence *evidence)
{
	return evidence->icmp && evidence->type == (evidence->reporter.any.sa_family == AF_INET6 ? 3 : 11);
}
