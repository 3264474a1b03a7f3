// SPDX-License-Identifier: GPL-3.0-or-later
#include "files.h"
#include "tp_lookup.h"
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
				 "10.0.0.6 last.test";

static void knows_its_names(void)
{
	static const struct {
		const char *host;
		bool any, ipv4, ipv6;
	} rows[] = {
		{ "localhost", true, true, false },
		{ "here", true, true, false },
		{ "four.test", true, true, false },
		{ "alias.test", true, true, false },
		{ "FOUR.Test", true, true, false },
		{ "indented.test", true, true, false },
		{ "six.test", true, false, true },
		{ "both.test", true, true, true },
		{ "last.test", true, true, false },
		{ "comment.test", false, false, false },
		{ "commented.test", false, false, false },
		{ "nonsense.test", false, false, false },
		{ "absent.test", false, false, false },
		{ "four", false, false, false },
		{ "four.tes", false, false, false },
		{ "four.test.", false, false, false },
		{ "10.0.0.1", false, false, false },
		{ "#", false, false, false },
		{ "", false, false, false },
	};

	hosts_file = some_hosts;
	nsswitch_file = files_dns;
	for (size_t i = 0; i < ROWS(rows); i++) {
		unit.row = rows[i].host;
		CHECK_NUMBER(tp_hosts_file_answers(rows[i].host, AF_UNSPEC) != 0, rows[i].any);
		CHECK_NUMBER(tp_hosts_file_answers(rows[i].host, AF_INET) != 0, rows[i].ipv4);
		CHECK_NUMBER(tp_hosts_file_answers(rows[i].host, AF_INET6) != 0, rows[i].ipv6);
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

	hosts_file = some_hosts;
	for (size_t i = 0; i < ROWS(rows); i++) {
		unit.row = nsswitch_file = rows[i].text;
		CHECK_NUMBER(tp_hosts_file_answers("four.test", AF_UNSPEC) != 0, rows[i].answers);
	}
#else
	unit_skip("no nsswitch.conf here");
#endif
}

static void answers_nothing_without_a_file(void)
{
	nsswitch_file = files_dns;
	hosts_file = NULL;
	CHECK(!tp_hosts_file_answers("localhost", AF_UNSPEC));
	hosts_file = "";
	CHECK(!tp_hosts_file_answers("localhost", AF_UNSPEC));
}

static void reads_lines_of_any_length(void)
{
	enum { NAMES = 8000 };
	static char text[NAMES * 8];
	size_t used = (size_t)sprintf(text, "10.0.0.1");

	for (int i = 0; i < NAMES; i++)
		used += (size_t)sprintf(text + used, " n%d", i);
	nsswitch_file = files_dns;
	hosts_file = text;
	CHECK(tp_hosts_file_answers("n7999", AF_INET));
	CHECK(!tp_hosts_file_answers("n8000", AF_INET));
}

/* Reading it would hold up every other probe. */
static void leaves_large_files_to_helpers(void)
{
	enum { LINES = 10000 };
	static char text[LINES * 24];
	size_t used = 0;

	for (int i = 0; i < LINES; i++)
		used += (size_t)sprintf(text + used, "10.0.0.1 n%d\n", i);
	nsswitch_file = files_dns;
	hosts_file = text;
	CHECK(!tp_hosts_file_answers("n0", AF_INET));
}

int main(void)
{
	static const struct unit_test tests[] = {
		{ "the hosts file answers for the names in it, by family", knows_its_names },
		{ "it is asked only where NSS asks it first and stops there", obeys_the_order_of_nss },
		{ "where it is empty or missing it answers nothing", answers_nothing_without_a_file },
		{ "its lines may have any length", reads_lines_of_any_length },
		{ "a large one is left to the helpers", leaves_large_files_to_helpers },
	};

	return UNIT_RUN(tests);
}
