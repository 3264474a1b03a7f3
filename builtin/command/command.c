// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * A call from its words to its status: options, targets, rounds of probes or a
 * trace, reports.
 */
#include "tp_command.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "tp_engine.h"
#include "tp_feed.h"
#include "tp_os.h"
#include "tp_output.h"
#include "tp_reporter.h"
#include "tp_says.h"
#include "tp_trace.h"

struct call {
	const struct tp_face *face;
	struct tp_outcome *outcome;
	struct tp_options options;
	struct tp_feed feed;
	struct tp_output output;
	struct tp_reporter reporter;
	struct tp_engine *engine; /* while it runs */
	size_t round;             /* from 1 */
};

static int interrupted(const struct call *call)
{
	return call->face->interrupted(call->face->context);
}

/* -- What the engine and the feed ask for */

static int next_target(void *context, struct tp_endpoint *endpoint, int *fd)
{
	struct call *call = context;

	int error = tp_feed_next(&call->feed, endpoint);

	*fd = call->feed.paused ? -1 : call->feed.fd;
	return error;
}

static bool is_full(void *context)
{
	const struct call *call = context;

	return tp_output_is_full(&call->output);
}

static void complain_of_line(void *context, const char *text)
{
	struct call *call = context;

	tp_output_complain(&call->output, NULL, text);
}

/*
 * Before each wait everything that can be written is written, and the progress line is brought up to date. A slow
 * reader of our output is waited for together with everything else. fds has room for TP_SPARE_FDS more elements, or is
 * NULL.
 */
static int wait_for(void *context, struct pollfd *fds, nfds_t count, int64_t timeout_us)
{
	struct call *call = context;
	struct tp_output *output = &call->output;
	int64_t due_us = output->progress.due_us;
	struct pollfd reader = { .fd = -1 };
	bool was_full = tp_output_is_full(output);

	tp_output_flush(output);
	if (output->error != 0)
		return EPIPE;
	/* The engine holds results back while the output is full; now it may go on. */
	if (was_full && !tp_output_is_full(output))
		timeout_us = 0;
	/*
	 * Between two rounds there is no progress to show: a line that is due would end the wait at once, again and
	 * again.
	 */
	if (call->engine != NULL && due_us != TP_NEVER) {
		int64_t left_us = due_us - tp_os_now_us();

		if (left_us < timeout_us)
			timeout_us = left_us > 0 ? left_us : 0;
		tp_output_show_progress(output, tp_engine_counts(call->engine));
	}
	if (output->text.length > 0 && output->blocked_fd >= 0) {
		if (fds == NULL)
			fds = &reader;
		fds[count++] = (struct pollfd){ .fd = output->blocked_fd, .events = POLLOUT };
	}
	return call->face->wait(call->face->context, fds, count, timeout_us);
}

static void show_hop(void *context, const struct tp_hop *hop)
{
	struct call *call = context;

	tp_report_hop(&call->reporter, hop);
}

/* -- The work */

static void begin_progress(struct call *call)
{
	const struct tp_options *options = &call->options;
	uint64_t count = tp_feed_count(&call->feed);
	/* How many targets a file has is not known in advance, nor how many addresses a name has. */
	bool known = (options->file == NULL || call->round > 1) && !options->plan.each_address;
	bool takes_long = count > 1 || options->file != NULL || options->plan.until != TP_ONCE;

	call->output.progress.due_us = TP_NEVER;
	if (!options->quiet && takes_long && isatty(STDERR_FILENO)) {
		int64_t now_us = tp_os_now_us();

		tp_progress_begin(&call->output.progress, known ? count : 0, now_us,
				  options->plan.wait_us > 0 ? now_us + options->plan.wait_us : TP_NEVER);
	}
}

/* Takes a result from the engine. Returns 0 or what ends the round. */
static int take_result(struct call *call, struct tp_result *result)
{
	/* The connection is ours from now on, whatever fails below. */
	if (result->fd >= 0)
		call->outcome->fd = result->fd;
	if (call->options.repeat)
		result->try = call->round;
	if (tp_report(&call->reporter, result) != 0)
		return ENOMEM;
	/* Results may come without a wait, in which signals would be looked at. */
	if (interrupted(call) != 0)
		return EINTR;
	if (call->output.error != 0)
		return EPIPE;
	if (call->output.progress.due_us != TP_NEVER)
		tp_output_show_progress(&call->output, tp_engine_counts(call->engine));
	return 0;
}

