// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * dns: a name server that does what the name asks for. RFC 1035, over UDP.
 *
 * These names exist: [DELAYms.][anything.]KIND.test, where KIND is a row of the table below; and after-N.anything.test.
 * The latter is 127.0.0.1 after N queries. Before that it does not exist, or is the address that its second label
 * spells.
 */
#include "lab.h"

#include <arpa/inet.h>
#include <ctype.h>
#include <netdb.h>
#include <stdbool.h>
#include <string.h>
#include <sys/queue.h>
#include <sys/socket.h>

enum {
	HEADER = 12,
	MESSAGE_MAX = 512,
	NAME_MAX_TEXT = 256,
	LABELS_MAX = 128,
	WAITING_MAX = 65536,
	DELAY_MAX_MS = 600000,
	MANY = 12,
};

enum { TYPE_A = 1, TYPE_AAAA = 28, CLASS_IN = 1 };
enum { RCODE_OK = 0, RCODE_FAIL = 2, RCODE_NO_NAME = 3 };
enum { FLAG_RESPONSE = 0x80, FLAG_OPCODE = 0x78, FLAG_AUTHORITATIVE = 0x04 };

struct name {
	char text[NAME_MAX_TEXT]; /* lower case, a NUL after each label */
	size_t text_len;
	const char *label[LABELS_MAX];
	size_t labels;
	unsigned type;
};

struct reply {
	TAILQ_ENTRY(reply) link;
	int64_t due_us;
	struct sockaddr_storage to;
	socklen_t to_len;
	bool noisy; /* it is sent twice, and packets that are no answer come before it */
	size_t len;
	uint8_t data[MESSAGE_MAX];
};

struct kind {
	const char *label;
	bool (*answer)(struct reply *, const struct name *); /* false: no reply is ever sent */
};

static TAILQ_HEAD(queue, reply) waiting = TAILQ_HEAD_INITIALIZER(waiting);
static size_t waiting_count;

static void put16(struct reply *r, unsigned n)
{
	r->data[r->len++] = (uint8_t)(n >> 8);
	r->data[r->len++] = (uint8_t)n;
}

/* A resource record of the name that was asked for: RFC 1035 4.1.3. */
static void put_record(struct reply *r, unsigned type, const void *address, size_t size)
{
	put16(r, 0xc000 | HEADER);
	put16(r, type);
	put16(r, CLASS_IN);
	put16(r, 0);
	put16(r, 0); /* TTL: it may not be cached, not even for a second */
	put16(r, (unsigned)size);
	memcpy(r->data + r->len, address, size);
	r->len += size;
	r->data[7]++; /* ANCOUNT */
}

static void put_ipv4(struct reply *r, const struct name *n, uint32_t address)
{
	address = htonl(address);
	if (n->type == TYPE_A)
		put_record(r, TYPE_A, &address, sizeof(address));
}

static bool fail_with(struct reply *r, unsigned rcode)
{
	r->data[3] = (uint8_t)rcode;
	return true;
}

static bool answer_empty(struct reply *r, const struct name *n)
{
	(void)r;
	(void)n;
	return true;
}

static bool answer_nx(struct reply *r, const struct name *n)
{
	(void)n;
	return fail_with(r, RCODE_NO_NAME);
}

static bool answer_fail(struct reply *r, const struct name *n)
{
	(void)n;
	return fail_with(r, RCODE_FAIL);
}

static bool answer_dead(struct reply *r, const struct name *n)
{
	(void)r;
	(void)n;
	return false;
}

static bool answer_both(struct reply *r, const struct name *n)
{
	static const uint8_t silent6[16] = { 0x20, 0x01, 0x0d, 0xb8, [15] = 1 };

	if (n->type == TYPE_AAAA)
		put_record(r, TYPE_AAAA, silent6, sizeof(silent6));
	put_ipv4(r, n, INADDR_LOOPBACK);
	return true;
}

static bool answer_many(struct reply *r, const struct name *n)
{
	for (uint32_t i = 1; i <= MANY; i++)
		put_ipv4(r, n, 0x0a020000 + i);
	return true;
}

static bool answer_loopback(struct reply *r, const struct name *n)
{
	static const uint8_t loopback6[16] = { [15] = 1 };

	if (n->type == TYPE_AAAA)
		put_record(r, TYPE_AAAA, loopback6, sizeof(loopback6));
	put_ipv4(r, n, INADDR_LOOPBACK);
	return true;
}

static bool answer_lost6(struct reply *r, const struct name *n)
{
	return n->type != TYPE_AAAA && answer_loopback(r, n);
}

static bool answer_lost4(struct reply *r, const struct name *n)
{
	return n->type != TYPE_A && answer_loopback(r, n);
}

static bool answer_late6(struct reply *r, const struct name *n)
{
	if (n->type == TYPE_AAAA)
		r->due_us += 3000000;
	return answer_loopback(r, n);
}

