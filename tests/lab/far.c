// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * far: a network full of hosts, some milliseconds away.
 *
 * It listens on one end of a veth pair and answers what is sent into the
 * other: every SYN to any address, in the way the destination port asks for
 * (the table below; `far -l` lists it). No connection is remembered: each
 * packet says all that its answer needs. The answers wait in a FIFO, since
 * the round trip takes equally long for all.
 *
 * A veth and not a TUN device: /dev/net/tun is often for root alone.
 */
#include "lab.h"

#include <arpa/inet.h>
#include <linux/if_packet.h>
#include <net/ethernet.h>
#include <net/if.h>
#include <netinet/icmp6.h>
#include <netinet/ip.h>
#include <netinet/ip6.h>
#include <netinet/ip_icmp.h>
#include <netinet/tcp.h>
#include <stdbool.h>
#include <stddef.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>

enum {
	QUOTE_MAX = 120, /* of a packet, in an ICMP error: both headers, with all their options */
	ANSWER_MAX = ETH_HLEN + sizeof(struct ip6_hdr) + sizeof(struct icmp6_hdr) + QUOTE_MAX,
	FIFO_MIN = 1 << 12,
	FIFO_MAX = 1 << 18, /* beyond this many in flight the network drops, as networks do */
	FRAME_SIZE = 256,   /* of the receive ring: our part of a packet, and the kernel's notes */
	BLOCK_SIZE = 1 << 16,
	BLOCKS = 128,
	FRAMES = BLOCKS * (BLOCK_SIZE / FRAME_SIZE),
	BATCH = 256,
	TTL = 64,
};

enum act { ACT_OPEN, ACT_RESET, ACT_SILENT, ACT_HANG_UP, ACT_ICMP };

/* RFC 792 and the IANA registry; RFC 4443 for version 6. */
static const struct rule {
	uint16_t port;
	int version; /* of IP; 0: both */
	enum act act;
	uint8_t type, code;
	const char *name;
} rules[] = {
	{ 80, 0, ACT_OPEN, 0, 0, "open" }, /* and every port that is not listed */
	{ 81, 0, ACT_RESET, 0, 0, "reset" },
	{ 82, 0, ACT_SILENT, 0, 0, "silent" },
	{ 83, 4, ACT_ICMP, 3, 0, "net-unreachable" },
	{ 84, 4, ACT_ICMP, 3, 1, "host-unreachable" },
	{ 85, 4, ACT_ICMP, 3, 3, "port-unreachable" },
	{ 86, 4, ACT_ICMP, 3, 5, "source-route-failed" },
	{ 87, 4, ACT_ICMP, 3, 9, "net-prohibited" },
	{ 88, 4, ACT_ICMP, 3, 10, "host-prohibited" },
	{ 89, 4, ACT_ICMP, 3, 13, "admin-prohibited" },
	{ 90, 0, ACT_HANG_UP, 0, 0, "hang-up" }, /* a SYN-ACK, and a RST right after it */
	{ 91, 4, ACT_ICMP, 11, 0, "ttl-exceeded" },
	{ 92, 6, ACT_ICMP, 1, 0, "no-route6" },
	{ 93, 6, ACT_ICMP, 1, 1, "admin-prohibited6" },
	{ 94, 6, ACT_ICMP, 1, 3, "address-unreachable6" },
	{ 95, 6, ACT_ICMP, 1, 4, "port-unreachable6" },
	{ 96, 6, ACT_ICMP, 1, 5, "policy-failed6" },
	{ 97, 6, ACT_ICMP, 1, 6, "reject-route6" },
	{ 98, 6, ACT_ICMP, 3, 0, "hop-limit-exceeded6" },
};

#define RULES (sizeof(rules) / sizeof(*rules))

/* A TCP segment as it came in; addresses point into the packet. */
struct segment {
	const uint8_t *ether, *ip, *from, *to;
	size_t ip_len; /* captured */
	size_t data_len;
	int version;
	struct tcphdr tcp;
};

