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

#include "tp_engine.h"
#include "tp_options.h"
#include "tp_os.h"
#include "tp_report.h"
#include "tp_target.h"

/* bash's own, from headers that are not installed (flags.h, trap.h ...). The last is absent from some versions. */
extern int restricted;
extern int last_command_exit_value;
extern int pending_traps[];
extern int running_trap __attribute__((weak));

/* One call of the builtin. */
struct call {
	char **words;
	size_t count;
	struct tp_options options;
	struct tp_targets targets;
	struct tp_cursor cursor;
	struct tp_tally tally;
	int traps[NSIG]; /* pending_traps that are not ours to obey: their trap is what we run in */
	bool write_failed;
};

/*
 * A trapped signal that came, or 0. Not SIGCHLD: background jobs end while we
 * wait, as they may; nor SIGWINCH.
 */
static int trapped_signal(const struct call *call)
{
	for (int sig = 1; sig < NSIG; sig++) {
		if (sig != SIGCHLD && sig != SIGWINCH && pending_traps[sig] > call->traps[sig])
			return sig;
	}
	return 0;
}

/* Ctrl-C at a prompt, a signal that ends the shell, or a trap that waits to be run. */
static bool is_interrupted(const struct call *call)
{
	return interrupt_state != 0 || terminating_signal != 0 || trapped_signal(call) != 0;
}

/*
 * Inside a trap, older bashes count its signal as pending until it has ended.
 * Outside, one that is pending already came just before us, and counts.
 */
static void note_running_traps(struct call *call)
{
	bool in_trap = &running_trap == NULL || running_trap != 0;

	for (int sig = 1; sig < NSIG && in_trap; sig++)
		call->traps[sig] = pending_traps[sig];
}

/*
 * The engine's wait. bash's handlers only set flags, so all signals are blocked
 * while the flags are looked at, and let in by ppoll() alone: none is lost
 * between the look and the wait.
 */
static int wait_for(void *context, struct pollfd *fds, nfds_t count, int64_t timeout_us)
{
	struct call *call = context;
	sigset_t all, mask;
	int error = 0;

	sigfillset(&all);
	sigprocmask(SIG_BLOCK, &all, &mask);
	if (!is_interrupted(call))
		error = tp_os_poll(fds, count, timeout_us, &mask);
	if (is_interrupted(call))
		error = EINTR;
	else if (error == EINTR)
		error = 0;
	sigprocmask(SIG_SETMASK, &mask, NULL);
	return error;
}

static bool next_target(void *context, const char **host, uint16_t *port)
{
	struct call *call = context;

	return tp_cursor_next(&call->cursor, host, port);
}

/* In the helper: variables that the script has exported (RES_OPTIONS, say) reach environ only now. */
static void export_variables(void *context)
{
	(void)context;
	maybe_make_export_env();
}

/* To standard output, past stdio, whose buffer would keep what a full disk refused and offer it again. */
static void print(struct call *call, const char *text)
{
	size_t left = strlen(text);

	while (left > 0 && !call->write_failed && !is_interrupted(call)) {
		ssize_t put = write(STDOUT_FILENO, text, left);

		if (put >= 0) {
			text += put;
			left -= (size_t)put;
		} else if (errno != EINTR) {
			builtin_error("write error: %s", strerror(errno));
			call->write_failed = true;
		}
	}
}

static void report(struct call *call, const struct tp_result *result)
{
	char line[TP_LINE_ROOM];

	tp_tally_add(&call->tally, result);
	if (result->state == TP_OPEN) {
		if (!call->options.verbose)
			return;
		tp_open_line(result, line);
		print(call, line);
	} else if (!call->options.quiet || result->state == TP_ERROR) {
		tp_failure_line(result, call->options.each_address, line);
		builtin_error("%s", line);
	}
}

static void report_tally(struct call *call)
{
	char line[TP_LINE_ROOM];

	if (!call->options.verbose || call->tally.count < 2)
		return;
	tp_tally_line(&call->tally, line);
	print(call, line);
}

