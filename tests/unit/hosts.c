// SPDX-License-Identifier: GPL-3.0-or-later
#include "tp_hosts.h"

#include <stdlib.h>

#include "files.h"
#include "unit.h"

static const char files_dns[] = "hosts: files dns\n";
static const char some_hosts[] = "127.0.0.1\tlocalhost here\n"
				 "10.0.0.1 four.test alias.test # comment.test\n"
				 "  10.0.0.2   indented.test\n"
				 "fd00::1 six.test\r\n"
				 "10.0.0.3 both.test\n"
				 "fd00::3 both.test\n"
				 "# 10.0.0.4 commented.test\n"
				 "\n"
				 "10.0.0.5\n"
				 "nonsense nonsense.test\n"
				 "10.0.0.7 BOTH.test again.test again.test\n"
				 "10.0.0.6 last.test";

/*
 * The addresses of the host in a hosts file with this text, as "10.0.0.1 fd00::1 "; "none": the file does not decide.
 */
static const char *found(const char *nsswitch, const char *hosts, const char *host, int family)
{
	static char all[1024];
	union tp_address addresses[8];
	struct tp_hosts *file;
	size_t count;

	nsswitch_file = nsswitch;
	hosts_file = hosts;
	file = tp_hosts_read();
	if (file == NULL)
		return "none";
	count = tp_hosts_find(file, host, family, NULL, 0);
	if (!CHECK(count <= ROWS(addresses)))
		count = ROWS(addresses);
	CHECK_NUMBER(tp_hosts_find(file, host, family, addresses, count), count);
	tp_hosts_free(file);
	*all = '\0';
	for (size_t i = 0; i < count; i++) {
		char text[TP_ADDRESS_TEXT];

		tp_address_text(&addresses[i], text);
		CHECK_NUMBER(tp_address_port(&addresses[i]), 0);
		snprintf(all + strlen(all), sizeof(all) - strlen(all), "%s ", text);
	}
	return all;
}

static void knows_its_names(void)
{
	static const struct {
		const char *host, *any, *ipv4, *ipv6;
	} rows[] = {
		{ "localhost", "127.0.0.1 ", "127.0.0.1 ", "" },
		{ "here", "127.0.0.1 ", "127.0.0.1 ", "" },
		{ "four.test", "10.0.0.1 ", "10.0.0.1 ", "" },
		{ "alias.test", "10.0.0.1 ", "10.0.0.1 ", "" },
		{ "FOUR.Test", "10.0.0.1 ", "10.0.0.1 ", "" },
		{ "indented.test", "10.0.0.2 ", "10.0.0.2 ", "" },
		{ "six.test", "fd00::1 ", "", "fd00::1 " },
		{ "both.test", "10.0.0.3 fd00::3 10.0.0.7 ", "10.0.0.3 10.0.0.7 ", "fd00::3 " },
		{ "again.test", "10.0.0.7 10.0.0.7 ", "10.0.0.7 10.0.0.7 ", "" },
		{ "last.test", "10.0.0.6 ", "10.0.0.6 ", "" },
		{ "comment.test", "", "", "" },
		{ "commented.test", "", "", "" },
		{ "nonsense.test", "", "", "" },
		{ "absent.test", "", "", "" },
		{ "four", "", "", "" },
		{ "four.tes", "", "", "" },
		{ "four.test.", "", "", "" },
		{ "10.0.0.1", "", "", "" },
		{ "#", "", "", "" },
		{ "", "", "", "" },
	};

	for (size_t i = 0; i < ROWS(rows); i++) {
		unit.row = rows[i].host;
		CHECK_TEXT(found(files_dns, some_hosts, rows[i].host, AF_UNSPEC), rows[i].any);
		CHECK_TEXT(found(files_dns, some_hosts, rows[i].host, AF_INET), rows[i].ipv4);
		CHECK_TEXT(found(files_dns, some_hosts, rows[i].host, AF_INET6), rows[i].ipv6);
	}
}

