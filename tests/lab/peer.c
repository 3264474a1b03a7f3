// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * peer: the other end of a probe; its modes are in the table below.
 *
 * The first line on stdout is the port; then a probe may come. On SIGUSR1 and on SIGTERM it prints `accepted N`, once
 * it has accepted all that wait.
 */
#include "lab.h"

#include <arpa/inet.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdbool.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>

struct peer {
	const struct mode *mode;
	const char *arg;
	int fd;
	bool fixed_port;
	bool listening;
	int64_t listen_us; /* when to start listening, for `late` */
	int oldest;        /* the oldest of the kept connections: it is closed if descriptors run out */
	unsigned long accepted;
};

struct mode {
	const char *name;
	const char *arg;
	void (*start)(struct peer *);
	void (*serve)(struct peer *, int fd);
	const char *help;
};

static volatile sig_atomic_t report_wanted;

static void on_report(int sig)
{
	(void)sig;
	report_wanted = 1;
}

static void start_listening(struct peer *p)
{
	if (listen(p->fd, SOMAXCONN) < 0)
		lab_die("listen");
	p->listening = true;
}

static void start_late(struct peer *p)
{
	p->listen_us = lab_now_us() + (int64_t)(lab_number(p->arg, 0, 86400) * 1e6);
}

static void start_closed(struct peer *p)
{
	(void)p; /* a bound socket is enough: the port is ours, and a SYN is answered with a RST */
}

static bool backlog_full(int fd)
{
	struct tcp_info info = { 0 };
	socklen_t len = sizeof(info);

	if (getsockopt(fd, IPPROTO_TCP, TCP_INFO, &info, &len) < 0)
		lab_die("TCP_INFO");
	/* In the state LISTEN these two are the accept queue and its limit (tcp_diag.c in Linux). */
	return info.tcpi_unacked > info.tcpi_sacked;
}

/* Linux silently drops a SYN if the accept queue is over its limit. */
static void start_full(struct peer *p)
{
	struct sockaddr_storage addr;
	socklen_t len = sizeof(addr);

	if (listen(p->fd, 0) < 0)
		lab_die("listen");
	getsockname(p->fd, (struct sockaddr *)&addr, &len);
	while (!backlog_full(p->fd)) {
		int fd = socket(addr.ss_family, SOCK_STREAM | SOCK_CLOEXEC, 0);

		if (fd < 0 || connect(fd, (struct sockaddr *)&addr, len) < 0)
			lab_die("full");
	}
}

static void serve_keep(struct peer *p, int fd)
{
	(void)p;
	(void)fd;
}

static void serve_close(struct peer *p, int fd)
{
	(void)p;
	close(fd);
}

static void serve_reset(struct peer *p, int fd)
{
	struct linger hard = { .l_onoff = 1 };

	(void)p;
	setsockopt(fd, SOL_SOCKET, SO_LINGER, &hard, sizeof(hard));
	close(fd);
}

/* Forks a child for work that takes its time. The child ends with the peer. Returns true in the child. */
static bool in_child(int fd)
{
	pid_t parent = getpid(), child = fork();

	if (child == 0) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		if (getppid() != parent)
			_exit(1);
		return true;
	}
	close(fd);
	return false;
}

static void serve_leave(struct peer *p, int fd)
{
	double seconds = lab_number(p->arg, 0, 86400);

	if (in_child(fd)) {
		usleep((useconds_t)(seconds * 1e6));
		_exit(0);
	}
}

/* Writes the argument's bytes, in which \xHH is one byte. Returns how many. */
static size_t argument(const struct peer *p, char *bytes, size_t room)
{
	size_t count = 0;

	for (const char *at = p->arg; *at && count < room; at++) {
		unsigned byte = (unsigned char)*at;

		if (at[0] == '\\' && sscanf(at, "\\x%2x", &byte) == 1)
			at += 3;
		bytes[count++] = (char)byte;
	}
	return count;
}

static void serve_say(struct peer *p, int fd)
{
	char bytes[1024];

	send(fd, bytes, argument(p, bytes, sizeof(bytes)), MSG_NOSIGNAL);
}

static void serve_say_reset(struct peer *p, int fd)
{
	serve_say(p, fd);
	serve_reset(p, fd);
}

static void serve_drip(struct peer *p, int fd)
{
	char bytes[1024];
	size_t count = argument(p, bytes, sizeof(bytes));

	if (in_child(fd)) {
		for (size_t i = 0; i < count && send(fd, &bytes[i], 1, MSG_NOSIGNAL) == 1; i++)
			sleep(1);
		_exit(0);
	}
}

/* Sends as much as the kernel takes, at most a megabyte. */
static void serve_flood(struct peer *p, int fd)
{
	static char bytes[1 << 20];

	(void)p;
	memset(bytes, 'x', sizeof(bytes));
	send(fd, bytes, sizeof(bytes), MSG_NOSIGNAL);
}

static void serve_banner(struct peer *p, int fd)
{
	char line[1024];
	int len = snprintf(line, sizeof(line), "%s\n", p->arg);

	if (len > 0 && (size_t)len < sizeof(line))
		send(fd, line, (size_t)len, MSG_NOSIGNAL);
}

