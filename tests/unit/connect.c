// SPDX-License-Identifier: GPL-3.0-or-later
#include "tp_connect.h"

#include <arpa/inet.h>
#include <errno.h>
#include <poll.h>
#include <sys/socket.h>

#include "tp_os.h"
#include "unit.h"

static union tp_address loopback(uint16_t port)
{
	union tp_address address = { .ipv4 = { .sin_family = AF_INET, .sin_port = htons(port) } };

	address.ipv4.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	return address;
}

/* poll(2) may report a socket that no connection has come of, for an ICMP error alone or because of a sandbox. */
static void takes_no_report_for_a_connection(void)
{
	static const struct {
		const char *row;
		short revents;
		int error;
	} rows[] = {
		{ "an error that ends nothing", POLLERR, EINPROGRESS },
		{ "an end without a reason", POLLERR | POLLHUP, ENOTCONN },
		{ "writable", POLLOUT, ENOTCONN },
	};
	union tp_address peer = loopback(1);

	for (size_t i = 0; i < ROWS(rows); i++) {
		struct tp_evidence evidence = { 0 };
		struct pollfd ready = { .revents = rows[i].revents };

		unit.row = rows[i].row;
		CHECK_NUMBER(tp_os_tcp_socket(AF_INET, &ready.fd), 0);
		CHECK_NUMBER(tp_connect_outcome(&ready, &peer, &evidence), rows[i].error);
		CHECK_NUMBER(evidence.reporter.any.sa_family, AF_UNSPEC);
		close(ready.fd);
	}
}

static void takes_no_connection_to_itself(void)
{
	union tp_address own = loopback(0);
	struct tp_evidence evidence = { 0 };
	int fd, error;

	CHECK_NUMBER(tp_os_tcp_socket(AF_INET, &fd), 0);
	CHECK_NUMBER(bind(fd, &own.any, tp_address_size(&own)), 0);
	getsockname(fd, &own.any, &(socklen_t){ sizeof(own) });
	error = tp_connect_begin(fd, &own, &evidence);
	if (error == EINPROGRESS) {
		struct pollfd ready = { .fd = fd, .events = POLLOUT };

		poll(&ready, 1, 10000);
		error = tp_connect_outcome(&ready, &own, &evidence);
	}
	CHECK_NUMBER(error, ECONNREFUSED);
	close(fd);
}

int main(void)
{
	static const struct unit_test tests[] = {
		{ "what poll says is no connection until there is a peer", takes_no_report_for_a_connection },
		{ "a connection of a socket to itself is refused", takes_no_connection_to_itself },
	};

	return UNIT_RUN(tests);
}
