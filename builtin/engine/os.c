// SPDX-License-Identifier: GPL-3.0-or-later
#include "tp_os.h"

#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>
#ifdef __GLIBC__
#include <resolv.h>
#elif defined(__linux__)
/* musl: its getaddrinfo(3) asks all name servers at once, and waits on where one says that it failed. */
#define ASKS_ALL
#include <arpa/inet.h>
#include <arpa/nameser.h>
#include <resolv.h>
#include <stdio.h>
#include <sys/time.h>
#endif
#ifdef __linux__
#include <netinet/tcp.h>
#include <sys/prctl.h>
#include <sys/uio.h>
#endif

/* -DTP_WITHOUT_EVIDENCE leaves it out, to measure what it costs and to test that the rest works without it. */
#if defined(IP_RECVERR) && defined(IPV6_RECVERR) && defined(__linux__) && !defined(TP_WITHOUT_EVIDENCE)
#define HAS_EVIDENCE
#endif

#ifdef HAS_EVIDENCE
/*
 * A message of Linux's error queue (ip(7)). linux/errqueue.h has it, but not every system with a compiler has that
 * header.
 */
struct extended_error {
	uint32_t number; /* an errno value */
	uint8_t origin, type, code, pad;
	uint32_t info, data;
};
enum { ORIGIN_ICMP = 2, ORIGIN_ICMP6 = 3 };
#endif

static int64_t clock_us(clockid_t clock)
{
	struct timespec now;

	clock_gettime(clock, &now);
	return (int64_t)now.tv_sec * 1000000 + now.tv_nsec / 1000;
}

int64_t tp_os_now_us(void)
{
	return clock_us(CLOCK_MONOTONIC);
}

int64_t tp_os_wall_us(void)
{
	return clock_us(CLOCK_REALTIME);
}

int tp_os_poll(struct pollfd *fds, nfds_t count, int64_t timeout_us, const sigset_t *mask)
{
	struct timespec timeout = {
		.tv_sec = (time_t)(timeout_us / 1000000),
		.tv_nsec = (long)(timeout_us % 1000000) * 1000,
	};

	return ppoll(fds, count, timeout_us == TP_NEVER ? NULL : &timeout, mask) < 0 ? errno : 0;
}

/* How long to wait before the child is checked again: briefly at first, because most children end at once. */
#define REAP_FIRST_US 50
#define REAP_LAST_US 2000

void tp_os_reap(pid_t pid, int64_t until_us)
{
	int64_t pause_us = REAP_FIRST_US, left_us;
	pid_t reaped;

	while ((reaped = waitpid(pid, NULL, WNOHANG)) == 0 || (reaped < 0 && errno == EINTR)) {
		left_us = until_us - tp_os_now_us();
		if (left_us <= 0)
			return;
		tp_os_poll(NULL, 0, pause_us < left_us ? pause_us : left_us, NULL);
		pause_us = pause_us < REAP_LAST_US ? 2 * pause_us : REAP_LAST_US;
	}
}

bool tp_os_is_ready(int fd, short events)
{
	struct pollfd ready = { .fd = fd, .events = events };

	/*
	 * Waits are ppoll(2)'s: what it finds ready must be ready here too, or every wait would end at once. Where both
	 * calls fail, the call that follows reports the error.
	 */
	int count = poll(&ready, 1, 0);

	if (count <= 0 && tp_os_poll(&ready, 1, 0, NULL) == 0)
		return ready.revents != 0;
	return count != 0;
}

/*
 * A shell may have been started with its standard descriptors closed. None of our descriptors may take their place:
 * what the shell writes to stderr would go to a peer. Moves the descriptor above them, or closes it and returns an
 * errno value.
 */
static int lift(int *fd)
{
	int low = *fd, error;

	if (low > STDERR_FILENO)
		return 0;
	*fd = fcntl(low, F_DUPFD_CLOEXEC, STDERR_FILENO + 1);
	error = *fd < 0 ? errno : 0;
	close(low);
	return error;
}

/* Both ends of a channel; closes both where one fails. */
static int lift_both(int fds[2])
{
	int error = lift(&fds[0]);

	if (error != 0) {
		close(fds[1]);
		return error;
	}
	error = lift(&fds[1]);
	if (error != 0)
		close(fds[0]);
	return error;
}

