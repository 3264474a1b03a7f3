// SPDX-License-Identifier: GPL-3.0-or-later
/* The engine races the addresses of one name, and probes from a source address. */
#include "runs.h"

static void races_addresses(void)
{
	struct place places[2];

	prepare();
	if (!have(make_all(places, 2, (enum kind[]){ SILENT, OPEN }, loopbacks)))
		return;
	add("two.test", places[0].port);
	go_through();
	check(0, TP_OPEN, "127.0.0.2");
	CHECK(run.elapsed_us >= 250000);
	CHECK(run.got[0].result.connect_us <= run.elapsed_us - 250000);
	CHECK(run.got[0].result.lookup_us >= 0);
	unmake(&places[0]);
	unmake(&places[1]);
}

static void goes_on_at_once_after_a_failure(void)
{
	struct place places[3];

	prepare();
	if (!have(make_all(places, 3, (enum kind[]){ CLOSED, CLOSED, OPEN }, loopbacks)))
		return;
	add("three.test", places[0].port);
	go_through();
	check(0, TP_OPEN, "127.0.0.3");
	CHECK_NUMBER(run.idle_waits, 0);
	for (size_t i = 0; i < 3; i++)
		unmake(&places[i]);
}

static void tells_the_most_telling_failure(void)
{
	static const struct {
		enum kind kinds[3];
		enum kind wins;
		const char *address;
		int64_t timeout_us; /* enough for the attempts that matter, on a busy machine too */
	} rows[] = {
		{ { CLOSED, SILENT, SILENT }, CLOSED, "127.0.0.1", 500000 },
		{ { SILENT, SILENT, CLOSED }, CLOSED, "127.0.0.3", 3000000 },
		{ { CLOSED, CLOSED, CLOSED }, CLOSED, "127.0.0.1", MINUTE },
		{ { SILENT, SILENT, SILENT }, SILENT, "127.0.0.1", 500000 },
	};

	for (size_t i = 0; i < ROWS(rows); i++) {
		struct place places[3];

		prepare();
		run.setup.plan.timeout_us = rows[i].timeout_us;
		if (!have(make_all(places, 3, rows[i].kinds, loopbacks)))
			return;
		add("three.test", places[0].port);
		go_through();
		check(0, states[rows[i].wins], rows[i].address);
		for (size_t j = 0; j < 3; j++)
			unmake(&places[j]);
	}
}

/* IPv4, IPv4, IPv6: the third is tried second, and wins though the second is open too. */
static void alternates_families(void)
{
	static const char *const addresses[] = { "127.0.0.1", "127.0.0.2", "::1" };
	struct place places[3];

	prepare();
	if (!have(make_all(places, 3, (enum kind[]){ SILENT, OPEN, OPEN }, addresses)))
		return;
	add("mixed.test", places[0].port);
	go_through();
	check(0, TP_OPEN, "::1");
	for (size_t i = 0; i < 3; i++)
		unmake(&places[i]);
}

static void uses_only_the_family_asked_for(void)
{
	struct place place;

	prepare();
	run.setup.plan.family = AF_INET6;
	if (!make(&place, OPEN, "::1", 0)) {
		unit_skip("no IPv6 here");
		return;
	}
	add("mixed.test", place.port);
	add("one.test", place.port);
	add("127.0.0.1", place.port);
	add("::1", place.port);
	go_through();
	check(0, TP_OPEN, "::1");
	check(1, TP_UNRESOLVED, "-");
	check(2, TP_UNRESOLVED, "-");
	check(3, TP_OPEN, "::1");
	unmake(&place);
}

