// SPDX-License-Identifier: GPL-3.0-or-later
/* Names of services and schemes as ports. */
#include "parses.h"

#include <arpa/inet.h>
#include <netdb.h>

/* The port of a service here. The system is asked first, as the contract says; own is the port of our own list. */
static int port_of(const char *name, uint16_t own)
{
	const struct servent *entry = getservbyname(name, "tcp");

	return entry == NULL ? own : ntohs((uint16_t)entry->s_port);
}

static void knows_services_in_every_form(void)
{
	static const struct {
		const char *name;
		uint16_t port;
	} services[] = {
#define TP_SERVICE(name, port) { name, port },
#include "services.def"
	};
	static const struct {
		const char *before, *after;
	} forms[] = {
		{ "db:", "" },     { "/dev/tcp/db/", "" }, { "", "://db" }, { "", "://user:secret@db/?query" },
		{ "x://db:", "" },
	};

	for (size_t i = 0; i < ROWS(services); i++) {
		char wanted[64], word[128];

		snprintf(wanted, sizeof(wanted), "db %d", port_of(services[i].name, services[i].port));
		check_good(&(struct good){ { "db", services[i].name }, wanted }, 1);
		for (size_t j = 0; j < ROWS(forms); j++) {
			snprintf(word, sizeof(word), "%s%s%s", forms[j].before, services[i].name, forms[j].after);
			check_good(&(struct good){ { word }, wanted }, 1);
		}
	}
}

static void knows_the_systems_services(void)
{
	struct servent *entry;
	char names[64][64];
	size_t count = 0;

	setservent(0);
	while (count < ROWS(names) && (entry = getservent()) != NULL) {
		unit_written_text(entry->s_proto);
		unit_written_text(entry->s_name);
		if (strcmp(entry->s_proto, "tcp") == 0 && strlen(entry->s_name) < sizeof(names[0]))
			strcpy(names[count++], entry->s_name);
	}
	endservent();
	if (count == 0) {
		unit_skip("contract: this C library lists no services");
		return;
	}
	for (size_t i = 0; i < count; i++) {
		char wanted[64];

		snprintf(wanted, sizeof(wanted), "db %d", port_of(names[i], 0));
		check_good(&(struct good){ { "db", names[i] }, wanted }, 1);
	}
}

/* Long lists of services, as Fedora and macOS have them, give these names to other services. */
static void knows_schemes_better_than_the_system(void)
{
	static const struct {
		const char *words[WORDS];
		uint16_t port;
	} rows[] = {
		{ { "sftp://db" }, 22 },  { { "db", "sftp" }, 115 },   { { "jdbc:mysql:aurora://db" }, 3306 },
		{ { "oldest://db" }, 7 }, { { "db", "https" }, 8443 },
	};

	for (size_t i = 0; i < ROWS(rows); i++) {
		struct parse parsed = { .targets.services.list = strdup(
						"sftp 115/tcp\naurora 9084/tcp\noldest 7/tcp\nhttps 8443/tcp\n") };

		unit.row = rows[i].words[0];
		parse_with(&parsed, rows[i].words, count_words(rows[i].words));
		if (CHECK_NUMBER(parsed.error, 0))
			CHECK_NUMBER(parsed.targets.list[0].ports[0].first, rows[i].port);
		tp_targets_free(&parsed.targets);
	}
}

static void gives_urls_the_port_of_their_scheme(void)
{
	int http = port_of("http", 80), postgres = port_of("postgresql", 5432), mongodb = port_of("mongodb", 27017);
	const struct {
		const char *word, *before;
		int port;
		const char *after;
	} rows[] = {
		{ "http://db", "db ", http, "" },
		{ "HTTP://db", "db ", http, "" },
		{ "http://db:", "db ", http, "" },
		{ "http://db:/", "db ", http, "" },
		{ "http://[::1]", "::1 ", http, "" },
		{ "http://u:p@db/x", "db ", http, "" },
		{ "postgresql+asyncpg://db", "db ", postgres, "" },
		{ "postgresql://a:1,b/app", "a 1; b ", postgres, "" },
		{ "mongodb://a,b:1/app", "a ", mongodb, "; b 1" },
	};

	for (size_t i = 0; i < ROWS(rows); i++) {
		char wanted[64];

		snprintf(wanted, sizeof(wanted), "%s%d%s", rows[i].before, rows[i].port, rows[i].after);
		check_good(&(struct good){ { rows[i].word }, wanted }, 1);
	}
}

int main(void)
{
	static const struct unit_test tests[] = {
		{ "a service of ours is a port, in every form", knows_services_in_every_form },
		{ "a service of the system's is a port", knows_the_systems_services },
		{ "of a port's name the system's list counts, of a scheme ours", knows_schemes_better_than_the_system },
		{ "a URL without a port has that of its scheme", gives_urls_the_port_of_their_scheme },
	};

	return UNIT_RUN(tests);
}