/* Probes all targets. Returns 0, EINTR, or what kept the engine from going on. */
static int probe(struct call *call)
{
	struct tp_engine_setup setup = {
		.context = call,
		.next = next_target,
		.wait = wait_for,
		.helper_hook = { export_variables, NULL },
		.family = call->options.family,
		.each_address = call->options.each_address,
		.limit = 256,
		.timeout_us = call->options.timeout_us,
		.source = call->options.source,
	};
	struct tp_engine *engine = tp_engine_new(&setup);
	struct tp_result result;
	int error;

	if (engine == NULL)
		return ENOMEM;
	while ((error = tp_engine_next(engine, &result)) == 0) {
		report(call, &result);
		/* Results that need no wait come without a look at the signals. */
		if (is_interrupted(call)) {
			error = EINTR;
			break;
		}
	}
	tp_engine_free(engine);
	return error == ENOENT ? 0 : error;
}

/* Probes with the shell's signals in order, and gives the call's status. */
static int run(struct call *call)
{
	int error, sig;

	note_running_traps(call);
	error = probe(call);
	if (error == EINTR) {
		sig = interrupt_state ? SIGINT : terminating_signal ? terminating_signal : trapped_signal(call);
		return TP_STATUS_SIGNAL + sig;
	}
	report_tally(call);
	if (error != 0)
		builtin_error("%s", strerror(error));
	if (error != 0 || call->write_failed)
		return tp_state_status(TP_ERROR);
	return call->tally.status;
}

static int show_help(struct call *call)
{
	print(call, "usage: ");
	print(call, tp_synopsis);
	print(call, "\n");
	for (char *const *line = tp_usage; *line != NULL; line++) {
		print(call, *line);
		print(call, "\n");
	}
	return call->write_failed ? tp_state_status(TP_ERROR) : 0;
}

static int show_version(struct call *call)
{
	print(call, "tcpprobe " TP_VERSION " (builtin)\n");
	return call->write_failed ? tp_state_status(TP_ERROR) : 0;
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

/* The words' meaning, then the work. Returns the exit status. */
static int obey(struct call *call)
{
	struct tp_why why;
	size_t used;
	int error;

	tp_options_init(&call->options);
	if (tp_options_parse(&call->options, call->words, call->count, &used, &why) != 0) {
		builtin_error("%s", why.text);
		builtin_usage();
		return TP_STATUS_USAGE;
	}
	if (call->options.help)
		return show_help(call);
	if (call->options.version)
		return show_version(call);
	if (used == call->count) {
		builtin_error("no target");
		builtin_usage();
		return TP_STATUS_USAGE;
	}
	if (has_command(call->words + used, call->count - used)) {
		builtin_error("'--': the builtin runs no COMMAND; write: tcpprobe TARGET && COMMAND");
		return TP_STATUS_USAGE;
	}
	error = tp_targets_add(&call->targets, call->words + used, call->count - used, &why);
	if (error != 0) {
		builtin_error("%s", error == EINVAL ? why.text : strerror(error));
		return error == EINVAL ? TP_STATUS_USAGE : tp_state_status(TP_ERROR);
	}
	if (restricted) {
		builtin_error("restricted");
		return tp_state_status(TP_ERROR);
	}
	call->cursor.targets = &call->targets;
	return run(call);
}

static int collect_words(struct call *call, WORD_LIST *list)
{
	for (const WORD_LIST *word = list; word != NULL; word = word->next)
		call->count++;
	call->words = calloc(call->count + 1, sizeof(*call->words));
	if (call->words == NULL)
		return ENOMEM;
	for (size_t i = 0; i < call->count; i++, list = list->next)
		call->words[i] = list->word->word;
	return 0;
}

static int tcpprobe_builtin(WORD_LIST *list)
{
	struct call call = { 0 };
	int status = tp_state_status(TP_ERROR);

	if (collect_words(&call, list) != 0)
		builtin_error("%s", strerror(ENOMEM));
	else
		status = obey(&call);
	tp_targets_free(&call.targets);
	free(call.words);
	/* Nothing is left to leak: QUIT jumps out of here. bash 4.2 wants to be told the status before. */
	if (interrupt_state || terminating_signal)
		last_command_exit_value = status;
	QUIT;
	return status;
}

__attribute__((visibility("default"))) struct builtin tcpprobe_struct = {
	.name = (char *)"tcpprobe",
	.function = tcpprobe_builtin,
	.flags = BUILTIN_ENABLED,
	.long_doc = tp_usage,
	.short_doc = tp_synopsis,
	.handle = NULL,
};
