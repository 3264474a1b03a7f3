// SPDX-License-Identifier: GPL-3.0-or-later
#include "tp_report.h"

#include <errno.h>
#include <netdb.h>
#include <string.h>

#include "tp_says.h"

void tp_put_label(struct tp_text *text, const struct tp_result *result)
{
	bool brackets = strchr(result->host, ':') != NULL;

	tp_put(text, brackets ? "[" : "");
	tp_put(text, result->host);
	tp_put(text, brackets ? "]:" : ":");
	tp_put_number(text, result->port);
}

void tp_put_address(struct tp_text *text, const union tp_address *address)
{
	char numeric[TP_ADDRESS_TEXT];

	tp_address_text(address, numeric);
	tp_put(text, numeric);
}

void tp_put_ms(struct tp_text *text, int64_t us, const char *none)
{
	if (us < 0)
		tp_put(text, none);
	else
		tp_put_decimal(text, (uint64_t)us, 3);
}

/* "30s", "0.5s" */
static void put_span(struct tp_text *text, int64_t us)
{
	uint64_t span = (uint64_t)us;
	unsigned decimals = 6;

	for (; decimals > 0 && span % 10 == 0; decimals--)
		span /= 10;
	tp_put_decimal(text, span, decimals);
	tp_put(text, "s");
}

static const char *icmp_words(int family, uint8_t type, uint8_t code)
{
#define TP_ICMP(of_family, of_type, of_code, words)                          \
	if (family == (of_family) && type == (of_type) && code == (of_code)) \
		return words;
#include "icmp.def"
	return NULL;
}

void tp_put_icmp(struct tp_text *text, const struct tp_evidence *evidence)
{
	const char *words = icmp_words(evidence->reporter.any.sa_family, evidence->type, evidence->code);

	if (words != NULL) {
		tp_put(text, words);
	} else {
		tp_put(text, "ICMP type ");
		tp_put_number(text, evidence->type);
		tp_put(text, " code ");
		tp_put_number(text, evidence->code);
	}
}

/* " (port unreachable, says 10.0.0.1)". A RST needs no such words: the text of the errno value is enough. */
static void put_evidence(struct tp_text *text, const struct tp_evidence *evidence)
{
	if (!evidence->icmp)
		return;
	tp_put(text, " (");
	tp_put_icmp(text, evidence);
	tp_put(text, ", says ");
	tp_put_address(text, &evidence->reporter);
	tp_put(text, ")");
}

/* fe80::1 without a zone: the kernel's "Invalid argument" does not say what is missing. */
static bool lacks_zone(const struct tp_result *result)
{
	const struct sockaddr_in6 *to = &result->address.ipv6;

	return result->error == EINVAL && to->sin6_family == AF_INET6 && IN6_IS_ADDR_LINKLOCAL(&to->sin6_addr) &&
	       to->sin6_scope_id == 0;
}

void tp_put_cause(struct tp_text *text, const struct tp_result *result)
{
	/* No other failure has these errno values: see tcpprobe.def. */
	bool hung_up = !result->in_lookup && (result->error == EPIPE || result->error == ECONNRESET);

	if (result->in_lookup && result->error == ETIMEDOUT) {
		tp_put(text, TP_SAYS_LOOKUP_LATE);
	} else if (hung_up) {
		tp_put(text, TP_SAYS_HANGUP);
	} else if (result->held) {
		tp_put(text, TP_SAYS_SHORT_HOLD);
	} else if (result->eai != 0 && result->eai != EAI_SYSTEM) {
		tp_put(text, tp_lookup_words(result->eai));
	} else {
		tp_put(text, result->in_lookup ? "Name lookup failed: " : "");
		tp_put(text, lacks_zone(result) ? TP_SAYS_NO_ZONE : tp_connect_words(result->error));
		put_evidence(text, &result->evidence);
	}
}

void tp_put_wait(struct tp_text *text, const struct tp_plan *plan, const struct tp_endpoint *first, uint64_t count)
{
	tp_put(text, TP_SAYS_WAITING);
	if (count == 1) {
		tp_put_label(text, &(struct tp_result){ .host = first->host, .port = first->port });
	} else {
		if (count > 0)
			tp_put_number(text, count);
		tp_put(text, count > 0 ? " targets" : "targets");
	}
	tp_put(text, plan->until == TP_UNTIL_CLOSED ? " to close" : "");
	if (plan->wait_us == 0)
		return;
	tp_put(text, ", at most ");
	put_span(text, plan->wait_us);
}

void tp_put_waited(struct tp_text *text, int64_t waited_us)
{
	tp_put(text, TP_SAYS_WAITED);
	put_span(text, (waited_us + 50000) / 100000 * 100000);
}