int tp_os_open(const char *path, int *fd)
{
	*fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
	return *fd < 0 ? errno : lift(fd);
}

#ifndef SOCK_CLOEXEC
static int close_on_exec(int fd)
{
	return fcntl(fd, F_SETFD, FD_CLOEXEC) < 0 ? errno : 0;
}

static int non_blocking(int fd)
{
	return fcntl(fd, F_SETFL, O_NONBLOCK) < 0 ? errno : 0;
}

int tp_os_tcp_socket(int family, int *fd)
{
	int error;

	*fd = socket(family, SOCK_STREAM, 0);
	if (*fd < 0)
		return errno;
	error = close_on_exec(*fd);
	if (error == 0)
		error = non_blocking(*fd);
	if (error != 0) {
		close(*fd);
		return error;
	}
	return lift(fd);
}

int tp_os_channel(int fds[2])
{
	int error;

	if (socketpair(AF_UNIX, SOCK_STREAM, 0, fds) < 0)
		return errno;
	error = close_on_exec(fds[0]);
	if (error == 0)
		error = close_on_exec(fds[1]);
	if (error == 0)
		error = non_blocking(fds[0]);
#ifdef SO_NOSIGPIPE
	if (error == 0 && setsockopt(fds[0], SOL_SOCKET, SO_NOSIGPIPE, &(int){ 1 }, sizeof(int)) < 0)
		error = errno;
#endif
	if (error != 0) {
		close(fds[0]);
		close(fds[1]);
		return error;
	}
	return lift_both(fds);
}
#else
int tp_os_tcp_socket(int family, int *fd)
{
	*fd = socket(family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	return *fd < 0 ? errno : lift(fd);
}

int tp_os_channel(int fds[2])
{
	int error;

	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fds) < 0)
		return errno;
	if (fcntl(fds[0], F_SETFL, O_NONBLOCK) < 0) {
		error = errno;
		close(fds[0]);
		close(fds[1]);
		return error;
	}
	return lift_both(fds);
}
#endif

#ifdef TCP_INFO
static bool is_established(int fd)
{
	struct tcp_info info = { 0 };

	getsockopt(fd, IPPROTO_TCP, TCP_INFO, &info, &(socklen_t){ sizeof(info) });
	return info.tcpi_state == TCP_ESTABLISHED || info.tcpi_state == TCP_CLOSE_WAIT;
}
#endif

int tp_os_error(int fd)
{
	int error = 0;

	return getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &(socklen_t){ sizeof(error) }) < 0 ? 0 : error;
}

int tp_os_connect(int fd, const struct sockaddr *address, socklen_t size)
{
	int error, tries = 0;

	/* An interrupted connect(2) goes on, or has not begun; a second call tells which. */
	do
		error = connect(fd, address, size) < 0 ? errno : 0;
	while (error == EINTR && ++tries < TP_INTERRUPTED_MAX);
	/* Before the first SYN there is no peer that could have said so; a sandbox may. */
	if (error == ECONNRESET || error == EPIPE)
		error = ENOTCONN;
	if (error == EALREADY || error == EISCONN)
		error = EINPROGRESS;
#ifdef TCP_INFO
	/*
	 * connect(2) says "in progress" even if the peer is on this host and has already answered. And no port is open
	 * because one call says so: a sandbox may answer 0 to calls that it does not carry out.
	 */
	if (error == EINPROGRESS || error == 0) {
		error = tp_os_error(fd);
		/*
		 * In any other state the handshake goes on, or has failed since: then poll(2) finds the socket ready.
		 */
		if (error == 0 && !is_established(fd))
			error = EINPROGRESS;
	}
#endif
	return error;
}

void tp_os_bind_late(int fd)
{
#ifdef IP_BIND_ADDRESS_NO_PORT
	/* Without it (before Linux 4.2) many probes from one source address run out of local ports sooner. */
	setsockopt(fd, IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, &(int){ 1 }, sizeof(int));
#else
	(void)fd;
#endif
}