static void obeys_the_order_of_nss(void)
{
#ifdef __GLIBC__
	static const struct {
		const char *text;
		bool answers;
	} rows[] = {
		{ "hosts: files dns\n", true },
		{ "hosts:\tfiles\n", true },
		{ "  hosts:   files  dns  # comment\n", true },
		{ "passwd: files\nhosts: files dns\nnetworks: files\n", true },
		{ "hosts: files", true },
		{ "hosts: files # [SUCCESS=continue]\n", true },
		{ "hosts: files [SUCCESS=continue] dns\n", false },
		{ "hosts: files [success=merge] dns\n", false },
		{ "hosts: dns files\n", false },
		{ "hosts: mymachines files dns\n", false },
		{ "hosts: resolve [!UNAVAIL=return] files dns\n", false },
		{ "hosts:\n", false },
		{ "# hosts: files dns\n", false },
		{ "networks: files\n", false },
		{ "", false },
		{ NULL, false },
	};

	for (size_t i = 0; i < ROWS(rows); i++) {
		unit.row = rows[i].text;
		CHECK_TEXT(found(rows[i].text, some_hosts, "four.test", AF_UNSPEC),
			   rows[i].answers ? "10.0.0.1 " : "none");
	}
#else
	unit_skip("this C library has no NSS");
#endif
}

static void answers_nothing_without_a_file(void)
{
	CHECK_TEXT(found(files_dns, NULL, "localhost", AF_UNSPEC), "none");
	CHECK_TEXT(found(files_dns, "", "localhost", AF_UNSPEC), "");
}

static void reads_lines_of_any_length(void)
{
	enum { NAMES = 8000 };
	static char text[NAMES * 8];
	size_t used = (size_t)sprintf(text, "10.0.0.1");

	for (int i = 0; i < NAMES; i++)
		used += (size_t)sprintf(text + used, " n%d", i);
	CHECK_TEXT(found(files_dns, text, "n7999", AF_INET), "10.0.0.1 ");
	CHECK_TEXT(found(files_dns, text, "n8000", AF_INET), "");
}

static void reads_a_hundred_thousand_lines(void)
{
	enum { LINES = 100000 };
	static char text[LINES * 24];
	size_t used = 0;

	for (int i = 0; i < LINES; i++)
		used += (size_t)sprintf(text + used, "10.0.0.%d n%d\n", i % 200, i);
	CHECK_TEXT(found(files_dns, text, "n99999", AF_INET), "10.0.0.199 ");
	CHECK_TEXT(found(files_dns, text, "n0", AF_INET), "10.0.0.0 ");
}

/* While a huge file is read, every other probe would wait. */
static void leaves_huge_files_to_helpers(void)
{
	enum { SIZE = 9 << 20 };
	char *text = malloc(SIZE + 1);

	if (text == NULL)
		abort();
	memset(text, '#', SIZE);
	memcpy(text, "10.0.0.1 n0\n", strlen("10.0.0.1 n0\n"));
	text[SIZE] = '\0';
	CHECK_TEXT(found(files_dns, text, "n0", AF_INET), "none");
	free(text);
}

static void bounds_the_addresses_of_a_name(void)
{
	enum { LINES = 10000 };
	static char text[LINES * 24];
	struct tp_hosts *file;
	size_t used = 0;

	for (int i = 0; i < LINES; i++)
		used += (size_t)sprintf(text + used, "10.0.%d.%d n\n", i / 250, i % 250);
	nsswitch_file = files_dns;
	hosts_file = text;
	file = tp_hosts_read();
	if (!CHECK(file != NULL))
		return;
	CHECK_NUMBER(tp_hosts_find(file, "n", AF_UNSPEC, NULL, 0), 4096);
	tp_hosts_free(file);
}

int main(void)
{
	static const struct unit_test tests[] = {
		{ "the hosts file has the addresses of its names, by family, in its order", knows_its_names },
		{ "it is asked only where NSS asks it first and stops there", obeys_the_order_of_nss },
		{ "where it is empty or missing it answers nothing", answers_nothing_without_a_file },
		{ "its lines may have any length", reads_lines_of_any_length },
		{ "it may have 100,000 lines", reads_a_hundred_thousand_lines },
		{ "a huge one is left to the helpers", leaves_huge_files_to_helpers },
		{ "a name has 4,096 addresses at most", bounds_the_addresses_of_a_name },
	};

	return UNIT_RUN(tests);
}