/* Probes all targets once. Returns 0, EINTR, or what kept the engine from going on. */
static int probe_round(struct call *call)
{
	const struct tp_options *options = &call->options;
	struct tp_engine_setup setup = {
		.context = call,
		.next = next_target,
		.wait = wait_for,
		.is_full = is_full,
		.helper_hook = call->face->helper_hook,
		.plan = options->plan,
		/* A file may go on for ever. */
		.owed = options->file == NULL ? SIZE_MAX : (size_t)tp_feed_count(&call->feed),
	};
	struct tp_result result;
	int error;

	begin_progress(call);
	call->engine = tp_engine_new(&setup);
	if (call->engine == NULL)
		return ENOMEM;
	do {
		error = tp_engine_next(call->engine, &result);
		if (error == 0)
			error = take_result(call, &result);
	} while (error == 0);
	tp_engine_free(call->engine);
	call->engine = NULL;
	tp_output_hide_progress(&call->output);
	return error == ENOENT ? 0 : error;
}

/* Between two rounds. Returns 0 or EINTR. */
static int pause_round(struct call *call)
{
	int64_t end_us = tp_os_now_us() + call->options.plan.interval_us, left_us;
	int error = 0;

	while (error == 0 && (left_us = end_us - tp_os_now_us()) > 0)
		error = wait_for(call, NULL, 0, left_us);
	return error;
}

/* A wait begins. How many targets a file has is not known. */
static void tell_of_wait(struct call *call)
{
	struct tp_cursor cursor = { 0 };
	struct tp_endpoint first;
	bool known = call->options.file == NULL && tp_cursor_next(&cursor, &call->feed.targets, &first);

	tp_report_wait(&call->reporter, &first, known ? tp_feed_count(&call->feed) : 0);
}

/* As probe_round(). */
static int probe(struct call *call)
{
	int error = 0;

	if (call->options.plan.until != TP_ONCE)
		tell_of_wait(call);
	for (call->round = 1; error == 0; call->round++) {
		error = probe_round(call);
		/* Rounds without a target would go on for ever, and with a pause of 0 no signal would be looked at. */
		if (error != 0 || !call->options.repeat || call->round == call->options.rounds ||
		    call->reporter.tally.count == 0)
			break;
		tp_feed_rewind(&call->feed);
		error = pause_round(call);
	}
	return error;
}

/* Traces the way to the target. Returns as probe_round(). */
static int trace(struct call *call)
{
	struct tp_trace_setup setup = {
		.context = call,
		.wait = wait_for,
		.hop = show_hop,
		.helper_hook = call->face->helper_hook,
		.plan = &call->options.plan,
	};
	struct tp_verdict verdict;
	struct tp_endpoint to;
	int error = tp_feed_next(&call->feed, &to);

	if (error == 0)
		error = tp_trace(&setup, &to, &verdict);
	if (error == 0)
		tp_report_verdict(&call->reporter, &verdict);
	return error;
}

/* With -1, one open target in all the rounds is success. */
static int status_of(const struct call *call)
{
	if (call->feed.bad > 0)
		return TP_STATUS_USAGE;
	if (call->options.plan.first_open && call->reporter.tally.states[TP_OPEN] > 0)
		return 0;
	return call->reporter.tally.status;
}

static int usage_error(struct call *call, const char *why)
{
	tp_output_complain(&call->output, NULL, why);
	tp_output_hint(&call->output);
	return TP_STATUS_USAGE;
}

/* Says all that is left to say when the work is over, for whatever reason. Returns the status. */
static int conclude(struct call *call, int error)
{
	int sig = error == EINTR ? interrupted(call) : 0;

	/* Rounds until interrupted are summed up when they are. */
	call->output.last_words = sig != 0 && call->options.repeat && call->options.verbose;
	if (sig == 0 || call->output.last_words)
		tp_report_tallies(&call->reporter);
	if (sig == 0 && error == 0 && status_of(call) == 0)
		tp_report_waited(&call->reporter);
	if (tp_output_finish(&call->output) != 0 && sig == 0)
		sig = interrupted(call);
	if (sig != 0)
		return TP_STATUS_SIGNAL + sig;
	if (error == 0 && call->reporter.tally.count == 0 && call->feed.bad == 0)
		return usage_error(call, TP_SAYS_NO_TARGET);
	if (error == ETIMEDOUT) {
		tp_output_complain(&call->output, "-f", TP_SAYS_EARLY_END);
		return status_of(call) != 0 ? status_of(call) : tp_state_status(TP_TIMEOUT);
	}
	if (error != 0 && call->output.error == 0)
		tp_output_complain(&call->output, NULL, strerror(error));
	if (error != 0 || call->output.error != 0)
		return tp_state_status(TP_ERROR);
	return status_of(call);
}