int tp_os_bind_interface(int fd, const char *interface)
{
#ifdef SO_BINDTODEVICE
	return setsockopt(fd, SOL_SOCKET, SO_BINDTODEVICE, interface, (socklen_t)strlen(interface)) < 0 ? errno : 0;
#else
	(void)fd;
	(void)interface;
	return ENOTSUP;
#endif
}

int tp_os_half_open(int fd)
{
#ifdef TCP_QUICKACK
	/* The kernel delays its ACK in the hope that data can go with it. There never is data, so no ACK is sent. */
	if (setsockopt(fd, IPPROTO_TCP, TCP_QUICKACK, &(int){ 0 }, sizeof(int)) < 0 ||
	    setsockopt(fd, SOL_SOCKET, SO_LINGER, &(struct linger){ 1, 0 }, sizeof(struct linger)) < 0)
		return errno;
	return 0;
#else
	(void)fd;
	return ENOTSUP;
#endif
}

bool tp_os_has_half_open(void)
{
#ifdef TCP_QUICKACK
	return true;
#else
	return false;
#endif
}

int tp_os_set_hops(int fd, int family, unsigned hops)
{
	int value = (int)hops, error;

	if (family == AF_INET6)
		error = setsockopt(fd, IPPROTO_IPV6, IPV6_UNICAST_HOPS, &value, sizeof(value));
	else
		error = setsockopt(fd, IPPROTO_IP, IP_TTL, &value, sizeof(value));
	return error < 0 ? errno : 0;
}

int64_t tp_os_handshake_us(int fd)
{
#ifdef TCP_INFO
	struct tcp_info info = { 0 };
	socklen_t size = sizeof(info);

	/* If the SYN was sent more than once, the round-trip time is not the time of the handshake. */
	if (getsockopt(fd, IPPROTO_TCP, TCP_INFO, &info, &size) < 0 || info.tcpi_rtt == 0 ||
	    info.tcpi_total_retrans > 0)
		return -1;
	return info.tcpi_rtt;
#else
	(void)fd;
	return -1;
#endif
}

void tp_os_want_evidence(int fd, int family, bool wanted)
{
#ifdef HAS_EVIDENCE
	int value = wanted;

	if (family == AF_INET6)
		setsockopt(fd, IPPROTO_IPV6, IPV6_RECVERR, &value, sizeof(value));
	else
		setsockopt(fd, IPPROTO_IP, IP_RECVERR, &value, sizeof(value));
#else
	(void)fd;
	(void)family;
	(void)wanted;
#endif
}

#ifdef HAS_EVIDENCE
/* At most this many messages of an error queue are read: a SYN meets one or two errors. */
#define EVIDENCE_MAX 16

/* The errno value of the ICMP error in a message of the error queue; 0: the message is about something else. */
static int read_evidence(struct msghdr *message, struct tp_evidence *evidence)
{
	for (struct cmsghdr *part = CMSG_FIRSTHDR(message); part != NULL; part = CMSG_NXTHDR(message, part)) {
		bool ipv4 = part->cmsg_level == IPPROTO_IP && part->cmsg_type == IP_RECVERR;
		bool ipv6 = part->cmsg_level == IPPROTO_IPV6 && part->cmsg_type == IPV6_RECVERR;
		struct extended_error error;

		if ((!ipv4 && !ipv6) || part->cmsg_len < CMSG_LEN(sizeof(error) + sizeof(struct sockaddr_in)))
			continue;
		memcpy(&error, CMSG_DATA(part), sizeof(error));
		/* Messages about the path's MTU are for the kernel, and end no connection. */
		if ((error.origin != ORIGIN_ICMP && error.origin != ORIGIN_ICMP6) || error.number == EMSGSIZE)
			continue;
		*evidence = (struct tp_evidence){ .icmp = true, .type = error.type, .code = error.code };
		/* The address of the sender of the ICMP error follows right behind (SO_EE_OFFENDER). */
		memcpy(&evidence->reporter, CMSG_DATA(part) + sizeof(error),
		       ipv6 ? sizeof(evidence->reporter.ipv6) : sizeof(evidence->reporter.ipv4));
		return (int)error.number;
	}
	return 0;
}
#endif

bool tp_os_has_evidence(void)
{
#ifdef HAS_EVIDENCE
	return true;
#else
	return false;
#endif
}

