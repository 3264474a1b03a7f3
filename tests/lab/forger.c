// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * forger KIND LOCAL REMOTE PORT: sends ICMP errors (administratively prohibited) about IPv4 connections from LOCAL to
 * PORT of REMOTE, some 10,000 a second until stdout is closed. It prints `ready` when it begins. It does not know the
 * local port of a connection, so it tries them all. KIND says what is wrong with the errors:
 *	port		the remote port is another
 *	sequence	the sequence number is another
 *	short		the quoted packet ends before the ports
 *	garbage		what is quoted is noise
 *	true		nothing: the sequence number is that of a SYN just seen
 */
#include "lab.h"

#include <arpa/inet.h>
#include <net/ethernet.h>
#include <netinet/in.h>
#include <netinet/ip.h>
#include <netinet/ip_icmp.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stdbool.h>
#include <string.h>
#include <sys/random.h>
#include <sys/socket.h>

struct forgery {
	struct icmphdr icmp;
	struct iphdr ip;
	uint16_t source, dest;
	uint32_t sequence;
};

static uint16_t checksum(const void *data, size_t size)
{
	const uint8_t *byte = data;
	uint32_t sum = 0;

	for (size_t i = 0; i + 1 < size; i += 2)
		sum += (uint32_t)byte[i] << 8 | byte[i + 1];
	while (sum >> 16)
		sum = (sum & 0xffff) + (sum >> 16);
	return htons((uint16_t)~sum);
}

/* Looks for a SYN that is on its way, and copies what only its packet tells. Returns false if there is none. */
static bool take_syn(int fd, struct forgery *forgery, uint16_t port)
{
	struct {
		struct iphdr ip;
		struct tcphdr tcp;
	} seen;

	if (recv(fd, &seen, sizeof(seen), MSG_DONTWAIT) != sizeof(seen) || seen.ip.protocol != IPPROTO_TCP ||
	    seen.tcp.dest != port || !seen.tcp.syn)
		return false;
	forgery->source = seen.tcp.source;
	forgery->sequence = seen.tcp.seq;
	return true;
}

static void forge(const char *kind, const struct sockaddr_in *local, const struct sockaddr_in *remote)
{
	int out = socket(AF_INET, SOCK_RAW, IPPROTO_ICMP);
	int in = socket(AF_PACKET, SOCK_DGRAM, htons(ETH_P_ALL));
	struct pollfd closed = { .fd = STDOUT_FILENO };
	struct forgery forgery = { .icmp = { .type = ICMP_DEST_UNREACH, .code = ICMP_PKT_FILTERED } };
	uint16_t port = 32768;

	if (out < 0 || in < 0)
		lab_die("socket");
	forgery.ip = (struct iphdr){ .version = 4, .ihl = 5, .ttl = 60, .protocol = IPPROTO_TCP };
	forgery.ip.tot_len = htons(40);
	forgery.ip.saddr = local->sin_addr.s_addr;
	forgery.ip.daddr = remote->sin_addr.s_addr;
	forgery.dest = remote->sin_port;
	lab_say("ready");
	while (!lab_stop && poll(&closed, 1, 0) == 0) {
		size_t size = sizeof(forgery);

		forgery.source = htons(port);
		port = port == 60999 ? 32768 : (uint16_t)(port + 1);
		if (strcmp(kind, "port") == 0)
			forgery.dest = htons((uint16_t)(ntohs(remote->sin_port) + 1));
		if (strcmp(kind, "true") == 0 && !take_syn(in, &forgery, remote->sin_port))
			continue;
		if (strcmp(kind, "sequence") == 0 && getrandom(&forgery.sequence, sizeof(forgery.sequence), 0) < 0)
			lab_die("getrandom");
		if (strcmp(kind, "garbage") == 0 &&
		    getrandom((char *)&forgery + sizeof(forgery.icmp), size - sizeof(forgery.icmp), 0) < 0)
			lab_die("getrandom");
		if (strcmp(kind, "short") == 0)
			size -= sizeof(forgery.sequence) + sizeof(forgery.dest) + sizeof(forgery.source);
		forgery.icmp.checksum = 0;
		forgery.icmp.checksum = checksum(&forgery, size);
		sendto(out, &forgery, size, 0, (const struct sockaddr *)local, sizeof(*local));
		if (port % 100 == 0)
			poll(NULL, 0, 10);
	}
}

int main(int argc, char **argv)
{
	struct sockaddr_in local = { .sin_family = AF_INET }, remote = { .sin_family = AF_INET };

	if (argc != 5 || inet_pton(AF_INET, argv[2], &local.sin_addr) != 1 ||
	    inet_pton(AF_INET, argv[3], &remote.sin_addr) != 1) {
		fputs("usage: forger port|sequence|short|garbage|true LOCAL REMOTE PORT\n", stderr);
		return 2;
	}
	remote.sin_port = htons((uint16_t)lab_number(argv[4], 1, 65535));
	lab_begin();
	forge(argv[1], &local, &remote);
	return 0;
}
