// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * The face: tcpprobe as a loadable builtin of bash. Words in, lines and an exit
 * status out, and the shell's signals in between; all else is the engine's.
 * One binary serves bash 4.2 to 5.3, so only what is the same in all of them is
 * used.
 */
#include <config.h>

#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "builtins.h"
#include "shell.h"
#include "common.h"
#include "quit.h"

#include "face.h"
#include "tp_engine.h"
#include "tp_feed.h"
#include "tp_options.h"
#include "tp_os.h"
#include "tp_report.h"
#include "tp_says.h"
#include "tp_tally.h"
#include "tp_trace.h"

/* bash's own, from headers that are not installed (flags.h ...). */
extern int restricted;
extern int last_command_exit_value;

/* What became of one target in all rounds. */
struct target_tally {
	char *label;
	struct tp_tally tally;
};

/* One call of the builtin. */
struct call {
	char **words;
	char *few_words[8]; /* where there are no more */
	size_t count;
	struct tp_options options;
	struct tp_feed feed;
	struct face_signals signals;
	struct face_output output;
	struct tp_engine *engine; /* while it runs */

	size_t round; /* from 1 */
	struct tp_tally tally;
	struct target_tally *targets; /* with -c and -v only */
	size_t targets_count;

	bool ran;               /* the variables were checked; before, none of them is touched */
	struct tp_text reports; /* for a variable: each with its NUL */
	size_t reports_count;
	int fd; /* the connection that was kept, or -1 */
};

/* -- What the engine and the feed ask for */

static int next_target(void *context, const char **host, uint16_t *port, int *fd)
{
	struct call *call = context;

	*fd = call->feed.fd;
	return tp_feed_next(&call->feed, host, port);
}

static void complain_of_line(void *context, const char *text)
{
	struct call *call = context;

	face_complain(&call->output, text);
}

/* In the helper: variables that the script has exported (RES_OPTIONS, say) reach environ only now. */
static void export_variables(void *context)
{
	(void)context;
	maybe_make_export_env();
}

/* Whatever waits for the peers must not wait for us: lines are out, and the progress is up to date, before each wait. */
static int wait_for(void *context, struct pollfd *fds, nfds_t count, int64_t timeout_us)
{
	struct call *call = context;
	int64_t due_us = call->output.progress.due_us;

	if (call->output.text.length > 0)
		face_flush(&call->output);
	if (call->output.error != 0)
		return EPIPE;
	/* Between two rounds there is none to show: what is due would end the wait at once, again and again. */
	if (call->engine != NULL && due_us != TP_NEVER) {
		int64_t left_us = due_us - tp_os_now_us();

		if (left_us < timeout_us)
			timeout_us = left_us > 0 ? left_us : 0;
		face_show_progress(&call->output, tp_engine_counts(call->engine));
	}
	return face_wait(&call->signals, fds, count, timeout_us);
}

/* -- Reports */

static void put_line(struct call *call)
{
	tp_put(&call->output.text, "\n");
	face_flush_if_much(&call->output);
}