struct answer {
	int64_t due_us;
	size_t len;
	uint8_t data[ANSWER_MAX];
};

struct far {
	int fd;
	int64_t round_trip_us;
	int64_t arrived_us; /* when the segment at hand arrived: we may be late to read it */
	uint8_t router4[4], router6[16];

	uint8_t *ring; /* shared with the kernel: packet_mmap */
	size_t next_frame;

	struct answer *fifo; /* size is a power of two */
	size_t size, head, count;
};

/* RFC 1071, in the byte order of the packet. Not folded, so that sums can be added up. */
static uint64_t sum(const void *data, size_t len)
{
	const uint8_t *p = data;
	uint64_t total = 0;
	uint16_t word;

	for (; len > 1; len -= 2, p += 2) {
		memcpy(&word, p, 2);
		total += word;
	}
	if (len) {
		word = 0;
		memcpy(&word, p, 1);
		total += word;
	}
	return total;
}

static uint16_t fold(uint64_t total)
{
	while (total >> 16)
		total = (total & 0xffff) + (total >> 16);
	return (uint16_t)~total;
}

static size_t address_size(int version)
{
	return version == 4 ? sizeof(struct in_addr) : sizeof(struct in6_addr);
}

/* RFC 9293 3.1, RFC 8200 8.1 */
static uint64_t pseudo_sum(const struct segment *s, const uint8_t *from, uint8_t protocol, size_t len)
{
	size_t size = address_size(s->version);

	return sum(from, size) + sum(s->from, size) + htons(protocol) + htons((uint16_t)len);
}

static bool grow(struct far *f)
{
	size_t size = f->size ? 2 * f->size : FIFO_MIN;
	struct answer *fifo = size > FIFO_MAX ? NULL : malloc(size * sizeof(*fifo));

	if (!fifo)
		return false;
	for (size_t i = 0; i < f->count; i++)
		fifo[i] = f->fifo[(f->head + i) & (f->size - 1)];
	free(f->fifo);
	f->fifo = fifo;
	f->size = size;
	f->head = 0;
	return true;
}

static uint8_t *put(struct answer *a, const void *data, size_t len)
{
	uint8_t *at = a->data + a->len;

	memcpy(at, data, len);
	a->len += len;
	return at;
}

static void put_ip4(struct answer *a, const struct segment *s, const uint8_t *from, uint8_t protocol, size_t len)
{
	struct iphdr ip = { .version = 4, .ihl = 5, .ttl = TTL, .protocol = protocol };

	ip.tot_len = htons((uint16_t)(sizeof(ip) + len));
	memcpy(&ip.saddr, from, sizeof(ip.saddr));
	memcpy(&ip.daddr, s->from, sizeof(ip.daddr));
	ip.check = fold(sum(&ip, sizeof(ip)));
	put(a, &ip, sizeof(ip));
}

static void put_ip6(struct answer *a, const struct segment *s, const uint8_t *from, uint8_t protocol, size_t len)
{
	struct ip6_hdr ip = { .ip6_flow = htonl(6U << 28) };

	ip.ip6_plen = htons((uint16_t)len);
	ip.ip6_nxt = protocol;
	ip.ip6_hlim = TTL;
	memcpy(&ip.ip6_src, from, sizeof(ip.ip6_src));
	memcpy(&ip.ip6_dst, s->from, sizeof(ip.ip6_dst));
	put(a, &ip, sizeof(ip));
}

/*
 * Makes a place in the FIFO, and fills in the headers below TCP or ICMP. Returns NULL if there is no room. The Ethernet
 * header goes back as it came: a device without ARP sends to itself.
 */
static struct answer *enqueue(struct far *f, const struct segment *s, const uint8_t *from, uint8_t protocol, size_t len)
{
	struct answer *a;