/* " (2 of 5 times in a row at most)", if the target had to be open more than once. */
static void put_row(struct tp_text *text, const struct tp_result *result)
{
	if (result->in_a_row < 2)
		return;
	tp_put(text, " (");
	tp_put_number(text, result->best_row);
	tp_put(text, " of ");
	tp_put_number(text, result->in_a_row);
	tp_put(text, " times in a row at most)");
}

/* "Connection refused (port unreachable, says 10.0.0.1)"; nothing where the result is as it was wanted. */
static void put_reason(struct tp_text *text, const struct tp_result *result)
{
	/* There may have been no try at all; and the last try of a wait for the end may have found the port open. */
	bool has_cause = result->error != 0 || result->eai != 0, was_open = result->try > 0 && !has_cause;

	if (result->wanted)
		return;
	if (result->expired) {
		tp_put(text, result->until == TP_UNTIL_OPEN ? TP_SAYS_NOT_OPEN
			     : was_open                     ? TP_SAYS_STILL_OPEN
							    : TP_SAYS_NOT_CLOSED);
		put_span(text, result->waited_us);
		put_row(text, result);
		tp_put(text, has_cause ? ": " : "");
	}
	if (has_cause)
		tp_put_cause(text, result);
}

void tp_put_failure(struct tp_text *text, const struct tp_result *result)
{
	char address[TP_ADDRESS_TEXT];

	tp_put_label(text, result);
	if (result->one_address) {
		tp_address_text(&result->address, address);
		if (strcmp(address, "-") != 0 && strcmp(address, result->host) != 0) {
			tp_put(text, " (");
			tp_put(text, address);
			tp_put(text, ")");
		}
	}
	tp_put(text, ": ");
	put_reason(text, result);
}

static void put_banner(struct tp_text *text, const struct tp_banner *banner, const char *none)
{
	if (banner == NULL)
		tp_put(text, none);
	else
		tp_put_shown(text, banner->bytes, banner->length);
}

void tp_put_success(struct tp_text *text, const struct tp_result *result)
{
	tp_put_label(text, result);
	tp_put(text, " ");
	tp_put(text, tp_state_word(result->state));
	tp_put(text, " ");
	tp_put_address(text, &result->address);
	if (result->connect_us >= 0) {
		tp_put(text, " ");
		tp_put_ms(text, result->connect_us, "");
		tp_put(text, " ms");
	}
	tp_put(text, result->banner != NULL ? " " : "");
	put_banner(text, result->banner, "");
}

/* Puts one conversion of a format. Returns false if there is no such conversion. */
static bool put_conversion(struct tp_text *text, char letter, const struct tp_result *result)
{
	switch (letter) {
	case 'h':
		tp_put(text, result->host);
		return true;
	case 'p':
		tp_put_number(text, result->port);
		return true;
	case 'a':
		tp_put_address(text, &result->address);
		return true;
	case 's':
		tp_put(text, tp_state_word(result->state));
		return true;
	case 'x':
		tp_put_number(text, (uint64_t)result->status);
		return true;
	case 'e':
		if (result->wanted)
			tp_put(text, "-");
		else
			put_reason(text, result);
		return true;
	case 'r':
		tp_put_address(text, &result->evidence.reporter);
		return true;
	case 't':
		tp_put_ms(text, result->connect_us, "-");
		return true;
	case 'l':
		tp_put_ms(text, result->lookup_us, "-");
		return true;
	case 'n':
		tp_put_number(text, result->try);
		return true;
	case 'T':
		tp_put_decimal(text, (uint64_t)result->time_us, 6);
		return true;
	case 'b':
		put_banner(text, result->banner, "-");
		return true;
	case '%':
		tp_put(text, "%");
		return true;
	default:
		return false;
	}
}

static bool put_escape(struct tp_text *text, char letter)
{
	switch (letter) {
	case 'n':
		tp_put(text, "\n");
		return true;
	case 't':
		tp_put(text, "\t");
		return true;
	case '\\':
		tp_put(text, "\\");
		return true;
	default:
		return false;
	}
}

/* Puts the text that the format describes. Returns NULL, or the place in the format where it is wrong. */
static const char *put_format(struct tp_text *text, const char *format, const struct tp_result *result)
{
	while (*format != '\0') {
		size_t plain = strcspn(format, "%\\");
		const char *special = format + plain;

		tp_put_bytes(text, format, plain);
		if (*special == '\0')
			break;
		if (*special == '%' ? !put_conversion(text, special[1], result) : !put_escape(text, special[1]))
			return special;
		format = special + 2;
	}
	return NULL;
}

