// SPDX-License-Identifier: GPL-3.0-or-later
#include "tp_reporter.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "tp_os.h"
#include "tp_report.h"
#include "tp_trace_report.h"

/* The tally of one target over all rounds. */
struct tp_target_tally {
	char *label; /* NULL: the target was never reported, which may happen with -1 */
	struct tp_tally tally;
};

/* Puts the report of one probe as the options ask for it; nothing if they ask for none on standard output. */
static void put_report(const struct tp_options *options, struct tp_text *text, const struct tp_result *result)
{
	if (options->format != NULL)
		tp_put_format(text, options->format, result);
	else if (options->json)
		tp_put_json(text, result);
	else if (options->verbose && result->wanted)
		tp_put_success(text, result);
	else if (options->verbose && options->reports_name != NULL)
		tp_put_failure(text, result);
	else if (options->reports_name != NULL)
		tp_put(text, tp_state_word(result->state));
}

/* Shows the text as a message, and frees it. */
static void complain(struct tp_reporter *reporter, struct tp_text *text)
{
	tp_output_complain(reporter->output, NULL, text->failed ? strerror(ENOMEM) : text->bytes);
	tp_text_free(text);
}

static void complain_of_result(struct tp_reporter *reporter, const struct tp_result *result)
{
	struct tp_text text = { 0 };

	tp_put_failure(&text, result);
	complain(reporter, &text);
}

/* Adds to the target's own tally. Returns 0 or ENOMEM. */
static int count_target(struct tp_reporter *reporter, const struct tp_result *result, int64_t now_us)
{
	struct tp_text label = { 0 };

	while (result->target >= reporter->targets_count) {
		struct tp_target_tally *targets = reporter->targets;

		if ((reporter->targets_count & (reporter->targets_count - 1)) == 0)
			targets = realloc(targets, (reporter->targets_count * 2 + 1) * sizeof(*targets));
		if (targets == NULL)
			return ENOMEM;
		reporter->targets = targets;
		targets[reporter->targets_count++] = (struct tp_target_tally){ 0 };
	}
	tp_tally_add(&reporter->targets[result->target].tally, result, now_us);
	if (reporter->targets[result->target].label != NULL)
		return 0;
	tp_put_label(&label, result);
	reporter->targets[result->target].label = label.bytes;
	return label.failed ? ENOMEM : 0;
}

/* Is a wait told of? Not if the reports are made for a program to read. */
static bool tells_of_wait(const struct tp_options *options)
{
	return options->plan.until != TP_ONCE && options->verbose && !options->quiet && options->format == NULL &&
	       !options->json && options->reports_name == NULL;
}

void tp_report_wait(struct tp_reporter *reporter, const struct tp_endpoint *first, uint64_t count)
{
	struct tp_text text = { 0 };

	if (!tells_of_wait(reporter->options))
		return;
	reporter->wait_began_us = tp_os_now_us();
	tp_put_wait(&text, &reporter->options->plan, first, count);
	complain(reporter, &text);
}

void tp_report_waited(struct tp_reporter *reporter)
{
	struct tp_text text = { 0 };

	if (!tells_of_wait(reporter->options))
		return;
	tp_put_waited(&text, tp_os_now_us() - reporter->wait_began_us);
	complain(reporter, &text);
}

int tp_report(struct tp_reporter *reporter, const struct tp_result *result)
{
	const struct tp_options *options = reporter->options;
	bool all_on_stdout = options->format != NULL || options->json;
	/* -qv with -c is for the sums alone. */
	bool shows_open = options->verbose && !(options->quiet && options->repeat);
	/* Outages are told of with -c only. Reading the clock takes 1 % of a probe. */
	int64_t now_us = options->repeat ? tp_os_now_us() : 0;

	tp_tally_add(&reporter->tally, result, now_us);
	if (options->repeat && options->verbose && count_target(reporter, result, now_us) != 0)
		return ENOMEM;
	if (options->reports_name != NULL) {
		put_report(options, reporter->reports, result);
		tp_put_bytes(reporter->reports, "", 1);
		reporter->reports_count++;
		if (reporter->reports->failed)
			return ENOMEM;
	} else if (all_on_stdout || (shows_open && result->wanted)) {
		put_report(options, &reporter->output->text, result);
		tp_output_end_line(reporter->output);
	}
	if (!all_on_stdout && !result->wanted && (!options->quiet || result->state == TP_ERROR))
		complain_of_result(reporter, result);
	return 0;
}

void tp_report_hop(struct tp_reporter *reporter, const struct tp_hop *hop)
{
	if (reporter->options->json)
		tp_put_hop_json(&reporter->output->text, hop);
	else
		tp_put_hop(&reporter->output->text, hop);
	tp_output_end_line(reporter->output);
}

void tp_report_verdict(struct tp_reporter *reporter, const struct tp_verdict *verdict)
{
	tp_tally_add(&reporter->tally, &verdict->result, 0);
	if (reporter->options->json)
		tp_put_json(&reporter->output->text, &verdict->result);
	else
		tp_put_verdict(&reporter->output->text, verdict);
	tp_output_end_line(reporter->output);
}

static void put_tally_line(struct tp_reporter *reporter, const char *label, const struct tp_tally *tally)
{
	struct tp_text *text = &reporter->output->text;

	tp_put(text, "--- ");
	if (label != NULL) {
		tp_put(text, label);
		tp_put(text, ": ");
	}
	if (label != NULL)
		tp_put_rounds(text, tally);
	else
		tp_put_tally(text, tally);
	tp_output_end_line(reporter->output);
	if (label != NULL && tally->measured > 0) {
		tp_put_rtt(text, tally);
		tp_output_end_line(reporter->output);
	}
}

/* Closing lines are no reports, so no variable and no reader of JSON gets them. */
void tp_report_tallies(struct tp_reporter *reporter)
{
	const struct tp_options *options = reporter->options;

	if (!options->verbose || options->json || options->reports_name != NULL)
		return;
	for (size_t i = 0; i < reporter->targets_count; i++) {
		if (reporter->targets[i].label != NULL)
			put_tally_line(reporter, reporter->targets[i].label, &reporter->targets[i].tally);
	}
	if (!options->repeat && !options->quiet && reporter->tally.count > 1)
		put_tally_line(reporter, NULL, &reporter->tally);
}

void tp_reporter_free(struct tp_reporter *reporter)
{
	for (size_t i = 0; i < reporter->targets_count; i++)
		free(reporter->targets[i].label);
	free(reporter->targets);
}
