// SPDX-License-Identifier: GPL-3.0-or-later
/* Random bytes of a peer as a banner: it is cut, no control byte is shown, and its JSON is valid. */
#include "fuzz.h"
#include "tp_banner.h"
#include "tp_report.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct tp_banner banner = tp_banner_of((const char *)data, size);
	struct tp_result result = { .host = "h", .port = 1, .banner = &banner, .connect_us = 1, .wanted = true };
	struct tp_text text = { 0 };

	MUST(banner.length <= TP_BANNER_MOST && banner.length <= size);
	MUST(banner.bytes[banner.length] == '\0');
	MUST(memchr(banner.bytes, '\n', banner.length) == NULL || memchr(banner.bytes, '\0', banner.length) != NULL);
	tp_put_success(&text, &result);
	MUST(text.length == strlen(text.bytes));
	MUST(!has_control(text.bytes));
	tp_text_clear(&text);
	tp_put_format(&text, "%b", &result);
	if (text.bytes != NULL) {
		MUST(!has_control(text.bytes));
		/* All of it is UTF-8: nothing would have to be replaced a second time. */
		for (size_t i = 0, length; i < text.length; i += length)
			MUST((length = tp_utf8_length(text.bytes + i)) > 0);
	}
	tp_text_clear(&text);
	tp_put_json(&text, &result);
	MUST(text.length == strlen(text.bytes));
	MUST(!has_control(text.bytes));
	for (size_t i = 0, length; i < text.length; i += length)
		MUST((length = tp_utf8_length(text.bytes + i)) > 0);
	tp_text_free(&text);
	return 0;
}