static bool answer_fail6(struct reply *r, const struct name *n)
{
	return n->type == TYPE_AAAA ? fail_with(r, RCODE_FAIL) : answer_loopback(r, n);
}

static bool answer_nx6(struct reply *r, const struct name *n)
{
	return n->type == TYPE_AAAA ? fail_with(r, RCODE_NO_NAME) : answer_loopback(r, n);
}

static bool answer_noisy(struct reply *r, const struct name *n)
{
	r->noisy = true;
	put_ipv4(r, n, INADDR_LOOPBACK);
	return true;
}

/* Too short to be a message. */
static bool answer_short(struct reply *r, const struct name *n)
{
	(void)n;
	r->len = 5;
	return true;
}

/* As many addresses as a message has room for. */
static bool answer_flood(struct reply *r, const struct name *n)
{
	for (uint32_t i = 1; r->len + 16 <= MESSAGE_MAX; i++) {
		if (n->type != TYPE_A)
			break;
		put_ipv4(r, n, 0x0a020000 + i);
	}
	return true;
}

/* 10-2-0-7 is 10.2.0.7 */
static bool answer_label(struct reply *r, const struct name *n, const char *label)
{
	char dotted[64] = "";
	struct in_addr address;

	strncpy(dotted, label, sizeof(dotted) - 1);
	for (char *c = dotted; *c; c++)
		*c = *c == '-' ? '.' : *c == '.' ? '-' : *c;
	if (inet_pton(AF_INET, dotted, &address) != 1)
		return fail_with(r, RCODE_NO_NAME);
	put_ipv4(r, n, ntohl(address.s_addr));
	return true;
}

/* 10-2-0-7.ip.test */
static bool answer_ip(struct reply *r, const struct name *n)
{
	return answer_label(r, n, n->labels >= 3 ? n->label[n->labels - 3] : "");
}

static const struct kind kinds[] = {
	{ "ip", answer_ip },       { "both", answer_both },   { "many", answer_many },   { "nx", answer_nx },
	{ "fail", answer_fail },   { "empty", answer_empty }, { "dead", answer_dead },   { "lost6", answer_lost6 },
	{ "lost4", answer_lost4 }, { "late6", answer_late6 }, { "fail6", answer_fail6 }, { "nx6", answer_nx6 },
	{ "noisy", answer_noisy }, { "flood", answer_flood }, { "short", answer_short },
};

/* How many A queries of this name have come; the last few names are remembered. */
static unsigned times_asked(const struct name *n)
{
	static struct {
		char text[NAME_MAX_TEXT];
		unsigned times;
	} seen[256];
	static size_t next;
	size_t size = sizeof(seen) / sizeof(*seen), i = 0;

	while (i < size && memcmp(seen[i].text, n->text, NAME_MAX_TEXT))
		i++;
	if (i == size) {
		i = next++ % size;
		memcpy(seen[i].text, n->text, NAME_MAX_TEXT);
		seen[i].times = 0;
	}
	if (n->type == TYPE_A)
		seen[i].times++;
	return seen[i].times;
}

/* Returns the number that the text begins with, if after is all that follows it; else -1. */
static long leading_number(const char *text, const char *after)
{
	char *end;
	long n;

	if (!isdigit((unsigned char)*text))
		return -1;
	n = strtol(text, &end, 10);
	return strcmp(end, after) ? -1 : n;
}

static bool answer(struct reply *r, const struct name *n)
{
	long after = strncmp(n->label[0], "after-", 6) ? -1 : leading_number(n->label[0] + 6, "");

	if (n->labels < 2 || strcmp(n->label[n->labels - 1], "test"))
		return answer_nx(r, n);
	if (after >= 0) {
		if (times_asked(n) <= (unsigned long)after)
			return answer_label(r, n, n->label[1]);
		put_ipv4(r, n, INADDR_LOOPBACK);
		return true;
	}
	for (size_t i = 0; i < sizeof(kinds) / sizeof(*kinds); i++)
		if (!strcmp(n->label[n->labels - 2], kinds[i].label))
			return kinds[i].answer(r, n);
	return answer_nx(r, n);
}

/* Reads the question (RFC 1035 4.1.2), which is never compressed. Returns its length, or 0 if we cannot read it. */
static size_t read_question(struct name *n, const uint8_t *data, size_t len)
{
	size_t at = 0;

	memset(n, 0, sizeof(*n));
	while (at < len && data[at]) {
		size_t size = data[at++];

		if (size > 63 || size > len - at || n->labels == LABELS_MAX || n->text_len + size + 1 > NAME_MAX_TEXT)
			return 0;
		n->label[n->labels++] = n->text + n->text_len;
		for (size_t i = 0; i < size; i++)
			n->text[n->text_len++] = (char)tolower(data[at++]);
		n->text_len++;
	}
	if (len - at < 5 || !n->labels)
		return 0;
	n->type = (unsigned)data[at + 1] << 8 | data[at + 2];
	return at + 5;
}