static void probes_each_address_by_itself(void)
{
	struct place places[3];

	prepare();
	run.setup.plan.timeout_us = 1000000;
	run.setup.plan.each_address = true;
	if (!have(make_all(places, 3, (enum kind[]){ CLOSED, SILENT, OPEN }, loopbacks)))
		return;
	add("none.test", places[0].port);
	add("three.test", places[0].port);
	add("twice.test", places[0].port);
	add("127.0.0.3", places[0].port);
	go();
	CHECK_NUMBER(run.error, ENOENT);
	CHECK_NUMBER(run.got_count, 7);
	check(0, TP_UNRESOLVED, "-");
	check(1, TP_REFUSED, "127.0.0.1");
	check(2, TP_TIMEOUT, "127.0.0.2");
	check(3, TP_OPEN, "127.0.0.3");
	check(4, TP_REFUSED, "127.0.0.1");
	check(5, TP_TIMEOUT, "127.0.0.2");
	check(6, TP_OPEN, "127.0.0.3");
	CHECK_TEXT(run.got[3].host, "three.test");
	CHECK_TEXT(run.got[5].host, "twice.test");
	for (size_t i = 0; i < 3; i++)
		unmake(&places[i]);
}

static void begins_at_its_source(void)
{
	union tp_address peer = { 0 };
	socklen_t size = sizeof(peer);
	char text[TP_ADDRESS_TEXT];
	struct place place;
	int fd;

	prepare();
	run.setup.plan.source.address.any.sa_family = AF_INET;
	run.setup.plan.source.address.ipv4.sin_addr.s_addr = htonl(INADDR_LOOPBACK + 1);
	if (!have(make(&place, CLOSED, "127.0.0.2", 0)))
		return;
	unmake(&place);
	CHECK(make(&place, OPEN, "127.0.0.1", 0));
	add_all(&place, 1);
	go_through();
	check(0, TP_OPEN, "127.0.0.1");
	fd = accept(place.fd, &peer.any, &size);
	tp_address_text(&peer, text);
	CHECK_TEXT(text, "127.0.0.2");
	close(fd);
	unmake(&place);
}

static void says_where_its_source_is_not_here(void)
{
	struct place place;

	prepare();
	run.setup.plan.source.address.any.sa_family = AF_INET;
	inet_pton(AF_INET, "203.0.113.77", &run.setup.plan.source.address.ipv4.sin_addr);
	CHECK(make(&place, OPEN, "127.0.0.1", 0));
	add_all(&place, 1);
	add_all(&place, 1);
	go_through();
	check(0, TP_ERROR, "127.0.0.1");
	CHECK_NUMBER(run.got[0].result.error, EADDRNOTAVAIL);
	check(1, TP_ERROR, "127.0.0.1");
	unmake(&place);
}

static void closes_the_losers_of_a_race(void)
{
	struct place places[2];
	struct tp_engine *engine;
	struct tp_result result;
	int descriptors;

	prepare();
	if (!have(make_all(places, 2, (enum kind[]){ SILENT, OPEN }, loopbacks)))
		return;
	nsswitch_file = "hosts: files\n";
	hosts_file = "127.0.0.1 two.test\n127.0.0.2 two.test\n";
	descriptors = count_descriptors();
	add("two.test", places[0].port);
	engine = tp_engine_new(&run.setup);
	CHECK_NUMBER(tp_engine_next(engine, &result), 0);
	CHECK_NUMBER(result.state, TP_OPEN);
	CHECK_NUMBER(count_descriptors(), descriptors);
	tp_engine_free(engine);
	unmake(&places[0]);
	unmake(&places[1]);
}

int main(void)
{
	static const struct unit_test tests[] = {
		{ "the addresses of a name are raced", races_addresses },
		{ "after a failure the next address is tried at once", goes_on_at_once_after_a_failure },
		{ "where none is open the most telling failure counts", tells_the_most_telling_failure },
		{ "families alternate", alternates_families },
		{ "only the family asked for is used", uses_only_the_family_asked_for },
		{ "each address of a name is probed by itself where asked", probes_each_address_by_itself, QUICK },
		{ "a probe begins at the source asked for", begins_at_its_source },
		{ "a source that is not here is an error", says_where_its_source_is_not_here },
		{ "the losers of a race are closed when the winner is known", closes_the_losers_of_a_race },
	};

	share();
	return UNIT_RUN(tests);
}
