/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The seam: all that differs between systems, and nothing else. What a system
 * lacks fails with ENOTSUP, or does nothing where that is as good.
 */
#ifndef TP_OS_H
#define TP_OS_H

#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/socket.h>
#include <sys/types.h>

#include "tp_address.h"

/* Where send(2) cannot be told to raise no SIGPIPE, tp_os_channel() tells the socket. */
#ifndef MSG_NOSIGNAL
#define MSG_NOSIGNAL 0
#endif

/* A call that is interrupted this many times in a row is not tried again: some sandboxes answer EINTR for ever. */
#define TP_INTERRUPTED_MAX 100

/* The engine's "never", in microseconds of tp_os_now_us(). */
#define TP_NEVER INT64_MAX

/* Microseconds of a clock that only runs forward (CLOCK_MONOTONIC). */
int64_t tp_os_now_us(void);

/* Microseconds since the Epoch. */
int64_t tp_os_wall_us(void);

/*
 * ppoll(2): waits at most timeout_us (TP_NEVER: without end) under the given signal mask.
 * Returns 0, whether or not something is ready, or an errno value.
 */
int tp_os_poll(struct pollfd *fds, nfds_t count, int64_t timeout_us, const sigset_t *mask);

/* Would it be read or written (POLLIN, POLLOUT) without waiting? */
bool tp_os_is_ready(int fd, short events);

/*
 * open(2) for reading, close-on-exec and non-blocking: of a FIFO that nobody writes to yet tp_os_is_ready() says no,
 * where open(2) would wait without a deadline. Returns 0 or an errno value.
 */
int tp_os_open(const char *path, int *fd);

/* A TCP socket of this family, non-blocking and close-on-exec. Returns 0 or an errno value. */
int tp_os_tcp_socket(int family, int *fd);

/* The socket's pending error (SO_ERROR), which reading it clears. 0 also if the system cannot tell. */
int tp_os_error(int fd);

/*
 * connect(2) on a non-blocking socket. Returns 0, EINPROGRESS, or the errno value of the failure;
 * whatever is known when it returns, so that on loopback nothing is left to wait for.
 */
int tp_os_connect(int fd, const struct sockaddr *address, socklen_t size);

/* A connected pair of local stream sockets, close-on-exec; the first is non-blocking. */
int tp_os_channel(int fds[2]);

/* Let bind(2) with port 0 leave the choice of the port to connect(2), so that ports can be shared. */
void tp_os_bind_late(int fd);

/* All packets of the socket through this interface. Returns 0 or an errno value. */
int tp_os_bind_interface(int fd, const char *interface);

/*
 * The handshake is not to be finished: no ACK follows the SYN-ACK, and closing the socket sends a RST, so the peer's
 * program never sees a connection. To be said before connect(2). Returns 0 or an errno value.
 */
int tp_os_half_open(int fd);

/* Whether there is such a thing here. */
bool tp_os_has_half_open(void);

/* Packets of the socket die after this many hops (IP_TTL, IPV6_UNICAST_HOPS). Returns 0 or an errno value. */
int tp_os_set_hops(int fd, int family, unsigned hops);

/* How long the handshake took by the kernel's own clocks, in microseconds; -1: the kernel does not tell. */
int64_t tp_os_handshake_us(int fd);

/* Who refused a connection, and how. Zeroed: nobody did. */
struct tp_evidence {
	union tp_address reporter; /* AF_UNSPEC: nobody; its port means nothing */
	bool icmp;                 /* by an ICMP error, of the reporter's family: */
	uint8_t type, code;
};

/* Shall the socket keep ICMP errors for tp_os_evidence() (ip(7) IP_RECVERR)? Does nothing where there is no such thing. */
void tp_os_want_evidence(int fd, int family, bool wanted);

/* Whether there is such a thing here. */
bool tp_os_has_evidence(void);

/* The ICMP error that ended the connection: its errno value, and who sent it. 0: none came. */
int tp_os_evidence(int fd, struct tp_evidence *evidence);

/*
 * In a helper: shall the C library go on to the next name server after one second, whatever resolv.conf says, or as
 * resolv.conf says? Does nothing if the C library asks all servers at once.
 */
void tp_os_hurry(bool hurry);

/*
 * In a helper: does some name server answer that it cannot help (SERVFAIL, REFUSED), and no other one answers within a
 * second? musl takes no notice of such answers, and waits on. Always false where the C library does not.
 */
bool tp_os_servers_failed(const char *host, int family);

/* The failure of a hurried lookup that means this. (glibc's EAI_AGAIN may also mean that no server answered.) */
#ifdef __GLIBC__
#define TP_OS_EAI_SAID EAI_FAIL
#else
#define TP_OS_EAI_SAID EAI_AGAIN
#endif

/* Waits until the child has ended, but no longer than until until_us. After that the system is left to reap it. */
void tp_os_reap(pid_t pid, int64_t until_us);

/*
 * In a child that parent has just forked: makes it die when the parent does, or at once if the parent is dead already.
 */
void tp_os_die_with(pid_t parent);

#endif