int tp_format_check(const char *format, struct tp_why *why)
{
	const struct tp_result nothing = { .host = "" };
	struct tp_text text = { 0 };
	const char *bad = put_format(&text, format, &nothing);
	char part[3] = "";

	tp_text_free(&text);
	if (bad == NULL)
		return 0;
	/* At the end of the format the second byte is its NUL. */
	part[0] = bad[0];
	part[1] = bad[1];
	return tp_because(why, "-F: %s %s", tp_quote(part).text, TP_SAYS_BAD_FORMAT);
}

void tp_put_format(struct tp_text *text, const char *format, const struct tp_result *result)
{
	put_format(text, format, result);
}

/* Puts a JSON string of count bytes, which a NUL follows. Control characters are escaped: see tp_control_length(). */
static void put_json_bytes(struct tp_text *text, const char *bytes, size_t count)
{
	static const char hex[] = "0123456789abcdef";
	const char *end = bytes + count;
	size_t length;

	tp_put(text, "\"");
	for (; bytes<end; bytes += length> 0 ? length : 1) {
		size_t control = *bytes == '\0' ? 1 : tp_control_length(bytes);

		length = tp_utf8_length(bytes);
		if (*bytes == '"' || *bytes == '\\') {
			tp_put(text, "\\");
			tp_put_bytes(text, bytes, 1);
		} else if (control > 0) {
			unsigned last = (unsigned char)bytes[control - 1];

			/* Three bytes are U+2000 and up: the second one gives bit 6. */
			if (control == 3)
				last = ((unsigned)bytes[1] & 1) << 6 | (last & 0x3f);
			tp_put(text, control == 3 ? "\\u20" : "\\u00");
			tp_put_bytes(text, &hex[last >> 4], 1);
			tp_put_bytes(text, &hex[last & 15], 1);
		} else if (length == 0) {
			tp_put(text, "\xef\xbf\xbd");
		} else {
			tp_put_bytes(text, bytes, length);
		}
	}
	tp_put(text, "\"");
}

static void put_json_string(struct tp_text *text, const char *string)
{
	put_json_bytes(text, string, strlen(string));
}

static void put_json_banner(struct tp_text *text, const struct tp_banner *banner)
{
	if (banner == NULL)
		tp_put(text, "null");
	else
		put_json_bytes(text, banner->bytes, banner->length);
}

void tp_put_json_address(struct tp_text *text, const union tp_address *address)
{
	char numeric[TP_ADDRESS_TEXT];

	tp_address_text(address, numeric);
	if (address->any.sa_family == AF_UNSPEC)
		tp_put(text, "null");
	else
		put_json_string(text, numeric);
}

static void put_json_icmp(struct tp_text *text, const struct tp_evidence *evidence)
{
	if (!evidence->icmp) {
		tp_put(text, "null");
		return;
	}
	tp_put(text, "[");
	tp_put_number(text, evidence->type);
	tp_put(text, ",");
	tp_put_number(text, evidence->code);
	tp_put(text, "]");
}

static void put_json_reason(struct tp_text *text, const struct tp_result *result)
{
	struct tp_text reason = { 0 };

	put_reason(&reason, result);
	if (reason.length > 0)
		put_json_string(text, reason.bytes);
	else
		tp_put(text, "null");
	text->failed = text->failed || reason.failed;
	tp_text_free(&reason);
}

void tp_put_json(struct tp_text *text, const struct tp_result *result)
{
	tp_put(text, "{\"host\":");
	put_json_string(text, result->host);
	tp_put(text, ",\"port\":");
	tp_put_number(text, result->port);
	tp_put(text, ",\"address\":");
	tp_put_json_address(text, &result->address);
	tp_put(text, ",\"state\":\"");
	tp_put(text, tp_state_word(result->state));
	tp_put(text, "\",\"status\":");
	tp_put_number(text, (uint64_t)result->status);
	tp_put(text, ",\"error\":");
	put_json_reason(text, result);
	tp_put(text, ",\"reporter\":");
	tp_put_json_address(text, &result->evidence.reporter);
	tp_put(text, ",\"icmp\":");
	put_json_icmp(text, &result->evidence);
	tp_put(text, ",\"banner\":");
	put_json_banner(text, result->banner);
	tp_put(text, ",\"connect_ms\":");
	tp_put_ms(text, result->connect_us, "null");
	tp_put(text, ",\"lookup_ms\":");
	tp_put_ms(text, result->lookup_us, "null");
	tp_put(text, ",\"try\":");
	tp_put_number(text, result->try);
	tp_put(text, ",\"time\":");
	tp_put_decimal(text, (uint64_t)result->time_us, 6);
	tp_put(text, "}");
}
