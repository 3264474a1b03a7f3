// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * A secret in a random word. It stands where the grammar of tp_target.h has a user, a password, a path or a query, or
 * in any word with '='. It must be in no message, in no host that would be looked up, and in no report.
 *
 * The first byte of the input chooses the place. The lines of the rest are the fillers around the secret.
 */
#include <errno.h>

#include "fuzz.h"
#include "tp_feed.h"
#include "tp_options.h"
#include "tp_report.h"

#define SECRET "sEcReT"

/*
 * The places of the secret: forms in LLVMFuzzerTestOneInput() has one for each. The secret stands between two fillers;
 * the other fillers are scheme, host and tail.
 */
enum place { USER, PASSWORD, PEER, PATH, QUERY, VALUE, KEY, NO_SCHEME, ORACLE, PLACES };

static void must_hide(const char *text)
{
	MUST(strstr(text, SECRET) == NULL);
}

static void hide_line(void *context, const char *text)
{
	(void)context;
	must_hide(text);
}

/* Makes every report of an endpoint that a face can make: none shows the secret. */
static void check_reports(const struct tp_endpoint *to)
{
	struct tp_result result = { .host = to->host, .port = to->port, .connect_us = -1, .lookup_us = 1 };
	struct tp_text text = { 0 };

	must_hide(to->host);
	tp_put_failure(&text, &result);
	tp_put_success(&text, &result);
	tp_put_json(&text, &result);
	tp_put_format(&text, "%h %p %a %s %x %e %r", &result);
	must_hide(text.bytes);
	tp_text_free(&text);
}

/* Gives the word as a user does, as one of the words of a call. If before is an option, the word is its value. */
static void check_call(const char *before, char *word, const char *behind)
{
	char *words[] = { (char *)before, word, (char *)behind };
	struct tp_options options;
	struct tp_feed feed;
	struct tp_why why = { "" };
	struct tp_endpoint to;
	size_t operands, first = before == NULL, count = 3 - first - (behind == NULL), probes = 0;
	int error;

	options = (struct tp_options)TP_OPTIONS_INIT;
	error = tp_options_parse(&options, 'p', words + first, count, &operands, &why);
	must_hide(why.text);
	if (error != 0)
		return;
	feed = (struct tp_feed){ .fd = -1 };
	feed.targets.services.list = strdup("");
	error = tp_feed_add(&feed, words + first, operands, &why);
	must_hide(why.text);
	/* If any word is wrong, nothing is looked up. */
	while (error == 0 && probes++ < 100 && tp_feed_next(&feed, &to) == 0)
		check_reports(&to);
	tp_feed_free(&feed);
}

/* Gives the word as a line of a file. */
static void check_line(const char *word)
{
	size_t length = strlen(word);
	struct tp_endpoint to;
	struct tp_feed feed;

	/* Blanks would make several words of it. */
	if (length >= TP_FEED_LINE_MAX || strpbrk(word, " \t\r") != NULL)
		return;
	feed = (struct tp_feed){ .fd = -1 };
	feed.complain = hide_line;
	feed.targets.services.list = strdup("");
	MUST(tp_feed_open(&feed, "/dev/null") == 0);
	feed.name = "x";
	memcpy(feed.buffer, word, length);
	feed.end = length;
	for (size_t probes = 0; probes < 100 && tp_feed_next(&feed, &to) == 0; probes++)
		check_reports(&to);
	tp_feed_free(&feed);
}

static const char *filler(const struct words *words, size_t i, const char *otherwise)
{
	return i < words->count ? words->list[i] : otherwise;
}

/*
 * Do the fillers leave the secret in its place? RFC 3986 ends an authority at the first of "/?#", and JDBC at ';'. With
 * a comma user:x@a,b:y@h is two hosts. And a second "://" begins another URL.
 */
static bool is_in_place(enum place place, const char *word, const char *before, const char *behind)
{
	const char *authority = strstr(word, "://");

	/* --timeout=x is no setting, and its x is shown. In jdbc:oracle:thin:@x?k=v the x is a host. */
	if (place == VALUE || place == KEY || place == NO_SCHEME)
		return authority == NULL && *word != '-' && strcasestr(word, "jdbc:oracle:") == NULL;
	if (place == ORACLE)
		return strchr(before, '@') == NULL;
	if (authority == NULL || strstr(authority + 1, "://") != NULL)
		return false;
	if (place == PATH || place == QUERY)
		return true;
	return strpbrk(behind, "/?#;|") == NULL && (strchr(before, '@') == NULL || strchr(behind, ',') == NULL);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const char *const forms[PLACES] = {
		[USER] = "%s://%s" SECRET "%s@%s%s",
		[PASSWORD] = "%s://u:%s" SECRET "%s@%s%s",
		[PEER] = "%s://u:p@h,u:%s" SECRET "%s@%s%s",
		[PATH] = "%s://h:1/%s" SECRET "%s%s%s",
		[QUERY] = "%s://h:1?%s" SECRET "%s%s%s",
		[VALUE] = "%s=%s" SECRET "%s%s%s",
		[KEY] = "%s%s" SECRET "%s=%s%s",
		[NO_SCHEME] = "%su:%s" SECRET "%s@%s%s",
		[ORACLE] = "jdbc:oracle:%s:%s/" SECRET "%s@%s%s",
	};
	static const char *const before[] = { NULL, "-t", "-s", "h", "h:1" };
	struct words words;
	enum place place;
	char word[4096];

	if (size == 0 || size > 2048 || memmem(data, size, SECRET, strlen(SECRET)) != NULL)
		return 0;
	place = data[0] % PLACES;
	words = words_of(data + 1, size - 1);
	snprintf(word, sizeof(word), forms[place], filler(&words, 0, "redis"), filler(&words, 1, ""),
		 filler(&words, 2, ""), filler(&words, 3, "h"), filler(&words, 4, ""));
	if (is_in_place(place, word, filler(&words, 1, ""), filler(&words, 2, ""))) {
		for (size_t i = 0; i < sizeof(before) / sizeof(*before); i++) {
			check_call(before[i], word, NULL);
			check_call(before[i], word, "80");
		}
		check_line(word);
	}
	free_words(&words);
	return 0;
}