static const struct mode modes[] = {
	{ "open", NULL, start_listening, serve_keep, "accept, and keep the connections" },
	{ "close", NULL, start_listening, serve_close, "accept and close at once" },
	{ "reset", NULL, start_listening, serve_reset, "accept and reset at once" },
	{ "banner", "TEXT", start_listening, serve_banner, "accept and send TEXT and a newline" },
	{ "leave", "SECONDS", start_listening, serve_leave, "accept, and close after SECONDS" },
	{ "say", "BYTES", start_listening, serve_say, "accept and send BYTES, in which \\xHH is one" },
	{ "say-reset", "BYTES", start_listening, serve_say_reset, "the same, and reset at once" },
	{ "drip", "BYTES", start_listening, serve_drip, "the same, a byte a second" },
	{ "flood", NULL, start_listening, serve_flood, "accept and send a megabyte" },
	{ "closed", NULL, start_closed, NULL, "hold the port, do not listen: refused" },
	{ "late", "SECONDS", start_late, serve_keep, "closed, then open; says `listening`" },
	{ "full", NULL, start_full, NULL, "listen with a full backlog: silence" },
};

#define MODES (sizeof(modes) / sizeof(*modes))

static void usage(void)
{
	fputs("usage: peer [-6] [-a ADDRESS] [-p PORT] MODE\n", stderr);
	for (size_t i = 0; i < MODES; i++)
		fprintf(stderr, "  %-9s %-7s  %s\n", modes[i].name, modes[i].arg ? modes[i].arg : "", modes[i].help);
	exit(2);
}

static void bind_to(struct peer *p, const char *address, const char *port)
{
	struct addrinfo hints = { .ai_socktype = SOCK_STREAM,
				  .ai_flags = AI_NUMERICHOST | AI_NUMERICSERV | AI_PASSIVE };
	struct addrinfo *ai;
	int on = 1;

	if (getaddrinfo(address, port, &hints, &ai)) {
		fprintf(stderr, "peer: %s %s: not an address and a port\n", address, port);
		exit(2);
	}
	p->fd = socket(ai->ai_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (p->fd < 0)
		lab_die("socket");
	p->fixed_port = strcmp(port, "0") != 0;
	/* SO_REUSEADDR is not for a port that the kernel chose: nobody else may have that one. */
	if (p->fixed_port)
		setsockopt(p->fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
	if (ai->ai_family == AF_INET6)
		setsockopt(p->fd, IPPROTO_IPV6, IPV6_V6ONLY, &on, sizeof(on));
	if (bind(p->fd, ai->ai_addr, ai->ai_addrlen) < 0)
		lab_die("bind");
	freeaddrinfo(ai);
}

static void print_port(int fd)
{
	struct sockaddr_storage addr;
	socklen_t len = sizeof(addr);

	getsockname(fd, (struct sockaddr *)&addr, &len);
	/* RFC 3493: sin_port and sin6_port are in the same place. */
	printf("%u\n", ntohs(((struct sockaddr_in *)&addr)->sin_port));
	fflush(stdout);
}

/* Descriptors are handed out in order, so the next one up is the oldest left. */
static void close_oldest(struct peer *p)
{
	close(p->oldest);
	if (++p->oldest >= (int)sysconf(_SC_OPEN_MAX))
		p->oldest = p->fd + 1;
}

static void accept_all(struct peer *p)
{
	int fd;

	while (p->listening) {
		fd = accept4(p->fd, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
		if (fd >= 0) {
			p->accepted++;
			p->mode->serve(p, fd);
		} else if (errno == EMFILE) {
			close_oldest(p);
		} else if (errno != EINTR && errno != ECONNABORTED) {
			break;
		}
	}
}

static void report(const struct peer *p)
{
	printf("accepted %lu\n", p->accepted);
	fflush(stdout);
}

static void run(struct peer *p)
{
	while (!lab_stop) {
		/* A socket that does not listen would always be ready: POLLHUP. */
		lab_poll(p->listening ? p->fd : -1, p->listen_us);
		if (lab_now_us() >= p->listen_us) {
			start_listening(p);
			lab_say("listening");
			p->listen_us = LAB_NEVER;
		}
		accept_all(p);
		if (report_wanted) {
			report_wanted = 0;
			report(p);
		}
	}
	report(p);
}

static const struct mode *find_mode(char *const words[])
{
	for (size_t i = 0; words[0] && i < MODES; i++)
		if (!strcmp(words[0], modes[i].name) && !words[1] == !modes[i].arg && (!words[1] || !words[2]))
			return &modes[i];
	usage();
	return NULL;
}

int main(int argc, char *argv[])
{
	struct peer p = { .listen_us = LAB_NEVER };
	const char *address = "127.0.0.1", *port = "0";
	struct rlimit files;
	int opt;

	while ((opt = getopt(argc, argv, "+6a:p:")) != -1) {
		if (opt == '6')
			address = "::1";
		else if (opt == 'a')
			address = optarg;
		else if (opt == 'p' && lab_number(optarg, 0, UINT16_MAX) >= 0)
			port = optarg;
		else
			usage();
	}
	p.mode = find_mode(argv + optind);
	p.arg = argv[optind + 1];
	lab_begin();
	lab_catch(SIGUSR1, on_report);
	/* Nobody waits for the children: they must not become zombies. */
	signal(SIGCHLD, SIG_IGN);
	if (!getrlimit(RLIMIT_NOFILE, &files)) {
		files.rlim_cur = files.rlim_max;
		setrlimit(RLIMIT_NOFILE, &files);
	}
	bind_to(&p, address, port);
	p.oldest = p.fd + 1;
	p.mode->start(&p);
	print_port(p.fd);
	run(&p);
	return 0;
}