	if (f->count == f->size && !grow(f))
		return NULL;
	a = &f->fifo[(f->head + f->count++) & (f->size - 1)];
	a->due_us = f->arrived_us + f->round_trip_us;
	a->len = 0;
	put(a, s->ether, ETH_HLEN);
	if (s->version == 4)
		put_ip4(a, s, from, protocol, len);
	else
		put_ip6(a, s, from, protocol, len);
	return a;
}

static void answer_tcp(struct far *f, const struct segment *s, uint8_t flags, uint32_t seq, uint32_t ack)
{
	struct tcphdr tcp = { .source = s->tcp.dest, .dest = s->tcp.source, .doff = 5 };
	struct answer *a = enqueue(f, s, s->to, IPPROTO_TCP, sizeof(tcp));

	if (!a)
		return;
	tcp.th_flags = flags;
	tcp.seq = htonl(seq);
	tcp.ack_seq = htonl(ack);
	tcp.window = htons(UINT16_MAX);
	tcp.check = fold(pseudo_sum(s, s->to, IPPROTO_TCP, sizeof(tcp)) + sum(&tcp, sizeof(tcp)));
	put(a, &tcp, sizeof(tcp));
}

/* The header is the same in ICMP and ICMPv6: type, code, checksum, and four unused bytes. */
static void answer_icmp(struct far *f, const struct segment *s, const struct rule *rule)
{
	const uint8_t *router = s->version == 4 ? f->router4 : f->router6;
	uint8_t protocol = s->version == 4 ? IPPROTO_ICMP : IPPROTO_ICMPV6;
	struct icmphdr icmp = { .type = rule->type, .code = rule->code };
	size_t quoted = s->ip_len < QUOTE_MAX ? s->ip_len : QUOTE_MAX;
	size_t len = sizeof(icmp) + quoted;
	struct answer *a = enqueue(f, s, router, protocol, len);
	uint64_t total = sum(&icmp, sizeof(icmp)) + sum(s->ip, quoted);

	if (!a)
		return;
	if (s->version == 6)
		total += pseudo_sum(s, router, protocol, len);
	icmp.checksum = fold(total);
	put(a, &icmp, sizeof(icmp));
	put(a, s->ip, quoted);
}

static const struct rule *find_rule(const struct segment *s)
{
	for (size_t i = 0; i < RULES; i++)
		if (rules[i].port == ntohs(s->tcp.dest) && (!rules[i].version || rules[i].version == s->version))
			return &rules[i];
	return &rules[0];
}

static void answer_syn(struct far *f, const struct segment *s, const struct rule *rule)
{
	uint32_t seq = ~ntohl(s->tcp.seq), ack = ntohl(s->tcp.seq) + 1;

	switch (rule->act) {
	case ACT_OPEN:
		answer_tcp(f, s, TH_SYN | TH_ACK, seq, ack);
		break;
	case ACT_RESET:
		answer_tcp(f, s, TH_RST | TH_ACK, 0, ack);
		break;
	case ACT_HANG_UP:
		answer_tcp(f, s, TH_SYN | TH_ACK, seq, ack);
		answer_tcp(f, s, TH_RST | TH_ACK, seq + 1, ack);
		break;
	case ACT_ICMP:
		answer_icmp(f, s, rule);
		break;
	case ACT_SILENT:
		break;
	}
}

static void answer_segment(struct far *f, const struct segment *s)
{
	const struct rule *rule = find_rule(s);
	uint32_t seq = ntohl(s->tcp.ack_seq), ack = ntohl(s->tcp.seq) + (uint32_t)s->data_len;

	if (s->tcp.rst)
		return;
	if (s->tcp.syn)
		answer_syn(f, s, rule);
	else if (rule->act != ACT_OPEN)
		return;
	else if (s->tcp.fin)
		answer_tcp(f, s, TH_FIN | TH_ACK, seq, ack + 1);
	else if (s->data_len)
		answer_tcp(f, s, TH_ACK, seq, ack);
}

