// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * Words to targets. What is taken can be probed, what is not is said, and
 * neither depends on a secret: another user, password, path or query makes the
 * same targets, the same error and the same message.
 */
#include "tp_target.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netdb.h>

#include "fuzz.h"

/* Instead of the system's, which reads a file at each call; it knows one name that the engine's own table lacks. */
struct servent *getservbyname(const char *name, const char *protocol)
{
	static struct servent entry = { .s_name = (char *)"http-alt" };

	(void)protocol;
	entry.s_port = htons(8080);
	return strcmp(name, entry.s_name) == 0 ? &entry : NULL;
}

struct parse {
	int error;
	struct tp_targets targets;
	struct tp_why why;
};

static struct parse parse(const struct words *words)
{
	struct parse parsed;

	memset(&parsed, 0, sizeof(parsed));
	/* What is not set would differ. */
	memset(parsed.why.text, 'x', sizeof(parsed.why.text));
	parsed.error = tp_targets_add(&parsed.targets, words->list, words->count, &parsed.why);
	return parsed;
}

static void check_host(const char *host)
{
	MUST(*host != '\0');
	MUST(strlen(host) <= TP_HOST_MAX);
	MUST(!has_control(host));
	MUST(strpbrk(host, " /@") == NULL);
	if (strchr(host, ':') != NULL) {
		char text[TP_HOST_MAX + 1];
		struct in6_addr address;

		memcpy(text, host, strlen(host) + 1);
		text[strcspn(text, "%")] = '\0';
		MUST(inet_pton(AF_INET6, text, &address) == 1);
	}
}

/* How many probes they make. After a failure the last one may not have its ports. */
static size_t check_targets(const struct tp_targets *targets, bool whole)
{
	size_t probes = 0;

	for (size_t i = 0; i < targets->count; i++) {
		const struct tp_target *target = &targets->list[i];

		check_host(target->host);
		MUST(!whole || target->ports_count > 0);
		for (size_t j = 0; j < target->ports_count; j++) {
			MUST(target->ports[j].first >= 1);
			MUST(target->ports[j].first <= target->ports[j].last);
			probes += (size_t)(target->ports[j].last - target->ports[j].first) + 1;
		}
	}
	return probes;
}

static void check_cursor(const struct tp_targets *targets, size_t probes)
{
	struct tp_cursor cursor = { 0 };
	const char *host;
	uint16_t port;

	/* More are no more telling, and slow. */
	if (probes > 200000)
		return;
	while (tp_cursor_next(&cursor, targets, &host, &port)) {
		MUST(port != 0 && *host != '\0' && probes > 0);
		probes--;
	}
	MUST(probes == 0);
}

static void must_be_equal(const struct parse *a, const struct parse *b)
{
	MUST(a->error == b->error);
	MUST(a->error == 0 || strcmp(a->why.text, b->why.text) == 0);
	MUST(a->targets.count == b->targets.count);
	for (size_t i = 0; i < a->targets.count; i++) {
		const struct tp_target *one = &a->targets.list[i], *other = &b->targets.list[i];

		MUST(strcmp(one->host, other->host) == 0);
		MUST(one->ports_count == other->ports_count);
		for (size_t j = 0; j < one->ports_count; j++)
			MUST(one->ports[j].first == other->ports[j].first &&
			     one->ports[j].last == other->ports[j].last);
	}
}

/*
 * RFC 3986: the authority is what stands between "://" and the next of "/?#";
 * its user is all before its last '@'. NULL: the word is no URL.
 */
static char *other_secrets(const char *word)
{
	const char *authority = strstr(word, "://"), *end, *at;
	char *other;

	if (authority == NULL)
		return NULL;
	authority += strlen("://");
	end = authority + strcspn(authority, "/?#");
	for (at = end; at > authority && *at != '@'; at--)
		continue;
	other = calloc(1, strlen(word) + 4);
	if (other == NULL)
		abort();
	strncat(other, word, (size_t)(authority - word));
	/* What is empty stays so: that there is something at all is no secret, nor that there is an '@' in a path. */
	if (*at == '@' && at > authority)
		strcat(other, "x");
	strncat(other, *at == '@' ? at : authority, (size_t)(end - (*at == '@' ? at : authority)));
	strncat(other, end, 1);
	if (*end != '\0' && end[1] != '\0')
		strcat(other, memchr(end, '@', *end == '/' ? strcspn(end, "?#") : strlen(end)) != NULL ? "y@" : "y");
	return other;
}

static void check_secrets(const struct words *words, const struct parse *parsed)
{
	for (size_t i = 0; i < words->count; i++) {
		struct words others = *words;
		struct parse other;

		others.list[i] = other_secrets(words->list[i]);
		if (others.list[i] == NULL)
			continue;
		other = parse(&others);
		must_be_equal(parsed, &other);
		tp_targets_free(&other.targets);
		free(others.list[i]);
	}
}

/* One that has an '@' but is no URL may have been meant as one: only what follows the last '@' is shown. */
static void check_lone_word(const struct words *words, const struct parse *parsed)
{
	const char *word = words->list[0], *at = strrchr(word, '@'), *shown;

	if (words->count != 1 || at == NULL || strstr(word, "://") != NULL)
		return;
	shown = at == word ? "'@" : "'...@";
	MUST(parsed->error == EINVAL);
	MUST(strncmp(parsed->why.text, shown, strlen(shown)) == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct words words = words_of(data, size);
	struct parse parsed = parse(&words);
	size_t probes = check_targets(&parsed.targets, parsed.error == 0);

	MUST(parsed.error == 0 || parsed.error == EINVAL);
	if (parsed.error == 0)
		check_cursor(&parsed.targets, probes);
	else
		check_message(parsed.why.text, sizeof(parsed.why.text));
	check_secrets(&words, &parsed);
	if (words.count > 0)
		check_lone_word(&words, &parsed);
	tp_targets_free(&parsed.targets);
	free_words(&words);
	return 0;
}