/* -- Words */

/* Writes the text that was put. Returns the status. */
static int show(struct call *call)
{
	tp_output_finish(&call->output);
	return call->output.error != 0 ? tp_state_status(TP_ERROR) : 0;
}

static int show_version(struct call *call)
{
	tp_put(&call->output.text, "tcpprobe " TP_VERSION " (");
	tp_put(&call->output.text, call->face->name);
	tp_put(&call->output.text, ")\n");
	return show(call);
}

static int show_help(struct call *call)
{
	tp_put_usage(&call->output.text);
	return show(call);
}

/* Only one connection can be handed over, and only one way can be traced. */
static int check_targets(const struct call *call, struct tp_why *why)
{
	const struct tp_options *options = &call->options;

	if (options->descriptor_name != NULL && !options->plan.first_open &&
	    (options->file != NULL || options->plan.each_address || tp_feed_count(&call->feed) > 1))
		return tp_because(why, "-u: several targets need -1");
	if (options->trace && tp_feed_count(&call->feed) > 1)
		return tp_because(why, "-T: one target, and one port");
	return 0;
}

/*
 * Makes the feed of targets from these operands and the file. Returns 0, EINVAL with the reason in *why, or another
 * errno value.
 */
static int take_targets(struct call *call, char *const words[], size_t count, struct tp_why *why)
{
	struct tp_quoted quoted;
	int error = 0;

	call->feed.keep = call->options.repeat;
	call->feed.targets.family = call->options.plan.family;
	if (count > 0)
		error = tp_feed_add(&call->feed, words, count, why);
	if (error == 0)
		error = check_targets(call, why);
	if (error != 0 || call->options.file == NULL)
		return error;
	error = tp_feed_open(&call->feed, call->options.file);
	if (error != 0 && !tp_is_shortage(error) && error != EINTR)
		return tp_because(why, "-f %s: %s", tp_path(call->options.file, &quoted), strerror(error));
	return error;
}

/*
 * The face's check, then the targets. Returns as take_targets(); if *why is empty, the errno value is the whole reason.
 */
static int prepare(struct call *call, char *const words[], size_t count, struct tp_why *why)
{
	const struct tp_face *face = call->face;
	int error = face->check == NULL ? 0 : face->check(face->context, &call->options, why);

	return error != 0 ? error : take_targets(call, words, count, why);
}

/* Parses the words, then does the work. Returns the status. */
static int obey(struct call *call, char *words[], size_t count)
{
	struct tp_why why;
	size_t operands;
	int error;

	why.text[0] = '\0';
	if (tp_options_parse(&call->options, call->face->letter, words, count, &operands, &why) != 0)
		return usage_error(call, why.text);
	if (call->options.help)
		return show_help(call);
	if (call->options.version)
		return show_version(call);
	if (operands == 0 && call->options.file == NULL)
		return usage_error(call, TP_SAYS_NO_TARGET);
	error = prepare(call, words, operands, &why);
	if (error == EINTR && interrupted(call) != 0)
		return TP_STATUS_SIGNAL + interrupted(call);
	if (error == EINVAL)
		return usage_error(call, why.text);
	if (error != 0) {
		tp_output_complain(&call->output, NULL, why.text[0] != '\0' ? why.text : strerror(error));
		return tp_state_status(TP_ERROR);
	}
	call->outcome->reports_name = call->options.reports_name;
	call->outcome->descriptor_name = call->options.descriptor_name;
	return conclude(call, call->options.trace ? trace(call) : probe(call));
}

void tp_command(const struct tp_face *face, char *words[], size_t count, struct tp_outcome *outcome)
{
	struct call call = {
		.face = face,
		.outcome = outcome,
		.options = TP_OPTIONS_INIT,
		.feed = { .complain = complain_of_line, .is_full = is_full, .context = &call, .fd = -1 },
		.output = { .face = face, .blocked_fd = -1, .progress.due_us = TP_NEVER },
		.reporter = { .options = &call.options, .output = &call.output, .reports = &outcome->reports },
	};

	*outcome = (struct tp_outcome){ .fd = -1 };
	outcome->status = obey(&call, words, count);
	tp_output_finish(&call.output);
	outcome->command = call.options.command;
	outcome->reports_count = call.reporter.reports_count;
	tp_reporter_free(&call.reporter);
	tp_feed_free(&call.feed);
	tp_text_free(&call.output.text);
}