int tp_os_evidence(int fd, struct tp_evidence *evidence)
{
	int found = 0;

#ifdef HAS_EVIDENCE
	/*
	 * Messages about other things may come first. The number of turns has a bound, because an emulated kernel may
	 * answer 0 for ever and write nothing. The length in the first header is then still 0, which ends the list.
	 *
	 * qemu-user does that if there is no room for data, so there is some, though nobody reads it. Except where
	 * addresses have 32 bits: there qemu-user would write the reporter's address to a wrong place of our memory.
	 */
	char data;
	struct iovec room = { .iov_base = &data, .iov_len = sizeof(data) };

	for (int turns = 0; found == 0 && turns < EVIDENCE_MAX; turns++) {
		union {
			struct cmsghdr first;
			char bytes[512];
		} control;
		struct msghdr message = { .msg_iov = &room,
					  .msg_iovlen = sizeof(void *) > 4 ? 1 : 0,
					  .msg_control = &control,
					  .msg_controllen = sizeof(control) };

		control.first = (struct cmsghdr){ 0 };
		if (recvmsg(fd, &message, MSG_ERRQUEUE) < 0 || message.msg_controllen == 0)
			break;
		found = read_evidence(&message, evidence);
	}
#else
	(void)fd;
	(void)evidence;
#endif
	return found;
}

void tp_os_hurry(bool hurry)
{
#ifdef __GLIBC__
	/* resolver(3): _res is this process's own state. res_init() sets it as resolv.conf says. */
	if (hurry || _res.retrans == 1)
		res_init();
	if (hurry)
		_res.retrans = 1;
#else
	(void)hurry;
#endif
}

#ifdef ASKS_ALL
/* Asks a name server. Returns the RCODE of its answer (RFC 1035, section 4.1.1), or -1: it gave none within a second. */
static int ask(const char *server, const unsigned char *query, size_t size)
{
	struct timeval second = { .tv_sec = 1 };
	union tp_address to = { .any.sa_family = AF_INET };
	unsigned char answer[512];
	ssize_t count = -1;
	int fd;

	if (inet_pton(AF_INET, server, &to.ipv4.sin_addr) != 1) {
		to.any.sa_family = AF_INET6;
		if (inet_pton(AF_INET6, server, &to.ipv6.sin6_addr) != 1)
			return -1;
	}
	/* sin_port and sin6_port are in the same place (RFC 3493). */
	to.ipv4.sin_port = htons(53);
	fd = socket(to.any.sa_family, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	if (setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &second, sizeof(second)) == 0 &&
	    connect(fd, &to.any, tp_address_size(&to)) == 0 && send(fd, query, size, MSG_NOSIGNAL) == (ssize_t)size)
		count = recv(fd, answer, sizeof(answer), 0);
	close(fd);
	return count >= 12 && memcmp(answer, query, 2) == 0 ? answer[3] & 15 : -1;
}
#endif

bool tp_os_servers_failed(const char *host, int family)
{
	bool failed = false;
#ifdef ASKS_ALL
	unsigned char query[512];
	int size = res_mkquery(ns_o_query, host, ns_c_in, family == AF_INET6 ? ns_t_aaaa : ns_t_a, NULL, 0, NULL, query,
			       sizeof(query));
	FILE *file = size < 0 ? NULL : fopen("/etc/resolv.conf", "re");
	char line[256], *rest;

	while (file != NULL && fgets(line, sizeof(line), file) != NULL) {
		const char *word = strtok_r(line, " \t\n", &rest), *server = strtok_r(NULL, " \t\n", &rest);
		bool is_server = word != NULL && strcmp(word, "nameserver") == 0 && server != NULL;
		int code = is_server ? ask(server, query, (size_t)size) : -1;

		failed = failed || code >= 0;
		if (code == ns_r_noerror || code == ns_r_nxdomain) {
			failed = false;
			break;
		}
	}
	if (file != NULL)
		fclose(file);
#else
	(void)host;
	(void)family;
#endif
	return failed;
}

void tp_os_die_with(pid_t parent)
{
#ifdef __linux__
	prctl(PR_SET_PDEATHSIG, SIGKILL);
#endif
	/* 0: the parent is in another process namespace (unshare --pid). */
	if (getppid() != parent && getppid() != 0)
		_exit(1);
}