/* Keeps the queue sorted by due time. The new reply is nearly always the last one. */
static void enqueue(struct reply *r)
{
	struct reply *before;

	TAILQ_FOREACH_REVERSE(before, &waiting, queue, link)
	if (before->due_us <= r->due_us)
		break;
	if (before)
		TAILQ_INSERT_AFTER(&waiting, before, r, link);
	else
		TAILQ_INSERT_HEAD(&waiting, r, link);
	waiting_count++;
}

static bool make_reply(struct reply *r, const uint8_t *query, size_t len)
{
	struct name name;
	size_t question;
	long delay_ms;

	if (len < HEADER || query[2] & (FLAG_RESPONSE | FLAG_OPCODE) || query[4] || query[5] != 1)
		return false;
	question = read_question(&name, query + HEADER, len - HEADER);
	if (!question)
		return false;
	r->len = HEADER + question;
	memcpy(r->data, query, r->len);
	r->data[2] |= FLAG_RESPONSE | FLAG_AUTHORITATIVE;
	r->data[3] = RCODE_OK;
	memset(r->data + 6, 0, 6); /* no answers yet; what else the query carried (EDNS) is left out */
	delay_ms = leading_number(name.label[0], "ms");
	if (delay_ms > DELAY_MAX_MS)
		return false;
	r->due_us = lab_now_us() + (delay_ms > 0 ? delay_ms * 1000 : 0);
	return answer(r, &name);
}

static void read_queries(int fd)
{
	static uint8_t query[65536];

	for (;;) {
		struct reply *r = calloc(1, sizeof(*r));
		ssize_t len;

		if (!r)
			lab_die("calloc");
		r->to_len = sizeof(r->to);
		len = recvfrom(fd, query, sizeof(query), 0, (struct sockaddr *)&r->to, &r->to_len);
		if (len < 0) {
			free(r);
			return;
		}
		if (len <= MESSAGE_MAX && waiting_count < WAITING_MAX && make_reply(r, query, (size_t)len))
			enqueue(r);
		else
			free(r);
	}
}

static void send_to(int fd, const struct reply *r, const uint8_t *data, size_t len)
{
	sendto(fd, data, len, 0, (const struct sockaddr *)&r->to, r->to_len);
}

/*
 * Sends three packets that are no answer: nonsense; another name, with another address; another query's number, with
 * another address.
 */
static void send_noise(int fd, const struct reply *r)
{
	uint8_t data[MESSAGE_MAX];

	memset(data, 0xff, sizeof(data));
	memcpy(data, r->data, 2);
	send_to(fd, r, data, sizeof(data));
	memcpy(data, r->data, r->len);
	data[HEADER + 1] ^= 1;
	data[r->len - 1] ^= 4;
	send_to(fd, r, data, r->len);
	memcpy(data, r->data, r->len);
	data[0] ^= 1;
	data[r->len - 1] ^= 4;
	send_to(fd, r, data, r->len);
}

static void send_due(int fd)
{
	int64_t now_us = lab_now_us();
	struct reply *r;

	while ((r = TAILQ_FIRST(&waiting)) && r->due_us <= now_us) {
		if (r->noisy)
			send_noise(fd, r);
		for (int i = 0; i <= r->noisy; i++)
			send_to(fd, r, r->data, r->len);
		TAILQ_REMOVE(&waiting, r, link);
		waiting_count--;
		free(r);
	}
}

static int bind_to(const char *address, const char *port)
{
	struct addrinfo hints = { .ai_socktype = SOCK_DGRAM, .ai_flags = AI_NUMERICHOST | AI_NUMERICSERV };
	struct addrinfo *ai;
	int fd, buffer = 1 << 22;

	if (getaddrinfo(address, port, &hints, &ai)) {
		fprintf(stderr, "dns: %s %s: not an address and a port\n", address, port);
		exit(2);
	}
	fd = socket(ai->ai_family, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	if (fd < 0 || bind(fd, ai->ai_addr, ai->ai_addrlen) < 0)
		lab_die("bind");
	setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &buffer, sizeof(buffer));
	freeaddrinfo(ai);
	return fd;
}

int main(int argc, char *argv[])
{
	int fd;

	if (argc != 3) {
		fputs("usage: dns ADDRESS PORT\n", stderr);
		return 2;
	}
	lab_begin();
	fd = bind_to(argv[1], argv[2]);
	lab_say("ready");
	while (!lab_stop) {
		lab_poll(fd, waiting_count ? TAILQ_FIRST(&waiting)->due_us : LAB_NEVER);
		read_queries(fd);
		send_due(fd);
	}
	return 0;
}