/* The report of one probe as the options want it; "" where they want none on standard output. */
static void put_report(struct call *call, struct tp_text *text, const struct tp_result *result)
{
	const struct tp_options *options = &call->options;

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

static void complain_of_result(struct call *call, const struct tp_result *result)
{
	struct tp_text text = { 0 };

	tp_put_failure(&text, result);
	face_complain(&call->output, text.failed ? strerror(ENOMEM) : text.bytes);
	tp_text_free(&text);
}

/* Adds to the target's own tally. Returns 0 or ENOMEM. */
static int count_target(struct call *call, const struct tp_result *result)
{
	struct tp_text label = { 0 };

	while (result->target >= call->targets_count) {
		struct target_tally *targets = call->targets;

		if ((call->targets_count & (call->targets_count - 1)) == 0)
			targets = realloc(targets, (call->targets_count * 2 + 1) * sizeof(*targets));
		if (targets == NULL)
			return ENOMEM;
		call->targets = targets;
		targets[call->targets_count++] = (struct target_tally){ 0 };
	}
	tp_tally_add(&call->targets[result->target].tally, result);
	if (call->targets[result->target].label != NULL)
		return 0;
	tp_put_label(&label, result);
	call->targets[result->target].label = label.bytes;
	return label.failed ? ENOMEM : 0;
}

/* Returns 0 or ENOMEM. */
static int report(struct call *call, struct tp_result *result)
{
	const struct tp_options *options = &call->options;
	bool on_stdout = options->format != NULL || options->json;

	/* Ours from now on, whatever fails below. */
	if (result->fd >= 0)
		call->fd = result->fd;
	if (options->repeat)
		result->try = call->round;
	tp_tally_add(&call->tally, result);
	if (options->repeat && options->verbose && count_target(call, result) != 0)
		return ENOMEM;
	if (options->reports_name != NULL) {
		put_report(call, &call->reports, result);
		tp_put_bytes(&call->reports, "", 1);
		call->reports_count++;
		if (call->reports.failed)
			return ENOMEM;
	} else if (on_stdout || (options->verbose && result->wanted)) {
		put_report(call, &call->output.text, result);
		put_line(call);
	}
	if (!on_stdout && !result->wanted && (!options->quiet || result->state == TP_ERROR))
		complain_of_result(call, result);
	return 0;
}

static void put_tally_line(struct call *call, const char *label, const struct tp_tally *tally)
{
	struct tp_text *text = &call->output.text;

	tp_put(text, "--- ");
	if (label != NULL) {
		tp_put(text, label);
		tp_put(text, ": ");
	}
	tp_put_tally(text, tally);
	put_line(call);
	if (label != NULL && tally->measured > 0) {
		tp_put_rtt(text, tally);
		put_line(call);
	}
}

/* The closing lines of -v; they are no reports, so no variable and no JSON reader gets them. */
static void report_tallies(struct call *call)
{
	const struct tp_options *options = &call->options;

	if (!options->verbose || options->json || options->reports_name != NULL)
		return;
	/* With -1 some were never reported. */
	for (size_t i = 0; i < call->targets_count; i++) {
		if (call->targets[i].label != NULL)
			put_tally_line(call, call->targets[i].label, &call->targets[i].tally);
	}
	if (!options->repeat && call->tally.count > 1)
		put_tally_line(call, NULL, &call->tally);
}

/* -- The work */

static void begin_progress(struct call *call)
{
	const struct tp_options *options = &call->options;
	uint64_t count = tp_feed_count(&call->feed);
	/* What a file holds is not known before, nor how many addresses a name has. */
	bool known = (options->file == NULL || call->round > 1) && !options->each_address;

	call->output.progress.due_us = TP_NEVER;
	if (!options->quiet && (count > 1 || options->file != NULL) && isatty(STDERR_FILENO))
		tp_progress_begin(&call->output.progress, known ? count : 0, tp_os_now_us());
}

/* Probes all targets once. Returns 0, EINTR, or what kept the engine from going on. */
static int probe_round(struct call *call)
{
	const struct tp_options *options = &call->options;
	struct tp_engine_setup setup = {
		.context = call,
		.next = next_target,
		.wait = wait_for,
		.helper_hook = { export_variables, NULL },
		.family = options->family,
		.each_address = options->each_address,
		.first_open = options->first_open,
		.half_open = options->half_open,
		.keep = options->descriptor_name != NULL,
		.limit = options->limit,
		.timeout_us = options->timeout_us,
		.source = options->source,
		.until = options->until,
		.wait_us = options->wait_us,
		.interval_us = options->interval_us,
		/* A file may go on for ever. */
		.owed = options->file == NULL ? SIZE_MAX : (size_t)tp_feed_count(&call->feed),
	};
	struct tp_result result;
	int error;

	begin_progress(call);
	call->engine = tp_engine_new(&setup);
	if (call->engine == NULL)
		return ENOMEM;
	while ((error = tp_engine_next(call->engine, &result)) == 0) {
		error = report(call, &result);
		/* Results that need no wait come without a look at the signals. */
		if (error == 0 && face_interrupted(&call->signals) != 0)
			error = EINTR;
		if (error == 0 && call->output.error != 0)
			error = EPIPE;
		if (error != 0)
			break;
		if (call->output.progress.due_us != TP_NEVER)
			face_show_progress(&call->output, tp_engine_counts(call->engine));
	}
	tp_engine_free(call->engine);
	call->engine = NULL;
	face_hide_progress(&call->output);
	return error == ENOENT ? 0 : error;
}

/* Between two rounds. Returns 0 or EINTR. */
static int pause_round(struct call *call)
{
	int64_t end_us = tp_os_now_us() + call->options.interval_us, left_us;
	int error = 0;

	while (error == 0 && (left_us = end_us - tp_os_now_us()) > 0)
		error = wait_for(call, NULL, 0, left_us);
	return error;
}

/* As probe_round(). */
static int probe(struct call *call)
{
	int error = 0;

	for (call->round = 1; error == 0; call->round++) {
		error = probe_round(call);
		/* Rounds of nothing would go on for ever, and with a pause of 0 without a look at the signals. */
		if (error != 0 || !call->options.repeat || call->round == call->options.rounds ||
		    call->tally.count == 0)
			break;
		tp_feed_rewind(&call->feed);
		error = pause_round(call);
	}
	return error;
}

static void show_hop(void *context, const struct tp_hop *hop)
{
	struct call *call = context;

	if (call->options.json)
		tp_put_hop_json(&call->output.text, hop);
	else
		tp_put_hop(&call->output.text, hop);
	put_line(call);
}

/* Traces the way to the target. Returns as probe_round(). */
static int trace_target(struct call *call)
{
	struct tp_trace_setup setup = {
		.context = call,
		.wait = wait_for,
		.hop = show_hop,
		.helper_hook = { export_variables, NULL },
		.family = call->options.family,
		.timeout_us = call->options.timeout_us,
		.source = call->options.source,
	};
	struct tp_verdict verdict;
	const char *host;
	uint16_t port;
	int error = tp_feed_next(&call->feed, &host, &port);

	if (error == 0)
		error = tp_trace(&setup, host, port, &verdict);
	if (error != 0)
		return error;
	tp_tally_add(&call->tally, &verdict.result);
	if (call->options.json)
		tp_put_json(&call->output.text, &verdict.result);
	else
		tp_put_verdict(&call->output.text, &verdict);
	put_line(call);
	return 0;
}

/* With -1 one open target makes up for the others, and in every round. */
static int status_of(const struct call *call)
{
	if (call->feed.bad > 0)
		return TP_STATUS_USAGE;
	if (call->options.first_open && call->tally.states[TP_OPEN] > 0)
		return 0;
	return call->tally.status;
}

/* Probes with the shell's signals in order, and gives the call's status. */
static int run(struct call *call)
{
	bool last_words = call->options.repeat && call->options.verbose;
	int error, sig;

	face_signals_begin(&call->signals, last_words);
	error = call->options.trace ? trace_target(call) : probe(call);
	sig = error == EINTR ? face_interrupted(&call->signals) : 0;
	call->output.last_words = sig != 0 && last_words;
	if (sig == 0 || last_words)
		report_tallies(call);
	face_flush(&call->output);
	if (sig != 0)
		return TP_STATUS_SIGNAL + sig;
	if (error == 0 && call->tally.count == 0 && call->feed.bad == 0) {
		face_complain(&call->output, TP_SAYS_NO_TARGET);
		return TP_STATUS_USAGE;
	}
	if (error == ETIMEDOUT) {
		face_complain(&call->output, "-f: " TP_SAYS_EARLY_END);
		return status_of(call) != 0 ? status_of(call) : tp_state_status(TP_TIMEOUT);
	}
	if (error != 0 && call->output.error == 0)
		face_complain(&call->output, strerror(error));
	if (error != 0 || call->output.error != 0)
		return tp_state_status(TP_ERROR);
	return status_of(call);
}

/* The variables that the user named get what is theirs, when nothing is left to leak: binding may jump out of here. */
static int bind_variables(struct call *call, int status)
{
	const char *reports = call->options.reports_name;
	int error = 0;

	if (call->ran && reports != NULL && !face_set_array(reports, call->reports.bytes, call->reports_count)) {
		face_say(reports, "it cannot be set");
		status = tp_state_status(TP_ERROR);
	}
	if (call->fd < 0)
		return status;
	if (status != 0) {
		/* A signal came after the handshake: who is told of a failure closes nothing. */
		close(call->fd);
		call->fd = -1;
		return status;
	}
	error = face_set_descriptor(call->options.descriptor_name, call->fd);
	call->fd = -1;
	if (error == 0)
		return status;
	face_say("-u", strerror(error));
	return tp_state_status(TP_ERROR);
}

/* -- Words */

/* Writes what was put. Returns the exit status. */
static int show(struct call *call)
{
	face_flush(&call->output);
	return call->output.error != 0 ? tp_state_status(TP_ERROR) : 0;
}

static int show_help(struct call *call)
{
	tp_put(&call->output.text, "usage: ");
	tp_put(&call->output.text, tp_synopsis);
	tp_put(&call->output.text, "\n    ");
	tp_put(&call->output.text, tp_usage);
	tp_put(&call->output.text, "\n");
	return show(call);
}

static int show_version(struct call *call)
{
	tp_put(&call->output.text, "tcpprobe " TP_VERSION " (builtin)\n");
	return show(call);
}

/* "-- COMMAND" after the targets is the program's. */
static bool has_command(char *const words[], size_t count)
{
	for (size_t i = 0; i < count; i++) {
		if (strcmp(words[i], "--") == 0)
			return true;
	}
	return false;
}

/* What the options mean for this shell. Returns 0, or EINVAL with the reason in *why. */
static int check_variables(const struct tp_options *options, struct tp_why *why)
{
	const char *reports = options->reports_name, *descriptor = options->descriptor_name;

	if (reports != NULL && face_check_array('o', reports, why) != 0)
		return EINVAL;
	if (descriptor != NULL && face_check_variable('u', descriptor, why) != 0)
		return EINVAL;
	if (reports != NULL && descriptor != NULL && strcmp(face_target(reports), face_target(descriptor)) == 0)
		return tp_because(why, "-o and -u name the same variable");
	return 0;
}

/* Only one connection can be handed over, and one way be followed. */
static int check_targets(const struct call *call, struct tp_why *why)
{
	const struct tp_options *options = &call->options;

	if (options->descriptor_name != NULL && !options->first_open &&
	    (options->file != NULL || options->each_address || tp_feed_count(&call->feed) > 1))
		return tp_because(why, "-u: several targets need -1");
	if (options->trace && tp_feed_count(&call->feed) > 1)
		return tp_because(why, "-T: one target, and one port");
	return 0;
}

/* The feed of targets, from these operands. Returns 0, EINVAL with the reason in *why, or another errno value. */
static int take_targets(struct call *call, char *const words[], size_t count, struct tp_why *why)
{
	struct tp_quoted quoted;
	int error = 0;

	call->feed.complain = complain_of_line;
	call->feed.context = call;
	call->feed.keep = call->options.repeat;
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

static int usage_error(const char *why)
{
	face_say(NULL, why);
	builtin_usage();
	return TP_STATUS_USAGE;
}

/* The words' meaning, then the work. Returns the exit status. */
static int obey(struct call *call)
{
	struct tp_why why;
	size_t used;
	int error;

	tp_options_init(&call->options);
	if (tp_options_parse(&call->options, call->words, call->count, &used, &why) != 0)
		return usage_error(why.text);
	if (call->options.help)
		return show_help(call);
	if (call->options.version)
		return show_version(call);
	if (used == call->count && call->options.file == NULL)
		return usage_error(TP_SAYS_NO_TARGET);
	if (has_command(call->words + used, call->count - used)) {
		face_say("'--'", "the builtin runs no COMMAND; write: tcpprobe TARGET && COMMAND");
		return TP_STATUS_USAGE;
	}
	if (restricted) {
		face_say(NULL, "restricted");
		return tp_state_status(TP_ERROR);
	}
	error = check_variables(&call->options, &why);
	if (error == 0)
		error = take_targets(call, call->words + used, call->count - used, &why);
	if (error == EINTR && face_interrupted(&call->signals) != 0)
		return TP_STATUS_SIGNAL + face_interrupted(&call->signals);
	if (error != 0) {
		face_say(NULL, error == EINVAL ? why.text : strerror(error));
		return error == EINVAL ? TP_STATUS_USAGE : tp_state_status(TP_ERROR);
	}
	call->ran = true;
	return run(call);
}

static int collect_words(struct call *call, WORD_LIST *list)
{
	for (const WORD_LIST *word = list; word != NULL; word = word->next)
		call->count++;
	call->words = call->few_words;
	if (call->count > sizeof(call->few_words) / sizeof(*call->few_words))
		call->words = malloc(call->count * sizeof(*call->words));
	if (call->words == NULL)
		return ENOMEM;
	for (size_t i = 0; i < call->count; i++, list = list->next)
		call->words[i] = list->word->word;
	return 0;
}

/* All but what is to be bound. */
static void free_call(struct call *call)
{
	for (size_t i = 0; i < call->targets_count; i++)
		free(call->targets[i].label);
	free(call->targets);
	tp_feed_free(&call->feed);
	tp_text_free(&call->output.text);
	if (call->words != call->few_words)
		free(call->words);
}

static int tcpprobe_builtin(WORD_LIST *list)
{
	struct call call = { .fd = -1, .output.progress.due_us = TP_NEVER };
	int status = tp_state_status(TP_ERROR);

	call.output.signals = &call.signals;
	tp_feed_init(&call.feed);
	if (collect_words(&call, list) != 0)
		face_say(NULL, strerror(ENOMEM));
	else
		status = obey(&call);
	free_call(&call);
	status = bind_variables(&call, status);
	tp_text_free(&call.reports);
	/* Nothing is left to leak: QUIT jumps out of here. bash 4.2 wants to be told the status before. */
	if (interrupt_state || terminating_signal)
		last_command_exit_value = status;
	face_signals_end(&call.signals);
	QUIT;
	return status;
}

static char *const long_doc[] = { (char *)tp_usage, NULL };

__attribute__((visibility("default"))) struct builtin tcpprobe_struct = {
	.name = (char *)"tcpprobe",
	.function = tcpprobe_builtin,
	.flags = BUILTIN_ENABLED,
	.long_doc = long_doc,
	.short_doc = tp_synopsis,
	.handle = NULL,
};