/* Returns the length of the IP header, or 0 if the packet is not for us. */
static size_t read_ip4(struct segment *s, size_t *total)
{
	struct iphdr ip;

	if (s->ip_len < sizeof(ip))
		return 0;
	memcpy(&ip, s->ip, sizeof(ip));
	if (ip.version != 4 || ip.ihl < 5 || ip.protocol != IPPROTO_TCP || ntohs(ip.frag_off) & (IP_MF | IP_OFFMASK))
		return 0;
	*total = ntohs(ip.tot_len);
	s->version = 4;
	s->from = s->ip + offsetof(struct iphdr, saddr);
	s->to = s->ip + offsetof(struct iphdr, daddr);
	return ip.ihl * 4U;
}

static size_t read_ip6(struct segment *s, size_t *total)
{
	struct ip6_hdr ip;

	if (s->ip_len < sizeof(ip))
		return 0;
	memcpy(&ip, s->ip, sizeof(ip));
	if (s->ip[0] >> 4 != 6 || ip.ip6_nxt != IPPROTO_TCP)
		return 0;
	*total = sizeof(ip) + ntohs(ip.ip6_plen);
	s->version = 6;
	s->from = s->ip + offsetof(struct ip6_hdr, ip6_src);
	s->to = s->ip + offsetof(struct ip6_hdr, ip6_dst);
	return sizeof(ip);
}

static bool read_segment(struct segment *s, const uint8_t *frame, size_t len)
{
	struct ether_header ether;
	size_t header = 0, total = 0;

	if (len < ETH_HLEN)
		return false;
	memcpy(&ether, frame, ETH_HLEN);
	s->ether = frame;
	s->ip = frame + ETH_HLEN;
	s->ip_len = len - ETH_HLEN;
	if (ether.ether_type == htons(ETHERTYPE_IP))
		header = read_ip4(s, &total);
	else if (ether.ether_type == htons(ETHERTYPE_IPV6))
		header = read_ip6(s, &total);
	if (!header || header + sizeof(s->tcp) > s->ip_len)
		return false;
	memcpy(&s->tcp, s->ip + header, sizeof(s->tcp));
	header += s->tcp.doff * 4U;
	if (s->tcp.doff < 5 || header > total)
		return false;
	if (s->ip_len > total)
		s->ip_len = total;
	s->data_len = total - header;
	return true;
}

/* Converts the kernel's note of the arrival, which is by the wall clock, to our clock. */
static int64_t arrival_us(const struct tpacket2_hdr *note)
{
	struct timespec wall;
	int64_t ago_us;

	clock_gettime(CLOCK_REALTIME, &wall);
	ago_us = ((int64_t)wall.tv_sec - note->tp_sec) * 1000000 + (wall.tv_nsec - (int64_t)note->tp_nsec) / 1000;
	return lab_now_us() - (ago_us > 0 ? ago_us : 0);
}

/* Reads one batch of packets out of the ring. A frame is ours until we give its status back to the kernel. */
static void read_packets(struct far *f)
{
	for (int i = 0; i < BATCH; i++) {
		uint8_t *frame = f->ring + f->next_frame * FRAME_SIZE;
		struct tpacket2_hdr *note = (void *)frame;
		struct segment s;

		if (!(__atomic_load_n(&note->tp_status, __ATOMIC_ACQUIRE) & TP_STATUS_USER))
			return;
		f->arrived_us = arrival_us(note);
		if (read_segment(&s, frame + note->tp_mac, note->tp_snaplen))
			answer_segment(f, &s);
		__atomic_store_n(&note->tp_status, TP_STATUS_KERNEL, __ATOMIC_RELEASE);
		f->next_frame = (f->next_frame + 1) % FRAMES;
	}
}

