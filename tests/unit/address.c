// SPDX-License-Identifier: GPL-3.0-or-later
#include "tp_address.h"

#include "addresses.h"
#include "unit.h"

static void has_the_size_of_its_family(void)
{
	union tp_address ipv4 = address_of("127.0.0.1", 1), ipv6 = address_of("::1", 1);

	CHECK_NUMBER(tp_address_size(&ipv4), sizeof(struct sockaddr_in));
	CHECK_NUMBER(tp_address_size(&ipv6), sizeof(struct sockaddr_in6));
}

static void keeps_its_port(void)
{
	static const uint16_t ports[] = { 0, 1, 80, 256, 65535 };

	for (size_t i = 0; i < ROWS(ports); i++) {
		union tp_address ipv4 = address_of("127.0.0.1", ports[i]), ipv6 = address_of("::1", ports[i]);

		CHECK_NUMBER(tp_address_port(&ipv4), ports[i]);
		CHECK_NUMBER(ntohs(ipv4.ipv4.sin_port), ports[i]);
		CHECK_NUMBER(tp_address_port(&ipv6), ports[i]);
		CHECK_NUMBER(ntohs(ipv6.ipv6.sin6_port), ports[i]);
	}
}

static void is_equal_to_itself_alone(void)
{
	static const char *const texts[] = { "127.0.0.1", "127.0.0.2",        "0.0.0.0", "::1",
					     "::",        "::ffff:127.0.0.1", "fe80::1" };

	for (size_t a = 0; a < ROWS(texts); a++) {
		for (size_t b = 0; b < ROWS(texts); b++) {
			union tp_address one = address_of(texts[a], 80), other = address_of(texts[b], 80);

			unit.row = texts[a];
			CHECK_NUMBER(tp_address_equal(&one, &other, false), a == b);
			CHECK_NUMBER(tp_address_equal(&one, &other, true), a == b);
		}
	}
}

static void is_compared_with_its_port_where_asked(void)
{
	static const char *const texts[] = { "127.0.0.1", "::1" };

	for (size_t i = 0; i < ROWS(texts); i++) {
		union tp_address one = address_of(texts[i], 80), other = address_of(texts[i], 81);

		unit.row = texts[i];
		CHECK(tp_address_equal(&one, &other, false));
		CHECK(!tp_address_equal(&one, &other, true));
	}
}

static void is_another_in_another_zone(void)
{
	union tp_address one = address_of("fe80::1", 80), other = one;

	other.ipv6.sin6_scope_id = 2;
	CHECK(!tp_address_equal(&one, &other, false));
}

static void ignores_the_flow(void)
{
	union tp_address one = address_of("::1", 80), other = one;

	other.ipv6.sin6_flowinfo = htonl(7);
	CHECK(tp_address_equal(&one, &other, true));
}

static void is_written_in_numbers(void)
{
	static const char *const texts[] = {
		"127.0.0.1",
		"255.255.255.255",
		"0.0.0.0",
		"::1",
		"::",
		"2001:db8::1:0:0:1",
		"1234:5678:9abc:def0:1234:5678:9abc:def0",
	};

	for (size_t i = 0; i < ROWS(texts); i++) {
		union tp_address address = address_of(texts[i], 80);
		char text[TP_ADDRESS_TEXT];

		tp_address_text(&address, text);
		CHECK_TEXT(text, texts[i]);
	}
}

static void is_written_with_its_zone(void)
{
	union tp_address address = address_of("fe80::1", 80);
	char text[TP_ADDRESS_TEXT], wanted[TP_ADDRESS_TEXT], interface[IF_NAMESIZE];

	address.ipv6.sin6_scope_id = 1;
	if (if_indextoname(1, interface) == NULL) {
		unit_skip("no interface has the index 1");
		return;
	}
	snprintf(wanted, sizeof(wanted), "fe80::1%%%s", interface);
	tp_address_text(&address, text);
	CHECK_TEXT(text, wanted);
}

static void is_a_dash_where_there_is_none(void)
{
	union tp_address address = { 0 };
	char text[TP_ADDRESS_TEXT];

	tp_address_text(&address, text);
	CHECK_TEXT(text, "-");
}

int main(void)
{
	static const struct unit_test tests[] = {
		{ "an address has the size of its family", has_the_size_of_its_family },
		{ "a port that was set is there, in network order", keeps_its_port },
		{ "addresses are equal only to themselves, mapped ones too", is_equal_to_itself_alone },
		{ "ports are compared where they are asked for", is_compared_with_its_port_where_asked },
		{ "the same address in another zone is another", is_another_in_another_zone },
		{ "a flow label makes no other address", ignores_the_flow },
		{ "an address is written in numbers", is_written_in_numbers },
		{ "a zone is written behind it", is_written_with_its_zone },
		{ "no address is a dash", is_a_dash_where_there_is_none },
	};

	return UNIT_RUN(tests);
}
