// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * Words to targets. Targets that are taken can be probed, and no host of a list is skipped; a refusal has a message.
 * secret.c checks that secrets are not shown.
 */
#include "tp_target.h"

#include <arpa/inet.h>
#include <errno.h>

#include "fuzz.h"

struct parse {
	int error;
	struct tp_targets targets;
	struct tp_why why;
};

static struct parse parse(const struct words *words)
{
	struct parse parsed;

	memset(&parsed, 0, sizeof(parsed));
	/* If the parser set no reason, this one would have no NUL. */
	memset(parsed.why.text, 'x', sizeof(parsed.why.text));
	/* This stands in place of the system's list, which is a file. */
	parsed.targets.services.list = strdup("http-alt 8080/tcp\n");
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

/* After a failure the last target may have no ports yet. */
static void check_targets(const struct tp_targets *targets, bool whole)
{
	for (size_t i = 0; i < targets->count; i++) {
		const struct tp_target *target = &targets->list[i];

		check_host(target->host);
		MUST(!whole || target->ports_count > 0);
		for (size_t j = 0; j < target->ports_count; j++) {
			MUST(target->ports[j].first >= 1);
			MUST(target->ports[j].first <= target->ports[j].last);
		}
	}
}

static void check_cursor(const struct tp_targets *targets)
{
	uint64_t probes = tp_targets_probes(targets);
	struct tp_cursor cursor = { 0 };
	struct tp_endpoint to;

	/* More probes would take long and show nothing more. */
	if (probes > 200000)
		return;
	for (; tp_cursor_next(&cursor, targets, &to); probes--) {
		MUST(to.port != 0 && probes > 0);
		check_host(to.host);
	}
	MUST(probes == 0);
}

/*
 * Counts the hosts of a word as a person would. The word is a list without user, path, query or settings: each piece
 * between separators is a host, or a number that is one more port.
 */
static void check_count(const char *word, const struct tp_targets *targets)
{
	size_t hosts = 0;

	for (const char *scheme = word; (scheme = strstr(scheme, "://")) != NULL; scheme += 3)
		hosts -= 2;
	for (const char *slash = word; (slash = strchr(slash, '/')) != NULL; slash++)
		hosts++;
	if (hosts != 0 || strpbrk(word, "@=?#;") != NULL)
		return;
	for (;; word++) {
		size_t length = strcspn(word, ",|");

		hosts += strspn(word, "0123456789-") < length || length == 0;
		word += length;
		if (*word == '\0')
			break;
	}
	MUST(targets->count == hosts);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct words words = words_of(data, size);
	struct parse parsed = parse(&words);

	MUST(parsed.error == 0 || parsed.error == EINVAL);
	check_targets(&parsed.targets, parsed.error == 0);
	if (parsed.error == 0)
		check_cursor(&parsed.targets);
	else
		check_message(parsed.why.text, sizeof(parsed.why.text));
	if (parsed.error == 0 && words.count == 1)
		check_count(words.list[0], &parsed.targets);
	tp_targets_free(&parsed.targets);
	free_words(&words);
	return 0;
}