static void send_due(struct far *f)
{
	struct mmsghdr batch[BATCH];
	struct iovec data[BATCH];
	int64_t now_us = lab_now_us();
	unsigned n = 0;
	int sent;

	memset(batch, 0, sizeof(batch));
	for (; n < BATCH && n < f->count; n++) {
		struct answer *a = &f->fifo[(f->head + n) & (f->size - 1)];

		if (a->due_us > now_us)
			break;
		data[n] = (struct iovec){ .iov_base = a->data, .iov_len = a->len };
		batch[n].msg_hdr = (struct msghdr){ .msg_iov = &data[n], .msg_iovlen = 1 };
	}
	if (!n)
		return;
	sent = sendmmsg(f->fd, batch, n, 0);
	if (sent < 0) /* a packet that cannot be sent is lost, because it would block all the others */
		sent = errno == EINTR ? 0 : 1;
	f->head += (size_t)sent;
	f->count -= (size_t)sent;
}

static void run(struct far *f)
{
	while (!lab_stop) {
		lab_poll(f->fd, f->count ? f->fifo[f->head & (f->size - 1)].due_us : LAB_NEVER);
		read_packets(f);
		send_due(f);
	}
}

static void attach(struct far *f, const char *device)
{
	struct tpacket_req ring = { BLOCK_SIZE, BLOCKS, FRAME_SIZE, FRAMES };
	struct sockaddr_ll addr = { .sll_family = AF_PACKET, .sll_protocol = htons(ETH_P_ALL) };
	int version = TPACKET_V2, on = 1;

	addr.sll_ifindex = (int)if_nametoindex(device);
	if (!addr.sll_ifindex)
		lab_die(device);
	f->fd = socket(AF_PACKET, SOCK_RAW | SOCK_CLOEXEC, 0);
	if (f->fd < 0 || setsockopt(f->fd, SOL_PACKET, PACKET_VERSION, &version, sizeof(version)) < 0 ||
	    setsockopt(f->fd, SOL_PACKET, PACKET_IGNORE_OUTGOING, &on, sizeof(on)) < 0 ||
	    setsockopt(f->fd, SOL_PACKET, PACKET_RX_RING, &ring, sizeof(ring)) < 0)
		lab_die("packet socket");
	f->ring = mmap(NULL, (size_t)BLOCK_SIZE * BLOCKS, PROT_READ | PROT_WRITE, MAP_SHARED, f->fd, 0);
	if (f->ring == MAP_FAILED)
		lab_die("mmap");
	if (bind(f->fd, (struct sockaddr *)&addr, sizeof(addr)) < 0)
		lab_die("bind");
}

static void list(void)
{
	for (size_t i = 0; i < RULES; i++) {
		printf("%u %s", rules[i].port, rules[i].name);
		if (rules[i].act == ACT_ICMP)
			printf(" %u %u", rules[i].type, rules[i].code);
		putchar('\n');
	}
}

static void usage(void)
{
	fputs("usage: far [-r ROUND-TRIP-MS] -4 ROUTER -6 ROUTER -d DEVICE\n"
	      "       far -l   lists PORT NAME [ICMP-TYPE ICMP-CODE]\n",
	      stderr);
	exit(2);
}

int main(int argc, char *argv[])
{
	struct far f = { .fd = -1, .round_trip_us = 50000 };
	const char *device = NULL;
	int opt, routers = 0;

	while ((opt = getopt(argc, argv, "4:6:d:lr:")) != -1) {
		if (opt == 'l') {
			list();
			return 0;
		}
		if (opt == '4')
			routers += inet_pton(AF_INET, optarg, f.router4);
		else if (opt == '6')
			routers += inet_pton(AF_INET6, optarg, f.router6);
		else if (opt == 'd')
			device = optarg;
		else if (opt == 'r')
			f.round_trip_us = (int64_t)(lab_number(optarg, 0, 60000) * 1000);
		else
			usage();
	}
	if (!device || routers != 2 || optind != argc)
		usage();
	lab_begin();
	attach(&f, device);
	lab_say("ready");
	run(&f);
	return 0;
}
